//! `keyward owners`: whose wallets are whose.

use keyward_custody::{Owner, OwnerQuery};
use serde_json::{Value, json};

use super::context::Context;
use crate::exit::Failure;
use crate::output::{Align, Report, Table, fields, time};

/// Add, list, rename and remove owners of wallets
///
/// An owner has at most as many active wallets as the vault's setting max_wallets_per_owner says. Wallets are given to one
/// with `keyward wallets assign`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List owners by name, a page at a time
    #[command(
        after_help = "Examples:\n  keyward owners list\n  keyward owners list --filter smith --json\n  keyward owners list --after 'jane doe'"
    )]
    List(ListArgs),
    /// Show one owner
    #[command(after_help = "Example:\n  keyward owners show 'jane doe'")]
    Show {
        /// The owner's name
        owner: String,
    },
    /// Add an owner
    #[command(after_help = "Example:\n  keyward owners add 'jane doe'")]
    Add {
        /// The name, at most 64 characters
        owner: String,
    },
    /// Give an owner another name
    #[command(after_help = "Example:\n  keyward owners rename 'jane doe' 'jane roe'")]
    Rename {
        /// The owner's name
        owner: String,
        /// The new name
        name: String,
    },
    /// Remove an owner that has no wallets
    #[command(after_help = "Example:\n  keyward owners remove 'jane doe'")]
    Remove {
        /// The owner's name
        owner: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// A piece of the name
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,
    /// Only those after this name
    #[arg(long, value_name = "NAME")]
    after: Option<String>,
    /// How many to print, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::List(args) => list(context, args).await,
        Command::Show { owner } => {
            let (custody, _) = context.open().await?;
            Ok(show(&custody.owner(&owner).await?))
        }
        Command::Add { owner } => {
            let custody = context.unlocked().await?;
            custody.create_owner(&owner).await?;
            Ok(show(&custody.owner(&owner).await?))
        }
        Command::Rename { owner, name } => {
            let custody = context.unlocked().await?;
            custody.rename_owner(&owner, &name).await?;
            Ok(show(&custody.owner(&name).await?))
        }
        Command::Remove { owner } => {
            let custody = context.unlocked().await?;
            let before = custody.owner(&owner).await?;
            custody.remove_owner(&owner).await?;
            let text = format!("{} is removed\n", before.name);
            Ok(Report::new(text, json!({ "removed": before.name })))
        }
    }
}

async fn list(context: &Context, args: ListArgs) -> Result<Report, Failure> {
    let (custody, _) = context.open().await?;
    let query = OwnerQuery {
        text: args.filter,
        after: args.after,
        limit: args.limit,
    };
    let page = custody.owners(&query).await?;
    let mut table = Table::new(&[
        ("owner", Align::Left),
        ("wallets", Align::Right),
        ("others", Align::Right),
        ("primary", Align::Left),
    ]);
    for owner in &page.rows {
        table.row([
            owner.name.clone(),
            owner.wallets.to_string(),
            owner.others.to_string(),
            primary(owner).unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    let mut text = table.render();
    text.push_str(&format!("{} of {}\n", page.rows.len(), page.total));
    let owners: Vec<Value> = page.rows.iter().map(owner_json).collect();
    Ok(Report::new(
        text,
        json!({ "total": page.total, "owners": owners }),
    ))
}

fn show(owner: &Owner) -> Report {
    let text = fields(&[
        ("owner", owner.name.clone()),
        ("wallets", owner.wallets.to_string()),
        ("others", owner.others.to_string()),
        ("primary", primary(owner).unwrap_or_else(|| "none".to_owned())),
        ("created", time(owner.created_ms)),
    ]);
    Report::new(text, json!({ "owner": owner_json(owner) }))
}

fn primary(owner: &Owner) -> Option<String> {
    owner.primary.map(|address| address.to_string())
}

fn owner_json(owner: &Owner) -> Value {
    json!({
        "name": owner.name,
        "wallets": owner.wallets,
        "others": owner.others,
        "primary": primary(owner),
        "created_ms": owner.created_ms,
    })
}
