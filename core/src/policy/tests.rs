#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::ToString;
use alloc::vec;

use proptest::prelude::*;
use sha2::{Digest, Sha256};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::ed25519::SecretKey;
use crate::intent::programs;
use crate::solana::instructions::{compute_unit_limit, compute_unit_price, memo, sol_transfer};
use crate::solana::samples::{self, BLOCKHASH, PAYER, RECIPIENT};
use crate::solana::{AccountMeta, Instruction, MessageVersion, compile_message};

const SOL: u64 = 1_000_000_000;
const MINT: Address = Address::new([0x77; 32]);
const HOUR_MS: u64 = 3_600_000;

fn limits() -> PolicyLimits {
    PolicyLimits {
        sol_per_transaction: Lamports::new(2 * SOL),
        tokens_per_transaction: 100,
        max_priority_fee: Lamports::new(1_000_000),
        evm: None,
    }
}

fn default() -> Policy {
    Policy::default_for(limits())
}

fn pay(lamports: u64) -> Instruction {
    sol_transfer(PAYER, RECIPIENT, Lamports::new(lamports))
}

fn pay_to(to: Address, lamports: u64) -> Instruction {
    sol_transfer(PAYER, to, Lamports::new(lamports))
}

fn call(program: Address, accounts: &[Address], data: &[u8]) -> Instruction {
    Instruction {
        program,
        accounts: accounts
            .iter()
            .map(|address| AccountMeta {
                address: *address,
                is_signer: false,
                is_writable: true,
            })
            .collect(),
        data: data.to_vec(),
    }
}

fn tokens(mint: Address, amount: u64, decimals: u8) -> Instruction {
    let data = [&[12][..], &amount.to_le_bytes(), &[decimals]].concat();
    let [from, to] = [Address::new([0x66; 32]), Address::new([0x67; 32])];
    call(programs::TOKEN, &[from, mint, to, PAYER], &data)
}

fn intent(instructions: &[Instruction]) -> Intent {
    let message = compile_message(MessageVersion::V0, PAYER, instructions, BLOCKHASH).unwrap();
    Intent::from_message(&message)
}

fn decide(policy: &Policy, instructions: &[Instruction]) -> Decision {
    let intent = intent(instructions);
    let request = Request::Transaction {
        wallet: &PAYER,
        intent: &intent,
    };
    evaluate(policy, &request, &Facts::default())
}

fn decide_message(policy: &Policy, message: &[u8]) -> Decision {
    let request = Request::Message {
        wallet: &PAYER,
        message,
    };
    evaluate(policy, &request, &Facts::default())
}

fn codes(decision: &Decision) -> Vec<&'static str> {
    match decision {
        Decision::Allowed(_) => vec![],
        Decision::Refused(refusals) => {
            assert!(!refusals.is_empty());
            refusals.iter().map(Refusal::code).collect()
        }
    }
}

fn allowed(decision: Decision) -> Approval {
    match decision {
        Decision::Allowed(approval) => approval,
        Decision::Refused(refusals) => panic!("refused: {refusals:?}"),
    }
}

fn rule(name: &str, effect: Effect, operations: &[OperationKind]) -> Rule {
    Rule {
        name: name.into(),
        effect,
        matches: RuleMatch {
            operations: operations.to_vec(),
            ..RuleMatch::default()
        },
        limits: Limits::default(),
    }
}

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

#[test]
fn only_plain_text_is_signed_as_a_message() {
    let approval = allowed(decide_message(&default(), "Sign in\n\tto example.com".as_bytes()));
    assert_eq!(approval.rules(), ["text-messages"]);
    assert_eq!(approval.spends(), []);
    for (message, expected) in [
        (&b""[..], vec!["not-text"]),
        (b"\x00\x01", vec!["not-text"]),
        (b"\xffsolana offchain\x00", vec!["malformed-message"]),
        (b"a\x1b[0m", vec!["not-text"]),
        (b"\x81", vec!["looks-like-transaction", "not-text"]),
        (
            &samples::payment(MessageVersion::Legacy).encode(),
            vec!["looks-like-transaction", "not-text"],
        ),
        (
            &samples::payment(MessageVersion::V0).encode(),
            vec!["looks-like-transaction", "not-text"],
        ),
        // Text that can be read as a message: ten accounts, nine instructions.
        (&text_that_parses(), vec!["looks-like-transaction"]),
    ] {
        assert_eq!(
            codes(&decide_message(&default(), message)),
            expected,
            "{message:?}"
        );
    }
}

/// Printable, and yet a message in form: header, ten accounts, blockhash, nine instructions without
/// sense, each with 32 accounts and 32 bytes.
fn text_that_parses() -> Vec<u8> {
    let mut text = b"abc\n".to_vec();
    text.extend_from_slice(&[b'x'; 320 + 32]);
    text.push(b'\t');
    let instruction = [&b"p"[..], &[b' '; 33], &[b' '; 33]].concat();
    text.extend_from_slice(&instruction.repeat(9));
    text
}

#[test]
fn only_the_approved_bytes_are_signed_by_the_approved_wallet() {
    let key = SecretKey::from_seed(&[42; 32]);
    let wallet = key.address();
    let approve = || {
        let request = Request::Message {
            wallet: &wallet,
            message: b"hello",
        };
        allowed(evaluate(&default(), &request, &Facts::default()))
    };
    assert_eq!(
        ApprovedMessage::new(approve(), b"hellO".to_vec()).err(),
        Some(ApprovalMismatch)
    );
    let approved = ApprovedMessage::new(approve(), b"hello".to_vec()).unwrap();
    let signature = approved.sign(&SecretKey::from_seed(&[42; 32]).into()).unwrap();
    crate::ed25519::verify(&wallet, b"hello", signature.as_ed25519().unwrap()).unwrap();
    assert_eq!(signature.to_string().parse(), Ok(signature));

    let other = SecretKey::from_seed(&[43; 32]);
    let approved = ApprovedMessage::new(approve(), b"hello".to_vec()).unwrap();
    assert_eq!(
        approved.sign(&SecretKey::from_seed(&[43; 32]).into()),
        Err(SignError::WrongKey {
            approved: wallet.into(),
            key: other.address().into()
        })
    );
    assert_eq!(
        approve().message_sha256(),
        &<[u8; 32]>::from(Sha256::digest(b"hello"))
    );
}

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
    #[cfg(not(target_arch = "wasm32"))]
    insta::assert_snapshot!(json);
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
    #[cfg(not(target_arch = "wasm32"))]
    insta::assert_snapshot!(lines.join("\n"));
}

fn windowed(limits: &[(u64, u128)]) -> Policy {
    let mut sol = rule("hourly", Effect::Allow, &[OperationKind::SolTransfer]);
    sol.limits.windows = limits
        .iter()
        .map(|(duration_ms, maximum)| WindowLimit {
            asset: Asset::Sol,
            duration_ms: *duration_ms,
            maximum: *maximum,
        })
        .collect();
    Policy {
        version: 1,
        rules: vec![sol],
    }
}

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
    evaluate(policy, &request, &Facts { now_ms, spent })
}

fn spend(amount: impl Into<u128>) -> Spend {
    Spend {
        asset: Asset::Sol,
        amount: amount.into(),
    }
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

fn sum_between(log: &[(u64, Spend)], first_ms: u64, last_ms: u64) -> u128 {
    log.iter()
        .filter(|(at, _)| (first_ms..=last_ms).contains(at))
        .map(|(_, spend)| spend.amount)
        .sum()
}
