//! EIP-712 beside alloy's: random types and values, and damaged documents.
//!
//! Whatever Keyward accepts hashes as alloy hashes it. Keyward is stricter in what [`what_keyward_refuses_alone`]
//! lists; it takes types that contain themselves, which alloy cannot hold, and sorts types by name where alloy
//! sorts them by what is written, which differs for names that go on with `$`.

use alloy_dyn_abi::TypedData as Theirs;
use keyward_core::evm::keccak256;
use keyward_core::evm::typed_data::TypedData;
use proptest::collection::vec as some;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::documents::{Choices, document};

fn their_hash(document: &str) -> Option<[u8; 32]> {
    let theirs: Theirs = serde_json::from_str(document).ok()?;
    Some(theirs.eip712_signing_hash().ok()?.0)
}

/// Letters that mean something in a document.
fn any_letter() -> impl Strategy<Value = char> {
    let telling = [
        '"', '[', ']', '{', '}', ',', ':', '0', '1', 'x', 'f', '-', '.', 'a', '$', '\\', ' ', '2',
    ];
    proptest::sample::select(telling.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn documents_are_hashed_alike(bytes in some(any::<u8>(), 0..400)) {
        let document = document(&mut Choices(&bytes)).to_string();
        let ours = TypedData::from_json(&document).unwrap();
        let theirs: Theirs = serde_json::from_str(&document).unwrap();
        prop_assert_eq!(ours.domain_separator(), &theirs.domain.separator().0);
        prop_assert_eq!(ours.struct_hash(), &theirs.hash_struct().unwrap().0, "{}", document);
        prop_assert_eq!(ours.signing_hash(), theirs.eip712_signing_hash().unwrap().0);
    }

    #[test]
    fn what_is_accepted_of_damaged_documents_is_hashed_alike(
        bytes in some(any::<u8>(), 0..200),
        changes in some((any::<Index>(), any_letter(), any::<bool>()), 1..3),
    ) {
        let mut letters: Vec<char> = document(&mut Choices(&bytes)).to_string().chars().collect();
        for (at, letter, replace) in changes {
            let at = at.index(letters.len());
            if replace { letters[at] = letter } else { letters.insert(at, letter) }
        }
        let damaged: String = letters.into_iter().collect();
        if let Ok(ours) = TypedData::from_json(&damaged) {
            prop_assert_eq!(their_hash(&damaged), Some(ours.signing_hash()), "{}", damaged);
        }
    }
}

/// A document about one message of the type `Thing`.
fn about(types: Value, message: Value) -> String {
    let mut types = types;
    types["EIP712Domain"] = json!([{"name": "chainId", "type": "uint256"}]);
    json!({"types": types, "primaryType": "Thing", "domain": {"chainId": 1}, "message": message}).to_string()
}

fn one(kind: &str, value: Value) -> String {
    about(
        json!({"Thing": [{"name": "it", "type": kind}]}),
        json!({"it": value}),
    )
}

/// Alloy takes these; two readers could differ over each of them, or it says nothing of what is signed.
#[test]
fn what_keyward_refuses_alone() {
    let two = json!({"Thing": [{"name": "it", "type": "uint8"}, {"name": "it", "type": "uint8"}]});
    let thing = json!({"Thing": [{"name": "it", "type": "uint8"}]});
    for document in [
        // Fields that no type names, or two of one name.
        about(thing.clone(), json!({"it": 1, "more": 2})),
        about(two, json!({"it": 1})),
        one("uint8", json!(1)).replacen("\"it\":1", "\"it\":2,\"it\":1", 1),
        one("uint8", json!(1)).replacen("{\"domain\"", "{\"more\":1,\"domain\"", 1),
        // Aliases, which EIP-712 excludes.
        one("uint", json!(1)),
        one("int", json!(1)),
        // Notations: another kind, no 0x, digits in groups, other bases, a sign.
        one("bool", json!("true")),
        one("bytes", json!([1, 2])),
        one("bytes", json!("ff")),
        one("bytes2", json!("ffff")),
        one("address", json!("cd2a3d9f938e13cd947ec05abc7fe734df8dd826")),
        one("uint8", json!("1_0")),
        one("uint8", json!("0b1")),
        one("uint8", json!("01")),
        one("int8", json!("+1")),
        one("int8", json!("-0")),
        one("int8", json!("-0x1")),
        // The whole document as a text.
        json!(one("uint8", json!(1))).to_string(),
        // Names that are no Solidity identifiers.
        one("uint8", json!(1)).replace("Thing", "Thi:ng"),
        // No chain.
        one("uint8", json!(1)).replacen("{\"chainId\":1}", "{}", 1),
        // A checksum that is wrong.
        one("address", json!("0xcD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826")),
    ] {
        assert!(their_hash(&document).is_some(), "{document}");
        assert!(TypedData::from_json(&document).is_err(), "{document}");
    }
}

#[test]
fn both_refuse() {
    for (kind, value) in [
        ("uint8", json!(256)),
        ("uint8", json!(-1)),
        ("int8", json!(128)),
        ("int8", json!(-129)),
        ("int8", json!("0x80")),
        ("uint256", json!(format!("0x1{}", "00".repeat(32)))),
        ("uint8", json!(1.5)),
        ("bytes1", json!("0xffff")),
        ("bytes2", json!("0xff")),
        ("bytes33", json!(format!("0x{}", "00".repeat(33)))),
        ("bytes0", json!("0x")),
        ("bytes", json!("0x0")),
        ("address", json!("0x10")),
        ("address", json!(10)),
        ("string", json!(10)),
        ("uint8[2]", json!([1])),
        ("uint8[]", json!({})),
        ("Missing", json!({})),
        ("uint7", json!(1)),
        ("uint264", json!(1)),
    ] {
        let document = one(kind, value);
        assert_eq!(their_hash(&document), None, "{document}");
        assert!(TypedData::from_json(&document).is_err(), "{document}");
    }
}

/// EIP-712, "Definition of encodeType": referenced types are sorted by name, so `Foo` comes before `Foo$`,
/// though `(` comes after `$`.
#[test]
fn types_are_sorted_by_name() {
    let types = json!({
        "Thing": [{"name": "a", "type": "Foo$"}, {"name": "b", "type": "Foo"}],
        "Foo": [], "Foo$": [],
    });
    let document = about(types, json!({"a": {}, "b": {}}));
    let ours = TypedData::from_json(&document).unwrap();
    let of = |written: &str| keccak256(&keccak256(written.as_bytes()));
    let thing = keccak256(b"Thing(Foo$ a,Foo b)Foo()Foo$()");
    let expected = keccak256(&[thing, of("Foo$()"), of("Foo()")].concat());
    assert_eq!(ours.struct_hash(), &expected);
    let theirs: Theirs = serde_json::from_str(&document).unwrap();
    assert_eq!(theirs.encode_type().unwrap(), "Thing(Foo$ a,Foo b)Foo$()Foo()");
}

/// A type that contains itself through an array. Alloy encodes the type and refuses its values.
#[test]
fn recursive_types_have_finite_values() {
    let types = json!({"Thing": [{"name": "n", "type": "uint8"}, {"name": "more", "type": "Thing[]"}]});
    let document = about(
        types.clone(),
        json!({"n": 1, "more": [{"n": 2, "more": []}, {"n": 3, "more": []}]}),
    );
    let ours = TypedData::from_json(&document).unwrap();
    let theirs: Theirs = serde_json::from_str(&document).unwrap();
    let type_hash = theirs.type_hash().unwrap().0;
    let word = |n: u8| core::array::from_fn(|at| if at == 31 { n } else { 0 });
    let leaf = |n| keccak256(&[type_hash, word(n), keccak256(&[])].concat());
    let more = keccak256(&[leaf(2), leaf(3)].concat());
    assert_eq!(
        ours.struct_hash(),
        &keccak256(&[type_hash, word(1), more].concat())
    );
    assert_eq!(their_hash(&document), None);
    // Without an end, and deeper than any document needs.
    let mut deep = json!({"n": 0, "more": []});
    for _ in 0..20 {
        deep = json!({"n": 0, "more": [deep]});
    }
    assert!(TypedData::from_json(&about(types, deep)).is_err());
    let endless =
        json!({"Thing": [{"name": "it", "type": "Other"}], "Other": [{"name": "it", "type": "Thing"}]});
    assert!(TypedData::from_json(&about(endless, json!({"it": {"it": {}}}))).is_err());
}
