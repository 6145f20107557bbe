//! `keyward wallets`: derive, list, show, label, tag and protect the vault's wallets.

use keyward_core::account::Chain;
use keyward_core::address::Address;
use keyward_core::evm::EvmAddress;
use keyward_core::path::PathFamily;
use keyward_custody::{
    CustodyError, DeriveRequest, DerivedRange, MasterId, Progress, StatusFilter, Wallet, WalletCursor,
    WalletPage, WalletQuery, WalletSort, WalletStatus,
};
use serde_json::{Value, json};

use super::arguments::{chain_parser, family_among};
use super::context::Context;
use crate::exit::Failure;
use crate::output::{self, Align, Report, Table, fields, time};

mod owned;
mod password;

/// Derive, list, show, label, tag and protect wallets
///
/// A wallet is named by its address, its label, or # and its index (quote it: '#7').
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Derive further wallets from one of the vault's phrases
    #[command(
        after_help = "Examples:\n  keyward wallets derive --count 10000\n  keyward wallets derive --start 50 --count 1\n  keyward wallets derive --chain evm --count 10\n  keyward wallets derive --phrase 2 --family evm-ledger-live"
    )]
    Derive(DeriveArgs),
    /// List wallets, a page at a time
    #[command(
        after_help = "Examples:\n  keyward wallets list --tag bots --sort label\n  keyward wallets list --offset 1000 --limit 1000 --json"
    )]
    List(ListArgs),
    /// Show one wallet
    #[command(after_help = "Examples:\n  keyward wallets show treasury\n  keyward wallets show '#0' --json")]
    Show {
        /// The wallet
        wallet: String,
    },
    /// Set a wallet's label; an empty one takes it away
    #[command(after_help = "Example:\n  keyward wallets label '#0' treasury")]
    Label {
        /// The wallet
        wallet: String,
        /// The new label
        label: String,
    },
    /// Add and remove tags
    #[command(after_help = "Example:\n  keyward wallets tag '#1' '#2' --add bots --add eu --remove idle")]
    Tag {
        /// The wallets, at most 1000
        #[arg(required = true, num_args = 1..=1000)]
        wallets: Vec<String>,
        /// A tag to add
        #[arg(long, value_name = "TAG", required_unless_present = "remove")]
        add: Vec<String>,
        /// A tag to remove
        #[arg(long, value_name = "TAG")]
        remove: Vec<String>,
    },
    #[command(subcommand)]
    Password(password::Command),
    /// Give wallets to an owner, or take them away from whoever has them
    #[command(
        after_help = "Examples:\n  keyward wallets assign '#1' '#2' --owner 'jane doe'\n  keyward wallets assign '#1' --nobody"
    )]
    Assign(owned::AssignArgs),
    /// Make a wallet its owner's primary one
    #[command(after_help = "Example:\n  keyward wallets primary '#2'")]
    Primary {
        /// The wallet
        wallet: String,
    },
    /// Say what wallets are for
    #[command(after_help = "Example:\n  keyward wallets role '#1' '#2' --role trading")]
    Role(owned::RoleArgs),
    /// Delete a wallet; it can be restored until it is purged
    #[command(after_help = "Example:\n  keyward wallets delete '#3'")]
    Delete(owned::DeleteArgs),
    /// Restore a deleted wallet
    #[command(after_help = "Example:\n  keyward wallets restore '#3'")]
    Restore {
        /// The wallet
        wallet: String,
    },
    /// Destroy the key of a deleted wallet whose grace period is over
    #[command(after_help = "Examples:\n  keyward wallets purge '#3'\n  keyward wallets purge --due")]
    Purge(owned::PurgeArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeriveArgs {
    /// The first index; without it, after the highest one so far
    #[arg(long, value_name = "N")]
    start: Option<u32>,
    /// How many, 1 to 100000
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// The phrase, by its number in `keyward phrases list`; without it, the one that the vault was made with
    #[arg(long = "phrase", value_name = "NUMBER")]
    master: Option<MasterId>,
    /// The path family, of either chain; without it, the phrase's own
    #[arg(long, value_name = "FAMILY", conflicts_with = "chain")]
    family: Option<String>,
    /// The chain, by its usual family: bip44-change or evm-bip44
    #[arg(long, value_name = "CHAIN", value_parser = chain_parser())]
    chain: Option<Chain>,
}

impl DeriveArgs {
    fn request(&self) -> Result<DeriveRequest, Failure> {
        let family = match (&self.family, self.chain) {
            (Some(name), _) => Some(family_among(&PathFamily::ALL, name)?),
            (None, Some(Chain::Solana)) => Some(PathFamily::Bip44Change),
            (None, Some(Chain::Evm)) => Some(PathFamily::EvmBip44),
            (None, None) => None,
        };
        Ok(DeriveRequest {
            master: self.master,
            family,
            start: self.start,
            count: self.count,
        })
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// A piece of the address, the label or a tag; #7 finds index 7
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Only wallets with exactly this tag
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Only wallets of this owner
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Only wallets with this role; empty for those without one
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Only wallets of this status; in-use are active and rotated ones
    #[arg(long, value_enum, default_value_t = Status::InUse)]
    status: Status,
    /// Only wallets of this chain
    #[arg(long, value_name = "CHAIN", value_parser = chain_parser())]
    chain: Option<Chain>,
    /// The order
    #[arg(long, value_enum, default_value_t = Sort::Index)]
    sort: Sort,
    /// Turn the order round
    #[arg(long)]
    descending: bool,
    /// Go on after a page: its `next`, in the same order
    #[arg(long, value_name = "CURSOR")]
    after: Option<WalletCursor>,
    /// How many to skip
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: u64,
    /// How many to print, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Sort {
    Index,
    Label,
    LastUsed,
    Created,
    Trades,
    Volume,
    Owner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Status {
    InUse,
    All,
    Active,
    Rotated,
    Retired,
    Deleted,
    Purged,
}

impl From<Status> for StatusFilter {
    fn from(status: Status) -> Self {
        match status {
            Status::InUse => Self::InUse,
            Status::All => Self::All,
            Status::Active => Self::Only(WalletStatus::Active),
            Status::Rotated => Self::Only(WalletStatus::Rotated),
            Status::Retired => Self::Only(WalletStatus::Retired),
            Status::Deleted => Self::Only(WalletStatus::Deleted),
            Status::Purged => Self::Only(WalletStatus::Purged),
        }
    }
}

impl From<Sort> for WalletSort {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Index => Self::Index,
            Sort::Label => Self::Label,
            Sort::LastUsed => Self::LastUsed,
            Sort::Created => Self::Created,
            Sort::Trades => Self::Trades,
            Sort::Volume => Self::Volume,
            Sort::Owner => Self::Owner,
        }
    }
}

pub(crate) async fn run(context: &mut Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::Derive(args) => derive(context, args.request()?).await,
        Command::List(args) => list(context, args).await,
        Command::Show { wallet } => {
            let (custody, _) = context.open().await?;
            Ok(show(&custody.wallet(&wallet).await?))
        }
        Command::Label { wallet, label } => {
            let custody = context.unlocked().await?;
            let address = custody.wallet(&wallet).await?.address;
            custody.set_label(&address, &label).await?;
            Ok(show(&custody.wallet(&address.to_string()).await?))
        }
        Command::Tag { wallets, add, remove } => tag(context, &wallets, &add, &remove).await,
        Command::Password(command) => password::run(context, command).await,
        Command::Assign(args) => owned::assign(context, args).await,
        Command::Primary { wallet } => owned::primary(context, &wallet).await,
        Command::Role(args) => owned::role(context, args).await,
        Command::Delete(args) => owned::delete(context, args).await,
        Command::Restore { wallet } => owned::restore(context, &wallet).await,
        Command::Purge(args) => owned::purge(context, args).await,
    }
}

async fn derive(context: &Context, request: DeriveRequest) -> Result<Report, Failure> {
    let custody = context.unlocked().await?;
    let progress = Progress::new();
    let mut states = progress.subscribe();
    let mut job = std::pin::pin!(custody.derive_wallets(request, &progress));
    let mut line = ProgressLine::new(context.shows_progress());
    let outcome = loop {
        tokio::select! {
            outcome = &mut job => break outcome,
            Ok(()) = states.changed() => {
                let state = *states.borrow_and_update();
                line.show(&format!("{} of {} wallets", state.done, state.total));
            }
            // The job stops at its next chunk, stores nothing, and says so.
            Ok(()) = tokio::signal::ctrl_c() => progress.cancel(),
        }
    };
    line.clear();
    derived(outcome)
}

fn derived(outcome: Result<DerivedRange, CustodyError>) -> Result<Report, Failure> {
    let DerivedRange { first, count, added } = outcome?;
    // A range that was stored ends within the indices there are.
    let last = first.saturating_add(count.saturating_sub(1));
    let text = format!("{added} new wallets, #{first} to #{last}\n");
    Ok(Report::new(
        text,
        json!({ "first": first, "count": count, "added": added }),
    ))
}

async fn list(context: &Context, args: ListArgs) -> Result<Report, Failure> {
    let (custody, summary) = context.open().await?;
    let query = WalletQuery {
        text: args.filter,
        tag: args.tag,
        owner: args.owner,
        role: args.role,
        status: args.status.into(),
        chain: args.chain,
        sort: args.sort.into(),
        descending: args.descending,
        after: args.after,
        offset: args.offset,
        limit: args.limit,
    };
    let WalletPage { total, rows, next } = custody.wallets(&query).await?;
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("label", Align::Left),
        ("address", Align::Left),
        ("tags", Align::Left),
        ("last used", Align::Left),
    ]);
    for wallet in &rows {
        let used = wallet.last_used_ms.map_or_else(|| "never".to_owned(), time);
        let place = wallet.index.map(|_| wallet.place(summary.family));
        let place = place.as_deref().unwrap_or("-");
        let cells = [
            place.strip_prefix('#').unwrap_or(place).to_owned(),
            wallet.label.clone(),
            wallet.address.to_string(),
            wallet.tags.join(" "),
        ];
        table.row(cells.into_iter().chain([used]));
    }
    let mut text = table.render();
    text.push_str(&format!("{} of {total}\n", rows.len()));
    let wallets: Vec<Value> = rows.iter().map(wallet_json).collect();
    let json = json!({ "total": total, "offset": query.offset, "limit": query.limit, "wallets": wallets,
        "next": next.map(|next| next.to_string()) });
    Ok(Report::new(text, json))
}

async fn tag(
    context: &Context,
    names: &[String],
    add: &[String],
    remove: &[String],
) -> Result<Report, Failure> {
    let custody = context.unlocked().await?;
    let mut addresses = Vec::with_capacity(names.len());
    for name in names {
        addresses.push(custody.wallet(name).await?.address);
    }
    if !add.is_empty() {
        custody.add_tags(&addresses, add).await?;
    }
    if !remove.is_empty() {
        custody.remove_tags(&addresses, remove).await?;
    }
    let mut wallets = Vec::with_capacity(addresses.len());
    for address in &addresses {
        wallets.push(custody.wallet(&address.to_string()).await?);
    }
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("address", Align::Left),
        ("tags", Align::Left),
    ]);
    for wallet in &wallets {
        table.row([wallet.number(), wallet.address.to_string(), wallet.tags.join(" ")]);
    }
    Ok(Report::new(
        table.render(),
        json!({ "wallets": wallets.iter().map(wallet_json).collect::<Vec<_>>() }),
    ))
}

fn show(wallet: &Wallet) -> Report {
    let none = |text: &str| {
        if text.is_empty() {
            "none".to_owned()
        } else {
            text.to_owned()
        }
    };
    let mut shown = vec![
        ("address", wallet.address.to_string()),
        ("chain", wallet.address.chain().id().to_owned()),
        (
            "phrase",
            wallet
                .master
                .map_or_else(|| "none".to_owned(), |id| id.to_string()),
        ),
        ("index", wallet.number()),
        ("path", none(&wallet.path)),
        (
            "own password",
            if wallet.own_password { "yes" } else { "no" }.to_owned(),
        ),
        ("label", none(&wallet.label)),
        ("tags", none(&wallet.tags.join(" "))),
        ("created", time(wallet.created_ms)),
        (
            "last used",
            wallet.last_used_ms.map_or_else(|| "never".to_owned(), time),
        ),
        ("trades", wallet.total_trades.to_string()),
        ("volume", volume(wallet)),
    ];
    shown.extend(life(wallet));
    let text = fields(&shown);
    Report::new(text, json!({ "wallet": wallet_json(wallet) }))
}

/// What it moved away by transactions that it signed, in its chain's own coin.
fn volume(wallet: &Wallet) -> String {
    match wallet.address.chain() {
        Chain::Solana => format!("{} lamports", wallet.total_volume),
        Chain::Evm => format!("{} wei", wallet.total_volume),
    }
}

/// Whose a wallet is and what became of it; what does not apply to it is left out.
fn life(wallet: &Wallet) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    let mut row = |name, value: Option<String>| rows.extend(value.map(|value| (name, value)));
    row("owner", wallet.owner.clone());
    row("primary", wallet.is_primary.then(|| "yes".to_owned()));
    row("role", (!wallet.role.is_empty()).then(|| wallet.role.clone()));
    row("status", Some(wallet.status.to_string()));
    row("receives until", wallet.grace_until_ms.map(time));
    row("purged after", wallet.purge_after_ms.map(time));
    row("came after", wallet.previous.map(|address| address.to_string()));
    row("rotated next", wallet.rotate_at_ms.map(time));
    row(
        "rotations",
        (wallet.rotation_count > 0).then(|| wallet.rotation_count.to_string()),
    );
    rows
}

/// A page by index.
pub(crate) fn page_of(offset: u64, limit: u32) -> WalletQuery {
    WalletQuery {
        offset,
        limit,
        ..WalletQuery::default()
    }
}

/// A wallet as every command gives it.
pub(crate) fn wallet_json(wallet: &Wallet) -> Value {
    json!({
        "index": wallet.index,
        "chain": wallet.address.chain().id(),
        "phrase": wallet.master.map(MasterId::get),
        "family": wallet.family.map(PathFamily::id),
        "own_password": wallet.own_password,
        "address": wallet.address.to_string(),
        "path": wallet.path,
        "label": wallet.label,
        "tags": wallet.tags,
        "created_ms": wallet.created_ms,
        "last_used_ms": wallet.last_used_ms,
        "owner": wallet.owner,
        "primary": wallet.is_primary,
        "role": wallet.role,
        "status": wallet.status.as_str(),
        "status_ms": wallet.status_ms,
        "grace_until_ms": wallet.grace_until_ms,
        "purge_after_ms": wallet.purge_after_ms,
        "previous": wallet.previous.map(|address| address.to_string()),
        "rotate_every_ms": wallet.rotate_every_ms,
        "rotate_at_ms": wallet.rotate_at_ms,
        "rotation_count": wallet.rotation_count,
        "trades": wallet.total_trades,
        "volume": wallet.total_volume.to_string(),
    })
}

/// One line on standard error that is written over itself.
pub(crate) struct ProgressLine {
    shown: bool,
    dirty: bool,
}

impl ProgressLine {
    pub(crate) const fn new(shown: bool) -> Self {
        Self { shown, dirty: false }
    }

    pub(crate) fn show(&mut self, text: &str) {
        if self.shown {
            output::warn(&format!("\r\u{1b}[K{}", output::printable(text)));
            self.dirty = true;
        }
    }

    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.dirty) {
            output::warn("\r\u{1b}[K");
        }
    }
}

/// The wallet's address on Solana, for what only that chain knows.
pub(crate) fn solana(wallet: &Wallet) -> Result<Address, Failure> {
    wallet.solana().copied().ok_or_else(|| {
        Failure::invalid(
            "wrong_chain",
            "the wallet is of another chain than Solana",
            "name a wallet of Solana",
        )
    })
}

/// The wallet's address on EVM chains, for what only they know.
pub(crate) fn evm(wallet: &Wallet) -> Result<EvmAddress, Failure> {
    wallet.address.as_evm().copied().ok_or_else(|| {
        Failure::invalid(
            "wrong_chain",
            "the wallet is of another chain than the Ethereum family",
            "name a wallet of it, such as 'evm-bip44#0'",
        )
    })
}
