//! Why a job was not run.

use crate::CustodyError;
use crate::chain::ChainError;

/// A job that could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The node is of another network than the job.
    #[error("the node is of network {found}, and the job of {expected}")]
    OtherNetwork {
        /// The job's genesis hash.
        expected: String,
        /// The node's.
        found: String,
    },
    /// The node.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The vault or its store.
    #[error(transparent)]
    Custody(#[from] CustodyError),
}

impl JobError {
    /// A short stable word for scripts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::OtherNetwork { .. } => "other-network",
            Self::Chain(error) => error.code(),
            Self::Custody(error) => error.code(),
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::OtherNetwork { .. } => "choose a node of the job's network (`--rpc-url`); nothing was sent",
            Self::Chain(error) => error.remedy(),
            Self::Custody(error) => error.remedy(),
        }
    }
}
