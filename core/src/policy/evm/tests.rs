#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::ToString;
use alloc::vec;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::super::*;
use crate::amount::Lamports;
use crate::ed25519;
use crate::evm::authorization::{Authorization, SignedAuthorization};
use crate::evm::transaction::{Transaction, TransactionKind};
use crate::evm::{EvmAddress, U256, personal};
use crate::key::WalletKey;
use crate::secp256k1::{self, SecretKey};

const CONTRACT: EvmAddress = EvmAddress::new([0x22; 20]);
const OTHER: EvmAddress = EvmAddress::new([0x33; 20]);
const ETHER: u64 = 1_000_000_000_000_000_000;
const HOUR_MS: u64 = 3_600_000;

fn key() -> WalletKey {
    SecretKey::from_bytes(&[0x46; 32]).unwrap().into()
}

fn wallet() -> EvmAddress {
    *key().address().as_evm().unwrap()
}

fn transaction(data: Vec<u8>, value: u64) -> Transaction {
    Transaction {
        chain_id: 56,
        nonce: 0,
        gas_limit: 100_000,
        to: Some(CONTRACT),
        value: U256::from(value),
        data,
        kind: TransactionKind::Legacy {
            gas_price: U256::from(1_000_000_000_u64),
        },
    }
}

fn call(selector: u32, words: &[[u8; 32]]) -> Vec<u8> {
    [&selector.to_be_bytes()[..], words.as_flattened()].concat()
}

fn number(number: u128) -> [u8; 32] {
    *U256::from(number).as_be_bytes()
}

fn address(address: EvmAddress) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(address.as_bytes());
    word
}

fn token_transfer(amount: u128) -> Vec<u8> {
    call(0xa905_9cbb, &[address(OTHER), number(amount)])
}

fn approve(amount: [u8; 32]) -> Vec<u8> {
    call(0x095e_a7b3, &[address(OTHER), amount])
}

fn decide_with(policy: &Policy, transaction: &Transaction, facts: &Facts) -> Decision {
    let wallet = wallet();
    let intent = EvmIntent::from_transaction(transaction, wallet);
    let request = Request::EvmTransaction {
        wallet: &wallet,
        intent: &intent,
    };
    assert_eq!(request.wallet(), wallet);
    evaluate(policy, &request, facts)
}

fn decide(policy: &Policy, transaction: &Transaction) -> Decision {
    decide_with(policy, transaction, &Facts::default())
}

fn codes(decision: &Decision) -> Vec<&'static str> {
    match decision {
        Decision::Allowed(_) => vec![],
        Decision::Refused(refusals) => refusals.iter().map(Refusal::code).collect(),
    }
}

fn allowed(decision: Decision) -> Approval {
    match decision {
        Decision::Allowed(approval) => approval,
        Decision::Refused(refusals) => panic!("refused: {refusals:?}"),
    }
}

fn solana_only() -> PolicyLimits {
    PolicyLimits {
        sol_per_transaction: Lamports::ONE_SOL,
        tokens_per_transaction: 1,
        max_priority_fee: Lamports::ONE_SOL,
        evm: None,
    }
}

fn default() -> Policy {
    Policy::default_for(PolicyLimits {
        evm: Some(EvmLimits {
            wei_per_transaction: U256::from(2 * ETHER),
            max_fee_wei: U256::from(ETHER / 1000),
        }),
        ..solana_only()
    })
}

/// The rules of a text, as owners write them.
fn rules(json: &str) -> Policy {
    Policy::from_json(&format!(r#"{{"version":1,"rules":[{json}]}}"#)).unwrap()
}

#[test]
fn the_default_policy_sends_coins_up_to_the_limits() {
    let approval = allowed(decide(&default(), &transaction(vec![], 2 * ETHER)));
    assert_eq!(approval.rules(), ["evm-transfers"]);
    assert_eq!(
        approval.spends(),
        [Spend {
            asset: Asset::EvmNative { chain_id: 56 },
            amount: u128::from(2 * ETHER)
        }]
    );
    for (data, value, expected) in [
        (vec![], 2 * ETHER + 1, vec!["over-limit"]),
        (token_transfer(1), 0, vec!["not-allowed"]),
        (approve([0xff; 32]), 0, vec!["not-allowed"]),
        (vec![1, 2, 3, 4], 0, vec!["unknown-contract"]),
        (vec![1], 5, vec!["unknown-contract"]),
    ] {
        let own = transaction(data, value);
        assert_eq!(codes(&decide(&default(), &own)), expected, "{own:?}");
    }
    let mut dear = transaction(vec![], 1);
    dear.gas_limit = 1_000_001;
    assert_eq!(codes(&decide(&default(), &dear)), ["fee-cap"]);
    let mut creation = transaction(vec![0x60], 1);
    creation.to = None;
    assert_eq!(codes(&decide(&default(), &creation)), ["not-allowed"]);
    // Without limits for EVM chains nothing of theirs is sent.
    let policy = Policy::default_for(solana_only());
    assert_eq!(codes(&decide(&policy, &transaction(vec![], 1))), ["not-allowed"]);
}

#[test]
fn rules_of_before_allow_nothing_on_evm_chains() {
    // As a policy of the first release may say.
    let all = rules(r#"{"name":"all","effect":"allow"}"#);
    assert_eq!(codes(&decide(&all, &transaction(vec![], 1))), ["not-allowed"]);
    let (wallet, solana) = (wallet(), ed25519::SecretKey::from_seed(&[1; 32]).address());
    let message = Request::EvmMessage {
        wallet: &wallet,
        message: b"hello",
    };
    assert_eq!(
        codes(&evaluate(&all, &message, &Facts::default())),
        ["not-allowed"]
    );
    for wallet in [wallet.into(), solana.into()] {
        let export = Request::ExportKey { wallet: &wallet };
        assert_eq!(
            codes(&evaluate(&all, &export, &Facts::default())),
            ["not-allowed"]
        );
    }
    // But what they deny is denied everywhere.
    let mut none = default();
    none.rules
        .extend(rules(r#"{"name":"none","effect":"deny"}"#).rules);
    assert_eq!(codes(&decide(&none, &transaction(vec![], 1))), ["denied"]);
}

#[test]
fn chains_assets_and_people_narrow_a_rule() {
    let rule = |conditions: &str| {
        rules(&format!(
            r#"{{"name":"r","effect":"allow","match":{{{conditions}}}}}"#
        ))
    };
    let payment = transaction(vec![], 5);
    for (conditions, fits) in [
        (r#""chains":["eip155:56"]"#, true),
        (r#""chains":["eip155:*"]"#, true),
        (r#""chains":["eip155:1","eip155:56"]"#, true),
        (r#""chains":["eip155:1"]"#, false),
        (r#""chains":["solana:*"],"operations":["evm-transfer"]"#, false),
        (r#""assets":["eip155:56/native"]"#, true),
        (r#""assets":["eip155:*/native"]"#, true),
        (r#""assets":["eip155:1/native"]"#, false),
        (r#""assets":["eip155:56/erc20:*"]"#, false),
        (r#""assets":["sol"],"operations":["evm-transfer"]"#, false),
        (r#""operations":["evm-transfer"]"#, true),
        (
            r#""operations":["evm-transfer"],"destinations":["0x2222222222222222222222222222222222222222"]"#,
            true,
        ),
        (
            r#""operations":["evm-transfer"],"destinations":["0x3333333333333333333333333333333333333333"]"#,
            false,
        ),
        (
            &format!(r#""operations":["evm-transfer"],"wallets":["{}"]"#, wallet()),
            true,
        ),
        (
            r#""operations":["evm-transfer"],"wallets":["0x3333333333333333333333333333333333333333"]"#,
            false,
        ),
        (r#""operations":["sol-transfer"]"#, false),
    ] {
        let refused = codes(&decide(&rule(conditions), &payment));
        assert_eq!(refused.is_empty(), fits, "{conditions}: {refused:?}");
    }
    // Grave operations must be named, whatever else is.
    for data in [approve(number(1)), vec![1, 2, 3, 4]] {
        let policy =
            rule(r#""chains":["eip155:56"],"programs":["0x2222222222222222222222222222222222222222"]"#);
        assert!(!codes(&decide(&policy, &transaction(data, 0))).is_empty());
    }
    assert!(matches!(
        Policy::from_json(
            r#"{"version":1,"rules":[{"name":"r","effect":"allow","match":{"operations":["evm-call"]}}]}"#
        ),
        Err(PolicyError::AnyProgram(_))
    ));
}

#[test]
fn calls_need_their_contract_and_their_value_a_rule_of_its_own() {
    let mut policy = rules(
        r#"{"name":"dex","effect":"allow","match":{"operations":["evm-call"],"programs":["0x2222222222222222222222222222222222222222"]}}"#,
    );
    let _ = allowed(decide(&policy, &transaction(vec![1, 2, 3, 4], 0)));
    assert_eq!(
        codes(&decide(&policy, &transaction(vec![1, 2, 3, 4], 5))),
        ["not-allowed"]
    );
    policy.rules.extend(default().rules);
    let approval = allowed(decide(&policy, &transaction(vec![1, 2, 3, 4], 5)));
    assert_eq!(approval.rules(), ["dex", "evm-transfers"]);
    assert_eq!(approval.spends().len(), 1);
    assert_eq!(
        codes(&decide(&policy, &transaction(vec![1, 2, 3, 4], 3 * ETHER))),
        ["over-limit"]
    );
    let mut elsewhere = transaction(vec![1, 2, 3, 4], 0);
    elsewhere.to = Some(OTHER);
    assert_eq!(codes(&decide(&policy, &elsewhere)), ["unknown-contract"]);
}

#[test]
fn tokens_and_allowances_are_held_to_their_units() {
    let policy = rules(
        r#"{"name":"usd","effect":"allow",
            "match":{"operations":["evm-token-transfer","evm-approval"],"assets":["eip155:56/erc20:0x2222222222222222222222222222222222222222"]},
            "limits":{"evm_units_per_transaction":"1000"}}"#,
    );
    let approval = allowed(decide(&policy, &transaction(token_transfer(1000), 0)));
    let asset = Asset::Erc20 {
        chain_id: 56,
        contract: CONTRACT,
    };
    assert_eq!(approval.spends(), [Spend { asset, amount: 1000 }]);
    assert_eq!(
        allowed(decide(&policy, &transaction(approve(number(1000)), 0))).spends(),
        []
    );
    let for_all = call(0xa22c_b465, &[address(OTHER), number(1)]);
    for (data, expected) in [
        (token_transfer(1001), vec!["over-limit"]),
        (token_transfer(u128::MAX), vec!["over-limit"]),
        (approve(number(1001)), vec!["over-limit"]),
        (approve([0xff; 32]), vec!["over-limit"]),
        (for_all, vec!["over-limit"]),
        (
            call(0x23b8_72dd, &[address(OTHER), address(OTHER), number(1001)]),
            vec!["over-limit"],
        ),
        (
            call(0xa905_9cbb, &[address(OTHER), [0xff; 32]]),
            vec!["uncountable", "over-limit"],
        ),
    ] {
        assert_eq!(codes(&decide(&policy, &transaction(data, 0))), expected);
    }
    // Whole tokens cannot be held, since nobody says how many units they have.
    let whole = rules(
        r#"{"name":"w","effect":"allow","match":{"chains":["eip155:56"]},"limits":{"whole_tokens_per_transaction":5}}"#,
    );
    assert_eq!(
        codes(&decide(&whole, &transaction(token_transfer(1), 0))),
        ["unknown-decimals"]
    );
    let mut lines = vec![];
    let policies = [&policy, &default()];
    let mut dear = transaction(vec![], 3 * ETHER);
    dear.gas_limit = 5_000_000;
    for own in [
        dear,
        transaction(token_transfer(1001), 0),
        transaction(vec![1, 2, 3, 4, 5], 1),
    ] {
        for policy in policies {
            if let Decision::Refused(refusals) = decide(policy, &own) {
                lines.extend(refusals.iter().map(|r| format!("{}: {r}", r.code())));
            }
        }
    }
    // insta reads its files, which a page cannot.
    #[cfg(not(target_arch = "wasm32"))]
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn windows_count_wei_beyond_64_bits() {
    let json = r#"{"name":"daily","effect":"allow","match":{"operations":["evm-transfer"]},
        "limits":{"windows":[{"asset":"eip155:56/native","duration_ms":3600000,"maximum_units":"100000000000000000000"}]}}"#;
    let policy = rules(json);
    let maximum = 100 * u128::from(ETHER);
    assert!(
        policy
            .to_json()
            .unwrap()
            .contains(r#""maximum_units": "100000000000000000000""#)
    );
    let window = Window {
        asset: Asset::EvmNative { chain_id: 56 },
        duration_ms: HOUR_MS,
    };
    assert_eq!(policy.windows(), [window]);
    let facts = |amount| Facts {
        now_ms: 0,
        spent: vec![WindowSpend { window, amount }],
    };
    let payment = transaction(vec![], ETHER);
    let spent = maximum - u128::from(ETHER);
    let _ = allowed(decide_with(&policy, &payment, &facts(spent)));
    assert_eq!(
        codes(&decide_with(&policy, &payment, &facts(spent + 1))),
        ["over-window"]
    );
    assert_eq!(
        codes(&decide_with(&policy, &payment, &facts(u128::MAX))),
        ["over-window"]
    );
    assert_eq!(codes(&decide(&policy, &payment)), ["missing-counter"]);
    for wrong in [
        "\"-1\"",
        "\"1.5\"",
        "\"\"",
        "1.5",
        "-1",
        "null",
        "\"340282366920938463463374607431768211456\"",
    ] {
        let changed = json.replacen("\"100000000000000000000\"", wrong, 1);
        let policy = format!(r#"{{"version":1,"rules":[{changed}]}}"#);
        assert!(Policy::from_json(&policy).is_err(), "{wrong}");
    }
}

#[test]
fn allowances_must_fit_what_a_window_has_left() {
    let asset = "eip155:56/erc20:0x2222222222222222222222222222222222222222";
    let policy = rules(&format!(
        r#"{{"name":"daily","effect":"allow","match":{{"operations":["evm-approval"],"assets":["{asset}"]}},
        "limits":{{"windows":[{{"asset":"{asset}","duration_ms":3600000,"maximum_units":10}}]}}}}"#
    ));
    let facts = Facts {
        now_ms: 0,
        spent: vec![WindowSpend {
            window: policy.windows()[0],
            amount: 4,
        }],
    };
    for (data, expected) in [
        (approve(number(6)), vec![]),
        (approve(number(7)), vec!["over-window"]),
        (approve([0xff; 32]), vec!["over-window"]),
        (approve(number(u128::MAX)), vec!["over-window"]),
        (
            call(0xa22c_b465, &[address(OTHER), number(1)]),
            vec!["over-window"],
        ),
        (call(0xa22c_b465, &[address(OTHER), number(0)]), vec![]),
    ] {
        let decision = decide_with(&policy, &transaction(data, 0), &facts);
        assert_eq!(codes(&decision), expected);
    }
    assert_eq!(
        codes(&decide(&policy, &transaction(approve(number(1)), 0))),
        ["missing-counter"]
    );
}

#[test]
fn delegations_are_refused_unless_named() {
    let authorization = Authorization {
        chain_id: U256::from(56_u64),
        delegate: OTHER,
        nonce: 0,
    };
    let mut own = transaction(vec![], 1);
    own.kind = TransactionKind::SetCode {
        max_priority_fee_per_gas: U256::ZERO,
        max_fee_per_gas: U256::from(1_u64),
        access_list: vec![],
        authorizations: vec![SignedAuthorization {
            authorization,
            y_parity: 0,
            r: U256::ZERO,
            s: U256::ZERO,
        }],
    };
    assert_eq!(codes(&decide(&default(), &own)), ["delegation"]);
    let mut policy = default();
    policy
        .rules
        .extend(rules(r#"{"name":"all","effect":"allow","match":{"chains":["eip155:*"]}}"#).rules);
    assert_eq!(codes(&decide(&policy, &own)), ["delegation"]);
    let named = r#"{"name":"7702","effect":"allow","match":{"operations":["evm-delegation"],"chains":["eip155:56"],"programs":["0x3333333333333333333333333333333333333333"]}}"#;
    policy.rules.extend(rules(named).rules);
    let _ = allowed(decide(&policy, &own));
    // What was allowed for one chain is denied for it as well.
    let mut denied = policy.clone();
    let deny =
        r#"{"name":"no","effect":"deny","match":{"operations":["evm-delegation"],"chains":["eip155:56"]}}"#;
    denied.rules.extend(rules(deny).rules);
    assert_eq!(codes(&decide(&denied, &own)), ["denied"]);
    // One for every chain is not one for chain 56 to be allowed, and is one to be denied.
    if let TransactionKind::SetCode { authorizations, .. } = &mut own.kind {
        authorizations[0].authorization.chain_id = U256::ZERO;
    }
    assert_eq!(codes(&decide(&policy, &own)), ["delegation"]);
    assert_eq!(codes(&decide(&denied, &own)), ["denied"]);
}

#[test]
fn what_counts_on_every_chain_is_denied_by_a_rule_for_one() {
    for (effect, expected) in [("deny", "denied"), ("require", "approval-required")] {
        let mut policy = default();
        let own = format!(r#"{{"name":"no","effect":"{effect}","match":{{"chains":["eip155:56"]}}}}"#);
        policy.rules.extend(rules(&own).rules);
        assert_eq!(codes(&message(&policy, b"hello")), [expected]);
        let wallet = AccountAddress::from(wallet());
        let export = Request::ExportKey { wallet: &wallet };
        assert_eq!(codes(&evaluate(&policy, &export, &Facts::default())), [expected]);
        let solana = AccountAddress::from(ed25519::SecretKey::from_seed(&[1; 32]).address());
        let export = Request::ExportKey { wallet: &solana };
        let _ = allowed(evaluate(&policy, &export, &Facts::default()));
        let mut elsewhere = transaction(vec![], 1);
        elsewhere.chain_id = 1;
        let _ = allowed(decide(&policy, &elsewhere));
    }
}

#[test]
fn known_functions_in_an_unusual_form_are_refused_whatever_the_rules() {
    let policy = rules(
        r#"{"name":"all","effect":"allow","match":{"operations":["evm-call","evm-token-transfer","evm-approval"],"programs":["0x2222222222222222222222222222222222222222"]}}"#,
    );
    let _ = allowed(decide(&policy, &transaction(token_transfer(1), 0)));
    let _ = allowed(decide(&policy, &transaction(vec![1, 2, 3, 4], 0)));
    let mut trailing = token_transfer(1);
    trailing.push(0);
    let mut dirty = approve(number(1));
    dirty[4] = 1;
    for data in [
        trailing,
        dirty,
        token_transfer(1)[..67].to_vec(),
        vec![0xa9, 0x05, 0x9c, 0xbb],
        call(0xa22c_b465, &[address(OTHER), number(2)]),
        call(0x2eb2_c2d6, &[]),
    ] {
        let decision = decide(&policy, &transaction(data.clone(), 0));
        assert_eq!(codes(&decision), ["malformed-call"], "{}", hex::encode(data));
    }
}

#[test]
fn numbered_tokens_do_not_pass_as_units() {
    let limited = |more: &str, conditions: &str| {
        rules(&format!(
            r#"{{"name":"r","effect":"allow","match":{{"operations":["evm-token-transfer","evm-approval"{more}]{conditions}}},"limits":{{"evm_units_per_transaction":"1000"}}}}"#
        ))
    };
    let listed = r#","programs":["0x2222222222222222222222222222222222222222"]"#;
    let from = |owner| call(0x23b8_72dd, &[address(owner), address(OTHER), number(7)]);
    for (policy, data, expected) in [
        (limited("", listed), from(wallet()), vec!["not-allowed"]),
        (limited(r#","evm-nft-transfer""#, listed), from(wallet()), vec![]),
        (limited("", listed), from(OTHER), vec![]),
        (limited("", ""), approve(number(7)), vec!["unlisted-token"]),
        (
            limited("", r#","assets":["eip155:56/erc20:*"]"#),
            approve(number(7)),
            vec!["unlisted-token"],
        ),
        (limited("", listed), approve(number(7)), vec![]),
        (
            limited(
                "",
                r#","assets":["eip155:56/erc20:0x2222222222222222222222222222222222222222"]"#,
            ),
            approve(number(7)),
            vec![],
        ),
        // Collections do not know it.
        (
            limited("", ""),
            call(0x3950_9351, &[address(OTHER), number(7)]),
            vec![],
        ),
    ] {
        assert_eq!(
            codes(&decide(&policy, &transaction(data, 0))),
            expected,
            "{policy:?}"
        );
    }
}

#[test]
fn limits_of_solana_leave_no_evm_asset_unlimited() {
    let limits = |limits: &str| {
        rules(&format!(
            r#"{{"name":"r","effect":"allow","match":{{"operations":["sol-transfer","evm-transfer","evm-token-transfer"]}},"limits":{{{limits}}}}}"#
        ))
    };
    let payment = transaction(vec![], ETHER);
    for (own, expected) in [
        ("", vec![]),
        (r#""lamports_per_transaction":5"#, vec!["no-evm-limit"]),
        (r#""whole_tokens_per_transaction":5"#, vec!["no-evm-limit"]),
        (
            r#""lamports_per_transaction":5,"evm_units_per_transaction":"1000000000000000000""#,
            vec![],
        ),
        (
            r#""lamports_per_transaction":5,"evm_units_per_transaction":"1""#,
            vec!["over-limit"],
        ),
    ] {
        assert_eq!(codes(&decide(&limits(own), &payment)), expected, "{own}");
    }
    let tokens = transaction(token_transfer(1), 0);
    let own = limits(r#""lamports_per_transaction":5"#);
    assert_eq!(codes(&decide(&own, &tokens)), ["no-evm-limit"]);
}

#[test]
fn the_wallet_must_be_the_one_asked_for() {
    let intent = EvmIntent::from_transaction(&transaction(vec![], 1), OTHER);
    let wallet = wallet();
    let request = Request::EvmTransaction {
        wallet: &wallet,
        intent: &intent,
    };
    assert_eq!(
        codes(&evaluate(&default(), &request, &Facts::default())),
        ["not-a-signer"]
    );
}

fn message(policy: &Policy, message: &[u8]) -> Decision {
    let wallet = wallet();
    let request = Request::EvmMessage {
        wallet: &wallet,
        message,
    };
    evaluate(policy, &request, &Facts::default())
}

#[test]
fn personal_messages_are_plain_texts() {
    let payload = transaction(vec![], 1).encode_unsigned();
    let approval = allowed(message(&Policy::default_for(solana_only()), b"hello"));
    assert_eq!(approval.rules(), ["text-messages"]);
    for (own, expected) in [
        (&b""[..], vec!["not-text"]),
        (&payload, vec!["looks-like-transaction", "not-text"]),
        (hex::encode(&payload).as_bytes(), vec!["looks-like-transaction"]),
        (&[0xab; 32], vec!["looks-like-hash", "not-text"]),
        ("ab".repeat(32).as_bytes(), vec!["looks-like-hash"]),
        (b"a\x1b[0m", vec!["not-text"]),
        ("a\u{202e}b".as_bytes(), vec!["not-text"]),
        (&personal::signing_payload(b"hello there"), vec!["not-text"]),
        (
            b"example.com wants you to sign in with your Ethereum account:\n0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n",
            vec!["sign-in-unchecked"],
        ),
        (
            hex::encode("a wants you to sign in with your Ethereum account:").as_bytes(),
            vec!["sign-in-unchecked"],
        ),
        (
            b"\n https://a wants you to sign in with your ethereum account: \n0x",
            vec!["sign-in-unchecked"],
        ),
        (b"Nobody wants you to sign in with your Ethereum account: relax", vec![]),
    ] {
        assert_eq!(codes(&message(&default(), own)), expected, "{own:02x?}");
    }
    let on_chain = rules(
        r#"{"name":"r","effect":"allow","match":{"operations":["text-message"],"chains":["eip155:56"]}}"#,
    );
    assert_eq!(codes(&message(&on_chain, b"hello")), ["not-allowed"]);
}

fn document(primary_type: &str, contract: &str) -> TypedData {
    TypedData::from_json(&format!(
        r#"{{"types":{{"EIP712Domain":[{{"name":"chainId","type":"uint256"}},{{"name":"verifyingContract","type":"address"}}],
        "{primary_type}":[{{"name":"value","type":"uint256"}}]}},"primaryType":"{primary_type}",
        "domain":{{"chainId":56,"verifyingContract":"{contract}"}},"message":{{"value":5}}}}"#
    ))
    .unwrap()
}

#[test]
fn typed_data_must_be_named_and_dangers_by_their_own_name() {
    let contract = "0x2222222222222222222222222222222222222222";
    let wallet = wallet();
    let decide = |policy: &Policy, typed_data: &TypedData| {
        let request = Request::TypedData {
            wallet: &wallet,
            typed_data,
        };
        evaluate(policy, &request, &Facts::default())
    };
    let (greeting, permit) = (document("Greeting", contract), document("Permit", contract));
    assert_eq!(codes(&decide(&default(), &greeting)), ["not-allowed"]);
    let harmless = rules(&format!(
        r#"{{"name":"r","effect":"allow","match":{{"operations":["typed-data"],"chains":["eip155:56"],"programs":["{contract}"]}}}}"#
    ));
    let approval = allowed(decide(&harmless, &greeting));
    assert_eq!(codes(&decide(&harmless, &permit)), ["not-allowed"]);
    let other = document("Greeting", "0x3333333333333333333333333333333333333333");
    assert_eq!(codes(&decide(&harmless, &other)), ["not-allowed"]);
    let grave = |more: &str| {
        rules(&format!(
            r#"{{"name":"r","effect":"allow","match":{{"operations":["evm-approval","typed-data-approval"],"programs":["{contract}"]}}{more}}}"#
        ))
    };
    let _ = allowed(decide(&grave(""), &permit));
    // The contract must be listed, and data that names none is for whoever asks.
    let anywhere =
        r#"{"version":1,"rules":[{"name":"r","effect":"allow","match":{"operations":["typed-data"]}}]}"#;
    assert!(matches!(
        Policy::from_json(anywhere),
        Err(PolicyError::AnyProgram(_))
    ));
    let nowhere = TypedData::from_json(
        r#"{"types":{"EIP712Domain":[{"name":"chainId","type":"uint256"}],"Greeting":[{"name":"value","type":"uint256"}]},
        "primaryType":"Greeting","domain":{"chainId":56},"message":{"value":5}}"#,
    )
    .unwrap();
    assert_eq!(codes(&decide(&harmless, &nowhere)), ["not-allowed"]);
    // No limit can be held.
    for limits in [
        r#""evm_units_per_transaction":"1000000000""#,
        r#""whole_tokens_per_transaction":5"#,
        r#""lamports_per_transaction":5"#,
        r#""windows":[{"asset":"eip155:1/native","duration_ms":1,"maximum_units":1}]"#,
    ] {
        let mut policy = grave(&format!(r#","limits":{{{limits}}}"#));
        assert_eq!(
            codes(&decide(&policy, &permit)),
            ["unlimitable-typed-data"],
            "{limits}"
        );
        // A rule without them is enough.
        let mut free = grave("").rules;
        free[0].name = "free".into();
        policy.rules.extend(free);
        assert_eq!(allowed(decide(&policy, &permit)).rules(), ["free"]);
    }
    // A token's rule is one for what its contract checks.
    let mut denied = grave("");
    let token =
        format!(r#"{{"name":"no","effect":"deny","match":{{"assets":["eip155:56/erc20:{contract}"]}}}}"#);
    denied.rules.extend(rules(&token).rules);
    assert_eq!(codes(&decide(&denied, &permit)), ["denied"]);

    let approved = ApprovedMessage::new(approval, greeting.signing_payload()).unwrap();
    let signature = *approved.sign(&key()).unwrap().as_secp256k1().unwrap();
    let signer = secp256k1::recover(&greeting.signing_hash(), &signature).unwrap();
    assert_eq!(signer.address(), wallet);
}

#[test]
fn an_approved_transaction_is_signed_and_no_other() {
    let own = transaction(vec![], 5);
    let approve = || allowed(decide(&default(), &own));
    let other = transaction(vec![], 6);
    assert_eq!(
        ApprovedMessage::new(approve(), other.encode_unsigned()).err(),
        Some(ApprovalMismatch)
    );
    // The hash of the payload is not the payload.
    assert_eq!(
        ApprovedMessage::new(approve(), own.signing_hash().to_vec()).err(),
        Some(ApprovalMismatch)
    );
    let approved = || ApprovedMessage::new(approve(), own.encode_unsigned()).unwrap();
    let signature = approved().sign(&key()).unwrap();
    assert_eq!(signature.to_string().parse(), Ok(signature));
    assert_eq!(signature.to_string().len(), 132);
    let signed = own
        .clone()
        .into_signed(*signature.as_secp256k1().unwrap(), &wallet())
        .unwrap();
    assert_eq!(signed.sender(), &wallet());

    let foreign = WalletKey::from(SecretKey::from_bytes(&[0x47; 32]).unwrap());
    let same_bytes = WalletKey::from(ed25519::SecretKey::from_seed(&[0x46; 32]));
    for wrong in [foreign, same_bytes] {
        assert!(matches!(approved().sign(&wrong), Err(SignError::WrongKey { .. })));
    }
}

#[test]
fn an_export_is_approved_for_itself_alone() {
    let wallet = AccountAddress::from(wallet());
    let request = Request::ExportKey { wallet: &wallet };
    let policy = Policy::default_for(solana_only());
    let approve = || allowed(evaluate(&policy, &request, &Facts::default()));
    assert_eq!(approve().rules(), ["the owner exports keys"]);
    assert_eq!(ApprovedExport::new(&approve()).unwrap().wallet(), &wallet);
    let subject = format!("keyward/export-key/v1 {wallet}");
    assert_eq!(
        ApprovedMessage::new(approve(), subject.into_bytes()).err(),
        Some(ApprovalMismatch)
    );
    let text = allowed(message(&default(), b"hello"));
    assert_eq!(ApprovedExport::new(&text).err(), Some(ApprovalMismatch));
    let mut strict = policy.clone();
    strict
        .rules
        .extend(rules(r#"{"name":"never","effect":"deny","match":{"operations":["export-key"]}}"#).rules);
    assert_eq!(codes(&evaluate(&strict, &request, &Facts::default())), ["denied"]);
}

/// The default policy as the first release stored it.
#[test]
fn policies_of_the_first_release_still_parse() {
    let stored = r#"{"version":1,"rules":[
        {"name":"sol-transfers","effect":"allow","match":{"operations":["sol-transfer"]},"limits":{"lamports_per_transaction":2000000000}},
        {"name":"token-transfers","effect":"allow","match":{"operations":["token-transfer"]},"limits":{"whole_tokens_per_transaction":100}},
        {"name":"memos","effect":"allow","match":{"operations":["memo"]}},
        {"name":"compute-budget","effect":"allow","match":{"operations":["compute-budget"]},"limits":{"max_priority_fee_lamports":1000000}},
        {"name":"text-messages","effect":"allow","match":{"operations":["text-message"]}},
        {"name":"window","effect":"allow","match":{"wallets":["4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi"],"assets":["token:*"]},
         "limits":{"windows":[{"asset":"sol","duration_ms":3600000,"maximum_units":5}]}}]}"#;
    let policy = Policy::from_json(stored).unwrap();
    assert_eq!(policy.rules[5].limits.windows[0].maximum, 5);
    let limits: PolicyLimits =
        serde_json::from_str(r#"{"sol_per_transaction":1,"tokens_per_transaction":1,"max_priority_fee":1}"#)
            .unwrap();
    assert_eq!(limits.evm, None);
    assert_eq!(codes(&decide(&policy, &transaction(vec![], 1))), ["not-allowed"]);
    let _ = allowed(message(&policy, b"hello"));
}
