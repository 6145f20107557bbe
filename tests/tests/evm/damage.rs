//! Bytes with a few of them changed, left out or put in, and RLP whose entries are.

use keyward_core::evm::rlp::Value;
use proptest::collection::vec as some;
use proptest::prelude::*;
use proptest::sample::Index;

/// One change to bytes.
#[derive(Debug, Clone)]
pub(crate) enum Damage {
    /// Adds to a byte; never nothing.
    Change(Index, u8),
    Remove(Index),
    Insert(Index, u8),
    Cut(Index),
    /// Changes an entry of the RLP list in the bytes.
    Entry(Index, Entry),
}

/// One change to an entry of a list.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    LeadingZero,
    Empty,
    Remove,
    Repeat,
    IntoList,
    Replace(Vec<u8>),
}

pub(crate) fn any_damage() -> impl Strategy<Value = Damage> {
    let at = || any::<Index>();
    // Bytes that mean something in RLP, at its lengths' edges.
    let telling = || {
        prop_oneof![
            any::<u8>(),
            Just(0),
            Just(0x80),
            Just(0xb8),
            Just(0xc0),
            Just(0xf8)
        ]
    };
    prop_oneof![
        3 => (at(), 1..=u8::MAX).prop_map(|(at, by)| Damage::Change(at, by)),
        1 => at().prop_map(Damage::Remove),
        1 => (at(), telling()).prop_map(|(at, byte)| Damage::Insert(at, byte)),
        1 => at().prop_map(Damage::Cut),
        6 => (at(), any_entry()).prop_map(|(at, entry)| Damage::Entry(at, entry)),
    ]
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let number = prop_oneof![some(any::<u8>(), 0..34), some(Just(0xff_u8), 0..34)];
    prop_oneof![
        Just(Entry::LeadingZero),
        Just(Entry::Empty),
        Just(Entry::Remove),
        Just(Entry::Repeat),
        Just(Entry::IntoList),
        number.prop_map(Entry::Replace),
    ]
}

impl Damage {
    /// Bytes of which the first `head` are no RLP, such as a transaction's type.
    pub(crate) fn apply(&self, bytes: &mut Vec<u8>, head: usize) {
        if bytes.len() <= head {
            return;
        }
        match self {
            Self::Change(at, by) => {
                let at = at.index(bytes.len());
                bytes[at] = bytes[at].wrapping_add(*by);
            }
            Self::Remove(at) => {
                bytes.remove(at.index(bytes.len()));
            }
            Self::Insert(at, byte) => bytes.insert(at.index(bytes.len() + 1), *byte),
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Entry(at, entry) => {
                let Ok(mut value) = Value::decode(&bytes[head..]) else {
                    return;
                };
                let mut left = at.index(count(&value).max(1));
                change(&mut value, &mut left, entry);
                bytes.truncate(head);
                bytes.extend(value.encode());
            }
        }
    }
}

/// Entries of all lists.
fn count(value: &Value) -> usize {
    match value {
        Value::Bytes(_) => 0,
        Value::List(entries) => entries.iter().map(|entry| 1 + count(entry)).sum(),
    }
}

/// Whether the entry was found, after `left` others, and changed.
fn change(value: &mut Value, left: &mut usize, how: &Entry) -> bool {
    let Value::List(entries) = value else {
        return false;
    };
    for at in 0..entries.len() {
        if *left == 0 {
            let entry = entries[at].clone();
            match (how, entry) {
                (Entry::Remove, _) => drop(entries.remove(at)),
                (Entry::Repeat, entry) => entries.insert(at, entry),
                (Entry::Empty, _) => entries[at] = Value::Bytes(Vec::new()),
                (Entry::IntoList, entry) => entries[at] = Value::List(vec![entry]),
                (Entry::Replace(bytes), _) => entries[at] = Value::Bytes(bytes.clone()),
                (Entry::LeadingZero, Value::Bytes(bytes)) => {
                    entries[at] = Value::Bytes([&[0], bytes.as_slice()].concat());
                }
                (Entry::LeadingZero, Value::List(_)) => entries[at] = Value::Bytes(vec![0]),
            }
            return true;
        }
        *left -= 1;
        if change(&mut entries[at], left, how) {
            return true;
        }
    }
    false
}
