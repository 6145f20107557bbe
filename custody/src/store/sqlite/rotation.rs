//! A rotation of the vault key under way: see [`crate::store::rotation`].

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::errors::ResultExt;
use super::facts::{sealed_wallet, wallet_columns};
use super::masters;
use crate::error::CustodyError;
use crate::store::columns::{fixed, unsigned};
use crate::store::rotation::{
    RecordRef, RotationAsk, RotationFacts, RotationRow, RotationState, RotationWrite, SOURCE_LEN,
    StagedRecord, Unstaged, source_of,
};

/// Records in one INSERT.
const ROWS_PER_INSERT: usize = 500;

/// Columns of a staged record.
const COLUMNS: usize = 6;

/// What was asked for of the rotation.
pub(super) async fn facts(
    connection: &mut SqliteConnection,
    ask: RotationAsk,
) -> Result<RotationFacts, CustodyError> {
    let mut facts = RotationFacts::default();
    if ask == RotationAsk::No {
        return Ok(facts);
    }
    facts.row = row(connection).await?;
    if let RotationAsk::Switch { rest } = ask {
        facts.rest = unstaged(connection, 0, rest).await?;
        facts.policies = masters::policies(connection).await?;
        facts.audit_keys = masters::audit_keys(connection).await?;
        facts.records = records(connection).await?;
    }
    Ok(facts)
}

async fn row(connection: &mut SqliteConnection) -> Result<Option<RotationRow>, CustodyError> {
    let row = sqlx::query("SELECT header, started_at FROM vault_key_rotations")
        .fetch_optional(connection)
        .await
        .storage()?;
    row.map(|row| {
        Ok(RotationRow {
            header: row.try_get(0).storage()?,
            started_ms: unsigned("vault_key_rotations.started_at", row.try_get(1).storage()?)?,
        })
    })
    .transpose()
}

async fn records(connection: &mut SqliteConnection) -> Result<u64, CustodyError> {
    let count: i64 = sqlx::query_scalar(
        "SELECT (SELECT COUNT(*) FROM master_wallets) + (SELECT COUNT(*) FROM wallets) \
         - (SELECT COUNT(*) FROM wallets WHERE status = 'purged')",
    )
    .fetch_one(connection)
    .await
    .storage()?;
    unsigned("records", count)
}

/// How far it is; in one snapshot if the caller has one.
pub(super) async fn state(connection: &mut SqliteConnection) -> Result<Option<RotationState>, CustodyError> {
    let Some(row) = row(connection).await? else {
        return Ok(None);
    };
    let done: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM staged_records")
        .fetch_one(&mut *connection)
        .await
        .storage()?;
    Ok(Some(RotationState {
        row,
        done: unsigned("staged_records", done)?,
        total: records(connection).await?,
    }))
}

/// What is not staged as it is now.
pub(super) async fn unstaged(
    connection: &mut SqliteConnection,
    after: i64,
    limit: u32,
) -> Result<Unstaged, CustodyError> {
    let mut found = Unstaged::default();
    if after == 0 {
        let rows = sqlx::query("SELECT row_id, source FROM staged_records WHERE kind = 'master'")
            .fetch_all(&mut *connection)
            .await
            .storage()?;
        let staged = rows
            .iter()
            .map(|row| Ok((row.try_get(0).storage()?, row.try_get(1).storage()?)))
            .collect::<Result<Vec<(i64, Vec<u8>)>, CustodyError>>()?;
        found.masters = masters::all_masters(connection).await?;
        found.masters.retain(|master| {
            let source = source_of(&master.sealed);
            !staged.iter().any(|(id, staged)| {
                *id == master.id && source.is_some_and(|source| source.as_slice() == staged)
            })
        });
    }
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {} FROM wallets w \
         LEFT JOIN staged_records s ON s.kind = 'wallet' AND s.row_id = w.wallet_id \
         WHERE w.wallet_id > ?1 AND w.status <> 'purged' \
         AND (s.source IS NULL OR s.source <> substr(w.sealed, -{SOURCE_LEN})) ORDER BY w.wallet_id LIMIT ?2",
        wallet_columns()
    )))
    .bind(after)
    .bind(limit)
    .fetch_all(connection)
    .await
    .storage()?;
    found.wallets = rows.iter().map(sealed_wallet).collect::<Result<_, _>>()?;
    Ok(found)
}

/// What is staged, in order.
pub(super) async fn staged(
    connection: &mut SqliteConnection,
    after: Option<RecordRef>,
    limit: u32,
) -> Result<Vec<StagedRecord>, CustodyError> {
    let (kind, id) = after.map_or(("", 0), RecordRef::parts);
    let rows = sqlx::query(
        "SELECT kind, row_id, epoch, source, mac, sealed FROM staged_records \
         WHERE (kind, row_id) > (?1, ?2) ORDER BY kind, row_id LIMIT ?3",
    )
    .bind(kind)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await
    .storage()?;
    rows.iter().map(staged_record).collect()
}

fn staged_record(row: &SqliteRow) -> Result<StagedRecord, CustodyError> {
    let kind: String = row.try_get(0).storage()?;
    Ok(StagedRecord {
        at: RecordRef::from_parts(&kind, row.try_get(1).storage()?)
            .ok_or_else(|| CustodyError::damaged("staged_records.kind is unknown"))?,
        epoch: unsigned("staged_records.epoch", row.try_get(2).storage()?)?,
        source: fixed("staged_records.source", row.try_get(3).storage()?)?,
        mac: fixed("staged_records.mac", row.try_get(4).storage()?)?,
        sealed: row.try_get(5).storage()?,
    })
}

pub(super) async fn apply(
    connection: &mut SqliteConnection,
    write: RotationWrite,
    now: i64,
) -> Result<(), CustodyError> {
    match write {
        RotationWrite::Begin { header } => {
            end(connection).await?;
            sqlx::query("INSERT INTO vault_key_rotations (singleton, header, started_at) VALUES (1, ?1, ?2)")
                .bind(header)
                .bind(now)
                .execute(connection)
                .await
                .storage()?;
            Ok(())
        }
        RotationWrite::Stage(records) => stage(connection, records).await,
        RotationWrite::Switch { epoch } => switch(connection, epoch).await,
        RotationWrite::End => end(connection).await,
    }
}

async fn end(connection: &mut SqliteConnection) -> Result<(), CustodyError> {
    for statement in ["DELETE FROM staged_records", "DELETE FROM vault_key_rotations"] {
        sqlx::query(statement).execute(&mut *connection).await.storage()?;
    }
    Ok(())
}

async fn stage(connection: &mut SqliteConnection, records: Vec<StagedRecord>) -> Result<(), CustodyError> {
    let mut records = records.into_iter().peekable();
    while records.peek().is_some() {
        let chunk: Vec<StagedRecord> = records.by_ref().take(ROWS_PER_INSERT).collect();
        // Parameters without numbers: the driver goes through a list of numbered ones for each of them.
        let row = format!("({})", ["?"; COLUMNS].join(", "));
        let text = format!(
            "INSERT INTO staged_records (kind, row_id, epoch, source, mac, sealed) VALUES {} \
             ON CONFLICT (kind, row_id) DO UPDATE SET epoch = excluded.epoch, source = excluded.source, \
             mac = excluded.mac, sealed = excluded.sealed",
            vec![row; chunk.len()].join(", ")
        );
        // The text is made of the row count alone: nothing of it comes from outside.
        let mut query = sqlx::query(AssertSqlSafe(text));
        for record in chunk {
            let (kind, id) = record.at.parts();
            query = query
                .bind(kind)
                .bind(id)
                .bind(record.epoch)
                .bind(record.source.to_vec())
                .bind(record.mac.to_vec())
                .bind(record.sealed);
        }
        query.execute(&mut *connection).await.storage()?;
    }
    Ok(())
}

async fn switch(connection: &mut SqliteConnection, epoch: u32) -> Result<(), CustodyError> {
    for (table, id, kind) in [
        ("wallets", "wallet_id", "wallet"),
        ("master_wallets", "master_id", "master"),
    ] {
        sqlx::query(AssertSqlSafe(format!(
            "UPDATE {table} SET epoch = s.epoch, sealed = s.sealed FROM staged_records s \
             WHERE s.kind = '{kind}' AND s.row_id = {table}.{id} AND s.epoch = ?1 \
             AND s.source = substr({table}.sealed, -{SOURCE_LEN})"
        )))
        .bind(epoch)
        .execute(&mut *connection)
        .await
        .storage()?;
    }
    sqlx::query("UPDATE wallets SET epoch = ?1 WHERE status = 'purged'")
        .bind(epoch)
        .execute(&mut *connection)
        .await
        .storage()?;
    let left: i64 = sqlx::query_scalar(
        "SELECT (SELECT COUNT(*) FROM wallets WHERE epoch <> ?1) \
         + (SELECT COUNT(*) FROM master_wallets WHERE epoch <> ?1)",
    )
    .bind(epoch)
    .fetch_one(connection)
    .await
    .storage()?;
    if left == 0 {
        Ok(())
    } else {
        Err(CustodyError::damaged(format!(
            "{left} records would have been left under the old vault key"
        )))
    }
}
