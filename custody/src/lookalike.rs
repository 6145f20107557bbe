//! Addresses that a person could take for one that is known here.
//!
//! Nobody compares 44 characters. What is looked at are the ends, as lists show them: the first eight characters and the
//! last six. An address that was made to be mistaken (by grinding keys until the ends fit, then dusting a victim's history
//! with it) fits there and nowhere else. So a recipient is compared with every known address from both ends inwards, as far
//! as the characters are the same or look it.
//!
//! How telling a resemblance is counts in bits: how rarely chance makes it. Ends that many known addresses share, as those
//! of a vanity family do, tell little and count as what they are. One alarm in a thousand fresh recipients is the budget
//! for all known addresses together, whatever their number; it is shared out by how often each was used, for that is how
//! likely it is meant. The reasoning and the measured rates are in `docs/lookalikes.md`.
//!
//! Pure: no store, no clock, no randomness. It does not judge addresses that are known themselves, and it does not say that
//! one which resembles nothing is right.

use std::collections::HashMap;
use std::ops::Range;

use keyward_core::address::Address;

/// How many characters of an address are shown at its beginning where there is little room.
pub const SHOWN_HEAD: usize = 8;
/// How many at its end.
pub const SHOWN_TAIL: usize = 6;

/// The most resemblances that one check tells.
const MAX_TOLD: usize = 5;

/// Bits are counted in 256ths, so that no platform rounds them in its own way.
const BIT: u32 = 256;
/// How rarely all known addresses together may raise a false alarm: once in 2^10 fresh recipients.
const BUDGET_BITS: u32 = 10 * BIT;
/// A resemblance can come about in several ways (more at one end, less at the other; the same or only alike): as measured.
const WAYS_BITS: u32 = 13 * BIT / 4;
/// Below this nobody takes one for the other, however few addresses are known: about two characters at each end.
const FLOOR_BITS: u32 = 20 * BIT;
/// An end this much rarer than one in all known addresses is shared on purpose.
const SURPRISE_BITS: u32 = 5 * BIT;
/// Otherwise, a crowd of three times as many as chance gives is.
const CROWD_BITS: u32 = 3 * BIT / 2;
/// The first character of an address has 17 values, nearly always.
const FIRST_BITS: u32 = 4 * BIT;
/// log2(58 / n) for n characters that look the same.
const CHARACTER_BITS: [u32; 5] = [0, 1_500, 1_244, 1_094, 988];

/// Characters of base58 that are taken for each other at a glance. It has neither 0, O, I nor l.
const ALIKE: [&[u8]; 16] = [
    b"1ij", b"5Ss", b"8B", b"6G", b"2Zz", b"9gq", b"Cc", b"Kk", b"Pp", b"UuVv", b"Ww", b"Xx", b"Yy", b"mn",
    b"DQ", b"ft",
];

/// Each character's class: the first of those that look like it.
const CLASSES: [u8; 128] = classes();

const fn classes() -> [u8; 128] {
    let mut table = [0; 128];
    let mut at = 0;
    while at < 128 {
        table[at] = at as u8; // below 128
        at += 1;
    }
    let mut group = 0;
    while group < ALIKE.len() {
        let alike = ALIKE[group];
        let mut member = 0;
        while member < alike.len() {
            table[alike[member] as usize] = alike[0];
            member += 1;
        }
        group += 1;
    }
    table
}

fn class(character: u8) -> u8 {
    CLASSES.get(usize::from(character)).copied().unwrap_or(character)
}

fn class_size(character: u8) -> usize {
    let class = class(character);
    ALIKE
        .iter()
        .find(|alike| alike.first() == Some(&class))
        .map_or(1, |alike| alike.len())
}

/// Why an address is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KnownAs {
    /// A transfer to it landed.
    PastRecipient,
    /// It is in the address book.
    Contact,
    /// It is a wallet of this vault.
    OwnWallet,
}

impl KnownAs {
    /// The stable word for scripts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PastRecipient => "past-recipient",
            Self::Contact => "contact",
            Self::OwnWallet => "own-wallet",
        }
    }
}

/// An address that people here may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The address.
    pub address: Address,
    /// What it is called here; empty where it has no name.
    pub label: String,
    /// Why it is known.
    pub known_as: KnownAs,
    /// How often it was used: paid, or paid from.
    pub uses: u64,
}

/// A known address that a recipient resembles, but is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resemblance {
    /// What it resembles.
    pub known: Known,
    /// How many characters look the same at the beginning, up to [`SHOWN_HEAD`].
    pub head: usize,
    /// How many at the end, up to [`SHOWN_TAIL`].
    pub tail: usize,
    /// How rarely chance makes a resemblance such as this: once in two to the power of it.
    pub bits: u32,
}

/// One known address, ready to be compared.
#[derive(Debug)]
struct Entry {
    known: Known,
    head: [u8; SHOWN_HEAD],
    /// From the last character inwards.
    tail: [u8; SHOWN_TAIL],
    /// As it looks: every character by its class.
    head_look: [u8; SHOWN_HEAD],
    tail_look: [u8; SHOWN_TAIL],
    /// What a resemblance must come to.
    threshold: u32,
}

/// Every known address, to be compared with any number of recipients.
#[derive(Debug, Default)]
pub struct Lookalikes {
    entries: Vec<Entry>,
    /// Entries by how they look from the beginning.
    by_head: Vec<usize>,
    /// Entries by how they look from the end.
    by_tail: Vec<usize>,
    at: HashMap<Address, usize>,
}

impl Lookalikes {
    /// Takes what is known. An address that is known in several ways is one; its uses are added up.
    pub fn new(known: impl IntoIterator<Item = Known>) -> Self {
        let mut this = Self::default();
        for one in known {
            match this.at.get(&one.address).and_then(|at| this.entries.get_mut(*at)) {
                Some(entry) => merge(&mut entry.known, one),
                None => {
                    this.at.insert(one.address, this.entries.len());
                    this.entries.push(Entry::new(one));
                }
            }
        }
        let total: u64 = this.entries.iter().map(|entry| weight(entry.known.uses)).sum();
        for entry in &mut this.entries {
            let share = ratio_bits(total, weight(entry.known.uses));
            entry.threshold = (share + BUDGET_BITS + WAYS_BITS).max(FLOOR_BITS);
        }
        let mut by_head: Vec<usize> = (0..this.entries.len()).collect();
        let mut by_tail = by_head.clone();
        let entries = &this.entries;
        by_head.sort_by_key(|at| entries.get(*at).map(|entry| entry.head_look));
        by_tail.sort_by_key(|at| entries.get(*at).map(|entry| entry.tail_look));
        (this.by_head, this.by_tail) = (by_head, by_tail);
        this
    }

    /// How many addresses are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is known of exactly this address.
    #[must_use]
    pub fn known(&self, address: &Address) -> Option<&Known> {
        let at = self.at.get(address)?;
        self.entries.get(*at).map(|entry| &entry.known)
    }

    /// The known addresses that a recipient could be mistaken for, the likeliest first, at most five. Nothing for one that
    /// is known itself.
    #[must_use]
    pub fn check(&self, recipient: &Address) -> Vec<Resemblance> {
        if self.at.contains_key(recipient) {
            return Vec::new();
        }
        let (head, tail) = ends(&recipient.to_string());
        let (head_look, tail_look) = (head.map(class), tail.map(class));
        // Whatever reaches the floor is alike in two characters at one end at least.
        let like_head = self.like_head(&head_look, 2);
        let like_tail = self.like_tail(&tail_look, 2);
        let by_head = like_head.filter_map(|at| self.by_head.get(at));
        let by_tail = like_tail.filter_map(|at| self.by_tail.get(at));
        let mut near: Vec<usize> = by_head.chain(by_tail).copied().collect();
        near.sort_unstable();
        near.dedup();
        let mut found: Vec<(u32, Resemblance)> = near
            .into_iter()
            .filter_map(|at| self.entries.get(at))
            .filter_map(|entry| self.compare(entry, &head, &tail))
            .collect();
        found.sort_by(|(one, first), (other, second)| {
            other.cmp(one).then(second.known.uses.cmp(&first.known.uses))
        });
        found.truncate(MAX_TOLD);
        found.into_iter().map(|(_, resemblance)| resemblance).collect()
    }

    fn compare(
        &self,
        entry: &Entry,
        head: &[u8; SHOWN_HEAD],
        tail: &[u8; SHOWN_TAIL],
    ) -> Option<(u32, Resemblance)> {
        let head = run(&entry.head, head, FIRST_BITS);
        let tail = run(&entry.tail, tail, u32::MAX);
        let head_bits = self.telling(&head, |characters| self.like_head(&entry.head_look, characters));
        let tail_bits = self.telling(&tail, |characters| self.like_tail(&entry.tail_look, characters));
        let bits = head_bits + tail_bits;
        let over = bits.checked_sub(entry.threshold)?;
        let resemblance = Resemblance {
            known: entry.known.clone(),
            head: head.len(),
            tail: tail.len(),
            bits: bits / BIT,
        };
        Some((over, resemblance))
    }

    /// How many bits an end that is alike counts. Where more of the known have the same end than chance would give it to, as
    /// in a vanity family, it tells the less, the more of them there are; every further character counts on from there.
    fn telling(&self, alike: &[Alike], sharing: impl Fn(usize) -> Range<usize>) -> u32 {
        let everyone = log2(as_u64(self.entries.len()));
        let (mut bits, mut look_bits) = (0, 0);
        for (characters, here) in (1..).zip(alike) {
            bits += here.bits;
            look_bits += here.look_bits;
            let others = as_u64(sharing(characters).len().saturating_sub(1));
            let by_chance = everyone.saturating_sub(look_bits);
            let on_purpose = match look_bits > everyone + SURPRISE_BITS {
                true => others > 0,
                false => log2(others) > by_chance + CROWD_BITS,
            };
            if on_purpose {
                bits = bits.min(everyone.saturating_sub(log2(others)));
            }
        }
        bits
    }

    /// Where in `by_head` those are that look like this in so many characters.
    fn like_head(&self, look: &[u8; SHOWN_HEAD], characters: usize) -> Range<usize> {
        self.alike(&self.by_head, look.get(..characters).unwrap_or(look), |entry| {
            entry.head_look.get(..characters).unwrap_or(&entry.head_look)
        })
    }

    fn like_tail(&self, look: &[u8; SHOWN_TAIL], characters: usize) -> Range<usize> {
        self.alike(&self.by_tail, look.get(..characters).unwrap_or(look), |entry| {
            entry.tail_look.get(..characters).unwrap_or(&entry.tail_look)
        })
    }

    fn alike<'e>(
        &'e self,
        order: &[usize],
        look: &[u8],
        end: impl Fn(&'e Entry) -> &'e [u8],
    ) -> Range<usize> {
        let before = |at: &usize| self.entries.get(*at).is_some_and(|entry| end(entry) < look);
        let until = |at: &usize| self.entries.get(*at).is_some_and(|entry| end(entry) <= look);
        order.partition_point(before)..order.partition_point(until)
    }
}

impl Entry {
    fn new(known: Known) -> Self {
        let (head, tail) = ends(&known.address.to_string());
        Self {
            known,
            head,
            tail,
            head_look: head.map(class),
            tail_look: tail.map(class),
            threshold: u32::MAX,
        }
    }
}

fn merge(known: &mut Known, other: Known) {
    known.uses = known.uses.saturating_add(other.uses);
    if known.label.is_empty() || other.known_as == KnownAs::Contact && !other.label.is_empty() {
        known.label = other.label;
    }
    known.known_as = known.known_as.max(other.known_as);
}

/// An address's share of the budget: one more for every doubling of its uses, so that what is used daily comes first and
/// what was never used is still looked at.
fn weight(uses: u64) -> u64 {
    1 + u64::from(uses.saturating_add(1).ilog2())
}

/// The first and, from the last one inwards, the last characters; an address has 32 at least.
fn ends(text: &str) -> ([u8; SHOWN_HEAD], [u8; SHOWN_TAIL]) {
    let (mut head, mut tail) = ([0; SHOWN_HEAD], [0; SHOWN_TAIL]);
    for (place, character) in head.iter_mut().zip(text.bytes()) {
        *place = character;
    }
    for (place, character) in tail.iter_mut().zip(text.bytes().rev()) {
        *place = character;
    }
    (head, tail)
}

/// A character that looks the same in both.
#[derive(Debug, Clone, Copy)]
struct Alike {
    /// How rarely chance makes this.
    bits: u32,
    /// How rarely chance makes one that looks so.
    look_bits: u32,
}

/// The characters that look the same, from the outside inwards; the first one counts at most so much.
fn run(known: &[u8], other: &[u8], first: u32) -> Vec<Alike> {
    let pairs = known.iter().zip(other);
    let alike = pairs.map_while(|(one, two)| {
        let look_bits = *CHARACTER_BITS.get(class_size(*one))?;
        let bits = match (one == two, class(*one) == class(*two)) {
            (true, _) => *CHARACTER_BITS.get(1)?,
            (false, true) => look_bits,
            (false, false) => return None,
        };
        Some(Alike { bits, look_bits })
    });
    let mut alike: Vec<Alike> = alike.collect();
    if let Some(outermost) = alike.first_mut() {
        outermost.bits = outermost.bits.min(first);
        outermost.look_bits = outermost.look_bits.min(first);
    }
    alike
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// log2(whole / part) in 256ths; 0 where the part is not smaller.
fn ratio_bits(whole: u64, part: u64) -> u32 {
    log2(whole).saturating_sub(log2(part))
}

/// log2 in 256ths, by squaring the mantissa for every further digit; 0 for 0.
fn log2(value: u64) -> u32 {
    let Some(whole) = value.checked_ilog2() else {
        return 0;
    };
    // Between 2^31 and 2^32: one and its fraction.
    let mut mantissa = (u128::from(value) << 64 >> whole >> 33) as u64; // below 2^32
    let mut bits = whole;
    for _ in 0..8 {
        mantissa = (mantissa * mantissa) >> 31;
        bits <<= 1;
        if mantissa >= 1 << 32 {
            bits |= 1;
            mantissa >>= 1;
        }
    }
    bits
}

#[cfg(test)]
mod tests;
