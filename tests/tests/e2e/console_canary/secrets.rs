//! What must not be found, in every form in which it might leak, and where it is looked for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use keyward_core::derive::SolanaDeriver;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_tests::pty::Pty;
use keyward_tests::sandbox::Sandbox;
use sqlx::{Column as _, Connection as _, Row as _};

/// Something to be searched for.
struct Needle {
    name: String,
    bytes: Vec<u8>,
}

/// Everything that must not be found, in every form in which it might leak.
#[derive(Default)]
pub(super) struct Secrets {
    needles: Vec<Needle>,
}

impl Secrets {
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.needles.push(Needle {
            name: name.to_owned(),
            bytes: text.as_bytes().to_vec(),
        });
    }

    pub(super) fn bytes(&mut self, name: &str, bytes: &[u8]) {
        self.needles.push(Needle {
            name: format!("{name}, raw"),
            bytes: bytes.to_vec(),
        });
        let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
        for (form, text) in [
            ("hex", hex::encode(bytes)),
            ("upper-case hex", hex::encode_upper(bytes)),
            ("base58", bs58::encode(bytes).into_string()),
            ("base64", STANDARD.encode(bytes).trim_end_matches('=').to_owned()),
            ("base64url", URL_SAFE_NO_PAD.encode(bytes)),
            ("a JSON array", numbers.join(",")),
            ("an array", numbers.join(", ")),
        ] {
            self.text(&format!("{name}, {form}"), &text);
        }
    }

    /// A phrase, everything made from it, and the first three wallets' keys.
    pub(super) fn phrase(&mut self, phrase: &str, passphrase: &str) -> anyhow::Result<()> {
        let mnemonic = Mnemonic::parse(phrase)?;
        self.text("the phrase", phrase);
        let words: Vec<&str> = phrase.split(' ').collect();
        for three in words.windows(3) {
            for separator in [" ", ",", ", ", "\n", "\",\"", "\", \""] {
                self.text("three words of the phrase", &three.join(separator));
            }
        }
        self.bytes("the entropy", mnemonic.expose_entropy());
        let seed = mnemonic.to_seed(passphrase);
        self.bytes("the seed", seed.expose_bytes());
        for key in SolanaDeriver::new(&seed, PathFamily::Bip44Change)?.derive_chunk(0, 3)? {
            let name = format!("the key of {}", key.path);
            self.bytes(&name, key.secret.expose_seed());
            // As wallets' key files have it: the secret half, then the public one.
            let mut pair = key.secret.expose_seed().to_vec();
            pair.extend_from_slice(key.address.as_bytes());
            self.bytes(&format!("{name} as a pair"), &pair);
        }
        Ok(())
    }

    /// Fails, naming what was found, when anything is.
    pub(super) fn are_not_in(&self, place: &str, haystack: &[u8]) -> anyhow::Result<()> {
        for needle in &self.needles {
            ensure!(!holds(haystack, &needle.bytes), "{} is in {place}", needle.name);
        }
        Ok(())
    }

    pub(super) fn were_not_drawn_by(&self, console: &Pty) -> anyhow::Result<()> {
        for needle in &self.needles {
            ensure!(!console.has_drawn(&needle.bytes), "{} was drawn", needle.name);
        }
        Ok(())
    }

    /// No file below the sandbox holds one, and no value of its database.
    pub(super) async fn are_not_stored(&self, sandbox: &Sandbox) -> anyhow::Result<()> {
        for file in files(sandbox.root())? {
            self.are_not_in(&file.display().to_string(), &fs::read(&file)?)?;
        }
        for (place, value) in values(&sandbox.vault()).await? {
            self.are_not_in(&place, &value)?;
        }
        Ok(())
    }
}

pub(super) fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    assert!(needle.len() > 8, "too short to mean anything");
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Every file below a folder.
pub(super) fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Every value of every table, put together as the database does, whatever pages it lies on.
pub(super) async fn values(database: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let url = format!("sqlite://{}", database.display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await?;
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .fetch_all(&mut connection)
        .await?;
    let mut found = Vec::new();
    for table in tables {
        let statement = format!("SELECT * FROM \"{table}\"");
        for row in sqlx::query(sqlx::AssertSqlSafe(statement))
            .fetch_all(&mut connection)
            .await?
        {
            for column in row.columns() {
                // Integers are no secrets; whatever else there is counts as bytes.
                let value: Option<Vec<u8>> = row.try_get_unchecked(column.ordinal()).unwrap_or_default();
                found.push((format!("{table}.{}", column.name()), value.unwrap_or_default()));
            }
        }
    }
    connection.close().await?;
    Ok(found)
}
