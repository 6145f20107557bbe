//! `keyward consolidate`: SOL and tokens of many wallets into one.

use keyward_core::address::Address;
use keyward_custody::jobs::JobKind;
use keyward_custody::sweep::{Collect, ConsolidateRequest, Emptied};

use super::context::Context;
use super::sweep::{self, Doing, Wallets};
use crate::exit::{Exit, Failure};
use crate::output::Report;

/// Collect SOL and tokens of many wallets in one, to exactly zero; needs a node
///
/// The plan is shown and agreed to before anything is signed. Another wallet pays the fees, so that wallets end at exactly
/// zero: the recipient, if it is of this vault, or --sponsor. Emptied token accounts are closed. What does not move, such as
/// frozen accounts, is listed with its reason.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward consolidate --all --to treasury --dry-run
  keyward consolidate --tag bots --to treasury --sponsor '#1' --yes --json
  keyward consolidate --from '#3' --from '#4' --to treasury --sol
  keyward consolidate --resume 0123456789abcdef0123456789abcdef")]
pub(crate) struct Args {
    #[command(flatten)]
    wallets: Wallets,
    /// Who gets it all: an address, or the label or #index of an own wallet
    #[arg(long, value_name = "RECIPIENT", required_unless_present = "resume")]
    to: Option<String>,
    /// The own wallet that pays fees and the rent of new token accounts; its own SOL stays
    #[arg(long, value_name = "WALLET")]
    sponsor: Option<String>,
    /// SOL alone
    #[arg(long, conflicts_with_all = ["tokens", "mint"])]
    sol: bool,
    /// Tokens alone
    #[arg(long, conflicts_with = "mint")]
    tokens: bool,
    /// This token alone, by its mint; may be repeated
    #[arg(long, value_name = "MINT")]
    mint: Vec<Address>,
    /// Leave emptied token accounts open
    #[arg(long)]
    keep_accounts: bool,
    #[command(flatten)]
    doing: Doing,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let node = context.node()?;
    if let Some(job) = args.doing.resume {
        return sweep::resume(context, &node, (job, &args.doing), JobKind::Consolidation).await;
    }
    let (custody, _) = context.open().await?;
    let to = args.to.as_deref().ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "recipient_missing",
            "no recipient was named",
            "name one with --to",
        )
    })?;
    let request = ConsolidateRequest {
        label: args.doing.label.clone(),
        sources: sweep::named(&custody, &args.wallets).await?,
        to: sweep::anyone(&custody, to).await?,
        sponsor: sweep::own(&custody, args.sponsor.as_ref()).await?,
        collect: match (args.sol, args.tokens, args.mint.is_empty()) {
            (true, ..) => Collect::Sol,
            (_, true, _) => Collect::Tokens,
            (.., false) => Collect::Mints(args.mint.clone()),
            (.., true) => Collect::Everything,
        },
        emptied: if args.keep_accounts {
            Emptied::Keep
        } else {
            Emptied::Close
        },
        format: args.doing.format(),
        fee: args.doing.fee,
    };
    let plan = sweep::planned(context, async |progress| {
        custody.plan_consolidation(&node, &request, progress).await
    })
    .await?;
    sweep::carry_out(context, &node, &args.doing, plan).await
}
