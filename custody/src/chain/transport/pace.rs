//! How fast an endpoint is asked.
//!
//! As fast as it takes it, or as fast as the person allowed. An endpoint that answers 429 is left alone for as long as it
//! asks for (else for a time that doubles) and asked at half the pace from then on, which slowly recovers.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest wait inside one call. An endpoint that wants to be left alone for longer is told of instead.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How long to wait when the endpoint does not say, before doubling, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The distance of requests after the first 429 where there was none, and the longest.
const FIRST_INTERVAL: Duration = Duration::from_millis(20);
const LONGEST_INTERVAL: Duration = Duration::from_secs(1);
/// An interval so short that it may as well be none.
const NEGLIGIBLE: Duration = Duration::from_millis(4);
/// After so many answers without a 429 the interval shrinks by an eighth.
const ANSWERS_TO_RECOVER: u32 = 32;

pub(super) struct Pace {
    /// What the person allowed; zero is no limit.
    shortest: Duration,
    state: Mutex<State>,
}

struct State {
    /// Requests keep this distance.
    interval: Duration,
    /// When the next request may begin.
    next_at: Option<Instant>,
    /// Until when the endpoint wants to be left alone.
    paused_until: Option<Instant>,
    /// When the last 429 came.
    limited_at: Option<Instant>,
    /// How many came in a row.
    strikes: u32,
    /// Answers since then.
    answers: u32,
}

impl Pace {
    pub(super) fn new(max_per_second: Option<u32>) -> Self {
        let shortest = max_per_second
            .and_then(|rate| Duration::from_secs(1).checked_div(rate))
            .unwrap_or_default();
        Self {
            shortest,
            state: Mutex::new(State {
                interval: shortest,
                next_at: None,
                paused_until: None,
                limited_at: None,
                strikes: 0,
                answers: 0,
            }),
        }
    }

    /// Takes the next place in the row: how long to wait for it. The error is how long the endpoint wants to be left alone
    /// where that is too long to wait; no place is taken then.
    pub(super) fn turn(&self, now: Instant) -> Result<Duration, Duration> {
        let mut state = self.state();
        let pause = state
            .paused_until
            .map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if pause > LONGEST_WAIT {
            return Err(pause);
        }
        let row = state
            .next_at
            .map_or(Duration::ZERO, |next| next.saturating_duration_since(now));
        let wait = pause.max(row);
        if !state.interval.is_zero() || !wait.is_zero() {
            state.next_at = now
                .checked_add(wait)
                .and_then(|at| at.checked_add(state.interval));
        }
        Ok(wait)
    }

    /// A 429 to a question that was asked at this time. Whether the endpoint may be asked again within one call.
    pub(super) fn limited(&self, asked_at: Instant, now: Instant, retry_after_ms: Option<u64>) -> bool {
        let mut state = self.state();
        // Questions that were under way together are one offence.
        let is_new = state.limited_at.is_none_or(|at| asked_at >= at);
        if is_new {
            state.limited_at = Some(now);
            state.strikes = state.strikes.saturating_add(1);
            state.answers = 0;
            state.interval = state
                .interval
                .saturating_mul(2)
                .clamp(FIRST_INTERVAL, LONGEST_INTERVAL)
                .max(self.shortest);
        }
        let pause = retry_after_ms.map_or_else(
            || {
                let factor = 2_u32.saturating_pow(state.strikes.saturating_sub(1).min(16));
                FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
            },
            Duration::from_millis,
        );
        // Too far away to be written down is as good as for ever.
        let until = now.checked_add(pause).or_else(|| now.checked_add(LONGEST_PAUSE));
        state.paused_until = state.paused_until.max(until);
        pause <= LONGEST_WAIT
    }

    /// An answer that was no 429.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        state.strikes = 0;
        if state.interval <= self.shortest {
            return;
        }
        state.answers = state.answers.saturating_add(1);
        if state.answers >= ANSWERS_TO_RECOVER {
            state.answers = 0;
            let shorter = state.interval.saturating_sub(state.interval / 8);
            let shorter = if shorter < NEGLIGIBLE {
                Duration::ZERO
            } else {
                shorter
            };
            state.interval = shorter.max(self.shortest);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is left half done under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn without_a_limit_nobody_waits() {
        let (pace, now) = (Pace::new(None), Instant::now());
        for _ in 0..100 {
            assert_eq!(pace.turn(now), Ok(Duration::ZERO));
        }
    }

    #[test]
    fn a_limit_keeps_requests_apart() {
        let (pace, now) = (Pace::new(Some(10)), Instant::now());
        let waits: Vec<_> = (0..4).map(|_| pace.turn(now).unwrap()).collect();
        assert_eq!(waits, [MS(0), MS(100), MS(200), MS(300)]);
        assert_eq!(pace.turn(now + MS(5_000)), Ok(MS(0)));
    }

    #[test]
    fn what_the_endpoint_asks_for_is_waited_or_told() {
        let (pace, now) = (Pace::new(None), Instant::now());
        assert!(pace.limited(now, now, Some(1_500)));
        assert_eq!(pace.turn(now), Ok(MS(1_500)));
        assert!(!pace.limited(now, now + MS(1), Some(90_000)));
        assert_eq!(pace.turn(now + MS(1)), Err(MS(90_000)));
        // A later, shorter wish does not shorten it.
        assert!(pace.limited(now, now + MS(2), Some(1)));
        assert_eq!(pace.turn(now + MS(2)), Err(MS(89_999)));
        assert!(!pace.limited(now, now, Some(u64::MAX)));
        assert!(pace.turn(now).is_err());
    }

    #[test]
    fn pauses_double_and_questions_under_way_together_count_once() {
        let (pace, start) = (Pace::new(None), Instant::now());
        for _ in 0..32 {
            assert!(pace.limited(start, start + MS(5), None));
        }
        assert_eq!(pace.turn(start + MS(5)), Ok(MS(300)));
        let later = start + MS(1_000);
        pace.limited(later, later, None);
        assert_eq!(pace.turn(later), Ok(MS(600)));
        pace.answered();
        let last = start + MS(10_000);
        pace.limited(last, last, None);
        assert_eq!(pace.turn(last), Ok(MS(300)));
    }

    #[test]
    fn a_429_halves_the_pace_and_answers_bring_it_back() {
        let (pace, start) = (Pace::new(None), Instant::now());
        let gap = |at: Instant| {
            pace.turn(at).unwrap();
            pace.turn(at).unwrap()
        };
        pace.limited(start, start, Some(0));
        assert_eq!(gap(start + MS(10_000)), MS(20));
        pace.limited(start + MS(20_000), start + MS(20_000), Some(0));
        assert_eq!(gap(start + MS(30_000)), MS(40));
        for _ in 0..ANSWERS_TO_RECOVER {
            pace.answered();
        }
        assert_eq!(gap(start + MS(40_000)), MS(35));
        for _ in 0..ANSWERS_TO_RECOVER * 40 {
            pace.answered();
        }
        assert_eq!(gap(start + MS(50_000)), MS(0));
    }
}
