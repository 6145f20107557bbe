#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

#[test]
fn accepts_and_prints_paths() {
    for (text, printed) in [
        ("m", "m"),
        ("m/0", "m/0"),
        ("m/44'/501'/0'/0'", "m/44'/501'/0'/0'"),
        ("m/44h/501H/7'", "m/44'/501'/7'"),
        ("m/501'/3'/0/0", "m/501'/3'/0/0"),
        ("m/2147483647'/2147483647", "m/2147483647'/2147483647"),
        ("m/1/2/3/4/5/6/7/8/9/10", "m/1/2/3/4/5/6/7/8/9/10"),
    ] {
        assert_eq!(
            text.parse::<DerivationPath>().unwrap().to_string(),
            printed,
            "{text}"
        );
    }
}

#[test]
fn refuses_malformed_paths_at_their_position() {
    use PathError::*;
    for (text, expected) in [
        ("", MissingRoot),
        ("/", MissingRoot),
        ("44'/501'", MissingRoot),
        ("M/44'", MissingRoot),
        (" m", MissingRoot),
        ("é/1", MissingRoot),
        ("m44", UnexpectedCharacter { position: 2 }),
        ("m ", UnexpectedCharacter { position: 2 }),
        ("mé/1", UnexpectedCharacter { position: 2 }),
        ("m/", MissingIndex { position: 3 }),
        ("m//1", MissingIndex { position: 3 }),
        ("m/44'/", MissingIndex { position: 7 }),
        ("m/'", MissingIndex { position: 3 }),
        ("m/44'/'/0", MissingIndex { position: 7 }),
        ("m/44''", UnexpectedCharacter { position: 5 }),
        ("m/44'h", UnexpectedCharacter { position: 5 }),
        ("m/4 4", UnexpectedCharacter { position: 4 }),
        ("m/-1", UnexpectedCharacter { position: 3 }),
        ("m/+1", UnexpectedCharacter { position: 3 }),
        ("m/1x/2", UnexpectedCharacter { position: 4 }),
        ("m/44'/5é1", UnexpectedCharacter { position: 8 }),
        ("m/٣", UnexpectedCharacter { position: 3 }),
        ("m/44\u{2019}", UnexpectedCharacter { position: 5 }),
        ("m/1\\2", UnexpectedCharacter { position: 4 }),
        ("m/00", LeadingZero { position: 3 }),
        ("m/44'/0501'", LeadingZero { position: 7 }),
        ("m/2147483648", IndexTooLarge { position: 3 }),
        ("m/4294967296", IndexTooLarge { position: 3 }),
        ("m/0/99999999999999999999'", IndexTooLarge { position: 5 }),
        ("m/1/2/3/4/5/6/7/8/9/10/11", TooManyComponents { position: 24 }),
        ("m/1/2/3/4/5/6/7/8/9/10/", TooManyComponents { position: 24 }),
    ] {
        assert_eq!(text.parse::<DerivationPath>(), Err(expected), "{text}");
    }
}

#[test]
fn an_index_ends_at_two_to_the_thirty_one() {
    assert_eq!(ChildIndex::new(0x7fff_ffff), Ok(ChildIndex::MAX));
    assert_eq!(
        ChildIndex::new(0x8000_0000),
        Err(PathError::IndexOutOfRange { index: 0x8000_0000 })
    );
}

#[test]
fn templates_names_and_paths_agree() {
    let index = ChildIndex::new(7).unwrap();
    for family in PathFamily::ALL {
        assert_eq!(PathFamily::from_id(family.id()), Ok(family));
        assert_eq!(family.id().parse(), Ok(family));
        let at = if family.is_single() {
            ChildIndex::ZERO
        } else {
            index
        };
        let printed: Option<String> = family.path(at).map(|p| p.to_string());
        if family == PathFamily::Raw {
            assert_eq!(printed, None);
        } else {
            assert_eq!(printed, Some(family.template().replace("{i}", &at.to_string())));
        }
        assert_eq!(family.is_single(), !family.template().contains("{i}"), "{family}");
    }
    assert_eq!(PathFamily::Bip44Root.path(index), None);
    assert_eq!(PathFamily::from_id("BIP44"), Err(PathError::UnknownFamily));
    assert_eq!(PathFamily::default(), PathFamily::Bip44Change);
}

fn any_component() -> impl Strategy<Value = PathComponent> {
    (0..HARDENED, any::<bool>()).prop_map(|(index, hardened)| {
        if hardened {
            PathComponent::Hardened(ChildIndex(index))
        } else {
            PathComponent::Normal(ChildIndex(index))
        }
    })
}

proptest! {
    #[test]
    fn printed_paths_parse_back(components in prop::collection::vec(any_component(), 0..=MAX_COMPONENTS)) {
        let path = DerivationPath { components };
        prop_assert_eq!(path.to_string().parse::<DerivationPath>(), Ok(path));
    }

    #[test]
    fn no_text_panics_and_what_is_accepted_is_canonical(text in "m?[/0-9'hHx é]{0,24}") {
        if let Ok(path) = text.parse::<DerivationPath>() {
            let spelled = text.replace(['h', 'H'], "'");
            prop_assert_eq!(path.to_string(), format!("{spelled}"));
        }
    }
}

#[test]
fn each_family_belongs_to_one_chain() {
    let mut all = Vec::new();
    for chain in Chain::ALL {
        for family in PathFamily::of(chain) {
            assert_eq!(family.chain(), chain);
            assert_eq!(family.id().starts_with("evm-"), chain == Chain::Evm);
            all.push(*family);
        }
    }
    assert_eq!(all, PathFamily::ALL);
}
