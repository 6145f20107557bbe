#![allow(clippy::unwrap_used, reason = "tests")]

use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::solana::instructions::{memo, sol_transfer};
use keyward_core::solana::{Instruction, MessageVersion, TransactionConfig, compile_message};
use proptest::prelude::*;

use super::*;

const PAYER: Address = Address::new([1; 32]);

const V1: MessageVersion = MessageVersion::V1(TransactionConfig {
    priority_fee: None,
    compute_unit_limit: None,
    loaded_accounts_data_size_limit: None,
    heap_size: None,
});

fn recipient(at: usize) -> Address {
    let mut bytes = [2; 32];
    bytes[..8].copy_from_slice(&(at as u64).to_le_bytes());
    Address::new(bytes)
}

fn assembled(version: MessageVersion, instructions: &[Instruction], inner: usize) -> Assembled {
    Assembled {
        message: compile_message(version, PAYER, instructions, Blockhash::new([3; 32])),
        inner,
    }
}

fn transfers(range: Range<usize>) -> Vec<Instruction> {
    let one = |at| sol_transfer(PAYER, recipient(at), Lamports::new(1));
    range.map(one).collect()
}

fn sizes(groups: &[Range<usize>]) -> Vec<usize> {
    groups.iter().map(Range::len).collect()
}

#[test]
fn plain_transfers_fill_transactions_to_the_byte_and_to_the_account() {
    let legacy = |range| assembled(MessageVersion::Legacy, &transfers(range), 0);
    assert_eq!(sizes(&pack(50, usize::MAX, &legacy).unwrap()), [21, 21, 8]);
    let v1 = |range| assembled(V1, &transfers(range), 0);
    assert_eq!(sizes(&pack(130, usize::MAX, &v1).unwrap()), [62, 62, 6]);
    assert_eq!(pack(10, 4, &v1).unwrap(), [0..4, 4..8, 8..10]);
    assert!(pack(0, 4, &v1).unwrap().is_empty());
}

#[test]
fn calls_between_programs_count() {
    let assemble = |range: Range<usize>| assembled(V1, &transfers(range.clone()), 5 * range.len());
    assert_eq!(sizes(&pack(25, usize::MAX, &assemble).unwrap()), [10, 10, 5]);
}

#[test]
fn what_fits_nowhere_is_named() {
    let assemble = |range: Range<usize>| {
        let long = |at| "m".repeat(if at == 3 { 1_300 } else { 100 });
        let memos: Vec<_> = range.map(|at| memo(&long(at), &[])).collect();
        assembled(MessageVersion::Legacy, &memos, 0)
    };
    assert_eq!(pack(5, 9, &assemble), Err(PackError::TooLarge { item: 3 }));
    let nothing = |_: Range<usize>| assembled(V1, &[], 0);
    let cause = BuildError::NoInstructions;
    assert_eq!(pack(5, 9, &nothing), Err(PackError::Unsound { item: 0, cause }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_item_is_in_one_group_and_no_group_could_take_one_more(
        memos in prop::collection::vec(0..500_usize, 1..60),
        v1 in any::<bool>(),
    ) {
        let version = if v1 { V1 } else { MessageVersion::Legacy };
        let pair = |at: usize| {
            [sol_transfer(PAYER, recipient(at), Lamports::new(1)), memo(&"m".repeat(memos[at]), &[])]
        };
        let assemble = |range: Range<usize>| {
            let all: Vec<_> = range.flat_map(pair).collect();
            assembled(version, &all, 0)
        };
        let groups = pack(memos.len(), usize::MAX, &assemble).unwrap();
        let mut next = 0;
        for group in groups {
            prop_assert_eq!(group.start, next);
            prop_assert!(!group.is_empty());
            prop_assert!(fits(&assemble(group.clone())).unwrap());
            if group.end < memos.len() {
                prop_assert!(!fits(&assemble(group.start..group.end + 1)).unwrap());
            }
            next = group.end;
        }
        prop_assert_eq!(next, memos.len());
    }
}
