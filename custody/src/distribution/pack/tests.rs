#![allow(clippy::unwrap_used, reason = "tests")]

use keyward_core::amount::Lamports;
use keyward_core::solana::TransactionConfig;
use keyward_core::solana::instructions::{memo, sol_transfer};
use proptest::prelude::*;

use super::*;

const PAYER: Address = Address::new([1; 32]);

fn recipient(at: usize) -> Address {
    let mut bytes = [2; 32];
    bytes[..8].copy_from_slice(&(at as u64).to_le_bytes());
    Address::new(bytes)
}

fn transfers(range: Range<usize>) -> Assembled {
    Assembled {
        instructions: range
            .map(|at| sol_transfer(PAYER, recipient(at), Lamports::new(1)))
            .collect(),
        inner: 0,
    }
}

fn sizes(groups: &[Range<usize>]) -> Vec<usize> {
    groups.iter().map(Range::len).collect()
}

const V1: MessageVersion = MessageVersion::V1(TransactionConfig {
    priority_fee: None,
    compute_unit_limit: None,
    loaded_accounts_data_size_limit: None,
    heap_size: None,
});

#[test]
fn plain_transfers_fill_transactions_to_the_byte_and_to_the_account() {
    let legacy = pack(50, usize::MAX, PAYER, MessageVersion::Legacy, &transfers).unwrap();
    assert_eq!(sizes(&legacy), [21, 21, 8]);
    let v1 = pack(130, usize::MAX, PAYER, V1, &transfers).unwrap();
    assert_eq!(sizes(&v1), [62, 62, 6]);
    let few = pack(10, 4, PAYER, V1, &transfers).unwrap();
    assert_eq!(few, [0..4, 4..8, 8..10]);
    assert!(pack(0, 4, PAYER, V1, &transfers).unwrap().is_empty());
}

#[test]
fn calls_between_programs_count() {
    let assemble = |range: Range<usize>| Assembled {
        inner: 5 * range.len(),
        ..transfers(range)
    };
    assert_eq!(
        sizes(&pack(25, usize::MAX, PAYER, V1, &assemble).unwrap()),
        [10, 10, 5]
    );
}

#[test]
fn what_fits_nowhere_is_named() {
    let assemble = |range: Range<usize>| Assembled {
        instructions: range
            .map(|at| memo(&"m".repeat(if at == 3 { 1_300 } else { 100 }), &[]))
            .collect(),
        inner: 0,
    };
    assert_eq!(
        pack(5, 9, PAYER, MessageVersion::Legacy, &assemble),
        Err(PackError::TooLarge { item: 3 })
    );
    let nothing = |_: Range<usize>| Assembled::default();
    assert_eq!(
        pack(5, 9, PAYER, MessageVersion::Legacy, &nothing),
        Err(PackError::Unsound {
            item: 0,
            cause: BuildError::NoInstructions
        })
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_item_is_in_one_group_and_no_group_could_take_one_more(
        memos in prop::collection::vec(0..500_usize, 1..60),
        v1 in any::<bool>(),
    ) {
        let version = if v1 { V1 } else { MessageVersion::Legacy };
        let assemble = |range: Range<usize>| Assembled {
            instructions: range
                .flat_map(|at| [sol_transfer(PAYER, recipient(at), Lamports::new(1)), memo(&"m".repeat(memos[at]), &[])])
                .collect(),
            inner: 0,
        };
        let groups = pack(memos.len(), usize::MAX, PAYER, version, &assemble).unwrap();
        let mut next = 0;
        for group in groups {
            prop_assert_eq!(group.start, next);
            prop_assert!(!group.is_empty());
            prop_assert!(fits(PAYER, version, &assemble(group.clone())).unwrap());
            if group.end < memos.len() {
                prop_assert!(!fits(PAYER, version, &assemble(group.start..group.end + 1)).unwrap());
            }
            next = group.end;
        }
        prop_assert_eq!(next, memos.len());
    }
}
