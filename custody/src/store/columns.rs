//! What a stored value must look like, the same on both databases: numbers in their range, bytes of their length, texts
//! that parse. It names no database: each store reads its own rows and hands the values here.

use keyward_core::account::AccountAddress;
use keyward_core::address::{Address, Signature};
use keyward_core::amount::{Lamports, TokenUnits};
use keyward_core::path::PathFamily;
use keyward_core::policy::WalletSignature;
use keyward_core::vault::RecordPublicKey;

use crate::error::CustodyError;
use crate::transfer::{NonceUse, TransferAmount};

/// A stored count as the unsigned number that it is.
pub(super) fn unsigned<T: TryFrom<i64>>(column: &'static str, value: i64) -> Result<T, CustodyError> {
    T::try_from(value).map_err(|_| CustodyError::damaged(format!("{column} is out of its range")))
}

/// Stored bytes of a fixed length.
pub(super) fn fixed<const N: usize>(column: &'static str, bytes: Vec<u8>) -> Result<[u8; N], CustodyError> {
    <[u8; N]>::try_from(bytes).map_err(|_| CustodyError::damaged(format!("{column} has the wrong length")))
}

pub(super) fn parse_signature(column: &'static str, text: &str) -> Result<Signature, CustodyError> {
    text.parse()
        .map_err(|_| CustodyError::damaged(format!("{column} is not a signature")))
}

pub(super) fn parse_address(column: &'static str, text: &str) -> Result<Address, CustodyError> {
    text.parse()
        .map_err(|_| CustodyError::damaged(format!("{column} is not an address")))
}

pub(super) fn parse_account(column: &'static str, text: &str) -> Result<AccountAddress, CustodyError> {
    text.parse()
        .map_err(|_| CustodyError::damaged(format!("{column} is not an address")))
}

/// The signature of an intent.
pub(super) fn parse_intent_signature(text: &str) -> Result<WalletSignature, CustodyError> {
    text.parse()
        .map_err(|_| CustodyError::damaged("intents.signature is not a signature"))
}

pub(super) fn parse_family(id: &str) -> Result<PathFamily, CustodyError> {
    PathFamily::from_id(id).map_err(|_| CustodyError::damaged("wallets.path_family is unknown"))
}

/// The public key that a wallet's record is bound to. What of it is a lie does not open.
pub(super) fn record_public_key(
    address: &AccountAddress,
    stored: Option<Vec<u8>>,
) -> Result<RecordPublicKey, CustodyError> {
    match (address, stored) {
        (AccountAddress::Solana(address), None) => Ok(RecordPublicKey::Ed25519(address.to_bytes())),
        (AccountAddress::Evm(_), Some(bytes)) => {
            Ok(RecordPublicKey::Secp256k1(fixed("wallets.public_key", bytes)?))
        }
        _ => Err(CustodyError::damaged("wallets.public_key is not its chain's")),
    }
}

/// What an attempt moves: lamports, or units of the token of a mint.
pub(super) fn transfer_amount(
    units: u64,
    mint: Option<String>,
    decimals: Option<i64>,
) -> Result<TransferAmount, CustodyError> {
    match (mint, decimals) {
        (None, None) => Ok(TransferAmount::Sol(Lamports::new(units))),
        (Some(mint), Some(decimals)) => Ok(TransferAmount::Token {
            mint: parse_address("attempts.mint", &mint)?,
            units: TokenUnits {
                amount: units,
                decimals: unsigned("attempts.decimals", decimals)?,
            },
        }),
        _ => Err(CustodyError::damaged(
            "attempts.mint and attempts.decimals do not go together",
        )),
    }
}

/// What an amount is stored as beside its number: the mint and its decimals.
pub(super) fn token_of(amount: &TransferAmount) -> (Option<String>, Option<i64>) {
    match amount {
        TransferAmount::Sol(_) => (None, None),
        TransferAmount::Token { mint, units } => (Some(mint.to_string()), Some(i64::from(units.decimals))),
    }
}

/// The durable nonce of an attempt.
pub(super) fn nonce_use(
    account: Option<String>,
    value: Option<String>,
) -> Result<Option<NonceUse>, CustodyError> {
    match (account, value) {
        (None, None) => Ok(None),
        (Some(account), Some(value)) => Ok(Some(NonceUse {
            account: parse_address("attempts.nonce_account", &account)?,
            value: value
                .parse()
                .map_err(|_| CustodyError::damaged("attempts.nonce_value is not a nonce"))?,
        })),
        _ => Err(CustodyError::damaged(
            "attempts.nonce_account and attempts.nonce_value do not go together",
        )),
    }
}

/// The sequence that a log ending with `newest` goes on with.
pub(super) fn sequence_after(newest: Option<i64>) -> u64 {
    newest
        .and_then(|newest| u64::try_from(newest).ok())
        .map_or(0, |newest| newest.saturating_add(1))
}

/// The moment before a window: what is later than it lies inside. May be negative for a window longer than time.
pub(super) fn since(now_ms: u64, duration_ms: u64) -> i64 {
    let now = i64::try_from(now_ms).unwrap_or(i64::MAX);
    i64::try_from(duration_ms)
        .ok()
        .and_then(|duration| now.checked_sub(duration))
        .unwrap_or(i64::MIN)
}

/// A LIKE pattern for a piece of text, with LIKE's own signs taken literally.
pub(super) fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// The longest piece of a database's own text that goes into an error.
const MAX_DETAIL_CHARS: usize = 200;

/// The beginning of a text of unknown length.
pub(super) fn bounded(text: &str) -> String {
    text.chars()
        .take(MAX_DETAIL_CHARS)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
