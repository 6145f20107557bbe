//! The durable nonces of a wallet: made, advanced, closed, and sent by.

use keyward_custody::transfer::nonce::{NonceAccount, NonceAction, NoncePlan};
use keyward_custody::{PreviewDecision, Wallet, WalletPasswords};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Screen;
use super::own_passwords::{Asking, OwnPasswordsScreen, OwnWork};
use super::send::SendForm;
use super::wallet::facts::title;
use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::send::{SendAnswer, SendWork};
use crate::console::keymap::{Action, Context};
use crate::console::list::{Listing, Words};
use crate::console::modal::{Confirm, Decision, Gravity, Modal};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::state::{Node, Shared};
use crate::console::text::{count, printable, sentence};
use crate::console::transfers::NonceStep;
use crate::console::widget::{full_address, row, rows, rule, short_address};

#[cfg(test)]
mod tests;

/// A line, account, value, authority, what it is for.
const FOOT_ROWS: u16 = 6;

/// The list.
#[derive(Debug)]
pub struct NoncesScreen {
    wallet: Wallet,
    list: Listing<Vec<NonceAccount>>,
    preparing: Pending,
    action: NonceAction,
    /// What is asked about.
    plan: Option<Box<NoncePlan>>,
}

impl NoncesScreen {
    /// Those of this wallet.
    #[must_use]
    pub fn new(wallet: Wallet) -> Self {
        Self {
            wallet,
            list: Listing::above(FOOT_ROWS),
            preparing: Pending::default(),
            action: NonceAction::Create,
            plan: None,
        }
    }

    fn read(&mut self, cx: &mut Cx<'_>) {
        if let Some(address) = self.wallet.solana().copied() {
            self.list.read(Work::Send(SendWork::Nonces(address)), cx);
        }
    }

    fn nonce(&self) -> Option<&NonceAccount> {
        self.list.content()?.get(self.list.selected())
    }

    fn prepare(&mut self, action: NonceAction, cx: &mut Cx<'_>) {
        let Some(address) = self.wallet.solana().copied() else {
            return;
        };
        self.action = action;
        self.plan = None;
        let work = SendWork::PrepareNonce(address, action);
        cx.start_latest(&mut self.preparing, Work::Send(work));
    }

    fn prepared(&mut self, result: Result<Box<NoncePlan>, Failure>, cx: &mut Cx<'_>) {
        let plan = match result {
            Ok(plan) => plan,
            Err(failure) => return cx.modal(Modal::Error(failure)),
        };
        if let PreviewDecision::Refused { reasons } = &plan.decision.decision {
            let reasons: Vec<&str> = reasons.iter().map(|reason| reason.text.as_str()).collect();
            let failure = Failure::new(
                format!("the policy refuses it: {}", reasons.join("; ")),
                "change the policy; nothing was signed",
            );
            return cx.modal(Modal::Error(failure));
        }
        let mut lines: Vec<String> = plan
            .intent
            .sentences()
            .iter()
            .map(|text| sentence(&printable(text)))
            .collect();
        lines.push(format!("The fee is {} SOL.", plan.fee));
        if !matches!(self.action, NonceAction::Create) {
            lines.push("What was signed by its present value and has not landed no longer can.".into());
        }
        let question = match self.action {
            NonceAction::Create => "Make a durable nonce?",
            NonceAction::Advance(_) => "Advance this nonce?",
            NonceAction::Close(_) => "Close this nonce?",
        };
        cx.modal(Modal::Confirm(Confirm {
            title: question.into(),
            lines,
            decision: Decision::Nonce(plan.account),
            gravity: Gravity::Danger,
        }));
        self.plan = Some(plan);
    }

    fn sign(&mut self, plan: Box<NoncePlan>, cx: &mut Cx<'_>) {
        let step = NonceStep {
            wallet: self.wallet.clone(),
            account: plan.account,
            action: self.action,
        };
        let work = OwnWork::Nonce {
            plan,
            step: Box::new(step),
        };
        let locked = Some(self.wallet.clone()).filter(|wallet| wallet.own_password);
        match OwnPasswordsScreen::asking(locked.into_iter().collect(), work) {
            Asking::Screen(screen) => cx.go(Nav::Push(Screen::OwnPasswords(screen))),
            Asking::Nobody(work) => work.start(WalletPasswords::none(), cx),
            Asking::TooMany(failure) => cx.modal(Modal::Error(failure)),
        }
    }

    fn foot(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let area = Rect {
            y: area.y + area.height.saturating_sub(FOOT_ROWS),
            height: FOOT_ROWS,
            ..area
        };
        row(frame, area, 0, rule(area.width, palette));
        let inner = Rect {
            x: area.x + 2,
            width: area.width.saturating_sub(4),
            ..area
        };
        let named = |name: &str, text: &str| {
            let mut spans = vec![Span::styled(format!("{name:<10}"), palette.muted)];
            spans.extend(full_address(text, palette));
            Line::from(spans)
        };
        let mut lines = Vec::new();
        if let Some(nonce) = self.nonce() {
            lines.push(named("account", &nonce.address.to_string()));
            lines.push(named("value", &nonce.value.to_string()));
            let own = self.wallet.solana() == Some(&nonce.authority);
            lines.push(match own {
                true => Line::styled("this wallet alone advances and closes it", palette.muted),
                false => named("! of", &nonce.authority.to_string()),
            });
        }
        if self.preparing.is_waiting() {
            lines.push(Line::styled("asking the node and simulating", palette.accent));
        }
        rows(frame, inner, 1, lines);
    }
}

impl Page for NoncesScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Nonces, Context::List]
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        let there = self.nonce().is_some();
        match action {
            Action::Refresh | Action::New => !matches!(shared.node, Node::NotChosen),
            Action::Copy | Action::Send | Action::Advance | Action::Delete => there,
            _ => true,
        }
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.read(cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        let account = self.nonce().map(|nonce| nonce.address);
        match (action, account) {
            (Action::Refresh, _) => self.read(cx),
            (Action::New, _) => self.prepare(NonceAction::Create, cx),
            (Action::Advance, Some(account)) => self.prepare(NonceAction::Advance(account), cx),
            (Action::Delete, Some(account)) => self.prepare(NonceAction::Close(account), cx),
            (Action::Copy, Some(account)) => cx.copy(account.to_string(), "the nonce's account"),
            (Action::Send, Some(account)) => {
                let form = SendForm::by_nonce(self.wallet.clone(), account);
                cx.go(Nav::Push(Screen::Send(Box::new(form))));
            }
            (Action::Advance | Action::Delete | Action::Copy | Action::Send, None) => {}
            (Action::Back, _) => cx.go(Nav::Back),
            _ => return self.list.act(action, cx.shared),
        }
        Handled::Yes
    }

    fn click(&mut self, _column: u16, row: u16, cx: &mut Cx<'_>) {
        self.list.click(row, cx.shared);
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Send(SendAnswer::Nonces(result)) if self.list.awaits(id) => {
                self.list.take(result, cx.shared)
            }
            Answer::Send(SendAnswer::NoncePrepared(result)) if self.preparing.settle(id) => {
                self.prepared(result, cx);
            }
            Answer::Broken(failure) if self.list.awaits(id) => self.list.take(Err(failure), cx.shared),
            Answer::Broken(failure) if self.preparing.settle(id) => self.prepared(Err(failure), cx),
            other => return Some(other),
        }
        None
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        if matches!(event, Event::NodeChanged | Event::JobEnded(_) | Event::Shown)
            && cx.shared.node.is_online()
        {
            self.read(cx);
        }
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if let Decision::Nonce(account) = decision
            && let Some(plan) = self.plan.take().filter(|plan| plan.account == *account)
        {
            self.sign(plan, cx);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let title = format!("Durable nonces of {}", title(&self.wallet));
        let remark = self
            .list
            .content()
            .map_or_else(String::new, |all| count(all.len() as u64, "nonce", "nonces"));
        let names = format!(
            "{:>4}  {:<15}  {:>16}  {:<15}",
            "#", "account", "holds SOL", "value"
        );
        let words = Words {
            title: &title,
            remark: &remark,
            names: &names,
            reading: "the durable nonces",
            empty: "None. A transfer by a durable nonce can land for as long as its approval takes; n makes one.",
        };
        let cells = |at: usize| {
            let Some(nonce) = self.list.content().and_then(|all| all.get(at)) else {
                return Vec::new();
            };
            let palette = &shared.palette;
            let mut cells = vec![Span::styled(format!("{:>4}  ", nonce.number), palette.muted)];
            cells.extend(short_address(&nonce.address.to_string(), palette));
            cells.push(Span::styled(
                format!("  {:>16}  ", nonce.lamports.to_string()),
                palette.strong,
            ));
            cells.extend(short_address(&nonce.value.to_string(), palette));
            cells
        };
        self.list.view(&words, cells, shared, frame, area);
        self.foot(shared, frame, area);
    }
}
