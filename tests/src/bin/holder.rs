//! Holds a vault's secrets and lets go of them again, standing still after each step, so that a test can read its memory.
//!
//! Arguments: the best memory for the vault key (`plain`, `locked`, `secret-memory`), the vault's path and two
//! of vaults restored from files, then twelve files: a phrase, its passphrase, the password, the second factor, a wrong
//! password, a further phrase, a wallet's own password, that of a vault file, an ed25519 key and an EVM key to import (hex),
//! one that the recovery key is written to, and a canary in hex. After each step it prints `at <step>` and waits for a line.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    reason = "it talks to the test through its standard output"
)]

use std::hint::black_box;
use std::io::Write as _;

use anyhow::Context as _;
use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::Lamports;
use keyward_core::ed25519;
use keyward_core::key::WalletKey;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::PolicyLimits;
use keyward_core::secp256k1;
use keyward_core::solana::{MessageVersion, Transaction, compile_message, instructions};
use keyward_core::vault::{RecoveryKey, SecondFactor};
use keyward_custody::memory::Protection;
use keyward_custody::{
    Custody, DeriveRequest, NewVault, OpenOptions, Password, Progress, SignRequest, StoreLocation,
    WalletPasswords, WalletQuery,
};
use zeroize::Zeroizing;

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// Where the secrets lie.
struct Files {
    phrase: String,
    passphrase: String,
    password: String,
    factor: String,
    wrong: String,
    second: String,
    own: String,
    file: String,
    solana_key: String,
    evm_key: String,
    recovery: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("an argument is missing");
    let key_protection = match next()?.as_str() {
        "plain" => Protection::Plain,
        "locked" => Protection::Locked,
        "secret-memory" => Protection::SecretMemory,
        other => anyhow::bail!("unknown memory {other:?}"),
    };
    let location = StoreLocation::parse(&next()?)?;
    let (restored, apart) = (StoreLocation::parse(&next()?)?, StoreLocation::parse(&next()?)?);
    let files = Files {
        phrase: next()?,
        passphrase: next()?,
        password: next()?,
        factor: next()?,
        wrong: next()?,
        second: next()?,
        own: next()?,
        file: next()?,
        solana_key: next()?,
        evm_key: next()?,
        recovery: next()?,
    };

    // The control: what lies in plain memory must be found, and must not be found when it was given back.
    let canary = hex::decode(std::fs::read_to_string(next()?)?.trim())?;
    stand("planted").await?;
    black_box(&canary);
    drop(canary);
    stand("forgotten").await?;

    let options = OpenOptions {
        key_protection,
        ..OpenOptions::default()
    };
    let custody = Custody::open(&location, options.clone()).await?;
    create(&custody, &files).await?;
    stand("created").await?;
    custody.lock().await;
    stand("locked").await?;

    let refused = unlock(&custody, &files, &files.wrong).await.is_err();
    anyhow::ensure!(refused, "a wrong password opened");
    let alone = custody.unlock(&password(&files.password)?, None).await.is_err();
    anyhow::ensure!(alone, "the password opened without the second factor");
    unlock(&custody, &files, &files.password).await?;
    sign(&custody).await?;
    stand("signed").await?;
    let (whole, own) = import(&custody, &files).await?;
    stand("imported").await?;
    custody.lock().await;
    stand("locked again").await?;

    recover(&custody, &files).await?;
    stand("recovered").await?;
    custody.lock().await;
    stand("locked after all").await?;
    custody.close().await?;
    stand("closed").await?;

    let custody = Custody::open(&restored, options.clone()).await?;
    let wrong = password(&files.wrong)?;
    let refused = custody
        .import_vault_file(whole.clone(), &wrong, Some(&factor(&files)?))
        .await;
    anyhow::ensure!(refused.is_err(), "a wrong password opened the file");
    let (typed, held) = (password(&files.password)?, factor(&files)?);
    custody.import_vault_file(whole, &typed, Some(&held)).await?;
    drop((wrong, typed, held));
    sign(&custody).await?;
    stand("restored").await?;
    custody.lock().await;
    stand("locked, restored").await?;
    custody.close().await?;

    let custody = Custody::open(&apart, options).await?;
    custody
        .import_vault_file(own, &password(&files.file)?, None)
        .await?;
    sign(&custody).await?;
    stand("restored apart").await?;
    custody.lock().await;
    stand("locked, restored apart").await?;
    custody.close().await?;
    stand("ended").await
}

/// Says where it is and waits for a line.
async fn stand(step: &str) -> anyhow::Result<()> {
    println!("at {step}");
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    // So that whatever the runtime does at its leisure is done.
    tokio::task::yield_now().await;
    Ok(())
}

fn secret_line(path: &str) -> anyhow::Result<String> {
    let mut text = std::fs::read_to_string(path)?;
    text.truncate(text.trim_end().len());
    Ok(text)
}

async fn create(custody: &Custody, files: &Files) -> anyhow::Result<()> {
    custody
        .create_vault(NewVault {
            password: Password::new(secret_line(&files.password)?),
            second_factor: Some(factor(files)?),
            kdf: "scrypt-16384".parse()?,
            limits: PolicyLimits {
                sol_per_transaction: Lamports::new(1_000_000_000),
                tokens_per_transaction: 1_000,
                max_priority_fee: Lamports::new(1_000_000),
                evm: None,
            },
            mnemonic: Mnemonic::parse(&secret_line(&files.phrase)?)?,
            passphrase: secret_line(&files.passphrase)?.into(),
            family: PathFamily::Bip44Change,
        })
        .await?;
    let request = DeriveRequest {
        start: None,
        count: 3,
        ..DeriveRequest::default()
    };
    custody.derive_wallets(request, &Progress::default()).await?;
    Ok(())
}

async fn unlock(custody: &Custody, files: &Files, file: &str) -> anyhow::Result<()> {
    custody.unlock(&password(file)?, Some(&factor(files)?)).await?;
    Ok(())
}

fn factor(files: &Files) -> anyhow::Result<SecondFactor> {
    let text = Zeroizing::new(secret_line(&files.factor)?);
    Ok(SecondFactor::parse(&text)?)
}

fn password(file: &str) -> anyhow::Result<Password> {
    Ok(Password::new(secret_line(file)?))
}

/// On the heap, where every move leaves nothing behind.
fn key_bytes(file: &str) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; 32]);
    hex::decode_to_slice(Zeroizing::new(secret_line(file)?).as_bytes(), &mut bytes)?;
    Ok(bytes)
}

/// Keys of both chains and a further phrase: kept, signed with, one of them under a password of its own, one taken out. Gives
/// the vault as a file of its own password and factor, and as one of another password.
async fn import(custody: &Custody, files: &Files) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let phrase = {
        let mnemonic = Mnemonic::parse(&Zeroizing::new(secret_line(&files.second)?))?;
        custody
            .import_phrase(&mnemonic, "", "second", PathFamily::Bip44)
            .await?
    };
    for family in [PathFamily::Bip44, PathFamily::EvmBip44] {
        let request = DeriveRequest {
            master: Some(phrase.id),
            family: Some(family),
            start: None,
            count: 2,
        };
        custody.derive_wallets(request, &Progress::default()).await?;
    }
    let solana: WalletKey =
        ed25519::SecretKey::from_seed(key_bytes(&files.solana_key)?.as_slice().try_into()?).into();
    let evm: WalletKey =
        secp256k1::SecretKey::from_bytes(key_bytes(&files.evm_key)?.as_slice().try_into()?)?.into();
    let protected = evm.address();
    custody.import_key(solana, "plain", &[], None).await?;
    custody
        .import_key(evm, "protected", &[], Some(password(&files.own)?))
        .await?;
    for wallet in custody.wallets(&WalletQuery::default()).await?.rows {
        let passwords = WalletPasswords::of_one(wallet.address, password(&files.own)?);
        custody
            .sign_message_with(wallet.address, b"hello", &passwords)
            .await?;
    }
    let guess = WalletPasswords::of_one(protected, password(&files.wrong)?);
    let refused = custody.sign_message_with(protected, b"guess", &guess).await;
    anyhow::ensure!(refused.is_err(), "a wrong wallet password signed");
    let taken = custody
        .export_key(
            protected,
            &password(&files.password)?,
            Some(&factor(files)?),
            Some(&password(&files.own)?),
        )
        .await?;
    drop(taken);
    let (typed, held) = (password(&files.password)?, factor(files)?);
    let whole = custody.export_vault_file(&typed, Some(&held), None).await?;
    let own = custody
        .export_vault_file(&typed, Some(&held), Some(&password(&files.file)?))
        .await?;
    custody.rotate_vault_key(&typed, Some(&held)).await?;
    Ok((whole, own))
}

/// Makes a recovery key, writes it to its file, and unlocks with what the file says.
async fn recover(custody: &Custody, files: &Files) -> anyhow::Result<()> {
    {
        let recovery = custody
            .add_recovery(&password(&files.password)?, Some(&factor(files)?))
            .await?;
        std::fs::write(&files.recovery, recovery.expose_text().as_bytes())?;
    }
    let recovery = RecoveryKey::parse(&Zeroizing::new(secret_line(&files.recovery)?))?;
    custody.unlock_with_recovery(&recovery).await?;
    custody
        .set_password_with_recovery(&recovery, &password(&files.password)?, Some(&factor(files)?))
        .await?;
    sign(custody).await
}

async fn sign(custody: &Custody) -> anyhow::Result<()> {
    let query = WalletQuery {
        limit: 3,
        ..WalletQuery::default()
    };
    let rows = custody.wallets(&query).await?.rows;
    for from in rows.iter().filter_map(|wallet| wallet.solana().copied()) {
        let transfer = instructions::sol_transfer(from, Address::new([7; 32]), Lamports::new(1_000));
        let message = compile_message(MessageVersion::Legacy, from, &[transfer], Blockhash::new([9; 32]))?;
        let transaction = Transaction {
            signatures: vec![Signature::default()],
            message,
        };
        let request = SignRequest::new(transaction.encode(), "test");
        custody.sign_transaction(request).await?;
    }
    Ok(())
}
