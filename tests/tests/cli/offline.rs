//! `keyward send --offline-out` and `--signed`: prepared by a machine with a node, signed by another with the key.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::Transaction;
use keyward_custody::chain::Commitment;
use keyward_tests::cli::Cli;
use keyward_tests::node::{NodeOptions, TestNode};
use keyward_tests::wait;
use serde_json::{Value, json};

use crate::fixture::{FIRST_ADDRESS, SECOND_ADDRESS, Vault, fails};

const SOL: u64 = 1_000_000_000;
/// Of BIP-39's vectors: 0x7f sixteen times.
const OTHER_PHRASE: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const STRANGER: &str = "7WktogJEd2wQ9eH2oWusmcoFTgeYi6rS632UviTBJ2jm";

/// The machine with the node, whose vault has none of the keys, and the one with the keys, which knows no node.
struct Scene {
    node: TestNode,
    online: Vault,
    offline: Vault,
}

impl Scene {
    fn new(slot_ms: u32) -> Self {
        let node = TestNode::start_engine(NodeOptions { slot_ms }).unwrap();
        node.fund_blocking(&address(FIRST_ADDRESS), Lamports::new(5 * SOL))
            .unwrap();
        Self {
            node,
            online: Vault::of(OTHER_PHRASE, 1),
            offline: Vault::new(2),
        }
    }

    /// A run on the machine with the node.
    fn run(&self, words: &str) -> Cli {
        self.online.run(words).env("KEYWARD_RPC_URL", &self.node.rpc_url)
    }

    /// Prepares a transfer of the other machine's wallet; gives the file and what it says.
    fn prepared(&self, name: &str, amount: &str) -> (PathBuf, Value) {
        let file = self.online.sandbox.path(name);
        let words =
            format!("send --from {FIRST_ADDRESS} --to {STRANGER} --amount {amount} --json --offline-out");
        let told = self.run(&words).arg(&file).success().unwrap().json().unwrap();
        let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(told["unsigned"], written, "{told}");
        assert_eq!(told["transaction"], written["transaction"]);
        (file, written)
    }

    /// Signs it where the keys are, without any node; gives the file with the answer.
    fn signed(&self, name: &str, unsigned: &Value) -> (PathBuf, Value) {
        let file = self
            .offline
            .sandbox
            .write(&format!("{name}.in"), unsigned.to_string())
            .unwrap();
        let run = self.offline.run("sign-transaction --json").arg(file);
        let answer = run.success().unwrap().json().unwrap();
        assert_eq!(answer["complete"], true, "{answer}");
        let file = self.online.sandbox.write(name, answer.to_string()).unwrap();
        (file, answer)
    }

    fn send(&self, unsigned: &PathBuf, signed: &PathBuf) -> Cli {
        self.run("send --unsigned")
            .arg(unsigned)
            .arg("--signed")
            .arg(signed)
    }

    /// The file changed, as another file.
    fn changed(&self, name: &str, unsigned: &Value, change: impl Fn(&mut Value)) -> PathBuf {
        let mut unsigned = unsigned.clone();
        change(&mut unsigned);
        self.online.sandbox.write(name, unsigned.to_string()).unwrap()
    }

    fn balance(&self, of: &str) -> u64 {
        self.node.balance_blocking(&address(of)).unwrap().get()
    }
}

/// Its name, what it does to the file, and the error that it must lead to.
type Change<'a> = (&'a str, &'a dyn Fn(&mut Value), &'a str);

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

#[test]
fn a_transfer_is_signed_on_a_machine_without_a_node_and_lands_once() {
    let scene = Scene::new(400);
    let (file, unsigned) = scene.prepared("pay.json", "0.5");
    assert_eq!(
        (&unsigned["from"], &unsigned["to"], &unsigned["units"]),
        (&FIRST_ADDRESS.into(), &STRANGER.into(), &"500000000".into())
    );
    assert_eq!(scene.online.json("audit list --outcome authorised")["total"], 0);
    // Unsigned bytes are worth nothing, nor is a file of another kind.
    fails(scene.send(&file, &file), 10, "signed_unfit");
    let (signed, answer) = scene.signed("signed.json", &unsigned);
    assert!(answer["actions"].to_string().contains("0.5"), "{answer}");
    fails(scene.send(&signed, &file), 10, "unsigned_invalid");
    let garbage = scene.online.sandbox.write("garbage", "not a signature").unwrap();
    fails(scene.send(&file, &garbage), 10, "signed_invalid");
    fails(scene.send(&garbage, &signed), 10, "unsigned_invalid");
    fails(
        scene.send(&scene.online.sandbox.path("missing"), &signed),
        5,
        "file_unreadable",
    );
    assert_eq!(scene.balance(STRANGER), 0, "nothing was sent");

    // By the signature alone, as one reads it off a screen; then by the whole answer: it has landed, once.
    let alone = scene
        .online
        .sandbox
        .write("signature", answer["signature"].as_str().unwrap())
        .unwrap();
    for signed in [&alone, &signed] {
        let sent = scene
            .send(&file, signed)
            .arg("--json")
            .success()
            .unwrap()
            .json()
            .unwrap();
        assert_eq!(
            (&sent["status"], &sent["signature"]),
            (&"confirmed".into(), &answer["signature"])
        );
        assert_eq!(sent["units"], "500000000");
        assert_eq!(scene.balance(STRANGER), SOL / 2);
    }
    // Signed again it is the same signature: the same one payment.
    let (again, twice) = scene.signed("again.json", &unsigned);
    assert_eq!(twice["signature"], answer["signature"]);
    scene.send(&file, &again).success().unwrap();
    assert_eq!(scene.balance(STRANGER), SOL / 2);
    scene.offline.run("audit verify").success().unwrap();
}

#[test]
fn a_file_that_was_tampered_with_is_refused_before_anything_is_sent() {
    let scene = Scene::new(400);
    let (_, unsigned) = scene.prepared("pay.json", "0.5");
    let (_, other) = scene.prepared("other.json", "0.25");
    let (signed, _) = scene.signed("signed.json", &unsigned);
    let (signed_other, _) = scene.signed("signed-other.json", &other);
    let file = scene.changed("same.json", &unsigned, |_| {});
    fails(scene.send(&file, &signed_other), 10, "signed_unfit");
    let decoded = |unsigned: &Value| {
        let bytes = BASE64.decode(unsigned["transaction"].as_str().unwrap()).unwrap();
        Transaction::decode(&bytes).unwrap()
    };
    let slipped_in = |unsigned: &mut Value| {
        let mut transaction = decoded(unsigned);
        let last = transaction.message.instructions.last().unwrap().clone();
        transaction.message.instructions.push(last);
        unsigned["transaction"] = json!(BASE64.encode(transaction.encode()));
    };
    let cut = |unsigned: &mut Value| {
        let mut bytes = decoded(unsigned).encode();
        bytes.pop();
        unsigned["transaction"] = json!(BASE64.encode(bytes));
    };
    let swapped = |unsigned: &mut Value| unsigned["transaction"] = other["transaction"].clone();
    let changes: [Change<'_>; 9] = [
        (
            "units",
            &|file| file["units"] = json!("400000000"),
            "signed_unfit",
        ),
        ("to", &|file| file["to"] = json!(SECOND_ADDRESS), "signed_unfit"),
        (
            "from",
            &|file| file["from"] = json!(SECOND_ADDRESS),
            "signed_unfit",
        ),
        (
            "mint",
            &|file| {
                file["mint"] = json!(STRANGER);
                file["decimals"] = json!(9);
            },
            "signed_unfit",
        ),
        ("bytes", &swapped, "signed_unfit"),
        ("more", &slipped_in, "signed_unfit"),
        ("cut", &cut, "signed_unfit"),
        (
            "far",
            &|file| file["last_valid_block_height"] = json!(u64::MAX),
            "signed_unfit",
        ),
        (
            "format",
            &|file| file["format"] = json!("another"),
            "unsigned_invalid",
        ),
    ];
    for (name, change, code) in changes {
        let file = scene.changed(name, &unsigned, change);
        let error = fails(scene.send(&file, &signed), 10, code);
        assert!(!error["remedy"].as_str().unwrap().is_empty(), "{name}: {error}");
    }
    let file = scene.changed("network", &unsigned, |file| {
        file["network"] = json!("11111111111111111111111111111111");
    });
    fails(scene.send(&file, &signed), 9, "other_network");
    assert_eq!(scene.balance(STRANGER), 0, "nothing was sent");
    // What the file says of its end is not believed: told long over, it lands all the same.
    let file = scene.changed("old", &unsigned, |file| {
        file["last_valid_block_height"] = json!(1)
    });
    let sent = scene
        .send(&file, &signed)
        .arg("--json")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(sent["status"], "confirmed");
}

#[test]
fn a_file_that_came_back_too_late_is_said_to_have_expired() {
    let scene = Scene::new(40);
    let (file, unsigned) = scene.prepared("pay.json", "0.5");
    let (signed, _) = scene.signed("signed.json", &unsigned);
    let end = unsigned["last_valid_block_height"].as_u64().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = scene.node.client().unwrap();
    let passed = wait::until("the blockhash expires", Duration::from_secs(120), async || {
        let height = client.block_height(Commitment::Finalized).await;
        height.ok().filter(|height| *height > end)
    });
    runtime.block_on(passed).unwrap();
    let output = scene
        .send(&file, &signed)
        .arg("--json")
        .bound(Duration::from_secs(180))
        .exits(9)
        .unwrap();
    assert_eq!(output.json().unwrap()["status"], "expired", "{output}");
    assert_eq!(scene.balance(STRANGER), 0);
}

/// Where the wallet is in this vault as well, it is recorded as every transfer, and its equal is refused.
#[test]
fn what_is_signed_elsewhere_is_recorded_where_the_wallet_is_known() {
    let node = TestNode::start_engine(NodeOptions { slot_ms: 400 }).unwrap();
    let (vault, other) = (Vault::new(2), Vault::new(2));
    node.fund_blocking(&address(FIRST_ADDRESS), Lamports::new(5 * SOL))
        .unwrap();
    let run = |words: &str| vault.run(words).env("KEYWARD_RPC_URL", &node.rpc_url);
    let file = vault.sandbox.path("pay.json");
    let words = format!("send --from #0 --to {STRANGER} --amount 0.5 --json --offline-out");
    run(&words).arg(&file).success().unwrap();
    // A file that is there is not written over.
    fails(
        run(&words.replace(" --json", "")).arg(&file),
        8,
        "file_unwritable",
    );
    let unsigned = std::fs::read_to_string(&file).unwrap();
    let there = other.sandbox.write("pay.json", &unsigned).unwrap();
    // As it is printed for people.
    let text = other.run("sign-transaction").arg(there).success().unwrap().stdout;
    let signed = vault.sandbox.write("signed.txt", text).unwrap();
    let sent = run("send --json --unsigned")
        .arg(&file)
        .arg("--signed")
        .arg(&signed);
    let sent = sent.success().unwrap().json().unwrap();
    let listed = vault.json("transfers list");
    assert_eq!(listed["transfers"][0]["signature"], sent["signature"]);
    assert_eq!(listed["transfers"][0]["status"], "confirmed");
    assert_eq!(listed["transfers"].as_array().unwrap().len(), 1);
    vault.run("audit verify").success().unwrap();
}
