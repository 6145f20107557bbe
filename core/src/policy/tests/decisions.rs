use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

#[test]
fn the_default_policy_allows_ordinary_payments() {
    let payment = [
        compute_unit_limit(200_000),
        compute_unit_price(1_000),
        pay(SOL),
        pay(SOL),
        memo("rent", &[PAYER]),
    ];
    let approval = allowed(decide(&default(), &payment));
    assert_eq!(approval.rules(), ["compute-budget", "memos", "sol-transfers"]);
    assert_eq!(
        approval.spends(),
        [Spend {
            asset: Asset::Sol,
            amount: u128::from(2 * SOL)
        }]
    );
    assert_eq!(*approval.wallet(), PAYER);
    assert_eq!(approval.policy_version(), 1);
    assert_eq!(approval.message_sha256(), &intent(&payment).message_sha256);

    // Exactly the highest fee.
    let dearest = [compute_unit_price(1_000_000), compute_unit_limit(1_000_000)];
    let _ = allowed(decide(&default(), &dearest));

    let approval = allowed(decide(&default(), &[tokens(MINT, 100_000_000, 6), pay(1)]));
    assert_eq!(
        approval.spends(),
        [
            Spend {
                asset: Asset::Sol,
                amount: 1
            },
            Spend {
                asset: Asset::Token(MINT),
                amount: 100_000_000
            }
        ]
    );
}

#[test]
fn each_refusal_has_its_own_code() {
    let amount = 5_u64.to_le_bytes();
    let unchecked = [&[3][..], &amount].concat();
    let checked = [&[12][..], &amount, &[0]].concat();
    let other = Address::new([0x55; 32]);
    let accounts = [RECIPIENT, MINT, other, PAYER, Address::new([0x44; 32])];
    for (instructions, expected) in [
        (vec![pay(2 * SOL + 1)], vec!["over-limit"]),
        (vec![pay(SOL), pay_to(other, SOL), pay(1)], vec!["over-limit"]),
        (vec![pay(u64::MAX), pay(1)], vec!["sum-overflow"]),
        (vec![tokens(MINT, 100_000_001, 6)], vec!["over-limit"]),
        (vec![tokens(MINT, 60, 0), tokens(MINT, 41, 0)], vec!["over-limit"]),
        (
            vec![tokens(MINT, u64::MAX, 6), tokens(MINT, 1, 6)],
            vec!["sum-overflow"],
        ),
        (vec![call(other, &[], &[1])], vec!["unknown-program"]),
        (
            vec![call(programs::SYSTEM, &[RECIPIENT, PAYER], &[0; 52])],
            vec!["unknown-program"],
        ),
        (
            vec![call(programs::SYSTEM, &[RECIPIENT, PAYER], &[0; 53])],
            vec!["undecoded-call"],
        ),
        (
            vec![call(programs::TOKEN, &accounts[..4], &unchecked)],
            vec!["unnamed-mint"],
        ),
        (
            vec![call(programs::TOKEN_2022, &accounts, &checked)],
            vec!["transfer-hook"],
        ),
        (vec![compute_unit_price(1_000_000_000)], vec!["fee-cap"]),
        // Were one of them right about the decimals, it would be a hundred tokens and more.
        (vec![tokens(MINT, 100, 0), tokens(MINT, 1, 6)], vec!["over-limit"]),
        (
            vec![compute_unit_price(1_000_000), compute_unit_limit(1_000_001)],
            vec!["fee-cap"],
        ),
        (
            vec![compute_unit_limit(1), compute_unit_limit(1)],
            vec!["duplicate-compute-budget"],
        ),
        (
            vec![pay(3 * SOL), call(other, &[], &[])],
            vec!["unknown-program", "over-limit"],
        ),
    ] {
        assert_eq!(
            codes(&decide(&default(), &instructions)),
            expected,
            "{instructions:?}"
        );
    }
    // SPL Token ignores further accounts, such as Solana Pay's references.
    let _ = allowed(decide(&default(), &[call(programs::TOKEN, &accounts, &checked)]));
    let empty = Policy {
        version: 1,
        rules: vec![],
    };
    assert_eq!(codes(&decide(&empty, &[pay(1)])), ["not-allowed"]);
    assert_eq!(codes(&decide_message(&empty, b"hello")), ["not-allowed"]);
}

#[test]
fn what_is_not_in_the_message_is_refused() {
    let intent = Intent::from_message(&samples::with_lookup());
    let request = |wallet| Request::Transaction {
        wallet,
        intent: &intent,
    };
    let facts = Facts::default();
    assert_eq!(
        codes(&evaluate(&default(), &request(&PAYER), &facts)),
        ["unresolved-lookup"]
    );
    // Not even a policy that allows everything changes that.
    let everything = Policy {
        version: 1,
        rules: vec![rule("all", Effect::Allow, &[])],
    };
    assert_eq!(
        codes(&evaluate(&everything, &request(&PAYER), &facts)),
        ["unresolved-lookup"]
    );
    assert_eq!(
        codes(&evaluate(&everything, &request(&RECIPIENT), &facts)),
        ["not-a-signer", "unresolved-lookup"]
    );
    let mut nothing = samples::payment(MessageVersion::V0);
    nothing.instructions.clear();
    let nothing = Intent::from_message(&nothing);
    let request = Request::Transaction {
        wallet: &PAYER,
        intent: &nothing,
    };
    assert_eq!(codes(&evaluate(&everything, &request, &facts)), ["nothing-to-do"]);
}

#[test]
fn a_rule_without_conditions_allows_no_program_call() {
    let program = Address::new([0x55; 32]);
    let instructions = [call(program, &[], &[1])];
    let mut policy = Policy {
        version: 1,
        rules: vec![rule("all", Effect::Allow, &[])],
    };
    assert_eq!(codes(&decide(&policy, &instructions)), ["unknown-program"]);
    policy.rules[0].matches.programs = vec![Address::new([0x54; 32]).into()];
    assert_eq!(codes(&decide(&policy, &instructions)), ["unknown-program"]);
    policy.rules[0].matches.programs.push(program.into());
    assert_eq!(allowed(decide(&policy, &instructions)).rules(), ["all"]);
    // Such a rule as the only one for program calls must name programs at all.
    policy.rules = vec![rule("calls", Effect::Allow, &[OperationKind::ProgramCall])];
    assert_eq!(codes(&decide(&policy, &instructions)), ["unsound-policy"]);
}

/// Allows every call of the programs that are decoded, and SOL up to a limit.
fn generous(limit: Option<u64>) -> Policy {
    let operations = [
        OperationKind::ProgramCall,
        OperationKind::SolTransfer,
        OperationKind::TokenTransfer,
        OperationKind::ComputeBudget,
    ];
    let mut own = rule("all", Effect::Allow, &operations);
    own.matches.programs = [
        programs::SYSTEM,
        programs::TOKEN,
        programs::TOKEN_2022,
        programs::COMPUTE_BUDGET,
    ]
    .map(AccountAddress::from)
    .to_vec();
    own.limits.sol_per_transaction = limit.map(Lamports::new);
    Policy {
        version: 1,
        rules: vec![own],
    }
}

#[test]
fn decoded_programs_are_not_called_in_other_forms() {
    let accounts = [RECIPIENT, MINT, Address::new([0x55; 32]), PAYER];
    let transfer = [&[2, 0, 0, 0][..], &5_u64.to_le_bytes(), &[0]].concat();
    let checked = [&[12][..], &5_u64.to_le_bytes(), &[0, 0]].concat();
    for (program, data) in [
        (programs::SYSTEM, transfer.as_slice()),
        (programs::SYSTEM, &[0xff; 4]),
        (programs::SYSTEM, &[]),
        (programs::TOKEN, &checked),
        (programs::TOKEN, &[0xfe]),
        (programs::TOKEN_2022, &checked),
        (programs::COMPUTE_BUDGET, &[2, 1, 0, 0, 0, 0]),
    ] {
        let decision = decide(&generous(None), &[call(program, &accounts, data)]);
        assert_eq!(codes(&decision), ["undecoded-call"], "{program} {data:?}");
    }
    let _ = allowed(decide(&generous(None), &[pay(5)]));
}

#[test]
fn every_call_that_moves_sol_counts() {
    let new = Address::new([0x66; 32]);
    let lamports = SOL.to_le_bytes();
    let create = [&[0; 4][..], &lamports, &[0; 40]].concat();
    let seed = [&1_u64.to_le_bytes()[..], b"s"].concat();
    let create_seeded = [&[3, 0, 0, 0][..], &[7; 32], &seed, &lamports, &[0; 40]].concat();
    let seeded = [&[11, 0, 0, 0][..], &lamports, &seed, &[7; 32]].concat();
    let withdraw = [&[5, 0, 0, 0][..], &lamports].concat();
    let sysvar = Address::new([0x67; 32]);
    for instruction in [
        call(programs::SYSTEM, &[PAYER, new], &create),
        call(programs::SYSTEM, &[PAYER, new, PAYER], &create_seeded),
        call(programs::SYSTEM, &[new, PAYER, RECIPIENT], &seeded),
        call(
            programs::SYSTEM,
            &[new, RECIPIENT, sysvar, Address::new([0x68; 32]), PAYER],
            &withdraw,
        ),
    ] {
        let both = [instruction.clone(), pay(1)];
        let approval = allowed(decide(&generous(Some(SOL + 1)), &both));
        assert_eq!(approval.spends(), [spend(SOL + 1)], "{instruction:?}");
        assert_eq!(codes(&decide(&generous(Some(SOL)), &both)), ["over-limit"]);
        let mut policy = generous(None);
        policy.rules[0].limits.windows = windowed(&[(HOUR_MS, 5)]).rules[0].limits.windows.clone();
        assert_eq!(
            codes(&decide(&policy, core::slice::from_ref(&instruction))),
            ["missing-counter"]
        );
        let mut deny = rule("no-sol", Effect::Deny, &[]);
        deny.matches.assets = vec![AssetMatch::Asset(Asset::Sol)];
        let mut policy = generous(None);
        policy.rules.push(deny);
        assert_eq!(codes(&decide(&policy, &[instruction])), ["denied"]);
    }
}

#[test]
fn conditions_are_joined_and_lists_are_alternatives() {
    let other = Address::new([0x55; 32]);
    let mut only = rule("treasury", Effect::Allow, &[OperationKind::SolTransfer]);
    only.matches.destinations = vec![RECIPIENT.into(), MINT.into()];
    only.matches.wallets = vec![PAYER.into()];
    only.matches.assets = vec![AssetMatch::Asset(Asset::Sol)];
    let mut policy = Policy {
        version: 7,
        rules: vec![only],
    };
    assert_eq!(allowed(decide(&policy, &[pay(9 * SOL)])).policy_version(), 7);
    assert_eq!(codes(&decide(&policy, &[pay_to(other, 1)])), ["not-allowed"]);
    assert_eq!(codes(&decide(&policy, &[memo("m", &[])])), ["not-allowed"]);
    policy.rules[0].matches.assets = vec![AssetMatch::AnyToken];
    assert_eq!(codes(&decide(&policy, &[pay(1)])), ["not-allowed"]);
    policy.rules[0].matches.assets.clear();
    policy.rules[0].matches.wallets = vec![other.into()];
    assert_eq!(codes(&decide(&policy, &[pay(1)])), ["not-allowed"]);
}

#[test]
fn one_rule_with_room_is_enough() {
    let mut policy = default();
    let mut treasury = rule("treasury", Effect::Allow, &[OperationKind::SolTransfer]);
    treasury.matches.destinations = vec![RECIPIENT.into()];
    policy.rules.push(treasury);
    assert_eq!(allowed(decide(&policy, &[pay(50 * SOL)])).rules(), ["treasury"]);
    // The general rule's limit counts everything that it matches, the treasury's share included.
    assert_eq!(
        codes(&decide(&policy, &[pay(50 * SOL), pay_to(MINT, 1)])),
        ["over-limit"]
    );
}

#[test]
fn required_approvals_cannot_be_skipped() {
    let mut policy = default();
    policy
        .rules
        .push(rule("two-people", Effect::Require, &[OperationKind::SolTransfer]));
    assert_eq!(codes(&decide(&policy, &[pay(1)])), ["approval-required"]);
    let _ = allowed(decide(&policy, &[memo("m", &[])]));
}

proptest! {
    #[test]
    fn deny_wins_wherever_it_stands(at in 0_usize..=6, message in any::<bool>()) {
        let operation = if message { OperationKind::TextMessage } else { OperationKind::SolTransfer };
        let mut policy = default();
        policy.rules.push(rule("all", Effect::Allow, &[]));
        policy.rules.insert(at, rule("stop", Effect::Deny, &[operation]));
        let decision = if message {
            decide_message(&policy, b"hello")
        } else {
            decide(&policy, &[memo("m", &[]), pay(1)])
        };
        prop_assert_eq!(codes(&decision), ["denied"]);
    }

    #[test]
    fn the_limit_holds_for_any_split(parts in proptest::collection::vec(0..2 * SOL, 1..8)) {
        let total: u64 = parts.iter().sum();
        let payments: Vec<_> = parts.iter().map(|part| pay(*part)).collect();
        let decision = decide(&default(), &payments);
        if total <= 2 * SOL {
            let approval = allowed(decision);
            prop_assert_eq!(approval.spends(), [spend(total)]);
        } else {
            prop_assert_eq!(codes(&decision), ["over-limit"]);
        }
    }

    #[test]
    fn the_order_of_rules_has_no_meaning(
        order in Just((0..7_usize).collect::<Vec<_>>()).prop_shuffle(),
        lamports in 0..4 * SOL,
        price in 0_u64..2_000_000,
    ) {
        let sorted = default();
        let shuffled = Policy {
            version: 1,
            rules: order.iter().map(|at| sorted.rules[*at].clone()).collect(),
        };
        let instructions = [pay(lamports), compute_unit_price(price), memo("m", &[])];
        let codes_of = |policy: &Policy| {
            let mut codes = codes(&decide(policy, &instructions));
            codes.sort_unstable();
            codes
        };
        prop_assert_eq!(codes_of(&sorted), codes_of(&shuffled));
    }
}
