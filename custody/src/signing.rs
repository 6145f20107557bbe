//! The signing service: bytes in, decoded, judged by policy, reserved and audited durably, then signed.
//!
//! The intent is always derived from the bytes to be signed, never from what the caller says they do. Every refusal
//! is in the audit log before it is returned. It does not send anything and does not talk to a chain.

mod authorise;
mod preview;
mod steps;

use std::fmt;

use keyward_core::account::AccountAddress;
use keyward_core::address::{Address, Signature};
use keyward_core::intent::Intent;
use keyward_core::policy::text::MAX_MESSAGE_BYTES;
use keyward_core::solana::{Transaction, parses_as_transaction};
use sha2::{Digest, Sha256};

use crate::attempts::MAX_NETWORK_BYTES;
use crate::error::{CustodyError, SignError};
use crate::password::Password;
use crate::store::IntentKind;
use crate::vault::Custody;
pub(crate) use authorise::policy_facts;
use steps::{Job, Subject};

/// Signatures that a wallet may be authorised for within [`RATE_WINDOW_MS`].
pub const RATE_LIMIT: u32 = 100;

/// The window that the rate limit slides over, in milliseconds.
pub const RATE_WINDOW_MS: u64 = 60_000;

/// The network of a text message, which belongs to none.
const OFF_CHAIN: &str = "off-chain";

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
}

/// Passwords of wallets' own, for one request. Wiped when dropped, never printed.
#[derive(Default)]
pub struct WalletPasswords(Vec<(AccountAddress, Password)>);

impl WalletPasswords {
    /// None.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// One wallet's.
    #[must_use]
    pub fn of_one(wallet: impl Into<AccountAddress>, password: Password) -> Self {
        Self(vec![(wallet.into(), password)])
    }

    /// One more wallet's.
    pub fn add(&mut self, wallet: impl Into<AccountAddress>, password: Password) {
        self.0.push((wallet.into(), password));
    }

    pub(crate) fn of(&self, wallet: &AccountAddress) -> Option<&Password> {
        self.0
            .iter()
            .find(|(address, _)| address == wallet)
            .map(|(_, password)| password)
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
        let SignRequest { transaction, network } = request;
        let sha256 = Sha256::digest(&transaction).into();
        let refusal = match Transaction::decode(&transaction) {
            Err(error) => SignError::Undecodable(error),
            Ok(_) if network.is_empty() || network.len() > MAX_NETWORK_BYTES => {
                CustodyError::invalid("network", format!("1 to {MAX_NETWORK_BYTES} bytes")).into()
            }
            Ok(decoded) => return self.sign_decoded(decoded, network, passwords).await,
        };
        Err(self.refuse(IntentKind::Transaction, None, sha256, refusal).await)
    }

    async fn sign_decoded(
        &self,
        mut transaction: Transaction,
        network: String,
        passwords: &WalletPasswords,
    ) -> Result<SignedTransaction, SignError> {
        let intent = Intent::from_message(&transaction.message);
        let details = format!("{}; network {network}", intent.sentences().join("; "));
        let job = Job {
            signers: transaction.message.required_signers().to_vec(),
            bytes: transaction.message_bytes(),
            sha256: intent.message_sha256,
            network,
            subject: Subject::Transaction(&intent),
            passwords,
            details,
        };
        let mut wallets = Vec::new();
        for (wallet, signature) in self.sign(job).await? {
            transaction =
                transaction
                    .with_signature(&wallet, signature)
                    .map_err(|error| SignError::Failed {
                        reason: error.to_string(),
                    })?;
            wallets.push(wallet);
        }
        let signature = transaction.signatures.first().copied().unwrap_or_default();
        Ok(SignedTransaction {
            bytes: transaction.encode(),
            signature,
            wallets,
            intent,
        })
    }

    /// Signs a text with one wallet, if policy allows.
    ///
    /// # Errors
    /// Every refusal is in the audit log before it is returned; see [`SignError`].
    pub async fn sign_message(
        &self,
        wallet: impl Into<AccountAddress>,
        message: &[u8],
    ) -> Result<Signature, SignError> {
        self.sign_message_with(wallet, message, &WalletPasswords::none())
            .await
    }

    /// As [`Self::sign_message`], with the wallet's own password.
    ///
    /// # Errors
    /// As [`Self::sign_transaction_with`].
    pub async fn sign_message_with(
        &self,
        wallet: impl Into<AccountAddress>,
        message: &[u8],
        passwords: &WalletPasswords,
    ) -> Result<Signature, SignError> {
        let wallet = wallet.into();
        let wallet = wallet
            .as_solana()
            .ok_or_else(|| CustodyError::invalid("wallet", "it is of another chain than Solana"))?;
        let sha256: [u8; 32] = Sha256::digest(message).into();
        if message.len() > MAX_MESSAGE_BYTES {
            let error = CustodyError::invalid("message", format!("at most {MAX_MESSAGE_BYTES} bytes")).into();
            return Err(self
                .refuse(IntentKind::Message, Some(*wallet), sha256, error)
                .await);
        }
        if parses_as_transaction(message) {
            let error = SignError::LooksLikeTransaction;
            return Err(self
                .refuse(IntentKind::Message, Some(*wallet), sha256, error)
                .await);
        }
        let job = Job {
            signers: vec![*wallet],
            bytes: message.to_vec(),
            sha256,
            network: OFF_CHAIN.to_owned(),
            subject: Subject::Message(message),
            passwords,
            // The text itself may be anybody's business or nobody's: its hash is the subject.
            details: format!("a text of {} bytes", message.len()),
        };
        let signed = self.sign(job).await?;
        signed
            .first()
            .map(|(_, signature)| *signature)
            .ok_or(SignError::NoSigner)
    }
}
