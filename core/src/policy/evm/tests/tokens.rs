#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

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
    if cfg!(not(target_arch = "wasm32")) {
        insta::assert_snapshot!(lines.join("\n"));
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
