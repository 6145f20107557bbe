//! Nodes that go away, that never answer, and that answer nonsense: unknown is `?`, old shows its age, and everything
//! that needs no node goes on.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use anyhow::{Context as _, ensure};
use keyward_core::amount::Lamports;
use keyward_tests::node::TestNode;
use keyward_tests::pty::{DEFAULT_BOUND, Key, Pty};
use serde_json::{Value, json};

use super::{leave, nothing_is_lost, open_unlocked, wait_for_message};
use crate::vault::{FIRST_ADDRESS, TestVault};

/// The name of the cluster whose genesis hash the healthy part of a lying node tells.
const CLUSTER: &str = "devnet";
const GENESIS: &str = "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG";

/// What needs no node works: a label is stored, the audit log verifies.
fn works_without_a_node(console: &Pty, label: &str) -> anyhow::Result<()> {
    console.type_text("e")?;
    console.wait_for_text("empty takes the label away")?;
    console.type_text(label)?;
    console.press(Key::Enter)?;
    console.wait_for_text("label saved")?;
    console.type_text("2v")?;
    console.wait_for_text("✓ intact")?;
    console.type_text("1")?;
    console.wait_for_text(label)?;
    Ok(())
}

#[test]
fn a_node_that_goes_down_leaves_balances_that_show_their_age() -> anyhow::Result<()> {
    // Its own engine, whatever the environment says: it is ended here.
    let mut node = TestNode::start_engine(Default::default())?;
    let vault = TestVault::new(2)?;
    node.fund_blocking(&FIRST_ADDRESS.parse()?, Lamports::new(3_000_000_000))?;
    let console = open_unlocked(&vault, &["--rpc", &node.rpc_url])?;
    console.wait_for_text("3.000000000")?;
    node.stop();
    let screen = console.wait_for_text("○ offline")?;
    ensure!(screen.contains("3.000000000"), "what was known is gone\n{screen}");
    works_without_a_node(&console, "while offline")?;

    console.type_text("s#1\t0.25\r")?;
    wait_for_message(&console, "opens the settings")?;
    let screen = console.wait_for_text("= 0.250000000 SOL")?;
    ensure!(screen.contains("!"), "it does not say what is wrong\n{screen}");
    console.press(Key::Esc)?;
    console.wait_until_gone("opens the settings")?;
    console.press(Key::Ctrl('c'))?;
    console.wait_for_text("What you typed here is lost.")?;
    console.type_text("n")?;
    console.wait_until_gone("What you typed here is lost.")?;
    console.press(Key::Esc)?;
    console.wait_for_text("Leave this transfer?")?;
    console.type_text("y")?;

    // Half a minute after it was heard, an amount says so: in the list and on the wallet's page.
    console.wait_for("the age of what is shown", DEFAULT_BOUND, |screen| {
        screen.contains("3.000000000") && screen.row("address").is_some_and(|head| head.contains("ago"))
    })?;
    console.press(Key::Enter)?;
    console.wait_for("the age on the wallet's page", DEFAULT_BOUND, |screen| {
        screen.contains("3.000000000 SOL") && screen.contains("s ago")
    })?;
    leave(console)?;
    nothing_is_lost(&vault, 2)
}

#[test]
fn a_node_that_never_answers_stops_nothing() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    // Connections are taken by the system and never read.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let rpc = format!("http://{}", silent.local_addr()?);
    let console = open_unlocked(&vault, &["--rpc", &rpc])?;
    console.wait_for_text("asking the node")?;
    works_without_a_node(&console, "while it is silent")?;
    console.type_text("s#1\t0.25\r")?;
    console.wait_for_text("asking the node and simulating")?;
    // Esc stops the asking, not the form.
    console.press(Key::Esc)?;
    console.wait_until_gone("asking the node and simulating")?;
    console.wait_for_text("= 0.250000000 SOL")?;
    console.press(Key::Esc)?;
    console.wait_for_text("Leave this transfer?")?;
    console.type_text("y")?;
    let screen = console.wait_for_text("○ offline")?;
    ensure!(screen.contains("?"), "{screen}");
    ensure!(
        !console.has_drawn(b"0.000000000"),
        "an unknown balance was shown as nothing\n{screen}"
    );
    leave(console)?;
    nothing_is_lost(&vault, 2)
}

/// What a lying node says of two balances, as the `value` of `getMultipleAccounts`.
fn lies() -> Vec<Value> {
    let account = |lamports: Value| {
        json!({"lamports": lamports, "owner": "11111111111111111111111111111111", "executable": false,
               "rentEpoch": 0, "space": 0, "data": ["", "base64"]})
    };
    let twice = |lamports: Value| json!([account(lamports.clone()), account(lamports)]);
    vec![
        Value::Null,
        json!([]),
        json!([null]),
        json!([null, null, null]),
        json!([0, 0]),
        json!({}),
        json!("0"),
        json!([{}, {}]),
        twice(json!(-1)),
        twice(json!(0.5)),
        twice(json!("0")),
        twice(json!(null)),
        twice(json!(1e30)),
    ]
}

/// A node that is healthy in every other respect. It tells each lie in its turn and announces that it has been told.
fn lying_node() -> anyhow::Result<(String, Receiver<usize>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let rpc = format!("http://{}", listener.local_addr()?);
    let (told, receiver) = mpsc::sync_channel(64);
    thread::spawn(move || {
        let mut next = 0;
        for stream in listener.incoming().take(10_000) {
            let Ok(stream) = stream else { continue };
            answer(stream, &mut next, &told);
        }
    });
    Ok((rpc, receiver))
}

fn answer(mut stream: TcpStream, next: &mut usize, told: &SyncSender<usize>) -> Option<()> {
    let request: Value = serde_json::from_slice(&body(&mut stream)?).ok()?;
    let lie = request["method"] == "getMultipleAccounts";
    let result = match request["method"].as_str()? {
        "getGenesisHash" => json!(GENESIS),
        "getVersion" => json!({"solana-core": "9.9.9", "feature-set": 1}),
        "getBlockHeight" | "getSlot" => json!(1_000),
        "getEpochInfo" => json!({"absoluteSlot": 1_000, "blockHeight": 1_000, "epoch": 1, "slotIndex": 1,
                                 "slotsInEpoch": 432_000, "transactionCount": 1}),
        "getMultipleAccounts" => {
            let lies = lies();
            json!({"context": {"slot": 1_000}, "value": lies[*next % lies.len()]})
        }
        _ => json!("nonsense"),
    };
    let text = json!({"jsonrpc": "2.0", "id": request["id"], "result": result}).to_string();
    let length = text.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(format!("{head}{text}").as_bytes()).ok()?;
    if lie {
        *next += 1;
        told.try_send(*next).ok();
    }
    Some(())
}

/// Reads the body of an HTTP request of known length.
fn body(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(buffer.get(..count)?);
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        let Some(end) = text.find("\r\n\r\n") else {
            continue;
        };
        let length = text
            .split("content-length:")
            .nth(1)?
            .lines()
            .next()?
            .trim()
            .parse::<usize>()
            .ok()?;
        if bytes.len() >= end + 4 + length {
            return Some(bytes.split_off(end + 4));
        }
    }
}

#[test]
fn nonsense_balances_are_unknown_and_never_nothing() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    let (rpc, told) = lying_node()?;
    let console = open_unlocked(&vault, &["--rpc", &rpc])?;
    console.wait_for_text(CLUSTER)?;
    // Every lie was told, the first one twice: then all the others were taken in as well.
    while told
        .recv_timeout(DEFAULT_BOUND)
        .context("the console stopped asking")?
        <= lies().len()
    {
        let screen = console.screen();
        let row = screen.row("HAgk14Jp").context("the wallet is gone")?;
        ensure!(row.contains('?'), "{screen}");
    }
    console.press(Key::Enter)?;
    console.wait_for_text("? SOL")?;
    console.press(Key::Esc)?;
    console.wait_for_text("Wallets 2 ")?;
    works_without_a_node(&console, "in bad company")?;
    console.type_text("s#1\t0.25\r")?;
    console.wait_for("a refusal to go on", DEFAULT_BOUND, |screen| {
        screen.contains(" ! ") && screen.contains("= 0.250000000 SOL")
    })?;
    ensure!(
        !console.has_drawn(b"0.000000000"),
        "an unknown balance was shown as nothing"
    );
    ensure!(!console.screen().contains("Review"), "{}", console.screen());
    leave(console)?;
    let audit = vault.cli("audit list --json")?.success()?;
    ensure!(
        !audit.stdout.contains("sign-transaction"),
        "something was signed\n{audit}"
    );
    nothing_is_lost(&vault, 2)
}

#[test]
fn an_endpoint_that_is_no_node_is_told_apart_from_a_balance_of_nothing() -> anyhow::Result<()> {
    let vault = TestVault::new(2)?;
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\n<html",
        "SSH-2.0-OpenSSH\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let rpc = format!("http://{}", listener.local_addr()?);
        thread::spawn(move || {
            for stream in listener.incoming().take(1_000) {
                let Ok(mut stream) = stream else { continue };
                let mut request = [0; 4096];
                if stream.read(&mut request).is_ok() {
                    stream.write_all(answer.as_bytes()).ok();
                }
            }
        });
        let console = open_unlocked(&vault, &["--rpc", &rpc])?;
        console.wait_for_text("○ offline")?;
        console.type_text("s")?;
        // Why, and what to do.
        console.wait_for_text(" ! ")?;
        console.press(Key::Esc)?;
        console.wait_for_text("Wallets 2 ")?;
        let screen = console.screen();
        ensure!(
            screen.row("HAgk14Jp").is_some_and(|row| row.contains('?')),
            "{screen}"
        );
        ensure!(
            !console.has_drawn(b"0.000000000"),
            "an unknown balance was shown as nothing\n{screen}"
        );
        leave(console)?;
    }
    nothing_is_lost(&vault, 2)
}
