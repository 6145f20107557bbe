//! Kinds of typed data whose signature moves money without a transaction of the signer's.

use alloc::string::String;
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

/// Parts of the names of types, in lower case: of the message's own and of every structure within.
const ALLOWANCES: [&str; 2] = ["permit", "approv"];
const ORDERS: [&str; 4] = ["order", "offer", "bid", "listing"];
const DELEGATED: [&str; 16] = [
    "metatransaction",
    "forwardrequest",
    "withauthorization",
    "safetx",
    "useroperation",
    "delegat",
    "execute",
    "transfer",
    "relay",
    "withdraw",
    "safemessage",
    "typeddatasign",
    "call",
    "intent",
    "agent",
    "swap",
];

pub(super) fn of(primary_type: &str, message: &Struct) -> Vec<Risk> {
    let structures = structures(message);
    let mut names: Vec<String> = structures
        .iter()
        .map(|own| own.name.to_ascii_lowercase())
        .collect();
    names.push(primary_type.to_ascii_lowercase());
    let has = |words: &[&str]| {
        names
            .iter()
            .any(|name| words.iter().any(|word| name.contains(word)))
    };
    let mut risks = Vec::new();
    let fields = |names: &[&str]| {
        structures
            .iter()
            .any(|own| names.iter().all(|name| own.field(name).is_some()))
    };
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

/// The message and every structure within it.
fn structures(message: &Struct) -> Vec<&Struct> {
    let mut found = alloc::vec![message];
    let mut open: Vec<&Value> = message.fields.iter().map(|(_, value)| value).collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Struct(inner) => {
                found.push(inner);
                open.extend(inner.fields.iter().map(|(_, value)| value));
            }
            Value::Array(entries) => open.extend(entries),
            _ => {}
        }
    }
    found
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
