//! `keyward wallets`: derive, list, show, label, tag.

use serde_json::{Value, json};

use crate::fixture::{FIRST_ADDRESS, SECOND_ADDRESS, Vault, fails};

fn indices(answer: &Value) -> Vec<u64> {
    answer["wallets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|wallet| wallet["index"].as_u64().unwrap())
        .collect()
}

#[test]
fn wallets_are_derived_listed_and_shown() {
    let vault = Vault::new(1);
    assert_eq!(
        vault.json("wallets derive --count 1999"),
        json!({ "first": 1, "count": 1999, "added": 1999 })
    );
    assert_eq!(
        vault.json("wallets derive --start 1 --count 5")["added"],
        0,
        "those are there already"
    );
    let page = vault.json("wallets list --offset 1998 --limit 1000");
    assert_eq!(page["total"], 2000);
    assert_eq!(indices(&page), [1998, 1999]);
    let page = vault.json("wallets list --descending --limit 2");
    assert_eq!(indices(&page), [1999, 1998]);
    for name in ["#1", SECOND_ADDRESS] {
        let shown = vault
            .locked("wallets show --json")
            .arg(name)
            .success()
            .unwrap()
            .json()
            .unwrap();
        assert_eq!(shown["wallet"]["address"], SECOND_ADDRESS);
        assert_eq!(shown["wallet"]["path"], "m/44'/501'/1'/0'");
        assert_eq!(shown["wallet"]["last_used_ms"], Value::Null);
    }
    let text = vault.locked("wallets list --limit 1").success().unwrap();
    assert!(
        text.stdout.contains(FIRST_ADDRESS) && text.stdout.ends_with("1 of 2000\n"),
        "{text}"
    );
    let done = vault.audit("done");
    assert!(
        done.iter().any(|entry| entry["operation"] == "derive-wallets"),
        "{done:?}"
    );
}

#[test]
fn labels_and_tags_find_wallets() {
    let vault = Vault::new(5);
    vault.run("wallets label #3 treasury").success().unwrap();
    let tagged = vault.json("wallets tag #1 #2 #4 --add bots --add eu");
    assert_eq!(indices(&tagged), [1, 2, 4]);
    assert_eq!(tagged["wallets"][0]["tags"], json!(["bots", "eu"]));
    let tagged = vault.json("wallets tag #2 --add idle --remove bots");
    assert_eq!(tagged["wallets"][0]["tags"], json!(["eu", "idle"]));
    assert_eq!(indices(&vault.json("wallets list --tag bots")), [1, 4]);
    assert_eq!(
        indices(&vault.json("wallets list --tag bot")),
        [0_u64; 0],
        "a tag is the whole tag"
    );
    assert_eq!(indices(&vault.json("wallets list --filter TREAS")), [3]);
    assert_eq!(indices(&vault.json("wallets list --filter #4")), [4]);
    assert_eq!(indices(&vault.json("wallets list --sort label --limit 1")), [3]);
    assert_eq!(vault.json("wallets show treasury")["wallet"]["index"], 3);
    let unlabelled = vault
        .run("wallets label treasury --json")
        .arg("")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(unlabelled["wallet"]["label"], "");
    fails(vault.locked("wallets show treasury"), 5, "not_found");
    vault.run("audit verify").success().unwrap();
}

#[test]
fn what_cannot_be_done_has_its_own_code() {
    let vault = Vault::new(2);
    fails(vault.locked("wallets show #9"), 5, "not_found");
    fails(vault.locked("wallets show nobody"), 5, "not_found");
    fails(vault.locked("wallets derive"), 4, "password_missing");
    fails(vault.locked("wallets label #0 x"), 4, "password_missing");
    fails(vault.run("wallets label #9 x"), 5, "not_found");
    fails(
        vault.run("wallets label #0").arg("x".repeat(10_000)),
        10,
        "invalid",
    );
    fails(vault.run("wallets derive --count 0"), 2, "usage");
    fails(
        vault.run("wallets derive --start 2147483647 --count 2"),
        10,
        "invalid",
    );
    fails(vault.run("wallets tag #0"), 2, "usage");
    fails(vault.run("wallets list --limit 1001"), 2, "usage");
    fails(vault.run("wallets list --sort nonsense"), 2, "usage");
    assert_eq!(vault.json("wallets list")["total"], 2);
}

#[test]
fn two_wallets_of_one_label_are_not_guessed_between() {
    let vault = Vault::new(3);
    vault.run("wallets label #0 twin").success().unwrap();
    let second = vault.run("wallets label #1 twin --json").run().unwrap();
    if second.code() == Some(0) {
        fails(vault.locked("wallets show twin"), 10, "ambiguous");
    } else {
        assert_eq!(second.code(), Some(10), "{second}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let vault = Vault::new(1);
    vault.run("wallets derive --count 999").success().unwrap();
    let mut command = vault.locked("wallets list --limit 1000 --json").into_command();
    command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
