//! Sealing records under the next key, beside the old ones, some at a time.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use keyward_core::vault::{RecordContext, RecordId, reseal_record};
use sha2::Sha256;

use super::{Next, RotateOptions, unfit, vault};
use crate::error::CustodyError;
use crate::progress::Progress;
use crate::store::rotation::{
    RecordRef, RotationAsk, RotationFacts, RotationWrite, SOURCE_LEN, StagedRecord, Unstaged, source_of,
};
use crate::store::{Ask, Write, transact};
use crate::vault::{Custody, Session, blocking, master_context, random};
use crate::wallets::derive::wallet_context;

/// Label of the key below the next vault key that staged rows are authenticated with.
const MAC_LABEL: &str = "staged-records";

/// Domain of what that key signs.
const MAC_DOMAIN: &[u8] = b"keyward/staged-record/v1\0";

impl Custody {
    /// Seals every record under the next key that is not, or was changed since. Each chunk is one transaction.
    pub(super) async fn stage(
        &self,
        old: &Arc<Session>,
        next: &Arc<Next>,
        options: &RotateOptions,
    ) -> Result<(), CustodyError> {
        let mut after = 0;
        loop {
            let state = self.store().rotation().await?;
            let state = state.ok_or(CustodyError::RotationAbandoned);
            let (done, total) = match state {
                Ok(state) => (state.done.min(state.total), state.total),
                // Whether another process has brought it to its end shows in the vault's own header.
                Err(error) => return Err(self.current(old).await.err().unwrap_or(error)),
            };
            options.progress.report(done, total);
            stopped(&options.progress)?;
            let found = self.store().unstaged(after, options.chunk).await?;
            let last = found.wallets.last().map(|wallet| wallet.id);
            if found.len() == 0 {
                return Ok(());
            }
            let (shared, onto) = (Arc::clone(old), Arc::clone(next));
            let records = blocking(move || seal(&shared, &onto.session, found)).await??;
            let ask = Ask {
                rotation: RotationAsk::Row,
                ..Ask::default()
            };
            transact(self.store(), ask, |_, facts| {
                old.expect_signing(&vault(facts.vault)?)?;
                expect(&facts.rotation, next)?;
                Ok((vec![Write::Rotation(RotationWrite::Stage(records))], ()))
            })
            .await?;
            match last {
                Some(last) => after = last,
                // Phrases alone.
                None => return Ok(()),
            }
        }
    }

    /// Holds every staged row to its code: what was changed from outside does not come into force.
    pub(super) async fn check_staged(
        &self,
        next: &Arc<Next>,
        options: &RotateOptions,
    ) -> Result<(), CustodyError> {
        let mut after = None;
        loop {
            stopped(&options.progress)?;
            let rows = self.store().staged(after, options.chunk).await?;
            let Some(last) = rows.last() else {
                return Ok(());
            };
            after = Some(last.at);
            let next = Arc::clone(next);
            blocking(move || {
                let coder = Coder::new(&next.session);
                if rows.iter().all(|row| coder.vouches_for(row)) {
                    Ok(())
                } else {
                    Err(unfit("records that were staged for it were changed from outside"))
                }
            })
            .await??;
        }
    }

    async fn current(&self, old: &Session) -> Result<(), CustodyError> {
        let facts = self.store().look(Ask::default()).await?;
        old.expect_signing(&vault(facts.vault)?)
    }
}

fn stopped(progress: &Progress) -> Result<(), CustodyError> {
    if progress.is_cancelled() {
        let state = progress.state();
        return Err(CustodyError::RotationStopped {
            done: state.done,
            total: state.total,
        });
    }
    Ok(())
}

/// The rotation under way must be this one still.
pub(super) fn expect(facts: &RotationFacts, next: &Next) -> Result<(), CustodyError> {
    let is_ours = |header: &[u8]| header == next.header.to_bytes().as_slice();
    match &facts.row {
        Some(row) if is_ours(&row.header) => Ok(()),
        _ => Err(CustodyError::RotationAbandoned),
    }
}

/// Seals records under the next key. A wallet's own password stays and is not needed.
pub(super) fn seal(
    old: &Session,
    next: &Session,
    found: Unstaged,
) -> Result<Vec<StagedRecord>, CustodyError> {
    let coder = Coder::new(next);
    let mut records = Vec::with_capacity(found.len());
    for row in found.masters {
        let from = master_context(old.vault(), RecordId::from_bytes(row.record), row.epoch);
        records.push(coder.seal(old, next, RecordRef::Master(row.id), from, &row.sealed)?);
    }
    for row in found.wallets {
        let from = wallet_context(old, &row);
        records.push(coder.seal(old, next, RecordRef::Wallet(row.id), from, &row.sealed)?);
    }
    Ok(records)
}

/// Makes and checks the codes of staged rows: HMAC-SHA-256 by a key that follows from the next vault key.
struct Coder(Hmac<Sha256>);

impl Coder {
    fn new(next: &Session) -> Self {
        let key = next.expose_key().derive_subkey(MAC_LABEL);
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        Self(Hmac::new_from_slice(&*key).expect("any length"))
    }

    fn seal(
        &self,
        old: &Session,
        next: &Session,
        at: RecordRef,
        from: RecordContext,
        sealed: &[u8],
    ) -> Result<StagedRecord, CustodyError> {
        // Read after somebody else's rotation of the same vault came to its end.
        if from.epoch > old.epoch() {
            old.signer().retire();
            return Err(CustodyError::KeyRotated);
        }
        let bad = || CustodyError::damaged(format!("the record {} does not open", from.record));
        let to = RecordContext {
            epoch: next.epoch(),
            ..from
        };
        let source = source_of(sealed).ok_or_else(bad)?;
        let sealed = reseal_record(
            (old.expose_key(), &from),
            (next.expose_key(), &to),
            sealed,
            random()?,
        )
        .map_err(|_| bad())?;
        let mac = self.of(at, next.epoch(), &source, &sealed);
        Ok(StagedRecord {
            at,
            epoch: next.epoch(),
            source,
            mac: mac.finalize().into_bytes().into(),
            sealed,
        })
    }

    fn vouches_for(&self, row: &StagedRecord) -> bool {
        self.of(row.at, row.epoch, &row.source, &row.sealed)
            .verify_slice(&row.mac)
            .is_ok()
    }

    /// Domain, kind and a NUL, row id (8 bytes, big-endian), epoch (4), source (32), then the sealed record to the end.
    fn of(&self, at: RecordRef, epoch: u32, source: &[u8; SOURCE_LEN], sealed: &[u8]) -> Hmac<Sha256> {
        let (kind, id) = at.parts();
        let mut mac = self.0.clone();
        mac.update(MAC_DOMAIN);
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(&id.to_be_bytes());
        mac.update(&epoch.to_be_bytes());
        mac.update(source);
        mac.update(sealed);
        mac
    }
}
