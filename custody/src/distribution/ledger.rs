//! What the chain itself says that a distribution has paid: every transaction under its reference, read and added up.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{FutureExt, StreamExt};
use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_core::intent::{Action, Intent};

use super::DistributionError;
use crate::chain::{Commitment, HistoryQuery, LandedTransaction, SolanaNode};
use crate::jobs::{ItemAction, JobId, NewItem, reference};

/// The most transactions of one job that are read.
const MAX_TRANSACTIONS: usize = 100_000;
/// How many are read at once.
const PARALLEL: usize = 4;

/// A landed transaction of a job.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) transaction: LandedTransaction,
    /// What it paid; nothing if it failed.
    pub(super) payments: Vec<Payment>,
}

/// One payment on chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Payment {
    pub(super) to: Target,
    /// What left the source, in base units.
    pub(super) amount: u64,
}

/// What is credited: a wallet's SOL, or a token account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Target {
    Sol(Address),
    Token { mint: Address, account: Address },
}

impl Target {
    /// What an item credits; none if it is no payment.
    pub(super) fn of(item: &NewItem) -> Option<Self> {
        match item.action {
            ItemAction::PaySol => Some(Self::Sol(item.recipient)),
            ItemAction::PayToken {
                mint,
                destination_account,
                ..
            } => Some(Self::Token {
                mint,
                account: destination_account,
            }),
            _ => None,
        }
    }
}

impl Entry {
    fn read(transaction: LandedTransaction) -> Self {
        let intent = Intent::from_message(&transaction.transaction.message);
        let payments = match transaction.error {
            Some(_) => Vec::new(),
            None => intent.actions.iter().filter_map(payment).collect(),
        };
        Self {
            transaction,
            payments,
        }
    }

    /// Whether one of these signed it. The reference is public: anybody can put it into a transaction of his own, but not sign
    /// for a wallet of this vault.
    pub(super) fn is_signed_by(&self, signers: &BTreeSet<Address>) -> bool {
        let mut required = self.required_signers().iter();
        required.any(|signer| signers.contains(signer))
    }

    pub(super) fn required_signers(&self) -> &[Address] {
        self.transaction.transaction.message.required_signers()
    }

    pub(super) fn fee_payer(&self) -> &Address {
        self.transaction.transaction.message.fee_payer()
    }

    /// What the cluster kept: what all accounts together have less than before.
    pub(super) fn fee(&self) -> Lamports {
        let sum = |after: bool| -> u128 {
            let side = |change: &crate::chain::SolChange| if after { change.after } else { change.before };
            self.transaction
                .sol
                .iter()
                .map(|change| u128::from(side(change).get()))
                .sum()
        };
        let kept = sum(false).saturating_sub(sum(true));
        Lamports::new(u64::try_from(kept).unwrap_or(u64::MAX))
    }

    /// What went into accounts that were not there before, other than those paid SOL: rent.
    pub(super) fn rent(&self) -> (u64, Lamports) {
        let is_token = |address: &Address| {
            let mut payments = self.payments.iter();
            payments.any(|payment| matches!(payment.to, Target::Token { account, .. } if account == *address))
        };
        let new = self.transaction.sol.iter();
        let new = new.filter(|change| change.before < change.after && is_token(&change.address));
        new.fold((0, Lamports::ZERO), |(count, sum), change| {
            let rent = change.after.get().saturating_sub(change.before.get());
            (count + 1, Lamports::new(sum.get().saturating_add(rent)))
        })
    }

    /// By how much a target's balance rose.
    pub(super) fn received(&self, target: &Target) -> u64 {
        match target {
            Target::Sol(address) => {
                let found = self
                    .transaction
                    .sol
                    .iter()
                    .find(|change| change.address == *address);
                found.map_or(0, |change| change.after.get().saturating_sub(change.before.get()))
            }
            Target::Token { mint, account } => {
                let mut changes = self.transaction.tokens.iter();
                let found = changes.find(|change| change.account == *account && change.mint == *mint);
                found.map_or(0, |change| change.after.saturating_sub(change.before))
            }
        }
    }
}

fn payment(action: &Action) -> Option<Payment> {
    match action {
        // The carrier of a reference pays nothing to itself.
        Action::SolTransfer { from, to, lamports } if from != to && lamports.get() > 0 => Some(Payment {
            to: Target::Sol(*to),
            amount: lamports.get(),
        }),
        Action::TokenTransfer {
            destination,
            mint: Some(mint),
            amount,
            ..
        } if *amount > 0 => Some(Payment {
            to: Target::Token {
                mint: *mint,
                account: *destination,
            },
            amount: *amount,
        }),
        _ => None,
    }
}

/// Reads every landed transaction of a job, the oldest first. A node that lists one and does not show it is not believed.
pub(super) async fn read(
    node: &SolanaNode,
    job: JobId,
    commitment: Commitment,
) -> Result<Vec<Entry>, DistributionError> {
    let address = reference::reference(job);
    let mut signatures: Vec<Signature> = Vec::new();
    let mut before = None;
    loop {
        let query = HistoryQuery {
            before,
            commitment,
            ..HistoryQuery::newest(HistoryQuery::MAX_LIMIT)
        };
        let page = node.history_page(&address, &query).await?;
        // Nodes may give less than was asked for: only an empty page is the last one.
        let Some(last) = page.last() else { break };
        before = Some(last.signature);
        signatures.extend(page.into_iter().map(|item| item.signature));
        if signatures.len() > MAX_TRANSACTIONS {
            return Err(DistributionError::TooMuchHistory(MAX_TRANSACTIONS));
        }
    }
    signatures.reverse();
    let mut requests = Vec::with_capacity(signatures.len());
    for signature in &signatures {
        requests.push(async move { (*signature, node.transaction(signature, commitment).await) }.boxed());
    }
    let mut answers = futures_util::stream::iter(requests).buffered(PARALLEL);
    let mut entries = Vec::with_capacity(signatures.len());
    while let Some((signature, answer)) = answers.next().await {
        let transaction = answer?.ok_or(DistributionError::Withheld(signature))?;
        entries.push(Entry::read(transaction));
    }
    Ok(entries)
}

/// What was paid to each target.
pub(super) fn paid(entries: &[Entry]) -> BTreeMap<Target, u64> {
    let mut sums = BTreeMap::<Target, u64>::new();
    for payment in entries.iter().flat_map(|entry| &entry.payments) {
        let sum = sums.entry(payment.to).or_default();
        *sum = sum.saturating_add(payment.amount);
    }
    sums
}
