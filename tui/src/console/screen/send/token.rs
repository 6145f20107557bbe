//! The token that a transfer sends in place of SOL, as the wallet's list of token accounts shows it.

use keyward_core::address::Address;
use keyward_core::amount::TokenUnits;
use keyward_custody::portfolio::TokenHolding;
use keyward_custody::transfer::TransferAmount;

/// A token to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentToken {
    /// Its mint.
    pub mint: Address,
    /// The mint's digits behind the point; custody compares them with the chain's.
    pub decimals: u8,
    /// What the mint calls itself, which anybody may choose; empty where it says nothing.
    pub symbol: String,
    /// What the account that it was chosen by held when it was read; unknown where the token was not chosen from the list.
    pub held: Option<u64>,
}

impl SentToken {
    /// Takes a line of the list.
    ///
    /// # Errors
    /// Why it cannot be sent, for the person.
    pub fn of(holding: &TokenHolding) -> Result<Self, &'static str> {
        let Ok(account) = &holding.state else {
            return Err("this account cannot be read, so nothing is sent from it");
        };
        let Some(mint) = &holding.mint else {
            return Err("its mint was not read, so its decimals are not known; r asks the node");
        };
        if account.is_frozen() {
            return Err("this account is frozen: nothing can be sent from it");
        }
        let symbol = mint.metadata().map(|metadata| metadata.symbol.clone());
        Ok(Self {
            mint: account.mint,
            decimals: mint.decimals,
            symbol: symbol.unwrap_or_default(),
            held: Some(account.amount),
        })
    }

    /// The token of an amount that was asked for before.
    #[must_use]
    pub fn again(amount: &TransferAmount) -> Option<Self> {
        match amount {
            TransferAmount::Sol(_) => None,
            TransferAmount::Token { mint, units } => Some(Self {
                mint: *mint,
                decimals: units.decimals,
                symbol: String::new(),
                held: None,
            }),
        }
    }

    /// So many of its smallest units.
    #[must_use]
    pub fn amount(&self, units: u64) -> TransferAmount {
        TransferAmount::Token {
            mint: self.mint,
            units: TokenUnits {
                amount: units,
                decimals: self.decimals,
            },
        }
    }
}
