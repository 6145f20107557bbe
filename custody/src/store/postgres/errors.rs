//! What PostgreSQL says, in the words of the custody boundary, and whether to try again.
//!
//! Only the code and the message go on, never the driver's own error: that could name the connection. Codes:
//! <https://www.postgresql.org/docs/current/errcodes-appendix.html>

use sqlx::PgConnection;
use sqlx::error::DatabaseError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgDatabaseError;

use crate::error::{CustodyError, StorageError};
use crate::store::batch;
use crate::store::columns::bounded;

/// Why a step of a transaction failed.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) error: CustodyError,
    pub(super) kind: FaultKind,
}

/// What can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// It would fail again.
    Final,
    /// Another transaction was in the way: this one is undone, and may be begun anew.
    Conflict,
    /// The connection is gone, and with it whatever was not committed.
    Connection,
    /// There was no connection to be had for as long as one waits: whoever waits again waits as long again.
    Absent,
}

impl From<CustodyError> for Fault {
    fn from(error: CustodyError) -> Self {
        Self {
            error,
            kind: FaultKind::Final,
        }
    }
}

impl From<Fault> for CustodyError {
    fn from(fault: Fault) -> Self {
        fault.error
    }
}

/// Maps sqlx's results at the point of use.
pub(super) trait ResultExt<T> {
    /// The value, or the error in the boundary's words.
    fn storage(self) -> Result<T, Fault>;
}

impl<T> ResultExt<T> for Result<T, sqlx::Error> {
    fn storage(self) -> Result<T, Fault> {
        self.map_err(storage)
    }
}

/// The boundary's word for an error of sqlx.
pub(super) fn storage(error: sqlx::Error) -> Fault {
    match &error {
        sqlx::Error::Database(database) => server(&**database),
        sqlx::Error::Io(io) => connection(bounded(&io.to_string())),
        sqlx::Error::Tls(tls) => connection(format!(
            "the encrypted connection failed: {}",
            bounded(&tls.to_string())
        )),
        sqlx::Error::WorkerCrashed | sqlx::Error::BeginFailed => {
            connection("the connection broke".to_owned())
        }
        sqlx::Error::Protocol(_) => connection("the server's answer was not understood".to_owned()),
        sqlx::Error::ColumnDecode { index, .. } => {
            CustodyError::damaged(format!("column {index} holds a value of another kind")).into()
        }
        // The driver tries for as long when nobody listens there.
        sqlx::Error::PoolTimedOut => Fault {
            kind: FaultKind::Absent,
            ..connection("no connection could be had in time".to_owned())
        },
        sqlx::Error::PoolClosed => batch::closed().into(),
        _ => CustodyError::Storage(StorageError::new("the database driver failed", None)).into(),
    }
}

fn connection(detail: String) -> Fault {
    Fault {
        error: CustodyError::Unreachable { detail },
        kind: FaultKind::Connection,
    }
}

fn server(error: &dyn DatabaseError) -> Fault {
    let code = error.code().unwrap_or_default();
    let detail = format!("{} ({code})", bounded(error.message()));
    let conflict = |error| Fault {
        error,
        kind: FaultKind::Conflict,
    };
    match &*code {
        // Serialization failure, deadlock.
        "40001" | "40P01" => conflict(CustodyError::Busy),
        // Two consoles made a vault at the same moment.
        "23505" if error.constraint() == Some("vaults_one") => CustodyError::AlreadyInitialised.into(),
        // A lock was waited for too long, a statement took too long, there is no room for another connection.
        "55P03" | "57014" | "53300" => CustodyError::Busy.into(),
        "53100" => CustodyError::DiskFull.into(),
        "25006" => CustodyError::ReadOnly.into(),
        "XX001" | "XX002" | "42P01" | "42703" => CustodyError::Damaged { detail }.into(),
        "28000" | "28P01" | "3D000" | "42501" => CustodyError::AccessDenied { detail }.into(),
        _ if code.starts_with("08") || code.starts_with("57P") => connection(detail),
        _ => CustodyError::Storage(StorageError::new(detail, None)).into(),
    }
}

/// Whether a failed COMMIT surely committed nothing. When the connection broke, or the server was going down, or it had
/// to give up waiting, it may have committed all the same.
pub(super) fn surely_not_committed(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(database) = error else {
        return false;
    };
    let code = database.code().unwrap_or_default();
    let fatal = database
        .try_downcast_ref::<PgDatabaseError>()
        .is_none_or(|error| !matches!(error.severity(), sqlx::postgres::PgSeverity::Error));
    // 40003: the statement's completion is unknown.
    !fatal && (code.starts_with("23") || code.starts_with("40")) && code != "40003"
}

/// Whether another process brought the schema up to date at the same moment.
pub(super) fn is_migration_race(error: &MigrateError) -> bool {
    let (MigrateError::Execute(sqlx::Error::Database(database))
    | MigrateError::ExecuteMigration(sqlx::Error::Database(database), _)) = error
    else {
        return false;
    };
    // Unique violation (of a catalogue, or of the list of migrations), duplicate table, object or column, conflicts.
    matches!(
        database.code().as_deref(),
        Some("23505" | "42P07" | "42710" | "42701" | "40001" | "40P01" | "55P03")
    )
}

/// The boundary's word for a failed migration.
pub(super) async fn migration(
    connection: &mut PgConnection,
    known: &Migrator,
    error: MigrateError,
) -> CustodyError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => storage(error).error,
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
        _ => CustodyError::Storage(StorageError::new("bringing the schema up to date failed", None)),
    }
}
