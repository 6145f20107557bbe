//! `keyward send --token`: both token programs, a transfer fee, accounts that are made, and amounts to the last digit.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::token::TokenProgram;
use keyward_tests::cli::Cli;
use keyward_tests::mint::{MintOptions, TestMint};
use keyward_tests::node::{NodeOptions, TestNode};
use serde_json::Value;

use crate::fixture::{FIRST_ADDRESS, Vault, fails};

const SOL: u64 = 1_000_000_000;
/// An address of a person that no vault here knows.
const STRANGER: &str = "7WktogJEd2wQ9eH2oWusmcoFTgeYi6rS632UviTBJ2jm";

struct Scene {
    node: TestNode,
    vault: Vault,
}

impl Scene {
    async fn new() -> Self {
        // Its own engine: mints are made of fixed seeds.
        let node = TestNode::start_engine(NodeOptions { slot_ms: 100 }).unwrap();
        let vault = Vault::new(2);
        node.fund(&first(), Lamports::new(SOL)).await.unwrap();
        Self { node, vault }
    }

    async fn mint(&self, program: TokenProgram, options: MintOptions, seed: u8) -> TestMint {
        TestMint::new(&self.node, program, options, [seed; 32])
            .await
            .unwrap()
    }

    fn run(&self, words: &str) -> Cli {
        self.vault.run(words).env("KEYWARD_RPC_URL", &self.node.rpc_url)
    }

    fn json(&self, words: &str) -> Value {
        self.run(words).arg("--json").success().unwrap().json().unwrap()
    }
}

fn first() -> Address {
    FIRST_ADDRESS.parse().unwrap()
}

fn stranger() -> Address {
    STRANGER.parse().unwrap()
}

/// What the preview says of an account's tokens: owner, before, after.
fn moved(preview: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let changes = preview["token_changes"].as_array().unwrap().iter();
    let mut all: Vec<_> = changes
        .map(|change| {
            (
                text(&change["owner"]),
                text(&change["before_units"]),
                text(&change["after_units"]),
            )
        })
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_both_programs_are_previewed_and_sent() {
    let scene = Scene::new().await;
    for (seed, program) in (1..).zip(TokenProgram::ALL) {
        let options = MintOptions {
            decimals: 6,
            ..MintOptions::default()
        };
        let mint = scene.mint(program, options, seed).await;
        mint.give(&first(), 2_000_000).await.unwrap();
        let words = format!(
            "send --from #0 --to {STRANGER} --token {} --amount 1.25",
            mint.address
        );
        let preview = scene.json(&format!("{words} --dry-run"));
        assert_eq!(preview["mint"], mint.address.to_string());
        assert_eq!(
            (&preview["units"], &preview["lamports"]),
            (&"1250000".into(), &Value::Null)
        );
        assert_eq!(preview["creates_account"], true);
        assert_eq!(preview["simulation_error"], Value::Null);
        let text = |text: &str| text.to_owned();
        let expected = [
            (text(STRANGER), text("0"), text("1250000")),
            (text(FIRST_ADDRESS), text("2000000"), text("750000")),
        ];
        assert_eq!(moved(&preview), expected);
        // Whose the new account is, is told with the balances.
        let account = mint.account_of(&stranger()).to_string();
        let controls = preview["control_changes"].as_array().unwrap();
        let owned = controls
            .iter()
            .find(|change| change["account"] == account.as_str() && change["what"] == "token owner");
        assert_eq!(owned.unwrap()["after"], STRANGER, "{preview}");
        // The rent of the account and the fee are all the SOL that goes.
        let client = scene.node.client().unwrap();
        let before = client.balances(&[first()]).await.unwrap().values[0]
            .unwrap()
            .get();
        let sent = scene.json(&format!("{words} --yes"));
        assert_eq!(
            (&sent["status"], &sent["units"]),
            (&"confirmed".into(), &"1250000".into())
        );
        let values = client
            .balances(&[first(), mint.account_of(&stranger())])
            .await
            .unwrap()
            .values;
        let fee = sent["fee_lamports"].as_u64().unwrap();
        assert_eq!(values[0].unwrap().get(), before - fee - values[1].unwrap().get());
        assert_eq!(mint.held_by(&stranger()).await.unwrap(), Some(1_250_000));
        assert_eq!(mint.held_by(&first()).await.unwrap(), Some(750_000));
        let again = scene.json(&format!("{words} --dry-run --amount 0.000001").replace(" --amount 1.25", ""));
        assert_eq!(
            (&again["creates_account"], &again["units"]),
            (&false.into(), &"1".into())
        );
        let listed = scene.json("transfers list --wallet #0");
        assert_eq!(listed["transfers"][0]["mint"], mint.address.to_string());
        assert_eq!(listed["transfers"][0]["units"], "1250000");
    }
    scene.vault.run("audit verify").success().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_fee_is_told_before_and_kept_by_the_token() {
    let scene = Scene::new().await;
    let options = MintOptions {
        decimals: 2,
        transfer_fee: Some((250, 1_000)),
        ..MintOptions::default()
    };
    let mint = scene.mint(TokenProgram::Token2022, options, 7).await;
    mint.give(&first(), 1_000).await.unwrap();
    let words = format!(
        "send --from #0 --to {STRANGER} --token {} --amount 4.01",
        mint.address
    );
    let preview = scene.json(&format!("{words} --dry-run"));
    // 4.01 at 2.5 in 100 are 0.10025, rounded up.
    let notes = preview["notes"].to_string();
    assert!(notes.contains("fee of 0.11: 3.90 arrive"), "{notes}");
    let text = scene.run(&format!("{words} --dry-run")).success().unwrap().stdout;
    assert!(
        text.contains("an estimate") && text.contains("3.90 arrive") && text.contains("token owner"),
        "{text}"
    );
    assert_eq!(scene.json(&format!("{words} --yes"))["status"], "confirmed");
    assert_eq!(mint.held_by(&first()).await.unwrap(), Some(599));
    assert_eq!(mint.held_by(&stranger()).await.unwrap(), Some(390));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_of_a_token_is_refused_and_nothing_is_signed() {
    let scene = Scene::new().await;
    let options = MintOptions {
        decimals: 2,
        freezes: true,
        ..MintOptions::default()
    };
    let mint = scene.mint(TokenProgram::Token, options, 9).await;
    mint.give(&first(), 500).await.unwrap();
    let send = |to: &str, token: &str, amount: &str| {
        scene.run(&format!(
            "send --from #0 --to {to} --token {token} --amount {amount} --yes"
        ))
    };
    let token = mint.address.to_string();
    let error = fails(send(STRANGER, &token, "1.005"), 10, "amount_invalid");
    assert!(error["message"].as_str().unwrap().contains("decimal"), "{error}");
    fails(send(STRANGER, &token, "0"), 10, "zero_amount");
    fails(send(STRANGER, &token, "184467440737095517"), 10, "amount_invalid");
    fails(send(STRANGER, &token, "5.01"), 9, "insufficient_tokens");
    fails(send(STRANGER, STRANGER, "1"), 5, "token_unknown");
    fails(send(STRANGER, "nonsense", "1"), 10, "token_invalid");
    fails(
        send(&format!("solana:{STRANGER}?amount=1"), &token, "1"),
        10,
        "payment_request_differs",
    );
    let account = mint.account_of(&first()).to_string();
    let error = fails(send(&account, &token, "1"), 10, "token_unfit");
    assert!(
        error["message"].as_str().unwrap().contains(FIRST_ADDRESS),
        "{error}"
    );
    mint.give(&stranger(), 1).await.unwrap();
    mint.freeze(&stranger()).await.unwrap();
    let error = fails(send(STRANGER, &token, "1"), 10, "token_unfit");
    assert!(error["message"].as_str().unwrap().contains("frozen"), "{error}");
    assert_eq!(scene.vault.json("audit list --outcome authorised")["total"], 0);
}
