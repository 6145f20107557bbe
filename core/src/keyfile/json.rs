//! A reader of JSON (RFC 8259) that copies nothing: what it hands out are slices of the file.
//!
//! A general parser keeps numbers and strings in buffers of its own that nobody wipes; here the secret stays where
//! the caller put it. It reads objects and arrays of bytes, skips what it does not need, and refuses what a key
//! file has no use for: the same field twice, and escapes in the fields that are used.

use alloc::vec::Vec;

use super::KeyfileError;

/// Deepest nesting that is read; key files need three levels.
const MAX_DEPTH: usize = 16;
/// Most fields of one object.
const MAX_FIELDS: usize = 64;

/// A value, as the slice of the file that holds it.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// The text between the quotes, without escapes.
    Text(&'a str),
    /// A string with escapes, which no used field has.
    Escaped,
    /// A number as it is written.
    Number(&'a str),
    /// The whole array, brackets included.
    Array(&'a str),
    /// The whole object, braces included.
    Object(&'a str),
    /// `true`, `false` or `null`.
    Word(&'a str),
}

/// The fields of an object, in their order.
pub(super) struct Fields<'a>(Vec<(&'a str, Value<'a>)>);

impl<'a> Fields<'a> {
    /// Reads an object that is the whole of `text`.
    pub(super) fn parse(text: &'a str) -> Result<Self, KeyfileError> {
        let mut cursor = Cursor { text, at: 0 };
        let fields = cursor.object(0)?;
        cursor.end()?;
        Ok(fields)
    }

    /// The field of this name.
    pub(super) fn get(&self, name: &str) -> Option<Value<'a>> {
        self.0
            .iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| *value)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The field's text.
    pub(super) fn text(&self, name: &'static str) -> Result<&'a str, KeyfileError> {
        match self.get(name) {
            Some(Value::Text(text)) => Ok(text),
            Some(_) => Err(KeyfileError::FieldType {
                field: name,
                expected: "text without escapes",
            }),
            None => Err(KeyfileError::MissingField { field: name }),
        }
    }

    /// The field's whole number.
    pub(super) fn number(&self, name: &'static str) -> Result<u64, KeyfileError> {
        match self.get(name) {
            Some(Value::Number(digits)) => whole(digits).ok_or(KeyfileError::FieldType {
                field: name,
                expected: "a whole number below 2^64",
            }),
            Some(_) => Err(KeyfileError::FieldType {
                field: name,
                expected: "a whole number below 2^64",
            }),
            None => Err(KeyfileError::MissingField { field: name }),
        }
    }

    /// The field's object.
    pub(super) fn object(&self, name: &'static str) -> Result<Self, KeyfileError> {
        match self.get(name) {
            Some(Value::Object(text)) => Self::parse(text),
            Some(_) => Err(KeyfileError::FieldType {
                field: name,
                expected: "an object",
            }),
            None => Err(KeyfileError::MissingField { field: name }),
        }
    }
}

/// Why an array is not one of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BytesError {
    /// Not an array of whole numbers, or not followed by the end.
    NotNumbers,
    /// A number above 255; its position from 1.
    TooLarge(usize),
    /// More numbers than there is room for.
    TooMany,
}

/// Reads an array of numbers from 0 to 255 that is the whole of `text` into `out`, and says how many there were.
pub(super) fn bytes_into(text: &str, out: &mut [u8]) -> Result<usize, BytesError> {
    let mut cursor = Cursor { text, at: 0 };
    cursor.white_space();
    if !cursor.take(b'[') {
        return Err(BytesError::NotNumbers);
    }
    let mut count = 0;
    cursor.white_space();
    if !cursor.take(b']') {
        loop {
            cursor.white_space();
            let number = byte(
                cursor.number_text().map_err(|_| BytesError::NotNumbers)?,
                count + 1,
            )?;
            *out.get_mut(count).ok_or(BytesError::TooMany)? = number;
            count += 1;
            cursor.white_space();
            if cursor.take(b']') {
                break;
            }
            if !cursor.take(b',') {
                return Err(BytesError::NotNumbers);
            }
        }
    }
    cursor.end().map_err(|_| BytesError::NotNumbers)?;
    Ok(count)
}

fn byte(digits: &str, position: usize) -> Result<u8, BytesError> {
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(BytesError::NotNumbers);
    }
    digits.parse().map_err(|_| BytesError::TooLarge(position))
}

fn whole(digits: &str) -> Option<u64> {
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, expected: u8) -> bool {
        let found = self.peek() == Some(expected);
        self.at += usize::from(found);
        found
    }

    fn want(&mut self, expected: u8) -> Result<(), KeyfileError> {
        if self.take(expected) {
            Ok(())
        } else {
            Err(self.wrong())
        }
    }

    const fn wrong(&self) -> KeyfileError {
        KeyfileError::Json { offset: self.at }
    }

    fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn end(&mut self) -> Result<(), KeyfileError> {
        self.white_space();
        if self.at == self.text.len() {
            Ok(())
        } else {
            Err(KeyfileError::Trailing { offset: self.at })
        }
    }

    fn since(&self, start: usize) -> Result<&'a str, KeyfileError> {
        self.text.get(start..self.at).ok_or_else(|| self.wrong())
    }

    fn object(&mut self, depth: usize) -> Result<Fields<'a>, KeyfileError> {
        self.white_space();
        self.want(b'{')?;
        let mut fields: Vec<(&'a str, Value<'a>)> = Vec::new();
        self.white_space();
        if self.take(b'}') {
            return Ok(Fields(fields));
        }
        loop {
            self.white_space();
            let offset = self.at;
            let Value::Text(name) = self.string()? else {
                return Err(KeyfileError::Json { offset });
            };
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(KeyfileError::DuplicateField { offset });
            }
            if fields.len() == MAX_FIELDS {
                return Err(KeyfileError::Json { offset });
            }
            self.white_space();
            self.want(b':')?;
            fields.push((name, self.value(depth + 1)?));
            self.white_space();
            if self.take(b'}') {
                return Ok(Fields(fields));
            }
            self.want(b',')?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), KeyfileError> {
        self.want(b'[')?;
        self.white_space();
        if self.take(b']') {
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            self.white_space();
            if self.take(b']') {
                return Ok(());
            }
            self.want(b',')?;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, KeyfileError> {
        if depth > MAX_DEPTH {
            return Err(self.wrong());
        }
        self.white_space();
        let start = self.at;
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => {
                self.object(depth)?;
                Ok(Value::Object(self.since(start)?))
            }
            Some(b'[') => {
                self.array(depth)?;
                Ok(Value::Array(self.since(start)?))
            }
            Some(b'-' | b'0'..=b'9') => Ok(Value::Number(self.number_text()?)),
            _ => {
                let rest = self.text.get(start..).unwrap_or_default();
                let word = ["true", "false", "null"]
                    .into_iter()
                    .find(|word| rest.starts_with(word))
                    .ok_or_else(|| self.wrong())?;
                self.at += word.len();
                Ok(Value::Word(self.since(start)?))
            }
        }
    }

    /// A number as RFC 8259 section 6 writes it.
    fn number_text(&mut self) -> Result<&'a str, KeyfileError> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'-') {
                self.take(b'+');
            }
            self.digits()?;
        }
        self.since(start)
    }

    fn digits(&mut self) -> Result<(), KeyfileError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.wrong())
        } else {
            Ok(())
        }
    }

    fn string(&mut self) -> Result<Value<'a>, KeyfileError> {
        self.want(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 1;
                    self.escape()?;
                }
                // Control characters must be escaped; the end must not come first.
                Some(0..0x20) | None => return Err(self.wrong()),
                Some(_) => self.at += 1,
            }
        }
        let text = self.since(start)?;
        self.at += 1;
        Ok(if escaped {
            Value::Escaped
        } else {
            Value::Text(text)
        })
    }

    fn escape(&mut self) -> Result<(), KeyfileError> {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|digit| digit.is_ascii_hexdigit()) {
                        return Err(self.wrong());
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.wrong()),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
