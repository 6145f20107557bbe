//! Who signs in a job, and which of them need a password of their own for it.

use std::collections::BTreeSet;

use keyward_core::address::Address;

use super::{ItemCursor, ItemFilter, ItemState, JobId, JobState, MAX_JOB_PAGE, NewJob};
use crate::error::CustodyError;
use crate::vault::Custody;
use crate::wallets::{StatusFilter, Wallet, WalletQuery};

/// Wallets of one page.
const PAGE: u32 = 1_000;

/// Who signs in a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSigners {
    /// Who pays the fees.
    pub fee_payer: Address,
    /// Everybody, the fee payer among them.
    pub all: BTreeSet<Address>,
    /// Those of what is to be signed, the fee payer among them; none where nothing is, as of a job that is paused.
    pub left: BTreeSet<Address>,
}

impl JobSigners {
    /// Of a job that is not stored yet.
    #[must_use]
    pub fn of_new(job: &NewJob) -> Self {
        let mut signers = Self::of_payer(job.fee_payer);
        for item in &job.items {
            signers.add(item.source, true);
        }
        signers
    }

    fn of_payer(fee_payer: Address) -> Self {
        Self {
            fee_payer,
            all: BTreeSet::from([fee_payer]),
            left: BTreeSet::new(),
        }
    }

    fn add(&mut self, source: Address, is_left: bool) {
        self.all.insert(source);
        if is_left {
            self.left.extend([self.fee_payer, source]);
        }
    }
}

impl Custody {
    /// Who signs in a stored job.
    ///
    /// # Errors
    /// [`CustodyError::NotFound`], or the store's.
    pub async fn job_signers(&self, id: JobId) -> Result<JobSigners, CustodyError> {
        let job = self.job(id).await?;
        let mut signers = JobSigners::of_payer(job.fee_payer);
        let mut cursor = ItemCursor::default();
        loop {
            let page = self.job_items(id, ItemFilter::All, cursor, MAX_JOB_PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(signers);
            };
            cursor.after = Some(last.new.number);
            for item in &page {
                // What was signed is followed; should it expire, the run holds until it is asked for again.
                let is_left = job.state == JobState::Open && item.state == ItemState::Planned;
                signers.add(item.new.source, is_left);
            }
        }
    }

    /// The wallets among these that have a password of their own, in the order of their indices.
    ///
    /// # Errors
    /// The store's.
    pub async fn with_own_passwords(&self, among: &BTreeSet<Address>) -> Result<Vec<Wallet>, CustodyError> {
        if among.is_empty() {
            return Ok(Vec::new());
        }
        let mut query = WalletQuery {
            status: StatusFilter::All,
            limit: PAGE,
            ..WalletQuery::default()
        };
        let mut found = Vec::new();
        loop {
            let page = self.wallets(&query).await?;
            let own = page.rows.into_iter().filter(|wallet| {
                wallet.own_password && wallet.solana().is_some_and(|address| among.contains(address))
            });
            found.extend(own);
            query.after = page.next;
            if query.after.is_none() {
                return Ok(found);
            }
        }
    }
}
