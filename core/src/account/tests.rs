#![expect(clippy::unwrap_used, reason = "tests")]

use alloc::string::ToString;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

const SOLANA: &str = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk";
const EVM: &str = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94";

#[test]
fn the_text_tells_the_chain() {
    let solana: AccountAddress = SOLANA.parse().unwrap();
    assert_eq!(
        (solana.chain(), solana.to_string()),
        (Chain::Solana, SOLANA.to_string())
    );
    let evm: AccountAddress = EVM.parse().unwrap();
    assert_eq!((evm.chain(), evm.to_string()), (Chain::Evm, EVM.to_string()));
    assert!(solana.as_evm().is_none() && evm.as_solana().is_none());
    assert!(matches!(
        "0x12".parse::<AccountAddress>(),
        Err(AccountAddressError::Evm(_))
    ));
    assert!(matches!(
        "abc".parse::<AccountAddress>(),
        Err(AccountAddressError::Solana(_))
    ));
}

#[test]
fn it_is_text_in_json() {
    for text in [SOLANA, EVM] {
        let address: AccountAddress = text.parse().unwrap();
        let json = serde_json::to_string(&address).unwrap();
        assert_eq!(json, alloc::format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<AccountAddress>(&json).unwrap(), address);
    }
    assert!(serde_json::from_str::<AccountAddress>("\"0x\"").is_err());
}

#[test]
fn chains_have_names() {
    for chain in Chain::ALL {
        assert_eq!(chain.id().parse(), Ok(chain));
    }
    assert_eq!("bitcoin".parse::<Chain>(), Err(UnknownChain));
}
