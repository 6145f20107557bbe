#![expect(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::ToString;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::path::DerivationPath;

fn vectors(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(" | ").collect())
}

#[test]
fn holds_the_official_vectors_1_to_4() {
    let mut count = 0;
    for fields in vectors(include_str!("../vectors.txt")) {
        let [seed, path, xprv, xpub] = fields[..] else {
            panic!("four fields: {fields:?}");
        };
        let seed = Seed::from_bytes(&hex::decode(seed).unwrap()).unwrap();
        let path: DerivationPath = path.parse().unwrap();
        let mut node = PrivateNode::from_seed(&seed).unwrap();
        // As far as the path ends with steps that are not hardened, the public side is walked alone as well.
        let mut public = node.to_public().unwrap();
        for component in path.components() {
            node = node.child(*component).unwrap();
            public = match public.child(*component) {
                Ok(child) => child,
                Err(error) => {
                    assert_eq!(error, ChildError::Hardened);
                    node.to_public().unwrap()
                }
            };
        }
        assert_eq!(*node.expose_text(), xprv, "{path}");
        assert_eq!(public.to_string(), xpub, "{path}");
        assert_eq!(public, node.to_public().unwrap(), "{path}");
        let read = PrivateNode::parse(xprv).unwrap();
        assert_eq!(read.place(), node.place());
        assert_eq!(*read.expose_text(), xprv);
        assert_eq!(PublicNode::parse(xpub).unwrap(), public);
        // Each is no text of the other kind.
        assert_eq!(PrivateNode::parse(xpub).unwrap_err(), ExtendedKeyError::Kind);
        assert_eq!(PublicNode::parse(xprv).unwrap_err(), ExtendedKeyError::Kind);
        count += 1;
    }
    assert_eq!(count, 17);
}

#[test]
fn refuses_every_key_of_vector_5_with_its_reason() {
    let mut count = 0;
    for fields in vectors(include_str!("../vectors_invalid.txt")) {
        let [wrong, text] = fields[..] else {
            panic!("two fields: {fields:?}");
        };
        let private = PrivateNode::parse(text).unwrap_err();
        let public = PublicNode::parse(text).unwrap_err();
        // Read as what it says it is.
        let found = if text.starts_with("xpub") { public } else { private };
        assert_eq!(format!("{found:?}"), wrong, "{text}");
        count += 1;
    }
    assert_eq!(count, 16);
}

#[test]
fn other_texts_are_refused() {
    let check = |text: &str, expected| assert_eq!(PrivateNode::parse(text).unwrap_err(), expected, "{text}");
    check("", ExtendedKeyError::Shape);
    check("xprv", ExtendedKeyError::Shape);
    check(&"1".repeat(111), ExtendedKeyError::Shape);
    check(&"z".repeat(100_000), ExtendedKeyError::Shape);
    // The same key as the first vector's, written for the test network.
    let node = PrivateNode::from_seed(&Seed::from_bytes(&[1; 16]).unwrap()).unwrap();
    let key = {
        let mut key = [0; 33];
        key[1..].copy_from_slice(node.key().expose_secret());
        key
    };
    let test = write(TEST_PRIVATE, node.place(), node.key().expose_chain_code(), &key);
    check(&test, ExtendedKeyError::TestNetwork);
}

#[test]
fn one_changed_character_is_noticed() {
    let node = PrivateNode::from_seed(&Seed::from_bytes(&[2; 16]).unwrap()).unwrap();
    let text = node.expose_text();
    for at in 0..text.len() {
        let other = if text.as_bytes()[at] == b'2' { "3" } else { "2" };
        let mut changed = text.to_string();
        changed.replace_range(at..=at, other);
        assert!(PrivateNode::parse(&changed).is_err(), "{at}");
        assert!(PrivateNode::parse(&text[..at]).is_err(), "{at}");
    }
}

#[test]
fn the_depth_ends_at_255() {
    let mut node = PrivateNode::from_seed(&Seed::from_bytes(&[3; 16]).unwrap()).unwrap();
    for _ in 0..255 {
        node = node.child(PathComponent::Normal(ChildIndex::ZERO)).unwrap();
    }
    let deeper = PathComponent::Normal(ChildIndex::ZERO);
    assert_eq!(node.place().depth, 255);
    assert_eq!(node.child(deeper).unwrap_err(), ChildError::TooDeep);
    assert_eq!(
        node.to_public().unwrap().child(deeper).unwrap_err(),
        ChildError::TooDeep
    );
}

#[test]
fn the_public_side_gives_the_same_children() {
    proptest!(ProptestConfig::with_cases(32), |(seed: [u8; 32], steps in prop::collection::vec(0_u32..0x8000_0000, 1..4))| {
        let mut node = PrivateNode::from_seed(&Seed::from_bytes(&seed).unwrap()).unwrap();
        let mut public = node.to_public().unwrap();
        for step in steps {
            let step = PathComponent::Normal(ChildIndex::new(step).unwrap());
            node = node.child(step).unwrap();
            public = public.child(step).unwrap();
        }
        prop_assert_eq!(node.to_public().unwrap(), public);
    });
}

#[test]
fn debug_shows_no_secret() {
    let node = PrivateNode::from_seed(&Seed::from_bytes(&[4; 16]).unwrap()).unwrap();
    let shown = format!("{node:?}");
    assert!(
        !shown.contains(&hex::encode(node.key().expose_secret())),
        "{shown}"
    );
    assert!(
        shown.contains("depth: 0") && shown.ends_with("}, .. }"),
        "{shown}"
    );
}
