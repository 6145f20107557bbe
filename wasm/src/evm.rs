//! The class behind `EvmSigner`.

use js_sys::{Error, Uint8Array};
use keyward_core::evm::EvmAddress;
use keyward_core::evm::intent::EvmIntent;
use keyward_core::evm::personal;
use keyward_core::evm::transaction::Transaction;
use keyward_core::evm::typed_data::TypedData;
use keyward_core::policy::Request;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::bytes::{MAX_PAYLOAD_BYTES, bounded, exposed};
use crate::failure::{Failure, needs, thrown};
use crate::json::Object;
use crate::review;
use crate::signing::Signing;

/// An EVM wallet that signs.
#[wasm_bindgen]
pub struct RawEvmSigner {
    signing: Signing,
    address: EvmAddress,
    public_key: [u8; 33],
}

impl std::fmt::Debug for RawEvmSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawEvmSigner")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[wasm_bindgen]
impl RawEvmSigner {
    /// The address, with the checksum of EIP-55.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The public key, compressed (SEC 1): 33 bytes.
    #[wasm_bindgen(js_name = publicKey)]
    #[must_use]
    pub fn public_key(&self) -> Uint8Array {
        exposed(&self.public_key)
    }

    /// The path that it was derived by, if it was.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        self.signing.path.clone()
    }

    /// Signs a personal message (EIP-191) and gives r, s and v (27 or 28), 65 bytes.
    ///
    /// # Errors
    /// An `Error` with a `code`; `refused` has the `reasons`.
    #[wasm_bindgen(js_name = signMessage)]
    pub fn sign_message(&self, message: &Uint8Array) -> Result<Uint8Array, Error> {
        thrown(|| {
            needs!("evm");
            let message = bounded(message, MAX_PAYLOAD_BYTES)?;
            let request = Request::EvmMessage {
                wallet: &self.address,
                message: &message,
            };
            let signature = self.signing.evm(&request, personal::signing_payload(&message))?;
            Ok(exposed(&signature.to_bytes()))
        })
    }

    /// Signs typed data (EIP-712), given as the JSON of `eth_signTypedData_v4`; gives r, s and v, 65 bytes.
    ///
    /// # Errors
    /// An `Error` with a `code`; `refused` has the `reasons`.
    #[wasm_bindgen(js_name = signTypedData)]
    pub fn sign_typed_data(&self, document: &str) -> Result<Uint8Array, Error> {
        thrown(|| {
            needs!("evm");
            let typed_data = TypedData::from_json(document)?;
            let request = Request::TypedData {
                wallet: &self.address,
                typed_data: &typed_data,
            };
            let signature = self.signing.evm(&request, typed_data.signing_payload())?;
            Ok(exposed(&signature.to_bytes()))
        })
    }

    /// Signs a transaction, given as the bytes that are hashed, and gives it signed, ready to be sent.
    ///
    /// # Errors
    /// An `Error` with a `code`; `refused` has the `reasons`.
    #[wasm_bindgen(js_name = signTransaction)]
    pub fn sign_transaction(&self, payload: &Uint8Array) -> Result<Uint8Array, Error> {
        thrown(|| {
            needs!("evm");
            let payload = bounded(payload, MAX_PAYLOAD_BYTES)?;
            let transaction = Transaction::decode_unsigned(&payload)?;
            transaction.check()?;
            let intent = EvmIntent::from_transaction(&transaction, self.address);
            let request = Request::EvmTransaction {
                wallet: &self.address,
                intent: &intent,
            };
            let signature = self.signing.evm(&request, payload.to_vec())?;
            Ok(exposed(
                &transaction.into_signed(signature, &self.address)?.encode(),
            ))
        })
    }

    /// What a transaction does and what the authority says about it, as JSON.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    pub fn inspect(&self, payload: &Uint8Array) -> Result<String, Error> {
        thrown(|| {
            needs!("evm");
            let payload = bounded(payload, MAX_PAYLOAD_BYTES)?;
            let transaction = Transaction::decode_unsigned(&payload)?;
            let intent = EvmIntent::from_transaction(&transaction, self.address);
            let request = Request::EvmTransaction {
                wallet: &self.address,
                intent: &intent,
            };
            let to = transaction.to.map(|to| to.to_string());
            let mut review = Object::of_kind("evm-transaction");
            review
                .shown("chainId", &intent.chain_id)
                .shown("nonce", &intent.nonce)
                .text_or_null("to", to.as_deref())
                .shown("valueWei", &intent.value)
                .shown("maxFeeWei", &intent.max_fee)
                .texts("sentences", &intent.sentences());
            Ok(review::with_verdict(
                &mut review,
                &self.signing.authority,
                &request,
            ))
        })
    }

    /// What a personal message says and what the authority says about it, as JSON.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    #[wasm_bindgen(js_name = inspectMessage)]
    pub fn inspect_message(&self, message: &Uint8Array) -> Result<String, Error> {
        thrown(|| {
            needs!("evm");
            let message = bounded(message, MAX_PAYLOAD_BYTES)?;
            let request = Request::EvmMessage {
                wallet: &self.address,
                message: &message,
            };
            let mut review = review::personal_message(&message);
            Ok(review::with_verdict(
                &mut review,
                &self.signing.authority,
                &request,
            ))
        })
    }

    /// What typed data says and what the authority says about it, as JSON.
    ///
    /// # Errors
    /// An `Error` with a `code`.
    #[wasm_bindgen(js_name = inspectTypedData)]
    pub fn inspect_typed_data(&self, document: &str) -> Result<String, Error> {
        thrown(|| {
            needs!("evm");
            let typed_data = TypedData::from_json(document)?;
            let request = Request::TypedData {
                wallet: &self.address,
                typed_data: &typed_data,
            };
            let risks: Vec<String> = typed_data.risks().iter().map(ToString::to_string).collect();
            let mut review = Object::of_kind("typed-data");
            review
                .shown("chainId", &typed_data.domain().chain_id)
                .text("primaryType", typed_data.primary_type())
                .texts("sentences", &typed_data.sentences())
                .texts("risks", &risks);
            Ok(review::with_verdict(
                &mut review,
                &self.signing.authority,
                &request,
            ))
        })
    }
}

impl RawEvmSigner {
    pub(crate) fn new(signing: Signing) -> Result<Self, Failure> {
        let address = *signing.address.as_evm().ok_or(Failure::OtherChain)?;
        let public_key = signing.evm_public_key()?;
        Ok(Self {
            signing,
            address,
            public_key,
        })
    }
}
