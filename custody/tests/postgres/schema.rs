//! The tables of a server's database as they are, for tests that go through all of them.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

use crate::place::{Place, UNCHECKED};

/// A column as the database has it.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) kind: String,
    /// Its place in the primary key, from 1; 0 outside.
    pub(crate) key: i64,
}

impl Place {
    pub(crate) async fn columns(&self) -> Vec<Column> {
        let mut database = self.database().await;
        let rows = sqlx::query(
            "SELECT c.table_name::TEXT, c.column_name::TEXT, c.udt_name::TEXT, COALESCE((\
             SELECT k.ordinal_position::BIGINT FROM information_schema.table_constraints t \
             JOIN information_schema.key_column_usage k USING (constraint_name, table_schema) \
             WHERE t.constraint_type = 'PRIMARY KEY' AND k.table_name = c.table_name \
             AND k.column_name = c.column_name), 0) \
             FROM information_schema.columns c WHERE c.table_schema = 'public' \
             AND c.table_name <> '_sqlx_migrations' ORDER BY c.table_name, c.ordinal_position",
        )
        .fetch_all(&mut database)
        .await
        .unwrap();
        let column = |row: &sqlx::postgres::PgRow| Column {
            table: row.get(0),
            name: row.get(1),
            kind: row.get(2),
            key: row.get(3),
        };
        rows.iter().map(column).collect()
    }

    /// A query whose one column is text.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        let mut database = self.database().await;
        sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .fetch_all(&mut database)
            .await
            .unwrap_or_else(|error| panic!("{query}: {error}"))
    }

    /// Runs a statement; false where a constraint of uniqueness forbids it.
    pub(crate) async fn attempt(&self, statement: &str) -> bool {
        let mut database = self.database().await;
        let done = database.execute(AssertSqlSafe(statement.to_owned())).await;
        database.close().await.unwrap();
        match done {
            Ok(_) => true,
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => false,
            Err(error) => panic!("{statement}: {error}"),
        }
    }

    /// Takes away what keeps nonsense out, as whoever owns the database can.
    pub(crate) async fn uncheck(&self) {
        self.database().await.execute(UNCHECKED).await.unwrap();
    }
}

impl Column {
    /// An expression of the literal of an expression of its type.
    pub(crate) fn literal(&self, expression: &str) -> String {
        format!("quote_nullable(({expression})::TEXT) || '::{}'", self.kind)
    }

    /// An expression of another value than it has.
    pub(crate) fn another(&self) -> String {
        let name = &self.name;
        match self.kind.as_str() {
            // Far off, so that no other row has it.
            "int8" | "numeric" => format!("COALESCE({name}, 0) + 7777"),
            "text" => format!("COALESCE({name}, '') || 'x'"),
            "bool" => format!("NOT {name}"),
            "timestamptz" => format!("COALESCE({name}, '2001-01-01') + INTERVAL '1 millisecond'"),
            "_text" => format!("ARRAY_APPEND({name}, 'x')"),
            "uuid" => "gen_random_uuid()".to_owned(),
            "bytea" => format!(
                "CASE WHEN {name} IS NULL OR {name} = zeroblob(length({name})) THEN '\\x0102'::bytea \
                 ELSE zeroblob(length({name})) END"
            ),
            other => panic!("{other} is new here"),
        }
    }
}
