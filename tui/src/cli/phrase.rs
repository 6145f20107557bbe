//! Phrases and passphrases as commands read them: from a file, from standard input or typed without echo.
//!
//! BIP-39 has ten languages. Which one a phrase is in is found by looking; where several fit, the person says.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use keyward_core::mnemonic::{Mnemonic, MnemonicError, Wordlist};
use keyward_custody::memory::clearing_stack;
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};
use crate::secret_input::{self, Source};

/// The option that every command with a phrase has.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct LanguageArgs {
    /// The phrase's language, where its words fit several
    #[arg(long, value_name = "LANGUAGE", value_parser = language_parser())]
    pub(crate) language: Option<Wordlist>,
}

fn language_parser() -> impl TypedValueParser<Value = Wordlist> {
    PossibleValuesParser::new(Wordlist::ALL.map(Wordlist::id)).map(|id| {
        // The parser lets no other name through.
        Wordlist::ALL
            .into_iter()
            .find(|list| list.id() == id)
            .unwrap_or(Wordlist::English)
    })
}

/// A phrase as text: several lines are one phrase.
pub(crate) fn read_phrase(source: &Source) -> Result<Zeroizing<String>, Failure> {
    let bytes = source.read_all("phrase", secret_input::MAX_SECRET_BYTES)?;
    secret_input::text_of(&bytes, "phrase")
}

/// Asks for a phrase on the terminal, or reads it from standard input.
pub(crate) fn ask_phrase() -> Result<Zeroizing<String>, Failure> {
    match secret_input::prompt("Recovery phrase: ")? {
        Some(typed) => Ok(typed),
        None => read_phrase(&Source::Stdin),
    }
}

/// Reads a BIP-39 phrase; the error names a position, never a word.
pub(crate) fn parse_phrase(text: &str, language: Option<Wordlist>) -> Result<Mnemonic, Failure> {
    clearing_stack(|| match language {
        Some(wordlist) => Mnemonic::parse_in(wordlist, text),
        None => Mnemonic::parse(text),
    })
    .map_err(|error| phrase_failure(&error))
}

pub(crate) fn phrase_failure(error: &MnemonicError) -> Failure {
    let (code, remedy) = match error {
        MnemonicError::WordCount { .. } => ("phrase_word_count", WRITTEN_DOWN.to_owned()),
        MnemonicError::UnknownWord { .. } => ("phrase_unknown_word", WRITTEN_DOWN.to_owned()),
        MnemonicError::Checksum => ("phrase_checksum", WRITTEN_DOWN.to_owned()),
        MnemonicError::MixedLanguages { .. } => ("phrase_mixed_languages", WRITTEN_DOWN.to_owned()),
        MnemonicError::Ambiguous { wordlists } => {
            let options: Vec<String> = wordlists
                .iter()
                .map(|wordlist| format!("--language {}", wordlist.id()))
                .collect();
            ("phrase_ambiguous", format!("give {}", options.join(" or ")))
        }
        _ => ("phrase_invalid", WRITTEN_DOWN.to_owned()),
    };
    // What follows the semicolon is the same advice in the library's words.
    let text = error.to_string();
    let cause = text.split_once("; ").map_or(text.as_str(), |(cause, _)| cause);
    Failure::invalid(code, cause, remedy)
}

const WRITTEN_DOWN: &str = "compare it with what was written down";

/// Reads the BIP-39 passphrase; without a file it is empty.
pub(crate) fn read_passphrase(source: Option<&Source>) -> Result<Zeroizing<String>, Failure> {
    match source {
        None => Ok(Zeroizing::new(String::new())),
        Some(Source::Stdin) => Err(Failure::new(
            Exit::Usage,
            "passphrase_from_stdin",
            "the passphrase cannot come from standard input",
            "put it into a file and give --passphrase-file FILE",
        )),
        Some(source) => secret_input::read_line_from(source, "passphrase"),
    }
}
