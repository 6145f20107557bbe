//! Documents for `eth_signTypedData_v4` made from a stream of bytes: types first, then values that fit them.

use alloy_primitives::{Address, I256, U256};
use serde_json::{Map, Value, json};

/// Names that sort differently by name than by length or case.
const STRUCTS: [&str; 6] = ["Mail", "Foo", "FooBar", "Foo_", "foo", "Z0"];
const FIELDS: [&str; 6] = ["a", "from", "_x", "$v", "data2", "A"];
/// The domain's fields, without the chain, in their order.
const DOMAIN: [(&str, &str); 5] = [
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
    ("salt", "bytes32"),
];

/// Bytes from which choices are made; zeros when they are used up.
pub(crate) struct Choices<'a>(pub(crate) &'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.byte()).collect()
    }
}

#[derive(Clone)]
enum Kind {
    Atom(String),
    Struct(usize),
    Array(Box<Kind>, Option<usize>),
}

impl Kind {
    /// A type of a field; it refers to structures behind `after` alone, so that values end.
    fn choose(choices: &mut Choices<'_>, after: usize, count: usize) -> Self {
        let base = match choices.below(4) {
            0 if after + 1 < count => Self::Struct(after + 1 + choices.below(count - after - 1)),
            _ => Self::Atom(atom(choices)),
        };
        let arrays = [0, 0, 0, 1, 1, 2][choices.below(6)];
        (0..arrays).fold(base, |inner, _| {
            let len = [None, Some(1), Some(2), None][choices.below(4)];
            Self::Array(Box::new(inner), len)
        })
    }

    fn written(&self) -> String {
        match self {
            Self::Atom(name) => name.clone(),
            Self::Struct(at) => STRUCTS[*at].into(),
            Self::Array(inner, None) => format!("{}[]", inner.written()),
            Self::Array(inner, Some(len)) => format!("{}[{len}]", inner.written()),
        }
    }

    fn value(&self, choices: &mut Choices<'_>, structs: &[Vec<(&str, Self)>]) -> Value {
        match self {
            Self::Atom(name) => atom_value(name, choices),
            Self::Struct(at) => {
                let fields = structs[*at].iter();
                let read = |(name, kind): &(&str, Self)| ((*name).into(), kind.value(choices, structs));
                Value::Object(fields.map(read).collect())
            }
            Self::Array(inner, len) => {
                let len = len.unwrap_or_else(|| choices.below(4));
                (0..len).map(|_| inner.value(choices, structs)).collect()
            }
        }
    }
}

fn atom(choices: &mut Choices<'_>) -> String {
    match choices.below(7) {
        0 => "bool".into(),
        1 => "address".into(),
        2 => "string".into(),
        3 => "bytes".into(),
        4 => format!("bytes{}", 1 + choices.below(32)),
        5 => format!("uint{}", 8 + 8 * choices.below(32)),
        _ => format!("int{}", 8 + 8 * choices.below(32)),
    }
}

fn atom_value(name: &str, choices: &mut Choices<'_>) -> Value {
    let hex = |bytes: Vec<u8>| Value::from(format!("0x{}", hex::encode(bytes)));
    match name {
        "bool" => (choices.below(2) == 1).into(),
        "address" => match choices.below(2) {
            0 => hex(choices.bytes(20)),
            _ => Address::from_slice(&choices.bytes(20)).to_checksum(None).into(),
        },
        "string" => text(choices).into(),
        "bytes" => {
            let len = choices.below(40);
            hex(choices.bytes(len))
        }
        _ if name.starts_with("bytes") => hex(choices.bytes(name[5..].parse().unwrap())),
        _ if name.starts_with("uint") => {
            let bits: usize = name[4..].parse().unwrap();
            uint(U256::from_be_slice(&edge(bits / 8, choices)), choices)
        }
        _ => {
            let bits: usize = name[3..].parse().unwrap();
            int(&edge(bits / 8, choices))
        }
    }
}

/// So many bytes, often the ends of what they can be.
fn edge(len: usize, choices: &mut Choices<'_>) -> Vec<u8> {
    let mut bytes = match choices.below(5) {
        0 => vec![0; len],
        1 => vec![0xff; len],
        2 => vec![0; len - 1].into_iter().chain([choices.byte()]).collect(),
        _ => choices.bytes(len),
    };
    // The ends of numbers with sign: 0x80…00 and 0x7f…ff.
    if choices.below(4) == 0 {
        bytes[0] ^= 0x80;
    }
    bytes
}

fn uint(number: U256, choices: &mut Choices<'_>) -> Value {
    match (choices.below(4), u64::try_from(number)) {
        (0, Ok(number)) => number.into(),
        (1, _) => format!("{number:#x}").into(),
        (2, _) => format!("{number:#066x}").into(),
        _ => number.to_string().into(),
    }
}

/// The number that big-endian bytes are in two's complement.
fn int(bytes: &[u8]) -> Value {
    let fill = if bytes[0] >= 0x80 { 0xff } else { 0 };
    let mut word = [fill; 32];
    word[32 - bytes.len()..].copy_from_slice(bytes);
    let number = I256::from_be_bytes(word);
    match i64::try_from(number) {
        Ok(number) if number % 2 == 0 => number.into(),
        _ => number.to_string().into(),
    }
}

fn text(choices: &mut Choices<'_>) -> String {
    let len = choices.below(8);
    let letters = [
        'a', '"', '\\', '\u{0}', '\u{202e}', 'é', '密', '😁', '\n', '\u{feff}', ' ', '0',
    ];
    (0..len).map(|_| letters[choices.below(letters.len())]).collect()
}

/// A document that fits its own types and names its chain.
pub(crate) fn document(choices: &mut Choices<'_>) -> Value {
    let count = 1 + choices.below(STRUCTS.len());
    let structs: Vec<Vec<(&str, Kind)>> = (0..count)
        .map(|at| {
            let fields = choices.below(FIELDS.len());
            let kind = |name| (name, Kind::choose(choices, at, count));
            FIELDS.into_iter().take(fields).map(kind).collect()
        })
        .collect();
    let mut types = Map::new();
    for (name, fields) in STRUCTS.into_iter().zip(&structs) {
        let field = |(name, kind): &(&str, Kind)| json!({"name": name, "type": kind.written()});
        types.insert(name.into(), fields.iter().map(field).collect());
    }
    let kept = choices.byte();
    let domain_fields = || {
        let chosen = |at: &usize| DOMAIN[*at].0 == "chainId" || kept >> at & 1 == 1;
        (0..DOMAIN.len()).filter(chosen).map(|at| DOMAIN[at])
    };
    let field = |(name, kind)| json!({"name": name, "type": kind});
    types.insert("EIP712Domain".into(), domain_fields().map(field).collect());
    let mut domain = Map::new();
    for (name, kind) in domain_fields() {
        let value = match name {
            "chainId" => uint(U256::from(1 + choices.below(255)), choices),
            _ => atom_value(kind, choices),
        };
        domain.insert(name.into(), value);
    }
    json!({
        "types": types,
        "primaryType": STRUCTS[0],
        "domain": domain,
        "message": Kind::Struct(0).value(choices, &structs),
    })
}
