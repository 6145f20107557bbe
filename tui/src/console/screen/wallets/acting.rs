//! Marks, and what can be done with the marked wallets or the one under the cursor.

use keyward_core::account::AccountAddress;
use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_custody::{Wallet, WalletStatus};

use super::{MAX_MARKS, Wallets};
use crate::console::effects::plans::SweepKind;
use crate::console::keymap::Action;
use crate::console::modal::{Confirm, Decision, Gravity, Modal, Purpose};
use crate::console::page::{Cx, Nav};
use crate::console::screen::Screen;
use crate::console::screen::distribute::DistributeScreen;
use crate::console::screen::purge::PurgeScreen;
use crate::console::screen::rotate::RotateScreen;
use crate::console::screen::sweep::SweepScreen;
use crate::console::screen::wallet::facts::title;
use crate::console::text::count;
use crate::console::update::menu;

impl Wallets {
    /// The marked wallets, or the one under the cursor.
    pub(super) fn targets(&self) -> Vec<AccountAddress> {
        if self.marks.is_empty() {
            self.selected().map(|wallet| wallet.address).into_iter().collect()
        } else {
            self.marks.iter().copied().collect()
        }
    }

    pub(super) fn toggle_mark(&mut self, cx: &mut Cx<'_>) {
        let Some(address) = self.selected().map(|wallet| wallet.address) else {
            return;
        };
        if !self.marks.remove(&address) && self.marks.len() < MAX_MARKS {
            self.marks.insert(address);
        }
        self.move_to(self.cursor.saturating_add(1), cx);
    }

    pub(super) fn act_on_marked(&self, cx: &mut Cx<'_>) {
        let title = match self.marks.len() {
            0 => "This wallet".to_owned(),
            marked => count(marked as u64, "marked wallet", "marked wallets"),
        };
        let mut items = vec![(Action::AddTags, "add tags"), (Action::RemoveTags, "remove tags")];
        if self.marks.is_empty() {
            items.insert(0, (Action::Label, "edit the label"));
            items.push((Action::Owner, "give it to an owner"));
            items.push((Action::Primary, "make it its owner's primary"));
            items.push((Action::Role, "say what it is for"));
            items.push((Action::Rotate, "new key, or its schedule"));
            items.push((Action::Delete, "delete it, or restore it"));
            items.push((Action::Purge, "destroy the keys of the deleted"));
            items.push((Action::Copy, "copy the address"));
        } else {
            items.push((Action::Distribute, "pay them"));
            items.push((Action::Consolidate, "collect what they hold into one"));
            items.push((Action::CloseAccounts, "close their empty token accounts"));
            items.push((Action::Owner, "give them to an owner"));
            items.push((Action::Role, "say what they are for"));
            items.push((Action::Copy, "copy the addresses"));
            items.push((Action::ClearMarks, "forget the marks"));
        }
        items.push((Action::MarkAll, "mark all that the filter shows"));
        cx.modal(menu(title, items));
    }

    pub(super) fn copy(&self, cx: &mut Cx<'_>) {
        let targets = self.targets();
        let what = if targets.len() == 1 {
            "address".into()
        } else {
            count(targets.len() as u64, "address", "addresses")
        };
        let text: Vec<String> = targets.iter().map(ToString::to_string).collect();
        if !text.is_empty() {
            cx.copy(text.join("\n"), &what);
        }
    }

    /// Opens the form that leads to a plan, with what is marked offered.
    pub(super) fn plan(&self, action: Action, cx: &mut Cx<'_>) {
        let solana = self.marks.iter().filter_map(AccountAddress::as_solana);
        let marked: Vec<Address> = solana.copied().collect();
        let others = self.marks.len() - marked.len();
        if others > 0 {
            let words = count(others as u64, "EVM wallet is", "EVM wallets are");
            cx.notice(format!("{words} left out: plans are of Solana wallets"));
        }
        let mut here = self.selected().filter(|wallet| wallet.solana().is_some());
        if action == Action::Distribute && !marked.is_empty() {
            // Marking moves the cursor on: an empty wallet under it is not the one that pays.
            let is_empty = |wallet: &&Wallet| {
                let known = cx.shared.balance(wallet.address);
                known.and_then(|balance| balance.lamports) == Some(Lamports::ZERO)
            };
            here = here.filter(|wallet| !is_empty(wallet));
        }
        open_form(action, here.map(called).unwrap_or_default().as_str(), marked, cx);
    }

    /// What is done with one wallet at a time, whatever is marked.
    pub(super) fn act_on_one(&self, action: Action, cx: &mut Cx<'_>) {
        if let Some(wallet) = self.selected() {
            decide(action, wallet, cx);
        }
    }

    pub(super) fn prompt(&self, action: Action, cx: &mut Cx<'_>) {
        let targets = self.targets();
        let (purpose, text) = match (action, self.selected()) {
            (Action::Label, Some(wallet)) => (Purpose::Label(wallet.address), wallet.label.as_str()),
            (Action::AddTags, _) if !targets.is_empty() => (Purpose::AddTags(targets), ""),
            (Action::RemoveTags, _) if !targets.is_empty() => (Purpose::RemoveTags(targets), ""),
            (Action::Owner, Some(wallet)) if !targets.is_empty() => (
                Purpose::Owner(targets),
                wallet.owner.as_deref().unwrap_or_default(),
            ),
            (Action::Role, Some(wallet)) if !targets.is_empty() => {
                (Purpose::Role(targets), wallet.role.as_str())
            }
            _ => return,
        };
        cx.modal(Modal::for_purpose(purpose, text));
    }
}

/// A wallet as it is named in a form.
#[must_use]
pub fn called(wallet: &Wallet) -> String {
    match wallet.label.as_str() {
        // A comma would be read as the end of the name.
        label if label.is_empty() || label.contains(',') => wallet.address.to_string(),
        label => label.to_owned(),
    }
}

/// Opens the form of a distribution, a consolidation or a closing.
pub fn open_form(action: Action, here: &str, marked: Vec<Address>, cx: &mut Cx<'_>) {
    let sweep = |kind, marked| Screen::Sweep(Box::new(SweepScreen::new(kind, here, marked)));
    let screen = match action {
        Action::Distribute => Screen::Distribute(Box::new(DistributeScreen::new(here, marked))),
        Action::Consolidate => sweep(SweepKind::Consolidate, marked),
        _ => sweep(SweepKind::Close, marked),
    };
    cx.go(Nav::Push(screen));
}

/// Asks before a wallet becomes the primary one, is deleted or restored; opens the page of its key.
pub fn decide(action: Action, wallet: &Wallet, cx: &mut Cx<'_>) {
    let question = |title: String, lines: &[&str], decision| {
        Modal::Confirm(Confirm {
            title,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            decision,
            gravity: Gravity::Plain,
        })
    };
    let (name, address) = (title(wallet), wallet.address);
    match (action, wallet.status) {
        (Action::Primary, _) if wallet.owner.is_none() => cx.notice("it has no owner yet (w)"),
        (Action::Primary, _) if wallet.is_primary => cx.notice("it is its owner's primary wallet already"),
        (Action::Primary, _) => {
            let lines = ["The one that is primary now stays its owner's."];
            let title = format!("Make {name} the primary wallet?");
            cx.modal(question(title, &lines, Decision::Primary(address)));
        }
        (Action::Delete, WalletStatus::Deleted) => {
            let lines = ["It signs again, and goes back to its owner if there is room."];
            cx.modal(question(
                format!("Restore {name}?"),
                &lines,
                Decision::Restore(address),
            ));
        }
        (Action::Delete, WalletStatus::Purged) => cx.notice("its key was destroyed and cannot be restored"),
        (Action::Delete, _) => {
            let lines = [
                "It signs no more and leaves its owner. status:deleted finds it, D restores it",
                "until its time is over; only then can its key be destroyed.",
            ];
            cx.modal(question(
                format!("Delete {name}?"),
                &lines,
                Decision::Delete(address),
            ));
        }
        (Action::Rotate, WalletStatus::Active) => {
            let screen = RotateScreen::new(wallet.clone());
            cx.go(Nav::Push(Screen::Rotate(Box::new(screen))));
        }
        (Action::Purge, _) => {
            let screen = PurgeScreen::new(Some(wallet.clone()));
            cx.go(Nav::Push(Screen::Purge(Box::new(screen))));
        }
        (Action::Rotate, _) => cx.notice("only a wallet in use gets a new key"),
        _ => {}
    }
}
