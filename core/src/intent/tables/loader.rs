//! The loaders that keep programs: the upgradeable one and version 4.
//!
//! Interfaces: <https://docs.rs/solana-loader-v3-interface> and
//! <https://docs.rs/solana-loader-v4-interface>.

use super::super::decoded::Danger::{AuthorityChange, Irrevocable, PaysStranger, ProgramChange};
use super::super::table::Kind::{Sized, U32, U64};
use super::super::table::When::{Always, NotSigner};
use super::super::table::{Row, risky, row};

/// The upgradeable loader.
pub(in super::super) const UPGRADEABLE: &[Row] = &[
    row(&[0, 0, 0, 0], "InitializeBuffer", &["buffer", "authority?"], &[]),
    row(
        &[1, 0, 0, 0],
        "Write",
        &["buffer", "authority"],
        &[("offset", U32), ("bytes", Sized)],
    ),
    risky(
        &[2, 0, 0, 0],
        "DeployWithMaxDataLen",
        &[
            "payer",
            "program data",
            "program",
            "buffer",
            "rent sysvar",
            "clock sysvar",
            "system program",
            "authority",
        ],
        &[("maximum length", U64)],
        &[Always(ProgramChange)],
    ),
    risky(
        &[3, 0, 0, 0],
        "Upgrade",
        &[
            "program data",
            "program",
            "buffer",
            "spill account",
            "rent sysvar",
            "clock sysvar",
            "authority",
        ],
        &[],
        &[Always(ProgramChange), NotSigner("spill account", PaysStranger)],
    ),
    risky(
        &[4, 0, 0, 0],
        "SetAuthority",
        &["buffer or program data", "authority", "new authority?"],
        &[],
        &[Always(AuthorityChange)],
    ),
    risky(
        &[5, 0, 0, 0],
        "Close",
        &["account", "recipient", "authority?", "program?"],
        &[],
        &[Always(Irrevocable), NotSigner("recipient", PaysStranger)],
    ),
    row(
        &[6, 0, 0, 0],
        "ExtendProgram",
        &["program data", "program", "system program?", "payer?"],
        &[("additional bytes", U32)],
    ),
    risky(
        &[7, 0, 0, 0],
        "SetAuthorityChecked",
        &["buffer or program data", "authority", "new authority"],
        &[],
        &[Always(AuthorityChange)],
    ),
];

/// Version 4.
pub(in super::super) const V4: &[Row] = &[
    risky(
        &[0, 0, 0, 0],
        "Write",
        &["program", "authority"],
        &[("offset", U32), ("bytes", Sized)],
        &[Always(ProgramChange)],
    ),
    risky(
        &[1, 0, 0, 0],
        "Copy",
        &["program", "authority", "source"],
        &[
            ("destination offset", U32),
            ("source offset", U32),
            ("length", U32),
        ],
        &[Always(ProgramChange)],
    ),
    risky(
        &[2, 0, 0, 0],
        "SetProgramLength",
        &["program", "authority", "recipient?"],
        &[("new length", U32)],
        &[Always(ProgramChange), NotSigner("recipient", PaysStranger)],
    ),
    risky(
        &[3, 0, 0, 0],
        "Deploy",
        &["program", "authority", "source?"],
        &[],
        &[Always(ProgramChange)],
    ),
    risky(
        &[4, 0, 0, 0],
        "Retract",
        &["program", "authority"],
        &[],
        &[Always(ProgramChange)],
    ),
    risky(
        &[5, 0, 0, 0],
        "TransferAuthority",
        &["program", "authority", "new authority"],
        &[],
        &[Always(AuthorityChange)],
    ),
    risky(
        &[6, 0, 0, 0],
        "Finalize",
        &["program", "authority", "next version"],
        &[],
        &[Always(Irrevocable)],
    ),
];
