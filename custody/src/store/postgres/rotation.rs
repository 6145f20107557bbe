//! A rotation of the vault key under way: see [`crate::store::rotation`].

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::errors::{Fault, ResultExt};
use super::facts::{sealed_wallet, wallet_columns};
use super::masters;
use super::types::Millis;
use crate::error::CustodyError;
use crate::store::columns::{fixed, unsigned};
use crate::store::rotation::{
    RecordRef, RotationAsk, RotationFacts, RotationRow, RotationState, RotationWrite, SOURCE_LEN,
    StagedRecord, Unstaged, source_of,
};

/// The end of a table's sealed record, as [`source_of`] takes it.
fn source(table: &str) -> String {
    format!(
        "substring({table}.sealed FROM length({table}.sealed) - {})",
        SOURCE_LEN - 1
    )
}

/// What was asked for of the rotation.
pub(super) async fn facts(connection: &mut PgConnection, ask: RotationAsk) -> Result<RotationFacts, Fault> {
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

async fn row(connection: &mut PgConnection) -> Result<Option<RotationRow>, Fault> {
    let row = sqlx::query("SELECT header, started_at FROM vault_key_rotations")
        .fetch_optional(connection)
        .await
        .storage()?;
    row.map(|row| {
        Ok(RotationRow {
            header: row.try_get(0).storage()?,
            started_ms: row
                .try_get::<Millis, _>(1)
                .storage()?
                .get("vault_key_rotations.started_at")?,
        })
    })
    .transpose()
}

async fn records(connection: &mut PgConnection) -> Result<u64, Fault> {
    let count: i64 = sqlx::query_scalar(
        "SELECT (SELECT COUNT(*) FROM master_wallets) + (SELECT COUNT(*) FROM wallets) \
         - (SELECT COUNT(*) FROM wallets WHERE status = 'purged')",
    )
    .fetch_one(connection)
    .await
    .storage()?;
    Ok(unsigned("records", count)?)
}

/// How far it is; in one snapshot if the caller has one.
pub(super) async fn state(connection: &mut PgConnection) -> Result<Option<RotationState>, Fault> {
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
    connection: &mut PgConnection,
    after: i64,
    limit: u32,
) -> Result<Unstaged, Fault> {
    let mut found = Unstaged::default();
    if after == 0 {
        let rows = sqlx::query("SELECT row_id, source FROM staged_records WHERE kind = 'master'")
            .fetch_all(&mut *connection)
            .await
            .storage()?;
        let staged = rows
            .iter()
            .map(|row| Ok((row.try_get(0).storage()?, row.try_get(1).storage()?)))
            .collect::<Result<Vec<(i64, Vec<u8>)>, Fault>>()?;
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
         WHERE w.wallet_id > $1 AND w.status <> 'purged' \
         AND (s.source IS NULL OR s.source <> {}) ORDER BY w.wallet_id LIMIT $2",
        wallet_columns(),
        source("w")
    )))
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await
    .storage()?;
    found.wallets = rows.iter().map(sealed_wallet).collect::<Result<_, _>>()?;
    Ok(found)
}

/// What is staged, in order.
pub(super) async fn staged(
    connection: &mut PgConnection,
    after: Option<RecordRef>,
    limit: u32,
) -> Result<Vec<StagedRecord>, Fault> {
    let (kind, id) = after.map_or(("", 0), RecordRef::parts);
    let rows = sqlx::query(
        "SELECT kind, row_id, epoch, source, mac, sealed FROM staged_records \
         WHERE (kind, row_id) > ($1, $2) ORDER BY kind, row_id LIMIT $3",
    )
    .bind(kind)
    .bind(id)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await
    .storage()?;
    rows.iter().map(staged_record).collect()
}

fn staged_record(row: &PgRow) -> Result<StagedRecord, Fault> {
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
    connection: &mut PgConnection,
    write: RotationWrite,
    now: Millis,
) -> Result<(), Fault> {
    match write {
        RotationWrite::Begin { header } => {
            end(connection).await?;
            sqlx::query("INSERT INTO vault_key_rotations (singleton, header, started_at) VALUES (1, $1, $2)")
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

async fn end(connection: &mut PgConnection) -> Result<(), Fault> {
    for statement in ["DELETE FROM staged_records", "DELETE FROM vault_key_rotations"] {
        sqlx::query(statement).execute(&mut *connection).await.storage()?;
    }
    Ok(())
}

async fn stage(connection: &mut PgConnection, records: Vec<StagedRecord>) -> Result<(), Fault> {
    if records.is_empty() {
        return Ok(());
    }
    let kinds: Vec<&str> = records.iter().map(|record| record.at.parts().0).collect();
    let ids: Vec<i64> = records.iter().map(|record| record.at.parts().1).collect();
    let epochs: Vec<i64> = records.iter().map(|record| i64::from(record.epoch)).collect();
    let sources: Vec<Vec<u8>> = records.iter().map(|record| record.source.to_vec()).collect();
    let macs: Vec<Vec<u8>> = records.iter().map(|record| record.mac.to_vec()).collect();
    let sealed: Vec<Vec<u8>> = records.into_iter().map(|record| record.sealed).collect();
    sqlx::query(
        "INSERT INTO staged_records (kind, row_id, epoch, source, mac, sealed) \
         SELECT n.kind, n.row_id, n.epoch, n.source, n.mac, n.sealed \
         FROM UNNEST($1, $2, $3, $4, $5, $6) AS n (kind, row_id, epoch, source, mac, sealed) \
         ON CONFLICT (kind, row_id) DO UPDATE SET epoch = excluded.epoch, source = excluded.source, \
         mac = excluded.mac, sealed = excluded.sealed",
    )
    .bind(kinds)
    .bind(ids)
    .bind(epochs)
    .bind(sources)
    .bind(macs)
    .bind(sealed)
    .execute(connection)
    .await
    .storage()?;
    Ok(())
}

async fn switch(connection: &mut PgConnection, epoch: u32) -> Result<(), Fault> {
    for (table, id, kind) in [
        ("wallets", "wallet_id", "wallet"),
        ("master_wallets", "master_id", "master"),
    ] {
        sqlx::query(AssertSqlSafe(format!(
            "UPDATE {table} SET epoch = s.epoch, sealed = s.sealed FROM staged_records s \
             WHERE s.kind = '{kind}' AND s.row_id = {table}.{id} AND s.epoch = $1 \
             AND s.source = {}",
            source(table)
        )))
        .bind(i64::from(epoch))
        .execute(&mut *connection)
        .await
        .storage()?;
    }
    sqlx::query("UPDATE wallets SET epoch = $1 WHERE status = 'purged'")
        .bind(i64::from(epoch))
        .execute(&mut *connection)
        .await
        .storage()?;
    let left: i64 = sqlx::query_scalar(
        "SELECT (SELECT COUNT(*) FROM wallets WHERE epoch <> $1) \
         + (SELECT COUNT(*) FROM master_wallets WHERE epoch <> $1)",
    )
    .bind(i64::from(epoch))
    .fetch_one(connection)
    .await
    .storage()?;
    if left == 0 {
        Ok(())
    } else {
        let what = format!("{left} records would have been left under the old vault key");
        Err(CustodyError::damaged(what).into())
    }
}
