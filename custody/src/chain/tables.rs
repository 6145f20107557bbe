//! Address lookup tables: what they hold, read from their accounts.
//!
//! A table only grows while it is in use, and its address can never be had again, so what is finalized there stays.
//! One that is being deactivated may be closed at any time and is refused, though the network may take it for a while
//! longer. What a node says of a table is believed: no node can be checked here.
//!
//! Layout: `AddressLookupTable` of <https://github.com/solana-program/address-lookup-table>, `state.rs`: 56 bytes (tag
//! in four, slot of deactivation in eight, slot and first index of the last extension in nine, the authority, padding),
//! then the addresses.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyward_core::address::Address;
use keyward_core::intent::programs;
use serde::Deserialize;
use serde_json::json;
use solana_rpc_client_api::request::RpcRequest;

use super::transport::{AtSlot, call};
use super::{ChainError, Commitment, SolanaNode};

/// The most tables that are read at once: no message that fits a packet refers to more.
const MAX_TABLES: usize = 32;
/// Bytes before the addresses.
const META_LEN: usize = 56;
/// The most addresses of a table: an index is one byte.
const MAX_ADDRESSES: usize = 256;
/// The tag of a table that was set up.
const TABLE_TAG: u32 = 1;
/// The slot of deactivation while there is none.
const ACTIVE: u64 = u64::MAX;

/// What lookup tables hold. Whoever hands them in is trusted with it: the wallet signs for accounts that only the tables
/// name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LookupTables(Vec<(Address, Vec<Address>)>);

impl LookupTables {
    /// None.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Tables and their addresses, in their order. The first of the same table counts.
    #[must_use]
    pub fn new(tables: impl IntoIterator<Item = (Address, Vec<Address>)>) -> Self {
        Self(tables.into_iter().collect())
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a table holds, if it is known.
    #[must_use]
    pub fn contents(&self, table: &Address) -> Option<&[Address]> {
        let found = self.0.iter().find(|(own, _)| own == table);
        found.map(|(_, addresses)| addresses.as_slice())
    }
}

#[derive(Deserialize)]
struct RawTable {
    owner: Address,
    /// Base64, and the word that says so.
    data: (String, String),
}

pub(super) async fn read(node: &SolanaNode, tables: &[Address]) -> Result<LookupTables, ChainError> {
    if tables.is_empty() {
        return Ok(LookupTables::none());
    }
    if tables.len() > MAX_TABLES {
        return Err(ChainError::OutOfBounds {
            what: format!("more than {MAX_TABLES} lookup tables in one request"),
        });
    }
    // Finalized: what a table holds must not be another thing on the fork that wins.
    let options = json!({ "commitment": Commitment::Finalized.as_str(), "encoding": "base64" });
    let answer: AtSlot<Vec<Option<RawTable>>> =
        call(node, RpcRequest::GetMultipleAccounts, json!([tables, options])).await?;
    if answer.value.len() != tables.len() {
        let (found, asked) = (answer.value.len(), tables.len());
        return Err(ChainError::nonsense(format!(
            "{found} accounts for {asked} tables"
        )));
    }
    let read = tables.iter().zip(answer.value).map(|(table, account)| {
        let unusable = |reason| ChainError::LookupTable {
            table: *table,
            reason,
        };
        let account =
            account.ok_or_else(|| unusable("there is none at this address, or it is not final yet"))?;
        if account.owner != programs::LOOKUP_TABLE {
            return Err(unusable("the account is not a lookup table"));
        }
        if account.data.1 != "base64" {
            return Err(ChainError::nonsense(
                "an account's data in another encoding than asked for",
            ));
        }
        let data = STANDARD
            .decode(&account.data.0)
            .map_err(|_| ChainError::nonsense("an account's data that is not base64"))?;
        Ok((*table, addresses(&data).map_err(unusable)?))
    });
    read.collect::<Result<Vec<_>, _>>().map(LookupTables::new)
}

/// The addresses of an active table, or why it cannot be used.
fn addresses(data: &[u8]) -> Result<Vec<Address>, &'static str> {
    let (meta, addresses) = data
        .split_at_checked(META_LEN)
        .ok_or("its data is too short for a lookup table")?;
    let (tag, meta) = meta
        .split_first_chunk::<4>()
        .ok_or("its data is too short for a lookup table")?;
    if u32::from_le_bytes(*tag) != TABLE_TAG {
        return Err("it was not set up as a lookup table");
    }
    let deactivation = meta
        .first_chunk::<8>()
        .ok_or("its data is too short for a lookup table")?;
    if u64::from_le_bytes(*deactivation) != ACTIVE {
        return Err("it was deactivated, so it may be closed at any time");
    }
    let (addresses, surplus) = addresses.as_chunks::<32>();
    if !surplus.is_empty() || addresses.len() > MAX_ADDRESSES {
        return Err("its data has a length that no lookup table has");
    }
    Ok(addresses.iter().copied().map(Address::new).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// A table as the program writes it, with its authority.
    fn table(deactivation: u64, addresses: &[[u8; 32]]) -> Vec<u8> {
        let mut data = TABLE_TAG.to_le_bytes().to_vec();
        data.extend_from_slice(&deactivation.to_le_bytes());
        data.extend_from_slice(&77_u64.to_le_bytes());
        data.extend_from_slice(&[0, 1]);
        data.extend_from_slice(&[9; 32]);
        data.extend_from_slice(&[0, 0]);
        data.resize(META_LEN, 0);
        data.extend_from_slice(addresses.as_flattened());
        data
    }

    #[test]
    fn an_active_table_is_read_and_no_other() {
        let own = [[1; 32], [2; 32], [1; 32]];
        let good = table(ACTIVE, &own);
        assert_eq!(addresses(&good).unwrap(), own.map(Address::new));
        assert!(addresses(&table(ACTIVE, &[])).unwrap().is_empty());
        assert_eq!(addresses(&table(ACTIVE, &[[3; 32]; 256])).unwrap().len(), 256);

        let mut uninitialised = good.clone();
        uninitialised[0] = 0;
        let mut unknown = good.clone();
        unknown[1] = 1;
        for bad in [
            Vec::new(),
            good[..META_LEN - 1].to_vec(),
            good[..good.len() - 1].to_vec(),
            [good.as_slice(), &[0]].concat(),
            table(ACTIVE, &[[3; 32]; 257]),
            table(0, &own),
            table(77, &own),
            table(ACTIVE - 1, &own),
            uninitialised,
            unknown,
        ] {
            assert!(addresses(&bad).is_err(), "{} bytes", bad.len());
        }
    }

    #[test]
    fn tables_are_found_by_their_address() {
        let [first, second, other] = [1, 2, 3].map(|byte| Address::new([byte; 32]));
        let tables = LookupTables::new([(first, vec![other]), (second, vec![]), (first, vec![])]);
        assert_eq!(tables.contents(&first), Some(&[other][..]));
        assert_eq!(tables.contents(&second), Some(&[][..]));
        assert_eq!(tables.contents(&other), None);
        assert!(!tables.is_empty() && LookupTables::none().is_empty());
    }
}
