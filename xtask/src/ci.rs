//! What CI runs: every check, none stopping the next, then the tests.

use std::time::Duration;

use crate::process::{self, cargo, program};
use crate::setup::{self, Tool};
use crate::stages::Stages;
use crate::{fuzz, pictures, test, tidy, workspace};

/// The targets that core must build for: pages, and a microcontroller without a standard library.
const CORE_TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "thumbv7em-none-eabi"];

/// How long each fuzz target runs.
const FUZZ_SECONDS: u32 = 3;

/// How long the database of advisories may take to come.
const ADVISORIES_BOUND: Duration = Duration::from_secs(120);

/// `cargo xtask ci`.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut stages = Stages::default();
    stages.run("tidy", tidy::check);
    stages.run("setup: Rust", setup::rust);
    stages.run("fmt", || {
        shown(&mut cargo(&["fmt", "--all", "--check"]))?;
        shown(&mut cargo(&[
            "fmt",
            "--manifest-path",
            "fuzz/Cargo.toml",
            "--check",
        ]))
    });
    stages.run("clippy", || {
        shown(&mut cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    });
    stages.run("docs", || {
        let arguments = ["doc", "--workspace", "--no-deps"];
        shown(cargo(&arguments).env("RUSTDOCFLAGS", "-D warnings"))
    });
    stages.run("core without std", core_without_std);
    // A smoke run: long ones are `cargo xtask fuzz --seconds N`.
    stages.run("fuzz", || {
        fuzz::run_for(FUZZ_SECONDS, &[]).map(|summary| format!("{} targets", summary.lines().count()))
    });
    stages.run("setup: cargo-deny", || setup::tool(Tool::Deny));
    stages.run("deny: bans, licences, sources", || {
        shown(&mut deny(&["check", "bans", "licenses", "sources"])?)
    });
    stages.run("deny: advisories", advisories);
    stages.run("pictures", || pictures::check().map(|()| String::new()));
    test::run_in(&mut stages);
    stages.finish()
}

fn shown(command: &mut std::process::Command) -> anyhow::Result<String> {
    process::run(command).map(|()| String::new())
}

fn core_without_std() -> anyhow::Result<String> {
    // A dependency that brings `std` in by a feature does not build for the microcontroller, which has none.
    for target in CORE_TARGETS {
        for features in [&["--no-default-features"][..], &[]] {
            let build = ["build", "--package", "keyward-core", "--target", target];
            process::run(&mut cargo(&[&build, features].concat()))?;
        }
    }
    Ok(format!(
        "{}, with and without default features",
        CORE_TARGETS.join(", ")
    ))
}

/// The advisories live in a repository that some machines cannot reach. Then this says so, in the table too: the
/// check did not happen, and it did not fail.
fn advisories() -> anyhow::Result<String> {
    let arguments = ["fetch", "db"];
    if let Err(error) = process::run_bounded(&mut deny(&arguments)?, ADVISORIES_BOUND) {
        println!("{error:#}");
        return Ok("NOT CHECKED: the advisory database cannot be reached from here".into());
    }
    shown(&mut deny(&["check", "--disable-fetch", "advisories"])?)?;
    Ok("checked against today's database".into())
}

fn deny(arguments: &[&str]) -> anyhow::Result<std::process::Command> {
    let mut command = program(Tool::Deny.program(), arguments);
    let installed = workspace::tools()?.join("bin").join(Tool::Deny.program());
    if installed.is_file() {
        command = program(installed, arguments);
    }
    Ok(command)
}
