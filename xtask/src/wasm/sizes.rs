//! What each feature of the browser's module costs a page: the module built with it and without it.

use std::path::Path;

use anyhow::Context as _;

use super::build::{self, Module};
use crate::process::{self, program};
use crate::{setup, stages::Stages};

/// Prints how many bytes its arguments have when they are gzipped, a line each.
const GZIP: &str = "const { gzipSync } = require('node:zlib'), { readFileSync } = require('node:fs');\
    for (const name of process.argv.slice(1)) console.log(gzipSync(readFileSync(name), { level: 9 }).length);";

/// Each with what it is in, and how cargo builds it.
const BUILDS: [(&str, &[&str]); 7] = [
    (
        "signer.wasm: vault files opened, policy, Solana read and signed",
        &["--no-default-features"],
    ),
    (
        "with making, changing and writing vaults",
        &["--no-default-features", "--features", "edit"],
    ),
    (
        "with other programs' key files (and making)",
        &["--no-default-features", "--features", "import"],
    ),
    (
        "with phrases and derived accounts",
        &["--no-default-features", "--features", "phrases"],
    ),
    (
        "with EVM accounts, transactions and typed data",
        &["--no-default-features", "--features", "evm"],
    ),
    ("keyward.wasm: all of them", &[]),
    (
        "with the nine other wordlists (not in the package)",
        &["--features", "all-wordlists"],
    ),
];

/// `cargo xtask wasm --sizes`.
pub(super) fn run() -> anyhow::Result<()> {
    let mut stages = Stages::default();
    stages.run("setup: Rust", setup::rust);
    setup::for_browsers(&mut stages);
    stages.run("setup: TypeScript", || {
        setup::install_node_packages(super::PACKAGE)
    });
    stages.finish()?;
    let mut rows = Vec::new();
    for (number, (what, features)) in BUILDS.into_iter().enumerate() {
        let name = format!("size-{number}");
        let folder = build::built(&Module {
            name: &name,
            features,
        })?;
        rows.push((what, measured(&folder.join("keyward_bg.wasm"))?));
    }
    println!("\n| Module | bytes | gzipped | beyond signer.wasm, gzipped |\n|---|---|---|---|");
    let least = rows.first().map_or(0, |(_, (_, gzipped))| *gzipped);
    for (what, (bytes, gzipped)) in rows {
        println!("| {what} | {bytes} | {gzipped} | {} |", gzipped - least);
    }
    Ok(())
}

/// Its bytes as they are, and gzipped.
fn measured(module: &Path) -> anyhow::Result<(u64, i64)> {
    let bytes = std::fs::metadata(module)?.len();
    let gzipped = process::output(program("node", &["-e", GZIP]).arg(module))?;
    let gzipped = gzipped.trim().parse().context("node did not say a size")?;
    Ok((bytes, gzipped))
}
