//! The send form: to whom, how much, at what priority, with what memo. It ends in a [`super::review`].
//!
//! Nothing is signed here. What is typed stays while one goes on to the review and back.

use keyward_core::address::{Address, Signature};
use keyward_core::solana_pay::PaymentRequest;
use keyward_custody::transfer::{MAX_MEMO_BYTES, Repeat, TransferAmount, TransferRequest};
use keyward_custody::{FeePolicy, Wallet};

use crate::console::effect::{Failure, Pending, Work};
use crate::console::effects::send::{About, Draft, Obstacle, Party, Prepared, SendWork};
use crate::console::input::{Edit, TextInput};
use crate::console::jobs::Stop;
use crate::console::modal::{Confirm, Decision, Gravity, Modal};
use crate::console::page::{Cx, Nav, Page};
use crate::console::state::Node;
use crate::console::transfers::Subject;

use super::Screen;
use super::review::Review;

mod page;
mod reading;
#[cfg(test)]
mod tests;
mod token;
mod view;

use reading::Recipient;
pub use token::SentToken;

const LINK_ASKS_FOR_SOL: &str =
    "the link asks for SOL, and this form sends a token; leave it, or pay by address";

/// The form.
#[derive(Debug)]
pub struct SendForm {
    from: Wallet,
    /// What is sent in place of SOL.
    token: Option<SentToken>,
    /// The durable nonce that it lives by.
    nonce: Option<Address>,
    focus: Field,
    to: TextInput,
    amount: TextInput,
    priority: TextInput,
    memo: TextInput,
    /// Whose address was typed, once that is known.
    known: Option<Party>,
    suggestions: Vec<Party>,
    selected: usize,
    /// What the payment link said beside the fields it filled in.
    link: Option<LinkNote>,
    problem: Option<(Field, String)>,
    obstacle: Option<Obstacle>,
    unresolved: Vec<Signature>,
    searching: Pending,
    listing: Pending,
    preparing: Pending,
    /// The review was asked for while the recipient's name was still looked up.
    hurried: Option<Repeat>,
    since_ms: u64,
}

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    To,
    Amount,
    Priority,
    Memo,
}

impl Field {
    const ALL: [Self; 4] = [Self::To, Self::Amount, Self::Priority, Self::Memo];

    fn step(self, forwards: bool) -> Self {
        let at = Self::ALL.iter().position(|field| *field == self).unwrap_or(0);
        let next = if forwards {
            at + 1
        } else {
            at + Self::ALL.len() - 1
        };
        Self::ALL.get(next % Self::ALL.len()).copied().unwrap_or(self)
    }
}

/// What a stranger's link says beside the fields.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LinkNote {
    label: Option<String>,
    message: Option<String>,
    references: usize,
}

impl SendForm {
    /// An empty form for this sender.
    #[must_use]
    pub fn new(from: Wallet) -> Self {
        Self {
            from,
            token: None,
            nonce: None,
            focus: Field::To,
            to: TextInput::plain(4_096),
            amount: TextInput::plain(64),
            priority: TextInput::plain(32),
            memo: TextInput::plain(MAX_MEMO_BYTES),
            known: None,
            suggestions: Vec::new(),
            selected: 0,
            link: None,
            problem: None,
            obstacle: None,
            unresolved: Vec::new(),
            searching: Pending::default(),
            listing: Pending::default(),
            preparing: Pending::default(),
            hurried: None,
            since_ms: 0,
        }
    }

    /// An empty form for this sender and one of its tokens.
    #[must_use]
    pub fn of_token(from: Wallet, token: SentToken) -> Self {
        Self {
            token: Some(token),
            ..Self::new(from)
        }
    }

    /// An empty form for this sender, of a transfer that can land until this nonce is advanced.
    #[must_use]
    pub fn by_nonce(from: Wallet, nonce: Address) -> Self {
        Self {
            nonce: Some(nonce),
            ..Self::new(from)
        }
    }

    /// The form filled in as it was for this request.
    #[must_use]
    pub fn again(from: Wallet, request: &TransferRequest) -> Self {
        let mut form = Self::new(from);
        form.token = SentToken::again(&request.amount);
        form.nonce = request.nonce;
        form.to.insert(&request.to.to_string());
        form.amount.insert(&reading::typed(&request.amount));
        if request.fee != FeePolicy::None {
            form.priority.insert(&request.fee.to_string());
        }
        if let Some(memo) = &request.memo {
            form.memo.insert(memo);
        }
        form.focus = Field::Amount;
        form
    }

    fn input(&mut self) -> &mut TextInput {
        match self.focus {
            Field::To => &mut self.to,
            Field::Amount => &mut self.amount,
            Field::Priority => &mut self.priority,
            Field::Memo => &mut self.memo,
        }
    }

    fn changed(&mut self, edit: Edit, cx: &mut Cx<'_>) {
        if !matches!(edit, Edit::Changed | Edit::Full) {
            return;
        }
        self.problem = None;
        self.obstacle = None;
        self.hurried = None;
        // What was asked for is not what stands there any more.
        cx.cancel(&mut self.preparing);
        if self.focus == Field::To {
            self.recipient_changed(cx);
        }
    }

    fn recipient_changed(&mut self, cx: &mut Cx<'_>) {
        cx.cancel(&mut self.searching);
        self.suggestions.clear();
        self.selected = 0;
        self.known = None;
        match reading::recipient(self.to.expose_text()) {
            Recipient::Address(address) => {
                cx.start_latest(&mut self.searching, Work::Send(SendWork::Lookup(address)));
            }
            Recipient::Name(text) => {
                cx.start_latest(&mut self.searching, Work::Send(SendWork::Suggest(text)));
            }
            Recipient::Link(request) if self.token.is_none() => self.take_link(&request, cx),
            Recipient::Link(_) => {
                self.fail(Field::To, LINK_ASKS_FOR_SOL.into());
            }
            Recipient::Empty | Recipient::Wrong(_) => {}
        }
    }

    /// Fills the form in from a payment link.
    fn take_link(&mut self, request: &PaymentRequest, cx: &mut Cx<'_>) {
        self.link = Some(LinkNote {
            label: request.label.clone(),
            message: request.message.clone(),
            references: request.references.len(),
        });
        if let Some(lamports) = request.amount {
            self.amount.clear();
            self.amount
                .insert(&reading::typed(&TransferAmount::Sol(lamports)));
        }
        if let Some(memo) = &request.memo {
            self.memo.clear();
            self.memo.insert(memo);
        }
        self.set_recipient(request.recipient, cx);
        cx.notice("filled in from the payment link; check every line");
    }

    fn set_recipient(&mut self, address: Address, cx: &mut Cx<'_>) {
        self.to.clear();
        self.to.insert(&address.to_string());
        self.recipient_changed(cx);
    }

    /// Leaves the recipient's field, taking the selected suggestion; false when there is nothing to take.
    fn settle_recipient(&mut self, cx: &mut Cx<'_>) -> bool {
        match reading::recipient(self.to.expose_text()) {
            Recipient::Address(_) => true,
            Recipient::Name(name) => match self.meant(&name) {
                Some(party) => {
                    let Some(address) = party.address() else {
                        return false;
                    };
                    self.set_recipient(address, cx);
                    self.known = Some(party);
                    true
                }
                None if self.searching.is_waiting() => false,
                None if !self.suggestions.is_empty() => {
                    let text = format!("{name:?} may be several: choose one, and Enter");
                    self.fail(Field::To, text)
                }
                None => {
                    let text = format!("no wallet and no contact is called {name:?}, and it is no address");
                    self.fail(Field::To, text)
                }
            },
            Recipient::Empty => self.fail(
                Field::To,
                "who is paid? An address, a label or a payment link".into(),
            ),
            Recipient::Wrong(reason) => self.fail(Field::To, reason),
            // Where it is taken, a link is replaced by its address as soon as it is whole.
            Recipient::Link(_) => self.fail(Field::To, LINK_ASKS_FOR_SOL.into()),
        }
    }

    /// Whom a name means: whoever is chosen while the list is seen; else the only one of exactly this label, or the only one.
    fn meant(&self, name: &str) -> Option<Party> {
        if self.focus == Field::To {
            return self.suggestions.get(self.selected).cloned();
        }
        let mut exact = self.suggestions.iter().filter(|party| party.label() == name);
        match (exact.next(), exact.next(), self.suggestions.as_slice()) {
            (Some(one), None, _) | (None, None, [one]) => Some(one.clone()),
            _ => None,
        }
    }

    /// What a name stands for has come. Whoever typed on meanwhile has left the field already, or asked for the review.
    fn suggested(&mut self, found: Vec<Party>, cx: &mut Cx<'_>) {
        self.suggestions = found;
        self.selected = 0;
        if let Some(repeat) = self.hurried.take() {
            self.prepare(repeat, cx);
        } else if self.focus != Field::To
            && let Recipient::Name(name) = reading::recipient(self.to.expose_text())
            && self.meant(&name).is_some()
        {
            self.settle_recipient(cx);
        }
    }

    fn fail(&mut self, field: Field, text: String) -> bool {
        self.focus = field;
        self.problem = Some((field, text));
        false
    }

    fn accept(&mut self, cx: &mut Cx<'_>) {
        if self.focus == Field::To {
            // A name that is still looked up is settled when it is found, as after Tab.
            if self.settle_recipient(cx) || (self.problem.is_none() && self.searching.is_waiting()) {
                self.focus = Field::Amount;
            }
        } else {
            self.prepare(Repeat::Refuse, cx);
        }
    }

    fn draft(&mut self, repeat: Repeat, cx: &mut Cx<'_>) -> Option<Draft> {
        if !self.settle_recipient(cx) {
            return None;
        }
        let Recipient::Address(to) = reading::recipient(self.to.expose_text()) else {
            return None;
        };
        let amount = reading::amount(self.amount.expose_text(), self.token.as_ref());
        let fee = reading::fee(self.priority.expose_text());
        let memo = reading::memo(self.memo.expose_text());
        match (amount, fee, memo) {
            (Ok(amount), Ok(fee), Ok(memo)) => Some(Draft {
                from: *self.from.solana()?,
                to,
                amount,
                fee,
                memo,
                nonce: self.nonce,
                repeat,
            }),
            (Err(text), _, _) => {
                self.fail(Field::Amount, text);
                None
            }
            (_, Err(text), _) => {
                self.fail(Field::Priority, text);
                None
            }
            (_, _, Err(text)) => {
                self.fail(Field::Memo, text);
                None
            }
        }
    }

    fn prepare(&mut self, repeat: Repeat, cx: &mut Cx<'_>) {
        self.problem = None;
        self.obstacle = None;
        let Some(draft) = self.draft(repeat, cx) else {
            self.hurried = (self.problem.is_none() && self.searching.is_waiting()).then_some(repeat);
            return;
        };
        if matches!(cx.shared.node, Node::NotChosen) {
            let failure = Failure::new(
                "no node is chosen, and a transfer needs one",
                "choose one in the settings",
            );
            self.obstacle = Some(Obstacle {
                failure,
                about: About::Node,
            });
            return;
        }
        self.since_ms = cx.shared.now_ms;
        cx.start_latest(
            &mut self.preparing,
            Work::Send(SendWork::Prepare(Box::new(draft))),
        );
    }

    fn prepared(&mut self, result: Result<Box<Prepared>, Obstacle>, cx: &mut Cx<'_>) {
        match result {
            Ok(prepared) => {
                let review = Review::new(self.from.clone(), *prepared, cx.shared.now_ms);
                cx.go(Nav::Push(Screen::Review(Box::new(review))));
            }
            Err(obstacle) => {
                self.focus = match obstacle.about {
                    About::Recipient => Field::To,
                    About::Amount => Field::Amount,
                    About::Memo => Field::Memo,
                    About::Unresolved(_) | About::Node | About::Other => self.focus,
                };
                self.obstacle = Some(obstacle);
            }
        }
    }

    fn is_unresolved(&self) -> bool {
        !self.unresolved.is_empty()
            || matches!(
                &self.obstacle,
                Some(Obstacle {
                    about: About::Unresolved(_),
                    ..
                })
            )
    }

    fn list_unresolved(&mut self, cx: &mut Cx<'_>) {
        cx.start_latest(
            &mut self.listing,
            Work::Send(SendWork::Unresolved(self.from.solana().copied())),
        );
    }

    fn back(&mut self, cx: &mut Cx<'_>) {
        self.hurried = None;
        if self.preparing.is_waiting() {
            cx.cancel(&mut self.preparing);
        } else if self.obstacle.take().is_some() {
            // The first step back is out of the message.
        } else if self.unsaved() {
            cx.modal(Modal::Confirm(Confirm {
                title: "Leave this transfer?".into(),
                lines: vec!["What you typed is lost. Nothing was signed.".into()],
                decision: Decision::Discard,
                gravity: Gravity::Plain,
            }));
        } else {
            cx.go(Nav::Back);
        }
    }
}

/// Follows every unresolved transfer, as a job with its own screen.
pub(in crate::console) fn start_resuming(cx: &mut Cx<'_>) {
    let id = cx.start_job(
        "follow unresolved transfers",
        Work::Send(SendWork::Resume),
        Stop::Impossible,
    );
    cx.shared.transfers.add(id, Subject::Resumption);
    cx.go(Nav::Push(Screen::transfer(id)));
}
