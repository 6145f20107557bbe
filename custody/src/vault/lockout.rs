//! How long wrong passwords keep a vault shut.

/// Wrong passwords in a row that cost nothing but key derivation.
const FREE_FAILURES: u32 = 5;

/// The first delay; it doubles with every further failure.
const FIRST_DELAY_MS: u64 = 30_000;

/// The longest delay, one hour.
const MAX_DELAY_MS: u64 = 3_600_000;

/// The delay after so many failures in a row, in milliseconds.
pub(crate) fn delay_ms(failures: u32) -> u64 {
    let Some(beyond) = failures.checked_sub(FREE_FAILURES) else {
        return 0;
    };
    // Seven doublings are past the longest delay.
    (FIRST_DELAY_MS << beyond.min(7)).min(MAX_DELAY_MS)
}

#[cfg(test)]
mod tests {
    use super::delay_ms;

    #[test]
    fn the_delay_starts_at_the_fifth_failure_and_doubles_up_to_an_hour() {
        let seconds: Vec<u64> = (0..14).map(|failures| delay_ms(failures) / 1000).collect();
        assert_eq!(
            seconds,
            [0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
        );
        assert_eq!(delay_ms(u32::MAX), 3_600_000);
    }
}
