//! The instructions that Keyward builds beside the crates that their programs publish: the same program, the same accounts
//! with the same flags, the same data. And derived addresses beside Solana's own derivation.

#![allow(clippy::unwrap_used, reason = "tests")]

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::instructions::{self as own, TokenPayment};
use keyward_core::solana::{self, associated_token_account, program_address, seeded_address};
use proptest::prelude::*;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use spl_associated_token_account_interface::{address as associated, instruction as creation};
use spl_token_2022_interface::extension::transfer_fee::instruction as fees;

fn address(key: &Pubkey) -> Address {
    Address::new(key.to_bytes())
}

fn same(own: &solana::Instruction, theirs: &Instruction) {
    assert_eq!(own.program, address(&theirs.program_id));
    let accounts: Vec<_> = theirs
        .accounts
        .iter()
        .map(|meta| (address(&meta.pubkey), meta.is_signer, meta.is_writable))
        .collect();
    let ours: Vec<_> = own
        .accounts
        .iter()
        .map(|meta| (meta.address, meta.is_signer, meta.is_writable))
        .collect();
    assert_eq!(ours, accounts);
    assert_eq!(own.data, theirs.data);
}

fn key() -> impl Strategy<Value = Pubkey> {
    any::<[u8; 32]>().prop_map(Pubkey::new_from_array)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tokens(
        keys in proptest::array::uniform4(key()),
        (amount, fee) in any::<(u64, u64)>(),
        decimals in any::<u8>(),
    ) {
        let [source, mint, destination, owner] = &keys;
        for program in [spl_token_interface::id(), spl_token_2022_interface::id()] {
            let payment = TokenPayment {
                program: address(&program),
                source: address(source),
                mint: address(mint),
                destination: address(destination),
                authority: address(owner),
                amount,
                decimals,
            };
            use spl_token_2022_interface::instruction as token;
            same(
                &own::token_transfer(&payment),
                &token::transfer_checked(&program, source, mint, destination, owner, &[], amount, decimals).unwrap(),
            );
            same(
                &own::close_token_account(address(&program), address(source), address(destination), address(owner)),
                &token::close_account(&program, source, destination, owner, &[]).unwrap(),
            );
            same(
                &own::sync_native(address(&program), address(source)),
                &token::sync_native(&program, source).unwrap(),
            );
            same(
                &own::create_associated_account(address(source), address(owner), address(&program), address(mint)),
                &creation::create_associated_token_account_idempotent(source, owner, mint, &program),
            );
            prop_assert_eq!(
                associated_token_account(&address(owner), &address(&program), &address(mint)),
                address(&associated::get_associated_token_address_with_program_id(owner, mint, &program))
            );
        }
        let program = spl_token_2022_interface::id();
        let payment = TokenPayment {
            program: address(&program),
            source: address(source),
            mint: address(mint),
            destination: address(destination),
            authority: address(owner),
            amount,
            decimals,
        };
        same(
            &own::token_transfer_with_fee(&payment, fee),
            &fees::transfer_checked_with_fee(
                &program, source, mint, destination, owner, &[], amount, decimals, fee,
            ).unwrap(),
        );
        same(
            &own::withdraw_excess_lamports(address(&program), address(source), address(destination), address(owner)),
            &spl_token_2022_interface::instruction::withdraw_excess_lamports(
                &program, source, destination, owner, &[],
            ).unwrap(),
        );
        same(
            &own::harvest_withheld_tokens(address(mint), &[address(source), address(destination)]),
            &fees::harvest_withheld_tokens_to_mint(&program, mint, &[source, destination]).unwrap(),
        );
    }

    #[test]
    fn nonces(
        keys in proptest::array::uniform4(key()),
        (amount, space) in any::<(u64, u64)>(),
        seed in "[a-z ]{0,32}",
    ) {
        use solana_system_interface::instruction as system;
        let [funder, account, base, owner] = &keys;
        let lamports = Lamports::new(amount);
        same(
            &own::create_account(address(funder), address(account), lamports, space, address(owner)),
            &system::create_account(funder, account, amount, space, owner),
        );
        let derived = Pubkey::create_with_seed(base, &seed, owner).unwrap();
        prop_assert_eq!(seeded_address(&address(base), &seed, &address(owner)), Some(address(&derived)));
        for base_or_funder in [base, funder] {
            let derived = Pubkey::create_with_seed(base_or_funder, &seed, owner).unwrap();
            same(
                &own::create_account_with_seed(
                    address(funder), (address(base_or_funder), &seed), lamports, space, address(owner),
                ).unwrap(),
                &system::create_account_with_seed(
                    funder, &derived, base_or_funder, &seed, amount, space, owner,
                ),
            );
        }
        same(&own::advance_nonce(address(account), address(owner)), &system::advance_nonce_account(account, owner));
        same(
            &own::withdraw_nonce(address(account), address(base), address(owner), lamports),
            &system::withdraw_nonce_account(account, owner, base, amount),
        );
        same(
            &own::authorize_nonce(address(account), address(owner), address(base)),
            &system::authorize_nonce_account(account, owner, base),
        );
        // The crate gives creation and initialisation together.
        let both = system::create_nonce_account(funder, account, owner, amount);
        let [create, initialize] = both.as_slice() else {
            panic!("{both:?}");
        };
        same(
            &own::create_account(
                address(funder), address(account), lamports, own::NONCE_ACCOUNT_BYTES, Address::new([0; 32]),
            ),
            create,
        );
        same(&own::initialize_nonce(address(account), address(owner)), initialize);
    }

    #[test]
    fn derived(
        seeds in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..=32), 0..=15),
        program in key(),
    ) {
        let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
        let (theirs, bump) = Pubkey::find_program_address(&seeds, &program);
        prop_assert_eq!(program_address(&seeds, &address(&program)), Some((address(&theirs), bump)));
    }
}
