//! Why a key file was refused.

use super::Format;
use crate::account::{AccountAddress, Chain};
use crate::mnemonic::MnemonicError;

/// Why bytes were not read as a key, or a key not written. Names the cause and the remedy, never any of the secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyfileError {
    /// Nothing, or nothing but white space.
    #[error("the file is empty; choose the file that holds the key")]
    Empty,
    /// More bytes than any key file has.
    #[error(
        "{found} bytes are more than a key file has (at most {limit}); choose the file that holds the key"
    )]
    TooLarge {
        /// How many bytes there are.
        found: usize,
        /// How many are read.
        limit: usize,
    },
    /// No known format looks like this.
    #[error(
        "this is no known key format; give a solana-keygen file, base58, hex, 32 or 64 raw bytes, a phrase, a .wallet file or an Ethereum keystore"
    )]
    Unknown,
    /// The bytes are not in the format that the caller named.
    #[error("this is not {0}; name the right format or let it be detected")]
    NotThisFormat(Format),
    /// Keyward's own vault file, which is opened and not imported.
    #[error("this is a Keyward vault file; restore it as a vault instead of importing it as a key")]
    KeywardVault,
    /// 32 bytes that may be a key of either curve.
    #[error("{format} of 32 bytes may be a key for solana or for evm; say which chain it is for")]
    EitherCurve {
        /// What was found.
        format: Format,
    },
    /// 32 bytes in base58, which may be public.
    #[error("base58 of 32 bytes may be a seed or a mere address; if it is a seed, say that it is for solana")]
    SeedOrAddress,
    /// The caller said what the bytes are, and they cannot be that.
    #[error("{format} as found here is not for {chain}; leave the chain out, or name the other")]
    WrongChain {
        /// What was found.
        format: Format,
        /// What the caller said.
        chain: Chain,
    },
    /// A key of a length that none has.
    #[error("a key in {format} has {expected} bytes and this has {found}; copy all of it and nothing more")]
    Length {
        /// What was found.
        format: Format,
        /// The lengths that are read.
        expected: &'static str,
        /// How many there are; of a number array that is too long, one more than is read.
        found: usize,
    },
    /// A character that the encoding does not have.
    #[error("character {position} does not belong to {format}; copy the key again")]
    Character {
        /// What was found.
        format: Format,
        /// Position of the character, counted from 1.
        position: usize,
    },
    /// A number of an array is above 255.
    #[error("number {position} of the array is above 255; each stands for one byte, so export the key again")]
    NumberTooLarge {
        /// Position of the number, counted from 1.
        position: usize,
    },
    /// An array holds something else than whole numbers.
    #[error("the array holds something else than whole numbers from 0 to 255; export the key again")]
    NotNumbers,
    /// The public half of a 64-byte secret is not the secret's own.
    #[error(
        "the public half of the 64 bytes does not belong to the secret half; one of them is damaged, so export the key again"
    )]
    PublicKeyMismatch,
    /// All bytes are zero, which no program has made as a key.
    #[error("the key is all zeros; choose the file that holds a real key")]
    ZeroKey,
    /// Zero, or not below the curve's order.
    #[error("these 32 bytes are no secp256k1 key; copy the key again")]
    NotASecp256k1Key,
    /// The phrase was refused.
    #[error(transparent)]
    Phrase(#[from] MnemonicError),
    /// Not JSON, or JSON beyond what a key file needs.
    #[error("the JSON is malformed at byte {offset}; export the file again")]
    Json {
        /// Where, counted from 0 within the object that is being read.
        offset: usize,
    },
    /// Something follows the end.
    #[error("something follows the end of the JSON at byte {offset}; remove it")]
    Trailing {
        /// Where it begins, counted from 0.
        offset: usize,
    },
    /// An object has the same field twice, so that programs may differ in what they read.
    #[error("a field appears twice in one object, at byte {offset}; remove the wrong one")]
    DuplicateField {
        /// Where the second one begins, counted from 0 within the object.
        offset: usize,
    },
    /// A needed field is absent.
    #[error("the field {field} is missing; export the file again")]
    MissingField {
        /// The field's name.
        field: &'static str,
    },
    /// A field has a value of the wrong kind.
    #[error("the field {field} is not {expected}; export the file again")]
    FieldType {
        /// The field's name.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A field holds the wrong number of bytes.
    #[error("the field {field} has {found} bytes instead of {expected}; export the file again")]
    FieldLength {
        /// The field's name.
        field: &'static str,
        /// The lengths that are read.
        expected: &'static str,
        /// How many there are.
        found: usize,
    },
    /// A version that this code does not read.
    #[error(
        "keystore version {found} is not read, only version 3; export the key again with a current program"
    )]
    Version {
        /// The version that the file names.
        found: u64,
    },
    /// A cipher, key derivation or hash that this code does not read.
    #[error("the {what} of this file is not supported; use {supported}")]
    Unsupported {
        /// Which part: `cipher`, `kdf`, `prf`.
        what: &'static str,
        /// What is read.
        supported: &'static str,
    },
    /// Key stretching dearer than the limits, or of no valid shape; nothing was computed.
    #[error(
        "the key stretching ({what}) is out of bounds; a hostile file could exhaust this machine, so export the key with ordinary parameters"
    )]
    Kdf {
        /// Which parameter.
        what: &'static str,
    },
    /// The format is encrypted and no password was given.
    #[error("{0} is encrypted; give its password")]
    PasswordNeeded(Format),
    /// Wrong password, or damaged data: the two cannot be told apart.
    #[error("the password is wrong or the file is damaged; check both")]
    Refused,
    /// The keystore names another address than its key has.
    #[error(
        "the file says that it holds {stated} but its key belongs to {found}; do not use it before you know why"
    )]
    AddressMismatch {
        /// The address in the file.
        stated: AccountAddress,
        /// The key's own address.
        found: AccountAddress,
    },
}
