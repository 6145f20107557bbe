//! Transactions and typed data of EVM chains.
//!
//! The network of both is `eip155:` and the chain id, read from the bytes to be signed: the same transaction on another
//! chain is another intent.

use keyward_core::evm::EvmAddress;
use keyward_core::evm::intent::EvmIntent;
use keyward_core::evm::transaction::Transaction;
use keyward_core::evm::typed_data::TypedData;
use keyward_core::policy::WalletSignature;
use keyward_core::secp256k1::RecoverableSignature;
use sha2::{Digest, Sha256};

use super::WalletPasswords;
use super::subject::{Job, Subject};
use crate::error::SignError;
use crate::store::IntentKind;
use crate::vault::Custody;

/// An EVM transaction to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvmSignRequest {
    /// The unsigned payload: RLP with EIP-155's chain id, or a type byte and RLP (EIP-2718).
    pub transaction: Vec<u8>,
    /// Who signs and pays.
    pub wallet: EvmAddress,
    /// The chain that it is meant for; bytes for another one are refused.
    pub chain_id: u64,
}

/// An EVM transaction, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedEvmTransaction {
    /// The bytes to send.
    pub bytes: Vec<u8>,
    /// Keccak-256 of them, by which the network names it.
    pub hash: [u8; 32],
    /// The signature by itself.
    pub signature: RecoverableSignature,
    /// Who signed.
    pub wallet: EvmAddress,
    /// What the bytes do.
    pub intent: EvmIntent,
}

/// Typed data with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTypedData {
    /// The signature.
    pub signature: RecoverableSignature,
    /// What was signed.
    pub typed_data: TypedData,
}

impl EvmSignRequest {
    pub(super) fn read(&self) -> Result<(Transaction, EvmIntent), SignError> {
        let transaction = Transaction::decode_unsigned(&self.transaction).map_err(SignError::Evm)?;
        if transaction.chain_id != self.chain_id {
            return Err(SignError::WrongChain {
                asked: self.chain_id,
                found: transaction.chain_id,
            });
        }
        let intent = EvmIntent::from_transaction(&transaction, self.wallet);
        Ok((transaction, intent))
    }
}

impl Custody {
    /// Signs an EVM transaction with a wallet of this vault, if policy allows.
    ///
    /// The same bytes asked for again give the same signature again, and spend nothing more.
    ///
    /// # Errors
    /// Every refusal is in the audit log before it is returned; see [`SignError`].
    pub async fn sign_evm_transaction(
        &self,
        request: EvmSignRequest,
        passwords: &WalletPasswords,
    ) -> Result<SignedEvmTransaction, SignError> {
        const KIND: IntentKind = IntentKind::EvmTransaction;
        let wallet = request.wallet;
        let (transaction, intent) = match request.read() {
            Ok(read) => read,
            Err(error) => {
                let sha256 = Sha256::digest(&request.transaction).into();
                return Err(self.refuse(KIND, Some(wallet.into()), sha256, error).await);
            }
        };
        let network = network(intent.chain_id);
        let job = Job {
            signers: vec![wallet.into()],
            invalid: Vec::new(),
            bytes: transaction.encode_unsigned(),
            sha256: intent.payload_sha256,
            details: format!("{}; network {network}", intent.sentences().join("; ")),
            network,
            subject: Subject::EvmTransaction(&intent),
            passwords,
        };
        let signature = recoverable(self.sign_one(job).await?)?;
        let signed = transaction
            .into_signed(signature, &wallet)
            .map_err(|error| SignError::Failed {
                reason: error.to_string(),
            })?;
        Ok(SignedEvmTransaction {
            bytes: signed.encode(),
            hash: signed.hash(),
            signature,
            wallet,
            intent,
        })
    }

    /// Signs typed data (EIP-712) with a wallet of this vault, if policy allows. `document` is the JSON that
    /// `eth_signTypedData_v4` takes, which must name its chain.
    ///
    /// # Errors
    /// Every refusal is in the audit log before it is returned; see [`SignError`].
    pub async fn sign_typed_data(
        &self,
        wallet: &EvmAddress,
        document: &str,
        passwords: &WalletPasswords,
    ) -> Result<SignedTypedData, SignError> {
        const KIND: IntentKind = IntentKind::TypedData;
        let typed_data = match TypedData::from_json(document) {
            Ok(typed_data) => typed_data,
            Err(error) => {
                let (sha256, wallet) = (Sha256::digest(document).into(), Some((*wallet).into()));
                return Err(self
                    .refuse(KIND, wallet, sha256, SignError::TypedData(error))
                    .await);
            }
        };
        let bytes = typed_data.signing_payload();
        let job = Job {
            signers: vec![(*wallet).into()],
            invalid: Vec::new(),
            sha256: Sha256::digest(&bytes).into(),
            bytes,
            network: network(typed_data.domain().chain_id),
            subject: Subject::TypedData(&typed_data),
            passwords,
            details: typed_data_details(&typed_data),
        };
        let signature = recoverable(self.sign_one(job).await?)?;
        Ok(SignedTypedData {
            signature,
            typed_data,
        })
    }
}

/// The network of a chain, after CAIP-2.
fn network(chain_id: u64) -> String {
    format!("eip155:{chain_id}")
}

/// What kind of thing it is, and for whom: its values may be anybody's business or nobody's.
fn typed_data_details(typed_data: &TypedData) -> String {
    let domain = typed_data.domain();
    let mut details = format!("typed data of type {}", typed_data.primary_type());
    if let Some(contract) = domain.verifying_contract {
        details.push_str(&format!(" for contract {contract}"));
    }
    for risk in typed_data.risks() {
        details.push_str(&format!("; DANGER: {risk}"));
    }
    details.push_str(&format!("; network {}", network(domain.chain_id)));
    details
}

fn recoverable(signature: WalletSignature) -> Result<RecoverableSignature, SignError> {
    signature
        .as_secp256k1()
        .copied()
        .ok_or_else(SignError::other_curve)
}
