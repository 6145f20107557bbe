use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

/// Counts like a store, and asks.
fn ask(policy: &Policy, log: &[(u64, Spend)], now_ms: u64, amount: u64) -> Decision {
    let intent = intent(&[pay(amount)]);
    let spent = policy
        .windows()
        .into_iter()
        .map(|window| WindowSpend {
            window,
            amount: window.total(log, now_ms).unwrap_or(u128::MAX),
        })
        .collect();
    let request = Request::Transaction {
        wallet: &PAYER,
        intent: &intent,
    };
    evaluate(
        policy,
        &request,
        &Facts {
            now_ms,
            spent,
            ..Facts::default()
        },
    )
}

#[test]
fn a_window_slides() {
    let policy = windowed(&[(HOUR_MS, 10)]);
    // Just before the full hour; a fixed window would start anew a moment later.
    let log = [(HOUR_MS - 1, spend(10_u64))];
    assert_eq!(codes(&ask(&policy, &log, HOUR_MS - 1, 1)), ["over-window"]);
    assert_eq!(codes(&ask(&policy, &log, HOUR_MS, 1)), ["over-window"]);
    assert_eq!(codes(&ask(&policy, &log, 2 * HOUR_MS - 2, 1)), ["over-window"]);
    let _ = allowed(ask(&policy, &log, 2 * HOUR_MS - 1, 10));
    // A clock set back frees nothing.
    assert_eq!(codes(&ask(&policy, &log, 0, 1)), ["over-window"]);
    // Other assets do not count.
    let tokens = [(
        0,
        Spend {
            asset: Asset::Token(MINT),
            amount: 10,
        },
    )];
    let _ = allowed(ask(&policy, &tokens, 0, 10));
    assert_eq!(
        codes(&ask(&policy, &[(0, spend(u64::MAX))], 0, 1)),
        ["over-window"]
    );
}

#[test]
fn a_missing_counter_is_no_licence() {
    let policy = windowed(&[(HOUR_MS, 10)]);
    assert_eq!(codes(&decide(&policy, &[pay(1)])), ["missing-counter"]);
    let other = WindowSpend {
        window: Window {
            asset: Asset::Sol,
            duration_ms: HOUR_MS + 1,
        },
        amount: 0,
    };
    let intent = intent(&[pay(1)]);
    let request = Request::Transaction {
        wallet: &PAYER,
        intent: &intent,
    };
    let facts = Facts {
        now_ms: 0,
        spent: vec![other],
        ..Facts::default()
    };
    assert_eq!(codes(&evaluate(&policy, &request, &facts)), ["missing-counter"]);
}

#[test]
fn windows_are_named_once() {
    let mut policy = windowed(&[(HOUR_MS, 10), (24 * HOUR_MS, 50), (HOUR_MS, 9)]);
    let mut again = policy.rules[0].clone();
    again.name = "again".into();
    policy.rules.push(again);
    let durations: Vec<u64> = policy.windows().iter().map(|w| w.duration_ms).collect();
    assert_eq!(durations, [HOUR_MS, 24 * HOUR_MS]);
}

fn sum_between(log: &[(u64, Spend)], first_ms: u64, last_ms: u64) -> u128 {
    log.iter()
        .filter(|(at, _)| (first_ms..=last_ms).contains(at))
        .map(|(_, spend)| spend.amount)
        .sum()
}

proptest! {
    /// Whatever is asked for and when: within every window of the length, the sum stays in the limit.
    #[test]
    fn no_window_ever_exceeds_its_limit(
        steps in proptest::collection::vec((0_u64..400, 1_u64..12), 1..60),
    ) {
        let (short, long) = ((100, 10), (1_000, 25));
        let policy = windowed(&[short, long]);
        let mut log: Vec<(u64, Spend)> = vec![];
        let mut now_ms = 1_000_000;
        for (pause_ms, amount) in steps {
            now_ms += pause_ms;
            if let Decision::Allowed(approval) = ask(&policy, &log, now_ms, amount) {
                log.extend(approval.spends().iter().map(|spend| (now_ms, *spend)));
            } else {
                // Refused only when it would not have fitted one of the windows.
                let fits = [short, long].iter().all(|(duration, maximum)| {
                    u128::from(amount) + sum_between(&log, now_ms + 1 - duration, now_ms) <= *maximum
                });
                prop_assert!(!fits);
            }
        }
        for (duration, maximum) in [short, long] {
            for (start, _) in &log {
                prop_assert!(sum_between(&log, *start, start + duration - 1) <= maximum);
            }
        }
    }
}
