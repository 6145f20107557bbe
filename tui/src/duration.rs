//! Times as people write them: `30d`, `12h`, `15m`, `90s`, `250ms`.

/// The units, the longest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads one whole number with its unit, in milliseconds. Only `0` needs no unit.
///
/// # Errors
/// What is wrong, for a person to read.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    if text == "0" {
        return Ok(0);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let form = || "a whole number with its unit: 30d, 12h, 15m, 90s or 250ms".to_owned();
    let number: u64 = number.parse().map_err(|_| form())?;
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(form)?;
    number
        .checked_mul(*factor)
        .ok_or_else(|| "it is longer than the program can count".to_owned())
}

/// Writes a time in the longest unit that it is a whole number of.
pub(crate) fn show(ms: u64) -> String {
    if ms == 0 {
        return "0".to_owned();
    }
    let unit = UNITS.iter().find(|(_, factor)| ms.is_multiple_of(*factor));
    let (name, factor) = unit.copied().unwrap_or(("ms", 1));
    format!("{}{name}", ms / factor)
}

#[cfg(test)]
mod tests {
    use super::{parse, show};

    #[test]
    fn what_is_written_reads_back() {
        for (text, ms) in [
            ("0", 0),
            ("250ms", 250),
            ("90s", 90_000),
            ("15m", 900_000),
            ("12h", 43_200_000),
            ("30d", 2_592_000_000),
        ] {
            assert_eq!(parse(text), Ok(ms), "{text}");
            assert_eq!(show(ms), text);
        }
        assert_eq!(parse(" 24h "), Ok(86_400_000));
        assert_eq!(show(86_400_000), "1d");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "d",
            "30",
            "1.5h",
            "-1d",
            "+1d",
            "1 d",
            "1w",
            "1D",
            "1d2h",
            "99999999999999999999d",
            "18446744073709551615d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
