//! The settings: node, idle lock, colours, the vault's password; and what there is to know of the vault.
//!
//! A change is in force at once and is written to the settings file. An endpoint is contacted once it is chosen, and
//! tried on demand; nothing is contacted while a text is being typed.

use keyward_custody::chain::NodeStatus;
use ratatui::Frame;
use ratatui::layout::Rect;

use crate::config::{EndpointPrivacy, Key, Theme, check_rpc_url, check_ws_url};
use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::node::NodeWork;
use crate::console::effects::settings::{SettingsAnswer, SettingsWork};
use crate::console::keymap::{Action, Context};
use crate::console::modal::{Modal, Purpose};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::state::{Node, Shared};

use super::Screen;

#[cfg(test)]
mod tests;
mod view;

/// Idle minutes that the key steps through.
const MINUTES: [u32; 6] = [1, 5, 10, 15, 30, 60];

/// The settings.
#[derive(Debug, Default)]
pub struct SettingsScreen {
    selected: usize,
    trying: Pending,
    tried: Option<Result<NodeStatus, Failure>>,
    saving: Vec<RequestId>,
}

/// A line that can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Setting(Key),
    Limits,
    Password,
}

/// The lines in their order.
const ROWS: [Row; 6] = [
    Row::Setting(Key::RpcUrl),
    Row::Setting(Key::WsUrl),
    Row::Setting(Key::LockAfterMinutes),
    Row::Setting(Key::Theme),
    Row::Limits,
    Row::Password,
];

impl SettingsScreen {
    fn row(&self) -> Row {
        ROWS.get(self.selected).copied().unwrap_or(Row::Password)
    }

    fn edit(&mut self, cx: &mut Cx<'_>) {
        match self.row() {
            Row::Limits => cx.go(Nav::Push(Screen::Limits(Box::default()))),
            Row::Password => cx.go(Nav::Push(Screen::Password(Box::default()))),
            Row::Setting(Key::Theme) => self.change(cx),
            Row::Setting(key) => {
                let (title, hint) = match key {
                    Key::RpcUrl => (
                        "RPC endpoint",
                        "http://127.0.0.1:8899 is a node here; empty: none",
                    ),
                    Key::WsUrl => (
                        "WebSocket endpoint",
                        "ws:// or wss://; empty: worked out from the other",
                    ),
                    Key::MoreRpcUrls => (
                        "Further RPC endpoints",
                        "of the same network, with spaces between; they stand in for the first",
                    ),
                    Key::MaxRequestsPerSecond => (
                        "Requests a second of each endpoint, at most",
                        "1 to 10000; empty: as many as it takes",
                    ),
                    _ => ("Lock after how many idle minutes?", "1 to 1440"),
                };
                let text = cx.shared.config.get(key).unwrap_or_default();
                cx.modal(Modal::prompt(title, hint, &text, Purpose::Setting(key)));
            }
        }
    }

    /// The next value of a setting that has few.
    fn change(&mut self, cx: &mut Cx<'_>) {
        match self.row() {
            Row::Setting(Key::Theme) => {
                let at = Theme::ALL
                    .iter()
                    .position(|theme| *theme == cx.shared.config.theme)
                    .unwrap_or(0);
                let next = Theme::ALL
                    .get((at + 1) % Theme::ALL.len())
                    .copied()
                    .unwrap_or_default();
                self.set(Key::Theme, next.id(), cx);
            }
            Row::Setting(Key::LockAfterMinutes) => {
                let now = cx.shared.config.lock_after_minutes;
                let next = MINUTES
                    .iter()
                    .copied()
                    .find(|minutes| *minutes > now)
                    .unwrap_or(MINUTES[0]);
                self.set(Key::LockAfterMinutes, &next.to_string(), cx);
            }
            Row::Setting(_) | Row::Limits | Row::Password => self.edit(cx),
        }
    }

    /// Puts a value in force and has it written.
    fn set(&mut self, key: Key, value: &str, cx: &mut Cx<'_>) {
        if let Err(error) = cx.shared.config.set(key, value) {
            return cx.modal(Modal::Error(Failure::new(error.to_string(), error.remedy())));
        }
        match key {
            Key::Theme => cx.shared.choose_palette(),
            Key::RpcUrl | Key::WsUrl | Key::MoreRpcUrls | Key::MaxRequestsPerSecond => self.choose_node(cx),
            Key::LockAfterMinutes => {}
        }
        let id = cx.start(Work::Settings(SettingsWork::Save {
            key,
            value: value.to_owned(),
        }));
        self.saving.push(id);
    }

    fn choose_node(&mut self, cx: &mut Cx<'_>) {
        self.tried = None;
        cx.cancel(&mut self.trying);
        cx.shared.node = match cx.shared.config.rpc_url {
            Some(_) => Node::Asking,
            None => Node::NotChosen,
        };
        // Another node is perhaps another network: what the old one said of balances is not true there.
        if let Some(session) = &mut cx.shared.session {
            session.balances = Default::default();
        }
        let config = Box::new(cx.shared.config.clone());
        let id = cx.start_for(
            Work::Node(NodeWork::Choose(config)),
            crate::console::effect::Lifetime::Console,
        );
        cx.shared.waiting.node.replace(id);
        cx.go(Nav::Tell(Event::NodeChanged));
    }

    fn try_node(&mut self, cx: &mut Cx<'_>) {
        self.tried = None;
        let config = Box::new(cx.shared.config.clone());
        cx.start_latest(&mut self.trying, Work::Settings(SettingsWork::Try(config)));
    }
}

/// What should be known of an endpoint's privacy.
fn plain_text(key: Key, url: &str) -> bool {
    let privacy = match key {
        Key::RpcUrl => check_rpc_url(url),
        _ => check_ws_url(url),
    };
    matches!(privacy, Ok(EndpointPrivacy::PlainText))
}

impl Page for SettingsScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Settings, Context::List]
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        match action {
            Action::Change => {
                matches!(self.row(), Row::Setting(Key::Theme | Key::LockAfterMinutes))
            }
            Action::Test => shared.config.rpc_url.is_some() && !self.trying.is_waiting(),
            _ => true,
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        let last = ROWS.len() - 1;
        match action {
            Action::Up => self.selected = self.selected.saturating_sub(1),
            Action::Down => self.selected = (self.selected + 1).min(last),
            Action::First | Action::PageUp => self.selected = 0,
            Action::Last | Action::PageDown => self.selected = last,
            Action::Accept => self.edit(cx),
            Action::Change => self.change(cx),
            Action::Test if self.available(Action::Test, cx.shared) => self.try_node(cx),
            Action::Back => cx.go(Nav::Back),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn click(&mut self, _column: u16, row: u16, _cx: &mut Cx<'_>) {
        if let Some(at) = view::row_at(row) {
            self.selected = at;
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Settings(SettingsAnswer::Saved { key, result }) if self.saving.contains(&id) => {
                self.saving.retain(|waiting| *waiting != id);
                match result {
                    Ok(()) => cx.notice(format!("{key} saved")),
                    Err(mut failure) => {
                        failure.cause.push_str("; the change holds until keyward is left");
                        cx.modal(Modal::Error(failure));
                    }
                }
            }
            Answer::Settings(SettingsAnswer::Tried(result)) if self.trying.settle(id) => {
                self.tried = Some(result)
            }
            Answer::Broken(failure) if self.trying.settle(id) => self.tried = Some(Err(failure)),
            other => return Some(other),
        }
        None
    }

    fn prompted(&mut self, purpose: &Purpose, text: &str, cx: &mut Cx<'_>) {
        if let Purpose::Setting(key) = purpose {
            self.set(*key, text, cx);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        view::view(self, shared, frame, area);
    }
}
