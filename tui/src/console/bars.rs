//! The top bar (vault, network, lock state, jobs), the notice line, and the bottom bar with the keys
//! that matter here, taken from the keymap.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use super::keymap::{Action, active};
use super::layout;
use super::screen::Screen;
use super::state::{Node, Shared, State};
use super::text::{ago, fitted, span};
use super::update::contexts;

/// Draws the top bar.
pub fn top(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let shared = &state.shared;
    let jobs = match (shared.jobs.running(), shared.unresolved()) {
        (0, 0) => String::new(),
        (0, unresolved) => format!("! {unresolved} unresolved, Ctrl-R "),
        (1, _) => "▸ 1 job ".into(),
        (running, _) => format!("▸ {running} jobs "),
    };
    let jobs = match shared.vault_key.elsewhere(&shared.jobs) {
        Some(seen) => format!("! vault key {} at {} % {jobs}", seen.status.epoch, seen.percent()),
        None => jobs,
    };
    let name = shared.location.rsplit(['/', '\\']).next().unwrap_or_default();
    let left = format!(
        " keyward  {} ─ {} ─ {}",
        fitted(name, 24),
        network(shared),
        vault(state)
    );
    let width = usize::from(area.width);
    let left = fitted(&left, width.saturating_sub(jobs.width() + 1));
    let gap = width.saturating_sub(left.width() + jobs.width());
    let line = format!("{left}{}{jobs}", " ".repeat(gap));
    frame.render_widget(Paragraph::new(line).style(shared.palette.bar), area);
}

/// Whether the vault is open, and for how long.
fn vault(state: &State) -> String {
    match (&state.screen, state.shared.idle_left_ms()) {
        // The last minute is counted down; before that, minutes will do.
        (_, Some(left_ms)) if left_ms < 60_000 => {
            format!("unlocked, locks in {} s", left_ms.div_ceil(1_000))
        }
        (_, Some(left_ms)) => format!("unlocked, locks in {} min", left_ms.div_ceil(60_000)),
        (Screen::Starting(_), None) => "opening".into(),
        (Screen::Trouble(_), None) => "not open".into(),
        (Screen::FirstRun(_), None) => "no vault yet".into(),
        (_, None) => "locked".into(),
    }
}

fn network(shared: &Shared) -> String {
    match &shared.node {
        Node::NotChosen => "no node chosen".into(),
        Node::Asking => "asking the node".into(),
        Node::Online { status, .. } => {
            let name = shared.node.network_name().unwrap_or_default();
            format!("{name} ● {} ms", status.latency_ms)
        }
        Node::Offline { at_ms, .. } => {
            let seconds = shared.now_ms.saturating_sub(*at_ms) / 1_000;
            if seconds < 3 {
                "○ offline".into()
            } else {
                format!("○ offline, asked {}", ago_short(seconds))
            }
        }
    }
}

fn ago_short(seconds: u64) -> String {
    format!("{} ago", span(seconds))
}

/// Draws the line above the bottom bar.
pub fn notice(shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let width = usize::from(area.width);
    // While locked nothing is told that names wallets or amounts.
    let line = match shared.notice.as_ref().filter(|_| shared.is_open()) {
        None => Line::styled("─".repeat(width), palette.line),
        Some(notice) => {
            let text = fitted(&notice.text, width.saturating_sub(6));
            let rest = width.saturating_sub(text.width() + 4);
            Line::from(vec![
                Span::styled("─ ", palette.line),
                Span::styled(text, palette.good),
                Span::styled(format!(" {}", "─".repeat(rest + 1)), palette.line),
            ])
        }
    };
    frame.render_widget(Paragraph::new(line), area);
}

/// One entry of the bottom bar.
struct Hint {
    key: String,
    word: &'static str,
    action: Action,
}

fn hints(state: &State) -> Vec<Hint> {
    let (contexts, typing) = contexts(state);
    let page = state.screen.page();
    let mut hints: Vec<Hint> = active(&contexts)
        .into_iter()
        .filter(|binding| !binding.hint.is_empty())
        .filter(|binding| state.modal.is_some() || page.available(binding.action, &state.shared))
        .filter_map(|binding| {
            let key = binding.keys.iter().find(|key| !(typing && key.is_text()))?;
            Some(Hint {
                key: key.label(),
                word: binding.hint,
                action: binding.action,
            })
        })
        .collect();
    if state.modal.is_some() {
        hints.retain(|hint| hint.action != Action::Help);
    }
    hints
}

/// Draws the bottom bar: as many keys as fit, the help always.
pub fn bottom(state: &State, frame: &mut Frame<'_>, area: Rect) {
    let palette = &state.shared.palette;
    let mut spans = Vec::new();
    for (_, hint) in placed(state, area.width) {
        spans.push(Span::raw(" "));
        spans.push(Span::styled(hint.key, palette.accent));
        spans.push(Span::styled(format!(" {}  ", hint.word), palette.muted));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// The entries that fit, each with its first column.
fn placed(state: &State, width: u16) -> Vec<(u16, Hint)> {
    let columns = |hint: &Hint| u16::try_from(hint.key.width() + hint.word.width() + 4).unwrap_or(u16::MAX);
    let mut hints = hints(state);
    let help = hints
        .iter()
        .position(|hint| hint.action == Action::Help)
        .map(|at| hints.remove(at));
    let reserved = help.as_ref().map_or(0, columns);
    let mut placed = Vec::new();
    let mut column = 0_u16;
    for hint in hints {
        let wide = columns(&hint);
        if column.saturating_add(wide).saturating_add(reserved) > width {
            break;
        }
        placed.push((column, hint));
        column += wide;
    }
    placed.extend(help.map(|hint| (column, hint)));
    placed
}

/// The action of the entry of the bottom bar at this place; the job count in the top bar opens the jobs.
#[must_use]
pub fn action_at(state: &State, column: u16, row: u16) -> Option<Action> {
    let areas = layout::areas(state.shared.size);
    if row == areas.top.y && state.shared.jobs.running() > 0 && column + 9 >= areas.top.width {
        return Some(Action::GoJobs);
    }
    if row != areas.bottom.y {
        return None;
    }
    placed(state, areas.bottom.width)
        .into_iter()
        .rev()
        .find(|(first, _)| *first <= column)
        .map(|(_, hint)| hint.action)
}

/// The age of something, for a remark: `as of 12 s ago`.
#[must_use]
pub fn as_of(shared: &Shared, at_ms: u64) -> String {
    format!("as of {}", ago(shared.now_ms, at_ms))
}
