#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

#[test]
fn policies_read_back_and_strictly() {
    let mut policy = default();
    policy.rules.push(Rule {
        name: "all-of-it".into(),
        effect: Effect::Allow,
        matches: RuleMatch {
            wallets: vec![PAYER.into()],
            chains: vec![],
            operations: vec![OperationKind::ProgramCall, OperationKind::TokenTransfer],
            assets: vec![
                AssetMatch::AnyToken,
                AssetMatch::Asset(Asset::Sol),
                AssetMatch::Asset(Asset::Token(MINT)),
            ],
            destinations: vec![RECIPIENT.into()],
            programs: vec![programs::TOKEN.into()],
            beneficiary: None,
        },
        limits: Limits {
            windows: vec![WindowLimit {
                asset: Asset::Token(MINT),
                duration_ms: HOUR_MS,
                maximum: 5,
            }],
            ..Limits::default()
        },
    });
    policy
        .rules
        .push(rule("never", Effect::Deny, &[OperationKind::TextMessage]));
    let json = policy.to_json().unwrap();
    // insta reads its files, which a page cannot.
    if cfg!(not(target_arch = "wasm32")) {
        insta::assert_snapshot!(json);
    }
    assert_eq!(Policy::from_json(&json), Ok(policy));

    for (change, to) in [
        ("\"version\": 1", "\"version\": 0"),
        ("\"version\": 1", "\"version\": -1"),
        ("\"version\": 1", "\"version\": 1, \"extra\": 1"),
        ("\"effect\": \"deny\"", "\"effect\": \"Deny\""),
        ("\"effect\": \"deny\"", "\"effect\": \"deny\", \"limit\": {}"),
        ("lamports_per_transaction", "sol_per_transaction"),
        ("\"token:*\"", "\"token\""),
        ("\"token:*\"", "\"token:**\""),
        ("\"sol\"", "\"SOL\""),
        ("\"program-call\"", "\"any\""),
        ("\"duration_ms\": 3600000", "\"duration_ms\": 0"),
        ("\"maximum_units\": 5", "\"maximum_units\": 5.0"),
        ("\"memos\"", "\"never\""),
        ("\"memos\"", "\" \""),
    ] {
        assert!(json.contains(change), "{change}");
        let changed = json.replacen(change, to, 1);
        assert!(Policy::from_json(&changed).is_err(), "{change} to {to}");
    }
    let mut limited_deny = default();
    limited_deny.rules[0].effect = Effect::Deny;
    assert!(matches!(
        limited_deny.check(),
        Err(PolicyError::PointlessLimits(_))
    ));
    let mut many = default();
    many.rules = (0..1001)
        .map(|at| rule(&at.to_string(), Effect::Deny, &[]))
        .collect();
    assert_eq!(many.check(), Err(PolicyError::TooManyRules { found: 1001 }));
}

#[test]
fn refusals_name_cause_and_remedy() {
    let other = Address::new([0x55; 32]);
    let mut policy = default();
    policy
        .rules
        .push(rule("no-memos", Effect::Deny, &[OperationKind::Memo]));
    let mut lines = vec![];
    for instructions in [
        vec![pay(2 * SOL + 1)],
        vec![tokens(MINT, 100_000_001, 6)],
        vec![call(other, &[], &[1])],
        vec![call(programs::SYSTEM, &[RECIPIENT, PAYER], &[0; 52])],
        vec![call(
            programs::TOKEN,
            &[MINT, other, PAYER],
            &[3, 1, 0, 0, 0, 0, 0, 0, 0],
        )],
        vec![compute_unit_price(1_000_000_000)],
        vec![memo("m", &[])],
    ] {
        let Decision::Refused(refusals) = decide(&policy, &instructions) else {
            panic!("allowed");
        };
        lines.extend(refusals.iter().map(|r| format!("{}: {r}", r.code())));
    }
    // insta reads its files, which a page cannot.
    if cfg!(not(target_arch = "wasm32")) {
        insta::assert_snapshot!(lines.join("\n"));
    }
}
