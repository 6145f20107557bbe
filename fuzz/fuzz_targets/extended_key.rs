//! An extended key that is accepted has one text, and its private and public children agree.
#![no_main]

use keyward_core::bip32::{ChildError, PrivateNode, PublicNode};
use keyward_core::mnemonic::Seed;
use keyward_core::path::PathComponent;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = core::str::from_utf8(bytes) {
        if let Ok(node) = PrivateNode::parse(text) {
            assert_eq!(node.expose_text().as_str(), text);
            check(&node, bytes.len() as u32); // below 8192
        }
        if let Ok(node) = PublicNode::parse(text) {
            assert_eq!(node.to_string(), text);
        }
    }
    // A tree from the bytes, and a path down it.
    let Some((path, seed)) = bytes.split_first_chunk::<8>() else {
        return;
    };
    let Some(Ok(mut node)) = Seed::from_bytes(seed)
        .ok()
        .map(|seed| PrivateNode::from_seed(&seed))
    else {
        return;
    };
    for bits in path.as_chunks::<4>().0 {
        let bits = u32::from_be_bytes(*bits);
        check(&node, bits);
        match node.child(PathComponent::from_bits(bits)) {
            Ok(child) => node = child,
            Err(_) => return,
        }
    }
    let again = PrivateNode::parse(&node.expose_text()).expect("it was just written");
    assert_eq!(again.expose_text().as_str(), node.expose_text().as_str());
});

fn check(node: &PrivateNode, bits: u32) {
    let public = node.to_public().expect("a node has a public key");
    let text = public.to_string();
    let read = PublicNode::parse(&text).expect("it was just written");
    assert_eq!((read.to_string(), read.place()), (text, node.place()));
    let component = PathComponent::from_bits(bits);
    match (node.child(component), public.child(component)) {
        (Ok(private), Ok(public)) => {
            assert!(matches!(component, PathComponent::Normal(_)));
            let other = private.to_public().expect("a node has a public key");
            assert_eq!(other.to_string(), public.to_string());
        }
        (Ok(_), Err(ChildError::Hardened)) => assert!(matches!(component, PathComponent::Hardened(_))),
        (Err(_), Err(_)) => {}
        _ => panic!("private and public derivation differ"),
    }
}
