#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

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
