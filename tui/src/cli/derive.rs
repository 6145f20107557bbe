//! `keyward derive`: addresses of a phrase, without a vault. It prints no key and stores nothing.

use keyward_core::account;
use keyward_core::derive::{DeriveError, SolanaDeriver, derive_path};
use keyward_core::evm::{self, EvmDeriver};
use keyward_core::path::{ChildIndex, DerivationPath, PathFamily};
use serde_json::json;

use super::arguments::family_among;
use super::phrase::{LanguageArgs, ask_phrase, parse_phrase, read_passphrase};
use crate::exit::{Exit, Failure};
use crate::output::{Align, Report, Table};
use crate::secret_input::Source;

/// The most addresses of one run.
const MAX_COUNT: u32 = 10_000;
/// How many are derived at a time; core gives at most 1024.
const CHUNK: u32 = 1000;

/// Print addresses of the phrase on standard input; no vault is involved
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward derive --count 10 < phrase.txt
  keyward derive --path \"m/44'/501'/7'/0'\" < phrase.txt
  keyward derive --path \"m/44'/501'/{i}'\" --start 5 --count 3 < phrase.txt
  keyward derive --chain evm --count 3 < phrase.txt
  keyward derive --family raw --passphrase-file passphrase.txt < phrase.txt")]
pub(crate) struct Args {
    /// The chain that the addresses are for
    #[arg(long, value_enum, default_value_t = Chain::Solana)]
    chain: Chain,
    /// Read the phrase's BIP-39 passphrase from this file's only line
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<Source>,
    #[command(flatten)]
    language: LanguageArgs,
    /// A derivation path, such as "m/44'/501'/0'/0'"; "{i}" in it stands for the index
    #[arg(long, value_name = "PATH", conflicts_with = "family")]
    path: Option<String>,
    /// The path's family: bip44-change (Solana's default), bip44, bip44-root, sollet or raw; with --chain evm
    /// evm-bip44 (default), evm-ledger-live or evm-legacy
    #[arg(long, value_name = "FAMILY")]
    family: Option<String>,
    /// The first index
    #[arg(long, value_name = "N", default_value_t = 0)]
    start: u32,
    /// How many addresses, 1 to 10000
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_COUNT)))]
    count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Chain {
    Solana,
    Evm,
}

impl From<Chain> for account::Chain {
    fn from(chain: Chain) -> Self {
        match chain {
            Chain::Solana => Self::Solana,
            Chain::Evm => Self::Evm,
        }
    }
}

/// One line of the answer.
struct Derived {
    index: Option<u32>,
    path: String,
    address: String,
}

pub(crate) fn run(args: &Args) -> Result<Report, Failure> {
    let family = family_of(args.chain, args.family.as_deref())?;
    let paths = args
        .path
        .as_deref()
        .map(|path| paths(args.chain, path, args.start, args.count))
        .transpose()?;
    let passphrase = read_passphrase(args.passphrase_file.as_ref())?;
    let phrase = ask_phrase()?;
    let seed = parse_phrase(&phrase, args.language.language)?.to_seed(&passphrase);
    let (family_id, rows) = match paths {
        Some(paths) => {
            let derived = paths.into_iter().map(|(index, path)| {
                let address = match args.chain {
                    Chain::Solana => derive_path(&seed, &path).map(|key| key.address().to_string()),
                    Chain::Evm => evm::derive_path(&seed, &path).map(|key| key.address().to_string()),
                }
                .map_err(failure)?;
                Ok(Derived {
                    index,
                    path: path.to_string(),
                    address,
                })
            });
            (None, derived.collect::<Result<_, Failure>>()?)
        }
        None => {
            let rows = match args.chain {
                Chain::Solana => {
                    let deriver = SolanaDeriver::new(&seed, family).map_err(failure)?;
                    range(args.start, args.count, |start, count| {
                        let keys = deriver.derive_chunk(start, count)?.into_iter();
                        Ok(keys.map(|key| row(key.index, key.path, &key.address)).collect())
                    })?
                }
                Chain::Evm => {
                    let deriver = EvmDeriver::new(&seed, family).map_err(failure)?;
                    range(args.start, args.count, |start, count| {
                        let keys = deriver.derive_chunk(start, count)?.into_iter();
                        Ok(keys.map(|key| row(key.index, key.path, &key.address)).collect())
                    })?
                }
            };
            (Some(family.id()), rows)
        }
    };
    Ok(report(args.chain, family_id, &rows))
}

fn row(index: ChildIndex, path: String, address: &impl ToString) -> Derived {
    Derived {
        index: Some(index.get()),
        path,
        address: address.to_string(),
    }
}

fn range(
    start: u32,
    count: u32,
    chunk: impl Fn(u32, u32) -> Result<Vec<Derived>, DeriveError>,
) -> Result<Vec<Derived>, Failure> {
    let end = start
        .checked_add(count)
        .ok_or_else(|| failure(DeriveError::RangeEnd))?;
    let mut rows = Vec::new();
    let mut next = start;
    while next < end {
        let size = CHUNK.min(end - next);
        rows.extend(chunk(next, size).map_err(failure)?);
        next += size;
    }
    Ok(rows)
}

fn report(chain: Chain, family: Option<&str>, rows: &[Derived]) -> Report {
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("path", Align::Left),
        ("address", Align::Left),
    ]);
    for row in rows {
        let index = row.index.map(|index| index.to_string()).unwrap_or_default();
        let path = if row.path.is_empty() { "none" } else { &row.path };
        table.row([index, path.to_owned(), row.address.clone()]);
    }
    let addresses: Vec<_> = rows
        .iter()
        .map(|row| json!({ "index": row.index, "path": row.path, "address": row.address }))
        .collect();
    Report::new(
        table.render(),
        json!({ "chain": account::Chain::from(chain).id(), "family": family, "addresses": addresses }),
    )
}

/// Reads the name of one of Solana's path families.
pub(crate) fn parse_family(name: &str) -> Result<PathFamily, Failure> {
    family_of(Chain::Solana, Some(name))
}

/// The family of this name on this chain, or the chain's usual one.
fn family_of(chain: Chain, name: Option<&str>) -> Result<PathFamily, Failure> {
    let Some(name) = name else {
        return Ok(match chain {
            Chain::Solana => PathFamily::Bip44Change,
            Chain::Evm => PathFamily::EvmBip44,
        });
    };
    family_among(PathFamily::of(chain.into()), name)
}

/// Where the index goes in a path that stands for many.
const INDEX: &str = "{i}";

/// The paths that one text stands for: itself, or one for each index.
fn paths(
    chain: Chain,
    text: &str,
    start: u32,
    count: u32,
) -> Result<Vec<(Option<u32>, DerivationPath)>, Failure> {
    if text.contains(INDEX) {
        let end = start
            .checked_add(count)
            .ok_or_else(|| failure(DeriveError::RangeEnd))?;
        return (start..end)
            .map(|index| {
                Ok((
                    Some(index),
                    parse_path(chain, &text.replace(INDEX, &index.to_string()))?,
                ))
            })
            .collect();
    }
    if start != 0 || count != 1 {
        return Err(Failure::new(
            Exit::Usage,
            "path_has_no_index",
            "--path names one path, and --start or --count ask for more",
            "write {i} where the index goes, as in m/44'/501'/{i}'/0'",
        ));
    }
    Ok(vec![(None, parse_path(chain, text)?)])
}

fn parse_path(chain: Chain, text: &str) -> Result<DerivationPath, Failure> {
    let example = match chain {
        Chain::Solana => "m/44'/501'/0'/0'",
        Chain::Evm => "m/44'/60'/0'/0/0",
    };
    text.parse().map_err(|error| {
        Failure::invalid(
            "path_invalid",
            format!("--path: {error}"),
            format!("write it like {example}"),
        )
    })
}

fn failure(error: DeriveError) -> Failure {
    Failure::invalid("derivation", error.to_string(), "see `keyward derive --help`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_belongs_to_its_chain() {
        assert_eq!(family_of(Chain::Evm, None).ok(), Some(PathFamily::EvmBip44));
        assert_eq!(family_of(Chain::Solana, None).ok(), Some(PathFamily::Bip44Change));
        for chain in [Chain::Solana, Chain::Evm] {
            for family in PathFamily::ALL {
                let expected = Some(family).filter(|family| family.chain() == chain.into());
                assert_eq!(family_of(chain, Some(family.id())).ok(), expected);
            }
            assert!(family_of(chain, Some("none")).is_err());
        }
    }
}
