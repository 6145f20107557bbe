//! Token accounts and mints beside the token programs' own readers, on made and on damaged bytes.
//!
//! The claim: what Keyward reads of an account, the program's reader reads alike, and what that refuses, Keyward refuses.
//! Keyward is stricter about extensions alone: one that is there twice, that belongs to the other kind of account, or that
//! has another length than it always has.

use keyward_core::address::Address;
use keyward_core::solana::token::{
    AccountExtension, Mint, MintExtension, TokenAccount, TokenAccountState, TokenDataError, TokenProgram,
    TransferFee,
};
use proptest::collection::vec as some;
use proptest::prelude::*;
use solana_program_pack::Pack;
use solana_pubkey::Pubkey;
use spl_token_2022_interface::extension::confidential_transfer::ConfidentialTransferAccount;
use spl_token_2022_interface::extension::cpi_guard::CpiGuard;
use spl_token_2022_interface::extension::immutable_owner::ImmutableOwner;
use spl_token_2022_interface::extension::memo_transfer::MemoTransfer;
use spl_token_2022_interface::extension::mint_close_authority::MintCloseAuthority;
use spl_token_2022_interface::extension::permanent_delegate::PermanentDelegate;
use spl_token_2022_interface::extension::transfer_fee::{
    TransferFee as TheirFee, TransferFeeAmount, TransferFeeConfig,
};
use spl_token_2022_interface::extension::transfer_hook::TransferHook;
use spl_token_2022_interface::extension::{BaseStateWithExtensions, StateWithExtensions};
use spl_token_2022_interface::state as theirs;

use crate::samples::{any_damage, damaged};

fn address(key: impl AsRef<[u8]>) -> Address {
    Address::try_from(key.as_ref()).unwrap()
}

/// Their own kind of option.
fn option(key: impl Into<Option<Pubkey>>) -> Option<Address> {
    key.into().map(address)
}

/// A base, with options of both kinds, and a list of extensions of which some fit.
fn any_data() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![Just(0_u16), 1..30_u16, any::<u16>()];
    let len = prop_oneof![
        Just(0_usize),
        Just(1),
        Just(8),
        Just(32),
        Just(33),
        Just(64),
        Just(108),
        Just(295),
        0..70_usize
    ];
    let extension = (kind, len, any::<u8>(), any::<bool>());
    let extensions = some(extension, 0..5);
    (
        any::<bool>(),
        any::<[u8; 6]>(),
        any::<u64>(),
        extensions,
        0..4_u8,
        0..4_usize,
    )
        .prop_map(|(is_mint, tags, amount, extensions, account_type, tail)| {
            let mut data = if is_mint {
                mint_base(tags, amount)
            } else {
                account_base(tags, amount)
            };
            if tags[5] < 200 {
                data.resize(165, 0);
                data.push(match account_type {
                    3 => tags[5],
                    _ if is_mint => 1,
                    _ => 2,
                });
                for (kind, len, fill, fits) in extensions {
                    let kind = if fits { fitting(is_mint, kind) } else { kind };
                    let len = if fits { length_of(kind) } else { len };
                    data.extend(kind.to_le_bytes());
                    data.extend(u16::try_from(len).unwrap().to_le_bytes());
                    data.extend(vec![fill; len]);
                }
                data.extend(vec![0; tail]);
            }
            data
        })
}

fn fitting(is_mint: bool, kind: u16) -> u16 {
    let kinds: &[u16] = if is_mint {
        &[1, 3, 9, 12, 14, 18, 26]
    } else {
        &[2, 5, 7, 8, 11, 13, 15, 17, 27]
    };
    kinds[usize::from(kind) % kinds.len()]
}

fn length_of(kind: u16) -> usize {
    match kind {
        1 => 108,
        2 => 8,
        3 | 12 => 32,
        5 => 295,
        8 | 11 | 15 => 1,
        14 | 17 | 18 => 64,
        26 => 33,
        _ => 0,
    }
}

/// Mostly none or some, now and then neither.
fn tag(byte: u8) -> [u8; 4] {
    match byte {
        250.. => [byte, 0, 0, 0],
        _ => [byte % 2, 0, 0, 0],
    }
}

fn account_base(tags: [u8; 6], amount: u64) -> Vec<u8> {
    let mut data = [[tags[0]; 32], [tags[1]; 32]].concat();
    data.extend(amount.to_le_bytes());
    data.extend(tag(tags[0]));
    data.extend([tags[2]; 32]);
    data.push(if tags[1] > 250 { tags[1] } else { tags[1] % 3 });
    data.extend(tag(tags[2]));
    data.extend(amount.rotate_left(9).to_le_bytes());
    data.extend(amount.rotate_left(17).to_le_bytes());
    data.extend(tag(tags[3]));
    data.extend([tags[4]; 32]);
    data
}

fn mint_base(tags: [u8; 6], amount: u64) -> Vec<u8> {
    let mut data = tag(tags[0]).to_vec();
    data.extend([tags[1]; 32]);
    data.extend(amount.to_le_bytes());
    data.extend([tags[2], if tags[3] > 250 { tags[3] } else { tags[3] % 2 }]);
    data.extend(tag(tags[4]));
    data.extend([tags[5]; 32]);
    data
}

/// What only Keyward refuses.
fn is_stricter(error: TokenDataError) -> bool {
    matches!(
        error,
        TokenDataError::Extension { .. } | TokenDataError::Extensions { .. }
    )
}

fn check_plain_account(data: &[u8]) {
    let ours = TokenAccount::decode(TokenProgram::Token, data);
    match spl_token_interface::state::Account::unpack(data) {
        Err(_) => assert!(ours.is_err()),
        Ok(account) => {
            let ours = ours.unwrap();
            assert_eq!(ours.mint, address(account.mint));
            assert_eq!(ours.owner, address(account.owner));
            assert_eq!(ours.amount, account.amount);
            assert_eq!(ours.delegate, option(account.delegate));
            assert_eq!(ours.delegated_amount, account.delegated_amount);
            assert_eq!(ours.is_frozen(), account.is_frozen());
            assert_eq!(ours.native_reserve, Option::from(account.is_native));
            assert_eq!(ours.close_authority, option(account.close_authority));
            assert!(ours.extensions.is_empty());
        }
    }
}

fn check_plain_mint(data: &[u8]) {
    let ours = Mint::decode(TokenProgram::Token, data);
    match spl_token_interface::state::Mint::unpack(data) {
        Err(_) => assert!(ours.is_err()),
        Ok(mint) => {
            let ours = ours.unwrap();
            assert_eq!(ours.mint_authority, option(mint.mint_authority));
            assert_eq!((ours.supply, ours.decimals), (mint.supply, mint.decimals));
            assert_eq!(ours.freeze_authority, option(mint.freeze_authority));
        }
    }
}

fn check_account(data: &[u8]) {
    let ours = TokenAccount::decode(TokenProgram::Token2022, data);
    let Ok(state) = StateWithExtensions::<theirs::Account>::unpack(data) else {
        assert!(ours.is_err());
        return;
    };
    let ours = match ours {
        Ok(ours) => ours,
        Err(error) => {
            assert!(is_stricter(error), "{error}");
            return;
        }
    };
    let base = state.base;
    assert_eq!((ours.mint, ours.owner), (address(base.mint), address(base.owner)));
    assert_eq!(
        (ours.amount, ours.delegated_amount),
        (base.amount, base.delegated_amount)
    );
    assert_eq!(ours.delegate, option(base.delegate));
    assert_eq!(ours.close_authority, option(base.close_authority));
    assert_eq!(ours.native_reserve, Option::from(base.is_native));
    assert_eq!(ours.state == TokenAccountState::Frozen, base.is_frozen());
    use AccountExtension as Is;
    let has = |extension: Is| ours.extensions.contains(&extension);
    assert_eq!(
        state.get_extension::<ImmutableOwner>().is_ok(),
        has(Is::ImmutableOwner)
    );
    let withheld = state.get_extension::<TransferFeeAmount>().ok();
    assert_eq!(
        ours.withheld(),
        withheld.map_or(0, |fee| u64::from(fee.withheld_amount))
    );
    let memo = state.get_extension::<MemoTransfer>().ok();
    assert_eq!(
        ours.requires_memo(),
        memo.is_some_and(|memo| memo.require_incoming_transfer_memos.into())
    );
    let guard = state.get_extension::<CpiGuard>().ok();
    assert_eq!(
        has(Is::CpiGuard { locked: true }),
        guard.is_some_and(|guard| guard.lock_cpi.into())
    );
    if let Ok(hidden) = state.get_extension::<ConfidentialTransferAccount>() {
        let takes_public = hidden.non_confidential_transfer_allowed().is_ok();
        let is_empty = hidden.closable().is_ok();
        assert!(has(Is::ConfidentialTransfer {
            is_empty,
            takes_public
        }));
    }
    // What it cannot name, Keyward keeps as unknown; what it can, both list in the same order.
    if let Ok(kinds) = state.get_extension_types() {
        assert_eq!(kinds.len(), ours.extensions.len());
    }
}

fn check_mint(data: &[u8]) {
    let ours = Mint::decode(TokenProgram::Token2022, data);
    let Ok(state) = StateWithExtensions::<theirs::Mint>::unpack(data) else {
        assert!(ours.is_err());
        return;
    };
    let ours = match ours {
        Ok(ours) => ours,
        Err(error) => {
            assert!(is_stricter(error), "{error}");
            return;
        }
    };
    let base = state.base;
    assert_eq!((ours.supply, ours.decimals), (base.supply, base.decimals));
    assert_eq!(ours.mint_authority, option(base.mint_authority));
    assert_eq!(ours.freeze_authority, option(base.freeze_authority));
    match (ours.transfer_fee(), state.get_extension::<TransferFeeConfig>()) {
        (None, theirs) => assert!(theirs.is_err()),
        (Some(ours), theirs) => {
            let theirs = theirs.unwrap();
            assert_eq!(ours.withheld, u64::from(theirs.withheld_amount));
            for epoch in [0, 1, ours.newer.epoch, u64::MAX] {
                let fee = theirs.get_epoch_fee(epoch);
                assert_eq!(ours.at(epoch).epoch, u64::from(fee.epoch));
                assert_eq!(ours.at(epoch).maximum, u64::from(fee.maximum_fee));
                assert_eq!(
                    ours.at(epoch).basis_points,
                    u16::from(fee.transfer_fee_basis_points)
                );
            }
        }
    }
    let delegate = state.get_extension::<PermanentDelegate>().ok();
    assert_eq!(
        ours.permanent_delegate().copied(),
        delegate.and_then(|it| it.delegate.get()).map(address)
    );
    let hook = state.get_extension::<TransferHook>().ok();
    assert_eq!(
        ours.transfer_hook().copied(),
        hook.and_then(|it| it.program_id.get()).map(address)
    );
    let closer = state.get_extension::<MintCloseAuthority>().ok();
    let named = ours.extensions.iter().find_map(|extension| match extension {
        MintExtension::CloseAuthority(authority) => *authority,
        _ => None,
    });
    assert_eq!(named, closer.and_then(|it| it.close_authority.get()).map(address));
    if let Ok(kinds) = state.get_extension_types() {
        assert_eq!(kinds.len(), ours.extensions.len());
    }
}

fn check(data: &[u8]) {
    check_plain_account(data);
    check_plain_mint(data);
    check_account(data);
    check_mint(data);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 5_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn token_data_is_read_alike(data in any_data()) {
        check(&data);
    }

    #[test]
    fn damaged_token_data_is_read_alike(data in any_data(), damage in some(any_damage(), 1..4)) {
        check(&damage.iter().fold(data, damaged));
    }

    #[test]
    fn noise_is_no_token_data(data in some(any::<u8>(), 0..400)) {
        check(&data);
    }

    #[test]
    fn transfer_fees_are_reckoned_alike(
        basis_points in 0..=10_000_u16,
        maximum in prop_oneof![any::<u64>(), 0..1_000_000_u64],
        amount in prop_oneof![any::<u64>(), 0..10_000_000_u64],
    ) {
        let ours = TransferFee { epoch: 0, maximum, basis_points };
        let theirs = TheirFee {
            epoch: 0.into(),
            maximum_fee: maximum.into(),
            transfer_fee_basis_points: basis_points.into(),
        };
        prop_assert_eq!(ours.of(amount), theirs.calculate_fee(amount));
        // Theirs gives up where the proportional amount does not fit, though the capped one does.
        if let Some(to_send) = theirs.calculate_pre_fee_amount(amount) {
            prop_assert_eq!(ours.amount_to_send(amount), Some(to_send));
        }
        if let Some(to_send) = ours.amount_to_send(amount) {
            prop_assert!(to_send - ours.of(to_send).unwrap() >= amount);
        }
    }
}
