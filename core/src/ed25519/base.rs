//! Multiples of the base point in constant time.
//!
//! The table for it is 30 KiB that no compression makes smaller. A console has it built in; a page would have to load it,
//! so there it is computed when it is first needed, which takes 2 ms once.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;

/// `scalar` times the base point. Reads all of each of its small tables, whatever the scalar.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn multiply(scalar: &Scalar) -> EdwardsPoint {
    EdwardsPoint::mul_base(scalar)
}

/// `scalar` times the base point. Reads all of each of its small tables, whatever the scalar.
///
/// A table computed wrong would be noticed before anything is signed with it: [`super::PreparedKey::new`] verifies by
/// other means.
#[cfg(target_arch = "wasm32")]
pub(super) fn multiply(scalar: &Scalar) -> EdwardsPoint {
    use alloc::boxed::Box;

    use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
    use curve25519_dalek::edwards::EdwardsBasepointTable;
    use curve25519_dalek::traits::BasepointTable;
    use once_cell::race::OnceBox;

    static TABLE: OnceBox<EdwardsBasepointTable> = OnceBox::new();
    TABLE
        .get_or_init(|| Box::new(EdwardsBasepointTable::create(&ED25519_BASEPOINT_POINT)))
        .mul_base(scalar)
}
