//! Derivation paths and the path families that wallets are found under.
//!
//! Parses and prints `m/44'/501'/0'/0'`. It derives nothing (see [`crate::derive`]) and does not say
//! which key tree a path belongs to.
//!
//! Notation: <https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki>, purpose 44:
//! <https://github.com/bitcoin/bips/blob/master/bip-0044.mediawiki>; coin type 501 is Solana's and 60 Ether's in
//! <https://github.com/satoshilabs/slips/blob/master/slip-0044.md>.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::account::Chain;

/// The bit that marks a hardened index in BIP-32's and SLIP-0010's 32-bit encoding.
const HARDENED: u32 = 0x8000_0000;

/// Most components a path may have; no wallet uses more than six.
pub const MAX_COMPONENTS: usize = 10;

/// Why a text or a number is no path, path component or path family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// The text does not begin with `m`.
    #[error("character 1 must be \"m\"; write the path like m/44'/501'/0'/0'")]
    MissingRoot,
    /// A character stands where it cannot.
    #[error(
        "character {position} does not belong in a path; write it like m/44'/501'/0'/0', in digits, ' and /"
    )]
    UnexpectedCharacter {
        /// Position of the character, counted from 1.
        position: usize,
    },
    /// A component has no digits.
    #[error("an index is missing at character {position}; write a number between the slashes")]
    MissingIndex {
        /// Position where the index was expected, counted from 1.
        position: usize,
    },
    /// An index has needless zeros in front.
    #[error("the index at character {position} begins with a needless zero; remove it")]
    LeadingZero {
        /// Position of the index, counted from 1.
        position: usize,
    },
    /// An index is larger than 2^31-1.
    #[error(
        "the index at character {position} is above 2147483647; use a smaller one and ' for a hardened index"
    )]
    IndexTooLarge {
        /// Position of the index, counted from 1.
        position: usize,
    },
    /// There are more than [`MAX_COMPONENTS`] components.
    #[error("the path has more than 10 components at character {position}; shorten it")]
    TooManyComponents {
        /// Position of the first component too many, counted from 1.
        position: usize,
    },
    /// A number given as an index is larger than 2^31-1.
    #[error("index {index} is above 2147483647; use a smaller one")]
    IndexOutOfRange {
        /// The number given.
        index: u32,
    },
    /// No path family has this name.
    #[error(
        "there is no such path family; use one of bip44-change, bip44, bip44-root, sollet and raw for Solana, evm-bip44, evm-ledger-live and evm-legacy for Ethereum"
    )]
    UnknownFamily,
}

/// A child's index without its hardening: 0..=2^31-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildIndex(u32);

impl ChildIndex {
    /// The first index.
    pub const ZERO: Self = Self(0);
    /// The last index, 2^31-1.
    pub const MAX: Self = Self(HARDENED - 1);

    /// Checks the range.
    ///
    /// # Errors
    /// [`PathError::IndexOutOfRange`] above 2^31-1.
    pub const fn new(index: u32) -> Result<Self, PathError> {
        if index < HARDENED {
            Ok(Self(index))
        } else {
            Err(PathError::IndexOutOfRange { index })
        }
    }

    /// The number, 0..=2^31-1.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for ChildIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl TryFrom<u32> for ChildIndex {
    type Error = PathError;

    fn try_from(index: u32) -> Result<Self, PathError> {
        Self::new(index)
    }
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathComponent {
    /// Derived from the parent's private key, written with `'`.
    Hardened(ChildIndex),
    /// Derived from the parent's public key; ed25519 has none of these.
    Normal(ChildIndex),
}

impl PathComponent {
    /// The index without its hardening.
    #[must_use]
    pub const fn index(self) -> ChildIndex {
        match self {
            Self::Hardened(index) | Self::Normal(index) => index,
        }
    }

    /// The component of BIP-32's 32-bit encoding, the top bit for hardened.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        let index = ChildIndex(bits & !HARDENED);
        if bits & HARDENED == 0 {
            Self::Normal(index)
        } else {
            Self::Hardened(index)
        }
    }

    /// The 32-bit encoding of BIP-32: the top bit marks hardening.
    #[must_use]
    pub const fn to_bits(self) -> u32 {
        match self {
            Self::Hardened(index) => index.get() | HARDENED,
            Self::Normal(index) => index.get(),
        }
    }
}

impl fmt::Display for PathComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hardened(index) => write!(f, "{index}'"),
            Self::Normal(index) => write!(f, "{index}"),
        }
    }
}

/// A derivation path of at most [`MAX_COMPONENTS`] components; `m` alone is the root.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DerivationPath {
    components: Vec<PathComponent>,
}

impl DerivationPath {
    /// The steps from the root, in order.
    #[must_use]
    pub fn components(&self) -> &[PathComponent] {
        &self.components
    }

    /// Whether every step is hardened, as SLIP-0010 requires for ed25519.
    #[must_use]
    pub fn is_all_hardened(&self) -> bool {
        self.components
            .iter()
            .all(|c| matches!(c, PathComponent::Hardened(_)))
    }
}

impl fmt::Display for DerivationPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("m")?;
        for component in &self.components {
            write!(f, "/{component}")?;
        }
        Ok(())
    }
}

impl FromStr for DerivationPath {
    type Err = PathError;

    /// Parses `m/44'/501'/0'/0'`; `h` and `H` may stand for `'`.
    fn from_str(text: &str) -> Result<Self, PathError> {
        let mut segments = text.split('/');
        match segments.next() {
            Some("m") => {}
            Some(first) if first.starts_with('m') => {
                return Err(PathError::UnexpectedCharacter { position: 2 });
            }
            _ => return Err(PathError::MissingRoot),
        }
        let mut components = Vec::new();
        // After "m/": the first component begins at character 3.
        let mut position = 3;
        for segment in segments {
            if components.len() == MAX_COMPONENTS {
                return Err(PathError::TooManyComponents { position });
            }
            components.push(parse_component(segment, position)?);
            // An accepted segment is ASCII, so that bytes are characters here.
            position += segment.len() + 1;
        }
        Ok(Self { components })
    }
}

/// Parses one component whose first character is the `start`th of the whole text.
fn parse_component(segment: &str, start: usize) -> Result<PathComponent, PathError> {
    let (digits, hardened) = match segment.strip_suffix(['\'', 'h', 'H']) {
        Some(digits) => (digits, true),
        None => (segment, false),
    };
    if digits.is_empty() {
        return Err(PathError::MissingIndex { position: start });
    }
    let mut index: u32 = 0;
    for (offset, character) in digits.chars().enumerate() {
        let digit = character.to_digit(10).ok_or(PathError::UnexpectedCharacter {
            position: start + offset,
        })?;
        index = index
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(digit))
            .filter(|value| *value < HARDENED)
            .ok_or(PathError::IndexTooLarge { position: start })?;
    }
    // Two spellings of one path would be two names of one wallet.
    if digits.len() > 1 && digits.starts_with('0') {
        return Err(PathError::LeadingZero { position: start });
    }
    let index = ChildIndex(index);
    Ok(if hardened {
        PathComponent::Hardened(index)
    } else {
        PathComponent::Normal(index)
    })
}

/// The ways in which wallets turn one phrase into many addresses.
///
/// Those of Solana make ed25519 keys, those of the Ethereum family secp256k1 keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PathFamily {
    /// `m/44'/501'/{i}'/0'`, SLIP-0010: what most wallets use today.
    #[default]
    Bip44Change,
    /// `m/44'/501'/{i}'`, SLIP-0010.
    Bip44,
    /// `m/44'/501'`, SLIP-0010: a single address.
    Bip44Root,
    /// `m/501'/{i}'/0/0`: a BIP-32 secp256k1 key used as an ed25519 seed, as Sollet did.
    Sollet,
    /// No path: the first 32 bytes of the seed, as solana-keygen does unless told otherwise.
    Raw,
    /// `m/44'/60'/0'/0/{i}`, BIP-44: what most Ethereum wallets use.
    EvmBip44,
    /// `m/44'/60'/{i}'/0/0`: an account for each address, as Ledger Live has it.
    EvmLedgerLive,
    /// `m/44'/60'/0'/{i}`: one step short of BIP-44, as Ledger's first application had it.
    EvmLegacy,
}

impl PathFamily {
    /// Every family of both chains, each chain's default first.
    pub const ALL: [Self; 8] = [
        Self::Bip44Change,
        Self::Bip44,
        Self::Bip44Root,
        Self::Sollet,
        Self::Raw,
        Self::EvmBip44,
        Self::EvmLedgerLive,
        Self::EvmLegacy,
    ];
    /// Every family of Solana, the default first.
    pub const SOLANA: [Self; 5] = [
        Self::Bip44Change,
        Self::Bip44,
        Self::Bip44Root,
        Self::Sollet,
        Self::Raw,
    ];
    /// Every family of Ethereum's, the default first.
    pub const EVM: [Self; 3] = [Self::EvmBip44, Self::EvmLedgerLive, Self::EvmLegacy];

    /// The families of a chain, its default first.
    #[must_use]
    pub const fn of(chain: Chain) -> &'static [Self] {
        match chain {
            Chain::Solana => &Self::SOLANA,
            Chain::Evm => &Self::EVM,
        }
    }

    /// The chain whose keys it makes.
    #[must_use]
    pub const fn chain(self) -> Chain {
        match self {
            Self::Bip44Change | Self::Bip44 | Self::Bip44Root | Self::Sollet | Self::Raw => Chain::Solana,
            Self::EvmBip44 | Self::EvmLedgerLive | Self::EvmLegacy => Chain::Evm,
        }
    }

    /// The name used in storage and on the command line.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Bip44Change => "bip44-change",
            Self::Bip44 => "bip44",
            Self::Bip44Root => "bip44-root",
            Self::Sollet => "sollet",
            Self::Raw => "raw",
            Self::EvmBip44 => "evm-bip44",
            Self::EvmLedgerLive => "evm-ledger-live",
            Self::EvmLegacy => "evm-legacy",
        }
    }

    /// The family of this name.
    ///
    /// # Errors
    /// [`PathError::UnknownFamily`].
    pub fn from_id(id: &str) -> Result<Self, PathError> {
        Self::ALL
            .into_iter()
            .find(|family| family.id() == id)
            .ok_or(PathError::UnknownFamily)
    }

    /// Who uses it, for a person choosing one.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Bip44Change => "most wallets today: Phantom, Solflare, Backpack",
            Self::Bip44 => "Ledger Live, Trust Wallet, hardware wallets",
            Self::Bip44Root => "one address at the root: solana-keygen with a bare prompt://",
            Self::Sollet => "Sollet's old wallets",
            Self::Raw => "no path, one address: solana-keygen's default",
            Self::EvmBip44 => "most Ethereum wallets: MetaMask, Trust Wallet, Rabby",
            Self::EvmLedgerLive => "Ledger Live",
            Self::EvmLegacy => "Ledger's first Ethereum application, MyEtherWallet with it",
        }
    }

    /// The path with `{i}` where the index goes; `none` for [`PathFamily::Raw`].
    #[must_use]
    pub const fn template(self) -> &'static str {
        match self {
            Self::Bip44Change => "m/44'/501'/{i}'/0'",
            Self::Bip44 => "m/44'/501'/{i}'",
            Self::Bip44Root => "m/44'/501'",
            Self::Sollet => "m/501'/{i}'/0/0",
            Self::Raw => "none",
            Self::EvmBip44 => "m/44'/60'/0'/0/{i}",
            Self::EvmLedgerLive => "m/44'/60'/{i}'/0/0",
            Self::EvmLegacy => "m/44'/60'/0'/{i}",
        }
    }

    /// The path of the wallet at `index`, or nothing where there is none: for [`PathFamily::Raw`],
    /// and beyond index 0 for a family with a single address.
    #[must_use]
    pub fn path(self, index: ChildIndex) -> Option<DerivationPath> {
        use PathComponent::{Hardened, Normal};
        if self.is_single() && index != ChildIndex::ZERO {
            return None;
        }
        const PURPOSE: PathComponent = Hardened(ChildIndex(44));
        const SOLANA: PathComponent = Hardened(ChildIndex(501));
        const ETHER: PathComponent = Hardened(ChildIndex(60));
        const ZERO: ChildIndex = ChildIndex::ZERO;
        let components = match self {
            Self::Bip44Change => [PURPOSE, SOLANA, Hardened(index), Hardened(ZERO)].to_vec(),
            Self::Bip44 => [PURPOSE, SOLANA, Hardened(index)].to_vec(),
            Self::Bip44Root => [PURPOSE, SOLANA].to_vec(),
            Self::Sollet => [SOLANA, Hardened(index), Normal(ZERO), Normal(ZERO)].to_vec(),
            Self::Raw => return None,
            Self::EvmBip44 => [PURPOSE, ETHER, Hardened(ZERO), Normal(ZERO), Normal(index)].to_vec(),
            Self::EvmLedgerLive => [PURPOSE, ETHER, Hardened(index), Normal(ZERO), Normal(ZERO)].to_vec(),
            Self::EvmLegacy => [PURPOSE, ETHER, Hardened(ZERO), Normal(index)].to_vec(),
        };
        Some(DerivationPath { components })
    }

    /// Whether the family has one address only.
    #[must_use]
    pub const fn is_single(self) -> bool {
        matches!(self, Self::Bip44Root | Self::Raw)
    }
}

impl fmt::Display for PathFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for PathFamily {
    type Err = PathError;

    fn from_str(id: &str) -> Result<Self, PathError> {
        Self::from_id(id)
    }
}

#[cfg(test)]
mod tests;
