//! What everything of many wallets goes to, before it does.

use keyward_core::address::Address;
use keyward_core::intent::programs;

use super::SweepError;
use crate::Custody;
use crate::chain::{AccountInfo, SolanaNode};

/// Whether this can be somebody's wallet, and not merely looks like one that is known here.
///
/// # Errors
/// [`SweepError::NotAWallet`] where no key can move what is sent there; [`SweepError::Lookalike`].
pub(super) async fn expect_wallet(
    custody: &Custody,
    node: &SolanaNode,
    address: Address,
) -> Result<(), SweepError> {
    let strange = |reason| Err(SweepError::NotAWallet { address, reason });
    if programs::name(&address).is_some() {
        return strange("it is a program");
    }
    if !address.is_on_curve() {
        return strange("no key belongs to it");
    }
    let (_, found) = node.accounts(&[address]).await?;
    let kept = |account: &AccountInfo| account.executable || account.owner != programs::SYSTEM;
    if found.into_iter().flatten().next().as_ref().is_some_and(kept) {
        return strange("a program keeps it, as it keeps token accounts and mints");
    }
    match custody.lookalikes().await?.check(&address).first() {
        None => Ok(()),
        Some(resemblance) => Err(SweepError::Lookalike {
            address,
            known: resemblance.known.address,
        }),
    }
}
