//! Tests of the JSON reader: what it reads, and more that it refuses.

#![expect(clippy::unwrap_used, reason = "tests")]

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn error(text: &str) -> KeyfileError {
    match Fields::parse(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error,
    }
}

#[test]
fn fields_are_read_in_place() {
    let text =
        " {\"a\" : \"x\",\n\"b\":[1, 2],\"c\":{\"d\":7},\"e\":null,\"f\":-1.5e+3,\"g\":\"\\u00e9\\/\"}\t";
    let fields = Fields::parse(text).unwrap();
    assert_eq!(fields.text("a").unwrap(), "x");
    assert!(matches!(fields.get("b"), Some(Value::Array("[1, 2]"))));
    assert_eq!(fields.object("c").unwrap().number("d").unwrap(), 7);
    assert!(matches!(fields.get("e"), Some(Value::Word("null"))));
    assert!(matches!(fields.get("f"), Some(Value::Number("-1.5e+3"))));
    assert!(matches!(fields.get("g"), Some(Value::Escaped)));
    assert!(!fields.has("d"));
    assert!(Fields::parse("{}").is_ok());
}

#[test]
fn fields_of_the_wrong_kind_are_named() {
    let fields =
        Fields::parse("{\"a\":\"x\",\"n\":18446744073709551616,\"m\":1.0,\"k\":-1,\"g\":\"\\n\"}").unwrap();
    for name in ["n", "m", "k", "a"] {
        assert!(fields.number(name).is_err(), "{name}");
    }
    let wrong =
        |name| matches!(fields.text(name), Err(KeyfileError::FieldType { field, .. }) if field == name);
    assert!(wrong("n") && wrong("g"));
    assert!(matches!(
        fields.text("z"),
        Err(KeyfileError::MissingField { field: "z" })
    ));
    assert!(matches!(
        fields.object("a"),
        Err(KeyfileError::FieldType { field: "a", .. })
    ));
    assert!(matches!(
        fields.object("z"),
        Err(KeyfileError::MissingField { field: "z" })
    ));
}

#[test]
fn malformed_json_is_refused() {
    let malformed = [
        "",
        "{",
        "[]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1 \"b\":2}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":1e}",
        "{\"a\":-}",
        "{\"a\":0x10}",
        "{\"a\":NaN}",
        "{\"a\":tru}",
        "{\"a\":\"x}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\u12",
        "{\"a\":\"line\nbreak\"}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":[1}",
        "{\"a\":{]}",
        "{\"\\u0061\":1}",
        "{\"a\":1}}",
        "{\"a\":1}\u{a0}",
        "// comment\n{}",
    ];
    for text in malformed {
        assert!(Fields::parse(text).is_err(), "{text}");
    }
    assert!(matches!(
        error("{\"a\":1} x"),
        KeyfileError::Trailing { offset: 8 }
    ));
}

#[test]
fn a_field_twice_is_refused_at_every_depth() {
    for text in [
        "{\"a\":1,\"a\":1}",
        "{\"b\":{\"a\":1,\"c\":2,\"a\":3}}",
        "{\"b\":[{\"a\":1,\"a\":2}]}",
    ] {
        assert!(
            matches!(error(text), KeyfileError::DuplicateField { .. }),
            "{text}"
        );
    }
}

#[test]
fn depth_and_fields_are_bounded() {
    let nested = |depth: usize| alloc::format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(Fields::parse(&nested(MAX_DEPTH)).is_ok());
    assert!(Fields::parse(&nested(MAX_DEPTH + 1)).is_err());
    assert!(Fields::parse(&nested(30_000)).is_err());
    let wide = |count: usize| {
        let fields: Vec<_> = (0..count).map(|i| alloc::format!("\"{i}\":0")).collect();
        alloc::format!("{{{}}}", fields.join(","))
    };
    assert!(Fields::parse(&wide(MAX_FIELDS)).is_ok());
    assert!(Fields::parse(&wide(MAX_FIELDS + 1)).is_err());
}

#[test]
fn arrays_of_bytes() {
    let check = |text: &str, expected: Result<&[u8], BytesError>| {
        let mut out = [0; 4];
        let found = bytes_into(text, &mut out).map(|len| out.get(..len).unwrap());
        assert_eq!(found, expected, "{text}");
    };
    check("[]", Ok(&[]));
    check(" [ 0 ,255,\n1 ] ", Ok(&[0, 255, 1]));
    check("[1,2,3,4]", Ok(&[1, 2, 3, 4]));
    check("[1,2,3,4,5]", Err(BytesError::TooMany));
    check("[1,256]", Err(BytesError::TooLarge(2)));
    check("[99999999999999999999999]", Err(BytesError::TooLarge(1)));
    for text in [
        "", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[-1]", "[1.0]", "[1e1]", "[01]", "[\"1\"]", "[[1]]",
        "[null]", "[1]]", "[1] x", "{1}", "1,2",
    ] {
        check(text, Err(BytesError::NotNumbers));
    }
}
