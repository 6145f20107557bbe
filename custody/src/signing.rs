//! The signing service: bytes in, decoded, judged by policy, reserved and audited durably, then signed.
//!
//! The intent is always derived from the bytes to be signed, never from what the caller says they do. Every refusal
//! is in the audit log before it is returned. It does not send anything and does not talk to a chain.

mod authorise;
mod evm;
mod message;
mod preview;
mod steps;
mod stopwatch;
mod subject;
mod turns;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use keyward_core::account::AccountAddress;
use keyward_core::address::{Address, Signature};
use keyward_core::intent::Intent;
use keyward_core::solana::{SignatureState, Transaction};
use sha2::{Digest, Sha256};

use crate::attempts::MAX_NETWORK_BYTES;
use crate::chain::LookupTables;
use crate::error::{CustodyError, SignError};
use crate::password::Password;
use crate::store::IntentKind;
use crate::vault::Custody;
pub(crate) use authorise::policy_facts;
pub use evm::{EvmSignRequest, SignedEvmTransaction, SignedTypedData};
pub use preview::{EvmPreview, MessagePreview};
use subject::{Job, Subject};
pub(crate) use turns::Turns;

/// The window that the rate limit of [`crate::VaultSettings::signatures_per_minute`] slides over, in milliseconds.
pub const RATE_WINDOW_MS: u64 = 60_000;

/// The five steps of one signature, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SigningStep {
    /// Session, lockout, clock and rate limit are verified; the wallet is held by the write transaction.
    Checked,
    /// Policy allows it.
    Evaluated,
    /// The reservation and the `authorised` audit entry are durable.
    Authorised,
    /// The key was opened, the signature made and verified, the key wiped.
    KeyUsed,
    /// The `signed` (or `failed`) audit entry is committed; it is durable with the next durable commit.
    Recorded,
}

impl SigningStep {
    /// Every step, in their order.
    pub const ALL: [Self; 5] = [
        Self::Checked,
        Self::Evaluated,
        Self::Authorised,
        Self::KeyUsed,
        Self::Recorded,
    ];

    /// A stable word: `checked`, `evaluated`, `authorised`, `key-used` or `recorded`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checked => "checked",
            Self::Evaluated => "evaluated",
            Self::Authorised => "authorised",
            Self::KeyUsed => "key-used",
            Self::Recorded => "recorded",
        }
    }
}

/// Told right after each of the five steps, inside the service: for metrics, and for tests that end the process
/// between two steps. It must not block.
pub trait SigningObserver: Send + Sync {
    /// A step is complete.
    fn step(&self, step: SigningStep) {
        let _ = step;
    }
}

/// An observer that does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl SigningObserver for NoObserver {}

/// A transaction to sign, with every wallet of this vault that it asks for.
#[derive(Clone, Debug)]
pub struct SignRequest {
    /// Wire bytes of the whole transaction, signatures included (zeros where none is made yet).
    pub transaction: Vec<u8>,
    /// The network it is meant for, as the node names it (its genesis hash).
    pub network: String,
    /// What its lookup tables hold, if it refers to any; without them such a transaction is refused.
    pub lookup_tables: LookupTables,
}

impl SignRequest {
    /// A request without lookup tables.
    #[must_use]
    pub fn new(transaction: Vec<u8>, network: impl Into<String>) -> Self {
        Self {
            transaction,
            network: network.into(),
            lookup_tables: LookupTables::none(),
        }
    }

    fn read(&self) -> Result<(Transaction, Intent), SignError> {
        let transaction = Transaction::decode(&self.transaction).map_err(SignError::Undecodable)?;
        if self.network.is_empty() || self.network.len() > MAX_NETWORK_BYTES {
            return Err(CustodyError::invalid("network", format!("1 to {MAX_NETWORK_BYTES} bytes")).into());
        }
        let message = &transaction.message;
        // Without tables policy refuses what refers to them, and says so.
        let intent = if message.lookups.is_empty() || self.lookup_tables.is_empty() {
            Intent::from_message(message)
        } else {
            let resolved = message.resolve(|table| self.lookup_tables.contents(table));
            Intent::from_resolved(&resolved.map_err(SignError::LookupTables)?)
        };
        Ok((transaction, intent))
    }
}

/// Signers whose place holds what is no signature of theirs.
fn invalid_signatures(transaction: &Transaction) -> Vec<AccountAddress> {
    let states = transaction.verify_signatures().into_iter();
    states
        .filter(|(_, state)| *state == SignatureState::Invalid)
        .map(|(signer, _)| signer.into())
        .collect()
}

/// Passwords of wallets' own, for one request or one job. Wiped when dropped, never printed. One that was wrong is not tried
/// again.
#[derive(Default)]
pub struct WalletPasswords(Vec<OwnPassword>);

struct OwnPassword {
    wallet: AccountAddress,
    password: Password,
    was_wrong: AtomicBool,
}

impl WalletPasswords {
    /// None.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// One wallet's.
    #[must_use]
    pub fn of_one(wallet: impl Into<AccountAddress>, password: Password) -> Self {
        let mut passwords = Self::none();
        passwords.add(wallet, password);
        passwords
    }

    /// One more wallet's.
    pub fn add(&mut self, wallet: impl Into<AccountAddress>, password: Password) {
        self.0.push(OwnPassword {
            wallet: wallet.into(),
            password,
            was_wrong: AtomicBool::new(false),
        });
    }

    fn entry(&self, wallet: &AccountAddress) -> Option<&OwnPassword> {
        self.0.iter().find(|own| own.wallet == *wallet)
    }

    pub(crate) fn of(&self, wallet: &AccountAddress) -> Option<&Password> {
        self.entry(wallet).map(|own| &own.password)
    }

    fn was_wrong(&self, wallet: &AccountAddress) -> bool {
        self.entry(wallet)
            .is_some_and(|own| own.was_wrong.load(Ordering::Acquire))
    }

    fn found_wrong(&self, wallet: &AccountAddress) {
        if let Some(own) = self.entry(wallet) {
            own.was_wrong.store(true, Ordering::Release);
        }
    }
}

impl fmt::Debug for WalletPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WalletPasswords(<redacted>)")
    }
}

/// A transaction with this vault's signatures filled in.
#[derive(Clone, Debug)]
pub struct SignedTransaction {
    /// Wire bytes, ready to send when every signer has signed.
    pub bytes: Vec<u8>,
    /// The transaction's own signature: its first, which names it on the network. Zeros while the fee payer, not
    /// being of this vault, has not signed.
    pub signature: Signature,
    /// The wallets of this vault that signed, in the message's order.
    pub wallets: Vec<Address>,
    /// What the bytes do.
    pub intent: Intent,
}

/// A refusal as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalText {
    /// A short stable word.
    pub code: String,
    /// The cause and its remedy.
    pub text: String,
}

/// What policy says to a transaction, before anyone signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreviewDecision {
    /// It would be signed, by these rules.
    Allowed {
        /// Names of the rules.
        rules: Vec<String>,
    },
    /// It would be refused.
    Refused {
        /// Every reason.
        reasons: Vec<RefusalText>,
    },
}

/// A look at a transaction: what it does, who of ours would sign, what policy says.
#[derive(Clone, Debug)]
pub struct SigningPreview {
    /// What the bytes do.
    pub intent: Intent,
    /// What policy says now; it is asked again when signing.
    pub decision: PreviewDecision,
    /// The wallets of this vault that would sign.
    pub signers: Vec<Address>,
}

impl Custody {
    /// Signs a transaction with every wallet of this vault among its signers, if policy allows.
    ///
    /// The same bytes asked for again give the same signature again, and spend nothing more.
    ///
    /// # Errors
    /// Every refusal is in the audit log before it is returned; see [`SignError`].
    pub async fn sign_transaction(&self, request: SignRequest) -> Result<SignedTransaction, SignError> {
        self.sign_transaction_with(request, &WalletPasswords::none())
            .await
    }

    /// As [`Self::sign_transaction`], with the passwords of those wallets that have one of their own. A wrong one
    /// counts towards that wallet's lockout.
    ///
    /// # Errors
    /// As [`Self::sign_transaction`]; [`CustodyError::WalletPasswordNeeded`] and [`CustodyError::WalletLockedOut`].
    pub async fn sign_transaction_with(
        &self,
        request: SignRequest,
        passwords: &WalletPasswords,
    ) -> Result<SignedTransaction, SignError> {
        let (mut transaction, intent) = match request.read() {
            Ok(read) => read,
            Err(error) => {
                let sha256 = Sha256::digest(&request.transaction).into();
                return Err(self.refuse(IntentKind::Transaction, None, sha256, error).await);
            }
        };
        let network = request.network;
        let signers = transaction.message.required_signers();
        let job = Job {
            signers: signers.iter().map(Into::into).collect(),
            invalid: invalid_signatures(&transaction),
            bytes: transaction.message_bytes(),
            sha256: intent.message_sha256,
            details: format!("{}; network {network}", intent.sentences().join("; ")),
            network,
            subject: Subject::Transaction(&intent),
            passwords,
        };
        let mut wallets = Vec::new();
        for (wallet, signature) in self.sign(job).await? {
            let (AccountAddress::Solana(wallet), Some(signature)) = (wallet, signature.as_ed25519()) else {
                return Err(SignError::other_curve());
            };
            transaction =
                transaction
                    .with_signature(&wallet, *signature)
                    .map_err(|error| SignError::Failed {
                        reason: error.to_string(),
                    })?;
            wallets.push(wallet);
        }
        let signature = *transaction.signatures.first().ok_or_else(|| SignError::Failed {
            reason: "the transaction has no place for a signature".to_owned(),
        })?;
        Ok(SignedTransaction {
            bytes: transaction.encode(),
            signature,
            wallets,
            intent,
        })
    }
}

#[cfg(test)]
mod tests;
