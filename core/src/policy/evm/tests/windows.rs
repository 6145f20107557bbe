#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

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
        ..Facts::default()
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
        ..Facts::default()
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
