//! Who may decide about accounts of the programs that are read here, from their data.
//!
//! Layouts: nonces of <https://docs.rs/solana-nonce>, stakes of <https://docs.rs/solana-stake-interface>, programs of
//! <https://docs.rs/solana-loader-v3-interface>. Data of another length or state has no authority that could be told.

use keyward_core::address::{Address, Blockhash};
use keyward_core::intent::programs;
use keyward_core::solana::token::{Mint, TokenProgram};

use super::Control;
use crate::chain::AccountData;

/// The data's length of an account that holds a durable nonce, in bytes.
const NONCE_BYTES: usize = 80;

/// A durable nonce as its account holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nonce {
    /// Who may advance it.
    pub(crate) authority: Address,
    /// What stands in a blockhash's place.
    pub(crate) value: Blockhash,
}

impl Nonce {
    /// The nonce that an account holds; none where it holds none.
    pub(crate) fn of(account: &AccountData) -> Option<Self> {
        let data = account.data.as_slice();
        if account.owner != programs::SYSTEM || data.len() != NONCE_BYTES {
            return None;
        }
        // Versions 0 and 1; only the second one's values are of use, since the first one's were hashes of blocks.
        let (version, state) = (number(data, 0)?, number(data, 4)?);
        let value: [u8; 32] = data.get(40..72)?.try_into().ok()?;
        (version == 1 && state == 1).then_some(Self {
            authority: address(data, 8)?,
            value: Blockhash::new(value),
        })
    }
}

pub(super) fn is_nonce(account: &AccountData) -> bool {
    Nonce::of(account).is_some()
}

/// The authorities over an account, by what they may do.
pub(super) fn authorities(account: Option<&AccountData>) -> Vec<(Control, String)> {
    let Some(account) = account else {
        return Vec::new();
    };
    let data = account.data.as_slice();
    let found = if let Some(program) = TokenProgram::of(&account.owner) {
        let mint = Mint::decode(program, data).ok();
        let of = |control, authority: Option<Address>| authority.map(|authority| (control, authority));
        mint.map_or_else(Vec::new, |mint| {
            vec![
                of(Control::MintAuthority, mint.mint_authority),
                of(Control::FreezeAuthority, mint.freeze_authority),
            ]
        })
    } else if let Some(nonce) = Nonce::of(account) {
        vec![Some((Control::NonceAuthority, nonce.authority))]
    } else if account.owner == programs::STAKE {
        stake(data)
    } else if account.owner == programs::UPGRADEABLE_LOADER {
        vec![upgrade(data)]
    } else {
        Vec::new()
    };
    let found = found.into_iter().flatten();
    found
        .map(|(control, authority)| (control, authority.to_string()))
        .collect()
}

/// Initialised and delegated stakes begin alike: the reserve, then who may stake and who may withdraw.
fn stake(data: &[u8]) -> Vec<Option<(Control, Address)>> {
    match number(data, 0) {
        Some(1 | 2) => vec![
            address(data, 12).map(|staker| (Control::Staker, staker)),
            address(data, 44).map(|withdrawer| (Control::Withdrawer, withdrawer)),
        ],
        _ => Vec::new(),
    }
}

/// A buffer's or a program's data, each with its authority behind a byte that says whether there is one.
fn upgrade(data: &[u8]) -> Option<(Control, Address)> {
    let at = match number(data, 0)? {
        1 => 4,
        3 => 12,
        _ => return None,
    };
    let is_there = *data.get(at)? == 1;
    let authority = address(data, at + 1).filter(|_| is_there)?;
    Some((Control::UpgradeAuthority, authority))
}

fn number(data: &[u8], at: usize) -> Option<u32> {
    let bytes: [u8; 4] = data.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_le_bytes(bytes))
}

fn address(data: &[u8], at: usize) -> Option<Address> {
    let bytes: [u8; 32] = data.get(at..at + 32)?.try_into().ok()?;
    Some(Address::new(bytes))
}
