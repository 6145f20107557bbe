//! Commands that talk to a node: none chosen, none there, one that answers nonsense, and a real one.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use keyward_core::amount::Lamports;
use keyward_tests::node::TestNode;
use keyward_tests::sandbox::Sandbox;
use serde_json::Value;

use crate::fixture::{FIRST_ADDRESS, PHRASE, SECOND_ADDRESS, Vault, fails, keyward, reasons_of};

/// An address of a person that no vault here knows.
const STRANGER: &str = "7WktogJEd2wQ9eH2oWusmcoFTgeYi6rS632UviTBJ2jm";

#[test]
fn without_a_chosen_node_none_is_contacted() {
    let vault = Vault::new(2);
    for words in [
        "balance",
        "balance #0",
        "send --from #0 --to #1 --amount 1 --yes",
        "transfers resume",
    ] {
        let error = fails(vault.run(words), 6, "no_endpoint");
        assert!(
            error["remedy"].as_str().unwrap().contains("--rpc"),
            "{words}: {error}"
        );
    }
    assert_eq!(
        vault.json("transfers list")["transfers"],
        Value::Array(Vec::new())
    );
}

#[test]
fn a_node_that_is_not_there_is_named_without_its_token() {
    let vault = Vault::new(1);
    // A port that was free a moment ago and that nobody listens on.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}/canary-token?key=canary-token");
    for source in ["option", "environment", "setting"] {
        let run = match source {
            "option" => vault.run("balance --rpc").arg(&url),
            "environment" => vault.run("balance").env("KEYWARD_RPC_URL", &url),
            _ => {
                vault.run("config set rpc_url").arg(&url).success().unwrap();
                vault.run("balance")
            }
        };
        let error = fails(run, 6, "node_unreachable");
        assert!(error.to_string().contains(&port.to_string()), "{source}: {error}");
        assert!(!error.to_string().contains("canary-token"), "{source}: {error}");
    }
    fails(
        vault.run("balance --rpc ftp://127.0.0.1"),
        10,
        "config_invalid_value",
    );
}

#[test]
fn a_node_that_answers_nonsense_is_not_believed() {
    let vault = Vault::new(2);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // Ends with the test process; it answers whatever it is asked with the same cheerful nothing.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let body = r#"{"jsonrpc":"2.0","id":0,"result":"lovely weather"}"#;
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length";
            let _ = write!(stream, "{head}: {}\r\n\r\n{body}", body.len());
        }
    });
    for words in [
        "balance --rpc",
        "send --from #0 --to #1 --amount 1 --yes --rpc",
        "transfers resume --rpc",
    ] {
        let output = vault.run(words).args([&url, "--json"]).exits(6).unwrap();
        let error = crate::fixture::error_of(&output);
        assert!(
            error["code"].as_str().unwrap().starts_with("node_"),
            "{words}: {output}"
        );
    }
    assert_eq!(
        vault.json("transfers list")["transfers"],
        Value::Array(Vec::new()),
        "nothing was signed"
    );
    assert_eq!(vault.json("audit list --outcome authorised")["total"], 0);
}

#[test]
fn a_transfer_is_previewed_sent_and_accounted_for() {
    let node = TestNode::start().unwrap();
    let vault = Vault::new(3);
    vault.run("wallets label #0 treasury").success().unwrap();
    node.fund_blocking(&FIRST_ADDRESS.parse().unwrap(), Lamports::new(20_000_000_000))
        .unwrap();
    let run = |words: &str| {
        let run = vault.run(words).env("KEYWARD_RPC_URL", &node.rpc_url);
        match &node.ws_url {
            Some(url) => run.env("KEYWARD_WS_URL", url),
            None => run,
        }
    };
    let json = |words: &str| run(words).arg("--json").success().unwrap().json().unwrap();

    let preview = json("send --from treasury --to #1 --amount 1.5 --dry-run");
    assert_eq!(preview["dry_run"], true);
    assert_eq!(
        (&preview["from"], &preview["to"]),
        (&FIRST_ADDRESS.into(), &SECOND_ADDRESS.into())
    );
    assert_eq!(preview["lamports"], 1_500_000_000_u64);
    assert_eq!(preview["policy"]["allowed"], true);
    assert_eq!(preview["changes"][1]["after_lamports"], 1_500_000_000_u64);
    assert_eq!(preview["simulation_error"], Value::Null);
    let fee = preview["fee_lamports"].as_u64().unwrap();
    assert_eq!(
        preview["changes"][0]["after_lamports"].as_u64().unwrap(),
        18_500_000_000 - fee
    );
    assert_eq!(
        vault.json("audit list --outcome authorised")["total"],
        0,
        "a dry run signs nothing"
    );

    // Nobody to ask, and nobody said yes: nothing happens.
    fails(
        run("send --from treasury --to #1 --amount 1.5"),
        2,
        "confirmation_missing",
    );
    assert_eq!(
        vault.json("transfers list")["transfers"],
        Value::Array(Vec::new())
    );

    let sent = json("send --from treasury --to #1 --amount 1.5 --yes");
    assert_eq!(
        (&sent["status"], &sent["dry_run"]),
        (&"confirmed".into(), &false.into())
    );
    assert!(sent["slot"].is_u64());
    let balances = json("balance");
    assert_eq!(balances["balances"][1]["lamports"], 1_500_000_000_u64);
    assert_eq!(
        balances["balances"][0]["lamports"].as_u64().unwrap(),
        18_500_000_000 - fee
    );
    assert_eq!(balances["total_lamports"].as_u64().unwrap(), 20_000_000_000 - fee);
    assert_eq!(
        (&balances["unknown"], &balances["balances"][2]["lamports"]),
        (&0.into(), &0.into())
    );
    let listed = json("transfers list --wallet treasury");
    assert_eq!(listed["transfers"][0]["signature"], sent["signature"]);
    assert_eq!(listed["transfers"][0]["status"], "confirmed");
    assert_eq!(json("transfers resume")["transfers"], Value::Array(Vec::new()));

    // By payment request, which may not be contradicted.
    let uri = format!("solana:{STRANGER}?amount=0.25&memo=invoice%207");
    fails(
        run("send --from #0 --yes --amount 0.3 --to").arg(&uri),
        10,
        "payment_request_differs",
    );
    let paid = run("send --from #0 --yes --json --to")
        .arg(&uri)
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(
        (&paid["lamports"], &paid["memo"]),
        (&250_000_000.into(), &"invoice 7".into())
    );
    assert_eq!(
        json(&format!("balance {STRANGER}"))["balances"][0]["lamports"],
        250_000_000
    );

    // Over the limit: a dry run says so, and the attempt itself is refused and audited.
    let over = run("send --from #0 --to #1 --amount 6 --dry-run --json")
        .exits(3)
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(over["policy"]["reasons"][0]["code"], "over-limit");
    let error = fails(run("send --from #0 --to #1 --amount 6 --yes"), 3, "refused");
    assert_eq!(reasons_of(&error), ["over-limit"]);
    assert_eq!(vault.json("audit list --outcome refused")["total"], 1);

    let text = run("send --from #0 --to #1 --amount 0.5 --dry-run")
        .success()
        .unwrap()
        .stdout;
    for expected in [
        "0.500000000 SOL",
        FIRST_ADDRESS,
        SECOND_ADDRESS,
        "treasury",
        "sol-transfers",
    ] {
        assert!(text.contains(expected), "{expected} is missing:\n{text}");
    }
    for (words, exit, code) in [
        (
            "send --from #0 --to #1 --amount 1000 --yes",
            9,
            "insufficient_funds",
        ),
        ("send --from #0 --to #0 --amount 1 --yes", 10, "same_account"),
        ("send --from #0 --to #1 --amount 0 --yes", 10, "zero_amount"),
        ("send --from #0 --to #1 --amount 1,5 --yes", 10, "amount_invalid"),
        (
            "send --from #0 --to nobody --amount 1 --yes",
            5,
            "recipient_unknown",
        ),
        (
            "send --from #0 --to solana:nonsense --amount 1 --yes",
            10,
            "payment_request_invalid",
        ),
        ("send --from nobody --to #0 --amount 1 --yes", 5, "not_found"),
        ("send --from #0 --to #1 --yes", 2, "amount_missing"),
        ("send --from #0 --to #1 --amount 1 --yes --dry-run", 2, "usage"),
    ] {
        fails(run(words), exit, code);
    }
    vault.run("audit verify").success().unwrap();
}

#[test]
fn a_wallet_with_a_password_of_its_own_sends_with_it_alone() {
    let node = TestNode::start().unwrap();
    let vault = Vault::new(2);
    node.fund_blocking(&FIRST_ADDRESS.parse().unwrap(), Lamports::new(2_000_000_000))
        .unwrap();
    let file = |name: &str, content: &str| vault.sandbox.write(name, content).unwrap().display().to_string();
    let (right, wrong) = (
        file("right", "hazel-orbit-candle-57"),
        file("wrong", "walnut-meadow-spark-38"),
    );
    vault.json(&format!(
        "wallets password set #0 --new-wallet-password-file {right}"
    ));
    let send = |more: &str| {
        let run = vault
            .run(&format!("send --from #0 --to #1 --amount 1 --yes{more}"))
            .env("KEYWARD_RPC_URL", &node.rpc_url);
        match &node.ws_url {
            Some(url) => run.env("KEYWARD_WS_URL", url),
            None => run,
        }
    };
    fails(send(""), 4, "wallet_password_needed");
    fails(
        send(&format!(" --wallet-password-file {wrong}")),
        4,
        "wrong_wallet_password",
    );
    assert_eq!(
        vault.json("transfers list")["transfers"],
        Value::Array(Vec::new())
    );
    let outcome = send(&format!(" --wallet-password-file {right}"))
        .arg("--json")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(outcome["status"], "confirmed");
    vault.run("audit verify").success().unwrap();
}

#[test]
fn balances_of_strangers_need_no_vault() {
    let node = TestNode::start().unwrap();
    let sandbox = Sandbox::new().unwrap();
    let run = keyward(&sandbox, "balance --json --rpc").args([&node.rpc_url, STRANGER]);
    let answer = run.success().unwrap().json().unwrap();
    assert_eq!(answer["balances"][0]["address"], STRANGER);
    assert_eq!(answer["balances"][0]["index"], Value::Null);
    assert!(!sandbox.vault().exists());
}

#[test]
fn the_accounts_of_a_phrase_are_found_where_they_were_used() {
    let node = TestNode::start().unwrap();
    let sandbox = Sandbox::new().unwrap();
    let find = |phrase: &str, options: &str| {
        keyward(&sandbox, &format!("find-account --gap 3 {options} --rpc"))
            .arg(&node.rpc_url)
            .stdin(phrase)
    };
    let nothing = find(PHRASE, "").arg("--json").exits(5).unwrap().json().unwrap();
    assert_eq!(nothing["used"], Value::Array(Vec::new()));
    // Every family is named, also when nothing is found.
    let searched = nothing["searched"].as_array().unwrap();
    assert_eq!(searched.len(), 5, "{nothing}");
    assert!(
        searched.iter().all(|one| one["status"] == "complete"),
        "{nothing}"
    );

    node.fund_blocking(&SECOND_ADDRESS.parse().unwrap(), Lamports::ONE_SOL)
        .unwrap();
    let found = find(PHRASE, "").arg("--json").success().unwrap().json().unwrap();
    let used = found["used"].as_array().unwrap();
    assert_eq!(used.len(), 1, "{found}");
    assert_eq!(used[0]["address"], SECOND_ADDRESS);
    assert_eq!(used[0]["path"], "m/44'/501'/1'/0'");
    assert_eq!(used[0]["lamports"], Lamports::ONE_SOL.get());
    // The gap begins again behind it.
    let usual = found["searched"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["family"] == "bip44-change");
    assert_eq!(usual.unwrap()["answered"], 5, "{found}");
    fails(find(PHRASE, "--family evm-bip44"), 10, "family_unknown");
    fails(find("abandon", ""), 10, "phrase_word_count");
    assert!(!sandbox.vault().exists());
}

#[test]
fn accounts_that_a_node_says_nothing_of_are_not_called_unused() {
    let sandbox = Sandbox::new().unwrap();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let run = keyward(
        &sandbox,
        &format!("find-account --gap 2 --json --rpc http://127.0.0.1:{port}"),
    );
    let answer = run.stdin(PHRASE).exits(6).unwrap().json().unwrap();
    assert_eq!(answer["certain"], false);
    let searched = answer["searched"].as_array().unwrap();
    assert!(
        searched.iter().all(|one| one["status"] == "undetermined"),
        "{answer}"
    );
    fails(keyward(&sandbox, "find-account").stdin(PHRASE), 6, "no_endpoint");
}
