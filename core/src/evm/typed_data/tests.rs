#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::ToString;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::secp256k1::SecretKey;

/// The example of EIP-712 and of its test, `Example.js`.
const MAIL: &str = r#"{
  "types": {
    "EIP712Domain": [
      {"name": "name", "type": "string"},
      {"name": "version", "type": "string"},
      {"name": "chainId", "type": "uint256"},
      {"name": "verifyingContract", "type": "address"}
    ],
    "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
    "Mail": [
      {"name": "from", "type": "Person"},
      {"name": "to", "type": "Person"},
      {"name": "contents", "type": "string"}
    ]
  },
  "primaryType": "Mail",
  "domain": {
    "name": "Ether Mail",
    "version": "1",
    "chainId": 1,
    "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"
  },
  "message": {
    "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
    "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
    "contents": "Hello, Bob!"
  }
}"#;

/// A document about one value of one type, with further types.
fn document(kind: &str, value: &str, types: &str) -> String {
    format!(
        r#"{{"types":{{"EIP712Domain":[{{"name":"chainId","type":"uint256"}}],{types}"Thing":[{{"name":"it","type":"{kind}"}}]}},"primaryType":"Thing","domain":{{"chainId":1}},"message":{{"it":{value}}}}}"#
    )
}

fn read(kind: &str, value: &str) -> Result<TypedData, TypedDataError> {
    TypedData::from_json(&document(kind, value, ""))
}

#[test]
fn the_example_of_eip_712() {
    let mail = TypedData::from_json(MAIL).unwrap();
    assert_eq!(
        hex::encode(mail.domain_separator()),
        "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f"
    );
    assert_eq!(
        hex::encode(mail.struct_hash()),
        "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e"
    );
    assert_eq!(
        hex::encode(mail.signing_hash()),
        "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    );
    let key = SecretKey::from_bytes(&keccak256(b"cow")).unwrap();
    assert_eq!(
        key.address().to_string(),
        "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"
    );
    let signature = key.sign_prehash(&mail.signing_hash()).unwrap();
    assert_eq!(
        hex::encode(signature.r),
        "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d"
    );
    assert_eq!(
        hex::encode(signature.s),
        "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562"
    );
    assert!(signature.y_odd);
    assert_eq!(mail.domain().chain_id, 1);
    assert_eq!(mail.risks(), []);
    insta::assert_snapshot!(mail.sentences().join("\n"), @r#"
    Sign a "Mail" for "Ether Mail" version "1"
    To be checked by contract 0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC on Ethereum (chain 1)
    from.name: "Cow"
    from.wallet: 0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826
    to.name: "Bob"
    to.wallet: 0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB
    contents: "Hello, Bob!"
    "#);
}

#[test]
fn every_changed_letter_counts() {
    let mail = TypedData::from_json(MAIL).unwrap().signing_hash();
    for (from, to) in [
        ("Hello, Bob!", "Hello, Bob?"),
        ("\"Cow\"", "\"Cov\""),
        ("\"chainId\": 1", "\"chainId\": 2"),
        ("Ether Mail", "Ether mail"),
        (
            "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB",
            "0xbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbc",
        ),
    ] {
        let changed = TypedData::from_json(&MAIL.replacen(from, to, 1)).unwrap();
        assert_ne!(changed.signing_hash(), mail, "{from}");
    }
    // The chain's id in other notations is the same.
    for same in ["\"1\"", "\"0x1\"", "\"0x01\""] {
        let changed = MAIL.replacen("\"chainId\": 1", &format!("\"chainId\": {same}"), 1);
        assert_eq!(TypedData::from_json(&changed).unwrap().signing_hash(), mail);
    }
}

#[test]
fn documents_are_read_strictly() {
    for (from, to) in [
        ("\"primaryType\"", "\"primaryTypo\""),
        ("\"primaryType\": \"Mail\"", "\"primaryType\": \"Letter\""),
        ("\"primaryType\": \"Mail\"", "\"primaryType\": \"EIP712Domain\""),
        (
            "\"primaryType\": \"Mail\"",
            "\"primaryType\": \"Mail\", \"primaryType\": \"Mail\"",
        ),
        (
            "\"primaryType\": \"Mail\"",
            "\"primaryType\": \"Mail\", \"more\": 1",
        ),
        ("\"primaryType\": \"Mail\",", ""),
        ("\"contents\": \"Hello, Bob!\"", "\"content\": \"Hello, Bob!\""),
        (
            "\"contents\": \"Hello, Bob!\"",
            "\"contents\": \"a\", \"contents\": \"b\"",
        ),
        (
            "\"contents\": \"Hello, Bob!\"",
            "\"contents\": \"a\", \"extra\": \"b\"",
        ),
        ("\"contents\": \"Hello, Bob!\"", "\"contents\": null"),
        ("\"contents\": \"Hello, Bob!\"", "\"contents\": 1"),
        ("\"contents\": \"Hello, Bob!\"", "\"contents\": \"\\ud800\""),
        ("\"Person\": [{\"name\"", "\"Person\": [{\"nom\""),
        ("\"type\": \"Person\"", "\"type\": \"person\""),
        ("\"type\": \"Person\"", "\"type\": \"Person \""),
        ("\"name\": \"to\"", "\"name\": \"from\""),
        ("\"name\": \"to\"", "\"name\": \"to, address evil\""),
        ("\"name\": \"to\"", "\"name\": \"\""),
        ("\"Person\":", "\"uint256\":"),
        ("\"Person\":", "\"uint7\":"),
        ("\"Person\":", "\"Person(\":"),
        ("\"Person\":", "\"Person[]\":"),
        (
            "\"version\", \"type\": \"string\"",
            "\"version\", \"type\": \"bytes\"",
        ),
        (
            "\"version\", \"type\": \"string\"",
            "\"versio\", \"type\": \"string\"",
        ),
        ("\"chainId\": 1,", ""),
        ("\"chainId\": 1", "\"chainId\": 0"),
        ("\"chainId\": 1", "\"chainId\": -1"),
        ("\"chainId\": 1", "\"chainId\": 1.0"),
        ("\"chainId\": 1", "\"chainId\": \"18446744073709551616\""),
        ("{\"name\": \"chainId\", \"type\": \"uint256\"},", ""),
        (
            "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826",
            "0xcD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826",
        ),
        (
            "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826",
            "CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826",
        ),
        (
            "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826",
            "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD8",
        ),
        ("\"domain\": {", "\"domain\": [], \"domain\": {"),
    ] {
        assert!(MAIL.contains(from), "{from}");
        let changed = MAIL.replacen(from, to, 1);
        assert!(TypedData::from_json(&changed).is_err(), "{from} to {to}");
    }
    assert!(TypedData::from_json(&format!("{MAIL} ")).is_ok());
    for extra in ["x", "{}", ","] {
        assert!(TypedData::from_json(&format!("{MAIL}{extra}")).is_err());
    }
    for len in (0..MAIL.len()).filter(|len| MAIL.is_char_boundary(*len)) {
        assert!(TypedData::from_json(&MAIL[..len]).is_err());
    }
    // Without its chain: a domain that has a type, but no such field.
    let mut no_chain = MAIL.replacen("{\"name\": \"chainId\", \"type\": \"uint256\"},", "", 1);
    no_chain = no_chain.replacen("\"chainId\": 1,", "", 1);
    assert_eq!(TypedData::from_json(&no_chain), Err(TypedDataError::NoChainId));
    // The domain's fields in another order.
    let domain = r#""EIP712Domain":[{"name":"chainId","type":"uint256"},{"name":"name","type":"string"}]"#;
    let reordered = document("bool", "true", "")
        .replacen(
            r#""EIP712Domain":[{"name":"chainId","type":"uint256"}]"#,
            domain,
            1,
        )
        .replacen(r#"{"chainId":1}"#, r#"{"chainId":1,"name":"n"}"#, 1);
    assert!(matches!(
        TypedData::from_json(&reordered),
        Err(TypedDataError::Type { .. })
    ));
}

#[test]
fn values_fit_their_types() {
    let largest = U256_MAX;
    let lowest = "-57896044618658097711785492504343953926634992332820282019728792003956564819968";
    for (kind, value) in [
        ("uint8", "255"),
        ("uint8", "\"255\""),
        ("uint8", "\"0xff\""),
        ("uint256", &format!("\"{largest}\"")),
        ("int8", "-128"),
        ("int8", "\"-128\""),
        ("int8", "127"),
        ("int16", "-32768"),
        ("int256", &format!("\"{lowest}\"")),
        ("int256", "-9223372036854775808"),
        ("uint64", "18446744073709551615"),
        ("bytes1", "\"0xff\""),
        ("bytes32", &format!("\"0x{}\"", "00".repeat(32))),
        ("bytes", "\"0x\""),
        ("bytes", "\"0x00ff\""),
        ("bool", "false"),
        ("string", "\"\""),
        ("uint8[]", "[]"),
        ("uint8[2]", "[1,2]"),
        ("uint8[2][]", "[[1,2],[3,4]]"),
        ("uint8[][2]", "[[],[3,4,5]]"),
        ("address", "\"0x0000000000000000000000000000000000000000\""),
    ] {
        assert!(
            read(kind, value).is_ok(),
            "{kind} {value}: {:?}",
            read(kind, value)
        );
    }
    for (kind, value) in [
        ("uint8", "256"),
        ("uint8", "-1"),
        ("uint8", "\"-1\""),
        ("uint8", "\"0x100\""),
        ("uint8", "\"0x\""),
        ("uint8", "\"\""),
        ("uint8", "\"01\""),
        ("uint8", "\" 1\""),
        ("uint8", "\"1.0\""),
        ("uint8", "\"1e1\""),
        ("uint8", "1.5"),
        ("uint8", "1e2"),
        ("uint8", "true"),
        ("uint8", "null"),
        ("uint8", "[1]"),
        ("uint64", "18446744073709551616"),
        (
            "uint256",
            "\"115792089237316195423570985008687907853269984665640564039457584007913129639936\"",
        ),
        ("int8", "128"),
        ("int8", "-129"),
        ("int8", "\"-0\""),
        ("int8", "\"-0x1\""),
        (
            "int256",
            "\"-57896044618658097711785492504343953926634992332820282019728792003956564819969\"",
        ),
        (
            "int256",
            "\"57896044618658097711785492504343953926634992332820282019728792003956564819968\"",
        ),
        ("bytes1", "\"0x\""),
        ("bytes1", "\"0xffff\""),
        ("bytes2", "\"0xff\""),
        ("bytes1", "\"ff\""),
        ("bytes1", "\"0XFF\""),
        ("bytes", "\"0xf\""),
        ("bytes", "\"0xzz\""),
        ("bytes", "[1]"),
        ("bool", "1"),
        ("bool", "\"true\""),
        ("string", "1"),
        ("uint8[2]", "[1]"),
        ("uint8[2]", "[1,2,3]"),
        ("uint8[]", "{}"),
        ("uint8[]", "[256]"),
        ("address", "0"),
        ("Thing", "1"),
        // Types that do not exist.
        ("uint", "1"),
        ("int", "1"),
        ("uint7", "1"),
        ("uint264", "1"),
        ("uint08", "1"),
        ("uint0", "0"),
        ("bytes0", "\"0x\""),
        ("bytes33", "\"0x\""),
        ("uint8[0]", "[]"),
        ("uint8[01]", "[1]"),
        ("uint8[-1]", "[]"),
        ("uint8[", "[]"),
        ("uint8]", "[]"),
        ("uint8[]x", "[]"),
        ("[]", "[]"),
        ("", "1"),
        ("Missing", "{}"),
        ("byte", "1"),
    ] {
        assert!(read(kind, value).is_err(), "{kind} {value}");
    }
}

const U256_MAX: &str = "115792089237316195423570985008687907853269984665640564039457584007913129639935";

/// Words by hand: what the encoding of one field is, hashed behind the type.
fn expected(kind: &str, word: [u8; 32]) -> [u8; 32] {
    let type_hash = keccak256(format!("Thing({kind} it)").as_bytes());
    keccak256(&[type_hash, word].concat())
}

#[test]
fn words_are_encoded_as_the_eip_says() {
    let mut end_in_five = [0; 32];
    end_in_five[31] = 5;
    let mut minus_one_to_the_left = [0; 32];
    minus_one_to_the_left[0] = 0xff;
    let mut minus_two = [0xff; 32];
    minus_two[31] = 0xfe;
    let two_fives = keccak256(&[end_in_five, end_in_five].concat());
    for (kind, value, word) in [
        ("uint8", "5", end_in_five),
        ("int8", "5", end_in_five),
        ("int64", "-2", minus_two),
        ("int256", "\"-1\"", [0xff; 32]),
        ("bytes1", "\"0xff\"", minus_one_to_the_left),
        ("bytes", "\"0xff\"", keccak256(&[0xff])),
        ("string", "\"\"", keccak256(&[])),
        ("bool", "false", [0; 32]),
        ("uint8[]", "[]", keccak256(&[])),
        ("uint8[2]", "[5,5]", two_fives),
        ("uint8[2][]", "[[5,5]]", keccak256(&two_fives)),
    ] {
        let read = read(kind, value).unwrap();
        assert_eq!(read.struct_hash(), &expected(kind, word), "{kind} {value}");
    }
}

#[test]
fn recursive_types_have_an_end() {
    let types = r#""Tree":[{"name":"value","type":"uint8"},{"name":"branches","type":"Tree[]"}],"#;
    let tree = r#"{"value":1,"branches":[{"value":2,"branches":[]}]}"#;
    let read = TypedData::from_json(&document("Tree", tree, types)).unwrap();
    let tree_type = keccak256(b"Tree(uint8 value,Tree[] branches)");
    let number = |n: u8| core::array::from_fn::<u8, 32, _>(|at| if at == 31 { n } else { 0 });
    let leaf = keccak256(&[tree_type, number(2), keccak256(&[])].concat());
    let root = keccak256(&[tree_type, number(1), keccak256(&leaf)].concat());
    let thing_type = keccak256(b"Thing(Tree it)Tree(uint8 value,Tree[] branches)");
    assert_eq!(read.struct_hash(), &keccak256(&[thing_type, root].concat()));
    assert!(TypedData::from_json(&document("Tree", "null", types)).is_err());

    let mut deep = String::from("[]");
    for _ in 0..MAX_DEPTH {
        deep = format!(r#"[{{"value":1,"branches":{deep}}}]"#);
    }
    let deep = format!(r#"{{"value":1,"branches":{deep}}}"#);
    assert!(TypedData::from_json(&document("Tree", &deep, types)).is_err());
    let arrays = "[".repeat(100_000 / 4);
    assert!(matches!(
        TypedData::from_json(&document("uint8", &arrays, "")),
        Err(TypedDataError::Json(_))
    ));
    let brackets = "[]".repeat(MAX_DEPTH + 1);
    assert!(TypedData::from_json(&document(&format!("uint8{brackets}"), "[]", "")).is_err());
}

#[test]
fn the_order_of_referred_types_is_by_name() {
    let types = r#""Zoo":[{"name":"a","type":"Ape"}],"Ape":[{"name":"x","type":"Bee[]"}],"Bee":[],"Unused":[{"name":"u","type":"Thing"}],"#;
    let read = TypedData::from_json(&document("Zoo", r#"{"a":{"x":[{}]}}"#, types)).unwrap();
    let bee = keccak256(&keccak256(b"Bee()"));
    let ape = keccak256(&[keccak256(b"Ape(Bee[] x)Bee()"), keccak256(&bee)].concat());
    let zoo = keccak256(&[keccak256(b"Zoo(Ape a)Ape(Bee[] x)Bee()"), ape].concat());
    let thing = keccak256(b"Thing(Zoo it)Ape(Bee[] x)Bee()Zoo(Ape a)");
    assert_eq!(read.struct_hash(), &keccak256(&[thing, zoo].concat()));
    assert_eq!(
        read.sentences().last().map(String::as_str),
        Some("it.a.x[0]: an empty Bee")
    );
}

#[test]
fn known_dangers_are_named() {
    let risks = |name: &str, value: &str| {
        let document = document("uint256", "1", "")
            .replace("Thing", name)
            .replacen("\"it\"", "\"value\"", 2)
            .replacen(":1}}", &format!(":{value}}}}}"), 1);
        TypedData::from_json(&document).unwrap().risks().to_vec()
    };
    assert_eq!(risks("Permit", "1"), [Risk::Allowance]);
    assert_eq!(
        risks("PermitBatch", &format!("\"{U256_MAX}\"")),
        [Risk::Allowance, Risk::Unlimited]
    );
    assert_eq!(risks("PermitSingle", "1"), [Risk::Allowance]);
    assert_eq!(risks("OrderComponents", "1"), [Risk::Order]);
    assert_eq!(risks("MetaTransaction", "1"), [Risk::Delegated]);
    assert_eq!(risks("TransferWithAuthorization", "1"), [Risk::Delegated]);
    for name in [
        "RelayRequest",
        "Withdrawal",
        "SafeMessage",
        "TypedDataSign",
        "Calls",
        "Intent",
        "Agent",
        "Swap",
    ] {
        assert_eq!(risks(name, "1"), [Risk::Delegated], "{name}");
    }
    assert_eq!(risks("Greeting", "1"), []);
}

#[test]
fn dangers_within_are_named() {
    let risks = |inner: &str, field: &str| {
        let document = format!(
            r#"{{"types":{{"EIP712Domain":[{{"name":"chainId","type":"uint256"}}],"Bulk":[{{"name":"tree","type":"Node[]"}}],"Node":[{{"name":"leaf","type":"{inner}"}}],"{inner}":[{{"name":"{field}","type":"uint256"}}]}},
            "primaryType":"Bulk","domain":{{"chainId":1}},"message":{{"tree":[{{"leaf":{{"{field}":1}}}}]}}}}"#
        );
        TypedData::from_json(&document).unwrap().risks().to_vec()
    };
    assert_eq!(risks("Leaf", "count"), []);
    assert_eq!(risks("OrderComponents", "count"), [Risk::Order]);
    assert_eq!(risks("PermitDetails", "count"), [Risk::Allowance]);
    assert_eq!(risks("Execute", "count"), [Risk::Delegated]);
    assert_eq!(risks("Leaf", "spender"), [Risk::Allowance]);
}

#[test]
fn text_of_a_document_cannot_steer_a_terminal() {
    let read = TypedData::from_json(&document("string", r#""a\u001b[2J\n\"DANGER\u202e""#, "")).unwrap();
    assert_eq!(
        read.sentences().last().map(String::as_str),
        Some(r#"it: "a\u{1b}[2J\u{a}\"DANGER\u{202e}""#)
    );
    let error = TypedData::from_json(&document("a\\u001b[2Jb", "1", "")).unwrap_err();
    assert!(!error.to_string().contains('\u{1b}'), "{error}");
    let error = TypedData::from_json("{\"\u{1b}\": \u{1b}}").unwrap_err();
    assert!(!error.to_string().contains('\u{1b}'), "{error}");
}

#[test]
fn documents_have_an_end() {
    let long = document("string", &format!("\"{}\"", "a".repeat(MAX_DOCUMENT_BYTES)), "");
    assert_eq!(
        TypedData::from_json(&long),
        Err(TypedDataError::TooLong { found: long.len() })
    );
    let types: String = (0..MAX_TYPES).map(|at| format!("\"T{at}\":[],")).collect();
    assert!(TypedData::from_json(&document("bool", "true", &types)).is_err());
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(text in "[\\[\\]{}\":,a-z0-9 \\\\]{0,200}", at in 0_usize..MAIL.len(), with in any::<u8>()) {
        let _ = TypedData::from_json(&text);
        let mut mail = MAIL.as_bytes().to_vec();
        mail[at] = with;
        if let Ok(mail) = core::str::from_utf8(&mail) {
            let _ = TypedData::from_json(mail);
        }
    }

    #[test]
    fn numbers_are_held_to_their_bits(number in any::<i64>(), bytes in 1_u32..=8) {
        let bits = bytes * 8;
        let lowest = -(1_i128 << (bits - 1));
        let highest = (1_i128 << (bits - 1)) - 1;
        let fits = (lowest..=highest).contains(&i128::from(number));
        prop_assert_eq!(read(&format!("int{bits}"), &number.to_string()).is_ok(), fits);
        let fits = (0..1_i128 << bits).contains(&i128::from(number));
        prop_assert_eq!(read(&format!("uint{bits}"), &format!("\"{number}\"")).is_ok(), fits);
    }
}
