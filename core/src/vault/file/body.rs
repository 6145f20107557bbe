//! The body of a vault file: what is inside its envelope.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::super::record::MAX_SEALED_LEN;
use super::super::{Curve, RecordId, RecordPublicKey};
use super::{
    FileContents, FileError, FileMaster, FilePolicy, FileWallet, MAX_FILE_FAMILY_LEN, MAX_FILE_LABEL_LEN,
    MAX_FILE_MASTERS, MAX_FILE_POLICY_LEN, MAX_FILE_SIGNATURE_LEN, MAX_FILE_TAGS, MAX_FILE_WALLETS,
};
use crate::path::DerivationPath;

/// Longest path, in bytes of its text.
const MAX_PATH_LEN: usize = 256;
/// Fewest bytes that a phrase or a wallet takes; bounds what a number of them may reserve.
const MIN_ENTRY_LEN: usize = 16 + 8;

/// Whether a text may name a path family: so written, it goes into any log or screen as it is.
fn is_family(text: &str) -> bool {
    let plain = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=MAX_FILE_FAMILY_LEN).contains(&text.len()) && text.bytes().all(plain)
}

/// What holds of every file, written or read.
pub(super) fn check(contents: &FileContents) -> Result<(), FileError> {
    let refuse = |holds: bool, what| {
        if holds {
            Ok(())
        } else {
            Err(FileError::Contents(what))
        }
    };
    let masters = &contents.masters;
    refuse(masters.len() <= MAX_FILE_MASTERS, "more than 1,000 phrases")?;
    refuse(
        contents.wallets.len() <= MAX_FILE_WALLETS,
        "more than 100,000 wallets",
    )?;
    let mut records = BTreeSet::new();
    for master in masters {
        refuse(records.insert(master.record), "two records of one name")?;
        refuse(master.label.len() <= MAX_FILE_LABEL_LEN, "a label over 256 bytes")?;
        refuse(
            is_family(&master.family),
            "a phrase without the name of a path family",
        )?;
        refuse(master.sealed.len() <= MAX_SEALED_LEN, "a record that is too long")?;
    }
    let phrases = records.clone();
    let mut keys = BTreeSet::new();
    for wallet in &contents.wallets {
        refuse(records.insert(wallet.record), "two records of one name")?;
        refuse(keys.insert(wallet.public_key), "two wallets of one key")?;
        refuse(
            wallet.public_key != RecordPublicKey::None,
            "a wallet without a public key",
        )?;
        refuse(
            wallet.master.is_none_or(|master| phrases.contains(&master)),
            "a wallet of a phrase that is not in it",
        )?;
        refuse(
            wallet.master.is_some() || wallet.path.is_none(),
            "a path without a phrase",
        )?;
        refuse(
            match wallet.master {
                None => wallet.family.is_empty(),
                Some(_) => is_family(&wallet.family),
            },
            "a wallet of a phrase without the name of a path family, or another with one",
        )?;
        refuse(
            wallet.tags.len() <= MAX_FILE_TAGS,
            "more than 32 tags of one wallet",
        )?;
        let mut texts = core::iter::once(&wallet.label).chain(&wallet.tags);
        refuse(
            texts.all(|text| text.len() <= MAX_FILE_LABEL_LEN),
            "a label or tag over 256 bytes",
        )?;
        refuse(wallet.sealed.len() <= MAX_SEALED_LEN, "a record that is too long")?;
    }
    if let Some(policy) = &contents.policy {
        refuse(policy.json.len() <= MAX_FILE_POLICY_LEN, "a policy over 1 MiB")?;
        refuse(
            policy.signature.len() <= MAX_FILE_SIGNATURE_LEN,
            "a policy's signature over 128 bytes",
        )?;
    }
    Ok(())
}

/// Writes contents that [`check`] accepted, so that every length fits its field.
pub(super) fn encode(contents: &FileContents) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::new());
    out.extend_from_slice(&contents.created_at_ms.to_be_bytes());
    out.extend_from_slice(&(contents.masters.len() as u32).to_be_bytes());
    for master in &contents.masters {
        out.extend_from_slice(master.record.as_bytes());
        out.extend_from_slice(&master.created_at_ms.to_be_bytes());
        put(&mut out, master.label.as_bytes());
        put(&mut out, master.family.as_bytes());
        put(&mut out, &master.sealed);
    }
    out.extend_from_slice(&(contents.wallets.len() as u32).to_be_bytes());
    for wallet in &contents.wallets {
        out.extend_from_slice(wallet.record.as_bytes());
        out.extend_from_slice(&wallet.created_at_ms.to_be_bytes());
        out.push(u8::from(wallet.master.is_some()));
        out.extend_from_slice(
            wallet
                .master
                .as_ref()
                .map_or(&[], |master| master.as_bytes().as_slice()),
        );
        let path = wallet.path.as_ref().map(alloc::string::ToString::to_string);
        put(&mut out, path.as_deref().unwrap_or_default().as_bytes());
        put(&mut out, wallet.family.as_bytes());
        out.push(wallet.public_key.curve().code());
        out.extend_from_slice(wallet.public_key.as_bytes());
        put(&mut out, wallet.label.as_bytes());
        // At most MAX_FILE_TAGS.
        out.push(wallet.tags.len() as u8);
        wallet.tags.iter().for_each(|tag| put(&mut out, tag.as_bytes()));
        put(&mut out, &wallet.sealed);
    }
    out.push(u8::from(contents.policy.is_some()));
    if let Some(policy) = &contents.policy {
        out.extend_from_slice(&(policy.json.len() as u32).to_be_bytes());
        out.extend_from_slice(policy.json.as_bytes());
        put(&mut out, &policy.signature);
    }
    out
}

/// Nothing that is put so is longer than [`MAX_SEALED_LEN`], which fits.
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u16).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Reads what [`encode`] wrote; nothing else is accepted.
pub(super) fn decode(bytes: &[u8]) -> Option<FileContents> {
    let mut reader = Reader { rest: bytes };
    let created_at_ms = u64::from_be_bytes(reader.array()?);
    let count = reader.count(MAX_FILE_MASTERS)?;
    let mut masters = Vec::with_capacity(count);
    for _ in 0..count {
        masters.push(reader.master()?);
    }
    let count = reader.count(MAX_FILE_WALLETS)?;
    let mut wallets = Vec::with_capacity(count);
    for _ in 0..count {
        wallets.push(reader.wallet()?);
    }
    let policy = match reader.flag()? {
        false => None,
        true => Some(reader.policy()?),
    };
    let contents = FileContents {
        created_at_ms,
        masters,
        wallets,
        policy,
    };
    (reader.rest.is_empty() && check(&contents).is_ok()).then_some(contents)
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn take(&mut self, len: usize) -> Option<&[u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.array()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    /// A number of entries: at most `most`, and no more than the bytes left can hold.
    fn count(&mut self, most: usize) -> Option<usize> {
        let count = usize::try_from(u32::from_be_bytes(self.array()?)).ok()?;
        (count <= most && count <= self.rest.len() / MIN_ENTRY_LEN).then_some(count)
    }

    fn bytes(&mut self, most: usize) -> Option<Vec<u8>> {
        let len = usize::from(u16::from_be_bytes(self.array()?));
        if len > most {
            return None;
        }
        self.take(len).map(<[u8]>::to_vec)
    }

    fn text(&mut self, most: usize) -> Option<String> {
        String::from_utf8(self.bytes(most)?).ok()
    }

    fn master(&mut self) -> Option<FileMaster> {
        Some(FileMaster {
            record: RecordId::from_bytes(self.array()?),
            created_at_ms: u64::from_be_bytes(self.array()?),
            label: self.text(MAX_FILE_LABEL_LEN)?,
            family: self.text(MAX_FILE_FAMILY_LEN)?,
            sealed: self.bytes(MAX_SEALED_LEN)?,
        })
    }

    fn wallet(&mut self) -> Option<FileWallet> {
        Some(FileWallet {
            record: RecordId::from_bytes(self.array()?),
            created_at_ms: u64::from_be_bytes(self.array()?),
            master: match self.flag()? {
                false => None,
                true => Some(RecordId::from_bytes(self.array()?)),
            },
            path: self.path()?,
            family: self.text(MAX_FILE_FAMILY_LEN)?,
            public_key: self.public_key()?,
            label: self.text(MAX_FILE_LABEL_LEN)?,
            tags: self.tags()?,
            sealed: self.bytes(MAX_SEALED_LEN)?,
        })
    }

    /// A path as it prints itself, and no other spelling of it; empty for none.
    fn path(&mut self) -> Option<Option<DerivationPath>> {
        let text = self.text(MAX_PATH_LEN)?;
        if text.is_empty() {
            return Some(None);
        }
        let path: DerivationPath = text.parse().ok()?;
        (alloc::string::ToString::to_string(&path) == text).then_some(Some(path))
    }

    fn public_key(&mut self) -> Option<RecordPublicKey> {
        let [code] = self.array()?;
        match Curve::try_from(code).ok()? {
            Curve::None => None,
            Curve::Ed25519 => self.array().map(RecordPublicKey::Ed25519),
            Curve::Secp256k1 => self.array().map(RecordPublicKey::Secp256k1),
        }
    }

    fn tags(&mut self) -> Option<Vec<String>> {
        let [count] = self.array()?;
        if usize::from(count) > MAX_FILE_TAGS {
            return None;
        }
        (0..count).map(|_| self.text(MAX_FILE_LABEL_LEN)).collect()
    }

    fn policy(&mut self) -> Option<FilePolicy> {
        let len = usize::try_from(u32::from_be_bytes(self.array()?)).ok()?;
        if len > MAX_FILE_POLICY_LEN {
            return None;
        }
        Some(FilePolicy {
            json: String::from_utf8(self.take(len)?.to_vec()).ok()?,
            signature: self.bytes(MAX_FILE_SIGNATURE_LEN)?,
        })
    }
}
