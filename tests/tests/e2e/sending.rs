//! Money that leaves by the console: nothing is signed before every doubt was answered by hand. In a terminal of 80 by 24, on a
//! real node.

use std::time::Duration;

use anyhow::ensure;
use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::token::TokenProgram;
use keyward_tests::mint::{MintOptions, TestMint};
use keyward_tests::node::{NodeOptions, TestNode};
use keyward_tests::pty::{DEFAULT_BOUND, Key, Pty};

use crate::console_trouble::{leave, open_unlocked};
use crate::vault::{FIRST_ADDRESS, TestVault};

/// A contact, and an address made to be mistaken for it: another one in its middle alone.
const SHOP: &str = "9n8nR1dSJGiFUDYMuHVVHkDQRU3wtZRDuWbJtDgXqyvJ";
const FAKE: &str = "9n8nR1dSJGiFUDYMuHVVHkDQRU4wtZRDuWbJtDgXqyvJ";
const STRANGER: &str = "7WktogJEd2wQ9eH2oWusmcoFTgeYi6rS632UviTBJ2jm";
/// A wallet's own password, and what is not it.
const OWN: &str = "hazel-orbit-candle-57";
const WRONG: &str = "walnut-meadow-spark-38";
const FUNDED: u64 = 5_000_000_000;

struct Scene {
    node: TestNode,
    vault: TestVault,
}

impl Scene {
    async fn new() -> anyhow::Result<Self> {
        let node = TestNode::start_engine(NodeOptions::default())?;
        let vault = TestVault::new(2)?;
        node.fund(&FIRST_ADDRESS.parse()?, Lamports::new(FUNDED)).await?;
        Ok(Self { node, vault })
    }

    fn console(&self) -> anyhow::Result<Pty> {
        open_unlocked(&self.vault, &["--rpc", &self.node.rpc_url])
    }

    /// How much was authorised to be signed.
    fn signatures(&self) -> anyhow::Result<u64> {
        let words = "audit list --operation sign-transaction --json";
        let listed = self.vault.cli(words)?.success()?.json()?;
        Ok(listed["total"].as_u64().unwrap_or(u64::MAX))
    }

    async fn balance(&self, of: &str) -> anyhow::Result<u64> {
        let balances = self.node.client()?.balances(&[of.parse()?]).await?;
        Ok(balances
            .values
            .first()
            .copied()
            .flatten()
            .map_or(0, Lamports::get))
    }
}

fn shows(console: &Pty, what: &str, texts: &[&str]) -> anyhow::Result<()> {
    console.wait_for(what, DEFAULT_BOUND, |screen| {
        texts.iter().all(|text| screen.contains(text))
    })?;
    Ok(())
}

fn confirmed(console: &Pty) -> anyhow::Result<()> {
    console.wait_for("the confirmation", Duration::from_secs(90), |screen| {
        screen.contains("confirmed in slot")
    })?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookalike_is_paid_only_by_who_compared_it() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.vault.cli(&format!("book add shop {SHOP}"))?.success()?;
    let console = scene.console()?;
    console.type_text("s")?;
    console.wait_for_text("Nothing is signed before you say so")?;
    console.type_text(FAKE)?;
    console.wait_for_text("neither yours nor in the address book")?;
    console.press(Key::Tab)?;
    console.type_text("0.25")?;
    console.wait_for_text("= 0.250000000 SOL")?;
    console.press(Key::Enter)?;
    let texts = [
        "Review: send",
        "! NOT \"shop\", in the address book",
        FAKE,
        SHOP,
        "new · neither yours",
        "asks whether you compared",
    ];
    shows(&console, "the warning", &texts)?;
    // One key, Enter, and the amount alone sign nothing.
    console.type_text("y")?;
    console.wait_for_text("compared every character?")?;
    console.press(Key::Enter)?;
    console.wait_for_text("! type different, or Esc")?;
    console.type_text("0.25")?;
    console.press(Key::Enter)?;
    console.press(Key::Esc)?;
    console.wait_for_text("asks whether you compared")?;
    ensure!(scene.signatures()? == 0, "nothing is signed yet");
    ensure!(scene.balance(FAKE).await? == 0);

    console.type_text("y")?;
    console.wait_for_text("compared every character?")?;
    console.type_text("different")?;
    console.press(Key::Enter)?;
    console.wait_for_text("type the amount to sign")?;
    ensure!(scene.signatures()? == 0, "nor now");
    console.type_text("0.25")?;
    console.press(Key::Enter)?;
    confirmed(&console)?;
    ensure!(scene.balance(FAKE).await? == 250_000_000);
    leave(console)?;
    scene.vault.cli("audit verify")?.success()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_with_its_own_password_pays_with_it_alone() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.vault.give_own_password("#0", OWN)?;
    scene.vault.cli(&format!("book add shop {SHOP}"))?.success()?;
    let console = scene.console()?;
    for password in [WRONG, OWN] {
        console.type_text("s")?;
        console.wait_for_text("Nothing is signed before you say so")?;
        console.type_text(SHOP)?;
        console.wait_for_text("in the address book: shop")?;
        console.press(Key::Tab)?;
        console.type_text("0.25")?;
        console.wait_for_text("= 0.250000000 SOL")?;
        console.press(Key::Enter)?;
        console.wait_for_text("Review: send")?;
        console.type_text("y")?;
        console.wait_for_text("type the amount to sign")?;
        console.type_text("0.25")?;
        console.press(Key::Enter)?;
        console.wait_for_text("has a password of its own")?;
        console.type_text(password)?;
        console.press(Key::Enter)?;
        if password == WRONG {
            console.wait_for_text("not the password of wallet")?;
            ensure!(scene.balance(SHOP).await? == 0);
            console.press(Key::Esc)?;
            console.wait_for_text("Wallets 2")?;
        }
    }
    confirmed(&console)?;
    ensure!(scene.balance(SHOP).await? == 250_000_000);
    ensure!(!console.has_drawn(OWN.as_bytes()), "a password was shown");
    leave(console)?;
    scene.vault.cli("audit verify")?.success()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_chosen_reviewed_and_sent_to_the_last_digit() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let options = MintOptions {
        decimals: 2,
        ..MintOptions::default()
    };
    let mint = TestMint::new(&scene.node, TokenProgram::Token, options, [5; 32]).await?;
    let (first, stranger): (Address, Address) = (FIRST_ADDRESS.parse()?, STRANGER.parse()?);
    mint.give(&first, 100_000).await?;
    let token = mint.address.to_string();

    let console = scene.console()?;
    console.type_text("s")?;
    console.wait_for_text("Nothing is signed before you say so")?;
    console.press(Key::Ctrl('t'))?;
    shows(&console, "the tokens", &["Tokens of", "1,000.00", &token])?;
    console.type_text("s")?;
    shows(&console, "the form", &["Send a token", &token, "of 1,000.00"])?;
    console.type_text(STRANGER)?;
    console.wait_for_text("neither yours nor in the address book")?;
    console.press(Key::Tab)?;
    console.type_text("12.505")?;
    console.press(Key::Enter)?;
    console.wait_for_text("decimals")?;
    console.press(Key::Backspace)?;
    console.wait_for_text("= 12.50 of the token")?;
    console.press(Key::Enter)?;
    let texts = [
        "Review: send",
        "12.50 of the token",
        &token,
        STRANGER,
        "the sender pays its rent",
        "SOL for the recipient's account",
        "priority  none",
        "asks you to type the amount",
    ];
    shows(&console, "the review", &texts)?;
    ensure!(scene.signatures()? == 0);
    console.type_text("y")?;
    console.wait_for_text("type the amount to sign")?;
    console.type_text("12.5")?;
    console.press(Key::Enter)?;
    confirmed(&console)?;
    ensure!(mint.held_by(&stranger).await? == Some(1_250));
    ensure!(mint.held_by(&first).await? == Some(98_750));
    leave(console)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_durable_nonce_is_made_sent_by_advanced_and_closed() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let console = scene.console()?;
    let listed = |texts: &[&str]| shows(&console, "the nonces", texts);
    // The bottom line still tells of the step before.
    let follow = || -> anyhow::Result<()> {
        console.wait_for("the confirmation", Duration::from_secs(90), |screen| {
            screen.contains("✓ confirmed by the cluster")
        })?;
        console.press(Key::Esc)
    };
    console.press(Key::Enter)?;
    console.wait_for_text("Wallet #0")?;
    console.type_text("n")?;
    console.wait_for_text("n makes one")?;
    console.type_text("n")?;
    console.wait_for_text("Make a durable nonce?")?;
    ensure!(scene.signatures()? == 0, "nothing is signed yet");
    console.type_text("y")?;
    follow()?;
    listed(&["1 nonce", "this wallet alone advances"])?;

    // What is sent by it lives until it is advanced.
    console.type_text("s")?;
    console.wait_for_text("Send by a durable nonce")?;
    console.type_text("#1")?;
    console.press(Key::Enter)?;
    console.wait_for_text("yours: #1")?;
    console.type_text("0.25")?;
    console.press(Key::Enter)?;
    console.wait_for_text("can land until its nonce is advanced")?;
    console.type_text("y")?;
    follow()?;
    for (key, question) in [("v", "Advance this nonce?"), ("D", "Close this nonce?")] {
        listed(&["1 nonce"])?;
        console.type_text(key)?;
        console.wait_for_text(question)?;
        console.type_text("y")?;
        follow()?;
    }
    console.wait_for_text("n makes one")?;
    leave(console)?;
    let paid = scene.vault.cli("wallets show #1 --json")?.success()?.json()?;
    let paid = paid["wallet"]["address"].as_str().unwrap_or_default().to_owned();
    ensure!(scene.balance(&paid).await? == 250_000_000);
    scene.vault.cli("audit verify")?.success()?;
    Ok(())
}
