//! A vault with a fixed key, made once, and the envelope of its files written a second time.

use std::sync::LazyLock;

use aes_gcm::aead::{AeadInOut, KeyInit, Nonce};
use aes_gcm::{Aes256Gcm, Key};
use hkdf::Hkdf;
use keyward_core::vault::{CreateVault, KdfParams, VaultHeader, VaultId, VaultKey};
use sha2::Sha256;

/// The vault key; a secret of nobody's.
pub const KEY: [u8; 32] = [7; 32];
/// The vault's name.
pub const VAULT: [u8; 16] = [1; 16];
/// The password of its only slot.
pub const PASSWORD: &[u8] = b"correct horse battery staple";

/// Its header: the one key stretching of a run.
pub static HEADER: LazyLock<VaultHeader> = LazyLock::new(|| {
    let (header, _) = VaultHeader::create(CreateVault {
        vault: VaultId::from_bytes(VAULT),
        kdf: KdfParams::MINIMUM,
        password: PASSWORD,
        second_factor: None,
        key: KEY,
        slot_salt: [3; 32],
        wrap_salt: [4; 32],
    })
    .expect("the parameters are sound");
    header
});

/// Its key.
#[must_use]
pub fn key() -> VaultKey {
    VaultKey::from_bytes(KEY)
}

/// A `.keyward` file of this vault with any body, as the documentation of `VaultFile::seal` lays it out: for bodies
/// that `seal` itself would never write.
#[must_use]
pub fn file_of(body: &[u8]) -> Vec<u8> {
    let header = HEADER.to_bytes();
    let mut file = b"KEYWARD\0\0\x01".to_vec();
    let len = u16::try_from(header.len()).expect("a header has two kilobytes at most");
    file.extend_from_slice(&len.to_be_bytes());
    file.extend_from_slice(&header);
    let associated = file.clone();
    let salt = [7; 32];
    let mut once = [0; 76];
    let info = [&b"keyward/file/v1\0"[..], &VAULT, &HEADER.epoch().to_be_bytes()].concat();
    Hkdf::<Sha256>::new(Some(&salt), &KEY)
        .expand(&info, &mut once)
        .expect("76 bytes are fewer than 8160");
    let (key, rest) = once.split_first_chunk::<32>().expect("76 bytes");
    let (nonce, commitment) = rest.split_first_chunk::<12>().expect("44 bytes");
    let mut ciphertext = body.to_vec();
    let tag = Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key))
        .encrypt_inout_detached(
            &Nonce::<Aes256Gcm>::from(*nonce),
            &associated,
            ciphertext.as_mut_slice().into(),
        )
        .expect("a short body");
    file.extend_from_slice(&salt);
    file.extend_from_slice(commitment);
    file.extend_from_slice(&ciphertext);
    file.extend_from_slice(&tag);
    file
}
