//! Transfer fees of Token-2022.
//!
//! The sender pays the whole amount, the recipient's account withholds the fee. Rounding is always up, so the amount to
//! send for an amount to arrive is not simply the reverse.

use crate::address::Address;

/// Basis points of a whole.
const ONE: u128 = 10_000;

/// A transfer fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferFee {
    /// The first epoch in which it holds.
    pub epoch: u64,
    /// The most that is withheld of one transfer, in base units.
    pub maximum: u64,
    /// What is withheld, in hundredths of a percent: 0..=10,000.
    pub basis_points: u16,
}

/// A mint's transfer fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferFeeConfig {
    /// Who may change them.
    pub config_authority: Option<Address>,
    /// Who may take what was withheld.
    pub withdraw_authority: Option<Address>,
    /// What was collected at the mint, in base units.
    pub withheld: u64,
    /// The fee before the newer one holds.
    pub older: TransferFee,
    /// The fee from its epoch on.
    pub newer: TransferFee,
}

impl TransferFee {
    /// What is withheld of a transfer of this amount. `None`: the fee makes no sense.
    #[must_use]
    pub fn of(&self, amount: u64) -> Option<u64> {
        if u128::from(self.basis_points) > ONE {
            return None;
        }
        // At most the amount itself, so it fits.
        let exact = u128::from(amount)
            .checked_mul(u128::from(self.basis_points))?
            .div_ceil(ONE);
        u64::try_from(exact).ok().map(|fee| fee.min(self.maximum))
    }

    /// The smallest amount to send so that at least this amount arrives. `None`: there is none.
    #[must_use]
    pub fn amount_to_send(&self, to_arrive: u64) -> Option<u64> {
        if u128::from(self.basis_points) > ONE {
            return None;
        }
        if to_arrive == 0 || self.basis_points == 0 {
            return Some(to_arrive);
        }
        // Enough arrives as soon as either the part or the maximum was put on top.
        let capped = to_arrive.checked_add(self.maximum);
        let kept = ONE.checked_sub(u128::from(self.basis_points))?;
        let proportional = if kept == 0 {
            None
        } else {
            let whole = u128::from(to_arrive).checked_mul(ONE)?;
            u64::try_from(whole.div_ceil(kept)).ok()
        };
        match (capped, proportional) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }
}

impl TransferFeeConfig {
    /// The fee in force in an epoch.
    #[must_use]
    pub const fn at(&self, epoch: u64) -> &TransferFee {
        if epoch >= self.newer.epoch {
            &self.newer
        } else {
            &self.older
        }
    }
}
