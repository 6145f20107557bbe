//! From names, files and marks to addresses.

use std::collections::HashSet;
use std::fmt::Display;

use keyward_core::account::Chain;
use keyward_core::address::Address;
use keyward_custody::distribution::csv::{self, CsvRow, MAX_CSV_BYTES, RecipientName, SecondColumn};
use keyward_custody::distribution::{self};
use keyward_custody::{Custody, FeePolicy, WalletQuery};

use super::Who;
use crate::console::effect::Failure;
use crate::console::effects::files;
use crate::console::effects::vault::blocking;

/// The most wrong lines that are told one by one.
const TOLD_LINES: usize = 5;
/// Wallets of one page.
const PAGE: u32 = 1_000;
/// The most wallets of "all": one more than any plan takes, so that it is refused with the number.
const MAX_ALL: usize = distribution::MAX_RECIPIENTS + 1;

/// The first of several errors, and how many more there are.
pub(super) fn several<E: Display>(errors: &[E]) -> String {
    let told: Vec<String> = errors.iter().take(TOLD_LINES).map(ToString::to_string).collect();
    match errors.len().saturating_sub(TOLD_LINES) {
        0 => told.join("; "),
        more => format!("{}; and {more} more", told.join("; ")),
    }
}

/// The lines that stand for these, with what the second column of a file holds.
pub(super) async fn rows(
    custody: &Custody,
    who: &Who,
    what: &str,
    second: SecondColumn,
) -> Result<Vec<CsvRow>, Failure> {
    let rows = match who {
        Who::Names(text) => named(text, what)?,
        Who::These(addresses) => plain(addresses),
        Who::All => plain(&all(custody).await?),
        Who::File(path) => {
            let path = path.clone();
            let bytes = blocking(move || files::read(&path, MAX_CSV_BYTES)).await?;
            csv::read(&bytes, second).map_err(|errors| {
                Failure::new(
                    several(&errors),
                    "correct the named lines of the file; nothing was planned",
                )
            })?
        }
    };
    if rows.is_empty() {
        return Err(Failure::new(
            format!("{what} are not named"),
            "give labels, #places, addresses, tag:name or owner:name, with commas between",
        ));
    }
    Ok(rows)
}

fn plain(addresses: &[Address]) -> Vec<CsvRow> {
    let row = |(line, address): (u32, &Address)| CsvRow {
        line,
        recipient: RecipientName::Address(*address),
        number: 0,
        memo: None,
    };
    (1_u32..).zip(addresses).map(row).collect()
}

fn named(text: &str, what: &str) -> Result<Vec<CsvRow>, Failure> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let row = |(line, name): (u32, &str)| {
        let recipient = RecipientName::parse(name)
            .map_err(|problem| Failure::new(format!("{what}: {name}: {problem}"), "correct the name"))?;
        Ok(CsvRow {
            line,
            recipient,
            number: 0,
            memo: None,
        })
    };
    (1_u32..).zip(names).map(row).collect()
}

/// Every Solana wallet in use.
async fn all(custody: &Custody) -> Result<Vec<Address>, Failure> {
    let mut query = WalletQuery {
        chain: Some(Chain::Solana),
        limit: PAGE,
        ..WalletQuery::default()
    };
    let mut found = Vec::new();
    loop {
        let page = custody.wallets(&query).await?;
        found.extend(page.rows.iter().filter_map(|wallet| wallet.solana().copied()));
        match page.next {
            Some(next) if found.len() < MAX_ALL => query.after = Some(next),
            _ => return Ok(found),
        }
    }
}

/// The addresses of these, each once.
pub(super) async fn addresses(custody: &Custody, who: &Who, what: &str) -> Result<Vec<Address>, Failure> {
    let rows = rows(custody, who, what, SecondColumn::Nothing).await?;
    let named = distribution::resolve(custody, &rows).await?;
    let mut seen = HashSet::new();
    let all = named.into_iter().map(|(recipient, _)| recipient.address);
    Ok(all.filter(|address| seen.insert(*address)).collect())
}

/// The one address of this name.
pub(super) async fn only(custody: &Custody, name: &str, what: &str) -> Result<Address, Failure> {
    match addresses(custody, &Who::Names(name.to_owned()), what)
        .await?
        .as_slice()
    {
        [one] => Ok(*one),
        several => Err(Failure::new(
            format!("{what}: {} wallets are named", several.len()),
            "name one",
        )),
    }
}

/// The fee policy as it was typed.
pub(super) fn fee(text: &str) -> Result<FeePolicy, Failure> {
    match text.trim() {
        "" => Ok(FeePolicy::None),
        text => text.parse().map_err(|error| {
            Failure::new(
                format!("the priority fee: {error}"),
                "write none, 5000, or p75:20000",
            )
        }),
    }
}
