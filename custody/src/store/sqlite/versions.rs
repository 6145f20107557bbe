//! The schema's version, read without making or changing anything.

use std::path::Path;

use sqlx::ConnectOptions as _;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use super::MIGRATIONS;
use super::errors::ResultExt;
use crate::error::CustodyError;
use crate::store::SchemaState;

pub(in crate::store) async fn schema_state(path: &Path) -> Result<SchemaState, CustodyError> {
    if matches!(path.try_exists(), Ok(false)) {
        return Err(CustodyError::NotInitialised);
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .pragma("query_only", "ON")
        .disable_statement_logging();
    let single = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await
        .storage()?;
    let mut connection = single.acquire().await.storage()?.detach();
    let has_list: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations')",
    )
    .fetch_one(&mut connection)
    .await
    .storage()?;
    let found: Vec<i64> = if has_list {
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(&mut connection)
            .await
            .storage()?
    } else {
        Vec::new()
    };
    connection.close().await.storage()?;
    SchemaState::of(&found, &MIGRATIONS)
}
