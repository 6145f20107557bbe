//! Files that people name: read whole and wiped, completed while typed, written once and never over another.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::console::effect::Failure;
use crate::durable::sync_folder;

/// The most entries of a folder that a completion looks at.
const MAX_ENTRIES: usize = 10_000;

/// The path that a typed text means: `~/` is the home folder.
pub(super) fn expand(text: &str) -> PathBuf {
    let text = text.trim();
    match (text.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(text),
    }
}

/// Everything in a file of at most `limit` bytes.
pub(super) fn read(text: &str, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let path = expand(text);
    let broken = |error: &std::io::Error| {
        let cause = format!("{} cannot be read: {}", path.display(), why(error));
        Failure::new(cause, "name another file; Tab completes names")
    };
    if path.is_dir() {
        let cause = format!("{} is a folder", path.display());
        return Err(Failure::new(cause, "name a file in it; Tab completes names"));
    }
    let file = File::open(&path).map_err(|error| broken(&error))?;
    // Reserved at once: growing would leave copies of a key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 1));
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| broken(&error))?;
    if bytes.len() > limit {
        let cause = format!("{} is larger than {limit} bytes", path.display());
        return Err(Failure::new(cause, "choose the file that was meant"));
    }
    Ok(bytes)
}

/// The longest text that every name beginning like this has in common; with `/` behind a folder.
pub(super) fn complete(text: &str) -> Option<String> {
    let (folder, begun) = text.rsplit_once('/').map_or(("", text), |(_, begun)| {
        (text.get(..text.len() - begun.len()).unwrap_or_default(), begun)
    });
    let place = if folder.is_empty() {
        PathBuf::from(".")
    } else {
        expand(folder)
    };
    let mut found: Option<String> = None;
    let (mut several, mut is_folder) = (false, false);
    for entry in fs::read_dir(place).ok()?.take(MAX_ENTRIES).flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // Hidden files show when they are asked for.
        if !name.starts_with(begun) || (begun.is_empty() && name.starts_with('.')) {
            continue;
        }
        is_folder = entry.path().is_dir();
        found = Some(match found {
            None => name,
            Some(other) => {
                several = true;
                let same = other.chars().zip(name.chars()).take_while(|(a, b)| a == b);
                same.map(|(ch, _)| ch).collect()
            }
        });
    }
    let name = found?;
    let end = if !several && is_folder { "/" } else { "" };
    Some(format!("{folder}{name}{end}"))
}

/// Whether nothing is in the way of writing a new file here.
pub(super) fn check_free(text: &str) -> Result<PathBuf, Failure> {
    let path = expand(text);
    if path.symlink_metadata().is_ok() {
        let cause = format!("{} is there already", path.display());
        return Err(Failure::new(
            cause,
            "name a file that does not exist; none is ever written over",
        ));
    }
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() || folder.is_dir() => Ok(path),
        _ => {
            let cause = format!("the folder of {} does not exist", path.display());
            Err(Failure::new(cause, "make it first, or name another"))
        }
    }
}

/// Writes a new file that nobody else can read, and has it on the disk before it returns.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let broken = |error: &std::io::Error| {
        let cause = format!("{} was not written: {}", path.display(), why(error));
        Failure::new(cause, "name another place")
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| broken(&error))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Half a key is of use to nobody but who should not have it.
        let _ = fs::remove_file(path);
        return Err(broken(&error));
    }
    sync_folder(path);
    Ok(())
}

fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::PermissionDenied => "it is not allowed".into(),
        std::io::ErrorKind::AlreadyExists => "it is there already".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn nothing_is_written_over_and_nobody_else_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.json");
        write_new(&check_free(path.to_str().unwrap()).unwrap(), b"first").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        write_new(&path, b"second").unwrap_err();
        check_free(path.to_str().unwrap()).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        check_free(folder.path().join("none/key.json").to_str().unwrap()).unwrap_err();
    }

    #[test]
    fn names_are_completed_as_far_as_they_agree() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| format!("{}/{name}", folder.path().display());
        for name in ["wallet-1.json", "wallet-2.json", ".hidden"] {
            fs::write(at(name), "x").unwrap();
        }
        fs::create_dir(at("keys")).unwrap();
        assert_eq!(complete(&at("wa")), Some(at("wallet-")));
        assert_eq!(complete(&at("wallet-2")), Some(at("wallet-2.json")));
        assert_eq!(complete(&at("k")), Some(at("keys/")));
        assert_eq!(complete(&at(".h")), Some(at(".hidden")));
        assert_eq!(complete(&at("zzz")), None);
    }

    #[test]
    fn files_are_read_up_to_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "12345678").unwrap();
        let path = path.to_str().unwrap();
        assert_eq!(read(path, 8).unwrap().as_slice(), b"12345678");
        read(path, 7).unwrap_err();
        read(folder.path().to_str().unwrap(), 7).unwrap_err();
        assert!(
            read("/nonexistent/file", 7)
                .unwrap_err()
                .cause
                .contains("no such file")
        );
    }
}
