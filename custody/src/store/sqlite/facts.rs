//! Gathering the facts of one decision, on the connection and in the transaction that decides.

use keyward_core::account::AccountAddress;
use keyward_core::address::Signature;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::errors::ResultExt;
use super::key_chain;
use super::life::{self, STATE_COLUMNS, STATE_COUNT};
use super::{audit_log, book, jobs, masters, owners, reads, rotation, seal};
use crate::audit::ledger::{Ledger, LedgerState};
use crate::error::CustodyError;
use crate::settings::SettingsRow;
use crate::store::columns::{
    fixed, parse_account, parse_intent_signature, record_public_key, sequence_after, since, unsigned,
};
use crate::store::{
    Ask, AttemptLookup, Facts, IntentRow, MAX_ASKED, SealedWallet, SpendWindow, VaultRow, stored_integer,
};

/// The vault's columns, in the order that [`vault_row`] reads them.
pub(super) const VAULT_COLUMNS: &str = "v.vault_id, v.header, v.audit_key, v.failed_unlocks, v.locked_until, v.created_at, \
     (SELECT version FROM vault_settings), (SELECT body FROM vault_settings), (SELECT signature FROM vault_settings)";

/// How many they are.
pub(super) const VAULT_WIDTH: usize = 9;

/// Reads everything that was asked for.
pub(super) async fn gather(
    connection: &mut SqliteConnection,
    ask: &Ask,
    now_ms: u64,
) -> Result<(Facts, Ledger), CustodyError> {
    if ask
        .wallets
        .len()
        .max(ask.owners.len())
        .max(ask.contacts.len())
        .max(ask.intents.len())
        .max(ask.windows.len())
        .max(ask.own.len())
        > MAX_ASKED
    {
        return Err(CustodyError::invalid("request", "it names too much at once"));
    }
    let (vault, policy_version, ledger) = edge(connection, ask).await?;
    let mut facts = Facts {
        now_ms,
        vault,
        policy_version,
        wallets: Vec::with_capacity(ask.wallets.len()),
        intents: Vec::new(),
        spent: Vec::with_capacity(ask.windows.len()),
        known: Vec::new(),
        own: life::in_use(connection, &ask.own).await?,
        master: None,
        key_chain: None,
        masters: Vec::new(),
        owners: Vec::new(),
        contacts: book::facts(connection, &ask.contacts).await?,
        in_flight: Vec::new(),
        everything: None,
        attempt: None,
        same_payment: None,
        job: None,
        rotation: rotation::facts(connection, ask.rotation).await?,
        redactable: Vec::new(),
        sealed_before: ask.sealed_before && !ledger.is_sealed() && seal::was_there(connection).await?,
    };
    for address in &ask.wallets {
        facts
            .wallets
            .extend(wallet(connection, address, now_ms, ask.rate_window_ms).await?);
    }
    for hash in &ask.intents {
        facts.intents.extend(intent(connection, hash).await?);
    }
    for window in &ask.windows {
        facts
            .spent
            .push(spent(connection, window, now_ms, &ask.intents).await?);
    }
    if !ask.known.is_empty() {
        facts.known = known(connection, &ask.known).await?;
    }
    if let Some(wanted) = ask.master {
        facts.master = masters::master(connection, wanted).await?;
    }
    if let Some(wanted) = ask.key_chain {
        facts.key_chain = key_chain::read(connection, wanted).await?;
    }
    if ask.masters {
        facts.masters = masters::all_masters(connection).await?;
    }
    if ask.owners_of_wallets || !ask.owners.is_empty() {
        let wallets = ask.owners_of_wallets.then_some(facts.wallets.as_slice());
        facts.owners = owners::facts(connection, &ask.owners, wallets).await?;
    }
    if ask.in_flight {
        facts.in_flight = owners::in_flight(connection, &facts.wallets).await?;
    }
    if ask.everything {
        facts.everything = Some(masters::everything(connection).await?);
    }
    facts.attempt = match &ask.attempt {
        None => None,
        Some(AttemptLookup::Id(id)) => reads::attempt_by_id(connection, *id).await?,
        Some(AttemptLookup::Signature(signature)) => {
            reads::attempt_by_signature(connection, signature).await?
        }
    };
    if let Some(wanted) = &ask.job {
        facts.job = jobs::facts(connection, wanted).await?;
    }
    if let Some(wanted) = &ask.redact {
        facts.redactable = audit_log::redactable(connection, wanted).await?;
    }
    if let Some(payment) = &ask.same_payment {
        facts.same_payment = reads::unresolved_payment(connection, payment).await?;
    }
    Ok((facts, ledger))
}

/// The vault, the policy's version and the edge of the audit log: in every decision, so in one query.
async fn edge(
    connection: &mut SqliteConnection,
    ask: &Ask,
) -> Result<(Option<VaultRow>, u32, Ledger), CustodyError> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {VAULT_COLUMNS}, s.size, s.frontier, s.signed_size, s.signed_frontier, s.head_signature, s.last_at, s.seal, \
         (SELECT MAX(sequence) FROM audit_entries), \
         (SELECT MAX(version) FROM policies WHERE vault_id = v.vault_id) \
         FROM vaults v LEFT JOIN audit_state s ON s.singleton = 1"
    )))
    .fetch_optional(&mut *connection)
    .await
    .storage()?;
    let Some(row) = row else {
        return Ok((None, 0, Ledger::empty()));
    };
    let vault = vault_row(&row)?;
    let newest: Option<i64> = row.try_get(VAULT_WIDTH + 7).storage()?;
    let policy_version: Option<i64> = row.try_get(VAULT_WIDTH + 8).storage()?;
    let state = ledger_state(&row, VAULT_WIDTH)?.map_err(|reason| CustodyError::AuditBroken {
        sequence: sequence_after(newest),
        reason,
    })?;
    let tail = if ask.unsigned_tail && state.signed_size < state.size {
        let from = stored_integer("audit size", state.signed_size)?;
        audit_log::rows(connection, from, Ledger::MAX_UNSIGNED).await?
    } else {
        Vec::new()
    };
    let version = policy_version.map_or(Ok(0), |version| unsigned("policies.version", version))?;
    let epoch = vault.read_header()?.epoch();
    Ok((Some(vault), version, Ledger::resume(state, newest, tail, epoch)))
}

pub(super) fn vault_row(row: &SqliteRow) -> Result<VaultRow, CustodyError> {
    Ok(VaultRow {
        id: fixed("vaults.vault_id", row.try_get(0).storage()?)?,
        header: row.try_get(1).storage()?,
        audit_key: fixed("vaults.audit_key", row.try_get(2).storage()?)?,
        failed_unlocks: unsigned("vaults.failed_unlocks", row.try_get(3).storage()?)?,
        locked_until_ms: unsigned("vaults.locked_until", row.try_get(4).storage()?)?,
        created_ms: unsigned("vaults.created_at", row.try_get(5).storage()?)?,
        settings: settings(row)?,
    })
}

fn settings(row: &SqliteRow) -> Result<Option<SettingsRow>, CustodyError> {
    let version: Option<i64> = row.try_get(6).storage()?;
    version
        .map(|version| {
            Ok(SettingsRow {
                version: unsigned("vault_settings.version", version)?,
                body: row.try_get(7).storage()?,
                signature: Signature::new(fixed("vault_settings.signature", row.try_get(8).storage()?)?),
            })
        })
        .transpose()
}

/// The recorded edge of the audit log, from seven columns at `at`; the inner error says what is wrong with it.
pub(super) fn ledger_state(row: &SqliteRow, at: usize) -> Result<Result<LedgerState, String>, CustodyError> {
    let size: Option<i64> = row.try_get(at).storage()?;
    let Some(size) = size else {
        return Ok(Err("its state row is missing".to_owned()));
    };
    let frontier: Vec<u8> = row.try_get(at + 1).storage()?;
    let signed_size: i64 = row.try_get(at + 2).storage()?;
    let signed_frontier: Vec<u8> = row.try_get(at + 3).storage()?;
    let head_signature: Vec<u8> = row.try_get(at + 4).storage()?;
    let last_at: i64 = row.try_get(at + 5).storage()?;
    let seal: Option<Vec<u8>> = row.try_get(at + 6).storage()?;
    Ok(LedgerState::from_stored(
        size,
        &frontier,
        signed_size,
        &signed_frontier,
        &head_signature,
        last_at,
        seal,
    ))
}

/// The columns of a wallet's sealed key, in the order that [`sealed_wallet`] reads them; its state follows.
const SEALED_COLUMNS: &str = "w.wallet_id, w.address, w.public_key, w.own_password, w.failed_passwords, \
     w.locked_until, w.record_id, w.epoch, w.sealed";
const SEALED_COUNT: usize = 9;
/// Where what is counted of it comes after.
const COUNTERS: usize = SEALED_COUNT + STATE_COUNT;

/// All of a wallet's columns that decisions go by.
pub(super) fn wallet_columns() -> String {
    format!("{SEALED_COLUMNS}, {STATE_COLUMNS}")
}

/// A wallet from [`wallet_columns`], without its counters.
pub(super) fn sealed_wallet(row: &SqliteRow) -> Result<SealedWallet, CustodyError> {
    let address: AccountAddress = parse_account("wallets.address", row.try_get(1).storage()?)?;
    let public_key = record_public_key(&address, row.try_get(2).storage()?)?;
    Ok(SealedWallet {
        id: row.try_get(0).storage()?,
        address,
        public_key,
        own_password: row.try_get::<i64, _>(3).storage()? != 0,
        failed_passwords: unsigned("wallets.failed_passwords", row.try_get(4).storage()?)?,
        locked_until_ms: unsigned("wallets.locked_until", row.try_get(5).storage()?)?,
        record: fixed("wallets.record_id", row.try_get(6).storage()?)?,
        epoch: unsigned("wallets.epoch", row.try_get(7).storage()?)?,
        sealed: row.try_get(8).storage()?,
        state: life::state(row, SEALED_COUNT)?,
        recent: 0,
        oldest_recent_ms: 0,
        last_authorised_ms: None,
        total_volume: 0,
    })
}

async fn wallet(
    connection: &mut SqliteConnection,
    address: &AccountAddress,
    now_ms: u64,
    rate_window_ms: u64,
) -> Result<Option<SealedWallet>, CustodyError> {
    let since = since(now_ms, rate_window_ms);
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {}, COUNT(i.authorised_at), MIN(i.authorised_at), \
         (SELECT MAX(authorised_at) FROM intents WHERE wallet_id = w.wallet_id), w.total_volume \
         FROM wallets w LEFT JOIN intents i ON i.wallet_id = w.wallet_id AND i.authorised_at > ?2 \
         WHERE w.address = ?1 GROUP BY w.wallet_id",
        wallet_columns()
    )))
    .bind(address.to_string())
    .bind(since)
    .fetch_optional(connection)
    .await
    .storage()?;
    row.map(|row| {
        Ok(SealedWallet {
            recent: unsigned("recent signatures", row.try_get(COUNTERS).storage()?)?,
            oldest_recent_ms: unsigned(
                "intents.authorised_at",
                row.try_get::<Option<i64>, _>(COUNTERS + 1)
                    .storage()?
                    .unwrap_or(0),
            )?,
            last_authorised_ms: row
                .try_get::<Option<i64>, _>(COUNTERS + 2)
                .storage()?
                .map(|last| unsigned("intents.authorised_at", last))
                .transpose()?,
            total_volume: life::volume(&row, COUNTERS + 3)?,
            ..sealed_wallet(&row)?
        })
    })
    .transpose()
}

/// Those of the addresses that are wallets.
async fn known(
    connection: &mut SqliteConnection,
    addresses: &[AccountAddress],
) -> Result<Vec<AccountAddress>, CustodyError> {
    let mut found = Vec::new();
    for address in addresses {
        let there: Option<i64> = sqlx::query_scalar("SELECT wallet_id FROM wallets WHERE address = ?1")
            .bind(address.to_string())
            .fetch_optional(&mut *connection)
            .await
            .storage()?;
        found.extend(there.map(|_| *address));
    }
    Ok(found)
}

async fn intent(
    connection: &mut SqliteConnection,
    hash: &[u8; 32],
) -> Result<Option<IntentRow>, CustodyError> {
    let row = sqlx::query("SELECT signature, authorised_at FROM intents WHERE intent_hash = ?1")
        .bind(hash.to_vec())
        .fetch_optional(connection)
        .await
        .storage()?;
    row.map(|row| {
        let signature: Option<String> = row.try_get(0).storage()?;
        let signature = signature.as_deref().map(parse_intent_signature).transpose()?;
        Ok(IntentRow {
            hash: *hash,
            signature,
            authorised_ms: unsigned("intents.authorised_at", row.try_get(1).storage()?)?,
        })
    })
    .transpose()
}

/// What is reserved in a window, the intents asked for aside: a retry is not held up by its own reservation.
/// More than 128 bits hold is `u128::MAX`.
async fn spent(
    connection: &mut SqliteConnection,
    window: &SpendWindow,
    now_ms: u64,
    own: &[[u8; 32]],
) -> Result<u128, CustodyError> {
    let since = since(now_ms, window.duration_ms);
    let row = sqlx::query(
        "SELECT COALESCE(SUM(amount_top), 0), COALESCE(SUM(amount_upper), 0), COALESCE(SUM(amount_high), 0), \
         COALESCE(SUM(amount_low), 0) FROM spend_reservations WHERE asset = ?1 AND reserved_at > ?2",
    )
    .bind(&window.asset)
    .bind(since)
    .fetch_one(&mut *connection)
    .await
    .storage()?;
    let mut sums = limbs(&row)?;
    for hash in own {
        let row = sqlx::query(
            "SELECT amount_top, amount_upper, amount_high, amount_low FROM spend_reservations \
             WHERE asset = ?2 AND reserved_at > ?3 \
             AND reserved_at = (SELECT authorised_at FROM intents WHERE intent_hash = ?1) AND intent_hash = ?1",
        )
        .bind(hash.to_vec())
        .bind(&window.asset)
        .bind(since)
        .fetch_optional(&mut *connection)
        .await
        .storage()?;
        if let Some(row) = row {
            // Each was part of its sum.
            for (sum, own) in sums.iter_mut().zip(limbs(&row)?) {
                *sum = sum.saturating_sub(own);
            }
        }
    }
    let total = sums.into_iter().try_fold(0_u128, |total, limb| {
        total.checked_mul(1 << 32)?.checked_add(limb)
    });
    Ok(total.unwrap_or(u128::MAX))
}

/// The four pieces of an amount, or the sums of each, the highest first.
fn limbs(row: &SqliteRow) -> Result<[u128; 4], CustodyError> {
    let mut limbs = [0; 4];
    for (at, limb) in limbs.iter_mut().enumerate() {
        *limb = unsigned("spend_reservations.amount", row.try_get(at).storage()?)?;
    }
    Ok(limbs)
}
