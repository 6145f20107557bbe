//! EVM transactions and messages: the same five steps, limits and log as everything else that is signed.

use std::collections::BTreeSet;

use keyward_core::account::AccountAddress;
use keyward_core::audit::{AuditEntry, Operation, Outcome};
use keyward_core::evm::transaction::{AccessListEntry, SignedTransaction, Transaction, TransactionKind};
use keyward_core::evm::{EvmAddress, U256, personal};
use keyward_core::path::PathFamily;
use keyward_core::policy::{EvmLimits, PolicyLimits};
use keyward_core::secp256k1::recover;
use keyward_custody::{
    AuditQuery, AuditReport, Custody, CustodyError, DeriveRequest, EvmSignRequest, NewVault, Password,
    PreviewDecision, Progress, SignError, SigningStep, WalletPasswords,
};

use crate::fixture::{Fixture, first, new_vault, transfer};

/// The first wallet of the fixture's phrase at `m/44'/60'/0'/0/0`.
const FIRST: &str = "0x9858EfFD232B4033E47d90003D41EC34EcaEda94";
const ETHER: u128 = 1_000_000_000_000_000_000;
const GWEI: u64 = 1_000_000_000;

fn wallet() -> EvmAddress {
    FIRST.parse().unwrap()
}

fn new_evm_vault() -> NewVault {
    let vault = new_vault();
    let evm = EvmLimits {
        wei_per_transaction: U256::from(100 * ETHER),
        max_fee_wei: U256::from(ETHER / 100),
    };
    NewVault {
        limits: PolicyLimits {
            evm: Some(evm),
            ..vault.limits
        },
        ..vault
    }
}

async fn derive(custody: &Custody, family: PathFamily, count: u32) {
    let request = DeriveRequest {
        family: Some(family),
        count,
        ..DeriveRequest::default()
    };
    custody.derive_wallets(request, &Progress::new()).await.unwrap();
}

/// A vault that allows EVM transfers, with one wallet of Solana and so many of the Ethereum family.
async fn vault(fixture: &Fixture, wallets: u32) -> Custody {
    let custody = fixture.open().await;
    custody.create_vault(new_evm_vault()).await.unwrap();
    derive(&custody, PathFamily::Bip44Change, 1).await;
    derive(&custody, PathFamily::EvmBip44, wallets).await;
    custody
}

fn payment(chain_id: u64, nonce: u64, wei: u128) -> Transaction {
    Transaction {
        chain_id,
        nonce,
        gas_limit: 21_000,
        to: Some(EvmAddress::new([0x35; 20])),
        value: U256::from(wei),
        data: Vec::new(),
        kind: TransactionKind::DynamicFee {
            max_priority_fee_per_gas: U256::from(GWEI),
            max_fee_per_gas: U256::from(20 * GWEI),
            access_list: Vec::new(),
        },
    }
}

fn request(transaction: &Transaction) -> EvmSignRequest {
    EvmSignRequest {
        transaction: transaction.encode_unsigned(),
        wallet: wallet(),
        chain_id: transaction.chain_id,
    }
}

fn pay(chain_id: u64, nonce: u64, wei: u128) -> EvmSignRequest {
    request(&payment(chain_id, nonce, wei))
}

async fn sign(custody: &Custody, request: EvmSignRequest) -> Result<Vec<u8>, SignError> {
    let signed = custody
        .sign_evm_transaction(request, &WalletPasswords::none())
        .await?;
    Ok(signed.bytes)
}

async fn newest(custody: &Custody) -> AuditEntry {
    let query = AuditQuery {
        limit: 1,
        ..AuditQuery::default()
    };
    custody.audit_entries(&query).await.unwrap().rows.remove(0)
}

async fn count(custody: &Custody, operation: Operation, outcome: Outcome) -> u64 {
    let query = AuditQuery {
        operation: Some(operation),
        outcome: Some(outcome),
        ..AuditQuery::default()
    };
    custody.audit_entries(&query).await.unwrap().total
}

async fn intact(custody: &Custody) {
    let report = custody.audit_verify(None).await.unwrap();
    assert!(matches!(report, AuditReport::Intact { .. }), "{report:?}");
}

#[tokio::test]
async fn transactions_of_every_type_are_signed_in_five_steps_and_written_down() {
    let gas_price = U256::from(9 * GWEI);
    let entry = AccessListEntry {
        address: EvmAddress::new([4; 20]),
        storage_keys: vec![[5; 32]],
    };
    let kinds = [
        TransactionKind::Legacy { gas_price },
        TransactionKind::AccessList {
            gas_price,
            access_list: vec![entry],
        },
        payment(1, 0, 0).kind,
    ];
    for (kind, type_byte) in kinds.into_iter().zip([None, Some(1), Some(2)]) {
        let fixture = Fixture::new();
        let custody = vault(&fixture, 1).await;
        let transaction = Transaction {
            kind,
            ..payment(137, 3, 5_000)
        };
        let signed = custody
            .sign_evm_transaction(request(&transaction), &WalletPasswords::none())
            .await
            .unwrap();
        let read = SignedTransaction::decode(&signed.bytes).unwrap();
        assert_eq!(
            (read.sender(), read.transaction(), read.hash()),
            (&wallet(), &transaction, signed.hash)
        );
        assert_eq!(
            (signed.wallet, read.transaction().type_byte()),
            (wallet(), type_byte)
        );
        use SigningStep::{Authorised, Checked, Evaluated, KeyUsed, Recorded};
        assert_eq!(
            *fixture.steps.seen.lock().unwrap(),
            [Checked, Evaluated, Authorised, KeyUsed, Recorded]
        );

        let query = AuditQuery {
            operation: Some(Operation::SignTransaction),
            ..AuditQuery::default()
        };
        let entries = custody.audit_entries(&query).await.unwrap().rows;
        let outcomes: Vec<_> = entries.iter().map(|row| row.outcome).collect();
        assert_eq!(outcomes, [Outcome::Signed, Outcome::Authorised]);
        assert!(entries.iter().all(|row| row.wallet == Some(wallet().into())));
        assert!(
            entries[1].details.contains("network eip155:137"),
            "{}",
            entries[1].details
        );
        let row = "SELECT COUNT(*) FROM intents WHERE kind = 'evm-transaction' AND network = 'eip155:137' \
                   AND state = 'signed' AND length(signature) = 132";
        assert_eq!(fixture.number(row).await, 1);
        let row = "SELECT amount_low FROM spend_reservations WHERE asset = 'eip155:137/native'";
        assert_eq!(fixture.number(row).await, 5_000);
        intact(&custody).await;
    }
}

#[tokio::test]
async fn amounts_beyond_64_bits_are_reserved_exactly() {
    let fixture = Fixture::new();
    let custody = vault(&fixture, 1).await;
    let wei = 99 * ETHER + 7;
    sign(&custody, pay(1, 0, wei)).await.unwrap();
    assert_eq!(fixture.place.reserved().await, wei);
    assert!(wei > u128::from(u64::MAX));
}

#[tokio::test]
async fn the_same_request_again_gives_the_same_signature_and_another_chain_is_another_intent() {
    let fixture = Fixture::new();
    let custody = vault(&fixture, 1).await;
    let once = sign(&custody, pay(1, 0, 9)).await.unwrap();
    let entries = fixture.number("SELECT COUNT(*) FROM audit_entries").await;
    assert_eq!(sign(&custody, pay(1, 0, 9)).await.unwrap(), once);
    assert_eq!(
        fixture.number("SELECT COUNT(*) FROM audit_entries").await,
        entries
    );
    assert_eq!(fixture.number("SELECT COUNT(*) FROM spend_reservations").await, 1);
    assert_ne!(sign(&custody, pay(56, 0, 9)).await.unwrap(), once);
    let assets = "SELECT COUNT(DISTINCT asset) FROM spend_reservations";
    assert_eq!(fixture.number(assets).await, 2);
}

/// Everything that must not be signed, and the code of the refusal.
fn refusals() -> Vec<(&'static str, EvmSignRequest, &'static str)> {
    let good = payment(1, 0, 5);
    let raw = |transaction: Vec<u8>| EvmSignRequest {
        transaction,
        wallet: wallet(),
        chain_id: 1,
    };
    let bytes = good.encode_unsigned();
    // The example of EIP-155, signed, and the same payload without a chain.
    let signed = "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";
    let chainless = "e9098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080";
    let call = Transaction {
        data: vec![0xde, 0xad, 0xbe, 0xef],
        ..good.clone()
    };
    let create = Transaction {
        to: None,
        data: vec![0x60; 9],
        ..good.clone()
    };
    let dear = Transaction {
        gas_limit: 10_000_000,
        ..good.clone()
    };
    let mut blob = bytes.clone();
    blob[0] = 3;
    let mut unknown = bytes.clone();
    unknown[0] = 0x7f;
    vec![
        ("nothing", raw(Vec::new()), "undecodable"),
        ("garbage", raw(vec![0xff; 99]), "undecodable"),
        ("cut short", raw(bytes[..bytes.len() - 1].to_vec()), "undecodable"),
        ("trailing bytes", raw([&bytes[..], &[0]].concat()), "undecodable"),
        ("signed already", raw(hex::decode(signed).unwrap()), "undecodable"),
        (
            "without a chain",
            raw(hex::decode(chainless).unwrap()),
            "undecodable",
        ),
        ("with blobs", raw(blob), "undecodable"),
        ("of an unknown type", raw(unknown), "undecodable"),
        (
            "a transaction of Solana",
            raw(transfer(5, 1).transaction),
            "undecodable",
        ),
        (
            "for another chain",
            EvmSignRequest {
                chain_id: 56,
                ..request(&good)
            },
            "wrong-chain",
        ),
        ("over the limit", pay(1, 0, 100 * ETHER + 1), "over-limit"),
        ("too high a fee", request(&dear), "fee-cap"),
        ("a call that is not known", request(&call), "unknown-contract"),
        ("the creation of a contract", request(&create), "not-allowed"),
        (
            "nobody's",
            EvmSignRequest {
                wallet: EvmAddress::new([9; 20]),
                ..request(&good)
            },
            "no-signer",
        ),
    ]
}

#[tokio::test]
async fn what_must_not_be_signed_is_refused_with_its_reason_in_the_audit() {
    let fixture = Fixture::new();
    let custody = vault(&fixture, 1).await;
    for (name, request, code) in refusals() {
        let before = fixture.number("SELECT COUNT(*) FROM audit_entries").await;
        let error = sign(&custody, request).await.unwrap_err();
        assert_eq!(error.code(), code, "{name}: {error}");
        assert!(!error.to_string().is_empty() && !error.remedy().is_empty());
        let entry = newest(&custody).await;
        assert_eq!(
            (entry.sequence, entry.operation, entry.outcome),
            (
                u64::try_from(before).unwrap(),
                Operation::SignTransaction,
                Outcome::Refused
            ),
            "{name}"
        );
        assert!(
            entry.reason.split(',').any(|one| one == code),
            "{name}: {}",
            entry.reason
        );
        assert!(entry.subject.is_some(), "{name}");
    }
    for table in ["intents", "spend_reservations"] {
        assert_eq!(fixture.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0);
    }
    intact(&custody).await;
}

#[tokio::test]
async fn chains_without_a_policy_are_refused() {
    let fixture = Fixture::new();
    // Its policy names no EVM chain.
    let custody = fixture.vault(1).await;
    derive(&custody, PathFamily::EvmBip44, 1).await;
    for chain_id in [1, 56, 137, 31_337] {
        let error = sign(&custody, pay(chain_id, 0, 0)).await.unwrap_err();
        assert_eq!(error.code(), "not-allowed", "{error}");
        assert_eq!(newest(&custody).await.wallet, Some(wallet().into()));
    }
    assert_eq!(fixture.number("SELECT COUNT(*) FROM intents").await, 0);
}

#[tokio::test]
async fn personal_messages_are_signed_and_traps_are_not() {
    let fixture = Fixture::new();
    let custody = vault(&fixture, 1).await;
    let text = "Welcome to example.org\nnonce 7 — привет";
    let signature = custody.sign_message(wallet(), text.as_bytes()).await.unwrap();
    let key = recover(
        &personal::signing_hash(text.as_bytes()),
        signature.as_secp256k1().unwrap(),
    )
    .unwrap();
    assert_eq!(key.address(), wallet());
    assert_eq!(
        custody.sign_message(wallet(), text.as_bytes()).await.unwrap(),
        signature
    );
    let row = "SELECT COUNT(*) FROM intents WHERE kind = 'evm-message' AND network = 'off-chain'";
    assert_eq!(fixture.number(row).await, 1);
    assert_eq!(
        count(&custody, Operation::SignMessage, Outcome::Authorised).await,
        1
    );

    let transaction = payment(1, 0, 5).encode_unsigned();
    let hash = [0x9c_u8; 32];
    for (bytes, code) in [
        (transaction.clone(), "looks-like-transaction"),
        (hex::encode(&transaction).into_bytes(), "looks-like-transaction"),
        (hash.to_vec(), "looks-like-hash"),
        (format!("0x{}", hex::encode(hash)).into_bytes(), "looks-like-hash"),
        ("a\u{202e}b".as_bytes().to_vec(), "not-text"),
        (Vec::new(), "not-text"),
        (vec![b'x'; 65_537], "invalid"),
    ] {
        let error = custody.sign_message(wallet(), &bytes).await.unwrap_err();
        let SignError::Refused { reasons } = &error else {
            assert_eq!(error.code(), code, "{error}");
            continue;
        };
        assert!(reasons.iter().any(|reason| reason.code() == code), "{error}");
        let entry = newest(&custody).await;
        assert_eq!(
            (entry.operation, entry.outcome, entry.wallet),
            (Operation::SignMessage, Outcome::Refused, Some(wallet().into()))
        );
    }
    assert_eq!(fixture.number("SELECT COUNT(*) FROM intents").await, 1);
}

#[tokio::test]
async fn typed_data_is_refused_until_policy_names_it() {
    let fixture = Fixture::new();
    let custody = vault(&fixture, 1).await;
    let good = r#"{"types":{"EIP712Domain":[{"name":"chainId","type":"uint256"}],"Vote":[{"name":"choice","type":"uint8"}]},"primaryType":"Vote","domain":{"chainId":1},"message":{"choice":2}}"#;
    let chainless = good.replace(r#""domain":{"chainId":1}"#, r#""domain":{}"#);
    for (document, code) in [
        (good, "not-allowed"),
        (chainless.as_str(), "undecodable"),
        ("", "undecodable"),
        ("{}", "undecodable"),
    ] {
        let error = custody
            .sign_typed_data(&wallet(), document, &WalletPasswords::none())
            .await
            .unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        let entry = newest(&custody).await;
        assert_eq!(
            (entry.operation, entry.reason.as_str(), entry.wallet),
            (Operation::SignMessage, code, Some(wallet().into()))
        );
    }
    let preview = custody.preview_typed_data(&wallet(), good).await.unwrap();
    assert!(matches!(preview.decision, PreviewDecision::Refused { .. }));
    assert!(
        preview.sentences.iter().any(|line| line.contains("choice")),
        "{:?}",
        preview.sentences
    );
}

/// Ends after the step, starts again, asks again.
async fn end_after(step: SigningStep, authorised: bool, signed: bool) {
    let fixture = Fixture::new();
    let custody = vault(&fixture, 1).await;
    *fixture.steps.end_after.lock().unwrap() = Some(step);
    let task = tokio::spawn(async move { sign(&custody, pay(1, 0, 7)).await.map(|_| ()) });
    assert!(task.await.unwrap_err().is_panic());
    *fixture.steps.end_after.lock().unwrap() = None;

    let custody = fixture.unlocked().await;
    let (one, done) = (i64::from(authorised), i64::from(signed));
    let found = [
        fixture.number("SELECT COUNT(*) FROM intents").await,
        fixture.number("SELECT COUNT(*) FROM spend_reservations").await,
        fixture.number("SELECT COUNT(signature) FROM intents").await,
    ];
    assert_eq!(found, [one, one, done], "{step:?}");
    let operation = Operation::SignTransaction;
    assert_eq!(
        (
            count(&custody, operation, Outcome::Authorised).await,
            count(&custody, operation, Outcome::Signed).await
        ),
        (u64::from(authorised), u64::from(signed)),
        "{step:?}"
    );
    intact(&custody).await;

    let first = sign(&custody, pay(1, 0, 7)).await.unwrap();
    assert_eq!(sign(&custody, pay(1, 0, 7)).await.unwrap(), first);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM spend_reservations").await, 1);
    assert_eq!(
        (
            count(&custody, operation, Outcome::Authorised).await,
            count(&custody, operation, Outcome::Signed).await
        ),
        // What was authorised and not signed is authorised anew, before the key is used again.
        (1 + u64::from(authorised && !signed), 1),
        "{step:?}"
    );
    intact(&custody).await;
}

#[tokio::test]
async fn a_process_that_ends_between_any_two_steps_signs_nothing_unauthorised_and_nothing_twice() {
    end_after(SigningStep::Checked, false, false).await;
    end_after(SigningStep::Evaluated, false, false).await;
    end_after(SigningStep::Authorised, true, false).await;
    end_after(SigningStep::KeyUsed, true, false).await;
    end_after(SigningStep::Recorded, true, true).await;
}

#[tokio::test]
async fn a_wallet_has_one_rate_limit_for_all_chains_and_kinds() {
    let fixture = Fixture::new();
    let custody = vault(&fixture, 1).await;
    for nonce in 0..40 {
        sign(&custody, pay(1, nonce, 1)).await.unwrap();
        sign(&custody, pay(56, nonce, 1)).await.unwrap();
    }
    for number in 0..20 {
        let text = format!("message {number}");
        custody.sign_message(wallet(), text.as_bytes()).await.unwrap();
    }
    let limited = |error: SignError| match error {
        SignError::RateLimited {
            wallet,
            limit: 100,
            retry_after_ms,
        } => (wallet, retry_after_ms),
        other => panic!("{other}"),
    };
    let expected = (AccountAddress::from(wallet()), 60_000);
    let error = sign(&custody, pay(137, 0, 1)).await.unwrap_err();
    assert_eq!(limited(error), expected);
    assert_eq!(newest(&custody).await.reason, "rate-limited");
    let error = custody.sign_message(wallet(), b"one more").await.unwrap_err();
    assert_eq!(limited(error), expected);
    // What is signed already, and the vault's wallets elsewhere, are not held up.
    sign(&custody, pay(56, 7, 1)).await.unwrap();
    custody.sign_transaction(transfer(5, 1)).await.unwrap();
    fixture.clock.advance(60_000);
    sign(&custody, pay(137, 0, 1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_intent_asked_for_by_many_is_reserved_once() {
    let fixture = Fixture::new();
    let handles = [vault(&fixture, 1).await, fixture.unlocked().await];
    let tasks: Vec<_> = (0..20)
        .map(|at| {
            let custody = handles[at % 2].clone();
            tokio::spawn(async move { sign(&custody, pay(1, 0, 7)).await.unwrap() })
        })
        .collect();
    let mut distinct = BTreeSet::new();
    for task in tasks {
        distinct.insert(task.await.unwrap());
    }
    assert_eq!(distinct.len(), 1);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM spend_reservations").await, 1);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM intents").await, 1);
    // Whoever asks before the first signature is recorded is authorised anew, and uses the key once more.
    let authorised = count(&handles[0], Operation::SignTransaction, Outcome::Authorised).await;
    let signed = count(&handles[0], Operation::SignTransaction, Outcome::Signed).await;
    assert!((1..=20).contains(&authorised), "{authorised}");
    assert_eq!(authorised, signed);
}

#[tokio::test]
async fn a_wallets_own_password_is_needed_on_this_chain_too() {
    let fixture = Fixture::new();
    let custody = vault(&fixture, 1).await;
    let own = || Password::new("canary own wicker 5581".to_owned());
    custody.set_wallet_password(wallet(), None, &own()).await.unwrap();
    let error = sign(&custody, pay(1, 0, 7)).await.unwrap_err();
    assert!(
        matches!(
            error,
            SignError::Custody(CustodyError::WalletPasswordNeeded { .. })
        ),
        "{error}"
    );
    assert_eq!(newest(&custody).await.reason, "wallet-password-needed");
    let error = custody.sign_message(wallet(), b"hello").await.unwrap_err();
    assert_eq!(error.code(), "wallet-password-needed");
    let passwords = WalletPasswords::of_one(wallet(), own());
    assert!(!format!("{passwords:?}").contains("canary"));
    let signed = custody
        .sign_evm_transaction(pay(1, 0, 7), &passwords)
        .await
        .unwrap();
    assert_eq!(
        SignedTransaction::decode(&signed.bytes).unwrap().sender(),
        &wallet()
    );
}

#[tokio::test]
async fn previews_say_what_signing_would_and_leave_no_trace() {
    let fixture = Fixture::new();
    let custody = vault(&fixture, 1).await;
    let before = fixture.number("SELECT COUNT(*) FROM audit_entries").await;
    let preview = custody.preview_evm_transaction(&pay(1, 0, 5)).await.unwrap();
    let allowed = PreviewDecision::Allowed {
        rules: vec!["evm-transfers".to_owned()],
    };
    assert_eq!((preview.signer, preview.decision), (Some(wallet()), allowed));
    assert!(!preview.intent.sentences().is_empty());
    for (name, request, code) in refusals() {
        match custody.preview_evm_transaction(&request).await {
            Ok(preview) => {
                let PreviewDecision::Refused { reasons } = preview.decision else {
                    panic!("{name}")
                };
                assert!(
                    reasons.iter().any(|reason| reason.code == code),
                    "{name}: {reasons:?}"
                );
            }
            Err(error) => assert_eq!(error.code(), code, "{name}"),
        }
    }
    let preview = custody.preview_message(wallet(), b"hello").await.unwrap();
    assert!(matches!(preview.decision, PreviewDecision::Allowed { .. }));
    assert_eq!(preview.sentences.last().map(String::as_str), Some("hello"));
    custody.lock().await;
    custody.preview_evm_transaction(&pay(1, 0, 5)).await.unwrap();
    assert_eq!(
        fixture.number("SELECT COUNT(*) FROM audit_entries").await,
        before + 1,
        "locking alone"
    );
    let error = sign(&custody, pay(1, 0, 5)).await.unwrap_err();
    assert_eq!(error.code(), "locked");
    // A wallet of the other chain under the same vault is nobody here.
    assert_eq!(first().to_string(), crate::fixture::FIRST);
}
