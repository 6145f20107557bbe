//! What carrying out a plan costs, before anybody agrees to it.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;

/// What a distribution costs beside what it pays. Every amount is the most that it can come to at today's rules of the
/// cluster; transactions that fail and are made again come on top, each at most [`Estimate::failed_transaction`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// What is paid, in base units: what leaves the sources.
    pub paid: u64,
    /// What the mint withholds of it on the way, in base units.
    pub withheld: u64,
    /// How many transactions there are.
    pub transactions: u64,
    /// How many signatures they have.
    pub signatures: u64,
    /// What the cluster charges for them, without priority.
    pub base_fees: Lamports,
    /// The most that is offered for priority.
    pub priority_fees: Lamports,
    /// How many token accounts are made.
    pub accounts_created: u64,
    /// The rent that goes into them.
    pub rent: Lamports,
    /// What one transaction costs that fails on chain: its fee. What it was to pay stays, and is paid by another one.
    pub failed_transaction: Lamports,
    /// What each paying wallet is left with.
    pub payers: Vec<PayerEstimate>,
}

/// What a distribution takes from one wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayerEstimate {
    /// The wallet.
    pub address: Address,
    /// Its SOL before.
    pub lamports_before: Lamports,
    /// Its SOL after, the most of fees and rent counted in; none where it does not suffice.
    pub lamports_after: Option<Lamports>,
    /// Its tokens before, in base units, where a token is distributed.
    pub tokens_before: Option<u64>,
    /// Its tokens after, in base units; none where they do not suffice.
    pub tokens_after: Option<u64>,
}

impl Estimate {
    /// Fees and rent together: what the fee payer pays. `u64::MAX` stands for more.
    #[must_use]
    pub fn cost(&self) -> Lamports {
        let all = [self.base_fees, self.priority_fees, self.rent];
        let sum = all
            .iter()
            .try_fold(Lamports::ZERO, |sum, part| sum.checked_add(*part));
        sum.unwrap_or(Lamports::new(u64::MAX))
    }
}
