//! The tables of a file as they are, for tests that go through all of them.

use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::place::Place;

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
            "SELECT t.name, c.name, c.type, c.pk FROM sqlite_schema t, pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND t.name <> '_sqlx_migrations' ORDER BY t.name, c.cid",
        )
        .fetch_all(&mut database)
        .await
        .unwrap();
        let column = |row: &sqlx::sqlite::SqliteRow| Column {
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
        let done = sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&mut database)
            .await;
        database.close().await.unwrap();
        match done {
            Ok(_) => true,
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => false,
            Err(error) => panic!("{statement}: {error}"),
        }
    }

    /// Takes away what keeps nonsense out: every connection of these tests leaves it out anyway.
    pub(crate) async fn uncheck(&self) {}
}

impl Column {
    /// An expression of the literal of an expression of its type.
    pub(crate) fn literal(&self, expression: &str) -> String {
        format!("quote({expression})")
    }

    /// An expression of another value than it has.
    pub(crate) fn another(&self) -> String {
        let name = &self.name;
        match self.kind.as_str() {
            // Far off, so that no other row has it.
            "INTEGER" => format!("COALESCE({name}, 0) + 7777"),
            "TEXT" => format!("COALESCE({name}, '') || 'x'"),
            "BLOB" => format!(
                "CASE WHEN {name} IS NULL OR {name} = zeroblob(length({name})) THEN x'0102' \
                 ELSE zeroblob(length({name})) END"
            ),
            other => panic!("{other} is new here"),
        }
    }
}
