//! One time for several processes: a small file that one of them moves on and all read.
//!
//! So a minute passes when the driver says so: as many operations fall into it on a slow machine as on a fast one.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::Context as _;
use keyward_custody::Clock;

/// How often a reading that fell into a writing is repeated.
const READINGS: u32 = 1_000;

/// The time, in milliseconds since the Unix epoch, twice: as it is and with every bit turned.
#[derive(Debug)]
pub struct FileClock(File);

impl FileClock {
    /// Makes the file and sets the time.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &Path, now_ms: u64) -> anyhow::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .with_context(|| format!("the clock's file {}", path.display()))?;
        let clock = Self(file);
        clock.set(now_ms)?;
        Ok(clock)
    }

    /// Reads a clock that somebody else sets.
    ///
    /// # Errors
    /// When there is none.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("the clock's file {}", path.display()))?;
        Ok(Self(file))
    }

    /// Sets the time, which must not go back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set(&self, now_ms: u64) -> anyhow::Result<()> {
        let mut bytes = [0; 16];
        let (first, second) = bytes.split_at_mut(8);
        first.copy_from_slice(&now_ms.to_be_bytes());
        second.copy_from_slice(&(!now_ms).to_be_bytes());
        self.0.write_all_at(&bytes, 0)?;
        Ok(())
    }

    fn read(&self) -> Option<u64> {
        let mut bytes = [0; 16];
        self.0.read_exact_at(&mut bytes, 0).ok()?;
        let (first, second) = bytes.split_at(8);
        let now_ms = u64::from_be_bytes(first.try_into().ok()?);
        (u64::from_be_bytes(second.try_into().ok()?) == !now_ms).then_some(now_ms)
    }
}

impl Clock for FileClock {
    #[expect(clippy::expect_used, reason = "a test without its clock has failed")]
    fn now_ms(&self) -> u64 {
        (0..READINGS)
            .find_map(|_| self.read())
            .expect("the clock's file is whole")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_one_sets_the_other_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clock");
        let ours = FileClock::create(&path, 7).unwrap();
        let theirs = FileClock::open(&path).unwrap();
        assert_eq!((ours.now_ms(), theirs.now_ms()), (7, 7));
        ours.set(u64::MAX).unwrap();
        assert_eq!(theirs.now_ms(), u64::MAX);
        assert!(theirs.set(8).is_err());
    }
}
