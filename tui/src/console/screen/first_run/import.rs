//! An existing phrase, typed or pasted, with completion.

use crossterm::event::KeyEvent;
use keyward_core::mnemonic::{Mnemonic, MnemonicError, complete_word};
use keyward_custody::memory::clearing_stack;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Reveal;
use crate::console::input::{Edit, TextInput};
use crate::console::state::Shared;
use crate::console::text::{count, countdown, sentence};
use crate::console::widget::{rows, wrapped};

/// Enough for 24 words in any of the wordlists.
const PHRASE_BYTES: usize = 1_024;
/// How many completions are shown.
const COMPLETIONS: usize = 5;

/// An existing phrase as it is typed.
pub(super) struct Import {
    text: TextInput,
    pub(super) reveal: Reveal,
    problem: Option<Problem>,
}

/// Why the phrase was not taken.
struct Problem {
    words: String,
    suggestions: Vec<&'static str>,
}

impl Default for Import {
    fn default() -> Self {
        Self {
            text: TextInput::masked(PHRASE_BYTES),
            reveal: Reveal::default(),
            problem: None,
        }
    }
}

impl Import {
    /// The phrase as typed.
    pub(super) fn phrase(&self) -> &str {
        self.text.expose_text()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.expose_text().trim().is_empty()
    }

    pub(super) fn text(&mut self, key: KeyEvent) {
        if self.text.key(key) == Edit::Changed {
            self.problem = None;
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        if self.text.insert(text) == Edit::Full {
            self.problem = Some(Problem {
                words: "that is longer than any phrase; only its beginning was taken".into(),
                suggestions: Vec::new(),
            });
        } else {
            self.problem = None;
        }
    }

    /// Takes the first suggestion for the word at the cursor.
    pub(super) fn complete(&mut self) {
        if let Some(word) = self.suggestions().first() {
            self.text.complete_last_word(word);
            self.problem = None;
        }
    }

    fn suggestions(&self) -> Vec<&'static str> {
        match &self.problem {
            Some(problem) => problem.suggestions.clone(),
            None => {
                let typed = self.text.last_word().to_lowercase();
                let mut found = if typed.is_empty() {
                    Vec::new()
                } else {
                    complete_word(&typed)
                };
                found.truncate(COMPLETIONS);
                found
            }
        }
    }

    /// Whether it is a phrase; if not, says why and puts the cursor behind the wrong word.
    pub(super) fn check(&mut self) -> bool {
        match clearing_stack(|| Mnemonic::parse(self.text.expose_text())) {
            Ok(_) => true,
            Err(error) => {
                if let MnemonicError::UnknownWord { position, .. } = &error {
                    self.go_behind(*position);
                }
                let suggestions = error.suggestions().to_vec();
                self.problem = Some(Problem {
                    words: error.to_string(),
                    suggestions,
                });
                false
            }
        }
    }

    /// Moves the cursor behind the word at this position, counted from 1.
    fn go_behind(&mut self, position: usize) {
        let text = self.text.expose_text();
        let end = text
            .split_whitespace()
            .nth(position.saturating_sub(1))
            .map(|word| (word.as_ptr() as usize).saturating_sub(text.as_ptr() as usize) + word.len());
        if let Some(end) = end {
            self.text.move_cursor(end);
        }
    }

    /// Draws it: the word at the cursor is shown, the others are masked until asked for.
    pub(super) fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let shown = self.reveal.left_ms(shared.now_ms);
        let words: Vec<&str> = self.text.expose_text().split_whitespace().collect();
        let state = match shown {
            Some(left_ms) => format!("shown, hides again in {}", countdown(left_ms)),
            None => "only the word being typed is shown; Ctrl-R shows all".into(),
        };
        let mut lines = vec![
            Line::styled(
                "Type the words in order, or paste them all at once.",
                palette.text,
            ),
            Line::styled(
                format!("{} · {state}", count(words.len() as u64, "word", "words")),
                palette.muted,
            ),
            Line::default(),
        ];
        lines.extend(self.grid(shown.is_some(), shared));
        lines.push(Line::default());
        let suggestions = self.suggestions();
        if let Some(problem) = &self.problem {
            lines.extend(wrapped(
                &format!("! {}", sentence(&problem.words)),
                area.width,
                palette.warning,
            ));
        }
        if !suggestions.is_empty() {
            let mut spans = vec![Span::styled("Tab ", palette.accent)];
            for (at, word) in suggestions.iter().enumerate() {
                let style = if at == 0 { palette.strong } else { palette.muted };
                spans.push(Span::styled(format!("{word}  "), style));
            }
            lines.push(Line::from(spans));
        }
        rows(frame, area, 0, lines);
    }

    /// The words in four columns; the one at the cursor with a bar behind it.
    fn grid(&self, shown: bool, shared: &Shared) -> Vec<Line<'static>> {
        let palette = &shared.palette;
        let text = self.text.expose_text();
        let cursor = self.text.cursor();
        let mut cells: Vec<(String, bool)> = Vec::new();
        let mut seen_cursor = false;
        for word in text.split_whitespace() {
            let start = (word.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
            let here = !seen_cursor && start < cursor && cursor <= start + word.len();
            seen_cursor |= here;
            let drawn = if shown || here {
                word.chars().take(12).collect()
            } else {
                "•".repeat(word.chars().count().min(8))
            };
            cells.push((drawn, here));
        }
        if !seen_cursor {
            cells.push((String::new(), true));
        }
        let height = cells.len().div_ceil(4).max(3);
        (0..height)
            .map(|y| {
                let mut spans = Vec::new();
                for (at, (word, here)) in
                    (0..4).filter_map(|x| Some((x * height + y, cells.get(x * height + y)?)))
                {
                    spans.push(Span::styled(format!("{:>3} ", at + 1), palette.muted));
                    let style = if *here { palette.field } else { palette.text };
                    let tail = if *here { "▏" } else { "" };
                    let used = word.chars().count() + tail.chars().count();
                    spans.push(Span::styled(format!("{word}{tail}"), style));
                    spans.push(Span::raw(" ".repeat(13_usize.saturating_sub(used) + 1)));
                }
                Line::from(spans)
            })
            .collect()
    }
}
