//! RLP that is accepted encodes to the same bytes, read whole or value by value.
#![no_main]

use keyward_core::evm::rlp::{Encoder, Fields, Item, RlpError, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let item = Item::decode(bytes);
    if let Ok(value) = Value::decode(bytes) {
        assert_eq!(value.encode(), bytes);
        match (&value, item) {
            (Value::Bytes(own), Ok(read)) => assert_eq!(read.bytes(), Ok(own.as_slice())),
            (Value::List(own), Ok(read)) => assert_eq!(read.list().and_then(Fields::count), Ok(own.len())),
            (_, Err(error)) => panic!("{error}"),
        }
    }
    let Ok(Item::List(mut fields)) = item else {
        return;
    };
    // Numbers have one writing each.
    while !fields.is_empty() {
        let mut number = fields;
        let Ok(item) = fields.item() else { break };
        let mut encoder = Encoder::default();
        match number.u256() {
            Ok(number) => {
                encoder.u256(&number);
                assert_eq!(Item::decode(&encoder.finish()), Ok(item));
            }
            Err(RlpError::LeadingZero) => assert!(item.bytes().is_ok_and(|own| own.first() == Some(&0))),
            Err(_) => assert!(item.bytes().map_or(true, |own| own.len() > 32)),
        }
    }
});
