//! Names of places: `#7`, `evm-bip44#7`, `2/evm-bip44#7`.

use keyward_core::path::PathFamily;

use super::MasterId;
use crate::store::WalletPlace;

/// A text in the form of a place, whether or not its number is one.
pub(super) struct Place {
    at: Option<WalletPlace>,
}

impl Place {
    /// Reads what has the form of a place: nothing or a family before `#`, and before that perhaps a phrase's number
    /// and `/`. Anything else is a label.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (before, index) = text.split_once('#')?;
        let (master, family) = match before.split_once('/') {
            Some((master, family)) => (Some(master.parse::<MasterId>().ok()?), family),
            None => (None, before),
        };
        let family = match family {
            "" => None,
            name => Some(PathFamily::from_id(name).ok()?),
        };
        let index = index.parse().ok();
        Some(Self {
            at: index.map(|index| WalletPlace {
                master: master.map(|master| master.0),
                family,
                index,
            }),
        })
    }

    /// Where it is; nothing where the number is none.
    pub(super) const fn index(&self) -> Option<WalletPlace> {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_from_labels() {
        let read =
            |text| Place::read(text).map(|place| place.index().map(|at| (at.master, at.family, at.index)));
        assert_eq!(read("#7"), Some(Some((None, None, 7))));
        assert_eq!(
            read("evm-bip44#0"),
            Some(Some((None, Some(PathFamily::EvmBip44), 0)))
        );
        assert_eq!(
            read("2/bip44#3"),
            Some(Some((Some(2), Some(PathFamily::Bip44), 3)))
        );
        assert_eq!(read("2/#3"), Some(Some((Some(2), None, 3))));
        for no_number in ["#", "#x", "#-1", "#4294967296", "bip44#"] {
            assert_eq!(read(no_number), Some(None), "{no_number}");
        }
        for label in [
            "",
            "cold",
            "room #7",
            "x/bip44#1",
            "0/bip44#1",
            "-1/#1",
            "bip45#1",
            "a#b",
        ] {
            assert_eq!(read(label), None, "{label}");
        }
    }
}
