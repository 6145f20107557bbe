//! Running and steering stored jobs, of whatever kind: distributions, consolidations, closings.
//!
//! Everything is custody's; here a job is named, its progress shown, and its end told by an exit code.

use keyward_core::amount::format_units_short;
use keyward_custody::chain::SolanaNode;
use keyward_custody::jobs::{
    ItemAction, ItemCursor, ItemFilter, ItemState, Job, JobId, JobItem, JobKind, JobOutcome, JobProgress,
    JobQuery, JobSigners, MAX_JOB_PAGE,
};
use keyward_custody::{Custody, Wallet, WalletPasswords};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::context::{Context, wallet_password_by};
use super::wallets::ProgressLine;
use crate::exit::{Exit, Failure};
use crate::output::{self, Align, Report, Table, fields};
use crate::secret_input::Source;

/// A stored job.
#[derive(Debug, clap::Args)]
pub(crate) struct JobArgs {
    /// The job's id: 32 hexadecimal digits
    #[arg(value_name = "JOB")]
    pub(crate) job: JobId,
}

/// How a job is run.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// The job's id: 32 hexadecimal digits
    #[arg(value_name = "JOB")]
    pub(crate) job: JobId,
    #[command(flatten)]
    pub(crate) own: OwnPasswords,
}

/// Where the passwords are that wallets of a job have of their own; a person is asked for those not given.
#[derive(Debug, clap::Args)]
pub(crate) struct OwnPasswords {
    /// Read the fee payer's own password, where it has one, from this file's only line, or from standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    wallet_password_file: Option<Source>,
    /// Read the own password of another wallet (address, label or #index) from this file's only line; may be repeated
    #[arg(long, value_name = "WALLET=FILE", value_parser = parse_password_of)]
    password_of: Vec<(String, Source)>,
}

fn parse_password_of(text: &str) -> Result<(String, Source), String> {
    match text.rsplit_once('=') {
        Some((wallet, file)) if !wallet.is_empty() && !file.is_empty() => {
            let Ok(source) = file.parse();
            Ok((wallet.to_owned(), source))
        }
        _ => Err("write a wallet, =, and the file that holds its password".into()),
    }
}

impl OwnPasswords {
    /// The passwords of those wallets that still sign.
    pub(crate) async fn read(
        &self,
        custody: &Custody,
        signers: &JobSigners,
    ) -> Result<WalletPasswords, Failure> {
        let mut given = Vec::new();
        for (name, source) in &self.password_of {
            let wallet = custody.wallet(name).await?;
            check_named(&wallet, signers)?;
            given.push((wallet.address, source));
        }
        let mut passwords = WalletPasswords::none();
        for wallet in custody.with_own_passwords(&signers.left).await? {
            let is_payer = wallet.solana() == Some(&signers.fee_payer);
            let named = given.iter().find(|(address, _)| *address == wallet.address);
            let source = match named {
                Some((_, source)) => Some(*source),
                None if is_payer => self.wallet_password_file.as_ref(),
                None => None,
            };
            let option = match is_payer {
                true => "--wallet-password-file FILE",
                false => "--password-of WALLET=FILE",
            };
            if let Some(password) = wallet_password_by(&wallet, source, option)? {
                passwords.add(wallet.address, password);
            }
        }
        Ok(passwords)
    }
}

/// A password of a wallet that needs none here is a mistake in the name, and not passed over.
fn check_named(wallet: &Wallet, signers: &JobSigners) -> Result<(), Failure> {
    let cause = match wallet.solana() {
        _ if !wallet.own_password => "has no password of its own",
        Some(address) if signers.all.contains(address) => return Ok(()),
        _ => "signs nothing of this job",
    };
    Err(Failure::invalid(
        "password_not_needed",
        format!("wallet {} {cause}", wallet.address.abbreviated()),
        "leave its --password-of out, or name the wallet that was meant",
    ))
}

/// Which items of a job are shown.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The job's id: 32 hexadecimal digits
    #[arg(value_name = "JOB")]
    pub(crate) job: JobId,
    /// Only items that are all, planned, under-way, done, failed or left-out
    #[arg(long, value_name = "STATE", default_value = "all", value_parser = parse_filter)]
    pub(crate) items: ItemFilter,
    /// Begin after the item of this number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) after: Option<u32>,
    /// Show at most so many items, 0 to 1000
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub(crate) limit: u32,
}

fn parse_filter(text: &str) -> Result<ItemFilter, String> {
    Ok(match text {
        "all" => ItemFilter::All,
        "planned" => ItemFilter::Planned,
        "under-way" => ItemFilter::UnderWay,
        "done" => ItemFilter::Done,
        "failed" => ItemFilter::Failed,
        "left-out" => ItemFilter::LeftOut,
        _ => return Err("write all, planned, under-way, done, failed or left-out".into()),
    })
}

/// Holds a job to its kind.
pub(crate) async fn of_kind(custody: &Custody, id: JobId, kind: JobKind) -> Result<Job, Failure> {
    let job = custody.job(id).await?;
    if job.kind == kind {
        return Ok(job);
    }
    Err(Failure::invalid(
        "job_of_other_kind",
        format!("the job is a {}", job.kind.as_str()),
        "name a job of the command's own kind",
    ))
}

/// Runs a job to its end.
pub(crate) async fn run(context: &mut Context, args: RunArgs, kind: JobKind) -> Result<Report, Failure> {
    let node = context.node()?;
    let (custody, summary) = context.open().await?;
    let job = of_kind(&custody, args.job, kind).await?;
    context.unlock(&custody, &summary).await?;
    let passwords = args
        .own
        .read(&custody, &custody.job_signers(job.id).await?)
        .await?;
    let again = format!("go on with `run {}`: nothing is paid twice", args.job);
    let outcome = follow(context, &custody, &node, (job.id, passwords), again).await?;
    finished(&custody, args.job, &outcome).await
}

/// Runs a job and shows how far it is; Ctrl-C stops the run, and what was sent is followed by the next one.
pub(crate) async fn follow(
    context: &Context,
    custody: &Custody,
    node: &SolanaNode,
    (job, passwords): (JobId, WalletPasswords),
    again: String,
) -> Result<JobOutcome, Failure> {
    let (sender, mut states) = watch::channel(JobProgress::default());
    let mut run = std::pin::pin!(custody.run_job(node, job, passwords, &sender));
    let mut line = ProgressLine::new(context.shows_progress());
    let outcome = loop {
        tokio::select! {
            outcome = &mut run => break outcome.map_err(Into::into),
            changed = states.changed() => if changed.is_ok() {
                let state = states.borrow_and_update().clone();
                line.show(&progress_text(&state));
            },
            Ok(()) = tokio::signal::ctrl_c() => break Err(Failure::new(
                Exit::Cancelled,
                "stopped_waiting",
                "stopped; what was sent may still land",
                again,
            )),
        }
    };
    line.clear();
    outcome
}

fn progress_text(state: &JobProgress) -> String {
    let mut text = format!(
        "{} of {} done, {} in flight",
        state.done, state.total, state.in_flight
    );
    for (count, what) in [
        (state.unknown, "unknown"),
        (state.failed, "failed"),
        (state.left_out, "left out"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    if state.rate_per_minute > 0 {
        text.push_str(&format!(", {} a minute", state.rate_per_minute));
    }
    if let Some(left_ms) = state.left_ms {
        text.push_str(&format!(", {} s left", left_ms.div_ceil(1_000)));
    }
    if !state.waiting.is_empty() {
        text.push_str(&format!("; {}", state.waiting));
    }
    text
}

/// How a run ended: in a word, why, and with which exit code.
pub(crate) fn ending<'a>(outcome: &'a JobOutcome, job: &Job) -> (&'static str, Option<&'a str>, Exit) {
    match outcome {
        JobOutcome::Done if job.counts.failed > 0 => ("done", None, Exit::TransferFailed),
        JobOutcome::Done => ("done", None, Exit::Ok),
        JobOutcome::Stopped => ("stopped", None, Exit::Cancelled),
        JobOutcome::Held { reason } => ("held", Some(reason), Exit::Refused),
        JobOutcome::Unknown { cause } => ("unknown", Some(cause), Exit::Unreachable),
    }
}

/// How a run ended, with the exit code for it.
async fn finished(custody: &Custody, id: JobId, outcome: &JobOutcome) -> Result<Report, Failure> {
    let job = custody.job(id).await?;
    let (word, reason, exit) = ending(outcome, &job);
    let mut json = job_json(&job);
    if let Some(object) = json.as_object_mut() {
        object.insert("outcome".into(), word.into());
        object.insert("reason".into(), json!(reason));
    }
    let mut text = job_text(&job);
    text.push_str(&format!("\n{word}"));
    if let Some(reason) = reason {
        text.push_str(&format!(": {}", output::printable(reason)));
    }
    text.push('\n');
    Ok(Report::new(text, json).with_exit(exit))
}

/// Lists jobs of one kind, the newest first.
pub(crate) async fn list(context: &Context, kind: JobKind) -> Result<Report, Failure> {
    let (custody, _) = context.open().await?;
    let query = JobQuery {
        kind: Some(kind),
        limit: MAX_JOB_PAGE,
        ..JobQuery::default()
    };
    let jobs = custody.jobs(&query).await?;
    let mut table = Table::new(&[
        ("job", Align::Left),
        ("label", Align::Left),
        ("state", Align::Left),
        ("items", Align::Right),
        ("done", Align::Right),
        ("failed", Align::Right),
        ("made", Align::Left),
    ]);
    for job in &jobs {
        table.row([
            job.id.to_string(),
            job.label.clone(),
            job.state.as_str().to_owned(),
            job.counts.total.to_string(),
            job.counts.done.to_string(),
            job.counts.failed.to_string(),
            output::time(job.created_ms),
        ]);
    }
    let json = json!({ "jobs": jobs.iter().map(job_json).collect::<Vec<_>>() });
    Ok(Report::new(table.render(), json))
}

/// Shows one job and a page of its items.
pub(crate) async fn show(context: &Context, args: ShowArgs, kind: JobKind) -> Result<Report, Failure> {
    let (custody, _) = context.open().await?;
    let job = of_kind(&custody, args.job, kind).await?;
    let cursor = ItemCursor { after: args.after };
    let items = custody
        .job_items(args.job, args.items, cursor, args.limit)
        .await?;
    let mut table = Table::new(&[
        ("#", Align::Right),
        ("recipient", Align::Left),
        ("amount", Align::Right),
        ("state", Align::Left),
        ("transaction", Align::Left),
    ]);
    for item in &items {
        let signature = item.batch.map(|(_, signature)| signature.to_string());
        table.row([
            item.new.number.to_string(),
            item.new.recipient.to_string(),
            amount_text(item),
            state_text(&item.state),
            signature.unwrap_or_default(),
        ]);
    }
    let mut json = job_json(&job);
    if let Some(object) = json.as_object_mut() {
        object.insert("items".into(), items.iter().map(item_json).collect());
    }
    let text = format!("{}\n{}", job_text(&job), table.render());
    Ok(Report::new(text, json))
}

fn amount_text(item: &JobItem) -> String {
    match item.new.action {
        ItemAction::PayToken { decimals, .. } | ItemAction::DrainToken { decimals, .. } => {
            format_units_short(item.new.amount, decimals)
        }
        _ => format!("{} SOL", format_units_short(item.new.amount, 9)),
    }
}

fn state_text(state: &ItemState) -> String {
    match state {
        ItemState::Failed { reason } | ItemState::Skipped { reason } => {
            format!("{}: {}", state.as_str(), output::printable(reason))
        }
        _ => state.as_str().to_owned(),
    }
}

/// What is done to a stored job.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Steer {
    Pause,
    Resume,
    Cancel,
    Retry,
}

/// Pauses, resumes, cancels or retries a job.
pub(crate) async fn steer(
    context: &Context,
    args: &JobArgs,
    kind: JobKind,
    how: Steer,
) -> Result<Report, Failure> {
    let (custody, summary) = context.open().await?;
    of_kind(&custody, args.job, kind).await?;
    context.unlock(&custody, &summary).await?;
    let (word, count) = match how {
        Steer::Pause => {
            custody.pause_job(args.job, "by hand").await?;
            ("paused", None)
        }
        Steer::Resume => {
            custody.resume_job(args.job).await?;
            ("resumed", None)
        }
        Steer::Cancel => ("cancelled", Some(custody.cancel_job(args.job).await?)),
        Steer::Retry => ("planned again", Some(custody.retry_job(args.job).await?)),
    };
    let job = custody.job(args.job).await?;
    let mut json = job_json(&job);
    if let (Some(object), Some(count)) = (json.as_object_mut(), count) {
        object.insert("changed".into(), count.into());
    }
    let changed = count.map(|count| format!("{count} items {word}\n"));
    let text = format!(
        "{}{}",
        changed.unwrap_or_else(|| format!("{word}\n")),
        job_text(&job)
    );
    Ok(Report::new(text, json))
}

/// A job for scripts.
pub(crate) fn job_json(job: &Job) -> Value {
    let counts = &job.counts;
    let options: Value = serde_json::from_str(&job.options_json).unwrap_or(Value::Null);
    json!({
        "job": job.id.to_string(),
        "kind": job.kind.as_str(),
        "label": job.label,
        "state": job.state.as_str(),
        "network": job.network,
        "fee_payer": job.fee_payer.to_string(),
        "format": job.format.as_str(),
        "fee": job.fee.to_string(),
        "options": options,
        "created_ms": job.created_ms,
        "counts": {
            "total": counts.total, "planned": counts.planned, "in_flight": counts.in_flight, "done": counts.done,
            "settling": counts.settling, "failed": counts.failed, "cancelled": counts.cancelled,
            "skipped": counts.skipped, "transactions": counts.batches,
        },
    })
}

/// A job for people.
pub(crate) fn job_text(job: &Job) -> String {
    let counts = &job.counts;
    fields(&[
        ("job", job.id.to_string()),
        ("label", job.label.clone()),
        ("state", job.state.as_str().to_owned()),
        ("fee payer", job.fee_payer.to_string()),
        (
            "items",
            format!(
                "{}: {} done, {} in flight, {} to do, {} failed, {} cancelled, {} skipped",
                counts.total,
                counts.done,
                counts.in_flight,
                counts.planned,
                counts.failed,
                counts.cancelled,
                counts.skipped
            ),
        ),
        ("transactions", counts.batches.to_string()),
    ])
}

fn item_json(item: &JobItem) -> Value {
    let reason = match &item.state {
        ItemState::Failed { reason } | ItemState::Skipped { reason } => Some(reason),
        _ => None,
    };
    json!({
        "number": item.new.number,
        "source": item.new.source.to_string(),
        "recipient": item.new.recipient.to_string(),
        "amount": item.new.amount,
        "memo": item.new.memo,
        "state": item.state.as_str(),
        "reason": reason,
        "signature": item.batch.map(|(_, signature)| signature.to_string()),
        "slot": item.slot,
    })
}
