//! Transactions and messages shown without a vault: every kind in every spelling, and what is wrong with the rest.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::offchain::OffChainMessage;
use keyward_core::siws::{SignIn, SignInFields};
use keyward_core::solana::{MessageVersion, Transaction, compile_message, instructions};
use keyward_tests::sandbox::Sandbox;
use serde_json::{Value, json};

use crate::fixture::{PHRASE, fails, keyward, reasons_of};

/// EIP-155's example, the unsigned payload: nonce 9, 20 gwei, 21000 gas, 1 ether to 0x3535…, chain 1.
const EIP155: &str =
    "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080";
/// The same, signed by 0x4646…46.
const EIP155_SIGNED: &str = concat!(
    "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025",
    "a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276",
    "a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
);

fn transfer() -> Transaction {
    let (from, to) = (Address::new([3; 32]), Address::new([7; 32]));
    let step = instructions::sol_transfer(from, to, Lamports::new(5));
    let message = compile_message(MessageVersion::V0, from, &[step], Blockhash::new([9; 32])).unwrap();
    Transaction::unsigned(message)
}

fn inspect(input: impl Into<Vec<u8>>, options: &str) -> Value {
    let sandbox = Sandbox::new().unwrap();
    let run = keyward(&sandbox, &format!("inspect - --json {options}")).stdin(input);
    let answer = run.success().unwrap().json().unwrap();
    assert!(!sandbox.vault().exists());
    answer
}

fn sentences(answer: &Value) -> String {
    let lines: Vec<&str> = answer["sentences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    lines.join("\n")
}

#[test]
fn a_solana_transaction_is_shown_in_every_spelling() {
    let transaction = transfer();
    let bytes = transaction.encode();
    let first = inspect(bytes.clone(), "");
    assert_eq!(first["kind"], "solana-transaction");
    assert_eq!(first["version"], "0");
    assert_eq!(first["signers"][0]["signature"], "missing");
    assert!(sentences(&first).contains("0.000000005 SOL"), "{first}");
    for spelled in [
        BASE64.encode(&bytes),
        format!("\n{}\n", BASE64.encode(&bytes)),
        hex::encode(&bytes),
        format!("0x{}", hex::encode_upper(&bytes)),
        bs58::encode(&bytes).into_string(),
    ] {
        assert_eq!(inspect(spelled.clone(), ""), first, "{spelled}");
    }
    let message = inspect(BASE64.encode(transaction.message_bytes()), "");
    assert_eq!(message["kind"], "solana-message");
    assert_eq!(message["message_sha256"], first["message_sha256"]);
    assert_eq!(message["sentences"], first["sentences"]);
}

#[test]
fn an_evm_transaction_is_shown() {
    // Vitalik Buterin's example in EIP-155, and the address of the key 0x46…46.
    const SENDER: &str = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";
    let unsigned = inspect(format!("0x{EIP155}"), "");
    assert_eq!(unsigned["kind"], "evm-transaction");
    assert_eq!(unsigned["signed"], false);
    assert!(unsigned["from"].is_null());
    assert_eq!(unsigned["value_wei"], "1000000000000000000");
    assert_eq!(
        unsigned["signing_hash"],
        "0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53"
    );
    assert!(
        sentences(&unsigned).contains("from the signer to 0x3535"),
        "{unsigned}"
    );
    let named = inspect(EIP155, &format!("--from {SENDER}"));
    assert!(sentences(&named).contains(&format!("from {SENDER}")), "{named}");
    let signed = inspect(hex::decode(EIP155_SIGNED).unwrap(), "");
    assert_eq!(signed["from"], SENDER);
    assert_eq!(signed["signed"], true);
    assert_eq!(signed["sentences"], named["sentences"]);
}

#[test]
fn typed_data_is_shown_with_its_risks() {
    let permit = json!({
        "types": {
            "EIP712Domain": [
                { "name": "name", "type": "string" },
                { "name": "chainId", "type": "uint256" },
                { "name": "verifyingContract", "type": "address" }
            ],
            "Permit": [
                { "name": "owner", "type": "address" },
                { "name": "spender", "type": "address" },
                { "name": "value", "type": "uint256" }
            ]
        },
        "primaryType": "Permit",
        "domain": {
            "name": "Token\u{1b}[2J",
            "chainId": 1,
            "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"
        },
        "message": {
            "owner": "0x9858EfFD232B4033E47d90003D41EC34EcaEda94",
            "spender": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB",
            "value": "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        }
    });
    let answer = inspect(permit.to_string(), "");
    assert_eq!(answer["kind"], "typed-data");
    assert_eq!(answer["domain"]["chain_id"], 1);
    assert_eq!(answer["risks"].as_array().unwrap().len(), 2, "{answer}");
    assert!(!sentences(&answer).contains('\u{1b}'), "{answer}");
    // For a person, nothing steers the terminal.
    let sandbox = Sandbox::new().unwrap();
    let shown = keyward(&sandbox, "inspect -")
        .stdin(permit.to_string())
        .success()
        .unwrap();
    assert!(
        shown.stdout.contains("DANGER") && !shown.stdout.contains('\u{1b}'),
        "{shown}"
    );
}

#[test]
fn messages_sign_ins_and_texts_are_shown() {
    let off_chain = OffChainMessage::v0([5; 32], [Address::new([3; 32])], "hello there").unwrap();
    for spelled in [off_chain.encode(), BASE64.encode(off_chain.encode()).into_bytes()] {
        let answer = inspect(spelled, "");
        assert_eq!(answer["kind"], "offchain-message");
        assert_eq!(answer["text"], "hello there");
        assert_eq!(answer["signers"][0], Address::new([3; 32]).to_string());
    }
    let fields = SignInFields {
        statement: Some("Welcome".to_owned()),
        ..SignInFields::new("example.com", Address::new([3; 32]))
    };
    let sign_in = SignIn::new(fields).unwrap().to_text();
    for text in [sign_in.clone(), format!("{sign_in}\n")] {
        let answer = inspect(text, "");
        assert_eq!(
            (&answer["kind"], &answer["domain"]),
            (&"sign-in".into(), &"example.com".into())
        );
        assert_eq!(answer["statement"], "Welcome");
    }
    let text = inspect("I own this wallet\nGrüße", "");
    assert_eq!(text["kind"], "text");
    assert_eq!(text["sentences"][1], "Grüße");
}

#[test]
fn a_key_or_phrase_by_mistake_is_not_shown() {
    let sandbox = Sandbox::new().unwrap();
    let secret = [0x5c; 32];
    let array = format!("[{}]", vec!["92"; 64].join(","));
    for (text, canary) in [
        (PHRASE.to_owned(), "abandon"),
        (format!("{}\n", PHRASE.replace("about", "zoo")), "abandon"),
        (hex::encode(secret), "5c5c"),
        (format!("0x{}", hex::encode(secret)), "5c5c"),
        (
            bs58::encode([0x5c; 64]).into_string(),
            &bs58::encode([0x5c; 64]).into_string()[..8],
        ),
        (array, "92,92"),
    ] {
        let file = sandbox.path("secret");
        fs::write(&file, &text).unwrap();
        for options in ["", "--json", "--as text", "--as solana-transaction"] {
            let run = keyward(&sandbox, &format!("inspect {options}")).arg(&file);
            let output = run.exits(10).unwrap();
            let shown = format!("{}{}", output.stdout, output.stderr);
            assert!(!shown.contains(canary), "{shown}");
            assert!(shown.contains("looks like a key or a phrase"), "{shown}");
        }
        fails(keyward(&sandbox, "inspect").arg(&file), 10, "looks_secret");
    }
}

#[test]
fn a_long_word_is_refused_at_once() {
    // As base58 it would take minutes.
    let sandbox = Sandbox::new().unwrap();
    let run = keyward(&sandbox, "inspect -").stdin(vec![b'z'; 299_999]);
    fails(run.bound(Duration::from_secs(20)), 10, "undecodable");
}

#[test]
fn what_is_none_of_them_says_why() {
    let sandbox = Sandbox::new().unwrap();
    let check = |input: &[u8], options: &str, code: &str| {
        let run = keyward(&sandbox, &format!("inspect - {options}")).stdin(input);
        fails(run, 10, code)
    };
    check(b"", "", "undecodable");
    check(b" \n", "", "undecodable");
    let mut long = transfer().encode();
    long.push(0);
    let error = check(hex::encode(&long).as_bytes(), "", "undecodable");
    assert!(reasons_of(&error).contains(&"solana-transaction"), "{error}");
    let error = check(&EIP155.as_bytes()[..80], "", "undecodable");
    assert!(reasons_of(&error).contains(&"evm-transaction"), "{error}");
    let error = check(b"{\"primaryType\": 3}", "", "undecodable");
    assert_eq!(reasons_of(&error), ["typed-data"]);
    let error = check(b"\xffsolana offchain\x07", "", "undecodable");
    assert_eq!(reasons_of(&error), ["offchain-message"]);
    check(&transfer().encode(), "--as evm-transaction", "undecodable");
    check(b"hello", "--as sign-in", "undecodable");
    check(&[0xfe; 40], "", "undecodable");
    check(&vec![b'a'; 300_001], "", "too_long");
    fails(keyward(&sandbox, "inspect missing"), 5, "file_unreadable");
    fails(keyward(&sandbox, "inspect - --from 0x12"), 2, "usage");
    assert!(!sandbox.vault().exists());
}
