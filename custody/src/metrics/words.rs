//! Values by word, bounded whatever words come: a new word takes the next free place, and when none is left it is counted
//! as `other`. A place is taken once and never changes, so all that follows is reading atomics.

use std::sync::OnceLock;

/// The most different words of one label. The codes of all errors together are fewer.
const MAX_WORDS: usize = 192;

/// What words beyond [`MAX_WORDS`] are counted as.
const OTHER: &str = "other";

pub(super) struct Words<T> {
    places: Box<[Place<T>]>,
    other: T,
}

struct Place<T> {
    word: OnceLock<&'static str>,
    value: T,
}

impl<T: Default> Default for Words<T> {
    fn default() -> Self {
        let place = || Place {
            word: OnceLock::new(),
            value: T::default(),
        };
        Self {
            places: std::iter::repeat_with(place).take(MAX_WORDS).collect(),
            other: T::default(),
        }
    }
}

impl<T> Words<T> {
    /// The value of a word.
    pub(super) fn of(&self, word: &'static str) -> &T {
        // All look in the same order and places are never given back, so that a word has one place.
        self.places
            .iter()
            .find(|place| *place.word.get_or_init(|| word) == word)
            .map_or(&self.other, |place| &place.value)
    }

    /// Every word that was seen, in the order of the alphabet, and `other` at last.
    pub(super) fn all(&self) -> Vec<(&'static str, &T)> {
        let mut all: Vec<_> = self
            .places
            .iter()
            .filter_map(|place| place.word.get().map(|word| (*word, &place.value)))
            .filter(|(word, _)| *word != OTHER)
            .collect();
        all.sort_unstable_by_key(|(word, _)| *word);
        all.push((OTHER, &self.other));
        all
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn words_beyond_the_bound_are_counted_together_and_none_is_lost() {
        let words = Words::<AtomicU64>::default();
        for _ in 0..2 {
            for number in 0..MAX_WORDS + 50 {
                let word: &'static str = Box::leak(format!("word-{number}").into_boxed_str());
                words.of(word).fetch_add(1, Ordering::Relaxed);
            }
        }
        let all = words.all();
        assert_eq!(all.len(), MAX_WORDS + 1);
        let values: Vec<u64> = all
            .iter()
            .map(|(_, value)| value.load(Ordering::Relaxed))
            .collect();
        assert_eq!(values[..MAX_WORDS], [2; MAX_WORDS]);
        assert_eq!(values[MAX_WORDS], 100);
    }

    #[test]
    fn threads_that_meet_give_a_word_one_place() {
        const WORDS: [&str; 6] = [
            "busy",
            "locked",
            "rate-limited",
            "no-signer",
            "other",
            "disk-full",
        ];
        let words = Words::<AtomicU64>::default();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let words = &words;
                scope.spawn(move || {
                    for turn in 0..600 {
                        words
                            .of(WORDS[(turn + thread) % 6])
                            .fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        for word in WORDS {
            assert_eq!(words.of(word).load(Ordering::Relaxed), 800, "{word}");
        }
    }
}
