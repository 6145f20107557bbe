//! Where a vault of these tests is: a file, or a database of a server; and its rows, past the custody layer.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use keyward_custody::StoreLocation;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _, SqliteConnection};
use tempfile::TempDir;

use crate::postgres;

/// Which of the stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// A file.
    Sqlite,
    /// A database of a server.
    Postgres,
}

impl Store {
    /// Its name, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A place for one vault, with a folder beside it. Gone when dropped.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
    /// None for a file.
    database: Option<Database>,
}

#[derive(Debug)]
struct Database {
    url: String,
    /// Whether it lies on the server of this process's tests, which outlives it.
    is_shared: bool,
}

impl Place {
    /// A new one: a file, or a database of the server of this process's tests.
    ///
    /// # Errors
    /// When there is no folder to be had.
    pub fn new(store: Store) -> anyhow::Result<Self> {
        let database = match store {
            Store::Sqlite => None,
            Store::Postgres => Some(Database {
                url: postgres::database(),
                is_shared: true,
            }),
        };
        Ok(Self {
            folder: tempfile::tempdir()?,
            database,
        })
    }

    /// A new database of the server of which `url` is another.
    ///
    /// # Errors
    /// When there is no folder to be had.
    pub fn on_server(url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
            database: Some(Database {
                url: postgres::database_on(url),
                is_shared: false,
            }),
        })
    }

    /// Which store it is.
    #[must_use]
    pub fn store(&self) -> Store {
        self.database.as_ref().map_or(Store::Sqlite, |_| Store::Postgres)
    }

    /// A folder for whatever belongs to the test.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The vault's file, where it is one.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("vault.db")
    }

    /// As [`StoreLocation::parse`] reads it.
    #[must_use]
    pub fn address(&self) -> String {
        match &self.database {
            Some(database) => database.url.clone(),
            None => self.file().display().to_string(),
        }
    }

    /// For [`keyward_custody::Custody::open`].
    ///
    /// # Errors
    /// When the address does not read.
    pub fn location(&self) -> anyhow::Result<StoreLocation> {
        Ok(StoreLocation::parse(&self.address())?)
    }

    /// In this store's words: bytes as hexadecimal text, in lower case.
    #[must_use]
    pub fn hex(&self, column: &str) -> String {
        match self.store() {
            Store::Sqlite => format!("lower(hex({column}))"),
            Store::Postgres => format!("encode({column}, 'hex')"),
        }
    }

    /// In this store's words: a time in milliseconds since the Unix epoch.
    #[must_use]
    pub fn ms(&self, column: &str) -> String {
        match self.store() {
            Store::Sqlite => column.to_owned(),
            Store::Postgres => format!("CAST(ROUND(EXTRACT(EPOCH FROM {column}) * 1000) AS BIGINT)"),
        }
    }

    /// In this store's words: the amount of a reservation, which must be below 2^63.
    #[must_use]
    pub const fn amount(&self) -> &'static str {
        match self.database {
            None => "(amount_high * 4294967296 + amount_low)",
            Some(_) => "CAST(amount AS BIGINT)",
        }
    }

    /// Every row of a query that gives `columns` columns, as text; an empty one for what is not there.
    ///
    /// # Errors
    /// The database's.
    pub async fn rows(&self, columns: &[&str], from: &str) -> anyhow::Result<Vec<Vec<String>>> {
        let asked: Vec<String> = columns
            .iter()
            .map(|column| format!("COALESCE(CAST({column} AS TEXT), '')"))
            .collect();
        let query = format!("SELECT {} FROM {from}", asked.join(", "));
        let cells = 0..columns.len();
        match &self.database {
            None => {
                let url = format!("sqlite://{}", self.file().display());
                let mut connection = SqliteConnection::connect(&url).await?;
                let rows: Vec<SqliteRow> = sqlx::query(AssertSqlSafe(query.clone()))
                    .fetch_all(&mut connection)
                    .await
                    .with_context(|| query)?;
                connection.close().await?;
                rows.iter()
                    .map(|row| cells.clone().map(|at| Ok(row.try_get(at)?)).collect())
                    .collect()
            }
            Some(database) => {
                let mut connection = PgConnection::connect(&database.url).await?;
                let rows: Vec<PgRow> = sqlx::query(AssertSqlSafe(query.clone()))
                    .fetch_all(&mut connection)
                    .await
                    .with_context(|| query)?;
                connection.close().await?;
                rows.iter()
                    .map(|row| cells.clone().map(|at| Ok(row.try_get(at)?)).collect())
                    .collect()
            }
        }
    }

    /// The one number that a query gives.
    ///
    /// # Errors
    /// The database's, or when it gives no number.
    pub async fn number(&self, what: &str, from: &str) -> anyhow::Result<u64> {
        let rows = self.rows(&[what], from).await?;
        let text = rows.first().and_then(|row| row.first()).context("no row")?;
        text.parse()
            .with_context(|| format!("{what} of {from} is {text:?}"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(database) = self.database.as_ref().filter(|database| database.is_shared) {
            postgres::drop_database(&database.url);
        }
    }
}
