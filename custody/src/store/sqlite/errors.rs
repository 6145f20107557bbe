//! What SQLite says, in the words of the custody boundary.
//!
//! Result codes: <https://www.sqlite.org/rescode.html>. The low byte is the primary code.

use sqlx::SqliteConnection;
use sqlx::migrate::{MigrateError, Migrator};

use crate::error::{CustodyError, StorageError};
use crate::store::columns::bounded;

const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READ_ONLY: i32 = 8;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANT_OPEN: i32 = 14;
const NOT_A_DATABASE: i32 = 26;
/// `SQLITE_IOERR_SHORT_READ`: a file cut short in the middle of a page.
const IO_SHORT_READ: i32 = 522;
/// `SQLITE_IOERR_SHMSIZE`: the journal's index could not be made longer, which only takes room on the disk. Opening a
/// database on a full disk ends here, since writing the file itself is what answers `SQLITE_FULL`.
const IO_SHARED_MEMORY_SIZE: i32 = 4_874;

/// Maps sqlx's results at the point of use.
pub(super) trait ResultExt<T> {
    /// The value, or the error in the boundary's words.
    fn storage(self) -> Result<T, CustodyError>;
}

impl<T> ResultExt<T> for Result<T, sqlx::Error> {
    fn storage(self) -> Result<T, CustodyError> {
        self.map_err(storage)
    }
}

/// The boundary's word for an error of sqlx.
pub(super) fn storage(error: sqlx::Error) -> CustodyError {
    match &error {
        sqlx::Error::Database(database) => {
            let code = database
                .code()
                .and_then(|code| code.parse::<i32>().ok())
                .unwrap_or(0);
            let detail = bounded(database.message());
            match (code & 0xff, code) {
                (BUSY | LOCKED, _) => CustodyError::Busy,
                (READ_ONLY, _) => CustodyError::ReadOnly,
                (FULL, _) | (_, IO_SHARED_MEMORY_SIZE) => CustodyError::DiskFull,
                (CORRUPT | NOT_A_DATABASE, _) | (_, IO_SHORT_READ) => CustodyError::Damaged { detail },
                (CANT_OPEN, _) => CustodyError::Storage(StorageError::new(
                    "the database or its journal could not be opened",
                    Some(Box::new(error)),
                )),
                _ => CustodyError::Storage(StorageError::new(detail, Some(Box::new(error)))),
            }
        }
        sqlx::Error::Io(io) => io_error(io, "the database"),
        sqlx::Error::ColumnDecode { index, .. } => {
            CustodyError::damaged(format!("column {index} holds a value of another kind"))
        }
        sqlx::Error::PoolTimedOut => CustodyError::Busy,
        _ => CustodyError::Storage(StorageError::new(
            "the database driver failed",
            Some(Box::new(error)),
        )),
    }
}

/// The boundary's word for an error of the file system.
pub(super) fn io_error(error: &std::io::Error, what: &str) -> CustodyError {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => CustodyError::ReadOnly,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => CustodyError::DiskFull,
        _ => CustodyError::Storage(StorageError::new(
            format!("{what}: {}", bounded(&error.to_string())),
            None,
        )),
    }
}

/// Whether another process brought the schema up to date at the same moment.
pub(super) fn is_migration_race(error: &MigrateError) -> bool {
    let (MigrateError::Execute(sqlx::Error::Database(database))
    | MigrateError::ExecuteMigration(sqlx::Error::Database(database), _)) = error
    else {
        return false;
    };
    database.message().contains("already exists")
        || database.message().contains("duplicate column name")
        || database.is_unique_violation()
        || database
            .code()
            .and_then(|code| code.parse::<i32>().ok())
            .is_some_and(|code| code & 0xff == BUSY)
}

/// The boundary's word for a failed migration.
pub(super) async fn migration(
    connection: &mut SqliteConnection,
    known: &Migrator,
    error: MigrateError,
) -> CustodyError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => storage(error),
        MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => {
            let found = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
                .fetch_one(connection)
                .await
                .unwrap_or(0);
            CustodyError::NewerSchema {
                found,
                known: known.iter().map(|one| one.version).max().unwrap_or(0),
            }
        }
        MigrateError::VersionMismatch(version) => CustodyError::damaged(format!(
            "its schema version {version} is not the one this program knows"
        )),
        other => CustodyError::Storage(StorageError::new(
            "bringing the schema up to date failed",
            Some(Box::new(other)),
        )),
    }
}
