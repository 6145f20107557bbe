//! The send form as a page: which keys, texts and answers mean what.

use crossterm::event::KeyEvent;
use keyward_core::address::Address;
use keyward_custody::transfer::Repeat;
use ratatui::Frame;
use ratatui::layout::Rect;

use super::reading::{self, Recipient};
use super::{Field, SendForm, start_resuming, view};
use crate::console::effect::{Answer, RequestId};
use crate::console::effects::send::{About, Obstacle, SendAnswer};
use crate::console::keymap::{Action, Context};
use crate::console::modal::Decision;
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::screen::Screen;
use crate::console::screen::tokens::TokensScreen;
use crate::console::state::Shared;

impl Page for SendForm {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Send]
    }

    fn typing(&self) -> bool {
        true
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        match action {
            Action::Resume => self.is_unresolved(),
            Action::Separate => {
                matches!(
                    &self.obstacle,
                    Some(Obstacle {
                        about: About::Unresolved(_),
                        ..
                    })
                )
            }
            Action::GoSettings => !shared.node.is_online(),
            Action::Tokens => self.token.is_none(),
            Action::Up | Action::Down => self.suggestions.len() > 1,
            _ => true,
        }
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.list_unresolved(cx);
        self.recipient_changed(cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Accept => self.accept(cx),
            Action::Next | Action::Previous => {
                let forwards = action == Action::Next;
                // A label is turned into its address when the field is left; a wrong one is said at the end.
                if self.focus == Field::To
                    && matches!(reading::recipient(self.to.expose_text()), Recipient::Name(_))
                {
                    self.settle_recipient(cx);
                    self.problem = None;
                }
                self.focus = self.focus.step(forwards);
            }
            Action::Down if self.focus == Field::To && !self.suggestions.is_empty() => {
                self.selected = (self.selected + 1).min(self.suggestions.len() - 1);
            }
            Action::Up if self.focus == Field::To && !self.suggestions.is_empty() => {
                self.selected = self.selected.saturating_sub(1);
            }
            Action::Down => self.focus = self.focus.step(true),
            Action::Up => self.focus = self.focus.step(false),
            Action::Tokens if self.token.is_none() => {
                let list = TokensScreen::new(self.from.clone());
                cx.go(Nav::Push(Screen::Tokens(Box::new(list))));
            }
            Action::Resume if self.is_unresolved() => start_resuming(cx),
            Action::Separate if self.available(Action::Separate, cx.shared) => {
                self.prepare(Repeat::Separate, cx)
            }
            Action::Back => self.back(cx),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, cx: &mut Cx<'_>) {
        let edit = self.input().key(key);
        self.changed(edit, cx);
    }

    fn paste(&mut self, text: &str, cx: &mut Cx<'_>) {
        // A payment link is one wherever it is pasted, and stands for the whole form.
        if matches!(reading::recipient(text), Recipient::Link(_)) {
            self.focus = Field::To;
            self.to.clear();
        }
        let edit = self.input().insert(text.trim());
        self.changed(edit, cx);
    }

    fn click(&mut self, _column: u16, row: u16, _cx: &mut Cx<'_>) {
        if let Some(field) = view::field_at(row) {
            self.focus = field;
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Send(SendAnswer::Known(result)) if self.searching.settle(id) => {
                // Not knowing whose it is costs a name on the screen, nothing else.
                self.known = result.ok().flatten();
            }
            Answer::Send(SendAnswer::Suggested(result)) if self.searching.settle(id) => {
                self.suggested(result.unwrap_or_default(), cx);
            }
            Answer::Send(SendAnswer::Unresolved(result)) if self.listing.settle(id) => {
                // Not knowing clears nothing up: what was unresolved may still be.
                let Ok(unresolved) = result else { return None };
                self.unresolved = unresolved;
                let listed = |signature| self.unresolved.contains(&signature);
                if matches!(&self.obstacle, Some(Obstacle { about: About::Unresolved(signature), .. }) if !listed(*signature))
                {
                    self.obstacle = None;
                }
            }
            Answer::Send(SendAnswer::Prepared(result)) if self.preparing.settle(id) => {
                self.prepared(result, cx)
            }
            Answer::Broken(failure) if self.preparing.settle(id) => {
                self.obstacle = Some(Obstacle {
                    failure,
                    about: About::Other,
                });
            }
            other => return Some(other),
        }
        None
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        match event {
            Event::JobEnded(_) => self.list_unresolved(cx),
            Event::Shown => {
                self.list_unresolved(cx);
                // Another page may have changed the address book.
                if self.known.is_some() || !self.suggestions.is_empty() {
                    self.recipient_changed(cx);
                }
            }
            Event::NodeChanged
                if matches!(
                    &self.obstacle,
                    Some(Obstacle {
                        about: About::Node,
                        ..
                    })
                ) && cx.shared.node.is_online() =>
            {
                self.obstacle = None;
            }
            _ => {}
        }
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if *decision == Decision::Discard {
            cx.go(Nav::Back);
        }
    }

    fn shown_addresses(&self, _shared: &Shared) -> Vec<Address> {
        let mut shown: Vec<Address> = self.from.solana().copied().into_iter().collect();
        if let Recipient::Address(address) = reading::recipient(self.to.expose_text()) {
            shown.push(address);
        }
        shown
    }

    fn unsaved(&self) -> bool {
        [&self.to, &self.amount, &self.memo]
            .iter()
            .any(|field| !field.is_empty())
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        view::view(self, shared, frame, area);
    }
}
