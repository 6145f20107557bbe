//! `keyward wallets password`: a password of a wallet's own, needed besides the vault's.

use keyward_custody::{Custody, CustodyError, Wallet};
use serde_json::json;

use crate::cli::context::{Context, ask_new_password, read_password, wallet_password};
use crate::exit::Failure;
use crate::output::Report;
use crate::secret_input::Source;

/// Set, change or remove a wallet's own password
///
/// A wallet with a password of its own signs only with it. Lost, the key can be had again from its phrase or its file alone.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Put a password of its own on a wallet
    #[command(
        after_help = "Example:\n  keyward wallets password set treasury --new-wallet-password-file wallet.txt"
    )]
    Set {
        /// The wallet
        wallet: String,
        #[command(flatten)]
        new: New,
    },
    /// Change a wallet's own password
    #[command(after_help = "Example:\n  keyward wallets password change treasury")]
    Change {
        /// The wallet
        wallet: String,
        #[command(flatten)]
        old: Old,
        #[command(flatten)]
        new: New,
    },
    /// Take a wallet's own password away
    #[command(after_help = "Example:\n  keyward wallets password remove treasury")]
    Remove {
        /// The wallet
        wallet: String,
        #[command(flatten)]
        old: Old,
    },
}

/// Where the new password comes from.
#[derive(Debug, clap::Args)]
pub(crate) struct New {
    /// Read the new password from a file's only line, or from standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    new_wallet_password_file: Option<Source>,
}

/// Where the password in force comes from.
#[derive(Debug, clap::Args)]
pub(crate) struct Old {
    /// Read the wallet's password from a file's only line, or from standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    wallet_password_file: Option<Source>,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::Set { wallet, new } => {
            let (custody, wallet) = find(context, &wallet).await?;
            if wallet.own_password {
                return Err(Failure::invalid(
                    "wallet_password_there",
                    "the wallet has a password of its own already",
                    "change it with `keyward wallets password change`",
                ));
            }
            set(&custody, &wallet, None, &new).await
        }
        Command::Change { wallet, old, new } => {
            let (custody, wallet) = find(context, &wallet).await?;
            let old = existing(&wallet, &old)?;
            set(&custody, &wallet, Some(&old), &new).await
        }
        Command::Remove { wallet, old } => {
            let (custody, wallet) = find(context, &wallet).await?;
            let old = existing(&wallet, &old)?;
            custody.remove_wallet_password(wallet.address, &old).await?;
            report(
                &custody,
                &wallet,
                "the wallet has no password of its own any more\n",
            )
            .await
        }
    }
}

async fn find(context: &Context, name: &str) -> Result<(Custody, Wallet), Failure> {
    let custody = context.unlocked().await?;
    let wallet = custody.wallet(name).await?;
    Ok((custody, wallet))
}

fn existing(wallet: &Wallet, old: &Old) -> Result<keyward_custody::Password, Failure> {
    wallet_password(wallet, old.wallet_password_file.as_ref())?.ok_or_else(|| {
        Failure::invalid(
            "wallet_password_none",
            "the wallet has no password of its own",
            "put one on it with `keyward wallets password set`",
        )
    })
}

async fn set(
    custody: &Custody,
    wallet: &Wallet,
    old: Option<&keyward_custody::Password>,
    new: &New,
) -> Result<Report, Failure> {
    let new = match &new.new_wallet_password_file {
        Some(source) => read_password(source, "wallet's new password")?,
        None => ask_new_password("New password of the wallet: ")?,
    };
    new.check_strength().map_err(CustodyError::from)?;
    custody.set_wallet_password(wallet.address, old, &new).await?;
    report(
        custody,
        wallet,
        "the wallet signs only with this password from now on\n",
    )
    .await
}

async fn report(custody: &Custody, wallet: &Wallet, text: &str) -> Result<Report, Failure> {
    let wallet = custody.wallet(&wallet.address.to_string()).await?;
    Ok(Report::new(
        text,
        json!({ "wallet": super::wallet_json(&wallet) }),
    ))
}
