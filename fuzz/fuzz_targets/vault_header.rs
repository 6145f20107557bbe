//! A vault header that is accepted encodes to the same bytes; no made-up one opens.
#![no_main]

use keyward_core::vault::{KdfParams, MAX_SLOTS, RecoveryKey, SlotKind, VaultHeader};
use keyward_fuzz::vault;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(header) = VaultHeader::from_bytes(bytes) else {
        return;
    };
    assert_eq!(header.to_bytes(), bytes);
    let slots = header.slots();
    assert!((1..=MAX_SLOTS).contains(&slots.len()));
    for slot in &slots {
        assert_eq!(slot.kdf.is_some(), slot.kind == SlotKind::Password);
        assert!(
            slot.kdf
                .is_none_or(|kdf| kdf.log_n() >= KdfParams::MINIMUM.log_n())
        );
    }
    assert!(!header.needs_second_factor() || slots.iter().any(|slot| slot.needs_second_factor));
    // No key stretching: neither of these reads a password.
    let recovery = RecoveryKey::from_bytes([5; 32]);
    assert!(header.open_with_recovery(&recovery).is_err() || bytes == RECOVERABLE);
    let genuine = bytes == vault::HEADER.to_bytes() || bytes == RECOVERABLE;
    assert_eq!(header.verify(&vault::key()).is_ok(), genuine);
});

/// The seed of this name.
const RECOVERABLE: &[u8] = include_bytes!("../seeds/vault_header/recoverable");
