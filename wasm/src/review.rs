//! What a request does, as JSON for the page that asks its person: core's own reading, and what the authority says.

use keyward_core::account::AccountAddress;
use keyward_core::evm::personal;
use keyward_core::intent::{Action, Danger, Field, FieldValue, Intent};
use keyward_core::offchain::{SignableMessage, read};
use keyward_core::policy::{Refusal, Request};
use keyward_core::solana::{SignatureState, Transaction};
use serde_json::{Value, json};

use crate::authority::Authority;

/// The decision as the page sees it before asking.
pub(crate) fn verdict(authority: &Authority, request: &Request<'_>) -> Value {
    let refusals = authority.judge(request).err().unwrap_or_default();
    let refusals: Vec<Value> = refusals.iter().map(refusal).collect();
    json!({ "authority": authority.id(), "allowed": refusals.is_empty(), "refusals": refusals })
}

/// A Solana transaction. Amounts are decimal digits as text, since JSON numbers of JavaScript end at 2^53.
pub(crate) fn transaction(intent: &Intent, signed: Option<&Transaction>) -> Value {
    let signatures: Vec<Value> = signed
        .map(Transaction::verify_signatures)
        .unwrap_or_default()
        .into_iter()
        .map(|(signer, state)| {
            let state = match state {
                SignatureState::Valid => "valid",
                SignatureState::Invalid => "invalid",
                SignatureState::Missing => "missing",
            };
            json!({ "address": signer.to_string(), "state": state })
        })
        .collect();
    let nonce = intent.durable_nonce.map(|nonce| {
        json!({
            "account": nonce.account.map(|address| address.to_string()),
            "authority": nonce.authority.map(|address| address.to_string()),
        })
    });
    json!({
        "kind": "transaction",
        "messageSha256": hex::encode(intent.message_sha256),
        "feePayer": intent.fee_payer.to_string(),
        "signers": texts(&intent.signers),
        "signatures": signatures,
        "sentences": intent.sentences(),
        "actions": intent.actions.iter().map(action).collect::<Vec<_>>(),
        "maxPriorityFeeLamports": intent.max_priority_fee().get().to_string(),
        "unresolvedLookupTables": intent.unresolved_lookups,
        "durableNonce": nonce,
    })
}

/// A Solana message; what is none has no kind but `refused`, and the verdict says why.
pub(crate) fn message(bytes: &[u8]) -> Value {
    match read(bytes) {
        Ok(SignableMessage::OffChain(message)) => {
            json!({ "kind": "off-chain-message", "text": message.text(), "signers": texts(message.signers()) })
        }
        Ok(SignableMessage::SignIn(sign_in)) => json!({
            "kind": "sign-in",
            "text": sign_in.to_text(),
            "domain": sign_in.fields().domain,
            "sentences": sign_in.summary(),
        }),
        Ok(SignableMessage::Text(text)) => json!({ "kind": "text", "text": text }),
        Ok(SignableMessage::Binary) => json!({ "kind": "binary", "hex": hex::encode(bytes) }),
        Err(_) => json!({ "kind": "refused" }),
    }
}

/// A personal message of EIP-191; what nobody could read has no kind but `refused`, and the verdict says why.
pub(crate) fn personal_message(bytes: &[u8]) -> Value {
    match (personal::check(bytes), str::from_utf8(bytes)) {
        (Ok(()), Ok(text)) => json!({ "kind": "text", "text": text }),
        _ => json!({ "kind": "refused" }),
    }
}

/// Puts the verdict beside what was read.
pub(crate) fn with_verdict(mut review: Value, verdict: Value) -> String {
    if let Some(fields) = review.as_object_mut() {
        fields.insert("verdict".into(), verdict);
    }
    review.to_string()
}

fn refusal(refusal: &Refusal) -> Value {
    json!({ "code": refusal.code(), "message": refusal.to_string() })
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn action(action: &Action) -> Value {
    match action {
        Action::SolTransfer { from, to, lamports } => json!({
            "type": "sol-transfer",
            "from": from.to_string(), "to": to.to_string(), "lamports": lamports.get().to_string(),
        }),
        Action::TokenTransfer {
            program,
            source,
            destination,
            authority,
            mint,
            amount,
            decimals,
            ..
        } => json!({
            "type": "token-transfer",
            "program": program.to_string(),
            "source": source.to_string(), "destination": destination.to_string(),
            "authority": authority.to_string(), "mint": mint.map(|mint| mint.to_string()),
            "amount": amount.to_string(), "decimals": decimals,
        }),
        Action::Memo { text, bytes_len, .. } => json!({ "type": "memo", "text": text, "length": bytes_len }),
        Action::ComputeBudget { setting } => {
            json!({ "type": "compute-budget", "setting": format!("{setting:?}") })
        }
        Action::Decoded {
            program,
            program_name,
            instruction,
            fields,
            dangers,
        } => json!({
            "type": "decoded",
            "program": program.to_string(), "programName": program_name, "instruction": instruction,
            "fields": fields.iter().map(field).collect::<Vec<_>>(),
            "dangers": dangers.iter().map(Danger::to_string).collect::<Vec<_>>(),
        }),
        Action::Unknown {
            program,
            program_name,
            accounts,
            data_len,
            data_start,
            reason,
        } => json!({
            "type": "unknown",
            "program": program.to_string(), "programName": program_name, "accounts": texts(accounts),
            "dataLength": data_len, "dataStart": hex::encode(data_start), "reason": reason.to_string(),
        }),
        _ => json!({ "type": "unknown" }),
    }
}

fn field(field: &Field) -> Value {
    let (kind, value) = match &field.value {
        FieldValue::Account(address) => ("account", json!(address.to_string())),
        FieldValue::Accounts(addresses) => ("accounts", json!(texts(addresses))),
        FieldValue::Addresses(addresses) => ("addresses", json!(texts(addresses))),
        FieldValue::Address(address) => ("address", json!(address.to_string())),
        FieldValue::Lamports(lamports) => ("lamports", json!(lamports.get().to_string())),
        FieldValue::Number(number) => ("number", json!(number.to_string())),
        FieldValue::Signed(number) => ("number", json!(number.to_string())),
        FieldValue::Word(word) => ("word", json!(word)),
        FieldValue::Text(text) => ("text", json!(text)),
        FieldValue::Bytes(bytes) => ("bytes", json!(hex::encode(bytes))),
        _ => ("nothing", Value::Null),
    };
    json!({ "label": field.label, "kind": kind, "value": value })
}

/// An account as JSON.
pub(crate) fn account(address: &AccountAddress, path: Option<&str>, label: &str) -> Value {
    json!({
        "chain": address.chain().id(), "address": address.to_string(), "path": path, "label": label,
    })
}
