//! A vault in a sandbox, made by the command line, and what the tests ask of answers.

use std::path::PathBuf;

use keyward_tests::cli::{Cli, CliOutput};
use keyward_tests::sandbox::Sandbox;
use serde_json::Value;

/// The phrase of every test vault: 128 zero bits of entropy, published with BIP-39's vectors.
pub(crate) const PHRASE: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
/// A password that the strength check takes.
pub(crate) const PASSWORD: &str = "quartz-lantern-ferry-81";
/// Another one.
pub(crate) const OTHER_PASSWORD: &str = "willow-cobalt-anchor-29";
/// The phrase's first address at m/44'/501'/0'/0', as published.
pub(crate) const FIRST_ADDRESS: &str = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk";
/// Its second one, from Keyward's derivation, which is held to SLIP-0010's vectors in core.
pub(crate) const SECOND_ADDRESS: &str = "Hh8QwFUA6MtVu1qAoq12ucvFHNwCcVTV7hpWjeY1Hztb";

/// A run in a sandbox without any vault.
pub(crate) fn keyward(sandbox: &Sandbox, words: &str) -> Cli {
    Cli::new(sandbox).unwrap().args(words.split_whitespace())
}

/// A sandbox with a vault of some wallets, and the file that holds its password.
pub(crate) struct Vault {
    pub(crate) sandbox: Sandbox,
    pub(crate) password_file: PathBuf,
}

impl Vault {
    pub(crate) fn new(wallets: u32) -> Self {
        Self::of(PHRASE, wallets)
    }

    /// A vault of another phrase.
    pub(crate) fn of(phrase: &str, wallets: u32) -> Self {
        let sandbox = Sandbox::new().unwrap();
        let password_file = sandbox.write("password", PASSWORD).unwrap();
        let vault = Self {
            sandbox,
            password_file,
        };
        vault
            .run("init --import - --kdf scrypt-16384 --max-sol 5 --json --wallets")
            .arg(wallets.to_string())
            .stdin(phrase)
            .success()
            .unwrap();
        vault
    }

    /// A run with these words as arguments and this vault's password.
    pub(crate) fn run(&self, words: &str) -> Cli {
        // First, so that the words may end with an option whose value a test adds.
        let run = Cli::new(&self.sandbox)
            .unwrap()
            .arg("--password-file")
            .arg(&self.password_file);
        run.args(words.split_whitespace())
    }

    /// A run that is not given the password.
    pub(crate) fn locked(&self, words: &str) -> Cli {
        keyward(&self.sandbox, words)
    }

    /// The JSON answer of a run that succeeds.
    pub(crate) fn json(&self, words: &str) -> Value {
        self.run(words).arg("--json").success().unwrap().json().unwrap()
    }

    /// The audit's entries with this outcome, the newest first.
    pub(crate) fn audit(&self, outcome: &str) -> Vec<Value> {
        let answer = self.json(&format!("audit list --outcome {outcome}"));
        let entries = answer["entries"].as_array().unwrap().clone();
        assert_eq!(answer["total"], entries.len());
        entries
    }
}

/// The error that a run left on standard error, and nothing on standard output.
pub(crate) fn error_of(output: &CliOutput) -> Value {
    assert_eq!(output.stdout, "", "{output}");
    let json: Value =
        serde_json::from_str(&output.stderr).unwrap_or_else(|error| panic!("{error}: {output}"));
    let error = json["error"].clone();
    for field in ["code", "message", "remedy"] {
        assert!(error[field].is_string(), "{field}: {output}");
    }
    error
}

/// Runs with `--json`, expects this exit code and this error code, and returns the error.
pub(crate) fn fails(run: Cli, exit: i32, code: &str) -> Value {
    let output = run.arg("--json").exits(exit).unwrap();
    let error = error_of(&output);
    assert_eq!(error["code"], code, "{output}");
    error
}

/// The codes of an error's reasons.
pub(crate) fn reasons_of(error: &Value) -> Vec<&str> {
    error["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["code"].as_str().unwrap())
        .collect()
}
