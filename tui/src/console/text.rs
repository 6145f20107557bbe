//! Words and numbers for people: ages, counts, lengths. Pure, no styles.

/// A number with grouped thousands: `10,000`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number with its noun: `1 wallet`, `10,000 wallets`.
#[must_use]
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// How long ago something was: `now`, `12 s`, `2 min`, `3 h`, `5 d`, `2 y`, each with `ago`.
#[must_use]
pub fn ago(now_ms: u64, then_ms: u64) -> String {
    let seconds = now_ms.saturating_sub(then_ms) / 1_000;
    if seconds < 3 {
        "now".into()
    } else {
        format!("{} ago", span(seconds))
    }
}

/// A span of time in its largest unit.
#[must_use]
pub fn span(seconds: u64) -> String {
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3_599 => format!("{} min", seconds / 60),
        3_600..=86_399 => format!("{} h", seconds / 3_600),
        86_400..=63_071_999 => format!("{} d", seconds / 86_400),
        _ => format!("{} y", seconds / 31_536_000),
    }
}

/// Minutes and seconds of a countdown: `0:24`.
#[must_use]
pub fn countdown(left_ms: u64) -> String {
    let seconds = left_ms.div_ceil(1_000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A date and time in UTC: `2026-11-21 14:05:09`.
#[must_use]
pub fn utc(time_ms: u64) -> String {
    let seconds = time_ms / 1_000;
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// Walks whole 400-year cycles, then years, then months: a few hundred steps at most.
fn civil(days: u64) -> (u64, u64, u64) {
    const DAYS_IN_400_YEARS: u64 = 146_097;
    let mut year = 1970 + days / DAYS_IN_400_YEARS * 400;
    let mut left = days % DAYS_IN_400_YEARS;
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if left < length {
            break;
        }
        left -= length;
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    (year, month, left + 1)
}

/// Text cut to `width` columns, with `…` where something is missing.
#[must_use]
pub fn fitted(text: &str, width: usize) -> String {
    use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for ch in text.chars() {
        let columns = ch.width().unwrap_or(0);
        if used + columns + 1 > width {
            break;
        }
        used += columns;
        out.push(ch);
    }
    if width > 0 {
        out.push('…');
    }
    out
}

/// Text that came from outside, without what a terminal would interpret.
#[must_use]
pub fn printable(text: &str) -> String {
    let hidden = |ch: char| {
        ch.is_control()
            || matches!(ch, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|ch| if hidden(ch) { ' ' } else { ch }).collect()
}

/// A sentence for the screen out of an error's text, which begins small and has no full stop.
#[must_use]
pub fn sentence(text: &str) -> String {
    // An address of the network stays as it is typed.
    if text.split(' ').next().is_some_and(|word| word.contains("://")) {
        return format!("{text}.");
    }
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first
            .to_uppercase()
            .chain(chars)
            .chain(std::iter::once('.'))
            .collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_begin_large_but_for_addresses() {
        assert_eq!(sentence("the disk is full"), "The disk is full.");
        assert_eq!(
            sentence("http://a.b did not answer"),
            "http://a.b did not answer."
        );
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn ages_use_their_largest_unit() {
        let check = |seconds: u64, expected: &str| {
            assert_eq!(
                ago(10_000_000_000_000, 10_000_000_000_000 - seconds * 1_000),
                expected
            );
        };
        check(0, "now");
        check(12, "12 s ago");
        check(119, "1 min ago");
        check(7_200, "2 h ago");
        check(86_400 * 5, "5 d ago");
        assert_eq!(ago(0, 5_000), "now");
    }

    #[test]
    fn dates_are_right_at_the_edges() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (951_868_800, "2000-03-01 00:00:00"),
            (1_798_761_599, "2026-12-31 23:59:59"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(utc(seconds * 1_000), expected);
        }
    }

    #[test]
    fn text_is_cut_by_columns() {
        assert_eq!(fitted("treasury", 8), "treasury");
        assert_eq!(fitted("treasury", 5), "trea…");
        assert_eq!(fitted("漢字漢字", 5), "漢字…");
        assert_eq!(fitted("ab", 0), "");
    }

    #[test]
    fn countdowns_round_up() {
        assert_eq!(countdown(23_001), "0:24");
        assert_eq!(countdown(600_000), "10:00");
        assert_eq!(countdown(0), "0:00");
    }
}
