//! Writes the JSON that the package's TypeScript half reads: straight to text, since a tree of values first would be
//! twice the code for a page to load.

use std::fmt::{Display, Write as _};

/// A JSON object that grows by one field a call.
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self(String::from("{"))
    }

    /// A field that says what the object is.
    pub(crate) fn of_kind(kind: &str) -> Self {
        let mut object = Self::new();
        object.text("kind", kind);
        object
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        quote(&mut self.0, value);
        self
    }

    /// A text, or null.
    pub(crate) fn text_or_null(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.text(name, value),
            None => self.raw(name, "null"),
        }
    }

    /// What a value shows, as a text. So are all amounts: JavaScript's numbers end at 2^53.
    pub(crate) fn shown(&mut self, name: &str, value: &dyn Display) -> &mut Self {
        self.text(name, &value.to_string())
    }

    pub(crate) fn texts(&mut self, name: &str, values: &[String]) -> &mut Self {
        self.name(name);
        texts(&mut self.0, values);
        self
    }

    pub(crate) fn flag(&mut self, name: &str, value: bool) -> &mut Self {
        self.raw(name, if value { "true" } else { "false" })
    }

    /// A number that JavaScript holds exactly: the value must show as digits alone.
    pub(crate) fn shown_number(&mut self, name: &str, value: &dyn Display) -> &mut Self {
        self.raw(name, &value.to_string())
    }

    /// JSON that was written before.
    pub(crate) fn raw(&mut self, name: &str, json: &str) -> &mut Self {
        self.name(name);
        self.0.push_str(json);
        self
    }

    /// The text of the whole object.
    pub(crate) fn end(&mut self) -> String {
        self.0.push('}');
        std::mem::take(&mut self.0)
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        quote(&mut self.0, name);
        self.0.push(':');
    }
}

/// A list of what was written before.
pub(crate) fn list(items: &[String]) -> String {
    let mut json = String::from("[");
    for item in items {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(item);
    }
    json.push(']');
    json
}

/// A list of texts.
pub(crate) fn list_of_texts(values: &[String]) -> String {
    let mut json = String::new();
    texts(&mut json, values);
    json
}

fn texts(json: &mut String, values: &[String]) {
    json.push('[');
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        quote(json, value);
    }
    json.push(']');
}

/// RFC 8259 section 7: the quotation mark, the backslash and control characters are escaped.
fn quote(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                json.push('\\');
                json.push(character);
            }
            '\0'..='\x1f' => {
                // Writing to a String cannot fail.
                let _ = write!(json, "\\u{:04x}", u32::from(character));
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::{Value, json};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn every_text_reads_back() {
        let all: String = (0..0x300_u32).filter_map(char::from_u32).collect();
        for text in [
            "",
            "plain",
            "\"\\/\u{8}\n\r\t\0\x1f\x7f",
            "Grüße 世界 \u{2028}\u{1f600}",
            &all,
        ] {
            let written = Object::new().text("a \"name\"", text).end();
            let read: Value = serde_json::from_str(&written).unwrap();
            assert_eq!(read, json!({ "a \"name\"": text }), "{written}");
        }
    }

    #[test]
    fn fields_and_lists_are_those_of_json() {
        let inner = Object::of_kind("inner").shown_number("n", &u32::MAX).end();
        let written = Object::new()
            .text_or_null("nothing", None)
            .text_or_null("something", Some("x"))
            .texts("none", &[])
            .texts("two", &["a".into(), "\"".into()])
            .flag("yes", true)
            .flag("no", false)
            .shown("amount", &u128::MAX)
            .raw("list", &list(&[inner, Object::new().end()]))
            .raw("words", &list_of_texts(&["w".into()]))
            .end();
        let read: Value = serde_json::from_str(&written).unwrap();
        let expected = json!({
            "nothing": null, "something": "x", "none": [], "two": ["a", "\""], "yes": true, "no": false,
            "amount": u128::MAX.to_string(), "list": [{ "kind": "inner", "n": u32::MAX }, {}], "words": ["w"],
        });
        assert_eq!(read, expected);
        assert_eq!(list(&[]), "[]");
    }
}
