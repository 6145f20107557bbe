//! A choice among a few lines.

/// Which line is under the cursor.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Choice(usize);

impl Choice {
    /// The line, counted from 0.
    pub(super) fn at(self) -> usize {
        self.0
    }

    pub(super) fn up(&mut self) {
        self.0 = self.0.saturating_sub(1);
    }

    pub(super) fn down(&mut self, lines: usize) {
        self.0 = (self.0 + 1).min(lines.saturating_sub(1));
    }
}
