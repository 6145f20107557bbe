//! What `keyward consolidate` and `keyward close` have in common: whose wallets, showing a plan, agreeing to it, running it.
//!
//! Planning and running are custody's. Nothing is signed before the plan was shown and agreed to, on the terminal or with
//! `--yes`; `--dry-run` ends there.

mod show;

use keyward_core::address::Address;
use keyward_custody::chain::SolanaNode;
use keyward_custody::jobs::{
    ItemCursor, ItemFilter, JobFormat, JobId, JobItem, JobKind, JobSigners, MAX_JOB_PAGE,
};
use keyward_custody::sweep::{SweepError, SweepPlan, left};
use keyward_custody::{Custody, CustodyError, FeePolicy, Progress, WalletPasswords, WalletQuery};
use serde_json::json;

use self::show::{job_json, job_text, left_json, left_text, plan_json, plan_text, with_fields};
use super::context::{Context, confirm};
use super::jobs::{self, OwnPasswords};
use super::wallets::{ProgressLine, page_of, solana};
use crate::exit::{Exit, Failure};
use crate::output::{self, Report};

/// Rows of one page of wallets.
const PAGE: u32 = 1000;

/// Whose wallets.
#[derive(Debug, clap::Args)]
pub(crate) struct Wallets {
    /// A wallet: address, label or #index; may be repeated
    #[arg(long = "from", value_name = "WALLET")]
    pub(crate) from: Vec<String>,
    /// Every wallet with this tag; may be repeated
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Vec<String>,
    /// Every wallet of the vault that is in use
    #[arg(long, conflicts_with_all = ["from", "tag"])]
    pub(crate) all: bool,
}

/// How it is done.
#[derive(Debug, clap::Args)]
pub(crate) struct Doing {
    /// Version 1 transactions, where the cluster takes them: fewer of them
    #[arg(long)]
    pub(crate) v1: bool,
    /// What is offered for priority: none, micro-lamports such as 5000, or a percentile with a cap such as p75:20000
    #[arg(long, value_name = "POLICY", default_value = "none")]
    pub(crate) fee: FeePolicy,
    /// A name for the job
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) label: String,
    /// Show the plan and end; nothing is signed
    #[arg(long, conflicts_with_all = ["yes", "resume"])]
    pub(crate) dry_run: bool,
    /// Do it without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Go on with this job, which was begun before, instead of planning a new one
    #[arg(long, value_name = "JOB", conflicts_with_all = ["from", "tag", "all"])]
    pub(crate) resume: Option<JobId>,
    #[command(flatten)]
    own: OwnPasswords,
}

impl Doing {
    pub(crate) const fn format(&self) -> JobFormat {
        if self.v1 { JobFormat::V1 } else { JobFormat::Legacy }
    }
}

/// The addresses of the wallets named.
pub(crate) async fn named(custody: &Custody, wallets: &Wallets) -> Result<Vec<Address>, Failure> {
    let mut addresses = Vec::new();
    for name in &wallets.from {
        addresses.push(solana(&custody.wallet(name).await?)?);
    }
    for tag in &wallets.tag {
        let found = every(custody, Some(tag)).await?;
        if found.is_empty() {
            return Err(Failure::new(
                Exit::NotFound,
                "tag_without_wallets",
                "no wallet in use has the tag",
                "see the tags with `keyward wallets list`",
            ));
        }
        addresses.extend(found);
    }
    if wallets.all {
        addresses.extend(every(custody, None).await?);
    }
    if addresses.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "wallets_missing",
            "no wallet was named",
            "name wallets with --from, a tag with --tag, or give --all",
        ));
    }
    Ok(addresses)
}

async fn every(custody: &Custody, tag: Option<&String>) -> Result<Vec<Address>, Failure> {
    let (mut found, mut offset) = (Vec::new(), 0);
    // One more than a sweep takes is refused by it with the number.
    while found.len() <= keyward_custody::sweep::MAX_WALLETS {
        let query = WalletQuery {
            tag: tag.cloned(),
            ..page_of(offset, PAGE)
        };
        let page = custody.wallets(&query).await?;
        if page.rows.is_empty() {
            break;
        }
        found.extend(page.rows.iter().filter_map(|wallet| wallet.solana().copied()));
        offset += u64::from(PAGE);
    }
    Ok(found)
}

/// An own wallet by its name.
pub(crate) async fn own(custody: &Custody, name: Option<&String>) -> Result<Option<Address>, Failure> {
    match name {
        None => Ok(None),
        Some(name) => solana(&custody.wallet(name).await?).map(Some),
    }
}

/// An address, or an own wallet by its name.
pub(crate) async fn anyone(custody: &Custody, name: &str) -> Result<Address, Failure> {
    if let Ok(address) = name.parse::<Address>() {
        return Ok(address);
    }
    match custody.wallet(name).await {
        Ok(wallet) => solana(&wallet),
        Err(CustodyError::NotFound { .. }) => Err(Failure::new(
            Exit::NotFound,
            "recipient_unknown",
            "the recipient is neither an address nor a wallet of this vault",
            "check the spelling; an address is 32 to 44 characters",
        )),
        Err(error) => Err(error.into()),
    }
}

/// Plans, with the wallets counted that were looked at.
pub(crate) async fn planned(
    context: &Context,
    plan: impl AsyncFnOnce(&Progress) -> Result<SweepPlan, SweepError>,
) -> Result<SweepPlan, Failure> {
    let progress = Progress::new();
    let mut states = progress.subscribe();
    let mut line = ProgressLine::new(context.shows_progress());
    let mut work = std::pin::pin!(plan(&progress));
    let result = loop {
        tokio::select! {
            result = &mut work => break result.map_err(Into::into),
            Ok(()) = states.changed() => {
                let state = *states.borrow_and_update();
                line.show(&format!("looked at {} of {} lists of token accounts", state.done, state.total));
            }
            Ok(()) = tokio::signal::ctrl_c() => break Err(Failure::new(
                Exit::Cancelled,
                "cancelled",
                "cancelled; nothing was signed",
                "",
            )),
        }
    };
    line.clear();
    result
}

/// Shows a plan, has it agreed to, stores it as a job and runs it.
pub(crate) async fn carry_out(
    context: &mut Context,
    node: &SolanaNode,
    doing: &Doing,
    plan: SweepPlan,
) -> Result<Report, Failure> {
    let json = plan_json(&plan);
    if plan.job.items.is_empty() {
        let json = with_fields(
            json,
            &[("dry_run", json!(doing.dry_run)), ("outcome", json!("nothing"))],
        );
        return Ok(Report::new(plan_text(&plan), json));
    }
    if doing.dry_run {
        let json = with_fields(json, &[("dry_run", json!(true))]);
        return Ok(Report::new(plan_text(&plan), json).with_exit(verdict(&plan)));
    }
    if !context.is_json() {
        output::warn(&plan_text(&plan));
    }
    if !plan.refusals.is_empty() {
        let failure = Failure::new(
            Exit::Refused,
            "refused",
            "the plan cannot be carried out; nothing was signed",
            "see to each reason and plan again",
        );
        return Err(plan.refusals.iter().fold(failure, |failure, reason| {
            failure.with_reason(&reason.code, reason.text.clone())
        }));
    }
    agree(context, doing.yes)?;
    let (custody, summary) = context.open().await?;
    context.unlock(&custody, &summary).await?;
    // Before anything is stored: who has mistyped a name or a file begins again.
    let passwords = doing.own.read(&custody, &JobSigners::of_new(&plan.job)).await?;
    let id = custody.create_job(plan.job).await?;
    finish(context, &custody, node, (id, passwords), Some(json)).await
}

/// Goes on with a job that was begun before.
pub(crate) async fn resume(
    context: &mut Context,
    node: &SolanaNode,
    (id, doing): (JobId, &Doing),
    kind: JobKind,
) -> Result<Report, Failure> {
    let (custody, summary) = context.open().await?;
    let job = jobs::of_kind(&custody, id, kind).await?;
    context.unlock(&custody, &summary).await?;
    let signers = custody.job_signers(job.id).await?;
    let passwords = doing.own.read(&custody, &signers).await?;
    finish(context, &custody, node, (id, passwords), None).await
}

async fn finish(
    context: &Context,
    custody: &Custody,
    node: &SolanaNode,
    (id, passwords): (JobId, WalletPasswords),
    plan: Option<serde_json::Value>,
) -> Result<Report, Failure> {
    let again = format!("go on with --resume {id}: nothing is moved twice");
    let outcome = jobs::follow(context, custody, node, (id, passwords), again).await?;
    let job = custody.job(id).await?;
    let (word, reason, exit) = jobs::ending(&outcome, &job);
    let left = left(node, &done(custody, id).await?).await?;
    let json = with_fields(
        plan.unwrap_or_else(|| json!({})),
        &[
            ("dry_run", json!(false)),
            ("job", job_json(&job)),
            ("outcome", json!(word)),
            ("reason", json!(reason)),
            ("left", left_json(&left)),
        ],
    );
    let mut text = format!("{}{}{}", job_text(&job), left_text(&left), word);
    if let Some(reason) = reason {
        text.push_str(&format!(": {}", output::printable(reason)));
    }
    text.push('\n');
    Ok(Report::new(text, json).with_exit(exit))
}

/// Every item of a job that is done.
async fn done(custody: &Custody, id: JobId) -> Result<Vec<JobItem>, Failure> {
    let (mut all, mut cursor) = (Vec::new(), ItemCursor::default());
    loop {
        let page = custody
            .job_items(id, ItemFilter::Done, cursor, MAX_JOB_PAGE)
            .await?;
        let Some(last) = page.last() else {
            return Ok(all);
        };
        cursor.after = Some(last.new.number);
        all.extend(page);
    }
}

/// How a dry run ends: as the real one would.
fn verdict(plan: &SweepPlan) -> Exit {
    match (plan.refusals.is_empty(), plan.failures.is_empty()) {
        (false, _) => Exit::Refused,
        (true, false) => Exit::TransferFailed,
        (true, true) => Exit::Ok,
    }
}

fn agree(context: &Context, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let answer = if context.is_json() {
        None
    } else {
        confirm("\nType yes to sign and send: ")
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
            "there is nobody to ask whether to go on",
            "give --yes, or look at it with --dry-run",
        )),
    }
}
