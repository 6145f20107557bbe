//! How the import is drawn.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{FAMILY, ImportScreen, Step};
use crate::console::effects::keys::{Looked, Question};
use crate::console::screen::wallet::facts::{chain_name, title};
use crate::console::sheet::{self, Foot};
use crate::console::state::Shared;
use crate::console::widget::{full_address, rows, wrapped};

pub(super) fn view(page: &ImportScreen, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let width = sheet::inner(area).width;
    let (remark, words) = match &page.step {
        Step::Source => (
            "1 where it is",
            wrapped(
                "A private key (solana-keygen, base58, hex), a phrase in any language, a .wallet file, an Ethereum \
                 keystore: what it is shows by itself.",
                width,
                palette.muted,
            ),
        ),
        Step::Question(question) => ("2 what it is", asked(question, width, shared)),
        Step::Key | Step::Phrase => ("2 what it is", found(page, width, shared)),
        Step::Done(words) => {
            let lines = words.iter().flat_map(|text| wrapped(text, width, palette.good));
            ("3 done", lines.collect())
        }
    };
    let at = sheet::head("Import", remark, words, shared, frame, area);
    let form = if matches!(page.step, Step::Source) {
        &page.source
    } else {
        &page.form
    };
    let mut at = form.view(frame, area, at, palette);
    if matches!(page.step, Step::Phrase) {
        at = rows(frame, sheet::inner(area), at + 1, addresses(page, shared));
    }
    let foot = if page.keeping.is_waiting() {
        Foot::Working("keeping it")
    } else if page.looking.is_waiting() {
        Foot::Working("looking at it")
    } else if let Some(problem) = &page.problem {
        Foot::Problem(problem)
    } else if let Some(failure) = &page.failure {
        Foot::Failed(failure)
    } else {
        Foot::Quiet
    };
    sheet::foot(foot, shared, frame, area, at + 1);
}

fn asked(question: &Question, width: u16, shared: &Shared) -> Vec<Line<'static>> {
    let text = match question {
        Question::Chain { format, choices } if choices.len() == 1 => format!(
            "This is {format} of 32 bytes: a seed, or only an address, with which nothing can be signed. Go on if it \
             is a seed."
        ),
        Question::Chain { format, .. } => {
            format!("This is {format} of 32 bytes, which are a key on either chain. Which one is it for?")
        }
        Question::Language(_) => {
            "These words are a phrase in more than one language, with different keys.".to_owned()
        }
        Question::Password(format) => format!("This is {format}. It opens with its own password."),
    };
    wrapped(&text, width, shared.palette.text)
}

fn found(page: &ImportScreen, width: u16, shared: &Shared) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    match &page.found {
        Some(Looked::Key {
            format,
            address,
            known,
        }) => {
            let mut lines = vec![
                Line::styled(
                    format!("This is {format}: a key on {}.", chain_name(address.chain())),
                    palette.text,
                ),
                Line::from(full_address(&address.to_string(), palette)),
            ];
            if let Some(wallet) = known {
                let text = format!(
                    "! It is here already, as {}: importing it changes nothing.",
                    title(wallet)
                );
                lines.extend(wrapped(&text, width, palette.warning));
            }
            lines
        }
        Some(Looked::Phrase { words, language, .. }) => vec![Line::styled(
            format!(
                "This is a phrase of {} words in {}.",
                words.words(),
                language.id()
            ),
            palette.text,
        )],
        _ => Vec::new(),
    }
}

/// The first address of every path, so that a known one is recognised.
fn addresses(page: &ImportScreen, shared: &Shared) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let Some(Looked::Phrase { addresses, .. }) = &page.found else {
        return Vec::new();
    };
    let mut lines = vec![Line::styled("The first address of each path:", palette.muted)];
    for (number, (family, address)) in addresses.iter().enumerate() {
        let chosen = number == page.form.chosen(FAMILY);
        let (sign, style) = if chosen {
            ("▌", palette.accent)
        } else {
            (" ", palette.muted)
        };
        let mut spans = vec![Span::styled(format!("{sign} {:<16}", family.id()), style)];
        spans.extend(full_address(&address.to_string(), palette));
        lines.push(Line::from(spans));
    }
    lines
}
