//! The one table of keys: it drives the keys, the bottom bar, the help and the command palette.
//!
//! A key that is not in this table does nothing (text being typed aside), and an action that is not
//! in it cannot be reached. What an action *does* is the screens' business.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

mod action;
mod table;

pub use action::Action;
pub use table::BINDINGS;

/// Where a binding holds. A screen names its contexts, nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// Everywhere.
    Global,
    /// Everywhere once the vault is open.
    Open,
    /// Any list.
    List,
    /// Any form with several fields.
    Form,
    /// While a filter is typed.
    Filter,
    /// Any modal.
    Modal,
    /// A question with yes and no.
    Confirm,
    /// First run: a choice among lines.
    Choice,
    /// First run: the new phrase is shown.
    Phrase,
    /// First run: an existing phrase is typed.
    Import,
    /// First run: choosing passphrase and path.
    Paths,
    /// First run: how many wallets.
    Many,
    /// First run: wallets are being derived.
    Deriving,
    /// The store did not open.
    Trouble,
    /// The locked vault.
    Unlock,
    /// The wallets list.
    Wallets,
    /// Deriving wallets.
    Derive,
    /// A field that names a file.
    File,
    /// Something is done, and said so.
    Done,
    /// Backup and recovery.
    Backup,
    /// What a transaction or message does.
    Inspect,
    /// The search for a path.
    Find,
    /// A wallet's page.
    Wallet,
    /// The send form.
    Send,
    /// The review before a signature.
    Review,
    /// Typing what a doubt asks for before a signature.
    Doubt,
    /// Typing the amount before a signature.
    TypeAmount,
    /// A transfer under way or done.
    Transfer,
    /// The audit log.
    Audit,
    /// The owners.
    Owners,
    /// The keys that are to be replaced.
    Rotations,
    /// The settings.
    Settings,
    /// The token accounts of a wallet.
    Tokens,
    /// What happened to a wallet.
    History,
    /// The durable nonces of a wallet.
    Nonces,
    /// What wallets hold together.
    Portfolio,
    /// The stored jobs.
    Bulk,
    /// One stored job.
    BulkJob,
    /// A stored job held against the chain.
    Report,
    /// A plan, to be read.
    Plan,
    /// The forms that lead to plans.
    Planning,
    /// The address book.
    Book,
    /// The jobs.
    Jobs,
    /// A new vault key is being made.
    Rotating,
    /// What a vault file would bring.
    Merge,
    /// The vault is being copied.
    Copying,
    /// Counts of the audit log.
    AuditCounts,
    /// What was shown of the audit log.
    Proof,
}

impl Context {
    /// Its heading in the help.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::Open => "With the vault open",
            Self::List => "In a list",
            Self::Form => "In a form",
            Self::Filter => "While filtering",
            Self::Modal => "In a window",
            Self::Confirm => "In a question",
            Self::Choice => "First run",
            Self::Phrase => "New phrase",
            Self::Import => "Import",
            Self::Paths => "Passphrase and path",
            Self::Many | Self::Deriving => "The first wallets",
            Self::Trouble => "When the vault cannot be opened",
            Self::Unlock => "Locked vault",
            Self::Wallets => "Wallets",
            Self::Derive => "Derive wallets",
            Self::File => "In a file's name",
            Self::Done => "Done",
            Self::Backup => "Backup and recovery",
            Self::Inspect => "Inspect",
            Self::Find => "Find a path",
            Self::Wallet => "Wallet",
            Self::Send => "Send",
            Self::Review => "Review",
            Self::Doubt => "In doubt",
            Self::TypeAmount => "Typing the amount",
            Self::Transfer => "Transfer",
            Self::Audit => "Audit",
            Self::Owners => "Owners",
            Self::Rotations => "Key rotation",
            Self::Settings => "Settings",
            Self::Tokens => "Tokens",
            Self::History => "History",
            Self::Nonces => "Durable nonces",
            Self::Portfolio => "Portfolio",
            Self::Bulk => "Jobs in bulk",
            Self::BulkJob => "Job in bulk",
            Self::Report => "Report of a job",
            Self::Plan => "Plan",
            Self::Planning => "Before a plan",
            Self::Book => "Address book",
            Self::Jobs => "Jobs",
            Self::Rotating => "New vault key",
            Self::Merge => "Bring a vault's file in",
            Self::Copying => "Copy the vault",
            Self::AuditCounts => "Audit counts",
            Self::Proof => "Proofs of the audit log",
        }
    }
}

/// A key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub code: KeyCode,
    /// Its modifiers; Shift is left out for characters, which carry it themselves.
    pub modifiers: KeyModifiers,
}

impl Key {
    /// A character alone.
    #[must_use]
    pub const fn char(ch: char) -> Self {
        Self {
            code: KeyCode::Char(ch),
            modifiers: KeyModifiers::NONE,
        }
    }

    /// A character with Control.
    #[must_use]
    pub const fn ctrl(ch: char) -> Self {
        Self {
            code: KeyCode::Char(ch),
            modifiers: KeyModifiers::CONTROL,
        }
    }

    /// A named key.
    #[must_use]
    pub const fn named(code: KeyCode) -> Self {
        Self {
            code,
            modifiers: KeyModifiers::NONE,
        }
    }

    fn matches(self, event: KeyEvent) -> bool {
        let mut modifiers = event.modifiers;
        if matches!(event.code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        self.code == event.code && self.modifiers == modifiers
    }

    /// Whether pressing it types a character.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && self.modifiers.is_empty()
    }

    /// How it is written for people: "Ctrl-L", "↑", "space".
    #[must_use]
    pub fn label(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(ch) if self.modifiers.contains(KeyModifiers::CONTROL) => {
                ch.to_uppercase().collect()
            }
            KeyCode::Char(ch) => ch.to_string(),
            KeyCode::Enter => "Enter".into(),
            KeyCode::Esc => "Esc".into(),
            KeyCode::Tab => "Tab".into(),
            KeyCode::BackTab => "Shift-Tab".into(),
            KeyCode::Up => "↑".into(),
            KeyCode::Down => "↓".into(),
            KeyCode::Left => "←".into(),
            KeyCode::Right => "→".into(),
            KeyCode::PageUp => "PgUp".into(),
            KeyCode::PageDown => "PgDn".into(),
            KeyCode::Home => "Home".into(),
            KeyCode::End => "End".into(),
            KeyCode::Delete => "Del".into(),
            KeyCode::F(number) => format!("F{number}"),
            _ => "?".into(),
        };
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            format!("Ctrl-{name}")
        } else {
            name
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// Where it holds.
    pub context: Context,
    /// The keys, the one to show first.
    pub keys: &'static [Key],
    /// What they ask for.
    pub action: Action,
    /// A word or two for the bottom bar; empty when it is not shown there.
    pub hint: &'static str,
    /// What it does, for the help and the palette.
    pub name: &'static str,
}

/// The action of `event` in `contexts` (nearest first). While text is typed (`typing`), keys that
/// type a character are never actions.
#[must_use]
pub fn lookup(contexts: &[Context], event: KeyEvent, typing: bool) -> Option<Action> {
    contexts.iter().find_map(|context| {
        BINDINGS
            .iter()
            .filter(|binding| binding.context == *context)
            .find(|binding| {
                binding
                    .keys
                    .iter()
                    .any(|key| key.matches(event) && !(typing && key.is_text()))
            })
            .map(|binding| binding.action)
    })
}

/// The bindings that hold in `contexts`, nearest first, each action once.
#[must_use]
pub fn active(contexts: &[Context]) -> Vec<&'static Binding> {
    let mut found: Vec<&'static Binding> = Vec::new();
    for context in contexts {
        for binding in BINDINGS.iter().filter(|binding| binding.context == *context) {
            if !found.iter().any(|other| other.action == binding.action) {
                found.push(binding);
            }
        }
    }
    found
}

/// The key to show for `action` in `contexts`.
#[must_use]
pub fn key_label(contexts: &[Context], action: Action, typing: bool) -> Option<String> {
    let binding = active(contexts)
        .into_iter()
        .find(|binding| binding.action == action)?;
    binding
        .keys
        .iter()
        .find(|key| !(typing && key.is_text()))
        .map(|key| key.label())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(code, modifiers)
    }

    #[test]
    fn no_key_means_two_things_in_one_context() {
        for (at, one) in BINDINGS.iter().enumerate() {
            for other in BINDINGS.iter().skip(at + 1) {
                if one.context == other.context {
                    for key in one.keys {
                        assert!(
                            !other.keys.contains(key),
                            "{} in {:?} is both {:?} and {:?}",
                            key.label(),
                            one.context,
                            one.action,
                            other.action
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_binding_has_a_key_and_a_name() {
        for binding in BINDINGS {
            assert!(
                !binding.keys.is_empty() && !binding.name.is_empty(),
                "{binding:?}"
            );
        }
    }

    #[test]
    fn typing_wins_over_letters_but_not_over_control_keys() {
        let contexts = [Context::Wallets, Context::List, Context::Global];
        let q = press(KeyCode::Char('q'), KeyModifiers::NONE);
        assert_eq!(lookup(&contexts, q, false), Some(Action::Quit));
        assert_eq!(lookup(&contexts, q, true), None);
        let lock = press(KeyCode::Char('l'), KeyModifiers::CONTROL);
        assert_eq!(lookup(&contexts, lock, true), Some(Action::Lock));
    }

    #[test]
    fn shifted_characters_match() {
        let contexts = [Context::List];
        let last = press(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(lookup(&contexts, last, false), Some(Action::Last));
    }

    #[test]
    fn the_nearest_context_wins() {
        let enter = press(KeyCode::Enter, KeyModifiers::NONE);
        assert_eq!(
            lookup(&[Context::Filter, Context::List], enter, true),
            Some(Action::Accept)
        );
    }
}
