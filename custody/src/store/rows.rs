//! Every table of the schema as typed rows, spelt alike on both databases: for copying a whole store, for comparing two,
//! and for the seal over what is stored.
//!
//! What each database keeps in its own way has one form here: times are milliseconds, ids 16 bytes, truths 0 and 1,
//! amounts 128 bits, tags one row for each. `tests` hold the list against the live schema of both databases, so whoever
//! adds a column is told to add it here, and to say whether the seal covers it.

mod encoding;
mod schema;
#[cfg(test)]
pub(in crate::store) mod tests;

use async_trait::async_trait;

use crate::error::CustodyError;
pub(crate) use schema::*;

/// How a column is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole number of at most 63 bits.
    Integer,
    /// 0 or 1; BOOLEAN on PostgreSQL.
    Boolean,
    /// Milliseconds since the Unix epoch; TIMESTAMPTZ on PostgreSQL.
    Time,
    /// 16 bytes; UUID on PostgreSQL.
    Id,
    Bytes,
    Text,
    /// 128 bits: 16 bytes, big-endian, on SQLite; NUMERIC on PostgreSQL.
    Amount,
    /// 128 bits: four columns of 32 on SQLite, whose names end in [`LIMBS`]; NUMERIC on PostgreSQL.
    Limbs,
}

/// What the names of the four columns of a [`Kind::Limbs`] end in on SQLite, the highest first.
pub(crate) const LIMBS: [&str; 4] = ["_top", "_upper", "_high", "_low"];

/// A column of a table.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) nullable: bool,
    /// Why the seal does not cover it, if it does not.
    pub(crate) unsealed: Option<&'static str>,
}

/// A table, or what is one on one of the databases.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Column],
    /// The primary key's columns, in the order of which rows are read.
    pub(crate) key: &'static [&'static str],
    /// A column that refers to other rows of this table.
    pub(crate) refers_to_itself: Option<&'static str>,
    /// Why the seal does not cover it, if it does not.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "a test holds the seal's list of tables to it")
    )]
    pub(crate) unsealed: Option<&'static str>,
}

impl Table {
    /// Where a column stands in the rows.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The positions of the key's columns.
    pub(crate) fn key_positions(&self) -> impl Iterator<Item = usize> {
        self.key.iter().filter_map(|name| self.position(name))
    }
}

/// A stored value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Bytes(Vec<u8>),
    /// As stored: on SQLite it may have been made no text at all.
    Text(Vec<u8>),
    Amount(u128),
}

/// A row: one value for each of its table's columns, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row(pub(crate) Vec<Value>);

impl Row {
    /// A row with these values, NULL elsewhere.
    pub(crate) fn of<const N: usize>(table: &Table, given: [(&str, Value); N]) -> Self {
        let mut values = vec![Value::Null; table.columns.len()];
        for (name, value) in given {
            if let Some(place) = table.position(name).and_then(|at| values.get_mut(at)) {
                *place = value;
            }
        }
        Self(values)
    }

    /// The value of a column; none where the table has no such column.
    pub(crate) fn get(&self, table: &Table, name: &str) -> Option<&Value> {
        self.0.get(table.position(name)?)
    }

    /// The key, for people.
    pub(crate) fn key_text(&self, table: &Table) -> String {
        let values = table.key_positions().filter_map(|at| self.0.get(at));
        let texts: Vec<String> = values.map(Value::to_text).collect();
        texts.join(", ")
    }
}

impl Value {
    fn to_text(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Integer(number) => number.to_string(),
            Self::Bytes(bytes) => hex::encode(bytes),
            Self::Text(bytes) => super::columns::bounded(&String::from_utf8_lossy(bytes)),
            Self::Amount(amount) => amount.to_string(),
        }
    }
}

/// How a whole store is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// So that nobody changes it meanwhile.
    Store,
    /// As it was at one moment.
    Snapshot,
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Table {}

/// One consistent state of a store, which nobody changes until this value is dropped.
#[async_trait]
pub(crate) trait Source: Send {
    /// Up to `limit` rows after this one, or from the first, in the key's order.
    async fn page(
        &mut self,
        table: &'static Table,
        after: Option<&Row>,
        limit: u32,
    ) -> Result<Vec<Row>, CustodyError>;

    /// Lets go of the store.
    async fn release(self: Box<Self>) -> Result<(), CustodyError>;
}

/// An empty store that is being filled, in one transaction: dropped, it is empty again.
#[async_trait]
pub(crate) trait Target: Source {
    /// Whether any table holds a row.
    async fn is_empty(&mut self) -> Result<bool, CustodyError>;

    /// Inserts rows. Tables come in the order of [`TABLES`].
    async fn insert(&mut self, table: &'static Table, rows: Vec<Row>) -> Result<(), CustodyError>;

    /// Sets what could not be set row by row, and makes the database look at its own rules.
    async fn settle(&mut self) -> Result<(), CustodyError>;

    /// Makes it durable.
    async fn commit(self: Box<Self>) -> Result<(), CustodyError>;
}
