//! The audit log over time: every look at it is in it, what is kept no longer is redacted, and others can check it.

use keyward_core::audit::{AuditProof, Frontier, Operation, Outcome, SignedCheckpoint};
use keyward_custody::{
    AuditQuery, AuditReport, AuditRow, Custody, CustodyError, DeriveRequest, Progress, RedactReport,
};

use crate::fixture::{Fixture, START_MS, first, password, transfer};

const DAY_MS: u64 = 86_400_000;

fn of(operation: Operation) -> AuditQuery {
    AuditQuery {
        operation: Some(operation),
        ..AuditQuery::default()
    }
}

fn oldest_first() -> AuditQuery {
    AuditQuery {
        redacted: true,
        newest_first: false,
        limit: 1_000,
        ..AuditQuery::default()
    }
}

async fn intact(custody: &Custody) -> (u64, u64) {
    match custody.audit_verify(None).await.unwrap() {
        AuditReport::Intact {
            entries, redacted, ..
        } => (entries, redacted),
        AuditReport::Broken { sequence, reason } => panic!("entry {sequence}: {reason}"),
    }
}

async fn broken(custody: &Custody) -> (u64, String) {
    match custody.audit_verify(None).await.unwrap() {
        AuditReport::Broken { sequence, reason } => (sequence, reason),
        AuditReport::Intact { .. } => panic!("not noticed"),
    }
}

#[tokio::test]
async fn a_look_is_one_entry_however_many_pages_it_has() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let count = "SELECT COUNT(*) FROM audit_entries";
    let before = fixture.number(count).await;
    let filter = AuditQuery {
        limit: 1,
        ..of(Operation::DeriveWallets)
    };
    let look = custody.audit_reader(&filter).await.unwrap();
    for _ in 0..5 {
        assert!(look.covers(&filter));
        assert_eq!(look.entries(&filter).await.unwrap().total, 1);
    }
    let later = AuditQuery {
        before_sequence: Some(1),
        ..filter.clone()
    };
    assert!(look.covers(&later));
    assert!(look.entries(&later).await.unwrap().rows.is_empty());
    assert_eq!(fixture.number(count).await, before + 1);
    // Another filter is another look, and so is the same one of a locked vault.
    let error = look.entries(&of(Operation::Lock)).await.unwrap_err();
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error}");
    custody.lock().await;
    assert!(!look.covers(&filter));
    custody.audit_counts(&filter).await.unwrap();
    custody.audit_entries(&filter).await.unwrap();
    let (entries, _) = intact(&custody).await;
    assert_eq!(i64::try_from(entries), Ok(before + 4));
    let looks = custody.audit_entries(&of(Operation::ReadAudit)).await.unwrap();
    let said: Vec<_> = looks
        .rows
        .iter()
        .map(|row| (row.details.as_str(), row.reason.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("list: operation=derive-wallets", "locked"),
            ("count: operation=derive-wallets", "locked"),
            ("list: operation=derive-wallets", ""),
        ]
    );
    assert_eq!(
        custody.audit_entries(&of(Operation::Verify)).await.unwrap().total,
        1
    );
    // All of them hold when the vault is opened again.
    custody.unlock(&password(), None).await.unwrap();
    intact(&custody).await;
}

#[tokio::test]
async fn filters_by_time_and_failure_and_counts() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    fixture.clock.advance(DAY_MS + 1);
    custody
        .sign_transaction(transfer(2_000_000_000, 1))
        .await
        .unwrap_err();
    fixture.clock.advance(10_000);
    custody.sign_transaction(transfer(5, 2)).await.unwrap();
    let now = START_MS + DAY_MS + 10_001;
    let total = async |query: AuditQuery| custody.audit_entries(&query).await.unwrap().total;
    let last_day = AuditQuery::failures_of_the_last_day(now);
    assert_eq!(total(last_day).await, 1);
    assert_eq!(total(AuditQuery::failures_of_the_last_day(now + DAY_MS)).await, 0);
    let signing = of(Operation::SignTransaction);
    let between = |from: u64, until: u64| AuditQuery {
        from_ms: Some(from),
        until_ms: Some(until),
        ..signing.clone()
    };
    assert_eq!(total(between(START_MS, now)).await, 3);
    assert_eq!(total(between(now, now)).await, 2);
    assert_eq!(total(between(START_MS, now - 1)).await, 1);
    assert_eq!(total(between(now + 1, now + 2)).await, 0);
    assert_eq!(total(between(0, START_MS - 1)).await, 0);
    let of_owner = AuditQuery {
        owner: Some("nobody".to_owned()),
        ..AuditQuery::default()
    };
    assert_eq!(total(of_owner).await, 0);
    let counts = custody.audit_counts(&signing).await.unwrap();
    let counts: Vec<_> = counts.iter().map(|count| (count.outcome, count.count)).collect();
    assert_eq!(
        counts,
        [
            (Outcome::Authorised, 1),
            (Outcome::Refused, 1),
            (Outcome::Signed, 1)
        ]
    );
    let until = custody.audit_counts(&between(0, now - 1)).await.unwrap();
    assert_eq!((until.len(), until[0].count), (1, 1));
}

/// A log with logins and wallets of long ago, and the vault unlocked now.
async fn aged(fixture: &Fixture) -> Custody {
    let custody = fixture.vault(1).await;
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    for _ in 0..2 {
        custody.lock().await;
        custody.sign_transaction(transfer(6, 1)).await.unwrap_err();
        custody.unlock(&password(), None).await.unwrap();
    }
    fixture.clock.advance(91 * DAY_MS);
    custody
}

#[tokio::test]
async fn what_is_kept_no_longer_is_redacted_and_the_tree_stays() {
    let fixture = Fixture::new();
    let custody = aged(&fixture).await;
    let kept = custody.audit_checkpoint().await.unwrap();
    let report = custody.audit_redact().await.unwrap();
    // Two locks and two unlocks; the refusals are signing's.
    assert_eq!(
        report,
        RedactReport {
            redacted: 4,
            steps: 1
        }
    );
    let (entries, redacted) = intact(&custody).await;
    assert_eq!(redacted, 4);
    let against = custody.audit_verify(Some(&kept)).await.unwrap();
    assert!(
        matches!(against, AuditReport::Intact { redacted: 4, .. }),
        "{against:?}"
    );
    // Again at once: nothing, and no entry.
    assert_eq!(custody.audit_redact().await.unwrap(), RedactReport::default());
    assert_eq!(intact(&custody).await, (entries + 2, 4));

    // They are listed as what they are, and found by nothing that they no longer tell.
    let look = custody.audit_reader(&oldest_first()).await.unwrap();
    let rows = look.rows_then(&oldest_first()).await.unwrap();
    let gone: Vec<_> = rows
        .rows
        .iter()
        .filter(|row| matches!(row, AuditRow::Redacted { .. }))
        .collect();
    assert_eq!((gone.len() as u64, rows.total), (4, look.opened_at()));
    let answer = custody.audit_entries(&of(Operation::RedactAudit)).await.unwrap();
    assert!(
        answer.rows[0].details.starts_with("4 entries from "),
        "{:?}",
        answer.rows[0]
    );
    assert_eq!(
        custody.audit_entries(&of(Operation::Unlock)).await.unwrap().total,
        0
    );
    let mut tree = Frontier::new();
    for row in &rows.rows {
        assert_eq!(row.sequence(), tree.size());
        tree.push(row.leaf_hash());
    }
    assert_eq!(tree.size(), look.opened_at());

    // After two years all that concerns wallets; what was signed never.
    fixture.clock.advance(731 * DAY_MS);
    assert!(custody.audit_redact().await.unwrap().redacted > 0);
    let left = custody
        .audit_entries(&of(Operation::SignTransaction))
        .await
        .unwrap();
    assert_eq!(left.total, 4);
    assert_eq!(
        custody
            .audit_entries(&of(Operation::DeriveWallets))
            .await
            .unwrap()
            .total,
        0
    );
    assert_eq!(
        custody
            .audit_entries(&of(Operation::CreateVault))
            .await
            .unwrap()
            .total,
        1
    );
    assert_eq!(
        custody
            .audit_entries(&of(Operation::RedactAudit))
            .await
            .unwrap()
            .total,
        2
    );
    intact(&custody).await;
    custody.lock().await;
    intact(&custody).await;
    assert!(matches!(custody.audit_redact().await, Err(CustodyError::Locked)));
}

#[tokio::test]
async fn a_row_redacted_by_hand_is_told_apart() {
    const EMPTY: &str = "recorded_at = 0, actor = '', operation = '', wallet = NULL, outcome = '', reason = '', \
                         subject = NULL, details = '', head_signature = NULL, client_address = NULL, \
                         client_fingerprint = NULL";
    let fixture = Fixture::new();
    let custody = aged(&fixture).await;
    custody.audit_redact().await.unwrap();
    intact(&custody).await;
    let redacted = "(SELECT MIN(sequence) FROM audit_entries WHERE redacted_by IS NOT NULL)";
    let by = "(SELECT MAX(redacted_by) FROM audit_entries)";
    let first_redacted = u64::try_from(fixture.number(&format!("SELECT {redacted}")).await).unwrap();
    fixture
        .sql("CREATE TABLE kept AS SELECT * FROM audit_entries")
        .await;
    for (change, expected) in [
        // Emptied, with nobody or somebody else to answer for it, or with the entry that answers for others.
        (
            format!("UPDATE audit_entries SET {EMPTY}, redacted_by = 4 WHERE sequence = 2"),
            2,
        ),
        (
            format!("UPDATE audit_entries SET {EMPTY}, redacted_by = 1000000 WHERE sequence = 2"),
            2,
        ),
        (
            format!("UPDATE audit_entries SET {EMPTY}, redacted_by = {by} WHERE sequence = 2"),
            2,
        ),
        (format!("UPDATE audit_entries SET {EMPTY} WHERE sequence = 2"), 2),
        // A redacted one answered for by another, with another leaf, or with something in it again.
        (
            format!("UPDATE audit_entries SET redacted_by = redacted_by - 1 WHERE sequence = {redacted}"),
            first_redacted,
        ),
        (
            format!("UPDATE audit_entries SET redacted_by = NULL WHERE sequence = {redacted}"),
            first_redacted,
        ),
        (
            format!("UPDATE audit_entries SET details = 'x' WHERE sequence = {redacted}"),
            first_redacted,
        ),
        (
            format!("UPDATE audit_entries SET recorded_at = 1 WHERE sequence = {redacted}"),
            first_redacted,
        ),
        (
            format!(
                "UPDATE audit_entries SET leaf_hash = (SELECT leaf_hash FROM kept WHERE sequence = 1) \
                 WHERE sequence = {redacted}"
            ),
            first_redacted,
        ),
        (
            format!("DELETE FROM audit_entries WHERE sequence = {redacted}"),
            first_redacted,
        ),
    ] {
        assert_eq!(fixture.sql(&change).await, 1, "{change}");
        let (found, reason) = broken(&custody).await;
        assert_eq!(found, expected, "{change}: {reason}");
        fixture.sql("DELETE FROM audit_entries").await;
        fixture.sql("INSERT INTO audit_entries SELECT * FROM kept").await;
    }
    intact(&custody).await;
}

#[tokio::test]
async fn a_changed_entry_is_not_redacted_on_the_word_of_its_change() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    fixture.clock.advance(91 * DAY_MS);
    fixture
        .sql("UPDATE audit_entries SET operation = 'unlock' WHERE operation = 'sign-transaction' AND outcome = 'signed'")
        .await;
    let error = custody.audit_redact().await.unwrap_err();
    assert!(matches!(error, CustodyError::AuditBroken { .. }), "{error}");
    let gone = "SELECT COUNT(*) FROM audit_entries WHERE redacted_by IS NOT NULL";
    assert_eq!(fixture.number(gone).await, 0);
}

#[tokio::test]
async fn proofs_hold_for_those_who_have_checkpoints_alone() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let old = custody.audit_checkpoint().await.unwrap();
    for _ in 0..5 {
        let request = DeriveRequest {
            start: None,
            count: 1,
            ..DeriveRequest::default()
        };
        custody.derive_wallets(request, &Progress::new()).await.unwrap();
    }
    custody.set_label(first(), "till").await.unwrap();
    let new = custody.audit_checkpoint().await.unwrap();
    custody.lock().await;
    let (from, to) = (old.unverified().clone(), new.unverified().clone());
    let growth = custody.audit_prove_growth(&old, &new).await.unwrap();
    growth.check_consistency(&from, &to).unwrap();
    assert_eq!(growth.to_string().parse::<AuditProof>(), Ok(growth));
    for sequence in 0..to.size {
        let proof = custody.audit_prove_entry(sequence, &new).await.unwrap();
        assert_eq!(proof.check_inclusion(&to).unwrap().0, sequence);
    }
    let turned = custody.audit_prove_growth(&new, &old).await.unwrap_err();
    assert!(matches!(turned, CustodyError::Invalid { .. }), "{turned}");
    let beyond = custody.audit_prove_entry(to.size, &new).await.unwrap_err();
    assert!(matches!(beyond, CustodyError::Invalid { .. }), "{beyond}");
    let foreign = Fixture::new().vault(0).await.audit_checkpoint().await.unwrap();
    let error = custody.audit_prove_growth(&old, &foreign).await.unwrap_err();
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error}");
    // A log that is not what it was proves nothing.
    fixture
        .sql("UPDATE audit_entries SET leaf_hash = (SELECT leaf_hash FROM audit_entries WHERE sequence = 0) WHERE sequence = 1")
        .await;
    for error in [
        custody.audit_prove_growth(&old, &new).await.unwrap_err(),
        custody.audit_prove_entry(0, &new).await.unwrap_err(),
    ] {
        assert!(matches!(error, CustodyError::AuditBroken { .. }), "{error}");
    }
}

#[tokio::test]
async fn an_export_is_the_tree_of_its_checkpoint() {
    let fixture = Fixture::new();
    let custody = aged(&fixture).await;
    custody.audit_redact().await.unwrap();
    let mut export = custody.audit_export(&AuditQuery::default()).await.unwrap();
    let checkpoint: SignedCheckpoint = export.checkpoint().to_string().parse().unwrap();
    let mut tree = Frontier::new();
    while let Some(rows) = export.next_rows().await.unwrap() {
        for row in rows {
            tree.push(row.leaf_hash());
        }
    }
    let said = checkpoint.unverified();
    assert_eq!((said.size, said.root), (tree.size(), tree.root()));
    fixture
        .sql("UPDATE audit_entries SET details = 'nothing' WHERE sequence = 1")
        .await;
    let mut export = custody.audit_export(&AuditQuery::default()).await.unwrap();
    let error = export.next_rows().await.unwrap_err();
    assert!(
        matches!(error, CustodyError::AuditBroken { sequence: 1, .. }),
        "{error}"
    );
    custody.lock().await;
    let error = custody.audit_export(&AuditQuery::default()).await.unwrap_err();
    assert!(matches!(error, CustodyError::Locked), "{error}");
}
