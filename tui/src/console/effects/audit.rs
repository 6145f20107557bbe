//! Work on the audit log: pages, verifying, checkpoints.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use keyward_custody::{AuditPage, AuditQuery, AuditReport};

use super::Services;
use crate::console::effect::Failure;

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
}

/// What came of it.
#[derive(Debug)]
pub enum AuditAnswer {
    /// A page.
    Page(Result<AuditPage, Failure>),
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
    }
}

async fn page(services: &Services, query: &AuditQuery) -> Result<AuditPage, Failure> {
    let look = match services.current_audit_look().filter(|look| look.covers(query)) {
        Some(look) => look,
        None => {
            let look = services.custody()?.audit_reader(query).await?;
            services.audit_look(Some(look.clone()));
            look
        }
    };
    Ok(look.entries(query).await?)
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
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path),
        ErrorKind::NotFound => Failure::new(
            format!("the folder of {} does not exist", path.display()),
            "name a folder that exists",
        ),
        _ => Failure::new(
            format!("{} could not be written: {error}", path.display()),
            "check the folder's permissions and the free space, or name another file",
        ),
    })
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
