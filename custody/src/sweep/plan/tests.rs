//! How many fit a transaction.
#![allow(clippy::unwrap_used, reason = "tests")]

use keyward_core::intent::programs;

use super::*;

const TO: Address = Address::new([1; 32]);
const SPONSOR: Address = Address::new([2; 32]);

fn nth(kind: u8, at: usize) -> Address {
    let mut bytes = [kind; 32];
    bytes[..8].copy_from_slice(&(at as u64).to_le_bytes());
    Address::new(bytes)
}

fn planned(source: Address, action: ItemAction, seen: Seen) -> Planned {
    let mut item = collect::item(source, TO, action);
    item.number = 0;
    Planned {
        item,
        seen,
        lamports: 1,
    }
}

fn closing(wallet: Address, at: usize) -> Planned {
    let action = ItemAction::CloseAccount {
        account: nth(9, at),
        program: programs::TOKEN,
        harvest_to: None,
    };
    planned(wallet, action, Seen::Lamports(1))
}

fn draining(at: usize, target: TargetState) -> Planned {
    let action = ItemAction::DrainToken {
        mint: nth(7, 0),
        program: programs::TOKEN,
        decimals: 6,
        source_account: nth(9, at),
        destination_account: nth(8, 0),
        create: target == TargetState::Missing,
        close: true,
    };
    let seen = Seen::Token {
        amount: 5,
        fee: None,
        target,
        closes: true,
    };
    planned(nth(5, at), action, seen)
}

fn sizes(format: JobFormat, fee: FeePolicy, fee_payer: Address, items: &[Planned]) -> Vec<usize> {
    let draft = Draft {
        kind: JobKind::Closing,
        label: "",
        fee_payer,
        rent_to: Some(TO),
        format,
        fee,
        wrapped: WrappedSol::Keep,
        asked: String::new(),
    };
    let groups = draft.pack(JobId::new([7; 16]), items).unwrap();
    groups.iter().map(Vec::len).collect()
}

#[test]
fn transactions_are_filled_to_the_limits() {
    use JobFormat::{Legacy, V1};
    let free = FeePolicy::None;
    let priced = FeePolicy::Fixed { micro_lamports: 5 };
    // One wallet that pays for itself: accounts alone fill the transaction.
    let wallet = nth(3, 0);
    let own: Vec<Planned> = (0..62).map(|at| closing(wallet, at)).collect();
    assert_eq!(sizes(Legacy, free, wallet, &own), [24, 24, 14]);
    assert_eq!(sizes(Legacy, priced, wallet, &own), [24, 24, 14]);
    assert_eq!(sizes(V1, free, wallet, &own), [60, 2]);
    // Where the rent stays with the wallet, there is one account less to name.
    let mut kept = own;
    kept.iter_mut()
        .for_each(|planned| planned.item.recipient = wallet);
    assert_eq!(sizes(Legacy, free, wallet, &kept), [25, 25, 12]);
    assert_eq!(sizes(V1, free, wallet, &kept), [61, 1]);
    // Many wallets, each with its signature: version 1 takes twelve.
    let many: Vec<Planned> = (0..24).map(|at| closing(nth(3, at), at)).collect();
    assert_eq!(sizes(Legacy, free, SPONSOR, &many), [7, 7, 7, 3]);
    assert_eq!(sizes(V1, free, SPONSOR, &many), [11, 11, 2]);
    let drains: Vec<Planned> = (0..24)
        .map(|at| planned(nth(3, at), ItemAction::DrainSol, Seen::Sol(1)))
        .collect();
    assert_eq!(sizes(Legacy, free, SPONSOR, &drains), [8, 8, 8]);
    assert_eq!(sizes(V1, free, SPONSOR, &drains), [11, 11, 2]);
    // Tokens moved and their accounts closed, the recipient's account made once in each transaction.
    let there: Vec<Planned> = (0..12).map(|at| draining(at, TargetState::There)).collect();
    let missing: Vec<Planned> = (0..12).map(|at| draining(at, TargetState::Missing)).collect();
    assert_eq!(sizes(Legacy, free, SPONSOR, &there), [5, 5, 2]);
    assert_eq!(sizes(Legacy, free, SPONSOR, &missing), [5, 5, 2]);
}

#[test]
fn what_is_left_out_leaves_no_gap_in_the_numbers() {
    let items: Vec<Planned> = (0..5).map(|at| closing(nth(3, 0), at)).collect();
    let (kept, groups) = renumbered(items, vec![vec![0, 1], vec![3], vec![4]]);
    assert_eq!(groups, [vec![0, 1], vec![2], vec![3]]);
    let numbers: Vec<u32> = kept.iter().map(|planned| planned.item.number).collect();
    assert_eq!(numbers, [0, 1, 2, 3]);
    let places: Vec<bool> = [0, 1, 3, 4]
        .iter()
        .zip(&kept)
        .map(|(at, kept)| {
            matches!(&kept.item.action, ItemAction::CloseAccount { account, .. } if *account == nth(9, *at))
        })
        .collect();
    assert_eq!(places, [true; 4]);
}
