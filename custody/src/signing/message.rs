//! Messages outside any transaction, of wallets of either chain.
//!
//! What the bytes are is read from them: an off-chain message names who may sign it, and a sign-in whom it is for. A
//! sign-in is signed only by [`Custody::sign_in`], which is told the page that asks: without that nobody would notice a
//! page that asks in another's name.

use keyward_core::account::AccountAddress;
use keyward_core::address::{Address, Signature};
use keyward_core::evm::personal;
use keyward_core::offchain::{self, MessageRefusal, OffChainMessage, SignableMessage};
use keyward_core::policy::WalletSignature;
use keyward_core::policy::text::MAX_MESSAGE_BYTES;
use keyward_core::siws::{self, SignIn};
use sha2::{Digest, Sha256};

use super::WalletPasswords;
use super::subject::{Job, OFF_CHAIN, Subject};
use crate::error::{CustodyError, SignError};
use crate::store::IntentKind;
use crate::vault::Custody;

/// A message that may come before policy.
pub(super) enum Message<'a> {
    /// A text, or bytes that policy will refuse.
    Text(&'a [u8]),
    OffChain(Box<OffChainMessage>, &'a [u8]),
    /// A text of an EVM wallet, EIP-191.
    Personal(&'a [u8]),
}

impl<'a> Message<'a> {
    /// Reads what a wallet is asked to sign.
    pub(super) fn read(wallet: &AccountAddress, bytes: &'a [u8]) -> Result<Self, (IntentKind, SignError)> {
        let kind = match wallet {
            AccountAddress::Solana(_) => IntentKind::Message,
            AccountAddress::Evm(_) => IntentKind::EvmMessage,
        };
        if bytes.len() > MAX_MESSAGE_BYTES {
            let error = CustodyError::invalid("message", format!("at most {MAX_MESSAGE_BYTES} bytes"));
            return Err((kind, error.into()));
        }
        let AccountAddress::Solana(wallet) = wallet else {
            return match personal::check(bytes) {
                Err(personal::PersonalError::LooksLikeTransaction) => {
                    Err((kind, SignError::LooksLikeTransaction))
                }
                _ => Ok(Self::Personal(bytes)),
            };
        };
        match offchain::read(bytes) {
            Err(MessageRefusal::Transaction) => Err((kind, SignError::LooksLikeTransaction)),
            Ok(SignableMessage::SignIn(_)) => Err((IntentKind::SignIn, SignError::SignInUnchecked)),
            // Some pages take a sign-in in this wrapper, since hardware wallets sign nothing else.
            Ok(SignableMessage::OffChain(message)) if siws::resembles(message.text()) => {
                Err((IntentKind::OffChainMessage, SignError::SignInUnchecked))
            }
            Ok(SignableMessage::OffChain(message)) if message.may_be_signed_by(wallet) => {
                Ok(Self::OffChain(Box::new(message), bytes))
            }
            Ok(SignableMessage::OffChain(_)) => Err((
                IntentKind::OffChainMessage,
                SignError::NotInvited { wallet: *wallet },
            )),
            // What else is wrong with it policy says, with its own reason.
            _ => Ok(Self::Text(bytes)),
        }
    }

    /// The bytes that are signed, before an EVM wallet hashes them.
    pub(super) fn payload(&self) -> Vec<u8> {
        match self {
            Self::Text(bytes) | Self::OffChain(_, bytes) => bytes.to_vec(),
            Self::Personal(bytes) => personal::signing_payload(bytes),
        }
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        match self {
            Self::Text(bytes) => Subject::Text(bytes),
            Self::OffChain(_, bytes) => Subject::OffChain(bytes),
            Self::Personal(bytes) => Subject::EvmMessage(bytes),
        }
    }

    /// For the audit log. The text itself may be anybody's business or nobody's: its hash is the subject.
    fn details(&self) -> String {
        match self {
            Self::Text(bytes) => format!("a text of {} bytes", bytes.len()),
            Self::OffChain(message, _) => {
                format!(
                    "an off-chain message with a text of {} bytes",
                    message.text().len()
                )
            }
            Self::Personal(bytes) => format!("a personal message of {} bytes", bytes.len()),
        }
    }
}

/// Holds a sign-in to its signer and the page that asks. Its times are held against the clock with the decision.
pub(super) fn check_sign_in(sign_in: &SignIn, origin: &str) -> Result<(), SignError> {
    sign_in.check_domain(origin).map_err(SignError::SignIn)
}

impl Custody {
    /// Signs a message with one wallet, if policy allows: a text as it is, or an off-chain message, with a wallet of
    /// Solana; a text as EIP-191 has it (`personal_sign`) with a wallet of the Ethereum family.
    ///
    /// # Errors
    /// Every refusal is in the audit log before it is returned; see [`SignError`]. A sign-in is refused with
    /// [`SignError::SignInUnchecked`]: see [`Self::sign_in`].
    pub async fn sign_message(
        &self,
        wallet: impl Into<AccountAddress>,
        message: &[u8],
    ) -> Result<WalletSignature, SignError> {
        self.sign_message_with(wallet, message, &WalletPasswords::none())
            .await
    }

    /// As [`Self::sign_message`], with the wallet's own password.
    ///
    /// # Errors
    /// As [`Self::sign_transaction_with`].
    pub async fn sign_message_with(
        &self,
        wallet: impl Into<AccountAddress>,
        message: &[u8],
        passwords: &WalletPasswords,
    ) -> Result<WalletSignature, SignError> {
        let wallet = wallet.into();
        let read = match Message::read(&wallet, message) {
            Ok(read) => read,
            Err((kind, error)) => {
                let sha256 = Sha256::digest(message).into();
                return Err(self.refuse(kind, Some(wallet), sha256, error).await);
            }
        };
        let bytes = read.payload();
        let job = Job {
            signers: vec![wallet],
            invalid: Vec::new(),
            sha256: Sha256::digest(&bytes).into(),
            bytes,
            network: OFF_CHAIN.to_owned(),
            subject: read.subject(),
            passwords,
            details: read.details(),
        };
        self.sign_one(job).await
    }

    /// Signs in with the wallet that the sign-in names, if policy allows. `origin` is the page that asks, as whoever
    /// carries its request knows it (`https://example.com`), not as the page says.
    ///
    /// # Errors
    /// Every refusal is in the audit log before it is returned; see [`SignError`]. [`SignError::SignIn`] when the page
    /// is another one, or it is not the time.
    pub async fn sign_in(
        &self,
        sign_in: &SignIn,
        origin: &str,
        passwords: &WalletPasswords,
    ) -> Result<Signature, SignError> {
        let wallet: Address = sign_in.fields().address;
        let text = sign_in.to_text().into_bytes();
        let sha256 = Sha256::digest(&text).into();
        if let Err(error) = check_sign_in(sign_in, origin) {
            return Err(self
                .refuse(IntentKind::SignIn, Some(wallet.into()), sha256, error)
                .await);
        }
        let job = Job {
            signers: vec![wallet.into()],
            invalid: Vec::new(),
            bytes: text.clone(),
            sha256,
            network: OFF_CHAIN.to_owned(),
            subject: Subject::SignIn(sign_in, &text),
            passwords,
            details: format!("a sign-in to {}", sign_in.fields().domain),
        };
        let signature = self.sign_one(job).await?;
        signature.as_ed25519().copied().ok_or_else(SignError::other_curve)
    }
}
