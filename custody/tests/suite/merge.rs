//! A vault file brought into a vault that is there.

use keyward_core::key::WalletKey;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::secp256k1;
use keyward_custody::{
    AuditReport, Custody, CustodyError, DeriveRequest, MasterId, MergeField, MergeReport, NewVault, Password,
    Progress, Wallet, WalletPasswords, WalletQuery,
};

use crate::fixture::{Fixture, new_vault, password, transfer};

const SECOND: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";

fn own() -> Password {
    Password::new("other tidal wicker 5521".to_owned())
}

/// The other vault's password.
fn theirs() -> Password {
    Password::new("quartz lantern ferry 81".to_owned())
}

fn imported(byte: u8) -> WalletKey {
    secp256k1::SecretKey::from_bytes(&[byte; 32]).unwrap().into()
}

async fn derive(
    custody: &Custody,
    master: Option<MasterId>,
    family: PathFamily,
    start: Option<u32>,
    count: u32,
) {
    let request = DeriveRequest {
        master,
        family: Some(family),
        start,
        count,
    };
    custody.derive_wallets(request, &Progress::new()).await.unwrap();
}

async fn wallets(custody: &Custody) -> Vec<Wallet> {
    let query = WalletQuery {
        limit: 1_000,
        ..WalletQuery::default()
    };
    custody.wallets(&query).await.unwrap().rows
}

/// Another vault: its own phrase is our second one; the first of ours is its second; with keys from elsewhere.
async fn their_file() -> Vec<u8> {
    let fixture = Fixture::new();
    let custody = fixture.open().await;
    let new = NewVault {
        password: theirs(),
        mnemonic: Mnemonic::parse(SECOND).unwrap(),
        family: PathFamily::Bip44,
        ..new_vault()
    };
    custody.create_vault(new).await.unwrap();
    derive(&custody, None, PathFamily::Bip44, None, 3).await;
    let ours = custody
        .import_phrase(&new_vault().mnemonic, "", "ours", PathFamily::Bip44Change)
        .await
        .unwrap()
        .id;
    derive(&custody, Some(ours), PathFamily::Bip44Change, Some(1), 4).await;
    derive(&custody, Some(ours), PathFamily::EvmBip44, None, 2).await;
    custody
        .import_key(imported(5), "shared", &["a".to_owned()], None)
        .await
        .unwrap();
    custody
        .import_key(
            imported(6),
            "guarded",
            &["hot".to_owned(), "b".to_owned()],
            Some(own()),
        )
        .await
        .unwrap();
    // A further phrase that is nowhere else: the same words, with a passphrase.
    custody
        .import_phrase(
            &Mnemonic::parse(SECOND).unwrap(),
            "more",
            "third",
            PathFamily::Bip44,
        )
        .await
        .unwrap();
    custody.export_vault_file(&theirs(), None, None).await.unwrap()
}

/// Ours: three wallets of the first phrase, one imported key of theirs under another label.
async fn our_vault(fixture: &Fixture) -> Custody {
    let custody = fixture.vault(3).await;
    custody
        .import_key(imported(5), "mine", &["a".to_owned()], Some(own()))
        .await
        .unwrap();
    custody
}

async fn merge(custody: &Custody, file: &[u8]) -> MergeReport {
    custody
        .merge_vault_file(file.to_vec(), &theirs(), None, false)
        .await
        .unwrap()
}

async fn rows(fixture: &Fixture) -> Vec<i64> {
    let mut counts = Vec::new();
    for query in [
        "SELECT COUNT(*) FROM wallets",
        "SELECT COUNT(*) FROM master_wallets",
        "SELECT COUNT(*) FROM derivations",
        "SELECT COALESCE(SUM(next_index), 0) FROM derivations",
        "SELECT COUNT(*) FROM policies",
        "SELECT COUNT(*) FROM audit_entries",
    ] {
        counts.push(fixture.number(query).await);
    }
    counts
}

#[tokio::test]
async fn what_is_new_comes_in_and_what_is_here_stays() {
    let file = their_file().await;
    let fixture = Fixture::new();
    let custody = our_vault(&fixture).await;
    let policy = custody.policy().await.unwrap();
    let before = rows(&fixture).await;
    // Said first, and nothing of it done, not even in the log.
    let said = custody
        .merge_vault_file(file.clone(), &theirs(), None, true)
        .await
        .unwrap();
    assert_eq!(rows(&fixture).await, before);
    let report = merge(&custody, &file).await;
    assert_eq!(report, said);
    // Theirs are 3 + 4 + 2 + 2; of ours there are two of the first phrase's four, and one key that differs.
    assert_eq!((report.phrases_added, report.phrases_known), (2, 1));
    assert_eq!((report.added.len(), report.same.len()), (8, 2));
    assert!(report.has_policy);
    let [conflict] = report.conflicts.as_slice() else {
        panic!("{:?}", report.conflicts)
    };
    assert_eq!(conflict.address, imported(5).address());
    let found: Vec<(MergeField, &str, &str)> = conflict
        .differences
        .iter()
        .map(|difference| {
            (
                difference.what,
                difference.here.as_str(),
                difference.file.as_str(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (MergeField::Label, "mine", "shared"),
            (MergeField::OwnPassword, "yes", "no")
        ]
    );
    // Everything signs: the guarded one with the password that it brought, the one that differs with the one it has here.
    let all = wallets(&custody).await;
    assert_eq!(all.len(), 12);
    for wallet in &all {
        let passwords = WalletPasswords::of_one(wallet.address, own());
        custody
            .sign_message_with(wallet.address, b"hello", &passwords)
            .await
            .unwrap();
    }
    let guarded = all.iter().find(|wallet| wallet.label == "guarded").unwrap();
    assert!(guarded.own_password);
    assert_eq!(guarded.tags, ["b", "hot"]);
    assert_eq!(custody.policy().await.unwrap().version, policy.version);
    let refused = custody.sign_message(guarded.address, b"hi").await.unwrap_err();
    assert_eq!(refused.code(), "wallet-password-needed");
    // The phrases derive on, each behind what either vault used: the second here is their first.
    let masters = custody.masters().await.unwrap();
    assert_eq!(masters.len(), 3);
    let next = |master: usize| masters[master].derivations.clone();
    assert_eq!(next(0), [(PathFamily::Bip44Change, 5), (PathFamily::EvmBip44, 2)]);
    assert_eq!(next(1), [(PathFamily::Bip44, 3)]);
    assert_eq!(next(2), [(PathFamily::Bip44, 0)]);
    assert_eq!(masters[2].label, "third");
    for master in &masters {
        derive(&custody, Some(master.id), PathFamily::Bip44, None, 1).await;
    }
    let report = custody.audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
    custody.rotate_vault_key(&password(), None).await.unwrap();
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
}

#[tokio::test]
async fn the_same_file_once_more_changes_nothing() {
    let file = their_file().await;
    let fixture = Fixture::new();
    let custody = our_vault(&fixture).await;
    merge(&custody, &file).await;
    let before = (rows(&fixture).await, wallets(&custody).await);
    let report = merge(&custody, &file).await;
    assert_eq!((report.phrases_added, report.phrases_known), (0, 3));
    assert_eq!(
        (report.added.len(), report.same.len(), report.conflicts.len()),
        (0, 10, 1)
    );
    let mut after = (rows(&fixture).await, wallets(&custody).await);
    // But for the log, which says that it was asked for.
    *after.0.last_mut().unwrap() -= 1;
    assert_eq!(after, before);
    let said = fixture
        .number("SELECT COUNT(*) FROM audit_entries WHERE operation = 'merge-vault'")
        .await;
    assert_eq!(said, 2);
}

#[tokio::test]
async fn every_difference_is_told() {
    let fixture = Fixture::new();
    let custody = fixture.vault(3).await;
    let file = custody
        .export_vault_file(&password(), None, Some(&theirs()))
        .await
        .unwrap();
    let all = wallets(&custody).await;
    custody.set_label(all[0].address, "here").await.unwrap();
    custody
        .add_tags(&[all[0].address], &["x".to_owned()])
        .await
        .unwrap();
    fixture
        .sql("UPDATE wallets SET status = 'purged', sealed = x'00' WHERE derivation_index = 1")
        .await;
    let report = merge(&custody, &file).await;
    assert_eq!((report.added.len(), report.same.len()), (0, 1));
    let told: Vec<(usize, MergeField, String, String)> = report
        .conflicts
        .iter()
        .flat_map(|conflict| {
            let at = all
                .iter()
                .position(|wallet| wallet.address == conflict.address)
                .unwrap();
            conflict.differences.iter().map(move |difference| {
                (
                    at,
                    difference.what,
                    difference.here.clone(),
                    difference.file.clone(),
                )
            })
        })
        .collect();
    let text = |text: &str| text.to_owned();
    assert_eq!(
        told,
        [
            (0, MergeField::Label, text("here"), text("")),
            (0, MergeField::Tags, text("x"), text("")),
            (1, MergeField::Status, text("purged"), text("active")),
        ]
    );
    // The key of the purged one did not come back.
    let purged = fixture
        .number("SELECT COUNT(*) FROM wallets WHERE length(sealed) = 1")
        .await;
    assert_eq!(purged, 1);
}

#[tokio::test]
async fn a_key_that_is_derived_there_and_imported_here_is_one_wallet() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    let stranger = Fixture::new();
    let other = stranger.vault(0).await;
    // Theirs was imported from ours: the same key, from nowhere in particular.
    let first = wallets(&custody).await.remove(0);
    let key = custody
        .export_key(first.address, &password(), None, None)
        .await
        .unwrap();
    other.import_key(key, "", &[], None).await.unwrap();
    let file = other
        .export_vault_file(&password(), None, Some(&theirs()))
        .await
        .unwrap();
    let report = merge(&custody, &file).await;
    assert_eq!((report.phrases_known, report.added.len()), (1, 0));
    let [conflict] = report.conflicts.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!(conflict.differences.len(), 1);
    assert_eq!(conflict.differences[0].what, MergeField::Path);
    assert_eq!(conflict.differences[0].here, "phrase 1, m/44'/501'/0'/0'");
    assert_eq!(conflict.differences[0].file, "imported");
}

#[tokio::test]
async fn a_place_that_another_wallet_has_is_left_to_it() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    let file = custody
        .export_vault_file(&password(), None, Some(&theirs()))
        .await
        .unwrap();
    // As if another key were at that place here: what no honest vault has.
    let other = imported(9).address().to_string();
    fixture
        .sql(&format!(
            "UPDATE wallets SET address = '{other}', chain = 'evm', public_key = zeroblob(33) WHERE derivation_index = 1"
        ))
        .await;
    let report = merge(&custody, &file).await;
    assert_eq!((report.added.len(), report.same.len()), (0, 1));
    let [conflict] = report.conflicts.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!(conflict.differences[0].what, MergeField::Place);
    assert_eq!(conflict.differences[0].here, other);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM wallets").await, 2);
}

#[tokio::test]
async fn nothing_is_merged_without_both_passwords_or_from_what_is_no_file() {
    let file = their_file().await;
    let fixture = Fixture::new();
    let custody = our_vault(&fixture).await;
    let before = rows(&fixture).await;
    let attempt = async |bytes: Vec<u8>, password: &Password| {
        custody
            .merge_vault_file(bytes, password, None, false)
            .await
            .unwrap_err()
    };
    let error = attempt(file.clone(), &password()).await;
    assert!(matches!(error, CustodyError::WrongPassword), "{error}");
    let error = attempt(b"no vault".to_vec(), &theirs()).await;
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error}");
    let mut cut = file.clone();
    cut.truncate(file.len() - 1);
    let error = attempt(cut, &theirs()).await;
    assert!(
        matches!(error, CustodyError::Invalid { .. } | CustodyError::WrongPassword),
        "{error}"
    );
    // The log cannot be written, so nothing happens.
    fixture.place.refuse_inserts("audit_entries").await;
    assert!(
        custody
            .merge_vault_file(file.clone(), &theirs(), None, false)
            .await
            .is_err()
    );
    fixture.place.allow_inserts("audit_entries").await;
    assert_eq!(rows(&fixture).await, before);
    custody.lock().await;
    let error = custody
        .merge_vault_file(file, &theirs(), None, false)
        .await
        .unwrap_err();
    assert!(matches!(error, CustodyError::Locked), "{error}");
}

#[tokio::test]
async fn two_at_once_bring_it_in_once() {
    let file = their_file().await;
    let fixture = Fixture::new();
    let custody = our_vault(&fixture).await;
    let other = fixture.unlocked().await;
    let (one, two) = tokio::join!(merge(&custody, &file), merge(&other, &file));
    let mut added = [one.added.len(), two.added.len()];
    added.sort_unstable();
    assert_eq!(added, [0, 8]);
    assert_eq!(wallets(&custody).await.len(), 12);
    assert_eq!(custody.masters().await.unwrap().len(), 3);
}
