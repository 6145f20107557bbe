//! The seal over what is stored: a keyed sum over rows, by which any change made past the program is noticed.
//!
//! Every protected row is an element of a multiset. Its value is an HMAC-SHA-512 over the row's canonical bytes, read as
//! an integer; a table's sum is that of its rows, modulo 2^512. A row that comes is added and one that goes is
//! subtracted, so keeping the sums takes nothing but the rows that change. What is stored are the sums, each hidden under a
//! mask made anew with every write, and a MAC over them, the log's signed size and its root: so neither a row, nor the
//! seal, nor the edge of the log can be changed or put back alone. The keys hang on the vault key.
//!
//! What it does not notice: a whole database put back to an older copy of itself, seal and log included. That takes a
//! checkpoint kept elsewhere. Why a sum: `docs/decisions/0014-a-seal-over-what-is-stored.md`; a multiset hash of this kind is
//! MSet-Add-Hash of <https://doi.org/10.1007/978-3-540-40061-5_12>.
//!
//! Pure: no database here. Which rows a change touches is in [`effect`].

pub(crate) mod effect;
pub(crate) mod keeping;
#[cfg(test)]
mod tests;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::rows::{self, Column, Row, Table, Value};
use crate::memory::clearing_stack;

type HmacSha512 = Hmac<Sha512>;

const VERSION: u8 = 1;
const DOMAIN: &[u8] = b"keyward/seal/v1\0";
const NONCE_BYTES: usize = 32;
const SUM_BYTES: usize = 64;
const MAC_BYTES: usize = 32;

/// So many rows make up for starting a thread.
const WORTH_A_THREAD: usize = 512;

/// The tables that it covers. New ones come at the end: a table's place is its place in the stored seal.
pub(crate) static SEALED: [&Table; 18] = [
    &rows::VAULTS,
    &rows::VAULT_SETTINGS,
    &rows::POLICIES,
    &rows::AUDIT_KEYS,
    &rows::AUDIT_CHECKPOINTS,
    &rows::OWNERS,
    &rows::MASTER_WALLETS,
    &rows::DERIVATIONS,
    &rows::WALLETS,
    &rows::TAGS,
    &rows::INTENTS,
    &rows::SPEND_RESERVATIONS,
    &rows::ATTEMPTS,
    &rows::DISTRIBUTIONS,
    &rows::TRANSFERS,
    &rows::BATCHES,
    &rows::BATCH_ITEMS,
    &rows::ADDRESS_BOOK,
];

/// What of an intent is told when it ends; all else is told when it is authorised. So each of the two is one element, and
/// none has to be read to write the other.
const OUTCOME: [&str; 3] = ["state", "signature", "finished_at"];

/// An integer modulo 2^512, the lowest 64 bits first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum([u64; 8]);

impl Sum {
    fn from_bytes(bytes: &[u8]) -> Self {
        let mut limbs = [0; 8];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            *limb = chunk
                .iter()
                .rev()
                .fold(0, |value, byte| value << 8 | u64::from(*byte));
        }
        Self(limbs)
    }

    fn to_bytes(self) -> [u8; SUM_BYTES] {
        let mut bytes = [0; SUM_BYTES];
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        bytes
    }

    fn plus(self, other: Self) -> Self {
        let mut carry = false;
        let mut limbs = self.0;
        for (limb, other) in limbs.iter_mut().zip(other.0) {
            let (sum, first) = limb.overflowing_add(other);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, first || second);
        }
        Self(limbs)
    }

    fn minus(self, other: Self) -> Self {
        // Two's complement: everything turned over, and one more.
        let negated = Self(other.0.map(|limb| !limb)).plus(Self([1, 0, 0, 0, 0, 0, 0, 0]));
        self.plus(negated)
    }
}

/// The sums of every table in [`SEALED`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums([Sum; SEALED.len()]);

impl Sums {
    /// The tables whose sums differ.
    pub(crate) fn differing(&self, other: &Self) -> Vec<&'static str> {
        let pairs = self.0.iter().zip(&other.0);
        pairs
            .zip(SEALED)
            .filter(|((one, other), _)| one != other)
            .map(|(_, table)| table.name)
            .collect()
    }

    fn part(&mut self, table: &Table) -> Option<&mut Sum> {
        let at = SEALED.iter().position(|sealed| sealed.name == table.name)?;
        self.0.get_mut(at)
    }
}

/// Rows that came and rows that went, in one transaction.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    added: Vec<(&'static Table, Row)>,
    removed: Vec<(&'static Table, Row)>,
    /// Of rows that came by the thousand: their sums, and not the rows, which would fill the memory.
    counted: Vec<(&'static Table, Sum)>,
}

impl Changes {
    pub(crate) fn add(&mut self, table: &'static Table, row: Row) {
        self.added.push((table, row));
    }

    /// Rows that came, as [`SealKeys::count`] counted them.
    pub(crate) fn add_counted(&mut self, table: &'static Table, sum: Sum) {
        self.counted.push((table, sum));
    }

    /// Rows as they were and as they are; what is in both has not changed.
    pub(crate) fn replace(&mut self, table: &'static Table, before: Vec<Row>, mut after: Vec<Row>) {
        for row in before {
            match after.iter().position(|kept| *kept == row) {
                Some(at) => drop(after.swap_remove(at)),
                None => self.removed.push((table, row)),
            }
        }
        self.added.extend(after.into_iter().map(|row| (table, row)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.counted.is_empty()
    }
}

/// What a seal is bound to besides the rows: the log at its last signed entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bond<'a> {
    /// The log's name, which names the vault.
    pub(crate) origin: &'a str,
    /// Its signed size, in entries.
    pub(crate) size: u64,
    /// Its root at that size.
    pub(crate) root: [u8; 32],
}

/// The keys of a vault's seal. Wiped when dropped, never printed.
pub(crate) struct SealKeys {
    element: HmacSha512,
    mask: HmacSha512,
    seal: HmacSha512,
}

impl std::fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKeys(<redacted>)")
    }
}

impl SealKeys {
    /// From a secret that only the vault key gives.
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        let derived = |label: &[u8]| {
            let key: Zeroizing<[u8; 64]> = Zeroizing::new(digest(&keyed(secret), &[DOMAIN, label]));
            keyed(&*key)
        };
        Self {
            element: derived(b"element"),
            mask: derived(b"mask"),
            seal: derived(b"seal"),
        }
    }

    /// Adds a row to the sums.
    pub(crate) fn add(&self, sums: &mut Sums, table: &Table, row: &Row) {
        if let Some(sum) = sums.part(table) {
            *sum = self.elements(table, row).fold(*sum, Sum::plus);
        }
    }

    /// The sum of many rows of a table, on every core.
    pub(crate) fn count<T: Sync>(
        &self,
        table: &Table,
        from: &[T],
        row: impl Fn(usize, &T) -> Row + Sync,
    ) -> Sum {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let each = from.len().div_ceil(cores).max(WORTH_A_THREAD);
        let part = |first: usize, part: &[T]| {
            let rows = part.iter().enumerate().map(|(at, one)| row(first + at, one));
            rows.fold(Sum::default(), |sum, row| {
                self.elements(table, &row).fold(sum, Sum::plus)
            })
        };
        if from.len() <= each {
            return clearing_stack(|| part(0, from));
        }
        std::thread::scope(|scope| {
            let part = &part;
            let workers: Vec<_> = from
                .chunks(each)
                .enumerate()
                .map(|(at, chunk)| scope.spawn(move || clearing_stack(|| part(at * each, chunk))))
                .collect();
            workers
                .into_iter()
                .map(|worker| {
                    worker
                        .join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
                .fold(Sum::default(), Sum::plus)
        })
    }

    /// Makes the changes of a transaction.
    pub(crate) fn apply(&self, sums: &mut Sums, changes: &Changes) {
        for (table, row) in &changes.added {
            self.add(sums, table, row);
        }
        for (table, row) in &changes.removed {
            if let Some(sum) = sums.part(table) {
                *sum = self.elements(table, row).fold(*sum, Sum::minus);
            }
        }
        for (table, counted) in &changes.counted {
            if let Some(sum) = sums.part(table) {
                *sum = sum.plus(*counted);
            }
        }
    }

    /// One for a row; of an intent one for what was authorised, and another one for how it ended.
    fn elements(&self, table: &Table, row: &Row) -> impl Iterator<Item = Sum> {
        let is_sealed = |column: &Column| column.unsealed.is_none();
        let mut encoded = [None, None];
        if table.name == rows::INTENTS.name {
            let told = |column: &Column| !OUTCOME.contains(&column.name);
            // A row of its ending alone has nothing else in it.
            if row
                .get(table, "wallet_id")
                .is_some_and(|value| *value != Value::Null)
            {
                encoded[0] = Some(row.encode(table, "intents", told));
            }
            if has_ended(table, row) {
                let ended = |column: &Column| !told(column) || column.name == "intent_hash";
                encoded[1] = Some(row.encode(table, "intents/ended", ended));
            }
        } else {
            encoded[0] = Some(row.encode(table, table.name, is_sealed));
        }
        encoded
            .into_iter()
            .flatten()
            .map(|bytes| Sum::from_bytes(&digest(&self.element, &[&bytes])))
    }

    /// The stored seal. The nonce is fresh random bytes.
    pub(crate) fn close(&self, sums: &Sums, bond: Bond<'_>, nonce: [u8; NONCE_BYTES]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2 + NONCE_BYTES + SEALED.len() * SUM_BYTES + MAC_BYTES);
        bytes.push(VERSION);
        bytes.push(SEALED.len() as u8); // few
        bytes.extend_from_slice(&nonce);
        for (at, sum) in (0_u8..).zip(sums.0) {
            bytes.extend_from_slice(&sum.plus(self.mask(&nonce, at)).to_bytes());
        }
        let mac = self.mac(&bytes, bond);
        bytes.extend_from_slice(&mac);
        bytes
    }

    /// The sums of a stored seal; nothing where it was changed, or is of another log or another state of it.
    pub(crate) fn open(&self, stored: &[u8], bond: Bond<'_>) -> Option<Sums> {
        let (body, mac) = stored.split_at_checked(stored.len().checked_sub(MAC_BYTES)?)?;
        if !bool::from(self.mac(body, bond).ct_eq(mac)) {
            return None;
        }
        let (head, nonce_and_sums) = body.split_at_checked(2)?;
        let (nonce, masked) = nonce_and_sums.split_at_checked(NONCE_BYTES)?;
        let tables = usize::from(*head.get(1)?);
        if head.first() != Some(&VERSION) || tables > SEALED.len() || masked.len() != tables * SUM_BYTES {
            return None;
        }
        let mut sums = Sums::default();
        // A table that came with a later version was empty.
        let parts = sums.0.iter_mut().zip(masked.chunks_exact(SUM_BYTES));
        for (at, (sum, masked)) in (0_u8..).zip(parts) {
            *sum = Sum::from_bytes(masked).minus(self.mask(nonce, at));
        }
        Some(sums)
    }

    fn mask(&self, nonce: &[u8], table: u8) -> Sum {
        Sum::from_bytes(&digest(&self.mask, &[nonce, &[table]]))
    }

    fn mac(&self, body: &[u8], bond: Bond<'_>) -> [u8; MAC_BYTES] {
        let length = u64::try_from(bond.origin.len()).unwrap_or(u64::MAX);
        let full = digest(
            &self.seal,
            &[
                &length.to_be_bytes(),
                bond.origin.as_bytes(),
                &bond.size.to_be_bytes(),
                &bond.root,
                body,
            ],
        );
        let mut mac = [0; MAC_BYTES];
        mac.copy_from_slice(&full[..MAC_BYTES]);
        mac
    }
}

/// An intent that is authorised and nothing more has no ending.
fn has_ended(table: &Table, row: &Row) -> bool {
    let is = |name, value: &Value| row.get(table, name) == Some(value);
    !(is("state", &Value::Text(b"authorised".to_vec()))
        && is("signature", &Value::Null)
        && is("finished_at", &Value::Null))
}

fn keyed(key: &[u8]) -> HmacSha512 {
    HmacSha512::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn digest(keyed: &HmacSha512, parts: &[&[u8]]) -> [u8; SUM_BYTES] {
    let mut mac = keyed.clone();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
