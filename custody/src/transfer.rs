//! Transfers of SOL and of tokens: prepare and preview, sign, record, send, and follow to a proven end.
//!
//! [`prepare`] builds the exact bytes that will be signed and shows what they do. [`submit`] signs them once, commits the
//! signed bytes to the store, and only then sends; it sends the same bytes again until they are confirmed or proven
//! expired. [`resume`] picks up what a crash or a cancelled call left behind. Dropping any of these futures loses nothing.
//!
//! Nothing here signs a second time: a new signature needs a new [`prepare`], which refuses while an equal transfer is
//! unresolved unless the caller says that it is a separate payment. Lookup tables and many recipients at once are not
//! handled here.

mod amount;
mod driver;
mod error;
mod exactly;
mod lifetime;
pub mod nonce;
pub mod offline;
mod payment;
mod plan;
pub mod tracker;

use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_core::intent::Intent;
use tokio::sync::watch;

pub use amount::{NonceUse, TransferAmount};
pub use error::TransferError;

use crate::chain::SolanaNode;
pub use crate::changes::BalanceChange;
use crate::changes::SimulatedChanges;
use crate::fees::{FeePolicy, FeePrice};
use crate::lookalike::Resemblance;
use crate::signing::WalletPasswords;
use crate::{AttemptId, Custody, SigningPreview};

/// The longest memo, in bytes.
pub const MAX_MEMO_BYTES: usize = 566;

/// A transfer as a person asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferRequest {
    /// The sending wallet, which also pays the fees.
    pub from: Address,
    /// The recipient.
    pub to: Address,
    /// How much of what.
    pub amount: TransferAmount,
    /// What to offer above the cluster's own fee.
    pub fee: FeePolicy,
    /// A public text on chain, at most [`MAX_MEMO_BYTES`].
    pub memo: Option<String>,
    /// The durable nonce to live by, in place of a recent blockhash: an account whose authority is the sender.
    pub nonce: Option<Address>,
    /// What to do when an equal transfer is unresolved.
    pub repeat: Repeat,
}

impl TransferRequest {
    /// Asks for a plain transfer: no priority fee, no memo, refused while an equal one is unresolved.
    #[must_use]
    pub fn new(from: Address, to: Address, amount: impl Into<TransferAmount>) -> Self {
        Self {
            from,
            to,
            amount: amount.into(),
            fee: FeePolicy::None,
            memo: None,
            nonce: None,
            repeat: Repeat::Refuse,
        }
    }
}

/// Whether a transfer equal to an unresolved one (same sender, recipient, amount, network) is a mistake or meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Repeat {
    /// It would be paying twice: refuse with [`TransferError::Unresolved`].
    #[default]
    Refuse,
    /// The person says that it is a separate payment.
    Separate,
}

/// A transfer ready to be signed, and what it will do.
#[derive(Debug, Clone)]
pub struct TransferPlan {
    /// What was asked for.
    pub request: TransferRequest,
    /// The unsigned transaction in wire form: exactly the bytes that are signed.
    pub transaction: Vec<u8>,
    /// What the bytes do, read from the bytes.
    pub intent: Intent,
    /// What the cluster charges for the signature, without the priority fee.
    pub fee: Lamports,
    /// The priority fee: price times compute-unit limit, rounded up. Computed here, since not every node says it.
    pub priority_fee: Lamports,
    /// The compute-unit limit: what the simulation used and a margin.
    pub compute_unit_limit: u32,
    /// Balances of SOL before and after, from simulating exactly these bytes: an estimate. Empty when the simulation fails.
    pub changes: Vec<BalanceChange>,
    /// Why the transaction would fail, if it would. [`submit`] refuses such a plan unless [`TransferPlan::send_anyway`] was
    /// called.
    pub simulation_error: Option<String>,
    /// What deserves a second look, in words for the person.
    pub warnings: Vec<String>,
    /// What the policy in force says about these bytes, and which of our wallets sign.
    pub decision: SigningPreview,
    /// The last block height at which the transaction can land.
    pub last_valid_block_height: u64,
    /// The genesis hash of the network it was prepared for.
    pub network: String,
    /// What else was found out.
    pub details: PlanDetails,
}

/// What else a plan says.
#[derive(Debug, Clone, Default)]
pub struct PlanDetails {
    /// What the fee policy came to.
    pub price: Option<FeePrice>,
    /// Everything that would change, as simulated: an estimate.
    pub changes: SimulatedChanges,
    /// Known addresses that the recipient could be mistaken for.
    pub lookalikes: Vec<Resemblance>,
    /// The durable nonce that it lives by.
    pub nonce: Option<NonceUse>,
    /// The recipient's token account is created, at the sender's cost.
    pub creates_account: bool,
    /// Somebody has decided to send it although the simulation fails: see [`TransferPlan::send_anyway`].
    despite_failure: bool,
}

impl TransferPlan {
    /// Returns the fee and the priority fee together; `None` beyond 2^64 lamports.
    #[must_use]
    pub fn total_fee(&self) -> Option<Lamports> {
        self.fee.checked_add(self.priority_fee)
    }

    /// Takes the decision to send it although the simulation says that it would fail, which [`submit`] refuses without.
    /// Should it land, it most likely fails there too, and its fee is spent.
    #[must_use]
    pub fn send_anyway(mut self) -> Self {
        self.details.despite_failure = true;
        self
    }
}

/// How far a transfer has come. Meant for a screen: steps in between may be missed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TransferProgress {
    /// Checks before signing, then the signature.
    #[default]
    Signing,
    /// The signed bytes are durably recorded; from here on [`resume`] can finish it.
    Recorded {
        /// The transaction's signature.
        signature: Signature,
    },
    /// The node took the bytes.
    Sent {
        /// The transaction's signature.
        signature: Signature,
        /// How many times they were handed over.
        times: u32,
    },
    /// A supermajority has voted for it.
    Confirmed {
        /// The slot it landed in.
        slot: u64,
    },
    /// It is rooted.
    Finalized {
        /// The slot it landed in.
        slot: u64,
    },
    /// It landed and failed; the fee is spent.
    Failed {
        /// The translated reason.
        error: String,
    },
    /// It is proven that it did not land and no longer can.
    Expired,
}

/// How a transfer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferOutcome {
    /// The durable record of it; none of what a wallet outside this vault has signed.
    pub attempt: Option<AttemptId>,
    /// The transaction's signature.
    pub signature: Signature,
    /// The sender.
    pub from: Address,
    /// The recipient.
    pub to: Address,
    /// How much of what.
    pub amount: TransferAmount,
    /// The end itself.
    pub result: TransferResult,
}

/// The proven end of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferResult {
    /// It landed and succeeded, confirmed or finalized.
    Confirmed {
        /// The slot it landed in.
        slot: u64,
    },
    /// It landed and failed; the fee is spent, the amount is not.
    Failed {
        /// The slot it landed in.
        slot: u64,
        /// The translated reason.
        error: String,
    },
    /// It did not land and no longer can: paying again is safe.
    Expired,
}

/// Builds and previews a transfer. Signs nothing, reserves nothing, sends nothing.
///
/// # Errors
/// [`TransferError`], each with its cause and remedy. A transaction that the simulation refuses for a reason that is not
/// explained by balances comes back as a plan with `simulation_error`; one that the policy refuses, with its `decision`.
pub async fn prepare(
    custody: &Custody,
    node: &SolanaNode,
    request: &TransferRequest,
) -> Result<TransferPlan, TransferError> {
    let mut moments = 0;
    loop {
        match plan::prepare(custody, node, request).await {
            Err(error)
                if request.nonce.is_some() && moments < nonce::MOMENTS && nonce::is_of_this_block(&error) =>
            {
                moments += 1;
                tokio::time::sleep(nonce::MOMENT).await;
            }
            other => return other,
        }
    }
}

/// Signs a prepared transfer, records it durably, sends it and follows it to its end.
///
/// Dropping the future is safe at any point: before the record nothing was sent; after it [`resume`] goes on.
///
/// # Errors
/// [`TransferError`]. Only [`TransferError::Unknown`] comes after something was sent.
pub async fn submit(
    custody: &Custody,
    node: &SolanaNode,
    plan: TransferPlan,
    progress: watch::Sender<TransferProgress>,
) -> Result<TransferOutcome, TransferError> {
    submit_with(custody, node, plan, WalletPasswords::none(), progress).await
}

/// As [`submit`], for a wallet with a password of its own.
///
/// # Errors
/// As for [`submit`].
pub async fn submit_with(
    custody: &Custody,
    node: &SolanaNode,
    plan: TransferPlan,
    passwords: WalletPasswords,
    progress: watch::Sender<TransferProgress>,
) -> Result<TransferOutcome, TransferError> {
    driver::submit(custody, node, plan, passwords, &progress).await
}

/// Follows every unresolved transfer of the node's network to its end, sending the same bytes again while they can land.
///
/// Signs nothing and works while the vault is locked. Attempts on other networks are left as they are.
///
/// # Errors
/// The first [`TransferError`], after all others have been followed to their end.
pub async fn resume(
    custody: &Custody,
    node: &SolanaNode,
    progress: watch::Sender<TransferProgress>,
) -> Result<Vec<TransferOutcome>, TransferError> {
    driver::resume(custody, node, &progress).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_send<T: Send>(_: &T) {}

    /// Callers spawn these as tasks.
    #[test]
    fn the_futures_can_move_between_threads() {
        let _ = |custody: &Custody, node: &SolanaNode, request: &TransferRequest, plan: TransferPlan| {
            is_send(&prepare(custody, node, request));
            is_send(&submit(custody, node, plan, watch::Sender::default()));
            is_send(&resume(custody, node, watch::Sender::default()));
        };
    }
}
