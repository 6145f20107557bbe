//! Token accounts.

use alloc::vec::Vec;

use super::cursor::Cursor;
use super::extension::{self, Raw};
use super::mint::is_mint_extension;
use super::{ACCOUNT_LEN, ACCOUNT_TYPE_ACCOUNT, TokenDataError, TokenProgram};
use crate::address::Address;

const WHAT: &str = "a token account";

/// Whether tokens may leave and enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenAccountState {
    /// They may.
    Initialized,
    /// The mint's freeze authority has stopped them.
    Frozen,
}

/// A token account, as the program keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAccount {
    /// Whose tokens.
    pub mint: Address,
    /// Who moves them.
    pub owner: Address,
    /// How many, in base units.
    pub amount: u64,
    /// Who else may move some of them.
    pub delegate: Option<Address>,
    /// How many the delegate may still move, in base units.
    pub delegated_amount: u64,
    /// Whether it is frozen.
    pub state: TokenAccountState,
    /// For wrapped SOL: the lamports that are not tokens but rent.
    pub native_reserve: Option<u64>,
    /// Who may close it, when that is not its owner.
    pub close_authority: Option<Address>,
    /// What Token-2022 added to it.
    pub extensions: Vec<AccountExtension>,
}

/// What Token-2022 adds to a token account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountExtension {
    /// Transfer fees that were withheld here, in base units.
    TransferFeeAmount {
        /// How much.
        withheld: u64,
    },
    /// Amounts that only its owner can read.
    ConfidentialTransfer {
        /// Whether all its encrypted balances are empty, so that it does not stand in the way of closing.
        is_empty: bool,
        /// Whether it takes transfers with public amounts, too.
        takes_public: bool,
    },
    /// Its owner never changes.
    ImmutableOwner,
    /// Whether transfers to it need a memo.
    MemoTransfer {
        /// They do.
        required: bool,
    },
    /// Whether programs are kept from acting for the owner.
    CpiGuard {
        /// They are.
        locked: bool,
    },
    /// Its tokens cannot be transferred.
    NonTransferable,
    /// Transfers run another program.
    TransferHook,
    /// Confidential transfer fees that were withheld here.
    ConfidentialTransferFee {
        /// Whether there are none, so that it does not stand in the way of closing.
        is_empty: bool,
    },
    /// Its mint can be paused.
    Pausable,
    /// One that this release does not know.
    Unknown {
        /// Its number.
        kind: u16,
    },
}

impl TokenAccount {
    /// Reads a token account of this program.
    ///
    /// # Errors
    /// Any [`TokenDataError`].
    pub fn decode(program: TokenProgram, data: &[u8]) -> Result<Self, TokenDataError> {
        let (base, extensions) = extension::split(program, WHAT, ACCOUNT_LEN, ACCOUNT_TYPE_ACCOUNT, data)?;
        let mut cursor = Cursor::new(
            base,
            TokenDataError::Length {
                what: WHAT,
                found: data.len(),
            },
        );
        let mint = cursor.address()?;
        let owner = cursor.address()?;
        let amount = cursor.u64()?;
        let delegate = cursor.optional_address("delegate")?;
        let state = match cursor.byte()? {
            0 => return Err(TokenDataError::Uninitialised),
            1 => TokenAccountState::Initialized,
            2 => TokenAccountState::Frozen,
            _ => return Err(TokenDataError::Field { field: "state" }),
        };
        let is_native = cursor.is_there("mark of wrapped SOL")?;
        let reserve = cursor.u64()?;
        let delegated_amount = cursor.u64()?;
        let close_authority = cursor.optional_address("close authority")?;
        let extensions = extensions.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self {
            mint,
            owner,
            amount,
            delegate,
            delegated_amount,
            state,
            native_reserve: is_native.then_some(reserve),
            close_authority,
            extensions,
        })
    }

    /// Whether it is frozen.
    #[must_use]
    pub const fn is_frozen(&self) -> bool {
        matches!(self.state, TokenAccountState::Frozen)
    }

    /// Who may close it.
    #[must_use]
    pub fn closer(&self) -> &Address {
        self.close_authority.as_ref().unwrap_or(&self.owner)
    }

    /// Transfer fees withheld in it, in base units.
    #[must_use]
    pub fn withheld(&self) -> u64 {
        let withheld = |extension: &AccountExtension| match extension {
            AccountExtension::TransferFeeAmount { withheld } => Some(*withheld),
            _ => None,
        };
        self.extensions.iter().find_map(withheld).unwrap_or(0)
    }

    /// Whether it holds encrypted amounts, which keep it from being closed and which nobody but its owner can read.
    #[must_use]
    pub fn has_confidential_amounts(&self) -> bool {
        let holds = |extension: &AccountExtension| {
            matches!(
                extension,
                AccountExtension::ConfidentialTransfer { is_empty: false, .. }
                    | AccountExtension::ConfidentialTransferFee { is_empty: false }
            )
        };
        self.extensions.iter().any(holds)
    }

    /// Whether transfers to it need a memo.
    #[must_use]
    pub fn requires_memo(&self) -> bool {
        self.extensions
            .contains(&AccountExtension::MemoTransfer { required: true })
    }
}

impl AccountExtension {
    /// What people call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TransferFeeAmount { .. } => "withheld transfer fees",
            Self::ConfidentialTransfer { .. } => "confidential transfers",
            Self::ImmutableOwner => "immutable owner",
            Self::MemoTransfer { .. } => "memo required",
            Self::CpiGuard { .. } => "CPI guard",
            Self::NonTransferable => "non-transferable",
            Self::TransferHook => "transfer hook",
            Self::ConfidentialTransferFee { .. } => "withheld confidential fees",
            Self::Pausable => "pausable",
            Self::Unknown { .. } => "unknown extension",
        }
    }
}

/// Whether an extension belongs to token accounts.
pub(super) const fn is_account_extension(kind: u16) -> bool {
    matches!(kind, 2 | 5 | 7 | 8 | 11 | 13 | 15 | 17 | 27)
}

fn read(raw: &Raw<'_>) -> Result<AccountExtension, TokenDataError> {
    use AccountExtension as Is;
    match raw.kind {
        2 => raw.read(|value| {
            Ok(Is::TransferFeeAmount {
                withheld: value.u64()?,
            })
        }),
        5 => raw.read(confidential),
        7 => raw.read(|_| Ok(Is::ImmutableOwner)),
        8 => raw.read(|value| {
            Ok(Is::MemoTransfer {
                required: value.flag()?,
            })
        }),
        11 => raw.read(|value| {
            Ok(Is::CpiGuard {
                locked: value.flag()?,
            })
        }),
        13 => raw.read(|_| Ok(Is::NonTransferable)),
        // One flag, set only while a transfer runs.
        15 => raw.read(|value| value.flag().map(|_| Is::TransferHook)),
        17 => raw.read(|value| {
            let is_empty = value.array::<64>()? == [0; 64];
            Ok(Is::ConfidentialTransferFee { is_empty })
        }),
        27 => raw.read(|_| Ok(Is::Pausable)),
        kind if is_mint_extension(kind) => Err(TokenDataError::Extension { kind }),
        kind => Ok(Is::Unknown { kind }),
    }
}

fn confidential(value: &mut Cursor<'_>) -> Result<AccountExtension, TokenDataError> {
    // Whether it is approved, and its encryption key.
    value.array::<33>()?;
    // Two pending balances and the available one.
    let is_empty = value.array::<192>()? == [0; 192];
    // The available balance once more, for its owner, and whether it takes confidential transfers.
    value.array::<37>()?;
    let takes_public = value.flag()?;
    // Four counters.
    value.array::<32>()?;
    Ok(AccountExtension::ConfidentialTransfer {
        is_empty,
        takes_public,
    })
}
