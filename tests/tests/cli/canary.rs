//! Secrets are in no output, no log at trace level and no file, but where they were asked to be.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use keyward_tests::cli::CliOutput;
use keyward_tests::sandbox::Sandbox;

use crate::fixture::keyward;

const PASSWORD: &str = "canary-Vq7-password-Hm3";
const NEW_PASSWORD: &str = "canary-Tz9-another-Kp5";
const WRONG_PASSWORD: &str = "canary-Wx1-mistaken-Bd8";
const PASSPHRASE: &str = "canary-Rn2-passphrase-Jc6";
const FACTOR: &str = "c0ffee00c0ffee11c0ffee22c0ffee33c0ffee44c0ffee55c0ffee66c0ffee77";
/// BIP-39's published vector for 7f7f…7f: each word is in no other text of the program.
const PHRASE: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";

/// A password of a wallet's own, a key as another program's file holds it, and a further phrase (BIP-39's vector for ff…ff).
const OWN_PASSWORD: &str = "canary-Lq4-of-its-own-Fv2";
const KEY: &str = "5ca1ab1e0ddba11c0decafe5eed0fa110c8edb0a7faced0dd5ea5badf00dc0de";
const SECOND_PHRASE: &str = "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo wrong";

/// Every spelling in which one of the secrets could have leaked.
fn needles() -> Vec<Vec<u8>> {
    let mut needles = Vec::new();
    let texts = [
        PASSWORD,
        NEW_PASSWORD,
        WRONG_PASSWORD,
        PASSPHRASE,
        FACTOR,
        PHRASE,
        OWN_PASSWORD,
        KEY,
        SECOND_PHRASE,
    ];
    for secret in texts {
        needles.push(secret.as_bytes().to_vec());
        needles.push(hex::encode(secret).into_bytes());
        needles.push(
            base64::engine::general_purpose::STANDARD_NO_PAD
                .encode(secret)
                .into_bytes(),
        );
    }
    // Pieces of the phrase, its entropy, and the second factor's bytes.
    needles.extend([&b"winner thank"[..], b"wave sausage", b"sausage"].map(<[u8]>::to_vec));
    needles.push(vec![0x7f; 16]);
    needles.push(hex::encode([0x7f; 16]).into_bytes());
    needles.push(hex::decode(FACTOR).unwrap());
    needles.push(b"zoo zoo".to_vec());
    let key = hex::decode(KEY).unwrap();
    needles.push(bs58::encode(&key).into_string().into_bytes());
    needles.push(
        base64::engine::general_purpose::STANDARD_NO_PAD
            .encode(&key)
            .into_bytes(),
    );
    needles.push(
        key.iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",")
            .into_bytes(),
    );
    needles.push(key);
    needles
}

fn assert_clean(what: &str, content: &[u8]) {
    for needle in needles() {
        let found = content
            .windows(needle.len())
            .any(|window| window == needle.as_slice());
        assert!(!found, "{what} holds {}", String::from_utf8_lossy(&needle));
    }
}

fn files_below(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, out);
        } else {
            out.push(path);
        }
    }
}

#[test]
fn the_search_itself_finds_what_is_there() {
    for (what, content) in [
        ("password", format!("…{PASSWORD}…").into_bytes()),
        ("hex", hex::encode(PHRASE).into_bytes()),
        ("entropy", [&[1, 2][..], &[0x7f; 16], &[3]].concat()),
    ] {
        assert!(
            std::panic::catch_unwind(|| assert_clean(what, &content)).is_err(),
            "{what} went unseen"
        );
    }
}

#[test]
fn no_secret_is_printed_logged_or_stored() {
    let sandbox = Sandbox::new().unwrap();
    // The only files that may hold secrets live outside the sandbox.
    let given = Sandbox::new().unwrap();
    let file = |name: &str, content: &str| given.write(name, content).unwrap();
    let (password, new) = (file("password", PASSWORD), file("new", NEW_PASSWORD));
    let passphrase = file("passphrase", PASSPHRASE);
    let log = sandbox.path("trace.log");
    let run = |words: &str, password: &Path, stdin: &str| -> CliOutput {
        keyward(&sandbox, words)
            .arg("--password-file")
            .arg(password)
            .env("KEYWARD_ENCRYPTION_KEY", FACTOR)
            .env("KEYWARD_LOG", &log)
            .env("KEYWARD_LOG_LEVEL", "trace")
            .env("RUST_BACKTRACE", "1")
            .env("RUST_LOG", "trace")
            .stdin(stdin)
            .run()
            .unwrap()
    };
    let passphrase = passphrase.display();
    let init = format!("init --import - --kdf scrypt-16384 --wallets 3 --passphrase-file {passphrase}");
    let change = format!("vault password --new-password-file {}", new.display());
    let damaged = PHRASE.replace("yellow", "yelow");
    let second_damaged = SECOND_PHRASE.replace("wrong", "wrng");
    let (own, key) = (file("own", OWN_PASSWORD), file("key", KEY));
    let (own, new_file, key) = (own.display(), new.display(), key.display());
    let out = |name: &str| given.path(name).display().to_string();
    let guarded = |words: &str| format!("{words} --wallet-password-file {own}");
    let import = guarded(&format!("import {key} --chain evm --label guarded"));
    let unnamed = format!("import {key}");
    let misnamed = format!("import {key} --format solana-keygen");
    let export = guarded(&format!("export guarded --format hex --out {}", out("out.hex")));
    let keystore = guarded(&format!(
        "export guarded --format keystore-v3 --file-password-file {new_file} --out {}",
        out("keystore")
    ));
    let signed = guarded("sign-message guarded --message hello");
    let recovery = format!("vault recovery add --out {}", out("recovery"));
    let rotate = format!("vault rotate --out {}", out("recovery-2"));
    let recover = format!(
        "vault recover --recovery-key-file {} --new-password-file {new_file}",
        out("recovery")
    );
    let backup = format!(
        "vault export --new-password-file {new_file} --out {}",
        out("backup")
    );
    let wrong = file("wrong", WRONG_PASSWORD);
    let runs = [
        (init.as_str(), &password, damaged.as_str(), 10),
        (&init, &password, PHRASE, 0),
        (&init, &password, PHRASE, 10),
        ("derive", &password, PHRASE, 0),
        ("derive --json", &password, &damaged, 10),
        ("wallets derive --count 20", &password, "", 0),
        ("wallets label #0 first", &password, "", 0),
        ("wallets label #0 first --json", &wrong, "", 4),
        ("sign-message #0 --message hello", &password, "", 0),
        ("sign-transaction -", &password, "AAAA", 10),
        ("audit checkpoint", &password, "", 0),
        ("audit list --json", &password, "", 0),
        ("audit verify", &password, "", 0),
        (&import, &password, "", 0),
        (&unnamed, &password, "", 10),
        (&misnamed, &password, "", 10),
        ("export guarded --format hex --stdout", &password, "", 4),
        (&export, &wrong, "", 4),
        (&export, &password, "", 0),
        (&keystore, &password, "", 0),
        (&signed, &password, "", 0),
        ("import - --label second", &password, SECOND_PHRASE, 0),
        ("import - --json", &password, &second_damaged, 10),
        (
            "wallets derive --phrase 2 --chain evm --count 2",
            &password,
            "",
            0,
        ),
        ("phrases list --json", &password, "", 0),
        (&recovery, &password, "", 0),
        (&rotate, &password, "", 0),
        (&backup, &password, "", 0),
        (&change, &password, "", 0),
        ("wallets label #0 second", &new, "", 0),
        ("wallets list --json", &password, "", 0),
        ("vault status", &password, "", 0),
        ("policy show", &password, "", 0),
        ("config list", &password, "", 0),
    ];
    for (words, password, stdin, exit) in runs {
        let output = run(words, password, stdin);
        assert_eq!(output.code(), Some(exit), "{output}");
        assert_clean(words, output.stdout.as_bytes());
        assert_clean(words, output.stderr.as_bytes());
    }
    let output = run(&recover, &new, "");
    assert_eq!(output.code(), Some(4), "the old recovery key: {output}");
    assert_clean(&recover, output.stderr.as_bytes());
    let keys = ["recovery", "recovery-2"].map(|name| fs::read_to_string(given.path(name)).unwrap());
    let mut files = Vec::new();
    files_below(sandbox.root(), &mut files);
    for path in &files {
        let content = fs::read(path).unwrap();
        for key in &keys {
            let group = key.trim().split_at(14).0.as_bytes();
            assert!(
                !content.windows(group.len()).any(|window| window == group),
                "{} holds a recovery key",
                path.display()
            );
        }
    }
    assert!(
        files.contains(&log) && files.contains(&sandbox.vault()),
        "{files:?}"
    );
    for path in files {
        assert_clean(&path.display().to_string(), &fs::read(&path).unwrap());
    }
    assert!(!fs::read(&log).unwrap().is_empty());
}
