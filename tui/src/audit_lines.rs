//! Audit entries as JSON, in lists and exports alike.

use keyward_core::audit::AuditEntry;
use keyward_custody::AuditRow;
use serde_json::{Value, json};

/// A row of the log; one that was redacted tells its leaf and the entry that says so.
pub(crate) fn row_json(row: &AuditRow) -> Value {
    match row {
        AuditRow::Entry(entry) => entry_json(entry),
        AuditRow::Redacted {
            sequence,
            redacted_by,
            ..
        } => json!({
            "sequence": sequence,
            "redacted_by": redacted_by,
            "leaf_hash": hex::encode(row.leaf_hash()),
        }),
    }
}

fn entry_json(entry: &AuditEntry) -> Value {
    json!({
        "sequence": entry.sequence,
        "time_ms": entry.time_ms,
        "actor": entry.actor,
        "operation": entry.operation.as_str(),
        "wallet": entry.wallet.map(|wallet| wallet.to_string()),
        "outcome": entry.outcome.as_str(),
        "reason": entry.reason,
        "subject": entry.subject.map(hex::encode),
        "details": entry.details,
        "client_address": entry.client_address.map(hex::encode),
        "client_fingerprint": entry.client_fingerprint.map(hex::encode),
        "leaf_hash": hex::encode(entry.leaf_hash()),
    })
}
