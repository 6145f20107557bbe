//! Which schema a store has, and which it would get. Looking makes nothing and changes nothing.

use sqlx::migrate::Migrator;

use super::{postgres, sqlite};
use crate::error::CustodyError;
use crate::location::{Place, StoreLocation};

/// A step from one version of the schema to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaStep {
    /// The version after it.
    pub version: i64,
    /// What it is called.
    pub name: String,
}

/// What a store's schema is, and what it would become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaState {
    /// The version found; 0 where there are no tables yet.
    pub version: i64,
    /// The version that this program brings it to.
    pub newest: i64,
    /// The steps that are missing, in their order.
    pub missing: Vec<SchemaStep>,
}

impl SchemaState {
    /// What is missing where these versions are there.
    pub(super) fn of(found: &[i64], known: &Migrator) -> Result<Self, CustodyError> {
        let newest = known.iter().map(|one| one.version).max().unwrap_or(0);
        let version = found.iter().copied().max().unwrap_or(0);
        if version > newest {
            return Err(CustodyError::NewerSchema {
                found: version,
                known: newest,
            });
        }
        let missing = known
            .iter()
            .filter(|one| !found.contains(&one.version))
            .map(|one| SchemaStep {
                version: one.version,
                name: one.description.to_string(),
            })
            .collect();
        Ok(Self {
            version,
            newest,
            missing,
        })
    }
}

/// Looks at a store without opening it.
pub(crate) async fn schema_state(location: &StoreLocation) -> Result<SchemaState, CustodyError> {
    match location.place() {
        Place::File(path) => sqlite::schema_state(path).await,
        Place::Postgres(url) => postgres::schema_state(url.expose_url()).await,
    }
}
