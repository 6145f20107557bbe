//! What the fields of a transfer say: recipient, amount, priority fee, memo. Pure; errors are words for people.

use keyward_core::address::{Address, AddressError};
use keyward_core::amount::{Lamports, format_units_short};
use keyward_core::solana_pay::PaymentRequest;
use keyward_custody::transfer::MAX_MEMO_BYTES;

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
        Ok(request) if request.spl_token.is_some() => {
            Recipient::Wrong("the link asks for tokens, and this version sends SOL only".into())
        }
        Ok(request) => Recipient::Link(Box::new(request)),
        Err(error) => Recipient::Wrong(error.to_string()),
    }
}

pub(super) fn not_an_address(error: AddressError) -> String {
    format!("no address: {error}")
}

/// Reads the amount; "max" and "all" mean everything.
pub(super) fn amount(text: &str) -> Result<Wish, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("max") || text.eq_ignore_ascii_case("all") {
        return Ok(Wish::Everything);
    }
    match Lamports::parse(text) {
        Ok(Lamports::ZERO) => Err("the amount is zero; give one above zero".into()),
        Ok(lamports) => Ok(Wish::Exactly(lamports)),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads the price of a compute unit; empty and 0 mean none.
pub(super) fn priority_fee(text: &str) -> Result<Option<u64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<u64>() {
        Ok(0) => Ok(None),
        Ok(price) => Ok(Some(price)),
        Err(_) => Err("a whole number of micro-lamports, or nothing".into()),
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
pub(super) fn typed(lamports: Lamports) -> String {
    format_units_short(lamports.get(), 9).replace(',', "")
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

    #[test]
    fn amounts() {
        assert_eq!(
            amount(" 1.5 sol "),
            Ok(Wish::Exactly(Lamports::new(1_500_000_000)))
        );
        assert_eq!(amount("Max"), Ok(Wish::Everything));
        for wrong in ["", "0", "-1", "1,5", "1.0000000001", "1 eth", "99999999999999"] {
            assert!(amount(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn priority_fees_and_memos() {
        assert_eq!(priority_fee(""), Ok(None));
        assert_eq!(priority_fee("0"), Ok(None));
        assert_eq!(priority_fee(" 1000 "), Ok(Some(1_000)));
        assert!(priority_fee("1.5").is_err());
        assert_eq!(memo(" "), Ok(None));
        assert_eq!(memo(" rent "), Ok(Some("rent".into())));
        assert!(memo(&"x".repeat(MAX_MEMO_BYTES + 1)).is_err());
    }

    #[test]
    fn an_amount_from_a_link_reads_back_as_itself() {
        for lamports in [1, 5_000, 1_500_000_000, 1_234_567_000_000_001, u64::MAX] {
            let lamports = Lamports::new(lamports);
            assert_eq!(amount(&typed(lamports)), Ok(Wish::Exactly(lamports)));
        }
    }
}
