//! How backup and recovery are drawn.

use keyward_core::vault::RecoveryKey;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::rotating::progress;
use super::{BackupScreen, Choice, Step, choices, summary};
use crate::console::sheet::{self, Foot};
use crate::console::state::Shared;
use crate::console::text::{countdown, grouped};
use crate::console::widget::{progress_bar, row, rows, wrapped};

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
            let name = name(*choice, shared);
            let at = sheet::head(name, "", lines.collect(), shared, frame, area);
            if page.is_rotating() {
                view_progress(shared, frame, area, at)
            } else {
                page.form.view(frame, area, at, palette)
            }
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
                "sealing every record again; neither a lock nor another screen stops it"
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

fn name(choice: Choice, shared: &Shared) -> &'static str {
    match choice {
        Choice::Rotate if shared.vault_key.elsewhere(&shared.jobs).is_some() => {
            "Go on with the unfinished vault key"
        }
        Choice::Abandon => "Throw the unfinished vault key away",
        Choice::Merge => "Bring another vault's file in",
        Choice::Copy => "Copy the vault to another database",
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
    if let Some(seen) = shared.vault_key.elsewhere(&shared.jobs) {
        let words = format!("! {}", seen.words(shared.now_ms));
        lines.extend(wrapped(&words, width, palette.warning));
    }
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
            Span::styled(format!(" {:<40}", name(choice, shared)), style),
        ])
    };
    choices(shared).into_iter().enumerate().map(entry).collect()
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
        Choice::Abandon => vec![
            (
                "What was sealed under the next key so far is thrown away. The key in force, wallets and addresses stay as \
                 they are.",
                false,
            ),
            ("! If another program is at it right now, it stops there.", true),
        ],
        Choice::Rotate => {
            let mut words = vec![
                (
                    "Every record is sealed again under a new key, which comes into force in one step at the end. It can be \
                     stopped and gone on with. Password, wallets and addresses stay as they are.",
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
        Choice::Merge | Choice::Copy | Choice::Password => Vec::new(),
    }
}

/// How far the new key is.
fn view_progress(shared: &Shared, frame: &mut Frame<'_>, area: Rect, at: u16) -> u16 {
    let palette = &shared.palette;
    let inner = sheet::inner(area);
    let (done, total, words) = match progress(shared) {
        Some(far) => {
            let words = format!(
                "{} of {} records sealed under it",
                grouped(far.done),
                grouped(far.total)
            );
            (far.done, far.total, words)
        }
        None => (0, 0, "stretching the password".to_owned()),
    };
    row(frame, inner, at, progress_bar(done, total, inner.width, palette));
    row(frame, inner, at + 1, Line::styled(words, palette.text));
    at + 2
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
