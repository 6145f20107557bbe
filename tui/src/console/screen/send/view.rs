//! Draws the send form.

use keyward_core::amount::{Lamports, format_units};
use keyward_custody::transfer::TransferAmount;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::reading::{self, Recipient};
use super::{Field, SendForm};
use crate::console::effects::send::{About, Obstacle, Party, Wish};
use crate::console::input::{Echo, TextInput};
use crate::console::keymap::{Action, Context, key_label};
use crate::console::state::{Node, Shared};
use crate::console::text::{count, fitted, printable, sentence};
use crate::console::transfers::wallet_name;
use crate::console::widget::{self, Focus};

/// Where the fields begin, in columns.
const INDENT: u16 = 12;

/// The rows of the fields, from the top of the body.
const fn row_of(field: Field) -> u16 {
    match field {
        Field::To => 4,
        Field::Amount => 7,
        Field::Priority => 9,
        Field::Memo => 11,
    }
}

/// The row below the form.
const BELOW: u16 = 14;

/// The field at a row of the body.
pub(super) fn field_at(row: u16) -> Option<Field> {
    Field::ALL
        .into_iter()
        .find(|field| row == row_of(*field) || row == row_of(*field) + 1)
}

pub(super) fn view(form: &SendForm, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    sender(form, shared, frame, area);
    for field in Field::ALL {
        draw_field(form, field, shared, frame, area);
    }
    recipient_note(form, shared, frame, area);
    note(form, Field::Amount, amount_note(form), shared, frame, area);
    let fee_hint = "micro-lamports a unit, or p75:20000; the review shows the cost".to_owned();
    note(form, Field::Priority, fee_hint, shared, frame, area);
    note(
        form,
        Field::Memo,
        "public, and on chain for good".to_owned(),
        shared,
        frame,
        area,
    );
    widget::row(frame, area, BELOW - 1, widget::rule(area.width, palette));
    let lines = below(form, shared, area.width.saturating_sub(3));
    widget::rows(frame, area, BELOW, lines);
}

fn sender(form: &SendForm, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let (amount, age) = widget::balance(shared.balance(form.from.address), shared);
    let holds = match age {
        None => format!("{amount} SOL"),
        Some(age) => format!("{amount} SOL, {age}"),
    };
    let title = match (&form.token, &form.nonce) {
        (None, None) => "Send",
        (Some(_), None) => "Send a token",
        (None, Some(_)) => "Send by a durable nonce",
        (Some(_), Some(_)) => "Send a token by a durable nonce",
    };
    widget::row(
        frame,
        area,
        0,
        widget::heading(title, &format!("holds {holds}"), area.width, palette),
    );
    if let Some(token) = &form.token {
        let mut line = vec![label("token", false, shared)];
        line.extend(widget::full_address(&token.mint.to_string(), palette));
        if !token.symbol.is_empty() {
            let symbol = format!("  \"{}\"", fitted(&printable(&token.symbol), 16));
            line.push(Span::styled(symbol, palette.muted));
        }
        widget::row(frame, area, 3, Line::from(line));
    }
    let mut from = vec![label("from", false, shared)];
    from.extend(widget::full_address(&form.from.address.to_string(), palette));
    let name = wallet_name(&form.from);
    from.push(Span::styled(format!("  {}", fitted(&name, 22)), palette.muted));
    widget::row(frame, area, 2, Line::from(from));
}

fn label(text: &str, focused: bool, shared: &Shared) -> Span<'static> {
    let style = if focused {
        shared.palette.accent
    } else {
        shared.palette.muted
    };
    let sign = if focused { "▌" } else { " " };
    Span::styled(
        format!("{sign} {text:<width$}", width = usize::from(INDENT) - 2),
        style,
    )
}

fn draw_field(form: &SendForm, field: Field, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let (name, input): (&str, &TextInput) = match field {
        Field::To => ("to", &form.to),
        Field::Amount => ("amount", &form.amount),
        Field::Priority => ("priority", &form.priority),
        Field::Memo => ("memo", &form.memo),
    };
    let focused = form.focus == field;
    widget::row(frame, area, row_of(field), label(name, focused, shared));
    let width = match field {
        Field::To | Field::Memo => area.width.saturating_sub(INDENT + 2).min(90),
        Field::Amount | Field::Priority => 24,
    };
    let target = Rect {
        x: area.x + INDENT,
        y: area.y + row_of(field),
        width,
        height: 1,
    };
    widget::field(
        frame,
        target.intersection(area),
        input,
        Echo::Plain,
        Focus::when(focused),
        &shared.palette,
    );
    let example = match field {
        Field::To => "an address, a label, #index, or a solana: link",
        Field::Amount => "for example 1.5",
        Field::Priority => "none",
        Field::Memo => "none",
    };
    if input.is_empty() && !focused {
        let target = target.intersection(area);
        widget::row(frame, target, 0, Line::styled(example, shared.palette.muted));
    }
    if field == Field::Amount {
        let unit = Rect {
            x: area.x + INDENT + width + 1,
            width: area.width.saturating_sub(INDENT + width + 1),
            ..target
        };
        let unit_text = match &form.token {
            None => "SOL".to_owned(),
            Some(token) => match token.held {
                None => "of the token".to_owned(),
                Some(held) => format!("of {}", format_units(held, token.decimals)),
            },
        };
        let target = unit.intersection(area);
        let text = fitted(&unit_text, usize::from(target.width));
        widget::row(frame, target, 0, Line::styled(text, shared.palette.muted));
    }
}

/// The line below a field: what is wrong with it, or what it says.
fn note(form: &SendForm, field: Field, text: String, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let line = match &form.problem {
        Some((wrong, problem)) if *wrong == field => Line::styled(
            fitted(&format!("! {problem}"), room(area)),
            shared.palette.warning,
        ),
        _ => Line::styled(fitted(&text, room(area)), shared.palette.muted),
    };
    note_line(field, line, frame, area);
}

fn note_line(field: Field, line: Line<'static>, frame: &mut Frame<'_>, area: Rect) {
    let target = Rect {
        x: area.x + INDENT,
        width: area.width.saturating_sub(INDENT),
        ..area
    };
    widget::row(frame, target, row_of(field) + 1, line);
}

fn room(area: Rect) -> usize {
    usize::from(area.width.saturating_sub(INDENT + 1))
}

fn amount_note(form: &SendForm) -> String {
    match reading::amount(form.amount.expose_text(), form.token.as_ref()) {
        Ok(Wish::Exactly(TransferAmount::Sol(lamports))) => format!("= {lamports} SOL"),
        Ok(Wish::Exactly(TransferAmount::Token { units, .. })) => format!("= {units} of the token"),
        Ok(Wish::Everything) => "everything that is left after the fees".into(),
        Err(reason) if !form.amount.is_empty() => reason,
        Err(_) => match &form.token {
            None => "or in lamports: 5000 lamports; or max".into(),
            Some(token) => format!(
                "at most {} behind the point; or max",
                count(u64::from(token.decimals), "digit", "digits")
            ),
        },
    }
}

fn recipient_note(form: &SendForm, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    if matches!(form.problem, Some((Field::To, _))) {
        return note(form, Field::To, String::new(), shared, frame, area);
    }
    match reading::recipient(form.to.expose_text()) {
        Recipient::Address(address) => {
            let text = if address == form.from.address {
                "! this is the sender itself".to_owned()
            } else if let Some(Party::Contact(contact)) = &form.known {
                let paid = count(contact.paid, "transfer landed", "transfers landed");
                format!("✓ in the address book: {} · {paid}", printable(&contact.label))
            } else if let Some(Party::Wallet(wallet)) = &form.known {
                let holds = shared
                    .balance(address)
                    .and_then(|balance| balance.lamports)
                    .map_or_else(String::new, |lamports: Lamports| {
                        format!(" · holds {lamports} SOL")
                    });
                format!("✓ yours: {}{holds}", wallet_name(wallet))
            } else if form.searching.is_waiting() {
                "looking it up".to_owned()
            } else {
                "neither yours nor in the address book; compare every character".to_owned()
            };
            note_line(
                Field::To,
                Line::styled(fitted(&text, room(area)), palette.muted),
                frame,
                area,
            );
        }
        Recipient::Name(_) if form.focus == Field::To => suggestions(form, shared, frame, area),
        Recipient::Wrong(reason) => {
            note_line(
                Field::To,
                Line::styled(fitted(&format!("! {reason}"), room(area)), palette.warning),
                frame,
                area,
            );
        }
        _ => {}
    }
}

/// Contacts and wallets whose label fits, over the lines below the field.
fn suggestions(form: &SendForm, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let height = u16::try_from(form.suggestions.len().max(1)).unwrap_or(1);
    let target = Rect {
        x: area.x + INDENT,
        y: area.y + row_of(Field::To) + 1,
        width: area.width.saturating_sub(INDENT + 2).min(90),
        height,
    }
    .intersection(area);
    frame.render_widget(ratatui::widgets::Clear, target);
    frame.render_widget(ratatui::widgets::Block::new().style(palette.bar), target);
    if form.suggestions.is_empty() {
        let text = if form.searching.is_waiting() {
            " looking"
        } else {
            " no wallet and no contact has such a label"
        };
        return widget::row(frame, target, 0, Line::styled(text, palette.bar));
    }
    for (at, party) in form.suggestions.iter().enumerate() {
        let chosen = at == form.selected;
        let (name, address) = match party {
            Party::Wallet(wallet) => (wallet_name(wallet), wallet.address.to_string()),
            Party::Contact(contact) => (printable(&contact.label), contact.address.to_string()),
        };
        let name = fitted(&name, 18);
        let text = format!("{} {name:<18}  {address}", if chosen { "▌" } else { " " });
        let style = if chosen {
            palette.bar.patch(palette.selected)
        } else {
            palette.bar
        };
        let width = usize::from(target.width);
        let line = Line::styled(format!("{:<width$}", fitted(&text, width)), style);
        widget::row(frame, target, u16::try_from(at).unwrap_or(u16::MAX), line);
    }
}

/// What the person should know or do next.
fn below(form: &SendForm, shared: &Shared, width: u16) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let mut lines = Vec::new();
    let mut say = |sign: &str, text: &str, style| {
        let indent = " ".repeat(3);
        for (at, line) in widget::wrapped(text, width.saturating_sub(2), style)
            .into_iter()
            .enumerate()
        {
            let lead = if at == 0 {
                format!(" {sign} ")
            } else {
                indent.clone()
            };
            let mut spans = vec![Span::styled(lead, style)];
            spans.extend(line.spans.into_iter().map(|span| span.style(style)));
            lines.push(Line::from(spans));
        }
    };
    if form.preparing.is_waiting() {
        let seconds = shared.now_ms.saturating_sub(form.since_ms) / 1_000;
        let elapsed = if seconds > 0 {
            format!(" · {seconds} s")
        } else {
            String::new()
        };
        say(
            widget::working(shared.now_ms),
            &format!("asking the node and simulating{elapsed}"),
            palette.accent,
        );
        return lines;
    }
    if let Some((_, problem)) = &form.problem {
        say("!", &sentence(problem), palette.warning);
        return lines;
    }
    if let Some(Obstacle { failure, about }) = &form.obstacle {
        say("!", &sentence(&failure.cause), palette.warning);
        say(" ", &remedy(failure.remedy.as_str(), *about), palette.text);
        return lines;
    }
    match &shared.node {
        Node::NotChosen => {
            say(
                "!",
                "No node is chosen, and a transfer needs one.",
                palette.warning,
            );
            say(
                " ",
                &format!(
                    "{} opens the settings, where you choose one.",
                    key(Action::GoSettings)
                ),
                palette.text,
            );
        }
        Node::Offline { failure, .. } => {
            say("!", &sentence(&failure.cause), palette.warning);
            say(" ", &sentence(&failure.remedy), palette.text);
        }
        Node::Asking | Node::Online { .. } => {}
    }
    if !form.unresolved.is_empty() {
        let many = count(
            form.unresolved.len() as u64,
            "earlier transfer",
            "earlier transfers",
        );
        let verb = if form.unresolved.len() == 1 { "is" } else { "are" };
        say(
            "!",
            &format!("{many} from this wallet {verb} neither confirmed nor expired."),
            palette.warning,
        );
        let follow = format!(
            "{} follows: the same bytes again, nothing signed anew.",
            key(Action::Resume)
        );
        say(" ", &follow, palette.text);
    }
    if let Some(link) = &form.link {
        let words: Vec<String> = [&link.label, &link.message]
            .into_iter()
            .flatten()
            .map(|text| format!("\"{}\"", printable(text)))
            .collect();
        if !words.is_empty() {
            say(
                "i",
                &format!("The link's own words, unchecked: {}", words.join(", ")),
                palette.muted,
            );
        }
        if link.references > 0 {
            say(
                "!",
                "The link names references, which are not added: the payee may not find the payment.",
                palette.warning,
            );
        }
    }
    if lines.is_empty() {
        lines.push(Line::styled(
            "   Enter goes on to the review. Nothing is signed before you say so there.",
            palette.muted,
        ));
    }
    lines
}

fn remedy(remedy: &str, about: About) -> String {
    match about {
        About::Unresolved(_) => format!(
            "{} follows it to its end. If this is a separate payment, {} prepares it all the same.",
            key(Action::Resume),
            key(Action::Separate)
        ),
        About::Node => format!(
            "{} {} opens the settings.",
            sentence(remedy),
            key(Action::GoSettings)
        ),
        _ => sentence(remedy),
    }
}

fn key(action: Action) -> String {
    key_label(&[Context::Send], action, true).unwrap_or_default()
}
