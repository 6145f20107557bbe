//! Prompts: one line to fill in, what it is for, and what can be wrong with it.

use keyward_core::account::AccountAddress;
use keyward_core::address::Address;

use keyward_custody::jobs::JobId;

use super::Modal;
use crate::config::{Config, ConfigError, Key};
use crate::console::effects::plans::Typed;
use crate::console::input::TextInput;
use crate::console::text::count;
/// The longest label, tag list or count that a prompt takes, in bytes.
const PROMPT_BYTES: usize = 256;

/// One line to fill in.
#[derive(Debug)]
pub struct Prompt {
    /// What is asked.
    pub title: String,
    /// How to answer.
    pub hint: String,
    /// The line.
    pub input: TextInput,
    /// What it is for.
    pub purpose: Purpose,
    /// What the line held when the prompt was opened.
    pub before: String,
    /// What was wrong with the line.
    pub problem: Option<String>,
    /// Whether closing was asked for already, with text that would be lost.
    pub closing: Closing,
}

/// Whether a prompt may close with text in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Not asked for.
    Unasked,
    /// Asked for once; once more closes it.
    Asked,
}

impl Prompt {
    /// Whether nothing typed would be lost, or it was asked for twice.
    pub(super) fn may_close(&mut self) -> bool {
        if self.input.expose_text() == self.before || self.closing == Closing::Asked {
            return true;
        }
        self.closing = Closing::Asked;
        self.problem = Some("Esc once more drops what you typed".into());
        false
    }
}

/// What a prompt is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The label of a wallet.
    Label(AccountAddress),
    /// Tags to add to wallets.
    AddTags(Vec<AccountAddress>),
    /// Tags to take off wallets.
    RemoveTags(Vec<AccountAddress>),
    /// The owner of wallets; empty for none.
    Owner(Vec<AccountAddress>),
    /// What wallets are for; empty for nothing in particular.
    Role(Vec<AccountAddress>),
    /// A new owner's name.
    NewOwner,
    /// Another name for this owner.
    RenameOwner(String),
    /// Something decided by a yes: there is nothing to type.
    Decided,
    /// A setting.
    Setting(Key),
    /// The file for a checkpoint of the audit log.
    CheckpointFile,
    /// The file for audit entries.
    AuditFile,
    /// The label of a contact.
    ContactLabel(Address),
    /// How many items of a stored job are to be done, to run it.
    RunBulk(JobId, u64),
    /// What moves by a plan, to have it signed and sent.
    RunPlan(Typed),
}

impl Purpose {
    /// What Enter does.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::RunBulk(..) | Self::RunPlan(_) => "sign and send",
            _ => "save",
        }
    }
}

impl Modal {
    /// A prompt that begins with `text`.
    #[must_use]
    pub fn prompt(title: impl Into<String>, hint: impl Into<String>, text: &str, purpose: Purpose) -> Self {
        Self::Prompt(Prompt {
            title: title.into(),
            hint: hint.into(),
            input: TextInput::plain(PROMPT_BYTES).with_text(text),
            purpose,
            before: text.to_owned(),
            problem: None,
            closing: Closing::Unasked,
        })
    }

    /// This window, opened while `open` was: a message keeps what it covers, anything else replaces it.
    #[must_use]
    pub fn above(self, open: Option<Self>) -> Self {
        match (self, open) {
            (Self::Error(failure), Some(Self::ErrorAbove(_, below))) => Self::ErrorAbove(failure, below),
            (Self::Error(failure), Some(Self::Error(_)) | None) => Self::Error(failure),
            (Self::Error(failure), Some(below)) => Self::ErrorAbove(failure, Box::new(below)),
            (window, _) => window,
        }
    }

    /// What is left when this window closes.
    #[must_use]
    pub fn uncovered(self) -> Option<Self> {
        match self {
            Self::ErrorAbove(_, below) => Some(*below),
            _ => None,
        }
    }

    /// The prompt for a purpose that means the same on every screen, filled with `text`.
    #[must_use]
    pub fn for_purpose(purpose: Purpose, text: &str) -> Self {
        let tags_hint = "names, separated by spaces or commas";
        let (title, hint) = match &purpose {
            Purpose::Label(address) => (
                format!("Label of {}", address.abbreviated()),
                "empty takes the label away",
            ),
            Purpose::AddTags(targets) => (format!("Add tags to {}", wallets(targets)), tags_hint),
            Purpose::RemoveTags(targets) => (format!("Remove tags from {}", wallets(targets)), tags_hint),
            Purpose::Owner(targets) => (
                format!("Owner of {}", wallets(targets)),
                "a name as in the list of owners (9); empty takes them away from theirs",
            ),
            Purpose::Role(targets) => (
                format!("Role of {}", wallets(targets)),
                "trading, treasury, deposit or another word; empty for none",
            ),
            Purpose::NewOwner => ("New owner".into(), "a name that no other owner has"),
            Purpose::RenameOwner(name) => (format!("Another name for {name}"), "its wallets stay its own"),
            Purpose::Setting(_)
            | Purpose::CheckpointFile
            | Purpose::AuditFile
            | Purpose::RunBulk(..)
            | Purpose::RunPlan(_)
            | Purpose::ContactLabel(_)
            | Purpose::Decided => ("?".into(), ""),
        };
        Self::prompt(title, hint, text, purpose)
    }
}

fn wallets(targets: &[AccountAddress]) -> String {
    count(targets.len() as u64, "wallet", "wallets")
}

/// What is wrong with a filled-in line, if the console can tell by itself.
pub(super) fn problem(purpose: &Purpose, text: &str) -> Option<String> {
    match purpose {
        Purpose::AddTags(_) | Purpose::RemoveTags(_) if text.is_empty() => {
            Some("name at least one tag".into())
        }
        Purpose::Setting(key) => setting_problem(*key, text),
        Purpose::RunBulk(_, count) if text.replace(',', "") != count.to_string() => {
            Some("that is not how many there are".into())
        }
        Purpose::RunPlan(typed) if !typed.is(text) => Some(match typed {
            Typed::Amount { .. } => "that is not the amount".into(),
            Typed::Count(_) => "that is not how many there are".into(),
        }),
        Purpose::ContactLabel(_) if text.is_empty() => Some("type a label".into()),
        Purpose::CheckpointFile | Purpose::AuditFile if text.is_empty() => Some("name a file".into()),
        Purpose::NewOwner | Purpose::RenameOwner(_) if text.trim().is_empty() => Some("type a name".into()),
        _ => None,
    }
}

/// Why a setting does not take this value. The prompt says which setting it is.
fn setting_problem(key: Key, text: &str) -> Option<String> {
    match Config::default().set(key, text) {
        Err(ConfigError::Value { reason, .. }) => Some(reason.to_owned()),
        Err(error) => Some(error.to_string()),
        Ok(()) => None,
    }
}

/// Reads the number of wallets to derive: 1 to 100,000, digits may be grouped.
///
/// # Errors
/// What is wrong with it, for people.
pub fn parse_count(text: &str) -> Result<u32, String> {
    let digits: String = text.chars().filter(|ch| !matches!(ch, ',' | '_' | ' ')).collect();
    match digits.parse::<u32>() {
        Ok(count) if (1..=keyward_custody::wallets::MAX_DERIVE).contains(&count) => Ok(count),
        Ok(_) => Err("between 1 and 100,000".into()),
        Err(_) => Err("a whole number, please".into()),
    }
}
