//! Inserting what comes by the thousand, and what belongs to it: wallets, phrases, the vault itself.
//!
//! Ids are the highest one and one more. That is safe, since every writer holds the lock of the audit log's edge, and it
//! needs neither sequences nor identity columns, whose numbers distributed engines hand out in blocks and out of order:
//! the lowest phrase and the newest attempt are told by their ids.

use keyward_core::path::PathFamily;
use sqlx::PgConnection;

use super::connect::Engine;
use super::copy::{CopyBuffer, Placed};
use super::errors::{Fault, ResultExt};
use super::types::{Id, Millis};
use crate::error::CustodyError;
use crate::store::{AuditKeyRow, NewMaster, NewVaultRow, NewWallet, stored_integer};

/// From so many wallets on they are copied; below it, making a table for it takes longer.
const COPIED_FROM: usize = 200;

/// From so many wallets on the server takes stock of the table.
const ANALYZED_FROM: usize = 5_000;

/// Wallets in one INSERT where they are not copied.
const ROWS_PER_INSERT: usize = 1_000;

pub(super) async fn vault(connection: &mut PgConnection, row: NewVaultRow, now: Millis) -> Result<(), Fault> {
    sqlx::query("INSERT INTO vaults (vault_id, header, audit_key, created_at) VALUES ($1, $2, $3, $4)")
        .bind(Id(row.id))
        .bind(row.header)
        .bind(row.audit_key.to_vec())
        .bind(now)
        .execute(&mut *connection)
        .await
        .storage()?;
    for new in row.masters {
        master(connection, new, now).await?;
    }
    for policy in row.policies {
        sqlx::query(
            "INSERT INTO policies (version, vault_id, body, signature, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(i64::from(policy.version))
        .bind(Id(row.id))
        .bind(policy.body)
        .bind(policy.signature.as_bytes().to_vec())
        .bind(now)
        .execute(&mut *connection)
        .await
        .storage()?;
    }
    Ok(())
}

/// The new phrase's id.
pub(super) async fn master(connection: &mut PgConnection, new: NewMaster, now: Millis) -> Result<i64, Fault> {
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO master_wallets (master_id, vault_id, record_id, epoch, path_family, label, sealed, created_at) \
         SELECT COALESCE((SELECT MAX(master_id) FROM master_wallets), 0) + 1, vault_id, $1, $2, $3, $4, $5, $6 \
         FROM vaults RETURNING master_id",
    )
    .bind(Id(new.record))
    .bind(i64::from(new.epoch))
    .bind(new.family.id())
    .bind(new.label)
    .bind(new.sealed)
    .bind(now)
    .fetch_one(&mut *connection)
    .await
    .storage()?;
    sqlx::query("INSERT INTO derivations (master_id, path_family) VALUES ($1, $2)")
        .bind(id)
        .bind(new.family.id())
        .execute(connection)
        .await
        .storage()?;
    Ok(id)
}

/// The key in force, and all before it.
pub(super) async fn audit_keys(
    connection: &mut PgConnection,
    current: [u8; 32],
    retired: Vec<AuditKeyRow>,
) -> Result<(), Fault> {
    sqlx::query("UPDATE vaults SET audit_key = $1")
        .bind(current.to_vec())
        .execute(&mut *connection)
        .await
        .storage()?;
    for row in retired {
        sqlx::query(
            "INSERT INTO audit_keys (until_sequence, audit_key, signature) VALUES ($1, $2, $3) \
             ON CONFLICT (until_sequence) DO UPDATE SET audit_key = excluded.audit_key, \
             signature = excluded.signature",
        )
        .bind(stored_integer("audit sequence", row.until)?)
        .bind(row.key.to_bytes().to_vec())
        .bind(row.signature.as_bytes().to_vec())
        .execute(&mut *connection)
        .await
        .storage()?;
    }
    Ok(())
}

/// Inserts wallets, and says how many were new. Those that are there already are left as they are.
pub(super) async fn wallets(
    connection: &mut PgConnection,
    engine: Engine,
    from: Option<(i64, PathFamily)>,
    rows: Vec<NewWallet>,
    now: Millis,
) -> Result<u64, Fault> {
    let highest: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(wallet_id), 0) FROM wallets")
        .fetch_one(&mut *connection)
        .await
        .storage()?;
    if engine == Engine::Postgres && rows.len() >= COPIED_FROM {
        return match from {
            Some(from) if !any_there(connection, highest, &rows).await? => {
                straight(connection, highest, from, &rows, now).await
            }
            _ => copied(connection, highest, from, &rows, now).await,
        };
    }
    let mut added = 0;
    let mut next = highest;
    for chunk in rows.chunks(ROWS_PER_INSERT) {
        added += inserted(connection, next, from, chunk, now).await?;
        next += chunk_length(chunk)?;
    }
    Ok(added)
}

fn chunk_length(rows: &[NewWallet]) -> Result<i64, CustodyError> {
    stored_integer("wallets", rows.len() as u64) // usize has at most 64 bits
}

/// Whether one of these addresses is a wallet already. Under the lock it stays as it is until they are written.
async fn any_there(connection: &mut PgConnection, highest: i64, rows: &[NewWallet]) -> Result<bool, Fault> {
    if highest == 0 {
        return Ok(false);
    }
    let addresses: Vec<String> = rows.iter().map(|row| row.address.to_string()).collect();
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM wallets WHERE address = ANY($1))")
        .bind(addresses)
        .persistent(false)
        .fetch_one(connection)
        .await
        .storage()
}

/// By COPY into the table itself: wallets of one path are each there once among themselves, and none was there before.
async fn straight(
    connection: &mut PgConnection,
    highest: i64,
    (master, family): (i64, PathFamily),
    rows: &[NewWallet],
    now: Millis,
) -> Result<u64, Fault> {
    let place = Placed {
        master,
        family: family.id(),
        now,
    };
    let buffer = CopyBuffer::start(Some(place));
    let added = send(connection, COPY_STRAIGHT, buffer, highest, rows).await?;
    if rows.len() >= ANALYZED_FROM {
        // Until the server does so by itself, lists would be planned for the few wallets there were.
        sqlx::query("ANALYZE wallets")
            .persistent(false)
            .execute(connection)
            .await
            .storage()?;
    }
    Ok(added)
}

const COPY_STRAIGHT: &str = "COPY wallets (wallet_id, chain, derivation_index, path, address, public_key, label, own_password, epoch, \
     record_id, sealed, master_id, path_family, created_at) FROM STDIN (FORMAT binary)";

/// Sends the rows, with the ids after the highest one, and says how many came.
async fn send(
    connection: &mut PgConnection,
    statement: &'static str,
    mut buffer: CopyBuffer,
    highest: i64,
    rows: &[NewWallet],
) -> Result<u64, Fault> {
    let mut copy = connection.copy_in_raw(statement).await.storage()?;
    let mut id = highest;
    for row in rows {
        id += 1;
        buffer.row(id, row);
        if let Some(full) = buffer.take_if_full()
            && let Err(error) = copy.send(full).await
        {
            // Whatever it says to that: the first error is the one that counts.
            let _ = copy.abort("the copy failed").await;
            return Err(super::errors::storage(error));
        }
    }
    if let Err(error) = copy.send(buffer.finish()).await {
        let _ = copy.abort("the copy failed").await;
        return Err(super::errors::storage(error));
    }
    copy.finish().await.storage()
}

/// By COPY into a table of this transaction, and from there: COPY itself cannot step over what is there already.
async fn copied(
    connection: &mut PgConnection,
    highest: i64,
    from: Option<(i64, PathFamily)>,
    rows: &[NewWallet],
    now: Millis,
) -> Result<u64, Fault> {
    sqlx::query(
        "CREATE TEMPORARY TABLE new_wallets (wallet_id BIGINT, chain TEXT, derivation_index BIGINT, path TEXT, \
         address TEXT, public_key BYTEA, label TEXT, own_password BOOLEAN, epoch BIGINT, record_id UUID, \
         sealed BYTEA) ON COMMIT DROP",
    )
    .execute(&mut *connection)
    .await
    .storage()?;
    let statement = "COPY pg_temp.new_wallets FROM STDIN (FORMAT binary)";
    send(connection, statement, CopyBuffer::start(None), highest, rows).await?;
    let done = sqlx::query(
        "INSERT INTO wallets (wallet_id, chain, master_id, path_family, derivation_index, path, address, public_key, \
         label, created_at, own_password, epoch, record_id, sealed) \
         SELECT wallet_id, chain, $1, $2, derivation_index, path, address, public_key, label, $3, own_password, epoch, \
         record_id, sealed FROM pg_temp.new_wallets ORDER BY wallet_id ON CONFLICT DO NOTHING",
    )
    .bind(from.map(|(master, _)| master))
    .bind(from.map(|(_, family)| family.id()))
    .bind(now)
    .execute(&mut *connection)
    .await
    .storage()?;
    // There may be more in the same transaction.
    sqlx::query("DROP TABLE pg_temp.new_wallets")
        .execute(connection)
        .await
        .storage()?;
    Ok(done.rows_affected())
}

/// By one statement with an array for each column.
async fn inserted(
    connection: &mut PgConnection,
    highest: i64,
    from: Option<(i64, PathFamily)>,
    rows: &[NewWallet],
    now: Millis,
) -> Result<u64, Fault> {
    let ids: Vec<i64> = (highest + 1..=highest + chunk_length(rows)?).collect();
    let indices: Vec<Option<i64>> = rows.iter().map(|row| row.index.map(i64::from)).collect();
    let keys: Vec<Option<Vec<u8>>> = rows
        .iter()
        .map(|row| row.public_key.map(|key| key.to_vec()))
        .collect();
    let texts = |of: fn(&NewWallet) -> String| rows.iter().map(of).collect::<Vec<String>>();
    let done = sqlx::query(
        "INSERT INTO wallets (wallet_id, chain, master_id, path_family, derivation_index, path, address, public_key, \
         label, created_at, own_password, epoch, record_id, sealed) \
         SELECT n.wallet_id, n.chain, $1, $2, n.derivation_index, n.path, n.address, n.public_key, n.label, $3, \
         n.own_password, n.epoch, n.record_id, n.sealed \
         FROM UNNEST($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) AS n (wallet_id, chain, derivation_index, path, \
         address, public_key, label, own_password, epoch, record_id, sealed) ON CONFLICT DO NOTHING",
    )
    .bind(from.map(|(master, _)| master))
    .bind(from.map(|(_, family)| family.id()))
    .bind(now)
    .bind(ids)
    .bind(texts(|row| row.address.chain().id().to_owned()))
    .bind(indices)
    .bind(texts(|row| row.path.clone()))
    .bind(texts(|row| row.address.to_string()))
    .bind(keys)
    .bind(texts(|row| row.label.clone()))
    .bind(rows.iter().map(|row| row.own_password).collect::<Vec<bool>>())
    .bind(rows.iter().map(|row| i64::from(row.epoch)).collect::<Vec<i64>>())
    .bind(rows.iter().map(|row| Id(row.record)).collect::<Vec<Id>>())
    .bind(rows.iter().map(|row| row.sealed.clone()).collect::<Vec<Vec<u8>>>())
    .execute(connection)
    .await
    .storage()?;
    Ok(done.rows_affected())
}
