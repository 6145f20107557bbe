//! The two JSON formats under PBKDF2-HMAC-SHA256 and AES-256-GCM.
//!
//! Their bytes are base64; the `.wallet` file's may also be hexadecimal or arrays of numbers, as programs differ.
//! Nothing but the ciphertext is authenticated: identifiers, dates and counts in these files can be changed
//! by anybody, and are not read.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Tag};
use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::KeyfileError;
use super::json::{self, BytesError, Fields, Value};
use super::kdf::{Iterations, MAX_SALT};

/// Base64 of RFC 4648 section 4, with its padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Longest ciphertext: a key or a phrase in any of its forms.
const MAX_CONTENT: usize = 4096;
/// Bytes of GCM's tag.
const TAG_LEN: usize = 16;

/// Opens `{wallet_id, salt, nonce, encrypted_keypair, created_at, rotation_count}`; the tag ends the ciphertext.
pub(super) fn open_wallet(
    fields: &Fields<'_>,
    iterations: Iterations,
    password: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyfileError> {
    let salt = SALT.read(fields)?;
    let nonce = Field::new("nonce", 12..=12, "12").read(fields)?;
    let sealed = Field::new("encrypted_keypair", 48..=80, "48 or 80").read(fields)?;
    let Some((ciphertext, tag)) = sealed.split_last_chunk::<TAG_LEN>() else {
        return Err(KeyfileError::Refused);
    };
    open(iterations, password, &salt, &nonce, ciphertext, tag)
}

/// Opens `{encryptedData, iv, salt, authTag, iterations}`.
pub(super) fn open_encrypted(
    fields: &Fields<'_>,
    password: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyfileError> {
    let salt = SALT.read(fields)?;
    let iv = Field::new("iv", 12..=16, "16 or 12").read(fields)?;
    let ciphertext = Field::new("encryptedData", 16..=MAX_CONTENT, "16 to 4096").read(fields)?;
    let tag = Field::new("authTag", TAG_LEN..=TAG_LEN, "16").read(fields)?;
    let Some(tag) = tag.first_chunk::<TAG_LEN>() else {
        return Err(KeyfileError::Refused);
    };
    let iterations = Iterations::new(fields.number("iterations")?)?;
    open(iterations, password, &salt, &iv, &ciphertext, tag)
}

/// A field that holds bytes, and how many.
struct Field {
    name: &'static str,
    len: RangeInclusive<usize>,
    expected: &'static str,
}

const SALT: Field = Field::new("salt", 8..=MAX_SALT, "8 to 256");

impl Field {
    const fn new(name: &'static str, len: RangeInclusive<usize>, expected: &'static str) -> Self {
        Self { name, len, expected }
    }

    /// Hexadecimal if all are digits and the length fits; else base64; or an array of numbers.
    fn read(&self, fields: &Fields<'_>) -> Result<Vec<u8>, KeyfileError> {
        let wrong = |found| KeyfileError::FieldLength {
            field: self.name,
            expected: self.expected,
            found,
        };
        let bytes = match fields.get(self.name) {
            Some(Value::Array(array)) => self.read_array(array, wrong)?,
            _ => self.read_text(fields.text(self.name)?)?,
        };
        if self.len.contains(&bytes.len()) {
            Ok(bytes)
        } else {
            Err(wrong(bytes.len()))
        }
    }

    fn read_array(
        &self,
        array: &str,
        wrong: impl Fn(usize) -> KeyfileError,
    ) -> Result<Vec<u8>, KeyfileError> {
        let limit = *self.len.end();
        let mut bytes = vec![0; limit];
        let len = json::bytes_into(array, &mut bytes).map_err(|error| match error {
            BytesError::TooMany => wrong(limit + 1),
            BytesError::TooLarge(position) => KeyfileError::NumberTooLarge { position },
            BytesError::NotNumbers => KeyfileError::NotNumbers,
        })?;
        bytes.truncate(len);
        Ok(bytes)
    }

    fn read_text(&self, text: &str) -> Result<Vec<u8>, KeyfileError> {
        if self.len.contains(&(text.len() / 2))
            && let Ok(bytes) = hex::decode(text)
        {
            return Ok(bytes);
        }
        BASE64.decode(text).map_err(|_| KeyfileError::FieldType {
            field: self.name,
            expected: "base64",
        })
    }
}

/// Opens with an initialisation vector of 16 bytes, which GCM hashes, or the usual 12.
fn open(
    iterations: Iterations,
    password: &[u8],
    salt: &[u8],
    iv: &[u8],
    ciphertext: &[u8],
    tag: &[u8; TAG_LEN],
) -> Result<Zeroizing<Vec<u8>>, KeyfileError> {
    let mut content = Zeroizing::new(ciphertext.to_vec());
    let tag = Tag::from(*tag);
    if let Ok(iv) = <[u8; 16]>::try_from(iv) {
        let key = iterations.stretch(password, salt);
        AesGcm::<Aes256, U16>::new((&*key).into()).decrypt_inout_detached(
            &iv.into(),
            &[],
            content.as_mut_slice().into(),
            &tag,
        )
    } else if let Ok(iv) = <[u8; 12]>::try_from(iv) {
        let key = iterations.stretch(password, salt);
        AesGcm::<Aes256, U12>::new((&*key).into()).decrypt_inout_detached(
            &iv.into(),
            &[],
            content.as_mut_slice().into(),
            &tag,
        )
    } else {
        return Err(KeyfileError::FieldLength {
            field: "iv",
            expected: "16 or 12",
            found: iv.len(),
        });
    }
    .map_err(|_| KeyfileError::Refused)?;
    Ok(content)
}
