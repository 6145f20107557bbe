//! Work that shows what a transaction or message does before anybody signs it. It signs nothing and keeps nothing.

use std::fmt;

use futures_util::FutureExt;
use keyward_core::address::Address;
use keyward_core::evm::EvmAddress;
use keyward_core::evm::intent::{EvmIntent, chain_name};
use keyward_core::evm::transaction::{Decoded, Transaction as EvmTransaction};
use keyward_core::evm::typed_data::TypedData;
use keyward_core::intent::{Action, Intent};
use keyward_core::offchain::{self, SignableMessage};
use keyward_core::solana::{Message, MessageVersion, SignatureState, Transaction};
use zeroize::Zeroizing;

use super::vault::blocking;
use super::{Services, files};
use crate::console::effect::Failure;
use crate::console::text::printable;
use crate::spelling::{looks_secret, one_word, spellings};

/// The longest EVM transaction in hexadecimal digits, with room for white space.
const MAX_INPUT_BYTES: usize = 300_000;
/// No word of a language is as long as the shortest transaction's encoding.
const LONGEST_WORD: usize = 100;

/// What to look at.
pub enum InspectWork {
    /// A text that was typed or pasted. It may be a key by mistake.
    Text(Zeroizing<String>),
    /// A file.
    File(String),
}

impl fmt::Debug for InspectWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InspectWork(<redacted>)")
    }
}

/// What came of it.
#[derive(Debug)]
pub enum InspectAnswer {
    /// What it does.
    Read(Result<Inspected, Failure>),
}

/// What a transaction or message does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspected {
    /// What it is.
    pub kind: &'static str,
    /// Names and values.
    pub facts: Vec<(&'static str, String)>,
    /// What a person must know before signing it.
    pub dangers: Vec<String>,
    /// What it does, in words.
    pub sentences: Vec<String>,
}

pub(super) async fn perform(services: &Services, work: InspectWork) -> InspectAnswer {
    InspectAnswer::Read(inspect(services, work).boxed().await)
}

async fn inspect(services: &Services, work: InspectWork) -> Result<Inspected, Failure> {
    let found = blocking(move || {
        let input = match work {
            InspectWork::Text(text) => Zeroizing::new(text.trim().as_bytes().to_vec()),
            InspectWork::File(path) => files::read(&path, MAX_INPUT_BYTES)?,
        };
        read(&input)
    })
    .await?;
    match found {
        Read::Solana(message, transaction) => {
            let (intent, lookups) = resolved(services, &message).await?;
            Ok(solana(&message, transaction.as_deref(), &intent, lookups))
        }
        Read::Done(inspected) => Ok(inspected),
    }
}

/// A reading; Solana's may need the node for its lookup tables.
enum Read {
    Solana(Box<Message>, Option<Box<Transaction>>),
    Done(Inspected),
}

/// Strict decoders leave one reading or none.
fn read(input: &[u8]) -> Result<Read, Failure> {
    for bytes in spellings(input) {
        if let Ok(transaction) = Transaction::decode(&bytes) {
            let message = Box::new(transaction.message.clone());
            return Ok(Read::Solana(message, Some(Box::new(transaction))));
        }
        if let Ok(message) = Message::decode(&bytes) {
            return Ok(Read::Solana(Box::new(message), None));
        }
        if let Ok(decoded) = EvmTransaction::decode_any(&bytes) {
            return Ok(Read::Done(evm(&decoded)));
        }
        if bytes.starts_with(offchain::SIGNING_DOMAIN) {
            let found = offchain::read(&bytes)
                .map_err(|error| Failure::new(error.to_string(), "do not sign what cannot be read"))?;
            return message(&found).map(Read::Done);
        }
    }
    // A text is shown as it is, and a key is a text too.
    if looks_secret(input) {
        return Err(Failure::new(
            "this looks like a key or a phrase, so nothing of it is shown",
            "i in the list of wallets imports it",
        ));
    }
    if let Ok(document) = std::str::from_utf8(input)
        && document.trim_start().starts_with('{')
    {
        return match TypedData::from_json(document.trim()) {
            Ok(data) => Ok(Read::Done(typed_data(&data))),
            Err(error) => Err(Failure::new(
                format!("this is no typed data: {error}"),
                "copy all of the JSON",
            )),
        };
    }
    let nothing = || {
        Failure::new(
            "this is nothing that can be shown: no transaction, message, typed data or text",
            "check that all of it was copied, and nothing else",
        )
    };
    if input.is_empty() || one_word(input).is_some_and(|word| word.len() > LONGEST_WORD) {
        return Err(nothing());
    }
    let found = offchain::read(input).map_err(|_| nothing())?;
    message(&found).map(Read::Done)
}

/// What the message does, with its lookup tables where a node is chosen.
async fn resolved(services: &Services, message: &Message) -> Result<(Intent, String), Failure> {
    let count = message.lookups.len();
    if count == 0 {
        return Ok((Intent::from_message(message), "none".into()));
    }
    let Ok(node) = services.node() else {
        let words = format!("{count}, not resolved: choose a node in the settings (4)");
        return Ok((Intent::from_message(message), words));
    };
    let wanted: Vec<Address> = message.lookups.iter().map(|lookup| lookup.table).collect();
    match node.lookup_tables(&wanted).await {
        Ok(tables) => match message.resolve(|table| tables.contents(table)) {
            Ok(resolved) => Ok((Intent::from_resolved(&resolved), format!("{count}, resolved"))),
            Err(error) => Ok((
                Intent::from_message(message),
                format!("{count}, not resolved: {error}"),
            )),
        },
        Err(error) => Ok((
            Intent::from_message(message),
            format!("{count}, not resolved: {error}"),
        )),
    }
}

fn solana(
    message: &Message,
    transaction: Option<&Transaction>,
    intent: &Intent,
    lookups: String,
) -> Inspected {
    let version = match message.version {
        MessageVersion::Legacy => "legacy",
        MessageVersion::V0 => "0",
        MessageVersion::V1(_) => "1",
    };
    let mut facts = vec![
        ("version", version.to_owned()),
        ("fee payer", intent.fee_payer.to_string()),
    ];
    match transaction {
        Some(transaction) => facts.extend(transaction.verify_signatures().into_iter().map(
            |(signer, state)| {
                let state = match state {
                    SignatureState::Missing => "has not signed",
                    SignatureState::Valid => "✓ signed",
                    SignatureState::Invalid => "! signature wrong",
                };
                ("signer", format!("{signer}  {state}"))
            },
        )),
        None => {
            let signer = |signer: &Address| ("signer", signer.to_string());
            facts.extend(message.required_signers().iter().map(signer));
        }
    }
    facts.push(("lookup tables", lookups));
    let mut dangers = Vec::new();
    for action in &intent.actions {
        match action {
            Action::Decoded {
                instruction,
                dangers: found,
                ..
            } => dangers.extend(found.iter().map(|danger| format!("{instruction}: {danger}"))),
            Action::Unknown { program, .. } => {
                dangers.push(format!("what the program {program} does with it is not known"));
            }
            _ => {}
        }
    }
    if intent.durable_nonce.is_some() {
        dangers.push("it does not expire: once signed it can be sent at any time".into());
    }
    if intent.unresolved_lookups > 0 {
        dangers.push("some of its accounts are in lookup tables that were not read".into());
    }
    Inspected {
        kind: if transaction.is_some() {
            "Solana transaction"
        } else {
            "Solana message"
        },
        facts,
        dangers,
        sentences: intent.sentences(),
    }
}

fn evm(decoded: &Decoded) -> Inspected {
    let (transaction, from) = match decoded {
        Decoded::Unsigned(transaction) => (transaction, None),
        Decoded::Signed(signed) => (signed.transaction(), Some(*signed.sender())),
    };
    // Nobody is named in what nobody has signed; no key is known for this address, so it names nobody else.
    let stand_in = EvmAddress::new([0; 20]);
    let intent = EvmIntent::from_transaction(transaction, from.unwrap_or(stand_in));
    let chain = chain_name(intent.chain_id).map_or("unknown chain", |chain| chain.name);
    let to = transaction
        .to
        .map_or_else(|| "a new contract".into(), |to| to.to_string());
    let mut dangers = Vec::new();
    if !intent.authorizations.is_empty() {
        dangers.push("accounts hand over what they may do to a program (EIP-7702)".into());
    }
    if !transaction.data.is_empty() && intent.sentences().len() < 2 {
        dangers.push("it calls a contract; what that does with it is not known here".into());
    }
    let own = stand_in.to_string();
    let said = |sentence: String| match from {
        Some(_) => sentence,
        None => sentence.replace(&own, "the signer"),
    };
    Inspected {
        kind: "EVM transaction",
        facts: vec![
            ("chain", format!("{chain} (id {})", intent.chain_id)),
            (
                "from",
                from.map_or_else(|| "whoever signs it".into(), |from| format!("{from}  ✓ signed")),
            ),
            ("to", to),
            ("nonce", intent.nonce.to_string()),
            ("data", format!("{} bytes", transaction.data.len())),
        ],
        dangers,
        sentences: intent.sentences().into_iter().map(said).collect(),
    }
}

fn typed_data(data: &TypedData) -> Inspected {
    let domain = data.domain();
    let unknown = || "?".to_owned();
    Inspected {
        kind: "typed data (EIP-712)",
        facts: vec![
            ("type", printable(data.primary_type())),
            (
                "application",
                domain.name.as_deref().map_or_else(unknown, printable),
            ),
            ("chain id", domain.chain_id.to_string()),
            (
                "contract",
                domain
                    .verifying_contract
                    .map_or_else(|| "none".into(), |contract| contract.to_string()),
            ),
        ],
        dangers: data.risks().iter().map(ToString::to_string).collect(),
        sentences: data.sentences(),
    }
}

fn message(found: &SignableMessage) -> Result<Inspected, Failure> {
    let lines = |text: &str| text.lines().map(printable).collect();
    match found {
        SignableMessage::OffChain(message) => {
            let signer = |signer: &Address| ("signer", signer.to_string());
            Ok(Inspected {
                kind: "Solana off-chain message",
                facts: message.signers().iter().map(signer).collect(),
                dangers: Vec::new(),
                sentences: lines(message.text()),
            })
        }
        SignableMessage::SignIn(sign_in) => Ok(Inspected {
            kind: "sign-in with Solana",
            facts: vec![
                ("website", printable(&sign_in.fields().domain)),
                ("address", sign_in.fields().address.to_string()),
            ],
            dangers: Vec::new(),
            sentences: sign_in.summary(),
        }),
        SignableMessage::Text(text) => Ok(Inspected {
            kind: "text",
            facts: vec![("length", format!("{} bytes", text.len()))],
            dangers: Vec::new(),
            sentences: lines(text),
        }),
        SignableMessage::Binary => Err(Failure::new(
            "these are bytes without a meaning known here",
            "check that all of it was copied, and nothing else",
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    use keyward_core::address::Blockhash;
    use keyward_core::amount::Lamports;
    use keyward_core::solana::{compile_message, instructions};

    use super::*;

    fn transaction() -> Vec<u8> {
        let (from, to) = (Address::new([3; 32]), Address::new([7; 32]));
        let transfer = instructions::sol_transfer(from, to, Lamports::new(5));
        let message =
            compile_message(MessageVersion::Legacy, from, &[transfer], Blockhash::new([9; 32])).unwrap();
        Transaction::unsigned(message).encode()
    }

    #[test]
    fn a_transaction_is_read_in_every_spelling() {
        let bytes = transaction();
        for input in [
            bytes.clone(),
            BASE64.encode(&bytes).into_bytes(),
            hex::encode(&bytes).into_bytes(),
            bs58::encode(&bytes).into_vec(),
        ] {
            let Ok(Read::Solana(message, Some(transaction))) = read(&input) else {
                panic!("a transaction");
            };
            let intent = Intent::from_message(&message);
            let shown = solana(&message, Some(&transaction), &intent, "none".into());
            assert!(
                shown
                    .facts
                    .iter()
                    .any(|(_, value)| value.ends_with("has not signed"))
            );
            assert!(
                shown
                    .sentences
                    .iter()
                    .any(|sentence| sentence.contains("0.000000005")),
                "{shown:?}"
            );
            assert_eq!(shown.dangers, Vec::<String>::new());
        }
    }

    /// EIP-155's example.
    #[test]
    fn an_evm_transaction_names_its_chain() {
        let input =
            "0xec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080";
        let Ok(Read::Done(shown)) = read(input.as_bytes()) else {
            panic!("an EVM transaction");
        };
        assert_eq!(shown.kind, "EVM transaction");
        assert!(
            shown
                .facts
                .iter()
                .any(|(name, value)| *name == "chain" && value.contains("id 1"))
        );
        assert!(!shown.sentences.is_empty());
    }

    #[test]
    fn a_text_is_a_text_and_steers_no_terminal() {
        let Ok(Read::Done(shown)) = read("hello\nworld".as_bytes()) else {
            panic!("a text");
        };
        assert_eq!((shown.kind, shown.sentences.len()), ("text", 2));
    }

    #[test]
    fn a_key_or_phrase_by_mistake_is_not_shown() {
        let phrase =
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
        for secret in [
            &"07".repeat(32),
            &format!("0x{}", "07".repeat(32)),
            &phrase.to_owned(),
        ] {
            let Err(failure) = read(secret.as_bytes()) else {
                panic!("{secret} is no message");
            };
            assert!(failure.cause.contains("key or a phrase"), "{failure:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let mut cut = transaction();
        cut.pop();
        for input in [
            Vec::new(),
            BASE64.encode(cut).into_bytes(),
            b"{\"a\":1}".to_vec(),
            vec![0xff; 40],
        ] {
            let Err(failure) = read(&input) else {
                panic!("{input:?}");
            };
            assert!(!failure.cause.is_empty() && !failure.remedy.is_empty());
        }
    }
}
