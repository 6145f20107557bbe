//! The System program; its Transfer is an action of its own.
//!
//! Interface: <https://docs.rs/solana-system-interface>.

use super::super::decoded::Danger::{AccountAssigned, AuthorityChange, PaysStranger};
use super::super::table::Kind::{Address, Lamports, Text, U64};
use super::super::table::When::{Always, NotSigner};
use super::super::table::{Row, risky, row};

pub(in super::super) const ROWS: &[Row] = &[
    row(
        &[0, 0, 0, 0],
        "CreateAccount",
        &["funding account", "new account"],
        &[("lamports", Lamports), ("space", U64), ("owner", Address)],
    ),
    risky(
        &[1, 0, 0, 0],
        "Assign",
        &["account"],
        &[("owner", Address)],
        &[Always(AccountAssigned)],
    ),
    row(
        &[3, 0, 0, 0],
        "CreateAccountWithSeed",
        &["funding account", "new account", "base account?"],
        &[
            ("base", Address),
            ("seed", Text),
            ("lamports", Lamports),
            ("space", U64),
            ("owner", Address),
        ],
    ),
    row(
        &[4, 0, 0, 0],
        "AdvanceNonceAccount",
        &["nonce account", "recent blockhashes sysvar", "nonce authority"],
        &[],
    ),
    risky(
        &[5, 0, 0, 0],
        "WithdrawNonceAccount",
        &[
            "nonce account",
            "recipient",
            "recent blockhashes sysvar",
            "rent sysvar",
            "nonce authority",
        ],
        &[("lamports", Lamports)],
        &[NotSigner("recipient", PaysStranger)],
    ),
    row(
        &[6, 0, 0, 0],
        "InitializeNonceAccount",
        &["nonce account", "recent blockhashes sysvar", "rent sysvar"],
        &[("authority", Address)],
    ),
    risky(
        &[7, 0, 0, 0],
        "AuthorizeNonceAccount",
        &["nonce account", "nonce authority"],
        &[("new authority", Address)],
        &[Always(AuthorityChange)],
    ),
    row(&[8, 0, 0, 0], "Allocate", &["account"], &[("space", U64)]),
    row(
        &[9, 0, 0, 0],
        "AllocateWithSeed",
        &["account", "base account"],
        &[
            ("base", Address),
            ("seed", Text),
            ("space", U64),
            ("owner", Address),
        ],
    ),
    risky(
        &[10, 0, 0, 0],
        "AssignWithSeed",
        &["account", "base account"],
        &[("base", Address), ("seed", Text), ("owner", Address)],
        &[Always(AccountAssigned)],
    ),
    row(
        &[11, 0, 0, 0],
        "TransferWithSeed",
        &["funding account", "base account", "recipient"],
        &[
            ("lamports", Lamports),
            ("from seed", Text),
            ("from owner", Address),
        ],
    ),
    row(&[12, 0, 0, 0], "UpgradeNonceAccount", &["nonce account"], &[]),
    row(
        &[13, 0, 0, 0],
        "CreateAccountAllowPrefund",
        &["new account", "funding account?"],
        &[("lamports", Lamports), ("space", U64), ("owner", Address)],
    ),
];
