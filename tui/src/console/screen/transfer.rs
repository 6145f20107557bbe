//! A transfer under way or done: its steps, its signature, how it ended. Leaving the screen does not stop it.

use keyward_core::address::Signature;
use keyward_custody::transfer::{TransferProgress, TransferResult};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::console::effect::{Failure, RequestId};
use crate::console::keymap::{Action, Context};
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::screen::Screen;
use crate::console::screen::send::SendForm;
use crate::console::state::Shared;
use crate::console::text::{count, fitted, printable, sentence};
use crate::console::theme::Palette;
use crate::console::transfers::{
    Ending, NonceStep, Payment, Subject, Transfer, amount_in_short, wallet_name,
};
use crate::console::widget;

#[cfg(test)]
mod tests;

/// The screen of one transfer.
#[derive(Debug)]
pub struct TransferScreen {
    id: RequestId,
}

impl TransferScreen {
    /// The screen of the transfer with this job.
    #[must_use]
    pub fn new(id: RequestId) -> Self {
        Self { id }
    }

    fn transfer<'a>(&self, shared: &'a Shared) -> Option<&'a Transfer> {
        shared.transfers.get(self.id)
    }
}

/// Whether following it again could tell more.
fn can_resume(transfer: &Transfer) -> bool {
    // A failure after the signature leaves a durable record that can be followed.
    matches!(&transfer.end, Some(Err(_)))
        && (transfer.signature.is_some() || transfer.subject == Subject::Resumption)
}

/// Whether it came to nothing before anything was sent, so that the form may be opened again.
fn can_edit(transfer: &Transfer) -> bool {
    matches!(&transfer.end, Some(Err(_)))
        && transfer.signature.is_none()
        && matches!(transfer.subject, Subject::Payment(_))
}

impl Page for TransferScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Transfer]
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        let transfer = self.transfer(shared);
        match action {
            Action::Copy => transfer.is_some_and(|transfer| transfer.signature.is_some()),
            Action::Edit => transfer.is_some_and(can_edit),
            Action::Resume => transfer.is_some_and(can_resume) && !shared.transfers.is_running(),
            _ => true,
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Copy => {
                if let Some(signature) = self.transfer(cx.shared).and_then(|transfer| transfer.signature) {
                    cx.copy(signature.to_string(), "signature");
                }
            }
            Action::Resume if self.available(Action::Resume, cx.shared) => {
                // The new one takes this one's place.
                cx.go(Nav::Back);
                super::send::start_resuming(cx);
            }
            Action::Edit => {
                let again = self.transfer(cx.shared).filter(|transfer| can_edit(transfer));
                if let Some(Subject::Payment(payment)) = again.map(|transfer| &transfer.subject) {
                    let form = SendForm::again(payment.sender.clone(), &payment.request);
                    cx.go(Nav::Back);
                    cx.go(Nav::Push(Screen::Send(Box::new(form))));
                }
            }
            Action::Back => cx.go(Nav::Back),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let Some(transfer) = self.transfer(shared) else {
            let line = Line::styled(
                " This transfer is not remembered any more; see the audit log.",
                shared.palette.muted,
            );
            return widget::row(frame, area, 1, line);
        };
        widget::rows(frame, area, 0, lines(transfer, shared, area.width));
    }
}

fn lines(transfer: &Transfer, shared: &Shared, width: u16) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let started = shared.jobs.get(transfer.id).map(|job| job.started_ms);
    let elapsed = match (started, &transfer.end) {
        (Some(started), None) => format!("{} s", shared.now_ms.saturating_sub(started) / 1_000),
        _ => String::new(),
    };
    let title = match &transfer.subject {
        Subject::Payment(_) => "Transfer",
        Subject::Resumption => "Unresolved transfers",
        Subject::Nonce(_) => "Durable nonce",
    };
    let mut out = vec![widget::heading(title, &elapsed, width, palette), Line::default()];
    match &transfer.subject {
        Subject::Payment(payment) => payment_lines(payment, palette, &mut out),
        Subject::Nonce(step) => nonce_lines(step, palette, &mut out),
        Subject::Resumption => out.push(Line::styled(
            "  The recorded bytes are sent again while they can land. Nothing is signed.",
            palette.text,
        )),
    }
    out.push(Line::default());
    if !matches!(&transfer.end, Some(Ok(endings)) if endings.len() != 1) {
        steps(transfer, shared, &mut out);
    }
    if let Some(signature) = &transfer.signature {
        out.push(Line::default());
        signature_lines(signature, palette, &mut out);
    }
    out.push(Line::default());
    end(transfer, palette, width, &mut out);
    out
}

fn payment_lines(payment: &Payment, palette: &Palette, out: &mut Vec<Line<'static>>) {
    let fee = payment.fee.map_or_else(|| "?".to_owned(), |fee| fee.to_string());
    out.push(Line::from(vec![
        Span::styled("  send      ", palette.muted),
        Span::styled(amount_in_short(&payment.request.amount), palette.strong),
        Span::styled(format!("  + {fee} SOL of fees"), palette.muted),
    ]));
    if let Some(mint) = payment.request.amount.mint() {
        let mut spans = vec![Span::styled("  token     ", palette.muted)];
        spans.extend(widget::full_address(&mint.to_string(), palette));
        out.push(Line::from(spans));
    }
    let parties = [
        ("from", payment.request.from, Some(&payment.sender)),
        ("to", payment.request.to, payment.recipient.as_ref()),
    ];
    for (name, address, wallet) in parties {
        let mut spans = vec![Span::styled(format!("  {name:<10}"), palette.muted)];
        spans.extend(widget::full_address(&address.to_string(), palette));
        if let Some(wallet) = wallet {
            spans.push(Span::styled(
                format!("  {}", fitted(&wallet_name(wallet), 20)),
                palette.text,
            ));
        }
        out.push(Line::from(spans));
    }
}

fn nonce_lines(step: &NonceStep, palette: &Palette, out: &mut Vec<Line<'static>>) {
    out.push(Line::styled(format!("  {}", step.words()), palette.strong));
    for (name, address) in [
        ("account", step.account.to_string()),
        ("of", step.wallet.address.to_string()),
    ] {
        let mut spans = vec![Span::styled(format!("  {name:<10}"), palette.muted)];
        spans.extend(widget::full_address(&address, palette));
        out.push(Line::from(spans));
    }
}

/// Where a step stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Done,
    Now,
    Stopped,
    Ahead,
}

/// How many of the four steps are done.
fn steps_done(transfer: &Transfer) -> usize {
    match (&transfer.latest, &transfer.end) {
        (_, Some(Ok(outcomes))) if confirmed(outcomes) => 4,
        (TransferProgress::Signing, _) => 0,
        (TransferProgress::Recorded { .. }, _) => 2,
        (TransferProgress::Sent { .. } | TransferProgress::Failed { .. } | TransferProgress::Expired, _) => 3,
        (TransferProgress::Confirmed { .. } | TransferProgress::Finalized { .. }, _) => 4,
    }
}

fn steps(transfer: &Transfer, shared: &Shared, out: &mut Vec<Line<'static>>) {
    let palette = &shared.palette;
    let sent = match transfer.sent {
        0 => "sent".to_owned(),
        1 => "sent once".to_owned(),
        times => format!("sent {times} times, the same bytes each time"),
    };
    let done = steps_done(transfer);
    let confirmation = if done == 3 && transfer.end.is_none() {
        "waiting for the cluster to confirm it"
    } else {
        "confirmed by the cluster"
    };
    let names = [
        "checked against the policy, recorded in the audit, signed".to_owned(),
        "recorded: from here on a crash loses nothing".to_owned(),
        sent,
        confirmation.to_owned(),
    ];
    let skipped = if transfer.subject == Subject::Resumption {
        2
    } else {
        0
    };
    for (at, name) in names.into_iter().enumerate().skip(skipped) {
        let step = match (at < done, at == done.max(skipped), &transfer.end) {
            (true, _, _) => Step::Done,
            (false, true, None) => Step::Now,
            (false, true, Some(_)) => Step::Stopped,
            _ => Step::Ahead,
        };
        let (sign, style, text) = match step {
            Step::Done => ("✓", palette.good, palette.text),
            Step::Now => (widget::working(shared.now_ms), palette.accent, palette.text),
            Step::Stopped => ("✗", palette.warning, palette.text),
            Step::Ahead => ("·", palette.muted, palette.muted),
        };
        out.push(Line::from(vec![
            Span::styled(format!("  {sign} "), style),
            Span::styled(name, text),
        ]));
    }
}

fn confirmed(outcomes: &[Ending]) -> bool {
    !outcomes.is_empty()
        && outcomes
            .iter()
            .all(|outcome| matches!(outcome.result, TransferResult::Confirmed { .. }))
}

fn signature_lines(signature: &Signature, palette: &Palette, out: &mut Vec<Line<'static>>) {
    let text = signature.to_string();
    let half = text.len().div_ceil(2);
    let (head, tail) = text.split_at(half);
    out.push(Line::from(vec![
        Span::styled("  signature ", palette.muted),
        Span::styled(head.to_owned(), palette.text),
    ]));
    out.push(Line::styled(format!("            {tail}"), palette.text));
}

fn end(transfer: &Transfer, palette: &Palette, width: u16, out: &mut Vec<Line<'static>>) {
    match &transfer.end {
        None => out.push(Line::styled(
            "  This goes on when you leave the screen, and while the vault is locked.",
            palette.muted,
        )),
        Some(Err(failure)) => failed(failure, transfer, palette, width, out),
        Some(Ok(outcomes)) if outcomes.is_empty() => {
            out.push(Line::styled(
                "  ✓ nothing is unresolved on this network",
                palette.good,
            ));
        }
        Some(Ok(outcomes)) => {
            if outcomes.len() > 1 {
                let many = count(outcomes.len() as u64, "transfer", "transfers");
                out.push(Line::styled(
                    format!("  {many} followed to the end:"),
                    palette.text,
                ));
            }
            for outcome in outcomes {
                outcome_lines(outcome, outcomes.len() > 1, palette, width, out);
            }
        }
    }
}

fn outcome_lines(
    outcome: &Ending,
    listed: bool,
    palette: &Palette,
    width: u16,
    out: &mut Vec<Line<'static>>,
) {
    let (text, style) = match &outcome.result {
        TransferResult::Confirmed { slot } => (format!("✓ confirmed in slot {slot}"), palette.good),
        TransferResult::Failed { slot, error } => (
            format!(
                "✗ failed on chain in slot {slot}: {}. The fee is spent, the amount is not.",
                printable(error)
            ),
            palette.danger,
        ),
        TransferResult::Expired => (
            "✗ expired: it did not land and no longer can. Paying again is safe.".to_owned(),
            palette.warning,
        ),
    };
    if listed {
        let what = format!(
            "  {} to {}",
            amount_in_short(&outcome.amount),
            outcome.to.abbreviated()
        );
        out.push(Line::styled(what, palette.text));
    }
    said(&text, style, width, out);
}

fn failed(
    failure: &Failure,
    transfer: &Transfer,
    palette: &Palette,
    width: u16,
    out: &mut Vec<Line<'static>>,
) {
    said(
        &format!("! {}", sentence(&printable(&in_short(&failure.cause, transfer)))),
        palette.warning,
        width,
        out,
    );
    said(&sentence(&printable(&failure.remedy)), palette.text, width, out);
    if transfer.signature.is_none() && matches!(transfer.subject, Subject::Payment(_)) {
        said(
            "Nothing was sent. e opens the form again, filled in as it was.",
            palette.text,
            width,
            out,
        );
    }
    if can_resume(transfer) {
        said(
            "Do not pay again before it is resolved: r follows it.",
            palette.text,
            width,
            out,
        );
    }
}

/// The text with the signature, which stands above, cut short.
fn in_short(text: &str, transfer: &Transfer) -> String {
    match &transfer.signature {
        Some(signature) => text.replace(&signature.to_string(), &signature.abbreviated()),
        None => text.to_owned(),
    }
}

fn said(text: &str, style: ratatui::style::Style, width: u16, out: &mut Vec<Line<'static>>) {
    for line in widget::wrapped(text, width.saturating_sub(4), style) {
        let mut spans = vec![Span::raw("  ")];
        spans.extend(line.spans.into_iter().map(|span| span.style(style)));
        out.push(Line::from(spans));
    }
}
