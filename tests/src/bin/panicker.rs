//! Panics in a terminal that it has taken as the console takes it, so that a test can look at what is left of both.
//!
//! The argument says where: `here`, on the thread that holds the terminal; `elsewhere`, in a background task, after which
//! it draws a word and ends as it should. The payload quotes a secret, as a real one might; it must not be printed.

use std::io::Write as _;

use anyhow::Context as _;
use keyward::console::terminal::TerminalGuard;
use keyward::hardening::quiet_panics;

/// What no panic message may show.
const PAYLOAD: &str = "canary-payload-4711";

#[tokio::main]
#[expect(clippy::panic, reason = "that is what it is for")]
async fn main() -> anyhow::Result<()> {
    let place = std::env::args().nth(1);
    quiet_panics();
    let guard = TerminalGuard::take().context("no terminal")?;
    draw("taken\r\n")?;
    // Waits for the test to have seen that.
    let mut byte = [0];
    std::io::Read::read_exact(&mut std::io::stdin(), &mut byte)?;
    match place.as_deref() {
        Some("here") => panic!("{PAYLOAD}"),
        Some("elsewhere") => {
            let ended = tokio::spawn(async { panic!("{PAYLOAD}") }).await;
            anyhow::ensure!(ended.is_err(), "the task did not panic");
            draw("still here\r\n")?;
            std::io::Read::read_exact(&mut std::io::stdin(), &mut byte)?;
        }
        other => anyhow::bail!("unknown place {other:?}"),
    }
    drop(guard);
    Ok(())
}

fn draw(text: &str) -> std::io::Result<()> {
    let mut terminal = std::io::stdout();
    terminal.write_all(text.as_bytes())?;
    terminal.flush()
}
