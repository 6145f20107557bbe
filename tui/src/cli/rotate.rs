//! `keyward rotate`: new keys for wallets, by hand and by schedule, and what becomes of the old ones.

use keyward_core::account::AccountAddress;
use keyward_custody::{
    Custody, CustodyError, DuePage, DueQuery, DueReport, KeyRotation, Progress, RotationInterval, Schedule,
    Wallet,
};
use serde_json::{Map, Value, json};

use super::context::{Context, wallet_password};
use super::wallets::wallet_json;
use crate::duration;
use crate::exit::{Exit, Failure};
use crate::output::{Align, Report, Table, time};
use crate::secret_input::Source;

/// Most rows of one page of what is due.
const PAGE: u32 = 1_000;

/// Give wallets new keys, at once or by schedule
///
/// A rotated wallet's label, tags, role, owner's place and schedule are its new key's. The old key still signs what names it
/// and receives, for as long as the vault's setting deposit_grace_ms says or until three newer keys came after it; then it is
/// retired. What lies at the old address stays there until you send it on.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  keyward rotate now treasury\n  keyward rotate schedule '#0' '#1' --every 1d\n  keyward rotate --due --password-file /run/keyward/password\n  keyward rotate --due --dry-run --json"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Rotate every wallet that is due by its schedule, and retire old keys whose grace period is over
    #[arg(long)]
    due: bool,
    /// With --due: only say what would be done; no password is needed
    #[arg(long, requires = "due")]
    dry_run: bool,
    /// With --due: the most wallets to rotate, the longest due first
    #[arg(long, value_name = "N", requires = "due", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Give wallets new keys now, whatever their schedules say
    #[command(after_help = "Examples:\n  keyward rotate now treasury\n  keyward rotate now '#1' '#2' --json")]
    Now {
        /// The wallets, at most 1000
        #[arg(required = true, num_args = 1..=1000, value_name = "WALLET")]
        wallets: Vec<String>,
        /// Read the password of a wallet that has one of its own from a file's only line, or from standard input for `-`
        #[arg(long, value_name = "FILE|-")]
        wallet_password_file: Option<Source>,
    },
    /// Set how often wallets get new keys; the first time is one interval from now
    #[command(
        after_help = "Examples:\n  keyward rotate schedule hot --every 12h\n  keyward rotate schedule '#1' '#2' --every default\n  keyward rotate schedule hot --every never"
    )]
    Schedule {
        /// The wallets, at most 1000
        #[arg(required = true, num_args = 1..=1000, value_name = "WALLET")]
        wallets: Vec<String>,
        /// A time such as 90d, 12h or 30m, one minute to ten years; `default` for the vault's setting by the wallet's role;
        /// or `never`
        #[arg(long, value_name = "TIME|default|never", value_parser = schedule, default_value = "default")]
        every: Schedule,
    },
    /// Let a replaced key sign and receive for longer, also one that was retired
    #[command(
        after_help = "Example:\n  keyward rotate extend HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk --for 7d"
    )]
    Extend {
        /// An old key, by its address, its place or its label
        wallet: String,
        /// For how long from now
        #[arg(long = "for", value_name = "TIME", value_parser = interval)]
        time: RotationInterval,
    },
    /// Retire replaced keys before their time: they sign no more
    #[command(after_help = "Example:\n  keyward rotate retire 'hot (old key 3)'")]
    Retire {
        /// Old keys, at most 1000
        #[arg(required = true, num_args = 1..=1000, value_name = "WALLET")]
        wallets: Vec<String>,
    },
    /// List every key that a wallet has had, the newest first
    #[command(after_help = "Example:\n  keyward rotate chain treasury --json")]
    Chain {
        /// The wallet, by any of its keys
        wallet: String,
    },
}

fn interval(text: &str) -> Result<RotationInterval, String> {
    RotationInterval::from_ms(duration::parse(text)?).map_err(|error| error.to_string())
}

fn schedule(text: &str) -> Result<Schedule, String> {
    match text {
        "default" => Ok(Schedule::ByRole),
        "never" => Ok(Schedule::Never),
        time => interval(time).map(Schedule::Every),
    }
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<Report, Failure> {
    match args.command {
        Some(Command::Now {
            wallets,
            wallet_password_file,
        }) => now(context, &wallets, wallet_password_file.as_ref()).await,
        Some(Command::Schedule { wallets, every }) => {
            let (custody, addresses) = unlocked(context, &wallets).await?;
            custody.schedule_rotation(&addresses, every).await?;
            changed(&custody, &addresses).await
        }
        Some(Command::Extend { wallet, time }) => {
            let (custody, addresses) = unlocked(context, &[wallet]).await?;
            for address in &addresses {
                custody.extend_rotated(*address, time).await?;
            }
            changed(&custody, &addresses).await
        }
        Some(Command::Retire { wallets }) => {
            let (custody, addresses) = unlocked(context, &wallets).await?;
            custody.retire_rotated(&addresses).await?;
            changed(&custody, &addresses).await
        }
        Some(Command::Chain { wallet }) => {
            let (custody, _) = context.open().await?;
            let address = custody.wallet(&wallet).await?.address;
            Ok(listed(&custody.rotation_chain(address).await?))
        }
        None if args.run.dry_run => dry_run(context, args.run.limit).await,
        None => due(context, args.run.limit).await,
    }
}

/// The vault, and the addresses of the wallets named, each once.
async fn unlocked(context: &Context, names: &[String]) -> Result<(Custody, Vec<AccountAddress>), Failure> {
    let custody = context.unlocked().await?;
    let mut addresses = Vec::with_capacity(names.len());
    for name in names {
        let address = custody.wallet(name).await?.address;
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok((custody, addresses))
}

async fn now(context: &Context, names: &[String], source: Option<&Source>) -> Result<Report, Failure> {
    let (custody, addresses) = unlocked(context, names).await?;
    let mut wallets = Vec::with_capacity(addresses.len());
    for address in &addresses {
        wallets.push(custody.wallet(&address.to_string()).await?);
    }
    let mut report = DueReport::default();
    for wallet in &wallets {
        let password = wallet_password(wallet, source)?;
        match custody.rotate_wallet(wallet.address, password.as_ref()).await {
            Ok(rotation) => report.rotated.push(rotation),
            // Nothing was done before it, so it is the whole answer.
            Err(error) if report.rotated.is_empty() => return Err(error.into()),
            // What was rotated must be told.
            Err(error) => {
                report.stopped = Some(error);
                break;
            }
        }
    }
    Ok(told(report, "rotated"))
}

async fn due(context: &Context, limit: u32) -> Result<Report, Failure> {
    let custody = context.unlocked().await?;
    let progress = Progress::new();
    let mut job = std::pin::pin!(custody.rotate_due(limit, &progress));
    let report = loop {
        tokio::select! {
            report = &mut job => break report?,
            // It ends after the wallet under way, and tells what was done.
            Ok(()) = tokio::signal::ctrl_c() => progress.cancel(),
        }
    };
    Ok(told(report, "rotated"))
}

/// What a run did, with the exit code of the first thing that went wrong.
fn told(report: DueReport, verb: &str) -> Report {
    let mut text = table_of(&report.rotated);
    let mut exit = Exit::Ok;
    let mut wrong = |error: CustodyError| {
        let message = format!("{error}; {}", error.remedy());
        let failure = Failure::from(error);
        if exit == Exit::Ok {
            exit = failure.exit();
        }
        (failure.code().to_owned(), message)
    };
    let stopped = report.stopped.map(&mut wrong);
    let failed: Vec<(AccountAddress, (String, String))> = report
        .failed
        .into_iter()
        .map(|failed| (failed.wallet, wrong(failed.error)))
        .collect();
    for wallet in &report.retired {
        text.push_str(&format!("retired {wallet}\n"));
    }
    for skipped in &report.skipped {
        text.push_str(&format!(
            "skipped {}: {}\n",
            skipped.wallet,
            skipped.reason.code()
        ));
    }
    for (wallet, (_, message)) in &failed {
        text.push_str(&format!("failed {wallet}: {message}\n"));
    }
    if let Some((_, message)) = &stopped {
        text.push_str(&format!("stopped: {message}\n"));
    }
    text.push_str(&format!(
        "{} {verb}, {} retired, {} skipped, {} failed, {} still due\n",
        report.rotated.len(),
        report.retired.len(),
        report.skipped.len(),
        failed.len(),
        report.still_due
    ));
    let stopped = stopped.map(|(code, message)| json!({ "code": code, "message": message }));
    let json = json!({
        "dry_run": false,
        "rotated": report.rotated.iter().map(rotation_json).collect::<Vec<_>>(),
        "retired": report.retired.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "skipped": report.skipped.iter().map(|skipped| json!({
            "address": skipped.wallet.to_string(),
            "reason": skipped.reason.code(),
        })).collect::<Vec<_>>(),
        "failed": failed.iter().map(|(wallet, (code, message))| json!({
            "address": wallet.to_string(),
            "code": code,
            "message": message,
        })).collect::<Vec<_>>(),
        "stopped": stopped,
        "still_due": report.still_due,
    });
    Report::new(text, json).with_exit(exit)
}

fn table_of(rotations: &[KeyRotation]) -> String {
    if rotations.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[
        ("old", Align::Left),
        ("new", Align::Left),
        ("old until", Align::Left),
        ("next", Align::Left),
    ]);
    for rotation in rotations {
        table.row([
            rotation.from.to_string(),
            rotation.to.to_string(),
            time(rotation.grace_until_ms),
            rotation.rotate_at_ms.map_or_else(|| "never".to_owned(), time),
        ]);
    }
    table.render()
}

fn rotation_json(rotation: &KeyRotation) -> Value {
    json!({
        "from": rotation.from.to_string(),
        "to": rotation.to.to_string(),
        "phrase": rotation.master.get(),
        "family": rotation.family.id(),
        "index": rotation.index,
        "grace_until_ms": rotation.grace_until_ms,
        "rotate_at_ms": rotation.rotate_at_ms,
        "retired": rotation.retired.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// What a run would do; the vault stays locked.
async fn dry_run(context: &Context, limit: u32) -> Result<Report, Failure> {
    let (custody, _) = context.open().await?;
    let (mut due, mut after, mut total) = (Vec::new(), None, 0);
    let mut left = limit;
    while left > 0 {
        let query = DueQuery {
            after,
            limit: PAGE.min(left),
            ..DueQuery::default()
        };
        let page: DuePage = custody.due_rotations(query).await?;
        left = left.saturating_sub(u32::try_from(page.rows.len()).unwrap_or(u32::MAX));
        total = page.total;
        due.extend(page.rows);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let retiring = custody.due_retirements(PAGE).await?;
    let mut table = Table::new(&[
        ("address", Align::Left),
        ("label", Align::Left),
        ("due since", Align::Left),
        ("by a run", Align::Left),
    ]);
    for wallet in &due {
        table.row([
            wallet.address.to_string(),
            wallet.label.clone(),
            wallet.rotate_at_ms.map_or_else(|| "never".to_owned(), time),
            if wallet.own_password {
                "skipped: own-password"
            } else {
                "rotated"
            }
            .to_owned(),
        ]);
    }
    let text = format!(
        "{}{} of {total} due, {} to be retired; nothing was changed\n",
        table.render(),
        due.len(),
        retiring.total
    );
    let json = json!({
        "dry_run": true,
        "due": due.iter().map(wallet_json).collect::<Vec<_>>(),
        "total": total,
        "to_retire": retiring.rows.iter().map(wallet_json).collect::<Vec<_>>(),
        "to_retire_total": retiring.total,
    });
    Ok(Report::new(text, json))
}

/// The wallets as they are now.
async fn changed(custody: &Custody, addresses: &[AccountAddress]) -> Result<Report, Failure> {
    let mut wallets = Vec::with_capacity(addresses.len());
    for address in addresses {
        wallets.push(custody.wallet(&address.to_string()).await?);
    }
    Ok(listed(&wallets))
}

fn listed(wallets: &[Wallet]) -> Report {
    let mut table = Table::new(&[
        ("key", Align::Right),
        ("address", Align::Left),
        ("label", Align::Left),
        ("status", Align::Left),
        ("until", Align::Left),
        ("every", Align::Left),
        ("next", Align::Left),
    ]);
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    for wallet in wallets {
        table.row([
            (u64::from(wallet.rotation_count) + 1).to_string(),
            wallet.address.to_string(),
            wallet.label.clone(),
            wallet.status.to_string(),
            or_dash(wallet.grace_until_ms.map(time)),
            or_dash(wallet.rotate_every_ms.map(duration::show)),
            or_dash(wallet.rotate_at_ms.map(time)),
        ]);
    }
    let mut json = Map::new();
    let rows = wallets.iter().map(wallet_json).collect::<Vec<_>>();
    json.insert("wallets".to_owned(), Value::Array(rows));
    Report::new(table.render(), Value::Object(json))
}
