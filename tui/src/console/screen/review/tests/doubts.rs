//! What is asked before a signature: lookalikes, failing simulations, changes of who may decide; and tokens.

use keyward_core::address::Address;
use keyward_core::amount::TokenUnits;
use keyward_core::solana::associated_token_account;
use keyward_core::solana::instructions::{TokenPayment, create_associated_account, token_transfer};
use keyward_core::solana::token::TokenProgram;
use keyward_custody::FeePrice;
use keyward_custody::changes::{Control, ControlChange, TokenBalanceChange};
use keyward_custody::lookalike::Resemblance;
use keyward_custody::transfer::TransferAmount;

use super::*;

const RENT: u64 = 2_039_280;

/// Presses the key that signs and answers each question; gives what was submitted after the last one only.
fn answered(state: &mut State, answers: &[&str]) -> Option<TransferPlan> {
    assert!(
        submitted(&press(state, KeyCode::Char('y'))).is_none(),
        "one key is not enough"
    );
    let mut last = None;
    for (at, answer) in answers.iter().enumerate() {
        // Enter alone does nothing at any step.
        assert!(submitted(&press(state, KeyCode::Enter)).is_none(), "{answer}");
        type_text(state, answer);
        let effects = press(state, KeyCode::Enter);
        last = submitted(&effects).map(|(_, plan)| plan.clone());
        assert_eq!(last.is_some(), at + 1 == answers.len(), "{answer}");
    }
    last
}

fn resembling() -> Prepared {
    let mut prepared = stranger();
    prepared.plan.warnings.clear();
    let mut bytes = wallet(1).solana().unwrap().to_bytes();
    bytes[15] ^= 1;
    let known = Known {
        address: Address::new(bytes),
        label: "corner shop".into(),
        known_as: KnownAs::Contact,
        uses: 3,
    };
    prepared.plan.details.lookalikes = vec![Resemblance {
        known,
        head: 8,
        tail: 6,
        bits: 60,
    }];
    prepared
}

fn failing() -> Prepared {
    let mut failing = prepared();
    failing.plan.simulation_error = Some("the account has not enough SOL".into());
    failing.plan.changes.clear();
    failing
}

/// 12.5 of a token with two decimals, to a stranger whose account is made.
fn of_token() -> Prepared {
    let mut prepared = stranger();
    let (from, to) = (*wallet(0).solana().unwrap(), *wallet(1).solana().unwrap());
    let (mint, program) = (*wallet(77).solana().unwrap(), TokenProgram::Token.address());
    let account = |owner: &Address| associated_token_account(owner, &program, &mint);
    let units = TokenUnits {
        amount: 1_250,
        decimals: 2,
    };
    let payment = TokenPayment {
        program,
        source: account(&from),
        mint,
        destination: account(&to),
        authority: from,
        amount: units.amount,
        decimals: units.decimals,
    };
    let message = compile_message(
        MessageVersion::Legacy,
        from,
        &[
            instructions::compute_unit_limit(30_000),
            create_associated_account(from, to, program, mint),
            token_transfer(&payment),
        ],
        Blockhash::new([9; 32]),
    )
    .unwrap();
    let plan = &mut prepared.plan;
    plan.request.amount = TransferAmount::Token { mint, units };
    plan.request.fee = "p75:20000".parse().unwrap();
    plan.intent = Intent::from_message(&message);
    plan.transaction = Transaction::unsigned(message).encode();
    plan.compute_unit_limit = 30_000;
    plan.priority_fee = Lamports::new(132);
    plan.warnings = vec![
        "the recipient has no account for this token yet: it is created, and the sender pays its rent".into(),
    ];
    let sol = Lamports::new;
    plan.changes = vec![
        BalanceChange {
            address: from,
            before: sol(1_000_000_000),
            after: sol(1_000_000_000 - RENT - 5_132),
        },
        BalanceChange {
            address: account(&to),
            before: sol(0),
            after: sol(RENT),
        },
    ];
    let moved = |owner: Address, before: u64, after: u64| TokenBalanceChange {
        account: account(&owner),
        mint,
        owner,
        before,
        after,
    };
    let made = |control: Control, after: &Address| ControlChange {
        account: account(&to),
        control,
        before: None,
        after: Some(after.to_string()),
    };
    let details = &mut plan.details;
    details.creates_account = true;
    details.price = Some(FeePrice {
        micro_lamports: 4_400,
        capped: false,
    });
    details.changes.sol.clone_from(&plan.changes);
    details.changes.tokens = vec![moved(from, 100_000, 98_750), moved(to, 0, 1_250)];
    details.changes.control = vec![made(Control::Program, &program), made(Control::TokenOwner, &to)];
    prepared
}

#[test]
fn a_lookalike_is_compared_by_hand_before_the_amount_is_typed() {
    let mut state = reviewing(resembling());
    let plan = answered(&mut state, &["different", "1.5"]).unwrap();
    assert_eq!(plan.details.lookalikes.len(), 1);
    // The amount alone, another word, or going on after Esc: nothing.
    for wrong in ["1.5", "yes", "same"] {
        let mut state = reviewing(resembling());
        press(&mut state, KeyCode::Char('y'));
        type_text(&mut state, wrong);
        assert!(submitted(&press(&mut state, KeyCode::Enter)).is_none());
        assert!(
            screen(&mut state, 80, 24).contains("type different, or Esc"),
            "{wrong}"
        );
    }
    let mut state = reviewing(resembling());
    press(&mut state, KeyCode::Char('y'));
    type_text(&mut state, "different");
    press(&mut state, KeyCode::Enter);
    press(&mut state, KeyCode::Esc);
    assert!(matches!(state.screen, Screen::Review(_)));
    // From the beginning.
    press(&mut state, KeyCode::Char('y'));
    type_text(&mut state, "1.5");
    assert!(submitted(&press(&mut state, KeyCode::Enter)).is_none());
}

#[test]
fn what_would_fail_takes_two_steps_and_is_sent_as_decided() {
    let mut state = reviewing(failing());
    let plan = answered(&mut state, &["anyway", "1.5"]).unwrap();
    assert_eq!(
        format!("{:?}", plan.details),
        format!("{:?}", failing().plan.send_anyway().details),
        "the decision goes with it"
    );
    let mut both = resembling();
    both.plan.simulation_error = Some("no".into());
    assert!(answered(&mut reviewing(both), &["different", "anyway", "1.5"]).is_some());
}

#[test]
fn what_nobody_could_estimate_takes_two_steps() {
    let mut unknown = prepared();
    unknown.plan.changes.clear();
    let mut state = reviewing(unknown);
    assert!(screen(&mut state, 80, 24).contains("? the node did not say"));
    assert!(answered(&mut state, &["anyway", "1.5"]).is_some());
}

#[test]
fn a_change_of_who_decides_is_told_and_asks_for_the_amount_even_between_own_wallets() {
    let (from, thief) = (*wallet(0).solana().unwrap(), *wallet(50).solana().unwrap());
    for (control, after) in [
        (Control::Program, thief.to_string()),
        (Control::Delegate, format!("{thief} (5 units)")),
        (Control::TokenOwner, thief.to_string()),
        (Control::CloseAuthority, thief.to_string()),
    ] {
        let mut owned = prepared();
        owned.plan.details.changes.control = vec![ControlChange {
            account: from,
            control,
            before: None,
            after: Some(after),
        }];
        let mut state = reviewing(owned);
        let text = screen(&mut state, 120, 40);
        assert!(
            text.contains(control.as_str()) && text.contains(&thief.to_string()),
            "{text}"
        );
        assert!(answered(&mut state, &["1.5"]).is_some(), "{control:?}");
    }
    let mut unseen = prepared();
    unseen.plan.details.changes.unwatched = 2;
    assert!(answered(&mut reviewing(unseen), &["1.5"]).is_some());
}

#[test]
fn the_account_that_is_made_for_the_recipient_is_no_doubt_but_anybody_else_s_is() {
    let mut own = of_token();
    own.recipient = Some(wallet(1));
    let mut state = reviewing(own.clone());
    assert!(submitted(&press(&mut state, KeyCode::Char('y'))).is_some());
    let thief = wallet(50).address.to_string();
    own.plan.details.changes.control[1].after = Some(thief);
    assert!(answered(&mut reviewing(own), &["12.5"]).is_some());
    // Another token that moves, too.
    let mut other = of_token();
    other.recipient = Some(wallet(1));
    other.plan.details.changes.tokens[0].mint = *wallet(60).solana().unwrap();
    assert!(answered(&mut reviewing(other), &["12.5"]).is_some());
}

#[test]
fn a_token_s_amount_is_typed_in_its_own_decimals() {
    let mut state = reviewing(of_token());
    press(&mut state, KeyCode::Char('y'));
    type_text(&mut state, "12.500");
    assert!(submitted(&press(&mut state, KeyCode::Enter)).is_none());
    press(&mut state, KeyCode::Backspace);
    let effects = press(&mut state, KeyCode::Enter);
    let (_, plan) = submitted(&effects).unwrap();
    assert_eq!(plan.request.amount, of_token().plan.request.amount);
}

#[test]
fn preparing_again_asks_for_the_same() {
    let mut state = reviewing(of_token());
    press(&mut state, KeyCode::Char('y'));
    press(&mut state, KeyCode::Esc);
    let effects = press(&mut state, KeyCode::Char('r'));
    let draft = effects.iter().find_map(|effect| match effect {
        Effect::Start {
            work: Work::Send(SendWork::Prepare(draft)),
            ..
        } => Some(draft),
        _ => None,
    });
    let (draft, request) = (draft.unwrap(), of_token().plan.request);
    assert_eq!(draft.amount, Wish::Exactly(request.amount));
    assert_eq!((draft.fee, draft.to), (request.fee, request.to));
}

#[test]
fn who_the_recipient_is_to_us_is_told() {
    let check = |known: Option<(KnownAs, u64)>, expected: &str| {
        let mut prepared = stranger();
        prepared.known = known.map(|(known_as, uses)| Known {
            address: prepared.plan.request.to,
            label: "corner shop".into(),
            known_as,
            uses,
        });
        let text = screen(&mut reviewing(prepared), 80, 24);
        assert!(text.contains(expected), "{expected}: {text}");
    };
    check(None, "new · neither yours nor in the address book, never paid");
    check(Some((KnownAs::PastRecipient, 12)), "known · paid 12 times");
    check(
        Some((KnownAs::Contact, 1)),
        "known · in the address book · paid once",
    );
    check(
        Some((KnownAs::Contact, 0)),
        "known · in the address book · never paid",
    );
    check(
        Some((KnownAs::OwnWallet, 9)),
        "known · yours · never paid from this wallet",
    );
}

#[test]
fn doubts_as_they_look() {
    for (name, prepared) in [
        ("lookalike", resembling()),
        ("fails", failing()),
        ("token", of_token()),
    ] {
        let mut state = reviewing(prepared);
        snapshot(&format!("review_{name}_80x24"), &screen(&mut state, 80, 24));
        snapshot(&format!("review_{name}_120x40"), &screen(&mut state, 120, 40));
    }
    let mut state = reviewing(resembling());
    press(&mut state, KeyCode::Char('y'));
    snapshot("review_compare_80x24", &screen(&mut state, 80, 24));
    let mut taken = of_token();
    taken.plan.details.changes.control.push(ControlChange {
        account: *wallet(0).solana().unwrap(),
        control: Control::Delegate,
        before: None,
        after: Some(format!("{} (98750 units)", wallet(50).address)),
    });
    snapshot("review_delegate_120x40", &screen(&mut reviewing(taken), 120, 40));
}
