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

/// Looking and tampering.
impl Place {
    pub(crate) async fn blob(&self, query: &str) -> Vec<u8> {
        let mut database = self.database().await;
        sqlx::query_scalar(AssertSqlSafe(query.to_owned()))
            .fetch_one(&mut database)
            .await
            .unwrap()
    }

    /// The one amount that is reserved.
    pub(crate) async fn reserved(&self) -> u128 {
        let mut found = 0;
        for limb in ["amount_top", "amount_upper", "amount_high", "amount_low"] {
            let piece = self
                .number(&format!("SELECT {limb} FROM spend_reservations"))
                .await;
            found = (found << 32) + u128::try_from(piece).unwrap();
        }
        found
    }

    pub(crate) fn copied(&self) -> Self {
        let copy = Self::new();
        std::fs::create_dir_all(copy.path().parent().unwrap()).unwrap();
        std::fs::copy(self.path(), copy.path()).unwrap();
        copy
    }

    /// Every insert into this table fails from now on.
    pub(crate) async fn refuse_inserts(&self, table: &str) {
        let trigger =
            format!("CREATE TRIGGER refused BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END");
        self.sql(&trigger).await;
    }

    pub(crate) async fn allow_inserts(&self, _table: &str) {
        self.sql("DROP TRIGGER refused").await;
    }

    /// Every byte that is stored, by where.
    pub(crate) async fn contents(&self) -> Vec<(String, Vec<u8>)> {
        std::fs::read_dir(self.path().parent().unwrap())
            .unwrap()
            .map(|file| {
                let path = file.unwrap().path();
                (path.display().to_string(), std::fs::read(&path).unwrap())
            })
            .collect()
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
