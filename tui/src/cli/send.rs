//! `keyward send`: a transfer of SOL or of a token, previewed from the bytes that will be signed, then followed to its end.
//!
//! Nothing is signed before the preview was shown and agreed to, on the terminal or with `--yes`; `--dry-run` ends there.
//! Signing, recording and sending are custody's.

mod asked;
pub(crate) mod offline;
mod outcome;
mod preview;

use keyward_custody::chain::SolanaNode;
use keyward_custody::transfer::{self, TransferError, TransferOutcome, TransferPlan, TransferProgress};
use keyward_custody::{Custody, FeePolicy, PreviewDecision, WalletPasswords};
use serde_json::{Value, json};
use tokio::sync::watch;

pub(crate) use self::outcome::{outcome_exit, outcome_json, outcome_text};
use self::preview::{plan_json, plan_text};
use super::book::resembled;
use super::context::{Context, confirm, wallet_passwords};
use super::wallets::ProgressLine;
use crate::exit::{Exit, Failure};
use crate::output::{self, Report};
use crate::secret_input::Source;

/// Send SOL or a token, after a preview of exactly what will be signed; needs a node
///
/// The recipient is an address, the label of a contact (see `keyward book`), the label or #index of an own wallet, or a solana:
/// payment request, whose amount and memo are taken over. On a terminal the preview is shown and agreed to by typing yes;
/// elsewhere, and with --json, --yes says so beforehand. What the preview says of changes is an estimate.
///
/// With --offline-out nothing is signed here: the unsigned transaction goes to a file or a QR code, is signed elsewhere with
/// `keyward sign-transaction`, and is sent with --unsigned and --signed. A durable nonce (--nonce) gives that the time it takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward send --from treasury --to HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk --amount 1.5
  keyward send --from '#0' --to bots-1 --amount 0.25 --dry-run --json
  keyward send --from '#0' --to 'corner shop' --token EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v --amount 20 --priority-fee p75:20000
  keyward send --from '#0' --to 'solana:HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk?amount=0.1' --yes
  keyward send --from treasury --to 'corner shop' --amount 3 --nonce 0 --offline-out pay.json
  keyward send --unsigned pay.json --signed signed.json")]
pub(crate) struct Args {
    /// The paying wallet: address, label or #index
    #[arg(long, value_name = "WALLET", required_unless_present = "unsigned")]
    pub(super) from: Option<String>,
    /// The recipient: address, contact, label or #index of an own wallet, or a solana: URI
    #[arg(long, value_name = "RECIPIENT", required_unless_present = "unsigned")]
    pub(super) to: Option<String>,
    /// How much: 1.5, "1.5 SOL" or "1500000000 lamports"; of a token 1.5; may come from a solana: URI
    #[arg(long, value_name = "AMOUNT")]
    pub(super) amount: Option<String>,
    /// Send this token in place of SOL, by the address of its mint
    #[arg(long, value_name = "MINT")]
    pub(super) token: Option<String>,
    /// A public text on chain
    #[arg(long, value_name = "TEXT")]
    pub(super) memo: Option<String>,
    /// What to offer for priority: none, a price of a compute unit in millionths of a lamport such as 5000, or p75:20000 for what
    /// 75 in 100 recent blocks were content with, but at most 20000
    #[arg(long, value_name = "FEE")]
    pub(super) priority_fee: Option<FeePolicy>,
    /// Live by this durable nonce of the paying wallet instead of a recent blockhash: its number or its account
    #[arg(long, value_name = "NONCE")]
    pub(super) nonce: Option<String>,
    /// Show the preview and end; nothing is signed
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Sign and send without asking
    #[arg(long)]
    yes: bool,
    /// Send it although the simulation says that it would fail; its fee is most likely lost
    #[arg(long)]
    send_anyway: bool,
    /// The recipient was compared character by character with the known addresses that it looks like
    #[arg(long)]
    recipient_checked: bool,
    /// Sign nothing; write the unsigned transaction to this new file, or show it as a QR code for `qr`
    #[arg(long, value_name = "FILE|qr", conflicts_with_all = ["dry_run", "yes"])]
    offline_out: Option<String>,
    /// Send what was signed elsewhere: the file that --offline-out wrote
    #[arg(long, value_name = "FILE", requires = "signed", conflicts_with_all = ["from", "to", "amount", "token", "memo", "nonce", "offline_out"])]
    unsigned: Option<Source>,
    /// What came back: the signed transaction, as `sign-transaction` prints it, or the signature alone
    #[arg(long, value_name = "FILE|-", requires = "unsigned")]
    signed: Option<Source>,
    /// Read the wallet's own password, where it has one, from this file's only line, or from standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    wallet_password_file: Option<Source>,
    /// Pay although an equal transfer is unresolved: this is a separate payment
    #[arg(long)]
    pub(super) separate: bool,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let node = context.node()?;
    let (custody, summary) = context.open().await?;
    if let (Some(unsigned), Some(signed)) = (&args.unsigned, &args.signed) {
        let transfer = offline::read(unsigned)?;
        let bytes = offline::read_signed(signed, &transfer)?;
        if custody.wallet_by_address(&transfer.from).await?.is_some() {
            context.unlock(&custody, &summary).await?;
        }
        let (sender, states) = watch::channel(TransferProgress::default());
        let repeat = asked::repeat(&args);
        let job = transfer::offline::submit_signed(&custody, &node, &transfer, bytes, repeat, sender);
        let outcome = follow(context, job, states).await?;
        return Ok(
            Report::new(outcome_text(&outcome), outcome_json(&outcome)).with_exit(outcome_exit(&outcome))
        );
    }
    let (request, parties) = asked::request(&custody, &node, &args).await?;
    let plan = transfer::prepare(&custody, &node, &request).await?;
    if args.dry_run {
        let json = with_fields(plan_json(&plan, &parties), &[("dry_run", json!(true))]);
        return Ok(Report::new(plan_text(&plan, &parties), json).with_exit(verdict(&plan)));
    }
    let json = plan_json(&plan, &parties);
    if !context.is_json() {
        output::warn(&plan_text(&plan, &parties));
    }
    let plan = doubts(context, &args, plan)?;
    if let Some(out) = &args.offline_out {
        return offline::write(&plan, out, json);
    }
    agree(context, &args, &plan)?;
    context.unlock(&custody, &summary).await?;
    let wallet = custody.wallet(&request.from.to_string()).await?;
    let passwords = wallet_passwords(&wallet, args.wallet_password_file.as_ref())?;
    // Typing and scrypt took a while; the bytes that were agreed to are the ones that are signed, or none.
    let outcome = submit(context, &custody, &node, plan, passwords).await?;
    Ok(report(json, &outcome))
}

/// How a dry run ends: as the real one would.
fn verdict(plan: &TransferPlan) -> Exit {
    match (&plan.simulation_error, &plan.decision.decision) {
        (_, PreviewDecision::Refused { .. }) => Exit::Refused,
        (Some(_), _) => Exit::TransferFailed,
        (None, PreviewDecision::Allowed { .. }) => Exit::Ok,
    }
}

/// What takes a step of its own, whatever else was agreed to: a recipient that looks like another one, and a transaction
/// that would fail.
fn doubts(context: &Context, args: &Args, plan: TransferPlan) -> Result<TransferPlan, Failure> {
    let ask = |question: &str| match context.is_json() || args.yes {
        true => None,
        false => confirm(question),
    };
    if let (Some(found), false) = (plan.details.lookalikes.first(), args.recipient_checked) {
        let question = "\nThe recipient is not, but looks like, an address that is known here.\n\
                        Type yes if you compared them character by character: ";
        if ask(question) != Some(true) {
            return Err(Failure::new(
                Exit::Refused,
                "lookalike",
                format!(
                    "the recipient {} is not, but looks like, {}; nothing was signed",
                    plan.request.to,
                    resembled(found)
                ),
                "compare them character by character; if it is meant, give --recipient-checked",
            ));
        }
    }
    match (&plan.simulation_error, args.send_anyway) {
        (None, _) => Ok(plan),
        (Some(reason), false) => Err(TransferError::WouldFail {
            reason: reason.clone(),
        }
        .into()),
        // The flag is the one step, the confirmation that follows the other.
        (Some(_), true) => Ok(plan.send_anyway()),
    }
}

/// Has the preview that was shown agreed to.
fn agree(context: &Context, args: &Args, plan: &TransferPlan) -> Result<(), Failure> {
    // With --yes a refusal is left to the signing service, which writes it into the audit.
    if args.yes {
        return Ok(());
    }
    if let PreviewDecision::Refused { reasons } = &plan.decision.decision {
        let remedy = "change the transfer or the policy; nothing was signed";
        let failure = Failure::new(
            Exit::Refused,
            "refused",
            "refused by policy; nothing was signed",
            remedy,
        );
        return Err(reasons.iter().fold(failure, |failure, reason| {
            failure.with_reason(&reason.code, reason.text.clone())
        }));
    }
    let question = match plan.simulation_error {
        None => "\nType yes to sign and send: ",
        Some(_) => "\nThe simulation fails. Type yes to sign and send it anyway: ",
    };
    let answer = if context.is_json() {
        None
    } else {
        confirm(question)
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
            "there is nobody to ask whether to send",
            "give --yes, or look at it with --dry-run",
        )),
    }
}

async fn submit(
    context: &Context,
    custody: &Custody,
    node: &SolanaNode,
    plan: TransferPlan,
    passwords: WalletPasswords,
) -> Result<TransferOutcome, Failure> {
    let (sender, states) = watch::channel(TransferProgress::default());
    let job = transfer::submit_with(custody, node, plan, passwords, sender);
    follow(context, job, states).await
}

/// Waits for a transfer's end and shows how far it is; Ctrl-C stops waiting, not the transfer.
pub(crate) async fn follow<T, E: Into<Failure>>(
    context: &Context,
    job: impl Future<Output = Result<T, E>>,
    mut states: watch::Receiver<TransferProgress>,
) -> Result<T, Failure> {
    let mut job = std::pin::pin!(job);
    let mut line = ProgressLine::new(context.shows_progress());
    let mut recorded = None;
    let mut watching = true;
    let outcome = loop {
        tokio::select! {
            outcome = &mut job => break outcome.map_err(Into::into),
            changed = states.changed(), if watching => match changed {
                Ok(()) => {
                    let state = states.borrow_and_update().clone();
                    if let TransferProgress::Recorded { signature } | TransferProgress::Sent { signature, .. } = &state {
                        recorded = Some(*signature);
                    }
                    line.show(&stage(&state));
                }
                Err(_) => watching = false,
            },
            Ok(()) = tokio::signal::ctrl_c() => break Err(stopped(recorded.map(|signature| signature.to_string()))),
        }
    };
    line.clear();
    outcome
}

fn stage(state: &TransferProgress) -> String {
    match state {
        TransferProgress::Signing => "signing".to_owned(),
        TransferProgress::Recorded { signature } => format!("recorded {signature}"),
        TransferProgress::Sent { signature, times: 1 } => format!("sent {signature}"),
        TransferProgress::Sent { signature, times } => format!("sent {times} times {signature}"),
        TransferProgress::Confirmed { slot } => format!("confirmed in slot {slot}"),
        TransferProgress::Finalized { slot } => format!("finalized in slot {slot}"),
        TransferProgress::Failed { error } => format!("failed: {error}"),
        TransferProgress::Expired => "expired".to_owned(),
    }
}

fn stopped(signature: Option<String>) -> Failure {
    match signature {
        Some(signature) => Failure::new(
            Exit::Cancelled,
            "stopped_waiting",
            format!("stopped waiting; {signature} is signed and may still land"),
            "see how it ended with `keyward transfers resume`",
        ),
        None => Failure::new(
            Exit::Cancelled,
            "stopped_waiting",
            "stopped; nothing that is known to be recorded was sent",
            "see `keyward transfers list`",
        ),
    }
}

fn report(json: Value, outcome: &TransferOutcome) -> Report {
    let fields = outcome_json(outcome);
    let pairs: Vec<(&str, Value)> = fields
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value.clone()))
        .collect();
    let json = with_fields(with_fields(json, &pairs), &[("dry_run", json!(false))]);
    Report::new(outcome_text(outcome), json).with_exit(outcome_exit(outcome))
}

pub(super) fn with_fields(mut json: Value, fields: &[(&str, Value)]) -> Value {
    if let Some(object) = json.as_object_mut() {
        for (name, value) in fields {
            object.insert((*name).to_owned(), value.clone());
        }
    }
    json
}
