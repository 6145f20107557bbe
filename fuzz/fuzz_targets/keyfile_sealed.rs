//! Key files with any content under the right password: read as the content itself is read, and not if that is sealed
//! once more.
#![no_main]

use aes_gcm::aead::{AeadInOut, KeyInit, Nonce};
use aes_gcm::{Aes256Gcm, Key};
use hkdf::Hkdf;
use keyward_core::account::Chain;
use keyward_core::keyfile::{Detected, Format, ImportOptions, Imported, KeyfileError, detect, import};
use libfuzzer_sys::fuzz_target;
use sha2::Sha256;

const PASSWORD: &[u8] = b"correct horse battery staple";
const SALT: [u8; 8] = [5; 8];
const IV: [u8; 12] = [6; 12];

fuzz_target!(|content: &[u8]| {
    if !(16..=4096).contains(&content.len()) {
        return;
    }
    let file = sealed(content);
    assert!(matches!(
        detect(file.as_bytes()),
        Ok(Detected::Certain(Format::EncryptedJson))
    ));
    for chain in [None, Some(Chain::Solana), Some(Chain::Evm)] {
        let read = import(
            file.as_bytes(),
            &ImportOptions {
                format: None,
                chain,
                password: Some(PASSWORD),
                ..ImportOptions::default()
            },
        );
        match (read, alone(content, chain)) {
            (Ok(Imported::Key(read)), Ok(Imported::Key(alone))) => assert!(read.is_same_as(&alone)),
            (Ok(Imported::Phrase(read)), Ok(Imported::Phrase(alone))) => {
                assert_eq!(read.expose_entropy(), alone.expose_entropy());
            }
            (Err(KeyfileError::Refused), _) => panic!("it was sealed under this password"),
            (Err(_), Err(_)) => {}
            _ => panic!("sealed and alone it is not the same"),
        }
    }
});

/// The content without the file around it. What somebody encrypted is no mere address.
fn alone(content: &[u8], chain: Option<Chain>) -> Result<Imported, KeyfileError> {
    let detected = detect(content)?;
    if detected.format().is_encrypted() {
        return Err(KeyfileError::Unknown);
    }
    let chain = match detected {
        Detected::SeedOrAddress => chain.or(Some(Chain::Solana)),
        _ => chain,
    };
    let options = ImportOptions {
        format: Some(detected.format()),
        chain,
        password: None,
        ..ImportOptions::default()
    };
    import(content, &options)
}

/// The format with `encryptedData`, by one round of PBKDF2: HMAC of the salt and the block's number, which is what HKDF
/// extracts by.
fn sealed(content: &[u8]) -> String {
    let block = [&SALT[..], &[0, 0, 0, 1]].concat();
    let (key, _) = Hkdf::<Sha256>::extract(Some(PASSWORD), &block);
    let mut ciphertext = content.to_vec();
    let tag = Aes256Gcm::new(&Key::<Aes256Gcm>::from(<[u8; 32]>::from(key)))
        .encrypt_inout_detached(
            &Nonce::<Aes256Gcm>::from(IV),
            &[],
            ciphertext.as_mut_slice().into(),
        )
        .expect("a short content");
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    format!(
        r#"{{"encryptedData":"{}","iv":"{}","salt":"{}","authTag":"{}","iterations":1}}"#,
        hex(&ciphertext),
        hex(&IV),
        hex(&SALT),
        hex(tag.as_slice()),
    )
}
