//! Wallets: derive a range, list by page, find, label, tag.
//!
//! It never opens a wallet's key: the signing service does, and `secrets` for whoever takes a key out or puts a
//! password on one.

pub(crate) mod derive;
pub(crate) mod import;
pub(crate) mod masters;
mod pages;
mod place;
mod removal;
pub(crate) mod secrets;
mod state;

use keyward_core::account::{AccountAddress, Chain};
use keyward_core::address::Address;
use keyward_core::audit::{Operation, Outcome};
use keyward_core::path::PathFamily;
use keyward_core::policy::Policy;

use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::store::{Ask, SealedWallet, Write, transact};
use crate::vault::{Custody, read_policy};
pub use import::{ImportReport, KeyImport, MAX_IMPORT};
pub use masters::{ImportedPhrase, MasterId, MasterSummary};
pub(crate) use pages::{Key, Position};
pub use pages::{StatusFilter, WalletCursor, WalletSort};
use place::Place;
pub use removal::{Purged, Restored};
pub(crate) use state::WalletState;
pub use state::WalletStatus;

/// The most wallets derived by one call.
pub const MAX_DERIVE: u32 = 100_000;

/// The most rows of one page.
pub const MAX_PAGE: u32 = 1_000;

/// A range of wallets to derive.
#[derive(Clone, Copy, Debug, Default)]
pub struct DeriveRequest {
    /// The phrase; `None` is the one that the vault was made with.
    pub master: Option<MasterId>,
    /// The path family, of either chain; `None` is the phrase's own.
    pub family: Option<PathFamily>,
    /// The first index; `None` goes on after the highest one derived so far.
    pub start: Option<u32>,
    /// How many, 1 to [`MAX_DERIVE`].
    pub count: u32,
}

/// What a derivation stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DerivedRange {
    /// The first index.
    pub first: u32,
    /// How many indices the range covers.
    pub count: u32,
    /// How many of them were new; the others were there already and are untouched.
    pub added: u32,
}

/// One wallet, without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    /// The phrase that it was derived from; `None` for an imported key.
    pub master: Option<MasterId>,
    /// The path family that it was derived by; `None` for an imported key.
    pub family: Option<PathFamily>,
    /// Its index in the path family; `None` for an imported key.
    pub index: Option<u32>,
    /// Its address.
    pub address: AccountAddress,
    /// Whether it needs a password of its own to sign.
    pub own_password: bool,
    /// Its derivation path, empty for the raw family and for an imported key.
    pub path: String,
    /// Its label, empty for none.
    pub label: String,
    /// Its tags, sorted.
    pub tags: Vec<String>,
    /// When it was stored, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it last signed, in milliseconds since the Unix epoch.
    pub last_used_ms: Option<u64>,
    /// The name of its owner.
    pub owner: Option<String>,
    /// Whether it is its owner's primary wallet.
    pub is_primary: bool,
    /// What it is for, empty for nothing in particular.
    pub role: String,
    /// What may be done with it.
    pub status: WalletStatus,
    /// Since when it has that status, in milliseconds since the Unix epoch; 0 since it was stored.
    pub status_ms: u64,
    /// Until when a replaced wallet still receives, in milliseconds since the Unix epoch.
    pub grace_until_ms: Option<u64>,
    /// Until when a deleted wallet can surely be restored, in milliseconds since the Unix epoch.
    pub purge_after_ms: Option<u64>,
    /// The wallet that it came in place of.
    pub previous: Option<AccountAddress>,
    /// How often its key is to be rotated, in milliseconds; never if none.
    pub rotate_every_ms: Option<u64>,
    /// When its key is to be rotated next, in milliseconds since the Unix epoch.
    pub rotate_at_ms: Option<u64>,
    /// How often it was rotated before it became this key.
    pub rotation_count: u32,
    /// How many transactions it signed.
    pub total_trades: u64,
    /// The native coin that those transactions were to move away from it, in base units (lamports, wei); no more is
    /// counted beyond 128 bits.
    pub total_volume: u128,
}

impl Wallet {
    /// Its address on Solana, if that is its chain.
    #[must_use]
    pub const fn solana(&self) -> Option<&Address> {
        self.address.as_solana()
    }

    /// Its index as text; a dash for an imported key.
    #[must_use]
    pub fn number(&self) -> String {
        self.index
            .map_or_else(|| "-".to_owned(), |index| index.to_string())
    }

    /// Its place, as [`Custody::wallet`] reads it: `#7` in the family `default`, `evm-bip44#7` in another, `2/bip44#7`
    /// of another phrase than the first; its shortened address if it was imported.
    #[must_use]
    pub fn place(&self, default: PathFamily) -> String {
        match (self.master, self.family, self.index) {
            (Some(MasterId::FIRST), Some(family), Some(index)) if family == default => format!("#{index}"),
            (Some(MasterId::FIRST), Some(family), Some(index)) => format!("{family}#{index}"),
            (Some(master), Some(family), Some(index)) => format!("{master}/{family}#{index}"),
            _ => self.address.abbreviated(),
        }
    }
}

/// Which page of which wallets.
#[derive(Clone, Debug)]
pub struct WalletQuery {
    /// A piece of the address, the label or a tag, without regard to ASCII case; `#7` finds index 7; empty finds all.
    pub text: String,
    /// Only wallets with exactly this tag.
    pub tag: Option<String>,
    /// Only wallets of this owner, by name.
    pub owner: Option<String>,
    /// Only wallets with this role; empty finds those without one.
    pub role: Option<String>,
    /// Only wallets of such a status; unless asked otherwise those in use.
    pub status: StatusFilter,
    /// Only wallets of this chain.
    pub chain: Option<Chain>,
    /// The order.
    pub sort: WalletSort,
    /// Whether the order is turned round.
    pub descending: bool,
    /// Only wallets after where this page ended, in the same order.
    pub after: Option<WalletCursor>,
    /// How many rows to skip; a cursor is quicker, and skips or repeats nothing when wallets come and go.
    pub offset: u64,
    /// How many rows to give, at most [`MAX_PAGE`].
    pub limit: u32,
}

impl Default for WalletQuery {
    fn default() -> Self {
        Self {
            text: String::new(),
            tag: None,
            owner: None,
            role: None,
            status: StatusFilter::InUse,
            chain: None,
            sort: WalletSort::Index,
            descending: false,
            after: None,
            offset: 0,
            limit: 100,
        }
    }
}

/// One page of wallets.
#[derive(Clone, Debug)]
pub struct WalletPage {
    /// How many wallets the query finds in all.
    pub total: u64,
    /// The page's rows.
    pub rows: Vec<Wallet>,
    /// Where the next page begins; none after the last one, or where the page is not full.
    pub next: Option<WalletCursor>,
}

/// The longest label and tag, in characters.
pub const MAX_LABEL_CHARS: usize = 64;
/// See [`MAX_LABEL_CHARS`].
pub const MAX_TAG_CHARS: usize = 32;

/// The most wallets, and the most tags, of one call.
pub(crate) const MAX_TAGGED_WALLETS: usize = 1_000;
const MAX_TAGS: usize = 32;

/// The longest search text, in characters.
const MAX_SEARCH_CHARS: usize = 200;

impl Custody {
    /// A page of wallets.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a page over [`MAX_PAGE`] a search text over 200 characters, or a cursor of another order, or the store's.
    pub async fn wallets(&self, query: &WalletQuery) -> Result<WalletPage, CustodyError> {
        if query.limit > MAX_PAGE {
            return Err(CustodyError::invalid(
                "page",
                format!("at most {MAX_PAGE} wallets"),
            ));
        }
        let names = [&query.tag, &query.owner, &query.role].into_iter().flatten();
        if names
            .chain([&query.text])
            .any(|text| text.chars().count() > MAX_SEARCH_CHARS)
        {
            return Err(CustodyError::invalid(
                "search text",
                format!("at most {MAX_SEARCH_CHARS} characters"),
            ));
        }
        self.store().wallets(query).await
    }

    /// One wallet by its address, its label, or its place: `#` and its index in the first phrase's own family,
    /// `evm-bip44#7` in another family of it, `2/evm-bip44#7` of another phrase.
    ///
    /// # Errors
    /// [`CustodyError::NotFound`], [`CustodyError::Ambiguous`], or the store's.
    pub async fn wallet(&self, name: &str) -> Result<Wallet, CustodyError> {
        if let Ok(address) = name.parse::<AccountAddress>() {
            return self
                .wallet_by_address(address)
                .await?
                .ok_or_else(|| not_found(name));
        }
        let page = match Place::read(name) {
            Some(place) => match place.index() {
                Some(at) => self.store().wallets_by_index(at).await?,
                None => return Err(not_found(name)),
            },
            None => self.store().wallets_by_label(name).await?,
        };
        if page.total > 1 {
            return Err(CustodyError::Ambiguous {
                what: shown(name),
                count: page.total,
            });
        }
        page.rows.into_iter().next().ok_or_else(|| not_found(name))
    }

    /// One wallet by its address.
    ///
    /// # Errors
    /// The store's.
    pub async fn wallet_by_address(
        &self,
        address: impl Into<AccountAddress>,
    ) -> Result<Option<Wallet>, CustodyError> {
        let address = address.into();
        self.store().wallet_by_address(&address).await
    }

    /// Sets a wallet's label; an empty one takes it away.
    ///
    /// # Errors
    /// [`CustodyError::Locked`], [`CustodyError::NotFound`], [`CustodyError::Invalid`], or the store's.
    pub async fn set_label(
        &self,
        address: impl Into<AccountAddress>,
        label: &str,
    ) -> Result<(), CustodyError> {
        let address = address.into();
        let label = check_label(label)?;
        let details = if label.is_empty() {
            "label taken away".to_owned()
        } else {
            format!("label {label:?}")
        };
        self.change_wallets(vec![address], Operation::SetLabel, &details, |wallet| {
            vec![Write::Label {
                wallet: wallet.id,
                label: label.to_owned(),
            }]
        })
        .await
    }

    /// Adds tags to wallets, all or none.
    ///
    /// # Errors
    /// As [`Self::set_label`].
    pub async fn add_tags<A: Copy + Into<AccountAddress>>(
        &self,
        addresses: &[A],
        tags: &[String],
    ) -> Result<(), CustodyError> {
        let addresses = addresses.iter().map(|address| (*address).into()).collect();
        let tags = check_tags(tags)?;
        let details = format!("added {}", tags.join(", "));
        self.change_wallets(addresses, Operation::SetTags, &details, |wallet| {
            tags.iter()
                .map(|tag| Write::Tag {
                    wallet: wallet.id,
                    tag: tag.clone(),
                })
                .collect()
        })
        .await
    }

    /// Takes tags off wallets, all or none; a tag that is not there is no error.
    ///
    /// # Errors
    /// As [`Self::set_label`].
    pub async fn remove_tags<A: Copy + Into<AccountAddress>>(
        &self,
        addresses: &[A],
        tags: &[String],
    ) -> Result<(), CustodyError> {
        let addresses = addresses.iter().map(|address| (*address).into()).collect();
        let tags = check_tags(tags)?;
        let details = format!("removed {}", tags.join(", "));
        self.change_wallets(addresses, Operation::SetTags, &details, |wallet| {
            tags.iter()
                .map(|tag| Write::Untag {
                    wallet: wallet.id,
                    tag: tag.clone(),
                })
                .collect()
        })
        .await
    }

    /// Every tag with its number of wallets, by name.
    ///
    /// # Errors
    /// The store's.
    pub async fn tags(&self) -> Result<Vec<(String, u64)>, CustodyError> {
        self.store().tags().await
    }

    /// The policy in force; unlocked, its signature is verified.
    ///
    /// # Errors
    /// [`CustodyError::NotInitialised`], [`CustodyError::Damaged`], or the store's.
    pub async fn policy(&self) -> Result<Policy, CustodyError> {
        let overview = self
            .store()
            .overview()
            .await?
            .ok_or(CustodyError::NotInitialised)?;
        let row = overview
            .policy
            .ok_or_else(|| CustodyError::damaged("the vault has no policy"))?;
        match self.session() {
            Some(session) => {
                session.expect_current(&overview.vault)?;
                session.verified_policy(&row)
            }
            None => read_policy(&row),
        }
    }

    /// Changes wallets that all exist, with one audit entry for one wallet or for all of several.
    async fn change_wallets<F>(
        &self,
        mut wanted: Vec<AccountAddress>,
        operation: Operation,
        details: &str,
        change: F,
    ) -> Result<(), CustodyError>
    where
        F: Fn(&SealedWallet) -> Vec<Write> + Send,
    {
        let session = self.session().ok_or(CustodyError::Locked)?;
        if wanted.is_empty() || wanted.len() > MAX_TAGGED_WALLETS {
            return Err(CustodyError::invalid(
                "wallets",
                format!("1 to {MAX_TAGGED_WALLETS} at a time"),
            ));
        }
        wanted.sort_unstable();
        wanted.dedup();
        let ask = Ask {
            wallets: wanted.clone(),
            unsigned_tail: true,
            ..Ask::default()
        };
        transact(self.store(), ask, |ledger, facts| {
            let known =
                |address: &&AccountAddress| facts.wallets.iter().any(|wallet| wallet.address == **address);
            if let Some(missing) = wanted.iter().find(|address| !known(address)) {
                return Err(not_found(&missing.to_string()));
            }
            let draft = match wanted.as_slice() {
                [only] => Draft::new(operation, Outcome::Done)
                    .wallet(*only)
                    .details(details),
                many => {
                    Draft::new(operation, Outcome::Done).details(format!("{details}; {} wallets", many.len()))
                }
            };
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            Ok((facts.wallets.iter().flat_map(change).collect(), ()))
        })
        .await
        .map(|_| ())
    }
}

pub(crate) fn not_found(name: &str) -> CustodyError {
    CustodyError::NotFound {
        what: format!("wallet: {}", shown(name)),
    }
}

/// A name as typed, short enough for a message.
fn shown(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_control())
        .take(MAX_LABEL_CHARS)
        .collect()
}

/// A label as it is stored.
pub(crate) fn check_label(label: &str) -> Result<&str, CustodyError> {
    let label = label.trim();
    check_name("label", label, MAX_LABEL_CHARS)?;
    if Place::read(label).is_some() {
        return Err(CustodyError::invalid(
            "label",
            "it may not look like a place: # and before it nothing, or a path family",
        ));
    }
    if label.parse::<AccountAddress>().is_ok() {
        return Err(CustodyError::invalid("label", "it may not be an address"));
    }
    Ok(label)
}

pub(crate) fn check_tags(tags: &[String]) -> Result<Vec<String>, CustodyError> {
    if tags.is_empty() || tags.len() > MAX_TAGS {
        return Err(CustodyError::invalid(
            "tags",
            format!("1 to {MAX_TAGS} at a time"),
        ));
    }
    tags.iter()
        .map(|tag| {
            let tag = tag.trim();
            check_name("tag", tag, MAX_TAG_CHARS)?;
            if tag.is_empty() {
                return Err(CustodyError::invalid("tag", "it is empty"));
            }
            Ok(tag.to_owned())
        })
        .collect()
}

/// Labels and tags are shown in terminals: what moves the cursor or turns the writing direction stays out.
pub(crate) fn check_name(what: &'static str, name: &str, max_chars: usize) -> Result<(), CustodyError> {
    if name.chars().count() > max_chars {
        return Err(CustodyError::invalid(
            what,
            format!("at most {max_chars} characters"),
        ));
    }
    if !name.chars().all(keyward_core::policy::text::is_printable) {
        return Err(CustodyError::invalid(
            what,
            "it holds characters that do not print",
        ));
    }
    Ok(())
}
