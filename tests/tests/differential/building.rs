//! What Keyward builds and signs is what Solana's crates build and sign, byte for byte.

use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::ed25519::SecretKey;
use keyward_core::solana::{self, BuildError, DecodeError, MAX_TRANSACTION_BYTES, MessageVersion};
use proptest::collection::vec as some;
use proptest::prelude::*;
use solana_hash::Hash;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::{Message as LegacyMessage, VersionedMessage, v0, v1};
use solana_pubkey::Pubkey;
use solana_transaction::Transaction;
use solana_transaction::versioned::VersionedTransaction;

use crate::alike::{address, config};
use crate::samples::any_config;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        max_global_rejects: 20_000,
        // Failing cases are to be turned into tests by name.
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn instructions_compile_to_the_same_bytes(
        payer in (8_u8..22).prop_map(|byte| Pubkey::new_from_array([byte; 32])),
        blockhash in any::<[u8; 32]>(),
        instructions in some(any_whole_instruction(), 1..5),
        settings in any_config(),
    ) {
        let own: Vec<solana::Instruction> = instructions.iter().map(ours).collect();
        let compile = |version| {
            solana::compile_message(version, address(&payer), &own, Blockhash::new(blockhash))
        };
        let hash = Hash::new_from_array(blockhash);
        let legacy = LegacyMessage::new_with_blockhash(&instructions, Some(&payer), &hash);
        match compile(MessageVersion::Legacy) {
            Ok(message) => prop_assert_eq!(message.encode(), legacy.serialize()),
            Err(BuildError::TooLong { found, .. }) => {
                let unsigned = Transaction::new_unsigned(legacy);
                prop_assert_eq!(wincode::serialize(&unsigned).unwrap().len(), found);
                prop_assert!(found > MAX_TRANSACTION_BYTES);
            }
            Err(error) => {
                let payer_called = DecodeError::FeePayerAsProgram { instruction: 1 };
                prop_assert_eq!(
                    core::mem::discriminant(&error),
                    core::mem::discriminant(&BuildError::Unsound(payer_called))
                );
                prop_assert!(instructions.iter().any(|own| own.program_id == payer));
            }
        }
        let versioned = v0::Message::try_compile(&payer, &instructions, &[], hash).unwrap();
        if let Ok(message) = compile(MessageVersion::V0) {
            prop_assert_eq!(message.encode(), VersionedMessage::V0(versioned).serialize());
        }
        let versioned = v1::Message::try_compile_with_config(&payer, &instructions, hash, settings).unwrap();
        match compile(MessageVersion::V1(config(&settings))) {
            Ok(message) => prop_assert_eq!(message.encode(), VersionedMessage::V1(versioned).serialize()),
            // What is refused here Solana's crates refuse when they look at it.
            Err(_) => prop_assert!(versioned.validate().is_err()),
        }
    }

    #[test]
    fn payments_are_built_and_signed_alike(
        seed in any::<[u8; 32]>(),
        to in any::<[u8; 32]>(),
        blockhash in any::<[u8; 32]>(),
        (lamports, units, price) in any::<(u64, u32, u64)>(),
    ) {
        let keypair = Keypair::new_from_array(seed);
        let secret = SecretKey::from_seed(&seed);
        let payer = solana_signer::Signer::pubkey(&keypair);
        prop_assert_eq!(secret.address(), address(&payer));
        prop_assume!(payer.to_bytes() != to);

        use solana_compute_budget_interface::ComputeBudgetInstruction as Budget;
        let theirs = [
            Budget::set_compute_unit_limit(units),
            Budget::set_compute_unit_price(price),
            solana_system_interface::instruction::transfer(&payer, &Pubkey::new_from_array(to), lamports),
        ];
        let own = [
            solana::instructions::compute_unit_limit(units),
            solana::instructions::compute_unit_price(price),
            solana::instructions::sol_transfer(secret.address(), Address::new(to), Lamports::new(lamports)),
        ];
        prop_assert!(theirs.iter().map(ours).eq(own.iter().cloned()));

        let hash = Hash::new_from_array(blockhash);
        let message = v0::Message::try_compile(&payer, &theirs, &[], hash).unwrap();
        let expected = VersionedTransaction::try_new(VersionedMessage::V0(message), &[&keypair]).unwrap();
        let message = solana::compile_message(
            MessageVersion::V0,
            secret.address(),
            &own,
            Blockhash::new(blockhash),
        ).unwrap();
        let signature = secret.sign(&message.encode());
        let signed = solana::Transaction::unsigned(message)
            .with_signature(&secret.address(), signature)
            .unwrap();
        prop_assert_eq!(signed.encode(), wincode::serialize(&expected).unwrap());
    }
}

/// Instructions over a small set of accounts, so that some are shared.
fn any_whole_instruction() -> impl Strategy<Value = Instruction> {
    let key = || (10_u8..22).prop_map(|byte| Pubkey::new_from_array([byte; 32]));
    let meta =
        (key(), any::<bool>(), any::<bool>()).prop_map(|(pubkey, is_signer, is_writable)| AccountMeta {
            pubkey,
            is_signer,
            is_writable,
        });
    (key(), some(meta, 0..6), some(any::<u8>(), 0..40)).prop_map(|(program_id, accounts, data)| Instruction {
        program_id,
        accounts,
        data,
    })
}

fn ours(instruction: &Instruction) -> solana::Instruction {
    solana::Instruction {
        program: address(&instruction.program_id),
        accounts: instruction
            .accounts
            .iter()
            .map(|own| solana::AccountMeta {
                address: address(&own.pubkey),
                is_signer: own.is_signer,
                is_writable: own.is_writable,
            })
            .collect(),
        data: instruction.data.clone(),
    }
}
