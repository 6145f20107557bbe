//! Making a proof in one pass over the leaves, in logarithmic space.
//!
//! Every hash of a proof is the root of a subtree, and these subtrees do not overlap: so each grows a [`Frontier`] of its
//! own while the leaves go by, and a log of millions needs a few kilobytes.

use alloc::vec::Vec;

use crate::audit::tree::{Frontier, Hash};

/// A proof in the making: hand it every leaf of the tree, in order.
#[derive(Debug, Clone)]
pub struct ProofBuilder {
    size: u64,
    tree: Frontier,
    /// In the order of the proof, not of the leaves.
    subtrees: Vec<Subtree>,
}

/// The leaves from `start` on, `len` of them.
#[derive(Debug, Clone)]
struct Subtree {
    start: u64,
    len: u64,
    edge: Frontier,
}

impl Subtree {
    const fn new(start: u64, len: u64) -> Self {
        Self {
            start,
            len,
            edge: Frontier::new(),
        }
    }

    /// Both parts, as RFC 6962 splits a tree: the left one as large as a power of two can be. `len` is at least 2.
    const fn split(&self) -> (Self, Self) {
        let left = 1 << (self.len - 1).ilog2();
        (
            Self::new(self.start, left),
            Self::new(self.start + left, self.len - left),
        )
    }
}

impl ProofBuilder {
    /// That the leaf `index` is in the tree of `size` leaves; `None` when it lies outside.
    #[must_use]
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        if index >= size {
            return None;
        }
        let mut subtrees = Vec::new();
        let mut rest = Subtree::new(0, size);
        while rest.len > 1 {
            let (left, right) = rest.split();
            let (next, sibling) = if index < right.start {
                (left, right)
            } else {
                (right, left)
            };
            subtrees.push(sibling);
            rest = next;
        }
        subtrees.reverse();
        Some(Self::of(size, subtrees))
    }

    /// That the tree of `new_size` leaves extends that of its first `old_size`; `None` when there are not so many.
    #[must_use]
    pub fn consistency(old_size: u64, new_size: u64) -> Option<Self> {
        if old_size > new_size {
            return None;
        }
        let mut subtrees = Vec::new();
        if old_size == 0 {
            return Some(Self::of(new_size, subtrees));
        }
        let mut rest = Subtree::new(0, new_size);
        // Whether what remains is the old tree itself, whose root the verifier has.
        let mut known = true;
        while old_size != rest.start + rest.len {
            let (left, right) = rest.split();
            if old_size <= right.start {
                subtrees.push(right);
                rest = left;
            } else {
                subtrees.push(left);
                rest = right;
                known = false;
            }
        }
        if !known {
            subtrees.push(rest);
        }
        subtrees.reverse();
        Some(Self::of(new_size, subtrees))
    }

    const fn of(size: u64, subtrees: Vec<Subtree>) -> Self {
        Self {
            size,
            tree: Frontier::new(),
            subtrees,
        }
    }

    /// How many leaves were handed in.
    #[must_use]
    pub const fn pushed(&self) -> u64 {
        self.tree.size()
    }

    /// Root of the tree over the leaves handed in so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// The next leaf. Those beyond the tree's size are left out.
    pub fn push(&mut self, leaf: Hash) {
        let at = self.tree.size();
        if at >= self.size {
            return;
        }
        let holds =
            |subtree: &&mut Subtree| at.checked_sub(subtree.start).is_some_and(|off| off < subtree.len);
        if let Some(subtree) = self.subtrees.iter_mut().find(holds) {
            subtree.edge.push(leaf);
        }
        self.tree.push(leaf);
    }

    /// The proof's hashes; `None` while leaves are missing.
    #[must_use]
    pub fn finish(self) -> Option<Vec<Hash>> {
        if self.tree.size() != self.size {
            return None;
        }
        Some(self.subtrees.iter().map(|subtree| subtree.edge.root()).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::audit::proof::{consistency_proof, inclusion_proof};
    use crate::audit::tree::root_of;
    use crate::audit::tree::tests::hashes;

    fn fed(mut builder: ProofBuilder, leaves: &[Hash]) -> (Option<Vec<Hash>>, Hash) {
        leaves.iter().for_each(|leaf| builder.push(*leaf));
        let root = builder.root();
        (builder.finish(), root)
    }

    #[test]
    fn it_makes_what_the_definition_says() {
        let leaves = hashes(70);
        for size in 0..=leaves.len() {
            let tree = &leaves[..size];
            let wide = u64::try_from(size).unwrap();
            for at in 0..size {
                let builder = ProofBuilder::inclusion(u64::try_from(at).unwrap(), wide).unwrap();
                // More leaves than the tree has: the log goes on.
                assert_eq!(fed(builder, &leaves), (inclusion_proof(tree, at), root_of(tree)));
            }
            for old in 0..=size {
                let builder = ProofBuilder::consistency(u64::try_from(old).unwrap(), wide).unwrap();
                assert_eq!(fed(builder, tree), (consistency_proof(tree, old), root_of(tree)));
            }
        }
    }

    #[test]
    fn what_lies_outside_has_no_proof_and_half_a_tree_neither() {
        assert!(ProofBuilder::inclusion(5, 5).is_none());
        assert!(ProofBuilder::consistency(6, 5).is_none());
        let builder = ProofBuilder::consistency(3, 8).unwrap();
        assert_eq!(fed(builder, &hashes(7)).0, None);
        // The largest there is takes no more than its height.
        assert_eq!(ProofBuilder::inclusion(0, u64::MAX).unwrap().subtrees.len(), 64);
    }
}
