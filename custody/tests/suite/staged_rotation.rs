//! The vault key rotated in stages: stopped anywhere, resumed, thrown away, and what others do meanwhile.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use keyward_core::key::WalletKey;
use keyward_core::path::PathFamily;
use keyward_core::secp256k1;
use keyward_custody::{
    AuditReport, Clock, Custody, CustodyError, DeriveRequest, OpenOptions, Password, Progress, RotateOptions,
    Rotation, WalletPasswords, WalletQuery,
};

use crate::fixture::{Fixture, START_MS, first, password, transfer};

/// The try, what came of it, whether there is a rotation, its beginning: the first chunk comes after these.
pub(crate) const READINGS_BEFORE_STAGING: u32 = 4;

fn own() -> Password {
    Password::new("other tidal wicker 5521".to_owned())
}

fn imported() -> WalletKey {
    secp256k1::SecretKey::from_bytes(&[5; 32]).unwrap().into()
}

/// Does something when the time is read so often: in the middle of a known transaction, or before a known look.
pub(crate) struct ActAt {
    reading: u32,
    readings: AtomicU32,
    act: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl ActAt {
    pub(crate) fn new(reading: u32, act: impl FnOnce() + Send + 'static) -> Arc<Self> {
        Arc::new(Self {
            reading,
            readings: AtomicU32::new(0),
            act: Mutex::new(Some(Box::new(act))),
        })
    }
}

impl Clock for ActAt {
    fn now_ms(&self) -> u64 {
        if self.readings.fetch_add(1, Ordering::SeqCst) + 1 == self.reading
            && let Some(act) = self.act.lock().unwrap().take()
        {
            act();
        }
        START_MS
    }
}

pub(crate) fn in_chunks_of(chunk: u32, progress: Progress) -> RotateOptions {
    RotateOptions { progress, chunk }
}

/// Rotates from another process's handle, and stops after so many chunks.
pub(crate) async fn stopped_after(fixture: &Fixture, chunks: u32, chunk: u32) -> CustodyError {
    let progress = Progress::new();
    let cancelled = progress.clone();
    let options = OpenOptions {
        clock: ActAt::new(READINGS_BEFORE_STAGING + chunks, move || cancelled.cancel()),
        ..fixture.options()
    };
    let custody = Custody::open(&fixture.location(), options).await.unwrap();
    custody
        .rotate_vault_key_with(&password(), None, &in_chunks_of(chunk, progress))
        .await
        .unwrap_err()
}

/// A vault with 20 derived wallets of one chain and 3 of the other, and an imported one with a password of its own: 25
/// records with the phrase.
pub(crate) async fn vault(fixture: &Fixture) -> Custody {
    let custody = fixture.vault(20).await;
    derive(&custody, Some(PathFamily::EvmBip44), 3).await;
    custody
        .import_key(imported(), "own", &[], Some(own()))
        .await
        .unwrap();
    custody
}

async fn derive(custody: &Custody, family: Option<PathFamily>, count: u32) {
    let request = DeriveRequest {
        family,
        count,
        ..DeriveRequest::default()
    };
    custody.derive_wallets(request, &Progress::new()).await.unwrap();
}

/// Every wallet signs, nothing is staged, all records are of this epoch, and the log verifies.
pub(crate) async fn works(fixture: &Fixture, custody: &Custody, epoch: i64, wallets: usize) {
    let page = WalletQuery {
        limit: 100,
        ..WalletQuery::default()
    };
    let rows = custody.wallets(&page).await.unwrap().rows;
    assert_eq!(rows.len(), wallets);
    for wallet in rows {
        let passwords = WalletPasswords::of_one(wallet.address, own());
        custody
            .sign_message_with(wallet.address, b"hello", &passwords)
            .await
            .unwrap();
    }
    for (table, expected) in [("vault_key_rotations", 0), ("staged_records", 0)] {
        let found = fixture.number(&format!("SELECT COUNT(*) FROM {table}")).await;
        assert_eq!(found, expected, "{table}");
    }
    let other = fixture
        .number(&format!(
            "SELECT (SELECT COUNT(*) FROM wallets WHERE epoch <> {epoch}) \
             + (SELECT COUNT(*) FROM master_wallets WHERE epoch <> {epoch})"
        ))
        .await;
    assert_eq!(other, 0, "records of another key than number {epoch}");
    assert!(custody.rotation_status().await.unwrap().is_none());
    intact(custody).await;
}

async fn intact(custody: &Custody) {
    let report = custody.audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
}

pub(crate) async fn resume(custody: &Custody) -> Rotation {
    let rotation = custody.rotate_vault_key(&password(), None).await.unwrap();
    assert!(rotation.resumed);
    rotation
}

#[tokio::test]
async fn stopped_after_any_chunk_it_goes_on_where_it_was() {
    for chunks in [0, 1, 3] {
        let fixture = Fixture::new();
        let custody = vault(&fixture).await;
        assert!(custody.rotation_status().await.unwrap().is_none());
        let error = stopped_after(&fixture, chunks, 5).await;
        assert!(
            matches!(error, CustodyError::RotationStopped { total: 25, .. }),
            "{error}"
        );
        // The old key is in force, and everybody sees how far the next one is, locked or not.
        let status = fixture.open().await.rotation_status().await.unwrap().unwrap();
        // The phrase comes with the first five wallets.
        let done = u64::from(chunks * 5 + u32::from(chunks > 0));
        assert_eq!((status.epoch, status.done, status.total), (2, done, 25));
        assert_eq!(status.started_ms, START_MS);
        custody.sign_transaction(transfer(5, 1)).await.unwrap();
        intact(&custody).await;
        let progress = Progress::new();
        let rotation = custody
            .rotate_vault_key_with(&password(), None, &in_chunks_of(7, progress.clone()))
            .await
            .unwrap();
        assert!(rotation.resumed);
        assert_eq!((rotation.epoch, rotation.records), (2, 25));
        assert_eq!((progress.state().done, progress.state().total), (25, 25));
        works(&fixture, &custody, 2, 24).await;
        // The next one is a new one.
        let rotation = custody.rotate_vault_key(&password(), None).await.unwrap();
        assert!(!rotation.resumed);
        works(&fixture, &custody, 3, 24).await;
    }
}

#[tokio::test]
async fn what_others_change_meanwhile_is_in_the_new_key_too() {
    let fixture = Fixture::new();
    let custody = vault(&fixture).await;
    let next_phrase = keyward_core::mnemonic::Mnemonic::parse(
        "legal winner thank year wave sausage worth useful legal winner thank yellow",
    )
    .unwrap();
    // All of it is staged; the switch is still to come.
    stopped_after(&fixture, 1, 100).await;
    assert_eq!(fixture.number("SELECT COUNT(*) FROM staged_records").await, 25);
    // More than the switch takes by itself, so that more is staged before it.
    derive(&custody, None, 400).await;
    custody
        .import_phrase(&next_phrase, "", "second", PathFamily::Bip44)
        .await
        .unwrap();
    custody.set_wallet_password(first(), None, &own()).await.unwrap();
    custody.set_label(first(), "first").await.unwrap();
    let rotation = resume(&custody).await;
    // 24 of the old wallets' and 400 new ones, and two phrases.
    assert_eq!(rotation.records, 426);
    // As many as a page has of them.
    works(&fixture, &custody, 2, 100).await;
    // The password that was set meanwhile is asked for.
    let error = custody.sign_transaction(transfer(5, 9)).await.unwrap_err();
    assert_eq!(error.code(), "wallet-password-needed");
    assert_eq!(custody.masters().await.unwrap().len(), 2);
}

#[tokio::test]
async fn thrown_away_the_vault_is_as_it_was() {
    let fixture = Fixture::new();
    let custody = vault(&fixture).await;
    assert!(!custody.abandon_rotation(&password(), None).await.unwrap());
    stopped_after(&fixture, 2, 5).await;
    let error = custody.abandon_rotation(&own(), None).await.unwrap_err();
    assert!(matches!(error, CustodyError::WrongPassword), "{error}");
    assert!(custody.rotation_status().await.unwrap().is_some());
    assert!(custody.abandon_rotation(&password(), None).await.unwrap());
    works(&fixture, &custody, 1, 24).await;
    let rotation = custody.rotate_vault_key(&password(), None).await.unwrap();
    assert!(!rotation.resumed);
    works(&fixture, &custody, 2, 24).await;
    let said = fixture
        .number(
            "SELECT COUNT(*) FROM audit_entries WHERE operation IN ('begin-rotation', 'abandon-rotation', 'rotate-key')",
        )
        .await;
    assert_eq!(said, 4);
}

#[tokio::test]
async fn the_password_stays_until_the_rotation_is_over() {
    let fixture = Fixture::new();
    let custody = vault(&fixture).await;
    stopped_after(&fixture, 1, 5).await;
    let next = Password::new("quartz lantern ferry 81".to_owned());
    let error = custody
        .change_password(&password(), &next, None)
        .await
        .unwrap_err();
    assert!(matches!(error, CustodyError::RotationUnderWay), "{error}");
    resume(&custody).await;
    custody.change_password(&password(), &next, None).await.unwrap();
    custody.unlock(&next, None).await.unwrap();
    works(&fixture, &custody, 2, 24).await;
}

#[tokio::test]
async fn a_recovery_key_may_be_made_meanwhile_and_is_replaced_at_the_end() {
    let fixture = Fixture::new();
    let custody = vault(&fixture).await;
    stopped_after(&fixture, 1, 5).await;
    let recovery = custody.add_recovery(&password(), None).await.unwrap();
    custody.unlock_with_recovery(&recovery).await.unwrap();
    let replaced = resume(&custody).await.recovery.unwrap();
    assert!(custody.unlock_with_recovery(&recovery).await.is_err());
    custody.unlock_with_recovery(&replaced).await.unwrap();
    // One that is taken away meanwhile is not made again.
    stopped_after(&fixture, 1, 5).await;
    custody.remove_recovery(&password(), None).await.unwrap();
    assert!(resume(&custody).await.recovery.is_none());
    works(&fixture, &custody, 3, 24).await;
}

#[tokio::test]
async fn a_password_that_was_lost_takes_the_rotation_with_it() {
    let fixture = Fixture::new();
    let custody = vault(&fixture).await;
    let recovery = custody.add_recovery(&password(), None).await.unwrap();
    stopped_after(&fixture, 1, 5).await;
    let next = Password::new("quartz lantern ferry 81".to_owned());
    custody
        .set_password_with_recovery(&recovery, &next, None)
        .await
        .unwrap();
    works(&fixture, &custody, 1, 24).await;
    let rotation = custody.rotate_vault_key(&next, None).await.unwrap();
    assert!(!rotation.resumed);
    works(&fixture, &custody, 2, 24).await;
}

#[tokio::test]
async fn two_at_once_rotate_it_once_or_one_after_the_other() {
    let fixture = Fixture::new();
    let custody = vault(&fixture).await;
    let other = fixture.unlocked().await;
    let (pass, options) = (password(), in_chunks_of(3, Progress::new()));
    let again = in_chunks_of(4, Progress::new());
    let (one, two) = tokio::join!(
        custody.rotate_vault_key_with(&pass, None, &options),
        other.rotate_vault_key_with(&pass, None, &again),
    );
    let done: Vec<u32> = [&one, &two]
        .into_iter()
        .filter_map(|outcome| outcome.as_ref().ok().map(|rotation| rotation.epoch))
        .collect();
    for outcome in [one, two] {
        if let Err(error) = outcome {
            assert!(matches!(error, CustodyError::KeyRotated), "{error}");
        }
    }
    let epoch = i64::from(*done.iter().max().unwrap());
    assert_eq!(usize::try_from(epoch).unwrap(), done.len() + 1);
    let custody = fixture.unlocked().await;
    works(&fixture, &custody, epoch, 24).await;
}

#[tokio::test]
async fn a_chunk_has_its_bounds() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    for chunk in [0, 10_001] {
        let error = custody
            .rotate_vault_key_with(&password(), None, &in_chunks_of(chunk, Progress::new()))
            .await
            .unwrap_err();
        assert!(matches!(error, CustodyError::Invalid { .. }), "{error}");
    }
    assert!(custody.rotation_status().await.unwrap().is_none());
}
