//! Every row of the database, read and written in the form that both databases share: see [`crate::store::rows`].
//!
//! A whole store is read under the write lock of a connection of its own, so that nobody changes it meanwhile, while
//! others go on reading.

use std::fmt::Write as _;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqlitePoolOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Row as _, Sqlite, SqliteConnection, Transaction};

use super::errors::ResultExt;
use crate::error::CustodyError;
use crate::store::rows::{Column, Hold, Kind, LIMBS, Row, Source, TABLES, Table, Target, Value};
use crate::store::seal::effect::{Condition, Place};

type Statement<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// SQLite's limit of parameters, with some room.
const MAX_PARAMETERS: usize = 30_000;

/// The columns of a table, as [`decode`] reads them. Texts come as bytes: what is no text any more must not end the
/// reading.
pub(super) fn columns(table: &Table) -> String {
    let mut text = String::new();
    for column in table.columns {
        let separator = if text.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = match column.kind {
            Kind::Text => write!(text, "{separator}CAST({} AS BLOB)", column.name),
            _ => write!(text, "{separator}{}", names(column).join(", ")),
        };
    }
    text
}

/// A column's name; four for an amount in pieces.
pub(super) fn names(column: &Column) -> Vec<String> {
    match column.kind {
        Kind::Limbs => LIMBS.map(|end| format!("{}{end}", column.name)).to_vec(),
        _ => vec![column.name.to_owned()],
    }
}

/// A row of [`columns`].
pub(super) fn decode(table: &Table, row: &SqliteRow) -> Result<Row, CustodyError> {
    let mut at = 0;
    let mut values = Vec::with_capacity(table.columns.len());
    for column in table.columns {
        values.push(value(column, row, at)?);
        at += if column.kind == Kind::Limbs {
            LIMBS.len()
        } else {
            1
        };
    }
    Ok(Row(values))
}

fn value(column: &Column, row: &SqliteRow, at: usize) -> Result<Value, CustodyError> {
    let bytes = || row.try_get::<Option<Vec<u8>>, _>(at).storage();
    let value = match column.kind {
        Kind::Integer | Kind::Boolean | Kind::Time => {
            row.try_get::<Option<i64>, _>(at).storage()?.map(Value::Integer)
        }
        Kind::Id | Kind::Bytes => bytes()?.map(Value::Bytes),
        Kind::Text => bytes()?.map(Value::Text),
        Kind::Amount => match bytes()? {
            None => None,
            Some(bytes) => Some(Value::Amount(u128::from_be_bytes(
                bytes.try_into().map_err(|_| out_of_range(column))?,
            ))),
        },
        Kind::Limbs => {
            let mut amount = 0;
            for limb in at..at + LIMBS.len() {
                let limb: i64 = row.try_get(limb).storage()?;
                let limb = u32::try_from(limb).map_err(|_| out_of_range(column))?;
                amount = (amount << 32) | u128::from(limb);
            }
            Some(Value::Amount(amount))
        }
    };
    Ok(value.unwrap_or(Value::Null))
}

fn out_of_range(column: &Column) -> CustodyError {
    CustodyError::damaged(format!("{} is out of its range", column.name))
}

/// Binds a value, in as many parameters as the column has [`names`].
pub(super) fn bind<'q>(
    query: Statement<'q>,
    column: &Column,
    value: Value,
) -> Result<Statement<'q>, CustodyError> {
    Ok(match (value, column.kind) {
        (Value::Amount(amount), Kind::Limbs) => super::apply::limbs(amount)
            .into_iter()
            .fold(query, |query, limb| query.bind(limb)),
        (Value::Null, Kind::Limbs) => (0..LIMBS.len()).fold(query, |query, _| query.bind(None::<i64>)),
        (Value::Amount(amount), _) => query.bind(amount.to_be_bytes().to_vec()),
        (Value::Null, _) => query.bind(None::<i64>),
        (Value::Integer(number), _) => query.bind(number),
        (Value::Bytes(bytes), _) => query.bind(bytes),
        (Value::Text(bytes), _) => query.bind(
            String::from_utf8(bytes)
                .map_err(|_| CustodyError::damaged(format!("{} is no text", column.name)))?,
        ),
    })
}

/// Rows after this one, in the key's order.
pub(super) async fn page(
    connection: &mut SqliteConnection,
    table: &'static Table,
    after: Option<&Row>,
    limit: u32,
) -> Result<Vec<Row>, CustodyError> {
    let key = table.key.join(", ");
    let bound = after.map_or_else(String::new, |_| {
        let parameters = vec!["?"; table.key.len()].join(", ");
        format!("WHERE ({key}) > ({parameters})")
    });
    let text = format!(
        "SELECT {} FROM {} {bound} ORDER BY {key} LIMIT {limit}",
        columns(table),
        table.name
    );
    let mut query = sqlx::query(AssertSqlSafe(text));
    if let Some(row) = after {
        for at in table.key_positions() {
            if let (Some(column), Some(value)) = (table.columns.get(at), row.0.get(at)) {
                query = bind(query, column, value.clone())?;
            }
        }
    }
    let rows = query.fetch_all(connection).await.storage()?;
    rows.iter().map(|row| decode(table, row)).collect()
}

/// The rows at a place.
pub(super) async fn at(connection: &mut SqliteConnection, place: &Place) -> Result<Vec<Row>, CustodyError> {
    let table = place.table;
    let mut text = format!("SELECT {} FROM {}", columns(table), table.name);
    for (at, condition) in place.conditions.iter().enumerate() {
        text.push_str(if at == 0 { " WHERE " } else { " AND " });
        text.push_str(&match condition {
            Condition::Is(column, _) => format!("{column} = ?"),
            Condition::OfWalletAt(_) => {
                "wallet_id IN (SELECT w.wallet_id FROM wallets w WHERE w.address = ?)".to_owned()
            }
        });
    }
    let mut query = sqlx::query(AssertSqlSafe(text));
    for condition in &place.conditions {
        query = match condition {
            Condition::OfWalletAt(address) => query.bind(address.clone()),
            Condition::Is(name, value) => match table.columns.iter().find(|column| column.name == *name) {
                Some(column) => bind(query, column, value.clone())?,
                None => return Err(CustodyError::damaged(format!("there is no {name}"))),
            },
        };
    }
    let rows = query.fetch_all(connection).await.storage()?;
    rows.iter().map(|row| decode(table, row)).collect()
}

/// The whole database, held by its write lock.
pub(super) struct Dump {
    transaction: Transaction<'static, Sqlite>,
}

impl Dump {
    /// Connects on its own, and takes the write lock; or, only to read, a snapshot.
    pub(super) async fn begin(options: SqliteConnectOptions, hold: Hold) -> Result<Self, CustodyError> {
        let single = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.pragma("query_only", "OFF"))
            .await
            .storage()?;
        let begin = match hold {
            Hold::Store => "BEGIN IMMEDIATE",
            Hold::Snapshot => "BEGIN",
        };
        let transaction = single.begin_with(begin).await.storage()?;
        Ok(Self { transaction })
    }
}

#[async_trait]
impl Source for Dump {
    async fn page(
        &mut self,
        table: &'static Table,
        after: Option<&Row>,
        limit: u32,
    ) -> Result<Vec<Row>, CustodyError> {
        page(&mut self.transaction, table, after, limit).await
    }

    async fn release(self: Box<Self>) -> Result<(), CustodyError> {
        self.transaction.rollback().await.storage()
    }
}

#[async_trait]
impl Target for Dump {
    async fn is_empty(&mut self) -> Result<bool, CustodyError> {
        // Wallets refer to wallets: looked at when it is committed.
        sqlx::query("PRAGMA defer_foreign_keys = ON")
            .execute(&mut *self.transaction)
            .await
            .storage()?;
        for table in TABLES {
            let text = format!("SELECT EXISTS (SELECT 1 FROM {})", table.name);
            let found: bool = sqlx::query_scalar(AssertSqlSafe(text))
                .fetch_one(&mut *self.transaction)
                .await
                .storage()?;
            if found {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn insert(&mut self, table: &'static Table, rows: Vec<Row>) -> Result<(), CustodyError> {
        let names: Vec<String> = table.columns.iter().flat_map(names).collect();
        let one = format!("({})", vec!["?"; names.len()].join(", "));
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let chunk: Vec<Row> = rows.by_ref().take(MAX_PARAMETERS / names.len()).collect();
            let text = format!(
                "INSERT INTO {} ({}) VALUES {}",
                table.name,
                names.join(", "),
                vec![one.as_str(); chunk.len()].join(", ")
            );
            let mut query = sqlx::query(AssertSqlSafe(text));
            for row in chunk {
                for (column, value) in table.columns.iter().zip(row.0) {
                    query = bind(query, column, value)?;
                }
            }
            query.execute(&mut *self.transaction).await.storage()?;
        }
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), CustodyError> {
        let broken: Option<SqliteRow> = sqlx::query("PRAGMA foreign_key_check")
            .fetch_optional(&mut *self.transaction)
            .await
            .storage()?;
        match broken {
            None => Ok(()),
            Some(_) => Err(CustodyError::damaged("a row refers to one that is not there")),
        }
    }

    async fn commit(self: Box<Self>) -> Result<(), CustodyError> {
        self.transaction.commit().await.storage()
    }
}
