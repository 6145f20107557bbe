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
    let (host_is_sound, port) = match text.strip_prefix('[') {
        // Without its closing bracket it is no name either.
        Some(rest) => match rest.split_once(']') {
            Some((literal, "")) => (is_address_literal(literal), None),
            Some((literal, port)) => match port.strip_prefix(':') {
                Some(port) => (is_address_literal(literal), Some(port)),
                None => return false,
            },
            None => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (is_host_name(host), Some(port)),
            None => (is_host_name(text), None),
        },
    };
    let port_is_sound = port
        .is_none_or(|port| !port.starts_with(['0', '+']) && port.len() <= 5 && port.parse::<u16>().is_ok());
    text.len() <= 259 && host_is_sound && port_is_sound
}

/// What may stand between brackets: an IPv6 address, as far as its characters go.
fn is_address_literal(text: &str) -> bool {
    text.contains(':')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
}

/// Labels of 1 to 63 letters, digits, hyphens and underscores.
fn is_host_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.split('.')
        .all(|label| (1..=63).contains(&label.len()) && label.bytes().all(inner))
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
