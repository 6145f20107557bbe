//! The password typed again in an unlocked handle: whose it must be, what it costs, what comes of it.

use keyward_core::audit::{Operation, Outcome};
use keyward_core::key::WalletKey;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::secp256k1;
use keyward_core::vault::{VaultHeader, wallet_password_kdf};
use keyward_custody::{AuditQuery, Custody, CustodyError, KeyImport, NewVault, Password};

use crate::fixture::{Fixture, PHRASE, START_MS, first, new_vault, password};

fn theirs() -> Password {
    Password::new("omen 8812 hatchet plume".to_owned())
}

fn own() -> Password {
    Password::new("wicker omen tidal 7733".to_owned())
}

fn key(byte: u8) -> WalletKey {
    secp256k1::SecretKey::from_bytes(&[byte; 32]).unwrap().into()
}

/// Puts the header of a vault of somebody else's into this one's file: of the same epoch, with their password.
async fn with_foreign_header(fixture: &Fixture, kdf: &str) {
    let other = Fixture::new();
    let custody = other.open().await;
    let new = NewVault {
        password: theirs(),
        kdf: kdf.parse().unwrap(),
        ..new_vault()
    };
    custody.create_vault(new).await.unwrap();
    let header = other.blob("SELECT header FROM vaults").await;
    assert_eq!(VaultHeader::from_bytes(&header).unwrap().epoch(), 1);
    let put = format!("UPDATE vaults SET header = x'{}'", hex::encode(header));
    assert_eq!(fixture.sql(&put).await, 1);
}

async fn failures(fixture: &Fixture) -> i64 {
    fixture.number("SELECT failed_unlocks FROM vaults").await
}

async fn wallet_tries(fixture: &Fixture) -> i64 {
    fixture.number("SELECT MAX(failed_passwords) FROM wallets").await
}

async fn exports(custody: &Custody, outcome: Outcome) -> u64 {
    let query = AuditQuery {
        operation: Some(Operation::Export),
        outcome: Some(outcome),
        ..AuditQuery::default()
    };
    custody.audit_entries(&query).await.unwrap().total
}

#[tokio::test]
async fn a_header_of_somebody_elses_does_not_pass_for_the_owners() {
    for asked in 0..6 {
        let fixture = Fixture::new();
        let custody = fixture.vault(1).await;
        with_foreign_header(&fixture, "scrypt-16384").await;
        let typed = theirs();
        let error = match asked {
            0 => custody
                .export_key(first(), &typed, None, None)
                .await
                .map(|_| ())
                .unwrap_err(),
            1 => custody.add_recovery(&typed, None).await.map(|_| ()).unwrap_err(),
            2 => custody.remove_recovery(&typed, None).await.unwrap_err(),
            3 => custody.rotate_vault_key(&typed, None).await.unwrap_err(),
            4 => custody.change_password(&typed, &own(), None).await.unwrap_err(),
            _ => custody
                .export_vault_file(&typed, None, None)
                .await
                .map(|_| ())
                .unwrap_err(),
        };
        assert!(matches!(error, CustodyError::WrongPassword), "{asked}: {error}");
        assert_eq!(failures(&fixture).await, 1, "{asked}");
        assert_eq!(exports(&custody, Outcome::Authorised).await, 0);
    }
}

#[tokio::test]
async fn a_recovery_key_of_somebody_elses_sets_no_password() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let other = Fixture::new();
    let recovery = other
        .vault(0)
        .await
        .add_recovery(&password(), None)
        .await
        .unwrap();
    let header = other.blob("SELECT header FROM vaults").await;
    fixture
        .sql(&format!("UPDATE vaults SET header = x'{}'", hex::encode(header)))
        .await;
    let error = custody
        .set_password_with_recovery(&recovery, &own(), None)
        .await
        .unwrap_err();
    assert!(matches!(error, CustodyError::WrongRecoveryKey), "{error}");
}

#[tokio::test]
async fn a_right_password_uses_up_no_budget_whatever_comes_after_it() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    for _ in 0..6 {
        let error = custody.remove_recovery(&password(), None).await.unwrap_err();
        assert!(matches!(error, CustodyError::Invalid { .. }), "{error}");
        assert_eq!(failures(&fixture).await, 0);
    }
    fixture
        .sql("UPDATE wallets SET record_id = zeroblob(16) WHERE derivation_index = 0")
        .await;
    for _ in 0..2 {
        let error = custody.rotate_vault_key(&password(), None).await.unwrap_err();
        assert!(matches!(error, CustodyError::Damaged { .. }), "{error}");
        assert_eq!(failures(&fixture).await, 0);
    }
}

#[tokio::test]
async fn an_export_that_is_not_allowed_uses_up_no_try_of_the_wallets_password() {
    let fixture = Fixture::new();
    let custody = fixture.vault(0).await;
    custody.import_key(key(5), "", &[], Some(own())).await.unwrap();
    let export = async || {
        custody
            .export_key(key(5).address(), &password(), None, Some(&own()))
            .await
    };
    fixture.place.refuse_inserts("audit_entries").await;
    for _ in 0..5 {
        assert!(export().await.is_err());
        assert_eq!(wallet_tries(&fixture).await, 0);
    }
    fixture.place.allow_inserts("audit_entries").await;
    fixture.clock.set(START_MS - 7);
    for refused in 1..6 {
        let error = export().await.unwrap_err();
        assert!(
            matches!(error, CustodyError::ClockBehind { behind_ms: 7 }),
            "{error}"
        );
        assert_eq!(wallet_tries(&fixture).await, 0);
        assert_eq!(exports(&custody, Outcome::Refused).await, refused);
    }
    fixture.clock.set(START_MS);
    assert!(export().await.unwrap().is_same_as(&key(5)));
    // A wrong one still costs a try, and no password at all does not.
    let typed = Some(&theirs());
    let error = custody
        .export_key(key(5).address(), &password(), None, typed)
        .await
        .unwrap_err();
    assert!(
        matches!(error, CustodyError::WrongWalletPassword { .. }),
        "{error}"
    );
    let error = custody
        .export_key(key(5).address(), &password(), None, None)
        .await
        .unwrap_err();
    assert!(
        matches!(error, CustodyError::WalletPasswordNeeded { .. }),
        "{error}"
    );
    assert_eq!(wallet_tries(&fixture).await, 1);
}

#[tokio::test]
async fn what_was_under_way_when_the_vault_was_locked_comes_to_nothing() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    for asked in 0..4 {
        custody.unlock(&password(), None).await.unwrap();
        let work = async {
            match asked {
                0 => custody
                    .export_key(first(), &password(), None, None)
                    .await
                    .map(|_| ()),
                1 => custody.set_wallet_password(first(), None, &own()).await,
                2 => {
                    let import = KeyImport {
                        key: key(6),
                        label: String::new(),
                        tags: Vec::new(),
                        password: Some(own()),
                    };
                    custody.import_keys(vec![import]).await.map(|_| ())
                }
                _ => {
                    let mnemonic = Mnemonic::parse(PHRASE).unwrap();
                    let family = PathFamily::EvmBip44;
                    custody
                        .import_phrase(&mnemonic, "another", "", family)
                        .await
                        .map(|_| ())
                }
            }
        };
        // Polled in this order: the work has its session when the lock takes it away.
        let (done, ()) = tokio::join!(biased; work, custody.lock());
        let error = done.unwrap_err();
        assert!(matches!(error, CustodyError::Locked), "{asked}: {error}");
    }
    assert_eq!(exports(&custody, Outcome::Authorised).await, 0);
}

on_files! {
#[tokio::test]
async fn a_rotation_during_the_stretching_is_named_as_one() {
    let row = "SELECT header FROM vaults";
    let audit_key = "SELECT audit_key FROM vaults";
    for locked in [true, false] {
        let fixture = Fixture::new();
        let custody = fixture.vault(1).await;
        let stale = fixture.unlocked().await;
        if locked {
            stale.lock().await;
        }
        let before = (fixture.blob(row).await, fixture.blob(audit_key).await);
        custody.rotate_vault_key(&password(), None).await.unwrap();
        let after = (fixture.blob(row).await, fixture.blob(audit_key).await);
        let set = |(header, key): &(Vec<u8>, Vec<u8>)| {
            let (header, key) = (hex::encode(header), hex::encode(key));
            format!("UPDATE vaults SET header = x'{header}', audit_key = x'{key}'")
        };
        // As if it came between the counted try and what follows the stretching.
        fixture.sql(&set(&before)).await;
        let trigger = format!(
            "CREATE TRIGGER rotated AFTER UPDATE OF failed_unlocks ON vaults BEGIN {}; END",
            set(&after)
        );
        fixture.sql(&trigger).await;
        let error = if locked {
            stale.unlock(&password(), None).await.unwrap_err()
        } else {
            stale
                .change_password(&password(), &own(), None)
                .await
                .unwrap_err()
        };
        assert!(matches!(error, CustodyError::KeyRotated), "{locked}: {error}");
        fixture.sql("DROP TRIGGER rotated").await;
        stale.unlock(&password(), None).await.unwrap();
    }
}
}

#[tokio::test]
async fn how_wallets_passwords_are_stretched_is_not_for_the_database_to_say() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    with_foreign_header(&fixture, "scrypt-32768").await;
    custody.import_key(key(7), "", &[], Some(own())).await.unwrap();
    custody.set_wallet_password(first(), None, &own()).await.unwrap();
    for order in ["ASC", "DESC"] {
        let query = format!("SELECT sealed FROM wallets ORDER BY wallet_id {order} LIMIT 1");
        let kdf = wallet_password_kdf(&fixture.blob(&query).await).unwrap().unwrap();
        assert_eq!(kdf.to_string(), "scrypt-16384");
    }
}
