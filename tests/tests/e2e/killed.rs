//! Killed with signal 9 after each of the five signing steps: no signature without its `authorised` entry, the
//! reservation counts as spent, the audit verifies, and asking again gives the one signature there can be.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::Lamports;
use keyward_core::audit::{Operation, Outcome};
use keyward_core::solana::{MessageVersion, Transaction};
use keyward_core::solana::{compile_message, instructions};
use keyward_custody::{
    AuditQuery, AuditReport, Custody, DeriveRequest, OpenOptions, Password, Progress, SignRequest,
    StoreLocation, WalletQuery,
};
use keyward_tests::new_vault::new_vault;
use keyward_tests::sandbox::Sandbox;
use sqlx::Connection as _;

const PHRASE: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
const PASSWORD: &str = "quartz-lantern-ferry-81";
const LAMPORTS: u64 = 250_000_000;

/// A vault with one wallet, and an unsigned transfer from it.
struct Scene {
    sandbox: Sandbox,
    transaction: Vec<u8>,
}

impl Scene {
    async fn new() -> anyhow::Result<Self> {
        let sandbox = Sandbox::new()?;
        let custody = open(&sandbox).await?;
        custody
            .create_vault(new_vault(Password::new(PASSWORD.to_owned()), PHRASE)?)
            .await?;
        custody
            .derive_wallets(
                DeriveRequest {
                    start: None,
                    count: 1,
                    ..DeriveRequest::default()
                },
                &Progress::default(),
            )
            .await?;
        let page = custody
            .wallets(&WalletQuery {
                limit: 1,
                ..WalletQuery::default()
            })
            .await?;
        let from = *page
            .rows
            .first()
            .and_then(|wallet| wallet.solana())
            .context("no wallet was derived")?;
        let transfer = instructions::sol_transfer(from, Address::new([7; 32]), Lamports::new(LAMPORTS));
        let message = compile_message(MessageVersion::Legacy, from, &[transfer], Blockhash::new([9; 32]))?;
        let transaction = Transaction {
            signatures: vec![Signature::default()],
            message,
        }
        .encode();
        Ok(Self { sandbox, transaction })
    }

    /// Starts the stepper and waits until it stands after `step`.
    fn start(&self, step: &str) -> anyhow::Result<(Child, String)> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_stepper"))
            .arg(step)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        writeln!(stdin, "{}", self.sandbox.vault().display())?;
        writeln!(stdin, "{PASSWORD}")?;
        writeln!(stdin, "{}", hex::encode(&self.transaction))?;
        drop(stdin);
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no standard output")?).read_line(&mut line)?;
        Ok((child, line.trim_end().to_owned()))
    }
}

async fn open(sandbox: &Sandbox) -> anyhow::Result<Custody> {
    Ok(Custody::open(&StoreLocation::from_path(sandbox.vault()), OpenOptions::default()).await?)
}

/// How many entries say that this outcome happened to a transaction's signing.
async fn count(custody: &Custody, outcome: Outcome) -> anyhow::Result<u64> {
    let query = AuditQuery {
        operation: Some(Operation::SignTransaction),
        outcome: Some(outcome),
        limit: 100,
        ..AuditQuery::default()
    };
    Ok(custody.audit_entries(&query).await?.total)
}

/// The sum of what is reserved, straight from the table.
async fn reserved(sandbox: &Sandbox) -> anyhow::Result<i64> {
    let url = format!("sqlite://{}", sandbox.vault().display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await?;
    let sum: Option<i64> =
        sqlx::query_scalar("SELECT SUM(amount_high * 4294967296 + amount_low) FROM spend_reservations")
            .fetch_one(&mut connection)
            .await?;
    connection.close().await?;
    Ok(sum.unwrap_or(0))
}

async fn check(step: &str, authorised: u64, signed: u64) -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (mut child, line) = scene.start(step)?;
    ensure!(line.starts_with("reached"), "{step}: the stepper said {line:?}");
    // SIGKILL to our own child, which is not yet waited for.
    child.kill()?;
    child.wait()?;

    let custody = open(&scene.sandbox).await?;
    assert_eq!(
        count(&custody, Outcome::Authorised).await?,
        authorised,
        "{step}: authorised"
    );
    assert_eq!(count(&custody, Outcome::Signed).await?, signed, "{step}: signed");
    let spent = if authorised == 1 {
        i64::try_from(LAMPORTS)?
    } else {
        0
    };
    assert_eq!(reserved(&scene.sandbox).await?, spent, "{step}: reserved");
    let report = custody.audit_verify(None).await?;
    ensure!(matches!(report, AuditReport::Intact { .. }), "{step}: {report:?}");

    custody.unlock(&Password::new(PASSWORD.to_owned()), None).await?;
    let request = SignRequest::new(scene.transaction.clone(), "test");
    let first = custody.sign_transaction(request.clone()).await?;
    let second = custody.sign_transaction(request).await?;
    assert_eq!(
        first.signature, second.signature,
        "{step}: one intent has one signature"
    );
    assert_eq!(
        reserved(&scene.sandbox).await?,
        i64::try_from(LAMPORTS)?,
        "{step}: reserved once"
    );
    // What was authorised and not signed is authorised anew, before the key is used again.
    assert_eq!(
        count(&custody, Outcome::Authorised).await?,
        if authorised > signed { 2 } else { 1 },
        "{step}: authorised before each use of the key"
    );
    let report = custody.audit_verify(None).await?;
    ensure!(matches!(report, AuditReport::Intact { .. }), "{step}: {report:?}");
    Ok(())
}

#[tokio::test]
async fn killed_after_the_checks_nothing_is_reserved() -> anyhow::Result<()> {
    check("checked", 0, 0).await
}

#[tokio::test]
async fn killed_after_the_evaluation_nothing_is_reserved() -> anyhow::Result<()> {
    check("evaluated", 0, 0).await
}

#[tokio::test]
async fn killed_after_the_authorisation_the_reservation_stays_spent() -> anyhow::Result<()> {
    check("authorised", 1, 0).await
}

#[tokio::test]
async fn killed_after_the_key_was_used_the_reservation_stays_spent() -> anyhow::Result<()> {
    check("key-used", 1, 0).await
}

#[tokio::test]
async fn killed_after_the_record_everything_is_there() -> anyhow::Result<()> {
    check("recorded", 1, 1).await
}

#[tokio::test]
async fn not_stopped_it_signs() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let (mut child, line) = scene.start("nowhere")?;
    ensure!(child.wait()?.success(), "the stepper failed");
    ensure!(line.starts_with("signed "), "the stepper said {line:?}");
    Ok(())
}
