//! What a transaction would change, as a node's simulation tells it: balances, and who may decide about accounts.
//!
//! A transaction that moves nothing can still take everything: it hands an account to another owner, lets a delegate move
//! its tokens, or replaces an authority. So every account that the transaction may write is read before, simulated, and
//! compared field by field.
//!
//! It is an estimate. The accounts are read a moment before, the simulation runs on the state of its own slot, and the
//! transaction lands on another one still. What a program writes into accounts that nobody here can read is told as changed
//! data, never as nothing. Pure but for [`simulate_changes`]; it decides nothing.

mod authority;

use std::fmt;

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::Transaction;
use keyward_core::solana::token::{Mint, TokenAccount, TokenProgram};

use crate::chain::{AccountData, ChainError, Commitment, SolanaNode};
pub(crate) use authority::Nonce;
use authority::authorities;

/// The most accounts of one transaction that are watched: what a transaction may lock.
const MAX_WATCHED: usize = 64;

/// What a simulated transaction would change. An estimate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SimulatedChanges {
    /// The slot that it was simulated at.
    pub slot: u64,
    /// Why it would fail, if it would: then nothing but its fee would change.
    pub error: Option<String>,
    /// Compute units consumed, if the node says.
    pub units: Option<u64>,
    /// SOL, of every account whose balance changes.
    pub sol: Vec<BalanceChange>,
    /// Tokens, of every token account whose balance changes.
    pub tokens: Vec<TokenBalanceChange>,
    /// Who may decide about accounts.
    pub control: Vec<ControlChange>,
    /// Accounts that could not be compared: looked up in tables, or beyond the number that is watched.
    pub unwatched: usize,
}

/// A balance before and after the simulated transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BalanceChange {
    /// The account.
    pub address: Address,
    /// Its balance before.
    pub before: Lamports,
    /// Its balance after.
    pub after: Lamports,
}

/// A token account's balance before and after the simulated transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBalanceChange {
    /// The token account.
    pub account: Address,
    /// Whose tokens it holds.
    pub mint: Address,
    /// The wallet that it belongs to.
    pub owner: Address,
    /// In smallest units.
    pub before: u64,
    /// In smallest units.
    pub after: u64,
}

/// A change of who may decide about an account, or of what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlChange {
    /// The account.
    pub account: Address,
    /// What of it.
    pub control: Control,
    /// As it was; `None`: nobody, or nothing.
    pub before: Option<String>,
    /// As it would be.
    pub after: Option<String>,
}

/// What about an account changes hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Control {
    /// The program that owns the account: who may take its SOL and write its data.
    Program,
    /// The wallet that a token account belongs to.
    TokenOwner,
    /// Who else may move tokens of an account, and how many.
    Delegate,
    /// Who else may close a token account.
    CloseAuthority,
    /// Whether a token account is frozen.
    Frozen,
    /// Who may mint.
    MintAuthority,
    /// Who may freeze.
    FreezeAuthority,
    /// Who may advance, empty and hand over a durable nonce.
    NonceAuthority,
    /// Who may delegate a stake.
    Staker,
    /// Who may withdraw a stake.
    Withdrawer,
    /// Who may replace a program.
    UpgradeAuthority,
    /// Other data: of a program that is not read here, or of a field that is not told apart.
    Data,
}

impl Control {
    /// Returns the name for people and scripts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Program => "owning program",
            Self::TokenOwner => "token owner",
            Self::Delegate => "delegate",
            Self::CloseAuthority => "close authority",
            Self::Frozen => "state",
            Self::MintAuthority => "mint authority",
            Self::FreezeAuthority => "freeze authority",
            Self::NonceAuthority => "nonce authority",
            Self::Staker => "stake authority",
            Self::Withdrawer => "withdraw authority",
            Self::UpgradeAuthority => "upgrade authority",
            Self::Data => "data",
        }
    }
}

/// `the delegate of ACCOUNT: nobody -> WALLET (5 units)`.
impl fmt::Display for ControlChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        let (what, account) = (self.control.as_str(), &self.account);
        match self.control {
            Control::Data => write!(f, "the data of {account} changes"),
            _ => write!(
                f,
                "the {what} of {account}: {} -> {}",
                word(&self.before),
                word(&self.after)
            ),
        }
    }
}

/// Simulates unsigned or signed bytes and compares every account that they may write.
///
/// # Errors
/// Any [`ChainError`]. A transaction that would fail is not an error: see [`SimulatedChanges::error`].
pub async fn simulate_changes(node: &SolanaNode, transaction: &[u8]) -> Result<SimulatedChanges, ChainError> {
    let decoded = Transaction::decode(transaction).map_err(|error| ChainError::OutOfBounds {
        what: error.to_string(),
    })?;
    let message = &decoded.message;
    let writable = (0..message.account_keys.len()).filter(|index| message.is_writable(*index));
    let mut watched: Vec<Address> = writable
        .filter_map(|index| message.account_keys.get(index).copied())
        .collect();
    let looked_up: usize = message.lookups.iter().map(|lookup| lookup.writable.len()).sum();
    let unwatched = looked_up + watched.len().saturating_sub(MAX_WATCHED);
    watched.truncate(MAX_WATCHED);
    let (_, before) = node.account_data(&watched, Commitment::Confirmed).await?;
    let simulation = node.simulate(transaction, &watched).await?;
    let mut changes = SimulatedChanges {
        slot: simulation.slot,
        error: simulation.error,
        units: simulation.units,
        unwatched,
        ..SimulatedChanges::default()
    };
    if changes.error.is_none() {
        for ((address, before), after) in watched.iter().zip(&before).zip(&simulation.after) {
            changes.compare(address, before.as_ref(), after.as_ref());
        }
    }
    Ok(changes)
}

impl SimulatedChanges {
    fn compare(&mut self, address: &Address, before: Option<&AccountData>, after: Option<&AccountData>) {
        let lamports =
            |account: Option<&AccountData>| account.map_or(Lamports::ZERO, |account| account.lamports);
        if lamports(before) != lamports(after) {
            self.sol.push(BalanceChange {
                address: *address,
                before: lamports(before),
                after: lamports(after),
            });
        }
        let told = self.tokens.len() + self.control.len();
        self.compare_program(address, before, after);
        self.compare_token(address, before, after);
        let (old, new) = (authorities(before), authorities(after));
        for control in AUTHORITIES {
            let of = |list: &[(Control, String)]| {
                let found = list.iter().find(|(other, _)| *other == control);
                found.map(|(_, value)| value.clone())
            };
            self.changed(address, control, of(&old), of(&new));
        }
        // What is created or gone is told by its program and its balance.
        let (Some(before), Some(after)) = (before, after) else {
            return;
        };
        if before.data != after.data && self.tokens.len() + self.control.len() == told && !is_expected(after)
        {
            self.changed(address, Control::Data, None, Some(after.owner.to_string()));
        }
    }

    fn compare_program(
        &mut self,
        address: &Address,
        before: Option<&AccountData>,
        after: Option<&AccountData>,
    ) {
        // A wallet that gets its first SOL, or gives its last, is no account of a program that comes or goes.
        let program = |account: Option<&AccountData>| {
            let owner = account.map(|account| account.owner);
            owner
                .filter(|owner| *owner != keyward_core::intent::programs::SYSTEM)
                .map(|owner| owner.to_string())
        };
        self.changed(address, Control::Program, program(before), program(after));
    }

    fn compare_token(
        &mut self,
        address: &Address,
        before: Option<&AccountData>,
        after: Option<&AccountData>,
    ) {
        let (old, new) = (token_account(before), token_account(after));
        let Some(either) = new.as_ref().or(old.as_ref()) else {
            return;
        };
        let amount = |account: &Option<TokenAccount>| account.as_ref().map_or(0, |account| account.amount);
        if amount(&old) != amount(&new) {
            self.tokens.push(TokenBalanceChange {
                account: *address,
                mint: either.mint,
                owner: either.owner,
                before: amount(&old),
                after: amount(&new),
            });
        }
        let owner =
            |account: &Option<TokenAccount>| account.as_ref().map(|account| account.owner.to_string());
        // A new account's owner is told as well: it may be another one than it looks.
        self.changed(address, Control::TokenOwner, owner(&old), owner(&new));
        let delegate = |account: &Option<TokenAccount>| {
            let account = account.as_ref()?;
            let delegate = account.delegate?;
            Some(format!("{delegate} ({} units)", account.delegated_amount))
        };
        self.changed(address, Control::Delegate, delegate(&old), delegate(&new));
        let closer = |account: &Option<TokenAccount>| {
            let closer = account.as_ref()?.close_authority?;
            Some(closer.to_string())
        };
        self.changed(address, Control::CloseAuthority, closer(&old), closer(&new));
        let frozen = |account: &Option<TokenAccount>| {
            let frozen = account.as_ref().is_some_and(TokenAccount::is_frozen);
            frozen.then(|| "frozen".to_owned())
        };
        self.changed(address, Control::Frozen, frozen(&old), frozen(&new));
    }

    fn changed(
        &mut self,
        account: &Address,
        control: Control,
        before: Option<String>,
        after: Option<String>,
    ) {
        if before != after {
            self.control.push(ControlChange {
                account: *account,
                control,
                before,
                after,
            });
        }
    }
}

/// Those that [`authorities`] reads.
const AUTHORITIES: [Control; 6] = [
    Control::MintAuthority,
    Control::FreezeAuthority,
    Control::NonceAuthority,
    Control::Staker,
    Control::Withdrawer,
    Control::UpgradeAuthority,
];

fn token_account(account: Option<&AccountData>) -> Option<TokenAccount> {
    let account = account?;
    let program = TokenProgram::of(&account.owner)?;
    TokenAccount::decode(program, &account.data).ok()
}

/// Data that changes as a matter of course where nothing else of the account does: a mint's supply, a nonce's value.
fn is_expected(account: &AccountData) -> bool {
    let is_mint =
        TokenProgram::of(&account.owner).is_some_and(|program| Mint::decode(program, &account.data).is_ok());
    is_mint || authority::is_nonce(account)
}

#[cfg(test)]
mod tests;
