//! Copying a vault from one store to another, row by row, and bringing a store's schema up to date.
//!
//! A copy is a second vault that opens with the same password and has the same limits once more, so it is made only while
//! the vault is unlocked, and the source's audit log says so before the first row leaves. The source is held so that
//! nobody changes it; the target must be empty, is filled in one transaction, and is read back and compared before that
//! is committed. See `docs/decisions/0018-copy-a-store-row-by-row.md`.

use std::sync::Arc;

use keyward_core::address::{Address, Signature};
use keyward_core::audit::{Frontier, Operation, Outcome};
use keyward_core::vault::VaultId;

use crate::audit::AuditReport;
use crate::audit::ledger::{Draft, head_verifies, origin};
use crate::audit::stored::StoredEntry;
use crate::error::CustodyError;
use crate::location::StoreLocation;
use crate::progress::Progress;
use crate::store::rows::{Hold, Row, Source, TABLES, Table, Target, Value};
use crate::store::{Ask, OpenStore, transact};
use crate::vault::Custody;
use crate::witness::Witness;

pub use crate::store::{SchemaState, SchemaStep};

/// Rows on their way at a time: the largest are a few kilobytes.
const PAGE: u32 = 1_000;

/// What was copied, and found equal when it was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyReport {
    /// The tables with their number of rows, in the order in which they were copied.
    pub tables: Vec<(&'static str, u64)>,
    /// How many entries the audit log has, the one about this copy included.
    pub audit_entries: u64,
    /// The root of both audit logs.
    pub audit_root: [u8; 32],
}

impl CopyReport {
    /// How many rows there are in all.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, rows)| rows).sum()
    }
}

/// What a store's schema is and what it would become. Nothing is changed and nothing is made.
///
/// # Errors
/// [`CustodyError::NotInitialised`] where there is no such file, [`CustodyError::NewerSchema`], or the store's.
pub async fn schema_state(location: &StoreLocation) -> Result<SchemaState, CustodyError> {
    crate::store::schema_state(location).await
}

/// Brings a store's schema up to date, and says what it was before. The tables of an empty database are made.
///
/// # Errors
/// As for [`schema_state`] and [`Custody::open`].
pub async fn migrate(location: &StoreLocation) -> Result<SchemaState, CustodyError> {
    let before = schema_state(location).await?;
    let options = crate::vault::OpenOptions::default();
    OpenStore::open(
        location,
        Arc::clone(&options.clock),
        options.busy_timeout_ms,
        Witness::silent(),
    )
    .await?
    .close()
    .await?;
    Ok(before)
}

impl Custody {
    /// Copies the whole vault into an empty store. `progress` counts rows, and cancels.
    ///
    /// # Errors
    /// [`CustodyError::Locked`]; [`CustodyError::Invalid`] where the target holds anything;
    /// [`CustodyError::AuditBroken`] where the vault's own log does not verify; [`CustodyError::Damaged`] where what was
    /// written reads back otherwise; [`CustodyError::Cancelled`], or either store's. The target holds no row then, but
    /// for [`CustodyError::OutcomeUnknown`], after which it must be looked at.
    pub async fn copy_store(
        &self,
        to: &StoreLocation,
        progress: &Progress,
    ) -> Result<CopyReport, CustodyError> {
        self.current_session().await?;
        let options = self.options();
        let target = OpenStore::open(
            to,
            Arc::clone(&options.clock),
            options.busy_timeout_ms,
            Witness::silent(),
        )
        .await?;
        let copied = self.copy_into(&target, to, progress).await;
        let closed = target.close().await;
        let report = copied?;
        closed?;
        Ok(report)
    }

    async fn copy_into(
        &self,
        target: &OpenStore,
        to: &StoreLocation,
        progress: &Progress,
    ) -> Result<CopyReport, CustodyError> {
        let mut filling = target.store().fill().await?;
        let empty = filling.is_empty().await?;
        filling.release().await?;
        if !empty {
            return Err(occupied());
        }
        if let AuditReport::Broken { sequence, reason } = self.audit_verify(None).await? {
            return Err(CustodyError::AuditBroken { sequence, reason });
        }
        self.note_copy(Outcome::Authorised, to, "").await?;
        let copied = self.copy_held(target, progress).await;
        if let Err(error) = &copied {
            self.note_copy(Outcome::Failed, to, error.code()).await?;
        }
        copied
    }

    async fn note_copy(
        &self,
        outcome: Outcome,
        to: &StoreLocation,
        reason: &str,
    ) -> Result<(), CustodyError> {
        let session = self.session().ok_or(CustodyError::Locked)?;
        let ask = Ask {
            unsigned_tail: true,
            ..Ask::default()
        };
        transact(self.store(), ask, |ledger, facts| {
            let draft = Draft::new(Operation::CopyStore, outcome)
                .reason(reason)
                .details(format!("to {to}"));
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            Ok((Vec::new(), ()))
        })
        .await
        .map(|_| ())
    }

    /// From one held store into another.
    async fn copy_held(&self, target: &OpenStore, progress: &Progress) -> Result<CopyReport, CustodyError> {
        let mut source = self.store().dump(Hold::Store).await?;
        let copied = copy_rows(&mut *source, target, progress).await;
        // The source was only read: whatever became of the copy counts.
        let released = source.release().await;
        let report = copied?;
        released?;
        Ok(report)
    }
}

async fn copy_rows(
    source: &mut dyn Source,
    target: &OpenStore,
    progress: &Progress,
) -> Result<CopyReport, CustodyError> {
    let mut filling = target.store().fill().await?;
    match fill(source, &mut *filling, progress).await {
        Ok(report) => filling.commit().await.map(|()| report),
        Err(error) => {
            // Undone in any case, also by the end of the connection.
            let _ = filling.release().await;
            Err(error)
        }
    }
}

async fn fill(
    source: &mut dyn Source,
    target: &mut dyn Target,
    progress: &Progress,
) -> Result<CopyReport, CustodyError> {
    // Since it was looked at first, somebody may have been quicker.
    if !target.is_empty().await? {
        return Err(occupied());
    }
    let mut tables = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let mut after = None;
        let mut rows = 0;
        loop {
            if progress.is_cancelled() {
                return Err(CustodyError::Cancelled);
            }
            let page = source.page(table, after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.clone());
            rows += page.len() as u64; // usize has at most 64 bits
            progress.advance(page.len() as u64);
            target.insert(table, page).await?;
        }
        tables.push((table.name, rows));
    }
    target.settle().await?;
    let log = compare(source, target, progress).await?;
    Ok(CopyReport {
        tables,
        audit_entries: log.size(),
        audit_root: log.root(),
    })
}

/// Reads both back and holds them against each other, row by row; and the audit log that came out against its edge and
/// its signature.
async fn compare(
    source: &mut dyn Source,
    target: &mut dyn Target,
    progress: &Progress,
) -> Result<Frontier, CustodyError> {
    let mut log = Frontier::new();
    let mut edge = None;
    let mut vault = None;
    for table in TABLES {
        let mut after = None;
        loop {
            if progress.is_cancelled() {
                return Err(CustodyError::Cancelled);
            }
            let expected = source.page(table, after.as_ref(), PAGE).await?;
            let found = target.page(table, after.as_ref(), PAGE).await?;
            if let Some(row) = first_difference(&expected, &found) {
                return Err(CustodyError::damaged(format!(
                    "{} ({}) was written and reads back otherwise",
                    table.name,
                    row.key_text(table)
                )));
            }
            let Some(last) = found.last() else { break };
            after = Some(last.clone());
            match table.name {
                "audit_entries" => extend(&mut log, table, &found)?,
                "audit_state" => edge = after.clone(),
                "vaults" => vault = after.clone(),
                _ => {}
            }
        }
    }
    let (Some(edge), Some(vault)) = (edge, vault) else {
        return Err(CustodyError::NotInitialised);
    };
    check_edge(&log, &edge, &vault)?;
    Ok(log)
}

/// A row that is there only once, or otherwise.
fn first_difference<'r>(expected: &'r [Row], found: &'r [Row]) -> Option<&'r Row> {
    let both = expected.iter().zip(found);
    both.filter(|(expected, found)| expected != found)
        .map(|(expected, _)| expected)
        .next()
        .or_else(|| expected.get(found.len()))
        .or_else(|| found.get(expected.len()))
}

/// Hashes entries again.
fn extend(log: &mut Frontier, table: &Table, rows: &[Row]) -> Result<(), CustodyError> {
    for row in rows {
        let sequence = log.size();
        let leaf = stored_entry(table, row).and_then(|entry| entry.place_leaf(sequence));
        log.push(leaf.map_err(|reason| CustodyError::AuditBroken { sequence, reason })?);
    }
    Ok(())
}

fn stored_entry(table: &Table, row: &Row) -> Result<StoredEntry, String> {
    let missing = |name: &str| format!("its {name} is missing");
    let number = |name| match row.get(table, name) {
        Some(Value::Integer(number)) => Ok(*number),
        _ => Err(missing(name)),
    };
    let some = |name| match row.get(table, name) {
        Some(Value::Bytes(bytes) | Value::Text(bytes)) => Some(bytes.clone()),
        _ => None,
    };
    let bytes = |name| some(name).ok_or_else(|| missing(name));
    Ok(StoredEntry {
        sequence: number("sequence")?,
        recorded_at: number("recorded_at")?,
        actor: bytes("actor")?,
        operation: bytes("operation")?,
        wallet: some("wallet"),
        outcome: bytes("outcome")?,
        reason: bytes("reason")?,
        subject: some("subject"),
        details: bytes("details")?,
        leaf_hash: bytes("leaf_hash")?,
        head_signature: some("head_signature"),
        client_address: some("client_address"),
        client_fingerprint: some("client_fingerprint"),
        redacted_by: number("redacted_by").ok(),
    })
}

/// The root of the entries must be the recorded one, and the key of the vault must have signed it.
fn check_edge(log: &Frontier, edge: &Row, vault: &Row) -> Result<(), CustodyError> {
    let bytes = |row: &Row, table: &Table, name| match row.get(table, name) {
        Some(Value::Bytes(bytes)) => bytes.clone(),
        _ => Vec::new(),
    };
    let broken = |reason: &str| CustodyError::AuditBroken {
        sequence: log.size().saturating_sub(1),
        reason: reason.to_owned(),
    };
    let (state, vaults) = (&crate::store::rows::AUDIT_STATE, &crate::store::rows::VAULTS);
    if bytes(edge, state, "frontier") != log.to_bytes() {
        return Err(broken(
            "the recorded edge of the tree does not match the log up to it",
        ));
    }
    let signed = Frontier::from_bytes(&bytes(edge, state, "signed_frontier"));
    let signature = Signature::try_from(bytes(edge, state, "head_signature").as_slice());
    let key = <[u8; 32]>::try_from(bytes(vault, vaults, "audit_key"));
    let id = <[u8; 16]>::try_from(bytes(vault, vaults, "vault_id"));
    let verifies = match (signed, signature, key, id) {
        (Ok(signed), Ok(signature), Ok(key), Ok(id)) => head_verifies(
            &Address::new(key),
            &origin(&VaultId::from_bytes(id)),
            &signed,
            &signature,
        ),
        _ => false,
    };
    if verifies {
        Ok(())
    } else {
        Err(broken("its signed edge does not verify"))
    }
}

fn occupied() -> CustodyError {
    CustodyError::invalid(
        "target",
        "there is something in it already; name a store that is empty or not there yet",
    )
}
