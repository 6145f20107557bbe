//! `keyward distribute`: bad plans are refused with their lines, a good one is paid once and held against the chain.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::intent::programs;
use keyward_core::solana::associated_token_account;
use keyward_tests::node::TestNode;
use serde_json::Value;

use crate::fixture::{FIRST_ADDRESS, SECOND_ADDRESS, Vault, fails};

/// An address of a person that no vault here knows.
const STRANGER: &str = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v";
const TOKEN_PROGRAM: &str = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";

/// An address off the curve: the associated account of somebody.
fn derived() -> Address {
    associated_token_account(
        &FIRST_ADDRESS.parse().unwrap(),
        &programs::TOKEN,
        &STRANGER.parse().unwrap(),
    )
}

fn codes(plan: &Value) -> Vec<(String, Value)> {
    let list = plan["findings"].as_array().unwrap().iter();
    list.map(|finding| {
        (
            finding["code"].as_str().unwrap().to_owned(),
            finding["line"].clone(),
        )
    })
    .collect()
}

#[test]
fn a_list_is_judged_paid_once_and_held_against_the_chain() {
    let node = TestNode::start().unwrap();
    let vault = Vault::new(6);
    for place in ["#2", "#3", "#4"] {
        vault
            .run(&format!("wallets tag {place} --add bots"))
            .success()
            .unwrap();
    }
    let funds = Lamports::new(20_000_000_000);
    node.fund_blocking(&FIRST_ADDRESS.parse().unwrap(), funds)
        .unwrap();
    let run = |words: &str| {
        let run = vault.run(words).env("KEYWARD_RPC_URL", &node.rpc_url);
        match &node.ws_url {
            Some(url) => run.env("KEYWARD_WS_URL", url),
            None => run,
        }
    };
    let json = |words: &str| run(words).arg("--json").success().unwrap().json().unwrap();
    let list = |name: &str, text: &str| vault.sandbox.write(name, text).unwrap().display().to_string();

    // Malformed: every wrong line at once, and nothing planned.
    let bad = list(
        "bad.csv",
        &format!("recipient,amount\n{STRANGER},1,5,5\n{STRANGER}\n,1\n{STRANGER},1.0000000001\n"),
    );
    let error = fails(
        run(&format!("distribute plan --from #0 --list {bad} --dry-run")),
        10,
        "list_invalid",
    );
    let lines: Vec<&str> = error["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["message"].as_str().unwrap())
        .collect();
    assert_eq!(lines.len(), 4, "{error}");
    for (line, number) in lines.iter().zip([2, 3, 4, 5]) {
        assert!(line.starts_with(&format!("line {number}: ")), "{line}");
    }
    let unknown = list("unknown.csv", "nobody,1\ntag:nothing,1\n");
    let error = fails(
        run(&format!("distribute plan --from #0 --list {unknown} --dry-run")),
        5,
        "names_unknown",
    );
    assert_eq!(error["reasons"].as_array().unwrap().len(), 2, "{error}");

    // Well-formed and wrong: each is told with its line, and none is signed.
    let wrong = list(
        "wrong.csv",
        &format!(
            "{STRANGER},1\n{STRANGER},1\n#0,1\n{},1\n{TOKEN_PROGRAM},1\n#1,0\n#2,0.0000001\n#3,1000\n",
            derived()
        ),
    );
    let answer = run(&format!("distribute plan --from #0 --list {wrong} --json --yes"))
        .exits(10)
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(
        (&answer["ready"], &answer["stored"]),
        (&false.into(), &false.into())
    );
    let mut found = codes(&answer);
    found.sort_by_key(|(code, _)| code.clone());
    let expected = [
        ("below-rent", 7.into()),
        ("duplicate-recipient", 2.into()),
        ("off-curve", 4.into()),
        ("over-balance", Value::Null),
        ("own-source", 3.into()),
        ("program-address", 5.into()),
        ("zero-amount", 6.into()),
    ];
    // The fee payer is short as well, once everything else is counted.
    found.retain(|(code, _)| code != "fee-payer-short");
    assert_eq!(found, expected.map(|(code, line)| (code.to_owned(), line)));
    let mint = format!("distribute plan --from #0 --to #1 --token {STRANGER} --each 1 --dry-run");
    fails(run(&mint), 10, "wrong_mint");
    assert_eq!(json("distribute list")["jobs"], Value::Array(Vec::new()));
    assert_eq!(vault.json("audit list --outcome authorised")["total"], 0);

    // Something to ask about: agreed to by its code.
    let odd = list(
        "odd.csv",
        &format!("tag:bots,0.5\n{STRANGER},0.25,thanks\n{STRANGER},0.25\n"),
    );
    let asked = run(&format!("distribute plan --from #0 --list {odd} --yes --json"))
        .exits(10)
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(codes(&asked), [("duplicate-recipient".to_owned(), 3.into())]);
    let words = format!("distribute plan --from #0 --list {odd} --accept duplicate-recipient");
    fails(run(&words), 2, "confirmation_missing");
    let text = run(&format!("{words} --dry-run")).success().unwrap().stdout;
    for expected in [
        "paid in all",
        "2 SOL",
        "a failed one",
        STRANGER,
        "accepted [duplicate-recipient]",
    ] {
        assert!(text.contains(expected), "{expected} is missing:\n{text}");
    }
    let stored = json(&format!("{words} --yes"));
    assert_eq!(
        (&stored["stored"], &stored["label"]),
        (&true.into(), &"odd.csv".into())
    );
    assert_eq!(stored["paid"], 2_000_000_000_u64);
    let job = stored["job"].as_str().unwrap();
    fails(run(&format!("{words} --yes")), 10, "distribution_exists");
    assert_eq!(json("distribute list")["jobs"][0]["counts"]["planned"], 5);

    let done = json(&format!("distribute run {job}"));
    assert_eq!(
        (&done["outcome"], &done["counts"]["done"]),
        (&"done".into(), &5.into())
    );
    let report = json(&format!("distribute report {job}"));
    assert_eq!(report["agrees"], true, "{report}");
    assert_eq!(
        (&report["paid"], &report["received"]),
        (&2_000_000_000_u64.into(), &2_000_000_000_u64.into())
    );
    let cost = stored["cost_lamports"].as_u64().unwrap();
    assert_eq!(report["fees_lamports"], cost);
    let left = json("balance #0")["balances"][0]["lamports"].as_u64().unwrap();
    assert_eq!(left, funds.get() - 2_000_000_000 - cost);
    assert_eq!(
        json(&format!("balance {STRANGER}"))["balances"][0]["lamports"],
        500_000_000
    );
    let shown = json(&format!("distribute show {job} --items done --limit 2"));
    assert_eq!(shown["items"].as_array().unwrap().len(), 2);
    assert!(shown["items"][1]["signature"].is_string());
    // A run of what is done does nothing.
    assert_eq!(
        json(&format!("distribute run {job}"))["counts"]["transactions"],
        done["counts"]["transactions"]
    );

    // Edited: one more gets paid, and only that.
    let more = list(
        "more.csv",
        &format!("tag:bots,0.5\n{STRANGER},0.5\n{SECOND_ADDRESS},0.1\n"),
    );
    let edited = json(&format!(
        "distribute edit {job} --from #0 --list {more} --label odd.csv --yes"
    ));
    assert_eq!(
        (&edited["paid"], &edited["paid_before"]),
        (&100_000_000.into(), &2_000_000_000_u64.into())
    );
    let second = edited["job"].as_str().unwrap();
    assert_eq!(json(&format!("distribute run {second}"))["counts"]["done"], 1);
    assert_eq!(json("balance #1")["balances"][0]["lamports"], 100_000_000);
    fails(run(&format!("distribute resume {job}")), 10, "invalid");
    let error = fails(
        run(&format!("distribute edit {job} --from #0 --list {more} --yes")),
        10,
        "distribution_edited",
    );
    assert!(error["message"].as_str().unwrap().contains(second), "{error}");
    vault.run("audit verify").success().unwrap();
}

#[test]
fn totals_are_divided_and_steered() {
    let node = TestNode::start().unwrap();
    let vault = Vault::new(5);
    node.fund_blocking(&FIRST_ADDRESS.parse().unwrap(), Lamports::new(10_000_000_000))
        .unwrap();
    let run = |words: &str| vault.run(words).env("KEYWARD_RPC_URL", &node.rpc_url);
    let json = |words: &str| run(words).arg("--json").success().unwrap().json().unwrap();
    let to = "distribute plan --from #0 --to #1 --to #2 --to #3 --dry-run";
    let amounts = |plan: &Value| -> Vec<u64> {
        plan["payments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["amount"].as_u64().unwrap())
            .collect()
    };
    let even = json(&format!("{to} --total 1.000000001"));
    assert_eq!(amounts(&even), [333_333_334, 333_333_334, 333_333_333]);
    let random = json(&format!("{to} --total 1 --divide random --min 0.1 --max 0.6"));
    let seed = random["options"]["amounts"]["seed"].as_str().unwrap().to_owned();
    assert_eq!(amounts(&random).iter().sum::<u64>(), 1_000_000_000);
    let again = json(&format!(
        "{to} --total 1 --divide random --min 0.1 --max 0.6 --draw {seed}"
    ));
    assert_eq!(
        (&again["payments"], &again["job"]),
        (&random["payments"], &random["job"])
    );
    let refused = run(&format!("{to} --total 1 --divide random --max 0.1 --json"))
        .exits(10)
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(codes(&refused), [("division".to_owned(), Value::Null)]);
    fails(
        run("distribute plan --from #0 --to #1 --dry-run"),
        2,
        "amount_missing",
    );
    fails(
        run("distribute plan --from #0 --to #1 --total 1 --draw 00 --dry-run"),
        2,
        "usage",
    );

    let plan = json("distribute plan --from #0 --to #1 --to #2 --each 0.5 --label steered --yes");
    let job = plan["job"].as_str().unwrap();
    assert_eq!(json(&format!("distribute pause {job}"))["state"], "paused");
    assert_eq!(
        run(&format!("distribute run {job} --json"))
            .exits(130)
            .unwrap()
            .json()
            .unwrap()["outcome"],
        "stopped"
    );
    assert_eq!(json(&format!("distribute resume {job}"))["state"], "open");
    assert_eq!(json(&format!("distribute retry {job}"))["changed"], 0);
    let cancelled = json(&format!("distribute cancel {job}"));
    assert_eq!(
        (&cancelled["changed"], &cancelled["counts"]["cancelled"]),
        (&2.into(), &2.into())
    );
    fails(run(&format!("distribute retry {job}")), 10, "invalid");
    assert_eq!(vault.json("audit list --outcome authorised")["total"], 0);
    fails(
        run("distribute show 00000000000000000000000000000000"),
        5,
        "not_found",
    );
}
