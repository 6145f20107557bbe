//! Rows of wallets in the binary form of COPY. <https://www.postgresql.org/docs/current/sql-copy.html>

use super::types::Millis;
use crate::store::NewWallet;

/// The signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Columns of a row, in the order of the table that is copied into; those of [`Placed`] come after them.
const COLUMNS: i16 = 11;
const PLACED_COLUMNS: i16 = 3;

/// How much is sent at once, in bytes.
const FULL: usize = 256 * 1024;

/// What is the same in every row.
pub(super) struct Placed {
    pub(super) master: i64,
    pub(super) family: &'static str,
    pub(super) now: Millis,
}

/// Bytes on their way to the server.
pub(super) struct CopyBuffer {
    bytes: Vec<u8>,
    placed: Option<Placed>,
}

impl CopyBuffer {
    /// A buffer that holds the header.
    pub(super) fn start(placed: Option<Placed>) -> Self {
        let mut bytes = Vec::with_capacity(FULL + 8 * 1024);
        bytes.extend_from_slice(HEADER);
        Self { bytes, placed }
    }

    /// Appends a wallet.
    pub(super) fn row(&mut self, id: i64, row: &NewWallet) {
        let more = self.placed.as_ref().map_or(0, |_| PLACED_COLUMNS);
        self.bytes.extend_from_slice(&(COLUMNS + more).to_be_bytes());
        self.field(&id.to_be_bytes());
        self.field(row.address.chain().id().as_bytes());
        match row.index {
            Some(index) => self.field(&i64::from(index).to_be_bytes()),
            None => self.null(),
        }
        self.field(row.path.as_bytes());
        self.field(row.address.to_string().as_bytes());
        match &row.public_key {
            Some(key) => self.field(key),
            None => self.null(),
        }
        self.field(row.label.as_bytes());
        self.field(&[u8::from(row.own_password)]);
        self.field(&i64::from(row.epoch).to_be_bytes());
        self.field(&row.record);
        self.field(&row.sealed);
        if let Some(placed) = self.placed.take() {
            self.field(&placed.master.to_be_bytes());
            self.field(placed.family.as_bytes());
            self.field(&placed.now.to_wire());
            self.placed = Some(placed);
        }
    }

    /// What is to be sent, if that is enough.
    pub(super) fn take_if_full(&mut self) -> Option<Vec<u8>> {
        (self.bytes.len() >= FULL)
            .then(|| std::mem::replace(&mut self.bytes, Vec::with_capacity(FULL + 8 * 1024)))
    }

    /// The rest, with the end.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&(-1_i16).to_be_bytes());
        self.bytes
    }

    fn field(&mut self, bytes: &[u8]) {
        // A field that long would have been refused by the vault; the server would refuse the row.
        let length = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(bytes);
    }

    fn null(&mut self) {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
    }
}
