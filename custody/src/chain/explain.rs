//! Why a transaction fails, in words for a person.

use serde_json::Value;
use solana_transaction_status_client_types::UiTransactionError;

use super::error::clean;

/// What the system program calls its error number 1.
const SYSTEM_RESULT_WITH_NEGATIVE_LAMPORTS: u64 = 1;

/// Translates the `err` of a status, a simulation or a history entry. An unknown one is named as the node wrote it.
pub(super) fn explain(error: &Value) -> String {
    if let Some(text) = explain_instruction(error) {
        return text;
    }
    let name = match error {
        Value::String(name) => name.as_str(),
        Value::Object(fields) => fields.keys().next().map_or("", String::as_str),
        _ => "",
    };
    let text = match name {
        "AccountNotFound" => "the fee payer has no account: fund it first",
        "InsufficientFundsForFee" => "the fee payer cannot pay the fee",
        "InsufficientFundsForRent" => "an account would be left below the cluster's minimum balance",
        "InvalidRentPayingAccount" => "an account would be left below the cluster's minimum balance",
        "InvalidAccountForFee" => "the fee payer is not a plain account, so it cannot pay fees",
        "BlockhashNotFound" => "its blockhash is too old or not yet known to the node",
        "AlreadyProcessed" => "it was processed before",
        "AccountInUse" => "an account is in use by another transaction: try again",
        "WouldExceedMaxBlockCostLimit" | "WouldExceedMaxAccountCostLimit" => "the block is full: try again",
        "ProgramAccountNotFound" => "a program that it calls does not exist",
        "SignatureFailure" => "a signature is wrong",
        _ => return unknown(error),
    };
    text.to_string()
}

fn explain_instruction(error: &Value) -> Option<String> {
    let parts = error.as_object()?.get("InstructionError")?.as_array()?;
    let [index, cause] = parts.as_slice() else {
        return None;
    };
    // Numbered from one for people.
    let number = index.as_u64()?.checked_add(1)?;
    let custom = cause
        .as_object()
        .and_then(|fields| fields.get("Custom"))
        .and_then(Value::as_u64);
    let why = match custom {
        Some(SYSTEM_RESULT_WITH_NEGATIVE_LAMPORTS) => {
            "error 1, which for a transfer means insufficient funds".to_string()
        }
        Some(code) => format!("the program's error {code}"),
        None if cause == "ComputationalBudgetExceeded" => "the compute-unit limit was used up".to_string(),
        None if cause == "ExternalAccountLamportSpend" => {
            "the sender's account belongs to a program".to_string()
        }
        None => unknown(cause),
    };
    Some(format!("instruction {number} failed: {why}"))
}

fn unknown(error: &Value) -> String {
    match serde_json::from_value::<UiTransactionError>(error.clone()) {
        Ok(known) => clean(&known.to_string()),
        Err(_) => match error {
            Value::String(text) => clean(text),
            other => clean(&other.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_are_translated() {
        let check = |error: Value, part: &str| {
            let text = explain(&error);
            assert!(text.contains(part), "{error}: {text}");
        };
        check(json!("InsufficientFundsForFee"), "cannot pay the fee");
        check(
            json!({"InsufficientFundsForRent": {"account_index": 1}}),
            "minimum balance",
        );
        check(
            json!({"InstructionError": [2, {"Custom": 1}]}),
            "instruction 3 failed: error 1",
        );
        check(
            json!({"InstructionError": [0, {"Custom": 6000}]}),
            "the program's error 6000",
        );
        check(
            json!({"InstructionError": [0, "ComputationalBudgetExceeded"]}),
            "used up",
        );
        check(
            json!({"InstructionError": [0, "InvalidArgument"]}),
            "InvalidArgument",
        );
        check(json!("TooManyAccountLocks"), "account");
        check(json!("SomethingOfTomorrow"), "SomethingOfTomorrow");
        check(json!({"SomethingOfTomorrow": {"x": 1}}), "SomethingOfTomorrow");
        check(json!(17), "17");
        check(json!("a\u{1b}[2Jb"), "a [2Jb");
    }
}
