//! Keyward's reading of instructions beside the crates that build them.
//!
//! Each instruction is built by its program's own interface crate from random arguments and read by Keyward:
//! the name, every account in its order and every value of the data must be the ones given.

#![allow(clippy::unwrap_used, reason = "tests")]

use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::intent::{Action, FieldValue, Intent};
use keyward_core::solana::{self, MessageVersion};
use proptest::prelude::*;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

const PAYER: Address = Address::new([0xfe; 32]);

fn address(key: &Pubkey) -> Address {
    Address::new(key.to_bytes())
}

fn read(instruction: &Instruction) -> Action {
    let own = solana::Instruction {
        program: address(&instruction.program_id),
        accounts: instruction
            .accounts
            .iter()
            .map(|meta| solana::AccountMeta {
                address: address(&meta.pubkey),
                is_signer: meta.is_signer,
                is_writable: meta.is_writable,
            })
            .collect(),
        data: instruction.data.clone(),
    };
    let message =
        solana::compile_message(MessageVersion::V0, PAYER, &[own], Blockhash::new([9; 32])).unwrap();
    Intent::from_message(&message).actions.remove(0)
}

/// The name is this one, the accounts are those of the instruction, and the data says this.
fn check(instruction: &Instruction, name: &str, data: &[FieldValue]) {
    let action = read(instruction);
    let Action::Decoded {
        program,
        instruction: named,
        fields,
        ..
    } = &action
    else {
        panic!("{name} is not decoded: {action:?}");
    };
    assert_eq!((*program, *named), (address(&instruction.program_id), name));
    let (mut accounts, mut values) = (Vec::new(), Vec::new());
    for field in fields {
        match &field.value {
            FieldValue::Account(account) => accounts.push(*account),
            FieldValue::Accounts(further) => accounts.extend(further),
            value => values.push(value.clone()),
        }
    }
    let expected: Vec<Address> = instruction
        .accounts
        .iter()
        .map(|meta| address(&meta.pubkey))
        .collect();
    assert_eq!(accounts, expected, "{name}");
    assert_eq!(values, data, "{name}");
}

fn key() -> impl Strategy<Value = Pubkey> {
    // Never all zeros, which stands for none in places.
    any::<[u8; 32]>().prop_map(|mut bytes| {
        bytes[0] |= 1;
        bytes[31] = 7;
        Pubkey::new_from_array(bytes)
    })
}

fn lamports(amount: u64) -> FieldValue {
    FieldValue::Lamports(Lamports::new(amount))
}

fn number(value: impl Into<u64>) -> FieldValue {
    FieldValue::Number(value.into())
}

fn text(value: &str) -> FieldValue {
    FieldValue::Text(value.to_owned())
}

fn of(key: &Pubkey) -> FieldValue {
    FieldValue::Address(address(key))
}

fn maybe(key: Option<&Pubkey>) -> FieldValue {
    key.map_or(FieldValue::Nothing, of)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn system(
        keys in proptest::array::uniform5(key()),
        (amount, space) in any::<(u64, u64)>(),
        seed in "[a-z]{0,32}",
    ) {
        use solana_system_interface::instruction as system;
        let [a, b, base, owner, e] = &keys;
        check(
            &system::create_account(a, b, amount, space, owner),
            "CreateAccount",
            &[lamports(amount), number(space), of(owner)],
        );
        check(&system::assign(a, owner), "Assign", &[of(owner)]);
        check(&system::allocate(a, space), "Allocate", &[number(space)]);
        check(
            &system::create_account_with_seed(a, b, base, &seed, amount, space, owner),
            "CreateAccountWithSeed",
            &[of(base), text(&seed), lamports(amount), number(space), of(owner)],
        );
        check(
            &system::allocate_with_seed(a, base, &seed, space, owner),
            "AllocateWithSeed",
            &[of(base), text(&seed), number(space), of(owner)],
        );
        check(
            &system::assign_with_seed(a, base, &seed, owner),
            "AssignWithSeed",
            &[of(base), text(&seed), of(owner)],
        );
        check(
            &system::transfer_with_seed(a, base, seed.clone(), owner, e, amount),
            "TransferWithSeed",
            &[lamports(amount), text(&seed), of(owner)],
        );
        check(&system::advance_nonce_account(a, b), "AdvanceNonceAccount", &[]);
        check(&system::withdraw_nonce_account(a, b, e, amount), "WithdrawNonceAccount", &[lamports(amount)]);
        check(&system::authorize_nonce_account(a, b, e), "AuthorizeNonceAccount", &[of(e)]);
        check(&system::upgrade_nonce_account(*a), "UpgradeNonceAccount", &[]);
    }

    #[test]
    fn token(
        keys in proptest::array::uniform5(key()),
        amount in any::<u64>(),
        decimals in any::<u8>(),
        none in any::<bool>(),
    ) {
        use spl_token_interface::instruction as token;
        let program = &spl_token_interface::id();
        let [a, b, c, d, e] = &keys;
        let freeze = (!none).then_some(d);
        check(
            &token::initialize_mint(program, a, b, freeze, decimals).unwrap(),
            "InitializeMint",
            &[number(decimals), of(b), maybe(freeze)],
        );
        check(
            &token::initialize_mint2(program, a, b, freeze, decimals).unwrap(),
            "InitializeMint2",
            &[number(decimals), of(b), maybe(freeze)],
        );
        check(&token::initialize_account(program, a, b, c).unwrap(), "InitializeAccount", &[]);
        check(&token::initialize_account2(program, a, b, c).unwrap(), "InitializeAccount2", &[of(c)]);
        check(&token::initialize_account3(program, a, b, c).unwrap(), "InitializeAccount3", &[of(c)]);
        check(
            &token::initialize_multisig(program, a, &[b, c, d], 2).unwrap(),
            "InitializeMultisig",
            &[number(2_u8)],
        );
        check(
            &token::approve(program, a, b, c, &[d, e], amount).unwrap(),
            "Approve",
            &[number(amount)],
        );
        check(
            &token::approve_checked(program, a, b, c, d, &[], amount, decimals).unwrap(),
            "ApproveChecked",
            &[number(amount), number(decimals)],
        );
        check(&token::revoke(program, a, b, &[]).unwrap(), "Revoke", &[]);
        for (kind, named) in [
            (token::AuthorityType::MintTokens, "mint tokens"),
            (token::AuthorityType::FreezeAccount, "freeze account"),
            (token::AuthorityType::AccountOwner, "account owner"),
            (token::AuthorityType::CloseAccount, "close account"),
        ] {
            check(
                &token::set_authority(program, a, freeze, kind, c, &[]).unwrap(),
                "SetAuthority",
                &[FieldValue::Word(named), maybe(freeze)],
            );
        }
        check(&token::mint_to(program, a, b, c, &[], amount).unwrap(), "MintTo", &[number(amount)]);
        check(&token::burn(program, a, b, c, &[], amount).unwrap(), "Burn", &[number(amount)]);
        check(
            &token::mint_to_checked(program, a, b, c, &[], amount, decimals).unwrap(),
            "MintToChecked",
            &[number(amount), number(decimals)],
        );
        check(
            &token::burn_checked(program, a, b, c, &[], amount, decimals).unwrap(),
            "BurnChecked",
            &[number(amount), number(decimals)],
        );
        check(&token::close_account(program, a, b, c, &[]).unwrap(), "CloseAccount", &[]);
        check(&token::freeze_account(program, a, b, c, &[]).unwrap(), "FreezeAccount", &[]);
        check(&token::thaw_account(program, a, b, c, &[]).unwrap(), "ThawAccount", &[]);
        check(&token::sync_native(program, a).unwrap(), "SyncNative", &[]);
        let transfer = token::transfer_checked(program, a, b, c, d, &[e], amount, decimals).unwrap();
        assert_eq!(
            read(&transfer),
            Action::TokenTransfer {
                program: address(program),
                source: address(a),
                destination: address(c),
                authority: address(d),
                mint: Some(address(b)),
                amount,
                decimals: Some(decimals),
                fee: None,
                extra_accounts: vec![address(e)],
            }
        );
    }

    #[test]
    fn token_2022(
        keys in proptest::array::uniform5(key()),
        (amount, fee, decimals, points) in any::<(u64, u64, u8, u16)>(),
        none in any::<bool>(),
    ) {
        use spl_token_2022_interface::extension as ext;
        use spl_token_2022_interface::instruction as token;
        let program = &spl_token_2022_interface::id();
        let [a, b, c, d, e] = &keys;
        let other = (!none).then_some(d);
        use ext::transfer_fee::instruction as fees;
        check(
            &fees::initialize_transfer_fee_config(program, a, other, Some(e), points, fee).unwrap(),
            "TransferFee.InitializeTransferFeeConfig",
            &[maybe(other), of(e), number(points), number(fee)],
        );
        check(
            &fees::withdraw_withheld_tokens_from_mint(program, a, b, c, &[]).unwrap(),
            "TransferFee.WithdrawWithheldTokensFromMint",
            &[],
        );
        check(
            &fees::withdraw_withheld_tokens_from_accounts(program, a, b, c, &[], &[d, e]).unwrap(),
            "TransferFee.WithdrawWithheldTokensFromAccounts",
            &[number(2_u8)],
        );
        check(
            &fees::harvest_withheld_tokens_to_mint(program, a, &[d, e]).unwrap(),
            "TransferFee.HarvestWithheldTokensToMint",
            &[],
        );
        check(
            &fees::set_transfer_fee(program, a, b, &[], points, fee).unwrap(),
            "TransferFee.SetTransferFee",
            &[number(points), number(fee)],
        );
        let paid = fees::transfer_checked_with_fee(program, a, b, c, d, &[], amount, decimals, fee).unwrap();
        assert!(matches!(
            read(&paid),
            Action::TokenTransfer { amount: moved, fee: Some(kept), .. } if (moved, kept) == (amount, fee)
        ));
        check(
            &token::initialize_permanent_delegate(program, a, b).unwrap(),
            "InitializePermanentDelegate",
            &[of(b)],
        );
        check(
            &token::initialize_mint_close_authority(program, a, other).unwrap(),
            "InitializeMintCloseAuthority",
            &[maybe(other)],
        );
        check(&token::initialize_non_transferable_mint(program, a).unwrap(), "InitializeNonTransferableMint", &[]);
        check(
            &token::reallocate(
                program, a, b, c, &[],
                &[ext::ExtensionType::MemoTransfer, ext::ExtensionType::CpiGuard],
            ).unwrap(),
            "Reallocate",
            &[text("MemoTransfer, CpiGuard")],
        );
        check(
            &ext::memo_transfer::instruction::enable_required_transfer_memos(program, a, b, &[]).unwrap(),
            "MemoTransfer.Enable",
            &[],
        );
        check(
            &ext::cpi_guard::instruction::disable_cpi_guard(program, a, b, &[]).unwrap(),
            "CpiGuard.Disable",
            &[],
        );
        check(
            &ext::transfer_hook::instruction::initialize(program, a, other.copied(), Some(*e)).unwrap(),
            "TransferHook.Initialize",
            &[maybe(other), of(e)],
        );
        check(
            &ext::metadata_pointer::instruction::update(program, a, b, &[], other.copied()).unwrap(),
            "MetadataPointer.Update",
            &[maybe(other)],
        );
        check(&ext::pausable::instruction::pause(program, a, b, &[]).unwrap(), "Pausable.Pause", &[]);
    }

    #[test]
    fn stake_tables_and_loader(
        keys in proptest::array::uniform5(key()),
        (amount, slot, bytes) in any::<(u64, u64, u32)>(),
        custodian in any::<bool>(),
    ) {
        use solana_address_lookup_table_interface::instruction as table;
        use solana_loader_v3_interface::instruction as loader;
        use solana_stake_interface::instruction as stake;
        use solana_stake_interface::state::StakeAuthorize;
        let [a, b, c, d, e] = &keys;
        let lock = custodian.then_some(e);
        for (role, named) in [(StakeAuthorize::Staker, "staker"), (StakeAuthorize::Withdrawer, "withdrawer")] {
            check(
                &stake::authorize(a, b, c, role, lock),
                "Authorize",
                &[of(c), FieldValue::Word(named)],
            );
            check(
                &stake::authorize_checked(a, b, c, role, lock),
                "AuthorizeChecked",
                &[FieldValue::Word(named)],
            );
        }
        check(&stake::delegate_stake(a, b, c), "DelegateStake", &[]);
        check(&stake::deactivate_stake(a, b), "Deactivate", &[]);
        check(&stake::withdraw(a, b, c, amount, lock), "Withdraw", &[lamports(amount)]);
        check(&stake::move_stake(a, b, c, amount), "MoveStake", &[lamports(amount)]);
        check(&stake::move_lamports(a, b, c, amount), "MoveLamports", &[lamports(amount)]);
        for instruction in stake::merge(a, b, c) {
            check(&instruction, "Merge", &[]);
        }
        check(stake::split(a, b, amount, c).last().unwrap(), "Split", &[lamports(amount)]);

        let (create, _) = table::create_lookup_table(*a, *b, slot);
        let bump = *create.data.last().unwrap();
        check(&create, "CreateLookupTable", &[number(slot), number(bump)]);
        check(
            &table::extend_lookup_table(*a, *b, custodian.then_some(*c), vec![*d, *e]),
            "ExtendLookupTable",
            &[FieldValue::Addresses(vec![address(d), address(e)])],
        );
        check(&table::freeze_lookup_table(*a, *b), "FreezeLookupTable", &[]);
        check(&table::deactivate_lookup_table(*a, *b), "DeactivateLookupTable", &[]);
        check(&table::close_lookup_table(*a, *b, *c), "CloseLookupTable", &[]);

        check(&loader::upgrade(a, b, c, d), "Upgrade", &[]);
        check(&loader::set_buffer_authority(a, b, c), "SetAuthority", &[]);
        check(&loader::set_upgrade_authority(a, b, lock), "SetAuthority", &[]);
        check(&loader::set_upgrade_authority_checked(a, b, c), "SetAuthorityChecked", &[]);
        check(&loader::close_any(a, b, Some(c), lock), "Close", &[]);
        check(
            &loader::extend_program(a, custodian.then_some(b), bytes),
            "ExtendProgram",
            &[number(bytes)],
        );
        check(
            &loader::write(a, b, bytes, vec![1, 2, 3]),
            "Write",
            &[number(bytes), FieldValue::Bytes(vec![1, 2, 3])],
        );
    }
}
