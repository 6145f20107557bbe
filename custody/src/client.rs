//! Where requests come from, for the audit log.
//!
//! The log keeps neither text but its HMAC-SHA-256 under a key derived from the vault key
//! ([`keyward_core::audit::client_hash`]): it tells whether two entries came from the same client, and not from which.
//! It identifies and proves nothing by itself: both texts are what the process says of its own surroundings.

use std::fmt;

/// The most bytes of an address or a fingerprint that are looked at; the rest is left out.
const MAX_TEXT_BYTES: usize = 1_024;

/// A client as it is told apart from others. Never printed: an address is personal data, and the log exists to keep
/// only its keyed hash.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    address: String,
    fingerprint: String,
}

impl ClientIdentity {
    /// A client at this address (an IP address, or any word such as `local`), which else looks like this (for example
    /// machine, user and terminal in one text). Of each, the first 1,024 bytes count.
    #[must_use]
    pub fn new(address: &str, fingerprint: &str) -> Self {
        Self {
            address: beginning(address).to_owned(),
            fingerprint: beginning(fingerprint).to_owned(),
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(<redacted>)")
    }
}

/// At most [`MAX_TEXT_BYTES`] of a text, cut at a character.
fn beginning(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT_BYTES))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_neither_text() {
        let client = ClientIdentity::new("192.0.2.7", "till|1000|pts/0");
        assert_eq!(format!("{client:?}"), "ClientIdentity(<redacted>)");
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let long = format!("{}é{}", "x".repeat(MAX_TEXT_BYTES - 1), "y".repeat(50));
        let client = ClientIdentity::new(&long, &long);
        assert_eq!(client.address().len(), MAX_TEXT_BYTES - 1);
        assert_eq!(client.fingerprint(), client.address());
    }
}
