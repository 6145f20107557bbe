//! BIP-39 mnemonics: entropy to words, words to entropy, words and passphrase to a seed.
//!
//! Does not make entropy (the caller brings it) and does not derive keys (see [`crate::derive`]).
//! The wordlists are the `bip39` crate's. The arithmetic between words and entropy is here, because
//! that crate leaves the entropy behind on the stack while parsing; the tests hold both to each other.
//!
//! Specification: <https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki>.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest, Sha256, Sha512};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

mod seed;
mod wordlist;

pub use seed::{Seed, SeedError};
pub use wordlist::{UnknownWordlist, Wordlist, complete_word, is_word, nearest_words};

/// Longest entropy in bytes (24 words), and one more for the checksum.
const MAX_ENTROPY: usize = 32;
/// Bits that one word stands for.
const WORD_BITS: usize = 11;
/// PBKDF2 iterations that BIP-39 prescribes.
const SEED_ITERATIONS: u32 = 2048;

/// How many words a mnemonic has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WordCount {
    /// 12 words, 128 bits.
    Words12,
    /// 15 words, 160 bits.
    Words15,
    /// 18 words, 192 bits.
    Words18,
    /// 21 words, 224 bits.
    Words21,
    /// 24 words, 256 bits.
    Words24,
}

impl WordCount {
    /// Every count, the smallest first.
    pub const ALL: [Self; 5] = [
        Self::Words12,
        Self::Words15,
        Self::Words18,
        Self::Words21,
        Self::Words24,
    ];

    /// The number of words.
    #[must_use]
    pub const fn words(self) -> usize {
        match self {
            Self::Words12 => 12,
            Self::Words15 => 15,
            Self::Words18 => 18,
            Self::Words21 => 21,
            Self::Words24 => 24,
        }
    }

    /// Bytes of entropy behind so many words.
    #[must_use]
    pub const fn entropy_len(self) -> usize {
        self.words() / 3 * 4
    }

    fn from_entropy_len(len: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.entropy_len() == len)
    }
}

impl TryFrom<usize> for WordCount {
    type Error = MnemonicError;

    fn try_from(words: usize) -> Result<Self, MnemonicError> {
        Self::ALL
            .into_iter()
            .find(|count| count.words() == words)
            .ok_or(MnemonicError::WordCount { found: words })
    }
}

/// Words near to one that was not found.
///
/// They say much about the phrase that was typed, so `Debug` hides them: they are for the screen of
/// the person who typed it and for nothing else.
pub struct Suggestions(Vec<&'static str>);

impl fmt::Debug for Suggestions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// Why a phrase or its entropy was refused. Neither `Display` nor `Debug` ever contains a word.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MnemonicError {
    /// The number of words is not one that BIP-39 knows.
    #[error("a phrase has 12, 15, 18, 21 or 24 words and this has {found}; type all of them")]
    WordCount {
        /// How many words there are.
        found: usize,
    },
    /// A word is not in the wordlist.
    #[error("word {position} is not in the wordlist; correct its spelling")]
    UnknownWord {
        /// Position of the word, counted from 1.
        position: usize,
        /// The nearest words of the list; read them with [`MnemonicError::suggestions`].
        suggestions: Suggestions,
    },
    /// Every word is known but their checksum does not match.
    #[error(
        "every word is known but the checksum does not match; compare the words and their order with what you wrote down"
    )]
    Checksum,
    /// Every word belongs to some list, but no list has all of them.
    #[error(
        "the words are from different languages; word {position} is not of the language that most are from, correct it"
    )]
    MixedLanguages {
        /// Position of the first word of another language, counted from 1.
        position: usize,
    },
    /// The phrase is sound in more than one language. All of them give the same seed, so the same keys; but the
    /// entropy may differ, and what is kept is the entropy with its language.
    #[error("the phrase is valid in several languages: {}; say which one it is", Names(.wordlists))]
    Ambiguous {
        /// The languages in which words and checksum hold, at least two.
        wordlists: Vec<Wordlist>,
    },
    /// The language asked for was not compiled in.
    #[error("this build does not know the words of {wordlist}; use one with all wordlists")]
    NotCompiledIn {
        /// The language.
        wordlist: Wordlist,
    },
    /// Entropy of a length that no phrase has.
    #[error("a phrase is made of 16, 20, 24, 28 or 32 bytes of entropy, not of {found}")]
    EntropyLength {
        /// How many bytes there are.
        found: usize,
    },
}

/// Names of languages with commas between.
struct Names<'a>(&'a [Wordlist]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (before, wordlist) in self.0.iter().enumerate() {
            let comma = if before == 0 { "" } else { ", " };
            write!(f, "{comma}{wordlist}")?;
        }
        Ok(())
    }
}

impl MnemonicError {
    /// At most five words near to the unknown one, the nearest first; for the person's screen only,
    /// never for a log.
    #[must_use]
    pub fn suggestions(&self) -> &[&'static str] {
        match self {
            Self::UnknownWord { suggestions, .. } => &suggestions.0,
            _ => &[],
        }
    }
}

/// A BIP-39 mnemonic with a valid checksum, kept as its entropy.
///
/// ```
/// use keyward_core::mnemonic::{Mnemonic, WordCount};
///
/// // Sixteen bytes of the operating system's randomness make twelve words.
/// let entropy = [0_u8; 16];
/// let phrase = Mnemonic::from_entropy(&entropy)?;
/// assert_eq!(phrase.word_count(), WordCount::Words12);
/// assert!(phrase.expose_phrase().ends_with("abandon about"));
/// # Ok::<(), keyward_core::mnemonic::MnemonicError>(())
/// ```
pub struct Mnemonic {
    wordlist: Wordlist,
    count: WordCount,
    /// Entropy, then the checksum's bits, then zeros. Boxed, so that moving it leaves no copy behind.
    bits: Box<Zeroizing<[u8; MAX_ENTROPY + 1]>>,
}

impl fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mnemonic(<redacted>)")
    }
}

impl Mnemonic {
    /// The English mnemonic of 16, 20, 24, 28 or 32 bytes of entropy.
    ///
    /// # Errors
    /// [`MnemonicError::EntropyLength`].
    ///
    /// # Security
    /// The phrase is as hard to guess as the bytes given here.
    pub fn from_entropy(entropy: &[u8]) -> Result<Self, MnemonicError> {
        Self::from_entropy_in(Wordlist::English, entropy)
    }

    /// As [`Mnemonic::from_entropy`], in another language's words.
    ///
    /// # Errors
    /// [`MnemonicError::EntropyLength`], [`MnemonicError::NotCompiledIn`].
    pub fn from_entropy_in(wordlist: Wordlist, entropy: &[u8]) -> Result<Self, MnemonicError> {
        if !wordlist.is_compiled_in() {
            return Err(MnemonicError::NotCompiledIn { wordlist });
        }
        let count = WordCount::from_entropy_len(entropy.len())
            .ok_or(MnemonicError::EntropyLength { found: entropy.len() })?;
        let mut bits = Box::new(Zeroizing::new([0; MAX_ENTROPY + 1]));
        for (to, from) in bits.iter_mut().zip(entropy) {
            *to = *from;
        }
        if let Some(last) = bits.get_mut(entropy.len()) {
            *last = checksum(entropy, count);
        }
        Ok(Self {
            wordlist,
            count,
            bits,
        })
    }

    /// Reads a phrase and finds its language among those compiled in: any white space between the words, any
    /// Unicode normalization, upper or lower case.
    ///
    /// # Errors
    /// [`MnemonicError::WordCount`]; [`MnemonicError::UnknownWord`] for the first word not in the list that
    /// knows most of the phrase; [`MnemonicError::MixedLanguages`]; [`MnemonicError::Checksum`];
    /// [`MnemonicError::Ambiguous`], to be asked about and read with [`Mnemonic::parse_in`].
    pub fn parse(text: &str) -> Result<Self, MnemonicError> {
        let (count, phrase) = counted(text)?;
        let mut known = false;
        let mut found: Option<Self> = None;
        let mut wordlists = Vec::new();
        for wordlist in Wordlist::ALL {
            let Some(bits) = pack(wordlist, &phrase) else {
                continue;
            };
            known = true;
            if is_sound(&bits, count) {
                wordlists.push(wordlist);
                found = Some(Self {
                    wordlist,
                    count,
                    bits,
                });
            }
        }
        match found {
            Some(_) if wordlists.len() > 1 => Err(MnemonicError::Ambiguous { wordlists }),
            Some(mnemonic) => Ok(mnemonic),
            None if known => Err(MnemonicError::Checksum),
            None => Err(first_unknown(&phrase, &Wordlist::ALL)),
        }
    }

    /// As [`Mnemonic::parse`], in the language given.
    ///
    /// # Errors
    /// As for [`Mnemonic::parse`], but never [`MnemonicError::Ambiguous`] or [`MnemonicError::MixedLanguages`];
    /// [`MnemonicError::NotCompiledIn`].
    pub fn parse_in(wordlist: Wordlist, text: &str) -> Result<Self, MnemonicError> {
        if !wordlist.is_compiled_in() {
            return Err(MnemonicError::NotCompiledIn { wordlist });
        }
        let (count, phrase) = counted(text)?;
        let bits = pack(wordlist, &phrase).ok_or_else(|| first_unknown(&phrase, &[wordlist]))?;
        if !is_sound(&bits, count) {
            return Err(MnemonicError::Checksum);
        }
        Ok(Self {
            wordlist,
            count,
            bits,
        })
    }

    /// How many words the phrase has.
    #[must_use]
    pub const fn word_count(&self) -> WordCount {
        self.count
    }

    /// The list that the words come from.
    #[must_use]
    pub const fn wordlist(&self) -> Wordlist {
        self.wordlist
    }

    /// The word at `position`, counted from 0; nothing beyond the last.
    #[must_use]
    pub fn expose_word(&self, position: usize) -> Option<&'static str> {
        if position >= self.count.words() {
            return None;
        }
        let first = position * WORD_BITS;
        let mut index = 0;
        for bit in first..first + WORD_BITS {
            let byte = self.bits.get(bit / 8)?;
            index = index << 1 | usize::from(byte >> (7 - bit % 8) & 1);
        }
        self.wordlist.word(index)
    }

    /// The phrase: the words joined by single spaces, in NFKD.
    #[must_use]
    pub fn expose_phrase(&self) -> Zeroizing<String> {
        let words = || (0..self.count.words()).filter_map(|i| self.expose_word(i));
        // The exact capacity: growing would leave copies behind.
        let len = words().map(|word| word.len() + 1).sum();
        let mut phrase = Zeroizing::new(String::with_capacity(len));
        for word in words() {
            if !phrase.is_empty() {
                phrase.push(' ');
            }
            phrase.push_str(word);
        }
        phrase
    }

    /// The phrase as a person reads it: composed letters (NFC), and the ideographic space between Japanese
    /// words, as BIP-39 wants it shown. [`Mnemonic::parse`] reads it back.
    #[must_use]
    pub fn expose_display_phrase(&self) -> Zeroizing<String> {
        let phrase = self.expose_phrase();
        let space = match self.wordlist {
            Wordlist::Japanese => '\u{3000}',
            _ => ' ',
        };
        collect(|| {
            phrase
                .nfc()
                .map(|letter| if letter == ' ' { space } else { letter })
        })
    }

    /// The entropy behind the phrase.
    #[must_use]
    pub fn expose_entropy(&self) -> &[u8] {
        let (entropy, _) = self.bits.split_at(self.count.entropy_len());
        entropy
    }

    /// A copy, for the one place that keeps a phrase.
    pub(crate) fn duplicate(&self) -> Self {
        let mut bits = Box::new(Zeroizing::new([0; MAX_ENTROPY + 1]));
        bits.copy_from_slice(self.bits.as_slice());
        Self {
            wordlist: self.wordlist,
            count: self.count,
            bits,
        }
    }

    /// The 64-byte seed of the phrase and an optional passphrase (empty for none):
    /// PBKDF2-HMAC-SHA512 with 2048 iterations over their NFKD forms.
    #[must_use]
    pub fn to_seed(&self, passphrase: &str) -> Seed {
        const PREFIX: &str = "mnemonic";
        let phrase = self.expose_phrase();
        let passphrase = to_nfkd(passphrase);
        let mut salt = Zeroizing::new(String::with_capacity(PREFIX.len() + passphrase.len()));
        salt.push_str(PREFIX);
        salt.push_str(&passphrase);
        let mut bytes = Zeroizing::new(alloc::vec![0; Seed::MAX_LEN]);
        pbkdf2::pbkdf2_hmac::<Sha512>(phrase.as_bytes(), salt.as_bytes(), SEED_ITERATIONS, &mut bytes);
        Seed::from_wiped(bytes)
    }
}

/// The first bits of the entropy's SHA-256, one for every three words, at the top of the byte.
fn checksum(entropy: &[u8], count: WordCount) -> u8 {
    let digest: Zeroizing<[u8; 32]> = Zeroizing::new(Sha256::digest(entropy).into());
    let bits = count.words() / 3;
    digest[0] & !(0xff_u16 >> bits) as u8
}

/// The words' indices packed to bits, or nothing if a word is not in the list.
fn pack(wordlist: Wordlist, phrase: &str) -> Option<Box<Zeroizing<[u8; MAX_ENTROPY + 1]>>> {
    let mut bits = Box::new(Zeroizing::new([0_u8; MAX_ENTROPY + 1]));
    let mut at = 0;
    for word in phrase.split_whitespace() {
        let index = wordlist.position(word)?;
        for shift in (0..WORD_BITS).rev() {
            if index >> shift & 1 == 1 {
                *bits.get_mut(at / 8)? |= 0x80 >> (at % 8);
            }
            at += 1;
        }
    }
    Some(bits)
}

/// The number of words, and the phrase as the lists are written.
fn counted(text: &str) -> Result<(WordCount, Zeroizing<String>), MnemonicError> {
    // The number of words bounds what follows; normalization never joins two of them.
    let count = WordCount::try_from(text.split_whitespace().count())?;
    let phrase = fold(text);
    match phrase.split_whitespace().count() {
        found if found == count.words() => Ok((count, phrase)),
        found => Err(MnemonicError::WordCount { found }),
    }
}

/// Whether the checksum holds.
fn is_sound(bits: &[u8; MAX_ENTROPY + 1], count: WordCount) -> bool {
    let (entropy, rest) = bits.split_at(count.entropy_len());
    rest.first() == Some(&checksum(entropy, count))
}

/// Names the first unknown word, by the list that knows most of the words (the first of `lists` where equal).
fn first_unknown(phrase: &str, lists: &[Wordlist]) -> MnemonicError {
    let known = |list: &&Wordlist| {
        phrase
            .split_whitespace()
            .filter(|word| list.position(word).is_some())
            .count()
    };
    let best = lists
        .iter()
        .rev()
        .max_by_key(known)
        .copied()
        .unwrap_or(Wordlist::English);
    let is_foreign = |word: &str| lists.iter().any(|list| list.position(word).is_some());
    let mut unknown = phrase
        .split_whitespace()
        .enumerate()
        .filter(|(_, word)| best.position(word).is_none());
    let first = unknown.next();
    match first {
        // A word that no list knows is a slip of the pen; it is named before any word of another language.
        Some((before, word)) => match [(before, word)]
            .into_iter()
            .chain(unknown)
            .find(|(_, w)| !is_foreign(w))
        {
            Some((before, word)) => MnemonicError::UnknownWord {
                position: before + 1,
                suggestions: Suggestions(best.nearest(word)),
            },
            None => MnemonicError::MixedLanguages { position: before + 1 },
        },
        // Only reached when a list knows every word, and then the checksum was at fault.
        None => MnemonicError::Checksum,
    }
}

/// NFKD and lower case, as the wordlists are written.
fn fold(text: &str) -> Zeroizing<String> {
    collect(|| text.nfkd().flat_map(char::to_lowercase).nfkd())
}

/// NFKD, as BIP-39 prescribes for passphrases.
pub(crate) fn to_nfkd(text: &str) -> Zeroizing<String> {
    collect(|| text.nfkd())
}

/// Gathers characters without ever growing the buffer, which would leave copies behind.
fn collect<I: Iterator<Item = char>>(characters: impl Fn() -> I) -> Zeroizing<String> {
    let len = characters().map(char::len_utf8).sum();
    let mut text = Zeroizing::new(String::with_capacity(len));
    text.extend(characters());
    text
}

#[cfg(test)]
mod tests;
