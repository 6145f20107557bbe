//! Gathering the facts of one decision, on the connection and in the transaction that decides.
//!
//! A transaction that decides takes the row of the audit log's edge first. Every writer does, so they come one after
//! another, and at READ COMMITTED each statement after it sees all that the ones before committed. The rows that are
//! decided on are locked besides, against statements typed by hand.

use std::collections::{HashMap, HashSet};

use keyward_core::account::AccountAddress;
use keyward_core::address::Signature;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::errors::{Fault, ResultExt};
use super::key_chain;
use super::life::{self, STATE_COLUMNS, STATE_COUNT};
use super::types::{Id, Millis};
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

/// Whether the rows that are read are going to be decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locks {
    /// A transaction that writes.
    Taken,
    /// A snapshot.
    None,
}

impl Locks {
    /// The end of a statement that reads rows of the table called so in it.
    pub(super) fn of(self, table: &'static str) -> String {
        match self {
            Self::Taken => format!(" FOR UPDATE OF {table}"),
            Self::None => String::new(),
        }
    }
}

/// The vault's columns, in the order that [`vault_row`] reads them.
pub(super) const VAULT_COLUMNS: &str = "v.vault_id, v.header, v.audit_key, v.failed_unlocks, v.locked_until, v.created_at, \
     (SELECT version FROM vault_settings), (SELECT body FROM vault_settings), (SELECT signature FROM vault_settings)";

/// How many they are.
pub(super) const VAULT_WIDTH: usize = 9;

/// The edge's columns, in the order that [`ledger_state`] reads them.
pub(super) const EDGE_COLUMNS: &str =
    "s.size, s.frontier, s.signed_size, s.signed_frontier, s.head_signature, s.last_at, s.seal";

/// The recorded edge of the log, read, and what is wrong with it if something is.
pub(super) type Edge = Option<Result<LedgerState, String>>;

/// Reads the edge, and holds its row until the transaction ends. There is none before there is a vault; then the vault's
/// own uniqueness keeps two from being made.
pub(super) async fn edge(connection: &mut PgConnection, locks: Locks) -> Result<Edge, Fault> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {EDGE_COLUMNS} FROM audit_state s WHERE s.singleton = 1{}",
        locks.of("s")
    )))
    .fetch_optional(connection)
    .await
    .storage()?;
    row.map(|row| ledger_state(&row, 0))
        .transpose()
        .map(Option::flatten)
}

/// Reads everything that was asked for.
pub(super) async fn gather(
    connection: &mut PgConnection,
    ask: &Ask,
    edge: Edge,
    now_ms: u64,
    locks: Locks,
) -> Result<(Facts, Ledger), Fault> {
    within_bounds(ask)?;
    let (vault, policy_version, ledger) = vault_and_ledger(connection, ask, edge, locks).await?;
    let mut facts = Facts {
        now_ms,
        vault,
        policy_version,
        wallets: wallets(connection, &ask.wallets, since(now_ms, ask.rate_window_ms), locks).await?,
        intents: intents(connection, &ask.intents, locks).await?,
        spent: Vec::with_capacity(ask.windows.len()),
        known: known(connection, &ask.known).await?,
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
    for window in &ask.windows {
        facts
            .spent
            .push(spent(connection, window, now_ms, &ask.intents).await?);
    }
    if let Some(wanted) = ask.master {
        facts.master = masters::master(connection, wanted, locks).await?;
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

/// Refuses what names too much at once.
pub(super) fn within_bounds(ask: &Ask) -> Result<(), CustodyError> {
    let lists = [
        ask.wallets.len(),
        ask.owners.len(),
        ask.contacts.len(),
        ask.intents.len(),
        ask.windows.len(),
        ask.own.len(),
        ask.ending.len(),
    ];
    if lists.into_iter().any(|named| named > MAX_ASKED) {
        return Err(CustodyError::invalid("request", "it names too much at once"));
    }
    Ok(())
}

/// The vault, the policy's version and the log: in every decision.
pub(super) async fn vault_and_ledger(
    connection: &mut PgConnection,
    ask: &Ask,
    edge: Edge,
    locks: Locks,
) -> Result<(Option<VaultRow>, u32, Ledger), Fault> {
    let row = sqlx::query(AssertSqlSafe(format!(
        "SELECT {VAULT_COLUMNS}, (SELECT MAX(sequence) FROM audit_entries), \
         (SELECT MAX(version) FROM policies p WHERE p.vault_id = v.vault_id) FROM vaults v{}",
        locks.of("v")
    )))
    .fetch_optional(&mut *connection)
    .await
    .storage()?;
    let Some(row) = row else {
        return Ok((None, 0, Ledger::empty()));
    };
    let vault = vault_row(&row)?;
    let newest: Option<i64> = row.try_get(VAULT_WIDTH).storage()?;
    let policy_version: Option<i64> = row.try_get(VAULT_WIDTH + 1).storage()?;
    let state = edge
        .unwrap_or_else(|| Err("its state row is missing".to_owned()))
        .map_err(|reason| CustodyError::AuditBroken {
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

pub(super) fn vault_row(row: &PgRow) -> Result<VaultRow, Fault> {
    let id: Id = row.try_get(0).storage()?;
    Ok(VaultRow {
        id: id.0,
        header: row.try_get(1).storage()?,
        audit_key: fixed("vaults.audit_key", row.try_get(2).storage()?)?,
        failed_unlocks: unsigned("vaults.failed_unlocks", row.try_get(3).storage()?)?,
        locked_until_ms: row
            .try_get::<Millis, _>(4)
            .storage()?
            .get("vaults.locked_until")?,
        created_ms: row.try_get::<Millis, _>(5).storage()?.get("vaults.created_at")?,
        settings: settings(row)?,
    })
}

fn settings(row: &PgRow) -> Result<Option<SettingsRow>, Fault> {
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

/// The recorded edge from six columns at `at`; `None` when its row is not there, and an inner error when it does not read.
pub(super) fn ledger_state(row: &PgRow, at: usize) -> Result<Edge, Fault> {
    let size: Option<i64> = row.try_get(at).storage()?;
    let Some(size) = size else {
        return Ok(None);
    };
    let frontier: Vec<u8> = row.try_get(at + 1).storage()?;
    let signed_size: i64 = row.try_get(at + 2).storage()?;
    let signed_frontier: Vec<u8> = row.try_get(at + 3).storage()?;
    let head_signature: Vec<u8> = row.try_get(at + 4).storage()?;
    let last_at: i64 = row.try_get(at + 5).storage()?;
    let seal: Option<Vec<u8>> = row.try_get(at + 6).storage()?;
    Ok(Some(LedgerState::from_stored(
        size,
        &frontier,
        signed_size,
        &signed_frontier,
        &head_signature,
        last_at,
        seal,
    )))
}

/// The columns of a wallet's sealed key, in the order that [`sealed_wallet`] reads them; its state follows.
const SEALED_COLUMNS: &str = "w.wallet_id, w.address, w.public_key, w.own_password, w.failed_passwords, \
     w.locked_until, w.record_id, w.epoch, w.sealed";
const SEALED_COUNT: usize = 9;
/// Where what is counted of it comes after.
pub(super) const COUNTERS: usize = SEALED_COUNT + STATE_COUNT;

/// What is counted of a wallet since the moment `$2`, in the order that [`in_order`] reads it.
pub(super) const COUNTER_COLUMNS: &str = "(SELECT COUNT(*) FROM intents i WHERE i.wallet_id = w.wallet_id AND i.authorised_at > $2), \
     (SELECT MIN(i.authorised_at) FROM intents i WHERE i.wallet_id = w.wallet_id AND i.authorised_at > $2), \
     (SELECT MAX(i.authorised_at) FROM intents i WHERE i.wallet_id = w.wallet_id), \
     CAST(w.total_volume AS TEXT)";
pub(super) const COUNTER_COUNT: usize = 4;

/// All of a wallet's columns that decisions go by.
pub(super) fn wallet_columns() -> String {
    format!("{SEALED_COLUMNS}, {STATE_COLUMNS}")
}

/// A wallet from [`wallet_columns`], without its counters.
pub(super) fn sealed_wallet(row: &PgRow) -> Result<SealedWallet, Fault> {
    let address: AccountAddress = parse_account("wallets.address", row.try_get(1).storage()?)?;
    let record: Id = row.try_get(6).storage()?;
    Ok(SealedWallet {
        id: row.try_get(0).storage()?,
        address,
        public_key: record_public_key(&address, row.try_get(2).storage()?)?,
        own_password: row.try_get(3).storage()?,
        failed_passwords: unsigned("wallets.failed_passwords", row.try_get(4).storage()?)?,
        locked_until_ms: row
            .try_get::<Millis, _>(5)
            .storage()?
            .get("wallets.locked_until")?,
        record: record.0,
        epoch: unsigned("wallets.epoch", row.try_get(7).storage()?)?,
        sealed: row.try_get(8).storage()?,
        state: life::state(row, SEALED_COUNT)?,
        recent: 0,
        oldest_recent_ms: 0,
        last_authorised_ms: None,
        total_volume: 0,
    })
}

/// Those of the wallets that are there, in the order asked.
async fn wallets(
    connection: &mut PgConnection,
    addresses: &[AccountAddress],
    since: i64,
    locks: Locks,
) -> Result<Vec<SealedWallet>, Fault> {
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT {}, {COUNTER_COLUMNS} FROM wallets w WHERE w.address = ANY($1) ORDER BY w.wallet_id{}",
        wallet_columns(),
        locks.of("w")
    )))
    .bind(texts(addresses))
    .bind(Millis::bound(since))
    .fetch_all(connection)
    .await
    .storage()?;
    in_order(&rows, addresses)
}

/// Wallets with what is counted of them, in the order asked.
pub(super) fn in_order(rows: &[PgRow], addresses: &[AccountAddress]) -> Result<Vec<SealedWallet>, Fault> {
    let mut found = HashMap::with_capacity(rows.len());
    for row in rows {
        let oldest: Option<Millis> = row.try_get(COUNTERS + 1).storage()?;
        let last: Option<Millis> = row.try_get(COUNTERS + 2).storage()?;
        let wallet = SealedWallet {
            recent: unsigned("recent signatures", row.try_get(COUNTERS).storage()?)?,
            oldest_recent_ms: oldest.map_or(Ok(0), |oldest| oldest.get("intents.authorised_at"))?,
            last_authorised_ms: last.map(|last| last.get("intents.authorised_at")).transpose()?,
            total_volume: life::volume(row, COUNTERS + 3)?,
            ..sealed_wallet(row)?
        };
        found.insert(wallet.address, wallet);
    }
    Ok(addresses
        .iter()
        .filter_map(|address| found.get(address).cloned())
        .collect())
}

pub(super) fn texts(addresses: &[AccountAddress]) -> Vec<String> {
    addresses.iter().map(AccountAddress::to_string).collect()
}

/// Those of the addresses that are wallets.
async fn known(
    connection: &mut PgConnection,
    addresses: &[AccountAddress],
) -> Result<Vec<AccountAddress>, Fault> {
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<String> = sqlx::query_scalar("SELECT address FROM wallets WHERE address = ANY($1)")
        .bind(texts(addresses))
        .fetch_all(connection)
        .await
        .storage()?;
    let found: HashSet<String> = found.into_iter().collect();
    Ok(addresses
        .iter()
        .filter(|address| found.contains(&address.to_string()))
        .copied()
        .collect())
}

/// Those of the intents that are there, in the order asked.
pub(super) async fn intents(
    connection: &mut PgConnection,
    hashes: &[[u8; 32]],
    locks: Locks,
) -> Result<Vec<IntentRow>, Fault> {
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(AssertSqlSafe(format!(
        "SELECT i.intent_hash, i.signature, i.authorised_at FROM intents i WHERE i.intent_hash = ANY($1) \
         ORDER BY i.intent_hash{}",
        locks.of("i")
    )))
    .bind(own(hashes))
    .fetch_all(connection)
    .await
    .storage()?;
    let mut found: HashMap<[u8; 32], IntentRow> = HashMap::with_capacity(rows.len());
    for row in &rows {
        let hash = fixed("intents.intent_hash", row.try_get(0).storage()?)?;
        let signature: Option<String> = row.try_get(1).storage()?;
        let authorised: Millis = row.try_get(2).storage()?;
        found.insert(
            hash,
            IntentRow {
                hash,
                signature: signature.as_deref().map(parse_intent_signature).transpose()?,
                authorised_ms: authorised.get("intents.authorised_at")?,
            },
        );
    }
    Ok(hashes
        .iter()
        .filter_map(|hash| found.get(hash).cloned())
        .collect())
}

pub(super) fn own(hashes: &[[u8; 32]]) -> Vec<Vec<u8>> {
    hashes.iter().map(|hash| hash.to_vec()).collect()
}

/// What is reserved in a window, the intents asked for aside: a retry is not held up by its own reservation.
/// More than 128 bits hold is `u128::MAX`.
pub(super) async fn spent(
    connection: &mut PgConnection,
    window: &SpendWindow,
    now_ms: u64,
    own_intents: &[[u8; 32]],
) -> Result<u128, Fault> {
    let sum: String = sqlx::query_scalar(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS TEXT) FROM spend_reservations \
         WHERE asset = $1 AND reserved_at > $2 AND NOT intent_hash = ANY($3)",
    )
    .bind(&window.asset)
    .bind(Millis::bound(since(now_ms, window.duration_ms)))
    .bind(own(own_intents))
    .fetch_one(connection)
    .await
    .storage()?;
    amount(&sum)
}

/// A sum of amounts from its digits.
pub(super) fn amount(sum: &str) -> Result<u128, Fault> {
    if sum.is_empty() || !sum.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(CustodyError::damaged("spend_reservations.amount is no amount").into());
    }
    // Digits alone, so what does not fit is too much.
    Ok(sum.parse().unwrap_or(u128::MAX))
}
