//! Vault passwords: held in wiped memory, judged for strength before a vault is made with them.
//!
//! It does not derive keys (that is the core's key slots) and never reads a password from anywhere.

use std::fmt;

use zeroize::Zeroizing;

/// The fewest characters a new password may have.
pub const MIN_PASSWORD_CHARS: usize = 12;

/// The longest password looked at, in bytes: a bound on the work of the strength estimate and of key derivation.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// The lowest zxcvbn score, of 0 to 4, that a new password may have.
const MIN_SCORE: u8 = 3;

/// How much of a password the strength estimate reads: its work grows faster than the length, and 100 characters
/// that score 3 do not become weak by what follows them.
const ESTIMATED_CHARS: usize = 100;

/// A vault password. Wiped when dropped, never printed.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes over a password as typed. It is not judged here: an existing vault may hold any.
    #[must_use]
    pub fn new(password: String) -> Self {
        Self(Zeroizing::new(password))
    }

    /// A copy, for work on another thread.
    pub(crate) fn copy(other: &Self) -> Self {
        Self(Zeroizing::new(other.0.to_string()))
    }

    /// The UTF-8 bytes that go into key derivation.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Judges whether a new vault may use this password: at least 12 characters, and an estimate of at least
    /// 10^8 guesses.
    ///
    /// # Errors
    /// The reason it is too weak, in words that do not quote the password.
    pub fn check_strength(&self) -> Result<(), PasswordError> {
        if self.0.len() > MAX_PASSWORD_BYTES {
            return Err(PasswordError::TooLong);
        }
        let found = self.0.chars().count();
        if found < MIN_PASSWORD_CHARS {
            return Err(PasswordError::TooShort { found });
        }
        let head: Zeroizing<String> = Zeroizing::new(self.0.chars().take(ESTIMATED_CHARS).collect());
        let estimate = zxcvbn::zxcvbn(&head, &["keyward", "solana", "wallet"]);
        if u8::from(estimate.score()) >= MIN_SCORE {
            return Ok(());
        }
        // zxcvbn's warnings and suggestions are fixed sentences: they name the kind of weakness only.
        let reason = estimate
            .feedback()
            .and_then(|feedback| feedback.warning().map(|warning| warning.to_string()))
            .unwrap_or_else(|| "it would be guessed too soon".to_owned());
        Err(PasswordError::Guessable {
            reason: reason.trim_end_matches('.').to_owned(),
        })
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(<redacted>)")
    }
}

/// Why a password is too weak for a new vault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Fewer than [`MIN_PASSWORD_CHARS`] characters.
    #[error("the password has {found} characters, and at least {MIN_PASSWORD_CHARS} are needed")]
    TooShort {
        /// How many it has.
        found: usize,
    },
    /// More than [`MAX_PASSWORD_BYTES`] bytes.
    #[error("the password is longer than {MAX_PASSWORD_BYTES} bytes")]
    TooLong,
    /// The estimate of guesses is too low.
    #[error("the password is too easy to guess: {reason}")]
    Guessable {
        /// The kind of weakness, without quoting the password.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn weak_passwords_are_refused_with_a_reason_that_does_not_quote_them() {
        for weak in [
            "",
            "short",
            "elevenchars",
            "password1234",
            "aaaaaaaaaaaaaaaa",
            "qwertyuiop12",
            "keywardwallet",
        ] {
            let error = Password::new(weak.to_owned()).check_strength().unwrap_err();
            assert!(weak.is_empty() || !error.to_string().contains(weak), "{error}");
        }
    }

    #[test]
    fn strong_passwords_are_accepted() {
        for strong in [
            "correct horse battery staple",
            "tidal-Wicker-9041-omen",
            "žluťoučký kůň úpěl ďábelské",
        ] {
            Password::new(strong.to_owned()).check_strength().unwrap();
        }
    }

    #[test]
    fn very_long_passwords_are_bounded() {
        let long = "tidal wicker omen ".repeat(50);
        Password::new(long.clone()).check_strength().unwrap();
        assert_eq!(
            Password::new(long.repeat(2)).check_strength(),
            Err(PasswordError::TooLong)
        );
    }

    #[test]
    fn debug_is_redacted() {
        assert_eq!(
            format!("{:?}", Password::new("tidal-Wicker-9041".to_owned())),
            "Password(<redacted>)"
        );
    }
}
