//! Which bytes are plain text that a person can read before signing.
//!
//! Letters of every script are; control characters, invisible ones and those that reorder a line are
//! not, because the person would not see what is signed.

/// The most bytes of a text message.
pub const MAX_MESSAGE_BYTES: usize = 65_536;

/// Why bytes are not plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// There is nothing.
    #[error("the message is empty; write what should be signed")]
    Empty,
    /// More bytes than allowed.
    #[error("the message has {found} bytes and 65536 are the most; shorten it")]
    TooLong {
        /// How many there are.
        found: usize,
    },
    /// Not UTF-8.
    #[error("the message is not text (byte {offset} is not UTF-8); only text is signed")]
    NotUtf8 {
        /// Where, counted from 0.
        offset: usize,
    },
    /// A character that cannot be seen or that changes how others are seen.
    #[error("character {position} of the message (U+{code:04X}) cannot be seen as it is; remove it")]
    Unprintable {
        /// Which character, counted from 1.
        position: usize,
        /// Its code point.
        code: u32,
    },
}

/// Reads a message as plain text: printable UTF-8 with line feeds and tabs.
///
/// # Errors
/// See [`TextError`].
pub fn plain_text(message: &[u8]) -> Result<&str, TextError> {
    if message.is_empty() {
        return Err(TextError::Empty);
    }
    if message.len() > MAX_MESSAGE_BYTES {
        return Err(TextError::TooLong { found: message.len() });
    }
    let text = core::str::from_utf8(message).map_err(|error| TextError::NotUtf8 {
        offset: error.valid_up_to(),
    })?;
    // Most messages are ASCII, of which bytes tell as much, and quicker.
    if message
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t'))
    {
        return Ok(text);
    }
    let unprintable = |(_, c): &(usize, char)| !is_printable(*c) && !matches!(c, '\n' | '\t');
    match text.chars().enumerate().find(unprintable) {
        Some((at, c)) => Err(TextError::Unprintable {
            position: at + 1,
            code: u32::from(c),
        }),
        None => Ok(text),
    }
}

/// Whether a character shows as itself. Joiners (U+200C, U+200D) and variation selectors do, since
/// scripts and emoji need them.
#[must_use]
pub fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' // Mongolian separators
                | '\u{200b}' | '\u{200e}' | '\u{200f}' // zero width space, direction marks
                | '\u{2028}'..='\u{202e}' // line separators, direction overrides
                | '\u{2060}'..='\u{206f}' // invisible operators, isolates
                | '\u{3164}' | '\u{ffa0}' // fillers
                | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}' // tags
                | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' // private use
        )
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn text_of_any_script_passes() {
        for text in [
            "hello",
            "two\nlines\tand a tab",
            "Grüße, мир, 世界, سلام, שלום",
            "👩‍👩‍👧 🏳️‍🌈 e\u{301}",
            "a",
        ] {
            assert_eq!(plain_text(text.as_bytes()), Ok(text));
        }
    }

    #[test]
    fn what_cannot_be_seen_is_refused() {
        let unprintable = |position, code| TextError::Unprintable { position, code };
        for (bytes, error) in [
            (&b""[..], TextError::Empty),
            (b"\xff\xff", TextError::NotUtf8 { offset: 0 }),
            (b"abc\x80", TextError::NotUtf8 { offset: 3 }),
            (b"\xed\xa0\x80", TextError::NotUtf8 { offset: 0 }),
            (b"\x00", unprintable(1, 0)),
            (b"a\r\nb", unprintable(2, 0x0d)),
            (b"a\x1b[2J", unprintable(2, 0x1b)),
            (b"\x7f", unprintable(1, 0x7f)),
            ("é\u{85}".as_bytes(), unprintable(2, 0x85)),
            ("pay \u{202e}01".as_bytes(), unprintable(5, 0x202e)),
            ("a\u{200b}b".as_bytes(), unprintable(2, 0x200b)),
            ("\u{feff}a".as_bytes(), unprintable(1, 0xfeff)),
            ("\u{e0041}".as_bytes(), unprintable(1, 0xe0041)),
        ] {
            assert_eq!(plain_text(bytes), Err(error), "{bytes:?}");
        }
        let long = alloc::vec![b'a'; MAX_MESSAGE_BYTES + 1];
        assert_eq!(
            plain_text(&long),
            Err(TextError::TooLong {
                found: MAX_MESSAGE_BYTES + 1
            })
        );
        assert!(plain_text(&long[1..]).is_ok());
    }
}
