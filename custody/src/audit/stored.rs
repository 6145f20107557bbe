//! A row of the log as it stands in the database, and whether it is what its place says.

use keyward_core::account::AccountAddress;
use keyward_core::audit::{AuditEntry, Hash, Operation, Outcome};

/// The reason of a refusal because the vault is locked, and of what was read meanwhile.
pub(super) const LOCKED_REASON: &str = "locked";

/// A row of `audit_entries`, raw: what stands in the database, whether or not it makes sense.
#[derive(Clone, Debug)]
pub(crate) struct StoredEntry {
    pub(crate) sequence: i64,
    pub(crate) recorded_at: i64,
    pub(crate) actor: Vec<u8>,
    pub(crate) operation: Vec<u8>,
    pub(crate) wallet: Option<Vec<u8>>,
    pub(crate) outcome: Vec<u8>,
    pub(crate) reason: Vec<u8>,
    pub(crate) subject: Option<Vec<u8>>,
    pub(crate) details: Vec<u8>,
    pub(crate) leaf_hash: Vec<u8>,
    pub(crate) head_signature: Option<Vec<u8>>,
    pub(crate) client_address: Option<Vec<u8>>,
    pub(crate) client_fingerprint: Option<Vec<u8>>,
    /// The entry that redacted this one, which then has nothing but its sequence and leaf.
    pub(crate) redacted_by: Option<i64>,
}

impl StoredEntry {
    /// The entry that the columns spell.
    ///
    /// # Errors
    /// Which column does not read.
    pub(crate) fn entry(&self) -> Result<AuditEntry, String> {
        fn hash(name: &str, bytes: Option<&Vec<u8>>) -> Result<Option<Hash>, String> {
            let read = |bytes: &Vec<u8>| Hash::try_from(bytes.as_slice());
            let hash = bytes.map(read).transpose();
            hash.map_err(|_| format!("its {name} has the wrong length"))
        }
        fn text<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, String> {
            std::str::from_utf8(bytes).map_err(|_| format!("its {name} is not text"))
        }
        let wallet = match &self.wallet {
            None => None,
            Some(bytes) => {
                let text = text("wallet", bytes)?;
                let address: AccountAddress = text
                    .parse()
                    .map_err(|_| "its wallet is not an address".to_owned())?;
                Some(address)
            }
        };
        Ok(AuditEntry {
            sequence: u64::try_from(self.sequence).map_err(|_| "its sequence is negative")?,
            time_ms: u64::try_from(self.recorded_at).map_err(|_| "its time is negative")?,
            actor: text("actor", &self.actor)?.to_owned(),
            operation: text("operation", &self.operation)?
                .parse()
                .map_err(|_| "its operation is unknown")?,
            wallet,
            outcome: text("outcome", &self.outcome)?
                .parse()
                .map_err(|_| "its outcome is unknown")?,
            reason: text("reason", &self.reason)?.to_owned(),
            subject: hash("subject", self.subject.as_ref())?,
            details: text("details", &self.details)?.to_owned(),
            client_address: hash("client", self.client_address.as_ref())?,
            client_fingerprint: hash("fingerprint", self.client_fingerprint.as_ref())?,
        })
    }

    /// The leaf of this row, if the row is what its place in the log says and its own hash agrees.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn leaf(&self, expected_sequence: u64) -> Result<Hash, String> {
        self.verified(expected_sequence).map(|(_, leaf)| leaf)
    }

    /// The entry of this row with its leaf, if the row is what its place in the log says and its own hash agrees.
    ///
    /// # Errors
    /// What is wrong with it; a redacted row has no entry.
    pub(crate) fn verified(&self, expected_sequence: u64) -> Result<(AuditEntry, Hash), String> {
        if u64::try_from(self.sequence) != Ok(expected_sequence) {
            return Err("it is missing".to_owned());
        }
        if self.redacted_by.is_some() {
            return Err("it was redacted".to_owned());
        }
        let entry = self.entry()?;
        let leaf = entry.leaf_hash();
        if self.leaf_hash != leaf {
            return Err("its content does not match its hash".to_owned());
        }
        // An address has one spelling as it is written, and so has every other column: what reads the same is the same.
        if self.wallet.as_deref()
            != entry
                .wallet
                .map(|wallet| wallet.to_string().into_bytes())
                .as_deref()
        {
            return Err("its wallet is not spelt as it was written".to_owned());
        }
        match (self.head_signature.is_some(), stands_unsigned(&entry)) {
            (false, false) => Err("its signature is missing".to_owned()),
            (true, true) => Err("it has a signature and should have none".to_owned()),
            _ => Ok((entry, leaf)),
        }
    }

    /// The leaf of this row, whole or redacted. That it was redacted by somebody who may is not looked at here.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn place_leaf(&self, expected_sequence: u64) -> Result<Hash, String> {
        match self.redacted_by {
            None => self.leaf(expected_sequence),
            Some(_) => self.redacted_leaf(expected_sequence),
        }
    }

    /// The leaf of a redacted row, if there is nothing else left in it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn redacted_leaf(&self, expected_sequence: u64) -> Result<Hash, String> {
        if u64::try_from(self.sequence) != Ok(expected_sequence) {
            return Err("it is missing".to_owned());
        }
        let texts = [
            &self.actor,
            &self.operation,
            &self.outcome,
            &self.reason,
            &self.details,
        ];
        let options = [
            &self.wallet,
            &self.subject,
            &self.head_signature,
            &self.client_address,
            &self.client_fingerprint,
        ];
        let is_empty = self.recorded_at == 0
            && texts.into_iter().all(Vec::is_empty)
            && options.into_iter().all(Option::is_none);
        if !is_empty {
            return Err("it is marked as redacted and is not empty".to_owned());
        }
        Hash::try_from(self.leaf_hash.as_slice()).map_err(|_| "its hash has the wrong length".to_owned())
    }
}

/// Whether an entry is of a kind made while the vault is locked: a refusal, or a look at the log itself. Told by its
/// content, which the leaf covers: were it told by the missing signature, a signature could be taken away.
pub(super) fn stands_unsigned(entry: &AuditEntry) -> bool {
    let locked = entry.reason == LOCKED_REASON;
    match entry.outcome {
        Outcome::Refused => locked || matches!(entry.operation, Operation::UnlockFailed | Operation::Lockout),
        Outcome::Done => locked && matches!(entry.operation, Operation::ReadAudit | Operation::Verify),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::error::CustodyError;

    #[test]
    fn the_log_knows_the_locked_vault_by_the_errors_own_code() {
        assert_eq!(super::LOCKED_REASON, CustodyError::Locked.code());
    }
}
