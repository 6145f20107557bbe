//! `keyward distribute`: plan payments to many, run them, and hold them against the chain.
//!
//! A plan is shown and agreed to, on the terminal or with `--yes`, before it is stored; running it is a command of its own.
//! Planning, signing and following are custody's.

mod options;
mod outcome;

use clap::Subcommand;
use keyward_custody::Custody;
use keyward_custody::distribution::{
    self, DistributionPlan, EditPlan, RebuildOptions, RebuildProgress, Strangers, Trial,
};
use keyward_custody::jobs::{JobId, JobKind};
use serde_json::{Value, json};
use tokio::sync::watch;

use self::options::{PlanArgs, Shown};
use self::outcome::{plan_json, plan_text, report_json, report_text};
use super::context::{Context, confirm};
use super::jobs::{self, JobArgs, RunArgs, ShowArgs, Steer};
use super::wallets::ProgressLine;
use crate::exit::{Exit, Failure};
use crate::output::{self, Report};

const KIND: JobKind = JobKind::Distribution;

/// Pay SOL or a token to many, exactly once each
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge, pack and price a distribution, and store it once it is agreed to; needs a node
    #[command(after_help = "\
The list has one recipient a line: recipient,amount[,memo]. A recipient is an address, a label, '#7', tag:NAME or owner:NAME.
With --total the amounts are divided from it: evenly, at random, or by the weights in the second column.

Examples:
  keyward distribute plan --from treasury --list march.csv --label march
  keyward distribute plan --from treasury --to tag:bots --total '50 SOL' --divide random --min 0.1 --max 2 --dry-run
  keyward distribute plan --from treasury --token EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v --list team.csv --yes")]
    Plan(PlanCommand),
    /// Carry out a stored distribution, or go on with it; needs a node
    #[command(after_help = "Examples:\n  keyward distribute run 0f1e2d3c4b5a69788796a5b4c3d2e1f0")]
    Run(RunArgs),
    /// List stored distributions
    #[command(after_help = "Examples:\n  keyward distribute list --json")]
    List,
    /// Show a distribution and its payments
    #[command(
        after_help = "Examples:\n  keyward distribute show 0f1e2d3c4b5a69788796a5b4c3d2e1f0 --items failed"
    )]
    Show(ShowArgs),
    /// Sign nothing new of a distribution until it is resumed
    #[command(after_help = "Examples:\n  keyward distribute pause 0f1e2d3c4b5a69788796a5b4c3d2e1f0")]
    Pause(JobArgs),
    /// Let a paused distribution go on when it is run again
    #[command(after_help = "Examples:\n  keyward distribute resume 0f1e2d3c4b5a69788796a5b4c3d2e1f0")]
    Resume(JobArgs),
    /// Give up what is not paid yet, for good
    #[command(after_help = "Examples:\n  keyward distribute cancel 0f1e2d3c4b5a69788796a5b4c3d2e1f0")]
    Cancel(JobArgs),
    /// Plan failed payments again
    #[command(after_help = "Examples:\n  keyward distribute retry 0f1e2d3c4b5a69788796a5b4c3d2e1f0")]
    Retry(JobArgs),
    /// Replace a distribution by an edited one that pays only the difference; needs a node
    #[command(after_help = "\
Examples:
  keyward distribute edit 0f1e2d3c4b5a69788796a5b4c3d2e1f0 --from treasury --list march-2.csv --label march")]
    Edit(EditCommand),
    /// Compare what was to be paid with what the chain says; needs a node
    #[command(after_help = "Examples:\n  keyward distribute report 0f1e2d3c4b5a69788796a5b4c3d2e1f0 --json")]
    Report(JobArgs),
    /// Store a distribution again whose database was lost, with what the chain says it has paid; needs a node
    #[command(after_help = "\
Give the list, the label and the options exactly as they were: they lead to the transactions on chain.

Examples:
  keyward distribute rebuild --from treasury --list march.csv --label march")]
    Rebuild(RebuildCommand),
}

#[derive(Debug, clap::Args)]
pub(crate) struct PlanCommand {
    #[command(flatten)]
    plan: PlanArgs,
    /// Try every transaction out on the node and end; nothing is stored
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Store it without asking
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct EditCommand {
    /// The distribution that is edited
    #[arg(value_name = "JOB")]
    job: JobId,
    #[command(flatten)]
    plan: PlanArgs,
    /// Try every transaction out on the node and end; nothing is cancelled or stored
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Cancel the first one and store the difference without asking
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RebuildCommand {
    #[command(flatten)]
    plan: PlanArgs,
    /// The first distribution's id, where the list is an edited one
    #[arg(long, value_name = "JOB")]
    job: Option<JobId>,
    /// Leave out transactions under its reference that no wallet of this vault signed; only if no such wallet was ever yours
    #[arg(long)]
    leave_out_strangers: bool,
}

pub(crate) async fn run(context: &mut Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::Plan(args) => plan(context, args).await,
        Command::Run(args) => jobs::run(context, args, KIND).await,
        Command::List => jobs::list(context, KIND).await,
        Command::Show(args) => jobs::show(context, args, KIND).await,
        Command::Pause(args) => jobs::steer(context, &args, KIND, Steer::Pause).await,
        Command::Resume(args) => jobs::steer(context, &args, KIND, Steer::Resume).await,
        Command::Cancel(args) => jobs::steer(context, &args, KIND, Steer::Cancel).await,
        Command::Retry(args) => jobs::steer(context, &args, KIND, Steer::Retry).await,
        Command::Edit(args) => edit(context, args).await,
        Command::Report(args) => report(context, &args).await,
        Command::Rebuild(args) => rebuild(context, args).await,
    }
}

fn trial(dry_run: bool) -> Trial {
    match dry_run {
        true => Trial::All,
        false => Trial::Sample,
    }
}

async fn plan(context: &mut Context, args: PlanCommand) -> Result<Report, Failure> {
    let node = context.node()?;
    let (custody, summary) = context.open().await?;
    let (request, shown) = args.plan.request(&custody, &node).await?;
    let plan = distribution::prepare(&custody, &node, &request, trial(args.dry_run)).await?;
    let json = with(plan_json(&plan, &shown), "stored", json!(false));
    if args.dry_run {
        return Ok(Report::new(plan_text(&plan, &shown), json).with_exit(verdict(&plan)));
    }
    if let Some(refused) = agree(context, &plan, &shown, args.yes)? {
        return Ok(refused);
    }
    context.unlock(&custody, &summary).await?;
    let id = distribution::create(&custody, &plan).await?;
    let text = format!("stored; carry it out with: keyward distribute run {id}\n");
    Ok(Report::new(text, with(json, "stored", json!(true))))
}

/// How a plan that is not stored ends.
fn verdict(plan: &DistributionPlan) -> Exit {
    match plan.is_ready() {
        true => Exit::Ok,
        false => Exit::InvalidInput,
    }
}

/// Shows a plan and has it agreed to; a plan that cannot be stored comes back as the report of that.
fn agree(
    context: &Context,
    plan: &DistributionPlan,
    shown: &Shown,
    yes: bool,
) -> Result<Option<Report>, Failure> {
    let findings = !plan.refused().is_empty() || !plan.asked().is_empty();
    if findings {
        let json = with(plan_json(plan, shown), "stored", json!(false));
        return Ok(Some(
            Report::new(plan_text(plan, shown), json).with_exit(Exit::InvalidInput),
        ));
    }
    if !context.is_json() {
        output::warn(&plan_text(plan, shown));
    }
    if yes {
        return Ok(None);
    }
    let answer = match context.is_json() {
        true => None,
        false => confirm("\nType yes to store it: "),
    };
    match answer {
        Some(true) => Ok(None),
        Some(false) => Err(Failure::new(
            Exit::Cancelled,
            "cancelled",
            "cancelled; nothing was stored",
            "",
        )),
        None => Err(Failure::new(
            Exit::Usage,
            "confirmation_missing",
            "there is nobody to ask whether to store it",
            "give --yes, or look at it with --dry-run",
        )),
    }
}

async fn edit(context: &mut Context, args: EditCommand) -> Result<Report, Failure> {
    let node = context.node()?;
    let (custody, summary) = context.open().await?;
    jobs::of_kind(&custody, args.job, KIND).await?;
    let (request, shown) = args.plan.request(&custody, &node).await?;
    let edit = distribution::prepare_edit(&custody, &node, args.job, &request, trial(args.dry_run)).await?;
    let json = with(edit_json(&edit, &shown), "stored", json!(false));
    if args.dry_run {
        return Ok(Report::new(plan_text(&edit.plan, &shown), json).with_exit(verdict_of_edit(&edit)));
    }
    if let Some(refused) = agree(context, &edit.plan, &shown, args.yes)? {
        return Ok(refused);
    }
    context.unlock(&custody, &summary).await?;
    let stored = distribution::apply_edit(&custody, &edit).await?;
    let text = match stored {
        Some(id) => format!(
            "{} is cancelled; carry the rest out with: keyward distribute run {id}\n",
            args.job
        ),
        None => format!("{} is cancelled; nothing is left to pay\n", args.job),
    };
    Ok(Report::new(text, with(json, "stored", json!(stored.is_some()))))
}

fn verdict_of_edit(edit: &EditPlan) -> Exit {
    match edit.plan.refused().is_empty() && edit.plan.asked().is_empty() {
        true => Exit::Ok,
        false => Exit::InvalidInput,
    }
}

fn edit_json(edit: &EditPlan, shown: &Shown) -> Value {
    let json = with(plan_json(&edit.plan, shown), "edits", json!(edit.of.to_string()));
    let paid: u64 = edit.paid.values().copied().fold(0, u64::saturating_add);
    with(json, "paid_before", json!(paid))
}

async fn report(context: &mut Context, args: &JobArgs) -> Result<Report, Failure> {
    let node = context.node()?;
    let (custody, _) = context.open().await?;
    let report = distribution::report(&custody, &node, args.job).await?;
    let decimals = decimals_of(&custody, args.job).await?;
    let exit = match report.agrees() {
        true => Exit::Ok,
        false => Exit::Unverified,
    };
    Ok(Report::new(report_text(&report, decimals), report_json(&report)).with_exit(exit))
}

/// The decimals that a distribution's amounts are shown with; none for SOL.
async fn decimals_of(custody: &Custody, job: JobId) -> Result<Option<u8>, Failure> {
    use keyward_custody::jobs::{ItemAction, ItemCursor, ItemFilter};
    let items = custody
        .job_items(job, ItemFilter::All, ItemCursor::default(), 1)
        .await?;
    Ok(items.first().and_then(|item| match item.new.action {
        ItemAction::PayToken { decimals, .. } => Some(decimals),
        _ => None,
    }))
}

async fn rebuild(context: &mut Context, args: RebuildCommand) -> Result<Report, Failure> {
    let node = context.node()?;
    let (custody, summary) = context.open().await?;
    let (request, _) = args.plan.request(&custody, &node).await?;
    context.unlock(&custody, &summary).await?;
    let (sender, mut states) = watch::channel(RebuildProgress::default());
    let mut line = ProgressLine::new(context.shows_progress());
    let options = RebuildOptions {
        first: args.job,
        strangers: match args.leave_out_strangers {
            true => Strangers::LeaveOut,
            false => Strangers::Refuse,
        },
    };
    let mut work = std::pin::pin!(distribution::rebuild(&custody, &node, &request, options, &sender));
    let rebuilt = loop {
        tokio::select! {
            done = &mut work => break done,
            changed = states.changed() => if changed.is_ok() {
                let RebuildProgress { height, needed } = *states.borrow_and_update();
                line.show(&format!("waiting until nothing old can land: block {height} of {needed}"));
            },
        }
    };
    line.clear();
    let rebuilt = rebuilt?;
    let job = rebuilt.job.map(|id| id.to_string());
    let json = json!({
        "job": job, "transactions": rebuilt.transactions, "payments_found": rebuilt.payments_found,
        "paid": rebuilt.paid, "left": rebuilt.left,
    });
    let text = format!(
        "{} payments in {} transactions are on chain; {} payments are left\n{}",
        rebuilt.payments_found,
        rebuilt.transactions,
        rebuilt.left,
        job.map_or_else(
            || "nothing was stored: nothing is left to pay\n".to_owned(),
            |id| format!("stored; go on with: keyward distribute run {id}\n")
        )
    );
    Ok(Report::new(text, json))
}

fn with(mut json: Value, name: &str, value: Value) -> Value {
    if let Some(object) = json.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
    json
}
