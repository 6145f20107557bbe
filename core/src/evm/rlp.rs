//! Recursive length prefix (RLP), Ethereum's encoding of byte strings and lists.
//!
//! Strict: each value has one encoding and every other is refused, so that decoding and encoding again
//! gives the same bytes. Source: the Ethereum Yellow Paper, appendix B, and
//! <https://ethereum.org/developers/docs/data-structures-and-encoding/rlp/>.

use alloc::vec::Vec;

use super::EvmAddress;
use super::u256::U256;

/// The deepest nesting that [`Value::decode`] follows; a transaction's is three.
pub const MAX_DEPTH: usize = 16;

/// The longest string or list whose length fits in the prefix itself.
const SHORT: usize = 55;

/// Why bytes are no canonical RLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RlpError {
    /// The bytes end before the value does.
    #[error("the bytes end in the middle of a value; get all of them")]
    Truncated,
    /// Bytes follow the value.
    #[error("{0} bytes follow the end; remove them")]
    Trailing(usize),
    /// A length or a byte is written longer than needed.
    #[error("a length is not written in its shortest form; encode it again")]
    NotMinimal,
    /// A number has zeros in front.
    #[error("a number begins with a zero byte; encode it again")]
    LeadingZero,
    /// A number is too large for its field.
    #[error("a number is larger than its field allows; encode it again")]
    NumberTooLarge,
    /// A string stands where a list belongs, or the other way round.
    #[error("a string stands where a list belongs, or a list where a string belongs; encode it again")]
    WrongKind,
    /// A string has the wrong length.
    #[error("a field has {found} bytes and {wanted} belong there; encode it again")]
    WrongLength {
        /// How many there are.
        found: usize,
        /// How many there must be.
        wanted: usize,
    },
    /// A list has too few entries.
    #[error("a list ends before its last field; encode it again")]
    MissingField,
    /// Lists are nested too deeply.
    #[error("lists are nested more than 16 deep; that is no transaction")]
    TooDeep,
}

/// One value, borrowed: a string, or a list's encoded entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// A byte string.
    Bytes(&'a [u8]),
    /// The entries of a list, one after the other.
    List(Fields<'a>),
}

/// What is left of a list's entries. A list is strict as far as it is read: call [`Fields::finish`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields<'a>(&'a [u8]);

impl<'a> Item<'a> {
    /// Reads the one value that the bytes are.
    ///
    /// # Errors
    /// See [`RlpError`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, RlpError> {
        let (item, rest) = split(bytes)?;
        if rest.is_empty() {
            Ok(item)
        } else {
            Err(RlpError::Trailing(rest.len()))
        }
    }

    /// The string.
    ///
    /// # Errors
    /// [`RlpError::WrongKind`] for a list.
    pub const fn bytes(self) -> Result<&'a [u8], RlpError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::List(_) => Err(RlpError::WrongKind),
        }
    }

    /// The list's entries.
    ///
    /// # Errors
    /// [`RlpError::WrongKind`] for a string.
    pub const fn list(self) -> Result<Fields<'a>, RlpError> {
        match self {
            Self::List(fields) => Ok(fields),
            Self::Bytes(_) => Err(RlpError::WrongKind),
        }
    }
}

impl<'a> Fields<'a> {
    /// Whether no entry is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many entries are left.
    ///
    /// # Errors
    /// See [`RlpError`].
    pub fn count(mut self) -> Result<usize, RlpError> {
        let mut count = 0;
        while !self.is_empty() {
            self.item()?;
            count += 1;
        }
        Ok(count)
    }

    /// The next entry.
    ///
    /// # Errors
    /// [`RlpError::MissingField`] at the end; see [`RlpError`].
    pub fn item(&mut self) -> Result<Item<'a>, RlpError> {
        if self.0.is_empty() {
            return Err(RlpError::MissingField);
        }
        let (item, rest) = split(self.0)?;
        self.0 = rest;
        Ok(item)
    }

    /// The next entry, a string.
    ///
    /// # Errors
    /// See [`RlpError`].
    pub fn bytes(&mut self) -> Result<&'a [u8], RlpError> {
        self.item()?.bytes()
    }

    /// The next entry, a list.
    ///
    /// # Errors
    /// See [`RlpError`].
    pub fn list(&mut self) -> Result<Fields<'a>, RlpError> {
        self.item()?.list()
    }

    /// The next entry, a number of at most 256 bits.
    ///
    /// # Errors
    /// See [`RlpError`].
    pub fn u256(&mut self) -> Result<U256, RlpError> {
        let bytes = self.bytes()?;
        if bytes.first() == Some(&0) {
            return Err(RlpError::LeadingZero);
        }
        U256::from_be_slice(bytes).ok_or(RlpError::NumberTooLarge)
    }

    /// The next entry, a number of at most 64 bits.
    ///
    /// # Errors
    /// See [`RlpError`].
    pub fn u64(&mut self) -> Result<u64, RlpError> {
        self.u256()?.to_u64().ok_or(RlpError::NumberTooLarge)
    }

    /// The next entry, a string of `N` bytes.
    ///
    /// # Errors
    /// See [`RlpError`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], RlpError> {
        let bytes = self.bytes()?;
        <[u8; N]>::try_from(bytes).map_err(|_| RlpError::WrongLength {
            found: bytes.len(),
            wanted: N,
        })
    }

    /// The next entry, an address.
    ///
    /// # Errors
    /// See [`RlpError`].
    pub fn address(&mut self) -> Result<EvmAddress, RlpError> {
        self.array().map(EvmAddress::new)
    }

    /// The end of the list.
    ///
    /// # Errors
    /// [`RlpError::Trailing`] when entries are left.
    pub const fn finish(self) -> Result<(), RlpError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(RlpError::Trailing(self.0.len()))
        }
    }
}

/// Splits off the first value.
fn split(bytes: &[u8]) -> Result<(Item<'_>, &[u8]), RlpError> {
    let (&prefix, rest) = bytes.split_first().ok_or(RlpError::Truncated)?;
    match prefix {
        0..=0x7f => {
            let (own, rest) = take(bytes, 1)?;
            Ok((Item::Bytes(own), rest))
        }
        0x80..=0xb7 => {
            let (own, rest) = take(rest, usize::from(prefix - 0x80))?;
            match own {
                // It stands for itself.
                [0..=0x7f] => Err(RlpError::NotMinimal),
                _ => Ok((Item::Bytes(own), rest)),
            }
        }
        0xb8..=0xbf => {
            let (own, rest) = take_long(rest, usize::from(prefix - 0xb7))?;
            Ok((Item::Bytes(own), rest))
        }
        0xc0..=0xf7 => {
            let (own, rest) = take(rest, usize::from(prefix - 0xc0))?;
            Ok((Item::List(Fields(own)), rest))
        }
        0xf8..=0xff => {
            let (own, rest) = take_long(rest, usize::from(prefix - 0xf7))?;
            Ok((Item::List(Fields(own)), rest))
        }
    }
}

fn take(bytes: &[u8], len: usize) -> Result<(&[u8], &[u8]), RlpError> {
    bytes.split_at_checked(len).ok_or(RlpError::Truncated)
}

/// Takes what follows a length of `width` bytes, from 1 to 8.
fn take_long(bytes: &[u8], width: usize) -> Result<(&[u8], &[u8]), RlpError> {
    let (len, rest) = take(bytes, width)?;
    if len.first() == Some(&0) {
        return Err(RlpError::NotMinimal);
    }
    let len = len.iter().fold(0_u64, |len, byte| (len << 8) | u64::from(*byte));
    // More than an address space holds is more than there is.
    let len = usize::try_from(len).map_err(|_| RlpError::Truncated)?;
    if len <= SHORT {
        return Err(RlpError::NotMinimal);
    }
    take(rest, len)
}

/// A value of any shape, with everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A byte string.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Value>),
}

impl Value {
    /// Reads the one value that the bytes are, with everything in it.
    ///
    /// # Errors
    /// See [`RlpError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RlpError> {
        Self::from_item(Item::decode(bytes)?, MAX_DEPTH)
    }

    fn from_item(item: Item<'_>, depth: usize) -> Result<Self, RlpError> {
        match item {
            Item::Bytes(bytes) => Ok(Self::Bytes(bytes.to_vec())),
            Item::List(mut fields) => {
                let depth = depth.checked_sub(1).ok_or(RlpError::TooDeep)?;
                let mut entries = Vec::new();
                while !fields.is_empty() {
                    entries.push(Self::from_item(fields.item()?, depth)?);
                }
                Ok(Self::List(entries))
            }
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::default();
        self.write(&mut encoder);
        encoder.finish()
    }

    fn write(&self, encoder: &mut Encoder) {
        match self {
            Self::Bytes(bytes) => encoder.bytes(bytes),
            Self::List(entries) => {
                encoder.list(|encoder| entries.iter().for_each(|entry| entry.write(encoder)));
            }
        }
    }
}

/// Writes values one after the other.
#[derive(Debug, Default)]
pub struct Encoder(Vec<u8>);

impl Encoder {
    /// Writes a string.
    pub fn bytes(&mut self, bytes: &[u8]) {
        match bytes {
            [0..=0x7f] => {}
            _ => self.prefix(0x80, bytes.len()),
        }
        self.0.extend_from_slice(bytes);
    }

    /// Writes a number.
    pub fn u64(&mut self, number: u64) {
        self.u256(&U256::from(number));
    }

    /// Writes a number.
    pub fn u256(&mut self, number: &U256) {
        self.bytes(number.minimal_be_bytes());
    }

    /// Writes a list of whatever `entries` writes.
    pub fn list(&mut self, entries: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        entries(&mut inner);
        self.prefix(0xc0, inner.0.len());
        self.0.append(&mut inner.0);
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    fn prefix(&mut self, base: u8, len: usize) {
        match u8::try_from(len) {
            Ok(short) if len <= SHORT => self.0.push(base + short),
            _ => {
                let len = U256::from(len as u64); // no platform has wider addresses
                let bytes = len.minimal_be_bytes();
                // One to eight bytes.
                let width = u8::try_from(bytes.len()).unwrap_or(8);
                self.0.push(base + 55 + width);
                self.0.extend_from_slice(bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests;
