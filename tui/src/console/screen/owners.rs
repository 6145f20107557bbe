//! The owners of wallets: how many each has, adding, renaming and removing them.

use keyward_custody::wallets::MAX_PAGE;
use keyward_custody::{Owner, OwnerPage, OwnerQuery};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::console::effect::{Answer, RequestId, Work};
use crate::console::effects::wallets::{WalletsAnswer, WalletsWork};
use crate::console::keymap::{Action, Context};
use crate::console::list::{Listing, Rows, Words};
use crate::console::modal::{Confirm, Decision, Gravity, Modal, Purpose};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::state::Shared;
use crate::console::text::{fitted, grouped, printable, utc};
use crate::console::widget::short_address;

#[cfg(test)]
mod tests;

const NAME: usize = 26;

impl Rows for OwnerPage {
    fn count(&self) -> usize {
        self.rows.len()
    }
}

/// The list.
#[derive(Debug, Default)]
pub struct OwnersScreen {
    list: Listing<OwnerPage>,
}

impl OwnersScreen {
    fn at(&self, at: usize) -> Option<&Owner> {
        self.list.content()?.rows.get(at)
    }

    fn owner(&self) -> Option<&Owner> {
        self.at(self.list.selected())
    }

    /// The first thousand by name; who has more names one in the list of wallets.
    fn read(&mut self, cx: &mut Cx<'_>) {
        let query = OwnerQuery {
            limit: MAX_PAGE,
            ..OwnerQuery::default()
        };
        self.list.read(Work::Wallets(WalletsWork::Owners(query)), cx);
    }

    fn ask_to_remove(&self, cx: &mut Cx<'_>) {
        let Some(owner) = self.owner() else { return };
        if owner.wallets + owner.others > 0 {
            return cx.notice("it has wallets; give them to another owner first (w in the list of wallets)");
        }
        cx.modal(Modal::Confirm(Confirm {
            title: format!("Remove {}?", printable(&owner.name)),
            lines: vec!["It has no wallets.".into()],
            decision: Decision::RemoveOwner(owner.name.clone()),
            gravity: Gravity::Plain,
        }));
    }

    fn cells(&self, at: usize, shared: &Shared) -> Vec<Span<'static>> {
        let palette = &shared.palette;
        let Some(owner) = self.at(at) else {
            return Vec::new();
        };
        let name = fitted(&printable(&owner.name), NAME);
        let mut cells = vec![
            Span::styled(format!("{name:<NAME$}"), palette.text),
            Span::styled(
                format!("{:>9}{:>9}   ", grouped(owner.wallets), grouped(owner.others)),
                palette.text,
            ),
        ];
        match &owner.primary {
            Some(primary) => cells.extend(short_address(&primary.to_string(), palette)),
            None => cells.push(Span::styled(format!("{:<15}", "none"), palette.muted)),
        }
        let added = utc(owner.created_ms).chars().take(10).collect::<String>();
        cells.push(Span::styled(format!("   {added}"), palette.muted));
        cells
    }
}

impl Page for OwnersScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Owners, Context::List]
    }

    fn available(&self, action: Action, _shared: &Shared) -> bool {
        match action {
            Action::Accept | Action::Edit => self.owner().is_some(),
            Action::Delete => self
                .owner()
                .is_some_and(|owner| owner.wallets + owner.others == 0),
            _ => true,
        }
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.read(cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Accept => {
                if let Some(name) = self.owner().map(|owner| owner.name.clone()) {
                    cx.go(Nav::Tell(Event::ShowOwner(name)));
                    cx.go(Nav::Home);
                }
            }
            Action::New => cx.modal(Modal::for_purpose(Purpose::NewOwner, "")),
            Action::Edit => {
                if let Some(owner) = self.owner() {
                    let purpose = Purpose::RenameOwner(owner.name.clone());
                    cx.modal(Modal::for_purpose(purpose, &owner.name));
                }
            }
            Action::Delete => self.ask_to_remove(cx),
            Action::Refresh => self.read(cx),
            Action::Back => cx.go(Nav::Back),
            _ => return self.list.act(action, cx.shared),
        }
        Handled::Yes
    }

    fn click(&mut self, _column: u16, row: u16, cx: &mut Cx<'_>) {
        self.list.click(row, cx.shared);
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Wallets(WalletsAnswer::Owners(result)) if self.list.awaits(id) => {
                self.list.take(result, cx.shared);
            }
            Answer::Broken(failure) if self.list.awaits(id) => self.list.take(Err(failure), cx.shared),
            other => return Some(other),
        }
        None
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        if matches!(event, Event::WalletsChanged | Event::Shown) {
            self.read(cx);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let remark = match self.list.content() {
            Some(page) if page.total > page.rows.len() as u64 => {
                format!(
                    "{}, the first {} shown",
                    grouped(page.total),
                    grouped(page.rows.len() as u64)
                )
            }
            Some(page) => grouped(page.total),
            None => String::new(),
        };
        let names = format!(
            "{:<NAME$}{:>9}{:>9}   {:<15}   {}",
            "owner", "wallets", "others", "primary", "added"
        );
        let words = Words {
            title: "Owners",
            remark: &remark,
            names: &names,
            reading: "the owners",
            empty: "No owners yet. n adds one; w in the list of wallets gives wallets to it. How many one may have is \
                    a limit of the vault (4 settings).",
        };
        self.list
            .view(&words, |at| self.cells(at, shared), shared, frame, area);
    }
}
