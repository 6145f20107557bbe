//! A bounded cursor over the bytes being decoded.

use alloc::vec::Vec;

use super::compact::{CompactError, decode_len};
use super::error::DecodeError;

pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let taken = self.rest().get(..count).ok_or(DecodeError::Truncated {
            offset: self.bytes.len(),
        })?;
        self.offset += count;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn compact_len(&mut self) -> Result<usize, DecodeError> {
        match decode_len(self.rest()) {
            Ok((len, used)) => {
                self.offset += used;
                Ok(usize::from(len))
            }
            Err(CompactError::Truncated) => Err(DecodeError::Truncated {
                offset: self.bytes.len(),
            }),
            Err(CompactError::NonCanonical) => Err(DecodeError::NonCanonical { offset: self.offset }),
        }
    }

    /// A length and then so many bytes.
    pub(super) fn compact_bytes(&mut self) -> Result<Vec<u8>, DecodeError> {
        let len = self.compact_len()?;
        self.take(len).map(<[u8]>::to_vec)
    }

    /// A length and then so many items of at least `smallest` bytes each, so that a hostile length is
    /// refused before anything is reserved for it.
    pub(super) fn compact_items<T>(
        &mut self,
        smallest: usize,
        item: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let len = self.compact_len()?;
        self.items(len, smallest, item)
    }

    /// So many items of at least `smallest` bytes each.
    pub(super) fn items<T>(
        &mut self,
        len: usize,
        smallest: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        if len.saturating_mul(smallest) > self.rest().len() {
            return Err(DecodeError::Truncated {
                offset: self.bytes.len(),
            });
        }
        (0..len).map(|_| item(self)).collect()
    }

    pub(super) fn finish(self) -> Result<(), DecodeError> {
        match self.rest().len() {
            0 => Ok(()),
            count => Err(DecodeError::TrailingBytes {
                offset: self.offset,
                count,
            }),
        }
    }
}
