//! Typed data that is accepted has one hash, however its JSON is spaced, and can be shown.
#![no_main]

use keyward_core::evm::typed_data::TypedData;
use keyward_core::evm::{keccak256, personal};
use keyward_fuzz::json::spaced;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &str| {
    let Ok(read) = TypedData::from_json(document) else {
        return;
    };
    assert_eq!(read.signing_hash(), keccak256(&read.signing_payload()));
    assert_eq!(read.signing_payload().len(), 66);
    assert!(
        !read
            .sentences()
            .iter()
            .any(|line| line.contains(char::is_control))
    );
    // The document itself is longer than 32 bytes and no transaction.
    assert_eq!(personal::check(document.as_bytes()), Ok(()));
    assert_eq!(TypedData::from_json(&spaced(document)), Ok(read));
});
