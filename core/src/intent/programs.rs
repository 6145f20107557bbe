//! Programs that Keyward knows, by address.
//!
//! Knowing a name is no judgement: only [`super::Action`] says what is understood.

use crate::address::Address;

const fn address(base58: &str) -> Address {
    // A mistyped address fails the build.
    Address::new(bs58::decode(base58.as_bytes()).into_array_const_unwrap::<32>())
}

/// The System program.
pub const SYSTEM: Address = Address::new([0; 32]);
/// Compute budget.
pub const COMPUTE_BUDGET: Address = address("ComputeBudget111111111111111111111111111111");
/// Memo, current version.
pub const MEMO: Address = address("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
/// Memo, first version.
pub const MEMO_V1: Address = address("Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo");
/// SPL Token.
pub const TOKEN: Address = address("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
/// SPL Token-2022.
pub const TOKEN_2022: Address = address("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");

/// Associated Token Account.
pub const ASSOCIATED_TOKEN: Address = address("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
/// Stake.
pub const STAKE: Address = address("Stake11111111111111111111111111111111111111");
/// Address Lookup Table.
pub const LOOKUP_TABLE: Address = address("AddressLookupTab1e1111111111111111111111111");
/// The upgradeable BPF loader, version 3.
pub const UPGRADEABLE_LOADER: Address = address("BPFLoaderUpgradeab1e11111111111111111111111");
/// The loader's version 4.
pub const LOADER_V4: Address = address("LoaderV411111111111111111111111111111111111");

/// The sysvar of recent blockhashes, which instructions about nonces read.
pub const RECENT_BLOCKHASHES_SYSVAR: Address = address("SysvarRecentB1ockHashes11111111111111111111");
/// The sysvar of rent.
pub const RENT_SYSVAR: Address = address("SysvarRent111111111111111111111111111111111");

/// Sysvars: accounts that the network fills in.
const SYSVARS: [Address; 5] = [
    address("SysvarC1ock11111111111111111111111111111111"),
    RENT_SYSVAR,
    RECENT_BLOCKHASHES_SYSVAR,
    address("SysvarStakeHistory1111111111111111111111111"),
    address("Sysvar1nstructions1111111111111111111111111"),
];

/// Whether an account is one of the network's own that need no showing: a sysvar or the System program
/// where one belongs.
pub(super) fn is_expected(label: &str, account: &Address) -> bool {
    match label {
        "system program" => *account == SYSTEM,
        _ => label.ends_with("sysvar") && SYSVARS.contains(account),
    }
}

const NAMES: [(Address, &str); 23] = [
    (SYSTEM, "System"),
    (COMPUTE_BUDGET, "Compute Budget"),
    (MEMO, "Memo"),
    (MEMO_V1, "Memo v1"),
    (TOKEN, "SPL Token"),
    (TOKEN_2022, "SPL Token-2022"),
    (ASSOCIATED_TOKEN, "Associated Token Account"),
    (STAKE, "Stake"),
    (address("Vote111111111111111111111111111111111111111"), "Vote"),
    (address("Config1111111111111111111111111111111111111"), "Config"),
    (LOOKUP_TABLE, "Address Lookup Table"),
    (LOADER_V4, "BPF Loader v4"),
    (
        address("BPFLoader1111111111111111111111111111111111"),
        "BPF Loader v1",
    ),
    (
        address("BPFLoader2111111111111111111111111111111111"),
        "BPF Loader v2",
    ),
    (UPGRADEABLE_LOADER, "Upgradeable BPF Loader"),
    (
        address("Ed25519SigVerify111111111111111111111111111"),
        "Ed25519 signature check",
    ),
    (
        address("KeccakSecp256k11111111111111111111111111111"),
        "Secp256k1 signature check",
    ),
    (
        address("Secp256r1SigVerify1111111111111111111111111"),
        "Secp256r1 signature check",
    ),
    (
        address("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s"),
        "Metaplex Token Metadata",
    ),
    (
        address("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4"),
        "Jupiter Aggregator v6",
    ),
    (
        address("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8"),
        "Raydium AMM v4",
    ),
    (
        address("whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc"),
        "Orca Whirlpools",
    ),
    (address("6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P"), "Pump.fun"),
];

/// The well-known name of a program, if Keyward knows it.
#[must_use]
pub fn name(program: &Address) -> Option<&'static str> {
    NAMES
        .iter()
        .find(|(known, _)| known == program)
        .map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn every_program_is_named_once() {
        let distinct: BTreeSet<_> = NAMES.iter().map(|(address, _)| *address).collect();
        assert_eq!(distinct.len(), NAMES.len());
        assert_eq!(name(&SYSTEM), Some("System"));
        assert_eq!(name(&Address::new([7; 32])), None);
    }
}
