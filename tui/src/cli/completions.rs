//! `keyward completions`: a completion script for a shell.

use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::output::Report;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  keyward completions bash > ~/.local/share/bash-completion/completions/keyward"
)]
pub(crate) struct Args {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(args: &Args) -> Result<Report, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command_tree(), "keyward", &mut script);
    let script = String::from_utf8(script).map_err(|_| {
        Failure::new(
            Exit::Unexpected,
            "completions",
            "the script is not UTF-8",
            "report this",
        )
    })?;
    let json = json!({ "shell": args.shell.to_string(), "script": script });
    Ok(Report::new(script, json))
}
