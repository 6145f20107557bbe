//! The whole way, as a person walks it in a terminal of 80 by 24: first run, import, 10,000 wallets, a transfer that is
//! reviewed and confirmed on a real node, a green audit; then one changed byte, and the audit names it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use keyward_core::amount::Lamports;
use keyward_tests::cli::Cli;
use keyward_tests::node::TestNode;
use keyward_tests::pty::{DEFAULT_BOUND, Key, Pty, PtyCommand};
use keyward_tests::sandbox::Sandbox;
use sqlx::Connection as _;

use crate::vault::{FIRST_ADDRESS, PASSWORD, PHRASE};

/// The phrase's second address at the default path.
const SECOND_ADDRESS: &str = "Hh8QwFUA6MtVu1qAoq12ucvFHNwCcVTV7hpWjeY1Hztb";
const FUNDED: u64 = 5_000_000_000;
const SENT: u64 = 1_500_000_000;
/// One signature's fee on every cluster so far; the test node charges it too.
const FEE: u64 = 5_000;

/// From the welcome screen to a vault with `wallets` wallets of the imported phrase.
fn first_run(console: &Pty, wallets: &str) -> anyhow::Result<()> {
    console.wait_for_text("Import a phrase")?;
    console.press_all([Key::Down, Key::Enter])?;
    console.wait_for_text("step 1 of 5")?;
    console.paste(PHRASE)?;
    console.wait_for_text("12 words")?;
    ensure!(
        !console.screen().contains("abandon"),
        "the phrase is shown unasked\n{}",
        console.screen()
    );
    console.press(Key::Enter)?;
    // The preview of the first addresses, before anything is stored.
    console.wait_for_text(FIRST_ADDRESS)?;
    console.wait_for_text(SECOND_ADDRESS)?;
    console.press(Key::Enter)?;
    console.wait_for_text("step 3 of 5")?;
    console.press(Key::Ctrl('u'))?;
    console.type_text("10")?;
    console.press_all([Key::Enter, Key::Enter, Key::Enter])?;
    console.wait_for_text("step 4 of 5")?;
    console.type_text(PASSWORD)?;
    console.press(Key::Enter)?;
    console.type_text(PASSWORD)?;
    console.wait_for_text("Strong enough")?;
    console.press(Key::Enter)?;
    console.wait_for_text("step 5 of 5")?;
    console.press_all([Key::Backspace, Key::Backspace, Key::Backspace])?;
    console.type_text(wallets)?;
    console.press(Key::Enter)?;
    Ok(())
}

/// Opens the send form on the first wallet, fills it, and returns on the review.
fn fill_in_the_transfer(console: &Pty) -> anyhow::Result<()> {
    console.type_text("s")?;
    console.wait_for_text("Nothing is signed before you say so")?;
    console.type_text(SECOND_ADDRESS)?;
    console.wait_for_text("yours")?;
    console.press(Key::Tab)?;
    console.type_text("1.5")?;
    console.wait_for_text("= 1.500000000 SOL")?;
    console.press(Key::Enter)?;
    console.wait_for_text("Review: send")?;
    Ok(())
}

/// What a review must show of this transfer: amounts, both full addresses, the fee, the simulated balances, the rule.
fn check_the_review(console: &Pty) -> anyhow::Result<()> {
    let texts = [
        "1.500000000 SOL",
        FIRST_ADDRESS,
        SECOND_ADDRESS,
        "0.000005000",
        "3.499995000",
        "allowed by",
        "ComputeBudget.Limit · System.Transfer",
        "sign and send",
    ];
    // A screen is drawn in several writes: wait until the whole of it stands there.
    console.wait_for("the whole review", DEFAULT_BOUND, |screen| {
        texts.iter().all(|text| screen.contains(text))
    })?;
    Ok(())
}

/// Signs from the review. A first payment to an account that does not exist yet asks for the amount as well.
fn sign(console: &Pty) -> anyhow::Result<()> {
    let asks = console.screen().contains("asks you to type the amount");
    console.type_text("y")?;
    if asks {
        console.wait_for_text("type the amount to sign")?;
        console.type_text("1.5")?;
        console.press(Key::Enter)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn from_first_run_to_a_paid_transfer_and_a_named_forgery() -> anyhow::Result<()> {
    let node = TestNode::start()?;
    let sandbox = Sandbox::new()?;
    let password_file = sandbox.write("password", PASSWORD)?;
    let mut arguments = vec!["--rpc".to_owned(), node.rpc_url.clone()];
    if let Some(ws) = &node.ws_url {
        arguments.extend(["--ws".to_owned(), ws.clone()]);
    }
    let mut console = PtyCommand::keyward(&sandbox)?
        .args(&arguments)
        .size(80, 24)
        .spawn()?;
    first_run(&console, "10000")?;
    console.wait_for("10,000 wallets", Duration::from_secs(120), |screen| {
        screen.contains("Wallets 10,000") && screen.contains("HAgk14Jp")
    })?;

    let (from, to) = (FIRST_ADDRESS.parse()?, SECOND_ADDRESS.parse()?);
    let before = node.client()?.balances(&[from, to]).await?.values;
    let before: Vec<u64> = before
        .iter()
        .map(|value| value.map_or(0, Lamports::get))
        .collect();
    // A node that outlives the test may know these addresses already: only the difference is judged there.
    let fresh = before == [0, 0];
    node.fund(&from, Lamports::new(before[0] + FUNDED)).await?;

    fill_in_the_transfer(&console)?;
    if fresh {
        check_the_review(&console)?;
    } else {
        console.wait_for_text("sign and send")?;
    }
    sign(&console)?;
    console.wait_for("the confirmation", Duration::from_secs(90), |screen| {
        screen.contains("confirmed in slot")
    })?;
    let after = node.client()?.balances(&[from, to]).await?.values;
    let after: Vec<u64> = after.iter().map(|value| value.map_or(0, Lamports::get)).collect();
    if fresh {
        assert_eq!(after, [FUNDED - SENT - FEE, SENT]);
    } else {
        assert_eq!(after[1] - before[1], SENT);
    }
    leave(&mut console)?;

    audit_is_green_until_a_byte_changes(&sandbox, &password_file).await
}

fn leave(console: &mut Pty) -> anyhow::Result<()> {
    console.press(Key::Ctrl('c'))?;
    let status = console.wait_exit(DEFAULT_BOUND)?;
    ensure!(
        status.success(),
        "the console ended with {status}\n{}",
        console.screen()
    );
    console.terminal_is_restored()
}

async fn audit_is_green_until_a_byte_changes(
    sandbox: &Sandbox,
    password_file: &std::path::Path,
) -> anyhow::Result<()> {
    let verify = || -> anyhow::Result<Cli> {
        Ok(Cli::new(sandbox)?
            .args(["audit", "verify", "--json", "--password-file"])
            .arg(password_file))
    };
    verify()?.success()?;

    let url = format!("sqlite://{}", sandbox.vault().display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await?;
    let sequence: i64 = sqlx::query_scalar(
        "SELECT sequence FROM audit_entries WHERE operation = 'sign-transaction' AND outcome = 'authorised'",
    )
    .fetch_one(&mut connection)
    .await
    .context("no authorised entry")?;
    let changed = sqlx::query(
        "UPDATE audit_entries SET details = 'x' || substr(details, 2) WHERE sequence = ? AND details <> ''",
    )
    .bind(sequence)
    .execute(&mut connection)
    .await?;
    assert_eq!(changed.rows_affected(), 1);
    connection.close().await?;

    let output = verify()?.exits(7)?;
    ensure!(
        output.stdout.contains(&format!("\"sequence\":{sequence}")),
        "{output}"
    );
    Ok(())
}
