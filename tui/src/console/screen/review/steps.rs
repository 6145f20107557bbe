//! What a person does by hand before a transfer is signed, beyond one key: a second look at each thing that can lose the
//! money. Pure.

use keyward_core::amount::{Lamports, parse_units};
use keyward_custody::transfer::TransferAmount;

use super::estimate::{self, Estimate};
use crate::console::effects::send::Prepared;

/// Typed by who has compared two addresses; the address book asks for the same word.
const COMPARED: &str = "different";
/// Typed by who sends what would fail.
const ANYWAY: &str = "anyway";

/// One thing to type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The recipient looks like a known address: that they were compared.
    Compare,
    /// It would fail, so its fee is most likely lost: that it is sent all the same.
    DespiteFailure,
    /// Nobody can say what would change: that it is sent all the same.
    WithoutEstimate,
    /// How much. Always the last one.
    Amount,
}

impl Step {
    /// What is asked, with its blank before the field.
    pub(super) fn question(self) -> &'static str {
        match self {
            Self::Compare => "  compared every character? type different: ",
            Self::DespiteFailure => "  send it although it would fail? type anyway: ",
            Self::WithoutEstimate => "  send it without an estimate? type anyway: ",
            Self::Amount => "  type the amount to sign: ",
        }
    }

    /// What the key that begins it does.
    pub(super) fn promise(self) -> &'static str {
        match self {
            Self::Compare => "asks whether you compared the recipient with what it looks like.",
            Self::DespiteFailure => "asks twice, since it would fail and its fee is most likely lost.",
            Self::WithoutEstimate => "asks twice, since nobody can say what would change.",
            Self::Amount => "asks you to type the amount, since something here deserves a second look.",
        }
    }

    /// Whether this is what was asked for.
    ///
    /// # Errors
    /// What is wrong with it, for the person.
    pub(super) fn accepts(self, typed: &str, amount: &TransferAmount) -> Result<(), String> {
        let word = match self {
            Self::Compare => COMPARED,
            Self::DespiteFailure | Self::WithoutEstimate => ANYWAY,
            Self::Amount => return is_amount(typed, amount),
        };
        match typed.trim() == word {
            true => Ok(()),
            false => Err(format!("type {word}, or Esc: nothing is signed then")),
        }
    }
}

fn is_amount(typed: &str, amount: &TransferAmount) -> Result<(), String> {
    let is_it = match amount {
        TransferAmount::Sol(lamports) => Lamports::parse(typed).map(|typed| typed == *lamports),
        TransferAmount::Token { units, .. } => {
            parse_units(typed, units.decimals).map(|typed| typed == units.amount)
        }
    };
    match is_it {
        Ok(true) => Ok(()),
        Ok(false) => Err("this is not the amount of this transfer".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// What this transfer asks for, in its order; nothing where one key is enough.
pub(super) fn steps(prepared: &Prepared) -> Vec<Step> {
    let plan = &prepared.plan;
    let mut steps = Vec::new();
    if !plan.details.lookalikes.is_empty() {
        steps.push(Step::Compare);
    }
    match estimate::of(plan) {
        Estimate::Fails(_) => steps.push(Step::DespiteFailure),
        Estimate::Unknown => steps.push(Step::WithoutEstimate),
        Estimate::Changes => {}
    }
    // What warns of a stranger's address does not stand in the way of one's own wallet.
    let is_warned = !plan.warnings.is_empty() && prepared.recipient.is_none();
    if !steps.is_empty() || is_warned || estimate::takes_a_second_look(plan) {
        steps.push(Step::Amount);
    }
    steps
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use keyward_core::address::Address;
    use keyward_core::amount::TokenUnits;

    use super::*;

    #[test]
    fn amounts_are_compared_in_their_own_units() {
        let sol = TransferAmount::Sol(Lamports::new(1_500_000_000));
        let token = TransferAmount::Token {
            mint: Address::new([3; 32]),
            units: TokenUnits {
                amount: 1_500,
                decimals: 3,
            },
        };
        for amount in [sol, token] {
            for right in ["1.5", " 1.500 "] {
                assert_eq!(Step::Amount.accepts(right, &amount), Ok(()), "{amount}");
            }
            for wrong in ["", "1.4", "1500", "15", "1,5", "different"] {
                assert!(Step::Amount.accepts(wrong, &amount).is_err(), "{wrong}");
            }
        }
        assert!(
            Step::Amount.accepts("1.5000", &token).is_err(),
            "a decimal too many"
        );
    }

    #[test]
    fn a_word_is_typed_whole() {
        let sol = TransferAmount::Sol(Lamports::ONE_SOL);
        for (step, word) in [
            (Step::Compare, "different"),
            (Step::DespiteFailure, "anyway"),
            (Step::WithoutEstimate, "anyway"),
        ] {
            assert_eq!(step.accepts(word, &sol), Ok(()));
            for wrong in ["", "y", "yes", "Different", "any way", "1"] {
                assert!(step.accepts(wrong, &sol).is_err(), "{step:?} {wrong}");
            }
        }
    }
}
