//! `keyward vault import --merge`: a vault file brought into a vault that is there, and what differs.

use keyward_core::vault::MAX_FILE_LEN;
use keyward_custody::{CustodyError, MergeConflict, MergeField, MergeReport};
use serde_json::{Value, json};

use super::{ImportArgs, factor_of};
use crate::cli::context::{Context, ask_password, read_password};
use crate::exit::{Exit, Failure};
use crate::output::Report;

pub(super) async fn run(context: &Context, args: &ImportArgs) -> Result<Report, Failure> {
    let given = args.limits.given();
    if !given.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "limits_with_merge",
            "a merge leaves the vault's policy as it is: limits given here would not be in force",
            format!("leave out {}", given.join(", ")),
        ));
    }
    let (custody, summary) = context.open().await?;
    // Standard input holds the vault's password first, then the file's, then the file.
    context.unlock(&custody, &summary).await?;
    let password = args
        .file_password_file
        .as_ref()
        .map(|source| read_password(source, "file's password"))
        .transpose()?;
    let bytes = args.file.read_all("vault file", MAX_FILE_LEN)?;
    let factor = factor_of(&bytes)?;
    let password = match password {
        Some(password) => password,
        None => ask_password("Password of the file: ")?,
    };
    let report = custody
        .merge_vault_file(bytes.to_vec(), &password, factor.as_ref(), args.dry_run)
        .await
        .map_err(|error| match error {
            CustodyError::WrongPassword => Failure::new(
                Exit::Locked,
                "wrong_password",
                "the file did not open: wrong password or second factor, or damaged data",
                "try again; if the password is right, choose another copy of the file",
            ),
            other => other.into(),
        })?;
    let json = json!({
        "vault_id": summary.id.to_string(),
        "dry_run": args.dry_run,
        "phrases_added": report.phrases_added,
        "phrases_known": report.phrases_known,
        "added": texts(&report.added),
        "same": texts(&report.same),
        "conflicts": report.conflicts.iter().map(conflict).collect::<Vec<_>>(),
        "policy_left_out": report.has_policy,
    });
    Ok(Report::new(text(&report, args.dry_run), json))
}

fn texts(addresses: &[impl ToString]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

fn conflict(conflict: &MergeConflict) -> Value {
    let differences = conflict.differences.iter().map(|difference| {
        json!({ "what": difference.what.id(), "here": difference.here, "file": difference.file })
    });
    json!({
        "address": conflict.address.to_string(),
        "differences": differences.collect::<Vec<_>>(),
    })
}

fn text(report: &MergeReport, dry_run: bool) -> String {
    let would = if dry_run { "would be " } else { "" };
    let mut text = format!(
        "{} phrases and {} wallets {would}added; {} wallets are here already, alike\n",
        report.phrases_added,
        report.added.len(),
        report.same.len()
    );
    if !report.conflicts.is_empty() {
        text.push_str(&format!(
            "{} wallets differ, and stay as they are here:\n",
            report.conflicts.len()
        ));
    }
    for conflict in &report.conflicts {
        text.push_str(&format!("  {}\n", conflict.address));
        for difference in &conflict.differences {
            let line = match difference.what {
                MergeField::Place => format!(
                    "    left out: {} has its place here ({})\n",
                    difference.here, difference.file
                ),
                what => format!(
                    "    {}: here {:?}, in the file {:?}\n",
                    what.id(),
                    difference.here,
                    difference.file
                ),
            };
            text.push_str(&line);
        }
    }
    if report.has_policy {
        text.push_str("the file's policy is left out: this vault's own stays in force\n");
    }
    text
}
