//! The bytes of a row, the same for the same row on both databases and for no other one.
//!
//! A row is the length of its table's name (1 byte), the name, and for each value that is written: the length of the
//! column's name (1 byte), the name, the value's kind (1 byte), its length (4 bytes, big-endian), its bytes. A nullable
//! column is left out where it is NULL, another one where it is 0 or empty: so a column that a later version adds with
//! that as its default changes the bytes of no row that is there.

use super::{Column, Row, Table, Value};

impl Row {
    /// The bytes of the values of these columns.
    /// `kind` stands for the table's name.
    pub(crate) fn encode(&self, table: &Table, kind: &str, takes: impl Fn(&Column) -> bool) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        name(&mut bytes, kind);
        for (column, value) in table.columns.iter().zip(&self.0) {
            if takes(column) && !is_left_out(column, value) {
                name(&mut bytes, column.name);
                encode(&mut bytes, value);
            }
        }
        bytes
    }
}

fn is_left_out(column: &Column, value: &Value) -> bool {
    match value {
        Value::Null => column.nullable,
        Value::Integer(number) => !column.nullable && *number == 0,
        Value::Bytes(bytes) | Value::Text(bytes) => !column.nullable && bytes.is_empty(),
        Value::Amount(amount) => !column.nullable && *amount == 0,
    }
}

/// Names are those of the schema: `tests` hold that each is shorter than 256 bytes.
fn name(bytes: &mut Vec<u8>, name: &str) {
    bytes.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    bytes.extend_from_slice(name.as_bytes());
}

fn encode(bytes: &mut Vec<u8>, value: &Value) {
    let mut put = |kind: u8, value: &[u8]| {
        bytes.push(kind);
        // A database's value is under 4 GiB: both refuse longer ones.
        bytes.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(value);
    };
    match value {
        Value::Null => put(0, &[]),
        Value::Integer(number) => put(1, &number.to_be_bytes()),
        Value::Bytes(value) => put(2, value),
        Value::Text(value) => put(3, value),
        Value::Amount(amount) => put(4, &amount.to_be_bytes()),
    }
}
