//! Building the instructions of items. Each action has a composer; the engine asks it for the instructions of those items of
//! a batch that are its own, puts them together with the compute budget and the job's reference, and simulates the result.
//!
//! A composer may ask the chain (a drain needs a balance). It signs, stores and sends nothing. It is asked again whenever an
//! item's earlier transaction is proven gone, so it must not remember anything.

mod sol;
mod sweep;
mod token;

use async_trait::async_trait;
use keyward_core::address::Address;
use keyward_core::solana::Instruction;

use super::{ItemAction, Job, JobItem, NewItem};
use crate::chain::{ChainError, SolanaNode};

/// What one item comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Its instructions, in their order, the memo included, the job's reference not.
    pub instructions: Vec<Instruction>,
    /// How much it moves, in base units.
    pub amount: u64,
    /// The instruction that can take the job's reference as a further account, by its place in `instructions`: a
    /// transfer of the System program or of a token program can. None where none can.
    pub referable: Option<usize>,
}

/// Why instructions could not be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComposeError {
    /// These items can never be done as planned: they fail, each with its reason, and the others are built without them.
    Items(Vec<(u32, String)>),
    /// These items have nothing to do: they are skipped, each with its reason, and the others are built without them.
    Nothing(Vec<(u32, String)>),
    /// The chain gave no usable answer: it is tried again.
    Chain(ChainError),
}

impl From<ChainError> for ComposeError {
    fn from(error: ChainError) -> Self {
        Self::Chain(error)
    }
}

/// Builds the instructions of one kind of item.
#[async_trait]
pub trait Compose: Send + Sync {
    /// The instructions of these items, in their order, one [`Built`] for each.
    ///
    /// # Errors
    /// [`ComposeError`].
    async fn build(
        &self,
        node: &SolanaNode,
        job: &Job,
        items: &[&JobItem],
    ) -> Result<Vec<Built>, ComposeError>;
}

/// Who builds an action; `None` where this version cannot.
#[must_use]
pub fn composer(action: &ItemAction) -> Option<&'static dyn Compose> {
    match action {
        ItemAction::PaySol => Some(&sol::PaySol),
        ItemAction::PayToken { .. } => Some(&token::PayToken),
        ItemAction::DrainSol => Some(&sweep::DrainSol),
        ItemAction::DrainToken { .. } => Some(&sweep::DrainToken),
        ItemAction::CloseAccount { .. } => Some(&sweep::CloseAccount),
        ItemAction::WithdrawExcess { .. } => Some(&sweep::WithdrawExcess),
    }
}

/// What a payment comes to, which needs no chain to tell; none where the item is no payment.
#[must_use]
pub fn payment(item: &NewItem, fee_payer: Address) -> Option<Built> {
    match item.action {
        ItemAction::PaySol => Some(sol::pay(item)),
        ItemAction::PayToken { .. } => token::pay(item, fee_payer),
        _ => None,
    }
}
