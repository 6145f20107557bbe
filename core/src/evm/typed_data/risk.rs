//! Kinds of typed data whose signature moves money without a transaction of the signer's.

use alloc::vec::Vec;
use core::fmt;

use super::value::{Struct, Value};
use crate::evm::intent::is_unlimited;

/// Why typed data is as grave as a transaction. It is a list of known kinds: what is not on it may be as
/// grave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Risk {
    /// Somebody may spend tokens: EIP-2612, DAI, Permit2.
    Allowance,
    /// An allowance without end.
    Unlimited,
    /// An order of a market: whoever holds it may take what it offers.
    Order,
    /// Somebody else sends what was signed: meta-transactions, transfers by authorisation, smart accounts.
    Delegated,
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allowance => "whoever holds this signature may let somebody spend your tokens",
            Self::Unlimited => "it names an amount without limit",
            Self::Order => "whoever holds this signature may take what it offers, at its price",
            Self::Delegated => "whoever holds this signature may carry it out in your name",
        })
    }
}

/// Names of types, in lower case: equal to, or containing.
const ALLOWANCES: [&str; 2] = ["permit", "approv"];
const ORDERS: [&str; 4] = ["order", "offer", "bid", "listing"];
const DELEGATED: [&str; 8] = [
    "metatransaction",
    "forwardrequest",
    "withauthorization",
    "safetx",
    "useroperation",
    "delegat",
    "execute",
    "transfer",
];

pub(super) fn of(primary_type: &str, message: &Struct) -> Vec<Risk> {
    let name = primary_type.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let mut risks = Vec::new();
    let fields = |names: &[&str]| names.iter().all(|name| message.field(name).is_some());
    if has(&ALLOWANCES) || fields(&["spender"]) {
        risks.push(Risk::Allowance);
        if has_unlimited(message) {
            risks.push(Risk::Unlimited);
        }
    }
    if has(&ORDERS) || fields(&["offer", "consideration"]) {
        risks.push(Risk::Order);
    }
    if has(&DELEGATED) {
        risks.push(Risk::Delegated);
    }
    risks
}

/// Whether an amount somewhere in it has no end. The largest number of 160 bits is Permit2's.
fn has_unlimited(message: &Struct) -> bool {
    let mut open: Vec<(&str, &Value)> = pairs(message).collect();
    while let Some((name, value)) = open.pop() {
        match value {
            Value::Uint(number) if matches!(name, "value" | "amount" | "wad") && is_unlimited(number) => {
                return true;
            }
            Value::Bool(true) if name == "allowed" => return true,
            Value::Struct(inner) => open.extend(pairs(inner)),
            Value::Array(entries) => open.extend(entries.iter().map(|entry| (name, entry))),
            _ => {}
        }
    }
    false
}

fn pairs(value: &Struct) -> impl Iterator<Item = (&str, &Value)> {
    value.fields.iter().map(|(name, value)| (name.as_str(), value))
}
