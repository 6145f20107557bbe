//! How long a run of many questions waits for a node that is busy or away.

use std::time::Duration;

use crate::chain::ChainError;

/// How often one question is asked.
const TRIES: u32 = 6;
/// How long it is waited in all before the run gives up.
const LONGEST: Duration = Duration::from_secs(90);
/// The first pause, before doubling, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Asks until there is an answer, an error that waiting does not mend, or no patience left.
pub(super) async fn patiently<T, F>(mut ask: impl FnMut() -> F) -> Result<T, ChainError>
where
    F: Future<Output = Result<T, ChainError>>,
{
    let mut patience = Patience::default();
    loop {
        let error = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match patience.pause(&error) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(error),
        }
    }
}

#[derive(Default)]
struct Patience {
    tries: u32,
    waited: Duration,
}

impl Patience {
    /// How long to wait after this error; `None`: no longer.
    fn pause(&mut self, error: &ChainError) -> Option<Duration> {
        self.tries += 1;
        let pause = pause_after(error, self.tries)?;
        self.waited = self.waited.saturating_add(pause);
        (self.waited <= LONGEST).then_some(pause)
    }
}

/// How long to wait before the next try; `None`: there is none.
fn pause_after(error: &ChainError, tries: u32) -> Option<Duration> {
    if tries >= TRIES {
        return None;
    }
    let doubled = FIRST_PAUSE
        .saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1)))
        .min(LONGEST_PAUSE);
    match error {
        ChainError::RateLimited { retry_after_ms, .. } => Some(
            retry_after_ms
                .map_or(doubled, Duration::from_millis)
                .max(FIRST_PAUSE),
        ),
        ChainError::Timeout { .. } | ChainError::Unreachable { .. } | ChainError::Behind { .. } => {
            Some(doubled)
        }
        // A server in trouble may recover; one that refuses will not.
        ChainError::Http { status, .. } if *status >= 500 => Some(doubled),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_waited_for() {
        let limited = |retry_after_ms| ChainError::RateLimited {
            endpoint: String::new(),
            retry_after_ms,
        };
        let http = |status| ChainError::Http {
            endpoint: String::new(),
            status,
        };
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(pause_after(&limited(Some(7_000)), 1), ms(7_000));
        assert_eq!(pause_after(&limited(Some(0)), 1), ms(250));
        assert_eq!(pause_after(&limited(None), 3), ms(1_000));
        assert_eq!(pause_after(&limited(None), TRIES), None);
        assert_eq!(pause_after(&http(503), 2), ms(500));
        assert_eq!(pause_after(&http(403), 1), None);
        assert_eq!(pause_after(&ChainError::HistoryUnavailable, 1), None);
    }

    #[test]
    fn patience_ends() {
        let pauses = |error: ChainError| {
            let mut patience = Patience::default();
            std::iter::from_fn(|| patience.pause(&error)).take(100).count()
        };
        let timeout = ChainError::Timeout {
            endpoint: String::new(),
            timeout_ms: 1,
        };
        assert_eq!(pauses(timeout), 5);
        let limited = ChainError::RateLimited {
            endpoint: String::new(),
            retry_after_ms: Some(60_000),
        };
        assert_eq!(pauses(limited), 1);
    }
}
