//! Addresses, signatures and blockhashes: the fixed-size byte strings that Solana shows in base58.
//!
//! This module checks shape only. It does not say whether an address holds an account, and an address
//! off the curve (a program-derived one) is as valid here as any other: see [`Address::is_on_curve`].
//!
//! Encoding: the Bitcoin base58 alphabet without checksum, as in
//! <https://solana.com/docs/references/terminology>.

use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use curve25519_dalek::edwards::CompressedEdwardsY;
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// Why a base58 text is no address, signature or blockhash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// There is no text at all.
    #[error("nothing was given; paste the whole base58 text")]
    Empty,
    /// The text holds a character outside the base58 alphabet.
    #[error(
        "character {position} is not base58 (0, O, I, l and punctuation are never used); paste the text again"
    )]
    Character {
        /// Position of the character, counted from 1.
        position: usize,
    },
    /// The text decodes to another number of bytes.
    #[error("it must stand for {expected} bytes and is too {}; paste the whole text", if *.too_long { "long" } else { "short" })]
    Length {
        /// How many bytes are needed.
        expected: usize,
        /// Whether the text is too long rather than too short.
        too_long: bool,
    },
}

/// Decodes exactly `N` bytes; the length is bounded before the quadratic base58 work begins.
fn decode_base58<const N: usize>(text: &str) -> Result<[u8; N], AddressError> {
    // 138/100 is a little over log(256)/log(58): the most characters that N bytes can need.
    let longest = N * 138 / 100 + 1;
    if text.is_empty() {
        return Err(AddressError::Empty);
    }
    if let Some(position) = text.chars().position(|c| !is_base58(c)) {
        return Err(AddressError::Character {
            position: position + 1,
        });
    }
    let wrong_length = |too_long| AddressError::Length {
        expected: N,
        too_long,
    };
    if text.len() > longest {
        return Err(wrong_length(true));
    }
    let mut bytes = [0_u8; N];
    match bs58::decode(text).onto(&mut bytes) {
        Ok(len) if len == N => Ok(bytes),
        Ok(_) => Err(wrong_length(false)),
        Err(_) => Err(wrong_length(true)),
    }
}

fn is_base58(c: char) -> bool {
    c.is_ascii_alphanumeric() && !matches!(c, '0' | 'O' | 'I' | 'l')
}

struct Base58Visitor(&'static str);

impl Visitor<'_> for Base58Visitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in base58", self.0)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.into())
    }
}

macro_rules! base58_bytes {
    ($(#[$doc:meta])* $name:ident, $len:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            #[doc = concat!("Length in bytes: ", stringify!($len), ".")]
            pub const LEN: usize = $len;

            /// Wraps the bytes as they are.
            #[must_use]
            pub const fn new(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// The bytes, by value.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; $len] {
                self.0
            }

            /// First eight and last six characters with an ellipsis between, for narrow columns.
            ///
            /// # Security
            /// Look-alike addresses with the same ends are cheap to make: show the whole text wherever
            /// somebody decides on it.
            #[must_use]
            pub fn abbreviated(&self) -> String {
                let full = bs58::encode(&self.0).into_string();
                match (full.get(..8), full.len().checked_sub(6).and_then(|at| full.get(at..))) {
                    (Some(head), Some(tail)) if full.len() > 15 => alloc::format!("{head}…{tail}"),
                    _ => full,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&bs58::encode(&self.0).into_string())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self)
            }
        }

        impl FromStr for $name {
            type Err = AddressError;

            fn from_str(text: &str) -> Result<Self, AddressError> {
                decode_base58(text).map(Self)
            }
        }

        impl From<[u8; $len]> for $name {
            fn from(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = AddressError;

            fn try_from(bytes: &[u8]) -> Result<Self, AddressError> {
                bytes.try_into().map(Self).map_err(|_| AddressError::Length {
                    expected: $len,
                    too_long: bytes.len() > $len,
                })
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = deserializer.deserialize_str(Base58Visitor($what))?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

base58_bytes! {
    /// A Solana address: 32 bytes, an ed25519 public key or a program-derived address.
    Address, 32, "an address"
}

base58_bytes! {
    /// An ed25519 signature: 64 bytes. The default is the all-zero placeholder of an unsigned transaction.
    Signature, 64, "a signature"
}

base58_bytes! {
    /// The recent blockhash that limits a transaction's life (or a durable nonce's value): 32 bytes.
    Blockhash, 32, "a blockhash"
}

impl Address {
    /// Whether the bytes are a point of the curve, so that a secret key may exist for them.
    /// Addresses off the curve belong to programs.
    #[must_use]
    pub fn is_on_curve(&self) -> bool {
        CompressedEdwardsY(self.0).decompress().is_some()
    }
}

impl Signature {
    /// Whether this is the all-zero placeholder of a signature that is still missing.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }
}

impl Default for Signature {
    fn default() -> Self {
        Self([0; 64])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use alloc::format;
    use alloc::string::ToString;

    use proptest::prelude::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    const KNOWN: &str = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk";

    #[test]
    fn shows_and_parses_base58() {
        let address: Address = KNOWN.parse().unwrap();
        assert_eq!(address.to_string(), KNOWN);
        assert_eq!(address.abbreviated(), "HAgk14Jp…3DKpqk");
        assert_eq!(format!("{address:?}"), format!("Address({KNOWN})"));
        assert!(address.is_on_curve());
        let system = Address::new([0; 32]);
        assert_eq!(system.to_string(), "11111111111111111111111111111111");
        assert_eq!("1".repeat(32).parse(), Ok(system));
        assert!(Signature::default().is_default());
        assert_eq!(Signature::default().to_string(), "1".repeat(64));
    }

    #[test]
    fn refuses_what_is_no_address() {
        let length = |too_long| AddressError::Length {
            expected: 32,
            too_long,
        };
        let character = |position| AddressError::Character { position };
        let long = "z".repeat(44);
        let huge = "z".repeat(100_000);
        let cases: [(&str, AddressError); 12] = [
            ("", AddressError::Empty),
            ("HAgk", length(false)),
            (&KNOWN[2..], length(false)),
            ("1111111111111111111111111111111", length(false)),
            ("111111111111111111111111111111111", length(true)),
            (&long, length(true)),
            (&huge, length(true)),
            (" HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk", character(1)),
            ("HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk\n", character(45)),
            ("HAgk14JpMQLgt0rVgv7cBQFJWFto5Dqxi472uT3DKpqk", character(14)),
            ("HAgké4JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk", character(5)),
            ("lAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk", character(1)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Address>(), Err(expected), "{text}");
        }
        assert!(format!("{KNOWN}{KNOWN}").parse::<Address>().is_err());
        assert!(KNOWN.parse::<Signature>().is_err());
        assert_eq!(Address::try_from(&[0_u8; 31][..]), Err(length(false)), "31 bytes");
    }

    #[test]
    fn error_texts_name_cause_and_remedy() {
        assert_eq!(
            length_text(false),
            "it must stand for 32 bytes and is too short; paste the whole text"
        );
        assert_eq!(
            length_text(true),
            "it must stand for 32 bytes and is too long; paste the whole text"
        );
    }

    fn length_text(too_long: bool) -> String {
        AddressError::Length {
            expected: 32,
            too_long,
        }
        .to_string()
    }

    proptest! {
        #[test]
        fn round_trips(address in any::<[u8; 32]>(), low in any::<[u8; 32]>(), high in any::<[u8; 32]>()) {
            let address = Address::new(address);
            prop_assert_eq!(address.to_string().parse(), Ok(address));
            let json = serde_json::to_string(&address).unwrap();
            prop_assert_eq!(serde_json::from_str::<Address>(&json).unwrap(), address);
            let mut bytes = [0; 64];
            bytes[..32].copy_from_slice(&low);
            bytes[32..].copy_from_slice(&high);
            let signature = Signature::new(bytes);
            prop_assert_eq!(signature.to_string().parse(), Ok(signature));
        }

        #[test]
        fn accepts_one_spelling_only(text in "[1-9A-HJ-NP-Za-km-z]{30,46}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string(), text);
            }
        }
    }
}
