//! The vault's next key while it is being made: by this console, by another program, or left behind by one.
//!
//! Whoever ends such a rotation locks everyone else out of their sessions, so it is shown wherever the vault is.

use keyward_custody::RotationStatus;

use super::effect::{Failure, Pending, RequestId};
use super::jobs::Jobs;
use super::text::{ago, grouped};

/// How long between two looks, in milliseconds.
const AGE_MS: u64 = 5_000;

/// What is known of a rotation of the vault's key.
#[derive(Debug, Default)]
pub struct VaultKey {
    job: Option<RequestId>,
    asking: Pending,
    asked_ms: Option<u64>,
    seen: Option<Seen>,
}

/// A rotation, and when it was last seen to come further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// How far it is.
    pub status: RotationStatus,
    /// When more was done than at the look before, or when it was first seen; milliseconds since the Unix epoch.
    pub moved_ms: u64,
}

impl VaultKey {
    /// This console makes one, as this job.
    pub fn begin(&mut self, id: RequestId) {
        self.job = Some(id);
    }

    /// The job under way here, if there is one.
    #[must_use]
    pub fn job(&self, jobs: &Jobs) -> Option<RequestId> {
        self.job
            .filter(|id| jobs.get(*id).is_some_and(|job| job.is_running()))
    }

    /// Whether it is time to look.
    #[must_use]
    pub fn is_due(&self, now_ms: u64) -> bool {
        let age_ms = self.asked_ms.map(|asked_ms| now_ms.saturating_sub(asked_ms));
        !self.asking.is_waiting() && age_ms.is_none_or(|age_ms| age_ms >= AGE_MS)
    }

    /// A look is under way.
    pub fn ask(&mut self, id: RequestId, now_ms: u64) {
        self.asking.replace(id);
        self.asked_ms = Some(now_ms);
    }

    /// What is known is old: look again at the next tick.
    pub fn look_again(&mut self) {
        self.asked_ms = None;
    }

    /// Whether this look is awaited; none is any more then.
    pub fn awaits(&mut self, id: RequestId) -> bool {
        self.asking.settle(id)
    }

    /// Takes what a look found. A look that failed says nothing, so what was known stays.
    pub fn learn(&mut self, result: Result<Option<RotationStatus>, Failure>, now_ms: u64) {
        let Ok(found) = result else { return };
        self.seen = found.map(|status| Seen {
            status,
            moved_ms: match self.seen {
                Some(before) if before.status == status => before.moved_ms,
                _ => now_ms,
            },
        });
    }

    /// The rotation last seen, this console's own left out.
    #[must_use]
    pub fn elsewhere(&self, jobs: &Jobs) -> Option<Seen> {
        self.seen.filter(|_| self.job(jobs).is_none())
    }
}

impl Seen {
    /// It in a sentence.
    #[must_use]
    pub fn words(&self, now_ms: u64) -> String {
        let RotationStatus {
            epoch,
            started_ms,
            done,
            total,
        } = self.status;
        format!(
            "vault key {epoch} was begun {}: {} of {} records, last seen to move {}",
            ago(now_ms, started_ms),
            grouped(done),
            grouped(total),
            ago(now_ms, self.moved_ms)
        )
    }

    /// How far it is, for the top bar.
    #[must_use]
    pub fn percent(&self) -> u64 {
        let done = self.status.done.min(self.status.total);
        done.saturating_mul(100)
            .checked_div(self.status.total)
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(done: u64) -> RotationStatus {
        RotationStatus {
            epoch: 2,
            started_ms: 1_000,
            done,
            total: 200,
        }
    }

    #[test]
    fn what_does_not_move_is_seen_to_stand() {
        let mut key = VaultKey::default();
        let jobs = Jobs::default();
        key.learn(Ok(Some(status(10))), 5_000);
        key.learn(Ok(Some(status(50))), 10_000);
        key.learn(Ok(Some(status(50))), 40_000);
        let seen = key.elsewhere(&jobs);
        assert_eq!(
            seen.map(|seen| (seen.moved_ms, seen.percent())),
            Some((10_000, 25))
        );
        key.learn(Err(Failure::new("busy", "wait")), 41_000);
        assert_eq!(key.elsewhere(&jobs), seen);
        key.learn(Ok(None), 42_000);
        assert_eq!(key.elsewhere(&jobs), None);
    }

    #[test]
    fn one_look_at_a_time_and_not_too_often() {
        let mut key = VaultKey::default();
        assert!(key.is_due(0));
        key.ask(RequestId::new(1), 0);
        assert!(!key.is_due(AGE_MS));
        assert!(key.awaits(RequestId::new(1)) && !key.is_due(AGE_MS - 1) && key.is_due(AGE_MS));
        key.look_again();
        assert!(key.is_due(1));
    }
}
