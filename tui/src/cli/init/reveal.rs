//! Shows new words to a person, once, and asks three of them back.
//!
//! On the terminal's alternate screen, so that they are in no scroll-back afterwards, and on the terminal itself, so that
//! redirecting standard output or error does not catch them.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;

use crossterm::cursor::MoveTo;
use crossterm::execute;
use crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen};
use keyward_core::mnemonic::Mnemonic;
use zeroize::Zeroizing;

use crate::exit::{Exit, Failure};
use crate::output;
use crate::secret_input;

/// How many words are asked back.
const ASKED: usize = 3;
/// How often a wrong answer leads back to the words.
const TRIES: usize = 3;

/// Shows the words until the person goes on, then asks three of them.
pub(super) fn show_and_ask_back(mnemonic: &Mnemonic) -> Result<(), Failure> {
    for _ in 0..TRIES {
        show(mnemonic)?;
        if ask_back(mnemonic)? {
            return Ok(());
        }
        output::warn("That was not the word. The words are shown again.\n");
    }
    Err(Failure::new(
        Exit::Cancelled,
        "words_not_confirmed",
        "the words were not given back; no vault was made",
        "start again and write the words down on paper first",
    ))
}

fn show(mnemonic: &Mnemonic) -> Result<(), Failure> {
    let screen = WordScreen::open()?;
    let count = mnemonic.word_count().words();
    let mut page = Zeroizing::new(String::with_capacity(4096));
    page.push_str("Your recovery phrase. Write these words down, in this order, on paper.\r\n");
    page.push_str("Whoever has them has the money; without them nobody can bring it back.\r\n\r\n");
    for (position, word) in (0..count).filter_map(|i| mnemonic.expose_word(i).map(|word| (i + 1, word))) {
        // Writing into a string cannot fail.
        let _ = write!(page, "  {position:>2} {word:<12}");
        if position % 4 == 0 || position == count {
            page.push_str("\r\n");
        }
    }
    page.push_str("\r\nThey are shown this once. ");
    screen.write(page.as_bytes());
    secret_input::prompt("Press Enter when they are written down (Ctrl-C cancels). ").map(|_| ())
}

fn ask_back(mnemonic: &Mnemonic) -> Result<bool, Failure> {
    let count = mnemonic.word_count().words();
    for position in positions(count)? {
        let question = format!("Word {}: ", position + 1);
        let Some(answer) = secret_input::prompt(&question)? else {
            return Ok(false);
        };
        let typed = Zeroizing::new(answer.trim().to_lowercase());
        if mnemonic.expose_word(position) != Some(typed.as_str()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Three different positions, in ascending order.
fn positions(count: usize) -> Result<Vec<usize>, Failure> {
    let mut random = [0_u8; 64];
    getrandom::fill(&mut random).map_err(|_| Failure::from(keyward_custody::CustodyError::Randomness))?;
    let mut chosen = Vec::with_capacity(ASKED);
    for position in random
        .iter()
        .map(|byte| usize::from(*byte) % count.max(1))
        .chain(0..count)
    {
        if chosen.len() < ASKED && !chosen.contains(&position) {
            chosen.push(position);
        }
    }
    chosen.sort_unstable();
    Ok(chosen)
}

/// The terminal's alternate screen, wiped and left when dropped.
struct WordScreen(File);

impl WordScreen {
    fn open() -> Result<Self, Failure> {
        let mut terminal = File::options()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .map_err(|error| {
                let message = format!("cannot write to the terminal: {error}");
                Failure::new(Exit::Unexpected, "terminal", message, "give --phrase-out FILE")
            })?;
        let _ = execute!(
            terminal,
            EnterAlternateScreen,
            Clear(ClearType::All),
            MoveTo(0, 0)
        );
        Ok(Self(terminal))
    }

    fn write(&self, bytes: &[u8]) {
        let _ = (&self.0).write_all(bytes);
    }
}

impl Drop for WordScreen {
    fn drop(&mut self) {
        let _ = execute!(self.0, Clear(ClearType::All), LeaveAlternateScreen);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_words_asked_for_differ_and_exist() {
        for count in [12, 15, 18, 21, 24] {
            let chosen = positions(count).unwrap();
            assert_eq!(chosen.len(), ASKED);
            assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]), "{chosen:?}");
            assert!(chosen.iter().all(|position| *position < count), "{chosen:?}");
        }
    }
}
