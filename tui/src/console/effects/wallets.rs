//! Work on wallets: pages of the list, labels, tags, derivation.

use keyward_core::account::AccountAddress;
use keyward_core::path::PathFamily;
use keyward_custody::{
    DeriveRequest, DerivedRange, MasterId, MasterSummary, OwnerPage, OwnerQuery, Progress, Wallet,
    WalletPage, WalletQuery,
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
    /// Give wallets to an owner, or to none by an empty name.
    Assign {
        /// Which.
        addresses: Vec<AccountAddress>,
        /// Whose they are from now on.
        owner: String,
    },
    /// Make a wallet its owner's primary one.
    SetPrimary(AccountAddress),
    /// Say what wallets are for; empty for nothing in particular.
    SetRole {
        /// Which.
        addresses: Vec<AccountAddress>,
        /// What for.
        role: String,
    },
    /// Delete a wallet; it can be restored for a while.
    Delete(AccountAddress),
    /// Restore a deleted one.
    Restore(AccountAddress),
    /// Add an owner.
    CreateOwner(String),
    /// Give an owner another name.
    RenameOwner {
        /// The name now.
        name: String,
        /// The next one.
        new: String,
    },
    /// Remove an owner without wallets.
    RemoveOwner(String),
    /// Read a page of owners.
    Owners(OwnerQuery),
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
    One(Result<Option<Box<Wallet>>, Failure>),
    /// The phrases.
    Masters(Result<Vec<MasterSummary>, Failure>),
    /// Wallets were derived.
    Derived(Result<DerivedRange, Failure>),
    /// A label, tags, owner, role or status changed, or an owner did.
    Changed(Result<(), Failure>),
    /// A page of owners.
    Owners(Result<OwnerPage, Failure>),
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
        WalletsWork::One(address) => {
            WalletsAnswer::One(one(services, &address).await.map(|found| found.map(Box::new)))
        }
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
        WalletsWork::Owners(query) => {
            WalletsAnswer::Owners(async { Ok(services.custody()?.owners(&query).await?) }.await)
        }
        WalletsWork::Assign { addresses, owner } => {
            WalletsAnswer::Changed(assign(services, &addresses, &owner).await)
        }
        WalletsWork::SetRole { addresses, role } => {
            WalletsAnswer::Changed(async { Ok(services.custody()?.set_role(&addresses, &role).await?) }.await)
        }
        WalletsWork::SetPrimary(address) => {
            WalletsAnswer::Changed(async { Ok(services.custody()?.set_primary(address).await?) }.await)
        }
        WalletsWork::Delete(address) => WalletsAnswer::Changed(
            async { Ok(services.custody()?.delete_wallet(address).await.map(|_| ())?) }.await,
        ),
        WalletsWork::Restore(address) => WalletsAnswer::Changed(
            async { Ok(services.custody()?.restore_wallet(address).await.map(|_| ())?) }.await,
        ),
        WalletsWork::CreateOwner(name) => {
            WalletsAnswer::Changed(async { Ok(services.custody()?.create_owner(&name).await?) }.await)
        }
        WalletsWork::RenameOwner { name, new } => {
            WalletsAnswer::Changed(async { Ok(services.custody()?.rename_owner(&name, &new).await?) }.await)
        }
        WalletsWork::RemoveOwner(name) => {
            WalletsAnswer::Changed(async { Ok(services.custody()?.remove_owner(&name).await?) }.await)
        }
        WalletsWork::RemoveTags { addresses, tags } => WalletsAnswer::Changed(
            async { Ok(services.custody()?.remove_tags(&addresses, &tags).await?) }.await,
        ),
    }
}

async fn assign(services: &Services, addresses: &[AccountAddress], owner: &str) -> Result<(), Failure> {
    let custody = services.custody()?;
    if owner.is_empty() {
        custody.unassign_wallets(addresses).await?;
    } else {
        custody.assign_wallets(owner, addresses).await?;
    }
    Ok(())
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
