//! Waiting for what can only be asked for again and again: a node's answer, a file of another process. Every such wait
//! is bounded and ends with what was waited for; whatever can be blocked on (a process's end, a channel) is, elsewhere.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

/// How long until it is asked again.
const PAUSE: Duration = Duration::from_millis(50);

/// Asks until there is an answer.
///
/// # Errors
/// When there is none within `bound`: `what` did not happen.
pub async fn until<T>(
    what: &str,
    bound: Duration,
    mut probe: impl AsyncFnMut() -> Option<T>,
) -> anyhow::Result<T> {
    let asking = async {
        loop {
            if let Some(found) = probe().await {
                return found;
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    match tokio::time::timeout(bound, asking).await {
        Ok(found) => Ok(found),
        Err(_) => bail!("{what}: not within {bound:?}"),
    }
}

/// [`until`] for tests that have no async runtime.
///
/// # Errors
/// As [`until`].
pub fn until_blocking<T>(
    what: &str,
    bound: Duration,
    mut probe: impl FnMut() -> Option<T>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + bound;
    loop {
        if let Some(found) = probe() {
            return Ok(found);
        }
        ensure!(Instant::now() < deadline, "{what}: not within {bound:?}");
        std::thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const SHORT: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(60);

    fn third() -> impl FnMut() -> Option<u32> {
        let mut asked = 0;
        move || {
            asked += 1;
            (asked == 3).then_some(asked)
        }
    }

    #[tokio::test]
    async fn it_asks_until_there_is_an_answer_and_no_longer_than_the_bound() {
        let mut probe = third();
        assert_eq!(until("the third", LONG, async || probe()).await.unwrap(), 3);
        let mut probe = third();
        assert_eq!(until_blocking("the third", LONG, &mut probe).unwrap(), 3);

        let never = until("never", SHORT, async || None::<()>).await.unwrap_err();
        assert_eq!(never.to_string(), "never: not within 1ms");
        let never = until_blocking("never", SHORT, || None::<()>).unwrap_err();
        assert_eq!(never.to_string(), "never: not within 1ms");
    }
}
