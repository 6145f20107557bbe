//! Under policies that a new vault does not have: a session's own copy is replaced, which only this crate can do.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use keyward_core::address::Blockhash;
use keyward_core::amount::Lamports;
use keyward_core::audit::{Operation, Outcome};
use keyward_core::evm::transaction::TransactionKind;
use keyward_core::evm::{EvmAddress, U256, transaction};
use keyward_core::intent::programs;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::{Policy, PolicyLimits};
use keyward_core::secp256k1::recover;
use keyward_core::solana::{AccountMeta, Instruction, MessageVersion, compile_message, instructions};
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::*;
use crate::{AuditQuery, Clock, DeriveRequest, NewVault, OpenOptions, Progress, StoreLocation, WalletQuery};

const ETHER: u128 = 1_000_000_000_000_000_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

struct StillClock(AtomicU64);

impl Clock for StillClock {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

struct Scene {
    _folder: TempDir,
    clock: Arc<StillClock>,
    custody: Custody,
    solana: Address,
    evm: EvmAddress,
}

/// A vault with a wallet of each chain, under these rules.
async fn scene(rules: &str) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(StillClock(AtomicU64::new(1_800_000_000_000)));
    let options = OpenOptions {
        clock: clock.clone(),
        ..OpenOptions::default()
    };
    let location = StoreLocation::from_path(folder.path().join("vault.db"));
    let custody = Custody::open(&location, options).await.unwrap();
    let new = NewVault {
        password: Password::new("tidal wicker omen 9041".to_owned()),
        second_factor: None,
        kdf: "scrypt-16384".parse().unwrap(),
        limits: PolicyLimits {
            sol_per_transaction: Lamports::ZERO,
            tokens_per_transaction: 0,
            max_priority_fee: Lamports::ZERO,
            evm: None,
        },
        mnemonic: Mnemonic::from_entropy(&[7; 16]).unwrap(),
        passphrase: Zeroizing::new(String::new()),
        family: PathFamily::Bip44Change,
    };
    custody.create_vault(new).await.unwrap();
    for family in [PathFamily::Bip44Change, PathFamily::EvmBip44] {
        let request = DeriveRequest {
            family: Some(family),
            count: 1,
            ..DeriveRequest::default()
        };
        custody.derive_wallets(request, &Progress::new()).await.unwrap();
    }
    let policy = Policy::from_json(&format!(r#"{{"version":1,"rules":[{rules}]}}"#)).unwrap();
    custody.session().unwrap().cache_policy(Some(Arc::new(policy)));
    let wallets = custody.wallets(&WalletQuery::default()).await.unwrap().rows;
    Scene {
        _folder: folder,
        clock,
        solana: wallets
            .iter()
            .find_map(|own| own.address.as_solana().copied())
            .unwrap(),
        evm: wallets
            .iter()
            .find_map(|own| own.address.as_evm().copied())
            .unwrap(),
        custody,
    }
}

impl Scene {
    fn pay(&self, chain_id: u64, nonce: u64, ether: u128) -> EvmSignRequest {
        let transaction = transaction::Transaction {
            chain_id,
            nonce,
            gas_limit: 21_000,
            to: Some(EvmAddress::new([0x35; 20])),
            value: U256::from(ether * ETHER),
            data: Vec::new(),
            kind: TransactionKind::Legacy {
                gas_price: U256::from(1_000_000_000_u64),
            },
        };
        EvmSignRequest {
            transaction: transaction.encode_unsigned(),
            wallet: self.evm,
            chain_id,
        }
    }

    async fn outcome(&self, request: EvmSignRequest) -> &'static str {
        self.outcome_with(request, &WalletPasswords::none()).await
    }

    async fn outcome_with(&self, request: EvmSignRequest, passwords: &WalletPasswords) -> &'static str {
        let signed = self.custody.sign_evm_transaction(request, passwords).await;
        signed.map_or_else(|error| error.code(), |_| "signed")
    }

    /// Gives the EVM wallet a password of its own.
    async fn own_password(&self) -> WalletPasswords {
        let own = Password::new("canary own wicker 5581".to_owned());
        self.custody
            .set_wallet_password(self.evm, None, &own)
            .await
            .unwrap();
        WalletPasswords::of_one(self.evm, own)
    }

    /// Another one, not tried yet.
    fn wrong(&self) -> WalletPasswords {
        WalletPasswords::of_one(self.evm, Password::new("another one".to_owned()))
    }

    async fn authorised(&self) -> u64 {
        let query = AuditQuery {
            outcome: Some(Outcome::Authorised),
            operation: Some(Operation::SignTransaction),
            ..AuditQuery::default()
        };
        self.custody.audit_entries(&query).await.unwrap().total
    }
}

const DAILY: &str = r#"{"name":"daily","effect":"allow",
    "match":{"chains":["eip155:1"],"operations":["evm-transfer"]},
    "limits":{"windows":[{"asset":"eip155:1/native","duration_ms":86400000,"maximum_units":"150000000000000000000"}]}}"#;

#[tokio::test]
async fn windows_count_beyond_64_bits_and_a_rule_holds_for_its_chain_alone() {
    let scene = scene(DAILY).await;
    assert_eq!(scene.outcome(scene.pay(1, 0, 100)).await, "signed");
    assert_eq!(scene.outcome(scene.pay(1, 1, 51)).await, "over-window");
    assert_eq!(scene.outcome(scene.pay(1, 1, 50)).await, "signed");
    assert_eq!(scene.outcome(scene.pay(1, 2, 1)).await, "over-window");
    // What is signed is not counted against itself.
    assert_eq!(scene.outcome(scene.pay(1, 0, 100)).await, "signed");
    for other in [56, 137, 10] {
        assert_eq!(scene.outcome(scene.pay(other, 0, 0)).await, "not-allowed");
    }
    scene.clock.0.fetch_add(DAY_MS - 1, Ordering::SeqCst);
    assert_eq!(scene.outcome(scene.pay(1, 3, 1)).await, "over-window");
    scene.clock.0.fetch_add(1, Ordering::SeqCst);
    assert_eq!(scene.outcome(scene.pay(1, 3, 150)).await, "signed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_askers_do_not_exceed_a_window_together() {
    let scene = Arc::new(scene(DAILY).await);
    let tasks: Vec<_> = (0..12)
        .map(|nonce| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move { scene.outcome(scene.pay(1, nonce, 20)).await })
        })
        .collect();
    let mut signed = 0;
    for task in tasks {
        match task.await.unwrap() {
            "signed" => signed += 1,
            other => assert_eq!(other, "over-window"),
        }
    }
    assert_eq!(signed, 7);
}

#[tokio::test]
async fn what_failed_days_ago_is_judged_and_counted_as_if_it_were_new() {
    let scene = scene(DAILY).await;
    let right = scene.own_password().await;
    let day = |days: u64| scene.clock.0.fetch_add(days * DAY_MS, Ordering::SeqCst);

    // The whole limit is authorised on two days, and nothing comes of it.
    for nonce in [0, 1] {
        let failed = scene.outcome_with(scene.pay(1, nonce, 150), &scene.wrong()).await;
        assert_eq!(failed, "wrong-wallet-password");
        // It stays spent.
        assert_eq!(
            scene.outcome_with(scene.pay(1, 9, 1), &right).await,
            "over-window"
        );
        day(1);
    }
    assert_eq!(scene.authorised().await, 2);
    day(1);
    // Its own reservation has left the window, and comes back with the signature.
    let old = scene.pay(1, 0, 150);
    assert_eq!(scene.outcome_with(old.clone(), &right).await, "signed");
    assert_eq!(scene.authorised().await, 3);
    for (nonce, ether) in [(1, 150), (2, 150), (3, 1)] {
        let outcome = scene.outcome_with(scene.pay(1, nonce, ether), &right).await;
        assert_eq!(outcome, "over-window", "{nonce}");
    }
    // What is signed is the same signature at any time, and adds nothing.
    assert_eq!(scene.outcome_with(old.clone(), &right).await, "signed");
    assert_eq!(scene.authorised().await, 3);
    day(1);
    assert_eq!(scene.outcome_with(old, &right).await, "signed");
    assert_eq!(scene.outcome_with(scene.pay(1, 1, 150), &right).await, "signed");
    assert_eq!(scene.authorised().await, 4);
    assert_eq!(
        scene.outcome_with(scene.pay(1, 3, 1), &right).await,
        "over-window"
    );
}

#[tokio::test]
async fn a_retry_within_the_window_counts_once_and_from_then_on() {
    let scene = scene(DAILY).await;
    let right = scene.own_password().await;
    let later = |ms: u64| scene.clock.0.fetch_add(ms, Ordering::SeqCst);
    let failed = scene.outcome_with(scene.pay(1, 0, 100), &scene.wrong()).await;
    assert_eq!(failed, "wrong-wallet-password");
    later(DAY_MS / 2);
    assert_eq!(scene.outcome_with(scene.pay(1, 0, 100), &right).await, "signed");
    assert_eq!(
        scene.outcome_with(scene.pay(1, 1, 51), &right).await,
        "over-window"
    );
    assert_eq!(scene.outcome_with(scene.pay(1, 1, 50), &right).await, "signed");
    // A day after it was first authorised, it is half a day old.
    later(DAY_MS / 2);
    assert_eq!(
        scene.outcome_with(scene.pay(1, 2, 1), &right).await,
        "over-window"
    );
    later(DAY_MS / 2);
    assert_eq!(scene.outcome_with(scene.pay(1, 2, 150), &right).await, "signed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_askers_at_once_are_no_guessers() {
    let scene = Arc::new(scene(DAILY).await);
    let right = Arc::new(scene.own_password().await);
    let settings = [(crate::SettingKey::MaxFailedAttempts, 1)];
    let password = Password::new("tidal wicker omen 9041".to_owned());
    scene
        .custody
        .change_settings(&settings, &password, None)
        .await
        .unwrap();
    let together = async |passwords: &Arc<WalletPasswords>, first: u64| {
        let tasks = (first..first + 6).map(|nonce| {
            let (scene, passwords) = (Arc::clone(&scene), Arc::clone(passwords));
            tokio::spawn(async move { scene.outcome_with(scene.pay(1, nonce, 1), &passwords).await })
        });
        let mut outcomes = Vec::new();
        for task in tasks.collect::<Vec<_>>() {
            outcomes.push(task.await.unwrap());
        }
        outcomes
    };
    assert_eq!(together(&right, 0).await, ["signed"; 6]);
    // A wrong one is tried once, whoever holds it.
    let wrong = Arc::new(scene.wrong());
    assert_eq!(together(&wrong, 10).await, ["wrong-wallet-password"; 6]);
    let lockout = scene.custody.wallet_lockout(scene.evm).await.unwrap().unwrap();
    assert_eq!(lockout.failures, 1);
    assert_eq!(scene.authorised().await, 7);
    let refused = AuditQuery {
        outcome: Some(Outcome::Refused),
        ..AuditQuery::default()
    };
    assert_eq!(scene.custody.audit_entries(&refused).await.unwrap().total, 5);
}

/// The contract that the documents are for.
const BALLOT: &str = "0x00000000000000000000000000000000000000ba";

/// Typed data of the Ethereum family's `Vote`, or another type.
fn document(primary: &str, chain_id: u64) -> String {
    format!(
        r#"{{"types":{{"EIP712Domain":[{{"name":"chainId","type":"uint256"}},
        {{"name":"verifyingContract","type":"address"}}],
        "{primary}":[{{"name":"choice","type":"uint8"}}]}},"primaryType":"{primary}",
        "domain":{{"chainId":{chain_id},"verifyingContract":"{BALLOT}"}},"message":{{"choice":2}}}}"#
    )
}

#[tokio::test]
async fn typed_data_is_signed_when_policy_names_it_on_its_chain() {
    let rule = format!(
        r#"{{"name":"votes","effect":"allow","match":{{"chains":["eip155:1"],"operations":["typed-data"],
        "programs":["{BALLOT}"]}}}}"#
    );
    let scene = scene(&rule).await;
    let (custody, none) = (&scene.custody, WalletPasswords::none());
    let vote = document("Vote", 1);
    let preview = custody.preview_typed_data(&scene.evm, &vote).await.unwrap();
    assert!(matches!(preview.decision, PreviewDecision::Allowed { .. }));
    let signed = custody.sign_typed_data(&scene.evm, &vote, &none).await.unwrap();
    let signer = recover(&signed.typed_data.signing_hash(), &signed.signature).unwrap();
    assert_eq!(signer.address(), scene.evm);
    let again = custody.sign_typed_data(&scene.evm, &vote, &none).await.unwrap();
    assert_eq!(again, signed);
    let query = AuditQuery {
        outcome: Some(Outcome::Authorised),
        ..AuditQuery::default()
    };
    let entries = custody.audit_entries(&query).await.unwrap().rows;
    let [entry] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!(entry.wallet, Some(scene.evm.into()));
    assert!(
        entry.details.contains("type Vote") && entry.details.contains("network eip155:1"),
        "{}",
        entry.details
    );
    // Another chain, and what is known to move money, need rules of their own.
    for other in [document("Vote", 56), document("Permit", 1)] {
        let error = custody
            .sign_typed_data(&scene.evm, &other, &none)
            .await
            .unwrap_err();
        assert_eq!(error.code(), "not-allowed", "{error}");
    }
}

#[tokio::test]
async fn a_durable_nonce_is_named_where_policy_allows_it() {
    let rules = format!(
        r#"{{"name":"sol","effect":"allow","match":{{"operations":["sol-transfer"]}}}},
        {{"name":"nonces","effect":"allow","match":{{"operations":["program-call"],"programs":["{}"]}}}}"#,
        programs::SYSTEM
    );
    let scene = scene(&rules).await;
    let (own, nonce) = (scene.solana, Address::new([0x6e; 32]));
    let meta = |address, is_signer, is_writable| AccountMeta {
        address,
        is_signer,
        is_writable,
    };
    let sysvar: Address = "SysvarRecentB1ockHashes11111111111111111111".parse().unwrap();
    let advance = Instruction {
        program: programs::SYSTEM,
        accounts: vec![
            meta(nonce, false, true),
            meta(sysvar, false, false),
            meta(own, true, false),
        ],
        data: 4_u32.to_le_bytes().to_vec(),
    };
    let pay = instructions::sol_transfer(own, Address::new([7; 32]), Lamports::new(5));
    let hash = Blockhash::new([3; 32]);
    let message = compile_message(MessageVersion::Legacy, own, &[advance, pay], hash).unwrap();
    let request = SignRequest::new(Transaction::unsigned(message).encode(), "net");
    let signed = scene.custody.sign_transaction(request).await.unwrap();
    assert_eq!(signed.intent.durable_nonce.unwrap().account, Some(nonce));
    let query = AuditQuery {
        outcome: Some(Outcome::Authorised),
        ..AuditQuery::default()
    };
    let details = &scene.custody.audit_entries(&query).await.unwrap().rows[0].details;
    assert!(
        details.contains("Never expire") && details.contains(&nonce.to_string()),
        "{details}"
    );
}
