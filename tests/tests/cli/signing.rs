//! Signing by the command line: texts, transactions in every encoding, and refusals that the audit holds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::ed25519;
use keyward_core::solana::{
    AccountMeta, Instruction, MessageVersion, Transaction, compile_message, instructions,
};

use crate::fixture::{FIRST_ADDRESS, SECOND_ADDRESS, Vault, fails, reasons_of};

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// An unsigned transaction of the first wallet.
fn transaction(instructions: &[Instruction], version: MessageVersion) -> Vec<u8> {
    let message = compile_message(
        version,
        address(FIRST_ADDRESS),
        instructions,
        Blockhash::new([7; 32]),
    )
    .unwrap();
    Transaction::unsigned(message).encode()
}

fn transfer(lamports: u64) -> Vec<u8> {
    let step = instructions::sol_transfer(
        address(FIRST_ADDRESS),
        address(SECOND_ADDRESS),
        Lamports::new(lamports),
    );
    transaction(&[step], MessageVersion::Legacy)
}

fn unknown_program() -> Vec<u8> {
    let accounts = vec![AccountMeta {
        address: address(FIRST_ADDRESS),
        is_signer: true,
        is_writable: true,
    }];
    transaction(
        &[Instruction {
            program: Address::new([5; 32]),
            accounts,
            data: vec![1, 2, 3],
        }],
        MessageVersion::V0,
    )
}

#[test]
fn a_text_is_signed_and_verifies() {
    let vault = Vault::new(2);
    let signed = vault.json("sign-message #0 --message hello");
    assert_eq!(signed["address"], FIRST_ADDRESS);
    let signature = signed["signature"].as_str().unwrap();
    // Held against the published verification algorithm, not only against our own command.
    ed25519::verify(&address(FIRST_ADDRESS), b"hello", &signature.parse().unwrap()).unwrap();
    let verify = |address: &str, text: &str| {
        vault
            .locked("verify-message --json --message")
            .args([text, address, signature])
            .run()
            .unwrap()
    };
    let good = verify(FIRST_ADDRESS, "hello");
    assert_eq!(
        (good.code(), &good.json().unwrap()["valid"]),
        (Some(0), &true.into())
    );
    for (address, text) in [
        (SECOND_ADDRESS, "hello"),
        (FIRST_ADDRESS, "hello "),
        (FIRST_ADDRESS, ""),
    ] {
        let bad = verify(address, text);
        assert_eq!(
            (bad.code(), &bad.json().unwrap()["valid"]),
            (Some(7), &false.into()),
            "{bad}"
        );
    }
    fails(
        vault.locked("verify-message x y --message z"),
        10,
        "address_invalid",
    );
    fails(
        vault
            .locked("verify-message --message z")
            .args([FIRST_ADDRESS, "y"]),
        10,
        "signature_invalid",
    );
    // From a file and from standard input, every byte of it, the password on the line before.
    let file = vault.sandbox.write("message", "two\nlines\n").unwrap();
    let from_file = vault
        .run("sign-message #0 --json --file")
        .arg(file)
        .success()
        .unwrap()
        .json()
        .unwrap();
    let from_input = vault
        .locked("sign-message #0 --json --file - --password-file -")
        .stdin(format!("{}\ntwo\nlines\n", crate::fixture::PASSWORD))
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(from_file["signature"], from_input["signature"]);
    assert_eq!(from_file["length"], 10);
    let used = vault.json("wallets show #0");
    assert!(used["wallet"]["last_used_ms"].is_u64(), "{used}");
}

#[test]
fn texts_that_are_no_texts_are_refused_and_audited() {
    let vault = Vault::new(1);
    let sign = |name: &str, content: &[u8]| {
        let file = vault.sandbox.write(name, content).unwrap();
        vault.run("sign-message #0 --file").arg(file)
    };
    let error = fails(sign("bytes", b"\xff\x00\x01"), 3, "refused");
    assert_eq!(reasons_of(&error), ["not-text"]);
    let output = sign("transaction", &transfer(1)).arg("--json").exits(3).unwrap();
    assert!(output.stderr.contains("transaction"), "{output}");
    fails(sign("long", "a".repeat(65_537).as_bytes()), 10, "invalid");
    fails(sign("longer", "a".repeat(70_000).as_bytes()), 10, "too_long");
    fails(vault.run("sign-message #0"), 2, "usage");
    fails(vault.run("sign-message #0 --message x --file y"), 2, "usage");
    fails(vault.run("sign-message #1 --message x"), 5, "not_found");
    let codes: Vec<String> = vault
        .audit("refused")
        .iter()
        .map(|entry| entry["reason"].to_string())
        .collect();
    assert_eq!(
        codes.len(),
        3,
        "each refusal of the service is in the audit: {codes:?}"
    );
    assert!(vault.audit("signed").is_empty() && vault.audit("authorised").is_empty());
}

#[test]
fn a_transaction_is_signed_whatever_it_is_written_in() {
    let vault = Vault::new(2);
    let bytes = transfer(1_500_000_000);
    let readings = [
        ("raw", bytes.clone()),
        ("base64", BASE64.encode(&bytes).into_bytes()),
        ("line", format!("{}\n", BASE64.encode(&bytes)).into_bytes()),
        ("base58", bs58::encode(&bytes).into_vec()),
        ("hex", hex::encode(&bytes).into_bytes()),
    ];
    let mut signatures = Vec::new();
    for (name, input) in readings {
        let signed = vault
            .run("sign-transaction - --json")
            .stdin(input)
            .success()
            .unwrap()
            .json()
            .unwrap();
        assert_eq!(signed["wallets"], serde_json::json!([FIRST_ADDRESS]), "{name}");
        assert_eq!(signed["complete"], true, "{name}");
        let actions = signed["actions"].to_string();
        assert!(
            actions.contains("1.5") && actions.contains(SECOND_ADDRESS),
            "{name}: {actions}"
        );
        let encoded = BASE64.decode(signed["transaction"].as_str().unwrap()).unwrap();
        let decoded = Transaction::decode(&encoded).unwrap();
        let signature = decoded.signatures[0];
        assert_eq!(signed["signature"], signature.to_string(), "{name}");
        ed25519::verify(&address(FIRST_ADDRESS), &decoded.message_bytes(), &signature).unwrap();
        assert_eq!(
            decoded.message_bytes(),
            Transaction::decode(&bytes).unwrap().message_bytes(),
            "{name}"
        );
        signatures.push(signature.to_string());
    }
    signatures.dedup();
    assert_eq!(signatures.len(), 1, "the same bytes give the same signature");
    let file = vault.sandbox.write("tx", &bytes).unwrap();
    let text = vault.run("sign-transaction").arg(file).success().unwrap();
    assert!(text.stdout.contains(&signatures[0]), "{text}");
    assert!(!vault.audit("authorised").is_empty() && !vault.audit("signed").is_empty());
    vault.run("audit verify").success().unwrap();
}

#[test]
fn each_bad_transaction_has_its_own_reason_and_the_audit_has_it() {
    let vault = Vault::new(2);
    let mut trailing = transfer(5);
    trailing.push(0);
    let mut cut = transfer(5);
    cut.truncate(cut.len() - 3);
    let mut stranger = Transaction::decode(&transfer(5)).unwrap();
    stranger.message.account_keys[0] = Address::new([9; 32]);
    let sign = |bytes: &[u8]| vault.run("sign-transaction -").stdin(BASE64.encode(bytes));

    let mut seen = Vec::new();
    for (bytes, exit, code, reason) in [
        (unknown_program(), 3, "refused", "unknown-program"),
        (transfer(5_000_000_001), 3, "refused", "over-limit"),
        (trailing, 10, "undecodable", "trailing_bytes"),
        (cut, 10, "undecodable", "truncated"),
    ] {
        let error = fails(sign(&bytes), exit, code);
        assert_eq!(reasons_of(&error), [reason], "{error}");
        let newest = vault.audit("refused").swap_remove(0);
        assert!(
            newest["operation"].as_str().unwrap().contains("transaction"),
            "{newest}"
        );
        seen.push(format!("{}{}", newest["reason"], newest["details"]));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(
        seen.len(),
        4,
        "each refusal reads differently in the audit: {seen:?}"
    );

    fails(sign(&stranger.encode()), 5, "no_signer");
    fails(
        vault.run("sign-transaction -").stdin("what is this?"),
        10,
        "undecodable",
    );
    fails(vault.run("sign-transaction -").stdin(""), 10, "undecodable");
    fails(
        vault.run("sign-transaction -").stdin(vec![1_u8; 20_000]),
        10,
        "too_long",
    );
    fails(vault.run("sign-transaction missing"), 5, "file_unreadable");

    assert!(
        vault.audit("signed").is_empty() && vault.audit("authorised").is_empty(),
        "nothing was signed"
    );
    // At the limit it is signed: the refusals above were about what they say.
    sign(&transfer(5_000_000_000)).success().unwrap();
    vault.run("audit verify").success().unwrap();
}

#[test]
fn the_policy_in_force_is_shown() {
    let vault = Vault::new(1);
    let shown = vault
        .locked("policy show --json")
        .success()
        .unwrap()
        .json()
        .unwrap();
    let rules = shown["policy"]["rules"].as_array().unwrap();
    let rule = |name: &str| rules.iter().find(|rule| rule["name"] == name).unwrap();
    assert_eq!(rule("sol-transfers")["effect"], "allow");
    assert_eq!(
        rule("sol-transfers")["limits"]["lamports_per_transaction"],
        5_000_000_000_u64
    );
    let text = vault.locked("policy show").success().unwrap();
    assert!(text.stdout.contains("5.000000000 SOL a transaction"), "{text}");
}
