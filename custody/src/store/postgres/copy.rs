//! Rows of wallets in the binary form of COPY. <https://www.postgresql.org/docs/current/sql-copy.html>

use crate::store::NewWallet;

/// The signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Columns of a row, in the order of the table that is copied into.
const COLUMNS: i16 = 11;

/// How much is sent at once, in bytes.
const FULL: usize = 256 * 1024;

/// Bytes on their way to the server.
pub(super) struct CopyBuffer(Vec<u8>);

impl CopyBuffer {
    /// A buffer that holds the header.
    pub(super) fn start() -> Self {
        let mut bytes = Vec::with_capacity(FULL + 8 * 1024);
        bytes.extend_from_slice(HEADER);
        Self(bytes)
    }

    /// Appends a wallet.
    pub(super) fn row(&mut self, id: i64, row: &NewWallet) {
        self.0.extend_from_slice(&COLUMNS.to_be_bytes());
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
    }

    /// What is to be sent, if that is enough.
    pub(super) fn take_if_full(&mut self) -> Option<Vec<u8>> {
        (self.0.len() >= FULL).then(|| std::mem::replace(&mut self.0, Vec::with_capacity(FULL + 8 * 1024)))
    }

    /// The rest, with the end.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&(-1_i16).to_be_bytes());
        self.0
    }

    fn field(&mut self, bytes: &[u8]) {
        // A field that long would have been refused by the vault; the server would refuse the row.
        let length = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn null(&mut self) {
        self.0.extend_from_slice(&(-1_i32).to_be_bytes());
    }
}
