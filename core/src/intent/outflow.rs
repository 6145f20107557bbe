//! How much of the native coin a transaction is to move away from one account.

use super::{Action, Field, FieldValue, Intent, field, programs};
use crate::address::Address;
use crate::amount::Lamports;

impl Intent {
    /// The lamports that the System program is to move from `wallet` to others, in all; fees are not among them, and
    /// neither is what other programs may move.
    ///
    /// It is for people who look at how much a wallet moves: limits go by what policy counts.
    #[must_use]
    pub fn outflow(&self, wallet: &Address) -> u128 {
        // 64 bits each, and a message has fewer than 2^64 instructions.
        self.actions
            .iter()
            .filter_map(|action| moved(action, wallet))
            .map(|lamports| u128::from(lamports.get()))
            .sum()
    }
}

/// What one action moves from the wallet to somebody else.
fn moved(action: &Action, wallet: &Address) -> Option<Lamports> {
    match action {
        Action::SolTransfer { from, to, lamports } => (from == wallet && to != wallet).then_some(*lamports),
        Action::Decoded { program, fields, .. } if *program == programs::SYSTEM => {
            let payer = account(fields, "funding account")?;
            let payee = account(fields, "recipient").or_else(|| account(fields, "new account"));
            match field(fields, "lamports") {
                Some(FieldValue::Lamports(lamports)) if payer == *wallet && payee != Some(payer) => {
                    Some(*lamports)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn account(fields: &[Field], label: &str) -> Option<Address> {
    match field(fields, label)? {
        FieldValue::Account(address) => Some(*address),
        _ => None,
    }
}
