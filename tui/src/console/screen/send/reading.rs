//! What the fields of a transfer say: recipient, amount, priority fee, memo. Pure; errors are words for people.

use keyward_core::address::{Address, AddressError};
use keyward_core::amount::{Lamports, format_units_short, parse_units};
use keyward_core::solana_pay::PaymentRequest;
use keyward_custody::FeePolicy;
use keyward_custody::transfer::{MAX_MEMO_BYTES, TransferAmount};

use super::token::SentToken;
use crate::console::effects::send::Wish;

/// From this length on a text without spaces is meant as an address, not as a label.
const LIKE_AN_ADDRESS: usize = 30;

/// What the recipient's field says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Recipient {
    /// Nothing yet.
    Empty,
    /// An address.
    Address(Address),
    /// A payment link.
    Link(Box<PaymentRequest>),
    /// A piece of a label, or `#` and an index.
    Name(String),
    /// Neither.
    Wrong(String),
}

pub(super) fn recipient(text: &str) -> Recipient {
    let text = text.trim();
    if text.is_empty() {
        return Recipient::Empty;
    }
    if text
        .get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("solana:"))
    {
        return link(text);
    }
    match text.parse::<Address>() {
        Ok(address) => Recipient::Address(address),
        Err(error) if text.len() >= LIKE_AN_ADDRESS && !text.contains(' ') => {
            Recipient::Wrong(not_an_address(error))
        }
        Err(_) => Recipient::Name(text.to_owned()),
    }
}

fn link(text: &str) -> Recipient {
    match PaymentRequest::parse(text) {
        Ok(request) if request.spl_token.is_some() => Recipient::Wrong(
            "the link asks for a token: choose it in the wallet's list, pay its address".into(),
        ),
        Ok(request) => Recipient::Link(Box::new(request)),
        Err(error) => Recipient::Wrong(error.to_string()),
    }
}

pub(super) fn not_an_address(error: AddressError) -> String {
    format!("no address: {error}")
}

/// Reads the amount, of SOL or of a token in its own decimals; "max" and "all" mean everything.
pub(super) fn amount(text: &str, token: Option<&SentToken>) -> Result<Wish, String> {
    let text = text.trim();
    let wants_all = text.eq_ignore_ascii_case("max") || text.eq_ignore_ascii_case("all");
    let amount = match token {
        None if wants_all => return Ok(Wish::Everything),
        None => Lamports::parse(text).map(TransferAmount::Sol),
        Some(token) if wants_all => {
            let held = token
                .held
                .ok_or("what it holds is not known here; type how much")?;
            Ok(token.amount(held))
        }
        Some(token) => parse_units(text, token.decimals).map(|units| token.amount(units)),
    };
    match amount {
        Ok(amount) if amount.base_units() == 0 => Err("the amount is zero; give one above zero".into()),
        Ok(amount) => Ok(Wish::Exactly(amount)),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads what is offered for priority; empty and 0 mean nothing.
pub(super) fn fee(text: &str) -> Result<FeePolicy, String> {
    match text.trim() {
        "" => Ok(FeePolicy::None),
        text => match text.parse() {
            Ok(FeePolicy::Fixed { micro_lamports: 0 }) => Ok(FeePolicy::None),
            Ok(policy) => Ok(policy),
            Err(error) => Err(error.to_string()),
        },
    }
}

/// Reads the memo; empty means none.
pub(super) fn memo(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    match text.len() {
        0 => Ok(None),
        found if found > MAX_MEMO_BYTES => Err(format!("{found} bytes, and at most {MAX_MEMO_BYTES} fit")),
        _ => Ok(Some(text.to_owned())),
    }
}

/// An amount as one would type it: no grouping, no superfluous zeros.
pub(super) fn typed(amount: &TransferAmount) -> String {
    let decimals = match amount {
        TransferAmount::Sol(_) => 9,
        TransferAmount::Token { units, .. } => units.decimals,
    };
    format_units_short(amount.base_units(), decimals).replace(',', "")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const KNOWN: &str = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk";

    #[test]
    fn recipients_are_told_apart() {
        assert_eq!(recipient("  "), Recipient::Empty);
        assert_eq!(
            recipient(&format!(" {KNOWN} ")),
            Recipient::Address(KNOWN.parse().unwrap())
        );
        assert_eq!(recipient("bot-0001"), Recipient::Name("bot-0001".into()));
        assert_eq!(recipient("#12"), Recipient::Name("#12".into()));
        assert_eq!(
            recipient("the long label of a wallet, with blanks"),
            Recipient::Name("the long label of a wallet, with blanks".into())
        );
        for wrong in [
            "0x71C7656EC7ab88b098defB751B7401B5f6d8976F",
            &KNOWN[..35],
            "solana:nonsense",
            &format!("solana:{KNOWN}?amount=1&spl-token={KNOWN}"),
            "solana:https%3A%2F%2Fexample.com",
        ] {
            assert!(matches!(recipient(wrong), Recipient::Wrong(_)), "{wrong}");
        }
        let Recipient::Link(request) = recipient(&format!("solana:{KNOWN}?amount=1.5&memo=rent")) else {
            panic!("a link")
        };
        assert_eq!(
            (request.amount, request.memo.as_deref()),
            (Some(Lamports::new(1_500_000_000)), Some("rent"))
        );
    }

    fn token(decimals: u8, held: Option<u64>) -> SentToken {
        SentToken {
            mint: KNOWN.parse().unwrap(),
            decimals,
            symbol: String::new(),
            held,
        }
    }

    #[test]
    fn amounts() {
        let sol = |lamports| Ok(Wish::Exactly(TransferAmount::Sol(Lamports::new(lamports))));
        assert_eq!(amount(" 1.5 sol ", None), sol(1_500_000_000));
        assert_eq!(amount("Max", None), Ok(Wish::Everything));
        for wrong in ["", "0", "-1", "1,5", "1.0000000001", "1 eth", "99999999999999"] {
            assert!(amount(wrong, None).is_err(), "{wrong}");
        }
    }

    #[test]
    fn amounts_of_tokens_are_exact_in_their_own_decimals() {
        let check = |text: &str, decimals: u8, units: u64| {
            let token = token(decimals, Some(77));
            let expected = Wish::Exactly(token.amount(units));
            assert_eq!(amount(text, Some(&token)), Ok(expected), "{text} with {decimals}");
        };
        check("1.5", 6, 1_500_000);
        check("1.000000", 6, 1_000_000);
        check("3", 0, 3);
        check("18.446744073709551615", 18, u64::MAX);
        check(" max ", 2, 77);
        for (text, decimals) in [
            ("1.5", 0),
            ("1.0000000", 6),
            ("1.005", 2),
            ("18.446744073709551616", 18),
            ("0", 6),
            ("0.00", 2),
            ("", 6),
            ("1 SOL", 9),
            ("1,5", 6),
            ("-1", 6),
        ] {
            assert!(
                amount(text, Some(&token(decimals, None))).is_err(),
                "{text} with {decimals}"
            );
        }
        for held in [None, Some(0)] {
            assert!(amount("max", Some(&token(6, held))).is_err(), "{held:?}");
        }
    }

    #[test]
    fn priority_fees_and_memos() {
        for (text, policy) in [
            ("", "none"),
            (" none ", "none"),
            ("0", "none"),
            (" 1000 ", "1000"),
            ("p75:20000", "p75:20000"),
        ] {
            assert_eq!(fee(text), Ok(policy.parse().unwrap()), "{text}");
        }
        for wrong in ["1.5", "-1", "p75", "p0:5", "much"] {
            assert!(fee(wrong).is_err(), "{wrong}");
        }
        assert_eq!(memo(" "), Ok(None));
        assert_eq!(memo(" rent "), Ok(Some("rent".into())));
        assert!(memo(&"x".repeat(MAX_MEMO_BYTES + 1)).is_err());
    }

    #[test]
    fn an_amount_from_a_link_reads_back_as_itself() {
        for lamports in [1, 5_000, 1_500_000_000, 1_234_567_000_000_001, u64::MAX] {
            let sol = TransferAmount::Sol(Lamports::new(lamports));
            assert_eq!(amount(&typed(&sol), None), Ok(Wish::Exactly(sol)));
            let token = token(3, None);
            let units = token.amount(lamports);
            assert_eq!(amount(&typed(&units), Some(&token)), Ok(Wish::Exactly(units)));
        }
    }
}
