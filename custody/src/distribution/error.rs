//! Why a distribution was not planned or stored.

use keyward_core::address::Address;

use super::recipients::NameError;
use super::{FindingCode, MAX_MEMO_BYTES, MAX_RECIPIENTS, MAX_SOURCES, SplitError};
use crate::chain::ChainError;
use crate::jobs::{JobId, MAX_JOB_LABEL_CHARS};
use crate::{CustodyError, SignError};

/// A distribution that was not planned or stored. Nothing was signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DistributionError {
    /// Nobody is to be paid.
    #[error("nobody is to be paid")]
    NoRecipients,
    /// More are to be paid than one distribution takes.
    #[error("more than {MAX_RECIPIENTS} are to be paid")]
    TooManyRecipients,
    /// No wallet pays, or too many do.
    #[error("{found} wallets are to pay; 1 to {MAX_SOURCES} can")]
    Sources {
        /// How many were named.
        found: usize,
    },
    /// A paying wallet is named twice.
    #[error("a paying wallet is named twice")]
    SourceTwice,
    /// The label is empty or too long.
    #[error("a label has 1 to {MAX_JOB_LABEL_CHARS} characters, none of them a control character")]
    Label,
    /// A memo is empty or too long.
    #[error("a memo has {found} bytes; 1 to {MAX_MEMO_BYTES} are possible")]
    Memo {
        /// How many it has.
        found: usize,
    },
    /// Names of a list stand for nobody.
    #[error("{} names of the list stand for nobody", .0.len())]
    Names(Vec<NameError>),
    /// The chances of a random division could not be drawn.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// A transaction could not be built.
    #[error("a transaction cannot be built: {0}")]
    Build(String),
    /// The plan has findings that keep it from being carried out.
    #[error("the plan cannot be carried out as it is: {}", words(.0))]
    NotReady(Vec<FindingCode>),
    /// The same list was stored under the same label before.
    #[error("this distribution is there already: {0}")]
    Exists(JobId),
    /// The distribution was edited before.
    #[error("the distribution was edited already, into {0}")]
    EditedInto(JobId),
    /// Transactions of a distribution may still land.
    #[error("{in_flight} payments of the distribution may still land")]
    UnderWay {
        /// How many.
        in_flight: u64,
    },
    /// What was paid is no longer what the plan was made by.
    #[error("payments landed while the plan was looked at")]
    Moved,
    /// Too many edits of edits.
    #[error("the distribution was edited {0} times")]
    TooManyEdits(usize),
    /// The chain knows of an edit of the distribution.
    #[error("the distribution was edited: the chain has transactions of {0}")]
    EditedOnChain(JobId),
    /// The node's history is too short to tell that nothing was paid.
    #[error("the node's history begins at block {from}: what was paid before that is not in it")]
    Pruned {
        /// The first block that the node has.
        from: u64,
    },
    /// The chain has nothing under the list's label and payments.
    #[error("the chain has no transaction of {0}, which is where this list and label lead to")]
    NothingOnChain(JobId),
    /// What several endpoints say together proves nothing here.
    #[error("several endpoints are chosen, and one of them could answer in place of another that knows more")]
    SeveralEndpoints,
    /// The distribution's transactions on chain made payments that are not in the list.
    #[error("{payments} payments on chain are not in the list as it is now")]
    Strange {
        /// How many.
        payments: u64,
    },
    /// Transactions on chain bear the distribution's reference, and no wallet of this vault signed them.
    #[error("transactions under its reference were paid for by {}, and no wallet of this vault signed them", named(.0))]
    StrangePayers(Vec<Address>),
    /// The job is no distribution.
    #[error("the job {0} is no distribution")]
    OtherKind(JobId),
    /// The job or its network is another than asked for.
    #[error("the distribution is of network {expected}, but the endpoint serves {found}")]
    OtherNetwork {
        /// The genesis hash that it was planned for.
        expected: String,
        /// The genesis hash of the endpoint.
        found: String,
    },
    /// An edited plan pays something else.
    #[error("the edited plan pays another asset than the first one")]
    OtherAsset,
    /// More of the job is on chain than can be read.
    #[error("the job has more transactions on chain than the {0} that are read")]
    TooMuchHistory(usize),
    /// A transaction of the job is listed by the node, and not shown.
    #[error("the node lists the transaction {0} and does not show it")]
    Withheld(keyward_core::address::Signature),
    /// The node gave no usable answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The vault or its store refused or failed.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// Policy could not be asked.
    #[error(transparent)]
    Sign(#[from] SignError),
}

fn words(codes: &[FindingCode]) -> String {
    let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    words.join(", ")
}

impl DistributionError {
    /// Returns what a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NoRecipients => "name recipients in a list".into(),
            Self::TooManyRecipients => "divide the list into several".into(),
            Self::Sources { .. } => "name the wallets that pay".into(),
            Self::SourceTwice => "name each paying wallet once".into(),
            Self::Label => "give it another label".into(),
            Self::Memo { .. } => "shorten the memo, or leave it out".into(),
            Self::Names(_) => "correct the named lines".into(),
            Self::Split(error) => error.remedy().into(),
            Self::Build(_) => "correct the plan and make it again".into(),
            Self::NotReady(_) => "correct what is refused, and agree to what is asked".into(),
            Self::Exists(_) => "run that one; if this is another payment, give it another label".into(),
            Self::EditedInto(_) => "edit that one instead".into(),
            Self::UnderWay { .. } => "run the distribution until nothing is under way, then edit it".into(),
            Self::Moved => "make the plan again".into(),
            Self::TooManyEdits(_) => "plan the rest as a distribution of its own, with another label".into(),
            Self::EditedOnChain(_) => {
                "name the first distribution's id with --job, and give the edited list".into()
            }
            Self::Pruned { .. } => "ask a node that keeps the whole history".into(),
            Self::NothingOnChain(_) => {
                "give the list, the label and the options exactly as they were; if nothing was ever paid, plan it".into()
            }
            Self::SeveralEndpoints => "choose one endpoint that keeps the whole history".into(),
            Self::Strange { .. } => {
                "give the list, the label and the options exactly as they were; nothing was stored".into()
            }
            Self::StrangePayers(_) => {
                "if one of them ever was yours, import its key first; if none ever was, say so with --leave-out-strangers"
                    .into()
            }
            Self::OtherKind(_) => "name a distribution".into(),
            Self::OtherNetwork { .. } => "choose the endpoint of its network".into(),
            Self::OtherAsset => "plan a distribution of its own for it".into(),
            Self::TooMuchHistory(_) => "report it; divide distributions of this size".into(),
            Self::Withheld(_) => "ask a node that keeps the whole history".into(),
            Self::Chain(error) => error.remedy().into(),
            Self::Custody(error) => error.remedy().to_string(),
            Self::Sign(error) => error.remedy().to_string(),
        }
    }

    /// Returns a stable word for it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NothingOnChain(_) => "nothing_on_chain",
            Self::SeveralEndpoints => "several_endpoints",
            Self::NoRecipients => "no_recipients",
            Self::TooManyRecipients => "too_many_recipients",
            Self::Sources { .. } | Self::SourceTwice => "sources_invalid",
            Self::Label => "label_invalid",
            Self::Memo { .. } => "memo_invalid",
            Self::Names(_) => "names_unknown",
            Self::Split(_) => "division_impossible",
            Self::Build(_) => "transaction_unbuildable",
            Self::NotReady(_) => "plan_not_ready",
            Self::Exists(_) => "distribution_exists",
            Self::EditedInto(_) => "distribution_edited",
            Self::UnderWay { .. } => "distribution_under_way",
            Self::Moved => "distribution_moved",
            Self::TooManyEdits(_) => "too_many_edits",
            Self::EditedOnChain(_) => "edited_on_chain",
            Self::Pruned { .. } => "history_pruned",
            Self::Strange { .. } => "strange_payments",
            Self::StrangePayers(_) => "strange_payers",
            Self::OtherKind(_) => "no_distribution",
            Self::OtherNetwork { .. } => "other_network",
            Self::OtherAsset => "other_asset",
            Self::TooMuchHistory(_) => "history_too_long",
            Self::Withheld(_) => "history_incomplete",
            Self::Chain(_) => "node",
            Self::Custody(error) => error.code(),
            Self::Sign(error) => error.code(),
        }
    }
}

/// The first few of them.
fn named(payers: &[Address]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = payers.iter().take(SHOWN).map(ToString::to_string).collect();
    match payers.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
