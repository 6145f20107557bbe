#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::string::ToString;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

#[test]
fn shows_every_decimal() {
    for (lamports, shown) in [
        (0, "0.000000000"),
        (1, "0.000000001"),
        (1_500_000_000, "1.500000000"),
        (1_000_000_000_000, "1,000.000000000"),
        (123_456_789_012_345_678, "123,456,789.012345678"),
        (u64::MAX, "18,446,744,073.709551615"),
    ] {
        assert_eq!(Lamports::new(lamports).to_string(), shown);
    }
    assert_eq!(format_units(1_234_567, 0), "1,234,567");
    assert_eq!(format_units(5, 2), "0.05");
    assert_eq!(format_units(7, 20), "0.00000000000000000007");
    assert_eq!(format_units_short(1_500_000, 6), "1.5");
    assert_eq!(format_units_short(1_000_000, 3), "1,000");
    assert_eq!(format_units_short(1_000, 0), "1,000");
    assert_eq!(format_units_short(0, 9), "0");
}

#[test]
fn reads_amounts() {
    for (text, lamports) in [
        ("0", 0),
        ("1.5", 1_500_000_000),
        ("  1.5  ", 1_500_000_000),
        ("1.5 SOL", 1_500_000_000),
        ("1.5sol", 1_500_000_000),
        ("1500000000 lamports", 1_500_000_000),
        ("1 lamport", 1),
        ("0.000000001", 1),
        ("007", 7_000_000_000),
        ("18446744073.709551615", u64::MAX),
        ("18446744073709551615 lamports", u64::MAX),
    ] {
        assert_eq!(Lamports::parse(text), Ok(Lamports::new(lamports)), "{text}");
    }
}

#[test]
fn refuses_what_is_no_amount() {
    use AmountError as E;
    for (text, error) in [
        ("", E::Empty),
        ("   ", E::Empty),
        ("SOL", E::Empty),
        (" lamports", E::Empty),
        ("-1", E::Negative),
        ("−1", E::Negative),
        ("+1", E::Character { position: 1 }),
        (".5", E::Character { position: 1 }),
        ("1.", E::Character { position: 2 }),
        ("  1.", E::Character { position: 4 }),
        ("1.2.3", E::Character { position: 4 }),
        ("1 2", E::Character { position: 2 }),
        ("1_000", E::Character { position: 2 }),
        ("1٣", E::Character { position: 2 }),
        ("$1", E::Character { position: 1 }),
        ("1,5", E::Comma { position: 2 }),
        ("1,000.5", E::Comma { position: 2 }),
        ("1e3", E::UnknownUnit { position: 2 }),
        ("0x10", E::UnknownUnit { position: 2 }),
        ("1 SOL 2", E::UnknownUnit { position: 3 }),
        ("1 BTC", E::UnknownUnit { position: 3 }),
        ("NaN", E::UnknownUnit { position: 1 }),
        ("0.0000000001", E::Decimals { found: 10, max: 9 }),
        ("1.5 lamports", E::Decimals { found: 1, max: 0 }),
        ("18446744073.709551616", E::Overflow),
        ("18446744073709551616 lamports", E::Overflow),
        ("99999999999999999999999999", E::Overflow),
    ] {
        assert_eq!(Lamports::parse(text), Err(error), "{text}");
    }
}

#[test]
fn arithmetic_is_checked() {
    let most = Lamports::new(u64::MAX);
    assert_eq!(most.checked_add(Lamports::new(1)), None);
    assert_eq!(Lamports::ZERO.checked_sub(Lamports::new(1)), None);
    assert_eq!(
        Lamports::ONE_SOL.checked_add(Lamports::ONE_SOL),
        Some(Lamports::new(2_000_000_000))
    );
    assert_eq!(serde_json::to_string(&most).unwrap(), "18446744073709551615");
    assert!(serde_json::from_str::<Lamports>("1.0").is_err());
    assert!(serde_json::from_str::<Lamports>("-1").is_err());
}

proptest! {
    #[test]
    fn what_is_shown_reads_back(amount in any::<u64>(), decimals in 0_u8..=30) {
        let shown = format_units(amount, decimals).replace(',', "");
        prop_assert_eq!(parse_units(&shown, decimals), Ok(amount));
        let short = format_units_short(amount, decimals).replace(',', "");
        prop_assert_eq!(parse_units(&short, decimals), Ok(amount));
    }

    #[test]
    fn never_panics(text in ".{0,40}", decimals in any::<u8>()) {
        let _ = Lamports::parse(&text);
        let _ = parse_units(&text, decimals);
    }
}
