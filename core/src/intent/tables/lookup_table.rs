//! Address Lookup Table, and Associated Token Account.
//!
//! Interfaces: <https://docs.rs/solana-address-lookup-table-interface> and
//! <https://docs.rs/spl-associated-token-account-interface>.

use super::super::decoded::Danger::{Irrevocable, PaysStranger};
use super::super::table::Kind::{Addresses, U8, U64};
use super::super::table::When::{Always, NotSigner};
use super::super::table::{Row, risky, row};

pub(in super::super) const ROWS: &[Row] = &[
    row(
        &[0, 0, 0, 0],
        "CreateLookupTable",
        &["lookup table", "authority", "payer", "system program"],
        &[("recent slot", U64), ("bump seed", U8)],
    ),
    risky(
        &[1, 0, 0, 0],
        "FreezeLookupTable",
        &["lookup table", "authority"],
        &[],
        &[Always(Irrevocable)],
    ),
    row(
        &[2, 0, 0, 0],
        "ExtendLookupTable",
        &["lookup table", "authority", "payer?", "system program?"],
        &[("new addresses", Addresses)],
    ),
    risky(
        &[3, 0, 0, 0],
        "DeactivateLookupTable",
        &["lookup table", "authority"],
        &[],
        &[Always(Irrevocable)],
    ),
    risky(
        &[4, 0, 0, 0],
        "CloseLookupTable",
        &["lookup table", "authority", "recipient"],
        &[],
        &[NotSigner("recipient", PaysStranger)],
    ),
];

const CREATION: &[&str] = &[
    "payer",
    "associated account",
    "wallet",
    "mint",
    "system program",
    "token program",
    "rent sysvar?",
];

/// Associated Token Account; no data at all means Create.
pub(in super::super) const ASSOCIATED_TOKEN: &[Row] = &[
    row(&[0], "Create", CREATION, &[]),
    row(&[1], "CreateIdempotent", CREATION, &[]),
    row(
        &[2],
        "RecoverNested",
        &[
            "nested associated account",
            "nested mint",
            "destination associated account",
            "owner associated account",
            "owner mint",
            "wallet",
            "token program",
        ],
        &[],
    ),
    row(&[], "Create", CREATION, &[]),
];
