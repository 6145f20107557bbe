//! Which wallets a list shows, in which order, and where its next page begins.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Wallet, WalletStatus};
use crate::error::CustodyError;

/// The longest cursor as text, in bytes: a label of 64 characters of four bytes each, and some numbers.
const MAX_CURSOR_BYTES: usize = 1_024;

/// The order of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WalletSort {
    /// By phrase, path family and index; imported ones last.
    #[default]
    Index,
    /// By label, without regard to ASCII case, wallets without one last.
    Label,
    /// By last use, never used last.
    LastUsed,
    /// In the order in which they were stored.
    Created,
    /// By the number of transactions signed.
    Trades,
    /// By what those transactions moved, each chain's coin in its base units.
    Volume,
    /// By the owner's name, wallets without one last.
    Owner,
}

/// Which wallets of which status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatusFilter {
    /// Those that may sign: active and rotated ones. Retired, deleted and purged ones are left out.
    #[default]
    InUse,
    /// Whatever their status.
    All,
    /// Those of one status.
    Only(WalletStatus),
}

/// Where a page ended, so that the next one begins after it, whatever was added or taken away in between. Its text is for
/// handing it on, and for nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalletCursor(Box<Position>);

/// What a cursor says: the order it belongs to, and the last row's place in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) sort: WalletSort,
    pub(crate) descending: bool,
    pub(crate) key: Key,
    /// The last row's id: the last word among rows that are otherwise equal.
    pub(crate) id: i64,
}

/// The value that a row is sorted by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Key {
    /// It has none, and so is among the last.
    None,
    Place {
        master: i64,
        family: String,
        index: u32,
    },
    Text(String),
    /// As text, since JSON's numbers end before 128 bits do.
    Number(String),
}

impl WalletCursor {
    /// The place of this row in this order.
    pub(crate) fn at(sort: WalletSort, descending: bool, wallet: &Wallet, id: i64) -> Self {
        let number = |number: u128| Key::Number(number.to_string());
        let key = match sort {
            WalletSort::Index => match (wallet.master, wallet.family, wallet.index) {
                (Some(master), Some(family), Some(index)) => Key::Place {
                    master: master.get(),
                    family: family.id().to_owned(),
                    index,
                },
                _ => Key::None,
            },
            WalletSort::Label if wallet.label.is_empty() => Key::None,
            WalletSort::Label => Key::Text(wallet.label.clone()),
            WalletSort::LastUsed => wallet.last_used_ms.map_or(Key::None, |at| number(at.into())),
            WalletSort::Created => number(wallet.created_ms.into()),
            WalletSort::Trades => number(wallet.total_trades.into()),
            WalletSort::Volume => number(wallet.total_volume),
            WalletSort::Owner => wallet.owner.clone().map_or(Key::None, Key::Text),
        };
        Self(Box::new(Position {
            sort,
            descending,
            key,
            id,
        }))
    }

    /// Its place, if it is one of this order.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a cursor of another order, or one that was made up.
    pub(crate) fn of(&self, sort: WalletSort, descending: bool) -> Result<&Position, CustodyError> {
        let fits = match (sort, &self.0.key) {
            (WalletSort::Index | WalletSort::Label | WalletSort::LastUsed | WalletSort::Owner, Key::None)
            | (WalletSort::Index, Key::Place { .. })
            | (WalletSort::Label | WalletSort::Owner, Key::Text(_)) => true,
            (WalletSort::Volume, Key::Number(number)) => number.parse::<u128>().is_ok(),
            (WalletSort::LastUsed | WalletSort::Created | WalletSort::Trades, Key::Number(number)) => {
                number.parse::<i64>().is_ok_and(|number| number >= 0)
            }
            _ => false,
        };
        if (self.0.sort, self.0.descending) != (sort, descending) || !fits {
            return Err(bad_cursor());
        }
        Ok(&self.0)
    }
}

impl Position {
    /// The number that it holds; [`WalletCursor::of`] has seen to it that it is one where one is needed.
    pub(crate) fn number(&self) -> u128 {
        match &self.key {
            Key::Number(number) => number.parse().unwrap_or(0),
            _ => 0,
        }
    }
}

impl fmt::Display for WalletCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(&self.0).map_err(|_| fmt::Error)?;
        f.write_str(&hex::encode(json))
    }
}

impl FromStr for WalletCursor {
    type Err = CustodyError;

    fn from_str(text: &str) -> Result<Self, CustodyError> {
        if text.len() > 2 * MAX_CURSOR_BYTES {
            return Err(bad_cursor());
        }
        let json = hex::decode(text).map_err(|_| bad_cursor())?;
        serde_json::from_slice(&json)
            .map(|position| Self(Box::new(position)))
            .map_err(|_| bad_cursor())
    }
}

fn bad_cursor() -> CustodyError {
    CustodyError::invalid(
        "cursor",
        "it is not from a page in this order; begin again without it",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn cursor(sort: WalletSort, key: Key) -> WalletCursor {
        WalletCursor(Box::new(Position {
            sort,
            descending: false,
            key,
            id: 7,
        }))
    }

    #[test]
    fn cursors_read_back() {
        for cursor in [
            cursor(WalletSort::Label, Key::Text("käse \u{1f9c0}".repeat(10))),
            cursor(WalletSort::Volume, Key::Number(u128::MAX.to_string())),
            cursor(WalletSort::LastUsed, Key::None),
        ] {
            let text = cursor.to_string();
            assert_eq!(text.parse::<WalletCursor>().unwrap(), cursor);
            assert!(cursor.of(cursor.0.sort, false).is_ok());
            assert!(cursor.of(cursor.0.sort, true).is_err());
            assert!(cursor.of(WalletSort::Created, false).is_err());
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "zz", "7b7d", "6e756c6c", &"00".repeat(2_000)] {
            assert!(text.parse::<WalletCursor>().is_err(), "{text}");
        }
        for (sort, key) in [
            (WalletSort::LastUsed, Key::Number("-1".to_owned())),
            (WalletSort::LastUsed, Key::Number(u64::MAX.to_string())),
            (WalletSort::Volume, Key::Number("x".to_owned())),
            (WalletSort::Trades, Key::None),
            (WalletSort::Index, Key::Text(String::new())),
        ] {
            assert!(cursor(sort, key).of(sort, false).is_err(), "{sort:?}");
        }
    }
}
