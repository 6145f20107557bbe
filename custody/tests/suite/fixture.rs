//! A vault at a place of its own, a clock that tests set, and transactions to sign. The place is a file in one test binary
//! and a database of a server in another: see `place.rs` of each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::PolicyLimits;
use keyward_core::solana::{Instruction, MessageVersion, Transaction, compile_message, instructions};
use keyward_core::vault::KdfParams;
use keyward_custody::{
    ClientIdentity, Clock, Custody, DeriveRequest, NewVault, OpenOptions, Password, Progress, SignRequest,
    SigningObserver, SigningStep, StoreLocation,
};
use zeroize::Zeroizing;

use crate::place::Place;

pub(crate) const PHRASE: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
pub(crate) const FIRST: &str = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk";
pub(crate) const PASSWORD: &str = "tidal wicker omen 9041";
pub(crate) const NETWORK: &str = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG";
pub(crate) const CLIENT_ADDRESS: &str = "192.0.2.77";
pub(crate) const START_MS: u64 = 1_800_000_000_000;

/// A clock that stands still until a test moves it.
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn set(&self, ms: u64) {
        self.0.store(ms, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Writes the steps down, and ends the task after one of them when told to.
#[derive(Default)]
pub(crate) struct Steps {
    pub(crate) seen: Mutex<Vec<SigningStep>>,
    pub(crate) end_after: Mutex<Option<SigningStep>>,
}

impl SigningObserver for Steps {
    fn step(&self, step: SigningStep) {
        self.seen.lock().unwrap().push(step);
        let ends = *self.end_after.lock().unwrap() == Some(step);
        assert!(!ends, "the process ends after {step:?}");
    }
}

/// A place with a vault.
pub(crate) struct Fixture {
    pub(crate) place: Place,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) steps: Arc<Steps>,
    /// Where it is used from, as far as the audit log is told.
    pub(crate) client: Option<ClientIdentity>,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::at(Place::new())
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            clock: Arc::new(TestClock(AtomicU64::new(START_MS))),
            steps: Arc::new(Steps::default()),
            client: Some(ClientIdentity::new(CLIENT_ADDRESS, "till|1000|/dev/pts/0")),
        }
    }

    pub(crate) fn location(&self) -> StoreLocation {
        self.place.location()
    }

    pub(crate) fn options(&self) -> OpenOptions {
        OpenOptions {
            clock: self.clock.clone(),
            observer: self.steps.clone(),
            actor: "tester".to_owned(),
            client: self.client.clone(),
            busy_timeout_ms: 10_000,
            ..OpenOptions::default()
        }
    }

    pub(crate) async fn open(&self) -> Custody {
        Custody::open(&self.location(), self.options()).await.unwrap()
    }

    /// A new vault, unlocked, with so many wallets.
    pub(crate) async fn vault(&self, wallets: u32) -> Custody {
        let custody = self.open().await;
        custody.create_vault(new_vault()).await.unwrap();
        if wallets > 0 {
            let request = DeriveRequest {
                start: None,
                count: wallets,
                ..DeriveRequest::default()
            };
            custody.derive_wallets(request, &Progress::new()).await.unwrap();
        }
        custody
    }

    /// A second handle, unlocked.
    pub(crate) async fn unlocked(&self) -> Custody {
        let custody = self.open().await;
        custody.unlock(&password(), None).await.unwrap();
        custody
    }

    /// Runs one statement past the custody layer.
    pub(crate) async fn sql(&self, statement: &str) -> u64 {
        self.place.sql(statement).await
    }

    pub(crate) async fn number(&self, query: &str) -> i64 {
        self.place.number(query).await
    }

    /// The bytes that a query gives.
    pub(crate) async fn blob(&self, query: &str) -> Vec<u8> {
        self.place.blob(query).await
    }

    /// A copy of everything that is stored. Nobody may have it open.
    pub(crate) fn copied(&self) -> Self {
        Self::at(self.place.copied())
    }
}

pub(crate) fn password() -> Password {
    Password::new(PASSWORD.to_owned())
}

pub(crate) fn new_vault() -> NewVault {
    NewVault {
        password: password(),
        second_factor: None,
        kdf: "scrypt-16384".parse::<KdfParams>().unwrap(),
        limits: PolicyLimits {
            sol_per_transaction: Lamports::ONE_SOL,
            tokens_per_transaction: 100,
            max_priority_fee: Lamports::new(10_000_000),
            evm: None,
        },
        mnemonic: Mnemonic::parse(PHRASE).unwrap(),
        passphrase: Zeroizing::new(String::new()),
        family: PathFamily::Bip44Change,
    }
}

pub(crate) fn first() -> Address {
    FIRST.parse().unwrap()
}

pub(crate) fn recipient() -> Address {
    Address::new([7; 32])
}

/// A transaction of these instructions, paid by `payer`, unsigned.
pub(crate) fn transaction(payer: Address, instructions: &[Instruction], nonce: u8) -> Vec<u8> {
    let hash = Blockhash::new([nonce; 32]);
    let message = compile_message(MessageVersion::Legacy, payer, instructions, hash).unwrap();
    Transaction::unsigned(message).encode()
}

/// A transfer from the first wallet; the nonce makes it another transaction.
pub(crate) fn transfer(lamports: u64, nonce: u8) -> SignRequest {
    transfer_from(first(), lamports, nonce)
}

pub(crate) fn transfer_from(payer: Address, lamports: u64, nonce: u8) -> SignRequest {
    let instruction = instructions::sol_transfer(payer, recipient(), Lamports::new(lamports));
    SignRequest::new(transaction(payer, &[instruction], nonce), NETWORK)
}
