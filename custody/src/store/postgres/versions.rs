//! The schema's version, read without making or changing anything.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection};

use super::errors::{Fault, ResultExt};
use super::{MIGRATIONS, connect};
use crate::error::CustodyError;
use crate::store::SchemaState;

/// How long the server may take to answer.
const WAIT: Duration = Duration::from_secs(5);

pub(in crate::store) async fn schema_state(url: &str) -> Result<SchemaState, CustodyError> {
    let options = connect::options(url)?;
    let mut connection = connect::once(&options, WAIT).await?;
    let found = applied(&mut connection).await?;
    // Whatever it says to that, it is done with.
    let _ = connection.close().await;
    SchemaState::of(&found, &MIGRATIONS)
}

/// The versions that this database was brought to; none where there is no list of them.
pub(super) async fn applied(connection: &mut PgConnection) -> Result<Vec<i64>, Fault> {
    let has_list: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM information_schema.tables \
         WHERE table_schema = current_schema() AND table_name = '_sqlx_migrations')",
    )
    .fetch_one(&mut *connection)
    .await
    .storage()?;
    if !has_list {
        return Ok(Vec::new());
    }
    sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
        .fetch_all(connection)
        .await
        .storage()
}
