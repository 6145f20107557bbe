//! Text fields: plain ones and masked ones, with a cursor, bounded, wiped when dropped.
//!
//! Every field keeps its text in a buffer reserved once at its full size and wiped on drop, so that
//! typing a password never leaves copies behind in freed memory. It does not draw itself (see
//! `widget`) and knows nothing of what the text means.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_width::UnicodeWidthChar;
use zeroize::{Zeroize, Zeroizing};

/// Whether a field shows what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// The text is shown.
    Plain,
    /// A dot is shown for each character.
    Masked,
}

/// What a key did to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// The text changed.
    Changed,
    /// Only the cursor moved.
    Moved,
    /// The key means nothing to a text field.
    Ignored,
    /// The text is as long as it may be; nothing was added.
    Full,
}

/// One line of editable text.
pub struct TextInput {
    text: Zeroizing<String>,
    cursor: usize,
    limit_bytes: usize,
    echo: Echo,
}

impl fmt::Debug for TextInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TextInput(<redacted>)")
    }
}

impl TextInput {
    /// A field that shows its text, at most `limit_bytes` bytes of UTF-8.
    #[must_use]
    pub fn plain(limit_bytes: usize) -> Self {
        Self::new(limit_bytes, Echo::Plain)
    }

    /// A field for a secret, at most `limit_bytes` bytes of UTF-8.
    #[must_use]
    pub fn masked(limit_bytes: usize) -> Self {
        Self::new(limit_bytes, Echo::Masked)
    }

    fn new(limit_bytes: usize, echo: Echo) -> Self {
        Self {
            text: Zeroizing::new(String::with_capacity(limit_bytes)),
            cursor: 0,
            limit_bytes,
            echo,
        }
    }

    /// The same field, filled with `text` (cut at the limit), the cursor at its end.
    #[must_use]
    pub fn with_text(mut self, text: &str) -> Self {
        self.insert(text);
        self
    }

    /// The text as it stands. For a masked field this is the secret.
    #[must_use]
    pub fn expose_text(&self) -> &str {
        &self.text
    }

    /// Whether nothing has been typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// How the field shows its text.
    #[must_use]
    pub fn echo(&self) -> Echo {
        self.echo
    }

    /// The cursor's place, in bytes from the start, always on a character boundary.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Forgets the text, wiping it.
    pub fn clear(&mut self) {
        self.text.zeroize();
        self.cursor = 0;
    }

    /// Inserts `text` at the cursor; line breaks and tabs become spaces, other control characters
    /// are dropped. Returns [`Edit::Full`] when it did not all fit.
    pub fn insert(&mut self, text: &str) -> Edit {
        let mut changed = false;
        for ch in text.chars() {
            let ch = if matches!(ch, '\n' | '\r' | '\t') { ' ' } else { ch };
            if ch.is_control() {
                continue;
            }
            if self.text.len() + ch.len_utf8() > self.limit_bytes {
                return Edit::Full;
            }
            self.text.insert(self.cursor, ch);
            self.cursor += ch.len_utf8();
            changed = true;
        }
        if changed { Edit::Changed } else { Edit::Ignored }
    }

    /// Puts the cursor at this byte, or where the nearest character before it begins.
    pub fn move_cursor(&mut self, to: usize) {
        let mut to = to.min(self.text.len());
        while !self.text.is_char_boundary(to) {
            to -= 1;
        }
        self.cursor = to;
    }

    /// Replaces the word under the cursor's left with `word` and a space.
    pub fn complete_last_word(&mut self, word: &str) -> Edit {
        let start = self.last_word_start();
        self.remove(start, self.cursor);
        self.insert(word);
        self.insert(" ")
    }

    /// The unfinished word to the left of the cursor.
    #[must_use]
    pub fn last_word(&self) -> &str {
        self.text
            .get(self.last_word_start()..self.cursor)
            .unwrap_or_default()
    }

    fn last_word_start(&self) -> usize {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        before.rfind(char::is_whitespace).map_or(0, |at| {
            at + before
                .get(at..)
                .and_then(|rest| rest.chars().next())
                .map_or(1, char::len_utf8)
        })
    }

    /// Applies one key.
    pub fn key(&mut self, key: KeyEvent) -> Edit {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Char('a') if control => self.move_to(0),
            KeyCode::Char('e') if control => self.move_to(self.text.len()),
            KeyCode::Char('u') if control => self.remove(0, self.cursor),
            KeyCode::Char('k') if control => self.remove(self.cursor, self.text.len()),
            KeyCode::Char('w') if control => self.delete_word(),
            KeyCode::Backspace if control || alt => self.delete_word(),
            KeyCode::Char(ch) if !control && !alt => {
                let mut bytes = [0; 4];
                self.insert(ch.encode_utf8(&mut bytes))
            }
            KeyCode::Backspace => self.remove(self.previous(), self.cursor),
            KeyCode::Delete => self.remove(self.cursor, self.next()),
            KeyCode::Left => self.move_to(self.previous()),
            KeyCode::Right => self.move_to(self.next()),
            KeyCode::Home => self.move_to(0),
            KeyCode::End => self.move_to(self.text.len()),
            _ => Edit::Ignored,
        }
    }

    fn delete_word(&mut self) -> Edit {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        let trimmed = before.trim_end();
        let start = trimmed
            .char_indices()
            .rev()
            .find(|(_, ch)| ch.is_whitespace())
            .map_or(0, |(at, ch)| at + ch.len_utf8());
        self.remove(start, self.cursor)
    }

    fn move_to(&mut self, to: usize) -> Edit {
        self.cursor = to;
        Edit::Moved
    }

    fn remove(&mut self, from: usize, to: usize) -> Edit {
        if from >= to {
            return Edit::Ignored;
        }
        // `drain` moves the tail down and leaves its old bytes behind the new end, inside our own
        // buffer: they are overwritten by later typing and wiped on drop.
        self.text.drain(from..to);
        self.cursor = from;
        Edit::Changed
    }

    fn previous(&self) -> usize {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        self.cursor - before.chars().next_back().map_or(0, char::len_utf8)
    }

    fn next(&self) -> usize {
        let after = self.text.get(self.cursor..).unwrap_or_default();
        self.cursor + after.chars().next().map_or(0, char::len_utf8)
    }

    /// What to draw in `width` columns, and the cursor's column in it. Scrolls so that the cursor is
    /// always seen.
    #[must_use]
    pub fn visible(&self, width: u16, echo: Echo) -> (String, u16) {
        let width = usize::from(width.max(1));
        let columns = |ch: char| match echo {
            Echo::Masked => 1,
            Echo::Plain => ch.width().unwrap_or(0),
        };
        let before = self.text.get(..self.cursor).unwrap_or_default();
        let mut used = 0;
        let mut start = self.cursor;
        for (at, ch) in before.char_indices().rev() {
            // One column stays free for the cursor itself.
            if used + columns(ch) + 1 > width {
                break;
            }
            used += columns(ch);
            start = at;
        }
        let mut shown = String::new();
        let mut filled = 0;
        for ch in self.text.get(start..).unwrap_or_default().chars() {
            if filled + columns(ch) > width {
                break;
            }
            filled += columns(ch);
            shown.push(if echo == Echo::Masked { '•' } else { ch });
        }
        (shown, u16::try_from(used).unwrap_or(u16::MAX))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn press(field: &mut TextInput, code: KeyCode) -> Edit {
        field.key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn edits_at_the_cursor() {
        let mut field = TextInput::plain(16).with_text("ac");
        press(&mut field, KeyCode::Left);
        press(&mut field, KeyCode::Char('b'));
        assert_eq!(field.expose_text(), "abc");
        press(&mut field, KeyCode::Backspace);
        press(&mut field, KeyCode::Delete);
        assert_eq!(field.expose_text(), "a");
        assert_eq!(press(&mut field, KeyCode::Delete), Edit::Ignored);
    }

    #[test]
    fn multibyte_text_is_never_split() {
        let mut field = TextInput::plain(16).with_text("aé漢b");
        for _ in 0..2 {
            press(&mut field, KeyCode::Left);
        }
        press(&mut field, KeyCode::Backspace);
        assert_eq!(field.expose_text(), "a漢b");
        press(&mut field, KeyCode::Delete);
        assert_eq!(field.expose_text(), "ab");
    }

    #[test]
    fn the_limit_holds_and_the_buffer_never_moves() {
        let mut field = TextInput::masked(8);
        let start = field.expose_text().as_ptr();
        assert_eq!(field.insert("1234567890"), Edit::Full);
        assert_eq!(field.expose_text(), "12345678");
        assert_eq!(field.expose_text().as_ptr(), start);
    }

    #[test]
    fn pasted_line_breaks_become_spaces() {
        let field = TextInput::plain(64).with_text("one\ntwo\tthree\u{7}");
        assert_eq!(field.expose_text(), "one two three");
    }

    #[test]
    fn completes_the_word_being_typed() {
        let mut field = TextInput::plain(64).with_text("abandon aban");
        assert_eq!(field.last_word(), "aban");
        field.complete_last_word("abandon");
        assert_eq!(field.expose_text(), "abandon abandon ");
        assert_eq!(field.last_word(), "");
    }

    #[test]
    fn shows_the_part_around_the_cursor() {
        let field = TextInput::plain(64).with_text("0123456789");
        assert_eq!(field.visible(5, Echo::Plain), ("6789".into(), 4));
        assert_eq!(field.visible(20, Echo::Masked), ("••••••••••".into(), 10));
    }

    #[test]
    fn debug_shows_nothing() {
        let field = TextInput::masked(64).with_text("canary");
        assert!(!format!("{field:?}").contains("canary"));
    }
}
