#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use super::{Kind, LIMBS, Row, TABLES, Value};

#[test]
fn every_name_fits_its_length() {
    for table in TABLES {
        let names = table.columns.iter().map(|column| column.name);
        assert!(names.chain([table.name]).all(|name| name.len() < 256));
        assert_eq!(table.key_positions().count(), table.key.len(), "{}", table.name);
    }
    let names: BTreeSet<&str> = TABLES.iter().map(|table| table.name).collect();
    assert_eq!(names.len(), TABLES.len());
}

/// Table and column as SQLite has them.
pub(in crate::store) fn on_sqlite() -> BTreeSet<(String, String)> {
    let columns = TABLES
        .iter()
        .flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    columns
        .flat_map(|(table, column)| {
            let names = match column.kind {
                Kind::Limbs => LIMBS.map(|end| format!("{}{end}", column.name)).to_vec(),
                _ => vec![column.name.to_owned()],
            };
            names.into_iter().map(move |name| (table.name.to_owned(), name))
        })
        .collect()
}

/// Table and column as PostgreSQL has them.
pub(in crate::store) fn on_postgres() -> BTreeSet<(String, String)> {
    let columns = TABLES
        .iter()
        .filter(|table| table.name != "tags")
        .flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    columns
        .map(|(table, column)| (table.name.to_owned(), column.name.to_owned()))
        .chain([("wallets".to_owned(), "tags".to_owned())])
        .collect()
}

/// What to do about a difference.
pub(in crate::store) const ADVICE: &str = "a column that is not in custody/src/store/rows/schema.rs would be lost by `keyward store copy` and stand outside \
     the seal: add it there (with the reason, if it is to stand outside)";

#[test]
fn no_two_rows_have_the_same_bytes() {
    let tags = TABLES.iter().find(|table| table.name == "tags").unwrap();
    let attempts = TABLES.iter().find(|table| table.name == "attempts").unwrap();
    let encoded = |values: Vec<Value>| Row(values).encode(tags, "tags", |_| true);
    let text = |text: &str| Value::Text(text.as_bytes().to_vec());
    let mut seen = BTreeSet::new();
    for values in [
        vec![Value::Integer(1), text("a")],
        vec![Value::Integer(1), text("ab")],
        vec![Value::Integer(2), text("a")],
        vec![Value::Integer(0), text("a")],
        vec![Value::Null, text("a")],
        vec![Value::Integer(1), Value::Bytes(b"a".to_vec())],
        vec![Value::Integer(1), text("")],
        vec![Value::Amount(1), text("a")],
        vec![Value::Integer(1), Value::Null],
    ] {
        assert!(seen.insert(encoded(values.clone())), "{values:?}");
    }
    // NULL and 0 of a nullable column are two things.
    let mut values = vec![Value::Integer(1); attempts.columns.len()];
    let slot = attempts.position("slot").unwrap();
    for value in [Value::Null, Value::Integer(0)] {
        values[slot] = value;
        assert!(seen.insert(Row(values.clone()).encode(attempts, "attempts", |_| true)));
    }
    assert_eq!(
        hex::encode(encoded(vec![Value::Integer(258), text("hot")])),
        "0474616773\
         0977616c6c65745f6964010000000800000000000001020374616703\
         00000003686f74"
            .replace(' ', "")
    );
}
