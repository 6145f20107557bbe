//! A database file in a temporary folder.

use std::path::PathBuf;

use keyward_custody::StoreLocation;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::TempDir;

use crate::fixture::Fixture;

/// A folder for a vault's database.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn location(&self) -> StoreLocation {
        StoreLocation::from_path(self.path())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("data/vault.db")
    }

    /// The database itself, for looking and for tampering.
    pub(crate) async fn database(&self) -> SqliteConnection {
        sqlx::sqlite::SqliteConnectOptions::new()
            .filename(self.path())
            .pragma("ignore_check_constraints", "ON")
            .foreign_keys(false)
            .connect()
            .await
            .unwrap()
    }

    pub(crate) async fn sql(&self, statement: &str) -> u64 {
        let mut database = self.database().await;
        let done = sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&mut database)
            .await
            .unwrap()
            .rows_affected();
        database.close().await.unwrap();
        done
    }

    pub(crate) async fn number(&self, query: &str) -> i64 {
        let mut database = self.database().await;
        sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .fetch_one(&mut database)
            .await
            .unwrap()
    }
}

/// What only a file has.
impl Fixture {
    pub(crate) fn path(&self) -> PathBuf {
        self.place.path()
    }

    pub(crate) async fn database(&self) -> SqliteConnection {
        self.place.database().await
    }
}
