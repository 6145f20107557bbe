//! The last verification of the audit log: under way, or its verdict. It outlives the audit's screen.

use keyward_custody::AuditReport;

use super::effect::{Failure, RequestId};
use super::jobs::Jobs;

/// What is known of the audit log's integrity in this run.
#[derive(Debug, Default)]
pub struct Verification {
    job: Option<RequestId>,
    verdict: Option<Verdict>,
}

/// A verdict and when it was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What was found, or why nothing could be found out.
    pub result: Result<AuditReport, Failure>,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
}

impl Verification {
    /// Takes note of a job that verifies.
    pub fn begin(&mut self, id: RequestId) {
        self.job = Some(id);
    }

    /// Takes note of its verdict.
    pub fn end(&mut self, result: Result<AuditReport, Failure>, at_ms: u64) {
        self.job = None;
        self.verdict = Some(Verdict { result, at_ms });
    }

    /// When the verification under way began, if one is.
    #[must_use]
    pub fn running_since(&self, jobs: &Jobs) -> Option<u64> {
        jobs.get(self.job?)
            .filter(|job| job.is_running())
            .map(|job| job.started_ms)
    }

    /// The last verdict.
    #[must_use]
    pub fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }
}
