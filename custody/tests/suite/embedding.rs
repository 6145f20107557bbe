//! The library inside another program: the builder, handles for several actors, many tasks at once.

use std::collections::BTreeSet;

use keyward_core::amount::Lamports;
use keyward_core::audit::Outcome;
use keyward_core::policy::{Policy, PolicyLimits};
use keyward_custody::chain::NodeConfig;
use keyward_custody::{
    AuditQuery, AuditReport, ClientIdentity, Custody, CustodyBuilder, CustodyError, DeriveRequest, Progress,
    SettingKey, VaultStatus, WalletQuery,
};

use crate::fixture::{Fixture, first, new_vault, password, transfer, transfer_from};

fn builder(fixture: &Fixture) -> CustodyBuilder {
    Custody::builder()
        .storage(fixture.location())
        .clock(fixture.clock.clone())
        .busy_timeout_ms(10_000)
}

/// Actors of the log's entries, the oldest first, but for looks at the log itself.
async fn actors(custody: &Custody) -> Vec<String> {
    let query = AuditQuery {
        limit: 1_000,
        newest_first: false,
        ..AuditQuery::default()
    };
    let page = custody.audit_entries(&query).await.unwrap();
    let looks = ["read-audit", "verify"];
    let entries = page.rows.into_iter();
    entries
        .filter(|entry| !looks.contains(&entry.operation.as_str()))
        .map(|entry| entry.actor)
        .collect()
}

#[test]
fn handles_are_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Custody>();
    shared::<CustodyBuilder>();
}

#[tokio::test]
async fn the_builder_opens_what_it_was_told() {
    let fixture = Fixture::new();
    let limits = PolicyLimits {
        sol_per_transaction: Lamports::new(10),
        ..new_vault().limits
    };
    let custody = builder(&fixture)
        .actor("market-maker")
        .limits(limits)
        .chain(NodeConfig::new("http://127.0.0.1:8899"))
        .open()
        .await
        .unwrap();
    assert!(matches!(custody.status().await.unwrap(), VaultStatus::Empty));
    assert_eq!(custody.node().unwrap().endpoint(), "http://127.0.0.1:8899");
    custody.create_vault(new_vault()).await.unwrap();
    custody
        .derive_wallets(
            DeriveRequest {
                count: 1,
                ..DeriveRequest::default()
            },
            &Progress::new(),
        )
        .await
        .unwrap();
    // The builder's limit, not the vault's own of one SOL.
    custody.sign_transaction(transfer(10, 1)).await.unwrap();
    let error = custody.sign_transaction(transfer(11, 2)).await.unwrap_err();
    assert_eq!(error.code(), "over-limit", "{error}");
    assert!(actors(&custody).await.iter().all(|actor| actor == "market-maker"));
    // A vault that is there keeps its policy.
    custody.close().await.unwrap();
    let custody = builder(&fixture)
        .policy(Policy {
            version: 7,
            rules: Vec::new(),
        })
        .open()
        .await
        .unwrap();
    assert!(custody.node().is_none());
    custody.unlock(&password(), None).await.unwrap();
    custody.sign_transaction(transfer(9, 3)).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_anything_is_opened() {
    let fixture = Fixture::new();
    let nowhere = Custody::builder().open().await.unwrap_err();
    assert!(
        matches!(nowhere, CustodyError::Invalid { what: "storage", .. }),
        "{nowhere}"
    );
    for actor in ["", "  ", "a\nb", &"x".repeat(201)] {
        let error = builder(&fixture).actor(actor).open().await.unwrap_err();
        assert!(
            matches!(error, CustodyError::Invalid { what: "actor", .. }),
            "{error}"
        );
    }
    let policy = Policy {
        version: 0,
        rules: Vec::new(),
    };
    let error = builder(&fixture).policy(policy).open().await.unwrap_err();
    assert!(
        matches!(error, CustodyError::Invalid { what: "policy", .. }),
        "{error}"
    );
    let node = NodeConfig::new("ftp://node.example?key=secretword");
    let error = builder(&fixture).chain(node.clone()).open().await.unwrap_err();
    assert!(
        matches!(error, CustodyError::Invalid { what: "chain", .. }),
        "{error}"
    );
    let shown = format!("{error} {:?}", builder(&fixture).chain(node));
    assert!(!shown.contains("secretword"), "{shown}");
    fixture.open().await;
}

#[tokio::test]
async fn a_new_vault_begins_with_the_builders_settings_and_an_old_one_must_have_them() {
    let fixture = Fixture::new();
    let wanting = || {
        builder(&fixture)
            .max_failed_attempts(2)
            .rotation_interval_ms(3_600_000)
    };
    let custody = wanting().open().await.unwrap();
    custody.create_vault(new_vault()).await.unwrap();
    let expected = custody.settings().await.unwrap();
    assert_eq!(
        (expected.max_failed_attempts, expected.trading_rotation_ms),
        (2, 3_600_000)
    );
    assert_eq!(expected.signatures_per_minute, 100);
    custody.close().await.unwrap();
    // The same, or nothing said about it: opened. Another: not, and the vault stays as it is.
    for same in [
        wanting(),
        builder(&fixture),
        builder(&fixture).max_failed_attempts(9).max_failed_attempts(2),
    ] {
        let custody = same.open().await.unwrap();
        assert_eq!(custody.settings().await.unwrap(), expected);
        custody.close().await.unwrap();
    }
    let error = wanting()
        .setting(SettingKey::SignaturesPerMinute, 10)
        .open()
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            CustodyError::SettingDiffers {
                setting: SettingKey::SignaturesPerMinute,
                wanted: 10,
                found: 100
            }
        ),
        "{error}"
    );
    let error = wanting().max_failed_attempts(0).open().await.unwrap_err();
    assert!(
        matches!(error, CustodyError::Invalid { what: "setting", .. }),
        "{error}"
    );
    let custody = fixture.unlocked().await;
    assert_eq!(custody.settings().await.unwrap(), expected);
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
}

#[tokio::test]
async fn handles_of_several_actors_share_the_session_and_sign_the_log_with_their_own_names() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let alice = custody.acting_as("alice").unwrap();
    let bob = alice.acting_as("bob").unwrap();
    assert_eq!(
        (custody.actor(), alice.actor(), bob.actor()),
        ("tester", "alice", "bob")
    );
    for name in ["", "a\u{7}", &"x".repeat(201)] {
        let error = alice.acting_as(name).unwrap_err();
        assert!(
            matches!(error, CustodyError::Invalid { what: "actor", .. }),
            "{error}"
        );
    }
    let before = actors(&custody).await.len();
    alice.sign_transaction(transfer(5, 1)).await.unwrap();
    bob.lock().await;
    assert!(!alice.is_unlocked() && !custody.is_unlocked());
    custody.sign_transaction(transfer(5, 2)).await.unwrap_err();
    alice.unlock(&password(), None).await.unwrap();
    bob.sign_message(first(), b"bob was here").await.unwrap();
    assert_eq!(
        actors(&custody).await[before..],
        ["alice", "alice", "bob", "tester", "alice", "bob", "bob"]
    );
    assert!(matches!(
        custody.audit_verify(None).await.unwrap(),
        AuditReport::Intact { .. }
    ));
}

#[tokio::test]
async fn the_builders_client_stays_with_handles_of_other_actors_and_another_client_keeps_the_actor() {
    let fixture = Fixture::new();
    let custody = builder(&fixture)
        .actor("desk")
        .client(ClientIdentity::new("192.0.2.1", "terminal 1"))
        .open()
        .await
        .unwrap();
    custody.create_vault(new_vault()).await.unwrap();
    let wallets = DeriveRequest {
        count: 1,
        ..DeriveRequest::default()
    };
    custody.derive_wallets(wallets, &Progress::new()).await.unwrap();
    let alice = custody.acting_as("alice").unwrap();
    let elsewhere = alice.for_client(ClientIdentity::new("192.0.2.2", "terminal 2"));
    alice.sign_message(first(), b"one").await.unwrap();
    elsewhere.sign_message(first(), b"two").await.unwrap();
    let query = AuditQuery {
        outcome: Some(Outcome::Signed),
        newest_first: false,
        ..AuditQuery::default()
    };
    let rows = custody.audit_entries(&query).await.unwrap().rows;
    let actors: Vec<&str> = rows.iter().map(|entry| entry.actor.as_str()).collect();
    assert_eq!(actors, ["alice", "alice"]);
    let clients: BTreeSet<_> = rows.iter().map(|entry| entry.client_address.unwrap()).collect();
    assert_eq!(clients.len(), 2, "from two places");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_tasks_sign_at_once_and_everything_is_in_the_log_once() {
    const TASKS: u8 = 64;
    const EACH: u64 = 4;
    let fixture = Fixture::new();
    let custody = fixture.vault(8).await;
    let query = WalletQuery {
        limit: 8,
        ..WalletQuery::default()
    };
    let wallets = custody.wallets(&query).await.unwrap().rows;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let trader = custody.acting_as(&format!("task-{task}")).unwrap();
        let payer = wallets[usize::from(task) % wallets.len()]
            .address
            .as_solana()
            .copied()
            .unwrap();
        tasks.spawn(async move {
            let mut signatures = Vec::new();
            for lamports in 1..=EACH {
                let signed = trader
                    .sign_transaction(transfer_from(payer, lamports, task))
                    .await
                    .unwrap();
                signatures.push(signed.signature.to_string());
            }
            signatures
        });
    }
    let signatures: BTreeSet<String> = tasks.join_all().await.into_iter().flatten().collect();
    let expected = usize::from(TASKS) * usize::try_from(EACH).unwrap();
    assert_eq!(signatures.len(), expected);
    let actors = actors(&custody).await;
    for task in 0..TASKS {
        let name = format!("task-{task}");
        // One entry for each authorisation, one for each signature.
        assert_eq!(
            actors.iter().filter(|actor| **actor == name).count(),
            2 * 4,
            "{name}"
        );
    }
    assert_eq!(
        fixture
            .number("SELECT COUNT(*) FROM intents WHERE state = 'signed'")
            .await,
        i64::try_from(expected).unwrap()
    );
    let AuditReport::Intact { entries, .. } = custody.audit_verify(None).await.unwrap() else {
        panic!("the log is broken");
    };
    assert!(entries >= 512);
}
