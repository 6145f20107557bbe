//! Collecting and closing: the plan, what is refused before it, and a run to exactly zero.

use keyward_core::amount::Lamports;
use keyward_tests::node::{NodeOptions, TestNode};

use crate::fixture::{FIRST_ADDRESS, SECOND_ADDRESS, Vault, fails};

const SOL: u64 = 1_000_000_000;

#[test]
fn what_is_not_said_is_asked_for_before_anything_is_read() {
    let vault = Vault::new(2);
    for words in ["consolidate --all --to #0", "close --all --rent-to #0"] {
        fails(vault.run(words), 6, "no_endpoint");
    }
    let there = "--rpc http://127.0.0.1:1";
    let words = format!("consolidate --to #0 {there}");
    fails(vault.run(&words), 2, "wallets_missing");
    fails(vault.run(&format!("close {there}")), 2, "wallets_missing");
    fails(
        vault.run(&format!("close --tag nobody {there}")),
        5,
        "tag_without_wallets",
    );
    let words = format!("consolidate --all --to nobody {there}");
    fails(vault.run(&words), 5, "recipient_unknown");
    let words = format!(
        "consolidate --all --to {} {there}",
        "7WktogJEd2wQ9eH2oWusmcoFTgeYi6rS632UviTBJ2jm"
    );
    fails(vault.run(&words), 2, "no_sponsor");
    fails(vault.run(&format!("close --all {there}")), 2, "no_sponsor");
}

#[test]
fn wallets_are_collected_to_exactly_zero() {
    let node = TestNode::start_engine(NodeOptions { slot_ms: 100 }).unwrap();
    let vault = Vault::new(2);
    for (address, amount) in [(FIRST_ADDRESS, 2 * SOL), (SECOND_ADDRESS, SOL)] {
        node.fund_blocking(&address.parse().unwrap(), Lamports::new(amount))
            .unwrap();
    }
    let run = |words: &str| vault.run(words).env("KEYWARD_RPC_URL", &node.rpc_url);
    let json = |words: &str| run(words).arg("--json").success().unwrap().json().unwrap();
    let balance = |address: &str| node.balance_blocking(&address.parse().unwrap()).unwrap().get();

    let plan = json("consolidate --all --to #0 --dry-run");
    assert_eq!(plan["dry_run"], true);
    assert_eq!(plan["items"][0]["do"], "drain-sol");
    assert_eq!(plan["items"][0]["expected"], SOL);
    assert_eq!(plan["skipped"][0]["code"], "is-the-recipient");
    let text = run("consolidate --all --to #0 --dry-run")
        .success()
        .unwrap()
        .stdout;
    assert!(
        text.contains("1 to exactly zero") && text.contains("it is where everything goes"),
        "{text}"
    );
    // Nobody to ask.
    fails(run("consolidate --all --to #0"), 2, "confirmation_missing");
    assert_eq!(vault.json("audit list --outcome authorised")["total"], 0);

    let done = json("consolidate --all --to #0 --label sweep --yes");
    assert_eq!(
        (&done["outcome"], &done["left"]["zero"]),
        (&"done".into(), &1.into()),
        "{done}"
    );
    assert_eq!(done["job"]["transactions"], 1);
    assert_eq!(balance(SECOND_ADDRESS), 0);
    let cost = done["estimate"]["cost_lamports"].as_u64().unwrap();
    assert_eq!(balance(FIRST_ADDRESS), 3 * SOL - cost);

    // Once more there is nothing to do, and a job that is done stays done.
    let again = json("consolidate --all --to #0 --yes");
    assert_eq!(again["outcome"], "nothing");
    let id = done["job"]["id"].as_str().unwrap();
    let resumed = json(&format!("consolidate --resume {id}"));
    assert_eq!(
        (&resumed["outcome"], &resumed["job"]["done"]),
        (&"done".into(), &1.into())
    );
    fails(run(&format!("close --resume {id}")), 10, "job_of_other_kind");
    let nothing = json("close --from #0 --yes");
    assert_eq!(
        (&nothing["outcome"], nothing["items"].as_array().unwrap().len()),
        (&"nothing".into(), 0)
    );
}

#[test]
fn who_has_a_password_of_its_own_is_collected_from_with_it_alone() {
    let node = TestNode::start_engine(NodeOptions { slot_ms: 100 }).unwrap();
    let vault = Vault::new(2);
    for (address, amount) in [(FIRST_ADDRESS, SOL), (SECOND_ADDRESS, SOL)] {
        node.fund_blocking(&address.parse().unwrap(), Lamports::new(amount))
            .unwrap();
    }
    let file = |name: &str, content: &str| vault.sandbox.write(name, content).unwrap().display().to_string();
    let (right, wrong) = (
        file("right", "hazel-orbit-candle-57"),
        file("wrong", "walnut-meadow-spark-38"),
    );
    vault.json(&format!(
        "wallets password set #1 --new-wallet-password-file {right}"
    ));
    let collect = |more: &str| {
        vault
            .run(&format!("consolidate{more}"))
            .env("KEYWARD_RPC_URL", &node.rpc_url)
    };
    let authorised = || vault.json("audit list --outcome authorised")["total"].clone();
    let needed = fails(collect(" --all --to #0 --yes"), 4, "wallet_password_needed");
    assert!(
        needed["remedy"].as_str().unwrap().contains("--password-of"),
        "{needed}"
    );
    // The recipient has none.
    let mistaken = format!(" --all --to #0 --yes --password-of #0={right}");
    fails(collect(&mistaken), 10, "password_not_needed");
    let unread = " --all --to #0 --yes --password-of #1=/there/is/no/such/file";
    fails(collect(unread), 5, "file_unreadable");
    assert_eq!(authorised(), 0);

    let held = collect(&format!(" --all --to #0 --yes --json --password-of #1={wrong}"))
        .exits(3)
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(held["outcome"], "held");
    assert!(held["reason"].as_str().unwrap().contains("password"), "{held}");
    let id = held["job"]["id"].as_str().unwrap();
    let done = collect(&format!(" --resume {id} --json --password-of #1={right}"))
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(
        (&done["outcome"], &done["left"]["zero"]),
        (&"done".into(), &1.into())
    );
    // None of it signs any more.
    collect(&format!(" --resume {id}")).success().unwrap();
    vault.run("audit verify").success().unwrap();
}
