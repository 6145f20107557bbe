//! A vault with wallets, and a node.

use std::path::{Path, PathBuf};

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::PolicyLimits;
use keyward_core::vault::KdfParams;
use keyward_custody::chain::SolanaNode;
use keyward_custody::transfer::TransferProgress;
use keyward_custody::{
    Custody, DeriveRequest, NewVault, OpenOptions, Password, Progress, StoreLocation, WalletQuery,
};
use keyward_tests::node::{NodeOptions, TestNode};
use tempfile::TempDir;
use tokio::sync::watch;

pub(crate) const SOL: u64 = 1_000_000_000;
const PASSWORD: &str = "quartz-lantern-ferry-81";

/// An address that nobody has seen before, so that a node which is used again cannot spoil a test.
pub(crate) fn fresh_address() -> Address {
    let seed: [u8; 32] = random();
    keyward_core::ed25519::SecretKey::from_seed(&seed).address()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let file = std::fs::File::open("/dev/urandom").unwrap();
    std::io::Read::read_exact(&mut &file, &mut bytes).unwrap();
    bytes
}

pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    pub(crate) test_node: TestNode,
    pub(crate) node: SolanaNode,
    pub(crate) custody: Custody,
    /// Two wallets of the vault.
    pub(crate) wallets: [Address; 2],
}

impl Scene {
    /// A vault of a random phrase, and a node.
    pub(crate) async fn new() -> Self {
        Self::on(TestNode::start().unwrap()).await
    }

    /// The same on the engine with short slots, so that a blockhash expires within seconds.
    pub(crate) async fn with_quick_slots() -> Self {
        Self::on(TestNode::start_engine(NodeOptions { slot_ms: 40 }).unwrap()).await
    }

    /// The same on the engine with slots of so many milliseconds: short ones are final sooner, and expire sooner.
    pub(crate) async fn with_slots(slot_ms: u32) -> Self {
        Self::on(TestNode::start_engine(NodeOptions { slot_ms }).unwrap()).await
    }

    async fn on(test_node: TestNode) -> Self {
        let folder = TempDir::new().unwrap();
        let custody = open(&database(folder.path())).await;
        let limits = PolicyLimits {
            sol_per_transaction: Lamports::new(10 * SOL),
            tokens_per_transaction: 1_000,
            max_priority_fee: Lamports::new(1_000_000),
            evm: None,
        };
        let vault = NewVault {
            password: Password::new(PASSWORD.to_owned()),
            second_factor: None,
            kdf: "scrypt-16384".parse::<KdfParams>().unwrap(),
            limits,
            mnemonic: Mnemonic::from_entropy(&random::<16>()).unwrap(),
            passphrase: String::new().into(),
            family: PathFamily::Bip44Change,
        };
        custody.create_vault(vault).await.unwrap();
        custody
            .derive_wallets(
                DeriveRequest {
                    start: None,
                    count: 2,
                    ..DeriveRequest::default()
                },
                &Progress::default(),
            )
            .await
            .unwrap();
        let page = custody
            .wallets(&WalletQuery {
                limit: 10,
                ..WalletQuery::default()
            })
            .await
            .unwrap();
        let wallets = [0, 1].map(|at| *page.rows[at].solana().unwrap());
        let node = test_node.client().unwrap();
        Self {
            folder,
            test_node,
            node,
            custody,
            wallets,
        }
    }

    pub(crate) async fn fund(&self, address: &Address, lamports: u64) {
        self.test_node
            .fund(address, Lamports::new(lamports))
            .await
            .unwrap();
    }

    pub(crate) async fn balance(&self, address: &Address) -> u64 {
        self.node.balances(&[*address]).await.unwrap().values[0]
            .unwrap()
            .get()
    }
}

pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join("keyward.db")
}

pub(crate) async fn open(path: &Path) -> Custody {
    let location = StoreLocation::parse(path.to_str().unwrap()).unwrap();
    Custody::open(&location, OpenOptions::default()).await.unwrap()
}

pub(crate) async fn unlock(custody: &Custody) {
    custody
        .unlock(&Password::new(PASSWORD.to_owned()), None)
        .await
        .unwrap();
}

pub(crate) fn progress() -> (watch::Sender<TransferProgress>, watch::Receiver<TransferProgress>) {
    watch::channel(TransferProgress::default())
}
