//! `keyward send`: a transfer of SOL, previewed from the bytes that will be signed, then followed to its end.
//!
//! Nothing is signed before the preview was shown and agreed to, on the terminal or with `--yes`; `--dry-run` ends there.
//! Signing, recording and sending are custody's.

mod outcome;
mod preview;

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana_pay::PaymentRequest;
use keyward_custody::chain::SolanaNode;
use keyward_custody::transfer::{
    self, Repeat, TransferOutcome, TransferPlan, TransferProgress, TransferRequest,
};
use keyward_custody::{Custody, CustodyError, FeePolicy, PreviewDecision, WalletPasswords};
use serde_json::{Value, json};
use tokio::sync::watch;

pub(crate) use self::outcome::{outcome_exit, outcome_json, outcome_text};
use self::preview::{Parties, plan_json, plan_text};
use super::context::{Context, confirm, wallet_passwords};
use super::wallets::{ProgressLine, solana};
use crate::exit::{Exit, Failure};
use crate::output::{self, Report};
use crate::secret_input::Source;

/// Send SOL, after a preview of exactly what will be signed; needs a node
///
/// The recipient is an address, the label or #index of an own wallet, or a solana: payment request, whose amount and memo
/// are taken over. On a terminal the preview is shown and agreed to by typing yes; elsewhere, and with --json, --yes says
/// so beforehand.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward send --from treasury --to HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk --amount 1.5
  keyward send --from '#0' --to bots-1 --amount 0.25 --dry-run --json
  keyward send --from '#0' --to 'solana:HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk?amount=0.1' --yes")]
pub(crate) struct Args {
    /// The paying wallet: address, label or #index
    #[arg(long, value_name = "WALLET")]
    from: String,
    /// The recipient: address, label or #index of an own wallet, or a solana: URI
    #[arg(long, value_name = "RECIPIENT")]
    to: String,
    /// How much: 1.5, "1.5 SOL" or "1500000000 lamports"; may come from a solana: URI
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<String>,
    /// A public text on chain
    #[arg(long, value_name = "TEXT")]
    memo: Option<String>,
    /// What to offer for priority: none, a price of a compute unit in millionths of a lamport such as 5000, or p75:20000 for what
    /// 75 in 100 recent blocks were content with, but at most 20000
    #[arg(long, value_name = "FEE")]
    priority_fee: Option<FeePolicy>,
    /// Show the preview and end; nothing is signed
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Sign and send without asking
    #[arg(long)]
    yes: bool,
    /// Read the wallet's own password, where it has one, from this file's only line, or from standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    wallet_password_file: Option<Source>,
    /// Pay although an equal transfer is unresolved: this is a separate payment
    #[arg(long)]
    separate: bool,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let node = context.node()?;
    let (custody, summary) = context.open().await?;
    let (request, parties) = request(&custody, &args).await?;
    let plan = transfer::prepare(&custody, &node, &request).await?;
    if args.dry_run {
        let json = with_fields(plan_json(&plan, &parties), &[("dry_run", json!(true))]);
        return Ok(Report::new(plan_text(&plan, &parties), json).with_exit(verdict(&plan)));
    }
    let json = plan_json(&plan, &parties);
    agree(context, &args, &plan, &parties)?;
    context.unlock(&custody, &summary).await?;
    let wallet = custody.wallet(&args.from).await?;
    let passwords = wallet_passwords(&wallet, args.wallet_password_file.as_ref())?;
    // Typing and scrypt took a while; the bytes that were agreed to are the ones that are signed, or none.
    let outcome = submit(context, &custody, &node, plan, passwords).await?;
    Ok(report(json, &outcome))
}

/// What is asked for, and the names of both sides.
async fn request(custody: &Custody, args: &Args) -> Result<(TransferRequest, Parties), Failure> {
    let from = custody.wallet(&args.from).await?;
    let payment = args
        .to
        .get(..7)
        .filter(|scheme| scheme.eq_ignore_ascii_case("solana:"))
        .map(|_| payment(&args.to));
    let payment = payment.transpose()?;
    let (to, to_label) = match &payment {
        Some(payment) => (payment.recipient, label_of(custody, &payment.recipient).await?),
        None => recipient(custody, &args.to).await?,
    };
    let asked = args.amount.as_deref().map(parse_amount).transpose()?;
    let amount = agreeing(
        "amount",
        asked,
        payment.as_ref().and_then(|payment| payment.amount),
    )?;
    let lamports = amount.ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "amount_missing",
            "no amount was given",
            "give --amount, such as --amount 1.5",
        )
    })?;
    let notes = payment.as_ref().map(payment_notes).unwrap_or_default();
    let memo = agreeing(
        "memo",
        args.memo.clone(),
        payment.and_then(|payment| payment.memo),
    )?;
    let request = TransferRequest {
        fee: args.priority_fee.unwrap_or_default(),
        memo,
        repeat: if args.separate {
            Repeat::Separate
        } else {
            Repeat::Refuse
        },
        ..TransferRequest::new(solana(&from)?, to, lamports)
    };
    Ok((
        request,
        Parties {
            from: from.label,
            to: to_label,
            notes,
        },
    ))
}

fn payment(text: &str) -> Result<PaymentRequest, Failure> {
    let payment = PaymentRequest::parse(text).map_err(|error| {
        Failure::invalid(
            "payment_request_invalid",
            format!("--to: {error}"),
            "ask for the request again",
        )
    })?;
    if payment.spl_token.is_some() {
        let message = "the payment request asks for a token, and this version sends SOL";
        return Err(Failure::invalid(
            "payment_request_token",
            message,
            "ask for a request in SOL",
        ));
    }
    Ok(payment)
}

/// What else a payment request says, in its maker's words, and what of it is not done.
fn payment_notes(payment: &PaymentRequest) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(label) = &payment.label {
        notes.push(format!("the payment request calls its maker: {label}"));
    }
    if let Some(message) = &payment.message {
        notes.push(format!("the payment request says: {message}"));
    }
    if !payment.references.is_empty() {
        notes.push(
            "the payment request asks for references, which this version does not add: tell the payee"
                .to_owned(),
        );
    }
    notes
}

/// The command line may repeat what the payment request says, but not contradict it.
fn agreeing<T: PartialEq>(what: &str, asked: Option<T>, requested: Option<T>) -> Result<Option<T>, Failure> {
    match (asked, requested) {
        (Some(asked), Some(requested)) if asked != requested => {
            let message = format!("the {what} differs from the payment request's");
            Err(Failure::invalid(
                "payment_request_differs",
                message,
                format!("leave --{what} out, or pay by address"),
            ))
        }
        (asked, requested) => Ok(asked.or(requested)),
    }
}

fn parse_amount(text: &str) -> Result<Lamports, Failure> {
    Lamports::parse(text).map_err(|error| {
        Failure::invalid(
            "amount_invalid",
            format!("--amount: {error}"),
            "write it like 1.5",
        )
    })
}

async fn recipient(custody: &Custody, name: &str) -> Result<(Address, String), Failure> {
    if let Ok(address) = name.parse::<Address>() {
        return Ok((address, label_of(custody, &address).await?));
    }
    match custody.wallet(name).await {
        Ok(wallet) => Ok((solana(&wallet)?, wallet.label)),
        Err(CustodyError::NotFound { .. }) => Err(Failure::new(
            Exit::NotFound,
            "recipient_unknown",
            "the recipient is neither an address nor a wallet of this vault",
            "check the spelling; an address is 32 to 44 characters",
        )),
        Err(error) => Err(error.into()),
    }
}

async fn label_of(custody: &Custody, address: &Address) -> Result<String, Failure> {
    Ok(custody
        .wallet_by_address(address)
        .await?
        .map(|wallet| wallet.label)
        .unwrap_or_default())
}

/// How a dry run ends: as the real one would.
fn verdict(plan: &TransferPlan) -> Exit {
    match (&plan.simulation_error, &plan.decision.decision) {
        (_, PreviewDecision::Refused { .. }) => Exit::Refused,
        (Some(_), _) => Exit::TransferFailed,
        (None, PreviewDecision::Allowed { .. }) => Exit::Ok,
    }
}

/// Shows the preview and has it agreed to.
fn agree(context: &Context, args: &Args, plan: &TransferPlan, parties: &Parties) -> Result<(), Failure> {
    if !context.is_json() {
        output::warn(&plan_text(plan, parties));
    }
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

fn with_fields(mut json: Value, fields: &[(&str, Value)]) -> Value {
    if let Some(object) = json.as_object_mut() {
        for (name, value) in fields {
            object.insert((*name).to_owned(), value.clone());
        }
    }
    json
}
