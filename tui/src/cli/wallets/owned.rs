//! `keyward wallets assign`, `primary`, `role`, `delete`, `restore` and `purge`.

use keyward_core::account::AccountAddress;
use keyward_custody::{Custody, Password, Purged, Wallet};
use serde_json::{Value, json};

use super::{show, wallet_json};
use crate::cli::context::{Context, ask_password, second_factor_for};
use crate::exit::{Exit, Failure};
use crate::output::{self, Report, time};

#[derive(Debug, clap::Args)]
pub(crate) struct AssignArgs {
    /// The wallets, at most 1000
    #[arg(required = true, num_args = 1..=1000)]
    wallets: Vec<String>,
    /// The owner that gets them
    #[arg(long, value_name = "NAME", required_unless_present = "nobody")]
    owner: Option<String>,
    /// Take them away from whoever has them
    #[arg(long, conflicts_with = "owner")]
    nobody: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RoleArgs {
    /// The wallets, at most 1000
    #[arg(required = true, num_args = 1..=1000)]
    wallets: Vec<String>,
    /// What they are for: trading, treasury, deposit or any other word; empty for nothing in particular
    #[arg(long, value_name = "ROLE")]
    role: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeleteArgs {
    /// The wallet
    wallet: String,
    #[command(flatten)]
    confirmed: Confirmed,
}

/// The wallet's address besides its name: typed when asked for, or given by a script.
#[derive(Debug, clap::Args)]
pub(crate) struct Confirmed {
    /// Do not ask; needs --address
    #[arg(long, requires = "address")]
    yes: bool,
    /// The wallet's whole address, as a second word for it
    #[arg(long, value_name = "ADDRESS", requires = "yes")]
    address: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PurgeArgs {
    /// The wallet
    #[arg(required_unless_present = "due")]
    wallet: Option<String>,
    /// All deleted wallets whose grace period is over
    #[arg(long, conflicts_with = "wallet")]
    due: bool,
    /// Do not ask; needs --address, or --count with --due
    #[arg(long)]
    yes: bool,
    /// The wallet's whole address, as a second word for it
    #[arg(long, value_name = "ADDRESS", requires = "yes", conflicts_with = "due")]
    address: Option<String>,
    /// How many wallets are due
    #[arg(long, value_name = "N", requires_all = ["yes", "due"])]
    count: Option<usize>,
}

pub(super) async fn assign(context: &Context, args: AssignArgs) -> Result<Report, Failure> {
    let custody = context.unlocked().await?;
    let addresses = addresses(&custody, &args.wallets).await?;
    let text = match &args.owner {
        Some(owner) => {
            let done = custody.assign_wallets(owner, &addresses).await?;
            format!(
                "{} wallets assigned; {owner} has {} of at most {}\n",
                done.changed, done.wallets, done.limit
            )
        }
        None => {
            let changed = custody.unassign_wallets(&addresses).await?;
            format!("{changed} wallets taken away from their owners\n")
        }
    };
    several(&custody, &addresses, text).await
}

pub(super) async fn primary(context: &Context, name: &str) -> Result<Report, Failure> {
    let custody = context.unlocked().await?;
    let address = custody.wallet(name).await?.address;
    custody.set_primary(address).await?;
    one(&custody, address).await
}

pub(super) async fn role(context: &Context, args: RoleArgs) -> Result<Report, Failure> {
    let custody = context.unlocked().await?;
    let addresses = addresses(&custody, &args.wallets).await?;
    custody.set_role(&addresses, &args.role).await?;
    let text = format!("{} wallets changed\n", addresses.len());
    several(&custody, &addresses, text).await
}

pub(super) async fn delete(context: &Context, args: DeleteArgs) -> Result<Report, Failure> {
    let custody = context.unlocked().await?;
    let wallet = custody.wallet(&args.wallet).await?;
    let typed = typed_address(&wallet, args.confirmed.address, "delete")?;
    if typed.trim() != wallet.address.to_string() {
        return Err(not_confirmed());
    }
    let until_ms = custody.delete_wallet(wallet.address).await?;
    let wallet = custody.wallet(&wallet.address.to_string()).await?;
    let text = format!(
        "{} is deleted; it can be restored until it is purged, from {} on\n",
        wallet.address,
        time(until_ms)
    );
    Ok(Report::new(text, json!({ "wallet": wallet_json(&wallet) })))
}

pub(super) async fn restore(context: &Context, name: &str) -> Result<Report, Failure> {
    let custody = context.unlocked().await?;
    let address = custody.wallet(name).await?.address;
    let restored = custody.restore_wallet(address).await?;
    let wallet = custody.wallet(&address.to_string()).await?;
    let text = match (&restored.owner, &restored.owner_without_room) {
        (_, Some(owner)) => {
            format!(
                "{address} is {} again, without an owner: {owner} has no room for it\n",
                restored.status
            )
        }
        (Some(owner), None) => format!("{address} is {} again, of owner {owner}\n", restored.status),
        (None, None) => format!("{address} is {} again\n", restored.status),
    };
    let json = json!({
        "wallet": wallet_json(&wallet),
        "owner_without_room": restored.owner_without_room,
    });
    Ok(Report::new(text, json))
}

pub(super) async fn purge(context: &Context, args: PurgeArgs) -> Result<Report, Failure> {
    let (custody, summary) = context.open().await?;
    let factor = second_factor_for(&summary)?;
    let purged = if let Some(name) = &args.wallet {
        let wallet = custody.wallet(name).await?;
        let typed = typed_address(&wallet, args.address, "destroy the key of")?;
        let password = opened(context, &custody, factor.as_ref()).await?;
        custody
            .purge_wallet(wallet.address, &typed, &password, factor.as_ref())
            .await?
    } else {
        let due = custody.due_to_purge().await?.len();
        if due == 0 {
            return Ok(Report::new(
                "no wallet is due\n".to_owned(),
                json!({ "purged": [], "scrubbed": true }),
            ));
        }
        let expected = match args.count {
            Some(count) => count,
            None => typed_count(due)?,
        };
        let password = opened(context, &custody, factor.as_ref()).await?;
        custody.purge_due(expected, &password, factor.as_ref()).await?
    };
    Ok(purged_report(&purged))
}

fn purged_report(purged: &Purged) -> Report {
    let mut text: String = purged
        .wallets
        .iter()
        .map(|address| format!("the key of {address} is destroyed\n"))
        .collect();
    if !purged.scrubbed {
        text.push_str(
            "the database may hold old copies of these rows for a while: on PostgreSQL until it vacuums, on SQLite \
             until other programs let go of its journal\n",
        );
    }
    let wallets: Vec<Value> = purged
        .wallets
        .iter()
        .map(|address| address.to_string().into())
        .collect();
    Report::new(text, json!({ "purged": wallets, "scrubbed": purged.scrubbed }))
}

/// Unlocks, and gives the password for the second question.
async fn opened(
    context: &Context,
    custody: &Custody,
    factor: Option<&keyward_core::vault::SecondFactor>,
) -> Result<Password, Failure> {
    let password = match context.given_password()? {
        Some(password) => password,
        None => ask_password("Password: ")?,
    };
    custody.unlock(&password, factor).await?;
    Ok(password)
}

/// The address, as a person or a script gave it once more.
fn typed_address(wallet: &Wallet, given: Option<String>, what: &str) -> Result<String, Failure> {
    match given {
        Some(address) => Ok(address),
        None => ask(&format!(
            "This will {what} wallet {}.\nType its whole address to go on: ",
            wallet.address
        )),
    }
}

fn typed_count(due: usize) -> Result<usize, Failure> {
    let typed = ask(&format!(
        "This will destroy the keys of {due} wallets.\nType how many to go on: "
    ))?;
    typed.trim().parse().map_err(|_| not_confirmed())
}

/// A line of a person's; there must be one to ask.
fn ask(question: &str) -> Result<String, Failure> {
    use std::io::{self, IsTerminal};
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Failure::new(
            Exit::Usage,
            "confirmation_needed",
            "nobody is there to confirm this",
            "say --yes, and --address with the wallet's whole address (--count with --due)",
        ));
    }
    output::warn(question);
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|_| not_confirmed())?;
    Ok(answer)
}

fn not_confirmed() -> Failure {
    Failure::new(
        Exit::Cancelled,
        "not_confirmed",
        "it was not confirmed; nothing was changed",
        "give the wallet's whole address, exactly",
    )
}

async fn addresses(custody: &Custody, names: &[String]) -> Result<Vec<AccountAddress>, Failure> {
    let mut addresses = Vec::with_capacity(names.len());
    for name in names {
        addresses.push(custody.wallet(name).await?.address);
    }
    Ok(addresses)
}

async fn one(custody: &Custody, address: AccountAddress) -> Result<Report, Failure> {
    Ok(show(&custody.wallet(&address.to_string()).await?))
}

async fn several(custody: &Custody, addresses: &[AccountAddress], text: String) -> Result<Report, Failure> {
    let mut wallets = Vec::with_capacity(addresses.len());
    for address in addresses {
        wallets.push(wallet_json(&custody.wallet(&address.to_string()).await?));
    }
    Ok(Report::new(text, json!({ "wallets": wallets })))
}
