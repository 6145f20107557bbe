//! How long a transaction can land: as long as a recent blockhash lives, or until a durable nonce is advanced.

use keyward_core::address::{Address, Blockhash};
use keyward_core::solana::Instruction;
use keyward_core::solana::instructions::advance_nonce;

use super::{NonceUse, TransferError};
use crate::chain::{Blockhashes, ChainError, Commitment, SolanaNode};
use crate::changes::Nonce;

#[derive(Debug, Clone, Copy)]
pub(super) enum Lifetime {
    Recent(Blockhashes),
    Nonce {
        held: NonceUse,
        /// A node says the fee only for a blockhash that it knows.
        recent: Blockhashes,
        /// A finalized height at which the account held the value.
        height: u64,
    },
}

impl Lifetime {
    /// By the wallet's nonce account, or by a recent blockhash.
    pub(super) async fn find(
        node: &SolanaNode,
        wallet: Address,
        nonce: Option<Address>,
    ) -> Result<Self, TransferError> {
        let recent = node.latest_blockhash().await?;
        let Some(account) = nonce else {
            return Ok(Self::Recent(recent));
        };
        let refuse = |reason: String| TransferError::Nonce { account, reason };
        let nonce = read_nonce(node, account).await?;
        if nonce.authority != wallet {
            return Err(refuse(format!(
                "its authority is {}, not {wallet}",
                nonce.authority
            )));
        }
        // That the finalized account holds another value later is the proof that a transaction can no longer land. So it must
        // hold this one now, and at a height that is known.
        let (slot, finalized) = node.account_data(&[account], Commitment::Finalized).await?;
        let finalized = finalized.first().and_then(Option::as_ref).and_then(Nonce::of);
        if finalized.map(|finalized| finalized.value) != Some(nonce.value) {
            return Err(refuse(
                "its value is not finalized yet; wait about half a minute".into(),
            ));
        }
        let tip = node.tip(Commitment::Finalized).await?;
        if tip.slot < slot {
            let message = "it has not finalized what another one has".to_owned();
            return Err(ChainError::Behind { message }.into());
        }
        let held = NonceUse {
            account,
            value: nonce.value,
        };
        let height = tip.block_height;
        Ok(Self::Nonce { held, recent, height })
    }

    pub(super) fn instruction(&self, authority: Address) -> Option<Instruction> {
        self.nonce().map(|nonce| advance_nonce(nonce.account, authority))
    }

    pub(super) fn blockhash(&self) -> Blockhash {
        match self {
            Self::Recent(recent) => recent.blockhash,
            Self::Nonce { held, .. } => held.value,
        }
    }

    pub(super) fn recent_blockhash(&self) -> Blockhash {
        let (Self::Recent(recent) | Self::Nonce { recent, .. }) = self;
        recent.blockhash
    }

    /// With a nonce: the height before which it cannot have landed.
    pub(super) fn last_valid_block_height(&self) -> u64 {
        match self {
            Self::Recent(recent) => recent.last_valid_block_height,
            Self::Nonce { height, .. } => *height,
        }
    }

    pub(super) fn nonce(&self) -> Option<NonceUse> {
        match self {
            Self::Recent(_) => None,
            Self::Nonce { held, .. } => Some(*held),
        }
    }
}

/// Reads a durable nonce as it is confirmed.
pub(super) async fn read_nonce(node: &SolanaNode, account: Address) -> Result<Nonce, TransferError> {
    let (_, found) = node.account_data(&[account], Commitment::Confirmed).await?;
    found
        .first()
        .and_then(Option::as_ref)
        .and_then(Nonce::of)
        .ok_or_else(|| TransferError::Nonce {
            account,
            reason: "there is no durable nonce in it".into(),
        })
}
