//! Which rows a change touches, so that the seal can follow it.
//!
//! What signing writes is told by the change itself and nothing is read for it. All else is rare: its rows are read before
//! and after it. Every kind of change is named here, so a new one does not compile before somebody has said what it
//! touches.

mod jobs;

use crate::error::CustodyError;
use crate::store::key_chain::KeyChange;
use crate::store::owners::LifeWrite;
use crate::store::rotation::RotationWrite;
use crate::store::rows::{self, Row, Table, Value};
use crate::store::{BookWrite, NewIntent, NewWallet, Write, stored_integer};

/// Some rows of a table: those that meet every condition.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) table: &'static Table,
    pub(crate) conditions: Vec<Condition>,
}

/// What rows have in common.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// This value in this column.
    Is(&'static str, Value),
    /// They are of the wallet at this address.
    OfWalletAt(String),
}

/// What a change does to the rows under the seal.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Nothing.
    Outside,
    /// This row comes.
    Adds(&'static Table, Row),
    /// These rows may.
    Changes(Vec<Place>),
    /// Wallets come, those that are not there yet.
    NewWallets,
    /// The store tells, in [`crate::store::Applied`].
    Told,
}

fn all(table: &'static Table) -> Place {
    Place {
        table,
        conditions: Vec::new(),
    }
}

fn of(table: &'static Table, column: &'static str, value: Value) -> Place {
    Place {
        table,
        conditions: vec![Condition::Is(column, value)],
    }
}

fn wallet(id: i64) -> Place {
    of(&rows::WALLETS, "wallet_id", Value::Integer(id))
}

fn tags(id: i64) -> Place {
    of(&rows::TAGS, "wallet_id", Value::Integer(id))
}

fn of_wallet_at(table: &'static Table, address: String) -> Place {
    Place {
        table,
        conditions: vec![Condition::OfWalletAt(address)],
    }
}

pub(crate) fn intent(hash: [u8; 32]) -> Place {
    of(&rows::INTENTS, "intent_hash", Value::Bytes(hash.to_vec()))
}

fn text(text: &str) -> Value {
    Value::Text(text.as_bytes().to_vec())
}

/// What this change will do, made at this time.
pub(crate) fn effect(write: &Write, now_ms: u64) -> Result<Effect, CustodyError> {
    let places = match write {
        // The lockout of a locked vault is outside, and so is how far a sent transaction has come. The log is a tree of
        // its own.
        Write::Lockout { .. } | Write::AttemptState { .. } | Write::Redact { .. } | Write::Holdings(_) => {
            return Ok(Effect::Outside);
        }
        // Everything is counted then, before and after; see `Ledger::rekeyed`.
        Write::Rotation(RotationWrite::Switch { .. }) => {
            vec![all(&rows::WALLETS), all(&rows::MASTER_WALLETS)]
        }
        Write::Rotation(_) => return Ok(Effect::Outside),
        Write::Job(change) => return jobs::effect(change),
        Write::Life(LifeWrite::Owner { name }) => vec![of(&rows::OWNERS, "name", text(name))],
        Write::Life(LifeWrite::OwnerName { owner, .. } | LifeWrite::OwnerGone { owner }) => {
            vec![of(&rows::OWNERS, "owner_id", Value::Integer(*owner))]
        }
        Write::Life(
            LifeWrite::Place { wallet: id, .. }
            | LifeWrite::Role { wallet: id, .. }
            | LifeWrite::Deleted { wallet: id, .. }
            | LifeWrite::Restored { wallet: id, .. }
            | LifeWrite::Purged { wallet: id },
        ) => vec![wallet(*id)],
        Write::Book(BookWrite::Contact { address, .. }) => {
            vec![of(&rows::ADDRESS_BOOK, "address", text(&address.to_string()))]
        }
        Write::Book(BookWrite::Words { contact, .. } | BookWrite::Gone { contact }) => {
            vec![of(&rows::ADDRESS_BOOK, "contact_id", Value::Integer(*contact))]
        }
        Write::Key(KeyChange::Replace(replaced)) => {
            let address = replaced.new.address.to_string();
            vec![
                wallet(replaced.old),
                tags(replaced.old),
                of_wallet_at(&rows::WALLETS, address.clone()),
                of_wallet_at(&rows::TAGS, address),
            ]
        }
        Write::Key(
            KeyChange::Retire { wallet: id }
            | KeyChange::Extend { wallet: id, .. }
            | KeyChange::Schedule { wallet: id, .. },
        ) => vec![wallet(*id)],
        Write::Intent(new) => return Ok(Effect::Adds(&rows::INTENTS, new_intent(new, now_ms)?)),
        Write::IntentSigned { .. } => return Ok(Effect::Told),
        Write::Wallets { .. } => return Ok(Effect::NewWallets),
        Write::Reservation {
            intent,
            wallet,
            asset,
            amount,
            earlier,
        } if earlier.is_empty() => {
            let row = Row::of(
                &rows::SPEND_RESERVATIONS,
                [
                    ("intent_hash", Value::Bytes(intent.to_vec())),
                    ("asset", text(asset)),
                    ("wallet_id", Value::Integer(*wallet)),
                    ("amount", Value::Amount(*amount)),
                    ("reserved_at", Value::Integer(stored_integer("time", now_ms)?)),
                ],
            );
            return Ok(Effect::Adds(&rows::SPEND_RESERVATIONS, row));
        }
        Write::Reservation {
            intent,
            asset,
            earlier,
            ..
        } => reservations(*intent, asset, earlier, now_ms)?,
        Write::IntentRenewed { hash } | Write::IntentFailed { hash } => vec![intent(*hash)],
        Write::Vault(_) => vec![
            all(&rows::VAULTS),
            all(&rows::MASTER_WALLETS),
            all(&rows::DERIVATIONS),
            all(&rows::POLICIES),
            all(&rows::VAULT_SETTINGS),
        ],
        // A vault has few phrases.
        Write::Master(_) => vec![all(&rows::MASTER_WALLETS), all(&rows::DERIVATIONS)],
        Write::AuditKeys { .. } => vec![all(&rows::VAULTS), all(&rows::AUDIT_KEYS)],
        Write::Header(_) => vec![all(&rows::VAULTS)],
        Write::Settings(_) => vec![all(&rows::VAULT_SETTINGS)],
        Write::NextIndex { master, .. } | Write::Life(LifeWrite::IndicesBack { master, .. }) => {
            vec![of(&rows::DERIVATIONS, "master_id", Value::Integer(*master))]
        }
        Write::TagAddress { address, .. } => vec![of_wallet_at(&rows::TAGS, address.to_string())],
        Write::Tag { wallet, .. } | Write::Untag { wallet, .. } => vec![tags(*wallet)],
        Write::Label { wallet: id, .. }
        | Write::WalletSealed { wallet: id, .. }
        | Write::WalletLockout { wallet: id, .. } => vec![wallet(*id)],
        Write::PolicySignature { version, .. } => {
            vec![of(
                &rows::POLICIES,
                "version",
                Value::Integer(i64::from(*version)),
            )]
        }
        Write::Attempt { new, .. } => {
            vec![of(&rows::ATTEMPTS, "signature", text(&new.signature.to_string()))]
        }
        Write::Checkpoint { size, .. } => {
            let size = Value::Integer(stored_integer("checkpoint size", *size)?);
            vec![of(&rows::AUDIT_CHECKPOINTS, "size", size)]
        }
    };
    Ok(Effect::Changes(places))
}

/// A moved reservation: under whose hash and at which time it was and may be now, each by the whole primary key.
fn reservations(
    intent: [u8; 32],
    asset: &str,
    earlier: &[([u8; 32], u64)],
    now_ms: u64,
) -> Result<Vec<Place>, CustodyError> {
    let mut places = Vec::new();
    let times = || earlier.iter().map(|(_, since_ms)| *since_ms).chain([now_ms]);
    for hash in earlier.iter().map(|(hash, _)| *hash).chain([intent]) {
        for time in times() {
            let place = Place {
                table: &rows::SPEND_RESERVATIONS,
                conditions: vec![
                    Condition::Is("asset", text(asset)),
                    Condition::Is("reserved_at", Value::Integer(stored_integer("time", time)?)),
                    Condition::Is("intent_hash", Value::Bytes(hash.to_vec())),
                ],
            };
            // Read twice, a row would count twice.
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    Ok(places)
}

fn new_intent(new: &NewIntent, now_ms: u64) -> Result<Row, CustodyError> {
    Ok(Row::of(
        &rows::INTENTS,
        [
            ("intent_hash", Value::Bytes(new.hash.to_vec())),
            ("wallet_id", Value::Integer(new.wallet)),
            ("kind", text(new.kind.as_str())),
            ("network", text(&new.network)),
            ("policy_version", Value::Integer(i64::from(new.policy_version))),
            ("message_sha256", Value::Bytes(new.message_sha256.to_vec())),
            ("state", text("authorised")),
            ("authorised_at", Value::Integer(stored_integer("time", now_ms)?)),
        ],
    ))
}

/// A new wallet's row as both stores write it: what the row does not name has its column's default.
///
/// The seal takes this for what is stored, instead of reading a hundred thousand rows back, so the two must be the same:
/// the contract of the stores counts both. A row that something else changed on its way in (a trigger put there by hand)
/// is noticed so, and would not be by reading it back.
pub(crate) fn new_wallet(wallet: &NewWallet, id: i64, from: Option<(i64, &str)>, now: i64) -> Row {
    Row::of(
        &rows::WALLETS,
        [
            ("wallet_id", Value::Integer(id)),
            ("chain", text(wallet.address.chain().id())),
            (
                "master_id",
                from.map_or(Value::Null, |(master, _)| Value::Integer(master)),
            ),
            (
                "path_family",
                from.map_or(Value::Null, |(_, family)| text(family)),
            ),
            (
                "derivation_index",
                wallet
                    .index
                    .map_or(Value::Null, |index| Value::Integer(i64::from(index))),
            ),
            ("path", text(&wallet.path)),
            ("address", text(&wallet.address.to_string())),
            (
                "public_key",
                wallet
                    .public_key
                    .map_or(Value::Null, |key| Value::Bytes(key.to_vec())),
            ),
            ("label", text(&wallet.label)),
            ("created_at", Value::Integer(now)),
            ("own_password", Value::Integer(i64::from(wallet.own_password))),
            ("epoch", Value::Integer(i64::from(wallet.epoch))),
            ("record_id", Value::Bytes(wallet.record.to_vec())),
            ("sealed", Value::Bytes(wallet.sealed.clone())),
            ("status", text("active")),
            ("failed_passwords", Value::Integer(0)),
            ("locked_until", Value::Integer(0)),
            ("role", text("")),
            ("is_primary", Value::Integer(0)),
            ("status_at", Value::Integer(0)),
            ("rotation_count", Value::Integer(0)),
        ],
    )
}

/// How an authorised intent ended: what of it is not known from its authorisation.
pub(crate) fn ending(hash: [u8; 32], state: &str, signature: Option<String>, finished_at: i64) -> Row {
    Row::of(
        &rows::INTENTS,
        [
            ("intent_hash", Value::Bytes(hash.to_vec())),
            ("state", text(state)),
            ("signature", signature.map_or(Value::Null, |one| text(&one))),
            ("finished_at", Value::Integer(finished_at)),
        ],
    )
}
