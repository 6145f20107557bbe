//! A sealed record opens in its place, with every bit as it was, and in no other.
#![no_main]

use std::sync::LazyLock;

use keyward_core::ed25519;
use keyward_core::key::WalletKey;
use keyward_core::vault::{
    KdfParams, MAX_SECRET_LEN, NewWalletPassword, OpenError, RecordContext, RecordId, RecordKind,
    RecordPublicKey, VaultId, WalletPassword, open_protected_record, open_record, open_wallet_key,
    reseal_record, seal_protected_record, seal_record, wallet_password_kdf,
};
use keyward_fuzz::vault;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Bytes of nobody's: nothing opens, and nothing is stretched before it is authentic.
    let context = context(RecordKind::Master, RecordPublicKey::None);
    for bytes in [bytes, &[&b"KWR\0\0\x01"[..], bytes].concat()] {
        assert!(open_record(&vault::key(), &context, bytes).is_err());
        let _ = wallet_password_kdf(bytes);
        let again = reseal_record(
            (&vault::key(), &context),
            (&vault::key(), &context),
            bytes,
            [1; 32],
        );
        assert_eq!(again, Err(OpenError::Refused));
    }
    let _ = check(&mut Unstructured::new(bytes));
    if let Some(([high, low, by], _)) = bytes.split_first_chunk() {
        check_protected((u16::from_be_bytes([*high, *low]), *by));
    }
});

/// A record with a password of its own: with the header's, the one key stretching of a run.
static PROTECTED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let new = NewWalletPassword {
        password: &password(),
        kdf: KdfParams::MINIMUM,
        kdf_salt: [5; 32],
        inner_salt: [6; 32],
    };
    let place = context(RecordKind::Master, RecordPublicKey::None);
    seal_protected_record(&vault::key(), &place, b"secret", [4; 32], &new).expect("a short secret")
});

fn password() -> WalletPassword {
    WalletPassword::new(vault::PASSWORD).expect("a password")
}

/// Nothing is stretched for a record that is not authentic, and a move needs no password.
fn check_protected(flip: (u16, u8)) {
    let key = vault::key();
    let place = context(RecordKind::Master, RecordPublicKey::None);
    assert_eq!(wallet_password_kdf(&PROTECTED), Ok(Some(KdfParams::MINIMUM)));
    assert_eq!(
        open_record(&key, &place, &PROTECTED).err(),
        Some(OpenError::WalletPasswordMissing)
    );
    let changed = flipped(PROTECTED.clone(), flip);
    let opened = open_protected_record(&key, &place, &changed, &password());
    assert_eq!(opened.err(), Some(OpenError::Refused));
    let elsewhere = RecordContext { epoch: 2, ..place };
    let moved =
        reseal_record((&key, &place), (&key, &elsewhere), &PROTECTED, [8; 32]).expect("the same secret");
    assert_eq!(wallet_password_kdf(&moved), Ok(Some(KdfParams::MINIMUM)));
    assert!(reseal_record((&key, &place), (&key, &elsewhere), &changed, [8; 32]).is_err());
}

fn context(kind: RecordKind, public_key: RecordPublicKey) -> RecordContext {
    RecordContext {
        vault: VaultId::from_bytes(vault::VAULT),
        record: RecordId::from_bytes([2; 16]),
        kind,
        epoch: 1,
        public_key,
    }
}

fn check(input: &mut Unstructured<'_>) -> Result<()> {
    let flip: (u16, u8) = input.arbitrary()?;
    let seed: [u8; 32] = input.arbitrary()?;
    let secret = input.bytes(input.len())?;
    let key = vault::key();
    let place = context(RecordKind::Master, RecordPublicKey::None);
    match seal_record(&key, &place, secret, [9; 32]) {
        Ok(sealed) => {
            assert_eq!(
                open_record(&key, &place, &sealed).as_deref().map(Vec::as_slice),
                Ok(secret)
            );
            assert_eq!(wallet_password_kdf(&sealed), Ok(None));
            let elsewhere = RecordContext { epoch: 2, ..place };
            assert!(open_record(&key, &elsewhere, &sealed).is_err());
            let moved = reseal_record((&key, &place), (&key, &elsewhere), &sealed, [8; 32])
                .expect("the same secret in another place");
            assert_eq!(
                open_record(&key, &elsewhere, &moved)
                    .as_deref()
                    .map(Vec::as_slice),
                Ok(secret)
            );
            assert!(open_record(&key, &place, &flipped(sealed, flip)).is_err());
        }
        Err(_) => assert!(secret.is_empty() || secret.len() > MAX_SECRET_LEN),
    }

    // A wallet's key opens as the wallet that it belongs to, and as no other.
    let own = WalletKey::Ed25519(ed25519::SecretKey::from_seed(&seed));
    let place = context(RecordKind::of(&own), RecordPublicKey::of(&own));
    let sealed = seal_record(&key, &place, own.expose_secret(), [9; 32]).expect("32 bytes");
    let opened = open_wallet_key(&key, &place, &sealed, None);
    assert!(opened.is_ok_and(|opened| opened.is_same_as(&own)));
    let short = secret.get(..32).unwrap_or(secret);
    if short != seed
        && let Ok(wrong) = seal_record(&key, &place, short, [9; 32])
    {
        assert!(open_wallet_key(&key, &place, &wrong, None).is_err());
    }
    Ok(())
}

/// One byte changed for certain.
fn flipped(mut sealed: Vec<u8>, (at, by): (u16, u8)) -> Vec<u8> {
    let at = usize::from(at) % sealed.len();
    sealed[at] ^= by.max(1);
    sealed
}
