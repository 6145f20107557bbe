//! A policy that is accepted reads back from its own JSON.
#![no_main]

use keyward_core::policy::Policy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(policy) = Policy::from_json(text) {
        let json = policy.to_json().expect("an accepted policy can be written");
        assert_eq!(Policy::from_json(&json), Ok(policy));
    }
});
