//! A sign-in that is accepted has one text only, and its fields make the same sign-in.
#![no_main]

use keyward_core::offchain::{MessageKind, classify};
use keyward_core::siws::{ChainId, SignIn, SignInError, SignInFields, resembles};
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = core::str::from_utf8(bytes)
        && let Ok(sign_in) = SignIn::parse(text)
    {
        check(&sign_in, text);
    }
    let _ = build(&mut Unstructured::new(bytes));
});

fn check(sign_in: &SignIn, text: &str) {
    assert_eq!(sign_in.to_text(), text);
    assert!(resembles(text));
    assert_eq!(SignIn::new(sign_in.fields().clone()).as_ref(), Ok(sign_in));
    assert_eq!(classify(text.as_bytes()), MessageKind::SignIn);
    assert_eq!(sign_in.check_signer(&sign_in.fields().address), Ok(()));
    // A URI may still be of another host.
    let own = sign_in.check_domain(&sign_in.fields().domain);
    assert!(matches!(own, Ok(()) | Err(SignInError::OtherUri)));
    assert!(
        !sign_in
            .summary()
            .iter()
            .any(|line| line.contains(char::is_control))
    );
    for now_ms in [i64::MIN, -1, 0, 1_700_000_000_000, i64::MAX] {
        let _ = sign_in.check_time(now_ms);
    }
}

/// Fields of any content: what is accepted reads back from its text.
fn build(input: &mut Unstructured<'_>) -> Result<()> {
    let mut fields = SignInFields::new("", keyward_core::address::Address::new(input.arbitrary()?));
    fields.domain = match input.arbitrary::<Option<&str>>()? {
        Some(domain) => domain.into(),
        None => "example.com".into(),
    };
    let mut text = || -> Result<Option<String>> { Ok(input.arbitrary::<Option<&str>>()?.map(str::to_owned)) };
    fields.statement = text()?;
    fields.uri = text()?.map(|rest| format!("https://example.com/{rest}"));
    fields.version = text()?.map(|_| "1".into());
    fields.nonce = text()?.map(|rest| format!("12345678{rest}"));
    fields.issued_at = text()?.map(|_| "2026-01-02T03:04:05.678Z".parse().expect("RFC 3339"));
    fields.expiration_time = text()?.and_then(|time| time.parse().ok());
    fields.request_id = text()?;
    fields.resources = text()?.map(|list| list.split(' ').map(|one| format!("urn:x:{one}")).collect());
    fields.chain_id = text()?.and_then(|chain| chain.parse::<ChainId>().ok());
    if let Ok(sign_in) = SignIn::new(fields.clone()) {
        let text = sign_in.to_text();
        assert_eq!(sign_in.fields(), &fields);
        assert_eq!(SignIn::parse(&text).as_ref(), Ok(&sign_in), "{text}");
        check(&sign_in, &text);
    }
    Ok(())
}
