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

/// Every spelling in which one of the secrets could have leaked.
fn needles() -> Vec<Vec<u8>> {
    let mut needles = Vec::new();
    for secret in [PASSWORD, NEW_PASSWORD, WRONG_PASSWORD, PASSPHRASE, FACTOR, PHRASE] {
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
    let mut files = Vec::new();
    files_below(sandbox.root(), &mut files);
    assert!(
        files.contains(&log) && files.contains(&sandbox.vault()),
        "{files:?}"
    );
    for path in files {
        assert_clean(&path.display().to_string(), &fs::read(&path).unwrap());
    }
    assert!(!fs::read(&log).unwrap().is_empty());
}
