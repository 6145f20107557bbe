//! Public keys by the thousand: a large table of multiples of the base point, read blinded.
//!
//! For derivation in chunks only. A single key and every signature go through [`crate::ed25519`], which
//! reads all of its small tables whatever the key.
//!
//! # Speed
//! A multiplication is 24 additions of precomputed points instead of 64 and 4 doublings, and no table row
//! is scanned. Making the table takes a few milliseconds and 4 MiB.
//!
//! # Security
//! Which lines of this table are read depends on the number multiplied, and a hostile process on the same
//! machine may see some of it in the shared cache. So no secret scalar `a` is ever looked up. What is looked
//! up is `a + r`, with a random `r` that [`GROUP`] keys share, and `r * B`, made by the constant-time
//! multiplication, is subtracted afterwards:
//!
//! - One `a + r` modulo the group's order is uniform whatever `a` is, so that a perfect trace of one key tells
//!   nothing about it.
//! - Perfect traces of a whole group tell the differences of its keys and nothing more: finding any of the
//!   keys is then still a discrete logarithm. Who knew all differences of a group and was *given* one of its
//!   private keys would have the others of that group; [`GROUP`] bounds that.
//! - The blinding is drawn anew for each chunk and never reused, so nothing adds up over several runs.
//!
//! What remains is what any software leaves: whoever can read this process's memory has the keys anyway.

use alloc::vec::Vec;
use core::fmt;

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::{Scalar, clamp_integer};
use curve25519_dalek::traits::Identity;
use sha2::{Digest, Sha512};
use zeroize::{Zeroize, Zeroizing};

/// Bits of a digit.
const WIDTH: usize = 11;
/// Multiples kept for each digit: 1 to half of the radix, since digits are signed.
const MULTIPLES: usize = 1 << (WIDTH - 1);
/// Digits of a scalar below the group's order, 2^252 + ..., with room for the last carry.
const DIGITS: usize = 253_usize.div_ceil(WIDTH) + 1;
/// How many keys share one blinding.
pub const GROUP: usize = 32;

/// Random bytes that blind one chunk. Drawn anew for each; wiped when dropped.
pub struct Blinding(Zeroizing<[u8; 32]>);

impl Blinding {
    /// Takes 32 random bytes, used for nothing else.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The uniform scalar of one group of the chunk.
    fn scalar(&self, group: u64) -> Zeroizing<Scalar> {
        let hash = Sha512::new()
            .chain_update(b"keyward/batch-blinding/v1\0")
            .chain_update(*self.0)
            .chain_update(group.to_be_bytes())
            .finalize();
        let wide: Zeroizing<[u8; 64]> = Zeroizing::new(hash.into());
        Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide))
    }
}

impl fmt::Debug for Blinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blinding(<redacted>)")
    }
}

/// Multiples of the base point: 4 MiB, made once for a large derivation and dropped after it. Holds nothing
/// secret.
pub struct BatchTable {
    /// `(1 to MULTIPLES) * 2^(WIDTH * digit) * B`, digit by digit.
    points: Vec<EdwardsPoint>,
}

impl fmt::Debug for BatchTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BatchTable")
    }
}

impl Default for BatchTable {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchTable {
    /// Makes the table, in a few milliseconds.
    #[must_use]
    pub fn new() -> Self {
        let mut points = Vec::with_capacity(DIGITS * MULTIPLES);
        let mut base = EdwardsPoint::mul_base(&Scalar::ONE);
        for _ in 0..DIGITS {
            let mut multiple = base;
            for _ in 0..MULTIPLES {
                points.push(multiple);
                multiple += base;
            }
            // From (MULTIPLES + 1) * base, which the loop ended with, to 2 * MULTIPLES * base.
            base = multiple + multiple - base - base;
        }
        Self { points }
    }

    /// The public points of clamped secret scalars, in order.
    ///
    /// `hashed` holds the first halves of the SHA-512 of each key's seed (RFC 8032 section 5.1.5).
    pub(super) fn public_points(
        &self,
        hashed: &[Zeroizing<[u8; 32]>],
        blinding: &Blinding,
    ) -> Zeroizing<Vec<EdwardsPoint>> {
        let mut points = Zeroizing::new(Vec::with_capacity(hashed.len()));
        for (group, members) in (0_u64..).zip(hashed.chunks(GROUP)) {
            let blind = blinding.scalar(group);
            let mut blind_point = EdwardsPoint::mul_base(&blind);
            for bytes in members {
                let mut clamped = clamp_integer(**bytes);
                let mut secret = Scalar::from_bytes_mod_order(clamped);
                clamped.zeroize();
                let mut blinded = secret + *blind;
                secret.zeroize();
                points.push(self.multiply(&blinded) - blind_point);
                blinded.zeroize();
            }
            blind_point.zeroize();
        }
        points
    }

    /// `scalar * B`. The time and the lines read depend on the scalar, which is blinded.
    fn multiply(&self, scalar: &Scalar) -> EdwardsPoint {
        let mut digits = signed_digits(scalar);
        let mut sum = EdwardsPoint::identity();
        for (row, digit) in self.points.chunks_exact(MULTIPLES).zip(&digits) {
            let place = usize::from(digit.unsigned_abs());
            // A digit of 0 has no entry; none is above MULTIPLES.
            if let Some(point) = place.checked_sub(1).and_then(|place| row.get(place)) {
                if *digit < 0 {
                    sum -= point;
                } else {
                    sum += point;
                }
            }
        }
        digits.zeroize();
        sum
    }
}

/// The scalar in signed digits of [`WIDTH`] bits, the lowest first: each from -MULTIPLES + 1 to MULTIPLES.
fn signed_digits(scalar: &Scalar) -> [i16; DIGITS] {
    let bytes = scalar.as_bytes();
    let mut digits = [0; DIGITS];
    let mut carry = 0;
    for (place, digit) in digits.iter_mut().enumerate() {
        let bit = place * WIDTH;
        let mut window = 0_u32;
        for (shift, byte) in bytes.iter().skip(bit / 8).take(3).enumerate() {
            window |= u32::from(*byte) << (8 * shift);
        }
        // Under 2^WIDTH, and so in an i16.
        let value = ((window >> (bit % 8)) & ((1 << WIDTH) - 1)) as i16 + carry;
        carry = i16::from(value > MULTIPLES as i16);
        *digit = value - (carry << WIDTH);
    }
    digits
}

#[cfg(test)]
mod tests;
