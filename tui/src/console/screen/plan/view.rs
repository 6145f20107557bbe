//! Draws a plan.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Ends, FOOT_ROWS, Here, PlanScreen};
use crate::console::effects::plans::{Ask, PlanPage, Remark, Weight};
use crate::console::list::Words;
use crate::console::screen::bulk_job::amount_of;
use crate::console::state::Shared;
use crate::console::text::{count, fitted, printable, sentence};
use crate::console::widget::{full_address, row, rows, rule, short_address, working, wrapped};

/// Columns of a fact's name.
const NAME: usize = 12;

pub(super) fn view(page: &PlanScreen, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let Some(plan) = page.plan() else { return };
    let title = format!("Plan: {}", page.title());
    let refused = plan
        .remarks
        .iter()
        .filter(|one| one.weight == Weight::Refused)
        .count();
    let asked = page.open_questions().len();
    let remark = match (refused, asked) {
        _ if page.making.is_waiting() => "asking the chain again".to_owned(),
        _ if plan.ready => "ready; nothing is signed yet".to_owned(),
        (0, 0) => "there is nothing to do".to_owned(),
        (0, asked) => format!("{}: a answers", count(asked as u64, "question", "questions")),
        (refused, _) => format!(
            "{} in the way: e edits",
            count(refused as u64, "thing stands", "things stand")
        ),
    };
    let words = Words {
        title: &title,
        remark: &remark,
        names: match &page.ask {
            Ask::Distribution(_) => "what it comes to, what there is to say, and who gets what",
            Ask::Sweep(_) => "what it comes to, what there is to say, and what is moved or closed",
        },
        reading: "the plan",
        empty: "There is nothing to do.",
    };
    page.list
        .view(&words, |at| cells(page, at, shared), shared, frame, area);
    foot(page, plan, shared, frame, area);
}

fn sign(page: &PlanScreen, remark: &Remark) -> &'static str {
    let is_agreed = remark.code.is_some_and(|code| page.agreed.contains(&code));
    match remark.weight {
        Weight::Refused => "✗",
        Weight::Agreed => "✓",
        Weight::Asked if is_agreed => "✓",
        Weight::Asked => "?",
        Weight::Told => "·",
    }
}

fn cells(page: &PlanScreen, at: usize, shared: &Shared) -> Vec<Span<'static>> {
    let palette = &shared.palette;
    let room = usize::from(shared.size.0).saturating_sub(3);
    match page.here(at) {
        Here::Nothing => Vec::new(),
        Here::Fact(name, words) => vec![
            Span::styled(format!("{name:<NAME$}"), palette.muted),
            Span::styled(fitted(words, room.saturating_sub(NAME)), palette.strong),
        ],
        Here::Remark(remark) => {
            let sign = sign(page, remark);
            let style = match (remark.weight, sign) {
                (Weight::Refused, _) => palette.danger,
                (Weight::Asked, "?") => palette.warning,
                _ => palette.text,
            };
            let words = fitted(&printable(&remark.words), room.saturating_sub(2));
            vec![Span::styled(format!("{sign} {words}"), style)]
        }
        Here::Item(at) => item(page, at, shared),
    }
}

fn item(page: &PlanScreen, at: usize, shared: &Shared) -> Vec<Span<'static>> {
    let palette = &shared.palette;
    let Some(plan) = page.plan() else {
        return Vec::new();
    };
    let Some(item) = plan.kept.job().items.get(at) else {
        return Vec::new();
    };
    let amount = plan.expected.get(at).copied().unwrap_or(item.amount);
    let mut cells = vec![Span::styled(format!("{:>6}  ", item.number), palette.muted)];
    if page.ends != Ends::Recipients {
        cells.extend(short_address(&item.source.to_string(), palette));
    }
    if page.ends == Ends::Both {
        cells.push(Span::styled(" → ", palette.muted));
    }
    if page.ends != Ends::Sources {
        cells.extend(short_address(&item.recipient.to_string(), palette));
    }
    cells.push(Span::styled(
        format!("{:>24}", amount_of(amount, &item.action)),
        palette.strong,
    ));
    let name = plan.names.get(at).map(String::as_str).unwrap_or_default();
    let taken = if page.ends == Ends::Both { 72 } else { 54 };
    let room = usize::from(shared.size.0).saturating_sub(taken);
    cells.push(Span::styled(
        format!("  {}", fitted(&printable(name), room)),
        palette.text,
    ));
    cells
}

fn foot(page: &PlanScreen, plan: &PlanPage, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let area = Rect {
        y: area.y + area.height.saturating_sub(FOOT_ROWS),
        height: FOOT_ROWS.min(area.height),
        ..area
    };
    row(frame, area, 0, rule(area.width, palette));
    let inner = Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(4),
        ..area
    };
    let mut lines = Vec::new();
    if let Some(failure) = &page.failure {
        let cause = format!("! {}", sentence(&failure.cause));
        lines.extend(wrapped(&cause, inner.width, palette.warning));
        lines.extend(wrapped(&sentence(&failure.remedy), inner.width, palette.text));
    } else if page.storing.is_waiting() {
        lines.push(Line::styled(
            format!("{} storing it", working(shared.now_ms)),
            palette.accent,
        ));
    } else if page.making.is_waiting() {
        let words = format!("{} asking the chain again; Esc stops it", working(shared.now_ms));
        lines.push(Line::styled(words, palette.accent));
    } else {
        lines.extend(under_the_cursor(page, plan, shared, inner.width));
    }
    lines.truncate(usize::from(FOOT_ROWS) - 1);
    rows(frame, inner, 1, lines);
}

fn under_the_cursor(page: &PlanScreen, plan: &PlanPage, shared: &Shared, width: u16) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let mut lines = Vec::new();
    match page.here(page.list.selected()) {
        Here::Nothing => {}
        Here::Fact(name, words) => {
            lines.extend(wrapped(&format!("{name}: {words}"), width, palette.text));
            lines.push(Line::default());
            lines.extend(next_step(page, plan, shared, width));
        }
        Here::Remark(remark) => {
            lines.extend(wrapped(&sentence(&printable(&remark.words)), width, palette.text));
            if let Some(address) = remark.address {
                lines.push(Line::from(full_address(&address.to_string(), palette)));
            }
            if !remark.remedy.is_empty() {
                lines.extend(wrapped(&sentence(&remark.remedy), width, palette.accent));
            }
        }
        Here::Item(at) => {
            let Some(item) = plan.kept.job().items.get(at) else {
                return lines;
            };
            let line = |name: &str, address: &str| {
                let mut spans = vec![Span::styled(format!("{name:<6}"), palette.muted)];
                spans.extend(full_address(address, palette));
                Line::from(spans)
            };
            lines.push(line("from", &item.source.to_string()));
            lines.push(line("to", &item.recipient.to_string()));
            let name = plan.names.get(at).map(String::as_str).unwrap_or_default();
            if !name.is_empty() {
                lines.push(Line::styled(format!("      {}", printable(name)), palette.text));
            }
            if let Some(memo) = &item.memo {
                lines.push(Line::styled(format!("memo  {}", printable(memo)), palette.muted));
            }
        }
    }
    lines
}

/// What the keys do from here.
fn next_step(page: &PlanScreen, plan: &PlanPage, shared: &Shared, width: u16) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let is_empty = plan.kept.job().items.is_empty();
    let words = if plan.ready && is_empty {
        "w cancels the first one: nothing is left to pay."
    } else if plan.ready {
        "y signs and sends it, once you typed what moves; w stores it for later."
    } else if is_empty && plan.remarks.iter().all(|one| one.weight == Weight::Told) {
        "There is nothing to do; e goes back to the form."
    } else if page.open_questions().is_empty() {
        "It cannot be carried out so: the lines with ✗ say why; e goes back to the form."
    } else {
        "The lines with ? are questions: a goes to the next one and agrees to it."
    };
    wrapped(words, width, palette.accent)
}
