#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::vec;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn text(text: &str) -> Value {
    Value::Bytes(text.as_bytes().to_vec())
}

fn list(entries: &[Value]) -> Value {
    Value::List(entries.to_vec())
}

/// Examples of <https://ethereum.org/developers/docs/data-structures-and-encoding/rlp/>.
#[test]
fn the_published_examples() {
    let long = "Lorem ipsum dolor sit amet, consectetur adipisicing elit";
    for (value, encoded) in [
        (text("dog"), b"\x83dog".to_vec()),
        (list(&[text("cat"), text("dog")]), b"\xc8\x83cat\x83dog".to_vec()),
        (text(""), vec![0x80]),
        (list(&[]), vec![0xc0]),
        (Value::Bytes(vec![0]), vec![0]),
        (Value::Bytes(vec![0x0f]), vec![0x0f]),
        (Value::Bytes(vec![4, 0]), vec![0x82, 4, 0]),
        (
            list(&[
                list(&[]),
                list(&[list(&[])]),
                list(&[list(&[]), list(&[list(&[])])]),
            ]),
            vec![0xc7, 0xc0, 0xc1, 0xc0, 0xc3, 0xc0, 0xc1, 0xc0],
        ),
        (text(long), [&[0xb8, 0x38], long.as_bytes()].concat()),
    ] {
        assert_eq!(value.encode(), encoded, "{value:?}");
        assert_eq!(Value::decode(&encoded), Ok(value));
    }
}

#[test]
fn numbers_have_one_form() {
    for (number, encoded) in [
        (0, &[0x80][..]),
        (1, &[1]),
        (127, &[127]),
        (128, &[0x81, 128]),
        (1024, &[0x82, 4, 0]),
        (u64::MAX, &[0x88, 255, 255, 255, 255, 255, 255, 255, 255]),
    ] {
        let mut encoder = Encoder::default();
        encoder.u64(number);
        assert_eq!(encoder.finish(), encoded);
        assert_eq!(Fields(encoded).u64(), Ok(number));
    }
    for (encoded, error) in [
        (&[0][..], RlpError::LeadingZero),
        (&[0x82, 0, 1], RlpError::LeadingZero),
        (&[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0], RlpError::NumberTooLarge),
        (&[0xc0], RlpError::WrongKind),
        (&[], RlpError::MissingField),
    ] {
        assert_eq!(Fields(encoded).u64(), Err(error), "{encoded:?}");
    }
    let too_large = [&[0xa1, 1][..], &[0; 32]].concat();
    assert_eq!(Fields(&too_large).u256(), Err(RlpError::NumberTooLarge));
    assert_eq!(Fields(&too_large).bytes().unwrap().len(), 33);
}

#[test]
fn everything_but_the_one_form_is_refused() {
    let short_as_long = [&[0xb8, 55][..], &[b'a'; 55]].concat();
    let short_list_as_long = [&[0xf8, 1][..], &[0x80]].concat();
    let zero_in_length = [&[0xb9, 0, 56][..], &[b'a'; 56]].concat();
    // Each list holds the next, one deeper than allowed.
    let deep: Vec<u8> = (0xc0..=0xc0 + u8::try_from(MAX_DEPTH).unwrap()).rev().collect();
    assert!(Value::decode(&deep[1..]).is_ok());
    for (encoded, error) in [
        (&b""[..], RlpError::Truncated),
        (&[0x81], RlpError::Truncated),
        (&[0x81, 0x7f], RlpError::NotMinimal),
        (&[0x81, 0], RlpError::NotMinimal),
        (&[0x83, b'd', b'o'], RlpError::Truncated),
        (&[0xb8], RlpError::Truncated),
        (&[0xb8, 0], RlpError::NotMinimal),
        (&short_as_long, RlpError::NotMinimal),
        (&short_list_as_long, RlpError::NotMinimal),
        (&zero_in_length, RlpError::NotMinimal),
        (
            &[0xbf, 255, 255, 255, 255, 255, 255, 255, 255],
            RlpError::Truncated,
        ),
        (
            &[0xff, 255, 255, 255, 255, 255, 255, 255, 255],
            RlpError::Truncated,
        ),
        (&[0xbf, 0x80, 0, 0, 0, 0, 0, 0, 0], RlpError::Truncated),
        (&[0xc1], RlpError::Truncated),
        (&[0xc2, 0x82, 1], RlpError::Truncated),
        (&[0xc1, 0x81], RlpError::Truncated),
        (&[0x80, 0x80], RlpError::Trailing(1)),
        (&[0xc0, 0], RlpError::Trailing(1)),
        (&deep, RlpError::TooDeep),
    ] {
        assert_eq!(Value::decode(encoded), Err(error), "{encoded:02x?}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..80).prop_map(Value::Bytes);
    bytes.prop_recursive(5, 60, 8, |inner| {
        proptest::collection::vec(inner, 0..8).prop_map(Value::List)
    })
}

proptest! {
    #[test]
    fn values_read_back(value in any_value()) {
        let encoded = value.encode();
        prop_assert_eq!(Value::decode(&encoded), Ok(value));
        for len in 0..encoded.len() {
            let (part, _) = encoded.split_at(len);
            prop_assert!(Value::decode(part).is_err());
        }
    }

    #[test]
    fn whatever_is_accepted_is_canonical(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0xc1), Just(0xb8), Just(0x81)], 1..50),
    ) {
        let prefix = 0xc0 + u8::try_from(bytes.len()).unwrap();
        let wrapped = [&[prefix][..], &bytes].concat();
        for bytes in [bytes, wrapped] {
            if let Ok(value) = Value::decode(&bytes) {
                prop_assert_eq!(value.encode(), bytes);
            }
        }
    }
}
