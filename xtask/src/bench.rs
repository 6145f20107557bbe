//! The benchmarks, one after another so that they do not disturb each other, and what they say beside what is aimed at.
//!
//! Every figure in the closing table was printed by a benchmark of this very run. An aim that is missed is said and is
//! no failure: on a busy machine it says more about the machine.

mod figures;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use self::figures::Figures;
use crate::process::{cargo, program};
use crate::{release, setup, wasm, workspace};

/// Where the peers that are no crates live.
const PEERS: &str = "core/benches/peers";
/// The browser package beside what else a page could use.
const BROWSER: &str = "wasm/js/bench";

/// `cargo xtask bench`: `arguments` go to every benchmark; with a filter among them the table holds what was left.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let binary = release::build()?;
    let load_before = load();
    let mut figures = Figures::default();
    // In one command, so that features are resolved, and everything built, once.
    let mut layers = cargo(&["bench"]);
    for package in ["keyward-core", "keyward-custody", "keyward"] {
        layers.args(["--package", package]);
    }
    run_into(layers.arg("--").args(arguments), &mut figures)?;
    // How wallets written in JavaScript derive.
    setup::install_node_packages(PEERS)?;
    run_into(
        program("node", &["derive.cjs"]).current_dir(workspace::path(PEERS)),
        &mut figures,
    )?;
    wasm::build()?;
    setup::install_node_packages(BROWSER)?;
    run_into(
        program("node", &["bench.mjs"])
            .current_dir(workspace::path(BROWSER))
            .env("KEYWARD_TEST_CHROMIUM", setup::chromium()?),
        &mut figures,
    )?;
    // Only the binary that it starts is measured; the harness itself is the tests' and is built like theirs.
    let mut start = cargo(&["bench", "--profile", "dev", "--package", "keyward-tests"]);
    start.env("KEYWARD_TEST_BINARY", binary);
    run_into(
        start.args(["--bench", "start", "--"]).args(arguments),
        &mut figures,
    )?;

    let table = figures.table();
    ensure!(!table.is_empty(), "no benchmark printed a figure");
    println!("\n{table}");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "Load before {}, after {}; cores {cores}.",
        load_before.as_deref().unwrap_or("unknown"),
        load().as_deref().unwrap_or("unknown")
    );
    Ok(())
}

/// Runs a benchmark with everything it prints shown, and collects its figures.
fn run_into(command: &mut Command, figures: &mut Figures) -> anyhow::Result<()> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("could not start cargo")?;
    let lines = child.stdout.take().context("its standard output is a pipe")?;
    let mut out = std::io::stdout();
    for line in BufReader::new(lines).lines() {
        let line = line.context("could not read from a benchmark")?;
        // Shown in the table, in units for people.
        if !figures.take(&line)? {
            writeln!(out, "{line}").and_then(|()| out.flush())?;
        }
    }
    let status = child.wait()?;
    ensure!(status.success(), "a benchmark ended with {status}");
    Ok(())
}

/// How many programs wanted a core in the last minute, where the system says so.
fn load() -> Option<String> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next().map(str::to_owned)
}
