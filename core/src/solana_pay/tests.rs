#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::vec;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

const WALLET: &str = "mvines9iiHiQTysrwkJjGf2gb9Ex9jXJX8ns3qwf2kN";
const USDC: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";

fn parse(rest: &str) -> Result<PaymentRequest, PayError> {
    PaymentRequest::parse(&format!("solana:{rest}"))
}

/// The examples of the specification.
#[test]
fn reads_the_specifications_examples() {
    let recipient = WALLET.parse().unwrap();
    let sol = parse(&format!(
        "{WALLET}?amount=1&label=Michael&message=Thanks%20for%20all%20the%20fish&memo=OrderId12345"
    ));
    let expected = PaymentRequest {
        amount: Some(Lamports::ONE_SOL),
        label: Some("Michael".to_string()),
        message: Some("Thanks for all the fish".to_string()),
        memo: Some("OrderId12345".to_string()),
        ..PaymentRequest::to(recipient)
    };
    assert_eq!(sol, Ok(expected));
    let usdc = parse(&format!("{WALLET}?amount=0.01&spl-token={USDC}"));
    let expected = PaymentRequest {
        token_amount: Some("0.01".to_string()),
        spl_token: Some(USDC.parse().unwrap()),
        ..PaymentRequest::to(recipient)
    };
    assert_eq!(usdc, Ok(expected));
    let label_only = parse(&format!("{WALLET}?label=Michael"));
    assert_eq!(label_only.unwrap().amount, None);
}

#[test]
fn reads_lenient_forms() {
    let recipient = WALLET.parse().unwrap();
    let plain = Ok(PaymentRequest::to(recipient));
    for link in [
        format!("solana:{WALLET}"),
        format!("SOLANA:{WALLET}"),
        format!("  solana:{WALLET}?\n"),
        format!("solana:{WALLET}?unknown=1&&other"),
    ] {
        assert_eq!(PaymentRequest::parse(&link), plain, "{link}");
    }
    // A plus sign is itself.
    assert_eq!(
        parse(&format!("{WALLET}?memo=1+1%3D2")).unwrap().memo.as_deref(),
        Some("1+1=2")
    );
}

#[test]
fn refuses_what_is_no_transfer_request() {
    let q = |query: &str| format!("{WALLET}?{query}");
    let many = vec![format!("reference={WALLET}"); 17].join("&");
    for (rest, error) in [
        (
            "https://example.com/pay".to_string(),
            PayError::TransactionRequest,
        ),
        (
            "https%3A%2F%2Fexample.com".to_string(),
            PayError::TransactionRequest,
        ),
        (String::new(), PayError::Recipient(AddressError::Empty)),
        (
            format!("{WALLET}x"),
            PayError::Recipient(AddressError::Length {
                expected: 32,
                too_long: true,
            }),
        ),
        (q("amount="), PayError::Amount(AmountError::Empty)),
        (
            q("amount=1,5"),
            PayError::Amount(AmountError::Comma { position: 2 }),
        ),
        (q("amount=-1"), PayError::Amount(AmountError::Negative)),
        (
            q("amount=1e9"),
            PayError::Amount(AmountError::Character { position: 2 }),
        ),
        (
            q("amount=.5"),
            PayError::Amount(AmountError::Character { position: 1 }),
        ),
        (
            q("amount=0.0000000001"),
            PayError::Amount(AmountError::Decimals { found: 10, max: 9 }),
        ),
        (q("amount=99999999999"), PayError::Amount(AmountError::Overflow)),
        (
            q(&format!("spl-token={USDC}&amount=1x")),
            PayError::Amount(AmountError::Character { position: 2 }),
        ),
        (q("amount=1&amount=2"), PayError::Twice("amount")),
        (q("memo=a&memo=a"), PayError::Twice("memo")),
        (
            q("spl-token=0"),
            PayError::Token(AddressError::Character { position: 1 }),
        ),
        (
            q("reference=0"),
            PayError::Reference(AddressError::Character { position: 1 }),
        ),
        (q(&many), PayError::TooManyReferences),
        (q("label=%"), PayError::Encoding("label")),
        (q("label=%4"), PayError::Encoding("label")),
        (q("label=%zz"), PayError::Encoding("label")),
        (q("label=%ff"), PayError::Encoding("label")),
        (q(&"x".repeat(5000)), PayError::TooLong),
    ] {
        assert_eq!(parse(&rest), Err(error), "{rest}");
    }
    for text in ["", WALLET, "bitcoin:1abc", "solan", "ethereum:0x00", "é"] {
        assert_eq!(PaymentRequest::parse(text), Err(PayError::Scheme), "{text}");
    }
}

proptest! {
    #[test]
    fn links_read_back(
        recipient in any::<[u8; 32]>(),
        amount in any::<Option<u64>>(),
        mint in any::<Option<[u8; 32]>>(),
        references in proptest::collection::vec(any::<[u8; 32]>(), 0..4),
        label in proptest::option::of(".{0,30}"),
        memo in proptest::option::of(".{0,30}"),
    ) {
        let request = PaymentRequest {
            amount: amount.filter(|_| mint.is_none()).map(Lamports::new),
            token_amount: amount.filter(|_| mint.is_some()).map(|a| format!("{a}.25")),
            spl_token: mint.map(Address::new),
            references: references.into_iter().map(Address::new).collect(),
            label,
            memo,
            ..PaymentRequest::to(Address::new(recipient))
        };
        let link = request.to_uri();
        prop_assert!(link.is_ascii());
        prop_assert_eq!(PaymentRequest::parse(&link), Ok(request));
    }

    #[test]
    fn never_panics(rest in "\\PC{0,200}") {
        let _ = parse(&rest);
        let _ = PaymentRequest::parse(&rest);
        let _ = parse(&format!("{WALLET}?{rest}"));
    }
}
