//! Rotates a vault's key and stands still at a named place, so that a test can kill it there.
//!
//! Reads two lines: the vault's path and its password. The argument names the place: `counting`, under the write lock, the
//! try of the password not yet committed; `opened`, the try committed and nothing sealed; `writing`, under the write lock
//! with all of it sealed and nothing written; `going`, which says when it is there and goes on; `rotated`, when it is done.
//! Prints `reached` there, and `rotated` when it was done and asked to stop nowhere.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "it talks to the test through its standard output"
)]

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;
use keyward_custody::{Clock, Custody, OpenOptions, Password, StoreLocation, SystemClock};

/// Each transaction reads the time once, when it has what it asked for in hand and nothing written.
struct StopAt {
    reading: u32,
    readings: AtomicU32,
    goes_on: bool,
}

impl Clock for StopAt {
    fn now_ms(&self) -> u64 {
        if self.readings.fetch_add(1, Ordering::SeqCst) + 1 == self.reading {
            reached(self.goes_on);
        }
        SystemClock.now_ms()
    }
}

fn reached(goes_on: bool) {
    println!("reached");
    std::io::stdout().flush().ok();
    if !goes_on {
        loop {
            std::thread::park();
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let place = std::env::args().nth(1).context("no place was named")?;
    // The try, the look at what is to be sealed, the one transaction.
    let (reading, goes_on) = match place.as_str() {
        "counting" => (1, false),
        "opened" => (2, false),
        "writing" => (3, false),
        "going" => (3, true),
        "rotated" | "nowhere" => (0, false),
        other => anyhow::bail!("unknown place {other:?}"),
    };
    let mut lines = std::io::stdin().lock().lines();
    let mut line = || {
        lines
            .next()
            .context("a line is missing")?
            .context("standard input")
    };
    let location = StoreLocation::parse(&line()?)?;
    let password = Password::new(line()?);
    let options = OpenOptions {
        clock: Arc::new(StopAt {
            reading,
            readings: AtomicU32::new(0),
            goes_on,
        }),
        ..OpenOptions::default()
    };
    let custody = Custody::open(&location, options).await?;
    custody.rotate_vault_key(&password, None).await?;
    if place == "rotated" {
        reached(false);
    }
    println!("rotated");
    Ok(())
}
