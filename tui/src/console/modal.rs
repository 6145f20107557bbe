//! Windows above a screen: help, the command palette, errors, questions, prompts and menus.
//!
//! At most one is open. A window does nothing itself: it ends with a [`Followup`] that `update` acts on.

use crossterm::event::KeyEvent;
use keyward_core::account::AccountAddress;
use keyward_core::address::Address;

use keyward_custody::jobs::JobId;

use super::effect::{Failure, RequestId};
use super::input::{Edit, TextInput};
use super::keymap::{Action, Binding, Context, active};

mod prompt;
pub mod view;

use prompt::problem;
pub use prompt::{Closing, Prompt, Purpose, parse_count};

/// A window.
#[derive(Debug)]
pub enum Modal {
    /// The keys of the screen below.
    Help(Help),
    /// Every action by name.
    Palette(PaletteWindow),
    /// Something did not work.
    Error(Failure),
    /// Something did not work while another window was open; that one comes back.
    ErrorAbove(Failure, Box<Modal>),
    /// A question with yes and no.
    Confirm(Confirm),
    /// One line to fill in.
    Prompt(Prompt),
    /// A few actions to choose from.
    Menu(Menu),
}

/// The keys of the screen below.
#[derive(Debug)]
pub struct Help {
    /// The contexts, as they were when it was opened.
    pub contexts: Vec<Context>,
    /// The first line shown.
    pub scroll: u16,
}

/// Every action by name.
#[derive(Debug)]
pub struct PaletteWindow {
    /// What is typed.
    pub input: TextInput,
    /// The actions of the screen below.
    pub bindings: Vec<&'static Binding>,
    /// The one under the cursor, among those that match.
    pub selected: usize,
}

/// How grave a question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gravity {
    /// Nothing that matters is lost.
    Plain,
    /// Money or keys can be lost.
    Danger,
}

/// A question with yes and no.
#[derive(Debug)]
pub struct Confirm {
    /// The question.
    pub title: String,
    /// What yes means.
    pub lines: Vec<String>,
    /// What is done on yes.
    pub decision: Decision,
    /// How grave it is.
    pub gravity: Gravity,
}

/// What a yes decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Leave the console.
    Leave,
    /// Stop a job.
    CancelJob(RequestId),
    /// The screen goes one step back and what was typed is lost.
    Discard,
    /// Rotate every key that is due.
    RotateDue,
    /// Delete a wallet; it can be restored for a while.
    Delete(AccountAddress),
    /// Restore a deleted wallet.
    Restore(AccountAddress),
    /// Make a wallet its owner's primary one.
    Primary(AccountAddress),
    /// Remove an owner without wallets.
    RemoveOwner(String),
    /// Redact the audit entries whose time is over.
    Redact,
    /// Remove somebody from the address book.
    RemoveContact(Address),
    /// Give up what a stored job has not signed.
    CancelBulk(JobId),
    /// Sign what was prepared about the durable nonce in this account.
    Nonce(Address),
}

/// A few actions to choose from.
#[derive(Debug)]
pub struct Menu {
    /// What they are about.
    pub title: String,
    /// The actions with their names.
    pub items: Vec<(Action, &'static str)>,
    /// The one under the cursor.
    pub selected: usize,
}

/// What becomes of a window after a key.
#[derive(Debug)]
pub enum Followup {
    /// It stays.
    Stay,
    /// It closes.
    Close,
    /// It closes and the screen does this.
    Act(Action),
    /// It closes; yes was said.
    Decided(Decision),
    /// It closes; the line is filled in.
    Filled(Purpose, String),
}

impl Modal {
    /// The palette over these contexts.
    #[must_use]
    pub fn palette(bindings: Vec<&'static Binding>) -> Self {
        Self::Palette(PaletteWindow {
            input: TextInput::plain(64),
            bindings,
            selected: 0,
        })
    }

    /// The contexts of its keys.
    #[must_use]
    pub fn contexts(&self) -> Vec<Context> {
        match self {
            Self::Help(_) => vec![Context::Modal, Context::List],
            Self::Palette(_) | Self::Error(_) | Self::ErrorAbove(..) | Self::Prompt(_) => {
                vec![Context::Modal]
            }
            Self::Confirm(_) => vec![Context::Confirm],
            Self::Menu(_) => vec![Context::Choice],
        }
    }

    /// Whether characters are text.
    #[must_use]
    pub fn typing(&self) -> bool {
        matches!(self, Self::Palette(_) | Self::Prompt(_))
    }

    /// Does what a key asks for.
    pub fn act(&mut self, action: Action) -> Followup {
        match self {
            Self::Help(help) => match action {
                Action::Up => help.scroll = help.scroll.saturating_sub(1),
                Action::Down => help.scroll = help.scroll.saturating_add(1).min(help.lines()),
                Action::PageUp => help.scroll = help.scroll.saturating_sub(10),
                Action::PageDown => help.scroll = help.scroll.saturating_add(10).min(help.lines()),
                _ => return Followup::Close,
            },
            Self::Error(_) | Self::ErrorAbove(..) => return Followup::Close,
            Self::Confirm(confirm) => match action {
                Action::Yes => return Followup::Decided(confirm.decision.clone()),
                Action::No => return Followup::Close,
                _ => {}
            },
            Self::Palette(palette) => return palette.act(action),
            Self::Menu(menu) => return menu.act(action),
            Self::Prompt(prompt) => match action {
                Action::Accept => {
                    let text = prompt.input.expose_text().trim().to_owned();
                    match problem(&prompt.purpose, &text) {
                        None => return Followup::Filled(prompt.purpose.clone(), text),
                        Some(found) => prompt.problem = Some(found),
                    }
                }
                Action::Back if prompt.may_close() => return Followup::Close,
                _ => {}
            },
        }
        Followup::Stay
    }

    /// Takes a key that is text or edits text.
    pub fn text(&mut self, key: KeyEvent) {
        match self {
            Self::Palette(palette) => {
                let edit = palette.input.key(key);
                if edit == Edit::Changed {
                    palette.selected = 0;
                }
            }
            Self::Prompt(prompt) => {
                let edit = prompt.input.key(key);
                if edit == Edit::Changed {
                    prompt.problem = None;
                    prompt.closing = Closing::Unasked;
                }
            }
            _ => {}
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        match self {
            Self::Palette(palette) => {
                palette.input.insert(text);
                palette.selected = 0;
            }
            Self::Prompt(prompt) if matches!(prompt.purpose, Purpose::RunPlan(_)) => {
                prompt.problem = Some("type it, please: it is the second look".into());
            }
            Self::Prompt(prompt) => {
                prompt.input.insert(text);
                prompt.closing = Closing::Unasked;
                prompt.problem = None;
            }
            _ => {}
        }
    }
}

impl Help {
    /// How many lines it has; scrolling stops there.
    fn lines(&self) -> u16 {
        let bindings = active(&self.contexts).len();
        u16::try_from(bindings + self.contexts.len()).unwrap_or(u16::MAX)
    }
}

impl PaletteWindow {
    /// The actions whose name holds the typed letters in their order.
    #[must_use]
    pub fn matches(&self) -> Vec<&'static Binding> {
        let typed = self.input.expose_text().to_lowercase();
        self.bindings
            .iter()
            .copied()
            .filter(|binding| holds(binding.name, &typed))
            .collect()
    }

    fn act(&mut self, action: Action) -> Followup {
        let found = self.matches();
        let last = found.len().saturating_sub(1);
        match action {
            Action::Up => self.selected = self.selected.saturating_sub(1),
            Action::Down => self.selected = (self.selected + 1).min(last),
            Action::PageUp => self.selected = self.selected.saturating_sub(10),
            Action::PageDown => self.selected = (self.selected + 10).min(last),
            Action::Accept => {
                return found
                    .get(self.selected)
                    .map_or(Followup::Close, |binding| Followup::Act(binding.action));
            }
            _ => return Followup::Close,
        }
        Followup::Stay
    }
}

impl Menu {
    fn act(&mut self, action: Action) -> Followup {
        match action {
            Action::Up => self.selected = self.selected.saturating_sub(1),
            Action::Down => self.selected = (self.selected + 1).min(self.items.len().saturating_sub(1)),
            Action::Accept => {
                return self
                    .items
                    .get(self.selected)
                    .map_or(Followup::Close, |item| Followup::Act(item.0));
            }
            _ => return Followup::Close,
        }
        Followup::Stay
    }
}

/// Whether `name` holds the letters of `typed` in their order.
fn holds(name: &str, typed: &str) -> bool {
    let mut rest = name.chars();
    typed
        .chars()
        .filter(|ch| !ch.is_whitespace())
        .all(|wanted| rest.any(|ch| ch.eq_ignore_ascii_case(&wanted)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_palette_finds_by_letters_in_order() {
        let mut palette = PaletteWindow {
            input: TextInput::plain(64).with_text("lck"),
            bindings: active(&[Context::Global]),
            selected: 0,
        };
        assert_eq!(palette.matches().first().unwrap().action, Action::Lock);
        assert!(matches!(palette.act(Action::Accept), Followup::Act(Action::Lock)));
        palette.input.insert("zzz");
        assert!(matches!(palette.act(Action::Accept), Followup::Close));
    }

    #[test]
    fn counts_are_checked() {
        assert_eq!(parse_count("10,000"), Ok(10_000));
        assert_eq!(parse_count("1"), Ok(1));
        for wrong in ["", "0", "-1", "1.5", "100001", "4294967296", "ten"] {
            assert!(parse_count(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_prompt_with_a_problem_stays_open() {
        let mut modal = Modal::prompt("Tags", "", "", Purpose::AddTags(Vec::new()));
        assert!(matches!(modal.act(Action::Accept), Followup::Stay));
        modal.paste("x");
        let Modal::Prompt(prompt) = &modal else {
            panic!("still a prompt")
        };
        assert_eq!(prompt.problem, None);
    }
}
