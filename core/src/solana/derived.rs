//! Addresses that are derived instead of drawn: program-derived ones, which no key can sign for, associated token
//! accounts among them, and those made from another address and a text.
//!
//! Pure arithmetic: whether there is an account is the chain's to say.
//!
//! Specification: <https://solana.com/docs/core/pda>.

use sha2::{Digest, Sha256};

use crate::address::Address;
use crate::intent::programs;

/// What every program-derived address is hashed with.
const MARKER: &[u8] = b"ProgramDerivedAddress";
/// The most bytes of one seed.
const MAX_SEED_BYTES: usize = 32;
/// The most seeds, the bump among them.
const MAX_SEEDS: usize = 16;

/// The address that a program has for these seeds, with the bump that takes it off the curve: the highest that does.
///
/// `None` when there are more than 15 seeds, one has more than 32 bytes, or no bump fits, which nobody has seen.
#[must_use]
pub fn program_address(seeds: &[&[u8]], program: &Address) -> Option<(Address, u8)> {
    if seeds.len() >= MAX_SEEDS || seeds.iter().any(|seed| seed.len() > MAX_SEED_BYTES) {
        return None;
    }
    let mut seeded = Sha256::new();
    for seed in seeds {
        seeded.update(seed);
    }
    (0..=u8::MAX).rev().find_map(|bump| {
        let mut hasher = seeded.clone();
        hasher.update([bump]);
        hasher.update(program.as_bytes());
        hasher.update(MARKER);
        let address = Address::new(hasher.finalize().into());
        (!address.is_on_curve()).then_some((address, bump))
    })
}

/// The account where a wallet keeps a token unless it chose another: the associated one of the wallet, the token program
/// (SPL Token or Token-2022) and the mint.
///
/// # Panics
/// Never: three seeds of 32 bytes each are within the bounds, and one of 256 hashes is off the curve but for a chance of
/// 2^-256.
#[must_use]
pub fn associated_token_account(wallet: &Address, token_program: &Address, mint: &Address) -> Address {
    let seeds: [&[u8]; 3] = [wallet.as_bytes(), token_program.as_bytes(), mint.as_bytes()];
    program_address(&seeds, &programs::ASSOCIATED_TOKEN)
        .map(|(address, _)| address)
        .expect("half of all hashes are off the curve, and there are 256")
}

/// The address made from another and a text of at most 32 bytes, whose account belongs to `owner`: whoever signs for the
/// other signs for it. `None` for a longer text, or an owner that ends as program-derived addresses are marked.
#[must_use]
pub fn seeded_address(base: &Address, seed: &str, owner: &Address) -> Option<Address> {
    if seed.len() > MAX_SEED_BYTES || owner.as_bytes().ends_with(MARKER) {
        return None;
    }
    let mut hasher = Sha256::new();
    hasher.update(base.as_bytes());
    hasher.update(seed.as_bytes());
    hasher.update(owner.as_bytes());
    Some(Address::new(hasher.finalize().into()))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn seeds_are_bounded() {
        let program = Address::new([7; 32]);
        let long: &[u8] = &[0; MAX_SEED_BYTES + 1];
        assert!(program_address(&[long], &program).is_none());
        assert!(program_address(&[&long[..MAX_SEED_BYTES]; MAX_SEEDS - 1], &program).is_some());
        assert!(program_address(&[b"" as &[u8]; MAX_SEEDS], &program).is_none());
        let text = |len: usize| String::from_utf8(alloc::vec![b'a'; len]).unwrap_or_default();
        assert!(seeded_address(&program, &text(32), &programs::SYSTEM).is_some());
        assert!(seeded_address(&program, &text(33), &programs::SYSTEM).is_none());
        let mut marked = [7; 32];
        marked[32 - MARKER.len()..].copy_from_slice(MARKER);
        assert!(seeded_address(&program, "", &Address::new(marked)).is_none());
    }

    #[test]
    fn each_part_counts_and_no_key_fits() {
        let [wallet, mint] = [Address::new([1; 32]), Address::new([2; 32])];
        let account = associated_token_account(&wallet, &programs::TOKEN, &mint);
        assert!(!account.is_on_curve());
        assert_ne!(
            account,
            associated_token_account(&wallet, &programs::TOKEN_2022, &mint)
        );
        assert_ne!(
            account,
            associated_token_account(&mint, &programs::TOKEN, &wallet)
        );
    }
}
