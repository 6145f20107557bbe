//! How long a run of many questions waits for a node that is busy or away.

use std::time::Duration;

use tokio::time::Instant;

use crate::chain::ChainError;

/// How often one question is asked.
const TRIES: u32 = 6;
/// How long it may take in all before the run gives up.
const LONGEST: Duration = Duration::from_secs(90);
/// The first pause, before doubling, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Asks until there is an answer, an error that waiting does not mend, or no patience left.
pub(super) async fn patiently<T, F>(mut ask: impl FnMut() -> F) -> Result<T, ChainError>
where
    F: Future<Output = Result<T, ChainError>>,
{
    let began = Instant::now();
    let mut tries = 1;
    loop {
        let error = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let Some(pause) = pause_after(&error, tries) else {
            return Err(error);
        };
        if began.elapsed().saturating_add(pause) > LONGEST {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        tries += 1;
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

    #[tokio::test(start_paused = true)]
    async fn patience_ends() {
        let mut asked = 0;
        let answer = patiently(|| {
            asked += 1;
            std::future::ready(Err::<(), _>(ChainError::Timeout {
                endpoint: String::new(),
                timeout_ms: 1,
            }))
        });
        assert!(answer.await.is_err());
        assert_eq!(asked, TRIES);
        let mut asked = 0;
        let answer = patiently(|| {
            asked += 1;
            std::future::ready(Err::<(), _>(ChainError::RateLimited {
                endpoint: String::new(),
                retry_after_ms: Some(60_000),
            }))
        });
        assert!(answer.await.is_err());
        assert_eq!(asked, 2);
    }
}
