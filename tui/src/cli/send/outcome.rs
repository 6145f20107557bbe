//! How a transfer ended, as text, as JSON and as an exit code.

use keyward_core::amount::Lamports;
use keyward_custody::transfer::{TransferOutcome, TransferResult};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::output;

/// How one transfer ended, in words.
pub(crate) fn outcome_text(outcome: &TransferOutcome) -> String {
    let end = match &outcome.result {
        TransferResult::Confirmed { slot } => format!("confirmed in slot {slot}"),
        TransferResult::Failed { slot, error } => {
            format!(
                "failed in slot {slot}: {}; the fee is spent, the amount is not",
                output::printable(error)
            )
        }
        TransferResult::Expired => "expired; it can no longer land, and paying again is safe".to_owned(),
    };
    format!(
        "{} to {}: {end}\nsignature {}\n",
        outcome.amount, outcome.to, outcome.signature
    )
}

/// How one transfer ended, for scripts.
pub(crate) fn outcome_json(outcome: &TransferOutcome) -> Value {
    let (status, slot, error) = match &outcome.result {
        TransferResult::Confirmed { slot } => ("confirmed", Some(*slot), None),
        TransferResult::Failed { slot, error } => ("failed", Some(*slot), Some(error.as_str())),
        TransferResult::Expired => ("expired", None, None),
    };
    json!({
        "signature": outcome.signature.to_string(),
        "from": outcome.from.to_string(),
        "to": outcome.to.to_string(),
        "lamports": outcome.amount.lamports().map(Lamports::get),
        "units": outcome.amount.base_units().to_string(),
        "mint": outcome.amount.mint().map(|mint| mint.to_string()),
        "status": status,
        "slot": slot,
        "error": error,
    })
}

/// The exit code for how one transfer ended.
pub(crate) const fn outcome_exit(outcome: &TransferOutcome) -> Exit {
    match outcome.result {
        TransferResult::Confirmed { .. } => Exit::Ok,
        TransferResult::Failed { .. } | TransferResult::Expired => Exit::TransferFailed,
    }
}
