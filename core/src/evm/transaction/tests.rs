#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::vec;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::evm::authorization::Authorization;
use crate::evm::rlp::{Encoder, Value};
use crate::secp256k1::SecretKey;

fn bytes(hex_digits: &str) -> Vec<u8> {
    hex::decode(hex_digits).unwrap()
}

fn key() -> SecretKey {
    SecretKey::from_bytes(&[0x46; 32]).unwrap()
}

fn base(kind: TransactionKind) -> Transaction {
    Transaction {
        chain_id: 1,
        nonce: 9,
        gas_limit: 21_000,
        to: Some(EvmAddress::new([0x35; 20])),
        value: U256::from(1_000_000_000_000_000_000_u64),
        data: vec![],
        kind,
    }
}

fn legacy() -> Transaction {
    base(TransactionKind::Legacy {
        gas_price: U256::from(20_000_000_000_u64),
    })
}

fn access_list() -> Vec<AccessListEntry> {
    vec![
        AccessListEntry {
            address: EvmAddress::new([7; 20]),
            storage_keys: vec![[1; 32], [0; 32]],
        },
        AccessListEntry {
            address: EvmAddress::new([8; 20]),
            storage_keys: vec![],
        },
    ]
}

fn dynamic() -> Transaction {
    base(TransactionKind::DynamicFee {
        max_priority_fee_per_gas: U256::from(1_u64),
        max_fee_per_gas: U256::from(100_u64),
        access_list: access_list(),
    })
}

fn delegation() -> Transaction {
    let authorization = Authorization {
        chain_id: U256::ZERO,
        delegate: EvmAddress::new([9; 20]),
        nonce: 3,
    };
    let signature = key()
        .sign_prehash(&crate::evm::keccak256(&authorization.encode()))
        .unwrap();
    base(TransactionKind::SetCode {
        max_priority_fee_per_gas: U256::from(1_u64),
        max_fee_per_gas: U256::from(100_u64),
        access_list: vec![],
        authorizations: vec![SignedAuthorization {
            authorization,
            y_parity: u8::from(signature.y_odd),
            r: U256::from_be_bytes(signature.r),
            s: U256::from_be_bytes(signature.s),
        }],
    })
}

fn samples() -> Vec<Transaction> {
    let typed = base(TransactionKind::AccessList {
        gas_price: U256::from(7_u64),
        access_list: access_list(),
    });
    let creation = Transaction {
        to: None,
        data: vec![0x60; 300],
        ..legacy()
    };
    vec![legacy(), typed, dynamic(), delegation(), creation]
}

/// EIP-155, "Example".
#[test]
fn the_example_of_eip_155() {
    let transaction = legacy();
    let unsigned =
        bytes("ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080");
    assert_eq!(transaction.encode_unsigned(), unsigned);
    assert_eq!(Transaction::decode_unsigned(&unsigned).as_ref(), Ok(&transaction));
    assert_eq!(
        hex::encode(transaction.signing_hash()),
        "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"
    );
    let signature = key().sign_prehash(&transaction.signing_hash()).unwrap();
    let signed = transaction
        .clone()
        .into_signed(signature, &key().address())
        .unwrap();
    assert_eq!(
        hex::encode(signed.encode()),
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef\
         61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800cc\
         f555c9f3dc64214b297fb1966a3b6d83"
    );
    assert_eq!(
        format!("{}", signed.sender()),
        "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"
    );
    assert_eq!(SignedTransaction::decode(&signed.encode()), Ok(signed));
}

#[test]
fn every_type_reads_back_and_knows_its_sender() {
    for transaction in samples() {
        let unsigned = transaction.encode_unsigned();
        assert_eq!(Transaction::decode_unsigned(&unsigned).as_ref(), Ok(&transaction));
        assert_eq!(
            SignedTransaction::decode(&unsigned),
            Err(TransactionError::Unsigned)
        );
        assert!(parses_as_transaction(&unsigned));
        let signature = key().sign_prehash(&transaction.signing_hash()).unwrap();
        let other = EvmAddress::new([1; 20]);
        assert_eq!(
            transaction.clone().into_signed(signature, &other),
            Err(TransactionError::WrongSender {
                expected: other,
                found: key().address()
            })
        );
        let signed = transaction.into_signed(signature, &key().address()).unwrap();
        let encoded = signed.encode();
        assert_eq!(SignedTransaction::decode(&encoded).as_ref(), Ok(&signed));
        assert_eq!(
            Transaction::decode_unsigned(&encoded),
            Err(TransactionError::Signed)
        );
        assert!(parses_as_transaction(&encoded));
        for len in 0..encoded.len() {
            let (part, _) = encoded.split_at(len);
            assert!(Transaction::decode_any(part).is_err(), "{len} bytes");
        }
        let longer = [encoded.as_slice(), &[0]].concat();
        assert!(Transaction::decode_any(&longer).is_err());
    }
    let delegation = delegation();
    let authority = delegation
        .authorizations()
        .first()
        .and_then(SignedAuthorization::authority);
    assert_eq!(authority, Some(key().address()));
}

/// A list of numbers, and of strings where the number would be no field's.
fn fields(prefix: &[u8], entries: &[&[u8]]) -> Vec<u8> {
    let mut encoder = Encoder::default();
    encoder.list(|list| entries.iter().for_each(|entry| list.bytes(entry)));
    [prefix, &encoder.finish()].concat()
}

#[test]
fn what_no_network_or_nobody_should_accept_is_refused() {
    let to = [0x35; 20];
    let max = [0xff; 32];
    let nonce = [0xff; 8];
    let wide_chain = [0x80, 0, 0, 0, 0, 0, 0, 0];
    // Half the order of the curve and one more, so high s.
    let high_s = {
        let mut s = bytes("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0");
        if let Some(last) = s.last_mut() {
            *last += 1;
        }
        s
    };
    let r = [1];
    for (encoded, expected) in [
        (vec![], TransactionError::Empty),
        (vec![0], TransactionError::UnknownType(0)),
        (vec![0x7f], TransactionError::UnknownType(0x7f)),
        (vec![5, 0xc0], TransactionError::UnknownType(5)),
        (vec![3, 0xc0], TransactionError::Blob),
        (vec![0xc0], TransactionError::Rlp(RlpError::MissingField)),
        (vec![2, 0xc0], TransactionError::Rlp(RlpError::MissingField)),
        (vec![2, 0x80], TransactionError::Rlp(RlpError::WrongKind)),
        (vec![2], TransactionError::Rlp(RlpError::Truncated)),
        (vec![0xc0; 2], TransactionError::Rlp(RlpError::Trailing(1))),
        (
            fields(&[], &[&[], &[], &[], &to, &[], &[]]),
            TransactionError::NoChainId,
        ),
        (
            fields(&[], &[&[], &[], &[], &to, &[], &[], &[27], &r, &r]),
            TransactionError::NoChainId,
        ),
        (
            fields(&[], &[&[], &[], &[], &to, &[], &[], &[28], &r, &r]),
            TransactionError::NoChainId,
        ),
        (
            fields(&[], &[&[], &[], &[], &to, &[], &[], &[34], &r, &r]),
            TransactionError::Parity,
        ),
        (
            fields(&[], &[&[], &[], &[], &to, &[], &[], &[35], &r, &r]),
            TransactionError::ChainId,
        ),
        (
            fields(&[], &[&[], &[], &[], &to, &[], &[], &[], &[], &[]]),
            TransactionError::ChainId,
        ),
        (
            fields(&[], &[&[], &[], &[], &to, &[], &[], &wide_chain, &[], &[]]),
            TransactionError::ChainId,
        ),
        (
            fields(&[], &[&[], &[], &[], &to, &[], &[], &max, &[], &[]]),
            TransactionError::ChainId,
        ),
        (
            fields(&[], &[&[], &[], &[], &to, &[], &[], &[37], &r, &[]]),
            TransactionError::Signature,
        ),
        (
            fields(&[], &[&[], &[], &[], &to, &[], &[], &[37], &r, &max]),
            TransactionError::Signature,
        ),
        (
            fields(&[], &[&[], &[], &[], &to, &[], &[], &[37], &r, &high_s]),
            TransactionError::Signature,
        ),
        (
            fields(&[], &[&nonce, &[], &[], &to, &[], &[], &[1], &[], &[]]),
            TransactionError::Nonce,
        ),
        (
            fields(&[], &[&[], &max, &[2], &to, &[], &[], &[1], &[], &[]]),
            TransactionError::Overflow,
        ),
        (
            fields(&[], &[&[], &[1], &[1], &to, &max, &[], &[1], &[], &[]]),
            TransactionError::Overflow,
        ),
        (
            fields(&[], &[&[], &[], &[], &to[..19], &[], &[], &[1], &[], &[]]),
            TransactionError::Rlp(RlpError::WrongLength {
                found: 19,
                wanted: 20,
            }),
        ),
        (
            fields(&[], &[&[0], &[], &[], &to, &[], &[], &[1], &[], &[]]),
            TransactionError::Rlp(RlpError::LeadingZero),
        ),
        (
            fields(&[], &[&[], &[], &[], &to, &[], &[], &[1], &[], &[], &[]]),
            TransactionError::Rlp(RlpError::Trailing(1)),
        ),
    ] {
        assert_eq!(Transaction::decode_any(&encoded), Err(expected), "{encoded:02x?}");
    }
    assert_eq!(
        Transaction::decode_any(&vec![0xf9; MAX_TRANSACTION_BYTES + 1]),
        Err(TransactionError::TooLong {
            found: MAX_TRANSACTION_BYTES + 1
        })
    );
    let check = |change: fn(&mut Transaction), expected| {
        let mut transaction = delegation();
        change(&mut transaction);
        assert_eq!(transaction.check(), Err(expected));
        assert_eq!(
            Transaction::decode_any(&transaction.encode_unsigned()),
            Err(expected)
        );
    };
    check(|own| own.to = None, TransactionError::Delegation("a recipient"));
    check(
        |own| {
            if let TransactionKind::SetCode { authorizations, .. } = &mut own.kind {
                authorizations.clear();
            }
        },
        TransactionError::Delegation("an authorisation"),
    );
    check(
        |own| {
            if let TransactionKind::SetCode {
                max_priority_fee_per_gas,
                ..
            } = &mut own.kind
            {
                *max_priority_fee_per_gas = U256::from(101_u64);
            }
        },
        TransactionError::PriorityFee,
    );
}

#[test]
fn a_parity_beyond_one_does_not_exist() {
    let signature = key().sign_prehash(&dynamic().signing_hash()).unwrap();
    let signed = dynamic()
        .into_signed(signature, &key().address())
        .unwrap()
        .encode();
    let Value::List(mut entries) = Value::decode(&signed[1..]).unwrap() else {
        panic!("no list");
    };
    assert_eq!(entries.len(), 12);
    entries[9] = Value::Bytes(vec![2]);
    let changed = [&[2][..], &Value::List(entries).encode()].concat();
    assert_eq!(Transaction::decode_any(&changed), Err(TransactionError::Parity));
}

#[test]
fn authorisations_are_read_and_shown() {
    let authorization = Authorization {
        chain_id: U256::from(56_u64),
        delegate: EvmAddress::new([9; 20]),
        nonce: 3,
    };
    let encoded = authorization.encode();
    assert_eq!(Authorization::decode(&encoded), Ok(authorization));
    assert!(parses_as_transaction(&encoded));
    for wrong in [
        &[][..],
        &[5],
        &[4, 0xc0],
        &[5, 0xc0],
        &encoded[..encoded.len() - 1],
    ] {
        assert!(Authorization::decode(wrong).is_err(), "{wrong:?}");
    }
    insta::assert_snapshot!(delegation().authorizations()[0].sentence(), @"DANGER: hand full control of 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F to the code of 0x0909090909090909090909090909090909090909 on every chain");
}

#[test]
fn text_is_no_transaction() {
    for text in [&b""[..], b"hello", b"\x01hello", b"\xc3\xa9t\xc3\xa9", b"0xc0"] {
        assert!(!parses_as_transaction(text), "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_transaction_reads_back(
        sample in 0_usize..5,
        chain_id in 1..=MAX_CHAIN_ID,
        nonce in 0..u64::MAX,
        gas_limit in any::<u32>(),
        value in any::<u128>(),
        data in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let transaction = Transaction {
            chain_id,
            nonce,
            gas_limit: gas_limit.into(),
            value: U256::from(value),
            data,
            ..samples()[sample].clone()
        };
        let encoded = transaction.encode_unsigned();
        prop_assert_eq!(Transaction::decode_unsigned(&encoded), Ok(transaction.clone()));
        let signature = key().sign_prehash(&transaction.signing_hash()).unwrap();
        let signed = transaction.into_signed(signature, &key().address()).unwrap();
        prop_assert_eq!(SignedTransaction::decode(&signed.encode()), Ok(signed));
    }

    /// Whatever a changed byte makes of it: refused, or exactly what the bytes say, and never the same.
    #[test]
    fn a_changed_byte_is_never_overlooked(sample in 0_usize..5, at in any::<prop::sample::Index>(), change in 1_u8..) {
        let transaction = samples()[sample].clone();
        let signature = key().sign_prehash(&transaction.signing_hash()).unwrap();
        let mut encoded = transaction.into_signed(signature, &key().address()).unwrap().encode();
        let at = at.index(encoded.len());
        encoded[at] ^= change;
        match Transaction::decode_any(&encoded) {
            Err(_) => {}
            Ok(Decoded::Unsigned(own)) => prop_assert_eq!(own.encode_unsigned(), encoded),
            Ok(Decoded::Signed(own)) => {
                prop_assert_eq!(own.encode(), encoded);
                prop_assert_ne!(own.sender(), &key().address());
            }
        }
    }
}
