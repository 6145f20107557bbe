//! An EVM transaction or typed data, shown.

use keyward_core::evm::intent::{EvmIntent, chain_name};
use keyward_core::evm::transaction::{Decoded, Transaction};
use keyward_core::evm::typed_data::TypedData;
use keyward_core::evm::{EvmAddress, keccak256};
use serde_json::json;

use super::{Kind, with_sentences};
use crate::output::{Report, fields};

pub(super) fn transaction(decoded: &Decoded, named: Option<EvmAddress>) -> Report {
    let (transaction, from, hash) = match decoded {
        Decoded::Unsigned(transaction) => (transaction, named, None),
        Decoded::Signed(signed) => (signed.transaction(), Some(*signed.sender()), Some(signed.hash())),
    };
    let (intent, sentences) = read(transaction, from);
    let chain = chain_name(intent.chain_id).map(|chain| chain.name.to_owned());
    let type_text = intent
        .type_byte
        .map_or_else(|| "legacy".to_owned(), |byte| byte.to_string());
    let unknown = |value: &Option<String>| value.clone().unwrap_or_else(|| "?".to_owned());
    let from = from.map(|from| from.to_string());
    let to = transaction.to.map(|to| to.to_string());
    let hash = hash.map(|hash| format!("0x{}", hex::encode(hash)));
    let text = with_sentences(
        fields(&[
            ("kind", Kind::EvmTransaction.id().to_owned()),
            ("type", type_text),
            ("chain", format!("{} (id {})", unknown(&chain), intent.chain_id)),
            ("from", unknown(&from)),
            ("to", to.clone().unwrap_or_else(|| "a new contract".to_owned())),
            ("signed", if hash.is_some() { "yes" } else { "no" }.to_owned()),
            ("hash", unknown(&hash)),
            ("data", format!("{} bytes", transaction.data.len())),
        ]),
        &sentences,
    );
    let json = json!({
        "kind": Kind::EvmTransaction.id(),
        "type": intent.type_byte,
        "chain_id": intent.chain_id,
        "chain": chain,
        "from": from,
        "to": to,
        "nonce": intent.nonce,
        // Beyond what a JSON number holds exactly.
        "value_wei": intent.value.to_string(),
        "max_fee_wei": intent.max_fee.to_string(),
        "gas_limit": intent.gas_limit,
        "data_length": transaction.data.len(),
        "access_list_entries": intent.access_list_entries,
        "authorizations": intent.authorizations.len(),
        "signed": hash.is_some(),
        "hash": hash,
        "signing_hash": format!("0x{}", hex::encode(transaction.signing_hash())),
        "sentences": sentences,
    });
    Report::new(text, json)
}

/// What it does. Sentences name the sender, who is not in the bytes that nobody has signed: then a stand-in that no
/// transaction can hold, being made of this one's hash, is taken out of them again.
fn read(transaction: &Transaction, from: Option<EvmAddress>) -> (EvmIntent, Vec<String>) {
    if let Some(from) = from {
        let intent = EvmIntent::from_transaction(transaction, from);
        let sentences = intent.sentences();
        return (intent, sentences);
    }
    let hash = keccak256(&transaction.encode_unsigned());
    let mut bytes = [0; 20];
    bytes.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    let stand_in = EvmAddress::new(bytes);
    let intent = EvmIntent::from_transaction(transaction, stand_in);
    let name = stand_in.to_string();
    let sentences = intent
        .sentences()
        .into_iter()
        .map(|sentence| sentence.replace(&name, "the signer"))
        .collect();
    (intent, sentences)
}

pub(super) fn typed_data(data: &TypedData) -> Report {
    let domain = data.domain();
    let sentences = data.sentences();
    let contract = domain.verifying_contract.map(|contract| contract.to_string());
    let text = with_sentences(
        fields(&[
            ("kind", Kind::TypedData.id().to_owned()),
            ("type", data.primary_type().to_owned()),
            (
                "application",
                domain.name.clone().unwrap_or_else(|| "?".to_owned()),
            ),
            ("chain id", domain.chain_id.to_string()),
            ("contract", contract.clone().unwrap_or_else(|| "none".to_owned())),
        ]),
        &sentences,
    );
    let json = json!({
        "kind": Kind::TypedData.id(),
        "primary_type": data.primary_type(),
        "domain": {
            "name": domain.name,
            "version": domain.version,
            "chain_id": domain.chain_id,
            "verifying_contract": contract,
            "salt": domain.salt.map(hex::encode),
        },
        "domain_separator": format!("0x{}", hex::encode(data.domain_separator())),
        "struct_hash": format!("0x{}", hex::encode(data.struct_hash())),
        "signing_hash": format!("0x{}", hex::encode(data.signing_hash())),
        "risks": data.risks().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "sentences": sentences,
    });
    Report::new(text, json)
}
