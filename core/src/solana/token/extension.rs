//! The list of extensions behind the base of a Token-2022 account: a type, a length and a value each.

use alloc::vec::Vec;

use super::cursor::Cursor;
use super::{ACCOUNT_LEN, MULTISIG_LEN, TokenDataError, TokenProgram};

/// The most extensions that are read of one account; there are 29 kinds.
pub const MAX_EXTENSIONS: usize = 64;

/// One extension as it stands there.
pub(super) struct Raw<'a> {
    pub(super) kind: u16,
    pub(super) value: &'a [u8],
}

impl<'a> Raw<'a> {
    /// Reads a value whose length is always the same.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&mut Cursor<'a>) -> Result<T, TokenDataError>,
    ) -> Result<T, TokenDataError> {
        let wrong = TokenDataError::Extension { kind: self.kind };
        let mut cursor = Cursor::new(self.value, wrong);
        let value = read(&mut cursor)?;
        if cursor.is_at_end() { Ok(value) } else { Err(wrong) }
    }
}

/// Separates the base, of this length, from the extensions, as the program that owns the account does.
pub(super) fn split<'a>(
    program: TokenProgram,
    what: &'static str,
    base_len: usize,
    account_type: u8,
    data: &'a [u8],
) -> Result<(&'a [u8], Vec<Raw<'a>>), TokenDataError> {
    let wrong_length = TokenDataError::Length {
        what,
        found: data.len(),
    };
    let (base, rest) = data.split_at_checked(base_len).ok_or(wrong_length)?;
    if rest.is_empty() {
        return Ok((base, Vec::new()));
    }
    if program == TokenProgram::Token || data.len() == MULTISIG_LEN {
        return Err(wrong_length);
    }
    // A mint is filled up with zeros to the length of a token account, so that the type is in the same place.
    let padding = ACCOUNT_LEN.saturating_sub(base_len);
    let (padding, rest) = rest.split_at_checked(padding).ok_or(wrong_length)?;
    let (found, list) = rest.split_first().ok_or(wrong_length)?;
    if padding.iter().any(|byte| *byte != 0) || *found != account_type {
        return Err(TokenDataError::OtherKind { what });
    }
    Ok((base, list_of(list, data.len())?))
}

fn list_of(list: &[u8], end: usize) -> Result<Vec<Raw<'_>>, TokenDataError> {
    let mut extensions: Vec<Raw<'_>> = Vec::new();
    let mut rest = list;
    // Ends at type 0, which nothing follows, or where not even a type fits.
    while let Some((kind, behind)) = rest.split_first_chunk::<2>() {
        let kind = u16::from_le_bytes(*kind);
        if kind == 0 {
            break;
        }
        let broken = TokenDataError::Extensions {
            offset: end.saturating_sub(rest.len()),
        };
        let (len, behind) = behind.split_first_chunk::<2>().ok_or(broken)?;
        let len = usize::from(u16::from_le_bytes(*len));
        let (value, behind) = behind.split_at_checked(len).ok_or(broken)?;
        if extensions.len() >= MAX_EXTENSIONS || extensions.iter().any(|known| known.kind == kind) {
            return Err(TokenDataError::Extension { kind });
        }
        extensions.push(Raw { kind, value });
        rest = behind;
    }
    Ok(extensions)
}
