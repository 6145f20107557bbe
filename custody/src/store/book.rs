//! What decisions about the address book rest on and come to.

use keyward_core::address::Address;

/// A contact, as a decision sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContactFacts {
    pub(crate) id: i64,
    pub(crate) address: Address,
    pub(crate) label: String,
    pub(crate) note: String,
}

/// A change of one contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BookWrite {
    Contact {
        address: Address,
        label: String,
        note: String,
    },
    /// What a contact is called and what is written beside it from now on.
    Words {
        contact: i64,
        label: String,
        note: String,
    },
    Gone {
        contact: i64,
    },
}

/// Where an address is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KnownFrom {
    Wallet,
    Book,
    Paid,
}

/// An address that people here may mean, and how often it was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownRow {
    pub(crate) address: Address,
    pub(crate) label: String,
    pub(crate) from: KnownFrom,
    pub(crate) uses: u64,
}
