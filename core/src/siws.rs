//! Sign-in with Solana: the text that a wallet builds for `solana:signIn`, built and read back.
//!
//! Strict in both directions: what is read gives the same text again, and what is built is read as the same
//! fields. Whether the page that asks is the one named is [`SignIn::check_domain`], and whether it is time is
//! [`SignIn::check_time`]; neither is done by reading. This module has no clock and signs nothing.
//!
//! Specification: the ABNF in <https://github.com/phantom/sign-in-with-solana#abnf-message-format>, fields of
//! `SolanaSignInInput` in <https://github.com/anza-xyz/wallet-standard>, after EIP-4361
//! (<https://eips.ethereum.org/EIPS/eip-4361>). Narrower than the ABNF in two places: an authority has no user
//! information, which only deceives the reader, and a statement may not begin like a field.
//!
//! ```
//! use keyward_core::siws::{SignIn, SignInFields};
//!
//! let address = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk".parse().unwrap();
//! let sign_in = SignIn::new(SignInFields::new("example.com", address))?;
//! sign_in.check_domain("https://example.com")?;
//! assert_eq!(SignIn::parse(&sign_in.to_text())?, sign_in);
//! # Ok::<(), keyward_core::siws::SignInError>(())
//! ```

mod fields;
mod syntax;
mod timestamp;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::address::Address;

pub use fields::{ChainId, Field, SignInFields};
pub use timestamp::{Timestamp, TimestampError};

/// Longest text, in bytes.
pub const MAX_LEN: usize = 8192;
/// Most resources.
pub const MAX_RESOURCES: usize = 64;
/// How far "Issued At" may be from now in either direction: ten minutes, as Phantom checks it.
pub const ISSUED_AT_TOLERANCE_MS: i64 = 10 * 60 * 1000;

const INTRODUCTION: &str = " wants you to sign in with your Solana account:";
const RESOURCES: &str = "Resources:";

/// Why a text is no sign-in, fields make none, or one must not be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// The first line is not the one that the format begins with.
    #[error("the first line does not name a domain that wants a sign-in; this is no sign-in")]
    Introduction,
    /// The text or a list in it is too long.
    #[error("the text is longer than 8192 bytes or has more than 64 resources; shorten it")]
    TooLong,
    /// A field's value is not what the format allows.
    #[error("{field}: the value is not what the format allows; correct it")]
    Invalid {
        /// The field.
        field: Field,
    },
    /// A timestamp is not one.
    #[error("{field}: {error}")]
    Timestamp {
        /// The field.
        field: Field,
        /// What is wrong with it.
        error: TimestampError,
    },
    /// The nonce is too short or has other characters.
    #[error("Nonce: it needs at least 8 letters and digits; make a new random one")]
    Nonce,
    /// A line stands where none may: unknown, repeated, or out of order.
    #[error("line {line} does not belong there; keep the format's fields and their order")]
    UnexpectedLine {
        /// The line, counted from 1.
        line: usize,
    },
    /// The statement begins like a field, so the text could be read in two ways.
    #[error("the statement begins like a field; write it differently")]
    StatementLikeField,
    /// The times contradict each other.
    #[error("the times contradict each other: it expires before it is issued or begins; correct them")]
    TimeOrder,
    /// The sign-in names another address than the one that would sign.
    #[error("the sign-in is for another address; choose the wallet that it names")]
    OtherAddress,
    /// The page that asks is not the domain that the text names.
    #[error(
        "the page that asks is not the domain named in the text; do not sign, this is how phishing looks"
    )]
    OtherDomain,
    /// The URI is on another domain than the one that asks.
    #[error("the URI is on another domain than the one that asks; do not sign, this is how phishing looks")]
    OtherUri,
    /// It has expired.
    #[error("the sign-in has expired; ask the page for a new one")]
    Expired,
    /// It is not valid yet.
    #[error("the sign-in is not valid yet; wait, or check this computer's clock")]
    NotYetValid,
    /// It was issued too long ago or lies in the future.
    #[error("the sign-in was not issued within ten minutes of now; ask for a new one, or check the clock")]
    IssuedAway,
}

/// A well-formed sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    fields: SignInFields,
}

impl SignIn {
    /// Checks every field.
    ///
    /// # Errors
    /// [`SignInError`] for the first field that is not what the format allows.
    pub fn new(fields: SignInFields) -> Result<Self, SignInError> {
        check(&fields)?;
        let sign_in = Self { fields };
        if sign_in.to_text().len() > MAX_LEN {
            return Err(SignInError::TooLong);
        }
        Ok(sign_in)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// [`SignInError`] for the first thing that the format does not allow.
    pub fn parse(text: &str) -> Result<Self, SignInError> {
        if text.len() > MAX_LEN {
            return Err(SignInError::TooLong);
        }
        let mut lines = Lines {
            lines: text.split('\n').collect(),
            next: 0,
        };
        let domain = lines
            .take()
            .and_then(|line| line.strip_suffix(INTRODUCTION))
            .ok_or(SignInError::Introduction)?;
        let address = lines
            .take()
            .and_then(|line| line.parse().ok())
            .ok_or(SignInError::Invalid {
                field: Field::Address,
            })?;
        let mut fields = SignInFields::new(domain, address);
        if !lines.at_end() {
            lines.expect_empty()?;
            let first = lines.peek().unwrap_or_default();
            if syntax::begins_like_field(first) {
                read_fields(&mut lines, &mut fields)?;
            } else {
                lines.take();
                fields.statement = Some(first.into());
                if !lines.at_end() {
                    lines.expect_empty()?;
                    read_fields(&mut lines, &mut fields)?;
                }
            }
        }
        Self::new(fields)
    }

    /// The text that is signed, in UTF-8, without a line end at its end.
    #[must_use]
    pub fn to_text(&self) -> String {
        let fields = &self.fields;
        let mut text = format!("{}{INTRODUCTION}\n{}", fields.domain, fields.address);
        if let Some(statement) = &fields.statement {
            text.push_str("\n\n");
            text.push_str(statement);
        }
        let mut lines: Vec<String> = Field::LABELLED
            .into_iter()
            .filter_map(|field| fields.text_of(field).map(|value| format!("{field}: {value}")))
            .collect();
        if let Some(resources) = &fields.resources {
            lines.push(RESOURCES.into());
            lines.extend(resources.iter().map(|uri| format!("- {uri}")));
        }
        if !lines.is_empty() {
            text.push_str("\n\n");
            text.push_str(&lines.join("\n"));
        }
        text
    }

    /// The fields.
    #[must_use]
    pub const fn fields(&self) -> &SignInFields {
        &self.fields
    }

    /// Checks that the sign-in is for the wallet that would sign.
    ///
    /// # Errors
    /// [`SignInError::OtherAddress`].
    pub fn check_signer(&self, signer: &Address) -> Result<(), SignInError> {
        if self.fields.address == *signer {
            Ok(())
        } else {
            Err(SignInError::OtherAddress)
        }
    }

    /// Checks that the page which asks is the one that the text names. `origin` is the page's origin, like
    /// `https://example.com`, or its host with the port if there is one.
    ///
    /// # Errors
    /// [`SignInError::OtherDomain`]; [`SignInError::OtherUri`] if a web address is given as URI and is on
    /// another domain.
    pub fn check_domain(&self, origin: &str) -> Result<(), SignInError> {
        let host = syntax::authority_of(origin).unwrap_or(origin);
        if !self.fields.domain.eq_ignore_ascii_case(host) {
            return Err(SignInError::OtherDomain);
        }
        match self.fields.uri.as_deref().and_then(syntax::authority_of) {
            Some(authority) if !authority.eq_ignore_ascii_case(host) => Err(SignInError::OtherUri),
            _ => Ok(()),
        }
    }

    /// Checks every time that is given against `now_ms`, milliseconds since 1970 in UTC.
    ///
    /// # Errors
    /// [`SignInError::Expired`] from the expiration on, [`SignInError::NotYetValid`],
    /// [`SignInError::IssuedAway`] beyond [`ISSUED_AT_TOLERANCE_MS`].
    pub fn check_time(&self, now_ms: i64) -> Result<(), SignInError> {
        let fields = &self.fields;
        if matches!(&fields.expiration_time, Some(time) if now_ms >= time.unix_ms()) {
            return Err(SignInError::Expired);
        }
        if matches!(&fields.not_before, Some(time) if now_ms < time.unix_ms()) {
            return Err(SignInError::NotYetValid);
        }
        let tolerance = ISSUED_AT_TOLERANCE_MS.unsigned_abs();
        if matches!(&fields.issued_at, Some(time) if now_ms.abs_diff(time.unix_ms()) > tolerance) {
            return Err(SignInError::IssuedAway);
        }
        Ok(())
    }

    /// Lines for the person who decides: who asks, for what, until when. Every character is printable ASCII.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let fields = &self.fields;
        let mut lines = alloc::vec![
            format!("Sign in to {}", fields.domain),
            format!("as {}", fields.address),
        ];
        if let Some(statement) = &fields.statement {
            lines.push(format!("It says: {statement}"));
        }
        lines.extend(
            Field::LABELLED
                .into_iter()
                .filter_map(|field| fields.text_of(field).map(|value| format!("{field}: {value}"))),
        );
        match fields.resources.as_deref() {
            None | Some([]) => {}
            Some(resources) => {
                lines.push(format!("and it names {} resources:", resources.len()));
                lines.extend(resources.iter().map(|uri| format!("- {uri}")));
            }
        }
        lines
    }
}

/// Whether a text claims to be a sign-in, well-formed or not: such a text must be read as one or refused.
#[must_use]
pub fn resembles(text: &str) -> bool {
    text.lines()
        .any(|line| line.trim_end().ends_with(INTRODUCTION.trim_start()))
}

/// A text's lines with a cursor.
struct Lines<'a> {
    lines: Vec<&'a str>,
    next: usize,
}

impl<'a> Lines<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.lines.get(self.next).copied()
    }

    fn take(&mut self) -> Option<&'a str> {
        let line = self.peek()?;
        self.next += 1;
        Some(line)
    }

    fn at_end(&self) -> bool {
        self.next == self.lines.len()
    }

    /// The next line's number, counted from 1, as an error.
    fn unexpected(&self) -> SignInError {
        SignInError::UnexpectedLine { line: self.next + 1 }
    }

    fn expect_empty(&mut self) -> Result<(), SignInError> {
        if self.peek() == Some("") {
            self.next += 1;
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }
}

/// The lines with labels, at least one, to the end of the text.
fn read_fields(lines: &mut Lines<'_>, fields: &mut SignInFields) -> Result<(), SignInError> {
    let start = lines.next;
    for field in Field::LABELLED {
        if let Some(value) = lines.peek().and_then(|line| field.value(line)) {
            fields.set(field, value)?;
            lines.next += 1;
        }
    }
    if lines.peek() == Some(RESOURCES) {
        lines.next += 1;
        let mut resources = Vec::new();
        while let Some(uri) = lines.peek().and_then(|line| line.strip_prefix("- ")) {
            if resources.len() == MAX_RESOURCES {
                return Err(SignInError::TooLong);
            }
            resources.push(uri.into());
            lines.next += 1;
        }
        fields.resources = Some(resources);
    }
    if lines.next == start || !lines.at_end() {
        return Err(lines.unexpected());
    }
    Ok(())
}

fn check(fields: &SignInFields) -> Result<(), SignInError> {
    let invalid = |field| Err(SignInError::Invalid { field });
    let all = |text: &Option<String>, is: fn(&str) -> bool| text.as_deref().is_none_or(is);
    if !syntax::is_authority(&fields.domain) {
        return invalid(Field::Domain);
    }
    if !all(&fields.statement, syntax::is_statement) {
        return invalid(Field::Statement);
    }
    if matches!(&fields.statement, Some(statement) if syntax::begins_like_field(statement)) {
        return Err(SignInError::StatementLikeField);
    }
    if !all(&fields.uri, syntax::is_uri) {
        return invalid(Field::Uri);
    }
    if !all(&fields.version, |version| version == "1") {
        return invalid(Field::Version);
    }
    if !all(&fields.nonce, syntax::is_nonce) {
        return Err(SignInError::Nonce);
    }
    if !all(&fields.request_id, syntax::is_segment) {
        return invalid(Field::RequestId);
    }
    let resources = fields.resources.as_deref().unwrap_or_default();
    if resources.len() > MAX_RESOURCES {
        return Err(SignInError::TooLong);
    }
    if !resources.iter().all(|uri| syntax::is_uri(uri)) {
        return invalid(Field::Resources);
    }
    if let Some(end) = &fields.expiration_time {
        let begins = [&fields.issued_at, &fields.not_before];
        if begins
            .into_iter()
            .flatten()
            .any(|begin| begin.unix_ms() >= end.unix_ms())
        {
            return Err(SignInError::TimeOrder);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
