#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

const SEED: SplitSeed = SplitSeed::new([7; 16]);

fn sum(parts: &[u64]) -> u128 {
    parts.iter().map(|part| u128::from(*part)).sum()
}

fn random(min: u64, max: u64) -> Division {
    Division::Random { seed: SEED, min, max }
}

#[test]
fn divides_as_told() {
    let check = |total, division: &Division, count: usize, expected: &[u64]| {
        assert_eq!(
            divide(total, division, &vec![0; count]).unwrap(),
            expected,
            "{division:?}"
        );
    };
    check(10, &Division::Even, 3, &[4, 3, 3]);
    check(9, &Division::Even, 3, &[3, 3, 3]);
    check(u64::MAX, &Division::Even, 1, &[u64::MAX]);
    check(10, &Division::Weighted(vec![1, 1, 1]), 3, &[4, 3, 3]);
    check(100, &Division::Weighted(vec![50, 30, 20]), 3, &[50, 30, 20]);
    // Remainders of 1/3, 1/6 and 1/2: the largest gets the unit that is left.
    check(1, &Division::Weighted(vec![2, 1, 3]), 3, &[0, 0, 1]);
    let huge = Division::Weighted(vec![u64::MAX, u64::MAX]);
    check(u64::MAX, &huge, 2, &[u64::MAX / 2 + 1, u64::MAX / 2]);
    check(30, &random(10, 10), 3, &[10, 10, 10]);
    check(300, &random(0, 100), 3, &[100, 100, 100]);
}

/// What a seed gives is recorded by its seed alone, so it may never change.
#[test]
fn a_seed_gives_the_same_parts_for_ever() {
    let parts = divide(1_000_000, &random(0, u64::MAX), &[0; 8]).unwrap();
    assert_eq!(parts, PINNED);
    let narrow = divide(1_000_000, &random(100_000, 150_000), &[0; 8]).unwrap();
    assert_eq!(sum(&narrow), 1_000_000);
    assert!(
        narrow.iter().all(|part| (100_000..=150_000).contains(part)),
        "{narrow:?}"
    );
    let other = Division::Random {
        seed: SplitSeed::new([8; 16]),
        min: 0,
        max: u64::MAX,
    };
    assert_ne!(divide(1_000_000, &other, &[0; 8]).unwrap(), parts);
}

/// Also what a few lines of Python make of the description at `SplitSeed::weights`.
const PINNED: [u64; 8] = [148_574, 66_673, 31_103, 232_431, 71_714, 218_518, 14_610, 216_377];

#[test]
fn what_cannot_be_divided_is_refused() {
    let check = |total, division: &Division, least: &[u64], expected: SplitError| {
        assert_eq!(divide(total, division, least), Err(expected), "{division:?}");
    };
    check(1, &Division::Even, &[], SplitError::Parts { found: 0 });
    check(
        1,
        &Division::Even,
        &vec![0; MAX_PARTS + 1],
        SplitError::Parts { found: MAX_PARTS + 1 },
    );
    check(
        2,
        &Division::Even,
        &[1, 1, 1],
        SplitError::PartTooSmall {
            position: 2,
            part: 0,
            least: 1,
        },
    );
    check(
        100,
        &Division::Weighted(vec![1, 99]),
        &[2, 2],
        SplitError::PartTooSmall {
            position: 0,
            part: 1,
            least: 2,
        },
    );
    check(
        1,
        &Division::Weighted(vec![1]),
        &[0, 0],
        SplitError::WeightCount {
            found: 1,
            expected: 2,
        },
    );
    check(
        1,
        &Division::Weighted(vec![1, 0]),
        &[0, 0],
        SplitError::ZeroWeight { position: 1 },
    );
    check(1, &random(2, 1), &[0], SplitError::Bounds { min: 2, max: 1 });
    check(
        19,
        &random(10, 20),
        &[0, 0],
        SplitError::TooLittle {
            total: 19,
            needed: 20,
        },
    );
    check(
        19,
        &random(0, 20),
        &[10, 10],
        SplitError::TooLittle {
            total: 19,
            needed: 20,
        },
    );
    check(
        41,
        &random(10, 20),
        &[0, 0],
        SplitError::TooMuch {
            total: 41,
            possible: 40,
        },
    );
    check(
        30,
        &random(0, 20),
        &[0, 21],
        SplitError::PartTooSmall {
            position: 1,
            part: 20,
            least: 21,
        },
    );
    check(
        u64::MAX,
        &random(u64::MAX, u64::MAX),
        &[0, 0],
        SplitError::TooLittle {
            total: u64::MAX,
            needed: u128::from(u64::MAX) * 2,
        },
    );
}

#[test]
fn seeds_read_back() {
    let seed = SplitSeed::draw().unwrap();
    assert_eq!(seed.to_string().parse(), Ok(seed));
    assert_ne!(SplitSeed::draw().unwrap(), seed);
    for text in ["", "00", &"0".repeat(31), &"0".repeat(33), &"g".repeat(32)] {
        assert_eq!(text.parse::<SplitSeed>(), Err(SplitError::Seed), "{text}");
    }
}

fn amounts() -> impl Strategy<Value = u64> {
    prop_oneof![0..1_000_u64, any::<u64>(), Just(u64::MAX), Just(0)]
}

proptest! {
    #[test]
    fn even_parts_sum_and_differ_by_one_at_most(total in amounts(), count in 1..2_000_usize) {
        let parts = divide(total, &Division::Even, &vec![0; count]).unwrap();
        prop_assert_eq!(parts.len(), count);
        prop_assert_eq!(sum(&parts), u128::from(total));
        prop_assert!(parts.iter().max().unwrap() - parts.iter().min().unwrap() <= 1);
    }

    #[test]
    fn weighted_parts_sum_and_are_within_one_of_their_share(
        total in amounts(),
        weights in prop::collection::vec(prop_oneof![1..100_u64, 1..=u64::MAX], 1..300),
    ) {
        let parts = divide(total, &Division::Weighted(weights.clone()), &vec![0; weights.len()]).unwrap();
        prop_assert_eq!(sum(&parts), u128::from(total));
        let all = sum(&weights);
        for (part, weight) in parts.iter().zip(&weights) {
            let floor = u128::from(total) * u128::from(*weight) / all;
            prop_assert!((floor..=floor + 1).contains(&u128::from(*part)));
        }
    }

    #[test]
    fn random_parts_sum_within_every_bound(
        seed in any::<[u8; 16]>(),
        bounds in prop::collection::vec((0..=1_000_u64, 0..=1_000_000_u64), 1..300),
        min in 0..=500_u64,
        max in 1_000..=2_000_000_u64,
        position in 0..=1_000_u128,
    ) {
        let least: Vec<u64> = bounds.iter().map(|(least, _)| *least).collect();
        let low: u128 = least.iter().map(|least| u128::from(min.max(*least))).sum();
        let high = u128::from(max) * least.len() as u128;
        // From the very least to the very most that can be divided.
        let total = u64::try_from(low + (high - low) * position / 1_000).unwrap();
        let division = Division::Random { seed: SplitSeed::new(seed), min, max };
        let parts = divide(total, &division, &least).unwrap();
        prop_assert_eq!(sum(&parts), u128::from(total));
        for (part, least) in parts.iter().zip(&least) {
            prop_assert!(*part >= min && part >= least && *part <= max);
        }
    }

    #[test]
    fn nothing_overflows(
        total in amounts(),
        seed in any::<[u8; 16]>(),
        least in prop::collection::vec(amounts(), 1..50),
        min in amounts(),
        max in amounts(),
        weights in prop::collection::vec(any::<u64>(), 1..50),
    ) {
        let divisions = [
            Division::Even,
            Division::Random { seed: SplitSeed::new(seed), min, max },
            Division::Weighted(weights),
        ];
        for division in divisions {
            if let Ok(parts) = divide(total, &division, &least) {
                prop_assert_eq!(sum(&parts), u128::from(total));
                prop_assert!(parts.iter().zip(&least).all(|(part, least)| part >= least));
            }
        }
    }
}
