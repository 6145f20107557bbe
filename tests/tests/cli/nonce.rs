//! `keyward nonce` and `keyward send --nonce`: made, seen, used after every blockhash of its day, advanced, closed.

use std::time::Duration;

use keyward_core::amount::Lamports;
use keyward_tests::cli::Cli;
use keyward_tests::node::{NodeOptions, TestNode};
use keyward_tests::wait;
use serde_json::{Value, json};

use crate::fixture::{FIRST_ADDRESS, Vault, error_of, fails};

const SOL: u64 = 1_000_000_000;
const STRANGER: &str = "7WktogJEd2wQ9eH2oWusmcoFTgeYi6rS632UviTBJ2jm";
const LIMIT: Duration = Duration::from_secs(120);

struct Scene {
    node: TestNode,
    vault: Vault,
}

impl Scene {
    fn new() -> Self {
        let node = TestNode::start_engine(NodeOptions { slot_ms: 40 }).unwrap();
        let vault = Vault::new(2);
        node.fund_blocking(&FIRST_ADDRESS.parse().unwrap(), Lamports::new(3 * SOL))
            .unwrap();
        Self { node, vault }
    }

    fn run(&self, words: &str) -> Cli {
        self.vault
            .run(words)
            .env("KEYWARD_RPC_URL", &self.node.rpc_url)
            .bound(LIMIT)
    }

    fn json(&self, words: &str) -> Value {
        self.run(words).arg("--json").success().unwrap().json().unwrap()
    }

    fn nonces(&self) -> Vec<Value> {
        self.json("nonce list --wallet #0")["nonces"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// Runs again until the nonce's value is finalized, which is what it may be refused for meanwhile.
    fn once_final(&self, words: &str) -> Value {
        wait::until_blocking("the nonce is final", LIMIT, || {
            let output = self.run(words).arg("--json").run().unwrap();
            if output.code() == Some(0) {
                return Some(output.json().unwrap());
            }
            let error = error_of(&output);
            assert!(
                error["code"] == "nonce_unfit" && error["message"].as_str().unwrap().contains("finalized"),
                "{output}"
            );
            None
        })
        .unwrap()
    }

    fn balance(&self, of: &str) -> u64 {
        self.node.balance_blocking(&of.parse().unwrap()).unwrap().get()
    }
}

#[test]
fn a_nonce_is_made_used_and_closed() {
    let scene = Scene::new();
    assert!(scene.nonces().is_empty());
    fails(scene.run("nonce create --wallet #0"), 2, "confirmation_missing");
    fails(scene.run("nonce create --wallet nobody --yes"), 5, "not_found");
    fails(scene.run("nonce close 0 --wallet #0 --yes"), 10, "nonce_unfit");
    fails(scene.run("nonce close 99 --wallet #0 --yes"), 10, "nonce_invalid");
    fails(
        scene.run(&format!(
            "send --from #0 --to {STRANGER} --amount 1 --nonce 0 --yes"
        )),
        10,
        "nonce_unfit",
    );
    assert_eq!(scene.vault.json("audit list --outcome authorised")["total"], 0);

    let made = scene.json("nonce create --wallet #0 --yes");
    assert_eq!(made["status"], "confirmed");
    let listed = scene.nonces();
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (
            &listed[0]["number"],
            &listed[0]["account"],
            &listed[0]["authority"]
        ),
        (&0.into(), &made["account"], &FIRST_ADDRESS.into())
    );
    let held = listed[0]["lamports"].as_u64().unwrap();
    assert_eq!(made["lamports"], held);
    let text = scene.run("nonce list --wallet #0").success().unwrap().stdout;
    assert!(text.contains(made["account"].as_str().unwrap()), "{text}");
    // Somebody else's is not this wallet's to close.
    let account = made["account"].as_str().unwrap();
    scene
        .node
        .fund_blocking(
            &crate::fixture::SECOND_ADDRESS.parse().unwrap(),
            Lamports::new(SOL),
        )
        .unwrap();
    fails(
        scene.run(&format!("nonce close {account} --wallet #1 --yes")),
        10,
        "nonce_unfit",
    );

    // Used: its value is another one afterwards.
    let words = format!("send --from #0 --to {STRANGER} --amount 0.5 --nonce 0");
    let preview = scene.once_final(&format!("{words} --dry-run"));
    assert_eq!(preview["nonce"], account);
    let sent = scene.json(&format!("{words} --yes"));
    assert_eq!(
        (&sent["status"], &sent["nonce"]),
        (&"confirmed".into(), &account.into())
    );
    assert_eq!(scene.balance(STRANGER), SOL / 2);
    assert_ne!(scene.nonces()[0]["value"], listed[0]["value"]);

    // All of it comes back.
    let before = scene.balance(FIRST_ADDRESS);
    let closed = scene.json("nonce close 0 --wallet #0 --yes");
    assert_eq!(
        (&closed["status"], &closed["lamports"]),
        (&"confirmed".into(), &held.into())
    );
    let after = scene.balance(FIRST_ADDRESS);
    assert!(after > before && after < before + held, "{before} {after}");
    assert!(scene.nonces().is_empty());
    fails(scene.run("nonce close 0 --wallet #0 --yes"), 10, "nonce_unfit");
    scene.vault.run("audit verify").success().unwrap();
}

#[test]
fn what_is_signed_offline_with_a_nonce_has_the_time_it_needs() {
    let scene = Scene::new();
    scene.json("nonce create --wallet #0 --yes");
    let file = scene.vault.sandbox.path("pay.json");
    let words = format!("send --from #0 --to {STRANGER} --amount 0.5 --nonce 0");
    scene.once_final(&format!("{words} --dry-run"));
    let told = scene
        .run(&words)
        .arg("--offline-out")
        .arg(&file)
        .success()
        .unwrap()
        .stdout;
    assert!(told.contains("until the nonce"), "{told}");
    let unsigned: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let prepared_at = unsigned["last_valid_block_height"].as_u64().unwrap();
    // Signed where there is no node; every blockhash of when it was prepared is gone by then.
    let answer = scene
        .vault
        .run("sign-transaction --json")
        .arg(&file)
        .success()
        .unwrap()
        .stdout;
    let signed = scene.vault.sandbox.write("signed.json", answer).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = scene.node.client().unwrap();
    let passed = wait::until("blockhashes expire", LIMIT, async || {
        let height = client
            .block_height(keyward_custody::chain::Commitment::Finalized)
            .await;
        height.ok().filter(|height| *height > prepared_at + 200)
    });
    runtime.block_on(passed).unwrap();
    // A height that is yet to come was not the one that it was prepared at.
    let mut lying = unsigned.clone();
    lying["last_valid_block_height"] = json!(u64::MAX);
    let lying = scene
        .vault
        .sandbox
        .write("lying.json", lying.to_string())
        .unwrap();
    let run = |unsigned: &std::path::Path| {
        scene
            .run("send --unsigned")
            .arg(unsigned)
            .arg("--signed")
            .arg(&signed)
    };
    fails(run(&lying), 10, "signed_unfit");
    assert_eq!(scene.balance(STRANGER), 0);
    let sent = run(&file).arg("--json").success().unwrap().json().unwrap();
    assert_eq!(sent["status"], "confirmed");
    assert_eq!(scene.balance(STRANGER), SOL / 2);
}

#[test]
fn advancing_a_nonce_ends_what_was_prepared_with_it() {
    let scene = Scene::new();
    let made = scene.json("nonce create --wallet #0 --yes");
    let words = format!("send --from #0 --to {STRANGER} --amount 0.5 --nonce 0");
    scene.once_final(&format!("{words} --dry-run"));
    let file = scene.vault.sandbox.path("pay.json");
    scene
        .run(&words)
        .arg("--offline-out")
        .arg(&file)
        .success()
        .unwrap();
    let run = scene.vault.run("sign-transaction --json").arg(&file);
    let answer = run.success().unwrap().stdout;
    let signed = scene.vault.sandbox.write("signed.json", answer).unwrap();

    fails(
        scene.run("nonce advance 0 --wallet #0"),
        2,
        "confirmation_missing",
    );
    fails(scene.run("nonce advance 1 --wallet #0 --yes"), 10, "nonce_unfit");
    let before = scene.nonces();
    let advanced = scene.once_final("nonce advance 0 --wallet #0 --yes");
    assert_eq!(
        (&advanced["status"], &advanced["account"]),
        (&"confirmed".into(), &made["account"])
    );
    let after = scene.nonces();
    assert_ne!(after[0]["value"], before[0]["value"]);
    assert_eq!(
        (&after[0]["account"], &after[0]["lamports"]),
        (&before[0]["account"], &before[0]["lamports"])
    );
    let late = scene.run("send --json --unsigned").arg(&file).arg("--signed");
    let late = late.arg(&signed).exits(9).unwrap();
    assert_eq!(late.json().unwrap()["status"], "expired", "{late}");
    assert_eq!(scene.balance(STRANGER), 0);
    scene.vault.run("audit verify").success().unwrap();
}
