//! Why bytes are no transaction or message that Keyward signs.

/// Why bytes were not decoded. Offsets count bytes from 0, within the bytes that were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// There are no bytes.
    #[error("there are no bytes; give the whole transaction")]
    Empty,
    /// The bytes end before what they announce.
    #[error("the bytes end at offset {offset}, before what they announce; copy the whole transaction")]
    Truncated {
        /// Where the missing bytes should begin.
        offset: usize,
    },
    /// Bytes follow the end.
    #[error(
        "{count} bytes follow the end at offset {offset}; remove them, nothing may hide behind what is shown"
    )]
    TrailingBytes {
        /// Where the surplus begins.
        offset: usize,
        /// How many bytes there are too many.
        count: usize,
    },
    /// A length is not written in its only shortest form, or is above 65,535.
    #[error(
        "the length at offset {offset} is not written in its shortest form; encode the transaction with a current library"
    )]
    NonCanonical {
        /// Where the length begins.
        offset: usize,
    },
    /// The message's version is not one that Keyward decodes.
    #[error(
        "the message has version {0}, which this release does not decode; build it as legacy, version 0 or version 1"
    )]
    UnsupportedVersion(u8),
    /// The first byte marks an off-chain message.
    #[error("this is an off-chain message, not a transaction; sign it as a message")]
    OffChainMessage,
    /// There are more bytes than the network takes.
    #[error("it has {found} bytes and the network takes at most {limit}; split it")]
    TooLong {
        /// How many bytes were given.
        found: usize,
        /// The most bytes allowed.
        limit: usize,
    },
    /// An instruction refers to an account that the message does not list.
    #[error("instruction {instruction} refers to account {index} of {count}; build the transaction again")]
    BadIndex {
        /// Which instruction, counted from 1.
        instruction: usize,
        /// The index, counted from 0.
        index: u8,
        /// How many accounts may be referred to there.
        count: usize,
    },
    /// An instruction names the fee payer as its program.
    #[error("instruction {instruction} names the fee payer as its program; build the transaction again")]
    FeePayerAsProgram {
        /// Which instruction, counted from 1.
        instruction: usize,
    },
    /// The header's counts contradict each other or the accounts.
    #[error(
        "the header's counts of signers and read-only accounts do not fit the accounts; build the transaction again"
    )]
    BadHeader,
    /// An account is listed twice.
    #[error("accounts {first} and {second} are the same; list each account once")]
    DuplicateAccount {
        /// Where it is first listed, counted from 0.
        first: usize,
        /// Where it is listed again.
        second: usize,
    },
    /// A lookup table is referred to without naming an account in it.
    #[error("lookup table {table} is referred to without an account; leave it out")]
    EmptyLookup {
        /// Which table, counted from 1.
        table: usize,
    },
    /// More accounts than an index can name, or than version 1 allows.
    #[error("it refers to {found} accounts and {limit} are the most; split it")]
    TooManyAccounts {
        /// How many accounts there are, those of the lookup tables included.
        found: usize,
        /// The most allowed: 256, and 64 in version 1.
        limit: usize,
    },
    /// More required signers than version 1 allows.
    #[error("it requires {found} signatures and {limit} are the most; split it")]
    TooManySigners {
        /// How many there are.
        found: usize,
        /// The most allowed.
        limit: usize,
    },
    /// More instructions than version 1 allows.
    #[error("it has {found} instructions and {limit} are the most; split it")]
    TooManyInstructions {
        /// How many there are.
        found: usize,
        /// The most allowed.
        limit: usize,
    },
    /// An instruction of version 1 has more than 255 accounts or 65,535 bytes of data.
    #[error("instruction {instruction} has more accounts or data than can be written; split it")]
    LongInstruction {
        /// Which instruction, counted from 1.
        instruction: usize,
    },
    /// Only version 0 has lookup tables.
    #[error("only version 0 may refer to lookup tables; build it as version 0, or list the accounts")]
    LookupsNotAllowed,
    /// A version 1 message has settings that are not known, or half of one.
    #[error("the settings mask {mask:#x} of the message is not understood; build it with a current library")]
    BadConfigMask {
        /// The mask.
        mask: u32,
    },
    /// A version 1 message asks for a heap that the network does not give.
    #[error("it asks for {bytes} bytes of heap; ask for a multiple of 1024 from 32768 to 262144")]
    BadHeapSize {
        /// The bytes asked for.
        bytes: u32,
    },
    /// There are more or fewer signatures than required signers.
    #[error(
        "there are {found} signatures (or places for them) and {required} required signers; there must be one place for each"
    )]
    SignatureCount {
        /// How many there are.
        found: usize,
        /// How many the message requires.
        required: usize,
    },
}
