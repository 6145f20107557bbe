//! Marks, and what can be done with the marked wallets or the one under the cursor.

use keyward_core::account::AccountAddress;

use super::{MAX_MARKS, Wallets};
use crate::console::keymap::Action;
use crate::console::modal::{Modal, Purpose};
use crate::console::page::Cx;
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
            items.push((Action::Copy, "copy the address"));
        } else {
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

    pub(super) fn prompt(&self, action: Action, cx: &mut Cx<'_>) {
        let targets = self.targets();
        let (purpose, text) = match (action, self.selected()) {
            (Action::Label, Some(wallet)) => (Purpose::Label(wallet.address), wallet.label.as_str()),
            (Action::AddTags, _) if !targets.is_empty() => (Purpose::AddTags(targets), ""),
            (Action::RemoveTags, _) if !targets.is_empty() => (Purpose::RemoveTags(targets), ""),
            _ => return,
        };
        cx.modal(Modal::for_purpose(purpose, text));
    }
}
