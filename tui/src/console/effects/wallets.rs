//! Work on wallets: pages of the list, labels, tags, derivation.

use keyward_core::account::AccountAddress;
use keyward_core::path::PathFamily;
use keyward_custody::{
    DeriveRequest, DerivedRange, MasterId, MasterSummary, Progress, Wallet, WalletPage, WalletQuery,
};

use super::{Reporter, Services};
use crate::console::effect::Failure;

/// How many rows a walk over all matching wallets reads at once.
const WALK_ROWS: u32 = 1_000;
/// The most wallets that a walk collects.
const WALK_LIMIT: usize = 100_000;

/// What to do.
#[derive(Debug)]
pub enum WalletsWork {
    /// Read one page.
    Page(WalletQuery),
    /// Collect the addresses of everything a query matches.
    Matching(WalletQuery),
    /// Read one wallet.
    One(AccountAddress),
    /// The phrases and what was derived from them.
    Masters,
    /// Derive so many more.
    Derive {
        /// From which phrase; none is the vault's first.
        master: Option<MasterId>,
        /// By which path family; none is the phrase's own.
        family: Option<PathFamily>,
        /// How many.
        count: u32,
    },
    /// Set a label.
    SetLabel {
        /// Whose.
        address: AccountAddress,
        /// The label; empty takes it away.
        label: String,
    },
    /// Add tags.
    AddTags {
        /// To whom.
        addresses: Vec<AccountAddress>,
        /// Which.
        tags: Vec<String>,
    },
    /// Take tags off.
    RemoveTags {
        /// Off whom.
        addresses: Vec<AccountAddress>,
        /// Which.
        tags: Vec<String>,
    },
}

/// What came of it.
#[derive(Debug)]
pub enum WalletsAnswer {
    /// A page.
    Page(Result<WalletPage, Failure>),
    /// Addresses.
    Matching(Result<Vec<AccountAddress>, Failure>),
    /// One wallet, if there is one at the address.
    One(Result<Option<Wallet>, Failure>),
    /// The phrases.
    Masters(Result<Vec<MasterSummary>, Failure>),
    /// Wallets were derived.
    Derived(Result<DerivedRange, Failure>),
    /// A label or tags changed.
    Changed(Result<(), Failure>),
}

/// Stops a derivation when its task is dropped.
pub(super) struct CancelOnDrop(pub(super) Progress);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

pub(super) async fn perform(services: &Services, work: WalletsWork, reporter: &Reporter) -> WalletsAnswer {
    match work {
        WalletsWork::Page(query) => WalletsAnswer::Page(page(services, &query).await),
        WalletsWork::Matching(query) => WalletsAnswer::Matching(matching(services, query).await),
        WalletsWork::One(address) => WalletsAnswer::One(one(services, &address).await),
        WalletsWork::Masters => {
            WalletsAnswer::Masters(async { Ok(services.custody()?.masters().await?) }.await)
        }
        WalletsWork::Derive {
            master,
            family,
            count,
        } => {
            let request = DeriveRequest {
                master,
                family,
                start: None,
                count,
            };
            WalletsAnswer::Derived(derive(services, request, reporter).await)
        }
        WalletsWork::SetLabel { address, label } => {
            WalletsAnswer::Changed(async { Ok(services.custody()?.set_label(&address, &label).await?) }.await)
        }
        WalletsWork::AddTags { addresses, tags } => {
            WalletsAnswer::Changed(async { Ok(services.custody()?.add_tags(&addresses, &tags).await?) }.await)
        }
        WalletsWork::RemoveTags { addresses, tags } => WalletsAnswer::Changed(
            async { Ok(services.custody()?.remove_tags(&addresses, &tags).await?) }.await,
        ),
    }
}

async fn page(services: &Services, query: &WalletQuery) -> Result<WalletPage, Failure> {
    Ok(services.custody()?.wallets(query).await?)
}

async fn one(services: &Services, address: &AccountAddress) -> Result<Option<Wallet>, Failure> {
    Ok(services.custody()?.wallet_by_address(address).await?)
}

async fn matching(services: &Services, mut query: WalletQuery) -> Result<Vec<AccountAddress>, Failure> {
    let custody = services.custody()?;
    let mut found = Vec::new();
    query.limit = WALK_ROWS;
    query.offset = 0;
    loop {
        let page = custody.wallets(&query).await?;
        let rows = page.rows.len() as u64;
        found.extend(page.rows.iter().map(|wallet| wallet.address));
        query.offset += rows;
        if rows == 0 || query.offset >= page.total || found.len() >= WALK_LIMIT {
            return Ok(found);
        }
    }
}

async fn derive(
    services: &Services,
    request: DeriveRequest,
    reporter: &Reporter,
) -> Result<DerivedRange, Failure> {
    let custody = services.custody()?;
    let progress = Progress::new();
    let _stop = CancelOnDrop(progress.clone());
    Ok(reporter
        .count(progress.subscribe(), custody.derive_wallets(request, &progress))
        .await?)
}
