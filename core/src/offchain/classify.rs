//! What bytes handed over for signing are, before anybody is asked.

use alloc::boxed::Box;
use alloc::string::String;

use super::{OffChainError, OffChainMessage, SIGNING_DOMAIN};
use crate::siws::{self, SignIn, SignInError};
use crate::solana::parses_as_transaction;

/// What kind of message bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// A well-formed off-chain message.
    OffChain,
    /// A well-formed sign-in with Solana.
    SignIn,
    /// Any other UTF-8 text without control characters but tab and line ends.
    Text,
    /// Bytes that could be read as a transaction, alone or as the text of a wrapper. Never to be signed.
    Transaction,
    /// Anything else: there is nothing to show but bytes.
    Binary,
}

/// A message that may be shown to somebody who decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignableMessage {
    /// An off-chain message.
    OffChain(OffChainMessage),
    /// A sign-in; its domain and times are still to be checked, see [`SignIn::check_domain`] and
    /// [`SignIn::check_time`].
    SignIn(Box<SignIn>),
    /// Plain text.
    Text(String),
    /// Bytes without a meaning known here.
    Binary,
}

/// Why bytes are not to be signed as a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageRefusal {
    /// There is nothing to sign.
    #[error("the message is empty; give one")]
    Empty,
    /// The bytes could be read as a transaction.
    #[error(
        "the message can be read as a transaction, which could move money; sign it as one, after decoding"
    )]
    Transaction,
    /// The bytes claim to be an off-chain message and are none.
    #[error("the bytes claim to be an off-chain message and are not well-formed: {0}")]
    OffChain(#[source] OffChainError),
    /// The text claims to be a sign-in and is none.
    #[error("the text claims to be a sign-in and is not well-formed: {0}")]
    SignIn(#[source] SignInError),
}

/// The kind of `bytes`. Malformed off-chain messages are [`MessageKind::Binary`], malformed sign-ins
/// [`MessageKind::Text`]; [`read`] refuses both with the reason.
#[must_use]
pub fn classify(bytes: &[u8]) -> MessageKind {
    match read(bytes) {
        Ok(SignableMessage::OffChain(_)) => MessageKind::OffChain,
        Ok(SignableMessage::SignIn(_)) => MessageKind::SignIn,
        Ok(SignableMessage::Text(_)) | Err(MessageRefusal::SignIn(_)) => MessageKind::Text,
        Err(MessageRefusal::Transaction) => MessageKind::Transaction,
        Ok(SignableMessage::Binary) | Err(MessageRefusal::Empty | MessageRefusal::OffChain(_)) => {
            MessageKind::Binary
        }
    }
}

/// Reads bytes that somebody wants signed as a message.
///
/// # Errors
/// [`MessageRefusal`].
pub fn read(bytes: &[u8]) -> Result<SignableMessage, MessageRefusal> {
    if bytes.is_empty() {
        return Err(MessageRefusal::Empty);
    }
    if parses_as_transaction(bytes) {
        return Err(MessageRefusal::Transaction);
    }
    if bytes.starts_with(SIGNING_DOMAIN) {
        return match OffChainMessage::decode(bytes) {
            Ok(message) => Ok(SignableMessage::OffChain(message)),
            Err(OffChainError::LooksLikeTransaction) => Err(MessageRefusal::Transaction),
            Err(error) => Err(MessageRefusal::OffChain(error)),
        };
    }
    let Ok(text) = core::str::from_utf8(bytes) else {
        return Ok(SignableMessage::Binary);
    };
    if siws::resembles(text) {
        return SignIn::parse(text)
            .map(|sign_in| SignableMessage::SignIn(Box::new(sign_in)))
            .map_err(MessageRefusal::SignIn);
    }
    let is_ascii_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    if !bytes.iter().all(is_ascii_text)
        && text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
    {
        return Ok(SignableMessage::Binary);
    }
    Ok(SignableMessage::Text(text.into()))
}
