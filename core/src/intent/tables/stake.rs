//! The Stake program.
//!
//! Interface: <https://docs.rs/solana-stake-interface>.

use super::super::decoded::Danger::{AuthorityChange, PaysStranger};
use super::super::table::Kind::{
    Address, I64, Lamports, TaggedAddress, TaggedI64, TaggedU64, Text, U64, Word32,
};
use super::super::table::When::{Always, NotSigner};
use super::super::table::{Row, risky, row};

const ROLES: &[&str] = &["staker", "withdrawer"];
const CLOCK: &str = "clock sysvar";
const HISTORY: &str = "stake history sysvar";

pub(in super::super) const ROWS: &[Row] = &[
    row(
        &[0, 0, 0, 0],
        "Initialize",
        &["stake account", "rent sysvar"],
        &[
            ("staker", Address),
            ("withdrawer", Address),
            ("lockup unix timestamp", I64),
            ("lockup epoch", U64),
            ("lockup custodian", Address),
        ],
    ),
    risky(
        &[1, 0, 0, 0],
        "Authorize",
        &["stake account", CLOCK, "authority", "lockup authority?"],
        &[("new authority", Address), ("role", Word32(ROLES))],
        &[Always(AuthorityChange)],
    ),
    row(
        &[2, 0, 0, 0],
        "DelegateStake",
        &[
            "stake account",
            "vote account",
            CLOCK,
            HISTORY,
            "stake config",
            "stake authority",
        ],
        &[],
    ),
    row(
        &[3, 0, 0, 0],
        "Split",
        &["stake account", "split stake account", "stake authority"],
        &[("lamports", Lamports)],
    ),
    risky(
        &[4, 0, 0, 0],
        "Withdraw",
        &[
            "stake account",
            "recipient",
            CLOCK,
            HISTORY,
            "withdraw authority",
            "lockup authority?",
        ],
        &[("lamports", Lamports)],
        &[NotSigner("recipient", PaysStranger)],
    ),
    row(
        &[5, 0, 0, 0],
        "Deactivate",
        &["stake account", CLOCK, "stake authority"],
        &[],
    ),
    risky(
        &[6, 0, 0, 0],
        "SetLockup",
        &["stake account", "authority"],
        &[
            ("lockup unix timestamp", TaggedI64),
            ("lockup epoch", TaggedU64),
            ("lockup custodian", TaggedAddress),
        ],
        &[Always(AuthorityChange)],
    ),
    row(
        &[7, 0, 0, 0],
        "Merge",
        &[
            "destination stake account",
            "source stake account",
            CLOCK,
            HISTORY,
            "stake authority",
        ],
        &[],
    ),
    risky(
        &[8, 0, 0, 0],
        "AuthorizeWithSeed",
        &["stake account", "authority base", CLOCK, "lockup authority?"],
        &[
            ("new authority", Address),
            ("role", Word32(ROLES)),
            ("authority seed", Text),
            ("authority owner", Address),
        ],
        &[Always(AuthorityChange)],
    ),
    row(
        &[9, 0, 0, 0],
        "InitializeChecked",
        &["stake account", "rent sysvar", "staker", "withdrawer"],
        &[],
    ),
    risky(
        &[10, 0, 0, 0],
        "AuthorizeChecked",
        &[
            "stake account",
            CLOCK,
            "authority",
            "new authority",
            "lockup authority?",
        ],
        &[("role", Word32(ROLES))],
        &[Always(AuthorityChange)],
    ),
    risky(
        &[11, 0, 0, 0],
        "AuthorizeCheckedWithSeed",
        &[
            "stake account",
            "authority base",
            CLOCK,
            "new authority",
            "lockup authority?",
        ],
        &[
            ("role", Word32(ROLES)),
            ("authority seed", Text),
            ("authority owner", Address),
        ],
        &[Always(AuthorityChange)],
    ),
    risky(
        &[12, 0, 0, 0],
        "SetLockupChecked",
        &["stake account", "authority", "new lockup authority?"],
        &[("lockup unix timestamp", TaggedI64), ("lockup epoch", TaggedU64)],
        &[Always(AuthorityChange)],
    ),
    row(&[13, 0, 0, 0], "GetMinimumDelegation", &[], &[]),
    row(
        &[14, 0, 0, 0],
        "DeactivateDelinquent",
        &[
            "stake account",
            "delinquent vote account",
            "reference vote account",
        ],
        &[],
    ),
    row(
        &[15, 0, 0, 0],
        "Redelegate",
        &[
            "stake account",
            "new stake account",
            "vote account",
            "stake config",
            "stake authority",
        ],
        &[],
    ),
    row(
        &[16, 0, 0, 0],
        "MoveStake",
        &[
            "source stake account",
            "destination stake account",
            "stake authority",
        ],
        &[("lamports", Lamports)],
    ),
    row(
        &[17, 0, 0, 0],
        "MoveLamports",
        &[
            "source stake account",
            "destination stake account",
            "stake authority",
        ],
        &[("lamports", Lamports)],
    ),
];
