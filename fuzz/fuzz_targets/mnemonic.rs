//! A phrase that is accepted is accepted again as it is written, in the language that it is in.
#![no_main]

use keyward_core::mnemonic::{Mnemonic, MnemonicError, Wordlist, complete_word, is_word, nearest_words};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut found = Vec::new();
    for wordlist in Wordlist::ALL {
        if let Ok(mnemonic) = Mnemonic::parse_in(wordlist, text) {
            assert_eq!(mnemonic.wordlist(), wordlist);
            check(&mnemonic);
            found.push(wordlist);
        }
    }
    match (Mnemonic::parse(text), found.as_slice()) {
        (Ok(mnemonic), [wordlist]) => assert_eq!(mnemonic.wordlist(), *wordlist),
        (Err(MnemonicError::Ambiguous { wordlists }), [_, _, ..]) => assert_eq!(wordlists, found),
        (Err(error), []) => assert!(!error.to_string().contains(char::is_control)),
        (read, found) => panic!("{:?} and {found:?}", read.is_ok()),
    }
    for word in text.split_whitespace().take(1) {
        for one in nearest_words(word) {
            assert!(is_word(one));
        }
        for one in complete_word(word) {
            assert!(is_word(one));
        }
    }
});

fn check(mnemonic: &Mnemonic) {
    let wordlist = mnemonic.wordlist();
    for phrase in [mnemonic.expose_phrase(), mnemonic.expose_display_phrase()] {
        let again = Mnemonic::parse_in(wordlist, &phrase).expect("an accepted phrase is accepted again");
        assert_eq!(again.expose_entropy(), mnemonic.expose_entropy());
        assert_eq!(again.expose_phrase().as_str(), mnemonic.expose_phrase().as_str());
    }
    let made = Mnemonic::from_entropy_in(wordlist, mnemonic.expose_entropy()).expect("its own entropy");
    assert_eq!(made.expose_phrase().as_str(), mnemonic.expose_phrase().as_str());
    assert_eq!(
        mnemonic.expose_entropy().len(),
        mnemonic.word_count().entropy_len()
    );
}
