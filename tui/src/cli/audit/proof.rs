//! Proofs of the log: made with the vault, checked without it.

use std::path::PathBuf;

use keyward_core::address::Address;
use keyward_core::audit::{AuditProof, Checkpoint, MAX_PROOF_BYTES, SignedCheckpoint, parse_verifier_key};
use serde_json::json;

use super::read_checkpoint;
use crate::cli::context::{Context, create_failure, create_private};
use crate::exit::{Exit, Failure};
use crate::output::{Report, fields};
use crate::secret_input::Source;

#[derive(Debug, clap::Args)]
pub(crate) struct ProveArgs {
    /// The earlier checkpoint: prove that the log only grew since
    #[arg(
        long,
        value_name = "FILE|-",
        required_unless_present = "entry",
        conflicts_with = "entry"
    )]
    from: Option<Source>,
    /// An entry: prove that it is in the checkpoint
    #[arg(long, value_name = "SEQUENCE")]
    entry: Option<u64>,
    /// The checkpoint, or the later one of two
    #[arg(long, value_name = "FILE|-")]
    to: Source,
    /// Write it into this file, which must not exist, instead of printing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// The proof
    #[arg(long, value_name = "FILE|-")]
    proof: Source,
    /// The earlier checkpoint, for a proof that the log only grew
    #[arg(long, value_name = "FILE|-")]
    from: Option<Source>,
    /// The checkpoint, or the later one of two
    #[arg(long, value_name = "FILE|-")]
    to: Source,
    /// A key that may have signed them, as `keyward audit keys` prints it; several after a rotation of the vault key
    #[arg(long = "key", value_name = "KEY", required = true)]
    keys: Vec<String>,
}

pub(super) async fn keys(context: &Context) -> Result<Report, Failure> {
    let (custody, _) = context.open().await?;
    let keys = custody.audit_verifier_keys().await?;
    let text: String = keys.iter().map(|key| format!("{key}\n")).collect();
    Ok(Report::new(text, json!({ "keys": keys })))
}

pub(super) async fn prove(context: &Context, args: ProveArgs) -> Result<Report, Failure> {
    let to = read_checkpoint(&args.to)?;
    let from = args.from.as_ref().map(read_checkpoint).transpose()?;
    let (custody, _) = context.open().await?;
    let proof = match (from, args.entry) {
        (Some(from), _) => custody.audit_prove_growth(&from, &to).await?,
        (None, Some(entry)) => custody.audit_prove_entry(entry, &to).await?,
        (None, None) => {
            return Err(Failure::invalid(
                "proof_of_what",
                "there is neither an earlier checkpoint nor an entry".to_owned(),
                "give --from FILE or --entry SEQUENCE",
            ));
        }
    };
    let text = proof.to_string();
    let json = json!({ "proof": text, "file": args.out.as_ref().map(|path| path.display().to_string()) });
    match args.out {
        None => Ok(Report::new(text, json)),
        Some(path) => {
            create_private(&path, text.as_bytes()).map_err(|error| create_failure("proof", &path, &error))?;
            Ok(Report::new(format!("written to {}\n", path.display()), json))
        }
    }
}

/// Needs no vault: the two checkpoints, the proof and the public key are all there is to it.
pub(super) fn check(args: &CheckArgs) -> Result<Report, Failure> {
    let keys = args
        .keys
        .iter()
        .map(|key| parse_verifier_key(key))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| {
            Failure::invalid(
                "key_invalid",
                error.to_string(),
                "print the keys with `keyward audit keys`",
            )
        })?;
    let proof = read_proof(&args.proof)?;
    let to = verified(&read_checkpoint(&args.to)?, &keys)?;
    let from = match &args.from {
        Some(source) => Some(verified(&read_checkpoint(source)?, &keys)?),
        None => None,
    };
    let (mut lines, mut json) = match &from {
        Some(from) => {
            proof.check_consistency(from, &to).map_err(does_not_hold)?;
            (
                vec![
                    ("proof", "holds: the log only grew".to_owned()),
                    ("from", from.size.to_string()),
                ],
                json!({ "holds": true, "kind": "growth", "from_size": from.size, "to_size": to.size }),
            )
        }
        None => {
            let (sequence, leaf) = proof.check_inclusion(&to).map_err(does_not_hold)?;
            let leaf = hex::encode(leaf);
            (
                vec![
                    ("proof", "holds: the entry is in the log".to_owned()),
                    ("entry", sequence.to_string()),
                    ("leaf hash", leaf.clone()),
                ],
                json!({ "holds": true, "kind": "entry", "sequence": sequence, "leaf_hash": leaf, "to_size": to.size }),
            )
        }
    };
    lines.push(("to", to.size.to_string()));
    lines.push(("log", to.origin.clone()));
    json["origin"] = json!(to.origin);
    Ok(Report::new(fields(&lines), json))
}

/// The checkpoint, if one of the keys signed it.
fn verified(signed: &SignedCheckpoint, keys: &[(String, Address)]) -> Result<Checkpoint, Failure> {
    let tried = keys.iter().map(|(origin, key)| signed.verify(key, origin));
    let mut last = None;
    for read in tried {
        match read {
            Ok(checkpoint) => return Ok(checkpoint),
            Err(error) => last = Some(error),
        }
    }
    let why = last.map_or_else(String::new, |error| format!(": {error}"));
    Err(Failure::new(
        Exit::Unverified,
        "checkpoint_mismatch",
        format!("no key given signed the checkpoint{why}"),
        "compare the key with one that you got from the vault's owner",
    ))
}

fn read_proof(source: &Source) -> Result<AuditProof, Failure> {
    let bytes = source.read_all("proof", MAX_PROOF_BYTES)?;
    let invalid = |reason: String| {
        Failure::invalid(
            "proof_invalid",
            format!("this is no proof: {reason}"),
            "give the file as `keyward audit prove` wrote it",
        )
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| invalid(error.to_string()))?;
    text.parse()
        .map_err(|error: keyward_core::audit::AuditProofError| invalid(error.to_string()))
}

fn does_not_hold(error: keyward_core::audit::AuditProofError) -> Failure {
    Failure::new(
        Exit::Unverified,
        "proof_mismatch",
        format!("the proof does not hold: {error}"),
        "check that all three files belong together; if they do, the log was changed",
    )
}
