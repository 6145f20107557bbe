//! A database of the tests' own server.

use std::fmt::Write as _;

use keyward_custody::StoreLocation;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::server;

/// A database for a vault.
pub(crate) struct Place {
    url: String,
}

/// What the tests' statements say in SQLite's words.
const DIALECT: &str = "
CREATE DOMAIN blob AS bytea;
CREATE FUNCTION zeroblob(bytes BIGINT) RETURNS bytea LANGUAGE sql IMMUTABLE
    AS $$ SELECT decode(repeat('00', bytes::int), 'hex') $$;
CREATE FUNCTION id_of(bytes bytea) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT encode(bytes, 'hex')::uuid $$;
CREATE CAST (bytea AS uuid) WITH FUNCTION id_of(bytea) AS ASSIGNMENT;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
";

/// Takes away what keeps nonsense out of the tables, as whoever owns the database can.
pub(crate) const UNCHECKED: &str = "
DO $$ DECLARE found RECORD; BEGIN
    FOR found IN SELECT conname, conrelid::regclass AS relation FROM pg_constraint
        WHERE contype = 'c' AND conrelid <> 0 AND connamespace = 'public'::regnamespace
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.relation, found.conname);
    END LOOP;
END $$;
";

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            url: server::database(),
        }
    }

    pub(crate) fn location(&self) -> StoreLocation {
        StoreLocation::parse(&self.url).unwrap()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The database itself, for looking and for tampering: references are not enforced here.
    pub(crate) async fn database(&self) -> PgConnection {
        let mut database = PgConnection::connect(&self.url).await.unwrap();
        database
            .execute("SET session_replication_role TO replica")
            .await
            .unwrap();
        let is_new: bool =
            sqlx::query_scalar("SELECT NOT EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'zeroblob')")
                .fetch_one(&mut database)
                .await
                .unwrap();
        if is_new {
            database.execute(DIALECT).await.unwrap();
        }
        database
    }

    pub(crate) async fn sql(&self, statement: &str) -> u64 {
        let mut database = self.database().await;
        let statement = translated(statement);
        let mut done = database.execute(AssertSqlSafe(statement.clone())).await;
        if matches!(&done, Err(sqlx::Error::Database(error)) if error.is_check_violation()) {
            database.execute(UNCHECKED).await.unwrap();
            done = database.execute(AssertSqlSafe(statement.clone())).await;
        }
        database.close().await.unwrap();
        done.unwrap_or_else(|error| panic!("{statement}: {error}"))
            .rows_affected()
    }

    pub(crate) async fn number(&self, query: &str) -> i64 {
        let query = format!("SELECT CAST(({}) AS BIGINT)", in_milliseconds(&translated(query)));
        let mut database = self.database().await;
        let number = sqlx::query_scalar(AssertSqlSafe(query.clone()))
            .fetch_one(&mut database)
            .await
            .unwrap_or_else(|error| panic!("{query}: {error}"));
        database.close().await.unwrap();
        number
    }

    pub(crate) async fn blob(&self, query: &str) -> Vec<u8> {
        let mut database = self.database().await;
        let bytes = sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .fetch_one(&mut database)
            .await
            .unwrap();
        database.close().await.unwrap();
        bytes
    }

    /// The one amount that is reserved.
    pub(crate) async fn reserved(&self) -> u128 {
        let text = self
            .blob("SELECT convert_to(CAST(amount AS TEXT), 'UTF8') FROM spend_reservations")
            .await;
        std::str::from_utf8(&text).unwrap().parse().unwrap()
    }

    pub(crate) fn copied(&self) -> Self {
        Self {
            url: server::copied(&self.url),
        }
    }

    /// Every insert into this table fails from now on.
    pub(crate) async fn refuse_inserts(&self, table: &str) {
        self.sql(&format!(
            "CREATE TRIGGER refused BEFORE INSERT ON {table} EXECUTE FUNCTION refuse()"
        ))
        .await;
    }

    pub(crate) async fn allow_inserts(&self, table: &str) {
        self.sql(&format!("DROP TRIGGER refused ON {table}")).await;
    }

    /// Every value that is stored, by its column: bytes as they are, all else as text.
    pub(crate) async fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let mut database = self.database().await;
        let columns: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT table_name::TEXT, column_name::TEXT, data_type::TEXT FROM information_schema.columns \
             WHERE table_schema = 'public'",
        )
        .fetch_all(&mut database)
        .await
        .unwrap();
        assert!(columns.len() > 80, "the schema was not read");
        let mut contents = Vec::new();
        for (table, column, kind) in columns {
            let value = match kind.as_str() {
                "bytea" => column.clone(),
                _ => format!("convert_to({column}::TEXT, 'UTF8')"),
            };
            let query = format!("SELECT {value} FROM {table} WHERE {column} IS NOT NULL");
            let values: Vec<Vec<u8>> = sqlx::query_scalar(AssertSqlSafe(query))
                .fetch_all(&mut database)
                .await
                .unwrap();
            let bytes = values.concat();
            if !bytes.is_empty() {
                contents.push((format!("{table}.{column}"), bytes));
            }
        }
        database.close().await.unwrap();
        contents
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        server::drop_database(&self.url);
    }
}

/// `x'00'` is a string of bits to PostgreSQL; an amount is one column there, a time is a time, and a truth is one.
fn translated(statement: &str) -> String {
    let mut out = String::new();
    let mut rest = statement;
    while let Some(at) = rest.find("x'") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        let digits = after.split('\'').next().unwrap_or_default();
        let is_bytes = !before.ends_with(|c: char| c == '\'' || c.is_alphanumeric())
            && digits.chars().all(|c| c.is_ascii_hexdigit());
        if is_bytes {
            let _ = write!(out, "{before}CAST('\\x{digits}' AS BYTEA)");
            rest = &after[digits.len() + 1..];
        } else {
            let _ = write!(out, "{before}x'");
            rest = after;
        }
    }
    out.push_str(rest);
    out.replace("amount_low", "amount")
        .replace("own_password = 1", "own_password")
}

/// In milliseconds since the Unix epoch what is a time.
fn in_milliseconds(query: &str) -> String {
    ["reserved_at", "authorised_at", "locked_until"]
        .into_iter()
        .fold(query.to_owned(), |query, column| {
            query.replace(
                column,
                &format!("CAST(EXTRACT(EPOCH FROM {column}) * 1000 AS BIGINT)"),
            )
        })
}
