//! Fields of fixed length, one after another.

use super::TokenDataError;
use crate::address::Address;

pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    /// What it is when the bytes end too early.
    short: TokenDataError,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(rest: &'a [u8], short: TokenDataError) -> Self {
        Self { rest, short }
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], TokenDataError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or(self.short)?;
        self.rest = rest;
        Ok(*head)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'a [u8], TokenDataError> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or(self.short)?;
        self.rest = rest;
        Ok(head)
    }

    pub(super) fn byte(&mut self) -> Result<u8, TokenDataError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, TokenDataError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, TokenDataError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, TokenDataError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn address(&mut self) -> Result<Address, TokenDataError> {
        self.array().map(Address::new)
    }

    /// An address of which all zeros means none.
    pub(super) fn nonzero_address(&mut self) -> Result<Option<Address>, TokenDataError> {
        let address = self.address()?;
        Ok((address.as_bytes() != &[0; 32]).then_some(address))
    }

    /// The four bytes that say whether a value follows: it takes its place in either case.
    pub(super) fn is_there(&mut self, field: &'static str) -> Result<bool, TokenDataError> {
        match self.u32()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(TokenDataError::Field { field }),
        }
    }

    pub(super) fn optional_address(
        &mut self,
        field: &'static str,
    ) -> Result<Option<Address>, TokenDataError> {
        let is_there = self.is_there(field)?;
        let address = self.address()?;
        Ok(is_there.then_some(address))
    }

    /// A flag as extensions have it: whatever is not zero is set.
    pub(super) fn flag(&mut self) -> Result<bool, TokenDataError> {
        self.byte().map(|byte| byte != 0)
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }
}
