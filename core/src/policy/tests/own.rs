//! Operations with names of their own: what new vaults allow, what older policies go on saying, and to whom.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::solana::instructions::{
    NONCE_ACCOUNT_BYTES, advance_nonce, authorize_nonce, close_token_account, create_account,
    create_account_with_seed, create_associated_account, initialize_nonce, withdraw_excess_lamports,
    withdraw_nonce,
};

const OTHER: Address = Address::new([0x31; 32]);
const STRANGER: Address = Address::new([0x32; 32]);
const ACCOUNT: Address = Address::new([0x33; 32]);

/// The payer and another wallet are the vault's.
fn decide_own(policy: &Policy, instructions: &[Instruction]) -> Decision {
    let intent = intent(instructions);
    let asked = policy.parties(&intent);
    let own = [PAYER, OTHER];
    let facts = Facts {
        own_wallets: own.into_iter().filter(|own| asked.contains(own)).collect(),
        ..Facts::default()
    };
    let request = Request::Transaction {
        wallet: &PAYER,
        intent: &intent,
    };
    evaluate(policy, &request, &facts)
}

fn without_names() -> Policy {
    let mut policy = default();
    policy.rules.retain(|rule| rule.name != "own-accounts");
    for rule in &mut policy.rules {
        if rule.name == "sol-transfers" {
            rule.matches.operations = vec![OperationKind::SolTransfer];
        }
    }
    policy
}

fn create_nonce(lamports: u64) -> Instruction {
    let lamports = Lamports::new(lamports);
    create_account_with_seed(
        PAYER,
        (PAYER, "nonce"),
        lamports,
        NONCE_ACCOUNT_BYTES,
        programs::SYSTEM,
    )
    .unwrap()
}

#[test]
fn what_stays_with_the_vault_is_allowed_and_nothing_else() {
    let close = |to, owner| close_token_account(programs::TOKEN, ACCOUNT, to, owner);
    let excess = |to, owner| withdraw_excess_lamports(programs::TOKEN_2022, ACCOUNT, to, owner);
    let withdraw = |to, authority| withdraw_nonce(ACCOUNT, to, authority, Lamports::new(1));
    for (instruction, expected) in [
        (close(PAYER, PAYER), None),
        (close(OTHER, PAYER), None),
        (close(STRANGER, PAYER), Some("outside-rule")),
        (close(PAYER, STRANGER), Some("outside-rule")),
        (excess(OTHER, PAYER), None),
        (excess(STRANGER, PAYER), Some("outside-rule")),
        (advance_nonce(ACCOUNT, PAYER), None),
        (advance_nonce(ACCOUNT, STRANGER), Some("outside-rule")),
        (withdraw(OTHER, PAYER), None),
        (withdraw(STRANGER, PAYER), Some("outside-rule")),
        (withdraw(PAYER, STRANGER), Some("outside-rule")),
        (initialize_nonce(ACCOUNT, PAYER), None),
        (authorize_nonce(ACCOUNT, PAYER, OTHER), Some("unknown-program")),
        (create_nonce(2 * SOL), None),
        (create_nonce(2 * SOL + 1), Some("over-limit")),
        // Whoever is created signs, and could be a wallet of ours.
        (
            create_account(
                PAYER,
                OTHER,
                Lamports::new(1),
                NONCE_ACCOUNT_BYTES,
                programs::SYSTEM,
            ),
            Some("unknown-program"),
        ),
        // Not the size of a nonce account, or another's.
        (
            create_account(PAYER, ACCOUNT, Lamports::new(1), 79, programs::SYSTEM),
            Some("unknown-program"),
        ),
        (
            create_account(PAYER, ACCOUNT, Lamports::new(1), 80, programs::TOKEN),
            Some("unknown-program"),
        ),
    ] {
        let found = codes(&decide_own(&default(), core::slice::from_ref(&instruction)));
        assert_eq!(found, Vec::from_iter(expected), "{instruction:?}");
        // Where nobody said whose the wallets are, nobody's they are.
        let alone = core::slice::from_ref(&instruction);
        if !default().parties(&intent(alone)).is_empty() {
            assert_eq!(
                codes(&decide(&default(), alone)),
                ["outside-rule"],
                "{instruction:?}"
            );
        }
    }
}

#[test]
fn an_older_policy_says_what_it_said() {
    let close = |to| close_token_account(programs::TOKEN, ACCOUNT, to, PAYER);
    let create = create_associated_account(PAYER, PAYER, programs::TOKEN, MINT);
    for instruction in [
        close(PAYER),
        create.clone(),
        advance_nonce(ACCOUNT, PAYER),
        create_nonce(1),
    ] {
        let decision = decide_own(&without_names(), &[instruction]);
        assert_eq!(codes(&decision), ["unruled-operation"]);
        let Decision::Refused(reasons) = decision else {
            unreachable!("it has codes");
        };
        assert!(
            reasons[0]
                .to_string()
                .contains("import the vault's exported file anew")
        );
    }
    let named = |effect, program: Address| {
        let mut own = rule("calls", effect, &[OperationKind::ProgramCall]);
        own.matches.programs = vec![program.into()];
        own
    };
    // Whoever named the program, allowed or denied its calls, does so still.
    let mut open = without_names();
    open.rules.push(named(Effect::Allow, programs::TOKEN));
    let _ = allowed(decide(&open, &[close(STRANGER)]));
    let mut closed = default();
    closed.rules.push(named(Effect::Deny, programs::TOKEN));
    assert_eq!(codes(&decide_own(&closed, &[close(PAYER)])), ["denied"]);
    let mut no_creation = default();
    no_creation
        .rules
        .push(named(Effect::Deny, programs::ASSOCIATED_TOKEN));
    assert_eq!(codes(&decide_own(&no_creation, &[create])), ["denied"]);
    // A rule by program and destination meant transfers, and means no closing.
    let mut narrow = without_names();
    let mut to_stranger = rule("to", Effect::Allow, &[]);
    to_stranger.matches.programs = vec![programs::TOKEN.into()];
    to_stranger.matches.destinations = vec![STRANGER.into()];
    narrow.rules.push(to_stranger);
    assert_eq!(
        codes(&decide_own(&narrow, &[close(STRANGER)])),
        ["unruled-operation"]
    );
    // One without conditions allows none of them.
    let mut everything = without_names();
    everything.rules.push(rule("all", Effect::Allow, &[]));
    assert_eq!(
        codes(&decide_own(&everything, &[close(PAYER)])),
        ["unruled-operation"]
    );
}

#[test]
fn creations_count_with_the_sol_they_come_along_with() {
    let create = |token_program| create_associated_account(PAYER, STRANGER, token_program, MINT);
    let [first, second] = [programs::TOKEN, programs::TOKEN_2022].map(create);
    let rent = 3_000_000;
    let within = [pay(2 * SOL - 2 * rent), first.clone(), second.clone()];
    let approval = allowed(decide(&default(), &within));
    assert_eq!(approval.spends(), [spend(2 * SOL)]);
    assert_eq!(approval.rules(), ["sol-transfers"]);
    let over = [pay(2 * SOL - 2 * rent + 1), first.clone(), second];
    assert_eq!(codes(&decide(&default(), &over)), ["over-limit"]);
    assert_eq!(
        codes(&decide(&default(), &[pay(SOL), create_nonce(SOL + 1)])),
        ["over-limit"]
    );
    // Of another program than the two, nobody knows what it would be.
    assert_eq!(
        codes(&decide(&default(), &[create(STRANGER)])),
        ["unknown-program"]
    );
    // Windows count them too.
    let policy = windowed(&[(HOUR_MS, 2_999_999)]);
    let mut policy = policy;
    policy.rules[0].matches.operations = vec![OperationKind::CreateTokenAccount];
    let facts = |amount| Facts {
        spent: vec![WindowSpend {
            window: policy.windows()[0],
            amount,
        }],
        ..Facts::default()
    };
    let intent = intent(&[first]);
    let request = Request::Transaction {
        wallet: &PAYER,
        intent: &intent,
    };
    assert_eq!(codes(&evaluate(&policy, &request, &facts(0))), ["over-window"]);
}

#[test]
fn a_beneficiary_limits_transfers_and_only_allows() {
    let mut inward = rule("inward", Effect::Allow, &[OperationKind::SolTransfer]);
    inward.matches.beneficiary = Some(Beneficiary::OwnWallet);
    let policy = Policy {
        version: 1,
        rules: vec![inward.clone()],
    };
    let _ = allowed(decide_own(&policy, &[pay_to(OTHER, 1)]));
    assert_eq!(
        codes(&decide_own(&policy, &[pay_to(STRANGER, 1)])),
        ["not-allowed"]
    );
    // The owner of a token account is not in a transfer of tokens.
    inward.matches.operations = vec![OperationKind::TokenTransfer];
    let tokens_too = Policy {
        version: 1,
        rules: vec![inward.clone()],
    };
    assert_eq!(
        codes(&decide_own(&tokens_too, &[tokens(MINT, 1, 0)])),
        ["not-allowed"]
    );
    inward.effect = Effect::Deny;
    let deny = Policy {
        version: 1,
        rules: vec![inward],
    };
    assert_eq!(
        deny.check(),
        Err(PolicyError::PointlessBeneficiary("inward".into()))
    );
    let json = default().to_json().unwrap();
    assert!(json.contains(r#""beneficiary": "own-wallet""#));
    assert_eq!(Policy::from_json(&json).unwrap(), default());
}

#[test]
fn only_those_are_asked_about_whom_a_rule_asks_about() {
    let instructions = [
        pay_to(STRANGER, 1),
        close_token_account(programs::TOKEN, ACCOUNT, OTHER, PAYER),
    ];
    let intent = intent(&instructions);
    let mut expected = vec![PAYER, OTHER];
    expected.sort();
    assert_eq!(default().parties(&intent), expected);
    assert!(without_names().parties(&intent).is_empty());
}
