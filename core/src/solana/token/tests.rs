//! Data as the programs write it, and as they never do.
#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::vec;
use alloc::vec::Vec;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn account(state: u8) -> Vec<u8> {
    let mut data = vec![1; 32];
    data.extend([2; 32]);
    data.extend(7_u64.to_le_bytes());
    data.extend([0; 36]);
    data.push(state);
    data.extend([0; 12]);
    data.extend(0_u64.to_le_bytes());
    data.extend([0; 36]);
    data
}

fn mint(decimals: u8) -> Vec<u8> {
    let mut data = vec![0; 36];
    data.extend(9_u64.to_le_bytes());
    data.extend([decimals, 1]);
    data.extend([0; 36]);
    data
}

fn with(mut base: Vec<u8>, account_type: u8, extensions: &[(u16, &[u8])]) -> Vec<u8> {
    base.resize(ACCOUNT_LEN, 0);
    base.push(account_type);
    for (kind, value) in extensions {
        base.extend(kind.to_le_bytes());
        base.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
        base.extend(*value);
    }
    base
}

#[test]
fn plain_accounts_and_mints_are_read_in_both_programs() {
    for program in TokenProgram::ALL {
        let read = TokenAccount::decode(program, &account(1)).unwrap();
        assert_eq!((read.amount, read.is_frozen()), (7, false));
        assert_eq!(read.closer(), &read.owner);
        assert!(TokenAccount::decode(program, &account(2)).unwrap().is_frozen());
        assert_eq!(
            TokenAccount::decode(program, &account(0)),
            Err(TokenDataError::Uninitialised)
        );
        assert!(TokenAccount::decode(program, &account(3)).is_err());
        assert_eq!(Mint::decode(program, &mint(6)).unwrap().decimals, 6);
        assert!(Mint::decode(program, &account(1)).is_err());
        assert!(TokenAccount::decode(program, &mint(6)).is_err());
        assert_eq!(TokenProgram::of(&program.address()), Some(program));
    }
    assert_eq!(TokenProgram::of(&crate::intent::programs::SYSTEM), None);
}

#[test]
fn extensions_are_read_and_unknown_ones_are_kept() {
    let data = with(
        account(1),
        2,
        &[(7, &[]), (2, &5_u64.to_le_bytes()), (999, &[1, 2]), (8, &[1])],
    );
    let read = TokenAccount::decode(TokenProgram::Token2022, &data).unwrap();
    assert_eq!(read.withheld(), 5);
    assert!(read.requires_memo() && !read.has_confidential_amounts());
    assert!(read.extensions.contains(&AccountExtension::Unknown { kind: 999 }));
    assert!(read.extensions.contains(&AccountExtension::ImmutableOwner));
    // The other program has none.
    assert!(TokenAccount::decode(TokenProgram::Token, &data).is_err());

    let mut hidden = vec![0; 295];
    let empty = with(account(1), 2, &[(5, &hidden)]);
    let empty = TokenAccount::decode(TokenProgram::Token2022, &empty).unwrap();
    assert!(!empty.has_confidential_amounts());
    hidden[200] = 1;
    let full = with(account(1), 2, &[(5, &hidden)]);
    let full = TokenAccount::decode(TokenProgram::Token2022, &full).unwrap();
    assert!(full.has_confidential_amounts());
}

#[test]
fn what_the_program_never_writes_is_refused() {
    let refused = |data: &[u8]| TokenAccount::decode(TokenProgram::Token2022, data).unwrap_err();
    let extension = |kind| TokenDataError::Extension { kind };
    assert_eq!(refused(&with(account(1), 2, &[(7, &[]), (7, &[])])), extension(7));
    assert_eq!(refused(&with(account(1), 2, &[(1, &[0; 108])])), extension(1));
    assert_eq!(refused(&with(account(1), 2, &[(2, &[0; 7])])), extension(2));
    assert_eq!(refused(&with(account(1), 2, &[(2, &[0; 9])])), extension(2));
    assert!(matches!(
        refused(&with(account(1), 1, &[])),
        TokenDataError::OtherKind { .. }
    ));
    let mut cut = with(account(1), 2, &[(2, &[0; 8])]);
    cut.pop();
    assert_eq!(refused(&cut), TokenDataError::Extensions { offset: 166 });
    // A type without a length.
    cut.truncate(168);
    assert_eq!(refused(&cut), TokenDataError::Extensions { offset: 166 });
    // Nothing follows type 0, and one byte is no type.
    for tail in [&[0, 0, 9, 9, 9][..], &[9][..]] {
        let mut data = with(account(1), 2, &[]);
        data.extend(tail);
        let read = TokenAccount::decode(TokenProgram::Token2022, &data).unwrap();
        assert!(read.extensions.is_empty());
    }
    let mut multisig = with(account(1), 2, &[(7, &[])]);
    multisig.resize(MULTISIG_LEN, 0);
    assert!(matches!(refused(&multisig), TokenDataError::Length { .. }));
    for tag in [2_u8, 255] {
        let mut data = account(1);
        data[72] = tag;
        assert_eq!(refused(&data), TokenDataError::Field { field: "delegate" });
    }
    let mut padded = with(mint(0), 1, &[]);
    padded[100] = 1;
    assert!(Mint::decode(TokenProgram::Token2022, &padded).is_err());
}

#[test]
fn a_mint_says_what_its_transfers_cost_and_who_has_power() {
    let mut fee = vec![3; 64];
    fee.extend(11_u64.to_le_bytes());
    for (epoch, maximum, points) in [(0_u64, 50_u64, 100_u16), (10, 5_000, 250)] {
        fee.extend(epoch.to_le_bytes());
        fee.extend(maximum.to_le_bytes());
        fee.extend(points.to_le_bytes());
    }
    let mut text = vec![0; 64];
    for part in ["Name", "SYM"] {
        text.extend(u32::try_from(part.len()).unwrap().to_le_bytes());
        text.extend(part.as_bytes());
    }
    text.extend([0; 8]);
    let data = with(
        mint(2),
        1,
        &[(1, &fee), (19, &text), (6, &[2]), (12, &[4; 32]), (14, &[0; 64])],
    );
    let mint = Mint::decode(TokenProgram::Token2022, &data).unwrap();
    let config = mint.transfer_fee().unwrap();
    assert_eq!(config.withheld, 11);
    assert_eq!(config.at(9).of(1_000_000), Some(50));
    assert_eq!(config.at(10).of(100_001), Some(2_501));
    assert_eq!(config.newer.amount_to_send(0), Some(0));
    assert_eq!(mint.metadata().unwrap().symbol, "SYM");
    assert!(mint.freezes_new_accounts() && !mint.transfers_are_stopped());
    assert_eq!(mint.permanent_delegate(), Some(&Address::new([4; 32])));
    assert_eq!(mint.transfer_hook(), None);
}

#[test]
fn the_amount_to_send_is_the_smallest_that_is_enough() {
    for basis_points in [0_u16, 1, 33, 250, 5_000, 9_999, 10_000] {
        for maximum in [0, 1, 7, 1_000, u64::MAX] {
            let fee = TransferFee {
                epoch: 0,
                maximum,
                basis_points,
            };
            for to_arrive in [0, 1, 2, 3, 9, 10, 99, 1_000, 12_345] {
                let Some(amount) = fee.amount_to_send(to_arrive) else {
                    // Only where everything is kept and no maximum limits that.
                    assert_eq!((basis_points, maximum), (10_000, u64::MAX));
                    continue;
                };
                let arrives = |amount: u64| amount - fee.of(amount).unwrap();
                assert!(arrives(amount) >= to_arrive);
                assert!(amount == 0 || arrives(amount - 1) < to_arrive);
            }
        }
    }
    let senseless = TransferFee {
        epoch: 0,
        maximum: 1,
        basis_points: 10_001,
    };
    assert_eq!((senseless.of(5), senseless.amount_to_send(5)), (None, None));
}
