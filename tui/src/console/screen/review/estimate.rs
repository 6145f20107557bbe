//! What the simulation says, as the review judges and shows it: balances, tokens, and who may decide about accounts.
//!
//! It is an estimate and says so. Whatever it does not say is told as unknown.

use keyward_core::address::Address;
use keyward_core::amount::format_units;
use keyward_core::intent::Action;
use keyward_custody::changes::{Control, ControlChange, TokenBalanceChange};
use keyward_custody::transfer::{TransferAmount, TransferPlan};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::Review;
use super::lines::{NAMES, block, name_of, named};
use crate::console::text::{count, fitted, printable};
use crate::console::theme::Palette;
use crate::console::widget;

/// What came of simulating.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Estimate<'a> {
    /// It would fail, and why.
    Fails(&'a str),
    /// Nothing was told, though a fee is paid at least.
    Unknown,
    /// What would change was told.
    Changes,
}

pub(super) fn of(plan: &TransferPlan) -> Estimate<'_> {
    match &plan.simulation_error {
        Some(reason) => Estimate::Fails(reason),
        None if plan.changes.is_empty() => Estimate::Unknown,
        None => Estimate::Changes,
    }
}

/// Whether something of it is not a matter of course: somebody else may decide about an account, another token moves, or not
/// everything was looked at.
pub(super) fn takes_a_second_look(plan: &TransferPlan) -> bool {
    let changes = &plan.details.changes;
    let is_asked_for = |change: &TokenBalanceChange| Some(change.mint) == plan.request.amount.mint();
    changes.unwatched > 0
        || !changes.tokens.iter().all(is_asked_for)
        || !changes.control.iter().all(|change| is_expected(change, plan))
}

/// That a token account is made for the recipient, and is the recipient's.
fn is_expected(change: &ControlChange, plan: &TransferPlan) -> bool {
    let made = plan.intent.actions.iter().find_map(|action| match action {
        Action::TokenTransfer {
            program, destination, ..
        } if plan.details.creates_account => Some((*destination, *program)),
        _ => None,
    });
    let Some((account, program)) = made else {
        return false;
    };
    let owner = match change.control {
        Control::Program => program,
        Control::TokenOwner => plan.request.to,
        _ => return false,
    };
    change.account == account
        && change.before.is_none()
        && change.after.as_deref() == Some(owner.to_string().as_str())
}

/// The rent of the account that is made for the recipient, in words; nothing where none is made.
pub(super) fn rent(plan: &TransferPlan) -> Option<String> {
    if !plan.details.creates_account {
        return None;
    }
    let changes = &plan.details.changes;
    let of_recipient = |change: &&TokenBalanceChange| change.owner == plan.request.to;
    let account = changes.tokens.iter().find(of_recipient);
    let paid = account.and_then(|token| {
        let at = |address: &Address| *address == token.account;
        let change = changes.sol.iter().find(|change| at(&change.address))?;
        change.after.checked_sub(change.before)
    });
    let amount = paid.map_or_else(|| "?".to_owned(), |paid| paid.to_string());
    Some(format!(
        "{amount} SOL for the recipient's account, from the sender"
    ))
}

/// What the simulation says, a line each.
pub(super) fn lines(review: &Review, palette: &Palette, width: u16, out: &mut Vec<Line<'static>>) {
    let plan = &review.prepared.plan;
    match of(plan) {
        Estimate::Fails(reason) => {
            let text = format!("✗ it would fail: {}", printable(reason));
            return block("simulated", &text, palette.danger, palette, width, out);
        }
        Estimate::Unknown => {
            let text = "? the node did not say what changes";
            return block("simulated", text, palette.warning, palette, width, out);
        }
        Estimate::Changes => {}
    }
    balances(review, palette, width, out);
    let made = plan.details.changes.control.iter();
    for change in made.filter(|change| change.control == Control::TokenOwner && is_expected(change, plan)) {
        let text = format!("· made for the recipient, and its own: {}", change.account);
        block("account", &text, palette.muted, palette, width, out);
    }
}

/// What of it is not a matter of course: told with the warnings, above everything that can be scrolled away.
pub(super) fn alarms(review: &Review, palette: &Palette, width: u16, out: &mut Vec<Line<'static>>) {
    let plan = &review.prepared.plan;
    let changes = &plan.details.changes;
    for change in changes.control.iter().filter(|change| !is_expected(change, plan)) {
        let text = format!("! estimated: {}", printable(&change.to_string()));
        block("careful", &text, palette.danger, palette, width, out);
    }
    if changes.unwatched > 0 {
        let many = u64::try_from(changes.unwatched).unwrap_or(u64::MAX);
        let text = format!(
            "? {} could not be compared",
            count(many, "account that may change", "accounts that may change")
        );
        block("careful", &text, palette.warning, palette, width, out);
    }
}

/// Who, before, after, and the difference with its sign.
type Row = [String; 4];

/// The simulated balances, in columns: SOL first, then tokens.
fn balances(review: &Review, palette: &Palette, width: u16, out: &mut Vec<Line<'static>>) {
    let plan = &review.prepared.plan;
    let sol = plan.changes.iter().map(|change| {
        [
            name_of(review, &change.address),
            change.before.to_string(),
            change.after.to_string(),
            widget::change(change.before, change.after),
        ]
    });
    columns("estimate", sol.collect(), palette, width, out);
    let tokens = &plan.details.changes.tokens;
    let (ours, others): (Vec<_>, Vec<_>) = tokens
        .iter()
        .partition(|change| Some(change.mint) == plan.request.amount.mint());
    let rows = |changes: &[&TokenBalanceChange], decimals: u8| -> Vec<Row> {
        let all = changes.iter().map(|change| token_row(review, change, decimals));
        all.collect()
    };
    let decimals = match plan.request.amount {
        TransferAmount::Sol(_) => 0,
        TransferAmount::Token { units, .. } => units.decimals,
    };
    columns("tokens", rows(&ours, decimals), palette, width, out);
    // A token that nobody asked to move: how many digits it has is not known here.
    for change in others {
        let text = format!("! base units of another token, {}", change.mint);
        block("tokens", &text, palette.danger, palette, width, out);
        columns("", rows(&[change], 0), palette, width, out);
    }
}

fn token_row(review: &Review, change: &TokenBalanceChange, decimals: u8) -> Row {
    let (sign, difference) = match change.after.checked_sub(change.before) {
        Some(more) => ("+", more),
        None => ("-", change.before.saturating_sub(change.after)),
    };
    [
        name_of(review, &change.owner),
        format_units(change.before, decimals),
        format_units(change.after, decimals),
        format!("{sign}{}", format_units(difference, decimals)),
    ]
}

fn columns(first: &str, rows: Vec<Row>, palette: &Palette, width: u16, out: &mut Vec<Line<'static>>) {
    let widest = |column: usize| {
        let texts = rows.iter().filter_map(|row| row.get(column));
        texts.map(|text| text.width()).max().unwrap_or(0)
    };
    let (before, after, delta) = (widest(1), widest(2), widest(3));
    let name = usize::from(width)
        .saturating_sub(NAMES + 2 + before + after + delta + 10)
        .clamp(4, 20);
    for (at, row) in rows.iter().enumerate() {
        let [who, was, is, change] = row;
        out.push(Line::from(vec![
            named(if at == 0 { first } else { "" }, palette),
            Span::styled(format!("{:<name$} ", fitted(who, name)), palette.text),
            Span::styled(format!("{was:>before$} → "), palette.muted),
            Span::styled(format!("{is:>after$}  "), palette.text),
            Span::styled(format!("{change:>delta$}"), palette.strong),
        ]));
    }
}
