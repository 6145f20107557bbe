//! The review: everything one should know before a transfer is signed, and the keys that sign it or go back.
//!
//! It shows what was read from the very bytes that will be signed. It signs nothing itself: `y` starts a job.

use crossterm::event::KeyEvent;
use keyward_core::amount::Lamports;
use keyward_custody::transfer::Repeat;
use keyward_custody::{FeePolicy, PreviewDecision, Wallet};
use ratatui::Frame;
use ratatui::layout::Rect;

use crate::console::effect::{Answer, Pending, RequestId, Work};
use crate::console::effects::send::{Draft, Obstacle, Prepared, SendAnswer, SendWork, Wish};
use crate::console::input::{Edit, TextInput};
use crate::console::jobs::Stop;
use crate::console::keymap::{Action, Context};
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::state::Shared;
use crate::console::transfers::{Payment, Subject};

use super::Screen;

mod expiry;
mod lines;
#[cfg(test)]
pub(in crate::console) mod tests;
mod view;

use expiry::{Expiry, Left};

/// How long between two questions for the block height, in milliseconds.
const HEIGHT_AGE_MS: u64 = 2_000;

/// The review of one prepared transfer.
#[derive(Debug)]
pub struct Review {
    from: Wallet,
    prepared: Prepared,
    expiry: Expiry,
    /// The amount being typed, when the warnings ask for it.
    typed: Option<TextInput>,
    problem: Option<String>,
    instructions: Instructions,
    scroll: u16,
    asked_ms: u64,
    height: Pending,
    again: Pending,
    obstacle: Option<Obstacle>,
    /// It was signed: what the plan says is history.
    signed: bool,
}

/// How much of the instructions is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Instructions {
    /// Their names in one line.
    Summary,
    /// A sentence for each.
    All,
}

/// Whether the transfer can be signed now.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// Yes, with one key.
    Ready,
    /// Yes, after typing the amount: something deserves a second look.
    TypeAmount,
    /// No, and why.
    Blocked(&'static str),
}

impl Review {
    /// The review of what was just prepared.
    #[must_use]
    pub fn new(from: Wallet, prepared: Prepared, now_ms: u64) -> Self {
        let expiry = Expiry::new(
            prepared.plan.last_valid_block_height,
            prepared.block_height,
            now_ms,
        );
        Self {
            from,
            prepared,
            expiry,
            typed: None,
            problem: None,
            instructions: Instructions::Summary,
            scroll: 0,
            asked_ms: now_ms,
            height: Pending::default(),
            again: Pending::default(),
            obstacle: None,
            signed: false,
        }
    }

    fn verdict(&self, now_ms: u64) -> Verdict {
        let plan = &self.prepared.plan;
        if self.signed {
            Verdict::Blocked("it is signed already")
        } else if self.again.is_waiting() {
            Verdict::Blocked("it is being prepared again")
        } else if matches!(plan.decision.decision, PreviewDecision::Refused { .. }) {
            Verdict::Blocked("the policy refuses it")
        } else if plan.simulation_error.is_some() {
            Verdict::Blocked("it would fail")
        } else if self.expiry.left(now_ms) == Left::Nothing {
            Verdict::Blocked("it has expired; r prepares it again")
        } else if plan.warnings.is_empty() || self.prepared.recipient.is_some() {
            // What warns of a stranger's address does not stand in the way of one's own wallet.
            Verdict::Ready
        } else {
            Verdict::TypeAmount
        }
    }

    /// The form makes transfers of SOL alone.
    fn amount(&self) -> Option<Lamports> {
        self.prepared.plan.request.amount.lamports()
    }

    fn sign(&mut self, cx: &mut Cx<'_>) {
        match self.verdict(cx.shared.now_ms) {
            Verdict::Blocked(reason) => cx.notice(format!("not signed: {reason}")),
            Verdict::Ready => self.submit(cx),
            Verdict::TypeAmount => match &self.typed {
                None => self.typed = Some(TextInput::plain(64)),
                Some(typed) => match Lamports::parse(typed.expose_text()) {
                    Ok(lamports) if Some(lamports) == self.amount() => self.submit(cx),
                    Ok(_) => self.problem = Some("this is not the amount of this transfer".into()),
                    Err(error) => self.problem = Some(error.to_string()),
                },
            },
        }
    }

    /// Hands the plan over, once, and leaves for the transfer's own screen.
    fn submit(&mut self, cx: &mut Cx<'_>) {
        self.signed = true;
        let plan = self.prepared.plan.clone();
        let payment = self.payment();
        let title = format!("send {} to {}", payment.request.amount, payment.to_whom());
        let id = cx.start_job(
            title,
            Work::Send(SendWork::Submit(Box::new(plan))),
            Stop::Impossible,
        );
        cx.shared.transfers.add(id, Subject::Payment(Box::new(payment)));
        cx.cancel(&mut self.height);
        // Out of the review and the form: neither may be gone back to.
        cx.go(Nav::Back);
        cx.go(Nav::Back);
        cx.go(Nav::Push(Screen::transfer(id)));
    }

    fn payment(&self) -> Payment {
        let plan = &self.prepared.plan;
        Payment {
            sender: self.from.clone(),
            recipient: self.prepared.recipient.clone(),
            request: plan.request.clone(),
            fee: plan.total_fee(),
        }
    }

    fn prepare_again(&mut self, cx: &mut Cx<'_>) {
        let request = &self.prepared.plan.request;
        let draft = Draft {
            from: request.from,
            to: request.to,
            amount: Wish::Exactly(self.amount().unwrap_or_default()),
            priority_fee_micro_lamports: match request.fee {
                FeePolicy::Fixed { micro_lamports } => Some(micro_lamports),
                FeePolicy::None | FeePolicy::Percentile { .. } => None,
            },
            memo: request.memo.clone(),
            repeat: match request.repeat {
                Repeat::Separate => Repeat::Separate,
                Repeat::Refuse => Repeat::Refuse,
            },
        };
        self.typed = None;
        self.problem = None;
        self.obstacle = None;
        cx.start_latest(&mut self.again, Work::Send(SendWork::Prepare(Box::new(draft))));
    }

    fn prepared_again(&mut self, result: Result<Box<Prepared>, Obstacle>, cx: &mut Cx<'_>) {
        match result {
            Ok(prepared) => {
                let plan = &prepared.plan;
                self.expiry = Expiry::new(
                    plan.last_valid_block_height,
                    prepared.block_height,
                    cx.shared.now_ms,
                );
                self.prepared = *prepared;
                cx.notice("prepared again: the review shows the new transaction");
            }
            Err(obstacle) => self.obstacle = Some(obstacle),
        }
    }

    fn back(&mut self, cx: &mut Cx<'_>) {
        if self.typed.take().is_some() {
            self.problem = None;
        } else {
            cx.go(Nav::Back);
        }
    }
}

impl Page for Review {
    fn contexts(&self) -> Vec<Context> {
        if self.typed.is_some() {
            vec![Context::TypeAmount]
        } else {
            vec![Context::Review]
        }
    }

    fn typing(&self) -> bool {
        self.typed.is_some()
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        match action {
            Action::Sign => !matches!(self.verdict(shared.now_ms), Verdict::Blocked(_)),
            Action::Refresh => !self.again.is_waiting(),
            _ => true,
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Sign => self.sign(cx),
            Action::Edit => cx.go(Nav::Back),
            Action::Back => self.back(cx),
            Action::Refresh => self.prepare_again(cx),
            Action::Details => {
                self.instructions = match self.instructions {
                    Instructions::Summary => Instructions::All,
                    Instructions::All => Instructions::Summary,
                };
            }
            Action::Up => self.scroll = self.scroll.saturating_sub(1),
            Action::Down => self.scroll = self.scroll.saturating_add(1).min(view::furthest(self, cx.shared)),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, _cx: &mut Cx<'_>) {
        if let Some(typed) = &mut self.typed
            && typed.key(key) == Edit::Changed
        {
            self.problem = None;
        }
    }

    fn paste(&mut self, _text: &str, cx: &mut Cx<'_>) {
        // The second look is the point of typing.
        if self.typed.is_some() {
            cx.notice("type the amount, please; pasting is not the second look it is meant to be");
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Send(SendAnswer::Height(result)) if self.height.settle(id) => {
                if let Ok(height) = result {
                    self.expiry.learn(height, cx.shared.now_ms);
                }
            }
            Answer::Send(SendAnswer::Prepared(result)) if self.again.settle(id) => {
                self.prepared_again(result, cx)
            }
            Answer::Broken(failure) if self.again.settle(id) => {
                self.obstacle = Some(Obstacle {
                    failure,
                    about: crate::console::effects::send::About::Other,
                });
            }
            other => return Some(other),
        }
        None
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        let due = cx.shared.now_ms.saturating_sub(self.asked_ms) >= HEIGHT_AGE_MS;
        if due && !self.signed && !self.height.is_waiting() {
            self.asked_ms = cx.shared.now_ms;
            cx.start_latest(&mut self.height, Work::Send(SendWork::Height));
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        view::view(self, shared, frame, area);
    }
}
