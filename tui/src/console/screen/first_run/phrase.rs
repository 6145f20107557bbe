//! A new phrase: made, shown when asked, and three of its words asked back.

use crossterm::event::KeyEvent;
use keyward_core::mnemonic::WordCount;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use zeroize::Zeroizing;

use super::Reveal;
use crate::console::effect::{Failure, Pending, Work};
use crate::console::effects::vault::{ASKED_BACK, NewPhrase, VaultWork};
use crate::console::input::{Echo, Edit, TextInput};
use crate::console::page::Cx;
use crate::console::state::Shared;
use crate::console::text::countdown;
use crate::console::theme::Palette;
use crate::console::widget::{Focus, field, row, rows, working};

/// The longest answer: the longest English word has 8 letters.
const ANSWER_BYTES: usize = 32;

/// A new phrase and the answers to the questions about it.
pub(super) struct PhraseStep {
    made: Option<NewPhrase>,
    pub(super) making: Pending,
    pub(super) reveal: Reveal,
    answers: [TextInput; ASKED_BACK],
    at: usize,
    problem: Option<String>,
}

impl Default for PhraseStep {
    fn default() -> Self {
        Self {
            made: None,
            making: Pending::default(),
            reveal: Reveal::default(),
            answers: std::array::from_fn(|_| TextInput::plain(ANSWER_BYTES)),
            at: 0,
            problem: None,
        }
    }
}

impl PhraseStep {
    pub(super) fn is_made(&self) -> bool {
        self.made.is_some()
    }

    pub(super) fn length(&self) -> Option<WordCount> {
        self.made.as_ref().map(|made| made.mnemonic.word_count())
    }

    pub(super) fn expose_phrase(&self) -> Option<Zeroizing<String>> {
        self.made.as_ref().map(|made| made.mnemonic.expose_phrase())
    }

    /// Forgets the old phrase and asks for a new one.
    pub(super) fn make(&mut self, length: WordCount, cx: &mut Cx<'_>) {
        let mut making = self.making;
        cx.start_latest(&mut making, Work::Vault(VaultWork::NewPhrase(length)));
        *self = Self {
            making,
            ..Self::default()
        };
    }

    pub(super) fn made(&mut self, result: Result<NewPhrase, Failure>) -> Result<(), Failure> {
        self.made = Some(result?);
        Ok(())
    }

    pub(super) fn next(&mut self) {
        self.at = (self.at + 1) % ASKED_BACK;
    }

    pub(super) fn previous(&mut self) {
        self.at = (self.at + ASKED_BACK - 1) % ASKED_BACK;
    }

    fn answer(&mut self) -> Option<&mut TextInput> {
        self.answers.get_mut(self.at)
    }

    pub(super) fn text(&mut self, key: KeyEvent) {
        if self
            .answer()
            .is_some_and(|answer| answer.key(key) == Edit::Changed)
        {
            self.problem = None;
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        if let Some(answer) = self.answer() {
            answer.insert(text.trim());
        }
        self.problem = None;
    }

    /// Goes to the next empty answer; once all are there, says whether they are right.
    pub(super) fn check_answers(&mut self) -> bool {
        let empty = (0..ASKED_BACK)
            .map(|step| (self.at + step) % ASKED_BACK)
            .find(|at| {
                self.answers
                    .get(*at)
                    .is_some_and(|answer| answer.expose_text().trim().is_empty())
            });
        if let Some(at) = empty {
            self.at = at;
            return false;
        }
        let Some(made) = &self.made else { return false };
        let wrong = made.asked.iter().zip(&self.answers).position(|(asked, answer)| {
            let word = made.mnemonic.expose_word(*asked);
            word != Some(answer.expose_text().trim().to_lowercase().as_str())
        });
        match wrong {
            None => true,
            Some(at) => {
                self.at = at;
                let position = made.asked.get(at).map_or(0, |asked| asked + 1);
                self.problem = Some(format!(
                    "That is not word {position}. Look at what you wrote down, or go back (Esc) and show the phrase again."
                ));
                false
            }
        }
    }

    /// Draws the phrase.
    pub(super) fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let Some(made) = &self.made else {
            row(
                frame,
                area,
                0,
                Line::styled(
                    format!("{} Making a phrase …", working(shared.now_ms)),
                    palette.accent,
                ),
            );
            return;
        };
        let left = self.reveal.left_ms(shared.now_ms);
        let state = match left {
            Some(left_ms) => Line::from(vec![
                Span::styled("Shown. Hides again in ", palette.warning),
                Span::styled(countdown(left_ms), palette.strong),
            ]),
            None => Line::from(vec![
                Span::styled("Hidden. ", palette.muted),
                Span::styled("v", palette.accent),
                Span::styled(" shows it for 30 seconds.", palette.muted),
            ]),
        };
        let mut lines = vec![
            Line::styled(
                "Whoever has these words has the money. Write them on paper, in order,",
                palette.text,
            ),
            Line::styled(
                "where nobody looks. There is no other copy until you make one.",
                palette.text,
            ),
            Line::default(),
            state,
            Line::default(),
        ];
        let words: Vec<&str> = (0..made.mnemonic.word_count().words())
            .map(|at| match left {
                Some(_) => made.mnemonic.expose_word(at).unwrap_or_default(),
                None => "••••••••",
            })
            .collect();
        lines.extend(grid(&words, palette));
        rows(frame, area, 0, lines);
    }

    /// Draws the questions.
    pub(super) fn view_quiz(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let Some(made) = &self.made else { return };
        let at = rows(
            frame,
            area,
            0,
            vec![
                Line::styled(
                    "Three words, to be sure that you can read what you wrote.",
                    palette.text,
                ),
                Line::default(),
            ],
        );
        let mut offset = at;
        for (number, (asked, answer)) in made.asked.iter().zip(&self.answers).enumerate() {
            row(
                frame,
                area,
                offset,
                Line::styled(format!("word {:>2}", asked + 1), palette.muted),
            );
            let input = Rect {
                x: area.x + 10,
                y: area.y + offset,
                width: 24.min(area.width),
                height: 1,
            };
            field(
                frame,
                input,
                answer,
                Echo::Plain,
                Focus::when(number == self.at),
                palette,
            );
            offset += 2;
        }
        if let Some(problem) = &self.problem {
            let lines = crate::console::widget::wrapped(&format!("! {problem}"), area.width, palette.warning);
            rows(frame, area, offset, lines);
        }
    }
}

/// Numbered words in four columns, read downwards.
pub(super) fn grid(words: &[&str], palette: &Palette) -> Vec<Line<'static>> {
    let height = words.len().div_ceil(4).max(1);
    (0..height)
        .map(|y| {
            let spans = (0..4).filter_map(|x| {
                let at = x * height + y;
                let word = words.get(at)?;
                Some([
                    Span::styled(format!("{:>3} ", at + 1), palette.muted),
                    Span::styled(format!("{word:<13}"), palette.strong),
                ])
            });
            Line::from(spans.flatten().collect::<Vec<_>>())
        })
        .collect()
}
