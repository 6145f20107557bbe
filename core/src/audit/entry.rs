//! One line of the audit log, and the canonical bytes that become a leaf of the tree.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::operation::Operation;
use super::tree::{Hash, leaf_hash};
use crate::account::AccountAddress;
use crate::address::Address;
use crate::evm::EvmAddress;

/// First bytes of an entry without client: the format's name and its version.
const MAGIC_1: [u8; 4] = *b"KWA\x01";

/// First bytes of an entry that says where it was asked for.
const MAGIC_2: [u8; 4] = *b"KWA\x02";

/// The most bytes of an entry that are read.
const MAX_ENTRY_BYTES: usize = 1 << 20;

/// An entry.
///
/// # Security
/// Nothing secret may enter any field: entries are read by whoever reads the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Place in the log, from 0, without gaps.
    pub sequence: u64,
    /// When, in milliseconds since 1970.
    pub time_ms: u64,
    /// Who asked for it.
    pub actor: String,
    /// What was asked for.
    pub operation: Operation,
    /// The wallet concerned.
    pub wallet: Option<AccountAddress>,
    /// What came of it.
    pub outcome: Outcome,
    /// Codes of the reasons, if it was refused or failed.
    pub reason: String,
    /// Hash of what it was about: an intent's hash.
    pub subject: Option<[u8; 32]>,
    /// Further facts in a form that the operation defines.
    pub details: String,
    /// The client's address as a keyed hash (see [`super::client_hash`]); none of an entry made while the vault was
    /// locked, nor before version 2 of the format.
    pub client_address: Option<[u8; 32]>,
    /// The client's fingerprint as a keyed hash; none as above.
    pub client_fingerprint: Option<[u8; 32]>,
}

/// What came of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Allowed and reserved; what follows says how it ended.
    Authorised,
    /// Signed.
    Signed,
    /// Refused.
    Refused,
    /// Attempted without success.
    Failed,
    /// Done.
    Done,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: &'static [Self] = &[
        Self::Authorised,
        Self::Signed,
        Self::Refused,
        Self::Failed,
        Self::Done,
    ];

    /// The name in filters and stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorised => "authorised",
            Self::Signed => "signed",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Done => "done",
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Authorised => 1,
            Self::Signed => 2,
            Self::Refused => 3,
            Self::Failed => 4,
            Self::Done => 5,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, EntryError> {
        let same = |outcome: &&Self| outcome.as_str() == text;
        Self::ALL.iter().find(same).copied().ok_or(EntryError::Outcome)
    }
}

/// Why bytes are no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The bytes end too early or too late, or are not an entry at all.
    #[error("the entry is damaged")]
    Damaged,
    /// The entry has a version that this release does not know.
    #[error("the entry has a format that this release does not know; read it with a newer one")]
    Version,
    /// The entry's operation is not known.
    #[error("the entry's operation is not known to this release; read it with a newer one")]
    Operation,
    /// The entry's outcome is not known.
    #[error("the entry's outcome is not known to this release; read it with a newer one")]
    Outcome,
}

impl AuditEntry {
    /// The canonical bytes: magic and version, then every field in order. Integers are big-endian,
    /// texts and options are preceded by their length (four bytes) or presence (one byte), so that no
    /// two entries share their bytes.
    ///
    /// An entry without client is of version 1, any other of version 2, which has the client's two options at its end:
    /// so one entry has one spelling, and what was written before version 2 keeps its leaf.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128 + self.details.len());
        let clients = [self.client_address.as_ref(), self.client_fingerprint.as_ref()];
        let has_client = clients.iter().any(Option::is_some);
        out.extend_from_slice(if has_client { &MAGIC_2 } else { &MAGIC_1 });
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.time_ms.to_be_bytes());
        push_text(&mut out, &self.actor);
        push_text(&mut out, self.operation.as_str());
        push_wallet(&mut out, self.wallet.as_ref());
        out.push(self.outcome.code());
        push_text(&mut out, &self.reason);
        push_option(&mut out, self.subject.as_ref());
        push_text(&mut out, &self.details);
        if has_client {
            clients.into_iter().for_each(|hash| push_option(&mut out, hash));
        }
        out
    }

    /// Reads canonical bytes; any other spelling of an entry is refused.
    ///
    /// # Errors
    /// See [`EntryError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::Damaged);
        }
        let mut fields = Fields(bytes);
        let has_client = match fields.array::<4>()? {
            MAGIC_1 => false,
            MAGIC_2 => true,
            [b'K', b'W', b'A', _] => return Err(EntryError::Version),
            _ => return Err(EntryError::Damaged),
        };
        let mut entry = Self {
            sequence: fields.array().map(u64::from_be_bytes)?,
            time_ms: fields.array().map(u64::from_be_bytes)?,
            actor: fields.text()?,
            operation: fields.text()?.parse().map_err(|_| EntryError::Operation)?,
            wallet: fields.wallet()?,
            outcome: fields.outcome()?,
            reason: fields.text()?,
            subject: fields.option()?,
            details: fields.text()?,
            client_address: None,
            client_fingerprint: None,
        };
        if has_client {
            entry.client_address = fields.option()?;
            entry.client_fingerprint = fields.option()?;
            // That one has version 1.
            if entry.client_address.is_none() && entry.client_fingerprint.is_none() {
                return Err(EntryError::Damaged);
            }
        }
        if fields.0.is_empty() {
            Ok(entry)
        } else {
            Err(EntryError::Damaged)
        }
    }

    /// The leaf that stands for the entry in the tree.
    #[must_use]
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.to_bytes())
    }
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    // A text of 4 GiB does not come about; one that did would be cut, at a character.
    let mut text = text;
    let len = u32::try_from(text.len()).unwrap_or_else(|_| {
        text = text.get(..0).unwrap_or_default();
        0
    });
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// 0, 1 and a Solana address, or 2 and an Ethereum address.
fn push_wallet(out: &mut Vec<u8>, wallet: Option<&AccountAddress>) {
    match wallet {
        None => out.push(0),
        Some(AccountAddress::Solana(address)) => {
            out.push(1);
            out.extend_from_slice(address.as_bytes());
        }
        Some(AccountAddress::Evm(address)) => {
            out.push(2);
            out.extend_from_slice(address.as_bytes());
        }
    }
}

fn push_option(out: &mut Vec<u8>, bytes: Option<&[u8; 32]>) {
    match bytes {
        None => out.push(0),
        Some(bytes) => {
            out.push(1);
            out.extend_from_slice(bytes);
        }
    }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], EntryError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(EntryError::Damaged)?;
        self.0 = rest;
        Ok(*head)
    }

    fn text(&mut self) -> Result<String, EntryError> {
        let len = u32::from_be_bytes(self.array()?);
        let len = usize::try_from(len).map_err(|_| EntryError::Damaged)?;
        let (text, rest) = self.0.split_at_checked(len).ok_or(EntryError::Damaged)?;
        self.0 = rest;
        core::str::from_utf8(text)
            .map(String::from)
            .map_err(|_| EntryError::Damaged)
    }

    fn option(&mut self) -> Result<Option<[u8; 32]>, EntryError> {
        match self.array()? {
            [0] => Ok(None),
            [1] => self.array().map(Some),
            _ => Err(EntryError::Damaged),
        }
    }

    fn wallet(&mut self) -> Result<Option<AccountAddress>, EntryError> {
        match self.array()? {
            [0] => Ok(None),
            [1] => Ok(Some(Address::new(self.array()?).into())),
            [2] => Ok(Some(EvmAddress::new(self.array()?).into())),
            _ => Err(EntryError::Damaged),
        }
    }

    fn outcome(&mut self) -> Result<Outcome, EntryError> {
        let [code] = self.array()?;
        let same = |outcome: &&Outcome| outcome.code() == code;
        Outcome::ALL.iter().find(same).copied().ok_or(EntryError::Outcome)
    }
}

#[cfg(test)]
mod tests;
