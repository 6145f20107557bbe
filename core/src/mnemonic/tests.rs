#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

const ABOUT: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

fn vectors(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(" | ").collect())
        .collect()
}

#[test]
fn holds_the_official_english_vectors() {
    let vectors = vectors(include_str!("vectors.txt"));
    assert_eq!(vectors.len(), 24);
    for vector in vectors {
        let [entropy, phrase, seed] = vector[..] else {
            panic!("three fields: {vector:?}");
        };
        let entropy = hex::decode(entropy).unwrap();
        let made = Mnemonic::from_entropy(&entropy).unwrap();
        assert_eq!(*made.expose_phrase(), phrase);
        let parsed = Mnemonic::parse(phrase).unwrap();
        assert_eq!(parsed.expose_entropy(), entropy);
        assert_eq!(parsed.wordlist(), Wordlist::English);
        assert_eq!(parsed.word_count().words(), phrase.split(' ').count());
        assert_eq!(hex::encode(parsed.to_seed("TREZOR").expose_bytes()), seed);
    }
}

#[cfg(feature = "all-wordlists")]
#[test]
fn holds_the_japanese_vectors() {
    let vectors = vectors(include_str!("vectors_japanese.txt"));
    assert_eq!(vectors.len(), 24);
    for vector in vectors {
        let [entropy, phrase, passphrase, seed] = vector[..] else {
            panic!("four fields: {vector:?}");
        };
        let parsed = Mnemonic::parse(phrase).unwrap();
        assert_eq!(hex::encode(parsed.expose_entropy()), entropy);
        assert_eq!(parsed.wordlist(), Wordlist::Japanese);
        assert_eq!(hex::encode(parsed.to_seed(passphrase).expose_bytes()), seed);
    }
}

#[cfg(feature = "all-wordlists")]
#[test]
fn japanese_is_shown_as_the_vectors_write_it() {
    for vector in vectors(include_str!("vectors_japanese.txt")) {
        let parsed = Mnemonic::parse(vector[1]).unwrap();
        assert_eq!(*parsed.expose_display_phrase(), vector[1]);
        assert_eq!(parsed.expose_phrase().matches('\u{3000}').count(), 0);
    }
}

#[cfg(feature = "all-wordlists")]
#[test]
fn all_languages_and_lengths_agree_with_the_bip39_crate_in_any_normalization() {
    use bip39::Language as L;
    let languages = [
        L::English,
        L::Japanese,
        L::Korean,
        L::Spanish,
        L::SimplifiedChinese,
        L::TraditionalChinese,
        L::French,
        L::Italian,
        L::Czech,
        L::Portuguese,
    ];
    for (list, language) in Wordlist::ALL.into_iter().zip(languages) {
        for count in WordCount::ALL {
            for byte in [0x00, 0x3c, 0x7f, 0xa5, 0xff] {
                let entropy = alloc::vec![byte; count.entropy_len()];
                let ours = Mnemonic::from_entropy_in(list, &entropy).unwrap();
                let theirs = bip39::Mnemonic::from_entropy_in(language, &entropy).unwrap();
                let phrase = ours.expose_phrase();
                assert_eq!(*phrase, theirs.to_string(), "{list}");
                // Seeds are slow to make; one for each length will do.
                if byte == 0x3c {
                    let passphrase = "㍍é ガ";
                    let seed = ours.to_seed(passphrase);
                    assert_eq!(seed.expose_bytes(), theirs.to_seed(passphrase), "{list}");
                }
                let shown = ours.expose_display_phrase();
                for text in [
                    phrase.nfc().collect::<String>(),
                    phrase.nfd().collect(),
                    phrase.nfkc().collect(),
                    phrase.to_uppercase(),
                    phrase.replace(' ', "\u{3000}"),
                    shown.to_string(),
                ] {
                    let parsed = Mnemonic::parse_in(list, &text).unwrap();
                    assert_eq!(parsed.expose_entropy(), entropy, "{list} {text}");
                }
            }
        }
        assert_eq!(list.id().parse(), Ok(list));
    }
    assert!("klingon".parse::<Wordlist>().is_err());
}

/// The first phrase of words in both lists whose checksum holds in both: found by counting, not by chance.
#[cfg(feature = "all-wordlists")]
fn phrase_in_both(one: Wordlist, other: Wordlist) -> String {
    let shared: Vec<&str> = (0..2048)
        .filter_map(|index| one.word(index))
        .filter(|word| other.position(word).is_some())
        .collect();
    assert!(shared.len() > 50, "{}", shared.len());
    for round in 0..shared.len() {
        for last in &shared {
            let mut words = alloc::vec![shared[round]; 11];
            words.push(last);
            let phrase = words.join(" ");
            if Mnemonic::parse_in(one, &phrase).is_ok() && Mnemonic::parse_in(other, &phrase).is_ok() {
                return phrase;
            }
        }
    }
    panic!("no phrase in both");
}

#[cfg(feature = "all-wordlists")]
#[test]
fn a_phrase_of_several_languages_is_asked_about() {
    use Wordlist::{ChineseSimplified, ChineseTraditional, English, French};
    for (one, other) in [(English, French), (ChineseSimplified, ChineseTraditional)] {
        let phrase = phrase_in_both(one, other);
        let error = Mnemonic::parse(&phrase).unwrap_err();
        assert!(
            matches!(&error, MnemonicError::Ambiguous { wordlists } if *wordlists == [one, other]),
            "{error}"
        );
        assert!(error.to_string().contains(&format!("{one}, {other}")));
        for word in phrase.split(' ') {
            assert!(!error.to_string().contains(word));
        }
        let (first, second) = (
            Mnemonic::parse_in(one, &phrase).unwrap(),
            Mnemonic::parse_in(other, &phrase).unwrap(),
        );
        assert_eq!((first.wordlist(), second.wordlist()), (one, other));
        // Both Chinese lists have some words at the same place; no shared English and French word is.
        if one == English {
            assert_ne!(first.expose_entropy(), second.expose_entropy());
        }
        // The seed is made of the words.
        assert_eq!(
            first.to_seed("x").expose_bytes(),
            second.to_seed("x").expose_bytes()
        );
    }
}

#[cfg(feature = "all-wordlists")]
#[test]
fn words_of_two_languages_are_said_to_be() {
    let spanish = Mnemonic::from_entropy_in(Wordlist::Spanish, &[7; 16]).unwrap();
    let mixed = ABOUT.replace("about", spanish.expose_word(3).unwrap());
    let error = Mnemonic::parse(&mixed).unwrap_err();
    assert!(
        matches!(error, MnemonicError::MixedLanguages { position: 12 }),
        "{error:?}"
    );
    // A word that nobody knows is named first.
    let error = Mnemonic::parse(&mixed.replacen("abandon", "qqqqqq", 1)).unwrap_err();
    assert!(
        matches!(error, MnemonicError::UnknownWord { position: 1, .. }),
        "{error:?}"
    );
    let error = Mnemonic::parse_in(Wordlist::Spanish, ABOUT).unwrap_err();
    assert!(matches!(error, MnemonicError::UnknownWord { position: 1, .. }));
    assert!(matches!(
        Mnemonic::parse_in(Wordlist::English, "abandon"),
        Err(MnemonicError::WordCount { found: 1 })
    ));
    assert!(matches!(
        Mnemonic::parse_in(Wordlist::English, &vec_of("abandon", 12)),
        Err(MnemonicError::Checksum)
    ));
}

#[cfg(not(feature = "all-wordlists"))]
#[test]
fn a_language_left_out_is_refused() {
    assert!(matches!(
        Mnemonic::from_entropy_in(Wordlist::French, &[0; 16]),
        Err(MnemonicError::NotCompiledIn { .. })
    ));
    assert!(matches!(
        Mnemonic::parse_in(Wordlist::French, ABOUT),
        Err(MnemonicError::NotCompiledIn { .. })
    ));
}

#[test]
fn reads_any_white_space_case_and_normalization() {
    let expected = Mnemonic::parse(ABOUT).unwrap();
    for text in [
        ABOUT.to_uppercase(),
        ABOUT.replace(' ', "\n"),
        ABOUT.replace(' ', "\t \r\n"),
        ABOUT.replace(' ', "\u{3000}"),
        ABOUT.replace(' ', "\u{a0}"),
        format!("  {ABOUT}\n"),
        // Full-width letters, which NFKD folds.
        ABOUT.replace("about", "ａｂｏｕｔ"),
    ] {
        let parsed = Mnemonic::parse(&text).unwrap();
        assert_eq!(parsed.expose_entropy(), expected.expose_entropy(), "{text}");
    }
}

#[test]
fn a_passphrase_is_normalized() {
    let phrase = Mnemonic::parse(ABOUT).unwrap();
    let composed = phrase.to_seed("caf\u{e9}");
    let decomposed = phrase.to_seed("cafe\u{301}");
    assert_eq!(composed.expose_bytes(), decomposed.expose_bytes());
    assert_ne!(composed.expose_bytes(), phrase.to_seed("cafe").expose_bytes());
}

#[test]
fn refuses_a_wrong_number_of_words() {
    for found in (0..40)
        .filter(|n| ![12, 15, 18, 21, 24].contains(n))
        .chain([1000])
    {
        let text = vec_of("abandon", found);
        assert!(
            matches!(Mnemonic::parse(&text), Err(MnemonicError::WordCount { found: f }) if f == found),
            "{found}"
        );
    }
    assert!(WordCount::try_from(13).is_err());
    for count in WordCount::ALL {
        assert_eq!(WordCount::try_from(count.words()).unwrap(), count);
        assert_eq!(count.entropy_len() * 8 + count.words() / 3, count.words() * 11);
    }
}

fn vec_of(word: &str, count: usize) -> String {
    alloc::vec![word; count].join(" ")
}

#[test]
fn names_the_unknown_word_by_position_alone() {
    let check = |text: &str, at: usize, near: &[&str]| {
        let error = Mnemonic::parse(text).unwrap_err();
        assert!(
            matches!(error, MnemonicError::UnknownWord { position, .. } if position == at),
            "{text}"
        );
        assert_eq!(
            error.suggestions().first().copied(),
            near.first().copied(),
            "{text}"
        );
        let shown = format!("{error} {error:?}");
        for word in text.split(' ').chain(error.suggestions().iter().copied()) {
            // "word" itself is a word of the message; none of the tested phrases use it.
            assert!(!shown.contains(word), "{word} in {shown}");
        }
        assert!(shown.contains(&format!("word {at} ")));
    };
    check(&ABOUT.replace("about", "abuot"), 12, &["about"]);
    check(&ABOUT.replacen("abandon", "abandom", 1), 1, &["abandon"]);
    check(&ABOUT.replacen("abandon ", "zooo ", 1), 1, &["zoo"]);
    check(&ABOUT.replacen("abandon ", "qqqqqqqqq ", 1), 1, &[]);
    check(&ABOUT.replacen("abandon ", "0x1234567890 ", 1), 1, &[]);
}

#[test]
fn refuses_a_bad_checksum() {
    for text in [
        vec_of("abandon", 12),
        vec_of("zoo", 24),
        "about abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon"
            .to_string(),
    ] {
        let error = Mnemonic::parse(&text).unwrap_err();
        assert!(matches!(error, MnemonicError::Checksum), "{text}");
        assert!(error.suggestions().is_empty());
    }
}

#[test]
fn refuses_entropy_of_other_lengths() {
    for found in (0..70).filter(|n| ![16, 20, 24, 28, 32].contains(n)) {
        let refused = Mnemonic::from_entropy(&alloc::vec![0; found]);
        assert!(matches!(refused, Err(MnemonicError::EntropyLength { found: f }) if f == found));
    }
}

#[test]
fn words_end_with_the_phrase() {
    let phrase = Mnemonic::parse(ABOUT).unwrap();
    assert_eq!(phrase.expose_word(0), Some("abandon"));
    assert_eq!(phrase.expose_word(11), Some("about"));
    assert_eq!(phrase.expose_word(12), None);
    assert_eq!(phrase.expose_word(usize::MAX), None);
}

#[test]
fn a_seed_has_16_to_64_bytes() {
    for len in 0..80 {
        let seed = Seed::from_bytes(&alloc::vec![1; len]);
        if (16..=64).contains(&len) {
            assert_eq!(seed.unwrap().expose_bytes().len(), len);
        } else {
            assert_eq!(seed.unwrap_err(), SeedError::Length { found: len });
        }
    }
}

#[test]
fn debug_shows_nothing() {
    let phrase = Mnemonic::parse(ABOUT).unwrap();
    assert_eq!(format!("{phrase:?}"), "Mnemonic(<redacted>)");
    assert_eq!(format!("{:?}", phrase.to_seed("")), "Seed(<redacted>)");
}

#[test]
fn completes_words() {
    assert_eq!(complete_word("woo"), ["wood", "wool"]);
    assert_eq!(complete_word("WOO"), ["wood", "wool"]);
    assert_eq!(complete_word("zoo"), ["zoo"]);
    assert_eq!(complete_word("a").first(), Some(&"abandon"));
    for none in ["", "woof", " woo", "é", "w\u{f6}", &"a".repeat(10_000)] {
        assert!(complete_word(none).is_empty(), "{none}");
    }
    assert!(is_word("zoo") && is_word("Zoo"));
    for no in ["", "zo", "zooo", "zoo ", "café"] {
        assert!(!is_word(no), "{no}");
    }
}

#[test]
fn finds_the_nearest_words() {
    for (typed, first) in [
        ("abandn", "abandon"),
        ("aband", "abandon"),
        ("abuot", "about"),
        ("ABUOT", "about"),
        ("recieve", "receive"),
        ("wich", "rich"),
    ] {
        let near = nearest_words(typed);
        assert!(near.len() <= 5);
        assert_eq!(near.first(), Some(&first), "{typed}: {near:?}");
    }
    for none in ["", "qqqqqqqqqq", &"a".repeat(100_000), "漢字漢字"] {
        assert!(nearest_words(none).is_empty(), "{none}");
    }
}

#[cfg(feature = "all-wordlists")]
#[test]
fn a_misspelt_phrase_is_judged_by_its_own_language() {
    let french = Mnemonic::from_entropy_in(Wordlist::French, &[0x42; 16])
        .unwrap()
        .expose_phrase();
    let words: Vec<&str> = french.split(' ').collect();
    let misspelt = format!("{}x", words[4]);
    let mut typed = words.clone();
    typed[4] = &misspelt;
    let error = Mnemonic::parse(&typed.join(" ")).unwrap_err();
    assert!(matches!(error, MnemonicError::UnknownWord { position: 5, .. }));
    assert_eq!(error.suggestions().first(), Some(&words[4]));
}

fn any_entropy() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(&WordCount::ALL[..])
        .prop_flat_map(|count| prop::collection::vec(any::<u8>(), count.entropy_len()))
}

/// Some of the cases where a page would wait for all of them.
fn some_or_all() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if cfg!(target_arch = "wasm32") {
        config.cases = 16;
    }
    config
}

proptest! {
    #![proptest_config(some_or_all())]

    /// The `bip39` crate has the same specification in other code.
    #[test]
    fn agrees_with_the_bip39_crate(entropy in any_entropy(), passphrase in "\\PC{0,12}") {
        let ours = Mnemonic::from_entropy(&entropy).unwrap();
        let theirs = bip39::Mnemonic::from_entropy(&entropy).unwrap();
        prop_assert_eq!(&*ours.expose_phrase(), &theirs.to_string());
        let (ours, theirs) = (ours.to_seed(&passphrase), theirs.to_seed(passphrase.as_str()));
        prop_assert_eq!(ours.expose_bytes(), theirs.as_slice());
    }

    #[test]
    fn every_language_round_trips(entropy in any_entropy(), list in prop::sample::select(&Wordlist::ALL[..])) {
        prop_assume!(Wordlist::from_code(list.code()).is_some());
        let made = Mnemonic::from_entropy_in(list, &entropy).unwrap();
        // Several lists may hold the phrase, and then it is asked about.
        let parsed = match Mnemonic::parse(&made.expose_phrase()) {
            Err(MnemonicError::Ambiguous { wordlists }) => {
                prop_assert!(wordlists.contains(&list));
                Mnemonic::parse_in(list, &made.expose_phrase()).unwrap()
            }
            parsed => parsed.unwrap(),
        };
        prop_assert_eq!(parsed.expose_phrase(), made.expose_phrase());
    }

    #[test]
    fn another_word_is_refused_unless_the_checksum_allows(entropy in any_entropy(), at in 0_usize..24, word in 0_usize..2048) {
        let phrase = Mnemonic::from_entropy(&entropy).unwrap().expose_phrase();
        let mut words: Vec<&str> = phrase.split(' ').collect();
        let at = at % words.len();
        words[at] = bip39::Language::English.word_list()[word];
        let changed = words.join(" ");
        let theirs = bip39::Mnemonic::parse_normalized(&changed);
        prop_assert_eq!(Mnemonic::parse(&changed).is_ok(), theirs.is_ok());
    }

    #[test]
    fn no_text_panics(text in "\\PC*") {
        let _ = Mnemonic::parse(&text);
        let _ = Mnemonic::parse(&alloc::vec![text.as_str(); 12].join(" "));
        let _ = (nearest_words(&text), complete_word(&text), is_word(&text));
    }
}
