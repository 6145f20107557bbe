//! The review: everything one should know before a transfer is signed, and the keys that sign it or go back.
//!
//! It shows what was read from the very bytes that will be signed. It signs nothing itself: `y` starts a job.

use crossterm::event::KeyEvent;
use keyward_custody::{PreviewDecision, Wallet, WalletPasswords};
use ratatui::Frame;
use ratatui::layout::Rect;

use crate::console::effect::{Answer, Pending, RequestId, Work};
use crate::console::effects::send::{Draft, Obstacle, Prepared, SendAnswer, SendWork, Wish};
use crate::console::input::{Edit, TextInput};
use crate::console::keymap::{Action, Context};
use crate::console::modal::Modal;
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::state::Shared;
use crate::console::transfers::Payment;

use super::Screen;
use super::own_passwords::{Asking, OwnPasswordsScreen, OwnWork};

mod estimate;
mod expiry;
mod lines;
mod steps;
#[cfg(test)]
pub(in crate::console) mod tests;
mod view;

use expiry::{Expiry, Left};
use steps::{Step, steps};

/// How long between two questions for the block height, in milliseconds.
const HEIGHT_AGE_MS: u64 = 2_000;

/// The review of one prepared transfer.
#[derive(Debug)]
pub struct Review {
    from: Wallet,
    prepared: Prepared,
    expiry: Expiry,
    /// What is being typed, where one key is not enough.
    typing: Option<Typing>,
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

/// A step that is being taken.
#[derive(Debug)]
struct Typing {
    step: Step,
    /// Those that come after it.
    rest: std::vec::IntoIter<Step>,
    text: TextInput,
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
    /// Yes, after typing something, and this first: something deserves a second look.
    Asks(Step),
    /// No, and why.
    Blocked(&'static str),
}

impl Review {
    /// The review of what was just prepared.
    #[must_use]
    pub fn new(from: Wallet, prepared: Prepared, now_ms: u64) -> Self {
        let expiry = expiry(&prepared, now_ms);
        Self {
            from,
            prepared,
            expiry,
            typing: None,
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
        } else if self.expiry.left(now_ms) == Left::Nothing {
            Verdict::Blocked("it has expired; r prepares it again")
        } else {
            match steps(&self.prepared).first() {
                None => Verdict::Ready,
                Some(step) => Verdict::Asks(*step),
            }
        }
    }

    fn sign(&mut self, cx: &mut Cx<'_>) {
        match self.verdict(cx.shared.now_ms) {
            Verdict::Blocked(reason) => cx.notice(format!("not signed: {reason}")),
            Verdict::Ready => self.submit(cx),
            Verdict::Asks(_) => match self.typing.take() {
                None => self.ask_next(steps(&self.prepared).into_iter()),
                Some(typing) => self.typed(typing, cx),
            },
        }
    }

    fn ask_next(&mut self, mut rest: std::vec::IntoIter<Step>) {
        self.problem = None;
        self.typing = rest.next().map(|step| Typing {
            step,
            rest,
            text: TextInput::plain(64),
        });
    }

    fn typed(&mut self, typing: Typing, cx: &mut Cx<'_>) {
        let amount = &self.prepared.plan.request.amount;
        match typing.step.accepts(typing.text.expose_text(), amount) {
            Err(problem) => {
                self.problem = Some(problem);
                self.typing = Some(typing);
            }
            Ok(()) if typing.rest.len() == 0 => self.submit(cx),
            Ok(()) => self.ask_next(typing.rest),
        }
    }

    /// Hands the plan over, once, and leaves for the transfer's own screen.
    fn submit(&mut self, cx: &mut Cx<'_>) {
        let mut plan = self.prepared.plan.clone();
        if plan.simulation_error.is_some() {
            // Only who typed so gets here.
            plan = plan.send_anyway();
        }
        let work = OwnWork::Send {
            plan: Box::new(plan),
            payment: Box::new(self.payment()),
        };
        let locked = Some(self.from.clone()).filter(|from| from.own_password);
        match OwnPasswordsScreen::asking(locked.into_iter().collect(), work) {
            Asking::Screen(screen) => cx.go(Nav::Push(Screen::OwnPasswords(screen))),
            Asking::Nobody(work) => {
                self.signed = true;
                cx.cancel(&mut self.height);
                work.start(WalletPasswords::none(), cx);
            }
            Asking::TooMany(failure) => cx.modal(Modal::Error(failure)),
        }
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
            amount: Wish::Exactly(request.amount),
            fee: request.fee,
            memo: request.memo.clone(),
            nonce: request.nonce,
            repeat: request.repeat,
        };
        self.typing = None;
        self.problem = None;
        self.obstacle = None;
        cx.start_latest(&mut self.again, Work::Send(SendWork::Prepare(Box::new(draft))));
    }

    fn prepared_again(&mut self, result: Result<Box<Prepared>, Obstacle>, cx: &mut Cx<'_>) {
        match result {
            Ok(prepared) => {
                self.expiry = expiry(&prepared, cx.shared.now_ms);
                self.prepared = *prepared;
                cx.notice("prepared again: the review shows the new transaction");
            }
            Err(obstacle) => self.obstacle = Some(obstacle),
        }
    }

    fn back(&mut self, cx: &mut Cx<'_>) {
        if self.typing.take().is_some() {
            self.problem = None;
        } else {
            cx.go(Nav::Back);
        }
    }
}

/// By a durable nonce it does not grow old.
fn expiry(prepared: &Prepared, now_ms: u64) -> Expiry {
    let plan = &prepared.plan;
    let last_valid = match plan.details.nonce {
        Some(_) => u64::MAX,
        None => plan.last_valid_block_height,
    };
    Expiry::new(last_valid, prepared.block_height, now_ms)
}

impl Page for Review {
    fn contexts(&self) -> Vec<Context> {
        match &self.typing {
            None => vec![Context::Review],
            Some(typing) if typing.rest.len() == 0 => vec![Context::TypeAmount],
            Some(_) => vec![Context::Doubt],
        }
    }

    fn typing(&self) -> bool {
        self.typing.is_some()
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
        if let Some(typing) = &mut self.typing
            && typing.text.key(key) == Edit::Changed
        {
            self.problem = None;
        }
    }

    fn paste(&mut self, _text: &str, cx: &mut Cx<'_>) {
        // The second look is the point of typing.
        if self.typing.is_some() {
            cx.notice("type it, please; pasting is not the second look it is meant to be");
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
