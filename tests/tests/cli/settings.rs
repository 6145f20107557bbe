//! `keyward config`, completions, help and usage errors.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use keyward_tests::sandbox::Sandbox;
use serde_json::{Value, json};

use crate::fixture::{fails, keyward};

#[test]
fn settings_are_written_read_and_put_back() {
    let sandbox = Sandbox::new().unwrap();
    let json = |words: &str| {
        keyward(&sandbox, words)
            .arg("--json")
            .success()
            .unwrap()
            .json()
            .unwrap()
    };
    let file = sandbox.config_home().join("keyward/config.toml");
    assert_eq!(json("config path")["path"], file.display().to_string());
    assert_eq!(json("config get rpc_url")["value"], Value::Null);
    assert!(!file.exists(), "reading writes nothing");
    let set = json("config set rpc_url http://127.0.0.1:8899");
    assert_eq!(set, json!({ "key": "rpc_url", "value": "http://127.0.0.1:8899" }));
    assert_eq!(json("config get rpc_url")["value"], "http://127.0.0.1:8899");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    json("config set lock_after_minutes 3");
    let settings = json("config list");
    assert_eq!(settings["settings"]["lock_after_minutes"], "3");
    assert_eq!(settings["settings"]["theme"], "auto");
    keyward(&sandbox, "config set rpc_url").arg("").success().unwrap();
    assert_eq!(json("config get rpc_url")["value"], Value::Null);
    let plain = json("config set rpc_url http://node.example");
    assert!(
        plain["warnings"][0].as_str().unwrap().contains("not encrypted"),
        "{plain}"
    );
    let plain = keyward(&sandbox, "config set rpc_url http://node.example/TOKEN")
        .success()
        .unwrap();
    assert!(
        plain.stderr.contains("not encrypted") && !plain.stderr.contains("TOKEN"),
        "{plain}"
    );
}

#[test]
fn what_a_setting_does_not_take_changes_nothing() {
    let sandbox = Sandbox::new().unwrap();
    fails(keyward(&sandbox, "config get nonsense"), 5, "config_unknown_key");
    for (key, value) in [
        ("rpc_url", "ftp://node.example"),
        ("rpc_url", "node.example"),
        ("ws_url", "https://node.example"),
        ("lock_after_minutes", "0"),
        ("lock_after_minutes", "soon"),
        ("theme", "mauve"),
    ] {
        fails(
            keyward(&sandbox, "config set").args([key, value]),
            10,
            "config_invalid_value",
        );
    }
    let file = sandbox.config_home().join("keyward/config.toml");
    assert!(!file.exists());
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "theme = \"dark\"\nrpc_ulr = \"http://127.0.0.1\"\n").unwrap();
    let error = fails(keyward(&sandbox, "config list"), 10, "config_invalid");
    assert!(error["message"].as_str().unwrap().contains("line 2"), "{error}");
    fails(keyward(&sandbox, "config set theme light"), 10, "config_invalid");
    assert!(
        fs::read_to_string(&file).unwrap().contains("rpc_ulr"),
        "the file is left for its owner to mend"
    );
    // What needs no settings still works.
    keyward(&sandbox, "config path").success().unwrap();
    keyward(&sandbox, "derive")
        .stdin(crate::fixture::PHRASE)
        .success()
        .unwrap();
}

#[test]
fn usage_errors_are_short_and_help_is_there() {
    let sandbox = Sandbox::new().unwrap();
    let error = fails(keyward(&sandbox, "nonsense"), 2, "usage");
    assert!(!error["message"].as_str().unwrap().contains('\n'), "{error}");
    fails(keyward(&sandbox, "wallets derive --password quartz"), 2, "usage");
    let mistaken = keyward(&sandbox, "wallets derive --password=canary-on-the-line")
        .exits(2)
        .unwrap();
    assert!(!mistaken.stderr.contains("canary-on-the-line"), "{mistaken}");
    assert!(
        keyward(&sandbox, "send --help")
            .success()
            .unwrap()
            .stdout
            .contains("Examples:")
    );
    assert!(
        keyward(&sandbox, "--version")
            .success()
            .unwrap()
            .stdout
            .starts_with("keyward ")
    );
    let console = fails(keyward(&sandbox, ""), 2, "no_terminal");
    assert!(
        console["remedy"].as_str().unwrap().contains("--help"),
        "{console}"
    );
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = keyward(&sandbox, "completions").arg(shell).success().unwrap();
        assert!(script.stdout.contains("sign-transaction"), "{shell}");
    }
    assert!(!sandbox.vault().exists() && !sandbox.config_home().join("keyward").exists());
}
