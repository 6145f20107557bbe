//! Typed data as lines of text.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::value::{Struct, Value};
use crate::policy::text::is_printable;

/// The most characters of a name or an error's text.
const SHOWN: usize = 200;

/// One line for each value of a message, with its path. Nothing is left out: it is all signed.
pub(super) fn lines(message: &Struct) -> Vec<String> {
    let mut lines = Vec::new();
    list_struct("", message, &mut lines);
    lines
}

fn list_struct(path: &str, value: &Struct, lines: &mut Vec<String>) {
    if value.fields.is_empty() {
        lines.push(format!("{path}: an empty {}", value.name));
    }
    for (name, field) in &value.fields {
        let path = match path {
            "" => name.clone(),
            path => format!("{path}.{name}"),
        };
        list(&path, field, lines);
    }
}

fn list(path: &str, value: &Value, lines: &mut Vec<String>) {
    let shown = match value {
        Value::Struct(own) => return list_struct(path, own, lines),
        Value::Array(entries) if entries.is_empty() => String::from("an empty list"),
        Value::Array(entries) => {
            for (position, entry) in entries.iter().enumerate() {
                list(&format!("{path}[{position}]"), entry, lines);
            }
            return;
        }
        Value::FixedBytes(bytes) | Value::Bytes(bytes) => format!("0x{}", hex::encode(bytes)),
        Value::Uint(number) => format!("{number}"),
        Value::Int(number) => {
            let sign = if number.negative { "-" } else { "" };
            format!("{sign}{}", number.magnitude)
        }
        Value::Bool(value) => format!("{value}"),
        Value::Address(address) => format!("{address}"),
        Value::Text(text) => format!("\"{}\"", escape(text, usize::MAX)),
    };
    lines.push(format!("{path}: {shown}"));
}

/// Text from the document, so that it can neither steer a terminal nor pose as a line of its own.
pub(super) fn escaped(text: &str) -> String {
    escape(text, SHOWN)
}

fn escape(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == limit {
            shown.push('…');
            break;
        }
        if c == '"' || c == '\\' {
            shown.push('\\');
            shown.push(c);
        } else if is_printable(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_unicode());
        }
    }
    shown
}
