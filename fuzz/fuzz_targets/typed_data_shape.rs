//! Documents of typed data with types that fit their values: accepted, and the same in any order of the members.
#![no_main]

use keyward_core::evm::typed_data::TypedData;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

/// Deepest nesting of what is made here; less than what is accepted.
const DEPTH: usize = 4;

fuzz_target!(|bytes: &[u8]| {
    let _ = check(&mut Unstructured::new(bytes));
});

fn check(input: &mut Unstructured<'_>) -> Result<()> {
    let mut made = Made::default();
    let (name, value) = made.structure(input, DEPTH)?;
    let document = made.document(&name, &value.forward);
    let read = TypedData::from_json(&document).unwrap_or_else(|error| panic!("{error}: {document}"));
    let turned = TypedData::from_json(&made.document(&name, &value.backward));
    assert_eq!(turned, Ok(read.clone()), "{document}");
    assert!(
        !read
            .sentences()
            .iter()
            .any(|line| line.contains(char::is_control))
    );
    // Other numbers in other places have other hashes; the domain is part of it.
    let elsewhere = document.replace(r#""chainId":1}"#, r#""chainId":2}"#);
    let elsewhere = TypedData::from_json(&elsewhere).expect("another chain is as good");
    assert_ne!(elsewhere.signing_hash(), read.signing_hash());
    Ok(())
}

/// The types made so far.
#[derive(Default)]
struct Made {
    types: Vec<String>,
}

/// A value's JSON, with the members of every object in the order of their types and turned round.
struct Written {
    forward: String,
    backward: String,
}

impl Made {
    fn document(&self, name: &str, message: &str) -> String {
        let types = self.types.join(",");
        format!(
            r#"{{"types":{{"EIP712Domain":[{{"name":"chainId","type":"uint256"}}],{types}}},"primaryType":"{name}","domain":{{"chainId":1}},"message":{message}}}"#
        )
    }

    fn structure(&mut self, input: &mut Unstructured<'_>, depth: usize) -> Result<(String, Written)> {
        let mut fields = Vec::new();
        let mut members = Vec::new();
        for at in 0..input.int_in_range(0..=4_u8)? {
            let (kind, value) = self.value(input, depth)?;
            fields.push(format!(r#"{{"name":"f{at}","type":"{kind}"}}"#));
            members.push((at, value));
        }
        let name = format!("T{}", self.types.len());
        self.types.push(format!(r#""{name}":[{}]"#, fields.join(",")));
        let forward: Vec<String> = members
            .iter()
            .map(|(at, value)| format!(r#""f{at}":{}"#, value.forward))
            .collect();
        let backward: Vec<String> = members
            .iter()
            .rev()
            .map(|(at, value)| format!(r#""f{at}":{}"#, value.backward))
            .collect();
        let value = Written {
            forward: format!("{{{}}}", forward.join(",")),
            backward: format!("{{{}}}", backward.join(",")),
        };
        Ok((name, value))
    }

    fn value(&mut self, input: &mut Unstructured<'_>, depth: usize) -> Result<(String, Written)> {
        let plain = |kind: &str, value: String| {
            let written = Written {
                forward: value.clone(),
                backward: value,
            };
            Ok((kind.to_owned(), written))
        };
        let most = if depth == 0 { 6 } else { 8 };
        match input.int_in_range(0..=most)? {
            0 => plain("bool", input.arbitrary::<bool>()?.to_string()),
            1 => plain("uint64", input.arbitrary::<u64>()?.to_string()),
            2 => plain("int64", format!(r#""{}""#, input.arbitrary::<i64>()?)),
            3 => plain(
                "uint256",
                format!(r#""0x{}""#, hex(&input.arbitrary::<[u8; 32]>()?)),
            ),
            4 => plain(
                "address",
                format!(r#""0x{}""#, hex(&input.arbitrary::<[u8; 20]>()?)),
            ),
            5 => {
                let len = input.int_in_range(0..=40_usize)?.min(input.len());
                plain("bytes", format!(r#""0x{}""#, hex(input.bytes(len)?)))
            }
            6 => {
                let len = input.int_in_range(0..=40_usize)?.min(input.len());
                let text = String::from_utf8_lossy(input.bytes(len)?).into_owned();
                plain("string", quoted(&text))
            }
            7 => self.structure(input, depth - 1),
            _ => {
                // One entry, so that all entries have the type made for it; or none.
                let (kind, value) = self.value(input, depth - 1)?;
                let (kind, count) = match input.int_in_range(0..=2)? {
                    0 => (format!("{kind}[]"), 0),
                    1 => (format!("{kind}[2]"), 2),
                    _ => (format!("{kind}[]"), 3),
                };
                let list = |entry: &String| format!("[{}]", vec![entry.as_str(); count].join(","));
                let value = Written {
                    forward: list(&value.forward),
                    backward: list(&value.backward),
                };
                Ok((kind, value))
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A JSON text; everything beyond ASCII as it is, the rest escaped where it must be.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
