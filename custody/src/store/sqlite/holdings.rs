//! What nodes said of balances, token accounts and mints.

use keyward_core::address::Address;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::errors::ResultExt;
use crate::error::CustodyError;
use crate::store::columns::{parse_address, unsigned};
use crate::store::holdings::{BalanceRow, HoldingsPage, HoldingsWrite, MintRow, TokenRow, lamports};
use crate::store::stored_integer;

pub(super) async fn apply(
    connection: &mut SqliteConnection,
    write: HoldingsWrite,
    now: i64,
) -> Result<(), CustodyError> {
    match write {
        HoldingsWrite::Balances { network, slot, rows } => {
            let slot = stored_integer("slot", slot)?;
            for (address, lamports) in rows {
                sqlx::query(
                    "INSERT INTO cached_balances (network, address, lamports, slot, read_at) VALUES (?1, ?2, ?3, ?4, ?5) \
                     ON CONFLICT (network, address) DO UPDATE SET lamports = excluded.lamports, slot = excluded.slot, \
                     read_at = excluded.read_at WHERE excluded.slot >= cached_balances.slot",
                )
                .bind(&network)
                .bind(address.to_string())
                .bind(lamports.get().to_string())
                .bind(slot)
                .bind(now)
                .execute(&mut *connection)
                .await
                .storage()?;
            }
            Ok(())
        }
        HoldingsWrite::Tokens {
            network,
            owner,
            slot,
            rows,
        } => {
            tokens(
                connection,
                &network,
                owner,
                stored_integer("slot", slot)?,
                rows,
                now,
            )
            .await
        }
        HoldingsWrite::Mints { network, slot, rows } => {
            let slot = stored_integer("slot", slot)?;
            for (mint, program, data) in rows {
                sqlx::query(
                    "INSERT INTO cached_mints (network, mint, program, data, slot, read_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                     ON CONFLICT (network, mint) DO UPDATE SET program = excluded.program, data = excluded.data, \
                     slot = excluded.slot, read_at = excluded.read_at WHERE excluded.slot >= cached_mints.slot",
                )
                .bind(&network)
                .bind(mint.to_string())
                .bind(program.to_string())
                .bind(data)
                .bind(slot)
                .bind(now)
                .execute(&mut *connection)
                .await
                .storage()?;
            }
            Ok(())
        }
    }
}

/// Takes the place of all token accounts of the owner, unless they were read later already.
async fn tokens(
    connection: &mut SqliteConnection,
    network: &str,
    owner: Address,
    slot: i64,
    rows: Vec<TokenRow>,
    now: i64,
) -> Result<(), CustodyError> {
    let owner = owner.to_string();
    let taken = sqlx::query(
        "UPDATE cached_balances SET tokens_slot = ?3, tokens_read_at = ?4 \
         WHERE network = ?1 AND address = ?2 AND COALESCE(tokens_slot, 0) <= ?3",
    )
    .bind(network)
    .bind(&owner)
    .bind(slot)
    .bind(now)
    .execute(&mut *connection)
    .await
    .storage()?;
    if taken.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query("DELETE FROM cached_token_accounts WHERE network = ?1 AND owner = ?2")
        .bind(network)
        .bind(&owner)
        .execute(&mut *connection)
        .await
        .storage()?;
    for row in rows {
        sqlx::query(
            "INSERT INTO cached_token_accounts (network, account, owner, program, lamports, data) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (network, account) DO UPDATE SET owner = excluded.owner, \
             program = excluded.program, lamports = excluded.lamports, data = excluded.data",
        )
        .bind(network)
        .bind(row.account.to_string())
        .bind(row.owner.to_string())
        .bind(row.program.to_string())
        .bind(row.lamports.get().to_string())
        .bind(row.data)
        .execute(&mut *connection)
        .await
        .storage()?;
    }
    Ok(())
}

pub(super) async fn networks(
    connection: &mut SqliteConnection,
    limit: u32,
) -> Result<Vec<String>, CustodyError> {
    let found = sqlx::query_scalar("SELECT DISTINCT network FROM cached_balances ORDER BY network LIMIT ?1")
        .bind(limit)
        .fetch_all(connection)
        .await
        .storage()?;
    Ok(found)
}

pub(super) async fn balances(
    connection: &mut SqliteConnection,
    page: &HoldingsPage,
) -> Result<Vec<BalanceRow>, CustodyError> {
    let rows = sqlx::query(
        "SELECT address, lamports, slot, read_at, tokens_slot, tokens_read_at FROM cached_balances \
         WHERE network = ?1 AND address > ?2 AND (?3 IS NULL OR address = ?3) ORDER BY address LIMIT ?4",
    )
    .bind(&page.network)
    .bind(page.after())
    .bind(page.of.map(|address| address.to_string()))
    .bind(page.limit)
    .fetch_all(connection)
    .await
    .storage()?;
    rows.iter().map(balance).collect()
}

fn balance(row: &SqliteRow) -> Result<BalanceRow, CustodyError> {
    let slot: Option<i64> = row.try_get(4).storage()?;
    let read_at: Option<i64> = row.try_get(5).storage()?;
    let tokens = slot
        .zip(read_at)
        .map(|(slot, read_at)| -> Result<_, CustodyError> {
            Ok((
                unsigned("cached_balances.tokens_slot", slot)?,
                unsigned("cached_balances.tokens_read_at", read_at)?,
            ))
        });
    Ok(BalanceRow {
        address: parse_address("cached_balances.address", &row.try_get::<String, _>(0).storage()?)?,
        lamports: lamports(
            "cached_balances.lamports",
            &row.try_get::<String, _>(1).storage()?,
        )?,
        slot: unsigned("cached_balances.slot", row.try_get(2).storage()?)?,
        read_ms: unsigned("cached_balances.read_at", row.try_get(3).storage()?)?,
        tokens: tokens.transpose()?,
    })
}

pub(super) async fn token_accounts(
    connection: &mut SqliteConnection,
    page: &HoldingsPage,
) -> Result<Vec<TokenRow>, CustodyError> {
    let rows = sqlx::query(
        "SELECT account, owner, program, lamports, data FROM cached_token_accounts \
         WHERE network = ?1 AND account > ?2 AND (?3 IS NULL OR owner = ?3) ORDER BY account LIMIT ?4",
    )
    .bind(&page.network)
    .bind(page.after())
    .bind(page.of.map(|address| address.to_string()))
    .bind(page.limit)
    .fetch_all(connection)
    .await
    .storage()?;
    let read = |row: &SqliteRow| {
        let text = |at: usize| row.try_get::<String, _>(at).storage();
        Ok(TokenRow {
            account: parse_address("cached_token_accounts.account", &text(0)?)?,
            owner: parse_address("cached_token_accounts.owner", &text(1)?)?,
            program: parse_address("cached_token_accounts.program", &text(2)?)?,
            lamports: lamports("cached_token_accounts.lamports", &text(3)?)?,
            data: row.try_get(4).storage()?,
        })
    };
    rows.iter().map(read).collect()
}

pub(super) async fn mints(
    connection: &mut SqliteConnection,
    page: &HoldingsPage,
) -> Result<Vec<MintRow>, CustodyError> {
    let rows = sqlx::query(
        "SELECT mint, program, data, slot, read_at FROM cached_mints \
         WHERE network = ?1 AND mint > ?2 AND (?3 IS NULL OR mint = ?3) ORDER BY mint LIMIT ?4",
    )
    .bind(&page.network)
    .bind(page.after())
    .bind(page.of.map(|address| address.to_string()))
    .bind(page.limit)
    .fetch_all(connection)
    .await
    .storage()?;
    let read = |row: &SqliteRow| {
        let text = |at: usize| row.try_get::<String, _>(at).storage();
        Ok(MintRow {
            mint: parse_address("cached_mints.mint", &text(0)?)?,
            program: parse_address("cached_mints.program", &text(1)?)?,
            data: row.try_get(2).storage()?,
            slot: unsigned("cached_mints.slot", row.try_get(3).storage()?)?,
            read_ms: unsigned("cached_mints.read_at", row.try_get(4).storage()?)?,
        })
    };
    rows.iter().map(read).collect()
}
