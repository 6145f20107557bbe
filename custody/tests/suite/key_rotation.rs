//! Rotated wallets in use: which keys sign on both chains, what becomes of what was under way, of exports and of the vault key.

use keyward_core::account::AccountAddress;
use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_core::audit::{Operation, Outcome};
use keyward_core::evm::transaction::{Transaction, TransactionKind};
use keyward_core::evm::{EvmAddress, U256};
use keyward_core::path::PathFamily;
use keyward_core::policy::{EvmLimits, PolicyLimits};
use keyward_core::solana::instructions;
use keyward_custody::transfer::Repeat;
use keyward_custody::{
    AttemptQuery, AttemptState, AuditQuery, AuditReport, Custody, CustodyError, DeriveRequest,
    EvmSignRequest, NewAttempt, NewVault, Password, Progress, RotationInterval, SignError, SignRequest,
    WalletPasswords,
};

use crate::fixture::{Fixture, NETWORK, first, new_vault, password, recipient, transaction, transfer_from};

const DAY: u64 = 86_400_000;

fn new_evm_vault() -> NewVault {
    let vault = new_vault();
    let evm = EvmLimits {
        wei_per_transaction: U256::from(1_000_u64),
        max_fee_wei: U256::from(1_000_000_000_u64),
    };
    NewVault {
        limits: PolicyLimits {
            evm: Some(evm),
            ..vault.limits
        },
        ..vault
    }
}

/// A vault that pays on both chains, with a wallet of each.
async fn both_chains(fixture: &Fixture) -> (Custody, [AccountAddress; 2]) {
    let custody = fixture.open().await;
    custody.create_vault(new_evm_vault()).await.unwrap();
    for family in [PathFamily::Bip44Change, PathFamily::EvmBip44] {
        let request = DeriveRequest {
            family: Some(family),
            count: 1,
            ..DeriveRequest::default()
        };
        custody.derive_wallets(request, &Progress::new()).await.unwrap();
    }
    let solana = custody.wallet("#0").await.unwrap().address;
    let evm = custody.wallet("evm-bip44#0").await.unwrap().address;
    (custody, [solana, evm])
}

/// Signs a payment of this wallet, whatever its chain.
async fn pay(custody: &Custody, wallet: AccountAddress, nonce: u8) -> Result<(), SignError> {
    match wallet {
        AccountAddress::Solana(payer) => {
            let signed = custody.sign_transaction(transfer_from(payer, 5, nonce)).await?;
            assert_eq!(signed.wallets, [payer]);
        }
        AccountAddress::Evm(wallet) => {
            let transaction = Transaction {
                chain_id: 1,
                nonce: nonce.into(),
                gas_limit: 21_000,
                to: Some(EvmAddress::new([0x35; 20])),
                value: U256::from(5_u64),
                data: Vec::new(),
                kind: TransactionKind::DynamicFee {
                    max_priority_fee_per_gas: U256::from(1_u64),
                    max_fee_per_gas: U256::from(2_u64),
                    access_list: Vec::new(),
                },
            };
            let request = EvmSignRequest {
                transaction: transaction.encode_unsigned(),
                wallet,
                chain_id: 1,
            };
            let none = WalletPasswords::none();
            custody.sign_evm_transaction(request, &none).await?;
        }
    }
    Ok(())
}

async fn refusals(custody: &Custody, reason: &str) -> usize {
    let query = AuditQuery {
        outcome: Some(Outcome::Refused),
        ..AuditQuery::default()
    };
    let rows = custody.audit_entries(&query).await.unwrap().rows;
    rows.iter().filter(|entry| entry.reason == reason).count()
}

fn week() -> RotationInterval {
    RotationInterval::from_ms(7 * DAY).unwrap()
}

#[tokio::test]
async fn what_names_an_old_key_is_signed_by_it_until_it_is_retired() {
    let fixture = Fixture::new();
    let (custody, wallets) = both_chains(&fixture).await;
    for wallet in wallets {
        let mut keys = vec![wallet];
        for nonce in 1..=4 {
            fixture.clock.advance(DAY);
            let newest = *keys.last().unwrap();
            keys.push(custody.rotate_wallet(newest, None).await.unwrap().to);
            for key in keys.iter().rev().take(4) {
                pay(&custody, *key, nonce).await.unwrap();
            }
        }
        let before = refusals(&custody, "wallet-retired").await;
        let error = pay(&custody, wallet, 9).await.unwrap_err();
        assert!(
            matches!(error, SignError::Custody(CustodyError::WalletRetired { wallet: of }) if of == wallet),
            "{error}"
        );
        assert_eq!(refusals(&custody, "wallet-retired").await, before + 1);
        custody.extend_rotated(wallet, week()).await.unwrap();
        pay(&custody, wallet, 9).await.unwrap();
        fixture.clock.advance(7 * DAY);
        assert!(custody.retire_due().await.unwrap().contains(&wallet));
        assert_eq!(
            pay(&custody, wallet, 10).await.unwrap_err().code(),
            "wallet-retired"
        );
    }
    let report = custody.audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
}

#[tokio::test]
async fn a_transaction_of_an_old_and_a_new_key_is_signed_by_both_or_none() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let new = custody.rotate_wallet(first(), None).await.unwrap().to;
    let new = *new.as_solana().unwrap();
    let both = |nonce| {
        let of = |payer: Address| instructions::sol_transfer(payer, recipient(), Lamports::new(3));
        SignRequest::new(transaction(first(), &[of(first()), of(new)], nonce), NETWORK)
    };
    let signed = custody.sign_transaction(both(1)).await.unwrap();
    assert_eq!(signed.wallets, [first(), new]);
    custody.retire_rotated(&[first()]).await.unwrap();
    let error = custody.sign_transaction(both(2)).await.unwrap_err();
    assert_eq!(error.code(), "wallet-retired");
    let signed = "SELECT COUNT(*) FROM intents WHERE state = 'signed'";
    assert_eq!(fixture.number(signed).await, 2);
}

#[tokio::test]
async fn a_payment_on_its_way_is_followed_whatever_becomes_of_its_key() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let attempt = NewAttempt {
        wallet: first(),
        recipient: recipient(),
        amount: Lamports::new(5).into(),
        signature: Signature::new([4; 64]),
        transaction: vec![4; 300],
        last_valid_block_height: 77,
        network: NETWORK.to_owned(),
        nonce: None,
    };
    let id = custody.record_attempt(attempt, Repeat::Separate).await.unwrap();
    custody
        .update_attempt(id, AttemptState::Sent, None, None)
        .await
        .unwrap();
    custody.rotate_wallet(first(), None).await.unwrap();
    custody.retire_rotated(&[first()]).await.unwrap();
    let unresolved = custody.attempts(&AttemptQuery::default()).await.unwrap();
    assert_eq!(unresolved.len(), 1);
    assert_eq!((unresolved[0].id, unresolved[0].new.wallet), (id, first()));
    for (state, slot) in [(AttemptState::Confirmed, 8), (AttemptState::Finalized, 9)] {
        custody.update_attempt(id, state, Some(slot), None).await.unwrap();
    }
    let ended = custody.attempts(&AttemptQuery::default()).await.unwrap();
    assert_eq!(
        (ended[0].state, ended[0].slot),
        (AttemptState::Finalized, Some(9))
    );
}

#[tokio::test]
async fn a_chain_of_keys_outlives_a_rotation_of_the_vault_key() {
    let fixture = Fixture::new();
    let (custody, [wallet, _]) = both_chains(&fixture).await;
    let second = custody.rotate_wallet(wallet, None).await.unwrap().to;
    custody.rotate_vault_key(&password(), None).await.unwrap();
    let third = custody.rotate_wallet(second, None).await.unwrap().to;
    for (nonce, key) in [wallet, second, third].into_iter().enumerate() {
        pay(&custody, key, u8::try_from(nonce).unwrap()).await.unwrap();
    }
    let other = fixture.unlocked().await;
    let chain = other.rotation_chain(wallet).await.unwrap();
    let addresses: Vec<_> = chain.iter().map(|wallet| wallet.address).collect();
    assert_eq!(addresses, [third, second, wallet]);
    let report = other.audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
}

#[tokio::test]
async fn a_rotation_that_cannot_be_audited_does_not_happen() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    fixture.place.refuse_inserts("audit_entries").await;
    let rotated = custody.rotate_wallet(first(), None).await;
    assert!(rotated.is_err());
    fixture.place.allow_inserts("audit_entries").await;
    let rows = "SELECT COUNT(*) FROM wallets WHERE status = 'active' AND previous_wallet_id IS NULL";
    assert_eq!(fixture.number(rows).await, 1);
    assert_eq!(fixture.number("SELECT MAX(next_index) FROM derivations").await, 1);
    let rotation = custody.rotate_wallet(first(), None).await.unwrap();
    assert_eq!(rotation.index, 1);
}

#[tokio::test]
async fn a_clock_that_is_behind_rotates_nothing() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    fixture.clock.set(crate::fixture::START_MS - 10);
    let error = custody.rotate_wallet(first(), None).await.unwrap_err();
    assert!(
        matches!(error, CustodyError::ClockBehind { behind_ms: 10 }),
        "{error}"
    );
    assert_eq!(custody.rotation_chain(first()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_old_key_needs_the_password_that_it_has() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let own = || Password::new("wicker omen tidal 7733".to_owned());
    custody.set_wallet_password(first(), None, &own()).await.unwrap();
    let new = custody.rotate_wallet(first(), Some(&own())).await.unwrap().to;
    for wallet in [first(), *new.as_solana().unwrap()] {
        let request = || transfer_from(wallet, 5, 1);
        let error = custody.sign_transaction(request()).await.unwrap_err();
        assert_eq!(error.code(), "wallet-password-needed");
        let passwords = WalletPasswords::of_one(wallet, own());
        let signed = custody
            .sign_transaction_with(request(), &passwords)
            .await
            .unwrap();
        assert_eq!(signed.wallets, [wallet]);
    }
}

#[tokio::test]
async fn a_retired_key_stays_in_the_vault_and_leaves_it_by_policy_alone() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    custody.rotate_wallet(first(), None).await.unwrap();
    custody.retire_rotated(&[first()]).await.unwrap();
    let exported = custody
        .export_key(first(), &password(), None, None)
        .await
        .unwrap();
    assert_eq!(exported.address(), first());
    let query = AuditQuery {
        operation: Some(Operation::Export),
        outcome: Some(Outcome::Authorised),
        ..AuditQuery::default()
    };
    assert_eq!(custody.audit_entries(&query).await.unwrap().total, 1);
}
