#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;

fn keys() -> SealKeys {
    SealKeys::new(&[7; 32])
}

const BOND: Bond<'_> = Bond {
    origin: "keyward/v",
    size: 9,
    root: [3; 32],
};

fn tag(wallet: i64, tag: &str) -> (&'static Table, Row) {
    let row = Row(vec![Value::Integer(wallet), Value::Text(tag.as_bytes().to_vec())]);
    (&rows::TAGS, row)
}

fn sums(keys: &SealKeys, rows: &[(&'static Table, Row)]) -> Sums {
    let mut sums = Sums::default();
    rows.iter()
        .for_each(|(table, row)| keys.add(&mut sums, table, row));
    sums
}

#[test]
fn the_covered_tables_are_those_that_do_not_say_why_they_are_not() {
    let covered: Vec<&str> = rows::TABLES
        .iter()
        .filter(|table| table.unsealed.is_none())
        .map(|table| table.name)
        .collect();
    assert_eq!(SEALED.map(|table| table.name).to_vec(), covered);
}

#[test]
fn sums_carry_and_borrow() {
    let most = Sum([u64::MAX; 8]);
    let one = Sum([1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(most.plus(one), Sum::default());
    assert_eq!(Sum::default().minus(one), most);
    let limb = Sum([u64::MAX, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(limb.plus(one), Sum([0, 1, 0, 0, 0, 0, 0, 0]));
    let bytes: Vec<u8> = (0..64).collect();
    assert_eq!(Sum::from_bytes(&bytes).to_bytes().to_vec(), bytes);
}

#[test]
fn what_comes_and_goes_leaves_the_sum_of_what_stays() {
    let keys = keys();
    let (a, b, c) = (tag(1, "a"), tag(1, "b"), tag(2, "a"));
    let mut kept = sums(&keys, &[a.clone(), b.clone()]);
    let mut changes = Changes::default();
    changes.replace(
        &rows::TAGS,
        vec![a.1.clone(), b.1.clone()],
        vec![b.1.clone(), c.1.clone()],
    );
    assert_eq!((changes.added.len(), changes.removed.len()), (1, 1));
    keys.apply(&mut kept, &changes);
    assert_eq!(kept, sums(&keys, &[c.clone(), b.clone()]));
    assert_eq!(kept.differing(&sums(&keys, std::slice::from_ref(&b))), ["tags"]);
    // Twice is not once, and not none.
    assert_ne!(
        sums(&keys, &[a.clone(), a.clone()]),
        sums(&keys, std::slice::from_ref(&a))
    );
    assert_ne!(sums(&keys, &[a.clone(), a.clone()]), Sums::default());
    // Values swapped between two rows.
    assert_ne!(
        sums(&keys, &[tag(1, "a"), tag(2, "b")]),
        sums(&keys, &[tag(1, "b"), tag(2, "a")])
    );
    assert_ne!(
        sums(&SealKeys::new(&[8; 32]), std::slice::from_ref(&a)),
        sums(&keys, &[a])
    );
}

#[test]
fn a_stored_seal_opens_for_its_own_state_alone() {
    let keys = keys();
    let kept = sums(&keys, &[tag(1, "a")]);
    let stored = keys.close(&kept, BOND, [5; 32]);
    assert_eq!(keys.open(&stored, BOND), Some(kept.clone()));
    for at in 0..stored.len() {
        let mut changed = stored.clone();
        changed[at] ^= 1;
        assert_eq!(keys.open(&changed, BOND), None, "byte {at}");
    }
    for cut in 0..stored.len() {
        assert_eq!(keys.open(&stored[..cut], BOND), None);
    }
    let bonds = [
        Bond { size: 10, ..BOND },
        Bond {
            root: [4; 32],
            ..BOND
        },
        Bond {
            origin: "keyward/w",
            ..BOND
        },
    ];
    for bond in bonds {
        assert_eq!(keys.open(&stored, bond), None);
    }
    assert_eq!(SealKeys::new(&[8; 32]).open(&stored, BOND), None);
    // The same sums under another nonce share no byte that would tell.
    let again = keys.close(&kept, BOND, [6; 32]);
    let empty = keys.close(&Sums::default(), BOND, [5; 32]);
    let same = |one: &[u8], other: &[u8]| one.iter().zip(other).filter(|(a, b)| a == b).count();
    assert!(same(&stored[34..], &again[34..]) < 30);
    assert!(
        same(&stored[34..], &empty[34..]) > 700,
        "the mask hangs on the nonce alone"
    );
}

#[test]
fn an_intent_is_two_elements() {
    let keys = keys();
    let table = &rows::INTENTS;
    let mut values = vec![Value::Null; table.columns.len()];
    let mut set = |name: &str, value: Value| values[table.position(name).unwrap()] = value;
    set("intent_hash", Value::Bytes(vec![1; 32]));
    set("wallet_id", Value::Integer(1));
    set("state", Value::Text(b"authorised".to_vec()));
    let authorised = Row(values.clone());
    let mut set = |name: &str, value: Value| values[table.position(name).unwrap()] = value;
    set("state", Value::Text(b"signed".to_vec()));
    set("signature", Value::Text(b"s".to_vec()));
    set("finished_at", Value::Integer(5));
    let signed = Row(values.clone());
    let mut set = |name: &str, value: Value| values[table.position(name).unwrap()] = value;
    set("wallet_id", Value::Null);
    let ending = Row(values);
    let of = |rows: &[&Row]| {
        let mut sums = Sums::default();
        rows.iter().for_each(|row| keys.add(&mut sums, table, row));
        sums
    };
    assert_eq!(of(&[&signed]), of(&[&authorised, &ending]));
    assert_ne!(of(&[&signed]), of(&[&authorised]));
}
