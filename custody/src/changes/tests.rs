#![allow(clippy::unwrap_used, reason = "tests")]

use keyward_core::intent::programs;

use super::*;

const ACCOUNT: Address = Address::new([9; 32]);

fn address(number: u8) -> Address {
    Address::new([number; 32])
}

fn account(owner: Address, lamports: u64, data: Vec<u8>) -> AccountData {
    AccountData {
        lamports: Lamports::new(lamports),
        owner,
        executable: false,
        data,
    }
}

/// As SPL Token lays it out.
fn token(
    owner: u8,
    amount: u64,
    delegate: Option<(u8, u64)>,
    closer: Option<u8>,
    frozen: bool,
) -> AccountData {
    let mut data = Vec::new();
    data.extend_from_slice(&[7; 32]);
    data.extend_from_slice(&[owner; 32]);
    data.extend_from_slice(&amount.to_le_bytes());
    let option = |data: &mut Vec<u8>, value: Option<u8>| {
        data.extend_from_slice(&u32::from(value.is_some()).to_le_bytes());
        data.extend_from_slice(&[value.unwrap_or(0); 32]);
    };
    option(&mut data, delegate.map(|(delegate, _)| delegate));
    data.push(if frozen { 2 } else { 1 });
    data.extend_from_slice(&[0; 12]);
    data.extend_from_slice(&delegate.map_or(0, |(_, amount)| amount).to_le_bytes());
    option(&mut data, closer);
    assert_eq!(data.len(), 165);
    account(programs::TOKEN, 2_000, data)
}

fn nonce(authority: u8, value: u8) -> AccountData {
    let mut data = vec![0; 80];
    data[0] = 1;
    data[4] = 1;
    data[8..40].fill(authority);
    data[40..72].fill(value);
    account(programs::SYSTEM, 5, data)
}

fn changes(before: Option<AccountData>, after: Option<AccountData>) -> SimulatedChanges {
    let mut changes = SimulatedChanges::default();
    changes.compare(&ACCOUNT, before.as_ref(), after.as_ref());
    changes
}

fn control(before: Option<AccountData>, after: Option<AccountData>) -> Vec<(Control, bool, bool)> {
    let changes = changes(before, after).control;
    changes
        .into_iter()
        .map(|change| (change.control, change.before.is_some(), change.after.is_some()))
        .collect()
}

#[test]
fn what_stays_is_not_told() {
    for same in [token(1, 5, Some((2, 3)), Some(4), true), nonce(1, 2)] {
        assert_eq!(
            changes(Some(same.clone()), Some(same)),
            SimulatedChanges::default()
        );
    }
    assert_eq!(changes(None, None), SimulatedChanges::default());
}

#[test]
fn tokens_that_move_are_told_with_their_owner() {
    let told = changes(
        Some(token(1, 50, None, None, false)),
        Some(token(1, 20, None, None, false)),
    );
    let [moved] = told.tokens.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!((moved.before, moved.after), (50, 20));
    assert_eq!((moved.owner, moved.mint), (address(1), address(7)));
    assert!(told.control.is_empty() && told.sol.is_empty());
}

/// Nothing moves, and everything is lost.
#[test]
fn every_hand_over_is_told() {
    let plain = || token(1, 50, None, None, false);
    for (after, what) in [
        (token(2, 50, None, None, false), Control::TokenOwner),
        (token(1, 50, Some((3, 50)), None, false), Control::Delegate),
        (token(1, 50, None, Some(3), false), Control::CloseAuthority),
        (token(1, 50, None, None, true), Control::Frozen),
    ] {
        let told = control(Some(plain()), Some(after));
        let before = what == Control::TokenOwner;
        assert_eq!(told, [(what, before, true)]);
    }
    // More for the same delegate.
    let (little, much) = (
        token(1, 50, Some((3, 1)), None, false),
        token(1, 50, Some((3, 9)), None, false),
    );
    assert_eq!(
        control(Some(little), Some(much)),
        [(Control::Delegate, true, true)]
    );
    // A wallet given to a program.
    let wallet = account(programs::SYSTEM, 5, Vec::new());
    let taken = account(address(6), 5, Vec::new());
    assert_eq!(
        control(Some(wallet), Some(taken)),
        [(Control::Program, false, true)]
    );
    assert_eq!(
        control(Some(nonce(1, 2)), Some(nonce(3, 2))),
        [(Control::NonceAuthority, true, true)]
    );
    let mut stake = vec![0; 200];
    stake[0] = 2;
    let mut other = stake.clone();
    other[44..76].fill(8);
    let stake = account(programs::STAKE, 5, stake);
    let other = account(programs::STAKE, 5, other);
    assert_eq!(
        control(Some(stake), Some(other)),
        [(Control::Withdrawer, true, true)]
    );
    let mut program = vec![0; 45];
    (program[0], program[12]) = (3, 1);
    let mut final_one = program.clone();
    final_one[12] = 0;
    let program = account(programs::UPGRADEABLE_LOADER, 5, program);
    let final_one = account(programs::UPGRADEABLE_LOADER, 5, final_one);
    assert_eq!(
        control(Some(program), Some(final_one)),
        [(Control::UpgradeAuthority, true, false)]
    );
}

#[test]
fn data_that_nobody_reads_is_told_as_changed_and_a_nonce_that_advances_is_not() {
    let of = |byte| account(address(6), 5, vec![byte; 4]);
    let told = changes(Some(of(1)), Some(of(2)));
    let [change] = told.control.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(change.control, Control::Data);
    assert!(change.to_string().contains(&ACCOUNT.to_string()));
    assert!(changes(Some(nonce(1, 2)), Some(nonce(1, 3))).control.is_empty());
}

#[test]
fn what_comes_and_goes_is_told() {
    let told = changes(None, Some(token(1, 5, None, None, false)));
    assert_eq!(told.sol.len(), 1);
    assert_eq!(told.tokens.len(), 1);
    let told: Vec<Control> = told.control.iter().map(|change| change.control).collect();
    assert_eq!(told, [Control::Program, Control::TokenOwner]);
    let told = changes(Some(account(programs::SYSTEM, 5, Vec::new())), None);
    assert_eq!((told.sol.len(), told.control.len()), (1, 0));
}

#[test]
fn a_change_reads_as_a_sentence() {
    let told = changes(
        Some(token(1, 5, None, None, false)),
        Some(token(1, 5, Some((3, 4)), None, false)),
    );
    assert_eq!(
        told.control[0].to_string(),
        format!("the delegate of {ACCOUNT}: none -> {} (4 units)", address(3))
    );
}
