//! `keyward inspect`: what a transaction or message says, before anybody signs it. No vault is read.
//!
//! What the input is, is found by reading it as everything that it could be; strict decoders leave one reading or none.
//! The sentences are those that policy and the console go by. Nothing is contacted, unless lookup tables are to be
//! resolved with the node that this command names.

mod evm;
mod message;
mod solana;

use keyward_core::evm::EvmAddress;
use keyward_core::evm::transaction::{Decoded, Transaction as EvmTransaction};
use keyward_core::evm::typed_data::TypedData;
use keyward_core::offchain::{self, SignableMessage};
use keyward_core::solana::{Message, Transaction, parses_as_transaction};

use super::context::Context;
use crate::exit::Failure;
use crate::output::Report;
use crate::secret_input::Source;
use crate::spelling::{looks_secret, one_word, spellings};

/// The longest EVM transaction in hexadecimal digits, with room for white space.
const MAX_INPUT_BYTES: usize = 300_000;

/// Show what a transaction or message says; no vault is involved
///
/// Reads Solana transactions and messages, EVM transactions, EIP-712 typed data, Solana's off-chain messages, sign-in
/// texts and plain text; binary ones as raw bytes, base64, base58 or hex.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward inspect unsigned.b64
  keyward inspect - --json < typed-data.json
  keyward inspect transaction.b64 --rpc http://127.0.0.1:8899
  keyward inspect raw.hex --as evm-transaction --from 0x9858EfFD232B4033E47d90003D41EC34EcaEda94")]
pub(crate) struct Args {
    /// A file, or standard input for `-`
    #[arg(value_name = "FILE|-")]
    file: Source,
    /// What it is, where that is not to be found by looking
    #[arg(long = "as", value_enum, value_name = "KIND")]
    kind: Option<Kind>,
    /// Who would sign an EVM transaction that nobody has signed yet
    #[arg(long, value_name = "ADDRESS")]
    from: Option<EvmAddress>,
}

/// What an input can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    SolanaTransaction,
    SolanaMessage,
    EvmTransaction,
    TypedData,
    OffchainMessage,
    SignIn,
    Text,
}

impl Kind {
    const fn id(self) -> &'static str {
        match self {
            Self::SolanaTransaction => "solana-transaction",
            Self::SolanaMessage => "solana-message",
            Self::EvmTransaction => "evm-transaction",
            Self::TypedData => "typed-data",
            Self::OffchainMessage => "offchain-message",
            Self::SignIn => "sign-in",
            Self::Text => "text",
        }
    }
}

/// An input that was read completely.
enum Read {
    SolanaTransaction(Transaction),
    SolanaMessage(Message),
    Evm(Decoded),
    TypedData(TypedData),
    Message(SignableMessage),
}

impl Read {
    const fn kind(&self) -> Kind {
        match self {
            Self::SolanaTransaction(_) => Kind::SolanaTransaction,
            Self::SolanaMessage(_) => Kind::SolanaMessage,
            Self::Evm(_) => Kind::EvmTransaction,
            Self::TypedData(_) => Kind::TypedData,
            Self::Message(SignableMessage::OffChain(_)) => Kind::OffchainMessage,
            Self::Message(SignableMessage::SignIn(_)) => Kind::SignIn,
            Self::Message(SignableMessage::Text(_) | SignableMessage::Binary) => Kind::Text,
        }
    }
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let input = args.file.read_all("input", MAX_INPUT_BYTES)?;
    match read(&input, args.kind)? {
        Read::SolanaTransaction(transaction) => {
            solana::report(context, &transaction.message, Some(&transaction)).await
        }
        Read::SolanaMessage(message) => solana::report(context, &message, None).await,
        Read::Evm(decoded) => Ok(evm::transaction(&decoded, args.from)),
        Read::TypedData(data) => Ok(evm::typed_data(&data)),
        Read::Message(message) => message::report(&message),
    }
}

/// Reads the input as whatever it is.
fn read(input: &[u8], kind: Option<Kind>) -> Result<Read, Failure> {
    let wanted = |read: &Read| kind.is_none_or(|kind| read.kind() == kind);
    let mut found: Vec<Read> = Vec::new();
    for bytes in spellings(input) {
        for read in readings(&bytes).into_iter().filter(wanted) {
            // The same thing may be spelled in two ways that agree; two different kinds may not stand side by side.
            if found.iter().all(|other| other.kind() != read.kind()) {
                found.push(read);
            }
        }
    }
    if found.is_empty() {
        // A text is printed as it is, and a key is a text too.
        if looks_secret(input) {
            return Err(Failure::invalid(
                "looks_secret",
                "this looks like a key or a phrase, so nothing of it is shown",
                "give the transaction or message; `keyward import` takes in keys and phrases",
            ));
        }
        found.extend(as_text(input).filter(wanted));
    }
    match found.len() {
        0 => Err(undecodable(input, kind)),
        1 => found.pop().ok_or_else(|| undecodable(input, kind)),
        _ => {
            let kinds: Vec<String> = found
                .iter()
                .map(|read| format!("--as {}", read.kind().id()))
                .collect();
            Err(Failure::invalid(
                "input_ambiguous",
                "the input can be read in more than one way",
                format!("give {}", kinds.join(" or ")),
            ))
        }
    }
}

/// Everything but text that exactly these bytes are.
fn readings(bytes: &[u8]) -> Vec<Read> {
    let mut readings = Vec::new();
    readings.extend(Transaction::decode(bytes).ok().map(Read::SolanaTransaction));
    readings.extend(Message::decode(bytes).ok().map(Read::SolanaMessage));
    readings.extend(EvmTransaction::decode_any(bytes).ok().map(Read::Evm));
    if bytes.starts_with(offchain::SIGNING_DOMAIN) {
        readings.extend(offchain::read(bytes).ok().map(Read::Message));
    }
    if let Ok(document) = std::str::from_utf8(bytes) {
        readings.extend(TypedData::from_json(document.trim()).ok().map(Read::TypedData));
    }
    readings
}

/// The input as a sign-in or a text; JSON that was meant to be typed data is neither.
fn as_text(input: &[u8]) -> Option<Read> {
    if input.iter().all(u8::is_ascii_whitespace)
        || looks_like_typed_data(input)
        || one_word(input).is_some_and(|word| word.len() > LONGEST_WORD)
    {
        return None;
    }
    match offchain::read(input) {
        Ok(message @ (SignableMessage::SignIn(_) | SignableMessage::Text(_))) => Some(Read::Message(message)),
        // A sign-in that ends with a newline, as editors write it, is one all the same; it would be signed without it.
        _ => {
            let trimmed = input.strip_suffix(b"\n")?;
            match offchain::read(trimmed) {
                Ok(message @ SignableMessage::SignIn(_)) => Some(Read::Message(message)),
                _ => None,
            }
        }
    }
}

/// No word of a language is as long as the shortest transaction's encoding.
const LONGEST_WORD: usize = 60;

fn looks_like_typed_data(input: &[u8]) -> bool {
    std::str::from_utf8(input)
        .is_ok_and(|text| text.trim_start().starts_with('{') && text.contains("\"primaryType\""))
}

/// Says why the likeliest reading fails.
fn undecodable(input: &[u8], kind: Option<Kind>) -> Failure {
    let failure = |reasons: Vec<(&str, String)>| {
        let failure = Failure::invalid(
            "undecodable",
            match kind {
                Some(kind) => format!("this is no {}", kind.id()),
                None => "this is nothing that can be shown".to_owned(),
            },
            "check that all of it was copied, and nothing else",
        );
        reasons.into_iter().fold(failure, |failure, (code, message)| {
            failure.with_reason(code, message)
        })
    };
    if input.iter().all(u8::is_ascii_whitespace) {
        return failure(vec![("empty", "there is nothing".to_owned())]);
    }
    if kind == Some(Kind::TypedData) || (kind.is_none() && looks_like_typed_data(input)) {
        let reason = match std::str::from_utf8(input).map(|text| TypedData::from_json(text.trim())) {
            Ok(Err(error)) => error.to_string(),
            _ => "it is not UTF-8".to_owned(),
        };
        return failure(vec![("typed-data", reason)]);
    }
    let spellings = spellings(input);
    let likeliest = spellings
        .iter()
        .find(|bytes| parses_as_transaction(bytes) && spellings.len() > 1)
        .or_else(|| spellings.get(1))
        .or_else(|| spellings.first());
    let bytes = likeliest.map(|bytes| bytes.as_slice()).unwrap_or_default();
    let mut reasons = Vec::new();
    let is = |wanted: Kind| kind.is_none_or(|kind| kind == wanted);
    if bytes.starts_with(offchain::SIGNING_DOMAIN) || kind == Some(Kind::OffchainMessage) {
        if let Err(error) = offchain::read(bytes) {
            reasons.push((Kind::OffchainMessage.id(), error.to_string()));
        }
        return failure(reasons);
    }
    if is(Kind::SolanaTransaction)
        && let Err(error) = Transaction::decode(bytes)
    {
        reasons.push((Kind::SolanaTransaction.id(), error.to_string()));
    }
    if is(Kind::SolanaMessage)
        && let Err(error) = Message::decode(bytes)
    {
        reasons.push((Kind::SolanaMessage.id(), error.to_string()));
    }
    if is(Kind::EvmTransaction)
        && let Err(error) = EvmTransaction::decode_any(bytes)
    {
        reasons.push((Kind::EvmTransaction.id(), error.to_string()));
    }
    if matches!(kind, Some(Kind::SignIn | Kind::Text))
        && let Err(error) = offchain::read(input)
    {
        reasons.push((Kind::SignIn.id(), error.to_string()));
    }
    failure(reasons)
}

/// Lines for a person, the sentences under the facts.
fn with_sentences(facts: String, sentences: &[String]) -> String {
    let mut text = facts;
    text.push('\n');
    for sentence in sentences {
        text.push_str(&format!("- {}\n", crate::output::printable(sentence)));
    }
    text
}
