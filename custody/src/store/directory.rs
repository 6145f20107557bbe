//! The addresses of all wallets in this process's memory, for finding a piece of one.
//!
//! No database here has an index for a piece in the middle of a text but by an extension, which managed servers and engines
//! with PostgreSQL's protocol may lack (`docs/decisions/0012-postgresql-beside-sqlite.md`), and looking at 100,000 rows takes
//! PostgreSQL 60 ms and SQLite 20. An address never changes and no wallet's row is ever taken away, so what was read
//! stays, and only the wallets that came since are read. About 55 bytes for each; beyond [`MAX_LISTED`] the database
//! looks for itself. Labels and tags change, and are asked of the database each time. Nothing but lists goes by it.

use std::sync::{Arc, Mutex, PoisonError};

/// The most wallets that it holds: some 11 MB.
const MAX_LISTED: usize = 200_000;

/// Wallets read at a time.
pub(super) const PAGE: i64 = 20_000;

/// Ends each address; no address holds it.
const END: u8 = b'\n';

/// Where addresses are read.
pub(super) trait Addresses: Send {
    type Error;

    /// The ids of up to [`PAGE`] wallets after this one, in their order, and their addresses with a line break between them;
    /// none where there are no more.
    fn after(
        &mut self,
        id: i64,
    ) -> impl Future<Output = Result<Option<(Vec<i64>, String)>, Self::Error>> + Send;
}

/// Addresses in lower case, in the order of ids.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    ids: Vec<i64>,
    /// Where each address begins.
    starts: Vec<usize>,
    text: Vec<u8>,
}

/// What a handle has read of them.
#[derive(Debug, Default)]
pub(super) struct Directory(Mutex<Arc<Listed>>);

impl Directory {
    /// The ids of the wallets up to `highest` whose address has this piece, in their order; none where the directory cannot
    /// tell.
    pub(super) async fn find<A: Addresses>(
        &self,
        addresses: &mut A,
        piece: &str,
        highest: i64,
    ) -> Result<Option<Vec<i64>>, A::Error> {
        let known = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let listed = if known.highest() >= highest {
            known
        } else {
            let Some(listed) = read_on(addresses, &known).await? else {
                return Ok(None);
            };
            let listed = Arc::new(listed);
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.highest() < listed.highest() {
                *kept = Arc::clone(&listed);
            }
            listed
        };
        Ok(Some(listed.find(piece, highest)))
    }
}

impl Listed {
    fn highest(&self) -> i64 {
        self.ids.last().copied().unwrap_or(0)
    }

    fn find(&self, piece: &str, highest: i64) -> Vec<i64> {
        let piece = piece.to_ascii_lowercase();
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(at) = self
            .text
            .get(from..)
            .and_then(|rest| memchr::memmem::find(rest, piece.as_bytes()))
        {
            let row = self.starts.partition_point(|start| *start <= from + at);
            let id = row.checked_sub(1).and_then(|row| self.ids.get(row));
            match id {
                // A piece that goes over the end of an address is none of it.
                Some(id) if *id <= highest && !piece.as_bytes().contains(&END) => found.push(*id),
                _ => break,
            }
            // On with the next address.
            from = self.starts.get(row).copied().unwrap_or(self.text.len());
        }
        found
    }

    /// Appends addresses; false where they are no list of addresses in the order of ids. The rows are read in that order,
    /// and a database might aggregate them in another one.
    fn extend(&mut self, ids: Vec<i64>, addresses: &str) -> bool {
        if !ids.is_sorted() || ids.first().is_some_and(|first| *first <= self.highest()) {
            return false;
        }
        let lines = addresses.split(char::from(END));
        let mut ids = ids.into_iter();
        for line in lines {
            let Some(id) = ids.next() else { return false };
            self.ids.push(id);
            self.starts.push(self.text.len());
            self.text
                .extend(line.bytes().map(|byte| byte.to_ascii_lowercase()));
            self.text.push(END);
        }
        ids.next().is_none()
    }
}

/// With the wallets that came since; none where they are too many, or are not what this program wrote.
async fn read_on<A: Addresses>(source: &mut A, known: &Listed) -> Result<Option<Listed>, A::Error> {
    let mut listed = known.clone();
    while let Some((ids, addresses)) = source.after(listed.highest()).await? {
        if listed.ids.len() + ids.len() > MAX_LISTED || !listed.extend(ids, &addresses) {
            return Ok(None);
        }
    }
    Ok(Some(listed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_found_within_an_address_and_not_across_two() {
        let mut listed = Listed::default();
        assert!(listed.extend(vec![1, 3], "AbcAbc\nxYz"));
        assert!(listed.extend(vec![4], "zABab"));
        let check = |piece, highest, expected: &[i64]| {
            assert_eq!(listed.find(piece, highest), expected, "{piece:?} up to {highest}");
        };
        check("abc", 9, &[1]);
        check("AB", 9, &[1, 4]);
        check("AB", 3, &[1]);
        check("z", 9, &[3, 4]);
        check("z", 2, &[]);
        check("yzz", 9, &[]);
        check("yz\nz", 9, &[]);
        check("\n", 9, &[]);
        check("ab", 4, &[1, 4]);
        check("nothing", 9, &[]);
    }

    #[test]
    fn what_is_no_list_of_addresses_is_refused() {
        for (ids, addresses) in [
            (vec![1], "a\nb"),
            (vec![1, 2], "a"),
            (vec![], "a"),
            (vec![2, 1], "a\nb"),
        ] {
            assert!(!Listed::default().extend(ids, addresses), "{addresses:?}");
        }
        let mut listed = Listed::default();
        assert!(listed.extend(vec![7], "a"));
        assert!(!listed.extend(vec![7], "b"), "twice");
    }
}
