//! A transfer that is signed on another machine: unsigned bytes out, a signature back.
//!
//! The machine with the node prepares; the machine with the key signs exactly those bytes, under its own policy and audit;
//! the first one sends. What comes back is held against what went out, so a signature is never sent for other bytes. Where
//! the paying wallet is in this vault as well, the transfer is recorded before it is sent, as every other; where it is not,
//! the file that it came in is its record, and sending it again sends the same bytes.

use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::{Lamports, TokenUnits};
use keyward_core::intent::programs;
use keyward_core::solana::{Message, SignatureState, Transaction};
use tokio::sync::watch;

use super::driver::Run;
use super::exactly::makes;
use super::tracker::{Pace, Tracker};
use super::{
    NonceUse, Repeat, TransferAmount, TransferError, TransferOutcome, TransferPlan, TransferProgress,
    TransferRequest,
};
use crate::chain::{Commitment, SolanaNode};
use crate::{AttemptState, Custody, CustodyError, NewAttempt};

/// What goes to the machine that signs and comes back from it: public, and worth nothing without the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfflineTransfer {
    /// The paying wallet, which signs.
    pub from: Address,
    /// The recipient.
    pub to: Address,
    /// How much of what.
    pub amount: TransferAmount,
    /// The unsigned transaction in wire form.
    pub transaction: Vec<u8>,
    /// The last block height at which it can land; with a durable nonce the one at which it was prepared.
    pub last_valid_block_height: u64,
    /// The durable nonce that it lives by.
    pub nonce: Option<NonceUse>,
    /// The genesis hash of its network.
    pub network: String,
}

impl OfflineTransfer {
    /// Takes a plan to be signed elsewhere.
    #[must_use]
    pub fn of(plan: &TransferPlan) -> Self {
        Self {
            from: plan.request.from,
            to: plan.request.to,
            amount: plan.request.amount,
            transaction: plan.transaction.clone(),
            last_valid_block_height: plan.last_valid_block_height,
            nonce: plan.details.nonce,
            network: plan.network.clone(),
        }
    }

    /// Takes it from its parts, as a file has them.
    ///
    /// # Errors
    /// [`TransferError::Signed`] where the bytes do not make exactly the payment that is told beside them.
    pub fn from_parts(
        (from, to): (Address, Address),
        (units, token): (u64, Option<(Address, u8)>),
        transaction: Vec<u8>,
        last_valid_block_height: u64,
        network: String,
    ) -> Result<Self, TransferError> {
        let amount = match token {
            None => TransferAmount::Sol(Lamports::new(units)),
            Some((mint, decimals)) => TransferAmount::Token {
                mint,
                units: TokenUnits {
                    amount: units,
                    decimals,
                },
            },
        };
        let decoded = decode(&transaction)?;
        if !makes(&decoded.message, &TransferRequest::new(from, to, amount)) {
            return Err(refuse("its bytes do something else than is written beside them"));
        }
        Ok(Self {
            from,
            to,
            amount,
            nonce: durable_nonce(&decoded.message),
            transaction,
            last_valid_block_height,
            network,
        })
    }

    /// Puts a signature into the unsigned bytes.
    ///
    /// # Errors
    /// [`TransferError::Signed`] where it is not the paying wallet's for these bytes.
    pub fn with_signature(&self, signature: Signature) -> Result<Vec<u8>, TransferError> {
        let mut transaction = decode(&self.transaction)?;
        match transaction.signatures.as_mut_slice() {
            [only] => *only = signature,
            _ => return Err(refuse("it needs the signatures of several wallets")),
        }
        let bytes = transaction.encode();
        self.check_signed(&bytes)?;
        Ok(bytes)
    }

    /// Whether these bytes are the same transaction, signed; its signature.
    fn check_signed(&self, signed: &[u8]) -> Result<Signature, TransferError> {
        let (sent, came) = (decode(&self.transaction)?, decode(signed)?);
        if sent.message != came.message {
            return Err(refuse("it is another transaction than was sent out"));
        }
        let states = came.verify_signatures();
        if states.is_empty() || states.iter().any(|(_, state)| *state != SignatureState::Valid) {
            return Err(refuse("a signature is missing or does not fit"));
        }
        let first = came.signatures.first();
        first.copied().ok_or_else(|| refuse("it has no signature"))
    }
}

/// Sends what was signed elsewhere, and follows it to its end.
///
/// # Errors
/// [`TransferError::Signed`] where it is not what was sent out; [`TransferError::Unresolved`] where an equal transfer is
/// unresolved; [`CustodyError::Locked`] where the paying wallet is of this vault, which is locked; the node's. Only
/// [`TransferError::Unknown`] comes after something was sent.
pub async fn submit_signed(
    custody: &Custody,
    node: &SolanaNode,
    transfer: &OfflineTransfer,
    signed: Vec<u8>,
    repeat: Repeat,
    progress: watch::Sender<TransferProgress>,
) -> Result<TransferOutcome, TransferError> {
    let signature = transfer.check_signed(&signed)?;
    let found = node.verify_network().await?;
    if found != transfer.network {
        let expected = transfer.network.clone();
        return Err(TransferError::OtherNetwork { expected, found });
    }
    let height = latest_end(node, transfer).await?;
    let known = custody.wallet_by_address(&transfer.from).await?;
    let id = match known {
        None => None,
        Some(_) => {
            let attempt = NewAttempt {
                wallet: transfer.from,
                recipient: transfer.to,
                amount: transfer.amount,
                signature,
                transaction: signed.clone(),
                last_valid_block_height: height,
                network: transfer.network.clone(),
                nonce: transfer.nonce,
            };
            match custody.record_attempt(attempt, repeat).await {
                Err(CustodyError::SamePayment { signature }) => {
                    return Err(TransferError::Unresolved { signature });
                }
                other => Some(other?),
            }
        }
    };
    let tracker = Tracker::resume(signature, AttemptState::Signed, height, Pace::default());
    let tracker = match transfer.nonce {
        Some(_) => tracker.durable(),
        None => tracker,
    };
    let request = TransferRequest::new(transfer.from, transfer.to, transfer.amount);
    let run = Run::of_signed(
        (custody, node),
        &progress,
        request,
        (id, signature),
        (signed, transfer.nonce),
    );
    run.follow(tracker).await
}

/// The height by which the proof goes that it cannot land any more. The file says one, and whoever had the file may have
/// written another: too low, and what may still land would count as expired.
async fn latest_end(node: &SolanaNode, transfer: &OfflineTransfer) -> Result<u64, TransferError> {
    let told = transfer.last_valid_block_height;
    if transfer.nonce.is_some() {
        let height = node.tip(Commitment::Finalized).await?.block_height;
        // It is the height at which the nonce was seen, and that has passed.
        return match told <= height {
            true => Ok(told),
            false => Err(refuse(
                "it says that it was prepared at a block height that is yet to come",
            )),
        };
    }
    // No blockhash outlives the newest one; a node that is ahead of this one may have told a newer one, but not by more than
    // a blockhash lives. What says so would never be proven expired.
    let height = node.block_height(Commitment::Confirmed).await?;
    let newest = node.latest_blockhash().await?.last_valid_block_height;
    let furthest = newest.saturating_add(newest.saturating_sub(height));
    match told <= furthest {
        true => Ok(told.max(newest)),
        false => Err(refuse(
            "it says that it can land until a block height that no blockhash lives to",
        )),
    }
}

/// The durable nonce that a message lives by: its first instruction advances it, and its value stands in the blockhash's
/// place.
pub(super) fn durable_nonce(message: &Message) -> Option<NonceUse> {
    let first = message.instructions.first()?;
    let program = message.account_keys.get(usize::from(first.program_index))?;
    if *program != programs::SYSTEM || first.data != 4_u32.to_le_bytes() {
        return None;
    }
    let account = message.account_keys.get(usize::from(*first.accounts.first()?))?;
    let value: Blockhash = message.recent_blockhash;
    Some(NonceUse {
        account: *account,
        value,
    })
}

fn decode(bytes: &[u8]) -> Result<Transaction, TransferError> {
    Transaction::decode(bytes).map_err(|error| refuse(&format!("its bytes are no transaction: {error}")))
}

fn refuse(reason: &str) -> TransferError {
    TransferError::Signed {
        reason: reason.to_owned(),
    }
}
