//! `keyward rotate`: keys replaced by hand and by schedule.

use std::path::PathBuf;

use keyward_custody::{
    Custody, DeriveRequest, OpenOptions, Password, Progress, RotationInterval, Schedule, StoreLocation,
};
use keyward_tests::new_vault::new_vault;
use keyward_tests::sandbox::Sandbox;
use serde_json::Value;

use crate::fixture::{FIRST_ADDRESS, PASSWORD, PHRASE, SECOND_ADDRESS, Vault, fails, keyward};

const DAY_MS: u64 = 86_400_000;

fn statuses(answer: &Value) -> Vec<&str> {
    let wallets = answer["wallets"].as_array().unwrap();
    wallets
        .iter()
        .map(|wallet| wallet["status"].as_str().unwrap())
        .collect()
}

#[test]
fn a_wallet_gets_a_new_key_that_takes_over_its_name() {
    let vault = Vault::new(1);
    vault.run("wallets label #0 hot").success().unwrap();
    let answer = vault.json("rotate now hot");
    let rotation = &answer["rotated"][0];
    assert_eq!(rotation["from"], FIRST_ADDRESS);
    assert_eq!(rotation["to"], SECOND_ADDRESS);
    assert_eq!(
        (&rotation["index"], &rotation["rotate_at_ms"]),
        (&1.into(), &Value::Null)
    );
    let chain = vault.json("rotate chain hot");
    assert_eq!(statuses(&chain), ["active", "rotated"]);
    assert_eq!(chain["wallets"][0]["address"], SECOND_ADDRESS);
    assert_eq!(chain["wallets"][1]["label"], "hot (old key 1)");
    // Once, whoever asks again.
    let error = fails(vault.run("rotate now").arg(FIRST_ADDRESS), 10, "already_rotated");
    assert!(
        error["message"].as_str().unwrap().contains(SECOND_ADDRESS),
        "{error}"
    );
    // Retired, brought back, and never while it is in use.
    let retired = vault.json("rotate retire HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk");
    assert_eq!(statuses(&retired), ["retired"]);
    let back = vault
        .run("rotate extend --for 7d --json")
        .arg("hot (old key 1)")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(statuses(&back), ["rotated"]);
    fails(vault.run("rotate retire hot"), 10, "invalid");
    fails(vault.run("rotate extend hot --for 7d"), 10, "invalid");
    vault.run("audit verify").success().unwrap();
    let done = vault.audit("done");
    for operation in ["rotate-wallet", "retire-wallet", "extend-grace"] {
        assert!(
            done.iter().any(|entry| entry["operation"] == operation),
            "{operation}"
        );
    }
}

#[test]
fn schedules_are_set_and_a_run_finds_nothing_before_its_time() {
    let vault = Vault::new(2);
    let answer = vault.json("rotate schedule #0 #1 #0");
    let wallets = answer["wallets"].as_array().unwrap();
    assert_eq!(wallets.len(), 2);
    for wallet in wallets {
        assert_eq!(wallet["rotate_every_ms"], 90 * DAY_MS);
    }
    let answer = vault.json("rotate schedule #0 --every 12h");
    assert_eq!(answer["wallets"][0]["rotate_every_ms"], DAY_MS / 2);
    let answer = vault.json("rotate schedule #1 --every never");
    assert_eq!(answer["wallets"][0]["rotate_every_ms"], Value::Null);
    let report = vault.json("rotate --due");
    for list in ["rotated", "retired", "skipped", "failed"] {
        assert_eq!(report[list].as_array().unwrap().len(), 0, "{report}");
    }
    assert_eq!(
        (&report["still_due"], &report["stopped"]),
        (&0.into(), &Value::Null)
    );
    let dry = vault
        .locked("rotate --due --dry-run --json")
        .success()
        .unwrap()
        .json()
        .unwrap();
    assert_eq!((&dry["dry_run"], &dry["total"]), (&true.into(), &0.into()));
}

#[test]
fn what_cannot_be_rotated_says_why() {
    let vault = Vault::new(1);
    fails(vault.run("rotate now #9"), 5, "not_found");
    fails(vault.locked("rotate now #0"), 4, "password_missing");
    fails(vault.locked("rotate --due"), 4, "password_missing");
    for words in [
        "rotate --due --limit 0",
        "rotate --due --limit 10001",
        "rotate --dry-run",
        "rotate --due now #0",
        "rotate now",
        "rotate schedule #0 --every 59s",
        "rotate schedule #0 --every 3651d",
        "rotate schedule #0 --every daily",
        "rotate extend #0",
        "rotate extend #0 --for 0",
    ] {
        fails(vault.run(words), 2, "usage");
    }
    assert_eq!(statuses(&vault.json("rotate chain #0")), ["active"]);
}

#[test]
fn several_are_rotated_and_the_first_failure_is_told_with_what_was_done() {
    let vault = Vault::new(3);
    vault.run("rotate now #1").success().unwrap();
    let output = vault.run("rotate now #0 #1 #2 --json").exits(10).unwrap();
    let report = output.json().unwrap();
    assert_eq!(report["rotated"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(report["stopped"]["code"], "already_rotated");
    let text = vault.run("rotate now #2").success().unwrap();
    assert!(text.stdout.contains("1 rotated, 0 retired"), "{text}");
}

#[test]
fn a_wallet_with_a_password_of_its_own_is_rotated_with_it() {
    let vault = Vault::new(1);
    let own = vault.sandbox.write("own", "cobalt-ferry-willow-77").unwrap();
    vault
        .run("wallets password set #0 --new-wallet-password-file")
        .arg(&own)
        .success()
        .unwrap();
    fails(vault.run("rotate now #0"), 4, "wallet_password_needed");
    vault
        .run("rotate now #0 --wallet-password-file")
        .arg(&own)
        .success()
        .unwrap();
    let chain = vault.json("rotate chain #1");
    assert_eq!(statuses(&chain), ["active", "rotated"]);
    assert_eq!(chain["wallets"][0]["own_password"], true);
}

/// A clock that is so far behind.
struct DaysAgo(u64);

impl keyward_custody::Clock for DaysAgo {
    fn now_ms(&self) -> u64 {
        keyward_custody::SystemClock.now_ms() - self.0 * DAY_MS
    }
}

/// A sandbox whose vault was made some days ago, with wallets that were to be rotated daily since; the second has a
/// password of its own.
async fn days_ago(days: u64) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new().unwrap();
    let password_file = sandbox.write("password", PASSWORD).unwrap();
    std::fs::create_dir_all(sandbox.vault().parent().unwrap()).unwrap();
    let options = OpenOptions {
        clock: std::sync::Arc::new(DaysAgo(days)),
        ..OpenOptions::default()
    };
    let location = StoreLocation::from_path(sandbox.vault());
    let custody = Custody::open(&location, options).await.unwrap();
    let new = new_vault(Password::new(PASSWORD.to_owned()), PHRASE).unwrap();
    custody.create_vault(new).await.unwrap();
    let request = DeriveRequest {
        count: 3,
        ..DeriveRequest::default()
    };
    custody.derive_wallets(request, &Progress::new()).await.unwrap();
    let mut wallets = Vec::new();
    for place in ["#0", "#1", "#2"] {
        wallets.push(custody.wallet(place).await.unwrap().address);
    }
    let own = Password::new("cobalt-ferry-willow-77".to_owned());
    custody.set_wallet_password(wallets[1], None, &own).await.unwrap();
    let daily = RotationInterval::from_ms(DAY_MS).unwrap();
    custody
        .schedule_rotation(&wallets, Schedule::Every(daily))
        .await
        .unwrap();
    custody.close().await.unwrap();
    (sandbox, password_file)
}

#[tokio::test]
async fn a_run_rotates_what_is_due_and_tells_what_it_left() {
    let (sandbox, password_file) = days_ago(5).await;
    let run = |words: &str| {
        keyward(&sandbox, words)
            .arg("--password-file")
            .arg(&password_file)
    };
    let answer = |words: &str| run(words).arg("--json").success().unwrap().json().unwrap();
    let dry = answer("rotate --due --dry-run");
    assert_eq!(
        (&dry["total"], dry["due"].as_array().unwrap().len()),
        (&3.into(), 3)
    );
    let one = answer("rotate --due --limit 1");
    assert_eq!(one["rotated"][0]["from"], FIRST_ADDRESS);
    assert_eq!(one["still_due"], 2);
    let report = answer("rotate --due");
    assert_eq!(report["rotated"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(report["skipped"][0]["reason"], "own-password");
    assert_eq!(
        (&report["failed"].as_array().unwrap().len(), &report["still_due"]),
        (&0, &1.into())
    );
    let text = run("rotate --due").success().unwrap();
    assert!(
        text.stdout
            .ends_with("0 rotated, 0 retired, 1 skipped, 0 failed, 1 still due\n"),
        "{text}"
    );
    let chain = answer("rotate chain #0");
    assert_eq!(statuses(&chain), ["active", "rotated"]);
    let next = chain["wallets"][0]["rotate_at_ms"].as_u64().unwrap();
    let now = keyward_custody::Clock::now_ms(&keyward_custody::SystemClock);
    assert!(
        (now..=now + DAY_MS).contains(&next),
        "one interval from the run, not from when it was due"
    );
    run("audit verify").success().unwrap();
}
