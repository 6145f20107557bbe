//! Bytes across the border: copied once, bounded before anything is allocated, wiped on this side.

use js_sys::Uint8Array;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The longest secret accepted, in bytes: a password, a phrase, a passphrase. No official wordlist has a phrase of
/// half as many.
pub(crate) const MAX_SECRET_BYTES: usize = 1024;
/// The longest thing to sign, in bytes: EVM transactions may have 128 KiB.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 131_072;

/// How much of the stack is cleared after work with a secret: deriving and signing use less.
const CLEARED_STACK: usize = 96 * 1024;

/// Copies a secret out of the page's memory.
pub(crate) fn secret(array: &Uint8Array) -> Result<Zeroizing<Vec<u8>>, Failure> {
    bounded(array, MAX_SECRET_BYTES)
}

/// As [`secret`], with none for an empty or absent array.
pub(crate) fn optional_secret(array: Option<Uint8Array>) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
    match array {
        Some(array) if array.length() > 0 => secret(&array).map(Some),
        _ => Ok(None),
    }
}

/// Copies up to `max` bytes. The length is looked at first, so that no page can make this side allocate without
/// bounds.
pub(crate) fn bounded(array: &Uint8Array, max: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let limit = Failure::TooLong { limit: max };
    let length = usize::try_from(array.length()).map_err(|_| Failure::TooLong { limit: max })?;
    if length > max {
        return Err(limit);
    }
    let mut bytes = Zeroizing::new(vec![0; length]);
    array.copy_to(&mut bytes);
    Ok(bytes)
}

/// Bytes as an array of the page's own.
pub(crate) fn exposed(bytes: &[u8]) -> Uint8Array {
    Uint8Array::from(bytes)
}

/// UTF-8, or the reason.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Failure> {
    str::from_utf8(bytes).map_err(|_| Failure::Encoding)
}

/// Does a piece of work in a frame of its own and overwrites what it left on the stack.
pub(crate) fn clearing_stack<T>(work: impl FnOnce() -> T) -> T {
    let done = below(work);
    zeroize::zeroize_stack::<CLEARED_STACK>();
    done
}

#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    work()
}
