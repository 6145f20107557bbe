//! The process that is killed: one kind of work in a loop, each operation told of before and after.

use std::sync::Arc;

use anyhow::Context as _;
use keyward_core::address::Address;
use keyward_core::ed25519::SecretKey;
use keyward_core::key::WalletKey;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::vault::{
    CreateVault, FileContents, FileWallet, KdfParams, RecordContext, RecordId, RecordKind, RecordPublicKey,
    VaultFile, VaultHeader, VaultId, seal_record,
};
use keyward_custody::{
    Custody, CustodyError, DeriveRequest, KeyImport, Password, Progress, RotateOptions, StoreLocation,
    SystemClock,
};
use serde::{Deserialize, Serialize};

use crate::chaos::random::Random;
use crate::chaos::{process, scene};

/// Keys of one import.
pub(super) const BATCH: u64 = 4;

/// Every so many imports bring a phrase instead.
pub(super) const PHRASE_EVERY: u64 = 5;

/// A vault keeps so many phrases at most; these tests stay below.
pub(super) const MOST_PHRASES: u64 = 200;

/// Records of one stage of a rotation: few, so that it has many stages to be killed in.
const STAGED: u32 = 3;

/// Owners, who have room for fewer wallets than there are.
pub(super) const OWNERS: u64 = 3;

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Further wallets, one to forty at a time.
    Derive,
    /// Payments.
    Sign,
    /// The vault key.
    RotateVault,
    /// The vault's password.
    ChangePassword,
    /// Keys, several at a time, and phrases.
    Import,
    /// Wallets given to owners and taken from them, primary wallets switched.
    Owners,
    /// Vault files, merged into the vault.
    Merge,
    /// The keys of wallets, replaced one by one.
    RotateWallet,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Derive,
        Self::Sign,
        Self::RotateVault,
        Self::ChangePassword,
        Self::Import,
        Self::Owners,
        Self::Merge,
        Self::RotateWallet,
    ];

    /// Its name, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Derive => "derive",
            Self::Sign => "sign",
            Self::RotateVault => "VK rotation",
            Self::ChangePassword => "password change",
            Self::Import => "import of keys and phrases",
            Self::Owners => "changes of owners",
            Self::Merge => "merge of vault files",
            Self::RotateWallet => "key rotation of wallets",
        }
    }
}

/// One operation, or what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// So many wallets, from an index on; it is 0 before it is known.
    Derive {
        /// The first.
        first: u32,
        /// How many.
        count: u32,
    },
    /// The payment with this number; its signature is empty before it is known.
    Sign {
        /// The number.
        number: u64,
        /// The signature, as text.
        signature: String,
    },
    /// The vault key; its epoch is 0 before it is known.
    RotateVault {
        /// The epoch that begins.
        epoch: u32,
    },
    /// The password with this number.
    ChangePassword {
        /// The number of the new one.
        number: u64,
    },
    /// The keys, or the phrase, with this number.
    Import {
        /// The number.
        number: u64,
    },
    /// The change of an owner with this number.
    Owners {
        /// The number.
        number: u64,
        /// Whether anything changed: an owner may be full.
        changed: bool,
    },
    /// The vault file with this number.
    Merge {
        /// The number.
        number: u64,
    },
    /// A wallet's key; the new one is empty before it is known.
    RotateWallet {
        /// The address that is replaced.
        from: String,
        /// The address that comes in its place.
        to: String,
    },
}

/// What is to be done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Where the vault is.
    pub address: String,
    /// What to do.
    pub kind: Kind,
    /// The number of the password in force.
    pub password: u64,
    /// The number of the first operation.
    pub next: u64,
    /// Wallets that are there.
    pub hot: Vec<String>,
}

/// What it says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Telling {
    /// It is unlocked and waits for the word.
    Ready,
    /// This is about to be done.
    Begun(Work),
    /// This was done.
    Done(Work),
    /// This went wrong.
    Failed(String),
}

/// The password with a number; 0 is the one that the vault was made with.
#[must_use]
pub fn password(number: u64) -> Password {
    if number == 0 {
        return scene::password();
    }
    Password::new(format!("harbour quill {number} meadow lantern"))
}

/// The key with a number.
#[must_use]
pub fn key(number: u64) -> WalletKey {
    let mut random = Random::new(number);
    WalletKey::from(SecretKey::from_seed(&scene::bytes(&mut random)))
}

/// Whether the import with this number brings a phrase, and not keys.
#[must_use]
pub const fn brings_phrase(number: u64) -> bool {
    number.is_multiple_of(PHRASE_EVERY) && number / PHRASE_EVERY < MOST_PHRASES
}

/// The whole life of the process, until it is killed.
///
/// # Errors
/// When the vault does not open, or nobody listens.
pub async fn run() -> anyhow::Result<()> {
    let task: Task = process::task()?;
    let options = scene::options(Arc::new(SystemClock), "worker");
    let custody = Custody::open(&StoreLocation::parse(&task.address)?, options).await?;
    custody.unlock(&password(task.password), None).await?;
    process::say(&Telling::Ready)?;
    process::wait_for_go()?;
    let mut hand = Hand {
        custody,
        password: task.password,
        hot: task
            .hot
            .iter()
            .map(|address| Ok(address.parse()?))
            .collect::<anyhow::Result<_>>()?,
    };
    for number in task.next.. {
        let begun = hand.plan(task.kind, number)?;
        process::say(&Telling::Begun(begun.clone()))?;
        match hand.act(begun).await {
            Ok(done) => process::say(&Telling::Done(done))?,
            Err(error) => process::say(&Telling::Failed(format!("{error:?}")))?,
        }
    }
    Ok(())
}

struct Hand {
    custody: Custody,
    password: u64,
    hot: Vec<Address>,
}

impl Hand {
    fn plan(&self, kind: Kind, number: u64) -> anyhow::Result<Work> {
        Ok(match kind {
            Kind::Derive => Work::Derive {
                first: 0,
                count: 1 + u32::try_from(Random::new(number).below(40))?,
            },
            Kind::Sign => Work::Sign {
                number,
                signature: String::new(),
            },
            Kind::RotateVault => Work::RotateVault { epoch: 0 },
            Kind::ChangePassword => Work::ChangePassword {
                number: self.password + 1,
            },
            Kind::Import => Work::Import { number },
            Kind::Owners => Work::Owners {
                number,
                changed: false,
            },
            Kind::Merge => Work::Merge { number },
            Kind::RotateWallet => {
                let at = usize::try_from(number % self.hot.len() as u64)?;
                let from = self.hot.get(at).context("no wallet to rotate")?;
                Work::RotateWallet {
                    from: from.to_string(),
                    to: String::new(),
                }
            }
        })
    }

    async fn act(&mut self, work: Work) -> anyhow::Result<Work> {
        let custody = &self.custody;
        Ok(match work {
            Work::Derive { count, .. } => {
                let request = DeriveRequest {
                    count,
                    ..DeriveRequest::default()
                };
                let range = custody.derive_wallets(request, &Progress::new()).await?;
                anyhow::ensure!(range.added == count, "{range:?}");
                Work::Derive {
                    first: range.first,
                    count,
                }
            }
            Work::Sign { number, .. } => Work::Sign {
                number,
                signature: sign(custody, &self.hot, number).await?,
            },
            Work::RotateVault { .. } => {
                let options = RotateOptions {
                    chunk: STAGED,
                    ..RotateOptions::default()
                };
                let rotation = custody
                    .rotate_vault_key_with(&password(self.password), None, &options)
                    .await?;
                Work::RotateVault {
                    epoch: rotation.epoch,
                }
            }
            Work::ChangePassword { number } => {
                custody
                    .change_password(&password(self.password), &password(number), None)
                    .await?;
                self.password = number;
                work
            }
            Work::Import { number } => {
                import(custody, number).await?;
                work
            }
            Work::Owners { number, .. } => Work::Owners {
                number,
                changed: change_owners(custody, &self.hot, number).await?,
            },
            Work::Merge { number } => {
                let report = custody
                    .merge_vault_file(file(number)?, &scene::password(), None, false)
                    .await?;
                anyhow::ensure!(report.added.len() as u64 == BATCH, "{report:?}");
                work
            }
            Work::RotateWallet { from, .. } => {
                let address: Address = from.parse()?;
                let rotation = custody.rotate_wallet(address, None).await?;
                let to = *rotation.to.as_solana().context("a key of another chain")?;
                for hot in self.hot.iter_mut().filter(|hot| **hot == address) {
                    *hot = to;
                }
                Work::RotateWallet {
                    from,
                    to: to.to_string(),
                }
            }
        })
    }
}

/// Signs the payment with a number.
///
/// # Errors
/// The custody layer's.
pub(super) async fn sign(custody: &Custody, hot: &[Address], number: u64) -> anyhow::Result<String> {
    let at = usize::try_from(number % hot.len() as u64)?;
    let from = *hot.get(at).context("no wallet signs")?;
    let signed = custody
        .sign_transaction(scene::payment(from, lamports(number), number)?)
        .await?;
    Ok(signed.signature.to_string())
}

/// What the payment with a number pays.
#[must_use]
pub(super) const fn lamports(number: u64) -> u64 {
    1 + number % 1_000
}

async fn import(custody: &Custody, number: u64) -> anyhow::Result<()> {
    if brings_phrase(number) {
        let mnemonic = Mnemonic::parse(scene::PHRASE)?;
        let imported = custody
            .import_phrase(&mnemonic, &format!("{number}"), &label(number), PathFamily::Bip44)
            .await?;
        anyhow::ensure!(!imported.known, "phrase {number} was there");
        return Ok(());
    }
    let keys = (0..BATCH).map(|at| KeyImport {
        key: key(number * BATCH + at),
        label: label(number),
        tags: vec!["imported".to_owned()],
        password: None,
    });
    let report = custody.import_keys(keys.collect()).await?;
    anyhow::ensure!(report.known.is_empty(), "keys {number} were there");
    Ok(())
}

/// Gives a wallet to an owner, or takes it away, or has it lead; whether that could be.
async fn change_owners(custody: &Custody, hot: &[Address], number: u64) -> anyhow::Result<bool> {
    let mut random = Random::new(number);
    let wallet = *random.one_of(hot).context("no wallets")?;
    let changed = match random.below(4) {
        0 => custody.unassign_wallets(&[wallet]).await.map(|_| ()),
        1 => custody.set_primary(wallet).await,
        _ => {
            let owner = owner(random.below(OWNERS));
            custody.assign_wallets(&owner, &[wallet]).await.map(|_| ())
        }
    };
    match changed {
        Ok(()) => Ok(true),
        Err(CustodyError::OwnerFull { .. } | CustodyError::Invalid { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The name of an owner.
#[must_use]
pub(super) fn owner(number: u64) -> String {
    format!("desk {number}")
}

/// A vault file with the keys of a number, and nothing else.
fn file(number: u64) -> anyhow::Result<Vec<u8>> {
    let mut random = Random::new(number ^ 0x6d65_7267_6500_0000);
    let vault = VaultId::from_bytes([8; 16]);
    let (header, vault_key) = VaultHeader::create(CreateVault {
        vault,
        kdf: "scrypt-16384".parse::<KdfParams>()?,
        password: scene::PASSWORD.as_bytes(),
        second_factor: None,
        key: scene::bytes(&mut random),
        slot_salt: scene::bytes(&mut random),
        wrap_salt: scene::bytes(&mut random),
    })?;
    let mut contents = FileContents::default();
    for at in 0..BATCH {
        let key = key(number * BATCH + at);
        let mut name = [0; 16];
        name.copy_from_slice(scene::bytes(&mut random).get(..16).context("half of 32 bytes")?);
        let name = RecordId::from_bytes(name);
        let context = RecordContext {
            vault,
            record: name,
            kind: RecordKind::of(&key),
            epoch: header.epoch(),
            public_key: RecordPublicKey::of(&key),
        };
        let salt = scene::bytes(&mut random);
        contents.wallets.push(FileWallet {
            record: name,
            created_at_ms: scene::START_MS,
            master: None,
            path: None,
            family: String::new(),
            public_key: context.public_key,
            label: label(number),
            tags: vec!["imported".to_owned()],
            sealed: seal_record(&vault_key, &context, key.expose_secret(), salt)?,
        });
    }
    Ok(VaultFile::seal(
        &header,
        &vault_key,
        &contents,
        scene::bytes(&mut random),
    )?)
}

/// The label of what an import brought.
#[must_use]
pub(super) fn label(number: u64) -> String {
    format!("import {number}")
}
