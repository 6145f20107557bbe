//! Which keys sign, and which are opened.

use super::*;

contract!(no_key_but_the_one_that_is_named_is_opened,);

fn transfer_from(payer: AccountAddress, nonce: u8) -> SignRequest {
    let payer = *payer.as_solana().unwrap();
    let pay = instructions::sol_transfer(payer, Address::new([8; 32]), Lamports::new(5));
    let message =
        compile_message(MessageVersion::Legacy, payer, &[pay], Blockhash::new([nonce; 32])).unwrap();
    SignRequest::new(Transaction::unsigned(message).encode(), "test")
}

fn evm_transfer_from(wallet: AccountAddress) -> EvmSignRequest {
    let transaction = EvmTransaction {
        chain_id: 1,
        nonce: 0,
        gas_limit: 21_000,
        to: Some(EvmAddress::new([0x35; 20])),
        value: U256::from(1_u64),
        data: Vec::new(),
        kind: TransactionKind::DynamicFee {
            max_priority_fee_per_gas: U256::from(1_u64),
            max_fee_per_gas: U256::from(2_u64),
            access_list: Vec::new(),
        },
    };
    EvmSignRequest {
        transaction: transaction.encode_unsigned(),
        wallet: *wallet.as_evm().unwrap(),
        chain_id: 1,
    }
}

/// Which keys were opened since this was asked last.
fn opened(custody: &Custody) -> Vec<AccountAddress> {
    std::mem::take(&mut *custody.session().unwrap().opened.lock().unwrap())
}

async fn no_key_but_the_one_that_is_named_is_opened(scene: Scene) {
    let custody = &scene.custody;
    let mut newest = scene.wallet;
    for day in 1..=5 {
        on_day(&scene, day);
        newest = rotate(&scene, newest).await;
    }
    assert!(opened(custody).is_empty(), "rotating opens no wallet");
    let chain = custody.rotation_chain(newest).await.unwrap();
    for (nonce, key) in (0_u8..).zip(&chain) {
        let outcome = custody.sign_transaction(transfer_from(key.address, nonce)).await;
        match key.status {
            WalletStatus::Active | WalletStatus::Rotated => {
                assert_eq!(outcome.unwrap().wallets, [*key.address.as_solana().unwrap()]);
                assert_eq!(opened(custody), [key.address]);
            }
            _ => {
                assert_eq!(outcome.unwrap_err().code(), "wallet-retired");
                assert!(opened(custody).is_empty());
            }
        }
    }
    // What names none of them opens none.
    let stranger: AccountAddress = Address::new([9; 32]).into();
    let error = custody
        .sign_transaction(transfer_from(stranger, 0))
        .await
        .unwrap_err();
    assert_eq!((error.code(), opened(custody).len()), ("no-signer", 0));
    // The same on the other chain; policy refuses before any key is opened.
    let evm = derive(&scene, PathFamily::EvmBip44, 1).await[0];
    rotate(&scene, evm).await;
    let passwords = WalletPasswords::none();
    let error = custody
        .sign_evm_transaction(evm_transfer_from(evm), &passwords)
        .await
        .unwrap_err();
    assert_eq!((error.code(), opened(custody).len()), ("not-allowed", 0));
}
