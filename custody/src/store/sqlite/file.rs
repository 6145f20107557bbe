//! The database file before SQLite sees it: created for its owner alone, and looked at once.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::errors::io_error;
use crate::error::CustodyError;

/// The first bytes of every SQLite database. <https://www.sqlite.org/fileformat.html#the_database_header>
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Makes sure that the file is there, is the owner's alone, and looks like a database or is empty.
///
/// SQLite gives its journal files the mode of the database file, so this one is enough.
pub(super) fn prepare(path: &Path) -> Result<(), CustodyError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(folder)
            .map_err(|error| io_error(&error, "the vault's folder"))?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        // A umask may have taken more away than intended; nothing is in the file yet.
        Ok(file) => restrict(&file).map_err(|error| io_error(&error, "the vault's file")),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => look(path),
        Err(error) => Err(io_error(&error, "the vault's file")),
    }
}

fn look(path: &Path) -> Result<(), CustodyError> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(|error| io_error(&error, "the vault's file"))?;
    let metadata = file
        .metadata()
        .map_err(|error| io_error(&error, "the vault's file"))?;
    if !metadata.is_file() {
        return Err(CustodyError::damaged("it is not a file"));
    }
    if metadata.len() > 0 {
        let mut start = Vec::with_capacity(MAGIC.len());
        let limit = u64::try_from(MAGIC.len()).unwrap_or(u64::MAX);
        (&mut file)
            .take(limit)
            .read_to_end(&mut start)
            .map_err(|error| io_error(&error, "the vault's file"))?;
        if start != MAGIC {
            return Err(CustodyError::damaged("the file is not a SQLite database"));
        }
    }
    if let Err(error) = restrict(&file) {
        // Somebody else's file that we may write: usable, but worth saying.
        tracing::warn!(%error, "could not restrict the vault's file to its owner");
    }
    Ok(())
}

#[cfg(unix)]
fn restrict(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if file.metadata()?.permissions().mode() & 0o777 == 0o600 {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn restrict(_file: &File) -> std::io::Result<()> {
    Ok(())
}
