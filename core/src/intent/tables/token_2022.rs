//! Token-2022's extensions: each group of instructions with its sub-instruction.
//!
//! Batch (255) carries further instructions and is not decoded. Interface:
//! <https://docs.rs/spl-token-2022-interface>.

use super::super::decoded::Danger::{AuthorityChange, PermanentDelegate, ProgramChange};
use super::super::table::Kind::{
    Address, Bool, F64, I16, I64, Rest, TaggedAddress, TaggedU64, Text32, U8, U16, U64, Word, Words16,
    ZeroableAddress,
};
use super::super::table::When::Always;
use super::super::table::{Row, risky, row};

/// Extensions in the order of their numbers.
const EXTENSIONS: &[&str] = &[
    "Uninitialized",
    "TransferFeeConfig",
    "TransferFeeAmount",
    "MintCloseAuthority",
    "ConfidentialTransferMint",
    "ConfidentialTransferAccount",
    "DefaultAccountState",
    "ImmutableOwner",
    "MemoTransfer",
    "NonTransferable",
    "InterestBearingConfig",
    "CpiGuard",
    "PermanentDelegate",
    "NonTransferableAccount",
    "TransferHook",
    "TransferHookAccount",
    "ConfidentialTransferFeeConfig",
    "ConfidentialTransferFeeAmount",
    "MetadataPointer",
    "TokenMetadata",
    "GroupPointer",
    "TokenGroup",
    "GroupMemberPointer",
    "TokenGroupMember",
    "ConfidentialMintBurn",
    "ScaledUiAmount",
    "Pausable",
    "PausableAccount",
    "PermissionedBurn",
];

/// States of a token account in the order of their numbers.
const STATES: &[&str] = &["uninitialized", "initialized", "frozen"];

/// What Token-2022 has beside [`super::token::ROWS`].
pub(in super::super) const ROWS: &[Row] = &[
    row(
        &[21],
        "GetAccountDataSize",
        &["mint"],
        &[("extensions", Words16(EXTENSIONS))],
    ),
    row(
        &[25],
        "InitializeMintCloseAuthority",
        &["mint"],
        &[("close authority", TaggedAddress)],
    ),
    row(
        &[29],
        "Reallocate",
        &["account", "payer", "system program", "owner"],
        &[("extensions", Words16(EXTENSIONS))],
    ),
    row(
        &[31],
        "CreateNativeMint",
        &["payer", "native mint", "system program"],
        &[],
    ),
    row(&[32], "InitializeNonTransferableMint", &["mint"], &[]),
    risky(
        &[35],
        "InitializePermanentDelegate",
        &["mint"],
        &[("delegate", Address)],
        &[Always(PermanentDelegate)],
    ),
    row(
        &[26, 0],
        "TransferFee.InitializeTransferFeeConfig",
        &["mint"],
        &[
            ("fee config authority", TaggedAddress),
            ("withdraw withheld authority", TaggedAddress),
            ("fee basis points", U16),
            ("maximum fee", U64),
        ],
    ),
    row(
        &[26, 2],
        "TransferFee.WithdrawWithheldTokensFromMint",
        &["mint", "fee receiver", "withdraw withheld authority"],
        &[],
    ),
    row(
        &[26, 3],
        "TransferFee.WithdrawWithheldTokensFromAccounts",
        &["mint", "fee receiver", "withdraw withheld authority"],
        &[("source accounts", U8)],
    ),
    row(
        &[26, 4],
        "TransferFee.HarvestWithheldTokensToMint",
        &["mint"],
        &[],
    ),
    row(
        &[26, 5],
        "TransferFee.SetTransferFee",
        &["mint", "fee config authority"],
        &[("fee basis points", U16), ("maximum fee", U64)],
    ),
    row(
        &[28, 0],
        "DefaultAccountState.Initialize",
        &["mint"],
        &[("state", Word(STATES))],
    ),
    row(
        &[28, 1],
        "DefaultAccountState.Update",
        &["mint", "freeze authority"],
        &[("state", Word(STATES))],
    ),
    row(&[30, 0], "MemoTransfer.Enable", &["account", "owner"], &[]),
    row(&[30, 1], "MemoTransfer.Disable", &["account", "owner"], &[]),
    row(
        &[33, 0],
        "InterestBearingMint.Initialize",
        &["mint"],
        &[("rate authority", ZeroableAddress), ("rate", I16)],
    ),
    row(
        &[33, 1],
        "InterestBearingMint.UpdateRate",
        &["mint", "rate authority"],
        &[("rate", I16)],
    ),
    row(&[34, 0], "CpiGuard.Enable", &["account", "owner"], &[]),
    row(&[34, 1], "CpiGuard.Disable", &["account", "owner"], &[]),
    row(
        &[36, 0],
        "TransferHook.Initialize",
        &["mint"],
        &[("authority", ZeroableAddress), ("hook program", ZeroableAddress)],
    ),
    risky(
        &[36, 1],
        "TransferHook.Update",
        &["mint", "authority"],
        &[("hook program", ZeroableAddress)],
        &[Always(ProgramChange)],
    ),
    row(
        &[39, 0],
        "MetadataPointer.Initialize",
        &["mint"],
        &[
            ("authority", ZeroableAddress),
            ("metadata address", ZeroableAddress),
        ],
    ),
    row(
        &[39, 1],
        "MetadataPointer.Update",
        &["mint", "authority"],
        &[("metadata address", ZeroableAddress)],
    ),
    row(
        &[40, 0],
        "GroupPointer.Initialize",
        &["mint"],
        &[("authority", ZeroableAddress), ("group address", ZeroableAddress)],
    ),
    row(
        &[40, 1],
        "GroupPointer.Update",
        &["mint", "authority"],
        &[("group address", ZeroableAddress)],
    ),
    row(
        &[41, 0],
        "GroupMemberPointer.Initialize",
        &["mint"],
        &[
            ("authority", ZeroableAddress),
            ("member address", ZeroableAddress),
        ],
    ),
    row(
        &[41, 1],
        "GroupMemberPointer.Update",
        &["mint", "authority"],
        &[("member address", ZeroableAddress)],
    ),
    row(
        &[43, 0],
        "ScaledUiAmount.Initialize",
        &["mint"],
        &[("authority", ZeroableAddress), ("multiplier", F64)],
    ),
    row(
        &[43, 1],
        "ScaledUiAmount.UpdateMultiplier",
        &["mint", "authority"],
        &[("multiplier", F64), ("effective timestamp", I64)],
    ),
    row(
        &[44, 0],
        "Pausable.Initialize",
        &["mint"],
        &[("authority", Address)],
    ),
    row(&[44, 1], "Pausable.Pause", &["mint", "authority"], &[]),
    row(&[44, 2], "Pausable.Resume", &["mint", "authority"], &[]),
    row(
        &[46, 0],
        "PermissionedBurn.Initialize",
        &["mint"],
        &[("authority", Address)],
    ),
    row(
        &[46, 1],
        "PermissionedBurn.Burn",
        &["account", "mint", "burn authority", "owner"],
        &[("amount", U64)],
    ),
    row(
        &[46, 2],
        "PermissionedBurn.BurnChecked",
        &["account", "mint", "burn authority", "owner"],
        &[("amount", U64), ("decimals", U8)],
    ),
    row(
        &[46, 3],
        "PermissionedBurn.ConfidentialBurn",
        &["account", "mint"],
        &[("ciphertexts and proofs", Rest)],
    ),
];

/// Confidential transfers; amounts are encrypted, so that nobody can read them here.
pub(in super::super) const CONFIDENTIAL: &[Row] = &[
    row(
        &[27, 0],
        "ConfidentialTransfer.InitializeMint",
        &["mint"],
        &[
            ("authority", ZeroableAddress),
            ("new accounts approved", Bool),
            ("auditor key", Rest),
        ],
    ),
    row(
        &[27, 1],
        "ConfidentialTransfer.UpdateMint",
        &["mint", "authority"],
        &[("new accounts approved", Bool), ("auditor key", Rest)],
    ),
    row(
        &[27, 2],
        "ConfidentialTransfer.ConfigureAccount",
        &["account", "mint"],
        &[("ciphertexts and proofs", Rest)],
    ),
    row(
        &[27, 3],
        "ConfidentialTransfer.ApproveAccount",
        &["account", "mint", "authority"],
        &[],
    ),
    row(
        &[27, 4],
        "ConfidentialTransfer.EmptyAccount",
        &["account"],
        &[("ciphertexts and proofs", Rest)],
    ),
    row(
        &[27, 5],
        "ConfidentialTransfer.Deposit",
        &["account", "mint", "owner"],
        &[("amount", U64), ("decimals", U8)],
    ),
    row(
        &[27, 6],
        "ConfidentialTransfer.Withdraw",
        &["account", "mint"],
        &[
            ("amount", U64),
            ("decimals", U8),
            ("ciphertexts and proofs", Rest),
        ],
    ),
    row(
        &[27, 7],
        "ConfidentialTransfer.Transfer",
        &["source", "mint", "destination"],
        &[("ciphertexts and proofs", Rest)],
    ),
    row(
        &[27, 8],
        "ConfidentialTransfer.ApplyPendingBalance",
        &["account", "owner"],
        &[("ciphertexts and proofs", Rest)],
    ),
    row(
        &[27, 9],
        "ConfidentialTransfer.EnableConfidentialCredits",
        &["account", "owner"],
        &[],
    ),
    row(
        &[27, 10],
        "ConfidentialTransfer.DisableConfidentialCredits",
        &["account", "owner"],
        &[],
    ),
    row(
        &[27, 11],
        "ConfidentialTransfer.EnableNonConfidentialCredits",
        &["account", "owner"],
        &[],
    ),
    row(
        &[27, 12],
        "ConfidentialTransfer.DisableNonConfidentialCredits",
        &["account", "owner"],
        &[],
    ),
    row(
        &[27, 13],
        "ConfidentialTransfer.TransferWithFee",
        &["source", "mint", "destination"],
        &[("ciphertexts and proofs", Rest)],
    ),
    row(
        &[27, 14],
        "ConfidentialTransfer.ConfigureAccountWithRegistry",
        &["account", "mint", "registry"],
        &[],
    ),
    row(
        &[37, 0],
        "ConfidentialTransferFee.InitializeConfidentialTransferFeeConfig",
        &["mint"],
        &[("authority", ZeroableAddress), ("encryption key", Rest)],
    ),
    row(
        &[37, 1],
        "ConfidentialTransferFee.WithdrawWithheldTokensFromMint",
        &["mint", "fee receiver"],
        &[("ciphertexts and proofs", Rest)],
    ),
    row(
        &[37, 2],
        "ConfidentialTransferFee.WithdrawWithheldTokensFromAccounts",
        &["mint", "fee receiver"],
        &[("source accounts", U8), ("ciphertexts and proofs", Rest)],
    ),
    row(
        &[37, 3],
        "ConfidentialTransferFee.HarvestWithheldTokensToMint",
        &["mint"],
        &[],
    ),
    row(
        &[37, 4],
        "ConfidentialTransferFee.EnableHarvestToMint",
        &["mint", "authority"],
        &[],
    ),
    row(
        &[37, 5],
        "ConfidentialTransferFee.DisableHarvestToMint",
        &["mint", "authority"],
        &[],
    ),
    row(
        &[42, 0],
        "ConfidentialMintBurn.InitializeMint",
        &["mint"],
        &[("ciphertexts and proofs", Rest)],
    ),
    row(
        &[42, 1],
        "ConfidentialMintBurn.RotateSupplyElGamalPubkey",
        &["mint"],
        &[("ciphertexts and proofs", Rest)],
    ),
    row(
        &[42, 2],
        "ConfidentialMintBurn.UpdateDecryptableSupply",
        &["mint", "authority"],
        &[("ciphertexts and proofs", Rest)],
    ),
    row(
        &[42, 3],
        "ConfidentialMintBurn.Mint",
        &["account", "mint"],
        &[("ciphertexts and proofs", Rest)],
    ),
    row(
        &[42, 4],
        "ConfidentialMintBurn.Burn",
        &["account", "mint"],
        &[("ciphertexts and proofs", Rest)],
    ),
    row(
        &[42, 5],
        "ConfidentialMintBurn.ApplyPendingBurn",
        &["mint", "authority"],
        &[],
    ),
];

/// The metadata and group interfaces, told apart by eight bytes of a hash of their names.
pub(in super::super) const INTERFACES: &[Row] = &[
    row(
        &[210, 225, 30, 162, 88, 184, 77, 141],
        "TokenMetadata.Initialize",
        &["metadata", "update authority", "mint", "mint authority"],
        &[("name", Text32), ("symbol", Text32), ("uri", Text32)],
    ),
    row(
        &[221, 233, 49, 45, 181, 202, 220, 200],
        "TokenMetadata.UpdateField",
        &["metadata", "update authority"],
        &[("field and value", Rest)],
    ),
    row(
        &[234, 18, 32, 56, 89, 141, 37, 181],
        "TokenMetadata.RemoveKey",
        &["metadata", "update authority"],
        &[("idempotent", Bool), ("key", Text32)],
    ),
    risky(
        &[215, 228, 166, 228, 84, 100, 86, 123],
        "TokenMetadata.UpdateAuthority",
        &["metadata", "update authority"],
        &[("new authority", ZeroableAddress)],
        &[Always(AuthorityChange)],
    ),
    row(
        &[250, 166, 180, 250, 13, 12, 184, 70],
        "TokenMetadata.Emit",
        &["metadata"],
        &[("start", TaggedU64), ("end", TaggedU64)],
    ),
    row(
        &[121, 113, 108, 39, 54, 51, 0, 4],
        "TokenGroup.InitializeGroup",
        &["group", "mint", "mint authority"],
        &[("update authority", ZeroableAddress), ("maximum size", U64)],
    ),
    row(
        &[108, 37, 171, 143, 248, 30, 18, 110],
        "TokenGroup.UpdateGroupMaxSize",
        &["group", "update authority"],
        &[("maximum size", U64)],
    ),
    risky(
        &[161, 105, 88, 1, 237, 221, 216, 203],
        "TokenGroup.UpdateGroupAuthority",
        &["group", "update authority"],
        &[("new authority", ZeroableAddress)],
        &[Always(AuthorityChange)],
    ),
    row(
        &[152, 32, 222, 176, 223, 237, 116, 134],
        "TokenGroup.InitializeMember",
        &[
            "member",
            "member mint",
            "member mint authority",
            "group",
            "group update authority",
        ],
        &[],
    ),
];
