//! The list of wallets: virtual, filtered as one types, with marks that survive filtering.
//!
//! Only the rows on the screen and their neighbours are ever read from the store; balances are asked for
//! what is seen alone.

use std::collections::BTreeSet;
use std::fmt;

use crossterm::event::KeyEvent;
use keyward_core::account::{AccountAddress, Chain};
use keyward_core::address::Address;
use keyward_custody::{Wallet, WalletPage, WalletQuery, WalletSort, WalletStatus};
use ratatui::Frame;
use ratatui::layout::Rect;

use super::Screen;
use super::wallet::WalletScreen;
use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::wallets::{WalletsAnswer, WalletsWork};
use crate::console::input::{Edit, TextInput};
use crate::console::keymap::{Action, Context};
use crate::console::layout;
use crate::console::modal::Modal;
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::screen::purge::PurgeScreen;
use crate::console::state::Shared;

pub mod acting;
mod filter;
mod view;
mod window;

use window::Window;

/// The most wallets that can be marked.
const MAX_MARKS: usize = 100_000;
/// Rows above the first wallet: the heading and the names of the columns.
const HEAD_ROWS: u16 = 2;

/// What the keys do at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mode {
    /// They move and act.
    #[default]
    List,
    /// They type the filter.
    Filter,
}

/// The list of wallets.
pub struct Wallets {
    mode: Mode,
    filter: TextInput,
    sort: WalletSort,
    descending: bool,
    cursor: u64,
    top: u64,
    window: Window,
    reading: Pending,
    marks: BTreeSet<AccountAddress>,
    marking: Pending,
    failure: Option<Failure>,
}

impl Default for Wallets {
    fn default() -> Self {
        Self {
            mode: Mode::List,
            filter: TextInput::plain(128),
            sort: WalletSort::Index,
            descending: false,
            cursor: 0,
            top: 0,
            window: Window::default(),
            reading: Pending::default(),
            marks: BTreeSet::new(),
            marking: Pending::default(),
            failure: None,
        }
    }
}

impl fmt::Debug for Wallets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wallets")
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}

impl Wallets {
    /// The wallet under the cursor, if its row has been read.
    #[must_use]
    pub fn selected(&self) -> Option<&Wallet> {
        self.window.row(self.cursor)
    }

    /// The query for what the filter says, in the order chosen.
    fn query(&self) -> WalletQuery {
        WalletQuery {
            sort: self.sort,
            descending: self.descending,
            ..filter::query(self.filter.expose_text())
        }
    }

    /// Reads the rows around what is seen, if they are not there already.
    fn read(&mut self, cx: &mut Cx<'_>) {
        let seen = seen_rows(cx.shared);
        if let Some((offset, limit)) = self.window.missing(self.top, seen) {
            let query = WalletQuery {
                offset,
                limit,
                ..self.query()
            };
            self.window.asked(offset, limit);
            cx.start_latest(&mut self.reading, Work::Wallets(WalletsWork::Page(query)));
        }
    }

    /// Reads again because the question changed; the cursor goes to the top.
    fn ask_anew(&mut self, cx: &mut Cx<'_>) {
        self.cursor = 0;
        self.top = 0;
        self.window.outdate();
        self.read(cx);
    }

    fn page_read(&mut self, result: Result<WalletPage, Failure>, cx: &mut Cx<'_>) {
        match result {
            Ok(page) => {
                self.failure = None;
                self.window.fill(page);
                self.move_to(self.cursor, cx);
            }
            Err(failure) => {
                self.window.give_up();
                self.failure = Some(failure);
            }
        }
    }

    fn move_to(&mut self, row: u64, cx: &mut Cx<'_>) {
        let total = self.window.total().unwrap_or(0);
        let seen = seen_rows(cx.shared).max(1);
        self.cursor = row.min(total.saturating_sub(1));
        // The last rows stand at the bottom, never alone at the top.
        let highest = self.cursor.min(total.saturating_sub(seen));
        self.top = self.top.min(highest).max((self.cursor + 1).saturating_sub(seen));
        self.read(cx);
    }

    fn next_sort(&mut self, cx: &mut Cx<'_>) {
        self.sort = match self.sort {
            WalletSort::Index => WalletSort::Label,
            WalletSort::Label => WalletSort::LastUsed,
            WalletSort::LastUsed => WalletSort::Trades,
            WalletSort::Trades => WalletSort::Volume,
            WalletSort::Volume => WalletSort::Owner,
            WalletSort::Owner => WalletSort::Created,
            WalletSort::Created => WalletSort::Index,
        };
        // The newest and the most is what one looks for first.
        self.descending = matches!(
            self.sort,
            WalletSort::LastUsed | WalletSort::Trades | WalletSort::Volume | WalletSort::Created
        );
        self.ask_anew(cx);
    }

    fn open_selected(&self, cx: &mut Cx<'_>) {
        if let Some(wallet) = self.selected() {
            cx.go(Nav::Push(Screen::Wallet(Box::new(WalletScreen::new(
                wallet.clone(),
            )))));
        }
    }

    fn move_by_key(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        let page = seen_rows(cx.shared).max(1);
        let to = match action {
            Action::Up => self.cursor.saturating_sub(1),
            Action::Down => self.cursor.saturating_add(1),
            Action::PageUp => self.cursor.saturating_sub(page),
            Action::PageDown => self.cursor.saturating_add(page),
            Action::First => 0,
            Action::Last => u64::MAX - 1,
            _ => return Handled::No,
        };
        self.move_to(to, cx);
        Handled::Yes
    }

    fn act_in_filter(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Accept => self.mode = Mode::List,
            Action::ClearFilter => self.clear_filter(cx),
            _ => return self.move_by_key(action, cx),
        }
        Handled::Yes
    }

    /// Steps through the chains: the filter says which one is shown.
    fn next_chain(&mut self, cx: &mut Cx<'_>) {
        let next = match self.query().chain {
            None => Some(Chain::Solana),
            Some(Chain::Solana) => Some(Chain::Evm),
            Some(Chain::Evm) => None,
        };
        let others: Vec<String> = self
            .filter
            .expose_text()
            .split_whitespace()
            .filter(|word| !word.starts_with("chain:"))
            .map(str::to_owned)
            .chain(next.map(|chain| format!("chain:{chain}")))
            .collect();
        self.filter.clear();
        self.filter.insert(&others.join(" "));
        self.ask_anew(cx);
    }

    fn clear_filter(&mut self, cx: &mut Cx<'_>) {
        self.mode = Mode::List;
        if !self.filter.is_empty() {
            self.filter.clear();
            self.ask_anew(cx);
        }
    }
}

/// How many wallets fit on the screen.
fn seen_rows(shared: &Shared) -> u64 {
    u64::from(layout::areas(shared.size).body.height.saturating_sub(HEAD_ROWS))
}

impl Page for Wallets {
    fn contexts(&self) -> Vec<Context> {
        match self.mode {
            Mode::List => vec![Context::Wallets, Context::List],
            Mode::Filter => vec![Context::Filter],
        }
    }

    fn typing(&self) -> bool {
        self.mode == Mode::Filter
    }

    fn available(&self, action: Action, _shared: &Shared) -> bool {
        match action {
            Action::Send => self.selected().is_some_and(|wallet| wallet.solana().is_some()),
            Action::Distribute | Action::Consolidate | Action::CloseAccounts => {
                !self.marks.is_empty() || self.selected().is_some_and(|wallet| wallet.solana().is_some())
            }
            Action::ClearMarks => !self.marks.is_empty(),
            Action::ClearFilter => !self.filter.is_empty(),
            Action::Accept
            | Action::Mark
            | Action::Act
            | Action::Label
            | Action::Copy
            | Action::Owner
            | Action::Role
            | Action::Delete => self.selected().is_some(),
            Action::Primary => self
                .selected()
                .is_some_and(|wallet| wallet.owner.is_some() && !wallet.is_primary),
            Action::Rotate => self
                .selected()
                .is_some_and(|wallet| wallet.status == WalletStatus::Active),
            _ => true,
        }
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.read(cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if self.mode == Mode::Filter {
            return self.act_in_filter(action, cx);
        }
        match action {
            Action::Accept => self.open_selected(cx),
            Action::Mark => self.toggle_mark(cx),
            Action::MarkAll => {
                let work = Work::Wallets(WalletsWork::Matching(self.query()));
                cx.start_latest(&mut self.marking, work);
            }
            Action::ClearMarks => self.marks.clear(),
            Action::Act => self.act_on_marked(cx),
            Action::Label | Action::AddTags | Action::RemoveTags | Action::Owner | Action::Role => {
                self.prompt(action, cx);
            }
            Action::Primary | Action::Delete | Action::Rotate => self.act_on_one(action, cx),
            Action::Distribute | Action::Consolidate | Action::CloseAccounts => self.plan(action, cx),
            Action::Purge => {
                let screen = PurgeScreen::new(self.selected().cloned());
                cx.go(Nav::Push(Screen::Purge(Box::new(screen))));
            }
            Action::Derive => cx.go(Nav::Push(Screen::Derive(Box::default()))),
            Action::NextChain => self.next_chain(cx),
            Action::Filter => self.mode = Mode::Filter,
            Action::ClearFilter => self.clear_filter(cx),
            Action::Sort => self.next_sort(cx),
            Action::Reverse => {
                self.descending = !self.descending;
                self.ask_anew(cx);
            }
            Action::Refresh => {
                cx.shared.ask_again();
                self.window.outdate();
                self.read(cx);
            }
            Action::Copy => self.copy(cx),
            Action::Send => match self.selected() {
                Some(wallet) if wallet.solana().is_some() => {
                    cx.go(Nav::Push(Screen::send(wallet.clone())));
                }
                Some(_) => cx.notice("transfers from EVM wallets are not made here yet"),
                None => {}
            },
            _ => return self.move_by_key(action, cx),
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, cx: &mut Cx<'_>) {
        if self.filter.key(key) == Edit::Changed {
            self.ask_anew(cx);
        }
    }

    fn paste(&mut self, text: &str, cx: &mut Cx<'_>) {
        // Pasting an address into the list looks for it.
        self.mode = Mode::Filter;
        self.filter.insert(text.trim());
        self.ask_anew(cx);
    }

    fn click(&mut self, _column: u16, row: u16, cx: &mut Cx<'_>) {
        let Some(offset) = row.checked_sub(HEAD_ROWS) else {
            return;
        };
        let row = self.top.saturating_add(u64::from(offset));
        if row >= self.window.total().unwrap_or(0) {
            return;
        }
        if row == self.cursor {
            self.open_selected(cx);
        } else {
            self.move_to(row, cx);
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Wallets(WalletsAnswer::Page(result)) if self.reading.settle(id) => {
                self.page_read(result, cx);
                None
            }
            Answer::Wallets(WalletsAnswer::Matching(result)) if self.marking.settle(id) => {
                match result {
                    Ok(found) => {
                        let room = MAX_MARKS.saturating_sub(self.marks.len());
                        self.marks.extend(found.into_iter().take(room));
                    }
                    Err(failure) => cx.modal(Modal::Error(failure)),
                }
                None
            }
            Answer::Broken(failure) if self.reading.settle(id) || self.marking.settle(id) => {
                self.window.give_up();
                self.failure = Some(failure);
                None
            }
            other => Some(other),
        }
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        match event {
            Event::WalletsChanged => {
                self.window.outdate();
                self.read(cx);
            }
            Event::ShowTag(name) => {
                self.filter.clear();
                self.filter.insert(&filter::for_tag(name));
                self.ask_anew(cx);
            }
            Event::ShowOwner(name) => {
                self.filter.clear();
                self.filter.insert(&filter::for_owner(name));
                self.ask_anew(cx);
            }
            // The terminal may have been resized while another screen was shown.
            Event::Shown => self.move_to(self.cursor, cx),
            _ => {}
        }
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        // After a resize more rows may be seen than were read.
        if self.failure.is_none() {
            self.read(cx);
        }
    }

    fn shown_addresses(&self, shared: &Shared) -> Vec<Address> {
        self.window
            .rows(self.top, seen_rows(shared))
            .filter_map(|(_, wallet)| wallet.solana().copied())
            .collect()
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        view::view(self, shared, frame, area);
    }
}

#[cfg(test)]
mod tests;
