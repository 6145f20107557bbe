//! The class behind `SolanaSigner`.

use std::collections::BTreeMap;

use js_sys::{Error, Uint8Array};
use keyward_core::address::{Address, Signature};
use keyward_core::intent::Intent;
use keyward_core::policy::Request;
use keyward_core::solana::{Message, Transaction};

use crate::bytes::{MAX_PAYLOAD_BYTES, bounded, exposed};
use crate::failure::{Failure, thrown};
use crate::json::list_of_texts;
use crate::review;
use crate::signing::Signing;
use wasm_bindgen::prelude::wasm_bindgen;

/// Most lookup tables handed in at once; a transaction has room for fewer.
const MAX_TABLES: usize = 64;
/// Most addresses of a lookup table.
const MAX_TABLE_LEN: usize = 256;

/// A Solana wallet that signs.
#[wasm_bindgen]
pub struct RawSolanaSigner {
    signing: Signing,
    address: Address,
}

impl std::fmt::Debug for RawSolanaSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawSolanaSigner")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[wasm_bindgen]
impl RawSolanaSigner {
    /// The address, in base58.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The 32 bytes of the address.
    #[wasm_bindgen(js_name = publicKey)]
    #[must_use]
    pub fn public_key(&self) -> Uint8Array {
        exposed(self.address.as_bytes())
    }

    /// The path that it was derived by, if it was.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        self.signing.path.clone()
    }

    /// Signs a message: text, a sign-in or an off-chain message, never a transaction.
    ///
    /// # Errors
    /// An `Error` with a `code`; `refused` has the `reasons`.
    #[wasm_bindgen(js_name = signMessage)]
    pub fn sign_message(&self, message: &Uint8Array) -> Result<Uint8Array, Error> {
        thrown(|| {
            let message = bounded(message, MAX_PAYLOAD_BYTES)?;
            let request = Request::Message {
                wallet: &self.address,
                message: &message,
            };
            let signature = self.signing.solana(&request, message.to_vec())?;
            Ok(exposed(signature.as_bytes()))
        })
    }

    /// Signs the message of a transaction and gives the signature alone. `tables` is JSON: what the lookup tables
    /// hold, by address; empty for none.
    ///
    /// # Errors
    /// An `Error` with a `code`; `refused` has the `reasons`.
    #[wasm_bindgen(js_name = signTransaction)]
    pub fn sign_transaction(&self, message: &Uint8Array, tables: &str) -> Result<Uint8Array, Error> {
        thrown(|| {
            let bytes = bounded(message, MAX_PAYLOAD_BYTES)?;
            let signature = self.signed_transaction(&Message::decode(&bytes)?, bytes.to_vec(), tables)?;
            Ok(exposed(signature.as_bytes()))
        })
    }

    /// Signs a transaction in wire bytes and gives them back with the signature in its place; the others stay.
    ///
    /// # Errors
    /// An `Error` with a `code`; `refused` has the `reasons`.
    #[wasm_bindgen(js_name = signTransactionBytes)]
    pub fn sign_transaction_bytes(&self, wire: &Uint8Array, tables: &str) -> Result<Uint8Array, Error> {
        thrown(|| {
            let transaction = Transaction::decode(&bounded(wire, MAX_PAYLOAD_BYTES)?)?;
            let bytes = transaction.message_bytes();
            let signature = self.signed_transaction(&transaction.message, bytes, tables)?;
            Ok(exposed(
                &transaction.with_signature(&self.address, signature)?.encode(),
            ))
        })
    }

    /// What a transaction does and what the authority says about it, as JSON: `bytes` are wire bytes, or those of a
    /// message alone.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn inspect(&self, bytes: &Uint8Array, tables: &str) -> Result<String, Error> {
        thrown(|| {
            let bytes = bounded(bytes, MAX_PAYLOAD_BYTES)?;
            let transaction = Transaction::decode(&bytes).ok();
            let message;
            let message = match &transaction {
                Some(transaction) => &transaction.message,
                None => {
                    message = Message::decode(&bytes)?;
                    &message
                }
            };
            let intent = intent(message, tables)?;
            let request = Request::Transaction {
                wallet: &self.address,
                intent: &intent,
            };
            let mut review = review::transaction(&intent, transaction.as_ref());
            Ok(review::with_verdict(
                &mut review,
                &self.signing.authority,
                &request,
            ))
        })
    }

    /// What a message is and what the authority says about it, as JSON.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    #[wasm_bindgen(js_name = inspectMessage)]
    pub fn inspect_message(&self, message: &Uint8Array) -> Result<String, Error> {
        thrown(|| {
            let message = bounded(message, MAX_PAYLOAD_BYTES)?;
            let request = Request::Message {
                wallet: &self.address,
                message: &message,
            };
            let mut review = review::message(&message);
            Ok(review::with_verdict(
                &mut review,
                &self.signing.authority,
                &request,
            ))
        })
    }

    /// The lookup tables that a transaction refers to, as a JSON list of addresses.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    #[wasm_bindgen(js_name = lookupTables)]
    pub fn lookup_tables(&self, bytes: &Uint8Array) -> Result<String, Error> {
        thrown(|| {
            let bytes = bounded(bytes, MAX_PAYLOAD_BYTES)?;
            let message = match Transaction::decode(&bytes) {
                Ok(transaction) => transaction.message,
                Err(_) => Message::decode(&bytes)?,
            };
            let tables: Vec<String> = message
                .lookups
                .iter()
                .map(|lookup| lookup.table.to_string())
                .collect();
            Ok(list_of_texts(&tables))
        })
    }
}

impl RawSolanaSigner {
    pub(crate) fn new(signing: Signing) -> Result<Self, Failure> {
        let address = *signing.address.as_solana().ok_or(Failure::OtherChain)?;
        Ok(Self { signing, address })
    }

    fn signed_transaction(
        &self,
        message: &Message,
        bytes: Vec<u8>,
        tables: &str,
    ) -> Result<Signature, Failure> {
        message.check()?;
        let intent = intent(message, tables)?;
        let request = Request::Transaction {
            wallet: &self.address,
            intent: &intent,
        };
        self.signing.solana(&request, bytes)
    }
}

/// What a message does, with its lookup tables where the page handed in what they hold. All of them or none: half an
/// answer would be none.
fn intent(message: &Message, tables: &str) -> Result<Intent, Failure> {
    if tables.is_empty() || message.lookups.is_empty() {
        return Ok(Intent::from_message(message));
    }
    let tables = read_tables(tables).ok_or(Failure::LookupTables)?;
    let resolved = message.resolve(|table| tables.get(table).map(Vec::as_slice))?;
    Ok(Intent::from_resolved(&resolved))
}

fn read_tables(json: &str) -> Option<BTreeMap<Address, Vec<Address>>> {
    let written: BTreeMap<String, Vec<String>> = serde_json::from_str(json).ok()?;
    if written.len() > MAX_TABLES {
        return None;
    }
    written
        .into_iter()
        .map(|(table, held)| {
            if held.len() > MAX_TABLE_LEN {
                return None;
            }
            let held = held.iter().map(|address| address.parse().ok());
            Some((table.parse().ok()?, held.collect::<Option<Vec<Address>>>()?))
        })
        .collect()
}
