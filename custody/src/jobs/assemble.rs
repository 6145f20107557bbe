//! One transaction from the instructions of its items: the compute budget, the job's reference, and they.

use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::solana::instructions::{compute_unit_limit, compute_unit_price, sol_transfer};
use keyward_core::solana::{
    BuildError, Instruction, Message, MessageVersion, Transaction, TransactionConfig, compile_message,
};

use super::compose::Built;
use super::reference;
use super::{BatchItem, ItemAction, Job, JobFormat};
use crate::fees::{FeePolicy, priority_fee};

/// The most compute units that a transaction may ask for.
pub(crate) const GENEROUS_UNITS: u32 = 1_400_000;
/// Room above what the simulation used: a tenth, and a little for tiny transactions.
const MARGIN_UNITS: u32 = 100;

/// What a transaction offers and allows itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) units: u32,
    /// Per compute unit.
    pub(crate) micro_lamports: u64,
}

/// The limit after a simulation used so many units.
pub(crate) fn limit_for(used: u64) -> u32 {
    let used = u32::try_from(used).unwrap_or(GENEROUS_UNITS);
    used.saturating_add(used / 10)
        .saturating_add(MARGIN_UNITS)
        .min(GENEROUS_UNITS)
}

/// Compiles a transaction's message. What belongs to items comes last, in their order.
///
/// # Errors
/// [`BuildError`]; a priority fee beyond 2^64 lamports is left to policy, which refuses the largest.
pub(crate) fn message(
    job: &Job,
    built: &[Built],
    budget: Budget,
    blockhash: Blockhash,
) -> Result<Message, BuildError> {
    let mut instructions = Vec::new();
    let version = match job.format {
        JobFormat::Legacy => {
            instructions.push(compute_unit_limit(budget.units));
            // Whatever the price comes to, the same instructions: the limit is what a simulation of them used.
            if job.fee != FeePolicy::None {
                instructions.push(compute_unit_price(budget.micro_lamports));
            }
            MessageVersion::Legacy
        }
        JobFormat::V1 => MessageVersion::V1(TransactionConfig {
            priority_fee: (budget.micro_lamports > 0)
                .then(|| priority_fee(budget.micro_lamports, budget.units))
                .flatten(),
            compute_unit_limit: Some(budget.units),
            ..TransactionConfig::default()
        }),
    };
    let mut own: Vec<Instruction> = Vec::new();
    let mut is_marked = false;
    for one in built {
        for (at, instruction) in one.instructions.iter().enumerate() {
            let mut instruction = instruction.clone();
            if !is_marked && one.referable == Some(at) {
                instruction.accounts.push(reference::meta(job.id));
                is_marked = true;
            }
            own.push(instruction);
        }
    }
    if !is_marked {
        instructions.push(marker(job));
    }
    instructions.extend(own);
    compile_message(version, job.fee_payer, &instructions, blockhash)
}

/// A transfer of nothing from the fee payer to itself that carries the reference, where no instruction of the items takes a
/// further account: policy takes further accounts of a Token-2022 transfer for a hook's.
fn marker(job: &Job) -> Instruction {
    let mut marker = sol_transfer(job.fee_payer, job.fee_payer, Lamports::ZERO);
    marker.accounts.push(reference::meta(job.id));
    marker
}

/// How many instructions the programs call among themselves for such an item, at most: the cluster counts them, too.
pub(crate) fn inner_instructions(action: &ItemAction) -> usize {
    match action {
        // The account's length is asked for, the account is made (in three steps where it has lamports already), its owner
        // is fixed, and it is set up.
        ItemAction::PayToken { create: true, .. } | ItemAction::DrainToken { create: true, .. } => 6,
        _ => 0,
    }
}

/// The items of a transaction, as they are recorded.
pub(super) fn items(numbers: &[u32], built: &[Built]) -> Vec<BatchItem> {
    let pairs = numbers.iter().zip(built);
    pairs
        .map(|(item, built)| BatchItem {
            item: *item,
            amount: built.amount,
            instructions: u32::try_from(built.instructions.len()).unwrap_or(u32::MAX),
        })
        .collect()
}

/// The unsigned transaction's bytes.
pub(crate) fn unsigned(message: Message) -> Vec<u8> {
    Transaction::unsigned(message).encode()
}

/// Whether the message asks only these wallets for their signatures, besides the fee payer.
pub(super) fn strange_signer(message: &Message, sources: &[Address]) -> Option<Address> {
    let signers = message.required_signers().iter();
    signers.skip(1).find(|signer| !sources.contains(signer)).copied()
}
