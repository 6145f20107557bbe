//! `keyward vault recovery`, `vault recover` and `vault rotate`: what involves the recovery key.
//!
//! A new recovery key leaves the program once: into a file that did not exist, mode 0600, made before the vault is changed,
//! or onto standard output where that is asked for.

use std::path::PathBuf;
use std::pin::pin;

use keyward_core::vault::{RecoveryKey, SecondFactor};
use keyward_custody::memory::clearing_stack;
use keyward_custody::{Custody, CustodyError, Password, RotateOptions, Rotation, VaultSummary};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::cli::context::{
    Context, NewFile, ask_new_password, ask_password, given_second_factor, read_password, second_factor_for,
};
use crate::cli::wallets::ProgressLine;
use crate::exit::{Exit, Failure};
use crate::output::Report;
use crate::secret_input::{self, Source};

/// Make or take away the recovery key
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a recovery key, which sets a new password when the old one is lost; it replaces an older one
    #[command(
        after_help = "Examples:\n  keyward vault recovery add --out recovery.txt\n  keyward vault recovery add --stdout | lpr"
    )]
    Add(#[command(flatten)] Out),
    /// Take the recovery key away
    ///
    /// Copies of the vault made before still open with it: rotate the vault key if it became known.
    #[command(after_help = "Example:\n  keyward vault recovery remove")]
    Remove,
}

/// Where a new recovery key goes.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(crate) struct Out {
    /// Write the new recovery key into this file, which must not exist (mode 0600)
    #[arg(long = "out", value_name = "FILE")]
    recovery_out: Option<PathBuf>,
    /// Print the new recovery key on standard output
    #[arg(long)]
    stdout: bool,
}

impl Out {
    /// Makes the file, if that is where the key goes.
    fn prepare(&self) -> Result<Option<NewFile>, Failure> {
        match (&self.recovery_out, self.stdout) {
            (Some(path), _) => NewFile::create("recovery key", path).map(Some),
            (None, true) => Ok(None),
            (None, false) => Err(Failure::new(
                Exit::Usage,
                "recovery_out_missing",
                "there is a new recovery key to be kept, and no place for it",
                "give --out FILE, or --stdout",
            )),
        }
    }

    /// Puts the key into its file. Nothing may come between the vault's change and this: nobody else knows the key.
    fn keep(file: Option<NewFile>, key: &RecoveryKey) -> Result<(), Failure> {
        let Some(file) = file else { return Ok(()) };
        let text = key.expose_text();
        let mut line = Zeroizing::new(Vec::with_capacity(text.len() + 1));
        line.extend_from_slice(text.as_bytes());
        line.push(b'\n');
        file.keep(&line).map_err(|failure| {
            Failure::new(
                failure.exit(),
                failure.code(),
                format!(
                    "the vault has a new recovery key, but nobody knows it: {}",
                    failure.message()
                ),
                "make another one with `keyward vault recovery add`",
            )
        })
    }

    /// Says where the key is, or what it is where it goes onto standard output; the answer's text and fields.
    fn tell(&self, key: &RecoveryKey, json: &mut Value) -> String {
        let mut field = |name: &str, value: Value| {
            if let Some(fields) = json.as_object_mut() {
                fields.insert(name.to_owned(), value);
            }
        };
        let shown = self.recovery_out.as_ref().map(|path| path.display().to_string());
        field("recovery_file", shown.clone().into());
        match shown {
            Some(path) => format!("the recovery key is in {path}: keep it where this machine is not\n"),
            None => {
                let text = key.expose_text();
                field("recovery_key", text.as_str().into());
                format!("{}\n", text.as_str())
            }
        }
    }
}

/// Set a new password by the recovery key, when the old one or the second factor is lost
///
/// When KEYWARD_ENCRYPTION_KEY is set, it is the second factor from then on; otherwise there is none. A lockout does not
/// hold this up.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward vault recover
  keyward vault recover --recovery-key-file recovery.txt --new-password-file new.txt")]
pub(crate) struct RecoverArgs {
    /// Read the recovery key from this file's only line, or from standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    recovery_key_file: Option<Source>,
    /// Read the new password from a file's only line, or from standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    new_password_file: Option<Source>,
}

/// Give the vault a new key and seal everything in it again
///
/// Password and second factor stay. A vault with a recovery key gets a new one, and the old one opens it no more. Old
/// copies of the vault still open with what opened them. Everybody can go on working until the new key is in force, which
/// is at once; stopped before, the same command goes on where it was.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  keyward vault rotate
  keyward vault rotate --out new-recovery.txt
  keyward vault rotate --abandon")]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    out: Out,
    /// Throw away what a rotation that was stopped has done so far; the vault stays as it is
    #[arg(long, conflicts_with_all = ["recovery_out", "stdout"])]
    abandon: bool,
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Report, Failure> {
    match command {
        Command::Add(out) => add(context, &out).await,
        Command::Remove => remove(context).await,
    }
}

async fn add(context: &Context, out: &Out) -> Result<Report, Failure> {
    let (custody, summary) = context.open().await?;
    let file = out.prepare()?;
    let (password, factor) = credentials(context, &summary)?;
    let key = custody.add_recovery(&password, factor.as_ref()).await?;
    Out::keep(file, &key)?;
    let mut json = json!({ "vault_id": summary.id.to_string(), "replaced": summary.has_recovery });
    let text = out.tell(&key, &mut json);
    Ok(Report::new(text, json))
}

async fn remove(context: &Context) -> Result<Report, Failure> {
    let (custody, summary) = context.open().await?;
    let (password, factor) = credentials(context, &summary)?;
    custody.remove_recovery(&password, factor.as_ref()).await?;
    Ok(Report::new(
        "the recovery key is taken away; copies of the vault made before still open with it\n",
        json!({ "vault_id": summary.id.to_string(), "removed": true }),
    ))
}

pub(super) async fn recover(context: &Context, args: &RecoverArgs) -> Result<Report, Failure> {
    let (custody, summary) = context.open().await?;
    let text = match &args.recovery_key_file {
        Some(source) => secret_input::read_line_from(source, "recovery key")?,
        None => secret_input::prompt("Recovery key: ")?.ok_or_else(|| {
            Failure::new(
                Exit::Locked,
                "recovery_key_missing",
                "the recovery key is needed, and there is no terminal to ask on",
                "give --recovery-key-file FILE",
            )
        })?,
    };
    let key = clearing_stack(|| RecoveryKey::parse(&text)).map_err(|error| {
        let text = error.to_string();
        let (cause, remedy) = text
            .split_once("; ")
            .unwrap_or((&text, "compare it with your copy"));
        Failure::invalid("recovery_key_invalid", cause, remedy)
    })?;
    let factor = given_second_factor()?;
    let new = match &args.new_password_file {
        Some(source) => read_password(source, "new password")?,
        None => ask_new_password("New password: ")?,
    };
    new.check_strength().map_err(CustodyError::from)?;
    let rotation = custody.rotation_status().await?.is_some();
    custody
        .set_password_with_recovery(&key, &new, factor.as_ref())
        .await?;
    let mut text = "the password is changed\n".to_owned();
    if rotation {
        text.push_str("the rotation of the vault key that was under way is thrown away: begin it again\n");
    }
    Ok(Report::new(
        text,
        json!({
            "vault_id": summary.id.to_string(),
            "changed": true,
            "second_factor": factor.is_some(),
            "rotation_abandoned": rotation,
        }),
    ))
}

async fn abandon(context: &Context) -> Result<Report, Failure> {
    let (custody, summary) = context.open().await?;
    let (password, factor) = credentials(context, &summary)?;
    let abandoned = custody.abandon_rotation(&password, factor.as_ref()).await?;
    let text = if abandoned {
        "the rotation is thrown away; the vault has the key that it had\n"
    } else {
        "there was no rotation under way\n"
    };
    Ok(Report::new(
        text,
        json!({ "vault_id": summary.id.to_string(), "abandoned": abandoned }),
    ))
}

/// Rotates, and stops at Ctrl-C: what is done by then is kept.
async fn rotate_until_stopped(
    context: &Context,
    custody: &Custody,
    password: &Password,
    factor: Option<&SecondFactor>,
) -> Result<Rotation, CustodyError> {
    let options = RotateOptions::default();
    let mut states = options.progress.subscribe();
    let mut job = pin!(custody.rotate_vault_key_with(password, factor, &options));
    let mut line = ProgressLine::new(context.shows_progress());
    let outcome = loop {
        tokio::select! {
            outcome = &mut job => break outcome,
            Ok(()) = states.changed() => {
                let state = *states.borrow_and_update();
                line.show(&format!("{} of {} records", state.done, state.total));
            }
            // The job stops at its next chunk, keeps what it has done, and says so.
            Ok(()) = tokio::signal::ctrl_c() => options.progress.cancel(),
        }
    };
    line.clear();
    outcome
}

pub(super) async fn rotate(context: &Context, args: &RotateArgs) -> Result<Report, Failure> {
    if args.abandon {
        return abandon(context).await;
    }
    let (custody, summary) = context.open().await?;
    let file = if summary.has_recovery {
        args.out.prepare()?
    } else {
        None
    };
    let (password, factor) = credentials(context, &summary)?;
    let rotation = rotate_until_stopped(context, &custody, &password, factor.as_ref()).await?;
    if let Some(key) = &rotation.recovery {
        Out::keep(file, key)?;
    }
    let mut json = json!({
        "vault_id": summary.id.to_string(),
        "epoch": rotation.epoch,
        "records": rotation.records,
        "resumed": rotation.resumed,
        "recovery_file": null,
    });
    let mut text = format!(
        "the vault has its key number {} now; {} records are sealed under it\n",
        rotation.epoch, rotation.records
    );
    if rotation.resumed {
        text.push_str("it was begun before, and is done now\n");
    }
    if let Some(key) = &rotation.recovery {
        text.push_str(&args.out.tell(key, &mut json));
    }
    Ok(Report::new(text, json))
}

pub(super) fn credentials(
    context: &Context,
    summary: &VaultSummary,
) -> Result<(Password, Option<SecondFactor>), Failure> {
    let factor = second_factor_for(summary)?;
    let password = match context.given_password()? {
        Some(password) => password,
        None => ask_password("Password: ")?,
    };
    Ok((password, factor))
}
