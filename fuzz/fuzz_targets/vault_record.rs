//! No made-up record opens, and no made-up master secret does harm.
#![no_main]

use keyward_core::vault::{
    MasterSecret, RecordContext, RecordId, RecordKind, RecordPublicKey, VaultId, VaultKey, open_record,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let key = VaultKey::from_bytes([7; 32]);
    let context = RecordContext {
        vault: VaultId::from_bytes([1; 16]),
        record: RecordId::from_bytes([2; 16]),
        kind: RecordKind::SolanaKey,
        epoch: 1,
        public_key: RecordPublicKey::Ed25519([3; 32]),
    };
    assert!(open_record(&key, &context, bytes).is_err());
    if let Ok(master) = MasterSecret::decode(bytes) {
        assert_eq!(master.encode().as_slice(), bytes);
    }
});
