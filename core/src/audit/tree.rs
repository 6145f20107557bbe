//! The Merkle tree of RFC 6962 section 2.1 over SHA-256.
//!
//! [`Frontier`] grows a tree leaf by leaf in logarithmic space and gives the root after each; it cannot
//! prove anything about earlier leaves (see [`super::proof`]).

use alloc::vec::Vec;

use sha2::{Digest, Sha256};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// Hash of a leaf: SHA-256 over 0x00 and the data.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x00]);
    hasher.update(data);
    hasher.finalize().into()
}

/// Hash of an inner node: SHA-256 over 0x01 and both children.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([0x01]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// Root of the tree over these leaf hashes, by the definition's recursion. The root of no leaves is
/// SHA-256 of nothing.
#[must_use]
pub fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split_point(leaves.len()));
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// The largest power of two smaller than `size`, which is at least 2.
pub(super) const fn split_point(size: usize) -> usize {
    1 << (size - 1).ilog2()
}

/// The right edge of a growing tree: the roots of its full subtrees, largest first, one for each bit
/// set in the size. Appending and the root both take logarithmic time and space.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Hash>,
}

/// Why bytes are no frontier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tree's edge has the wrong length for its size; rebuild it from the entries")]
pub struct FrontierError;

impl Frontier {
    /// The edge of an empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            hashes: Vec::new(),
        }
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf by its hash (see [`leaf_hash`]).
    ///
    /// # Panics
    /// At 2^64 leaves.
    pub fn push(&mut self, leaf: Hash) {
        // Two subtrees of the same height merge into one, like carries in a binary counter.
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            match self.hashes.pop() {
                Some(left) => node = node_hash(&left, &node),
                None => break,
            }
        }
        self.hashes.push(node);
        self.size = self
            .size
            .checked_add(1)
            .expect("2^64 leaves do not fit any storage");
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut edge = self.hashes.iter().rev();
        let Some(smallest) = edge.next() else {
            return root_of(&[]);
        };
        edge.fold(*smallest, |right, left| node_hash(left, &right))
    }

    /// Size as eight big-endian bytes, then the hashes, largest subtree first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 32 * self.hashes.len());
        bytes.extend_from_slice(&self.size.to_be_bytes());
        for hash in &self.hashes {
            bytes.extend_from_slice(hash);
        }
        bytes
    }

    /// Reads what [`Frontier::to_bytes`] wrote. The hashes themselves cannot be checked here.
    ///
    /// # Errors
    /// [`FrontierError`] when there is not exactly one hash for each bit set in the size.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or(FrontierError)?;
        let size = u64::from_be_bytes(*size);
        let (hashes, surplus) = rest.as_chunks::<32>();
        let expected = usize::try_from(size.count_ones()).map_err(|_| FrontierError)?;
        if !surplus.is_empty() || hashes.len() != expected {
            return Err(FrontierError);
        }
        Ok(Self {
            size,
            hashes: hashes.to_vec(),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// The eight leaves and nine roots that the reference implementation of Certificate Transparency
    /// is tested with: <https://github.com/google/certificate-transparency>,
    /// `cpp/merkletree/merkle_tree_test.cc`, and <https://github.com/transparency-dev/merkle>.
    pub(crate) const LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];

    pub(crate) const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    pub(crate) fn known_leaves() -> Vec<Hash> {
        LEAVES
            .iter()
            .map(|leaf| leaf_hash(&hex::decode(leaf).unwrap()))
            .collect()
    }

    pub(crate) fn hashes(count: usize) -> Vec<Hash> {
        (0..count)
            .map(|at| leaf_hash(&u64::try_from(at).unwrap().to_be_bytes()))
            .collect()
    }

    #[test]
    fn published_roots() {
        let leaves = known_leaves();
        let mut frontier = Frontier::new();
        for (size, root) in ROOTS.iter().enumerate() {
            assert_eq!(&hex::encode(root_of(&leaves[..size])), root);
            assert_eq!(&hex::encode(frontier.root()), root);
            if let Some(leaf) = leaves.get(size) {
                frontier.push(*leaf);
            }
        }
    }

    #[test]
    fn edges_of_the_wrong_length_are_refused() {
        let mut frontier = Frontier::new();
        for leaf in hashes(6) {
            frontier.push(leaf);
        }
        let bytes = frontier.to_bytes();
        assert_eq!(bytes.len(), 8 + 2 * 32);
        for bad in [
            &[][..],
            &bytes[..7],
            &bytes[..8],
            &bytes[..40],
            &bytes[..71],
            &[bytes.as_slice(), &[0]].concat(),
            &[bytes.as_slice(), &[0; 32]].concat(),
        ] {
            assert_eq!(Frontier::from_bytes(bad), Err(FrontierError));
        }
        assert_eq!(Frontier::from_bytes(&[0; 8]), Ok(Frontier::new()));
        let full = [&u64::MAX.to_be_bytes()[..], &[7; 64 * 32]].concat();
        assert_eq!(Frontier::from_bytes(&full).unwrap().size(), u64::MAX);
    }

    proptest! {
        #[test]
        fn edge_and_definition_agree(count in 0_usize..200, cut in 0_usize..200) {
            let leaves = hashes(count);
            let mut frontier = Frontier::new();
            for (at, leaf) in leaves.iter().enumerate() {
                if at == cut {
                    // Stored and read back in the middle.
                    frontier = Frontier::from_bytes(&frontier.to_bytes()).unwrap();
                }
                frontier.push(*leaf);
                let edge = u64::from(frontier.size().count_ones());
                prop_assert_eq!(u64::try_from(frontier.hashes.len()).unwrap(), edge);
            }
            prop_assert_eq!(frontier.size(), u64::try_from(count).unwrap());
            prop_assert_eq!(frontier.root(), root_of(&leaves));
        }
    }
}
