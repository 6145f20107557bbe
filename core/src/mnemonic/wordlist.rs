//! The BIP-39 wordlists: look-up, completion while typing, and the words nearest to a misspelt one.
//!
//! The lists themselves are the `bip39` crate's. Look-ups take time that depends on the word: they
//! happen once per phrase, on the person's own machine, while the phrase is on the screen.

use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use zeroize::Zeroizing;

/// Most words that [`nearest_words`] gives.
const MAX_NEAREST: usize = 5;
/// Edits (insert, delete, replace, swap neighbours) within which a word counts as near.
const MAX_EDITS: usize = 2;
/// Longest word compared, in characters; no list has one longer than 12 in NFKD.
const MAX_WORD: usize = 24;

/// The language of a phrase.
///
/// The discriminants are part of the stored format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Wordlist {
    /// English, always compiled in and the one that new phrases use.
    English = 0,
    /// Japanese.
    Japanese = 1,
    /// Korean.
    Korean = 2,
    /// Spanish.
    Spanish = 3,
    /// Chinese, simplified.
    ChineseSimplified = 4,
    /// Chinese, traditional.
    ChineseTraditional = 5,
    /// French.
    French = 6,
    /// Italian.
    Italian = 7,
    /// Czech.
    Czech = 8,
    /// Portuguese.
    Portuguese = 9,
}

impl Wordlist {
    /// Every list, whether compiled in or not, English first.
    pub const ALL: [Self; 10] = [
        Self::English,
        Self::Japanese,
        Self::Korean,
        Self::Spanish,
        Self::ChineseSimplified,
        Self::ChineseTraditional,
        Self::French,
        Self::Italian,
        Self::Czech,
        Self::Portuguese,
    ];

    /// The name used on the command line, in lower case.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::English => "english",
            Self::Japanese => "japanese",
            Self::Korean => "korean",
            Self::Spanish => "spanish",
            Self::ChineseSimplified => "chinese-simplified",
            Self::ChineseTraditional => "chinese-traditional",
            Self::French => "french",
            Self::Italian => "italian",
            Self::Czech => "czech",
            Self::Portuguese => "portuguese",
        }
    }

    /// Whether this build has the list; English always is.
    #[must_use]
    pub const fn is_compiled_in(self) -> bool {
        self.language().is_some()
    }

    /// The number that stands for the list in stored data.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// The list of this number, if it is compiled in.
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|list| list.code() == code && list.language().is_some())
    }

    /// The word at `index`, 0..=2047.
    pub(super) fn word(self, index: usize) -> Option<&'static str> {
        self.language()?.word_list().get(index).copied()
    }

    /// Where a word in NFKD stands in the list.
    pub(super) fn position(self, word: &str) -> Option<u16> {
        self.language()?.find_word(word)
    }

    /// The at most five nearest words to one in NFKD and lower case, the nearest first.
    pub(super) fn nearest(self, word: &str) -> Vec<&'static str> {
        let (Some(language), Some(typed)) = (self.language(), Letters::new(word)) else {
            return Vec::new();
        };
        let mut near: Vec<(usize, &'static str)> = language
            .word_list()
            .iter()
            .filter_map(|candidate| {
                let edits = if word.len() >= 3 && candidate.starts_with(word) {
                    // An unfinished word: the likeliest reading of all.
                    0
                } else {
                    typed.edits_to(&Letters::new(candidate)?)
                };
                (edits <= MAX_EDITS).then_some((edits, *candidate))
            })
            .collect();
        near.sort_by_key(|(edits, _)| *edits);
        near.truncate(MAX_NEAREST);
        near.into_iter().map(|(_, word)| word).collect()
    }

    #[cfg(feature = "all-wordlists")]
    const fn language(self) -> Option<bip39::Language> {
        use bip39::Language;
        Some(match self {
            Self::English => Language::English,
            Self::Japanese => Language::Japanese,
            Self::Korean => Language::Korean,
            Self::Spanish => Language::Spanish,
            Self::ChineseSimplified => Language::SimplifiedChinese,
            Self::ChineseTraditional => Language::TraditionalChinese,
            Self::French => Language::French,
            Self::Italian => Language::Italian,
            Self::Czech => Language::Czech,
            Self::Portuguese => Language::Portuguese,
        })
    }

    #[cfg(not(feature = "all-wordlists"))]
    const fn language(self) -> Option<bip39::Language> {
        match self {
            Self::English => Some(bip39::Language::English),
            _ => None,
        }
    }
}

impl fmt::Display for Wordlist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// No wordlist has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no such wordlist; use one of english, japanese, korean, spanish, chinese-simplified, chinese-traditional, french, italian, czech and portuguese"
)]
pub struct UnknownWordlist;

impl FromStr for Wordlist {
    type Err = UnknownWordlist;

    fn from_str(id: &str) -> Result<Self, UnknownWordlist> {
        Self::ALL
            .into_iter()
            .find(|list| list.id() == id)
            .ok_or(UnknownWordlist)
    }
}

/// The English words that begin with `prefix`, in the list's order, in upper or lower case. An empty
/// prefix completes to nothing.
#[must_use]
pub fn complete_word(prefix: &str) -> Vec<&'static str> {
    if prefix.is_empty() {
        return Vec::new();
    }
    bip39::Language::English
        .word_list()
        .iter()
        .copied()
        .filter(|word| {
            word.get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        })
        .collect()
}

/// Whether this is a word of the English list, in upper or lower case.
#[must_use]
pub fn is_word(word: &str) -> bool {
    bip39::Language::English
        .word_list()
        .iter()
        .any(|listed| listed.eq_ignore_ascii_case(word))
}

/// The at most five English words nearest to a misspelt one, the nearest first.
#[must_use]
pub fn nearest_words(word: &str) -> Vec<&'static str> {
    // Bounded before the quadratic comparison, and before a copy is made.
    if word.len() > MAX_WORD * 4 {
        return Vec::new();
    }
    Wordlist::English.nearest(&super::fold(word.trim()))
}

/// A word's characters, wiped after use.
struct Letters {
    letters: Zeroizing<[char; MAX_WORD]>,
    len: usize,
}

impl Letters {
    /// Nothing if the word has more than [`MAX_WORD`] characters.
    fn new(word: &str) -> Option<Self> {
        let mut letters = Zeroizing::new(['\0'; MAX_WORD]);
        let mut len = 0;
        for letter in word.chars() {
            *letters.get_mut(len)? = letter;
            len += 1;
        }
        Some(Self { letters, len })
    }

    fn as_slice(&self) -> &[char] {
        self.letters.get(..self.len).unwrap_or_default()
    }

    /// The optimal string alignment distance: inserted, deleted, replaced or swapped letters.
    fn edits_to(&self, other: &Self) -> usize {
        let (from, to) = (self.as_slice(), other.as_slice());
        if from.len().abs_diff(to.len()) > MAX_EDITS {
            return usize::MAX;
        }
        let mut two_back = [0; MAX_WORD + 1];
        let mut back: [usize; MAX_WORD + 1] = core::array::from_fn(|column| column);
        for (row, a) in from.iter().enumerate() {
            let mut current = [0; MAX_WORD + 1];
            current[0] = row + 1;
            for (column, b) in to.iter().enumerate() {
                let mut edits = (back[column] + usize::from(a != b))
                    .min(back[column + 1] + 1)
                    .min(current[column] + 1);
                let swapped =
                    row > 0 && column > 0 && from.get(row - 1) == Some(b) && to.get(column - 1) == Some(a);
                if swapped {
                    edits = edits.min(two_back[column - 1] + 1);
                }
                current[column + 1] = edits;
            }
            two_back = back;
            back = current;
        }
        back[to.len()]
    }
}
