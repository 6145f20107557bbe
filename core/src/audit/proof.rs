//! Proofs that a leaf is in a tree, and that a tree only grew.
//!
//! Making proofs follows the definitions of RFC 6962 section 2.1.1 and 2.1.2; verifying them follows the
//! algorithms of RFC 9162 section 2.1.3.2 and 2.1.4.2.

mod builder;
mod text;

use alloc::vec::Vec;

pub use builder::ProofBuilder;
pub use text::{AuditProof, AuditProofError, MAX_PROOF_BYTES};

use super::tree::{Hash, node_hash, root_of, split_point};

/// Why a proof shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The leaf or the smaller tree lies outside the tree.
    #[error("it lies outside the tree; compare the sizes")]
    OutOfRange,
    /// There are more or fewer hashes than the sizes call for.
    #[error("the proof has the wrong number of hashes; ask for it again")]
    WrongLength,
    /// The hashes lead to another root: something was changed, dropped or reordered.
    #[error("the proof leads to another root; the log was changed")]
    RootMismatch,
}

/// The hashes that lead from leaf `index` to the root of the tree over `leaves`, nearest first;
/// `None` when there is no such leaf.
#[must_use]
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let mut proof = Vec::new();
    let (mut subtree, mut at) = (leaves, index);
    while subtree.len() > 1 {
        let (left, right) = subtree.split_at(split_point(subtree.len()));
        if at < left.len() {
            proof.push(root_of(right));
            subtree = left;
        } else {
            proof.push(root_of(left));
            at -= left.len();
            subtree = right;
        }
    }
    proof.reverse();
    Some(proof)
}

/// Verifies that the leaf with this hash is at `index` (counted from 0) of the tree of `size` leaves
/// with this root.
///
/// # Errors
/// See [`ProofError`].
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange);
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // Levels at which this node has no sibling take no hash.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        Err(ProofError::WrongLength)
    } else if hash == *root {
        Ok(())
    } else {
        Err(ProofError::RootMismatch)
    }
}

/// The hashes that show that the tree over all `leaves` extends the tree over the first `old_size`;
/// `None` when there are not so many. Nothing needs to be shown of an empty or an equal tree.
#[must_use]
pub fn consistency_proof(leaves: &[Hash], old_size: usize) -> Option<Vec<Hash>> {
    if old_size > leaves.len() {
        return None;
    }
    if old_size == 0 || old_size == leaves.len() {
        return Some(Vec::new());
    }
    let mut proof = Vec::new();
    let (mut subtree, mut old) = (leaves, old_size);
    // Whether the old tree's root is the root of what remains, and thus known to the verifier.
    let mut known = true;
    while old != subtree.len() {
        let (left, right) = subtree.split_at(split_point(subtree.len()));
        if old <= left.len() {
            proof.push(root_of(right));
            subtree = left;
        } else {
            proof.push(root_of(left));
            old -= left.len();
            subtree = right;
            known = false;
        }
    }
    if !known {
        proof.push(root_of(subtree));
    }
    proof.reverse();
    Some(proof)
}

/// Verifies that the tree of `new_size` leaves extends the tree of `old_size` leaves: nothing before
/// was changed, dropped or reordered.
///
/// # Errors
/// See [`ProofError`].
pub fn verify_consistency(
    old_size: u64,
    new_size: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old_size > new_size {
        return Err(ProofError::OutOfRange);
    }
    if old_size == 0 || old_size == new_size {
        let expected = if old_size == 0 { root_of(&[]) } else { *new_root };
        return match (proof, *old_root == expected) {
            ([], true) => Ok(()),
            ([], false) => Err(ProofError::RootMismatch),
            _ => Err(ProofError::WrongLength),
        };
    }
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    // Levels at which the old tree's right edge is a right child hold nothing new.
    let skipped = node.trailing_ones();
    node >>= skipped;
    last >>= skipped;
    // An old tree that is one full subtree is where the way up begins, and left out of the proof.
    let (start, rest) = if old_size.is_power_of_two() {
        (old_root, proof)
    } else {
        proof.split_first().ok_or(ProofError::WrongLength)?
    };
    let (mut old_hash, mut new_hash) = (*start, *start);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::WrongLength);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        Err(ProofError::WrongLength)
    } else if old_hash == *old_root && new_hash == *new_root {
        Ok(())
    } else {
        Err(ProofError::RootMismatch)
    }
}

#[cfg(test)]
mod tests;
