#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::tree::tests::{ROOTS, hashes, known_leaves};
use super::*;

fn hash(text: &str) -> Hash {
    hex::decode(text).unwrap().try_into().unwrap()
}

fn root(size: usize) -> Hash {
    hash(ROOTS[size])
}

/// Proofs over the reference leaves, from <https://github.com/transparency-dev/merkle>.
const H_10: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const H_23: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const H_47: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const H_4: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const H_45: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
const H_67: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";

#[test]
fn published_inclusion_proofs() {
    let leaves = known_leaves();
    let cases: [(usize, usize, &[&str]); 5] = [
        (0, 1, &[]),
        (0, 8, &[H_10, H_23, H_47]),
        (5, 8, &[H_4, H_67, ROOTS[4]]),
        (2, 3, &[ROOTS[2]]),
        (1, 5, &[ROOTS[1], H_23, H_4]),
    ];
    for (index, size, expected) in cases {
        let expected: Vec<Hash> = expected.iter().map(|text| hash(text)).collect();
        assert_eq!(inclusion_proof(&leaves[..size], index), Some(expected.clone()));
        let (index64, size64) = (u64::try_from(index).unwrap(), u64::try_from(size).unwrap());
        assert_eq!(
            verify_inclusion(&leaves[index], index64, size64, &expected, &root(size)),
            Ok(())
        );
    }
    assert_eq!(inclusion_proof(&leaves, 8), None);
    assert_eq!(inclusion_proof(&[], 0), None);
}

#[test]
fn published_consistency_proofs() {
    let leaves = known_leaves();
    let cases: [(usize, usize, &[&str]); 4] = [
        (1, 1, &[]),
        (1, 8, &[H_10, H_23, H_47]),
        (6, 8, &[H_45, H_67, ROOTS[4]]),
        (2, 5, &[H_23, H_4]),
    ];
    for (old, new, expected) in cases {
        let expected: Vec<Hash> = expected.iter().map(|text| hash(text)).collect();
        assert_eq!(consistency_proof(&leaves[..new], old), Some(expected.clone()));
        let (old64, new64) = (u64::try_from(old).unwrap(), u64::try_from(new).unwrap());
        assert_eq!(
            verify_consistency(old64, new64, &root(old), &root(new), &expected),
            Ok(())
        );
    }
    assert_eq!(consistency_proof(&leaves, 9), None);
}

#[test]
fn degenerate_proofs_are_refused() {
    let (leaf, other) = (hash(H_10), hash(H_23));
    let empty = root_of(&[]);
    assert_eq!(
        verify_inclusion(&leaf, 0, 0, &[], &empty),
        Err(ProofError::OutOfRange)
    );
    assert_eq!(
        verify_inclusion(&leaf, 1, 1, &[], &leaf),
        Err(ProofError::OutOfRange)
    );
    assert_eq!(
        verify_inclusion(&leaf, u64::MAX, u64::MAX, &[], &leaf),
        Err(ProofError::OutOfRange)
    );
    assert_eq!(
        verify_inclusion(&leaf, 0, 1, &[], &other),
        Err(ProofError::RootMismatch)
    );
    assert_eq!(
        verify_inclusion(&leaf, 0, 1, &[other], &leaf),
        Err(ProofError::WrongLength)
    );
    assert_eq!(
        verify_inclusion(&leaf, 0, 2, &[], &leaf),
        Err(ProofError::WrongLength)
    );
    let endless = alloc::vec![other; 200];
    assert_eq!(
        verify_inclusion(&leaf, 5, u64::MAX, &endless, &leaf),
        Err(ProofError::WrongLength)
    );

    assert_eq!(
        verify_consistency(2, 1, &leaf, &other, &[]),
        Err(ProofError::OutOfRange)
    );
    assert_eq!(verify_consistency(0, 3, &empty, &leaf, &[]), Ok(()));
    assert_eq!(
        verify_consistency(0, 3, &leaf, &leaf, &[]),
        Err(ProofError::RootMismatch)
    );
    assert_eq!(
        verify_consistency(0, 3, &empty, &leaf, &[leaf]),
        Err(ProofError::WrongLength)
    );
    assert_eq!(verify_consistency(3, 3, &leaf, &leaf, &[]), Ok(()));
    assert_eq!(
        verify_consistency(3, 3, &leaf, &other, &[]),
        Err(ProofError::RootMismatch)
    );
    assert_eq!(
        verify_consistency(3, 5, &leaf, &other, &[]),
        Err(ProofError::WrongLength)
    );
    assert_eq!(
        verify_consistency(1, u64::MAX, &leaf, &other, &endless),
        Err(ProofError::WrongLength)
    );
}

proptest! {
    #[test]
    fn every_leaf_can_be_proved_and_no_other(
        (size, index) in (1_usize..130).prop_flat_map(|size| (Just(size), 0..size)),
        flip in any::<prop::sample::Index>(),
    ) {
        let leaves = hashes(size);
        let (size64, index64) = (u64::try_from(size).unwrap(), u64::try_from(index).unwrap());
        let whole = root_of(&leaves);
        let proof = inclusion_proof(&leaves, index).unwrap();
        prop_assert!(verify_inclusion(&leaves[index], index64, size64, &proof, &whole).is_ok());
        // Another leaf, another place, a flipped bit, a missing or a further hash.
        let stranger = hash(H_10);
        prop_assert!(verify_inclusion(&stranger, index64, size64, &proof, &whole).is_err());
        for other in 0..size64 {
            let verdict = verify_inclusion(&leaves[index], other, size64, &proof, &whole);
            prop_assert_eq!(verdict.is_ok(), other == index64);
        }
        if !proof.is_empty() {
            let mut changed = proof.clone();
            let at = flip.index(changed.len() * 256);
            changed[at / 256][at % 256 / 8] ^= 1 << (at % 8);
            prop_assert!(verify_inclusion(&leaves[index], index64, size64, &changed, &whole).is_err());
            let short = &proof[1..];
            prop_assert!(verify_inclusion(&leaves[index], index64, size64, short, &whole).is_err());
        }
        let long = [proof.as_slice(), &[stranger]].concat();
        prop_assert!(verify_inclusion(&leaves[index], index64, size64, &long, &whole).is_err());
    }

    #[test]
    fn growth_can_be_proved_and_nothing_else(
        (new, old) in (1_usize..130).prop_flat_map(|new| (Just(new), 1..=new)),
        changed in any::<prop::sample::Index>(),
    ) {
        let leaves = hashes(new);
        let (old64, new64) = (u64::try_from(old).unwrap(), u64::try_from(new).unwrap());
        let (old_root, new_root) = (root_of(&leaves[..old]), root_of(&leaves));
        let proof = consistency_proof(&leaves, old).unwrap();
        prop_assert!(verify_consistency(old64, new64, &old_root, &new_root, &proof).is_ok());
        // A log in which one earlier entry was changed has no valid proof.
        let mut forged = leaves.clone();
        forged[changed.index(old)] = hash(H_10);
        let (forged_root, forged_proof) = (root_of(&forged), consistency_proof(&forged, old).unwrap());
        prop_assert!(verify_consistency(old64, new64, &old_root, &forged_root, &forged_proof).is_err());
        // Nor has one that dropped its last entry.
        if old < new {
            let dropped = root_of(&leaves[..new - 1]);
            prop_assert!(verify_consistency(old64, new64, &old_root, &dropped, &proof).is_err());
        }
        let long = [proof.as_slice(), &[new_root]].concat();
        prop_assert!(verify_consistency(old64, new64, &old_root, &new_root, &long).is_err());
    }

    #[test]
    fn hostile_proofs_do_not_panic(
        (a, b) in (any::<u64>(), any::<u64>()),
        proof in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let zero = [0; 32];
        prop_assert!(verify_inclusion(&zero, a, b, &proof, &[1; 32]).is_err());
        prop_assert!(verify_consistency(a, b, &zero, &[1; 32], &proof).is_err());
    }
}
