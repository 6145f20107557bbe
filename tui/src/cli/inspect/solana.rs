//! A Solana transaction or message, shown.

use keyward_core::address::Address;
use keyward_core::intent::Intent;
use keyward_core::solana::{Message, MessageVersion, SignatureState, Transaction};
use serde_json::{Value, json};

use super::{Kind, with_sentences};
use crate::cli::context::Context;
use crate::exit::Failure;
use crate::output::{Report, fields};

pub(super) async fn report(
    context: &mut Context,
    message: &Message,
    transaction: Option<&Transaction>,
) -> Result<Report, Failure> {
    let intent = resolved(context, message).await?;
    let version = match message.version {
        MessageVersion::Legacy => "legacy",
        MessageVersion::V0 => "0",
        MessageVersion::V1(_) => "1",
    };
    let signers = signers(message, transaction);
    let sentences = intent.sentences();
    let kind = match transaction {
        Some(_) => Kind::SolanaTransaction,
        None => Kind::SolanaMessage,
    };
    let lookups = if message.lookups.is_empty() {
        "none".to_owned()
    } else if intent.unresolved_lookups == 0 {
        format!("{}, resolved", message.lookups.len())
    } else {
        format!(
            "{}, not resolved: give --rpc URL to resolve them",
            message.lookups.len()
        )
    };
    let mut facts = vec![
        ("kind", kind.id().to_owned()),
        ("version", version.to_owned()),
        ("fee payer", intent.fee_payer.to_string()),
    ];
    for (address, state) in &signers {
        let state = state
            .map(|state| format!(", signature {}", state_id(state)))
            .unwrap_or_default();
        facts.push(("signer", format!("{address}{state}")));
    }
    facts.push(("blockhash", message.recent_blockhash.to_string()));
    facts.push(("lookup tables", lookups));
    let text = with_sentences(fields(&facts), &sentences);
    let json = json!({
        "kind": kind.id(),
        "version": version,
        "fee_payer": intent.fee_payer.to_string(),
        "signers": signers.iter().map(signer_json).collect::<Vec<_>>(),
        "blockhash": message.recent_blockhash.to_string(),
        "durable_nonce": intent.durable_nonce.map(|nonce| json!({
            "account": nonce.account.map(|account| account.to_string()),
            "authority": nonce.authority.map(|authority| authority.to_string()),
        })),
        "compute_unit_limit": intent.compute_unit_limit,
        "priority_fee_lamports": intent.max_priority_fee().get(),
        "lookup_tables": message.lookups.iter().map(|lookup| lookup.table.to_string()).collect::<Vec<_>>(),
        "unresolved_lookups": intent.unresolved_lookups,
        "message_sha256": hex::encode(intent.message_sha256),
        "sentences": sentences,
    });
    Ok(Report::new(text, json))
}

/// What the message does, with its lookup tables where the command names a node.
async fn resolved(context: &mut Context, message: &Message) -> Result<Intent, Failure> {
    if message.lookups.is_empty() {
        return Ok(Intent::from_message(message));
    }
    let Some(node) = context.named_node()? else {
        return Ok(Intent::from_message(message));
    };
    let wanted: Vec<Address> = message.lookups.iter().map(|lookup| lookup.table).collect();
    let tables = node.lookup_tables(&wanted).await?;
    let resolved = message.resolve(|table| tables.contents(table)).map_err(|error| {
        Failure::invalid(
            "lookup_unresolved",
            error.to_string(),
            "ask a node of the network that it is meant for",
        )
    })?;
    Ok(Intent::from_resolved(&resolved))
}

/// The signers; with a transaction what stands in their places.
fn signers(message: &Message, transaction: Option<&Transaction>) -> Vec<(Address, Option<SignatureState>)> {
    match transaction {
        Some(transaction) => transaction
            .verify_signatures()
            .into_iter()
            .map(|(address, state)| (address, Some(state)))
            .collect(),
        None => message
            .required_signers()
            .iter()
            .map(|address| (*address, None))
            .collect(),
    }
}

const fn state_id(state: SignatureState) -> &'static str {
    match state {
        SignatureState::Missing => "missing",
        SignatureState::Valid => "valid",
        SignatureState::Invalid => "invalid",
    }
}

fn signer_json((address, state): &(Address, Option<SignatureState>)) -> Value {
    json!({ "address": address.to_string(), "signature": state.map(state_id) })
}
