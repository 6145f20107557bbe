//! A token account or a mint that is accepted says what its bytes say, and no bytes are both.
#![no_main]

use keyward_core::address::Address;
use keyward_core::solana::token::{
    ACCOUNT_LEN, MAX_EXTENSIONS, MINT_LEN, Mint, TokenAccount, TokenAccountState, TokenProgram, TransferFee,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for program in TokenProgram::ALL {
        check(program, bytes);
    }
    // With the bytes between a base and its extensions, which are hard to guess.
    for (base, kind) in [(ACCOUNT_LEN, 2), (MINT_LEN, 1)] {
        if let Some((base, list)) = bytes.split_at_checked(base) {
            let mut data = base.to_vec();
            data.resize(ACCOUNT_LEN, 0);
            data.push(kind);
            data.extend(list);
            check(TokenProgram::Token2022, &data);
        }
    }
});

fn check(program: TokenProgram, bytes: &[u8]) {
    let account = TokenAccount::decode(program, bytes);
    let mint = Mint::decode(program, bytes);
    assert!(account.is_err() || mint.is_err());
    if let Ok(account) = account {
        assert!(account.extensions.len() <= MAX_EXTENSIONS);
        assert_eq!(&base_of(&account), &masked_account(bytes));
        let plain = TokenAccount::decode(TokenProgram::Token, &bytes[..ACCOUNT_LEN]).unwrap();
        assert_eq!(plain.amount, account.amount);
        assert!(program == TokenProgram::Token2022 || bytes.len() == ACCOUNT_LEN);
        assert!(account.closer() == &account.owner || Some(*account.closer()) == account.close_authority);
        assert!(account.withheld() == 0 || !account.extensions.is_empty());
    }
    if let Ok(mint) = mint {
        assert!(mint.extensions.len() <= MAX_EXTENSIONS);
        assert_eq!(&mint.supply.to_le_bytes(), &bytes[36..44]);
        assert_eq!((mint.decimals, 1), (bytes[44], bytes[45]));
        if let Some(config) = mint.transfer_fee() {
            for fee in [config.older, config.newer] {
                check_fee(&fee, mint.supply);
            }
        }
    }
}

/// The whole fee is never more than the amount, and what is to arrive does.
fn check_fee(fee: &TransferFee, amount: u64) {
    let Some(taken) = fee.of(amount) else {
        assert!(fee.basis_points > 10_000);
        assert_eq!(fee.amount_to_send(amount), None);
        return;
    };
    assert!(taken <= amount && taken <= fee.maximum);
    if let Some(to_send) = fee.amount_to_send(amount) {
        let arrives = |sent: u64| sent - fee.of(sent).unwrap();
        assert!(arrives(to_send) >= amount);
        assert!(to_send == 0 || arrives(to_send - 1) < amount);
    }
}

fn optional(out: &mut Vec<u8>, address: Option<Address>) {
    out.extend(u32::from(address.is_some()).to_le_bytes());
    out.extend(address.unwrap_or(Address::new([0; 32])).as_bytes());
}

fn base_of(account: &TokenAccount) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(account.mint.as_bytes());
    out.extend(account.owner.as_bytes());
    out.extend(account.amount.to_le_bytes());
    optional(&mut out, account.delegate);
    out.push(match account.state {
        TokenAccountState::Initialized => 1,
        TokenAccountState::Frozen => 2,
    });
    out.extend(u32::from(account.native_reserve.is_some()).to_le_bytes());
    out.extend(account.native_reserve.unwrap_or(0).to_le_bytes());
    out.extend(account.delegated_amount.to_le_bytes());
    optional(&mut out, account.close_authority);
    out
}

/// The base with zeros where a value that is not there would stand.
fn masked_account(bytes: &[u8]) -> Vec<u8> {
    let mut base = bytes[..ACCOUNT_LEN].to_vec();
    for (tag, value) in [(72, 76..108), (109, 113..121), (129, 133..165)] {
        if base[tag] == 0 {
            base[value].fill(0);
        }
    }
    base
}
