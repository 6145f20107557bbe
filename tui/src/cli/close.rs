//! `keyward close`: empty token accounts closed for their rent.

use keyward_custody::jobs::JobKind;
use keyward_custody::sweep::{CloseRequest, RentTo, WrappedSol};

use super::context::Context;
use super::sweep::{self, Doing, Wallets};
use crate::exit::Failure;
use crate::output::Report;

/// Close empty token accounts of both programs for their rent; needs a node
///
/// The plan is shown and agreed to before anything is signed. Accounts that are frozen, that only somebody else may close, or
/// that withhold transfer fees are listed and left; of those that hold tokens, what lies above their rent is withdrawn.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward close --from treasury --dry-run
  keyward close --all --rent-to treasury --yes --json
  keyward close --tag bots --rent-to treasury --sponsor '#1' --v1
  keyward close --resume 0123456789abcdef0123456789abcdef")]
pub(crate) struct Args {
    #[command(flatten)]
    wallets: Wallets,
    /// The own wallet that gets the rent; without it each owner does
    #[arg(long, value_name = "WALLET")]
    rent_to: Option<String>,
    /// The own wallet that pays the fees; without it whoever gets the rent, or the only wallet
    #[arg(long, value_name = "WALLET")]
    sponsor: Option<String>,
    /// Close accounts of wrapped SOL too, with all of their SOL
    #[arg(long)]
    unwrap: bool,
    #[command(flatten)]
    doing: Doing,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let node = context.node()?;
    if let Some(job) = args.doing.resume {
        return sweep::resume(context, &node, (job, &args.doing), JobKind::Closing).await;
    }
    let (custody, _) = context.open().await?;
    let request = CloseRequest {
        label: args.doing.label.clone(),
        wallets: sweep::named(&custody, &args.wallets).await?,
        rent_to: sweep::own(&custody, args.rent_to.as_ref())
            .await?
            .map_or(RentTo::Owner, RentTo::Wallet),
        sponsor: sweep::own(&custody, args.sponsor.as_ref()).await?,
        wrapped: if args.unwrap {
            WrappedSol::Unwrap
        } else {
            WrappedSol::Keep
        },
        format: args.doing.format(),
        fee: args.doing.fee,
    };
    let plan = sweep::planned(context, async |progress| {
        custody.plan_closing(&node, &request, progress).await
    })
    .await?;
    sweep::carry_out(context, &node, &args.doing, plan).await
}
