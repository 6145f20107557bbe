//! What a process was told, a line each, in a file of its own.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// These indices are new wallets.
    Derived {
        /// The first.
        first: u32,
        /// How many.
        count: u32,
        /// How many of them were new.
        added: u32,
    },
    /// A payment of so much was signed.
    Signed {
        /// The wallet's address.
        wallet: String,
        /// Its amount.
        lamports: u64,
        /// The signature, as text.
        signature: String,
        /// Whether other processes ask for the same one.
        is_common: bool,
    },
    /// A wallet has another owner now, or none.
    Assigned,
    /// A wallet is its owner's primary one.
    Led,
    /// Nothing was done and nothing recorded, and why.
    Turned {
        /// The error's stable word.
        code: String,
    },
    /// Nothing was done, and why; the reason is audited.
    Refused {
        /// The error's stable word.
        code: String,
    },
    /// It was in somebody's way, and was asked for again.
    Busy,
    /// What the stores began anew by themselves, in all.
    BegunAnew {
        /// How often.
        times: u64,
    },
    /// Something that must not happen.
    Failed {
        /// What was asked for.
        what: String,
        /// What was said.
        error: String,
    },
}

/// A log that is written.
#[derive(Debug)]
pub struct Log(Mutex<BufWriter<File>>);

impl Log {
    /// A new one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        Ok(Self(Mutex::new(BufWriter::new(File::create_new(path)?))))
    }

    /// One line more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, entry: &Entry) -> anyhow::Result<()> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(file, "{}", serde_json::to_string(entry)?)?;
        Ok(())
    }

    /// Writes out what is not yet.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&self) -> anyhow::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()?;
        Ok(())
    }
}

/// Every line of a log.
///
/// # Errors
/// When one does not read.
pub fn read(path: &Path) -> anyhow::Result<Vec<Entry>> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    BufReader::new(file)
        .lines()
        .map(|line| Ok(serde_json::from_str(&line?)?))
        .collect()
}
