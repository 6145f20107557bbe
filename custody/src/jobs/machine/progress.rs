//! What a screen shows of a run.

use super::{Course, Effect, Machine, Place};
use crate::jobs::job::JobProgress;

const MINUTE_MS: u64 = 60_000;

impl Machine {
    /// Tells how far it is, when that has changed.
    pub(super) fn report(&mut self, effects: &mut Vec<Effect>) {
        while self
            .done_at_ms
            .front()
            .is_some_and(|(at, _)| self.since(*at) > MINUTE_MS)
        {
            self.done_at_ms.pop_front();
        }
        let progress = self.progress();
        if progress != self.reported {
            self.reported = progress.clone();
            effects.push(Effect::Report(progress));
        }
    }

    fn progress(&self) -> JobProgress {
        let mut progress = JobProgress {
            total: u64::try_from(self.items.len()).unwrap_or(u64::MAX),
            waiting: match &self.course {
                Course::Held(reason) => reason.clone(),
                Course::Stopped | Course::Going => String::new(),
            },
            ..JobProgress::default()
        };
        let mut waiting = 0_u64;
        for cell in self.items.values() {
            match cell.place {
                Place::Waiting | Place::Task | Place::Deciding => waiting += 1,
                Place::Batch(batch) => match self.followers.get(&batch) {
                    Some(follower) if follower.recheck => waiting += 1,
                    Some(follower) if follower.is_confirmed() => progress.done += 1,
                    Some(follower) if follower.is_known => progress.in_flight += 1,
                    Some(_) | None => progress.unknown += 1,
                },
                Place::Done => progress.done += 1,
                Place::Failed => progress.failed += 1,
                Place::LeftOut => progress.left_out += 1,
            }
        }
        progress.rate_per_minute = self.done_at_ms.iter().map(|(_, items)| items).sum();
        let left = waiting + progress.in_flight + progress.unknown;
        progress.left_ms = match (left, progress.rate_per_minute) {
            (0, _) => Some(0),
            (_, 0) => None,
            (left, rate) => left.checked_mul(MINUTE_MS).map(|ms| ms / rate),
        };
        progress
    }
}
