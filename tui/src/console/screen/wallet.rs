//! One wallet: its address in full and as a QR code, balance, path, last use, history.

use std::fmt;

use keyward_core::address::Address;
use keyward_custody::chain::HistoryItem;
use keyward_custody::{Lockout, Wallet, WalletStatus};
use ratatui::Frame;
use ratatui::layout::Rect;

use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::node::{NodeAnswer, NodeWork};
use crate::console::effects::upkeep::{UpkeepAnswer, UpkeepWork};
use crate::console::effects::wallets::{WalletsAnswer, WalletsWork};
use crate::console::keymap::{Action, Context};
use crate::console::modal::{Modal, Purpose};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::screen::Screen;
use crate::console::screen::export::ExportScreen;
use crate::console::screen::history::HistoryScreen;
use crate::console::screen::nonces::NoncesScreen;
use crate::console::screen::tokens::TokensScreen;
use crate::console::screen::wallets::acting::{called, decide, open_form};
use crate::console::state::{Node, Shared};

pub mod facts;
pub mod qr;
mod view;

/// One wallet's page.
pub struct WalletScreen {
    wallet: Wallet,
    reading: Pending,
    history: History,
    asking: Pending,
    scroll: usize,
    /// Wrong passwords of its own, and when that was read.
    lockout: Option<(Lockout, u64)>,
    counting: Pending,
}

/// What is known of the past.
enum History {
    /// Not asked: no node answers.
    Unknown,
    /// As of a time, newest first.
    Known { items: Vec<HistoryItem>, at_ms: u64 },
    /// Asked, and no usable answer came.
    Failed(Failure),
}

impl fmt::Debug for WalletScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WalletScreen")
            .field("index", &self.wallet.index)
            .finish_non_exhaustive()
    }
}

impl WalletScreen {
    /// The page of this wallet.
    #[must_use]
    pub fn new(wallet: Wallet) -> Self {
        Self {
            wallet,
            reading: Pending::default(),
            history: History::Unknown,
            asking: Pending::default(),
            scroll: 0,
            lockout: None,
            counting: Pending::default(),
        }
    }

    /// The wallet shown.
    #[must_use]
    pub fn wallet(&self) -> &Wallet {
        &self.wallet
    }

    fn ask_history(&mut self, cx: &mut Cx<'_>) {
        let Some(address) = self.wallet.solana().copied() else {
            return;
        };
        if cx.shared.node.is_online() {
            let work = Work::Node(NodeWork::History(address));
            cx.start_latest(&mut self.asking, work);
        }
    }

    fn ask_lockout(&mut self, cx: &mut Cx<'_>) {
        if self.wallet.own_password {
            let work = Work::Upkeep(UpkeepWork::WalletLockout(self.wallet.address));
            cx.start_latest(&mut self.counting, work);
        }
    }

    fn ask_wallet(&mut self, cx: &mut Cx<'_>) {
        let work = Work::Wallets(WalletsWork::One(self.wallet.address));
        cx.start_latest(&mut self.reading, work);
    }

    fn prompt(&self, action: Action, cx: &mut Cx<'_>) {
        let address = self.wallet.address;
        let present = self.wallet.tags.join(" ");
        cx.modal(match action {
            Action::AddTags => Modal::for_purpose(Purpose::AddTags(vec![address]), ""),
            Action::RemoveTags => Modal::for_purpose(Purpose::RemoveTags(vec![address]), &present),
            Action::Owner => {
                let owner = self.wallet.owner.as_deref().unwrap_or_default();
                Modal::for_purpose(Purpose::Owner(vec![address]), owner)
            }
            Action::Role => Modal::for_purpose(Purpose::Role(vec![address]), &self.wallet.role),
            _ => Modal::for_purpose(Purpose::Label(address), &self.wallet.label),
        });
    }
}

impl Page for WalletScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Wallet, Context::List]
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        match action {
            Action::Refresh => !matches!(shared.node, Node::NotChosen),
            Action::Send
            | Action::Tokens
            | Action::Distribute
            | Action::Consolidate
            | Action::CloseAccounts => self.wallet.solana().is_some(),
            Action::History | Action::Nonces => {
                self.wallet.solana().is_some() && !matches!(shared.node, Node::NotChosen)
            }
            Action::RemoveTags => !self.wallet.tags.is_empty(),
            Action::Rotate => self.wallet.status == WalletStatus::Active,
            Action::Purge => self.wallet.status == WalletStatus::Deleted,
            Action::Primary => self.wallet.owner.is_some() && !self.wallet.is_primary,
            _ => true,
        }
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.ask_history(cx);
        self.ask_lockout(cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Back => cx.go(Nav::Back),
            Action::Copy => cx.copy(self.wallet.address.to_string(), "address"),
            Action::Send if self.wallet.solana().is_some() => {
                cx.go(Nav::Push(Screen::send(self.wallet.clone())));
            }
            Action::Send => cx.notice("transfers from EVM wallets are not made here yet"),
            Action::Tokens if self.wallet.solana().is_some() => {
                let screen = TokensScreen::new(self.wallet.clone());
                cx.go(Nav::Push(Screen::Tokens(Box::new(screen))));
            }
            Action::Nonces if self.wallet.solana().is_some() => {
                let screen = NoncesScreen::new(self.wallet.clone());
                cx.go(Nav::Push(Screen::Nonces(Box::new(screen))));
            }
            Action::History if self.wallet.solana().is_some() => {
                let screen = HistoryScreen::new(self.wallet.clone());
                cx.go(Nav::Push(Screen::History(Box::new(screen))));
            }
            Action::Distribute | Action::Consolidate | Action::CloseAccounts
                if self.wallet.solana().is_some() =>
            {
                open_form(action, &called(&self.wallet), Vec::new(), cx);
            }
            Action::Export => {
                let screen = ExportScreen::new(self.wallet.clone());
                cx.go(Nav::Push(Screen::Export(Box::new(screen))));
            }
            Action::Primary | Action::Delete | Action::Rotate | Action::Purge => {
                decide(action, &self.wallet, cx);
            }
            Action::Label | Action::AddTags | Action::RemoveTags | Action::Owner | Action::Role => {
                self.prompt(action, cx);
            }
            Action::Refresh => {
                cx.shared.ask_again();
                self.ask_history(cx);
                self.ask_wallet(cx);
                self.ask_lockout(cx);
            }
            Action::Up => self.scroll = self.scroll.saturating_sub(1),
            Action::Down => self.scroll = (self.scroll + 1).min(self.history_len().saturating_sub(1)),
            Action::PageUp | Action::First => self.scroll = 0,
            Action::PageDown | Action::Last => self.scroll = self.history_len().saturating_sub(1),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Node(NodeAnswer::History(result)) if self.asking.settle(id) => {
                self.history = match result {
                    Ok(items) => History::Known {
                        items,
                        at_ms: cx.shared.now_ms,
                    },
                    Err(failure) => History::Failed(failure),
                };
                None
            }
            Answer::Wallets(WalletsAnswer::One(result)) if self.reading.settle(id) => {
                if let Ok(Some(wallet)) = result {
                    self.wallet = *wallet;
                }
                None
            }
            Answer::Upkeep(UpkeepAnswer::WalletLockout(result)) if self.counting.settle(id) => {
                // A look that failed says nothing.
                self.lockout = result.ok().flatten().map(|lockout| (lockout, cx.shared.now_ms));
                None
            }
            Answer::Broken(_) if self.counting.settle(id) => None,
            Answer::Broken(failure) if self.asking.settle(id) => {
                self.history = History::Failed(failure);
                None
            }
            other => Some(other),
        }
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        match event {
            Event::WalletsChanged => self.ask_wallet(cx),
            Event::NodeChanged | Event::Shown | Event::JobEnded(_) => {
                self.ask_history(cx);
                self.ask_wallet(cx);
                self.ask_lockout(cx);
            }
            Event::BalancesChanged | Event::ShowOwner(_) | Event::ShowTag(_) | Event::ShowAudit(_) => {}
        }
    }

    fn shown_addresses(&self, _shared: &Shared) -> Vec<Address> {
        self.wallet.solana().copied().into_iter().collect()
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        view::view(self, shared, frame, area);
    }
}

impl WalletScreen {
    fn history_len(&self) -> usize {
        match &self.history {
            History::Known { items, .. } => items.len(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests;
