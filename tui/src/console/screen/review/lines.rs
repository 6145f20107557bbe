//! What the review says, line by line: what goes where in words first, then costs, changes, policy, bytes.

use std::fmt::Write as _;

use keyward_core::intent::{Action, ComputeBudgetSetting};
use keyward_core::solana::MessageVersion;
use keyward_custody::lookalike::{Known, KnownAs, Resemblance};
use keyward_custody::transfer::TransferAmount;
use keyward_custody::{FeePolicy, PreviewDecision};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Instructions, Review, estimate};
use crate::console::effects::book::known_as;
use crate::console::effects::send::Prepared;
use crate::console::state::Shared;
use crate::console::text::{count, fitted, grouped, printable};
use crate::console::theme::Palette;
use crate::console::transfers::wallet_name;
use crate::console::widget;

/// Columns of the names at the left.
pub(super) const NAMES: usize = 10;

pub(super) fn lines(review: &Review, shared: &Shared, width: u16) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let mut out = Vec::new();
    movement(review, palette, width, &mut out);
    estimate::alarms(review, palette, width, &mut out);
    warnings(review, palette, width, &mut out);
    out.push(Line::default());
    fees(review, palette, width, &mut out);
    estimate::lines(review, palette, width, &mut out);
    policy(review, palette, width, &mut out);
    bytes(review, palette, width, &mut out);
    out
}

pub(super) fn named(name: &str, palette: &Palette) -> Span<'static> {
    Span::styled(format!("  {name:<NAMES$}"), palette.muted)
}

/// A text that may take several lines, the name before the first.
pub(super) fn block(
    name: &str,
    text: &str,
    style: Style,
    palette: &Palette,
    width: u16,
    out: &mut Vec<Line<'static>>,
) {
    let room = width.saturating_sub(u16::try_from(NAMES + 4).unwrap_or(0));
    for (at, line) in widget::wrapped(text, room, style).into_iter().enumerate() {
        let mut spans = vec![named(if at == 0 { name } else { "" }, palette)];
        spans.extend(line.spans.into_iter().map(|span| span.style(style)));
        out.push(Line::from(spans));
    }
}

fn movement(review: &Review, palette: &Palette, width: u16, out: &mut Vec<Line<'static>>) {
    let prepared = &review.prepared;
    let request = &prepared.plan.request;
    sent(&request.amount, palette, out);
    let party = |name: &str, address: &keyward_core::address::Address, remark: Vec<Span<'static>>| {
        let mut spans = vec![named(name, palette)];
        spans.extend(widget::full_address(&address.to_string(), palette));
        spans.push(Span::raw("  "));
        spans.extend(remark);
        Line::from(spans)
    };
    let sender = vec![Span::styled(fitted(&wallet_name(&review.from), 20), palette.text)];
    out.push(party("from", &request.from, sender));
    let recipient = match (&prepared.recipient, &prepared.known) {
        (Some(wallet), _) => fitted(&wallet_name(wallet), 20),
        (None, Some(known)) => fitted(&printable(&known.label), 20),
        (None, None) => String::new(),
    };
    out.push(party(
        "to",
        &request.to,
        vec![Span::styled(recipient, palette.text)],
    ));
    let (whose, paid) = standing(prepared);
    let style = match &prepared.known {
        Some(_) => palette.muted,
        None => palette.warning,
    };
    out.push(Line::from(vec![
        named("", palette),
        Span::styled(whose, style),
        Span::styled(format!(" · {paid}"), palette.muted),
    ]));
    for resemblance in &prepared.plan.details.lookalikes {
        looks_like(resemblance, &request.to.to_string(), palette, width, out);
    }
    if let Some(memo) = &request.memo {
        out.push(Line::from(vec![
            named("memo", palette),
            Span::styled(format!("\"{}\"", printable(memo)), palette.text),
            Span::styled("  public", palette.muted),
        ]));
    }
}

/// How much of what; a token's mint in full, since its name is anybody's.
fn sent(amount: &TransferAmount, palette: &Palette, out: &mut Vec<Line<'static>>) {
    match amount {
        TransferAmount::Sol(_) => out.push(Line::from(vec![
            named("send", palette),
            Span::styled(amount.to_string(), palette.strong),
        ])),
        TransferAmount::Token { mint, units } => {
            out.push(Line::from(vec![
                named("send", palette),
                Span::styled(units.to_string(), palette.strong),
                Span::styled(" of the token", palette.text),
            ]));
            let mut spans = vec![named("token", palette)];
            spans.extend(widget::full_address(&mint.to_string(), palette));
            out.push(Line::from(spans));
        }
    }
}

/// Who the recipient is to us, and how often it was paid.
fn standing(prepared: &Prepared) -> (String, String) {
    let from_here = match prepared.paid_before {
        0 => "never paid from this wallet".to_owned(),
        times => format!("paid {} from this wallet", times_words(times)),
    };
    match &prepared.known {
        None => (
            "new".into(),
            "neither yours nor in the address book, never paid".into(),
        ),
        Some(known) => match known.known_as {
            KnownAs::OwnWallet => ("known · yours".into(), from_here),
            KnownAs::Contact if known.uses == 0 => {
                ("known · in the address book".into(), "never paid".into())
            }
            KnownAs::Contact => ("known · in the address book".into(), paid(known)),
            KnownAs::PastRecipient => ("known".into(), paid(known)),
        },
    }
}

fn paid(known: &Known) -> String {
    format!("paid {}", times_words(known.uses))
}

/// The known address below the recipient, and below both a mark at each character that differs.
fn looks_like(
    resemblance: &Resemblance,
    recipient: &str,
    palette: &Palette,
    width: u16,
    out: &mut Vec<Line<'static>>,
) {
    let known = &resemblance.known;
    let label = match known.label.as_str() {
        "" => String::new(),
        label => format!("\"{}\", ", printable(label)),
    };
    let text = format!(
        "! NOT {label}{}, used {}, though it looks like it:",
        known_as(resemblance),
        count(known.uses, "time", "times")
    );
    block("careful", &text, palette.danger, palette, width, out);
    let address = known.address.to_string();
    for (name, address) in [("to", recipient), ("known", &address)] {
        let mut spans = vec![named(name, palette)];
        spans.extend(widget::full_address(address, palette));
        out.push(Line::from(spans));
    }
    let marks: String = recipient
        .chars()
        .zip(address.chars().chain(std::iter::repeat(' ')))
        .map(|(one, other)| if one == other { ' ' } else { '^' })
        .collect();
    out.push(Line::from(vec![
        named("", palette),
        Span::styled(marks.trim_end().to_owned(), palette.danger),
    ]));
}

fn times_words(times: u64) -> String {
    if times == 1 {
        "once".into()
    } else {
        format!("{} times", grouped(times))
    }
}

fn fees(review: &Review, palette: &Palette, width: u16, out: &mut Vec<Line<'static>>) {
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
    let units = grouped(u64::from(plan.compute_unit_limit));
    let price = match plan.details.price {
        None => "?".to_owned(),
        Some(price) => grouped(price.micro_lamports),
    };
    let offer = match plan.request.fee {
        FeePolicy::None => format!("none · {units} compute units at most"),
        FeePolicy::Fixed { .. } => format!("{price} micro-lamports a unit · {units} units at most"),
        policy @ FeePolicy::Percentile { .. } => {
            format!("{policy}: {price} micro-lamports a unit · {units} units at most")
        }
    };
    block("priority", &offer, palette.muted, palette, width, out);
    if let Some(rent) = estimate::rent(plan) {
        block("rent", &rent, palette.text, palette, width, out);
    }
}

pub(super) fn name_of(review: &Review, address: &keyward_core::address::Address) -> String {
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
