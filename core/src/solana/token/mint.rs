//! Mints.

use alloc::string::String;
use alloc::vec::Vec;

use super::account::{TokenAccountState, is_account_extension};
use super::cursor::Cursor;
use super::extension::{self, Raw};
use super::fee::{TransferFee, TransferFeeConfig};
use super::{ACCOUNT_TYPE_MINT, MINT_LEN, TokenDataError, TokenProgram};
use crate::address::Address;

const WHAT: &str = "a mint";

/// A mint, as the program keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mint {
    /// Who may make more, if anybody.
    pub mint_authority: Option<Address>,
    /// How many there are, in base units.
    pub supply: u64,
    /// Digits behind the point.
    pub decimals: u8,
    /// Who may freeze accounts, if anybody.
    pub freeze_authority: Option<Address>,
    /// What Token-2022 added to it.
    pub extensions: Vec<MintExtension>,
}

/// What Token-2022 adds to a mint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MintExtension {
    /// A part of each transfer is withheld.
    TransferFee(TransferFeeConfig),
    /// Who may close the mint.
    CloseAuthority(Option<Address>),
    /// Amounts may be hidden.
    ConfidentialTransfer,
    /// What state new accounts begin in. `None`: not set up.
    DefaultAccountState(Option<TokenAccountState>),
    /// Its tokens cannot be transferred.
    NonTransferable,
    /// Amounts are shown with interest.
    InterestBearing {
        /// The rate in force, in hundredths of a percent a year.
        rate_basis_points: i16,
    },
    /// Who may move or burn everybody's tokens.
    PermanentDelegate(Option<Address>),
    /// Transfers run this program.
    TransferHook {
        /// Who may change that.
        authority: Option<Address>,
        /// The program. `None`: none now.
        program: Option<Address>,
    },
    /// Fees of confidential transfers.
    ConfidentialTransferFee,
    /// Where its name and symbol are.
    MetadataPointer {
        /// Who may change that.
        authority: Option<Address>,
        /// The account.
        address: Option<Address>,
    },
    /// Its name and symbol.
    Metadata(MintMetadata),
    /// Where its group is.
    GroupPointer,
    /// It is a group.
    Group,
    /// Where its membership is.
    GroupMemberPointer,
    /// It is a member of a group.
    GroupMember,
    /// Hidden amounts may be made and burned.
    ConfidentialMintBurn,
    /// Amounts are shown multiplied.
    ScaledUiAmount,
    /// Somebody may stop everything.
    Pausable {
        /// Who.
        authority: Option<Address>,
        /// Everything is stopped now.
        paused: bool,
    },
    /// Burning needs somebody's leave.
    PermissionedBurn,
    /// One that this release does not know.
    Unknown {
        /// Its number.
        kind: u16,
    },
}

/// What a mint says of itself. Anybody can mint a token of any name: it identifies nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MintMetadata {
    /// Its name, as written by whoever made it.
    pub name: String,
    /// Its symbol, as written by whoever made it.
    pub symbol: String,
}

impl Mint {
    /// Reads a mint of this program.
    ///
    /// # Errors
    /// Any [`TokenDataError`].
    pub fn decode(program: TokenProgram, data: &[u8]) -> Result<Self, TokenDataError> {
        let (base, extensions) = extension::split(program, WHAT, MINT_LEN, ACCOUNT_TYPE_MINT, data)?;
        let mut cursor = Cursor::new(
            base,
            TokenDataError::Length {
                what: WHAT,
                found: data.len(),
            },
        );
        let mint_authority = cursor.optional_address("mint authority")?;
        let supply = cursor.u64()?;
        let decimals = cursor.byte()?;
        match cursor.byte()? {
            0 => return Err(TokenDataError::Uninitialised),
            1 => {}
            _ => return Err(TokenDataError::Field { field: "state" }),
        }
        let freeze_authority = cursor.optional_address("freeze authority")?;
        Ok(Self {
            mint_authority,
            supply,
            decimals,
            freeze_authority,
            extensions: extensions.iter().map(read).collect::<Result<_, _>>()?,
        })
    }

    /// How many bytes an associated account of this mint has when it is made.
    #[must_use]
    pub fn account_len(&self, program: TokenProgram) -> u64 {
        let base = super::ACCOUNT_LEN as u64;
        let wanted = |extension: &MintExtension| match extension {
            MintExtension::TransferFee(_) => 4 + 8,
            MintExtension::TransferHook { .. } => 4 + 1,
            MintExtension::NonTransferable | MintExtension::Pausable { .. } => 4,
            MintExtension::ConfidentialTransferFee => 4 + 64,
            _ => 0,
        };
        match program {
            TokenProgram::Token => base,
            // A byte tells the kind of account, and its owner is fixed: each extension has four bytes before its value.
            TokenProgram::Token2022 => base + 1 + 4 + self.extensions.iter().map(wanted).sum::<u64>(),
        }
    }

    /// Its transfer fees, if it takes any.
    #[must_use]
    pub fn transfer_fee(&self) -> Option<&TransferFeeConfig> {
        self.extensions.iter().find_map(|extension| match extension {
            MintExtension::TransferFee(config) => Some(config),
            _ => None,
        })
    }

    /// Its own name and symbol, if it carries them.
    #[must_use]
    pub fn metadata(&self) -> Option<&MintMetadata> {
        self.extensions.iter().find_map(|extension| match extension {
            MintExtension::Metadata(metadata) => Some(metadata),
            _ => None,
        })
    }

    /// Whether its tokens cannot be transferred at all, now: by nature, or because they are paused.
    #[must_use]
    pub fn transfers_are_stopped(&self) -> bool {
        self.extensions.iter().any(|extension| {
            matches!(
                extension,
                MintExtension::NonTransferable | MintExtension::Pausable { paused: true, .. }
            )
        })
    }

    /// The program that its transfers run, which needs further accounts.
    #[must_use]
    pub fn transfer_hook(&self) -> Option<&Address> {
        self.extensions.iter().find_map(|extension| match extension {
            MintExtension::TransferHook { program, .. } => program.as_ref(),
            _ => None,
        })
    }

    /// Who may move everybody's tokens, if anybody.
    #[must_use]
    pub fn permanent_delegate(&self) -> Option<&Address> {
        self.extensions.iter().find_map(|extension| match extension {
            MintExtension::PermanentDelegate(delegate) => delegate.as_ref(),
            _ => None,
        })
    }

    /// Whether new accounts begin frozen.
    #[must_use]
    pub fn freezes_new_accounts(&self) -> bool {
        self.extensions.contains(&MintExtension::DefaultAccountState(Some(
            TokenAccountState::Frozen,
        )))
    }
}

impl MintExtension {
    /// What people call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TransferFee(_) => "transfer fee",
            Self::CloseAuthority(_) => "close authority",
            Self::ConfidentialTransfer => "confidential transfers",
            Self::DefaultAccountState(_) => "default account state",
            Self::NonTransferable => "non-transferable",
            Self::InterestBearing { .. } => "interest-bearing",
            Self::PermanentDelegate(_) => "permanent delegate",
            Self::TransferHook { .. } => "transfer hook",
            Self::ConfidentialTransferFee => "confidential transfer fees",
            Self::MetadataPointer { .. } => "metadata pointer",
            Self::Metadata(_) => "metadata",
            Self::GroupPointer => "group pointer",
            Self::Group => "group",
            Self::GroupMemberPointer => "group member pointer",
            Self::GroupMember => "group member",
            Self::ConfidentialMintBurn => "confidential minting and burning",
            Self::ScaledUiAmount => "scaled amounts",
            Self::Pausable { .. } => "pausable",
            Self::PermissionedBurn => "permissioned burning",
            Self::Unknown { .. } => "unknown extension",
        }
    }
}

/// Whether an extension belongs to mints.
pub(super) const fn is_mint_extension(kind: u16) -> bool {
    kind >= 1 && kind <= 28 && !is_account_extension(kind)
}

fn read(raw: &Raw<'_>) -> Result<MintExtension, TokenDataError> {
    use MintExtension as Is;
    match raw.kind {
        1 => raw.read(transfer_fee),
        3 => raw.read(|value| value.nonzero_address().map(Is::CloseAuthority)),
        4 => Ok(Is::ConfidentialTransfer),
        6 => raw.read(|value| {
            Ok(Is::DefaultAccountState(match value.byte()? {
                0 => None,
                1 => Some(TokenAccountState::Initialized),
                2 => Some(TokenAccountState::Frozen),
                _ => return Err(TokenDataError::Extension { kind: 6 }),
            }))
        }),
        9 => raw.read(|_| Ok(Is::NonTransferable)),
        10 => raw.read(|value| {
            // The authority, when it began, the average rate, when it last changed.
            value.array::<50>()?;
            let rate_basis_points = i16::from_le_bytes(value.array()?);
            Ok(Is::InterestBearing { rate_basis_points })
        }),
        12 => raw.read(|value| value.nonzero_address().map(Is::PermanentDelegate)),
        14 => raw.read(|value| {
            Ok(Is::TransferHook {
                authority: value.nonzero_address()?,
                program: value.nonzero_address()?,
            })
        }),
        16 => Ok(Is::ConfidentialTransferFee),
        18 => raw.read(|value| {
            Ok(Is::MetadataPointer {
                authority: value.nonzero_address()?,
                address: value.nonzero_address()?,
            })
        }),
        19 => metadata(raw).map(Is::Metadata),
        20 => Ok(Is::GroupPointer),
        21 => Ok(Is::Group),
        22 => Ok(Is::GroupMemberPointer),
        23 => Ok(Is::GroupMember),
        24 => Ok(Is::ConfidentialMintBurn),
        25 => Ok(Is::ScaledUiAmount),
        26 => raw.read(|value| {
            Ok(Is::Pausable {
                authority: value.nonzero_address()?,
                paused: value.flag()?,
            })
        }),
        28 => Ok(Is::PermissionedBurn),
        kind if is_account_extension(kind) => Err(TokenDataError::Extension { kind }),
        kind => Ok(Is::Unknown { kind }),
    }
}

fn transfer_fee(value: &mut Cursor<'_>) -> Result<MintExtension, TokenDataError> {
    let fee = |value: &mut Cursor<'_>| {
        Ok(TransferFee {
            epoch: value.u64()?,
            maximum: value.u64()?,
            basis_points: value.u16()?,
        })
    };
    Ok(MintExtension::TransferFee(TransferFeeConfig {
        config_authority: value.nonzero_address()?,
        withdraw_authority: value.nonzero_address()?,
        withheld: value.u64()?,
        older: fee(value)?,
        newer: fee(value)?,
    }))
}

/// The name and symbol; what follows them is of no use here.
fn metadata(raw: &Raw<'_>) -> Result<MintMetadata, TokenDataError> {
    let wrong = TokenDataError::Extension { kind: raw.kind };
    let mut value = Cursor::new(raw.value, wrong);
    // Who may change it, and the mint.
    value.array::<64>()?;
    let mut text = || {
        let len = usize::try_from(value.u32()?).map_err(|_| wrong)?;
        let text = core::str::from_utf8(value.bytes(len)?).map_err(|_| wrong)?;
        Ok::<_, TokenDataError>(String::from(text))
    };
    Ok(MintMetadata {
        name: text()?,
        symbol: text()?,
    })
}
