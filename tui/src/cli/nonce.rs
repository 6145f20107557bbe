//! `keyward nonce`: durable nonces of a wallet, for transactions that take longer than a blockhash lives.

use keyward_core::address::Address;
use keyward_custody::PreviewDecision;
use keyward_custody::transfer::TransferProgress;
use keyward_custody::transfer::nonce::{
    MAX_NONCES, NonceAccount, NonceAction, NoncePlan, nonce_address, nonces, prepare_nonce, submit_nonce,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::context::{Context, confirm, wallet_passwords};
use super::send::{follow, outcome_exit, outcome_json, outcome_text};
use super::wallets::solana;
use crate::exit::{Exit, Failure};
use crate::output::{self, Align, Report, Table, printable, sol};
use crate::secret_input::Source;

/// Make, list, advance and close durable nonces; needs a node
///
/// A transaction with a durable nonce (`keyward send --nonce`) can land until the nonce is advanced, and not just for the minute that
/// a blockhash lives. A wallet has up to 20; they are at addresses that follow from its own.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List a wallet's durable nonces
    #[command(after_help = "Example:\n  keyward nonce list --wallet treasury")]
    List {
        /// The wallet: address, label or #index
        #[arg(long, value_name = "WALLET")]
        wallet: String,
    },
    /// Make one; the wallet pays the rent of its account
    #[command(after_help = "Example:\n  keyward nonce create --wallet treasury --yes")]
    Create {
        #[command(flatten)]
        step: Step,
    },
    /// Give one its next value: what was prepared with the present one can no longer land
    #[command(after_help = "Example:\n  keyward nonce advance 0 --wallet treasury --yes")]
    Advance {
        /// The nonce: its number or its account
        nonce: String,
        #[command(flatten)]
        step: Step,
    },
    /// Close one; all that its account holds goes back to the wallet
    #[command(after_help = "Example:\n  keyward nonce close 0 --wallet treasury --yes")]
    Close {
        /// The nonce: its number or its account
        nonce: String,
        #[command(flatten)]
        step: Step,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Step {
    /// The wallet that has authority over it: address, label or #index
    #[arg(long, value_name = "WALLET")]
    wallet: String,
    /// Sign and send without asking
    #[arg(long)]
    yes: bool,
    /// Read the wallet's own password, where it has one, from this file's only line, or from standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    wallet_password_file: Option<Source>,
}

pub(crate) async fn run(context: &mut Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::List { wallet } => list(context, &wallet).await,
        Command::Create { step } => act(context, step, |_| Ok(NonceAction::Create)).await,
        Command::Advance { nonce, step } => {
            act(context, step, |wallet| {
                Ok(NonceAction::Advance(account(wallet, &nonce)?))
            })
            .await
        }
        Command::Close { nonce, step } => {
            act(context, step, |wallet| {
                Ok(NonceAction::Close(account(wallet, &nonce)?))
            })
            .await
        }
    }
}

/// A wallet's own by its number, or any by its account.
pub(crate) fn account(wallet: &Address, nonce: &str) -> Result<Address, Failure> {
    let number = nonce.trim_start_matches('#').parse::<u32>().ok();
    match number.filter(|number| *number < MAX_NONCES) {
        Some(number) => Ok(nonce_address(wallet, number)?),
        None => nonce.parse().map_err(|_| {
            Failure::invalid(
                "nonce_invalid",
                format!("the nonce is neither a number below {MAX_NONCES} nor an address"),
                "see `keyward nonce list`",
            )
        }),
    }
}

async fn list(context: &mut Context, wallet: &str) -> Result<Report, Failure> {
    let node = context.node()?;
    let (custody, _) = context.open().await?;
    let wallet = solana(&custody.wallet(wallet).await?)?;
    let found = nonces(&node, &wallet).await?;
    let mut table = Table::new(&[
        ("number", Align::Right),
        ("account", Align::Left),
        ("value", Align::Left),
        ("holds", Align::Right),
    ]);
    for nonce in &found {
        table.row([
            nonce.number.to_string(),
            nonce.address.to_string(),
            nonce.value.to_string(),
            sol(Some(nonce.lamports)),
        ]);
    }
    let nonces: Vec<Value> = found.iter().map(nonce_json).collect();
    let json = json!({ "wallet": wallet.to_string(), "nonces": nonces });
    Ok(Report::new(table.render(), json))
}

fn nonce_json(nonce: &NonceAccount) -> Value {
    json!({
        "number": nonce.number,
        "account": nonce.address.to_string(),
        "authority": nonce.authority.to_string(),
        "value": nonce.value.to_string(),
        "lamports": nonce.lamports.get(),
    })
}

async fn act(
    context: &mut Context,
    step: Step,
    action: impl FnOnce(&Address) -> Result<NonceAction, Failure>,
) -> Result<Report, Failure> {
    let node = context.node()?;
    let (custody, summary) = context.open().await?;
    let wallet = custody.wallet(&step.wallet).await?;
    let address = solana(&wallet)?;
    let plan = prepare_nonce(&custody, &node, address, action(&address)?).await?;
    agree(context, &plan, step.yes)?;
    context.unlock(&custody, &summary).await?;
    let passwords = wallet_passwords(&wallet, step.wallet_password_file.as_ref())?;
    let account = plan.account;
    let (sender, states) = watch::channel(TransferProgress::default());
    let job = submit_nonce(&custody, &node, plan, passwords, sender);
    let outcome = follow(context, job, states).await?;
    let mut json = outcome_json(&outcome);
    if let Some(fields) = json.as_object_mut() {
        fields.insert("account".to_owned(), json!(account.to_string()));
    }
    let text = format!("nonce {account}\n{}", outcome_text(&outcome));
    Ok(Report::new(text, json).with_exit(outcome_exit(&outcome)))
}

fn agree(context: &Context, plan: &NoncePlan, yes: bool) -> Result<(), Failure> {
    if !context.is_json() {
        let mut text = format!("fee  {}\n", sol(Some(plan.fee)));
        for sentence in plan.intent.sentences() {
            text.push_str(&format!("  {}\n", printable(&sentence)));
        }
        output::warn(&text);
    }
    if yes {
        return Ok(());
    }
    if let PreviewDecision::Refused { reasons } = &plan.decision.decision {
        let failure = Failure::new(
            Exit::Refused,
            "refused",
            "refused by policy; nothing was signed",
            "change the policy",
        );
        return Err(reasons.iter().fold(failure, |failure, reason| {
            failure.with_reason(&reason.code, reason.text.clone())
        }));
    }
    let answer = match context.is_json() {
        true => None,
        false => confirm("\nType yes to sign and send: "),
    };
    match answer {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::new(
            Exit::Cancelled,
            "cancelled",
            "cancelled; nothing was signed",
            "",
        )),
        None => Err(Failure::new(
            Exit::Usage,
            "confirmation_missing",
            "there is nobody to ask",
            "give --yes",
        )),
    }
}
