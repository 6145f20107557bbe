//! SPL Token, and what Token-2022 shares with it. Transfers that name their token are actions of their
//! own.
//!
//! Interface: <https://docs.rs/spl-token-interface>.

use super::super::decoded::Danger::{
    AuthorityChange, DelegateApproval, OwnerChange, PaysStranger, UnlimitedApproval,
};
use super::super::table::Kind::{Address, RestText, TaggedAddress, TaggedU64, U8, U64, Word};
use super::super::table::When::{Always, Is, Largest, NotSigner};
use super::super::table::{Row, risky, row};

/// Authorities in the order of their numbers; SPL Token knows the first four.
const AUTHORITIES: &[&str] = &[
    "mint tokens",
    "freeze account",
    "account owner",
    "close account",
    "transfer fee config",
    "withheld withdraw",
    "close mint",
    "interest rate",
    "permanent delegate",
    "confidential transfer mint",
    "transfer hook program id",
    "confidential transfer fee config",
    "metadata pointer",
    "group pointer",
    "group member pointer",
    "scaled ui amount",
    "pause",
    "permissioned burn",
];

pub(in super::super) const ROWS: &[Row] = &[
    row(
        &[0],
        "InitializeMint",
        &["mint", "rent sysvar"],
        &[
            ("decimals", U8),
            ("mint authority", Address),
            ("freeze authority", TaggedAddress),
        ],
    ),
    row(
        &[1],
        "InitializeAccount",
        &["account", "mint", "owner", "rent sysvar"],
        &[],
    ),
    row(
        &[2],
        "InitializeMultisig",
        &["multisig", "rent sysvar"],
        &[("required signers", U8)],
    ),
    risky(
        &[4],
        "Approve",
        &["source", "delegate", "owner"],
        &[("amount", U64)],
        &[Always(DelegateApproval), Largest("amount", UnlimitedApproval)],
    ),
    row(&[5], "Revoke", &["source", "owner"], &[]),
    risky(
        &[6],
        "SetAuthority",
        &["mint or account", "current authority"],
        &[("authority", Word(AUTHORITIES)), ("new authority", TaggedAddress)],
        &[
            Always(AuthorityChange),
            Is("authority", "account owner", OwnerChange),
        ],
    ),
    row(
        &[7],
        "MintTo",
        &["mint", "account", "mint authority"],
        &[("amount", U64)],
    ),
    row(&[8], "Burn", &["account", "mint", "owner"], &[("amount", U64)]),
    risky(
        &[9],
        "CloseAccount",
        &["account", "destination", "owner"],
        &[],
        &[NotSigner("destination", PaysStranger)],
    ),
    row(
        &[10],
        "FreezeAccount",
        &["account", "mint", "freeze authority"],
        &[],
    ),
    row(
        &[11],
        "ThawAccount",
        &["account", "mint", "freeze authority"],
        &[],
    ),
    risky(
        &[13],
        "ApproveChecked",
        &["source", "mint", "delegate", "owner"],
        &[("amount", U64), ("decimals", U8)],
        &[Always(DelegateApproval), Largest("amount", UnlimitedApproval)],
    ),
    row(
        &[14],
        "MintToChecked",
        &["mint", "account", "mint authority"],
        &[("amount", U64), ("decimals", U8)],
    ),
    row(
        &[15],
        "BurnChecked",
        &["account", "mint", "owner"],
        &[("amount", U64), ("decimals", U8)],
    ),
    row(
        &[16],
        "InitializeAccount2",
        &["account", "mint", "rent sysvar"],
        &[("owner", Address)],
    ),
    row(&[17], "SyncNative", &["account", "rent sysvar?"], &[]),
    row(
        &[18],
        "InitializeAccount3",
        &["account", "mint"],
        &[("owner", Address)],
    ),
    row(
        &[19],
        "InitializeMultisig2",
        &["multisig"],
        &[("required signers", U8)],
    ),
    row(
        &[20],
        "InitializeMint2",
        &["mint"],
        &[
            ("decimals", U8),
            ("mint authority", Address),
            ("freeze authority", TaggedAddress),
        ],
    ),
    row(&[22], "InitializeImmutableOwner", &["account"], &[]),
    row(&[23], "AmountToUiAmount", &["mint"], &[("amount", U64)]),
    row(&[24], "UiAmountToAmount", &["mint"], &[("ui amount", RestText)]),
    risky(
        &[38],
        "WithdrawExcessLamports",
        &["source", "destination", "authority"],
        &[],
        &[NotSigner("destination", PaysStranger)],
    ),
    risky(
        &[45],
        "UnwrapLamports",
        &["source", "destination", "owner"],
        &[("lamports", TaggedU64)],
        &[NotSigner("destination", PaysStranger)],
    ),
];

/// SPL Token's own; Token-2022 has data there.
pub(in super::super) const ONLY_FIRST: &[Row] = &[row(&[21], "GetAccountDataSize", &["mint"], &[])];
