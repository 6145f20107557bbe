//! Every row of the database, read and written in the form that both databases share: see [`crate::store::rows`].
//!
//! A whole store is read in one `REPEATABLE READ` transaction that holds the row which every writer takes first: so nobody
//! changes it meanwhile, while others go on reading. Rows come by a cursor, since the server would sort a large table
//! anew for each page of it.

use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use super::connect;
use super::errors::{Fault, FaultKind, ResultExt};
use super::types::{Id, Millis};
use crate::error::CustodyError;
use crate::store::rows::{Column, Hold, Kind, Row, Source, TABLES, Table, Target, Value};
use crate::store::seal::effect::{Condition, Place};

type Statement<'q> = sqlx::query::Query<'q, sqlx::Postgres, PgArguments>;

/// How often the lock is asked for, when others change the row at the same moment.
const TRIES: u32 = 20;

/// The columns of a table, as [`decode`] reads them.
pub(super) fn columns(table: &Table) -> String {
    let texts: Vec<String> = table
        .columns
        .iter()
        .map(|column| match column.kind {
            Kind::Amount | Kind::Limbs => format!("CAST({} AS TEXT)", column.name),
            _ => column.name.to_owned(),
        })
        .collect();
    texts.join(", ")
}

/// The table; the tags are an array of the wallet here.
pub(super) fn relation(table: &Table) -> &'static str {
    match table.name {
        "tags" => "(SELECT w.wallet_id, t.tag FROM wallets w, UNNEST(w.tags) AS t (tag)) AS tags",
        name => name,
    }
}

/// A row of [`columns`].
pub(super) fn decode(table: &Table, row: &PgRow) -> Result<Row, Fault> {
    let values = table.columns.iter().enumerate();
    values
        .map(|(at, column)| value(column, row, at))
        .collect::<Result<_, Fault>>()
        .map(Row)
}

fn value(column: &Column, row: &PgRow, at: usize) -> Result<Value, Fault> {
    let out_of_range = || CustodyError::damaged(format!("{} is out of its range", column.name));
    let value = match column.kind {
        Kind::Integer => row.try_get::<Option<i64>, _>(at).storage()?.map(Value::Integer),
        Kind::Boolean => row
            .try_get::<Option<bool>, _>(at)
            .storage()?
            .map(|truth| Value::Integer(i64::from(truth))),
        Kind::Time => match row.try_get::<Option<Millis>, _>(at).storage()? {
            None => None,
            Some(time) => Some(Value::Integer(
                i64::try_from(time.get(column.name)?).map_err(|_| out_of_range())?,
            )),
        },
        Kind::Id => row
            .try_get::<Option<Id>, _>(at)
            .storage()?
            .map(|id| Value::Bytes(id.0.to_vec())),
        Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at).storage()?.map(Value::Bytes),
        Kind::Text => row
            .try_get::<Option<String>, _>(at)
            .storage()?
            .map(|text| Value::Text(text.into_bytes())),
        Kind::Amount | Kind::Limbs => match row.try_get::<Option<String>, _>(at).storage()? {
            None => None,
            Some(text) => Some(Value::Amount(text.parse().map_err(|_| out_of_range())?)),
        },
    };
    Ok(value.unwrap_or(Value::Null))
}

/// Begins to read a table in the key's order.
pub(super) async fn open_cursor(connection: &mut PgConnection, table: &Table) -> Result<(), Fault> {
    let order: Vec<String> = table
        .key_positions()
        .filter_map(|at| table.columns.get(at))
        .map(|column| match column.kind {
            // By bytes, whatever the database's collation.
            Kind::Text => format!("{} COLLATE \"C\"", column.name),
            _ => column.name.to_owned(),
        })
        .collect();
    let text = format!(
        "DECLARE dump_{} CURSOR FOR SELECT {} FROM {} ORDER BY {}",
        table.name,
        columns(table),
        relation(table),
        order.join(", ")
    );
    run(connection, &text).await
}

/// The next rows of an open cursor.
pub(super) async fn fetch(
    connection: &mut PgConnection,
    table: &Table,
    limit: u32,
) -> Result<Vec<Row>, Fault> {
    let text = format!("FETCH FORWARD {limit} FROM dump_{}", table.name);
    let rows = sqlx::query(AssertSqlSafe(text))
        .persistent(false)
        .fetch_all(connection)
        .await
        .storage()?;
    rows.iter().map(|row| decode(table, row)).collect()
}

/// Ends it.
pub(super) async fn close_cursor(connection: &mut PgConnection, table: &Table) -> Result<(), Fault> {
    run(connection, &format!("CLOSE dump_{}", table.name)).await
}

/// The rows at a place.
pub(super) async fn at(connection: &mut PgConnection, place: &Place) -> Result<Vec<Row>, Fault> {
    let table = place.table;
    let mut text = format!("SELECT {} FROM {}", columns(table), relation(table));
    for (at, condition) in (1..).zip(&place.conditions) {
        text.push_str(if at == 1 { " WHERE " } else { " AND " });
        text.push_str(&match condition {
            Condition::Is(column, _) => format!("{column} = ${at}"),
            Condition::OfWalletAt(_) => {
                format!("wallet_id IN (SELECT w.wallet_id FROM wallets w WHERE w.address = ${at})")
            }
        });
    }
    let mut query = sqlx::query(AssertSqlSafe(text));
    for condition in &place.conditions {
        query = match condition {
            Condition::OfWalletAt(address) => query.bind(address.clone()),
            Condition::Is(name, value) => {
                let column = table.columns.iter().find(|column| column.name == *name);
                one(query, column.map(|column| column.kind), value.clone())
                    .ok_or_else(|| CustodyError::damaged(format!("{name} is of another kind")))?
            }
        };
    }
    let rows = query.fetch_all(connection).await.storage()?;
    rows.iter().map(|row| decode(table, row)).collect()
}

/// Binds a value to look for.
fn one(query: Statement<'_>, kind: Option<Kind>, value: Value) -> Option<Statement<'_>> {
    Some(match (kind?, value) {
        (Kind::Integer, Value::Integer(number)) => query.bind(number),
        (Kind::Time, Value::Integer(ms)) => query.bind(Millis::bound(ms)),
        (Kind::Text, Value::Text(text)) => query.bind(String::from_utf8(text).ok()?),
        (Kind::Bytes, Value::Bytes(bytes)) => query.bind(bytes),
        (Kind::Id, Value::Bytes(bytes)) => query.bind(Id(bytes.try_into().ok()?)),
        _ => return None,
    })
}

/// The whole database, held by the row that every writer takes first.
pub(super) struct Dump {
    connection: PgConnection,
    /// The table whose cursor is open.
    open: Option<&'static Table>,
    /// What refers to rows of its own table: table, column, key, and both ids.
    deferred: Vec<(&'static Table, &'static str, i64, i64)>,
}

impl Dump {
    /// Connects on its own, and takes the lock; or, only to read, a snapshot.
    pub(super) async fn begin(
        options: &PgConnectOptions,
        wait: std::time::Duration,
        hold: Hold,
    ) -> Result<Self, Fault> {
        let mut connection = connect::once(options, wait).await?;
        if hold == Hold::Snapshot {
            run(&mut connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
            return Ok(Self::of(connection));
        }
        for _ in 1..TRIES {
            match lock(&mut connection).await {
                // Another writer was there first, and the snapshot is older than what it wrote.
                Err(fault) if fault.kind == FaultKind::Conflict => run(&mut connection, "ROLLBACK").await?,
                other => {
                    other?;
                    return Ok(Self::of(connection));
                }
            }
        }
        lock(&mut connection).await?;
        Ok(Self::of(connection))
    }

    const fn of(connection: PgConnection) -> Self {
        Self {
            connection,
            open: None,
            deferred: Vec::new(),
        }
    }

    async fn close_cursor(&mut self) -> Result<(), Fault> {
        match self.open.take() {
            Some(open) => close_cursor(&mut self.connection, open).await,
            None => Ok(()),
        }
    }

    async fn read(
        &mut self,
        table: &'static Table,
        after: Option<&Row>,
        limit: u32,
    ) -> Result<Vec<Row>, Fault> {
        if after.is_none() {
            self.close_cursor().await?;
            open_cursor(&mut self.connection, table).await?;
            self.open = Some(table);
        }
        fetch(&mut self.connection, table, limit).await
    }

    async fn fill(&mut self, table: &'static Table, mut rows: Vec<Row>) -> Result<(), Fault> {
        if rows.is_empty() {
            return Ok(());
        }
        if let Some(name) = table.refers_to_itself {
            self.defer(table, name, &mut rows);
        }
        let all: Vec<String> = (1..=table.columns.len()).map(|at| format!("${at}")).collect();
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        let values: Vec<String> = table
            .columns
            .iter()
            .map(|column| match column.kind {
                Kind::Amount | Kind::Limbs => format!("CAST(n.{} AS NUMERIC)", column.name),
                _ => format!("n.{}", column.name),
            })
            .collect();
        let (all, names, values) = (all.join(", "), names.join(", "), values.join(", "));
        let text = match table.name {
            "tags" => format!(
                "UPDATE wallets SET tags = ARRAY_CAT(wallets.tags, n.tags) FROM (SELECT u.wallet_id, \
                 ARRAY_AGG(u.tag ORDER BY u.tag COLLATE \"C\") AS tags FROM UNNEST({all}) AS u ({names}) \
                 GROUP BY u.wallet_id) AS n WHERE n.wallet_id = wallets.wallet_id"
            ),
            name => format!("INSERT INTO {name} ({names}) SELECT {values} FROM UNNEST({all}) AS n ({names})"),
        };
        let mut columns: Vec<Vec<Value>> = table
            .columns
            .iter()
            .map(|_| Vec::with_capacity(rows.len()))
            .collect();
        for row in rows {
            for (column, value) in columns.iter_mut().zip(row.0) {
                column.push(value);
            }
        }
        let mut query = sqlx::query(AssertSqlSafe(text));
        for (column, values) in table.columns.iter().zip(columns) {
            query = bind(query, column, values)?;
        }
        query.execute(&mut self.connection).await.storage()?;
        Ok(())
    }

    /// Takes the references to rows of the same table out, to be set when all of them are there.
    fn defer(&mut self, table: &'static Table, name: &'static str, rows: &mut [Row]) {
        let (Some(at), Some(key)) = (table.position(name), table.key_positions().next()) else {
            return;
        };
        for row in rows {
            if let (Some(Value::Integer(to)), Some(Value::Integer(from))) = (row.0.get(at), row.0.get(key)) {
                self.deferred.push((table, name, *from, *to));
                if let Some(value) = row.0.get_mut(at) {
                    *value = Value::Null;
                }
            }
        }
    }
}

async fn lock(connection: &mut PgConnection) -> Result<(), Fault> {
    run(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE").await?;
    run(
        connection,
        "SELECT 1 FROM audit_state WHERE singleton = 1 FOR UPDATE",
    )
    .await
}

async fn run(connection: &mut PgConnection, text: &str) -> Result<(), Fault> {
    sqlx::query(AssertSqlSafe(text.to_owned()))
        .persistent(false)
        .execute(connection)
        .await
        .storage()
        .map(|_| ())
}

/// Binds one column's values as an array.
fn bind<'q>(
    query: Statement<'q>,
    column: &Column,
    values: Vec<Value>,
) -> Result<Statement<'q>, CustodyError> {
    let wrong = || CustodyError::damaged(format!("{} is of another kind", column.name));
    let integers = |values: Vec<Value>| -> Result<Vec<Option<i64>>, CustodyError> {
        values
            .into_iter()
            .map(|value| match value {
                Value::Null => Ok(None),
                Value::Integer(number) => Ok(Some(number)),
                _ => Err(wrong()),
            })
            .collect()
    };
    let bytes = |values: Vec<Value>| -> Result<Vec<Option<Vec<u8>>>, CustodyError> {
        values
            .into_iter()
            .map(|value| match value {
                Value::Null => Ok(None),
                Value::Bytes(bytes) | Value::Text(bytes) => Ok(Some(bytes)),
                _ => Err(wrong()),
            })
            .collect()
    };
    Ok(match column.kind {
        Kind::Integer => query.bind(integers(values)?),
        Kind::Boolean => query.bind(
            integers(values)?
                .into_iter()
                .map(|number| number.map(|number| number != 0))
                .collect::<Vec<Option<bool>>>(),
        ),
        Kind::Time => query.bind(
            integers(values)?
                .into_iter()
                .map(|number| number.map(|number| time(column, number)).transpose())
                .collect::<Result<Vec<Option<Millis>>, _>>()?,
        ),
        Kind::Id => query.bind(
            bytes(values)?
                .into_iter()
                .map(|id| {
                    id.map(|id| id.try_into().map(Id).map_err(|_| wrong()))
                        .transpose()
                })
                .collect::<Result<Vec<Option<Id>>, _>>()?,
        ),
        Kind::Bytes => query.bind(bytes(values)?),
        Kind::Text => query.bind(
            bytes(values)?
                .into_iter()
                .map(|text| text.map(String::from_utf8).transpose().map_err(|_| wrong()))
                .collect::<Result<Vec<Option<String>>, _>>()?,
        ),
        Kind::Amount | Kind::Limbs => query.bind(
            values
                .into_iter()
                .map(|value| match value {
                    Value::Null => Ok(None),
                    Value::Amount(amount) => Ok(Some(amount.to_string())),
                    _ => Err(wrong()),
                })
                .collect::<Result<Vec<Option<String>>, _>>()?,
        ),
    })
}

fn time(column: &Column, ms: i64) -> Result<Millis, CustodyError> {
    let ms = u64::try_from(ms)
        .map_err(|_| CustodyError::damaged(format!("{} is out of its range", column.name)))?;
    Millis::new(column.name, ms)
}

#[async_trait]
impl Source for Dump {
    async fn page(
        &mut self,
        table: &'static Table,
        after: Option<&Row>,
        limit: u32,
    ) -> Result<Vec<Row>, CustodyError> {
        Ok(self.read(table, after, limit).await?)
    }

    async fn release(mut self: Box<Self>) -> Result<(), CustodyError> {
        run(&mut self.connection, "ROLLBACK").await?;
        Ok(self.connection.close().await.storage()?)
    }
}

#[async_trait]
impl Target for Dump {
    async fn is_empty(&mut self) -> Result<bool, CustodyError> {
        for table in TABLES {
            let text = format!("SELECT EXISTS (SELECT 1 FROM {})", relation(table));
            let found: bool = sqlx::query_scalar(AssertSqlSafe(text))
                .fetch_one(&mut self.connection)
                .await
                .storage()?;
            if found {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn insert(&mut self, table: &'static Table, rows: Vec<Row>) -> Result<(), CustodyError> {
        Ok(self.fill(table, rows).await?)
    }

    async fn settle(&mut self) -> Result<(), CustodyError> {
        let deferred = std::mem::take(&mut self.deferred);
        let Some((table, column, ..)) = deferred.first() else {
            return Ok(());
        };
        let key = table.key.join(", ");
        let text = format!(
            "UPDATE {0} SET {column} = n.target FROM UNNEST($1, $2) AS n (source, target) WHERE {0}.{key} = n.source",
            table.name
        );
        sqlx::query(AssertSqlSafe(text))
            .bind(deferred.iter().map(|(_, _, from, _)| *from).collect::<Vec<i64>>())
            .bind(deferred.iter().map(|(_, _, _, to)| *to).collect::<Vec<i64>>())
            .execute(&mut self.connection)
            .await
            .storage()?;
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), CustodyError> {
        self.close_cursor().await?;
        run(&mut self.connection, "COMMIT")
            .await
            .map_err(|fault| match fault.kind {
                FaultKind::Connection => CustodyError::OutcomeUnknown,
                _ => fault.error,
            })?;
        Ok(self.connection.close().await.storage()?)
    }
}
