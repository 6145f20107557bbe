#![expect(clippy::unwrap_used, reason = "tests")]

use alloc::format;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::mnemonic::Mnemonic;

const ABOUT: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const JUNK: &str = "test test test test test test test test test test test junk";

fn seed(words: &str) -> Seed {
    Mnemonic::parse(words).unwrap().to_seed("")
}

fn index(number: u32) -> ChildIndex {
    ChildIndex::new(number).unwrap()
}

#[test]
fn gives_the_published_addresses() {
    // The first accounts of these two phrases in every Ethereum wallet and test node.
    for (words, number, address) in [
        (ABOUT, 0, "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"),
        (JUNK, 0, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"),
        (JUNK, 1, "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
    ] {
        let deriver = EvmDeriver::new(&seed(words), PathFamily::EvmBip44).unwrap();
        assert_eq!(
            deriver.derive(index(number)).unwrap().address.to_string(),
            address
        );
    }
    // The private key that the same test nodes print for the first account.
    let first = EvmDeriver::new(&seed(JUNK), PathFamily::EvmBip44)
        .unwrap()
        .derive(index(0))
        .unwrap();
    assert_eq!(
        hex::encode(first.secret.expose_bytes()),
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    );
}

#[test]
fn every_family_is_what_its_path_says() {
    let seed = seed(ABOUT);
    for family in PathFamily::EVM {
        let deriver = EvmDeriver::new(&seed, family).unwrap();
        assert_eq!(deriver.family(), family);
        let chunk = deriver.derive_chunk(5, 4).unwrap();
        assert_eq!(chunk.len(), 4);
        for (wallet, number) in chunk.iter().zip(5..) {
            let single = deriver.derive(index(number)).unwrap();
            assert_eq!(
                (wallet.index, wallet.address, &wallet.path),
                (single.index, single.address, &single.path)
            );
            let walked = derive_path(&seed, &wallet.path.parse().unwrap()).unwrap();
            assert!(walked.is_same_as(&wallet.secret), "{}", wallet.path);
            assert_eq!(walked.address(), wallet.address);
        }
    }
    // All families agree on the first wallet of BIP-44 and Ledger Live, and on no other.
    let at = |family, number| {
        let deriver = EvmDeriver::new(&seed, family).unwrap();
        deriver.derive(index(number)).unwrap().address
    };
    assert_eq!(at(PathFamily::EvmBip44, 0), at(PathFamily::EvmLedgerLive, 0));
    assert_ne!(at(PathFamily::EvmBip44, 1), at(PathFamily::EvmLedgerLive, 1));
    assert_ne!(at(PathFamily::EvmBip44, 0), at(PathFamily::EvmLegacy, 0));
}

#[test]
fn families_of_the_other_chain_and_ranges_past_the_end_are_refused() {
    let seed = seed(ABOUT);
    for family in PathFamily::SOLANA {
        assert_eq!(
            EvmDeriver::new(&seed, family).unwrap_err(),
            DeriveError::OtherChain { family }
        );
    }
    let deriver = EvmDeriver::new(&seed, PathFamily::EvmBip44).unwrap();
    let refused = |start, count| deriver.derive_chunk(start, count).unwrap_err();
    assert_eq!(refused(0, 1025), DeriveError::ChunkTooLarge { count: 1025 });
    assert_eq!(refused(2_147_483_647, 2), DeriveError::RangeEnd);
    assert_eq!(refused(u32::MAX, 1), DeriveError::RangeEnd);
    assert_eq!(deriver.derive_chunk(2_147_483_646, 2).unwrap().len(), 2);
    assert!(deriver.derive_chunk(0, 0).unwrap().is_empty());
}

#[test]
fn debug_shows_no_secret() {
    let deriver = EvmDeriver::new(&seed(JUNK), PathFamily::EvmBip44).unwrap();
    let shown = format!("{deriver:?} {:?}", deriver.derive(index(0)).unwrap());
    assert!(shown.contains("0xf39F") && !shown.contains("ac0974"), "{shown}");
}
