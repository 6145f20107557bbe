//! From the names in a list to addresses: labels, places, tags and owners of this vault's wallets.

use std::collections::HashMap;

use keyward_core::account::Chain;
use keyward_core::address::Address;

use super::csv::{CsvRow, RecipientName};
use super::request::Recipient;
use super::{DistributionError, MAX_RECIPIENTS};
use crate::{Custody, CustodyError, Wallet, WalletQuery};

/// How many names that cannot be resolved are told.
const MAX_ERRORS: usize = 100;
/// Wallets of one page.
const PAGE: u32 = 1_000;

/// A name that stands for nobody who can be paid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct NameError {
    /// The line of the list, from 1.
    pub line: u32,
    /// Why not, and what to do.
    pub reason: String,
}

/// Recipients with the number of their line's second column.
pub type Named = Vec<(Recipient, u64)>;

/// Resolves a list's names. A tag or an owner stands for each of its Solana wallets in use, in the order of their places.
///
/// # Errors
/// [`DistributionError::Names`] for names that stand for nobody, all of them together;
/// [`DistributionError::TooManyRecipients`]; the store's.
pub async fn resolve(custody: &Custody, rows: &[CsvRow]) -> Result<Named, DistributionError> {
    let mut known = HashMap::<&RecipientName, Result<Vec<(Address, String)>, String>>::new();
    let (mut named, mut errors) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        if let RecipientName::Address(address) = &row.recipient {
            named.push((recipient(row, *address, String::new()), row.number));
        } else {
            if !known.contains_key(&row.recipient) {
                known.insert(&row.recipient, wallets(custody, &row.recipient).await?);
            }
            match known.get(&row.recipient) {
                Some(Ok(found)) => {
                    let all = found
                        .iter()
                        .map(|(address, name)| recipient(row, *address, name.clone()));
                    named.extend(all.map(|recipient| (recipient, row.number)));
                }
                Some(Err(reason)) if errors.len() < MAX_ERRORS => errors.push(NameError {
                    line: row.line,
                    reason: reason.clone(),
                }),
                Some(Err(_)) | None => {}
            }
        }
        if named.len() > MAX_RECIPIENTS {
            return Err(DistributionError::TooManyRecipients);
        }
    }
    match errors.is_empty() {
        true => Ok(named),
        false => Err(DistributionError::Names(errors)),
    }
}

fn recipient(row: &CsvRow, address: Address, name: String) -> Recipient {
    Recipient {
        address,
        name,
        line: Some(row.line),
        memo: row.memo.clone(),
    }
}

/// Whom a name stands for; a reason where it is nobody.
async fn wallets(
    custody: &Custody,
    name: &RecipientName,
) -> Result<Result<Vec<(Address, String)>, String>, CustodyError> {
    let pair = |wallet: &Wallet| Some((*wallet.solana()?, wallet.label.clone()));
    let query = match name {
        RecipientName::Address(address) => return Ok(Ok(vec![(*address, String::new())])),
        RecipientName::Wallet(name) => {
            return Ok(match custody.wallet(name).await {
                Ok(wallet) => pair(&wallet)
                    .map(|pair| vec![pair])
                    .ok_or_else(|| format!("{name} is a wallet of another chain; name one on Solana")),
                Err(CustodyError::NotFound { .. } | CustodyError::Invalid { .. }) => match custody.contact(name).await {
                    Ok(contact) => Ok(vec![(contact.address, contact.label)]),
                    Err(CustodyError::NotFound { .. } | CustodyError::Invalid { .. }) => Err(
                        "it is neither an address, nor a wallet of this vault, nor in the address book; check the spelling"
                            .to_owned(),
                    ),
                    Err(error) => return Err(error),
                },
                Err(error @ CustodyError::Ambiguous { .. }) => {
                    Err(format!("{error}; give an address, or the place of one wallet"))
                }
                Err(error) => return Err(error),
            });
        }
        RecipientName::Tag(tag) => WalletQuery {
            tag: Some(tag.clone()),
            ..WalletQuery::default()
        },
        RecipientName::Owner(owner) => WalletQuery {
            owner: Some(owner.clone()),
            ..WalletQuery::default()
        },
    };
    let mut query = WalletQuery {
        chain: Some(Chain::Solana),
        limit: PAGE,
        ..query
    };
    let mut found = Vec::new();
    loop {
        let page = custody.wallets(&query).await?;
        found.extend(page.rows.iter().filter_map(pair));
        match page.next {
            Some(next) if found.len() <= MAX_RECIPIENTS => query.after = Some(next),
            _ => break,
        }
    }
    Ok(match found.is_empty() {
        true => Err("no Solana wallet in use has this tag or owner; check the spelling".to_owned()),
        false => Ok(found),
    })
}
