//! Signing an EVM transaction that somebody else made.

use keyward_core::evm::EvmAddress;
use keyward_custody::{Custody, EvmSignRequest, WalletPasswords};
use serde_json::json;

use crate::exit::Failure;
use crate::output::{Report, fields, printable};

pub(super) async fn sign(
    custody: &Custody,
    wallet: EvmAddress,
    chain_id: u64,
    input: &[u8],
    passwords: &WalletPasswords,
) -> Result<Report, Failure> {
    let request = EvmSignRequest {
        transaction: bytes(input),
        wallet,
        chain_id,
    };
    let signed = custody.sign_evm_transaction(request, passwords).await?;
    let encoded = format!("0x{}", hex::encode(&signed.bytes));
    let hash = format!("0x{}", hex::encode(signed.hash));
    let signature = format!("0x{}", hex::encode(signed.signature.to_bytes()));
    let actions = signed.intent.sentences();
    let mut text = fields(&[("hash", hash.clone()), ("signed by", wallet.to_string())]);
    for action in &actions {
        text.push_str(&format!("  {}\n", printable(action)));
    }
    text.push_str(&format!("{encoded}\n"));
    let json = json!({
        "signature": signature,
        "wallets": [wallet.to_string()],
        "complete": true,
        "actions": actions,
        "transaction": encoded,
        "hash": hash,
        "chain_id": signed.intent.chain_id,
    });
    Ok(Report::new(text, json))
}

/// The payload's bytes, from hexadecimal digits or as they are.
fn bytes(input: &[u8]) -> Vec<u8> {
    std::str::from_utf8(input)
        .ok()
        .map(str::trim)
        .and_then(|text| hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok())
        .unwrap_or_else(|| input.to_vec())
}
