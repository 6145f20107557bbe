//! Rotates a vault's key in chunks of four records and stands still at a named place, so that a test can kill it there.
//!
//! Reads two lines: the vault's place (a path or an address) and its password. The argument names where it stands: a
//! number, at the reading of the clock with that number, which each transaction has under the write lock, with what it
//! asked for in hand and nothing written, and each look before it looks; `going`, which says at its first reading that it
//! is there and goes on; `rotated`, when it is done. Prints `reached` there, and `rotated` when it was done and stood
//! nowhere.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "it talks to the test through its standard output"
)]

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;
use keyward_custody::{Clock, Custody, OpenOptions, Password, RotateOptions, StoreLocation, SystemClock};

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
    let (reading, goes_on) = match place.as_str() {
        "going" => (1, true),
        "rotated" | "nowhere" => (0, false),
        number => (number.parse().context("the place is no number")?, false),
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
    let options = RotateOptions {
        chunk: 4,
        ..RotateOptions::default()
    };
    custody.rotate_vault_key_with(&password, None, &options).await?;
    if place == "rotated" {
        reached(false);
    }
    println!("rotated");
    Ok(())
}
