#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

const ADDRESS: &str = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk";

/// The maximal template of <https://github.com/phantom/sign-in-with-solana#maximal-message-template>, with the
/// values of that page's example where it has them.
fn maximal() -> String {
    format!(
        "example.com wants you to sign in with your Solana account:\n{ADDRESS}\n\n\
         Clicking Sign or Approve only means you have proved this wallet is owned by you. This request will not \
         trigger any blockchain transaction or cost any gas fee.\n\n\
         URI: https://example.com/login?next=%2Fhome#top\nVersion: 1\nChain ID: mainnet\nNonce: oBbLoEldZs\n\
         Issued At: 2024-02-29T12:00:00.000Z\nExpiration Time: 2024-02-29T13:00:00+00:30\n\
         Not Before: 2024-02-29T11:59:00Z\nRequest ID: a-1_~%20@\nResources:\n- https://example.com\n\
         - https://phantom.app/"
    )
}

fn minimal() -> String {
    format!("example.com wants you to sign in with your Solana account:\n{ADDRESS}")
}

const NOON: i64 = 1_709_208_000_000;

#[test]
fn the_published_templates_are_read_and_built() {
    let sign_in = SignIn::parse(&maximal()).unwrap();
    assert_eq!(sign_in.to_text(), maximal());
    let fields = sign_in.fields();
    assert_eq!(fields.domain, "example.com");
    assert_eq!(fields.address.to_string(), ADDRESS);
    assert!(fields.statement.as_deref().unwrap().ends_with("any gas fee."));
    assert_eq!(fields.nonce.as_deref(), Some("oBbLoEldZs"));
    assert_eq!(fields.chain_id, Some(ChainId::Mainnet));
    assert_eq!(fields.issued_at.as_ref().unwrap().unix_ms(), NOON);
    assert_eq!(
        fields.expiration_time.as_ref().unwrap().unix_ms(),
        NOON + 30 * 60_000
    );
    assert_eq!(
        fields.resources.as_deref().unwrap(),
        ["https://example.com", "https://phantom.app/"]
    );
    let sign_in = SignIn::parse(&minimal()).unwrap();
    assert_eq!(
        *sign_in.fields(),
        SignInFields::new("example.com", ADDRESS.parse().unwrap())
    );
    assert_eq!(sign_in.to_text(), minimal());
    // wallet-standard's tests: a statement alone.
    let text = format!("{}\n\nS", minimal());
    let sign_in = SignIn::parse(&text).unwrap();
    assert_eq!(sign_in.fields().statement.as_deref(), Some("S"));
    assert_eq!(sign_in.to_text(), text);
}

#[test]
fn every_field_alone_round_trips() {
    for line in [
        "URI: https://example.com",
        "URI: urn:isbn:0451450523",
        "Version: 1",
        "Chain ID: solana:devnet",
        "Chain ID: localnet",
        "Nonce: 12345678",
        "Issued At: 1970-01-01T00:00:00Z",
        "Expiration Time: 2038-01-19T03:14:07.123456789-23:59",
        "Not Before: 9999-12-31T23:59:59Z",
        "Request ID: ",
        "Request ID: x",
        "Resources:",
        "Resources:\n- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/",
    ] {
        let text = format!("{}\n\n{line}", minimal());
        assert_eq!(SignIn::parse(&text).unwrap().to_text(), text, "{line}");
        let text = format!("{}\n\nHello.\n\n{line}", minimal());
        let sign_in = SignIn::parse(&text).unwrap();
        assert_eq!(sign_in.fields().statement.as_deref(), Some("Hello."));
        assert_eq!(sign_in.to_text(), text, "{line}");
    }
}

#[test]
fn malformed_texts_are_refused() {
    let minimal = minimal();
    let with = |tail: &str| format!("{minimal}{tail}");
    let cases: Vec<(String, SignInError)> = [
        (String::new(), SignInError::Introduction),
        ("hello".into(), SignInError::Introduction),
        (minimal.replace("Solana", "Ethereum"), SignInError::Introduction),
        (minimal.replace(" wants", "  wants"), invalid(Field::Domain)),
        (minimal.replace("example.com", ""), invalid(Field::Domain)),
        (
            minimal.replace("example.com", "https://example.com"),
            invalid(Field::Domain),
        ),
        (
            minimal.replace("example.com", "example.com@evil.com"),
            invalid(Field::Domain),
        ),
        (
            minimal.replace("example.com", "exämple.com"),
            invalid(Field::Domain),
        ),
        (
            minimal.replace("example.com", "example..com"),
            invalid(Field::Domain),
        ),
        (
            minimal.replace("example.com", "example.com:70000"),
            invalid(Field::Domain),
        ),
        (
            minimal.replace("example.com", "example.com:080"),
            invalid(Field::Domain),
        ),
        (
            minimal.replace("example.com", "example.com:"),
            invalid(Field::Domain),
        ),
        (minimal.replace("example.com", "[::1]x"), invalid(Field::Domain)),
        (minimal.replace("example.com", "[::1"), invalid(Field::Domain)),
        (minimal.replace("example.com", "[\x1b[2J"), invalid(Field::Domain)),
        (
            minimal.replace("example.com", "[a@evil.com"),
            invalid(Field::Domain),
        ),
        (minimal.replace("example.com", "[::1]:"), invalid(Field::Domain)),
        (minimal.replace("HAgk", "HAg0"), invalid(Field::Address)),
        (minimal.replace(ADDRESS, &ADDRESS[2..]), invalid(Field::Address)),
        (with("\n"), invalid(Field::Statement)),
        (with("\r\n"), invalid(Field::Address)),
        (with("\nURI: https://example.com"), line(3)),
        (with("\n\n"), invalid(Field::Statement)),
        (with("\n\nHello\n"), line(6)),
        (with("\n\nHello\nthere"), line(5 + 1)),
        (with("\n\nHello\tthere"), invalid(Field::Statement)),
        (with("\n\nHällo"), invalid(Field::Statement)),
        (with("\n\nHello\n\n\nVersion: 1"), line(7)),
        (with("\n\nHello\n\nthere"), line(7)),
        (with("\n\nVersion: 1\n"), line(5 + 1)),
        (with("\n\nVersion: 2"), invalid(Field::Version)),
        (with("\n\nVersion: "), invalid(Field::Version)),
        (with("\n\nVersion: 1\nVersion: 1"), line(6)),
        (with("\n\nVersion: 1\nURI: https://example.com"), line(6)),
        (with("\n\nVersion: 1\nStuff: 2"), line(6)),
        (with("\n\nChain ID: mainnet-beta"), invalid(Field::ChainId)),
        (with("\n\nChain ID: 1"), invalid(Field::ChainId)),
        (with("\n\nNonce: 1234567"), SignInError::Nonce),
        (with("\n\nNonce: 1234567-"), SignInError::Nonce),
        (with("\n\nURI: example"), invalid(Field::Uri)),
        (with("\n\nURI: https:example.com"), invalid(Field::Uri)),
        (with("\n\nURI: https://"), invalid(Field::Uri)),
        (with("\n\nURI: https://a b"), invalid(Field::Uri)),
        (with("\n\nURI: https://a/%zz"), invalid(Field::Uri)),
        (with("\n\nURI: https://a/%1"), invalid(Field::Uri)),
        (with("\n\nURI: 1a:b"), invalid(Field::Uri)),
        (with("\n\nRequest ID: a/b"), invalid(Field::RequestId)),
        (with("\n\nRequest ID: a%2"), invalid(Field::RequestId)),
        (with("\n\nResources:\n-https://example.com"), line(6)),
        (with("\n\nResources:\n- nonsense"), invalid(Field::Resources)),
        (with("\n\nResources: x"), line(5)),
        (
            with("\n\nIssued At: 2024-01-02T00:00:00Z\nExpiration Time: 2024-01-01T00:00:00Z"),
            SignInError::TimeOrder,
        ),
        (
            with("\n\nExpiration Time: 2024-01-01T00:00:00Z\nNot Before: 2024-01-01T00:00:00Z"),
            SignInError::TimeOrder,
        ),
        ("x".repeat(MAX_LEN + 1), SignInError::TooLong),
        (
            with(&format!("\n\nResources:{}", "\n- a:b".repeat(MAX_RESOURCES + 1))),
            SignInError::TooLong,
        ),
    ]
    .into_iter()
    .collect();
    for (text, expected) in cases {
        let found = SignIn::parse(&text).unwrap_err();
        // Where a line is wrong, that it is refused counts and not which of two neighbours is blamed.
        match (found, expected) {
            (SignInError::UnexpectedLine { .. }, SignInError::UnexpectedLine { .. }) => {}
            (found, expected) => assert_eq!(found, expected, "{text}"),
        }
    }
}

fn invalid(field: Field) -> SignInError {
    SignInError::Invalid { field }
}

fn line(line: usize) -> SignInError {
    SignInError::UnexpectedLine { line }
}

#[test]
fn a_statement_cannot_pretend_to_be_a_field() {
    let mut fields = SignInFields::new("example.com", ADDRESS.parse().unwrap());
    for statement in [
        "URI: https://evil.com",
        "Nonce: 1",
        "Resources: none",
        "Resources:",
    ] {
        fields.statement = Some(statement.into());
        assert_eq!(
            SignIn::new(fields.clone()),
            Err(SignInError::StatementLikeField),
            "{statement}"
        );
    }
    for statement in ["", "two\nlines", "tab\t"] {
        fields.statement = Some(statement.into());
        assert_eq!(
            SignIn::new(fields.clone()),
            Err(invalid(Field::Statement)),
            "{statement}"
        );
    }
}

#[test]
fn timestamps_follow_rfc_3339() {
    for (text, unix_ms) in [
        // RFC 3339, section 5.8.
        ("1985-04-12T23:20:50.52Z", 482_196_050_520),
        ("1996-12-19T16:39:57-08:00", 851_042_397_000),
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00+01:00", -3_600_000),
        ("2000-02-29T00:00:00.1Z", 951_782_400_100),
        ("2024-02-29T12:00:00.0009Z", NOON),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ] {
        let time: Timestamp = text.parse().unwrap();
        assert_eq!(time.unix_ms(), unix_ms, "{text}");
        assert_eq!(time.as_str(), text);
    }
    for (text, error) in [
        ("", TimestampError::Shape),
        ("2024-01-01", TimestampError::Shape),
        ("2024-01-01 00:00:00Z", TimestampError::Shape),
        ("2024-01-01t00:00:00z", TimestampError::Shape),
        ("2024-01-01T00:00:00", TimestampError::Shape),
        ("2024-01-01T00:00:00.Z", TimestampError::Shape),
        ("2024-01-01T00:00:00.1234567890Z", TimestampError::Shape),
        ("2024-01-01T00:00:00Zx", TimestampError::Shape),
        ("24-01-01T00:00:00Z", TimestampError::Shape),
        ("2024-1-01T00:00:00Z", TimestampError::Shape),
        ("2024-01-01T00:00:00+0100", TimestampError::Shape),
        ("２024-01-01T00:00:00Z", TimestampError::Shape),
        ("2023-02-29T00:00:00Z", TimestampError::Range),
        ("2100-02-29T00:00:00Z", TimestampError::Range),
        ("2024-13-01T00:00:00Z", TimestampError::Range),
        ("2024-00-01T00:00:00Z", TimestampError::Range),
        ("2024-04-31T00:00:00Z", TimestampError::Range),
        ("2024-01-01T24:00:00Z", TimestampError::Range),
        ("2024-01-01T00:60:00Z", TimestampError::Range),
        ("1990-12-31T23:59:60Z", TimestampError::Range),
        ("2024-01-01T00:00:00+24:00", TimestampError::Range),
        ("1969-12-31T23:59:59Z", TimestampError::Range),
    ] {
        assert_eq!(text.parse::<Timestamp>(), Err(error), "{text}");
    }
}

#[test]
fn times_are_checked_against_now() {
    let sign_in = SignIn::parse(&maximal()).unwrap();
    assert_eq!(sign_in.check_time(NOON), Ok(()));
    assert_eq!(sign_in.check_time(NOON + 30 * 60_000), Err(SignInError::Expired));
    assert_eq!(sign_in.check_time(NOON - 60_001), Err(SignInError::NotYetValid));
    assert_eq!(sign_in.check_time(NOON - 60_000), Ok(()));
    assert_eq!(sign_in.check_time(NOON + ISSUED_AT_TOLERANCE_MS), Ok(()));
    assert_eq!(
        sign_in.check_time(NOON + ISSUED_AT_TOLERANCE_MS + 1),
        Err(SignInError::IssuedAway)
    );
    let timeless = SignIn::parse(&minimal()).unwrap();
    assert_eq!(timeless.check_time(i64::MIN), Ok(()));
    assert_eq!(sign_in.check_time(i64::MAX), Err(SignInError::Expired));
}

#[test]
fn address_literals_are_domains() {
    for domain in ["[::1]", "[::1]:80", "[2001:db8::1]"] {
        let text = minimal().replace("example.com", domain);
        assert_eq!(SignIn::parse(&text).unwrap().fields().domain, domain);
    }
}

#[test]
fn domain_and_signer_are_bound() {
    let sign_in = SignIn::parse(&maximal()).unwrap();
    for origin in ["https://example.com", "example.com", "https://EXAMPLE.com/x"] {
        assert_eq!(sign_in.check_domain(origin), Ok(()), "{origin}");
    }
    for origin in [
        "https://example.com.evil.com",
        "https://evil.com/example.com",
        "evil.com?x=://example.com",
        "https://example.com:444",
        "https://example.com@evil.com",
        "",
    ] {
        assert_eq!(
            sign_in.check_domain(origin),
            Err(SignInError::OtherDomain),
            "{origin}"
        );
    }
    let elsewhere = format!("{}\n\nURI: https://evil.com/", minimal());
    assert_eq!(
        SignIn::parse(&elsewhere).unwrap().check_domain("example.com"),
        Err(SignInError::OtherUri)
    );
    let me = ADDRESS.parse().unwrap();
    assert_eq!(sign_in.check_signer(&me), Ok(()));
    assert_eq!(
        sign_in.check_signer(&Address::new([1; 32])),
        Err(SignInError::OtherAddress)
    );
}

#[test]
fn the_summary_names_everything() {
    let summary = SignIn::parse(&maximal()).unwrap().summary().join("\n");
    for part in [
        "Sign in to example.com",
        ADDRESS,
        "any gas fee.",
        "Nonce: oBbLoEldZs",
        "Expiration Time: 2024-02-29T13:00:00+00:30",
        "2 resources",
        "https://phantom.app/",
    ] {
        assert!(summary.contains(part), "{part}");
    }
}

fn any_fields() -> impl Strategy<Value = SignInFields> {
    let option = prop::option::of::<&str>;
    let time = || {
        prop::option::of(
            "(19[7-9]|20[0-9])[0-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T(0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]0[0-9]:[0-5][0-9])",
        )
    };
    (
        ("[a-z]{1,9}(\\.[a-z]{2,5})?(:[1-9][0-9]{0,3})?", any::<[u8; 32]>()),
        option("[ -!#$&-;=?-Z_a-z~]{1,40}"),
        option("[a-z]{2,5}://[a-z]{1,9}(/[a-z%20]{0,0}[a-z]{0,5})?"),
        prop::option::of(prop::sample::select(&ChainId::ALL[..])),
        option("[A-Za-z0-9]{8,20}"),
        (time(), time(), time()),
        option("[a-z0-9@:%41]{0,0}[a-z0-9@:]{0,8}"),
        prop::option::of(prop::collection::vec("[a-z]{2,5}://[a-z]{1,9}", 0..4)),
        any::<bool>(),
    )
        .prop_map(
            |((domain, address), statement, uri, chain_id, nonce, times, request_id, resources, version)| {
                let time = |text: Option<String>| text.map(|text| text.parse().unwrap());
                SignInFields {
                    domain,
                    address: Address::new(address),
                    statement,
                    uri,
                    version: version.then(|| "1".into()),
                    chain_id,
                    nonce,
                    issued_at: time(times.0),
                    expiration_time: time(times.1),
                    not_before: time(times.2),
                    request_id,
                    resources,
                }
            },
        )
}

proptest! {
    #[test]
    fn what_is_built_is_read(fields in any_fields()) {
        if let Ok(sign_in) = SignIn::new(fields) {
            prop_assert_eq!(SignIn::parse(&sign_in.to_text()), Ok(sign_in));
        }
    }

    #[test]
    fn what_is_read_is_built(at in any::<usize>(), with in "[ -~\n]", cut in any::<usize>()) {
        let mut text: Vec<char> = maximal().chars().collect();
        let at = at % text.len();
        text[at] = with.chars().next().unwrap();
        let cut = cut % text.len();
        for text in [text.iter().collect::<String>(), text[..cut].iter().collect()] {
            if let Ok(sign_in) = SignIn::parse(&text) {
                prop_assert_eq!(sign_in.to_text(), text);
            }
        }
    }

    #[test]
    fn no_text_panics(text in "(?s).{0,200}", origin in "(?s).{0,30}") {
        let _ = (SignIn::parse(&text), resembles(&text), text.parse::<Timestamp>());
        let _ = SignIn::parse(&format!("{}\n\n{text}", minimal()));
        let _ = SignIn::parse(&minimal()).unwrap().check_domain(&origin);
    }
}
