//! The signing service: what it signs, what it refuses and how the refusal is written down.

use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_core::audit::{AuditEntry, Operation, Outcome};
use keyward_core::ed25519::verify;
use keyward_core::policy::Policy;
use keyward_core::solana::{AccountMeta, Instruction, Transaction, instructions};
use keyward_custody::{
    AuditQuery, AuditReport, Custody, CustodyError, Password, PreviewDecision, SignError, SignRequest,
    SigningStep, WalletPasswords, WalletQuery,
};

use crate::fixture::{Fixture, NETWORK, first, recipient, transaction, transfer, transfer_from};

async fn newest(custody: &Custody) -> AuditEntry {
    let query = AuditQuery {
        limit: 1,
        ..AuditQuery::default()
    };
    custody.audit_entries(&query).await.unwrap().rows.remove(0)
}

fn request(instructions: &[Instruction]) -> SignRequest {
    SignRequest::new(transaction(first(), instructions, 1), NETWORK)
}

#[tokio::test]
async fn a_transfer_is_signed_in_five_steps_and_written_down() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    let signed = custody.sign_transaction(transfer(400_000_000, 1)).await.unwrap();
    let decoded = Transaction::decode(&signed.bytes).unwrap();
    verify(&first(), &decoded.message_bytes(), &signed.signature).unwrap();
    assert_eq!(signed.wallets, [first()]);
    assert!(decoded.is_fully_signed());
    use SigningStep::{Authorised, Checked, Evaluated, KeyUsed, Recorded};
    assert_eq!(
        *fixture.steps.seen.lock().unwrap(),
        [Checked, Evaluated, Authorised, KeyUsed, Recorded]
    );

    let query = AuditQuery {
        operation: Some(Operation::SignTransaction),
        ..AuditQuery::default()
    };
    let entries = custody.audit_entries(&query).await.unwrap();
    let outcomes: Vec<_> = entries.rows.iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes, [Outcome::Signed, Outcome::Authorised]);
    assert!(
        entries
            .rows
            .iter()
            .all(|row| row.wallet == Some(first().into()) && row.actor == "tester")
    );
    assert_eq!(entries.rows[0].subject, entries.rows[1].subject);
    assert!(
        entries.rows[1].details.contains("0.4"),
        "{}",
        entries.rows[1].details
    );
    assert_eq!(
        fixture.number("SELECT amount_low FROM spend_reservations").await,
        400_000_000
    );
    assert_eq!(
        custody.wallet("#0").await.unwrap().last_used_ms,
        Some(crate::fixture::START_MS)
    );
    assert_eq!(custody.wallet("#1").await.unwrap().last_used_ms, None);
}

#[tokio::test]
async fn the_same_request_again_gives_the_same_signature_and_spends_nothing_more() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let once = custody.sign_transaction(transfer(9, 1)).await.unwrap();
    let entries = fixture.number("SELECT COUNT(*) FROM audit_entries").await;
    let twice = custody.sign_transaction(transfer(9, 1)).await.unwrap();
    assert_eq!((&once.bytes, once.signature), (&twice.bytes, twice.signature));
    assert_eq!(
        fixture.number("SELECT COUNT(*) FROM audit_entries").await,
        entries
    );
    assert_eq!(fixture.number("SELECT COUNT(*) FROM spend_reservations").await, 1);
    // Another network is another intent.
    let elsewhere = SignRequest {
        network: "elsewhere".to_owned(),
        ..transfer(9, 1)
    };
    custody.sign_transaction(elsewhere).await.unwrap();
    assert_eq!(fixture.number("SELECT COUNT(*) FROM spend_reservations").await, 2);
}

#[tokio::test]
async fn several_wallets_of_the_vault_sign_one_transaction_that_spends_once() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    let second = *custody.wallet("#1").await.unwrap().solana().unwrap();
    let instructions = [
        instructions::sol_transfer(first(), recipient(), Lamports::new(10)),
        instructions::sol_transfer(second, recipient(), Lamports::new(20)),
    ];
    let signed = custody.sign_transaction(request(&instructions)).await.unwrap();
    assert_eq!(signed.wallets, [first(), second]);
    assert!(Transaction::decode(&signed.bytes).unwrap().is_fully_signed());
    assert_eq!(
        fixture
            .number("SELECT SUM(amount_low) FROM spend_reservations")
            .await,
        30
    );
    assert_eq!(
        fixture
            .number("SELECT COUNT(*) FROM intents WHERE state = 'signed'")
            .await,
        2
    );
    assert_eq!(
        custody
            .sign_transaction(request(&instructions))
            .await
            .unwrap()
            .bytes,
        signed.bytes
    );
}

#[tokio::test]
async fn a_foreign_signer_stays_unsigned() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let stranger = Address::new([9; 32]);
    let instruction = instructions::sol_transfer(first(), recipient(), Lamports::new(10));
    let bytes = transaction(stranger, &[instruction], 1);
    let request = SignRequest::new(bytes, NETWORK);
    let signed = custody.sign_transaction(request).await.unwrap();
    let decoded = Transaction::decode(&signed.bytes).unwrap();
    assert_eq!(
        (signed.signature, signed.wallets.as_slice()),
        (Signature::default(), &[first()][..])
    );
    assert!(!decoded.is_fully_signed() && !decoded.signatures[1].is_default());
}

/// Everything that must not be signed: what is asked for, the code of the refusal.
fn refusals() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = transfer(5, 1).transaction;
    let unknown = Instruction {
        program: Address::new([3; 32]),
        accounts: vec![AccountMeta {
            address: first(),
            is_signer: true,
            is_writable: true,
        }],
        data: vec![1, 2, 3],
    };
    let sol = |lamports| instructions::sol_transfer(first(), recipient(), Lamports::new(lamports));
    let priority = [instructions::compute_unit_price(100_000_000_000), sol(1)];
    let mut damaged = good.clone();
    // How many of the signers are read-only: more than there are.
    damaged[66] ^= 0xff;
    vec![
        ("nothing", Vec::new(), "undecodable"),
        ("garbage", vec![0xff; 200], "undecodable"),
        ("cut short", good[..good.len() - 1].to_vec(), "undecodable"),
        ("trailing bytes", [&good[..], &[0]].concat(), "undecodable"),
        ("damaged", damaged, "undecodable"),
        ("too long", vec![1; 5_000], "undecodable"),
        (
            "unknown program",
            transaction(first(), &[sol(1), unknown], 1),
            "unknown-program",
        ),
        (
            "over the limit",
            transfer(1_000_000_001, 1).transaction,
            "over-limit",
        ),
        (
            "over the limit in two pieces",
            transaction(first(), &[sol(600_000_000), sol(600_000_000)], 1),
            "over-limit",
        ),
        (
            "an endless amount",
            transaction(first(), &[sol(u64::MAX), sol(u64::MAX)], 1),
            "sum-overflow",
        ),
        (
            "too high a priority fee",
            transaction(first(), &priority, 1),
            "fee-cap",
        ),
        (
            "nobody's",
            transfer_from(Address::new([5; 32]), 1, 1).transaction,
            "no-signer",
        ),
    ]
}

#[tokio::test]
async fn what_must_not_be_signed_is_refused_with_its_reason_in_the_audit() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    for (name, bytes, code) in refusals() {
        let request = SignRequest::new(bytes, NETWORK);
        let before = fixture.number("SELECT COUNT(*) FROM audit_entries").await;
        let error = custody.sign_transaction(request).await.unwrap_err();
        assert_eq!(error.code(), code, "{name}: {error}");
        assert!(!error.to_string().is_empty() && !error.remedy().is_empty());
        assert_eq!(
            fixture.number("SELECT COUNT(*) FROM audit_entries").await,
            before + 1,
            "{name}"
        );
        let entry = newest(&custody).await;
        assert_eq!(
            (entry.operation, entry.outcome),
            (Operation::SignTransaction, Outcome::Refused),
            "{name}"
        );
        assert!(
            entry.reason.split(',').any(|one| one == code),
            "{name}: {}",
            entry.reason
        );
        assert!(entry.subject.is_some());
    }
    assert_eq!(fixture.number("SELECT COUNT(*) FROM intents").await, 0);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM spend_reservations").await, 0);
    assert!(
        fixture
            .steps
            .seen
            .lock()
            .unwrap()
            .iter()
            .all(|step| *step == SigningStep::Checked)
    );
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
}

#[tokio::test]
async fn a_locked_vault_refuses_and_writes_that_down() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    custody.lock().await;
    for request in [transfer(5, 1), SignRequest::new(vec![1], String::new())] {
        let error = custody.sign_transaction(request).await.unwrap_err();
        assert!(
            matches!(error, SignError::Custody(CustodyError::Locked)),
            "{error}"
        );
        let entry = newest(&custody).await;
        assert_eq!(
            (entry.outcome, entry.reason.as_str()),
            (Outcome::Refused, "locked")
        );
    }
    let error = custody.sign_message(&first(), b"hello").await.unwrap_err();
    assert_eq!(error.code(), "locked");
    assert_eq!(newest(&custody).await.operation, Operation::SignMessage);
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
    custody.unlock(&crate::fixture::password(), None).await.unwrap();
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
}

#[tokio::test]
async fn text_messages_are_signed_and_transactions_in_their_place_are_not() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let text = "Sign in to example.org, nonce 7".as_bytes();
    let signature = custody.sign_message(&first(), text).await.unwrap();
    verify(&first(), text, signature.as_ed25519().unwrap()).unwrap();
    assert_eq!(custody.sign_message(&first(), text).await.unwrap(), signature);

    let transaction = transfer(5, 1).transaction;
    let message = Transaction::decode(&transaction).unwrap().message_bytes();
    let check = async |wallet: Address, bytes: &[u8], code: &str| {
        let error = custody.sign_message(&wallet, bytes).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        let entry = newest(&custody).await;
        assert_eq!(
            (entry.operation, entry.outcome),
            (Operation::SignMessage, Outcome::Refused)
        );
        assert!(entry.reason.contains(code), "{}", entry.reason);
    };
    check(first(), &transaction, "looks-like-transaction").await;
    check(first(), &message, "looks-like-transaction").await;
    check(first(), &[0xff, 0xfe, 0x00], "not-text").await;
    check(first(), &vec![b'x'; 65_537], "invalid").await;
    check(recipient(), text, "no-signer").await;
    assert_eq!(fixture.number("SELECT COUNT(*) FROM intents").await, 1);
}

#[tokio::test]
async fn a_wallet_signs_a_hundred_times_a_minute_on_a_sliding_window() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    for lamports in 1..=100 {
        fixture.clock.advance(100);
        custody.sign_transaction(transfer(lamports, 1)).await.unwrap();
    }
    let error = custody.sign_transaction(transfer(500, 1)).await.unwrap_err();
    let SignError::RateLimited {
        limit: 100,
        retry_after_ms,
        ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(retry_after_ms, 60_000 - 9_900);
    assert_eq!(newest(&custody).await.reason, "rate-limited");
    // What was signed already is no new signature, and another wallet has a budget of its own.
    custody.sign_transaction(transfer(1, 1)).await.unwrap();
    let second = *custody.wallet("#1").await.unwrap().solana().unwrap();
    custody
        .sign_transaction(transfer_from(second, 1, 1))
        .await
        .unwrap();
    // It slides: after the first has left the window, exactly one more.
    fixture.clock.advance(retry_after_ms);
    custody.sign_transaction(transfer(500, 1)).await.unwrap();
    assert_eq!(
        custody
            .sign_transaction(transfer(501, 1))
            .await
            .unwrap_err()
            .code(),
        "rate-limited"
    );
}

#[tokio::test]
async fn a_clock_behind_the_last_entry_is_refused_and_the_log_stays_in_order() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    fixture.clock.set(crate::fixture::START_MS - 1);
    let error = custody.sign_transaction(transfer(5, 1)).await.unwrap_err();
    assert!(
        matches!(
            error,
            SignError::Custody(CustodyError::ClockBehind { behind_ms: 1 })
        ),
        "{error}"
    );
    let entry = newest(&custody).await;
    assert_eq!(
        (entry.reason.as_str(), entry.time_ms),
        ("clock-behind", crate::fixture::START_MS)
    );
    fixture.clock.set(crate::fixture::START_MS);
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
}

#[tokio::test]
async fn previews_say_what_signing_would_and_leave_no_trace() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let before = fixture.number("SELECT COUNT(*) FROM audit_entries").await;
    let preview = custody
        .preview(&transfer(5, 1).transaction, NETWORK)
        .await
        .unwrap();
    assert_eq!(preview.signers, [first()]);
    assert_eq!(
        preview.decision,
        PreviewDecision::Allowed {
            rules: vec!["sol-transfers".to_owned()]
        }
    );
    for (name, bytes, code) in refusals() {
        match custody.preview(&bytes, NETWORK).await {
            Ok(preview) => {
                let PreviewDecision::Refused { reasons } = preview.decision else {
                    panic!("{name}")
                };
                assert!(
                    reasons.iter().any(|reason| reason.code == code),
                    "{name}: {reasons:?}"
                );
            }
            Err(error) => assert_eq!(error.code(), code, "{name}"),
        }
    }
    custody.lock().await;
    custody
        .preview(&transfer(5, 1).transaction, NETWORK)
        .await
        .unwrap();
    assert_eq!(
        fixture.number("SELECT COUNT(*) FROM audit_entries").await,
        before + 1,
        "the lock alone"
    );
    assert_eq!(fixture.number("SELECT COUNT(*) FROM intents").await, 0);
}

#[tokio::test]
async fn a_policy_changed_in_the_file_is_not_obeyed() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    custody.close().await.unwrap();
    let loosened = "UPDATE policies SET body = replace(body, '1000000000', '9000000000')";
    assert_eq!(fixture.sql(loosened).await, 1);
    let custody = fixture.unlocked().await;
    let error = custody
        .sign_transaction(transfer(2_000_000_000, 1))
        .await
        .unwrap_err();
    assert!(
        matches!(error, SignError::Custody(CustodyError::Damaged { .. })),
        "{error}"
    );
    assert!(matches!(
        custody.policy().await,
        Err(CustodyError::Damaged { .. })
    ));
}

#[tokio::test]
async fn a_sealed_key_moved_to_another_wallet_does_not_sign() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    fixture.sql("UPDATE wallets SET (sealed, record_id) = (SELECT sealed, record_id FROM wallets WHERE derivation_index = 1) WHERE derivation_index = 0").await;
    let error = custody.sign_transaction(transfer(5, 1)).await.unwrap_err();
    assert!(matches!(error, SignError::Failed { .. }), "{error}");
    let entry = newest(&custody).await;
    assert_eq!(
        (entry.outcome, entry.reason.as_str()),
        (Outcome::Failed, "signing-failed")
    );
    assert_eq!(
        fixture
            .number("SELECT COUNT(*) FROM intents WHERE state = 'failed'")
            .await,
        1
    );
    assert_eq!(
        fixture.number("SELECT COUNT(*) FROM spend_reservations").await,
        1,
        "it stays spent"
    );
}

/// The fixture's process ends at this step of signing; what was asked for is left without a signature.
async fn end_after(fixture: &Fixture, custody: Custody, step: SigningStep, request: SignRequest) -> Custody {
    *fixture.steps.end_after.lock().unwrap() = Some(step);
    let task = tokio::spawn(async move { custody.sign_transaction(request).await.map(|_| ()) });
    assert!(task.await.unwrap_err().is_panic());
    *fixture.steps.end_after.lock().unwrap() = None;
    fixture.unlocked().await
}

#[tokio::test]
async fn what_was_never_finished_is_authorised_anew_under_its_one_reservation() {
    for step in [SigningStep::Authorised, SigningStep::KeyUsed] {
        let fixture = Fixture::new();
        let custody = fixture.vault(1).await;
        let mut custody = end_after(&fixture, custody, step, transfer(5, 1)).await;
        // Twice, so that it is left behind once more.
        for renewed in 1..=2 {
            fixture.clock.advance(86_400_000);
            custody = end_after(&fixture, custody, step, transfer(5, 1)).await;
            let now = crate::fixture::START_MS + renewed * 86_400_000;
            let row = format!(
                "SELECT COUNT(*) FROM spend_reservations JOIN intents USING (intent_hash) WHERE reserved_at = {now} \
                 AND authorised_at = {now} AND amount_low = 5 AND state = 'authorised' AND finished_at IS NULL"
            );
            assert_eq!(fixture.number(&row).await, 1, "{step:?}");
        }
        fixture.clock.advance(86_400_000);
        custody.sign_transaction(transfer(5, 1)).await.unwrap();
        let query = AuditQuery {
            operation: Some(Operation::SignTransaction),
            ..AuditQuery::default()
        };
        let entries = custody.audit_entries(&query).await.unwrap().rows;
        let outcomes: Vec<_> = entries.iter().map(|row| row.outcome).collect();
        use Outcome::{Authorised, Signed};
        assert_eq!(outcomes, [Signed, Authorised, Authorised, Authorised, Authorised]);
        assert_eq!(fixture.number("SELECT COUNT(*) FROM spend_reservations").await, 1);
        // Once signed it stays as it is, whenever it is asked for.
        let reserved = "SELECT MAX(reserved_at) FROM spend_reservations";
        let before = fixture.number(reserved).await;
        fixture.clock.advance(86_400_000);
        custody.sign_transaction(transfer(5, 1)).await.unwrap();
        assert_eq!(fixture.number(reserved).await, before);
        assert_eq!(custody.audit_entries(&query).await.unwrap().total, 5);
        let report = custody.audit_verify(None).await.unwrap();
        assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
    }
}

#[tokio::test]
async fn a_retry_is_held_to_the_rate_limit_and_counts_once_in_it() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let custody = end_after(&fixture, custody, SigningStep::Authorised, transfer(500, 1)).await;
    for lamports in 1..=99 {
        custody.sign_transaction(transfer(lamports, 1)).await.unwrap();
    }
    // It is itself the hundredth.
    let custody = end_after(&fixture, custody, SigningStep::Authorised, transfer(500, 1)).await;
    let code = async |lamports| {
        let signed = custody.sign_transaction(transfer(lamports, 1)).await;
        signed.map_or_else(|error| error.code(), |_| "signed")
    };
    assert_eq!(code(501).await, "rate-limited");
    fixture.clock.advance(60_000);
    for lamports in 101..=200 {
        assert_eq!(code(lamports).await, "signed");
    }
    assert_eq!(code(500).await, "rate-limited");
    assert_eq!(newest(&custody).await.reason, "rate-limited");
    fixture.clock.advance(60_000);
    assert_eq!(code(500).await, "signed");
}

#[tokio::test]
async fn what_several_wallets_sign_is_reserved_by_the_first_that_is_yet_to_sign() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    let second = *custody.wallet("#1").await.unwrap().solana().unwrap();
    let own = || Password::new("canary own wicker 5581".to_owned());
    custody.set_wallet_password(second, None, &own()).await.unwrap();
    let instructions = [
        instructions::sol_transfer(first(), recipient(), Lamports::new(10)),
        instructions::sol_transfer(second, recipient(), Lamports::new(20)),
    ];
    let sign = async |password: Password| {
        let passwords = WalletPasswords::of_one(second, password);
        let signed = custody
            .sign_transaction_with(request(&instructions), &passwords)
            .await;
        signed.map_or_else(|error| error.code(), |_| "signed")
    };
    // One of two has signed: nothing is spent before the other does.
    let wrong = Password::new("another one".to_owned());
    assert_eq!(sign(wrong).await, "wrong-wallet-password");
    let signed = "SELECT COUNT(*) FROM intents WHERE state = 'signed'";
    assert_eq!(fixture.number(signed).await, 1);
    fixture.clock.advance(3 * 86_400_000);
    assert_eq!(sign(own()).await, "signed");
    assert_eq!(fixture.number(signed).await, 2);
    let now = crate::fixture::START_MS + 3 * 86_400_000;
    let row = format!(
        "SELECT COUNT(*) FROM spend_reservations r JOIN intents i USING (intent_hash) JOIN wallets w \
         ON w.wallet_id = r.wallet_id WHERE reserved_at = {now} AND authorised_at = {now} AND amount_low = 30 \
         AND i.wallet_id = r.wallet_id AND w.address = '{second}'"
    );
    assert_eq!(fixture.number(&row).await, 1);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM spend_reservations").await, 1);
}

#[tokio::test]
async fn the_policy_shown_is_the_default_one() {
    let fixture = Fixture::new();
    let custody = fixture.vault(0).await;
    let expected = Policy::default_for(crate::fixture::new_vault().limits);
    assert_eq!(custody.policy().await.unwrap(), expected);
    custody.lock().await;
    assert_eq!(custody.policy().await.unwrap(), expected);
    assert_eq!(custody.wallets(&WalletQuery::default()).await.unwrap().total, 0);
}
