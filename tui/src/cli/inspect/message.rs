//! An off-chain message, a sign-in or a text, shown.

use keyward_core::offchain::{Layout, OffChainMessage, SignableMessage};
use keyward_core::siws::SignIn;
use serde_json::json;

use super::{Kind, with_sentences};
use crate::exit::Failure;
use crate::output::{Report, fields};

pub(super) fn report(message: &SignableMessage) -> Result<Report, Failure> {
    match message {
        SignableMessage::OffChain(message) => Ok(off_chain(message)),
        SignableMessage::SignIn(sign_in) => Ok(signing_in(sign_in)),
        SignableMessage::Text(text) => Ok(plain(text)),
        SignableMessage::Binary => Err(Failure::invalid(
            "undecodable",
            "these are bytes without a meaning known here",
            "check that all of it was copied, and nothing else",
        )),
    }
}

fn off_chain(message: &OffChainMessage) -> Report {
    let layout = match message.layout() {
        Layout::Short => "version 0, short",
        Layout::V0 => "version 0",
        Layout::V1 => "version 1",
    };
    let domain = message.application_domain().map(|domain| domain.to_string());
    let signers: Vec<String> = message.signers().iter().map(ToString::to_string).collect();
    let mut facts = vec![
        ("kind", Kind::OffchainMessage.id().to_owned()),
        ("layout", layout.to_owned()),
        ("application", domain.clone().unwrap_or_else(|| "none".to_owned())),
    ];
    facts.extend(signers.iter().map(|signer| ("signer", signer.clone())));
    let lines = lines(message.text());
    let json = json!({
        "kind": Kind::OffchainMessage.id(),
        "layout": layout,
        "application_domain": domain,
        "signers": signers,
        "text": message.text(),
        "sentences": lines,
    });
    Report::new(with_sentences(fields(&facts), &lines), json)
}

fn signing_in(sign_in: &SignIn) -> Report {
    let own = sign_in.fields();
    let sentences = sign_in.summary();
    let text = with_sentences(fields(&[("kind", Kind::SignIn.id().to_owned())]), &sentences);
    let json = json!({
        "kind": Kind::SignIn.id(),
        "domain": own.domain,
        "address": own.address.to_string(),
        "statement": own.statement,
        "uri": own.uri,
        "version": own.version,
        "chain_id": own.chain_id.map(|chain| chain.to_string()),
        "nonce": own.nonce,
        "issued_at": own.issued_at.as_ref().map(ToString::to_string),
        "expiration_time": own.expiration_time.as_ref().map(ToString::to_string),
        "not_before": own.not_before.as_ref().map(ToString::to_string),
        "request_id": own.request_id,
        "resources": own.resources,
        "sentences": sentences,
    });
    Report::new(text, json)
}

fn plain(text: &str) -> Report {
    let lines = lines(text);
    let facts = fields(&[
        ("kind", Kind::Text.id().to_owned()),
        ("length", format!("{} bytes", text.len())),
    ]);
    let json = json!({ "kind": Kind::Text.id(), "length": text.len(), "text": text, "sentences": lines });
    Report::new(with_sentences(facts, &lines), json)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(ToOwned::to_owned).collect()
}
