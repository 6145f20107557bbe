//! A PostgreSQL server's programs, for the tests that start one of their own.

use std::path::PathBuf;

use anyhow::Context as _;

use super::debian;
use crate::process::{self, program};
use crate::workspace::which;

/// Where Debian and those who follow it keep each version's programs.
const FOLDER: &str = "/usr/lib/postgresql";

/// Finds or installs them and says their version. Nothing is needed where `KEYWARD_TEST_DATABASE_URL` names a server.
pub(super) fn install() -> anyhow::Result<String> {
    if std::env::var_os("KEYWARD_TEST_DATABASE_URL").is_some_and(|url| !url.is_empty()) {
        return Ok("the server that KEYWARD_TEST_DATABASE_URL names".to_owned());
    }
    if server().is_none() {
        debian::install("PostgreSQL", &["postgresql"])?;
    }
    let server = server().context("no PostgreSQL server after its installation")?;
    let version = process::output(&mut program(server, &["--version"]))?;
    Ok(version.trim().to_owned())
}

/// The server's program of the newest version.
fn server() -> Option<PathBuf> {
    let versions = std::fs::read_dir(FOLDER).into_iter().flatten().flatten();
    versions
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin/postgres")))
        })
        .filter(|(_, path)| path.is_file())
        .max()
        .map(|(_, path)| path)
        .or_else(|| which("postgres"))
}
