//! The seal over what is stored, as the services see it: made at the first unlocking, counted anew by a verification.

use std::sync::Arc;

use keyward_core::audit::{Frontier, Operation, Outcome};

use super::ledger::{Draft, Ledger, Scribe};
use crate::error::CustodyError;
use crate::store::Facts;
use crate::store::rows::{self, Hold, Row, Source, Table, Value};
use crate::store::seal::keeping::{bond, differs};
use crate::store::seal::{SEALED, SealKeys, Sums};
use crate::vault::{Custody, Session, blocking, clearing_stack};

/// Rows counted at a time.
const PAGE: u32 = 2_000;

/// What the details of the entry end in that a vault begins with, if it was sealed from the start.
pub(crate) const SEALED_FROM_THE_START: &str = ", sealed";

/// Seals a vault that has no seal yet, in the transaction of its unlocking.
///
/// # Errors
/// [`CustodyError::AuditBroken`] where the log says that there was one: somebody took it away.
pub(crate) fn seal_at_unlock(
    ledger: &mut Ledger,
    facts: &Facts,
    scribe: Scribe<'_>,
) -> Result<(), CustodyError> {
    if !ledger.seal().is_missing() {
        return Ok(());
    }
    if facts.sealed_before {
        return Err(CustodyError::AuditBroken {
            sequence: ledger.size().saturating_sub(1),
            reason: "the seal over what is stored was taken away".to_owned(),
        });
    }
    let draft = Draft::new(Operation::SealState, Outcome::Done).details("every row as it stands");
    ledger.append(facts.now_ms, scribe, draft)?;
    ledger.seal_mut().begin_first();
    Ok(())
}

impl Custody {
    /// Counts every row anew and holds the sums against the seal; what is wrong, if something is.
    ///
    /// # Errors
    /// The store's; [`CustodyError::Damaged`] where a row does not read.
    pub(crate) async fn verify_seal(&self, session: &Arc<Session>) -> Result<Option<String>, CustodyError> {
        let mut snapshot = self.store().dump(Hold::Snapshot).await?;
        let found = count(&mut *snapshot, session).await;
        snapshot.release().await?;
        match found {
            // A value that no program of ours wrote is no error of the database.
            Err(CustodyError::Damaged { detail }) => {
                Ok(Some(format!("rows were changed past the program: {detail}")))
            }
            other => other,
        }
    }
}

async fn count(source: &mut dyn Source, session: &Arc<Session>) -> Result<Option<String>, CustodyError> {
    // A second one would stand beside the one that is read.
    let edge = source.page(&rows::AUDIT_STATE, None, 2).await?;
    let sealed = match edge.as_slice() {
        [row] => open(row, session),
        _ => None,
    };
    let Some(sealed) = sealed else {
        return Ok(Some(
            "the seal over what is stored is missing, or does not belong to the log as it stands".to_owned(),
        ));
    };
    let mut counted = Sums::default();
    for table in SEALED {
        let mut last: Option<Row> = None;
        loop {
            let page = source.page(table, last.as_ref(), PAGE).await?;
            let Some(row) = page.last() else { break };
            last = Some(row.clone());
            counted = add(session, counted, table, page).await?;
        }
    }
    Ok((sealed != counted).then(|| differs(&sealed, &counted)))
}

/// Off the async threads.
async fn add(
    session: &Arc<Session>,
    mut sums: Sums,
    table: &'static Table,
    page: Vec<Row>,
) -> Result<Sums, CustodyError> {
    let session = Arc::clone(session);
    blocking(move || {
        let keys: SealKeys = session.signer().seal_keys();
        page.iter().for_each(|row| keys.add(&mut sums, table, row));
        sums
    })
    .await
}

/// The sums of the stored seal, if it is of this log as it stands.
fn open(edge: &Row, session: &Session) -> Option<Sums> {
    let bytes = |name| match edge.get(&rows::AUDIT_STATE, name) {
        Some(Value::Bytes(bytes)) => Some(bytes),
        _ => None,
    };
    let signed = Frontier::from_bytes(bytes("signed_frontier")?).ok()?;
    let signer = session.signer();
    clearing_stack(|| {
        signer
            .seal_keys()
            .open(bytes("seal")?, bond(signer.origin(), &signed))
    })
}
