//! A vault with one wallet on either store, and what the cases do with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keyward_core::account::AccountAddress;
use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::PolicyLimits;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::server;
use crate::store::{Ask, Facts, IntentKind, NewIntent, NewWallet, SpendWindow, Store, Write, transact};
use crate::vault::Session;
use crate::{
    Clock, Custody, CustodyError, DeriveRequest, NewVault, OpenOptions, Password, Progress, StoreLocation,
};

pub(super) struct StillClock(AtomicU64);

impl Clock for StillClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

pub(super) enum Place {
    File(TempDir),
    Database(String),
}

impl Place {
    pub(super) fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    pub(super) fn database() -> Self {
        Self::Database(server::database())
    }

    pub(super) fn location(&self) -> StoreLocation {
        match self {
            Self::File(folder) => StoreLocation::from_path(folder.path().join("vault.db")),
            Self::Database(url) => StoreLocation::parse(url).unwrap(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Database(url) = self {
            server::drop_database(url);
        }
    }
}

/// A vault with one wallet.
pub(super) struct Scene {
    pub(super) clock: Arc<StillClock>,
    pub(super) custody: Custody,
    pub(super) wallet: AccountAddress,
    pub(super) place: Place,
}

impl Scene {
    pub(super) async fn new(place: Place) -> Self {
        let clock = Arc::new(StillClock(AtomicU64::new(1_000_000)));
        let custody = open(&place, &clock).await;
        let new = NewVault {
            password: Password::new("tidal wicker omen 9041".to_owned()),
            second_factor: None,
            kdf: "scrypt-16384".parse().unwrap(),
            limits: PolicyLimits {
                sol_per_transaction: Lamports::ONE_SOL,
                tokens_per_transaction: 1,
                max_priority_fee: Lamports::ONE_SOL,
                evm: None,
            },
            mnemonic: Mnemonic::from_entropy(&[7; 16]).unwrap(),
            passphrase: Zeroizing::new(String::new()),
            family: PathFamily::Bip44Change,
        };
        custody.create_vault(new).await.unwrap();
        derive(&custody).await.unwrap();
        let wallet = custody.wallet("#0").await.unwrap().address;
        Self {
            clock,
            custody,
            wallet,
            place,
        }
    }

    pub(super) fn store(&self) -> &dyn Store {
        self.custody.store()
    }

    /// Whoever writes what is sealed has the key to seal it anew.
    pub(super) fn session(&self) -> Arc<Session> {
        self.custody.session().unwrap()
    }

    pub(super) fn set_clock(&self, ms: u64) {
        self.clock.0.store(ms, Ordering::SeqCst);
    }

    pub(super) async fn write(&self, writes: Vec<Write>) -> Result<(), CustodyError> {
        let session = self.custody.session();
        let ask = Ask {
            unsigned_tail: true,
            ..Ask::default()
        };
        transact(self.store(), ask, |ledger, _| {
            if let Some(session) = &session {
                ledger.verify_edge(session.signer())?;
            }
            Ok((writes, ()))
        })
        .await
        .map(|_| ())
    }

    pub(super) async fn look(&self, ask: Ask) -> Facts {
        self.store().look(ask).await.unwrap()
    }

    pub(super) async fn id(&self) -> i64 {
        self.look(of_wallets(&[self.wallet], 0)).await.wallets[0].id
    }

    /// Reserves an amount for a new intent.
    pub(super) async fn reserve(&self, hash: [u8; 32], asset: &str, amount: u128) {
        let wallet = self.id().await;
        let writes = vec![
            Write::Intent(intent(hash, wallet)),
            reservation(hash, wallet, asset, amount, Vec::new()),
        ];
        self.write(writes).await.unwrap();
    }

    pub(super) async fn spent(&self, intents: Vec<[u8; 32]>) -> u128 {
        let window = SpendWindow {
            asset: "sol".to_owned(),
            duration_ms: 1_000,
        };
        let ask = Ask {
            windows: vec![window],
            intents,
            ..Ask::default()
        };
        self.look(ask).await.spent[0]
    }
}

pub(super) async fn open(place: &Place, clock: &Arc<StillClock>) -> Custody {
    let options = OpenOptions {
        clock: clock.clone(),
        ..OpenOptions::default()
    };
    Custody::open(&place.location(), options).await.unwrap()
}

pub(super) async fn derive(custody: &Custody) -> Result<u32, CustodyError> {
    let request = DeriveRequest {
        count: 1,
        ..DeriveRequest::default()
    };
    let range = custody.derive_wallets(request, &Progress::new()).await?;
    Ok(range.added)
}

pub(super) fn of_wallets(wallets: &[AccountAddress], rate_window_ms: u64) -> Ask {
    Ask {
        wallets: wallets.to_vec(),
        rate_window_ms,
        ..Ask::default()
    }
}

pub(super) fn intent(hash: [u8; 32], wallet: i64) -> NewIntent {
    NewIntent {
        hash,
        wallet,
        kind: IntentKind::Transaction,
        network: "test".to_owned(),
        policy_version: 1,
        message_sha256: hash,
    }
}

pub(super) fn reservation(
    intent: [u8; 32],
    wallet: i64,
    asset: &str,
    amount: u128,
    earlier: Vec<([u8; 32], u64)>,
) -> Write {
    Write::Reservation {
        intent,
        wallet,
        asset: asset.to_owned(),
        amount,
        earlier,
    }
}

pub(super) fn new_wallet(byte: u8, at: u8, label: &str) -> NewWallet {
    let mut address = [byte; 32];
    address[0] = at;
    NewWallet {
        index: None,
        path: String::new(),
        address: Address::new(address).into(),
        public_key: None,
        label: label.to_owned(),
        own_password: at % 2 == 1,
        record: [at; 16],
        epoch: 1,
        sealed: vec![at; 100],
    }
}
