//! Signed checkpoints: a few lines of text that anybody can keep, and later hold the log to.
//!
//! ```text
//! keyward.example/vault           origin
//! 42                              number of entries
//! <root hash, base64>
//!
//! — keyward.example/vault <key id and signature, base64>
//! ```
//!
//! Extension lines are not written and not accepted. Signatures by other keys (witnesses) may stand
//! beside the log's own; they are kept and not judged.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::address::{Address, Signature};
use crate::ed25519::{self, SecretKey};

/// The most bytes of a signed checkpoint.
pub const MAX_CHECKPOINT_BYTES: usize = 16_384;

/// The most signature lines.
const MAX_SIGNATURES: usize = 32;

/// Signature type of plain Ed25519 in signed notes.
const ED25519: u8 = 0x01;

/// A statement about the log: so many entries with this root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: a name without blanks and plus signs, unique to the vault.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: [u8; 32],
}

/// A checkpoint with at least one signature line, not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    signatures: Vec<SignatureLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SignatureLine {
    name: String,
    key_id: [u8; 4],
    signature: Vec<u8>,
}

/// Why a text is no checkpoint, or a checkpoint is not the log's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The text is too long.
    #[error("the checkpoint is longer than any checkpoint is; give the file that was kept")]
    TooLong,
    /// A line is not what it should be.
    #[error("line {line} is not that of a checkpoint; give the whole text that was kept")]
    Line {
        /// Which line, counted from 1.
        line: usize,
    },
    /// The checkpoint belongs to another log.
    #[error("the checkpoint belongs to another log; give one of this vault")]
    WrongOrigin,
    /// No signature is by the expected key.
    #[error("the checkpoint is not signed by this vault's key; give one of this vault")]
    UnknownKey,
    /// The signature by the expected key is wrong.
    #[error("the checkpoint's signature is wrong; the text was changed")]
    BadSignature,
    /// The text is no verifier key.
    #[error("this is no verifier key; give one as `keyward audit keys` prints it")]
    VerifierKey,
}

impl Checkpoint {
    /// The text that is signed, with a line feed at its end.
    fn body(&self) -> String {
        let root = STANDARD.encode(self.root);
        format!("{}\n{}\n{root}\n", self.origin, self.size)
    }

    /// Signs with the log's key, under the origin as key name.
    ///
    /// An origin that is empty or has blanks, plus signs or control characters gives a text that does
    /// not read back.
    #[must_use]
    pub fn sign(&self, key: &SecretKey) -> SignedCheckpoint {
        let signature = key.sign(self.body().as_bytes());
        SignedCheckpoint {
            checkpoint: self.clone(),
            signatures: alloc::vec![SignatureLine {
                name: self.origin.clone(),
                key_id: key_id(&self.origin, &key.address()),
                signature: signature.as_bytes().to_vec(),
            }],
        }
    }
}

impl SignedCheckpoint {
    /// The checkpoint when the log's own key signed it, under this origin.
    ///
    /// # Errors
    /// `WrongOrigin`, `UnknownKey` and `BadSignature`.
    pub fn verify(&self, key: &Address, origin: &str) -> Result<Checkpoint, CheckpointError> {
        if self.checkpoint.origin != origin {
            return Err(CheckpointError::WrongOrigin);
        }
        let id = key_id(origin, key);
        let own = |line: &&SignatureLine| line.name == origin && line.key_id == id;
        let line = self
            .signatures
            .iter()
            .find(own)
            .ok_or(CheckpointError::UnknownKey)?;
        let signature =
            Signature::try_from(line.signature.as_slice()).map_err(|_| CheckpointError::BadSignature)?;
        ed25519::verify(key, self.checkpoint.body().as_bytes(), &signature)
            .map_err(|_| CheckpointError::BadSignature)?;
        Ok(self.checkpoint.clone())
    }

    /// What it says, whoever signed it.
    #[must_use]
    pub const fn unverified(&self) -> &Checkpoint {
        &self.checkpoint
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.checkpoint.body())?;
        for line in &self.signatures {
            let blob = [&line.key_id[..], &line.signature].concat();
            writeln!(f, "— {} {}", line.name, STANDARD.encode(blob))?;
        }
        Ok(())
    }
}

impl FromStr for SignedCheckpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        if text.len() > MAX_CHECKPOINT_BYTES {
            return Err(CheckpointError::TooLong);
        }
        let mut lines = text.split('\n');
        let wrong = |line| CheckpointError::Line { line };
        let origin = lines.next().filter(|name| is_key_name(name)).ok_or(wrong(1))?;
        let size = lines.next().and_then(parse_size).ok_or(wrong(2))?;
        let root = lines.next().and_then(decode_base64).ok_or(wrong(3))?;
        let root = <[u8; 32]>::try_from(root).map_err(|_| wrong(3))?;
        lines.next().filter(|line| line.is_empty()).ok_or(wrong(4))?;
        let mut signatures = Vec::new();
        let mut ended = false;
        for (at, line) in lines.enumerate() {
            let number = at + 5;
            // Every line ends with a line feed, so the last piece is empty.
            if ended || signatures.len() > MAX_SIGNATURES {
                return Err(wrong(number));
            }
            if line.is_empty() && !signatures.is_empty() {
                ended = true;
            } else {
                signatures.push(parse_signature(line).ok_or(wrong(number))?);
            }
        }
        if !ended {
            return Err(wrong(5 + signatures.len()));
        }
        Ok(Self {
            checkpoint: Checkpoint {
                origin: origin.to_string(),
                size,
                root,
            },
            signatures,
        })
    }
}

/// The verifier key of signed notes: name, key id and public key, for other tools to check with.
#[must_use]
pub fn verifier_key(origin: &str, key: &Address) -> String {
    let id = hex::encode(key_id(origin, key));
    let typed = [&[ED25519][..], key.as_bytes()].concat();
    format!("{origin}+{id}+{}", STANDARD.encode(typed))
}

/// Reads what [`verifier_key`] wrote: the origin and the public key.
///
/// # Errors
/// [`CheckpointError::VerifierKey`].
pub fn parse_verifier_key(text: &str) -> Result<(String, Address), CheckpointError> {
    let read = || {
        // Base64 has plus signs of its own, names have none.
        let mut parts = text.splitn(3, '+');
        let (origin, id, typed) = (parts.next()?, parts.next()?, parts.next()?);
        let typed = decode_base64(typed)?;
        let key = Address::new(<[u8; 32]>::try_from(typed.strip_prefix(&[ED25519])?).ok()?);
        let whole = is_key_name(origin) && id == hex::encode(key_id(origin, &key));
        whole.then(|| (origin.to_string(), key))
    };
    read().ok_or(CheckpointError::VerifierKey)
}

/// First four bytes of SHA-256 over name, line feed, signature type and public key.
fn key_id(name: &str, key: &Address) -> [u8; 4] {
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([b'\n', ED25519]);
    hasher.update(key.as_bytes());
    let [a, b, c, d, ..]: [u8; 32] = hasher.finalize().into();
    [a, b, c, d]
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// Digits without leading zeros, so that one checkpoint has one text.
fn parse_size(text: &str) -> Option<u64> {
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text).then_some(size)
}

/// Canonical base64: padding and the unused bits are checked by the decoder.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

fn parse_signature(line: &str) -> Option<SignatureLine> {
    let (name, blob) = line.strip_prefix("— ")?.split_once(' ')?;
    if !is_key_name(name) {
        return None;
    }
    let blob = decode_base64(blob)?;
    let (key_id, signature) = blob.split_first_chunk::<4>()?;
    if signature.is_empty() {
        return None;
    }
    Some(SignatureLine {
        name: name.to_string(),
        key_id: *key_id,
        signature: signature.to_vec(),
    })
}

#[cfg(test)]
mod tests;
