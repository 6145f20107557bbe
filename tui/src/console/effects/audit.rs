//! Work on the audit log: pages, verifying, checkpoints.

use std::fs;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use keyward_core::audit::{AuditProof, MAX_CHECKPOINT_BYTES, SignedCheckpoint};
use keyward_custody::{AuditCount, AuditQuery, AuditReport, AuditRows, RedactReport};
use serde_json::json;

use super::{Services, files};
use crate::audit_lines::row_json;
use crate::console::effect::Failure;
use crate::durable::sync_folder;

/// What to do.
#[derive(Debug)]
pub enum AuditWork {
    /// Look at the log anew, and read one page: for a screen that opens.
    Open(AuditQuery),
    /// Read one page. The log has an entry for the look that it is part of; another filter is another look.
    Page(AuditQuery),
    /// Recompute the whole log.
    Verify,
    /// Sign a checkpoint and write it to a new file.
    Checkpoint {
        /// The file as typed, `~/` being the home folder; must not exist yet.
        path: String,
    },
    /// Count what the filter finds, by operation and outcome.
    Counts(AuditQuery),
    /// Empty every entry whose retention is over to its hash.
    Redact,
    /// Write what the filter finds into a new file, a line of JSON each.
    Export {
        /// The filter.
        query: AuditQuery,
        /// The file as typed.
        path: String,
    },
    /// Compare the log with a kept checkpoint, or make a proof.
    Prove(Claim),
}

/// What is to be shown of the log. Files are as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It still is what this checkpoint says, entry by entry.
    Agrees {
        /// The checkpoint.
        checkpoint: String,
    },
    /// It only grew between two checkpoints.
    Grew {
        /// The earlier one.
        from: String,
        /// The later one.
        to: String,
        /// The new file for the proof.
        out: String,
    },
    /// An entry is in it.
    Holds {
        /// Which.
        sequence: u64,
        /// A checkpoint that is newer.
        checkpoint: String,
        /// The new file for the proof.
        out: String,
    },
}

/// What was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// It in a sentence, or what speaks against it.
    pub verdict: Result<String, String>,
    /// The file with the proof, if there is one.
    pub file: Option<PathBuf>,
    /// The keys that sign this log's checkpoints, for whoever checks it elsewhere.
    pub keys: Vec<String>,
}

/// What came of it.
#[derive(Debug)]
pub enum AuditAnswer {
    /// A page.
    Page(Result<AuditRows, Failure>),
    /// The counts.
    Counts(Result<Vec<AuditCount>, Failure>),
    /// What was redacted.
    Redacted(Result<RedactReport, Failure>),
    /// How many entries were written, and where.
    Exported(Result<(u64, PathBuf), Failure>),
    /// What was shown of the log.
    Proved(Result<Shown, Failure>),
    /// The verdict.
    Verified(Result<AuditReport, Failure>),
    /// The checkpoint's size, and where it was written.
    Checkpoint(Result<(u64, PathBuf), Failure>),
}

pub(super) async fn perform(services: &Services, work: AuditWork) -> AuditAnswer {
    match work {
        AuditWork::Open(query) => {
            services.audit_look(None);
            AuditAnswer::Page(page(services, &query).await)
        }
        AuditWork::Page(query) => AuditAnswer::Page(page(services, &query).await),
        AuditWork::Verify => AuditAnswer::Verified(verify(services).await),
        AuditWork::Checkpoint { path } => AuditAnswer::Checkpoint(checkpoint(services, &path).await),
        AuditWork::Counts(query) => {
            AuditAnswer::Counts(async { Ok(services.custody()?.audit_counts(&query).await?) }.await)
        }
        AuditWork::Redact => {
            AuditAnswer::Redacted(async { Ok(services.custody()?.audit_redact().await?) }.await)
        }
        AuditWork::Export { query, path } => AuditAnswer::Exported(export(services, &query, &path).await),
        AuditWork::Prove(claim) => AuditAnswer::Proved(prove(services, claim).await),
    }
}

async fn page(services: &Services, query: &AuditQuery) -> Result<AuditRows, Failure> {
    let look = match services.current_audit_look().filter(|look| look.covers(query)) {
        Some(look) => look,
        None => {
            let look = services.custody()?.audit_reader(query).await?;
            services.audit_look(Some(look.clone()));
            look
        }
    };
    Ok(look.rows(query).await?)
}

async fn verify(services: &Services) -> Result<AuditReport, Failure> {
    Ok(services.custody()?.audit_verify(None).await?)
}

async fn checkpoint(services: &Services, typed: &str) -> Result<(u64, PathBuf), Failure> {
    let path = located(typed, std::env::var_os("HOME").map(PathBuf::from))?;
    // Looked at before signing, so that a wrong path does not leave a checkpoint that nobody has.
    if path.exists() {
        return Err(exists(&path));
    }
    let signed = services.custody()?.audit_checkpoint().await?;
    write_new(&path, &signed.to_string())?;
    Ok((signed.unverified().size, path))
}

/// Removes the file unless the export came to its end: half of one is none.
struct Unfinished<'a>(Option<&'a Path>);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            // It is our own file: it did not exist a moment ago.
            let _ = fs::remove_file(path);
        }
    }
}

async fn export(services: &Services, query: &AuditQuery, typed: &str) -> Result<(u64, PathBuf), Failure> {
    let path = located(typed, std::env::var_os("HOME").map(PathBuf::from))?;
    let custody = services.custody()?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let broken = |error: std::io::Error| unwritten(&path, &error);
    let mut file = BufWriter::new(options.open(&path).map_err(broken)?);
    let mut unfinished = Unfinished(Some(&path));
    let mut export = custody.audit_export(query).await?;
    let mut entries = 0;
    while let Some(rows) = export.next_rows().await? {
        for row in &rows {
            writeln!(file, "{}", row_json(row)).map_err(broken)?;
            entries += 1;
        }
    }
    let last = json!({ "checkpoint": export.checkpoint().to_string() });
    writeln!(file, "{last}")
        .and_then(|()| file.flush())
        .and_then(|()| file.get_ref().sync_all())
        .map_err(broken)?;
    unfinished.0 = None;
    drop(unfinished);
    sync_folder(&path);
    Ok((entries, path))
}

async fn prove(services: &Services, claim: Claim) -> Result<Shown, Failure> {
    let custody = services.custody()?;
    let keys = custody.audit_verifier_keys().await?;
    let (verdict, proof) = match &claim {
        Claim::Agrees { checkpoint } => {
            let kept = read_checkpoint(checkpoint)?;
            let verdict = match custody.audit_verify(Some(&kept)).await? {
                AuditReport::Intact { entries, .. } => Ok(format!(
                    "the log is intact, and its first {} of {entries} entries are those of the checkpoint",
                    kept.unverified().size
                )),
                AuditReport::Broken { sequence, reason } => {
                    Err(format!("the log was changed: entry {sequence}: {reason}"))
                }
            };
            (verdict, None)
        }
        Claim::Grew { from, to, out } => {
            let (from, to) = (read_checkpoint(from)?, read_checkpoint(to)?);
            let out = free(out)?;
            let proof = custody.audit_prove_growth(&from, &to).await?;
            let (old, new) = (from.unverified().size, to.unverified().size);
            let verdict = format!("the log only grew, from {old} to {new} entries");
            (Ok(verdict), Some((proof, out)))
        }
        Claim::Holds {
            sequence,
            checkpoint,
            out,
        } => {
            let checkpoint = read_checkpoint(checkpoint)?;
            let out = free(out)?;
            let proof = custody.audit_prove_entry(*sequence, &checkpoint).await?;
            let size = checkpoint.unverified().size;
            let verdict = format!("entry {sequence} is among the {size} entries of the checkpoint");
            (Ok(verdict), Some((proof, out)))
        }
    };
    let file = proof.map(write_proof).transpose()?;
    Ok(Shown { verdict, file, keys })
}

fn write_proof((proof, path): (AuditProof, PathBuf)) -> Result<PathBuf, Failure> {
    write_new(&path, &proof.to_string())?;
    Ok(path)
}

/// Where a new file may be written. Looked at before the work is done for it.
fn free(typed: &str) -> Result<PathBuf, Failure> {
    let path = located(typed, std::env::var_os("HOME").map(PathBuf::from))?;
    if path.exists() {
        return Err(exists(&path));
    }
    Ok(path)
}

fn read_checkpoint(typed: &str) -> Result<SignedCheckpoint, Failure> {
    let bytes = files::read(typed, MAX_CHECKPOINT_BYTES)?;
    let invalid = |reason: String| {
        Failure::new(
            format!("{typed} is no checkpoint: {reason}"),
            "name the file as c in the audit log wrote it",
        )
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| invalid(error.to_string()))?;
    text.parse::<SignedCheckpoint>()
        .map_err(|error| invalid(error.to_string()))
}

/// The absolute path of a file as typed.
fn located(typed: &str, home: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let path = match (typed.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(typed),
    };
    std::path::absolute(&path).map_err(|error| {
        Failure::new(
            format!("{typed:?} is no file name here: {error}"),
            "name a file, with its folder",
        )
    })
}

fn exists(path: &Path) -> Failure {
    Failure::new(
        format!("{} exists already", path.display()),
        "name another file; nothing was overwritten",
    )
}

/// Writes a file that must not exist yet. A checkpoint is public: the usual permissions are right.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::AlreadyExists => exists(path),
        ErrorKind::NotFound => Failure::new(
            format!("the folder of {} does not exist", path.display()),
            "name a folder that exists",
        ),
        _ => Failure::new(
            format!("{} could not be written: {error}", path.display()),
            "check the folder's permissions and the free space, or name another file",
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_home_folder_is_understood() {
        let home = Some(PathBuf::from("/srv/me"));
        assert_eq!(
            located("~/a.txt", home.clone()).unwrap(),
            Path::new("/srv/me/a.txt")
        );
        assert_eq!(located("/tmp/~/a.txt", home).unwrap(), Path::new("/tmp/~/a.txt"));
        assert!(located("", None).is_err());
    }

    #[test]
    fn a_checkpoint_never_overwrites_and_says_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.txt");
        write_new(&path, "first").unwrap();
        assert!(
            write_new(&path, "second")
                .unwrap_err()
                .cause
                .ends_with("exists already")
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        let missing = folder.path().join("none/checkpoint.txt");
        assert!(write_new(&missing, "x").unwrap_err().cause.contains("folder"));
    }
}
