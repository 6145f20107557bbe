//! What bytes that somebody wants to look at may stand for, and whether they are a secret by mistake.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use keyward_core::keyfile::{self, Detected, Format};
use keyward_core::mnemonic::{Mnemonic, MnemonicError};
use zeroize::Zeroizing;

/// The longest word read as base58, in characters: the largest Solana transaction has fewer than 5,600, and the time
/// that base58 takes grows with the square of the length.
const MAX_BASE58_CHARS: usize = 6_000;

/// The input itself and what its characters may stand for.
pub(crate) fn spellings(input: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut spellings = vec![input.to_vec()];
    if let Some(word) = one_word(input) {
        spellings.extend(hex::decode(word.strip_prefix("0x").unwrap_or(word)).ok());
        spellings.extend(BASE64.decode(word).ok());
        if word.len() <= MAX_BASE58_CHARS {
            spellings.extend(bs58::decode(word).into_vec().ok());
        }
    }
    spellings.into_iter().map(Zeroizing::new).collect()
}

/// The input without white space around it, if it is one word of ASCII.
pub(crate) fn one_word(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input)
        .ok()
        .map(str::trim)
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// Whether it is a key in any format of key files, or a phrase with at most its checksum wrong.
///
/// It errs on the side of silence: 32 bytes in hex or base58 may be a hash or an address, and count as a key. Any text of
/// words begins like a phrase, and a text may begin with a bracket as a key's array does; neither is taken for one.
pub(crate) fn looks_secret(input: &[u8]) -> bool {
    match keyfile::detect(input).map(Detected::format) {
        Ok(Format::Phrase) => std::str::from_utf8(input).is_ok_and(|text| {
            !matches!(
                Mnemonic::parse(text),
                Err(MnemonicError::WordCount { .. } | MnemonicError::UnknownWord { .. })
            )
        }),
        Ok(Format::SolanaKeygen) => input
            .iter()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace() || b"[],".contains(byte)),
        Ok(_) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn base58_is_read_up_to_a_length() {
        let word = |len: usize| "z".repeat(len).into_bytes();
        // As it is and base58, and base64 where the length allows it.
        assert_eq!(spellings(&word(MAX_BASE58_CHARS)).len(), 3);
        assert_eq!(spellings(&word(MAX_BASE58_CHARS + 4)).len(), 2);
        assert_eq!(spellings(&word(MAX_BASE58_CHARS + 1)).len(), 1);
    }

    #[test]
    fn secrets_are_told_from_texts() {
        let phrase =
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
        let array = format!("[{}]", vec!["7"; 64].join(", "));
        for secret in [
            phrase,
            &phrase.replace("about", "zoo"),
            &"07".repeat(32),
            &format!("0x{}\n", "07".repeat(32)),
            &bs58::encode([7; 64]).into_string(),
            &array,
        ] {
            assert!(looks_secret(secret.as_bytes()), "{secret}");
        }
        for text in ["hello", "I own this wallet", "[sign in] 5 SOL", "", "{\"a\": 1}"] {
            assert!(!looks_secret(text.as_bytes()), "{text}");
        }
    }
}
