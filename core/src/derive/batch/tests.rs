use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn scalar_of(bytes: [u8; 32]) -> Scalar {
    Scalar::from_bytes_mod_order(bytes)
}

#[test]
fn the_table_multiplies_as_the_curve_does() {
    let table = BatchTable::new();
    let check = |scalar: Scalar| assert_eq!(table.multiply(&scalar), EdwardsPoint::mul_base(&scalar));
    check(Scalar::ZERO);
    check(Scalar::ONE);
    check(-Scalar::ONE);
    check(Scalar::from(MULTIPLES as u64));
    check(Scalar::from(MULTIPLES as u64 + 1));
    for bit in 0..253 {
        let mut power = [0; 32];
        power[bit / 8] = 1 << (bit % 8);
        check(scalar_of(power));
        check(scalar_of(power) - Scalar::ONE);
        check(-scalar_of(power));
    }
    // Each digit at its borders, and all of them at once.
    check(scalar_of([0xff; 32]));
    check(scalar_of([0x55; 32]));
    check(scalar_of([0xaa; 32]));
    proptest!(ProptestConfig::with_cases(64), |(bytes: [u8; 32])| {
        let scalar = scalar_of(bytes);
        prop_assert_eq!(table.multiply(&scalar), EdwardsPoint::mul_base(&scalar));
    });
}

#[test]
fn digits_are_in_range_and_add_up() {
    proptest!(|(bytes: [u8; 32])| {
        let scalar = scalar_of(bytes);
        let mut sum = Scalar::ZERO;
        let mut place = Scalar::ONE;
        for digit in signed_digits(&scalar) {
            prop_assert!(usize::from(digit.unsigned_abs()) <= MULTIPLES);
            let size = Scalar::from(u64::from(digit.unsigned_abs())) * place;
            sum = if digit < 0 { sum - size } else { sum + size };
            place *= Scalar::from(1_u64 << WIDTH);
        }
        prop_assert_eq!(sum, scalar);
    });
}

#[test]
fn blinding_changes_what_is_looked_up_and_not_what_comes_out() {
    let table = BatchTable::new();
    let hashed: Vec<_> = (0..2 * GROUP as u8 + 3)
        .map(|byte| Zeroizing::new([byte; 32]))
        .collect();
    let plain: Vec<_> = hashed
        .iter()
        .map(|bytes| EdwardsPoint::mul_base_clamped(**bytes))
        .collect();
    let first = Blinding::new([1; 32]);
    let second = Blinding::new([2; 32]);
    assert_eq!(*table.public_points(&hashed, &first), plain);
    assert_eq!(*table.public_points(&hashed, &second), plain);
    let scalars = [
        *first.scalar(0),
        *first.scalar(1),
        *second.scalar(0),
        *second.scalar(1),
    ];
    for (place, scalar) in scalars.iter().enumerate() {
        assert_ne!(*scalar, Scalar::ZERO);
        assert!(!scalars[..place].contains(scalar));
    }
    assert!(table.public_points(&[], &first).is_empty());
}

#[test]
fn debug_shows_no_blinding() {
    let shown = alloc::format!("{:?}", Blinding::new([0xab; 32]));
    assert_eq!(shown, "Blinding(<redacted>)");
    assert_eq!(alloc::format!("{:?}", BatchTable::new()), "BatchTable");
}
