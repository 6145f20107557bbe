//! The optional second factor: 32 bytes from the environment, mixed into a slot's key.

use alloc::boxed::Box;
use core::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// Standard base64, padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A text that is not 32 bytes in hexadecimal or base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the second factor must be 32 bytes, in 64 hexadecimal digits or 44 base64 characters; copy it whole"
)]
pub struct SecondFactorError;

/// 32 secret bytes that a vault may need besides its password.
pub struct SecondFactor {
    bytes: Box<Zeroizing<[u8; 32]>>,
}

impl SecondFactor {
    /// Reads 64 hexadecimal digits or 32 bytes in standard base64; white space around is ignored.
    ///
    /// # Errors
    /// [`SecondFactorError`].
    pub fn parse(text: &str) -> Result<Self, SecondFactorError> {
        let text = text.trim();
        let mut bytes = Box::new(Zeroizing::new([0; 32]));
        if text.len() == 64 {
            hex::decode_to_slice(text, &mut **bytes).map_err(|_| SecondFactorError)?;
            return Ok(Self { bytes });
        }
        // The decoder writes in whole blocks of three bytes and wants room for them.
        let mut decoded = Zeroizing::new([0; 48]);
        let len = BASE64
            .decode_slice(text, &mut *decoded)
            .map_err(|_| SecondFactorError)?;
        match decoded.get(..len) {
            Some(decoded) if len == 32 => bytes.copy_from_slice(decoded),
            _ => return Err(SecondFactorError),
        }
        Ok(Self { bytes })
    }

    /// The 32 bytes.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecondFactor(<redacted>)")
    }
}

#[cfg(test)]
mod tests;
