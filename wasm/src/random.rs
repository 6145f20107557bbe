//! The platform's randomness, and numbers that JavaScript hands over.

use zeroize::Zeroizing;

use crate::failure::Failure;

/// Random bytes that are no secret, such as a salt or a name.
pub(crate) fn array<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Failure::Randomness)?;
    Ok(bytes)
}

/// Random bytes that are wiped when dropped.
pub(crate) fn secret_bytes(len: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(vec![0; len]);
    getrandom::fill(&mut bytes).map_err(|_| Failure::Randomness)?;
    Ok(bytes)
}

/// wasm-bindgen turns 4294967296, 0.5 and NaN into a `u32` without a word, so numbers come as they are and are looked
/// at here: a wrong index would silently be another wallet.
pub(crate) fn integer(number: f64, max: u32) -> Option<u32> {
    let is_index = number >= 0.0 && number <= f64::from(max) && number.fract() == 0.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an integer from 0 to `max`, checked above"
    )]
    is_index.then_some(number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_integers_in_range_pass() {
        let max = 2_147_483_647;
        for (good, number) in [(0.0, 0), (-0.0, 0), (1.0, 1), (2_147_483_647.0, max)] {
            assert_eq!(integer(good, max), Some(number), "{good}");
        }
        for bad in [
            -1.0,
            0.5,
            2_147_483_648.0,
            4_294_967_296.0,
            1e300,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            assert_eq!(integer(bad, max), None, "{bad}");
        }
    }
}
