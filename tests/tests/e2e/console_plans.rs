//! Paying many from the console, and collecting it back, on a real node: the form, the plan, the typed amount, the job, its
//! report.

use std::time::Duration;

use anyhow::ensure;
use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::token::TokenProgram;
use keyward_tests::mint::{MintOptions, TestMint};
use keyward_tests::node::TestNode;
use keyward_tests::pty::{DEFAULT_BOUND, Key, Pty, PtyCommand};

use crate::console_trouble::{leave, unlock};
use crate::vault::{FIRST_ADDRESS, TestVault};

const FUNDED: u64 = 5_000_000_000;
const EACH: u64 = 250_000_000;
/// How long a job of one transaction may take under load.
const JOB_BOUND: Duration = Duration::from_secs(120);

fn open(vault: &TestVault, node: &TestNode) -> anyhow::Result<Pty> {
    let mut arguments = vec!["--rpc".to_owned(), node.rpc_url.clone()];
    if let Some(ws) = &node.ws_url {
        arguments.extend(["--ws".to_owned(), ws.clone()]);
    }
    let console = PtyCommand::keyward(&vault.sandbox)?
        .args(&arguments)
        .size(100, 30)
        .spawn()?;
    console.wait_for_text("The vault is locked")?;
    unlock(&console)?;
    Ok(console)
}

/// The addresses of the first wallets, in the order of their places.
fn wallets(vault: &TestVault, count: u32) -> anyhow::Result<Vec<Address>> {
    let all = (0..count).map(|place| {
        let shown = vault
            .cli(&format!("wallets show #{place} --json"))?
            .success()?
            .json()?;
        Ok(shown["wallet"]["address"].as_str().unwrap_or_default().parse()?)
    });
    all.collect()
}

async fn balances(node: &TestNode, wallets: &[Address]) -> anyhow::Result<Vec<u64>> {
    let read = node.client()?.balances(wallets).await?.values;
    Ok(read.iter().map(|value| value.map_or(0, Lamports::get)).collect())
}

fn count(vault: &TestVault, query: &str) -> anyhow::Result<u64> {
    let listed = vault
        .cli(&format!("audit list {query} --json"))?
        .success()?
        .json()?;
    Ok(listed["total"].as_u64().unwrap_or(u64::MAX))
}

/// Pays the three wallets below the first one, marked, from the first one.
fn distribute(console: &Pty, vault: &TestVault) -> anyhow::Result<()> {
    console.press(Key::Down)?;
    console.type_text("   ")?;
    console.wait_for_text("3 marked")?;
    console.press(Key::Home)?;
    console.type_text("S")?;
    console.wait_for_text("the 3 marked wallets")?;
    console.type_text("0.25")?;
    console.press(Key::Ctrl('s'))?;
    console.wait_for("the plan", DEFAULT_BOUND, |screen| {
        // The bar at the bottom is drawn last.
        screen.contains("0.750000000 SOL in 3 payments") && screen.contains("t dry run")
    })?;
    console.type_text("t")?;
    console.wait_for("the dry run's plan", DEFAULT_BOUND, |screen| {
        screen.contains("1 tried out") && screen.contains("ready;") && !screen.contains("dry run")
    })?;
    // Neither Enter nor another amount signs anything.
    console.press(Key::Enter)?;
    console.type_text("y")?;
    console.wait_for_text("Type the amount to sign and send")?;
    console.type_text("0.7")?;
    console.press(Key::Enter)?;
    console.wait_for_text("that is not the amount")?;
    ensure!(
        count(vault, "--outcome authorised")? == 0,
        "signed before the amount was right"
    );
    console.type_text("5")?;
    console.press(Key::Enter)?;
    console.wait_for("the job done", JOB_BOUND, |screen| screen.contains("3 of 3 done"))?;
    console.wait_for("the end of the run", JOB_BOUND, |screen| {
        screen.contains("Every item has its end")
    })?;
    console.type_text("v")?;
    console.wait_for("the report", JOB_BOUND, |screen| {
        screen.contains("3 paid, 0 open") && screen.contains("it agrees")
    })?;
    // The report, the job, the list.
    console.press(Key::Esc)?;
    console.wait_for_text("Every item has its end")?;
    console.press(Key::Esc)?;
    console.wait_for_text("3 marked")?;
    Ok(())
}

/// Collects all of it back into the first wallet, which pays the fees.
fn consolidate(console: &Pty) -> anyhow::Result<()> {
    console.type_text("C")?;
    console.wait_for_text("the 3 marked wallets")?;
    console.type_text(FIRST_ADDRESS)?;
    console.press(Key::Ctrl('s'))?;
    console.wait_for("the plan", DEFAULT_BOUND, |screen| {
        screen.contains("0.750000000 SOL of 3 wallets, to exactly zero")
            && screen.contains("ready; nothing is signed yet")
    })?;
    console.type_text("y")?;
    console.wait_for_text("Type the amount to sign and send")?;
    console.type_text("0.75")?;
    console.press(Key::Enter)?;
    console.wait_for("the job done", JOB_BOUND, |screen| {
        screen.contains("Every item has its end")
    })?;
    console.type_text("v")?;
    console.wait_for_text("3 wallets exactly")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn three_wallets_are_paid_and_emptied_again_from_the_console() -> anyhow::Result<()> {
    let node = TestNode::start()?;
    let vault = TestVault::new(4)?;
    let all = wallets(&vault, 4)?;
    let before = balances(&node, &all).await?;
    node.fund(&all[0], Lamports::new(before[0] + FUNDED)).await?;
    let console = open(&vault, &node)?;

    distribute(&console, &vault)?;
    let paid = balances(&node, &all).await?;
    for (after, before) in paid.iter().zip(&before).skip(1) {
        assert_eq!(after - before, EACH);
    }
    // A node that outlives the test may know these addresses already.
    if before[1..] == [0, 0, 0] {
        consolidate(&console)?;
        let emptied = balances(&node, &all).await?;
        assert_eq!(emptied[1..], [0, 0, 0]);
        let fees = before[0] + FUNDED - emptied[0];
        assert!(fees > 0 && fees < 100_000, "{fees} lamports of fees");
    }
    leave(console)?;
    vault.cli("audit verify")?.success()?;
    Ok(())
}

/// Makes the plan, holds it to these words, types what moves, and waits until all of it is done.
fn carry_out(console: &Pty, words: &[&str], typed: &str) -> anyhow::Result<()> {
    console.press(Key::Ctrl('s'))?;
    console.wait_for("the plan", DEFAULT_BOUND, |screen| {
        screen.contains("ready; nothing is signed yet") && words.iter().all(|words| screen.contains(words))
    })?;
    console.type_text("y")?;
    console.wait_for_text("to sign and send")?;
    console.type_text(typed)?;
    console.press(Key::Enter)?;
    console.wait_for("the job done", JOB_BOUND, |screen| {
        screen.contains("Every item has its end")
    })?;
    Ok(())
}

/// Goes back to the list and opens a form from there.
fn next_form(console: &Pty, key: &str) -> anyhow::Result<()> {
    console.press(Key::Esc)?;
    console.wait_for_text("3 marked")?;
    console.type_text(key)?;
    console.wait_for_text("the 3 marked wallets")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_paid_collected_and_its_accounts_are_closed_from_the_console() -> anyhow::Result<()> {
    let node = TestNode::start()?;
    let vault = TestVault::new(4)?;
    let all = wallets(&vault, 4)?;
    node.fund(&all[0], Lamports::new(FUNDED)).await?;
    let options = MintOptions {
        decimals: 6,
        ..MintOptions::default()
    };
    let mint = TestMint::new(&node, TokenProgram::Token, options, [41; 32]).await?;
    mint.give(&all[0], 100_000_000).await?;
    let console = open(&vault, &node)?;

    console.press(Key::Down)?;
    console.type_text("   ")?;
    console.wait_for_text("3 marked")?;
    console.press(Key::Home)?;
    console.type_text("S")?;
    console.wait_for_text("the 3 marked wallets")?;
    console.type_text("25")?;
    console.press_all([Key::BackTab; 3])?;
    console.press(Key::Ctrl('u'))?;
    console.type_text(&mint.address.to_string())?;
    console.wait_for_text("the token's own fee")?;
    carry_out(
        &console,
        &["75.000000 in 3 payments", "3 new token accounts"],
        "75",
    )?;
    for wallet in &all[1..] {
        assert_eq!(mint.held_by(wallet).await?, Some(25_000_000));
    }

    // Collected, the emptied accounts left for once.
    next_form(&console, "C")?;
    console.type_text(FIRST_ADDRESS)?;
    console.press_all([Key::Tab, Key::Right, Key::Right, Key::Tab, Key::Right])?;
    console.wait_for_text("left as they are")?;
    carry_out(&console, &["75.000000 of"], "3")?;
    assert_eq!(mint.held_by(&all[0]).await?, Some(100_000_000));

    next_form(&console, "X")?;
    console.type_text(FIRST_ADDRESS)?;
    carry_out(&console, &["3 token accounts"], "3")?;
    console.type_text("v")?;
    console.wait_for_text("3 accounts are gone")?;
    for wallet in &all[1..] {
        assert_eq!(mint.held_by(wallet).await?, None);
    }
    leave(console)?;
    vault.cli("audit verify")?.success()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_asks_for_the_passwords_of_those_who_sign_it() -> anyhow::Result<()> {
    let node = TestNode::start()?;
    let vault = TestVault::new(2)?;
    let all = wallets(&vault, 2)?;
    vault.give_own_password("#0", "hazel-orbit-candle-57")?;
    node.fund(&all[0], Lamports::new(FUNDED)).await?;
    let before = balances(&node, &all).await?;
    let console = open(&vault, &node)?;
    console.press(Key::Down)?;
    console.type_text(" ")?;
    console.wait_for_text("1 marked")?;
    console.press(Key::Home)?;
    console.type_text("S")?;
    console.wait_for_text("marked wallet")?;
    console.type_text("0.25")?;
    console.press(Key::Ctrl('s'))?;
    console.wait_for_text("t dry run")?;
    console.type_text("y")?;
    console.wait_for_text("Type the amount to sign and send")?;
    console.type_text("0.25")?;
    console.press(Key::Enter)?;
    console.wait_for_text("has a password of its own")?;
    console.type_text("walnut-meadow-spark-38")?;
    console.press(Key::Enter)?;
    console.wait_for("the run held", JOB_BOUND, |screen| {
        screen.contains("Held: that is not the password")
    })?;
    ensure!(
        balances(&node, &all).await? == before,
        "paid with a wrong password"
    );
    console.type_text("r")?;
    console.wait_for_text("type 1 to confirm")?;
    console.type_text("1")?;
    console.press(Key::Enter)?;
    console.wait_for_text("has a password of its own")?;
    console.type_text("hazel-orbit-candle-57")?;
    console.press(Key::Enter)?;
    console.wait_for("the end of the run", JOB_BOUND, |screen| {
        screen.contains("Every item has its end")
    })?;
    ensure!(balances(&node, &all).await?[1] == before[1] + EACH);
    leave(console)?;
    vault.cli("audit verify")?.success()?;
    Ok(())
}
