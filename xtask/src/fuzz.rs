//! Builds the fuzz targets with coverage counters and runs them, one after another.
//!
//! libFuzzer needs nothing of a nightly compiler but the sanitizers, and with `unsafe` forbidden in core there is little
//! for those to find; so the pinned toolchain does. `cargo fuzz run` works in `fuzz/` as well, on a nightly one.
//! Corpora are kept beside the target folder, and what made a target fail too. `fuzz/seeds/` holds inputs to begin with
//! (`cargo run --manifest-path fuzz/Cargo.toml --example seeds` writes them), `fuzz/dictionaries/` words to try.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::process::{self, cargo, program};
use crate::workspace;

const MANIFEST: &str = "fuzz/Cargo.toml";
const LOCK: &str = "fuzz/Cargo.lock";
/// How long a target runs unless said otherwise.
const SECONDS: u32 = 60;
/// The longest input; every decoder is bounded below it or refuses early.
const MAX_LEN: u32 = 8192;
/// What `cargo fuzz` asks of the compiler, without a sanitizer.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                        -Cllvm-args=-sanitizer-coverage-pc-table \
                        -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1";

/// `cargo xtask fuzz [--seconds N] [TARGET]...`: every target unless some are named.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let mut seconds = SECONDS;
    let mut wanted = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--seconds" {
            let number = arguments.next().context("--seconds wants a number")?;
            seconds = number.parse().context("--seconds wants a number")?;
            ensure!(seconds > 0, "--seconds wants at least 1");
        } else {
            wanted.push(argument.as_str());
        }
    }
    run_for(seconds, &wanted).map(|summary| println!("\n{summary}"))
}

/// Runs the named targets, or all, for so many seconds each; gives one line a target.
pub(crate) fn run_for(seconds: u32, wanted: &[&str]) -> anyhow::Result<String> {
    check_lock()?;
    let metadata = process::output(&mut cargo(&[
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--manifest-path",
        MANIFEST,
    ]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let targets = targets(&metadata)?;
    if let Some(unknown) = wanted
        .iter()
        .find(|name| !targets.iter().any(|target| target == *name))
    {
        bail!(
            "there is no fuzz target `{unknown}`; there are {}",
            targets.join(", ")
        );
    }
    let folder = Path::new(
        metadata["target_directory"]
            .as_str()
            .context("cargo metadata names no target folder")?,
    )
    .join("keyward-fuzz");
    let binaries = build(&folder)?;
    let mut lines = Vec::new();
    let mut failed = Vec::new();
    for target in &targets {
        if wanted.is_empty() || wanted.contains(&target.as_str()) {
            match fuzz(
                &binaries.join(workspace::executable(target)),
                target,
                &folder,
                seconds,
            ) {
                Ok(line) => lines.push(format!("{target}: {line}")),
                Err(error) => {
                    println!("{target}: FAILED: {error:#}");
                    failed.push(target.clone());
                }
            }
        }
    }
    ensure!(failed.is_empty(), "fuzz targets failed: {}", failed.join(", "));
    Ok(lines.join("\n"))
}

/// The targets have a lock file of their own, which nothing else reads: it must know core's dependencies, in the
/// versions that are shipped.
fn check_lock() -> anyhow::Result<()> {
    let read =
        |path| fs::read_to_string(workspace::path(path)).with_context(|| format!("could not read {path}"));
    let other = other_versions(&read("Cargo.lock")?, &read(LOCK)?);
    ensure!(
        other.is_empty(),
        "{LOCK} has other versions than Cargo.lock; run\n{}",
        other.join("\n")
    );
    let metadata = [
        "metadata",
        "--locked",
        "--format-version",
        "1",
        "--manifest-path",
        MANIFEST,
    ];
    process::output(&mut cargo(&metadata)).map(drop).with_context(|| {
        format!(
            "{LOCK} does not know all dependencies of core, if cargo said above that it needs an update; \
             run `cargo update --workspace --manifest-path {MANIFEST}` and commit it"
        )
    })
}

/// What to run so that every package in both lock files has the same version in both.
fn other_versions(ours: &str, fuzz: &str) -> Vec<String> {
    let ours = locked(ours);
    let mut commands = Vec::new();
    for (name, versions) in locked(fuzz) {
        if let Some(own) = ours.get(name) {
            commands.extend(versions.difference(own).map(|version| {
                let wanted: Vec<&str> = own.iter().copied().collect();
                let wanted = wanted.join(" or ");
                format!("cargo update --manifest-path {MANIFEST} {name}@{version} --precise {wanted}")
            }));
        }
    }
    commands
}

/// The versions of every package in a lock file.
fn locked(lock: &str) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut packages: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut name = "";
    for line in lock.lines() {
        let value = |key| line.strip_prefix(key)?.strip_suffix('"');
        if let Some(found) = value("name = \"") {
            name = found;
        } else if let Some(version) = value("version = \"") {
            packages.entry(name).or_default().insert(version);
        }
    }
    packages
}

fn targets(metadata: &Value) -> anyhow::Result<Vec<String>> {
    let targets = metadata["packages"][0]["targets"]
        .as_array()
        .context("cargo metadata names no targets")?;
    let mut names: Vec<String> = targets
        .iter()
        .filter(|target| target["kind"][0] == "bin")
        .filter_map(|target| target["name"].as_str().map(str::to_owned))
        .collect();
    names.sort();
    ensure!(!names.is_empty(), "{MANIFEST} has no targets");
    Ok(names)
}

/// Builds all targets; says where they are.
fn build(folder: &Path) -> anyhow::Result<PathBuf> {
    // With a target named, the flags are not used for build scripts and macros.
    let version = process::output(&mut program("rustc", &["-vV"]))?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc names no host")?;
    let mut command = cargo(&["build", "--locked", "--release", "--manifest-path", MANIFEST]);
    command.args(["--target", host, "--target-dir"]).arg(folder);
    process::run(command.env("RUSTFLAGS", COVERAGE))?;
    Ok(folder.join(host).join("release"))
}

/// Runs one target and reads what it did.
fn fuzz(binary: &Path, target: &str, folder: &Path, seconds: u32) -> anyhow::Result<String> {
    let corpus = folder.join("corpus").join(target);
    let artifacts = folder.join("artifacts").join(target);
    for folder in [&corpus, &artifacts] {
        fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    }
    let mut command = Command::new(binary);
    command.arg(format!("-max_total_time={seconds}"));
    command.arg(format!("-max_len={MAX_LEN}"));
    command.args([
        "-timeout=20",
        "-rss_limit_mb=2048",
        "-verbosity=0",
        "-print_final_stats=1",
    ]);
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    let dictionary = workspace::path("fuzz/dictionaries").join(format!("{target}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    command.arg(&corpus);
    let seeds = workspace::path("fuzz/seeds").join(target);
    if seeds.is_dir() {
        command.arg(seeds);
    }
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start {target}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        println!("{said}");
        bail!(
            "ended with {}; its input is in {}",
            output.status,
            artifacts.display()
        );
    }
    let runs = executed(&said).with_context(|| format!("{target} said nothing of its runs"))?;
    ensure!(runs > 0, "{target} ran nothing");
    let line = format!(
        "{runs} runs in {seconds} s, {} each second",
        runs / u64::from(seconds)
    );
    println!("{target}: {line}");
    Ok(line)
}

/// The number of runs in libFuzzer's closing statistics.
fn executed(said: &str) -> Option<u64> {
    said.lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
        .and_then(|number| number.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_statistics_are_read() {
        let said = "Done 12 runs in 3 second(s)\nstat::number_of_executed_units: 4711\nstat::average_exec_per_sec:  1\n";
        assert_eq!(executed(said), Some(4711));
        assert_eq!(executed("Done 12 runs"), None);
    }

    #[test]
    fn the_lock_files_agree_on_versions() {
        let lock = |packages: &[(&str, &str)]| -> String {
            packages
                .iter()
                .map(|(name, version)| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n"))
                .collect()
        };
        let ours = lock(&[
            ("sha2", "0.11.0"),
            ("rand", "0.8.5"),
            ("rand", "0.9.0"),
            ("tokio", "1.0.0"),
        ]);
        let same = lock(&[("sha2", "0.11.0"), ("rand", "0.9.0"), ("libfuzzer-sys", "0.4.0")]);
        assert_eq!(other_versions(&ours, &same), [""; 0]);
        let newer = lock(&[("sha2", "0.11.1"), ("rand", "0.9.0")]);
        assert_eq!(
            other_versions(&ours, &newer),
            ["cargo update --manifest-path fuzz/Cargo.toml sha2@0.11.1 --precise 0.11.0"]
        );
    }

    #[test]
    fn targets_are_the_binaries() {
        let metadata = serde_json::json!({"packages": [{"targets": [
            {"kind": ["bin"], "name": "message"}, {"kind": ["custom-build"], "name": "build"}, {"kind": ["bin"], "name": "a"},
        ]}]});
        assert_eq!(
            targets(&metadata).ok(),
            Some(vec!["a".to_owned(), "message".to_owned()])
        );
        assert!(targets(&serde_json::json!({"packages": []})).is_err());
    }
}
