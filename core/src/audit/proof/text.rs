//! A proof as a few lines of text, to be kept beside the checkpoints that it is about.
//!
//! ```text
//! keyward-audit-proof/v1
//! consistency 42 99              of the tree of 99 leaves with that of its first 42
//! <hash, base64>                 as many as there are, nearest to the leaves first
//! ```
//!
//! or `inclusion 17 99 <leaf, base64>` in the second line. One proof has one text.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{ProofError, verify_consistency, verify_inclusion};
use crate::audit::checkpoint::Checkpoint;
use crate::audit::tree::Hash;

/// The most bytes of a written proof.
pub const MAX_PROOF_BYTES: usize = 8_192;

/// The most hashes: twice the height of the highest tree.
const MAX_HASHES: usize = 128;

const MAGIC: &str = "keyward-audit-proof/v1";

/// A proof with what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditProof {
    /// That a log only grew.
    Consistency {
        /// How many leaves it had.
        old_size: u64,
        /// How many it has.
        new_size: u64,
        /// The proof.
        hashes: Vec<Hash>,
    },
    /// That an entry is in the log.
    Inclusion {
        /// The entry's sequence.
        index: u64,
        /// How many leaves the log has.
        size: u64,
        /// The entry's leaf hash.
        leaf: Hash,
        /// The proof.
        hashes: Vec<Hash>,
    },
}

/// Why a text is no proof, or a proof shows nothing of these checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditProofError {
    /// The text is too long.
    #[error("the proof is longer than any proof is; give the file that was written")]
    TooLong,
    /// A line is not what it should be.
    #[error("line {line} is not that of a proof; give the whole text that was written")]
    Line {
        /// Which line, counted from 1.
        line: usize,
    },
    /// It is of the other kind.
    #[error("the proof is of the other kind; give one checkpoint for an entry and two for a log's growth")]
    Kind,
    /// The proof is about trees of other sizes.
    #[error("the proof is about other checkpoints than these; give those that it was made for")]
    OtherSizes,
    /// The checkpoints are of two logs.
    #[error("the checkpoints are of two logs; give two of one")]
    OtherLog,
    /// It does not prove it.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl AuditProof {
    /// Verifies that the log of `new` extends that of `old`. The checkpoints' signatures are the caller's to verify.
    ///
    /// # Errors
    /// See [`AuditProofError`].
    pub fn check_consistency(&self, old: &Checkpoint, new: &Checkpoint) -> Result<(), AuditProofError> {
        let Self::Consistency {
            old_size,
            new_size,
            hashes,
        } = self
        else {
            return Err(AuditProofError::Kind);
        };
        if old.origin != new.origin {
            return Err(AuditProofError::OtherLog);
        }
        if (*old_size, *new_size) != (old.size, new.size) {
            return Err(AuditProofError::OtherSizes);
        }
        Ok(verify_consistency(
            old.size, new.size, &old.root, &new.root, hashes,
        )?)
    }

    /// Verifies that the entry is in the log of `checkpoint`, whose signature is the caller's to verify; gives the
    /// entry's sequence and leaf hash.
    ///
    /// # Errors
    /// See [`AuditProofError`].
    pub fn check_inclusion(&self, checkpoint: &Checkpoint) -> Result<(u64, Hash), AuditProofError> {
        let Self::Inclusion {
            index,
            size,
            leaf,
            hashes,
        } = self
        else {
            return Err(AuditProofError::Kind);
        };
        if *size != checkpoint.size {
            return Err(AuditProofError::OtherSizes);
        }
        verify_inclusion(leaf, *index, *size, hashes, &checkpoint.root)?;
        Ok((*index, *leaf))
    }

    const fn hashes(&self) -> &Vec<Hash> {
        match self {
            Self::Consistency { hashes, .. } | Self::Inclusion { hashes, .. } => hashes,
        }
    }
}

impl fmt::Display for AuditProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{MAGIC}")?;
        match self {
            Self::Consistency {
                old_size, new_size, ..
            } => writeln!(f, "consistency {old_size} {new_size}")?,
            Self::Inclusion {
                index, size, leaf, ..
            } => {
                writeln!(f, "inclusion {index} {size} {}", STANDARD.encode(leaf))?;
            }
        }
        for hash in self.hashes() {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        Ok(())
    }
}

impl FromStr for AuditProof {
    type Err = AuditProofError;

    fn from_str(text: &str) -> Result<Self, AuditProofError> {
        if text.len() > MAX_PROOF_BYTES {
            return Err(AuditProofError::TooLong);
        }
        let wrong = |line| AuditProofError::Line { line };
        // Every line ends with a line feed, so nothing follows the last one.
        let text = text
            .strip_suffix('\n')
            .ok_or_else(|| wrong(text.split('\n').count()))?;
        let mut lines = text.split('\n');
        lines.next().filter(|line| *line == MAGIC).ok_or(wrong(1))?;
        let about = lines.next().ok_or(wrong(2))?;
        let mut hashes = Vec::new();
        for (at, line) in lines.enumerate() {
            let hash = parse_hash(line).filter(|_| hashes.len() < MAX_HASHES);
            hashes.push(hash.ok_or(wrong(at + 3))?);
        }
        let fields: Vec<&str> = about.split(' ').collect();
        match fields.as_slice() {
            ["consistency", old, new] => Ok(Self::Consistency {
                old_size: parse_size(old).ok_or(wrong(2))?,
                new_size: parse_size(new).ok_or(wrong(2))?,
                hashes,
            }),
            ["inclusion", index, size, leaf] => Ok(Self::Inclusion {
                index: parse_size(index).ok_or(wrong(2))?,
                size: parse_size(size).ok_or(wrong(2))?,
                leaf: parse_hash(leaf).ok_or(wrong(2))?,
                hashes,
            }),
            _ => Err(wrong(2)),
        }
    }
}

/// Digits without leading zeros, so that one proof has one text.
fn parse_size(text: &str) -> Option<u64> {
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text).then_some(size)
}

/// Canonical base64 of 32 bytes: padding and the unused bits are checked by the decoder.
fn parse_hash(text: &str) -> Option<Hash> {
    Hash::try_from(STANDARD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use alloc::string::String;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::audit::proof::{consistency_proof, inclusion_proof};
    use crate::audit::tree::root_of;
    use crate::audit::tree::tests::hashes;

    fn checkpoint(size: usize) -> Checkpoint {
        Checkpoint {
            origin: "keyward/1".into(),
            size: u64::try_from(size).unwrap(),
            root: root_of(&hashes(size)),
        }
    }

    fn growth(old: usize, new: usize) -> AuditProof {
        AuditProof::Consistency {
            old_size: u64::try_from(old).unwrap(),
            new_size: u64::try_from(new).unwrap(),
            hashes: consistency_proof(&hashes(new), old).unwrap(),
        }
    }

    fn entry(index: usize, size: usize) -> AuditProof {
        AuditProof::Inclusion {
            index: u64::try_from(index).unwrap(),
            size: u64::try_from(size).unwrap(),
            leaf: hashes(size)[index],
            hashes: inclusion_proof(&hashes(size), index).unwrap(),
        }
    }

    #[test]
    fn proofs_read_back_and_hold() {
        for (old, new) in [(0, 5), (3, 3), (3, 8), (4, 7), (6, 21)] {
            let proof = growth(old, new);
            assert_eq!(proof.to_string().parse(), Ok(proof.clone()));
            assert_eq!(
                proof.check_consistency(&checkpoint(old), &checkpoint(new)),
                Ok(())
            );
            assert_eq!(
                proof.check_inclusion(&checkpoint(new)),
                Err(AuditProofError::Kind)
            );
        }
        for (index, size) in [(0, 1), (2, 7), (20, 21)] {
            let proof = entry(index, size);
            assert_eq!(proof.to_string().parse(), Ok(proof.clone()));
            let found = proof.check_inclusion(&checkpoint(size)).unwrap();
            assert_eq!(found, (u64::try_from(index).unwrap(), hashes(size)[index]));
            let kind = proof.check_consistency(&checkpoint(size), &checkpoint(size));
            assert_eq!(kind, Err(AuditProofError::Kind));
        }
        insta::assert_snapshot!(growth(2, 3), @r"
        keyward-audit-proof/v1
        consistency 2 3
        2B9ReB7rj0ag4RLobKM1iWzMEs7gDmz89Yo1ARKd/CQ=
        ");
    }

    #[test]
    fn a_proof_shows_nothing_of_other_checkpoints() {
        let (old, new) = (checkpoint(6), checkpoint(21));
        let forged = Checkpoint {
            root: [7; 32],
            ..old.clone()
        };
        let elsewhere = Checkpoint {
            origin: "keyward/2".into(),
            ..old.clone()
        };
        let mismatch = Err(AuditProofError::Proof(ProofError::RootMismatch));
        assert_eq!(growth(6, 21).check_consistency(&forged, &new), mismatch);
        assert_eq!(
            growth(6, 21).check_consistency(&elsewhere, &new),
            Err(AuditProofError::OtherLog)
        );
        assert_eq!(
            growth(5, 21).check_consistency(&old, &new),
            Err(AuditProofError::OtherSizes)
        );
        assert_eq!(
            entry(5, 20).check_inclusion(&new),
            Err(AuditProofError::OtherSizes)
        );
        assert_eq!(
            entry(5, 6).check_inclusion(&forged),
            Err(AuditProofError::Proof(ProofError::RootMismatch))
        );
    }

    #[test]
    fn other_texts_are_refused() {
        let text = growth(6, 21).to_string();
        for cut in 0..text.len() {
            let read = text[..cut].parse::<AuditProof>();
            // Cut after a whole line it reads, and proves nothing.
            assert!(read.is_err() || text.as_bytes()[cut - 1] == b'\n', "{cut}");
        }
        let lines = |from: &str, to: &str| text.replacen(from, to, 1).parse::<AuditProof>();
        for (from, to, line) in [
            ("/v1", "/v2", 1),
            ("consistency", "Consistency", 2),
            ("6 21", "06 21", 2),
            ("6 21", "6  21", 2),
            ("6 21", "6 21 ", 2),
            ("6 21", "6", 2),
            ("6 21\n", "6 21\n\n", 3),
            ("6 21\n", "6 21\nAAAA\n", 3),
        ] {
            assert_eq!(lines(from, to), Err(AuditProofError::Line { line }), "{to}");
        }
        assert!((text.clone() + "\n").parse::<AuditProof>().is_err());
        let line = STANDARD.encode([0; 32]) + "\n";
        let many =
            |count: usize| String::from("keyward-audit-proof/v1\nconsistency 1 2\n") + &line.repeat(count);
        assert!(many(128).parse::<AuditProof>().is_ok());
        assert_eq!(
            many(129).parse::<AuditProof>(),
            Err(AuditProofError::Line { line: 131 })
        );
        assert_eq!(many(200).parse::<AuditProof>(), Err(AuditProofError::TooLong));
    }
}
