//! A master secret that is accepted encodes to the same bytes.
#![no_main]

use keyward_core::vault::MasterSecret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Inputs are padded as an encoded one is, so that the padding need not be guessed.
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(256), 0);
    for bytes in [bytes, &padded] {
        if let Ok(master) = MasterSecret::decode(bytes) {
            assert_eq!(master.encode().as_slice(), bytes);
            let again = MasterSecret::new(master.expose_mnemonic(), master.expose_passphrase())
                .expect("what was decoded is a master secret");
            assert_eq!(again.encode().as_slice(), bytes);
        }
    }
});
