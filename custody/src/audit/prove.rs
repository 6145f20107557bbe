//! Proofs that others check without the vault: that the log only grew between two checkpoints, that an entry is in it.

use keyward_core::address::Address;
use keyward_core::audit::{
    AuditProof, Checkpoint, Hash, Operation, ProofBuilder, SignedCheckpoint, verifier_key,
};
use keyward_core::vault::VaultId;

use super::stored::StoredEntry;
use super::verify::Verifier;
use super::{VERIFY_ROWS, ledger};
use crate::error::CustodyError;
use crate::store::stored_integer;
use crate::vault::Custody;

impl Custody {
    /// Proves that the log of the checkpoint `to` extends that of `from`. Appends one `read-audit` entry.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] where a checkpoint is not one of this vault or `from` is the later one,
    /// [`CustodyError::AuditBroken`] where the log is not what it was, as for [`Self::audit_reader`], or the store's.
    pub async fn audit_prove_growth(
        &self,
        from: &SignedCheckpoint,
        to: &SignedCheckpoint,
    ) -> Result<AuditProof, CustodyError> {
        let verifier = self.checkpoint_verifier().await?;
        let (from, to) = (read(&verifier, from)?, read(&verifier, to)?);
        let builder = ProofBuilder::consistency(from.size, to.size).ok_or_else(|| {
            CustodyError::invalid(
                "checkpoint",
                "the first one is of a larger log than the second one",
            )
        })?;
        let details = format!("proof of growth from {} to {} entries", from.size, to.size);
        self.note_read(Operation::ReadAudit, details).await?;
        let hashes = self.feed(builder, &[&from, &to]).await?;
        Ok(AuditProof::Consistency {
            old_size: from.size,
            new_size: to.size,
            hashes,
        })
    }

    /// Proves that an entry is in the log of a checkpoint. Appends one `read-audit` entry.
    ///
    /// # Errors
    /// As for [`Self::audit_prove_growth`]; [`CustodyError::Invalid`] where the checkpoint is older than the entry.
    pub async fn audit_prove_entry(
        &self,
        sequence: u64,
        checkpoint: &SignedCheckpoint,
    ) -> Result<AuditProof, CustodyError> {
        let verifier = self.checkpoint_verifier().await?;
        let checkpoint = read(&verifier, checkpoint)?;
        let builder = ProofBuilder::inclusion(sequence, checkpoint.size).ok_or_else(|| {
            CustodyError::invalid("checkpoint", "it is older than the entry; take a newer one")
        })?;
        let details = format!("proof of entry {sequence} among {} entries", checkpoint.size);
        self.note_read(Operation::ReadAudit, details).await?;
        let hashes = self.feed(builder, &[&checkpoint]).await?;
        let row = self
            .store()
            .audit_rows(stored_integer("sequence", sequence)?, 1)
            .await?;
        let row = row.first().ok_or_else(|| missing(sequence))?;
        Ok(AuditProof::Inclusion {
            index: sequence,
            size: checkpoint.size,
            leaf: leaf(row, sequence)?,
            hashes,
        })
    }

    /// The keys that checkpoints of this vault verify with: the one in force first, then those before it, the latest
    /// first. Each with the log's name, as signed notes write verifier keys. While the vault is locked they are what the
    /// database says.
    ///
    /// # Errors
    /// [`CustodyError::NotInitialised`], [`CustodyError::AuditBroken`] where a key was changed, or the store's.
    pub async fn audit_verifier_keys(&self) -> Result<Vec<String>, CustodyError> {
        let verifier = self.checkpoint_verifier().await?;
        Ok(verifier
            .keys()
            .map(|key| verifier_key(verifier.origin(), key))
            .collect())
    }

    async fn checkpoint_verifier(&self) -> Result<Verifier, CustodyError> {
        let head = self.store().audit_head().await?;
        let origin = ledger::origin(&VaultId::from_bytes(head.vault.id));
        let key = Address::new(head.vault.audit_key);
        if let Some(session) = self.session() {
            session.expect_signing(&head.vault)?;
        }
        let retired = self.store().audit_keys().await?;
        if let Some(row) = retired
            .iter()
            .find(|row| !ledger::retired_verifies(&key, &origin, row))
        {
            return Err(CustodyError::AuditBroken {
                sequence: row.until.saturating_sub(1),
                reason: "the key that signed the log up to it was changed".to_owned(),
            });
        }
        Ok(Verifier::new(key, retired, origin))
    }

    /// Hands every leaf to the builder, and holds the tree to the checkpoints on its way.
    async fn feed(
        &self,
        mut builder: ProofBuilder,
        checkpoints: &[&Checkpoint],
    ) -> Result<Vec<Hash>, CustodyError> {
        let size = checkpoints.last().map_or(0, |last| last.size);
        hold(&builder, checkpoints)?;
        while builder.pushed() < size {
            let next = builder.pushed();
            let wanted = (size - next).min(u64::from(VERIFY_ROWS));
            let rows = self
                .store()
                .audit_rows(
                    stored_integer("sequence", next)?,
                    u32::try_from(wanted).unwrap_or(VERIFY_ROWS),
                )
                .await?;
            if rows.is_empty() {
                return Err(missing(next));
            }
            for row in &rows {
                builder.push(leaf(row, builder.pushed())?);
                hold(&builder, checkpoints)?;
            }
        }
        builder.finish().ok_or_else(|| missing(size))
    }
}

fn read(verifier: &Verifier, signed: &SignedCheckpoint) -> Result<Checkpoint, CustodyError> {
    verifier
        .read(signed)
        .map_err(|error| CustodyError::invalid("checkpoint", error.to_string()))
}

/// The leaf that the row says it has; whether it is the right one is said by the root.
fn leaf(row: &StoredEntry, sequence: u64) -> Result<Hash, CustodyError> {
    if u64::try_from(row.sequence) != Ok(sequence) {
        return Err(missing(sequence));
    }
    Hash::try_from(row.leaf_hash.as_slice()).map_err(|_| CustodyError::AuditBroken {
        sequence,
        reason: "its hash has the wrong length".to_owned(),
    })
}

fn hold(builder: &ProofBuilder, checkpoints: &[&Checkpoint]) -> Result<(), CustodyError> {
    let size = builder.pushed();
    let differs = |one: &&&Checkpoint| one.size == size && one.root != builder.root();
    match checkpoints.iter().find(differs) {
        None => Ok(()),
        Some(_) => Err(CustodyError::AuditBroken {
            sequence: size.saturating_sub(1),
            reason: "the log up to it does not match the checkpoint given".to_owned(),
        }),
    }
}

fn missing(sequence: u64) -> CustodyError {
    CustodyError::AuditBroken {
        sequence,
        reason: "it is missing".to_owned(),
    }
}
