//! JSON as text: written otherwise without another meaning, and what its numbers may cost.
//!
//! A second, lax reader on purpose: it knows strings from the rest and no more.

/// One byte of a document and where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Outside,
    InText,
    /// After a backslash.
    Escaped,
}

fn places(document: &str) -> impl Iterator<Item = (char, Place)> {
    let mut place = Place::Outside;
    document.chars().map(move |c| {
        let here = place;
        place = match (place, c) {
            (Place::Outside, '"') | (Place::Escaped, _) => Place::InText,
            (Place::Outside, _) | (Place::InText, '"') => Place::Outside,
            (Place::InText, '\\') => Place::Escaped,
            (Place::InText, _) => Place::InText,
        };
        (c, here)
    })
}

/// The same document with white space wherever it may stand.
#[must_use]
pub fn spaced(document: &str) -> String {
    let mut out = String::from("\n");
    for (c, place) in places(document) {
        let splits = place == Place::Outside && "{}[],:".contains(c);
        if splits {
            out.push(' ');
        }
        out.push(c);
        if splits {
            out.push_str("\r\n\t");
        }
    }
    out
}

/// The product of all whole numbers that stand outside of texts, zeros left out: no key stretching that the document
/// asks for takes more rounds.
#[must_use]
pub fn dearest(document: &str) -> u64 {
    let mut product = 1_u64;
    let mut number = 0_u64;
    for (c, place) in places(document).chain([(' ', Place::Outside)]) {
        match c.to_digit(10) {
            Some(digit) if place == Place::Outside => {
                number = number.saturating_mul(10).saturating_add(u64::from(digit));
            }
            _ => {
                product = product.saturating_mul(number.max(1));
                number = 0;
            }
        }
    }
    product
}
