//! Imported keys and phrases, wallets of both chains, passwords of wallets' own, keys taken out.

use keyward_core::account::AccountAddress;
use keyward_core::audit::{Operation, Outcome};
use keyward_core::key::WalletKey;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::{ed25519, secp256k1};
use keyward_custody::{
    AuditQuery, CustodyError, DeriveRequest, KeyImport, MasterId, Password, Progress, SignError,
    WalletPasswords, WalletQuery,
};

use crate::fixture::{Fixture, PHRASE, password, transfer_from};

const OWN: &str = "wicker omen tidal 7733";

fn own() -> Password {
    Password::new(OWN.to_owned())
}

fn wrong() -> Password {
    Password::new("another wicker omen 12".to_owned())
}

fn solana_key(byte: u8) -> WalletKey {
    ed25519::SecretKey::from_seed(&[byte; 32]).into()
}

fn evm_key(byte: u8) -> WalletKey {
    secp256k1::SecretKey::from_bytes(&[byte; 32]).unwrap().into()
}

fn import(key: WalletKey) -> KeyImport {
    KeyImport {
        key,
        label: String::new(),
        tags: Vec::new(),
        password: None,
    }
}

async fn audited(custody: &keyward_custody::Custody, operation: Operation, outcome: Outcome) -> u64 {
    let query = AuditQuery {
        operation: Some(operation),
        outcome: Some(outcome),
        ..AuditQuery::default()
    };
    custody.audit_entries(&query).await.unwrap().total
}

#[tokio::test]
async fn ethereum_wallets_come_from_the_same_phrase() {
    let fixture = Fixture::new();
    let custody = fixture.vault(3).await;
    let request = |family| DeriveRequest {
        family: Some(family),
        count: 300,
        ..DeriveRequest::default()
    };
    let range = custody
        .derive_wallets(request(PathFamily::EvmBip44), &Progress::new())
        .await
        .unwrap();
    assert_eq!((range.first, range.added), (0, 300));
    // The address that every Ethereum wallet shows for this phrase.
    let first = custody.wallet("evm-bip44#0").await.unwrap();
    assert_eq!(
        first.address.to_string(),
        "0x9858EfFD232B4033E47d90003D41EC34EcaEda94"
    );
    assert_eq!((first.path.as_str(), first.index), ("m/44'/60'/0'/0/0", Some(0)));
    // Ledger Live's first address is the same: it is there once.
    let ledger = custody
        .derive_wallets(request(PathFamily::EvmLedgerLive), &Progress::new())
        .await
        .unwrap();
    assert_eq!((ledger.first, ledger.added), (0, 299));
    // Each family counts for itself.
    let more = DeriveRequest {
        count: 1,
        ..DeriveRequest::default()
    };
    assert_eq!(
        custody
            .derive_wallets(more, &Progress::new())
            .await
            .unwrap()
            .first,
        3
    );
    assert_eq!(
        custody
            .wallet("1/evm-bip44#299")
            .await
            .unwrap()
            .place(PathFamily::Bip44Change),
        "evm-bip44#299"
    );
    let masters = custody.masters().await.unwrap();
    assert_eq!(
        masters[0].derivations,
        [
            (PathFamily::Bip44Change, 4),
            (PathFamily::EvmBip44, 300),
            (PathFamily::EvmLedgerLive, 300)
        ]
    );
    let found = custody
        .wallets(&WalletQuery {
            text: "0x9858effd".to_owned(),
            ..WalletQuery::default()
        })
        .await
        .unwrap();
    assert_eq!(found.total, 1);
}

#[tokio::test]
async fn a_phrase_is_kept_once() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let mnemonic = Mnemonic::parse(PHRASE).unwrap();
    let family = PathFamily::EvmBip44;
    let again = custody
        .import_phrase(&mnemonic, "", "twin", family)
        .await
        .unwrap();
    assert_eq!((again.id, again.known), (MasterId::FIRST, true));
    let other = custody
        .import_phrase(&mnemonic, "TREZOR", "other", family)
        .await
        .unwrap();
    assert!(!other.known && other.id != MasterId::FIRST);
    let twice = custody
        .import_phrase(&mnemonic, "TREZOR", "again", family)
        .await
        .unwrap();
    assert_eq!((twice.id, twice.known), (other.id, true));
    let request = DeriveRequest {
        master: Some(other.id),
        count: 2,
        ..DeriveRequest::default()
    };
    custody.derive_wallets(request, &Progress::new()).await.unwrap();
    let wallet = custody.wallet(&format!("{}/#1", other.id)).await.unwrap();
    assert_eq!((wallet.master, wallet.family), (Some(other.id), Some(family)));
    assert_eq!(custody.masters().await.unwrap()[1].label, "other");
    assert_eq!(audited(&custody, Operation::ImportPhrase, Outcome::Done).await, 1);
    let nobody = DeriveRequest {
        master: Some("99".parse().unwrap()),
        count: 1,
        ..DeriveRequest::default()
    };
    let error = custody
        .derive_wallets(nobody, &Progress::new())
        .await
        .unwrap_err();
    assert!(matches!(error, CustodyError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn keys_come_all_or_none_and_twice_is_once() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let keys = vec![
        import(solana_key(3)),
        KeyImport {
            label: "hot".to_owned(),
            tags: vec!["bots".to_owned()],
            ..import(evm_key(4))
        },
        import(solana_key(3)),
    ];
    let report = custody.import_keys(keys).await.unwrap();
    assert_eq!(report.added, [solana_key(3).address(), evm_key(4).address()]);
    assert_eq!(report.known, [solana_key(3).address()]);
    let hot = custody.wallet("hot").await.unwrap();
    assert_eq!(
        (hot.address, hot.index, hot.master),
        (evm_key(4).address(), None, None)
    );
    assert_eq!(hot.tags, ["bots"]);
    assert_eq!(audited(&custody, Operation::ImportKey, Outcome::Done).await, 2);
    // One bad label among them keeps nobody.
    let bad = KeyImport {
        label: "#3".to_owned(),
        ..import(evm_key(6))
    };
    let error = custody
        .import_keys(vec![import(evm_key(5)), bad])
        .await
        .unwrap_err();
    assert!(matches!(error, CustodyError::Invalid { .. }), "{error}");
    assert!(
        custody
            .wallet_by_address(evm_key(5).address())
            .await
            .unwrap()
            .is_none()
    );
    // An imported key signs as a derived one does.
    let address = *solana_key(3).address().as_solana().unwrap();
    custody
        .sign_transaction(transfer_from(address, 5, 1))
        .await
        .unwrap();
    custody.lock().await;
    let error = custody.import_keys(vec![import(evm_key(7))]).await.unwrap_err();
    assert!(matches!(error, CustodyError::Locked));
}

#[tokio::test]
async fn a_key_leaves_only_after_the_password_and_its_audit_entry() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    custody.import_keys(vec![import(evm_key(8))]).await.unwrap();
    let address = evm_key(8).address();
    let key = custody
        .export_key(address, &password(), None, None)
        .await
        .unwrap();
    assert!(key.is_same_as(&evm_key(8)));
    assert_eq!(audited(&custody, Operation::Export, Outcome::Authorised).await, 1);
    let error = custody
        .export_key(address, &wrong(), None, None)
        .await
        .unwrap_err();
    assert!(matches!(error, CustodyError::WrongPassword), "{error}");
    assert_eq!(fixture.number("SELECT failed_unlocks FROM vaults").await, 1);
    assert_eq!(audited(&custody, Operation::Export, Outcome::Authorised).await, 1);
    // Where the entry cannot be written, nothing leaves.
    fixture.place.refuse_inserts("audit_entries").await;
    assert!(
        custody
            .export_key(address, &password(), None, None)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_wallets_own_password_is_needed_and_its_tries_are_counted() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let key = || solana_key(9);
    let address: AccountAddress = key().address();
    let from = *address.as_solana().unwrap();
    custody.import_key(key(), "", &[], Some(own())).await.unwrap();
    assert!(
        custody
            .wallet_by_address(address)
            .await
            .unwrap()
            .unwrap()
            .own_password
    );

    let error = custody
        .sign_transaction(transfer_from(from, 1, 1))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            SignError::Custody(CustodyError::WalletPasswordNeeded { .. })
        ),
        "{error}"
    );
    let with = async |password: Password, nonce| {
        let passwords = WalletPasswords::of_one(address, password);
        custody
            .sign_transaction_with(transfer_from(from, 1, nonce), &passwords)
            .await
    };
    let error = with(wrong(), 1).await.unwrap_err();
    assert!(
        matches!(
            error,
            SignError::Custody(CustodyError::WrongWalletPassword { .. })
        ),
        "{error}"
    );
    assert_eq!(
        fixture.number("SELECT MAX(failed_passwords) FROM wallets").await,
        1
    );
    // The same request goes on under its reservation, and the budget is whole again.
    with(own(), 1).await.unwrap();
    assert_eq!(fixture.number("SELECT COUNT(*) FROM spend_reservations").await, 1);
    assert_eq!(
        fixture.number("SELECT MAX(failed_passwords) FROM wallets").await,
        0
    );
    for _ in 0..5 {
        assert!(
            custody
                .export_key(address, &password(), None, Some(&wrong()))
                .await
                .is_err()
        );
    }
    let error = with(own(), 2).await.unwrap_err();
    assert!(
        matches!(error, SignError::Custody(CustodyError::WalletLockedOut { .. })),
        "{error}"
    );
    fixture.clock.advance(31_000);
    with(own(), 2).await.unwrap();

    custody
        .set_wallet_password(address, Some(&own()), &wrong())
        .await
        .unwrap();
    let error = custody.remove_wallet_password(address, &own()).await.unwrap_err();
    assert!(
        matches!(error, CustodyError::WrongWalletPassword { .. }),
        "{error}"
    );
    custody.remove_wallet_password(address, &wrong()).await.unwrap();
    custody.sign_transaction(transfer_from(from, 1, 3)).await.unwrap();
    let weak = Password::new("short".to_owned());
    let error = custody
        .set_wallet_password(address, None, &weak)
        .await
        .unwrap_err();
    assert!(matches!(error, CustodyError::WeakPassword(_)), "{error}");
}

#[tokio::test]
async fn tampered_rows_do_not_open() {
    for change in [
        // Another key's record, another public key, another epoch, another record.
        "UPDATE wallets SET public_key = (SELECT public_key FROM wallets WHERE label = 'b') WHERE label = 'a'",
        "UPDATE wallets SET sealed = (SELECT sealed FROM wallets WHERE label = 'b') WHERE label = 'a'",
        "UPDATE wallets SET epoch = 2 WHERE label = 'a'",
        "UPDATE wallets SET record_id = (SELECT record_id FROM wallets WHERE label = 'b') WHERE label = 'a'",
        "UPDATE wallets SET public_key = NULL WHERE label = 'a'",
        "UPDATE wallets SET public_key = x'00' WHERE label = 'a'",
    ] {
        let fixture = Fixture::new();
        let custody = fixture.vault(0).await;
        for (label, byte) in [("a", 11), ("b", 12)] {
            custody.import_key(evm_key(byte), label, &[], None).await.unwrap();
        }
        assert_eq!(fixture.sql(change).await, 1, "{change}");
        let error = custody
            .export_key(evm_key(11).address(), &password(), None, None)
            .await
            .unwrap_err();
        assert!(matches!(error, CustodyError::Damaged { .. }), "{change}: {error}");
    }
}
