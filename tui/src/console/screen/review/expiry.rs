//! How long a prepared transfer can still land, estimated from block heights. Pure.
//!
//! The block height alone decides; the time is an estimate and is shown as one.

/// How long a block takes until the node has shown how long it really does, in milliseconds.
const ASSUMED_BLOCK_MS: u64 = 400;
/// Bounds of a believable block time, in milliseconds.
const BLOCK_MS: std::ops::RangeInclusive<u64> = 20..=5_000;

/// A height and when it was heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    height: u64,
    at_ms: u64,
}

/// What is known of a transfer's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expiry {
    last_valid: u64,
    first: Option<Mark>,
    latest: Option<Mark>,
}

/// What is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// The node did not say.
    Unknown,
    /// About so long.
    About {
        /// The estimate, in milliseconds.
        ms: u64,
        /// The blocks that it stands for.
        blocks: u64,
    },
    /// The last block at which it can land is past.
    Nothing,
}

impl Expiry {
    pub(super) fn new(last_valid: u64, height: Option<u64>, now_ms: u64) -> Self {
        let mark = height.map(|height| Mark {
            height,
            at_ms: now_ms,
        });
        Self {
            last_valid,
            first: mark,
            latest: mark,
        }
    }

    pub(super) fn learn(&mut self, height: u64, now_ms: u64) {
        let mark = Mark {
            height,
            at_ms: now_ms,
        };
        self.first.get_or_insert(mark);
        // A node behind another one may answer with less; time does not run backwards.
        if self.latest.is_none_or(|latest| height >= latest.height) {
            self.latest = Some(mark);
        }
    }

    pub(super) fn left(&self, now_ms: u64) -> Left {
        let Some(latest) = self.latest else {
            return Left::Unknown;
        };
        if latest.height > self.last_valid {
            return Left::Nothing;
        }
        let blocks = self.last_valid - latest.height + 1;
        let since = now_ms.saturating_sub(latest.at_ms);
        let ms = blocks.saturating_mul(self.block_ms(latest)).saturating_sub(since);
        Left::About { ms, blocks }
    }

    fn block_ms(&self, latest: Mark) -> u64 {
        let measured = self.first.and_then(|first| {
            let blocks = latest
                .height
                .checked_sub(first.height)
                .filter(|blocks| *blocks >= 4)?;
            Some(latest.at_ms.saturating_sub(first.at_ms) / blocks)
        });
        measured
            .unwrap_or(ASSUMED_BLOCK_MS)
            .clamp(*BLOCK_MS.start(), *BLOCK_MS.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_before_a_height() {
        assert_eq!(Expiry::new(150, None, 0).left(10_000), Left::Unknown);
    }

    #[test]
    fn the_estimate_follows_the_measured_block_time() {
        let mut expiry = Expiry::new(149, Some(0), 0);
        assert_eq!(
            expiry.left(0),
            Left::About {
                ms: 60_000,
                blocks: 150
            }
        );
        assert_eq!(
            expiry.left(1_000),
            Left::About {
                ms: 59_000,
                blocks: 150
            }
        );
        expiry.learn(50, 10_000);
        assert_eq!(
            expiry.left(10_000),
            Left::About {
                ms: 20_000,
                blocks: 100
            }
        );
    }

    #[test]
    fn only_the_height_ends_it() {
        let mut expiry = Expiry::new(10, Some(10), 0);
        assert_eq!(expiry.left(60_000), Left::About { ms: 0, blocks: 1 });
        expiry.learn(11, 61_000);
        assert_eq!(expiry.left(61_000), Left::Nothing);
        expiry.learn(9, 62_000);
        assert_eq!(expiry.left(62_000), Left::Nothing);
    }
}
