//! Addresses, signatures, amounts, paths and names: one reading, and never a panic.
#![no_main]

use keyward_core::account::{AccountAddress, Chain};
use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::{Lamports, format_units, parse_units};
use keyward_core::audit::Operation;
use keyward_core::discovery::Scheme;
use keyward_core::evm::{EvmAddress, U256};
use keyward_core::path::{ChildIndex, DerivationPath, PathComponent, PathFamily};
use keyward_core::policy::{Asset, AssetMatch, ChainMatch, WalletSignature};
use keyward_core::siws::Timestamp;
use keyward_core::vault::{KdfParams, RecordId, VaultId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    addresses(text);
    amounts(text);
    paths(text);
    names(text);
});

fn addresses(text: &str) {
    let solana = text.parse::<Address>();
    if let Ok(address) = &solana {
        assert_eq!(address.to_string(), text);
        assert_eq!(
            text.parse::<Blockhash>().map(|hash| hash.to_string()).as_deref(),
            Ok(text)
        );
    }
    let evm = text.parse::<EvmAddress>();
    if let Ok(address) = &evm {
        // Whatever the case, it is shown with its checksum and read again.
        let shown = address.to_string();
        assert!(shown.eq_ignore_ascii_case(text));
        assert_eq!(shown.parse().as_ref(), Ok(address));
    }
    match text.parse::<AccountAddress>() {
        Ok(AccountAddress::Solana(address)) => assert_eq!(solana, Ok(address)),
        Ok(AccountAddress::Evm(address)) => assert_eq!(evm, Ok(address)),
        Err(_) => assert!(solana.is_err() && evm.is_err()),
    }
    if let Ok(signature) = text.parse::<Signature>() {
        assert_eq!(signature.to_string(), text);
    }
    if let Ok(signature) = text.parse::<WalletSignature>() {
        let shown = signature.to_string();
        // The last byte of an EVM wallet's is read as 0 or 1 too, and shown as 27 or 28.
        let len = text.len().saturating_sub(2);
        let same = shown.get(..len).zip(text.get(..len));
        assert!(same.is_some_and(|(shown, text)| shown.eq_ignore_ascii_case(text)));
        assert_eq!(shown.parse(), Ok(signature));
    }
}

fn amounts(text: &str) {
    if let Ok(lamports) = Lamports::parse(text) {
        let shown = lamports.to_string().replace(',', "");
        assert_eq!(Lamports::parse(&shown), Ok(lamports));
    }
    for decimals in [0, 6, 9, 255] {
        if let Ok(units) = parse_units(text, decimals) {
            let shown = format_units(units, decimals).replace(',', "");
            assert_eq!(parse_units(&shown, decimals), Ok(units));
        }
    }
    if let Ok(number) = text.parse::<U256>() {
        let _ = (number.format_units(18), number.format_units_short(18));
        if let Some(small) = number.to_u128() {
            assert_eq!(text.parse(), Ok(small));
            assert_eq!(U256::from(small), number);
        }
        assert_eq!(number.to_string().parse(), Ok(number));
        assert_eq!(U256::from_be_slice(number.minimal_be_bytes()), Some(number));
    }
}

fn paths(text: &str) {
    if let Ok(path) = text.parse::<DerivationPath>() {
        let shown = path.to_string();
        assert_eq!(shown.parse().as_ref(), Ok(&path));
        assert_eq!(shown.replace(['h', 'H'], "'"), text.replace(['h', 'H'], "'"));
        for component in path.components() {
            assert_eq!(PathComponent::from_bits(component.to_bits()), *component);
        }
    }
}

fn names(text: &str) {
    if let Ok(chain) = text.parse::<Chain>() {
        assert_eq!(chain.id(), text);
    }
    if let Ok(family) = PathFamily::from_id(text) {
        assert_eq!(family.id(), text);
        let path = family.path(ChildIndex::MAX).map(|path| path.to_string());
        assert!(path.is_none_or(|path| path.parse::<DerivationPath>().is_ok()));
    }
    if let Ok(scheme) = text.parse::<Scheme>() {
        assert_eq!(scheme.id(), text);
        let path = scheme.path_text(ChildIndex::MAX, ChildIndex::ZERO);
        assert!(path == "none" || path.parse::<DerivationPath>().is_ok());
    }
    // Contracts in them are written in any case.
    if let Ok(asset) = text.parse::<Asset>() {
        assert_eq!(asset.to_string().parse(), Ok(asset));
        assert_eq!(text.parse(), Ok(AssetMatch::Asset(asset)));
    }
    if let Ok(assets) = text.parse::<AssetMatch>() {
        assert!(assets.to_string().eq_ignore_ascii_case(text));
        assert_eq!(assets.to_string().parse(), Ok(assets));
    }
    if let Ok(chains) = text.parse::<ChainMatch>() {
        assert_eq!(chains.to_string(), text);
    }
    if let Ok(operation) = text.parse::<Operation>() {
        assert_eq!(operation.as_str(), text);
    }
    if let Ok(params) = text.parse::<KdfParams>() {
        assert_eq!(params.to_string(), text);
    }
    if let Ok(id) = text.parse::<VaultId>() {
        assert!(id.to_string().eq_ignore_ascii_case(text));
    }
    if let Ok(id) = text.parse::<RecordId>() {
        assert!(id.to_string().eq_ignore_ascii_case(text));
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        assert_eq!(time.as_str(), text);
        let _ = time.unix_ms();
    }
}
