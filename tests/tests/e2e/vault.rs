//! A vault in a sandbox, made by the command line, for the scenarios that need one.

use std::path::PathBuf;

use keyward_tests::cli::Cli;
use keyward_tests::sandbox::Sandbox;

/// The phrase of every test vault: 128 zero bits of entropy, published with BIP-39's vectors.
pub(crate) const PHRASE: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
/// A password that the strength check takes.
pub(crate) const PASSWORD: &str = "quartz-lantern-ferry-81";
/// The phrase's first address at the default path, as published.
pub(crate) const FIRST_ADDRESS: &str = "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk";

/// A sandbox with a vault of some wallets, and the file that holds its password.
pub(crate) struct TestVault {
    pub(crate) sandbox: Sandbox,
    pub(crate) password_file: PathBuf,
}

impl TestVault {
    pub(crate) fn new(wallets: u32) -> anyhow::Result<Self> {
        let sandbox = Sandbox::new()?;
        let password_file = sandbox.write("password", PASSWORD)?;
        let vault = Self {
            sandbox,
            password_file,
        };
        vault
            .cli("init --import - --kdf scrypt-16384 --max-sol 5 --json")?
            .args(["--wallets", &wallets.to_string()])
            .stdin(PHRASE)
            .success()?;
        Ok(vault)
    }

    /// Gives a wallet a password of its own.
    pub(crate) fn give_own_password(&self, wallet: &str, password: &str) -> anyhow::Result<()> {
        let file = self.sandbox.write("own-password", password)?;
        self.cli(&format!("wallets password set {wallet}"))?
            .arg("--new-wallet-password-file")
            .arg(&file)
            .success()?;
        Ok(())
    }

    /// A run of `keyward` with these words as arguments and this vault's password.
    pub(crate) fn cli(&self, words: &str) -> anyhow::Result<Cli> {
        Ok(Cli::new(&self.sandbox)?
            .args(words.split(' '))
            .arg("--password-file")
            .arg(&self.password_file))
    }
}
