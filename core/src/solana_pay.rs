//! Payment requests as links, `solana:<recipient>?amount=…`, as QR codes carry them.
//!
//! Transfer requests only. A link that asks a server for a transaction is refused: it would mean going
//! to an address that a stranger chose. Parameters that this release does not know are ignored, as the
//! specification wants; none of them changes who is paid how much.
//!
//! Specification: <https://docs.solanapay.com/spec>.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::address::{Address, AddressError};
use crate::amount::{AmountError, Lamports, format_units_short, parse_units};

/// The most bytes of a link.
const MAX_LINK_BYTES: usize = 4_096;
/// The most references of a link.
const MAX_REFERENCES: usize = 16;
const SCHEME: &str = "solana:";

/// A request to be paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRequest {
    /// Who is paid: a wallet's own address, also when tokens are asked for.
    pub recipient: Address,
    /// How much SOL; absent when the payer decides, or when tokens are asked for.
    pub amount: Option<Lamports>,
    /// The token asked for instead of SOL.
    pub spl_token: Option<Address>,
    /// How many tokens, as a decimal number of whole tokens; the token's decimals are not known here.
    pub token_amount: Option<String>,
    /// Accounts to add to the transfer, by which the payee finds it.
    pub references: Vec<Address>,
    /// Who asks. Written by a stranger: show it as such.
    pub label: Option<String>,
    /// What for. Written by a stranger: show it as such.
    pub message: Option<String>,
    /// A memo to add to the transaction.
    pub memo: Option<String>,
}

/// Why a text is no payment request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayError {
    /// It does not begin with `solana:`.
    #[error("a payment link begins with 'solana:'; paste the whole link")]
    Scheme,
    /// It asks a server for a transaction.
    #[error("this link asks a server for a transaction, which is not followed; ask the payee for an address")]
    TransactionRequest,
    /// It is too long.
    #[error("the link is longer than any payment link is; paste the link alone")]
    TooLong,
    /// The recipient is no address.
    #[error("the recipient is wrong: {0}")]
    Recipient(AddressError),
    /// The amount is no amount.
    #[error("the amount is wrong: {0}")]
    Amount(AmountError),
    /// The token is no address.
    #[error("the token is wrong: {0}")]
    Token(AddressError),
    /// A reference is no address.
    #[error("a reference is wrong: {0}")]
    Reference(AddressError),
    /// Too many references.
    #[error("there are more than 16 references; ask the payee for a shorter link")]
    TooManyReferences,
    /// A parameter is given twice, so the link means two things.
    #[error("'{0}' is given twice; ask the payee for a link that means one thing")]
    Twice(&'static str),
    /// A percent sign without two hexadecimal digits, or bytes that are no text.
    #[error("'{0}' is not encoded as links are; ask the payee for a new link")]
    Encoding(&'static str),
}

impl PaymentRequest {
    /// A request for any amount of SOL.
    #[must_use]
    pub const fn to(recipient: Address) -> Self {
        Self {
            recipient,
            amount: None,
            spl_token: None,
            token_amount: None,
            references: Vec::new(),
            label: None,
            message: None,
            memo: None,
        }
    }

    /// Reads a link. Blanks around it are ignored.
    ///
    /// # Errors
    /// See [`PayError`].
    pub fn parse(text: &str) -> Result<Self, PayError> {
        let text = text.trim();
        if text.len() > MAX_LINK_BYTES {
            return Err(PayError::TooLong);
        }
        let rest = match text.split_at_checked(SCHEME.len()) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SCHEME) => rest,
            _ => return Err(PayError::Scheme),
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        if path.contains([':', '/', '%']) {
            return Err(PayError::TransactionRequest);
        }
        let recipient = path.parse().map_err(PayError::Recipient)?;
        let mut fields = Fields::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.set(key, value)?;
        }
        fields.into_request(recipient)
    }

    /// The link for a QR code. Reading it gives the same request.
    #[must_use]
    pub fn to_uri(&self) -> String {
        let mut uri = alloc::format!("{SCHEME}{}", self.recipient);
        let mut separator = '?';
        let mut push = |key: &str, value: &str| {
            uri.push(separator);
            separator = '&';
            uri.push_str(key);
            uri.push('=');
            push_encoded(&mut uri, value);
        };
        match (self.amount, &self.token_amount) {
            (_, Some(tokens)) => push("amount", tokens),
            (Some(amount), None) => {
                let plain = format_units_short(amount.get(), 9).replace(',', "");
                push("amount", &plain);
            }
            (None, None) => {}
        }
        if let Some(mint) = &self.spl_token {
            push("spl-token", &mint.to_string());
        }
        for reference in &self.references {
            push("reference", &reference.to_string());
        }
        let texts = [
            ("label", &self.label),
            ("message", &self.message),
            ("memo", &self.memo),
        ];
        for (key, text) in texts {
            if let Some(text) = text {
                push(key, text);
            }
        }
        uri
    }
}

impl fmt::Display for PaymentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_uri())
    }
}

#[derive(Default)]
struct Fields {
    amount: Option<String>,
    spl_token: Option<String>,
    label: Option<String>,
    message: Option<String>,
    memo: Option<String>,
    references: Vec<Address>,
}

impl Fields {
    fn set(&mut self, key: &str, value: &str) -> Result<(), PayError> {
        let (name, field) = match key {
            "amount" => ("amount", &mut self.amount),
            "spl-token" => ("spl-token", &mut self.spl_token),
            "label" => ("label", &mut self.label),
            "message" => ("message", &mut self.message),
            "memo" => ("memo", &mut self.memo),
            "reference" => {
                if self.references.len() == MAX_REFERENCES {
                    return Err(PayError::TooManyReferences);
                }
                let reference = value.parse().map_err(PayError::Reference)?;
                self.references.push(reference);
                return Ok(());
            }
            _ => return Ok(()),
        };
        if field.is_some() {
            return Err(PayError::Twice(name));
        }
        *field = Some(decode_percent(value).ok_or(PayError::Encoding(name))?);
        Ok(())
    }

    fn into_request(self, recipient: Address) -> Result<PaymentRequest, PayError> {
        let spl_token = match &self.spl_token {
            Some(mint) => Some(mint.parse().map_err(PayError::Token)?),
            None => None,
        };
        let (mut amount, mut token_amount) = (None, None);
        if let Some(text) = self.amount {
            // Amounts of tokens are held to the form of a number alone.
            let decimals = if spl_token.is_some() { u8::MAX } else { 9 };
            match parse_units(&text, decimals) {
                Err(AmountError::Overflow) if spl_token.is_some() => {
                    token_amount = Some(text.trim().to_string())
                }
                Err(error) => return Err(PayError::Amount(error)),
                Ok(_) if spl_token.is_some() => token_amount = Some(text.trim().to_string()),
                Ok(lamports) => amount = Some(Lamports::new(lamports)),
            }
        }
        Ok(PaymentRequest {
            recipient,
            amount,
            spl_token,
            token_amount,
            references: self.references,
            label: self.label,
            message: self.message,
            memo: self.memo,
        })
    }
}

/// Decodes `%41`; a plus sign is a plus sign, as in links that are no forms.
fn decode_percent(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>()?;
        let mut decoded = [0_u8];
        hex::decode_to_slice(digits, &mut decoded).ok()?;
        bytes.extend_from_slice(&decoded);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

fn push_encoded(uri: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&alloc::format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests;
