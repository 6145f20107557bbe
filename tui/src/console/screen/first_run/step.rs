//! Where the wizard is, and how long a secret is shown.

/// How long a secret stays on the screen, in milliseconds.
pub(super) const REVEAL_MS: u64 = 30_000;

/// Where the wizard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Step {
    /// Create or import.
    #[default]
    Welcome,
    /// How many words the new phrase has.
    Length,
    /// The new phrase.
    Phrase,
    /// Three of its words, asked back.
    Quiz,
    /// An existing phrase.
    Import,
    /// Its passphrase and path.
    Paths,
    /// The limits of the default policy.
    Limits,
    /// The password.
    Password,
    /// How many wallets to begin with.
    Many,
    /// They are being derived.
    Deriving,
}

/// Where the phrase comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Route {
    /// A new one.
    #[default]
    Create,
    /// One that exists.
    Import,
}

/// A secret that is shown until a time.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reveal {
    until_ms: u64,
}

impl Reveal {
    pub(super) fn left_ms(self, now_ms: u64) -> Option<u64> {
        self.until_ms.checked_sub(now_ms).filter(|left| *left > 0)
    }

    pub(super) fn toggle(&mut self, now_ms: u64) {
        self.until_ms = if self.left_ms(now_ms).is_some() {
            0
        } else {
            now_ms.saturating_add(REVEAL_MS)
        };
    }

    pub(super) fn hide(&mut self) {
        self.until_ms = 0;
    }
}
