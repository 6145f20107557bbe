//! The address book as CSV: `address,label[,note]`, quoted as RFC 4180 says, one contact a line.
//!
//! A quoted field may hold commas and doubled quotation marks, but no line break: labels and notes have none.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use keyward_core::address::Address;
use keyward_custody::{Contact, NewContact};

use crate::exit::{Exit, Failure};

/// The longest file, in bytes, and in lines.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
const MAX_LINES: usize = 10_000;

pub(super) fn read(file: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let done = File::open(file).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text));
    match done {
        Err(error) => Err(Failure::new(
            Exit::NotFound,
            "file_unreadable",
            format!("{} cannot be read: {error}", file.display()),
            "check its name and whether it is text in UTF-8",
        )),
        Ok(_) if text.len() as u64 > MAX_BYTES => Err(too_large()), // a usize has at most 64 bits
        Ok(_) => Ok(text),
    }
}

fn too_large() -> Failure {
    Failure::invalid(
        "file_too_large",
        format!("the file has more than {MAX_LINES} lines or {MAX_BYTES} bytes"),
        "split it",
    )
}

/// Every contact of a file, or what is wrong with its first bad line. A first line of `address,label,note` is a heading.
pub(super) fn parse(text: &str) -> Result<Vec<NewContact>, Failure> {
    let text = text.trim_start_matches('\u{feff}');
    let mut contacts: Vec<NewContact> = Vec::new();
    let mut seen = std::collections::HashMap::new();
    for (number, line) in (1_usize..).zip(text.lines()) {
        if number > MAX_LINES + 1 {
            return Err(too_large());
        }
        let heading = number == 1 && line.to_ascii_lowercase().starts_with("address,");
        if line.trim().is_empty() || heading {
            continue;
        }
        let wrong = |what: String| {
            Failure::invalid(
                "csv_invalid",
                format!("line {number}: {what}"),
                "a line is address,label or address,label,note",
            )
        };
        let fields = split(line).ok_or_else(|| wrong("the quotation marks do not close".to_owned()))?;
        let (address, label, note) = match fields.as_slice() {
            [address, label] => (address, label, String::new()),
            [address, label, note] => (address, label, note.clone()),
            other => return Err(wrong(format!("{} fields", other.len()))),
        };
        let address: Address = address
            .trim()
            .parse()
            .map_err(|error| wrong(format!("the address: {error}")))?;
        let label = label.trim().to_owned();
        for key in [address.to_string(), label.clone()] {
            if let Some(earlier) = seen.insert(key, number) {
                return Err(wrong(format!(
                    "its address or label is on line {earlier} as well"
                )));
            }
        }
        contacts.push(NewContact { address, label, note });
    }
    if contacts.is_empty() {
        return Err(Failure::invalid(
            "csv_invalid",
            "the file holds no contact",
            "a line is address,label or address,label,note",
        ));
    }
    Ok(contacts)
}

/// The fields of a line; none where a quotation mark does not close, or stands where none may.
fn split(line: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (field, after) = rest.split_at(end);
                if field.contains('"') {
                    return None;
                }
                (field.to_owned(), after)
            }
            Some(quoted) => {
                let mut field = String::new();
                let mut from = quoted;
                loop {
                    let (before, after) = from.split_once('"')?;
                    field.push_str(before);
                    match after.strip_prefix('"') {
                        Some(more) => {
                            field.push('"');
                            from = more;
                        }
                        None => break (field, after),
                    }
                }
            }
        };
        fields.push(field);
        if after.is_empty() {
            return Some(fields);
        }
        rest = after.strip_prefix(',')?;
    }
}

pub(super) fn line(contact: &Contact) -> String {
    format!(
        "{},{},{}\n",
        contact.address,
        quoted(&contact.label),
        quoted(&contact.note)
    )
}

fn quoted(text: &str) -> String {
    match text.contains([',', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

pub(super) fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let done = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    done.map_err(|error| {
        Failure::new(
            Exit::Storage,
            "file_unwritable",
            format!("{} cannot be written: {error}", file.display()),
            "name a file that is not there yet, in a folder that is",
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const ADDRESS: &str = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk";

    #[test]
    fn a_field_may_be_quoted() {
        for (line, fields) in [
            ("a,b", vec!["a", "b"]),
            ("a,\"b, c\",", vec!["a", "b, c", ""]),
            ("\"say \"\"hi\"\"\",x", vec!["say \"hi\"", "x"]),
            ("", vec![""]),
        ] {
            assert_eq!(
                split(line),
                Some(fields.iter().map(ToString::to_string).collect()),
                "{line}"
            );
        }
        for line in ["\"a", "a\"b,c", "\"a\"b", "\"a\"\"", "a,\""] {
            assert_eq!(split(line), None, "{line}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let contact = Contact {
            address: ADDRESS.parse().unwrap(),
            label: "Smith, \"Jo\"".into(),
            note: "rent".into(),
            created_ms: 0,
            paid: 0,
        };
        let parsed = parse(&format!("address,label,note\r\n\n{}", line(&contact))).unwrap();
        let [new] = parsed.as_slice() else {
            panic!("{parsed:?}");
        };
        assert_eq!(
            (new.address, &new.label, &new.note),
            (contact.address, &contact.label, &contact.note)
        );
    }

    #[test]
    fn a_bad_line_is_named() {
        let other = "9n8nR1dSJGiFUDYMuHVVHkDQRU3wtZRDuWbJtDgXqyvJ";
        for (text, what) in [
            (format!("{ADDRESS},a\nnonsense,b\n"), "line 2"),
            (format!("{ADDRESS},a\n{other},a\n"), "line 2"),
            (format!("{ADDRESS},a\n\n{ADDRESS},b\n"), "line 3"),
            (format!("{ADDRESS}\n"), "line 1"),
            (format!("{ADDRESS},a,b,c\n"), "line 1"),
            (format!("{ADDRESS},\"a\n"), "line 1"),
            ("address,label\n".to_owned(), "no contact"),
        ] {
            let failure = parse(&text).unwrap_err();
            assert!(failure.to_json().to_string().contains(what), "{text}");
        }
    }
}
