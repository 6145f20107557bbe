//! Entropy makes a phrase in each language that reads back as the same entropy; one word wrong is noticed or another
//! phrase.
#![no_main]

use keyward_core::mnemonic::{Mnemonic, MnemonicError, Wordlist};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Cut to a length that exists, which the others are refused for.
    let len = [32, 28, 24, 20, 16].into_iter().find(|len| *len <= bytes.len());
    let entropy = len.and_then(|len| bytes.get(..len));
    // One language a run: reading a phrase tries them all.
    let pick = usize::from(bytes.last().copied().unwrap_or_default());
    if let Some(wordlist) = Wordlist::ALL.into_iter().cycle().nth(pick) {
        let Some(entropy) = entropy else {
            assert!(Mnemonic::from_entropy_in(wordlist, bytes).is_err());
            return;
        };
        let mnemonic = Mnemonic::from_entropy_in(wordlist, entropy).expect("a length that exists");
        let phrase = mnemonic.expose_phrase();
        let read = Mnemonic::parse_in(wordlist, &phrase).expect("it was just written");
        assert_eq!(read.expose_entropy(), entropy);
        match Mnemonic::parse(&phrase) {
            Ok(read) => assert_eq!((read.wordlist(), read.expose_entropy()), (wordlist, entropy)),
            Err(MnemonicError::Ambiguous { wordlists }) => assert!(wordlists.contains(&wordlist)),
            Err(error) => panic!("{error}"),
        }
        let shouted = phrase.to_uppercase().replace(' ', " \t\n");
        if let Ok(read) = Mnemonic::parse_in(wordlist, &shouted) {
            assert_eq!(read.expose_entropy(), entropy);
        }
        // The first two words changed places.
        let mut words: Vec<&str> = phrase.split(' ').collect();
        words.swap(0, 1);
        if words[0] != words[1]
            && let Ok(other) = Mnemonic::parse_in(wordlist, &words.join(" "))
        {
            assert_ne!(other.expose_entropy(), entropy);
        }
    }
});
