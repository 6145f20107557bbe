//! RLP, addresses, personal messages and authorisations beside alloy's.

use alloy_eips::eip7702::Authorization as TheirAuthorization;
use alloy_primitives::{Address, Signature, eip191_hash_message};
use alloy_rlp::{Header, PayloadView};
use keyward_core::evm::authorization::{Authorization, SignedAuthorization};
use keyward_core::evm::personal;
use keyward_core::evm::rlp::{MAX_DEPTH, Value};
use keyward_core::evm::{EvmAddress, U256};
use keyward_core::secp256k1::SecretKey;
use proptest::collection::vec as some;
use proptest::prelude::*;

use crate::damage::any_damage;
use crate::samples::any_authorization;
use crate::transactions::their_u256;

/// What alloy makes of one value at the front, and all in it; refused beyond Keyward's depth.
fn their_value(bytes: &mut &[u8], depth: usize) -> Option<Value> {
    match Header::decode_raw(bytes).ok()? {
        PayloadView::String(own) => Some(Value::Bytes(own.to_vec())),
        PayloadView::List(entries) => {
            let depth = depth.checked_sub(1)?;
            let read = |mut entry: &[u8]| their_value(&mut entry, depth);
            entries
                .into_iter()
                .map(read)
                .collect::<Option<_>>()
                .map(Value::List)
        }
    }
}

fn their_exact_value(mut bytes: &[u8]) -> Option<Value> {
    their_value(&mut bytes, MAX_DEPTH).filter(|_| bytes.is_empty())
}

fn check_rlp(bytes: &[u8]) {
    let ours = Value::decode(bytes).ok();
    assert_eq!(ours, their_exact_value(bytes), "{}", hex::encode(bytes));
    if let Some(ours) = ours {
        assert_eq!(ours.encode(), bytes);
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let bytes = prop_oneof![
        some(any::<u8>(), 0..4),
        some(any::<u8>(), 54..58),
        some(any::<u8>(), 255..258)
    ];
    let leaf = bytes.prop_map(Value::Bytes);
    leaf.prop_recursive(5, 24, 4, |inner| some(inner, 0..4).prop_map(Value::List))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn rlp_is_read_alike(value in any_value(), damages in some(any_damage(), 0..4), bytes in some(any::<u8>(), 0..40)) {
        let mut encoded = value.encode();
        prop_assert_eq!(their_exact_value(&encoded), Some(value));
        for damage in damages {
            damage.apply(&mut encoded, 0);
            check_rlp(&encoded);
        }
        check_rlp(&bytes);
    }

    #[test]
    fn addresses_are_cased_alike(bytes in any::<[u8; 20]>(), at in any::<proptest::sample::Index>()) {
        let (ours, theirs) = (EvmAddress::new(bytes), Address::from(bytes));
        let text = theirs.to_checksum(None);
        prop_assert_eq!(&ours.to_string(), &text);
        prop_assert_eq!(text.parse(), Ok(ours));
        // One letter in the other case, unless that leaves one case only.
        let letters: Vec<usize> = (2..42).filter(|at| text.as_bytes()[*at].is_ascii_alphabetic()).collect();
        if letters.is_empty() {
            return Ok(());
        }
        let at = letters[at.index(letters.len())];
        let mut other = text.into_bytes();
        other[at] ^= 0x20;
        let other = String::from_utf8(other).unwrap();
        let digits = &other[2..];
        let one_case = digits == digits.to_lowercase() || digits == digits.to_uppercase();
        prop_assert!(Address::parse_checksummed(&other, None).is_err());
        prop_assert_eq!(other.parse::<EvmAddress>().is_ok(), one_case);
    }

    #[test]
    fn personal_messages_are_hashed_alike(message in prop_oneof![9 => some(any::<u8>(), 0..120), 1 => some(any::<u8>(), 995..1005)]) {
        prop_assert_eq!(personal::signing_hash(&message), eip191_hash_message(&message).0);
    }

    #[test]
    fn authorisations_are_hashed_alike(own in any_authorization(), damages in some(any_damage(), 1..3)) {
        let theirs = their_authorization(&own);
        prop_assert_eq!(keyward_core::evm::keccak256(&own.encode()), theirs.signature_hash().0);
        let mut bytes = own.encode();
        prop_assert_eq!(Authorization::decode(&bytes), Ok(own));
        damages.iter().for_each(|damage| damage.apply(&mut bytes, 1));
        if let Ok(read) = Authorization::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }
}

fn their_authorization(own: &Authorization) -> TheirAuthorization {
    TheirAuthorization {
        chain_id: their_u256(&own.chain_id),
        address: Address::from(own.delegate.to_bytes()),
        nonce: own.nonce,
    }
}

proptest! {
    #[test]
    fn who_authorises_is_found_alike(own in any_authorization(), seed in 1..=u128::MAX, other in any::<[u8; 32]>(), y_parity in 0_u8..3) {
        let mut bytes = [0; 32];
        bytes[16..].copy_from_slice(&seed.to_be_bytes());
        let key = SecretKey::from_bytes(&bytes).unwrap();
        let theirs = their_authorization(&own);
        let signature = key.sign_prehash(&theirs.signature_hash().0).unwrap();
        let (r, s) = (U256::from_be_bytes(signature.r), U256::from_be_bytes(signature.s));
        let signed = SignedAuthorization { authorization: own, y_parity: signature.y_odd.into(), r, s };
        let their_signature = Signature::new(their_u256(&r), their_u256(&s), signature.y_odd);
        let recovered = theirs.clone().into_signed(their_signature).recover_authority().unwrap();
        prop_assert_eq!(signed.authority().map(EvmAddress::to_bytes), Some(recovered.into_array()));
        prop_assert_eq!(signed.authority(), Some(key.address()));
        // Any numbers in place of the signature.
        for (r, s) in [(U256::from_be_bytes(other), s), (r, U256::from_be_bytes(other))] {
            let signed = SignedAuthorization { authorization: own, y_parity, r, s };
            let theirs = alloy_eips::eip7702::SignedAuthorization::new_unchecked(
                theirs.clone(), y_parity, their_u256(&r), their_u256(&s),
            );
            prop_assert_eq!(
                signed.authority().map(EvmAddress::to_bytes),
                theirs.recover_authority().ok().map(Address::into_array)
            );
        }
    }
}
