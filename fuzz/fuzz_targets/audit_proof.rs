//! Written proofs and verifier keys that are accepted are written the same way again.
#![no_main]

use keyward_core::audit::{AuditProof, parse_verifier_key, verifier_key};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(proof) = text.parse::<AuditProof>() {
        assert_eq!(proof.to_string(), text);
    }
    if let Ok((origin, key)) = parse_verifier_key(text) {
        assert_eq!(verifier_key(&origin, &key), text);
    }
});
