//! The command line: arguments, dispatch and the way out.
//!
//! Every subcommand returns a report, which is printed once, as text or as one JSON object, or a failure with a documented
//! exit code. Commands hold no state of their own and make no decision about keys or policy. The fields and codes are
//! documented in `docs/cli.md`.

mod arguments;
mod audit;
mod balance;
mod balances;
mod book;
mod close;
mod completions;
mod consolidate;
mod context;
mod derive;
mod distribute;
mod export;
mod find_account;
mod find_path;
mod history;
mod holdings;
mod import;
mod init;
mod inspect;
mod jobs;
mod limits;
mod logging;
mod message;
mod nonce;
mod owners;
mod phrase;
mod phrases;
mod policy;
mod portfolio;
mod rotate;
mod send;
mod settings;
mod store;
mod sweep;
mod tokens;
mod transaction;
mod transfers;
mod typed_data;
mod vault;
mod wallets;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use keyward_custody::CustodyError;
use serde_json::Value;

use crate::cli::context::Context;
use crate::exit::{Exit, Failure};
use crate::hardening;
use crate::output::{self, Format, Report};
use crate::secret_input::Source;

/// A terminal wallet console for many Solana wallets.
///
/// Without a command it opens the console. Every action of the console has a command here, for scripts.
#[derive(Debug, Parser)]
#[command(name = "keyward", version, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
Environment:
  KEYWARD_VAULT            the vault, where --vault is not given; else DATABASE_URL
  KEYWARD_RPC_URL          the node, where --rpc is not given, several with spaces between (KEYWARD_WS_URL for --ws)
  KEYWARD_MASTER_PASSWORD  the vault's password, where --password-file is not given
  KEYWARD_ENCRYPTION_KEY   the vault's second factor: 32 bytes in base64 or hex
  KEYWARD_LOG              a file to log to (KEYWARD_LOG_LEVEL: error, warn, info, debug, trace)
  NO_COLOR                 no colours

No secret is ever taken from the command line. No node is contacted before one is chosen.

Examples:
  keyward
  keyward init --words 24 --phrase-out phrase.txt
  keyward wallets derive --count 1000
  keyward config set rpc_url http://127.0.0.1:8899

Exit codes: 0 done, 1 unexpected, 2 usage, 3 refused, 4 locked or wrong password, 5 not found, 6 node unreachable or \
answer unknown, 7 does not verify, 8 storage, 9 transfer failed or expired, 10 invalid input, 130 cancelled.";

/// Options that every command takes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Options everywhere")]
struct Global {
    /// The vault: a file or a postgres URL [env: KEYWARD_VAULT, DATABASE_URL]
    #[arg(long, global = true, value_name = "PATH")]
    vault: Option<String>,
    /// The node's JSON-RPC address; given again, further ones stand in for it [env: KEYWARD_RPC_URL]
    #[arg(long, global = true, value_name = "URL")]
    rpc: Vec<String>,
    /// The node's WebSocket address, where it is not the customary one [env: KEYWARD_WS_URL]
    #[arg(long, global = true, value_name = "URL")]
    ws: Option<String>,
    /// Print one JSON object; errors too, to standard error
    #[arg(long, global = true)]
    json: bool,
    /// Read the vault's password from a file's only line, or from the first line of standard input for `-`
    #[arg(long, global = true, value_name = "FILE|-")]
    password_file: Option<Source>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Derive(derive::Args),
    FindPath(find_path::Args),
    FindAccount(find_account::Args),
    Import(import::Args),
    Export(export::Args),
    #[command(subcommand)]
    Wallets(wallets::Command),
    #[command(subcommand)]
    Owners(owners::Command),
    #[command(subcommand)]
    Book(book::Command),
    #[command(subcommand)]
    Phrases(phrases::Command),
    Rotate(rotate::Args),
    Balance(balance::Args),
    Balances(balances::Args),
    Tokens(tokens::Args),
    History(history::Args),
    Portfolio(portfolio::Args),
    Send(send::Args),
    Consolidate(consolidate::Args),
    Close(close::Args),
    #[command(subcommand)]
    Nonce(nonce::Command),
    #[command(subcommand)]
    Transfers(transfers::Command),
    #[command(subcommand)]
    Distribute(distribute::Command),
    Inspect(inspect::Args),
    SignMessage(message::SignArgs),
    VerifyMessage(message::VerifyArgs),
    SignTransaction(transaction::Args),
    SignTypedData(typed_data::Args),
    #[command(subcommand)]
    Audit(audit::Command),
    #[command(subcommand)]
    Vault(vault::Command),
    #[command(subcommand)]
    Store(store::Command),
    Migrate(store::MigrateArgs),
    #[command(subcommand)]
    Policy(policy::Command),
    #[command(subcommand)]
    Config(settings::Command),
    Completions(completions::Args),
}

/// Runs the program with the process's arguments.
pub fn run() -> ExitCode {
    hardening::forbid_core_files();
    hardening::quiet_panics();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, &arguments).into(),
    };
    // Parsing opened the files that the command line names; nothing secret was read yet.
    hardening::forbid_inspection();
    let format = if cli.global.json {
        Format::Json
    } else {
        Format::Text
    };
    let mut context = Context::new(cli.global, format);
    let result = logging::start().and_then(|()| on_runtime(cli.command, &mut context));
    match &result {
        Ok(report) => tracing::info!(exit = report.exit as u8, "done"),
        Err(failure) => tracing::warn!(exit = failure.exit() as u8, code = failure.code(), "not done"),
    }
    finish(result, format, context.warnings()).into()
}

fn on_runtime(command: Option<Command>, context: &mut Context) -> Result<Report, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(
                Exit::Unexpected,
                "runtime",
                format!("cannot start threads: {error}"),
                "check the process limits",
            )
        })?;
    let result = runtime.block_on(async {
        let result = dispatch(command, context).await;
        context.close().await;
        result
    });
    // A blocking read that nobody waits for any more must not hold the process.
    runtime.shutdown_background();
    result
}

async fn dispatch(command: Option<Command>, context: &mut Context) -> Result<Report, Failure> {
    match command {
        None => open_console(context).await,
        Some(Command::Init(args)) => init::run(context, args).await,
        Some(Command::Derive(args)) => derive::run(&args),
        Some(Command::FindPath(args)) => find_path::run(&args),
        Some(Command::FindAccount(args)) => find_account::run(context, &args).await,
        Some(Command::Import(args)) => import::run(context, args).await,
        Some(Command::Export(args)) => export::run(context, args).await,
        Some(Command::Wallets(command)) => wallets::run(context, command).await,
        Some(Command::Book(command)) => book::run(context, command).await,
        Some(Command::Owners(command)) => owners::run(context, command).await,
        Some(Command::Phrases(command)) => phrases::run(context, command).await,
        Some(Command::Rotate(args)) => rotate::run(context, args).await,
        Some(Command::Balance(args)) => balance::run(context, args).await,
        Some(Command::Balances(args)) => balances::run(context, args).await,
        Some(Command::Tokens(args)) => tokens::run(context, args).await,
        Some(Command::History(args)) => history::run(context, args).await,
        Some(Command::Portfolio(args)) => portfolio::run(context, args).await,
        Some(Command::Nonce(command)) => nonce::run(context, command).await,
        Some(Command::Send(args)) => send::run(context, args).await,
        Some(Command::Consolidate(args)) => consolidate::run(context, args).await,
        Some(Command::Close(args)) => close::run(context, args).await,
        Some(Command::Transfers(command)) => transfers::run(context, command).await,
        Some(Command::Distribute(command)) => distribute::run(context, command).await,
        Some(Command::Inspect(args)) => inspect::run(context, args).await,
        Some(Command::SignMessage(args)) => message::sign(context, args).await,
        Some(Command::VerifyMessage(args)) => message::verify(&args),
        Some(Command::SignTransaction(args)) => transaction::run(context, args).await,
        Some(Command::SignTypedData(args)) => typed_data::run(context, args).await,
        Some(Command::Audit(command)) => audit::run(context, command).await,
        Some(Command::Vault(command)) => vault::run(context, command).await,
        Some(Command::Store(command)) => store::run(context, command).await,
        Some(Command::Migrate(args)) => store::migrate(context, &args).await,
        Some(Command::Policy(command)) => policy::run(context, command).await,
        Some(Command::Config(command)) => settings::run(context, command),
        Some(Command::Completions(args)) => completions::run(&args),
    }
}

async fn open_console(context: &mut Context) -> Result<Report, Failure> {
    use std::io::IsTerminal;
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        return Err(Failure::new(
            Exit::Usage,
            "no_terminal",
            "the console needs a terminal, and standard input or output is none",
            "name a command; see `keyward --help`",
        ));
    }
    let args = context.console_args()?;
    match crate::console::run(args).await {
        Ok(()) => Ok(Report::new("", Value::Object(serde_json::Map::new()))),
        Err(error) => Err(match error.downcast::<CustodyError>() {
            Ok(error) => error.into(),
            Err(error) => Failure::new(
                Exit::Unexpected,
                "console",
                format!("{error:#}"),
                "start it again",
            ),
        }),
    }
}

/// Prints help where it was asked for, and what is wrong with the command line otherwise.
fn usage(error: &clap::Error, arguments: &[OsString]) -> Exit {
    use clap::error::ErrorKind;
    let text = error.to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return if output::print(&text).is_ok() {
            Exit::Ok
        } else {
            Exit::Storage
        };
    }
    if arguments.iter().any(|argument| argument == "--json") {
        // The usage lines and the hint at --help are for people.
        let text = text
            .trim_start_matches("error: ")
            .split("\n\n")
            .next()
            .unwrap_or_default();
        let failure = Failure::new(Exit::Usage, "usage", text, "see `keyward --help`");
        output::warn(&format!("{}\n", failure.to_json()));
    } else {
        output::warn(&text);
    }
    Exit::Usage
}

fn finish(result: Result<Report, Failure>, format: Format, warnings: &[String]) -> Exit {
    let (printed, exit) = match (result, format) {
        (Ok(report), Format::Text) => (output::print(&report.text), report.exit),
        (Ok(mut report), Format::Json) => {
            if let (false, Some(fields)) = (warnings.is_empty(), report.json.as_object_mut()) {
                fields.insert("warnings".to_owned(), Value::from(warnings));
            }
            (output::print(&format!("{}\n", report.json)), report.exit)
        }
        (Err(failure), Format::Text) => {
            output::warn(&failure.to_text());
            (Ok(()), failure.exit())
        }
        (Err(failure), Format::Json) => {
            output::warn(&format!("{}\n", failure.to_json()));
            (Ok(()), failure.exit())
        }
    };
    match printed {
        Ok(()) => exit,
        Err(error) => {
            output::warn(&format!("error: cannot write to standard output: {error}\n"));
            Exit::Storage
        }
    }
}

/// The command tree, for completions and for documents made from it.
fn command_tree() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests;
