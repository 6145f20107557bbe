#![expect(clippy::unwrap_used, reason = "tests")]

use alloc::string::ToString;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

/// The test cases of EIP-55.
const PUBLISHED: [&str; 8] = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
];

#[test]
fn the_published_addresses_are_read_and_shown() {
    for text in PUBLISHED {
        let address: EvmAddress = text.parse().unwrap();
        assert_eq!(address.to_string(), text);
        let lower = text.to_lowercase();
        assert_eq!(lower.parse(), Ok(address));
        let upper = alloc::format!("0x{}", text[2..].to_uppercase());
        assert_eq!(upper.parse(), Ok(address));
    }
}

#[test]
fn one_letter_in_the_wrong_case_is_noticed() {
    let text = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    for (at, letter) in text
        .char_indices()
        .skip(2)
        .filter(|(_, c)| c.is_ascii_alphabetic())
    {
        let mut changed = text.to_string();
        let other = if letter.is_ascii_lowercase() {
            letter.to_ascii_uppercase()
        } else {
            letter.to_ascii_lowercase()
        };
        changed.replace_range(at..=at, &other.to_string());
        assert_eq!(
            changed.parse::<EvmAddress>(),
            Err(EvmAddressError::Checksum),
            "{changed}"
        );
    }
}

#[test]
fn what_is_no_address_is_refused_with_its_reason() {
    let check = |text: &str, expected| assert_eq!(text.parse::<EvmAddress>(), Err(expected), "{text:?}");
    check("", EvmAddressError::Prefix);
    check(
        "0X52908400098527886E0F7030069857D2E4169EE7",
        EvmAddressError::Prefix,
    );
    check(
        "52908400098527886E0F7030069857D2E4169EE7",
        EvmAddressError::Prefix,
    );
    check("0x", EvmAddressError::Length { found: 0 });
    check(
        "0x52908400098527886E0F7030069857D2E4169EE",
        EvmAddressError::Length { found: 39 },
    );
    check(
        "0x52908400098527886E0F7030069857D2E4169EE77",
        EvmAddressError::Length { found: 41 },
    );
    check(
        "0x52908400098527886E0F7030069857D2E4169EEg",
        EvmAddressError::Digit { position: 42 },
    );
    check(
        " 0x52908400098527886E0F7030069857D2E4169EE7",
        EvmAddressError::Prefix,
    );
    check("0x5é", EvmAddressError::Digit { position: 4 });
}

#[test]
fn abbreviated_keeps_both_ends() {
    let address: EvmAddress = PUBLISHED[4].parse().unwrap();
    assert_eq!(address.abbreviated(), "0x5aAeb6…1BeAed");
}
