//! What an import answers, and what is wrong with a file that cannot be imported.

use keyward_core::account::AccountAddress;
use keyward_core::keyfile::{Format, KeyfileError};
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_custody::ImportedPhrase;
use serde_json::{Value, json};

use super::Found;
use crate::cli::phrase::phrase_failure;
use crate::exit::{Exit, Failure};
use crate::output::{Align, Report, Table, fields};

/// One key of the answer.
pub(super) struct Row {
    pub(super) file: String,
    pub(super) format: Format,
    pub(super) label: String,
    pub(super) address: AccountAddress,
    pub(super) known: Option<bool>,
}

pub(super) fn keys_report(dry_run: bool, rows: &[Row]) -> Report {
    let mut table = Table::new(&[
        ("file", Align::Left),
        ("format", Align::Left),
        ("address", Align::Left),
        ("label", Align::Left),
        ("", Align::Left),
    ]);
    for row in rows {
        let state = match row.known {
            Some(true) => "there already",
            Some(false) | None => "new",
        };
        table.row([
            row.file.clone(),
            row.format.id().to_owned(),
            row.address.to_string(),
            row.label.clone(),
            state.to_owned(),
        ]);
    }
    let added = rows.iter().filter(|row| row.known != Some(true)).count();
    let text = format!(
        "{}{added} new of {}{}\n",
        table.render(),
        rows.len(),
        if dry_run { "; nothing is stored" } else { "" }
    );
    let keys: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "file": row.file,
                "format": row.format.id(),
                "chain": row.address.chain().id(),
                "address": row.address.to_string(),
                "label": row.label,
                "known": row.known,
            })
        })
        .collect();
    Report::new(
        text,
        json!({ "dry_run": dry_run, "added": if dry_run { 0 } else { added }, "keys": keys, "phrase": null }),
    )
}

pub(super) fn phrase_report(
    dry_run: bool,
    found: &Found,
    mnemonic: &Mnemonic,
    family: PathFamily,
    first: &AccountAddress,
    done: Option<ImportedPhrase>,
) -> Report {
    let language = mnemonic.wordlist().id();
    let words = mnemonic.word_count().words();
    let state = match done {
        None => "nothing is stored".to_owned(),
        Some(ImportedPhrase { id, known: true }) => format!("there already, as phrase {id}"),
        Some(ImportedPhrase { id, known: false }) => {
            format!("stored; derive wallets with `keyward wallets derive --phrase {id}`")
        }
    };
    let text = fields(&[
        (
            "phrase",
            done.map_or_else(|| "-".to_owned(), |done| done.id.to_string()),
        ),
        ("words", format!("{words}, {language}")),
        ("path", family.template().to_owned()),
        ("first address", first.to_string()),
        ("label", found.label.clone()),
        ("state", state),
    ]);
    let added = usize::from(done.is_some_and(|done| !done.known));
    let json = json!({
        "dry_run": dry_run,
        "added": added,
        "keys": [],
        "phrase": {
            "file": found.name,
            "format": found.format.id(),
            "id": done.map(|done| done.id.get()),
            "known": done.map(|done| done.known),
            "words": words,
            "language": language,
            "family": family.id(),
            "first_address": first.to_string(),
            "label": found.label,
        },
    });
    Report::new(text, json)
}

/// Says what is wrong with a key file. The texts name places in it, never what is there.
pub(super) fn key_failure(name: &str, error: &KeyfileError) -> Failure {
    use KeyfileError as E;
    let (exit, code) = match error {
        E::Phrase(error) => return phrase_failure(error),
        E::Empty => (Exit::InvalidInput, "key_empty"),
        E::TooLarge { .. } => (Exit::InvalidInput, "too_long"),
        E::Unknown => (Exit::InvalidInput, "key_format_unknown"),
        E::NotThisFormat(_) => (Exit::InvalidInput, "key_format_wrong"),
        E::KeywardVault => (Exit::InvalidInput, "keyward_vault_file"),
        E::EitherCurve { .. } => (Exit::InvalidInput, "chain_ambiguous"),
        E::SeedOrAddress => (Exit::InvalidInput, "seed_or_address"),
        E::WrongChain { .. } => (Exit::InvalidInput, "wrong_chain"),
        E::Length { .. } => (Exit::InvalidInput, "key_length"),
        E::Character { .. } => (Exit::InvalidInput, "key_character"),
        E::NumberTooLarge { .. } | E::NotNumbers => (Exit::InvalidInput, "key_not_bytes"),
        E::PublicKeyMismatch => (Exit::InvalidInput, "public_key_mismatch"),
        E::ZeroKey | E::NotASecp256k1Key => (Exit::InvalidInput, "key_invalid"),
        E::Kdf { .. } => (Exit::InvalidInput, "kdf_out_of_bounds"),
        E::PasswordNeeded(_) => (Exit::Locked, "file_password_missing"),
        E::Refused => (Exit::Locked, "file_not_opened"),
        E::AddressMismatch { .. } => (Exit::InvalidInput, "address_mismatch"),
        _ => (Exit::InvalidInput, "key_file_malformed"),
    };
    let remedy = match error {
        E::KeywardVault => Some("bring it in with `keyward vault import`"),
        E::EitherCurve { .. } => Some("give --chain solana or --chain evm"),
        E::SeedOrAddress => Some("if it is a seed, give --chain solana"),
        E::PasswordNeeded(_) => Some("give --file-password-file FILE"),
        _ => None,
    };
    let text = error.to_string();
    let (cause, advice) = text.split_once("; ").unwrap_or((&text, "check the file"));
    Failure::new(exit, code, format!("{name}: {cause}"), remedy.unwrap_or(advice))
}
