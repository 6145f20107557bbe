//! A checkpoint that is accepted has one text only.
#![no_main]

use keyward_core::audit::SignedCheckpoint;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(checkpoint) = text.parse::<SignedCheckpoint>() {
        assert_eq!(checkpoint.to_string(), text);
    }
});
