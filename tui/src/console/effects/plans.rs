//! Plans of what pays, collects or closes in bulk: from what was typed to what can be read, and then stored as a job.
//!
//! Nothing is signed or sent here: a stored job is run by [`super::bulk`].

use keyward_core::address::Address;
use keyward_core::amount::{format_units_short, parse_units};
use keyward_custody::distribution::{
    self, DistributionError, DistributionPlan, EditPlan, FeeBearer, FindingCode, Trial,
};
use keyward_custody::jobs::{JobFormat, JobId, NewJob};
use keyward_custody::sweep::{Collect, SweepError, SweepPlan};

use super::{Reporter, Services};
use crate::console::effect::Failure;

mod distributing;
mod names;
mod sweeping;

/// What a distribution is called that nobody named, here and by the command line.
pub const UNNAMED: &str = "distribution";

/// What is asked for, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Paying many.
    Distribution(DistributionAsk),
    /// Collecting from many, or closing their empty token accounts.
    Sweep(SweepAsk),
}

/// A distribution as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistributionAsk {
    /// A name for people; empty for the list's file name.
    pub label: String,
    /// The wallets that pay: labels, places, addresses, tags, with commas between.
    pub sources: String,
    /// The wallet that pays the fees; empty for the first source.
    pub fee_payer: String,
    /// A token's mint; empty or `SOL` for SOL.
    pub mint: String,
    /// Who is paid.
    pub recipients: Who,
    /// How much.
    pub amounts: AmountsAsk,
    /// A public text for every payment that the list gives none; may be empty.
    pub memo: String,
    /// Who bears what a token's mint withholds.
    pub bearer: FeeBearer,
    /// The fee policy: `none`, micro-lamports, or `p75:20000`.
    pub fee: String,
    /// The version of the transactions.
    pub format: JobFormat,
    /// What a person agreed to.
    pub accepted: Vec<FindingCode>,
    /// How many transactions are tried.
    pub trial: Trial,
    /// The distribution that it takes the place of: only the difference is paid.
    pub edits: Option<JobId>,
}

/// Which wallets or recipients, as they were chosen.
#[derive(Clone, PartialEq, Eq)]
pub enum Who {
    /// Those of a CSV file.
    File(String),
    /// Labels, places, addresses, tags, with commas between.
    Names(String),
    /// These very ones.
    These(Vec<Address>),
    /// Every wallet of the vault that is in use.
    All,
}

impl std::fmt::Debug for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(name) => f.debug_tuple("File").field(name).finish(),
            Self::Names(names) => f.debug_tuple("Names").field(names).finish(),
            Self::These(all) => write!(f, "These({})", all.len()),
            Self::All => f.write_str("All"),
        }
    }
}

/// How much, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AmountsAsk {
    /// As the file's second column says.
    InFile,
    /// So much each.
    Each(String),
    /// Equal parts of a total.
    Even(String),
    /// Parts of a total by the file's second column.
    Weighted(String),
    /// Parts of a total by chance.
    Random {
        /// The total.
        total: String,
        /// The least and the most of a part, as `0.1..2`; empty for no bounds.
        bounds: String,
        /// Where the chances come from, so that a plan made again is the same.
        seed: String,
    },
}

/// A consolidation or a closing as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepAsk {
    /// Which of them.
    pub what: SweepKind,
    /// A name for people; may be empty.
    pub label: String,
    /// The wallets.
    pub wallets: Who,
    /// Where it goes; of a closing empty for each wallet itself.
    pub to: String,
    /// The wallet that pays the fees; empty for the usual one.
    pub sponsor: String,
    /// What is collected.
    pub collect: Collect,
    /// What becomes of emptied accounts, and of wrapped SOL.
    pub closing: Closing,
    /// The fee policy.
    pub fee: String,
    /// The version of the transactions.
    pub format: JobFormat,
}

/// Which sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepKind {
    /// Everything into one wallet.
    Consolidate,
    /// Empty token accounts closed.
    Close,
}

/// What becomes of emptied accounts (of a consolidation), or of wrapped SOL (of a closing).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Closed, or unwrapped.
    Yes,
    /// Left.
    No,
}

/// How grave a remark on a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It cannot be carried out so.
    Refused,
    /// It can, if a person agrees.
    Asked,
    /// A person agreed to it.
    Agreed,
    /// Worth knowing.
    Told,
}

/// A remark on a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// How grave.
    pub weight: Weight,
    /// What is the matter.
    pub words: String,
    /// The address that it is about.
    pub address: Option<Address>,
    /// What to do about it; may be empty.
    pub remedy: String,
    /// What a person agrees to by agreeing to it.
    pub code: Option<FindingCode>,
}

impl Remark {
    fn told(words: String) -> Self {
        Self {
            weight: Weight::Told,
            words,
            address: None,
            remedy: String::new(),
            code: None,
        }
    }
}

/// What a person types before anything of a plan is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// The amount that moves, in base units of so many decimals.
    Amount {
        /// Base units.
        units: u64,
        /// Decimals.
        decimals: u8,
    },
    /// How many items there are.
    Count(u64),
}

impl Typed {
    /// What it is, in words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Amount { units, decimals } => format_units_short(units, decimals),
            Self::Count(count) => count.to_string(),
        }
    }

    /// Whether that is what was typed. Digits may be grouped.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        let text = text.trim().replace(',', "");
        match self {
            Self::Amount { units, decimals } => {
                let number = text.strip_suffix("SOL").unwrap_or(&text).trim();
                parse_units(number, decimals) == Ok(units)
            }
            Self::Count(count) => text == count.to_string(),
        }
    }
}

/// A plan as it is stored once it is confirmed.
#[derive(Debug, Clone)]
pub enum Kept {
    /// A distribution.
    Distribution(Box<DistributionPlan>),
    /// One that takes the place of another.
    Edit(Box<EditPlan>),
    /// A consolidation or a closing.
    Sweep(Box<SweepPlan>),
}

impl Kept {
    /// The job that it becomes.
    #[must_use]
    pub fn job(&self) -> &NewJob {
        match self {
            Self::Distribution(plan) => &plan.job,
            Self::Edit(edit) => &edit.plan.job,
            Self::Sweep(plan) => &plan.job,
        }
    }
}

/// A plan, for reading.
#[derive(Debug, Clone)]
pub struct PlanPage {
    /// What will be stored.
    pub kept: Kept,
    /// What it comes to, by name.
    pub facts: Vec<(&'static str, String)>,
    /// What there is to say, the gravest first.
    pub remarks: Vec<Remark>,
    /// What each recipient is called, in the order of the items; empty for its address.
    pub names: Vec<String>,
    /// How much each item is expected to move, in the order of the items.
    pub expected: Vec<u64>,
    /// What a person is asked to agree to.
    pub asked: Vec<FindingCode>,
    /// What a person types to have it done.
    pub typed: Typed,
    /// Whether it may be stored as it is.
    pub ready: bool,
}

/// What to do.
#[derive(Debug)]
pub enum PlanWork {
    /// Make a plan.
    Make(Box<Ask>),
    /// Store it as a job.
    Store(Box<Kept>),
}

/// What came of it.
#[derive(Debug)]
pub enum PlanAnswer {
    /// The plan.
    Made(Result<Box<PlanPage>, Failure>),
    /// The job; none where an edit leaves nothing to pay.
    Stored(Result<Option<JobId>, Failure>),
}

impl From<DistributionError> for Failure {
    fn from(error: DistributionError) -> Self {
        match error {
            DistributionError::Chain(error) => error.into(),
            DistributionError::Custody(error) => error.into(),
            DistributionError::Names(errors) => Self::new(
                names::several(&errors),
                "correct the names, or the lines of the file",
            ),
            other => {
                let remedy = other.remedy();
                Self::new(other.to_string(), remedy)
            }
        }
    }
}

impl From<SweepError> for Failure {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::Chain(error) => error.into(),
            SweepError::Custody(error) => error.into(),
            SweepError::NoSponsor => Self::new(
                error.to_string(),
                "name a wallet of this vault that pays the fees",
            ),
            other => {
                let remedy = other.remedy();
                Self::new(other.to_string(), remedy)
            }
        }
    }
}

pub(super) async fn perform(services: &Services, work: PlanWork, reporter: &Reporter) -> PlanAnswer {
    match work {
        PlanWork::Make(ask) => PlanAnswer::Made(match *ask {
            Ask::Distribution(ask) => distributing::plan(services, ask).await,
            Ask::Sweep(ask) => sweeping::plan(services, ask, reporter).await,
        }),
        PlanWork::Store(kept) => PlanAnswer::Stored(store(services, *kept).await),
    }
}

/// Stores what was confirmed; what is not ready is refused, whoever asks.
async fn store(services: &Services, kept: Kept) -> Result<Option<JobId>, Failure> {
    let custody = services.custody()?;
    match kept {
        Kept::Distribution(plan) => Ok(Some(distribution::create(&custody, &plan).await?)),
        Kept::Edit(edit) => Ok(distribution::apply_edit(&custody, &edit).await?),
        Kept::Sweep(plan) if sweeping::is_ready(&plan) => Ok(Some(custody.create_job(plan.job).await?)),
        Kept::Sweep(_) => Err(Failure::new("the plan cannot be carried out", "make it again")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_amount_is_what_is_typed() {
        let amount = Typed::Amount {
            units: 1_500_000_000,
            decimals: 9,
        };
        assert_eq!(amount.words(), "1.5");
        for right in ["1.5", " 1.500000000 ", "1.5 SOL"] {
            assert!(amount.is(right), "{right}");
        }
        for wrong in ["", "y", "1.50000000001", "1.4", "15", "-1.5", "1.5 ETH"] {
            assert!(!amount.is(wrong), "{wrong}");
        }
        let count = Typed::Count(1_200);
        assert!(count.is("1200") && count.is("1,200") && !count.is("120") && !count.is(""));
        let thousands = Typed::Amount {
            units: 1_234_000_000_000,
            decimals: 9,
        };
        assert!(thousands.is("1,234"));
    }
}
