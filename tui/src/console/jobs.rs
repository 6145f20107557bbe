//! Work that goes on when its screen is left: the list behind `▸ 2 jobs`.

use keyward_custody::jobs::JobId;
use keyward_custody::transfer::TransferProgress;

use super::effect::{Failure, Progress, RequestId};

/// How many ended jobs are kept for the jobs screen.
const KEPT: usize = 50;

/// One long piece of work.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its request.
    pub id: RequestId,
    /// What it does, without anything secret.
    pub title: String,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// How far it has come.
    pub state: JobState,
    /// What the person can do about it.
    pub stop: Stop,
    /// The stored job that it runs.
    pub stored: Option<JobId>,
}

/// Whether a job can be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Stopping leaves nothing half done.
    Clean,
    /// Stopping loses nothing: it goes on later from where it was.
    Resumable,
    /// It cannot be called back (a transfer that was sent).
    Impossible,
}

/// How far a job has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// Under way: so many of so many; a total of 0 is not known yet.
    Running {
        /// Units finished.
        done: u64,
        /// Units in all.
        total: u64,
        /// What it is at, in words; may be empty.
        step: String,
    },
    /// Ended well.
    Done {
        /// When, in milliseconds since the Unix epoch.
        ended_ms: u64,
        /// What came of it.
        result: String,
    },
    /// Ended badly.
    Failed {
        /// When, in milliseconds since the Unix epoch.
        ended_ms: u64,
        /// Why.
        failure: Failure,
    },
    /// Stopped by the person or by locking.
    Cancelled {
        /// When, in milliseconds since the Unix epoch.
        ended_ms: u64,
    },
}

/// All jobs of this run, newest first.
#[derive(Debug, Default)]
pub struct Jobs {
    list: Vec<Job>,
}

impl Jobs {
    /// Takes note of a job that starts.
    pub fn add(&mut self, id: RequestId, title: String, stop: Stop, now_ms: u64) {
        let state = JobState::Running {
            done: 0,
            total: 0,
            step: String::new(),
        };
        self.list.insert(
            0,
            Job {
                id,
                title,
                started_ms: now_ms,
                state,
                stop,
                stored: None,
            },
        );
        let mut ended = 0;
        self.list.retain(|job| {
            ended += usize::from(!job.is_running());
            job.is_running() || ended <= KEPT
        });
    }

    /// Takes note that a job runs this stored one.
    pub fn runs(&mut self, id: RequestId, stored: JobId) {
        if let Some(job) = self.list.iter_mut().find(|job| job.id == id) {
            job.stored = Some(stored);
        }
    }

    /// The run of this stored job that is under way.
    #[must_use]
    pub fn run_of(&self, stored: JobId) -> Option<RequestId> {
        let run = self
            .list
            .iter()
            .find(|job| job.stored == Some(stored) && job.is_running());
        run.map(|job| job.id)
    }

    /// Every job, newest first.
    #[must_use]
    pub fn all(&self) -> &[Job] {
        &self.list
    }

    /// One job.
    #[must_use]
    pub fn get(&self, id: RequestId) -> Option<&Job> {
        self.list.iter().find(|job| job.id == id)
    }

    /// How many are under way.
    #[must_use]
    pub fn running(&self) -> usize {
        self.list.iter().filter(|job| job.is_running()).count()
    }

    /// Takes note of progress.
    pub fn progress(&mut self, id: RequestId, progress: &Progress) {
        let Some(job) = self.list.iter_mut().find(|job| job.id == id && job.is_running()) else {
            return;
        };
        match progress {
            Progress::Count(count) => {
                job.state = JobState::Running {
                    done: count.done,
                    total: count.total,
                    step: String::new(),
                };
            }
            Progress::Reading(reading) => {
                job.state = JobState::Running {
                    done: reading.done.saturating_add(reading.unknown),
                    total: reading.total,
                    step: String::new(),
                };
            }
            Progress::Bulk(run) => {
                job.state = JobState::Running {
                    done: run.done.saturating_add(run.failed).saturating_add(run.left_out),
                    total: run.total,
                    step: String::new(),
                };
            }
            Progress::Transfer(step) => {
                job.state = JobState::Running {
                    done: 0,
                    total: 0,
                    step: in_words(step),
                };
            }
        }
    }

    /// Takes note of a job's end.
    pub fn end(&mut self, id: RequestId, result: Result<String, Failure>, now_ms: u64) {
        if let Some(job) = self.list.iter_mut().find(|job| job.id == id) {
            job.state = match result {
                Ok(result) => JobState::Done {
                    ended_ms: now_ms,
                    result,
                },
                Err(failure) => JobState::Failed {
                    ended_ms: now_ms,
                    failure,
                },
            };
        }
    }

    /// Takes note that a job was stopped.
    pub fn cancelled(&mut self, id: RequestId, now_ms: u64) {
        if let Some(job) = self.list.iter_mut().find(|job| job.id == id && job.is_running()) {
            job.state = JobState::Cancelled { ended_ms: now_ms };
        }
    }

    /// At a lock: what needed keys is stopped.
    pub fn lock(&mut self, now_ms: u64) {
        for job in self
            .list
            .iter_mut()
            .filter(|job| job.stop != Stop::Impossible && job.is_running())
        {
            job.state = JobState::Cancelled { ended_ms: now_ms };
        }
    }
}

impl Job {
    /// Whether it is under way.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.state, JobState::Running { .. })
    }
}

fn in_words(step: &TransferProgress) -> String {
    match step {
        TransferProgress::Signing => "signing".into(),
        TransferProgress::Recorded { .. } => "signed and recorded".into(),
        TransferProgress::Sent { times: 1, .. } => "sent".into(),
        TransferProgress::Sent { times, .. } => format!("sent {times} times"),
        TransferProgress::Confirmed { slot } => format!("confirmed in slot {slot}"),
        TransferProgress::Finalized { slot } => format!("finalized in slot {slot}"),
        TransferProgress::Failed { .. } => "failed on chain".into(),
        TransferProgress::Expired => "expired unpaid".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyward_custody::ProgressState;

    #[test]
    fn ended_jobs_are_bounded_and_running_ones_kept() {
        let mut jobs = Jobs::default();
        jobs.add(RequestId::new(0), "first".into(), Stop::Clean, 0);
        for number in 1..200 {
            jobs.add(RequestId::new(number), "job".into(), Stop::Clean, number);
            jobs.end(RequestId::new(number), Ok("done".into()), number);
        }
        assert!(jobs.all().len() <= KEPT + 2);
        assert_eq!(jobs.running(), 1);
    }

    #[test]
    fn progress_after_the_end_changes_nothing() {
        let mut jobs = Jobs::default();
        let id = RequestId::new(1);
        jobs.add(id, "job".into(), Stop::Clean, 0);
        jobs.cancelled(id, 5);
        jobs.progress(id, &Progress::Count(ProgressState { done: 1, total: 2 }));
        assert_eq!(jobs.all()[0].state, JobState::Cancelled { ended_ms: 5 });
    }

    #[test]
    fn locking_leaves_what_needs_no_key() {
        let mut jobs = Jobs::default();
        jobs.add(RequestId::new(1), "derive".into(), Stop::Clean, 0);
        jobs.add(RequestId::new(2), "transfer".into(), Stop::Impossible, 0);
        jobs.lock(9);
        assert_eq!(jobs.running(), 1);
    }
}
