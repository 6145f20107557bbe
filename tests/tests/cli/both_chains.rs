//! Signing on both chains by the command line: an EVM transaction with its published signature, typed data, messages of
//! each kind, sign-ins.

use keyward_core::siws::{SignIn, SignInFields};
use serde_json::Value;

use crate::fixture::{FIRST_ADDRESS, PASSWORD, PHRASE, Vault, fails, keyward, reasons_of};

/// EIP-155's example: the unsigned payload, its signature's transaction, and who signed it (key 0x46…46).
const EIP155: &str =
    "0xec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080";
const EIP155_SIGNED: &str = concat!(
    "0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025",
    "a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276",
    "a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
);
const EIP155_SIGNER: &str = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";

/// EIP-712's example document, and its signature by the key Keccak-256("cow").
const MAIL: &str = r#"{
  "types": {
    "EIP712Domain": [
      { "name": "name", "type": "string" },
      { "name": "version", "type": "string" },
      { "name": "chainId", "type": "uint256" },
      { "name": "verifyingContract", "type": "address" }
    ],
    "Person": [{ "name": "name", "type": "string" }, { "name": "wallet", "type": "address" }],
    "Mail": [
      { "name": "from", "type": "Person" },
      { "name": "to", "type": "Person" },
      { "name": "contents", "type": "string" }
    ]
  },
  "primaryType": "Mail",
  "domain": {
    "name": "Ether Mail",
    "version": "1",
    "chainId": 1,
    "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"
  },
  "message": {
    "from": { "name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826" },
    "to": { "name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB" },
    "contents": "Hello, Bob!"
  }
}"#;
const COW_KEY: &str = "c85ef7d79691fe79573b1a7064c19c1a9819ebdbd1faaab1a8ec92344438aaf4";
const MAIL_SIGNATURE: &str = concat!(
    "0x4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d",
    "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c"
);

/// A vault that may pay two coins on EVM chains, with the example's keys.
fn vault() -> Vault {
    let sandbox = keyward_tests::sandbox::Sandbox::new().unwrap();
    let password_file = sandbox.write("password", PASSWORD).unwrap();
    let vault = Vault {
        sandbox,
        password_file,
    };
    vault
        .run("init --import - --kdf scrypt-16384 --max-coin 2 --max-coin-fee 0.001")
        .stdin(PHRASE)
        .success()
        .unwrap();
    for (label, key) in [("eip155", "46".repeat(32)), ("cow", COW_KEY.to_owned())] {
        let file = vault.sandbox.write(label, key).unwrap();
        vault
            .run(&format!("import --chain evm --label {label}"))
            .arg(file)
            .success()
            .unwrap();
    }
    vault
}

fn sign_evm(vault: &Vault, payload: &str, options: &str) -> keyward_tests::cli::Cli {
    vault
        .run(&format!("sign-transaction - --evm-wallet eip155 {options}"))
        .stdin(payload)
}

#[test]
fn an_evm_transaction_gets_its_published_signature() {
    let vault = vault();
    let run = sign_evm(&vault, EIP155, "--chain-id 1 --json");
    let answer = run.success().unwrap().json().unwrap();
    assert_eq!(answer["transaction"], EIP155_SIGNED);
    assert_eq!(answer["wallets"][0], EIP155_SIGNER);
    assert_eq!(answer["chain_id"], 1);
    let actions = answer["actions"].to_string();
    assert!(actions.contains("1 ETH") || actions.contains("1.0"), "{actions}");
    // What was signed reads as what it is.
    let shown = keyward(&vault.sandbox, "inspect - --json").stdin(EIP155_SIGNED);
    let shown = shown.success().unwrap().json().unwrap();
    assert_eq!(
        (&shown["from"], &shown["hash"]),
        (&EIP155_SIGNER.into(), &answer["hash"])
    );
    assert_eq!(vault.audit("signed")[0]["wallet"], EIP155_SIGNER);

    fails(sign_evm(&vault, EIP155, "--chain-id 137"), 10, "wrong_chain");
    fails(sign_evm(&vault, EIP155_SIGNED, "--chain-id 1"), 10, "undecodable");
    fails(sign_evm(&vault, "0xec09", "--chain-id 1"), 10, "undecodable");
    fails(sign_evm(&vault, EIP155, ""), 2, "usage");
    let run = vault
        .run("sign-transaction - --evm-wallet #0 --chain-id 1")
        .stdin(EIP155);
    fails(run, 10, "wrong_chain");
}

#[test]
fn an_evm_transaction_beyond_the_limits_is_refused() {
    // The default policy, of a vault that was not told how much may go.
    let vault = Vault::new(1);
    let file = vault.sandbox.write("key", "46".repeat(32)).unwrap();
    vault
        .run("import --chain evm --label eip155")
        .arg(file)
        .success()
        .unwrap();
    let error = fails(sign_evm(&vault, EIP155, "--chain-id 1"), 3, "refused");
    assert!(!reasons_of(&error).is_empty(), "{error}");
    assert_eq!(vault.audit("refused")[0]["wallet"], EIP155_SIGNER);
    let sandbox = keyward_tests::sandbox::Sandbox::new().unwrap();
    let init = |options: &str| keyward(&sandbox, &format!("init --import - {options}")).stdin(PHRASE);
    fails(init("--max-coin 1"), 2, "usage");
    for wrong in ["1,5", "", ".5", "1e3", "0.0000000000000000001"] {
        fails(
            init("--max-coin-fee 1").arg("--max-coin").arg(wrong),
            10,
            "amount_invalid",
        );
    }
}

#[test]
fn typed_data_needs_a_rule_and_a_chain() {
    let vault = vault();
    let sign =
        |wallet: &str, document: &str| vault.run(&format!("sign-typed-data {wallet} -")).stdin(document);
    // The default policy names none.
    let error = fails(sign("cow", MAIL), 3, "refused");
    assert_eq!(reasons_of(&error), ["not-allowed"]);
    let refused = &vault.audit("refused")[0];
    assert_eq!(refused["wallet"], "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826");
    assert_eq!(refused["reason"], "not-allowed");
    fails(sign("#0", MAIL), 10, "wrong_chain");
    let no_chain = MAIL
        .replace("\"chainId\": 1,", "")
        .replace("{ \"name\": \"chainId\", \"type\": \"uint256\" },", "");
    fails(sign("cow", &no_chain), 10, "undecodable");
    fails(sign("cow", "{}"), 10, "undecodable");
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn messages_are_signed_and_verified_on_both_chains() {
    let vault = vault();
    let cases = [
        ("#0", ""),
        ("#0", "--offchain"),
        ("#0", "--offchain=v0"),
        ("#0", "--offchain=v1"),
        ("cow", ""),
    ];
    let mut signatures = Vec::new();
    for (wallet, options) in cases {
        let signed = vault.json(&format!("sign-message {wallet} --message hello {options}"));
        let (address, signature) = (text(&signed["address"]), text(&signed["signature"]));
        let verify = |message: &str| {
            keyward(
                &vault.sandbox,
                &format!("verify-message {address} {signature} --message {message} {options}"),
            )
        };
        verify("hello").success().unwrap();
        verify("hallo").exits(7).unwrap();
        signatures.push(signature.to_owned());
    }
    // The wrapper is part of what is signed.
    let count = signatures.len();
    signatures.sort();
    signatures.dedup();
    assert_eq!(signatures.len(), count);
    fails(
        vault.run("sign-message cow --message hello --offchain"),
        10,
        "wrong_chain",
    );
    let crossed = format!("verify-message {FIRST_ADDRESS} {MAIL_SIGNATURE} --message hello");
    fails(keyward(&vault.sandbox, &crossed), 10, "signature_invalid");
}

#[test]
fn a_sign_in_needs_the_page_that_asks() {
    let vault = vault();
    let fields = SignInFields {
        statement: Some("Welcome".to_owned()),
        ..SignInFields::new("example.com", FIRST_ADDRESS.parse().unwrap())
    };
    let sign_in = SignIn::new(fields).unwrap().to_text();
    let sign = |options: &str| {
        vault
            .run(&format!("sign-message #0 --file - {options}"))
            .stdin(sign_in.clone())
    };
    let signed = sign("--origin https://example.com --json");
    let signed = signed.success().unwrap().json().unwrap();
    let file = vault.sandbox.write("sign-in", &sign_in).unwrap();
    let verify = format!(
        "verify-message {FIRST_ADDRESS} {} --file {}",
        text(&signed["signature"]),
        file.display()
    );
    keyward(&vault.sandbox, &verify).success().unwrap();
    fails(sign(""), 3, "sign_in_unchecked");
    fails(sign("--origin https://example.org"), 3, "sign_in_refused");
    let run = vault.run("sign-message #0 --origin https://example.com --message hello");
    fails(run, 10, "sign_in_invalid");
}

#[test]
fn the_policy_is_shown_with_its_limits_of_both_chains() {
    let shown = vault().locked("policy show").success().unwrap().stdout;
    for limit in ["2000000000000000000 smallest units", "fee 1000000000000000 wei"] {
        assert!(shown.contains(limit), "{shown}");
    }
}
