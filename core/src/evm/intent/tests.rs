#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::vec;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::calldata::selector;
use super::*;
use crate::evm::keccak256;
use crate::evm::transaction::TransactionKind;

const FROM: EvmAddress = EvmAddress::new([0x11; 20]);
const CONTRACT: EvmAddress = EvmAddress::new([0x22; 20]);
const OTHER: EvmAddress = EvmAddress::new([0x33; 20]);

fn transaction(to: Option<EvmAddress>, data: Vec<u8>) -> Transaction {
    Transaction {
        chain_id: 56,
        nonce: 3,
        gas_limit: 60_000,
        to,
        value: U256::ZERO,
        data,
        kind: TransactionKind::Legacy {
            gas_price: U256::from(1_000_000_000_u64),
        },
    }
}

fn word(number: u64) -> [u8; 32] {
    *U256::from(number).as_be_bytes()
}

fn address(address: EvmAddress) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(address.as_bytes());
    word
}

fn call(selector: [u8; 4], words: &[[u8; 32]]) -> Vec<u8> {
    [&selector[..], words.as_flattened()].concat()
}

fn action(data: Vec<u8>) -> EvmAction {
    EvmIntent::from_transaction(&transaction(Some(CONTRACT), data), FROM).action
}

fn is_call(data: &[u8]) -> bool {
    matches!(action(data.to_vec()), EvmAction::Call { .. })
}

#[test]
fn selectors_are_those_of_their_signatures() {
    for (own, signature) in [
        (selector::TRANSFER, "transfer(address,uint256)"),
        (selector::TRANSFER_FROM, "transferFrom(address,address,uint256)"),
        (selector::APPROVE, "approve(address,uint256)"),
        (selector::INCREASE_ALLOWANCE, "increaseAllowance(address,uint256)"),
        (selector::DECREASE_ALLOWANCE, "decreaseAllowance(address,uint256)"),
        (
            selector::PERMIT,
            "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)",
        ),
        (
            selector::PERMIT_DAI,
            "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)",
        ),
        (
            selector::SAFE_TRANSFER_721,
            "safeTransferFrom(address,address,uint256)",
        ),
        (
            selector::SAFE_TRANSFER_721_DATA,
            "safeTransferFrom(address,address,uint256,bytes)",
        ),
        (
            selector::SAFE_TRANSFER_1155,
            "safeTransferFrom(address,address,uint256,uint256,bytes)",
        ),
        (
            selector::SAFE_BATCH_TRANSFER,
            "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)",
        ),
        (selector::SET_APPROVAL_FOR_ALL, "setApprovalForAll(address,bool)"),
    ] {
        assert_eq!(own, keccak256(signature.as_bytes())[..4], "{signature}");
    }
}

fn batch() -> Vec<u8> {
    call(
        selector::SAFE_BATCH_TRANSFER,
        &[
            address(FROM),
            address(OTHER),
            word(160),
            word(256),
            word(352),
            word(2),
            word(7),
            word(8),
            word(2),
            word(1),
            word(5),
            word(0),
        ],
    )
}

fn known_calls() -> Vec<Vec<u8>> {
    let mut data = [0; 32];
    data[..3].copy_from_slice(b"abc");
    vec![
        call(selector::TRANSFER, &[address(OTHER), word(5)]),
        call(selector::TRANSFER_FROM, &[address(FROM), address(OTHER), word(5)]),
        call(selector::APPROVE, &[address(OTHER), word(5)]),
        call(selector::APPROVE, &[address(OTHER), [0xff; 32]]),
        call(selector::APPROVE, &[address(OTHER), word(0)]),
        call(selector::INCREASE_ALLOWANCE, &[address(OTHER), word(5)]),
        call(selector::DECREASE_ALLOWANCE, &[address(OTHER), word(5)]),
        call(
            selector::PERMIT,
            &[
                address(FROM),
                address(OTHER),
                [0xff; 32],
                word(1),
                word(27),
                [1; 32],
                [2; 32],
            ],
        ),
        call(
            selector::PERMIT_DAI,
            &[
                address(FROM),
                address(OTHER),
                word(1),
                word(1),
                word(1),
                word(27),
                [1; 32],
                [2; 32],
            ],
        ),
        call(
            selector::SAFE_TRANSFER_721,
            &[address(FROM), address(OTHER), word(7)],
        ),
        call(
            selector::SAFE_TRANSFER_721_DATA,
            &[address(FROM), address(OTHER), word(7), word(128), word(3), data],
        ),
        call(
            selector::SAFE_TRANSFER_1155,
            &[
                address(FROM),
                address(OTHER),
                word(7),
                word(2),
                word(160),
                word(0),
            ],
        ),
        batch(),
        call(selector::SET_APPROVAL_FOR_ALL, &[address(OTHER), word(1)]),
        call(selector::SET_APPROVAL_FOR_ALL, &[address(OTHER), word(0)]),
    ]
}

#[test]
fn known_calls_are_told_in_sentences() {
    let mut told = vec![];
    let mut payment = transaction(Some(OTHER), vec![]);
    payment.value = U256::from(1_500_000_000_000_000_000_u64);
    let mut creation = transaction(None, vec![0x60; 12]);
    creation.value = U256::from(1_u64);
    creation.chain_id = 424_242;
    let mut paid_call = transaction(Some(CONTRACT), vec![1, 2, 3, 4, 5]);
    paid_call.value = U256::from(10_u64);
    let stub = transaction(Some(CONTRACT), vec![1]);
    let calls = known_calls()
        .into_iter()
        .map(|data| transaction(Some(CONTRACT), data));
    for one in [payment, creation, paid_call, stub].into_iter().chain(calls) {
        told.push(EvmIntent::from_transaction(&one, FROM).sentences().join("\n"));
    }
    // insta reads its files, which a page cannot.
    if cfg!(not(target_arch = "wasm32")) {
        insta::assert_snapshot!(told.join("\n\n"));
    }
}

#[test]
fn what_is_not_exactly_a_call_is_not_decoded() {
    for known in known_calls() {
        assert!(!is_call(&known), "{}", hex::encode(&known));
        // Longer by a byte or a word, shorter by a byte or a word.
        assert!(is_call(&[known.as_slice(), &[0]].concat()));
        assert!(is_call(&[known.as_slice(), &[0; 32]].concat()));
        assert!(is_call(&known[..known.len() - 1]));
        assert!(is_call(&known[..known.len() - 32]));
        // An address of more than twenty bytes.
        let mut wide = known;
        wide[4] = 1;
        assert!(is_call(&wide));
    }
    let flag = call(selector::SET_APPROVAL_FOR_ALL, &[address(OTHER), word(2)]);
    assert!(is_call(&flag));
    // Offsets elsewhere, lengths that differ, padding that is none.
    for (at, value) in [
        (2, 161),
        (2, 192),
        (3, 288),
        (4, 320),
        (5, 1),
        (5, 3),
        (8, 1),
        (5, u64::MAX),
        (11, 1),
    ] {
        let mut data = batch();
        data[4 + at * 32..][..32].copy_from_slice(&word(value));
        assert!(is_call(&data), "{at} {value}");
    }
    let mut padded = call(
        selector::SAFE_TRANSFER_721_DATA,
        &[
            address(FROM),
            address(OTHER),
            word(7),
            word(128),
            word(3),
            [1; 32],
        ],
    );
    assert!(is_call(&padded));
    padded.truncate(4);
    assert!(is_call(&padded));
}

#[test]
fn limits_of_counters_are_unlimited() {
    for (amount, unlimited) in [
        ("0", false),
        ("79228162514264337593543950334", false),
        ("79228162514264337593543950335", true),
        ("79228162514264337593543950336", false),
        ("340282366920938463463374607431768211454", false),
        ("340282366920938463463374607431768211455", true),
        ("340282366920938463463374607431768211456", true),
    ] {
        assert_eq!(is_unlimited(&amount.parse().unwrap()), unlimited, "{amount}");
    }
    assert!(is_unlimited(&U256::MAX));
}

#[test]
fn an_intent_is_of_its_bytes() {
    let one = transaction(Some(OTHER), vec![]);
    let intent = EvmIntent::from_transaction(&one, FROM);
    let digest: [u8; 32] = Sha256::digest(one.encode_unsigned()).into();
    assert_eq!(intent.payload_sha256, digest);
    assert_eq!(intent.max_fee, U256::from(60_000_000_000_000_u64));
    assert_eq!(
        chain_name(137).map(|chain| format!("{} {}", chain.name, chain.coin)),
        Some("Polygon POL".into())
    );
}
