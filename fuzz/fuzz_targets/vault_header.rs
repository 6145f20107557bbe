//! A vault header that is accepted encodes to the same bytes.
#![no_main]

use keyward_core::vault::VaultHeader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(header) = VaultHeader::from_bytes(bytes) {
        assert_eq!(header.to_bytes(), bytes);
        let _ = (header.slots(), header.needs_second_factor());
    }
});
