//! The characters and shapes that a sign-in's values may have: RFC 3986's, without what only deceives.

use super::{Field, RESOURCES};

const MAX_NONCE: usize = 256;

/// RFC 3986's `reserved` and `unreserved`, section 2.
fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte)
}

/// One line of at least one character.
pub(super) fn is_statement(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b' ' || is_uri_byte(byte))
}

/// At least 8 letters and digits.
pub(super) fn is_nonce(text: &str) -> bool {
    (8..=MAX_NONCE).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// RFC 3986's `*pchar`, section 3.3.
pub(super) fn is_segment(text: &str) -> bool {
    escapes_are_whole(text)
        && text
            .bytes()
            .all(|byte| byte == b'%' || is_uri_byte(byte) && !b"/?#[]".contains(&byte))
}

/// An absolute URI: a scheme, a colon, and something after it. One with `//` has an authority.
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    is_scheme(scheme)
        && !rest.is_empty()
        && escapes_are_whole(rest)
        && rest.bytes().all(|byte| byte == b'%' || is_uri_byte(byte))
        && (!rest.starts_with("//") || authority_of(text).is_some_and(is_authority))
        && (rest.starts_with("//")
            || !(scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")))
}

/// RFC 3986 section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// What stands between `//` and the path, of a URI that has it.
pub(super) fn authority_of(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    if !is_scheme(scheme) {
        return None;
    }
    rest.strip_prefix("//")?.split(['/', '?', '#']).next()
}

/// A host with an optional port, without user information (RFC 3986 section 3.2).
pub(super) fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((literal, port)) => {
            let is_literal = literal.contains(':')
                && literal
                    .bytes()
                    .all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte));
            if !is_literal || !(port.is_empty() || port.starts_with(':')) {
                return false;
            }
            (literal, port.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let host_is_sound = text.starts_with('[')
        || host.split('.').all(|label| {
            let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            (1..=63).contains(&label.len()) && label.bytes().all(inner)
        });
    let port_is_sound = port
        .is_none_or(|port| !port.starts_with(['0', '+']) && port.len() <= 5 && port.parse::<u16>().is_ok());
    text.len() <= 259 && host_is_sound && port_is_sound
}

/// Whether a line would be read as a field.
pub(super) fn begins_like_field(line: &str) -> bool {
    line.starts_with(RESOURCES)
        || Field::LABELLED
            .into_iter()
            .any(|field| field.value(line).is_some())
}

/// Whether two hexadecimal digits follow every `%`.
fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        after
            .as_bytes()
            .first_chunk::<2>()
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}
