//! The audit log: every column of every row counts, and the first bad entry is named.

use keyward_core::audit::{Operation, Outcome, SignedCheckpoint};
use keyward_custody::{
    AuditQuery, AuditReport, ClientIdentity, Custody, CustodyError, OpenOptions, SignError,
};

use crate::fixture::{CLIENT_ADDRESS, Fixture, first, transfer};

/// A log with entries of every kind: signed and unsigned, with and without wallet and subject. Locked.
async fn written(fixture: &Fixture) -> Custody {
    let custody = fixture.vault(3).await;
    custody.set_label(&first(), "till").await.unwrap();
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    custody
        .sign_transaction(transfer(2_000_000_000, 1))
        .await
        .unwrap_err();
    custody.lock().await;
    custody.sign_transaction(transfer(6, 1)).await.unwrap_err();
    let wrong = keyward_custody::Password::new("not the password".to_owned());
    custody.unlock(&wrong, None).await.unwrap_err();
    custody.unlock(&crate::fixture::password(), None).await.unwrap();
    custody.sign_message(&first(), b"hello").await.unwrap();
    custody.lock().await;
    custody
}

const ENTRIES: i64 = 13;

async fn broken_at(custody: &Custody, name: &str) -> u64 {
    match custody.audit_verify(None).await.unwrap() {
        AuditReport::Broken { sequence, reason } => {
            assert!(!reason.is_empty());
            sequence
        }
        AuditReport::Intact { .. } => panic!("{name}: not noticed"),
    }
}

#[tokio::test]
async fn an_untouched_log_verifies_locked_and_unlocked() {
    let fixture = Fixture::new();
    let custody = written(&fixture).await;
    let locked = custody.audit_verify(None).await.unwrap();
    assert!(
        matches!(
            locked,
            AuditReport::Intact {
                entries: 13,
                checkpoints: 0,
                ..
            }
        ),
        "{locked:?}"
    );
    custody.unlock(&crate::fixture::password(), None).await.unwrap();
    let unlocked = custody.audit_verify(None).await.unwrap();
    assert!(
        matches!(unlocked, AuditReport::Intact { entries: 15, .. }),
        "{unlocked:?}"
    );
}

/// What one changed byte in each column looks like.
const CHANGES: &[(&str, &str)] = &[
    ("recorded_at", "recorded_at + 1"),
    ("actor", "actor || 'x'"),
    ("actor", "CAST(x'ff' || substr(CAST(actor AS BLOB), 2) AS TEXT)"),
    ("operation", "'unlocked'"),
    (
        "operation",
        "CASE operation WHEN 'lock' THEN 'unlock' ELSE 'lock' END",
    ),
    (
        "wallet",
        "CASE WHEN wallet IS NULL THEN 'HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk' ELSE NULL END",
    ),
    (
        "outcome",
        "CASE outcome WHEN 'done' THEN 'failed' ELSE 'done' END",
    ),
    ("reason", "reason || ' '"),
    (
        "subject",
        "CASE WHEN subject IS NULL THEN zeroblob(32) ELSE NULL END",
    ),
    (
        "subject",
        "CASE WHEN subject IS NULL THEN zeroblob(32) ELSE CAST(CASE substr(subject, 1, 1) WHEN x'00' THEN x'01' ELSE x'00' END || substr(subject, 2) AS BLOB) END",
    ),
    (
        "details",
        "CASE substr(details, 1, 1) WHEN '0' THEN '1' ELSE '0' END || substr(details, 2)",
    ),
    (
        "leaf_hash",
        "CAST(CASE substr(leaf_hash, 1, 1) WHEN x'00' THEN x'01' ELSE x'00' END || substr(leaf_hash, 2) AS BLOB)",
    ),
    (
        "head_signature",
        "CASE WHEN head_signature IS NULL THEN zeroblob(64) ELSE CAST(substr(head_signature, 1, 63) || CASE substr(head_signature, 64, 1) WHEN x'00' THEN x'01' ELSE x'00' END AS BLOB) END",
    ),
    (
        "head_signature",
        "CASE WHEN head_signature IS NULL THEN zeroblob(64) ELSE NULL END",
    ),
    (
        "client_address",
        "CASE WHEN client_address IS NULL THEN zeroblob(32) ELSE NULL END",
    ),
    (
        "client_fingerprint",
        "CASE WHEN client_fingerprint IS NULL THEN zeroblob(32) ELSE client_address END",
    ),
];

#[tokio::test]
async fn one_change_in_any_column_of_any_row_is_found_and_named() {
    let fixture = Fixture::new();
    let custody = written(&fixture).await;
    assert_eq!(
        fixture.number("SELECT COUNT(*) FROM audit_entries").await,
        ENTRIES
    );
    assert!(
        fixture
            .number("SELECT COUNT(*) FROM audit_entries WHERE head_signature IS NULL")
            .await
            >= 2
    );
    fixture
        .sql("CREATE TABLE kept AS SELECT * FROM audit_entries")
        .await;
    for sequence in 0..ENTRIES {
        for (column, change) in CHANGES {
            let update = format!("UPDATE audit_entries SET {column} = {change} WHERE sequence = {sequence}");
            assert_eq!(fixture.sql(&update).await, 1);
            let found = broken_at(&custody, &update).await;
            assert_eq!(i64::try_from(found), Ok(sequence), "{update}");
            let restore = format!(
                "UPDATE audit_entries SET {column} = (SELECT k.{column} FROM kept k WHERE k.sequence = {sequence}) \
                 WHERE sequence = {sequence}"
            );
            fixture.sql(&restore).await;
        }
    }
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
}

#[tokio::test]
async fn rows_taken_away_moved_and_put_in_are_named() {
    let check = async |statements: &[&str], expected: u64| {
        let fixture = Fixture::new();
        let custody = written(&fixture).await;
        for statement in statements {
            fixture.sql(statement).await;
        }
        assert_eq!(
            broken_at(&custody, statements[0]).await,
            expected,
            "{statements:?}"
        );
    };
    check(&["DELETE FROM audit_entries WHERE sequence = 0"], 0).await;
    check(&["DELETE FROM audit_entries WHERE sequence = 4"], 4).await;
    check(&["DELETE FROM audit_entries WHERE sequence = 12"], 12).await;
    check(&["DELETE FROM audit_entries"], 0).await;
    check(&["UPDATE audit_entries SET sequence = 50 WHERE sequence = 5"], 5).await;
    check(
        &[
            "UPDATE audit_entries SET sequence = 99 WHERE sequence = 5",
            "UPDATE audit_entries SET sequence = 5 WHERE sequence = 6",
            "UPDATE audit_entries SET sequence = 6 WHERE sequence = 99",
        ],
        5,
    )
    .await;
    let copy = |to: i64| {
        format!(
            "INSERT INTO audit_entries (sequence, recorded_at, actor, operation, wallet, outcome, reason, subject, \
             details, leaf_hash, head_signature) SELECT {to}, recorded_at, actor, operation, wallet, outcome, reason, \
             subject, details, leaf_hash, head_signature FROM audit_entries WHERE sequence = 3"
        )
    };
    check(&[&copy(13)], 13).await;
    check(&[&copy(-1)], 0).await;
}

#[tokio::test]
async fn the_recorded_edge_is_held_to_the_entries() {
    let changes = [
        "UPDATE audit_state SET size = 12",
        "UPDATE audit_state SET size = 14",
        "UPDATE audit_state SET frontier = CAST(substr(frontier, 1, 39) || x'0000' || substr(frontier, 42) AS BLOB)",
        "UPDATE audit_state SET frontier = x''",
        "UPDATE audit_state SET signed_size = 3",
        "UPDATE audit_state SET signed_frontier = zeroblob(length(signed_frontier))",
        "UPDATE audit_state SET head_signature = zeroblob(64)",
        "UPDATE audit_state SET last_at = last_at + 1",
        "DELETE FROM audit_state",
        "UPDATE vaults SET audit_key = zeroblob(32)",
    ];
    for change in changes {
        let fixture = Fixture::new();
        let custody = written(&fixture).await;
        fixture.sql(change).await;
        broken_at(&custody, change).await;
    }
}

#[tokio::test]
async fn a_broken_log_stops_signing_and_unlocking() {
    // Changes at the very end are what appending can see; the rest is for `audit_verify`.
    let changes = [
        "DELETE FROM audit_entries WHERE sequence = (SELECT MAX(sequence) FROM audit_entries)",
        "DELETE FROM audit_state",
        "UPDATE audit_state SET head_signature = zeroblob(64)",
        "UPDATE audit_state SET frontier = signed_frontier, size = signed_size + 1",
        "UPDATE audit_state SET signed_frontier = CAST(substr(signed_frontier, 1, 20) || x'0000' || substr(signed_frontier, 23) AS BLOB), \
         frontier = CAST(substr(frontier, 1, 20) || x'0000' || substr(frontier, 23) AS BLOB)",
    ];
    for change in changes {
        let fixture = Fixture::new();
        let custody = fixture.vault(1).await;
        let other = fixture.unlocked().await;
        other.lock().await;
        fixture.sql(change).await;
        let error = custody.sign_transaction(transfer(5, 1)).await.unwrap_err();
        assert!(
            matches!(error, SignError::Custody(CustodyError::AuditBroken { .. })),
            "{change}: {error}"
        );
        let error = other.unlock(&crate::fixture::password(), None).await.unwrap_err();
        assert!(
            matches!(error, CustodyError::AuditBroken { .. }),
            "{change}: {error}"
        );
        assert_eq!(fixture.number("SELECT COUNT(*) FROM intents").await, 0);
    }
}

#[tokio::test]
async fn an_unsigned_entry_changed_while_locked_is_found_at_unlock() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    custody.lock().await;
    custody.sign_transaction(transfer(6, 1)).await.unwrap_err();
    fixture
        .sql("UPDATE audit_entries SET details = 'nothing' WHERE head_signature IS NULL")
        .await;
    let error = custody
        .unlock(&crate::fixture::password(), None)
        .await
        .unwrap_err();
    assert!(
        matches!(error, CustodyError::AuditBroken { sequence: 3, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn checkpoints_hold_the_log_to_what_it_was() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    let kept = custody.audit_checkpoint().await.unwrap();
    let kept: SignedCheckpoint = kept.to_string().parse().unwrap();
    custody.sign_transaction(transfer(6, 1)).await.unwrap();
    custody.audit_checkpoint().await.unwrap();
    let report = custody.audit_verify(Some(&kept)).await.unwrap();
    assert!(
        matches!(report, AuditReport::Intact { checkpoints: 3, .. }),
        "{report:?}"
    );
    let query = AuditQuery {
        operation: Some(Operation::Checkpoint),
        ..AuditQuery::default()
    };
    assert_eq!(custody.audit_entries(&query).await.unwrap().total, 2);

    // Of another vault.
    let stranger = Fixture::new();
    let foreign = stranger.vault(0).await.audit_checkpoint().await.unwrap();
    assert!(matches!(
        custody.audit_verify(Some(&foreign)).await,
        Err(CustodyError::Invalid { .. })
    ));

    // A log that was put back to an earlier state, which its own signatures cannot tell.
    custody.close().await.unwrap();
    let early = fixture.open().await;
    early.close().await.unwrap();
    let rewound = fixture.copied();
    let late = fixture.unlocked().await;
    let newest = late.audit_checkpoint().await.unwrap();
    let rewound = rewound.unlocked().await;
    assert!(matches!(
        rewound.audit_verify(Some(&kept)).await.unwrap(),
        AuditReport::Intact { .. }
    ));
    assert!(matches!(
        rewound.audit_verify(Some(&newest)).await.unwrap(),
        AuditReport::Broken { .. }
    ));
    assert!(matches!(
        late.audit_verify(Some(&newest)).await.unwrap(),
        AuditReport::Intact { .. }
    ));

    // A kept checkpoint that was changed.
    for change in [
        "UPDATE audit_checkpoints SET note = replace(note, 'keyward/', 'keyword/')",
        "UPDATE audit_checkpoints SET root = zeroblob(32)",
        "UPDATE audit_checkpoints SET size = size + 1",
        "UPDATE audit_checkpoints SET note = note || ' '",
    ] {
        fixture
            .sql("CREATE TABLE kept AS SELECT * FROM audit_checkpoints")
            .await;
        fixture
            .sql(&format!(
                "{change} WHERE size = (SELECT MIN(size) FROM audit_checkpoints)"
            ))
            .await;
        broken_at(&late, change).await;
        fixture.sql("DELETE FROM audit_checkpoints").await;
        fixture
            .sql("INSERT INTO audit_checkpoints SELECT * FROM kept")
            .await;
        fixture.sql("DROP TABLE kept").await;
    }
    assert!(matches!(
        late.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
}

#[tokio::test]
async fn clients_are_kept_as_keyed_hashes_and_not_at_all_while_locked() {
    let fixture = Fixture::new();
    let custody = written(&fixture).await;
    let all = async |custody: &Custody| {
        let query = AuditQuery {
            newest_first: false,
            ..AuditQuery::default()
        };
        custody.audit_entries(&query).await.unwrap().rows
    };
    let rows = all(&custody).await;
    let (address, fingerprint) = (rows[0].client_address, rows[0].client_fingerprint);
    assert!(address.is_some() && fingerprint.is_some() && address != fingerprint);
    for row in &rows {
        let made_locked = [7, 8].contains(&row.sequence);
        let expected = if made_locked {
            (None, None)
        } else {
            (address, fingerprint)
        };
        assert_eq!(
            (row.client_address, row.client_fingerprint),
            expected,
            "{}",
            row.sequence
        );
    }
    // Another client of the same vault, the same client of another vault, and none.
    let of = async |fixture: &Fixture, client: Option<ClientIdentity>, fresh: bool| {
        let options = OpenOptions {
            client,
            ..fixture.options()
        };
        let custody = Custody::open(&fixture.location(), options).await.unwrap();
        if fresh {
            custody.create_vault(crate::fixture::new_vault()).await.unwrap();
        } else {
            custody.unlock(&crate::fixture::password(), None).await.unwrap();
        }
        custody.lock().await;
        let newest = all(&custody).await.pop().unwrap();
        (newest.client_address, newest.client_fingerprint)
    };
    let here = ClientIdentity::new(CLIENT_ADDRESS, "till|1000|/dev/pts/0");
    assert_eq!(
        of(&fixture, Some(here.clone()), false).await,
        (address, fingerprint)
    );
    let moved = ClientIdentity::new("192.0.2.78", "till|1000|/dev/pts/0");
    let (other, same) = of(&fixture, Some(moved), false).await;
    assert!(other.is_some() && other != address && same == fingerprint);
    assert_eq!(of(&fixture, None, false).await, (None, None));
    // A handle of its own for each client of a service.
    custody.unlock(&crate::fixture::password(), None).await.unwrap();
    let served = custody.for_client(ClientIdentity::new("192.0.2.78", "till|1000|/dev/pts/0"));
    served.lock().await;
    assert_eq!(all(&custody).await.pop().unwrap().client_address, other);
    let (stranger, _) = of(&Fixture::new(), Some(here), true).await;
    assert!(stranger.is_some() && stranger != address);
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
}

#[tokio::test]
async fn pages_of_entries() {
    let fixture = Fixture::new();
    let custody = written(&fixture).await;
    let find = async |query: AuditQuery| {
        let page = custody.audit_entries(&query).await.unwrap();
        (
            page.total,
            page.rows.iter().map(|row| row.sequence).collect::<Vec<_>>(),
        )
    };
    let all = AuditQuery::default;
    let descending: Vec<u64> = (0..13).rev().collect();
    assert_eq!(find(all()).await, (13, descending));
    let between = AuditQuery {
        after_sequence: Some(2),
        before_sequence: Some(6),
        newest_first: false,
        ..all()
    };
    // What was looked at before is in the log; the look itself is not on its own page.
    assert_eq!(find(between).await, (14, vec![3, 4, 5]));
    let refused = AuditQuery {
        outcome: Some(Outcome::Refused),
        newest_first: false,
        ..all()
    };
    assert_eq!(find(refused).await, (3, vec![5, 7, 8]));
    let of_wallet = AuditQuery {
        wallet: Some(first().into()),
        newest_first: false,
        ..all()
    };
    assert_eq!(find(of_wallet).await, (7, vec![2, 3, 4, 5, 7, 10, 11]));
    let text = AuditQuery {
        text: "TILL".to_owned(),
        ..all()
    };
    assert_eq!(find(text).await, (1, vec![2]));
    let too_many = AuditQuery { limit: 1001, ..all() };
    assert!(matches!(
        custody.audit_entries(&too_many).await,
        Err(CustodyError::Invalid { .. })
    ));
}

on_files! {
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Any single byte of any column, at random.
#[test]
fn any_flipped_byte_of_a_row_is_refused() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let fixture = Fixture::new();
    let custody = runtime.block_on(written(&fixture));
    let columns = [
        "actor",
        "operation",
        "wallet",
        "outcome",
        "reason",
        "subject",
        "details",
        "leaf_hash",
        "head_signature",
        "client_address",
        "client_fingerprint",
    ];
    let strategy = (
        0..ENTRIES,
        0..columns.len(),
        any::<prop::sample::Index>(),
        1_u8..=255,
    );
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 120,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&strategy, |(sequence, column, index, flip)| {
            runtime.block_on(async {
                let column = columns[column];
                let mut database = fixture.database().await;
                let read =
                    format!("SELECT CAST({column} AS BLOB) FROM audit_entries WHERE sequence = {sequence}");
                let stored: Option<Vec<u8>> = sqlx::query_scalar(sqlx::AssertSqlSafe(read))
                    .fetch_one(&mut database)
                    .await
                    .unwrap();
                let Some(mut bytes) = stored.clone().filter(|bytes| !bytes.is_empty()) else {
                    return Ok(());
                };
                let at = index.index(bytes.len());
                bytes[at] ^= flip;
                let kind = if matches!(column, "subject" | "leaf_hash" | "head_signature" | "client_address" | "client_fingerprint") {
                    "BLOB"
                } else {
                    "TEXT"
                };
                let write = format!(
                    "UPDATE audit_entries SET {column} = CAST(?1 AS {kind}) WHERE sequence = {sequence}"
                );
                sqlx::query(sqlx::AssertSqlSafe(write.clone()))
                    .bind(bytes)
                    .execute(&mut database)
                    .await
                    .unwrap();
                let found = broken_at(&custody, &format!("{column} of {sequence}, byte {at}")).await;
                sqlx::query(sqlx::AssertSqlSafe(write))
                    .bind(stored)
                    .execute(&mut database)
                    .await
                    .unwrap();
                prop_assert_eq!(i64::try_from(found), Ok(sequence));
                Ok(())
            })
        })
        .unwrap();
}
}
