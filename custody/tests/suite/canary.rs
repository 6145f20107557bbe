//! Nothing secret in a log at trace level, an error, a `Debug`, a column or a file.

#[path = "canary/chains.rs"]
mod chains;

use std::io::Write;
use std::sync::{Arc, Mutex};

use keyward_core::derive::SolanaDeriver;
use keyward_core::evm::EvmDeriver;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::{ChildIndex, PathFamily};
use keyward_custody::{AuditQuery, Password, WalletPasswords, WalletQuery};
use zeroize::Zeroizing;

use crate::fixture::{FIRST, Fixture, PASSWORD, PHRASE, first, new_vault, password, transfer};

const PASSPHRASE: &str = "canary-passphrase-61f7";
const WRONG: &str = "canary-wrong-password-0b2e";
const OWN: &str = "canary own wicker 77d0";
const NEXT: &str = "canary next wicker 9c41";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Every form in which the secrets of this test might leak.
fn canaries() -> Vec<(String, Vec<u8>)> {
    let mnemonic = Mnemonic::parse(PHRASE).unwrap();
    let mut all: Vec<(String, Vec<u8>)> = [PASSWORD, PASSPHRASE, WRONG, NEXT, OWN, PHRASE, "abandon abandon"]
        .map(|text| (text.to_owned(), text.as_bytes().to_vec()))
        .to_vec();
    let mut bytes = vec![("entropy".to_owned(), mnemonic.expose_entropy().to_vec())];
    for passphrase in ["", PASSPHRASE] {
        let seed = mnemonic.to_seed(passphrase);
        let deriver = SolanaDeriver::new(&seed, PathFamily::Bip44Change).unwrap();
        let key = deriver.derive(ChildIndex::ZERO).unwrap();
        bytes.push((format!("seed {passphrase}"), seed.expose_bytes().to_vec()));
        bytes.push((format!("key {passphrase}"), key.secret.expose_seed().to_vec()));
        let deriver = EvmDeriver::new(&seed, PathFamily::EvmBip44).unwrap();
        let key = deriver.derive(ChildIndex::ZERO).unwrap();
        bytes.push((
            format!("EVM key {passphrase}"),
            key.secret.expose_bytes().to_vec(),
        ));
    }
    for (name, raw) in bytes {
        // The entropy of this phrase is zeros, which every file has.
        if raw.iter().any(|byte| *byte != 0) {
            spell(&mut all, &name, &raw);
        }
    }
    all
}

/// Secret bytes in every form in which a program might write them.
fn spell(all: &mut Vec<(String, Vec<u8>)>, name: &str, raw: &[u8]) {
    let mut push = |form: &str, bytes: Vec<u8>| all.push((format!("{name}, {form}"), bytes));
    push("hex", hex::encode(raw).into_bytes());
    push("HEX", hex::encode_upper(raw).into_bytes());
    if let Ok(thirty_two) = <[u8; 32]>::try_from(raw) {
        let base58 = keyward_core::address::Address::new(thirty_two).to_string();
        push("base58", base58.into_bytes());
    }
    if let Ok(pair) = <[u8; 64]>::try_from(raw) {
        let base58 = keyward_core::address::Signature::new(pair).to_string();
        push("base58", base58.into_bytes());
    }
    if raw.len() >= 32 {
        push("its first half", raw[..raw.len() / 2].to_vec());
        push("its second half", raw[raw.len() / 2..].to_vec());
    }
    let decimal = format!("{raw:?}");
    push("decimal", decimal.trim_matches(['[', ']']).as_bytes().to_vec());
    push(
        "decimal, close",
        decimal.trim_matches(['[', ']']).replace(' ', "").into_bytes(),
    );
    push("raw", raw.to_vec());
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_leaves_its_place() {
    let log = Log::default();
    let writer = log.clone();
    // For the whole process: the database driver logs from threads of its own.
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    tracing::trace!("the log is watched");

    let fixture = Fixture::new();
    let custody = fixture.open().await;
    let mut said = Vec::new();
    let mut new = new_vault();
    new.passphrase = Zeroizing::new(PASSPHRASE.to_owned());
    said.push(format!("{new:?}"));
    custody.create_vault(new).await.unwrap();
    let request = keyward_custody::DeriveRequest {
        start: None,
        count: 20,
        ..keyward_custody::DeriveRequest::default()
    };
    custody
        .derive_wallets(request, &keyward_custody::Progress::new())
        .await
        .unwrap();
    let own = custody.wallet("#0").await.unwrap().address;
    let mut errors: Vec<Box<dyn std::error::Error>> = Vec::new();
    errors.push(Box::new(custody.create_vault(new_vault()).await.unwrap_err()));
    errors.push(Box::new(
        custody.sign_transaction(transfer(5, 1)).await.unwrap_err(),
    ));
    custody.sign_message(&own, b"hello").await.unwrap();
    let request = keyward_custody::DeriveRequest {
        family: Some(PathFamily::EvmBip44),
        count: 1,
        ..keyward_custody::DeriveRequest::default()
    };
    custody
        .derive_wallets(request, &keyward_custody::Progress::new())
        .await
        .unwrap();
    let rows = custody.wallets(&WalletQuery::default()).await.unwrap().rows;
    let evm = rows
        .iter()
        .find_map(|wallet| wallet.address.as_evm().copied())
        .unwrap();
    let secret = Password::new(OWN.to_owned());
    custody.set_wallet_password(evm, None, &secret).await.unwrap();
    errors.push(Box::new(custody.sign_message(evm, b"hello").await.unwrap_err()));
    let guess = WalletPasswords::of_one(evm, Password::new(WRONG.to_owned()));
    errors.push(Box::new(
        custody
            .sign_message_with(evm, b"hello", &guess)
            .await
            .unwrap_err(),
    ));
    let passwords = WalletPasswords::of_one(evm, secret);
    let signature = custody
        .sign_message_with(evm, b"hello", &passwords)
        .await
        .unwrap();
    said.push(format!("{passwords:?} {guess:?} {signature:?} {signature}"));
    let transaction = keyward_custody::EvmSignRequest {
        // The example of EIP-155, on a chain that this policy does not name.
        transaction: hex::decode(
            "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080",
        )
        .unwrap(),
        wallet: evm,
        chain_id: 1,
    };
    errors.push(Box::new(
        custody
            .sign_evm_transaction(transaction, &passwords)
            .await
            .unwrap_err(),
    ));
    let next = Password::new(NEXT.to_owned());
    custody.change_password(&password(), &next, None).await.unwrap();
    custody.lock().await;
    let wrong = Password::new(WRONG.to_owned());
    errors.push(Box::new(custody.unlock(&wrong, None).await.unwrap_err()));
    errors.push(Box::new(
        custody.change_password(&wrong, &next, None).await.unwrap_err(),
    ));
    custody.unlock(&next, None).await.unwrap();
    errors.push(Box::new(
        custody.sign_message(&first(), b"hello").await.unwrap_err(),
    ));
    let mut canaries = canaries();
    let restored = Fixture::new();
    let sealed = chains::live(
        &custody,
        &next,
        &restored,
        (&mut said, &mut errors, &mut canaries),
    )
    .await;
    said.push(format!("{custody:?} {:?}", custody.status().await.unwrap()));
    said.push(format!(
        "{:?}",
        custody.wallets(&WalletQuery::default()).await.unwrap()
    ));
    said.push(format!(
        "{:?}",
        custody.audit_entries(&AuditQuery::default()).await.unwrap()
    ));
    said.extend(
        errors
            .iter()
            .map(|error| format!("{error} {error:?} {:?}", error.source().map(ToString::to_string))),
    );

    let mut places = vec![
        ("what was said".to_owned(), said.concat().into_bytes()),
        ("the vault file".to_owned(), sealed),
    ];
    // With the journal still open, then with everything written back.
    for _ in 0..2 {
        for one in [&fixture, &restored] {
            places.extend(one.place.contents().await);
        }
        custody.close().await.unwrap();
    }
    places.push(("the log".to_owned(), log.0.lock().unwrap().clone()));
    // The search finds what is there: an address in the files, and the log is no empty one.
    assert!(
        places
            .iter()
            .any(|(_, bytes)| holds(bytes, own.to_string().as_bytes()))
    );
    let empty = places.iter().find(|(_, bytes)| bytes.is_empty());
    assert_eq!(empty.map(|(place, _)| place), None);
    assert_ne!(own.to_string(), FIRST);
    for (name, canary) in canaries {
        for (place, bytes) in &places {
            assert!(!holds(bytes, &canary), "{name} is in {place}");
        }
    }
}
