//! Work on the vault itself: opening the store, new phrases, previews, creating, unlocking, locking.

use std::fmt;

use futures_util::FutureExt;
use keyward_core::derive::SolanaDeriver;
use keyward_core::mnemonic::{Mnemonic, WordCount};
use keyward_core::path::PathFamily;
use keyward_core::policy::PolicyLimits;
use keyward_core::vault::KdfParams;
use keyward_custody::memory::clearing_stack;
use keyward_custody::{NewVault, Password, VaultStatus, VaultSummary};
use zeroize::Zeroizing;

use super::Services;
use crate::console::effect::Failure;

/// How many words of a new phrase are asked back.
pub const ASKED_BACK: usize = 3;
/// How many addresses of each path family are shown before choosing.
pub const PREVIEWED: u32 = 3;

/// What to do.
pub enum VaultWork {
    /// Open the store and see what it holds.
    Open,
    /// Make a new phrase.
    NewPhrase(WordCount),
    /// Judge a password.
    Judge(Zeroizing<String>),
    /// Show the first addresses of every path family.
    Preview {
        /// The phrase.
        phrase: Zeroizing<String>,
        /// Its passphrase.
        passphrase: Zeroizing<String>,
    },
    /// Create the vault and leave it open.
    Create(Box<NewVaultRequest>),
    /// Unlock it.
    Unlock(Zeroizing<String>),
    /// Lock it.
    Lock,
}

/// What a new vault is made of.
pub struct NewVaultRequest {
    /// The phrase.
    pub phrase: Zeroizing<String>,
    /// Its passphrase.
    pub passphrase: Zeroizing<String>,
    /// The path.
    pub family: PathFamily,
    /// The password.
    pub password: Zeroizing<String>,
    /// The limits of the default policy.
    pub limits: PolicyLimits,
}

impl fmt::Debug for VaultWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultWork(<redacted>)")
    }
}

impl fmt::Debug for NewVaultRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewVaultRequest(<redacted>)")
    }
}

/// What came of it.
pub enum VaultAnswer {
    /// The store is open, or not.
    Opened(Result<VaultStatus, Failure>),
    /// A new phrase.
    NewPhrase(Result<NewPhrase, Failure>),
    /// Whether a password is strong enough, else why not.
    Judged(Result<(), String>),
    /// The first addresses of every path family.
    Preview(Result<Vec<FamilyPreview>, Failure>),
    /// The vault was created.
    Created(Result<VaultSummary, Failure>),
    /// The vault was unlocked.
    Unlocked(Result<VaultSummary, Failure>),
    /// The vault was locked.
    Locked,
}

impl fmt::Debug for VaultAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultAnswer(<redacted>)")
    }
}

/// A new phrase and which of its words will be asked back.
pub struct NewPhrase {
    /// The phrase.
    pub mnemonic: Mnemonic,
    /// Positions counted from 0, rising, all different.
    pub asked: [usize; ASKED_BACK],
}

impl fmt::Debug for NewPhrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPhrase(<redacted>)")
    }
}

/// The first addresses of one path family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyPreview {
    /// The family.
    pub family: PathFamily,
    /// Addresses in full, from index 0; one alone for a family of one.
    pub addresses: Vec<String>,
}

pub(super) async fn perform(services: &Services, work: VaultWork) -> VaultAnswer {
    match work {
        VaultWork::Open => VaultAnswer::Opened(open(services).boxed().await),
        VaultWork::NewPhrase(words) => VaultAnswer::NewPhrase(clearing_stack(|| new_phrase(words))),
        VaultWork::Judge(password) => {
            let judged = blocking(move || {
                Ok(Password::new(password.to_string())
                    .check_strength()
                    .map_err(|weak| weak.to_string()))
            });
            VaultAnswer::Judged(judged.await.unwrap_or_else(|failure| Err(failure.cause)))
        }
        VaultWork::Preview { phrase, passphrase } => {
            VaultAnswer::Preview(blocking(move || preview(&phrase, &passphrase)).await)
        }
        VaultWork::Create(request) => VaultAnswer::Created(create(services, *request).boxed().await),
        VaultWork::Unlock(password) => VaultAnswer::Unlocked(unlock(services, &password).boxed().await),
        VaultWork::Lock => {
            if let Ok(custody) = services.custody() {
                custody.lock().boxed().await;
            }
            VaultAnswer::Locked
        }
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(|| clearing_stack(work)).await {
        Ok(result) => result,
        Err(_) => Err(Failure::new("the work broke off", "try again")),
    }
}

async fn open(services: &Services) -> Result<VaultStatus, Failure> {
    Ok(services.open().await?.status().await?)
}

pub(super) fn random_bytes(buffer: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(buffer).map_err(|_| {
        Failure::new(
            "the operating system gave no random bytes",
            "check its random device and try again",
        )
    })
}

fn new_phrase(words: WordCount) -> Result<NewPhrase, Failure> {
    let mut entropy = Zeroizing::new([0_u8; 32]);
    let entropy = entropy
        .get_mut(..words.entropy_len())
        .ok_or_else(|| Failure::new("this phrase length is not known", "choose another"))?;
    random_bytes(entropy)?;
    let mnemonic =
        Mnemonic::from_entropy(entropy).map_err(|error| Failure::new(error.to_string(), "try again"))?;
    let asked = asked_back(mnemonic.word_count().words())?;
    Ok(NewPhrase { mnemonic, asked })
}

/// Chooses which words are asked back.
fn asked_back(words: usize) -> Result<[usize; ASKED_BACK], Failure> {
    let mut asked: Vec<usize> = Vec::with_capacity(ASKED_BACK);
    // One draw in four at worst repeats an earlier one (12 words), so the bound is never met in practice.
    for _ in 0..1_000 {
        let mut byte = [0_u8];
        random_bytes(&mut byte)?;
        // A slight bias does not matter: the positions are no secret.
        let position = usize::from(byte[0]) % words.max(ASKED_BACK);
        if !asked.contains(&position) {
            asked.push(position);
        }
        if asked.len() == ASKED_BACK {
            break;
        }
    }
    asked.sort_unstable();
    <[usize; ASKED_BACK]>::try_from(asked).map_err(|_| {
        Failure::new(
            "the operating system's random bytes repeat",
            "check its random device",
        )
    })
}

fn preview(phrase: &str, passphrase: &str) -> Result<Vec<FamilyPreview>, Failure> {
    let mnemonic = Mnemonic::parse(phrase)
        .map_err(|error| Failure::new(error.to_string(), "go back and correct the phrase"))?;
    let seed = mnemonic.to_seed(passphrase);
    let broken = |error: &dyn fmt::Display| Failure::new(error.to_string(), "choose another path");
    PathFamily::SOLANA
        .into_iter()
        .map(|family| {
            let count = if family.is_single() { 1 } else { PREVIEWED };
            let deriver = SolanaDeriver::new(&seed, family).map_err(|error| broken(&error))?;
            let keys = deriver.derive_chunk(0, count).map_err(|error| broken(&error))?;
            let addresses = keys.iter().map(|key| key.address.to_string()).collect();
            Ok(FamilyPreview { family, addresses })
        })
        .collect()
}

async fn create(services: &Services, request: NewVaultRequest) -> Result<VaultSummary, Failure> {
    let custody = services.custody()?;
    let mnemonic = clearing_stack(|| Mnemonic::parse(&request.phrase))
        .map_err(|error| Failure::new(error.to_string(), "go back and correct the phrase"))?;
    Ok(custody
        .create_vault(NewVault {
            password: Password::new(request.password.to_string()),
            second_factor: services.second_factor()?,
            kdf: KdfParams::DEFAULT,
            limits: request.limits,
            mnemonic,
            passphrase: request.passphrase,
            family: request.family,
        })
        .await?)
}

async fn unlock(services: &Services, password: &str) -> Result<VaultSummary, Failure> {
    let custody = services.custody()?;
    custody
        .unlock(
            &Password::new(password.to_owned()),
            services.second_factor()?.as_ref(),
        )
        .await?;
    match custody.status().await? {
        VaultStatus::Unlocked(summary) => Ok(summary),
        // Locked again in the meantime, by Ctrl-L.
        _ => Err(keyward_custody::CustodyError::Locked.into()),
    }
}
