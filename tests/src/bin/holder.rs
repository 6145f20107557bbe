//! Holds a vault's secrets and lets go of them again, standing still after each step, so that a test can read its memory.
//!
//! Arguments: the best memory for the vault key (`plain`, `locked`, `secret-memory`), the vault's path, then five
//! files: a phrase, its passphrase, the password, a wrong one, and a canary in hex. After each step it prints `at <step>` and waits for a line.
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
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::policy::PolicyLimits;
use keyward_core::solana::{MessageVersion, Transaction, compile_message, instructions};
use keyward_custody::memory::Protection;
use keyward_custody::{
    Custody, DeriveRequest, NewVault, OpenOptions, Password, Progress, SignRequest, StoreLocation,
    WalletQuery,
};

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// Where the secrets lie.
struct Files {
    phrase: String,
    passphrase: String,
    password: String,
    wrong: String,
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
    let files = Files {
        phrase: next()?,
        passphrase: next()?,
        password: next()?,
        wrong: next()?,
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
    let custody = Custody::open(&location, options).await?;
    create(&custody, &files).await?;
    stand("created").await?;
    custody.lock().await;
    stand("locked").await?;

    let refused = unlock(&custody, &files.wrong).await.is_err();
    anyhow::ensure!(refused, "a wrong password opened");
    unlock(&custody, &files.password).await?;
    sign(&custody).await?;
    stand("signed").await?;
    custody.lock().await;
    stand("locked again").await?;
    custody.close().await?;
    stand("closed").await
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
            second_factor: None,
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

async fn unlock(custody: &Custody, file: &str) -> anyhow::Result<()> {
    custody.unlock(&Password::new(secret_line(file)?), None).await?;
    Ok(())
}

async fn sign(custody: &Custody) -> anyhow::Result<()> {
    let query = WalletQuery {
        limit: 3,
        ..WalletQuery::default()
    };
    for wallet in custody.wallets(&query).await?.rows {
        let from = *wallet.solana().context("the wallet is of another chain")?;
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
