#![allow(clippy::unwrap_used, reason = "tests")]

use keyward_core::address::Blockhash;

use super::super::NonceUse;
use super::super::exactly::makes;
use super::super::offline::durable_nonce;
use super::*;
use crate::chain::Blockhashes;

const FROM: Address = Address::new([1; 32]);
const TO: Address = Address::new([2; 32]);

fn account(lamports: u64) -> Option<AccountInfo> {
    (lamports > 0).then(|| AccountInfo {
        lamports: Lamports::new(lamports),
        owner: SYSTEM_PROGRAM,
        data_len: 0,
        executable: false,
    })
}

fn funds(sender: u64, recipient: u64) -> Funds {
    let minimum = Lamports::new(1_000);
    Funds {
        sender: account(sender),
        recipient: account(recipient),
        sender_minimum: minimum,
        recipient_minimum: minimum,
    }
}

/// Fee 50, priority fee 5, minimum 1,000.
fn verdict(sender: u64, recipient: u64, amount: u64) -> String {
    let request = TransferRequest::new(FROM, TO, Lamports::new(amount));
    match check_funds(
        &request,
        &Payment::Sol(Lamports::new(amount)),
        &funds(sender, recipient),
        Lamports::new(50),
        Lamports::new(5),
    ) {
        Ok(()) => "ok".into(),
        Err(TransferError::InsufficientFunds { short, most, .. }) => {
            format!("short {} most {}", short.get(), most.get())
        }
        Err(TransferError::SenderBelowRent { remaining, most, .. }) => {
            format!("left {} most {}", remaining.get(), most.get())
        }
        Err(TransferError::RecipientBelowRent { after, .. }) => format!("after {}", after.get()),
        Err(other) => other.to_string(),
    }
}

#[test]
fn balances_decide_before_anything_is_signed() {
    let check = |sender, recipient, amount, expected: &str| {
        assert_eq!(
            verdict(sender, recipient, amount),
            expected,
            "{sender} {recipient} {amount}"
        );
    };
    check(10_000, 5_000, 2_000, "ok");
    check(0, 5_000, 2_000, "short 2055 most 0");
    check(2_054, 5_000, 2_000, "short 1 most 1999");
    check(2_055, 5_000, 2_000, "ok");
    check(2_056, 5_000, 2_000, "left 1 most 2001");
    check(3_054, 5_000, 2_000, "left 999 most 2999");
    check(3_055, 5_000, 2_000, "ok");
    check(10_000, 0, 999, "after 999");
    check(10_000, 0, 1_000, "ok");
    check(10_000, 1, 998, "after 999");
    check(10_000, 1, 999, "ok");
    check(900, 5_000, 100, "ok");
    check(
        u64::MAX,
        5_000,
        u64::MAX,
        "the transaction cannot be built: amount and fees exceed 2^64 lamports",
    );
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let request = |to, amount| TransferRequest::new(FROM, to, Lamports::new(amount));
    assert!(matches!(
        check_request(&request(FROM, 1)),
        Err(TransferError::SameAccount)
    ));
    assert!(matches!(
        check_request(&request(TO, 0)),
        Err(TransferError::ZeroAmount)
    ));
    let long = TransferRequest {
        memo: Some("x".repeat(MAX_MEMO_BYTES + 1)),
        ..request(TO, 1)
    };
    assert!(matches!(
        check_request(&long),
        Err(TransferError::MemoTooLong { .. })
    ));
    assert!(check_request(&request(TO, 1)).is_ok());
}

#[test]
fn the_limit_leaves_a_margin_and_never_exceeds_the_network_s() {
    assert_eq!(limit_for(450), 595);
    assert_eq!(limit_for(0), 100);
    assert_eq!(limit_for(u64::MAX), GENEROUS_UNITS);
}

#[test]
fn the_message_is_what_was_asked_for() {
    let mut request = TransferRequest::new(FROM, TO, Lamports::new(7));
    request.memo = Some("rent".into());
    let recent = Blockhashes {
        blockhash: Blockhash::new([3; 32]),
        last_valid_block_height: 9,
        slot: 1,
        age_ms: 0,
    };
    let held = NonceUse {
        account: Address::new([4; 32]),
        value: Blockhash::new([5; 32]),
    };
    for lifetime in [
        Lifetime::Recent(recent),
        Lifetime::Nonce {
            held,
            recent,
            height: 2,
        },
    ] {
        let draft = Draft {
            request: &request,
            payment: &Payment::Sol(Lamports::new(7)),
            lifetime: &lifetime,
        };
        let message = draft.build(600, Some(9)).unwrap();
        let intent = Intent::from_message(&message);
        assert_eq!(intent.compute_unit_limit, Some(600));
        assert_eq!(intent.compute_unit_price_micro_lamports, Some(9));
        assert_eq!(intent.sol_total(), Some(Lamports::new(7)));
        assert_eq!(intent.fee_payer, FROM);
        assert!(makes(&message, &request));
        assert_eq!(durable_nonce(&message), lifetime.nonce());
        assert_eq!(message.recent_blockhash, lifetime.blockhash());
        for other in [
            TransferRequest::new(FROM, TO, Lamports::new(8)),
            TransferRequest::new(FROM, FROM, Lamports::new(7)),
            TransferRequest::new(TO, TO, Lamports::new(7)),
        ] {
            assert!(!makes(&message, &other), "{other:?}");
        }
    }
}
