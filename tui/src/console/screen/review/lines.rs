//! What the review says, line by line: what goes where in words first, then costs, changes, policy, bytes.

use std::fmt::Write as _;

use keyward_core::intent::{Action, ComputeBudgetSetting};
use keyward_core::solana::MessageVersion;
use keyward_custody::PreviewDecision;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::{Instructions, Review};
use crate::console::state::Shared;
use crate::console::text::{count, fitted, grouped, printable};
use crate::console::theme::Palette;
use crate::console::transfers::wallet_name;
use crate::console::widget;

/// Columns of the names at the left.
const NAMES: usize = 10;

pub(super) fn lines(review: &Review, shared: &Shared, width: u16) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let mut out = Vec::new();
    movement(review, palette, &mut out);
    out.push(Line::default());
    fees(review, palette, &mut out);
    changes(review, palette, width, &mut out);
    policy(review, palette, width, &mut out);
    bytes(review, palette, width, &mut out);
    warnings(review, palette, width, &mut out);
    out
}

fn named(name: &str, palette: &Palette) -> Span<'static> {
    Span::styled(format!("  {name:<NAMES$}"), palette.muted)
}

/// A text that may take several lines, the name before the first.
fn block(name: &str, text: &str, style: Style, palette: &Palette, width: u16, out: &mut Vec<Line<'static>>) {
    let room = width.saturating_sub(u16::try_from(NAMES + 4).unwrap_or(0));
    for (at, line) in widget::wrapped(text, room, style).into_iter().enumerate() {
        let mut spans = vec![named(if at == 0 { name } else { "" }, palette)];
        spans.extend(line.spans.into_iter().map(|span| span.style(style)));
        out.push(Line::from(spans));
    }
}

fn movement(review: &Review, palette: &Palette, out: &mut Vec<Line<'static>>) {
    let request = &review.prepared.plan.request;
    out.push(Line::from(vec![
        named("send", palette),
        Span::styled(request.amount.to_string(), palette.strong),
    ]));
    let party = |name: &str, address: &keyward_core::address::Address, remark: Vec<Span<'static>>| {
        let mut spans = vec![named(name, palette)];
        spans.extend(widget::full_address(&address.to_string(), palette));
        spans.push(Span::raw("  "));
        spans.extend(remark);
        Line::from(spans)
    };
    let sender = vec![Span::styled(fitted(&wallet_name(&review.from), 20), palette.text)];
    out.push(party("from", &request.from, sender));
    let recipient = match &review.prepared.recipient {
        Some(wallet) => vec![Span::styled(fitted(&wallet_name(wallet), 20), palette.text)],
        None => Vec::new(),
    };
    out.push(party("to", &request.to, recipient));
    let whose = if review.prepared.recipient.is_some() {
        "yours"
    } else {
        "not one of yours"
    };
    let (known, style) = match review.prepared.paid_before {
        0 => ("never paid from this wallet before".to_owned(), palette.warning),
        times => (
            format!("paid {} from this wallet before", times_words(times)),
            palette.muted,
        ),
    };
    out.push(Line::from(vec![
        named("", palette),
        Span::styled(format!("{whose} · "), palette.muted),
        Span::styled(known, style),
    ]));
    if let Some(memo) = &request.memo {
        out.push(Line::from(vec![
            named("memo", palette),
            Span::styled(format!("\"{}\"", printable(memo)), palette.text),
            Span::styled("  public", palette.muted),
        ]));
    }
}

fn times_words(times: u64) -> String {
    if times == 1 {
        "once".into()
    } else {
        format!("{} times", grouped(times))
    }
}

fn fees(review: &Review, palette: &Palette, out: &mut Vec<Line<'static>>) {
    let plan = &review.prepared.plan;
    let total = plan
        .total_fee()
        .map_or_else(|| "?".to_owned(), |total| total.to_string());
    out.push(Line::from(vec![
        named("fee", palette),
        Span::styled(plan.fee.to_string(), palette.text),
        Span::styled(" + priority ", palette.muted),
        Span::styled(plan.priority_fee.to_string(), palette.text),
        Span::styled(" = ", palette.muted),
        Span::styled(format!("{total} SOL"), palette.text),
    ]));
}

/// The simulated balances, in columns.
fn changes(review: &Review, palette: &Palette, width: u16, out: &mut Vec<Line<'static>>) {
    let plan = &review.prepared.plan;
    if let Some(reason) = &plan.simulation_error {
        block(
            "simulated",
            &format!("✗ it would fail: {}", printable(reason)),
            palette.danger,
            palette,
            width,
            out,
        );
        return;
    }
    if plan.changes.is_empty() {
        block(
            "simulated",
            "? the node did not say what changes",
            palette.warning,
            palette,
            width,
            out,
        );
        return;
    }
    let rows: Vec<[String; 4]> = plan
        .changes
        .iter()
        .map(|change| {
            let delta = widget::change(change.before, change.after);
            [
                name_of(review, &change.address),
                change.before.to_string(),
                change.after.to_string(),
                delta,
            ]
        })
        .collect();
    let widest = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|text| text.width())
            .max()
            .unwrap_or(0)
    };
    let (before, after, delta) = (widest(1), widest(2), widest(3));
    let name = usize::from(width)
        .saturating_sub(NAMES + 2 + before + after + delta + 10)
        .clamp(4, 20);
    for (at, row) in rows.iter().enumerate() {
        let [who, was, is, change] = row;
        out.push(Line::from(vec![
            named(if at == 0 { "estimate" } else { "" }, palette),
            Span::styled(format!("{:<name$} ", fitted(who, name)), palette.text),
            Span::styled(format!("{was:>before$} → "), palette.muted),
            Span::styled(format!("{is:>after$}  "), palette.text),
            Span::styled(format!("{change:>delta$}"), palette.strong),
        ]));
    }
}

fn name_of(review: &Review, address: &keyward_core::address::Address) -> String {
    if *address == review.from.address {
        return if review.from.label.is_empty() {
            wallet_name(&review.from)
        } else {
            review.from.label.clone()
        };
    }
    match &review.prepared.recipient {
        Some(wallet) if wallet.address == *address => {
            if wallet.label.is_empty() {
                wallet_name(wallet)
            } else {
                wallet.label.clone()
            }
        }
        _ => address.abbreviated(),
    }
}

fn policy(review: &Review, palette: &Palette, width: u16, out: &mut Vec<Line<'static>>) {
    match &review.prepared.plan.decision.decision {
        PreviewDecision::Allowed { rules } => {
            let names: Vec<String> = rules
                .iter()
                .map(|rule| format!("\"{}\"", printable(rule)))
                .collect();
            block(
                "policy",
                &format!("✓ allowed by {}", names.join(", ")),
                palette.good,
                palette,
                width,
                out,
            );
        }
        PreviewDecision::Refused { reasons } => {
            block(
                "policy",
                "✗ refused; nothing can be signed",
                palette.danger,
                palette,
                width,
                out,
            );
            for reason in reasons {
                let text = format!("· {}", printable(&reason.text));
                block("", &text, palette.warning, palette, width, out);
            }
        }
    }
}

fn bytes(review: &Review, palette: &Palette, width: u16, out: &mut Vec<Line<'static>>) {
    let plan = &review.prepared.plan;
    let version = match plan.intent.version {
        MessageVersion::Legacy => "legacy",
        MessageVersion::V0 => "v0",
        MessageVersion::V1(_) => "v1",
    };
    let mut text = format!(
        "{version} · {} · {} · {}",
        count(plan.intent.signers.len() as u64, "signature", "signatures"),
        count(plan.transaction.len() as u64, "byte", "bytes"),
        count(plan.intent.actions.len() as u64, "instruction", "instructions"),
    );
    if review.instructions == Instructions::Summary {
        let _ = write!(text, ": {}", summary(&plan.intent.actions));
    }
    block("bytes", &text, palette.text, palette, width, out);
    if review.instructions == Instructions::All {
        for (at, sentence) in plan.intent.sentences().iter().enumerate() {
            block(
                "",
                &format!("{}. {sentence}", at + 1),
                palette.text,
                palette,
                width,
                out,
            );
        }
    }
}

/// Names of instructions in their order, equal neighbours counted.
fn summary(actions: &[Action]) -> String {
    let names: Vec<&str> = actions.iter().map(instruction).collect();
    let runs: Vec<String> = names
        .chunk_by(|one, other| one == other)
        .filter_map(|run| {
            let name = run.first()?;
            Some(if run.len() == 1 {
                (*name).to_owned()
            } else {
                format!("{name} ×{}", run.len())
            })
        })
        .collect();
    runs.join(" · ")
}

fn instruction(action: &Action) -> &'static str {
    match action {
        Action::SolTransfer { .. } => "System.Transfer",
        Action::TokenTransfer { .. } => "Token.Transfer",
        Action::Memo { .. } => "Memo",
        Action::ComputeBudget { setting } => match setting {
            ComputeBudgetSetting::UnitLimit(_) => "ComputeBudget.Limit",
            ComputeBudgetSetting::UnitPrice(_) => "ComputeBudget.Price",
            _ => "ComputeBudget",
        },
        Action::Decoded { instruction, .. } => instruction,
        _ => "unknown",
    }
}

fn warnings(review: &Review, palette: &Palette, width: u16, out: &mut Vec<Line<'static>>) {
    for warning in &review.prepared.plan.warnings {
        block(
            "look",
            &format!("! {}", printable(warning)),
            palette.warning,
            palette,
            width,
            out,
        );
    }
}
