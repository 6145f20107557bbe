//! Compact-u16: the lengths of Solana's wire format, one to three bytes, seven bits each, low first.

use alloc::vec::Vec;

/// Why a compact-u16 could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CompactError {
    /// The bytes end first.
    Truncated,
    /// A longer spelling than needed, or above 65,535.
    NonCanonical,
}

/// Reads a length in its only shortest form; gives the value and how many bytes it took.
pub(super) fn decode_len(bytes: &[u8]) -> Result<(u16, usize), CompactError> {
    let mut value = 0_u32;
    for position in 0..3_usize {
        let byte = *bytes.get(position).ok_or(CompactError::Truncated)?;
        // A zero after the first byte adds nothing: the same value has a shorter form.
        if byte == 0 && position > 0 {
            return Err(CompactError::NonCanonical);
        }
        value |= u32::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            return match u16::try_from(value) {
                Ok(value) => Ok((value, position + 1)),
                Err(_) => Err(CompactError::NonCanonical),
            };
        }
    }
    Err(CompactError::NonCanonical)
}

/// Appends a length in its shortest form.
pub(super) fn encode_len(out: &mut Vec<u8>, len: u16) {
    let mut rest = len;
    loop {
        let low = (rest & 0x7f).to_le_bytes()[0];
        rest >>= 7;
        if rest == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn every_value_has_one_form() {
        for value in 0..=u16::MAX {
            let mut bytes = Vec::new();
            encode_len(&mut bytes, value);
            assert_eq!(decode_len(&bytes), Ok((value, bytes.len())));
        }
    }

    #[test]
    fn known_forms() {
        // The table in Solana's documentation of compact-u16.
        for (value, bytes) in [
            (0_u16, &[0_u8][..]),
            (0x7f, &[0x7f]),
            (0x80, &[0x80, 0x01]),
            (0xff, &[0xff, 0x01]),
            (0x100, &[0x80, 0x02]),
            (0x7fff, &[0xff, 0xff, 0x01]),
            (0x8000, &[0x80, 0x80, 0x02]),
            (0xffff, &[0xff, 0xff, 0x03]),
        ] {
            assert_eq!(decode_len(bytes), Ok((value, bytes.len())));
        }
    }

    #[test]
    fn refuses_other_forms() {
        for (bytes, error) in [
            (&[][..], CompactError::Truncated),
            (&[0x80], CompactError::Truncated),
            (&[0xff, 0xff], CompactError::Truncated),
            (&[0x80, 0x00], CompactError::NonCanonical),
            (&[0xff, 0x00], CompactError::NonCanonical),
            (&[0x80, 0x80, 0x00], CompactError::NonCanonical),
            (&[0xff, 0xff, 0x04], CompactError::NonCanonical),
            (&[0xff, 0xff, 0x7f], CompactError::NonCanonical),
            (&[0x80, 0x80, 0x81], CompactError::NonCanonical),
            (&[0x81, 0x80, 0x80, 0x00], CompactError::NonCanonical),
        ] {
            assert_eq!(decode_len(bytes), Err(error), "{bytes:?}");
        }
    }
}
