//! What a distribution was to pay, what is recorded of it, and what the chain says, side by side.

use std::collections::{BTreeMap, BTreeSet};

use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;

use super::ledger::{self, Entry, Target};
use super::{DistributionError, Items};
use crate::Custody;
use crate::chain::{Commitment, SolanaNode};
use crate::jobs::{ItemState, JobId, JobKind};

/// A distribution held against the chain.
#[derive(Clone, Debug)]
pub struct DistributionReport {
    /// The distribution.
    pub job: JobId,
    /// One line for each credited account, in the order of the plan; then those that are paid on chain and not in the plan.
    pub lines: Vec<ReportLine>,
    /// Everything together.
    pub totals: ReportTotals,
}

/// What one account was to be paid, and was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportLine {
    /// The recipient; for a token its wallet.
    pub recipient: Address,
    /// The credited token account.
    pub account: Option<Address>,
    /// What the plan pays, in base units, as it leaves the sources.
    pub planned: u64,
    /// What is recorded as paid, in base units.
    pub recorded: u64,
    /// What left the sources for it on chain, in base units.
    pub paid: u64,
    /// What arrived on chain, in base units: less where the mint withholds a fee.
    pub received: u64,
    /// The transactions that paid it.
    pub transactions: Vec<Signature>,
    /// How the three agree.
    pub verdict: Verdict,
}

/// How plan, record and chain agree about one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is paid, and recorded.
    Paid,
    /// Less than planned is paid, and so it is recorded.
    Open,
    /// The chain says more than the record: run the job, which looks the transactions up.
    Unrecorded,
    /// The chain says less than the record: the node lacks history, or the record is wrong.
    Missing,
    /// More than planned is paid.
    Over,
}

impl Verdict {
    /// Its stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Open => "open",
            Self::Unrecorded => "unrecorded",
            Self::Missing => "missing",
            Self::Over => "over",
        }
    }

    const fn of(planned: u64, recorded: u64, paid: u64) -> Self {
        if paid > planned {
            Self::Over
        } else if paid > recorded {
            Self::Unrecorded
        } else if paid < recorded {
            Self::Missing
        } else if paid == planned {
            Self::Paid
        } else {
            Self::Open
        }
    }
}

/// A report's sums. Amounts of the asset are in base units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportTotals {
    /// What the plan pays.
    pub planned: u64,
    /// What is recorded as paid.
    pub recorded: u64,
    /// What left the sources on chain.
    pub paid: u64,
    /// What arrived on chain.
    pub received: u64,
    /// Transactions that landed.
    pub transactions: u64,
    /// Of those, transactions that failed and cost their fee alone.
    pub failed_transactions: u64,
    /// What the cluster kept of all of them, to the lamport.
    pub fees: Lamports,
    /// Token accounts made.
    pub accounts_created: u64,
    /// What went into them.
    pub rent: Lamports,
    /// What those who signed have less than before: payments of SOL, fees and rent.
    pub spent: Lamports,
    /// Transactions under the distribution's reference that none of its wallets signed: somebody else's, in no sum.
    pub strange_transactions: u64,
    /// Lamports that are in none of these: 0 unless something else happened in the same transactions.
    pub unexplained: Lamports,
}

impl DistributionReport {
    /// Whether plan, record and chain agree on everything that is done.
    #[must_use]
    pub fn agrees(&self) -> bool {
        let is_sound = |line: &ReportLine| matches!(line.verdict, Verdict::Paid | Verdict::Open);
        self.lines.iter().all(is_sound) && self.totals.unexplained == Lamports::ZERO
    }
}

pub(super) async fn report(
    custody: &Custody,
    node: &SolanaNode,
    id: JobId,
) -> Result<DistributionReport, DistributionError> {
    let job = custody.job(id).await?;
    if job.kind != JobKind::Distribution {
        return Err(DistributionError::OtherKind(id));
    }
    super::same_network(node, &job.network).await?;
    let items = Items::read(custody, id).await?;
    let entries = ledger::read(node, id, Commitment::Confirmed).await?;
    let mut signers: BTreeSet<Address> = items.0.iter().map(|item| item.new.source).collect();
    signers.insert(job.fee_payer);
    let (own, strange): (Vec<Entry>, Vec<Entry>) = entries
        .into_iter()
        .partition(|entry| entry.is_signed_by(&signers));
    let mut report = compare(id, &items, &own);
    report.totals.strange_transactions = strange.len() as u64;
    Ok(report)
}

fn compare(job: JobId, items: &Items, entries: &[Entry]) -> DistributionReport {
    let mut places = BTreeMap::<Target, usize>::new();
    let mut lines: Vec<ReportLine> = Vec::new();
    let mut line = |lines: &mut Vec<ReportLine>, target: Target, recipient: Address| {
        *places.entry(target).or_insert_with(|| {
            let account = match target {
                Target::Sol(_) => None,
                Target::Token { account, .. } => Some(account),
            };
            lines.push(ReportLine {
                recipient,
                account,
                planned: 0,
                recorded: 0,
                paid: 0,
                received: 0,
                transactions: Vec::new(),
                verdict: Verdict::Open,
            });
            lines.len() - 1
        })
    };
    for item in &items.0 {
        let Some(target) = Target::of(&item.new) else {
            continue;
        };
        let at = line(&mut lines, target, item.new.recipient);
        if let Some(line) = lines.get_mut(at) {
            line.planned = line.planned.saturating_add(item.new.amount);
            if item.state == ItemState::Confirmed {
                line.recorded = line.recorded.saturating_add(item.new.amount);
            }
        }
    }
    for entry in entries {
        let mut sums = BTreeMap::<Target, u64>::new();
        for payment in &entry.payments {
            let sum = sums.entry(payment.to).or_default();
            *sum = sum.saturating_add(payment.amount);
        }
        for (target, amount) in sums {
            let recipient = match target {
                Target::Sol(address) | Target::Token { account: address, .. } => address,
            };
            let at = line(&mut lines, target, recipient);
            if let Some(line) = lines.get_mut(at) {
                line.paid = line.paid.saturating_add(amount);
                line.received = line.received.saturating_add(entry.received(&target));
                line.transactions.push(entry.transaction.signature);
            }
        }
    }
    for line in &mut lines {
        line.verdict = Verdict::of(line.planned, line.recorded, line.paid);
    }
    let totals = totals(&lines, entries);
    DistributionReport { job, lines, totals }
}

fn totals(lines: &[ReportLine], entries: &[Entry]) -> ReportTotals {
    let sum = |of: fn(&ReportLine) -> u64| lines.iter().map(of).fold(0, u64::saturating_add);
    let mut totals = ReportTotals {
        planned: sum(|line| line.planned),
        recorded: sum(|line| line.recorded),
        paid: sum(|line| line.paid),
        received: sum(|line| line.received),
        transactions: entries.len() as u64,
        ..ReportTotals::default()
    };
    let (mut fees, mut rent, mut spent, mut sol) = (0_u128, 0_u128, 0_u128, 0_u128);
    for entry in entries {
        totals.failed_transactions += u64::from(entry.transaction.error.is_some());
        let (created, locked) = entry.rent();
        totals.accounts_created += created;
        rent += u128::from(locked.get());
        fees += u128::from(entry.fee().get());
        let signers = entry.required_signers();
        let changes = entry
            .transaction
            .sol
            .iter()
            .filter(|change| signers.contains(&change.address));
        spent += changes
            .map(|change| u128::from(change.before.get().saturating_sub(change.after.get())))
            .sum::<u128>();
        let paid = entry
            .payments
            .iter()
            .filter(|payment| matches!(payment.to, Target::Sol(_)));
        sol += paid.map(|payment| u128::from(payment.amount)).sum::<u128>();
    }
    let lamports = |sum: u128| Lamports::new(u64::try_from(sum).unwrap_or(u64::MAX));
    totals.fees = lamports(fees);
    totals.rent = lamports(rent);
    totals.spent = lamports(spent);
    totals.unexplained = lamports(spent.abs_diff(fees + rent + sol));
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_name_every_disagreement() {
        let cases = [
            ((5, 5, 5), Verdict::Paid),
            ((5, 0, 0), Verdict::Open),
            ((5, 3, 3), Verdict::Open),
            ((5, 0, 5), Verdict::Unrecorded),
            ((5, 5, 0), Verdict::Missing),
            ((5, 5, 10), Verdict::Over),
            ((0, 0, 1), Verdict::Over),
        ];
        for ((planned, recorded, paid), expected) in cases {
            assert_eq!(
                Verdict::of(planned, recorded, paid),
                expected,
                "{planned} {recorded} {paid}"
            );
        }
    }
}
