//! Plain keys written for other programs. Each result is the key itself: whoever reads it can spend.

use alloc::string::String;

use zeroize::Zeroizing;

use crate::ed25519;
use crate::key::WalletKey;

/// The 64 numbers that solana-keygen's files hold, as it writes them: `[1,2,…]` without white space.
#[must_use]
pub fn to_solana_keygen(key: &ed25519::SecretKey) -> Zeroizing<String> {
    // Three digits and a comma each, and two brackets: growing would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(64 * 4 + 2));
    text.push('[');
    for (i, byte) in pair(key).iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        push_decimal(&mut text, *byte);
    }
    text.push(']');
    text
}

/// The 64-byte secret (seed, public key) in base58, as Solana's wallets import it.
#[must_use]
pub fn to_base58(key: &ed25519::SecretKey) -> Zeroizing<String> {
    let mut buffer = Zeroizing::new([0; 90]);
    let len = bs58::encode(pair(key).as_slice())
        .onto(buffer.as_mut_slice())
        .expect("64 bytes are at most 88 characters of base58, and 90 fit");
    let mut text = Zeroizing::new(String::with_capacity(buffer.len()));
    text.extend(buffer.iter().take(len).map(|byte| char::from(*byte)));
    text
}

/// Hexadecimal: of an ed25519 key the 64-byte secret, of a secp256k1 key its 32 bytes after `0x`.
#[must_use]
pub fn to_hex(key: &WalletKey) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(130));
    match key {
        WalletKey::Ed25519(key) => push_hex(&mut text, pair(key).as_slice()),
        WalletKey::Secp256k1(key) => {
            text.push_str("0x");
            push_hex(&mut text, key.expose_bytes());
        }
    }
    text
}

/// The seed, then the public key.
fn pair(key: &ed25519::SecretKey) -> Zeroizing<[u8; 64]> {
    let mut pair = Zeroizing::new([0; 64]);
    let address = key.address();
    let bytes = key.expose_seed().iter().chain(address.as_bytes());
    for (to, from) in pair.iter_mut().zip(bytes) {
        *to = *from;
    }
    pair
}

fn push_decimal(text: &mut String, byte: u8) {
    for (unit, least) in [(100, 100), (10, 10), (1, 0)] {
        if byte >= least {
            text.push(char::from(b'0' + byte / unit % 10));
        }
    }
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0x0f] {
            // By arithmetic and not by a table: its place in memory would depend on the secret.
            let letter = u8::from(nibble > 9) * (b'a' - b'0' - 10);
            text.push(char::from(b'0' + nibble + letter));
        }
    }
}
