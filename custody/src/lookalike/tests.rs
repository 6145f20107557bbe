//! What is flagged, what is not, and how often: the figures of `docs/lookalikes.md` come from here.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests, and the rates are quoted"
)]

use super::*;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// SplitMix64: the same numbers on every machine.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn address(&mut self) -> Address {
        let mut bytes = [0; 32];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes());
        }
        Address::new(bytes)
    }

    /// As someone grinds it: these ends, and anything between.
    fn with_ends(&mut self, head: &str, tail: &str) -> Address {
        loop {
            let like = self.address().to_string();
            let middle = &like[head.len()..like.len() - tail.len()];
            if let Ok(address) = format!("{head}{middle}{tail}").parse() {
                return address;
            }
        }
    }

    /// Another character that looks the same, where there is one.
    fn alike(&mut self, text: &str) -> String {
        text.bytes()
            .map(|character| {
                let others: Vec<u8> = ALPHABET
                    .iter()
                    .copied()
                    .filter(|other| *other != character && class(*other) == class(character))
                    .collect();
                char::from(match others.as_slice() {
                    [] => character,
                    some => some[self.below(some.len())],
                })
            })
            .collect()
    }
}

fn known(address: Address, uses: u64) -> Known {
    Known {
        address,
        label: String::new(),
        known_as: KnownAs::PastRecipient,
        uses,
    }
}

fn parse(text: &str) -> Address {
    text.parse().unwrap()
}

const REAL: &str = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk";

#[test]
fn logarithms_are_right_to_a_hundredth() {
    for value in [1_u64, 2, 3, 10, 58, 1_000, 10_000, 1 << 40, u64::MAX] {
        let exact = (value as f64).log2();
        assert!((f64::from(log2(value)) / 256.0 - exact).abs() < 0.01, "{value}");
    }
    assert_eq!(log2(0), 0);
    for (size, bits) in (1..).zip(&CHARACTER_BITS[1..]) {
        let exact = (58.0 / f64::from(size)).log2() * 256.0;
        assert!((f64::from(*bits) - exact).abs() < 1.0);
    }
}

#[test]
fn classes_hold_base58_alone_and_each_character_once() {
    let mut seen = Vec::new();
    for character in ALIKE.iter().flat_map(|alike| alike.iter()) {
        assert!(ALPHABET.contains(character));
        assert!(!seen.contains(character));
        seen.push(*character);
    }
}

/// The ends are what the rest of the program shows of an address.
#[test]
fn what_is_compared_is_what_is_shown() {
    let shown = parse(REAL).abbreviated();
    assert_eq!(
        shown,
        format!("{}…{}", &REAL[..SHOWN_HEAD], &REAL[REAL.len() - SHOWN_TAIL..])
    );
}

#[test]
fn one_that_ends_alike_is_told_and_one_that_does_not_is_not() {
    let lookalikes = Lookalikes::new([known(parse(REAL), 3)]);
    let mut numbers = Numbers(1);
    for (head, tail, told) in [
        ("HAgk", "Kpqk", true),
        ("HAgk14Jp", "3DKpqk", true),
        ("HA", "qk", true),
        ("", "Kpqk", true),
        ("HAgk1", "", true),
        ("HA", "k", false),
        ("", "pqk", false),
        ("H", "qk", false),
        ("HAg", "", false),
        ("", "", false),
    ] {
        let other = numbers.with_ends(head, tail);
        let found = lookalikes.check(&other);
        assert_eq!(found.len(), usize::from(told), "{head}…{tail}: {other}");
        if let [only] = found.as_slice() {
            assert!(only.head >= head.len() && only.tail >= tail.len());
        }
    }
}

#[test]
fn what_only_looks_the_same_counts() {
    let lookalikes = Lookalikes::new([known(parse(REAL), 0)]);
    let other = Numbers(2).with_ends("HAgkij", "DKpgK");
    let [found] = <[_; 1]>::try_from(lookalikes.check(&other)).unwrap();
    assert_eq!((found.head, found.tail), (5, 5), "{other}");
}

#[test]
fn the_known_are_not_told_and_are_known_once() {
    let other = Numbers(3).with_ends("HAgk14Jp", "3DKpqk");
    let own = Known {
        known_as: KnownAs::OwnWallet,
        label: "hot".into(),
        ..known(parse(REAL), 5)
    };
    let contact = Known {
        known_as: KnownAs::Contact,
        label: "till".into(),
        ..known(parse(REAL), 0)
    };
    let lookalikes = Lookalikes::new([own, known(parse(REAL), 2), contact, known(other, 1)]);
    assert_eq!(lookalikes.len(), 2);
    let merged = lookalikes.known(&parse(REAL)).unwrap();
    assert_eq!(
        (merged.uses, merged.known_as, merged.label.as_str()),
        (7, KnownAs::OwnWallet, "till")
    );
    assert!(lookalikes.check(&other).is_empty());
    assert!(lookalikes.check(&parse(REAL)).is_empty());
    assert!(Lookalikes::default().check(&other).is_empty());
}

/// The same resemblance is told of the address that is used daily, and not of one that never was.
#[test]
fn what_is_used_often_is_looked_at_more_closely() {
    let mut numbers = Numbers(4);
    let mut many: Vec<Known> = (0..10_000).map(|_| known(numbers.address(), 0)).collect();
    many.push(known(parse(REAL), 0));
    let mut bits = Vec::new();
    for uses in [0, 1_000_000] {
        many.last_mut().unwrap().uses = uses;
        let lookalikes = Lookalikes::new(many.clone());
        let at = lookalikes.at[&parse(REAL)];
        bits.push(lookalikes.entries[at].threshold);
    }
    assert!(bits[0] > bits[1] + 4 * BIT, "{bits:?}");
}

/// How many of so many are flagged.
fn flagged(lookalikes: &Lookalikes, mut make: impl FnMut() -> Address, tries: u32) -> u32 {
    (0..tries)
        .map(|_| u32::from(!lookalikes.check(&make()).is_empty()))
        .sum()
}

/// The rates of `docs/lookalikes.md`. Printed with `--nocapture`.
#[test]
fn rates_at_ten_thousand_known_addresses() {
    let mut numbers = Numbers(5);
    let addresses: Vec<Address> = (0..10_000).map(|_| numbers.address()).collect();
    // As most are never used again, and a few daily.
    let skewed = |at: usize| 100_000 / (at as u64 + 1).pow(2);
    let even = Lookalikes::new(addresses.iter().map(|one| known(*one, 0)));
    let lived = Lookalikes::new(
        addresses
            .iter()
            .enumerate()
            .map(|(at, one)| known(*one, skewed(at))),
    );

    const FRESH: u32 = 20_000;
    for (name, lookalikes) in [("even", &even), ("lived", &lived)] {
        let alarms = flagged(lookalikes, || numbers.address(), FRESH);
        println!("random, {name}: {alarms} of {FRESH}");
        // The budget is 19.5 of them.
        assert!(alarms <= 19, "{name}: {alarms}");
    }

    let poisoned = |lookalikes: &Lookalikes, numbers: &mut Numbers, head: usize, tail: usize, alike: bool| {
        let mut told = 0;
        for _ in 0..100 {
            let text = addresses[numbers.below(addresses.len())].to_string();
            let (mut start, mut end) = (text[..head].to_owned(), text[text.len() - tail..].to_owned());
            if alike {
                // The first one stays: another one is another size of number.
                start = format!("{}{}", &start[..1], numbers.alike(&start[1..]));
                end = numbers.alike(&end);
            }
            let other = numbers.with_ends(&start, &end);
            told += u32::from(!lookalikes.check(&other).is_empty());
        }
        told
    };
    for (head, tail, alike, at_least) in [
        (4, 4, false, 100),
        (3, 4, false, 100),
        (4, 3, false, 100),
        (3, 3, false, 100),
        (2, 4, false, 95),
        (0, 6, false, 95),
        (6, 0, false, 95),
        (4, 4, true, 90),
        (3, 3, true, 30),
    ] {
        for (name, lookalikes) in [("even", &even), ("lived", &lived)] {
            let told = poisoned(lookalikes, &mut numbers, head, tail, alike);
            println!("poisoned {head}+{tail}, only alike: {alike}, {name}: {told} of 100");
            assert!(told >= at_least, "{head}+{tail} {alike} {name}: {told}");
        }
    }
}

/// Families with a common beginning of four characters: new members are no alarm, copies of a member's ends are.
#[test]
fn rates_among_vanity_addresses() {
    let mut numbers = Numbers(6);
    let families = ["BoTs", "Fund", "7ab1", "Dex9"];
    let mut addresses = Vec::new();
    for at in 0..10_000 {
        addresses.push(match families.get(at / 500) {
            Some(family) => numbers.with_ends(family, ""),
            None => numbers.address(),
        });
    }
    let lookalikes = Lookalikes::new(addresses.iter().map(|one| known(*one, 1)));
    const MEMBERS: u32 = 5_000;
    let mut turn = 0;
    let alarms = flagged(
        &lookalikes,
        || {
            turn += 1;
            numbers.with_ends(families[turn % families.len()], "")
        },
        MEMBERS,
    );
    println!("new members of vanity families: {alarms} of {MEMBERS}");
    assert!(alarms <= 10, "{alarms}");
    let mut told = 0;
    for address in addresses.iter().take(100) {
        let text = address.to_string();
        let other = numbers.with_ends(&text[..4], &text[text.len() - 4..]);
        let found = lookalikes.check(&other);
        told += u32::from(!found.is_empty());
    }
    println!("poisoned 4+4 of vanity families: {told} of 100");
    // An end that a whole family has tells little, so now and then the other one alone is too little.
    assert!(told >= 90, "{told}");
}
