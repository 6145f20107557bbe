//! Which of the two stores a location opens.

use std::sync::Arc;

use super::Store;
use super::postgres::PostgresStore;
use super::sqlite::SqliteStore;
use crate::clock::Clock;
use crate::error::CustodyError;
use crate::location::{Place, StoreLocation};
use crate::witness::Witness;

/// An open store, of either kind.
pub(crate) enum OpenStore {
    Sqlite(Box<SqliteStore>),
    Postgres(Box<PostgresStore>),
}

impl OpenStore {
    /// Opens the store at this place, made and brought up to date as needed.
    pub(crate) async fn open(
        location: &StoreLocation,
        clock: Arc<dyn Clock>,
        busy_timeout_ms: u64,
        witness: Witness,
    ) -> Result<Self, CustodyError> {
        match location.place() {
            Place::File(path) => SqliteStore::open(path, clock, busy_timeout_ms, witness)
                .await
                .map(|store| Self::Sqlite(Box::new(store))),
            Place::Postgres(url) => PostgresStore::open(url.expose_url(), clock, busy_timeout_ms, witness)
                .await
                .map(|store| Self::Postgres(Box::new(store))),
        }
    }

    /// What the services see of it.
    pub(crate) fn store(&self) -> &dyn Store {
        match self {
            Self::Sqlite(store) => &**store,
            Self::Postgres(store) => &**store,
        }
    }

    /// Closes every connection.
    pub(crate) async fn close(&self) -> Result<(), CustodyError> {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Postgres(store) => store.close().await,
        }
    }

    /// Holds up everyone who changes something, for as long as the value lives.
    #[cfg(test)]
    pub(crate) async fn hold(&self) -> Box<dyn std::any::Any + Send> {
        match self {
            Self::Sqlite(store) => Box::new(store.writers.hold().await),
            Self::Postgres(store) => Box::new(store.writers.hold().await),
        }
    }

    /// How many callers wait for their turn to change something.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        match self {
            Self::Sqlite(store) => store.writers.waiting(),
            Self::Postgres(store) => store.writers.waiting(),
        }
    }

    /// In how many transactions this handle's changes were committed.
    #[cfg(test)]
    pub(crate) fn commits(&self) -> usize {
        match self {
            Self::Sqlite(store) => store.writers.commits(),
            Self::Postgres(store) => store.writers.commits(),
        }
    }
}
