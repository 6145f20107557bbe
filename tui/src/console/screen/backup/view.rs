//! How backup and recovery are drawn.

use keyward_core::vault::RecoveryKey;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{BackupScreen, Choice, Step, choices, summary};
use crate::console::sheet::{self, Foot};
use crate::console::state::Shared;
use crate::console::text::countdown;
use crate::console::widget::{rows, wrapped};

/// Groups of the recovery key in one row.
const GROUPS_IN_ROW: usize = 7;

pub(super) fn view(page: &BackupScreen, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let width = sheet::inner(area).width;
    let at = match &page.step {
        Step::Menu => {
            let at = sheet::head(
                "Backup and recovery",
                "",
                state(shared, width),
                shared,
                frame,
                area,
            );
            rows(frame, area, at, menu(page, shared))
        }
        Step::Ask(choice) => {
            let lines = consequence(*choice, shared)
                .into_iter()
                .flat_map(|(text, danger)| {
                    let style = if danger { palette.warning } else { palette.text };
                    wrapped(text, width, style)
                });
            let at = sheet::head(name(*choice), "", lines.collect(), shared, frame, area);
            page.form.view(frame, area, at, palette)
        }
        Step::Show(recovery) => {
            let mut lines = wrapped(
                "Write it down, on paper, and keep it apart from this machine. It opens the vault without its password. \
                 It is shown this once.",
                width,
                palette.text,
            );
            lines.push(Line::default());
            lines.extend(groups(recovery, page.shown_until_ms, shared));
            sheet::head("The recovery key", "", lines, shared, frame, area)
        }
        Step::AskBack(_) => {
            let lines = wrapped(
                "Two of its groups, to be sure that it was written down.",
                width,
                palette.text,
            );
            let at = sheet::head("The recovery key", "", lines, shared, frame, area);
            page.form.view(frame, area, at, palette)
        }
    };
    let foot = if page.working.is_waiting() {
        Foot::Working(match page.step {
            Step::Ask(Choice::Rotate) => {
                "sealing every record again; this takes longer the more wallets there are"
            }
            _ => "checking the password",
        })
    } else if let Some(problem) = &page.problem {
        Foot::Problem(problem)
    } else if let Some(failure) = &page.failure {
        Foot::Failed(failure)
    } else {
        Foot::Quiet
    };
    sheet::foot(foot, shared, frame, area, at + 1);
}

fn name(choice: Choice) -> &'static str {
    match choice {
        Choice::Make => "Make a recovery key",
        Choice::Remove => "Take the recovery key away",
        Choice::Rotate => "Give the vault a new key",
        Choice::Save => "Save the vault to a file",
        Choice::Password => "Change the password",
    }
}

fn state(shared: &Shared, width: u16) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let Some(summary) = summary(shared) else {
        return Vec::new();
    };
    let (recovery, style) = if summary.has_recovery {
        (
            "✓ a recovery key opens this vault beside its password",
            palette.good,
        )
    } else {
        (
            "! no recovery key: whoever forgets the password has the phrase alone",
            palette.warning,
        )
    };
    let mut lines = vec![
        Line::styled(recovery, style),
        Line::styled(format!("  vault key number {}", summary.epoch), palette.muted),
        Line::styled(format!("  database {}", shared.location), palette.muted),
    ];
    lines.extend(wrapped(
        "  Imported keys are in no phrase: only a file of the vault, or an export of each, keeps them.",
        width,
        palette.muted,
    ));
    lines
}

fn menu(page: &BackupScreen, shared: &Shared) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let entry = |(at, choice): (usize, Choice)| {
        let (sign, style) = if at == page.selected {
            ("▌", palette.selected)
        } else {
            (" ", palette.text)
        };
        Line::from(vec![
            Span::styled(sign, palette.accent),
            Span::styled(format!(" {:<40}", name(choice)), style),
        ])
    };
    choices(summary(shared))
        .into_iter()
        .enumerate()
        .map(entry)
        .collect()
}

/// What a choice brings with it; the grave ones marked.
fn consequence(choice: Choice, shared: &Shared) -> Vec<(&'static str, bool)> {
    let has_recovery = summary(shared).is_some_and(|summary| summary.has_recovery);
    match choice {
        Choice::Make => vec![(
            "A key of 14 groups opens the vault when its password is forgotten. Whoever finds it can do the same.",
            false,
        )],
        Choice::Remove => vec![
            ("From then on the password alone opens the vault.", false),
            (
                "! A copy of the database made before still opens with it. If it became known, give the vault a new key.",
                true,
            ),
        ],
        Choice::Rotate => {
            let mut words = vec![
                (
                    "Every record is sealed again under a new key, in one step: all of it happens, or nothing. Password, \
                     wallets and addresses stay as they are.",
                    false,
                ),
                (
                    "! Other programs that have this vault open lock themselves.",
                    true,
                ),
            ];
            if has_recovery {
                words.push((
                    "! The recovery key opens the vault no more. A new one is shown afterwards, once.",
                    true,
                ));
            }
            words
        }
        Choice::Save => vec![
            (
                "Everything goes into one encrypted file: phrases, keys, labels, policy. keyward restores it elsewhere.",
                false,
            ),
            ("! Whoever has the file can try passwords on it for ever.", true),
        ],
        Choice::Password => Vec::new(),
    }
}

/// The key's groups, or dots in their place.
fn groups(recovery: &RecoveryKey, shown_until_ms: Option<u64>, shared: &Shared) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let text = shown_until_ms.map(|_| recovery.expose_text());
    let mut lines = Vec::new();
    for first in [0, GROUPS_IN_ROW] {
        let mut spans = vec![Span::styled(format!("{:>2}  ", first + 1), palette.muted)];
        for at in first..first + GROUPS_IN_ROW {
            let group = text
                .as_ref()
                .and_then(|text| text.split('-').nth(at))
                .unwrap_or("••••");
            spans.push(Span::styled(format!("{group}  "), palette.strong));
        }
        lines.push(Line::from(spans));
        lines.push(Line::default());
    }
    lines.push(match shown_until_ms {
        Some(until_ms) => Line::styled(
            format!(
                "Shown. Hidden again in {}.",
                countdown(until_ms.saturating_sub(shared.now_ms))
            ),
            palette.warning,
        ),
        None => Line::styled("Hidden. v shows it for 30 seconds.", palette.muted),
    });
    lines
}
