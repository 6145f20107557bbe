//! Components and targets of the pinned toolchain.

use anyhow::{Context as _, ensure};

use crate::process::{self, program};
use crate::stages::Missing;
use crate::workspace;

/// Adds what rust-toolchain.toml lists, by name: rustup adds nothing by itself where automatic installation is off.
pub(super) fn install() -> anyhow::Result<String> {
    let pinned = std::fs::read_to_string(workspace::path("rust-toolchain.toml"))
        .context("could not read rust-toolchain.toml")?;
    let targets = list(&pinned, "targets");
    let components = list(&pinned, "components");
    ensure!(!targets.is_empty(), "rust-toolchain.toml names no targets");
    if workspace::which("rustup").is_none() {
        return without_rustup(&targets);
    }
    for (kind, wanted) in [("component", &components), ("target", &targets)] {
        let installed = process::output(&mut program("rustup", &[kind, "list", "--installed"]))?;
        // A component is listed with its host: `clippy-x86_64-…`.
        let is_there = |name: &&String| {
            !installed
                .lines()
                .any(|line| line == name.as_str() || line.starts_with(&format!("{name}-")))
        };
        let absent: Vec<&str> = wanted.iter().filter(is_there).map(String::as_str).collect();
        if !absent.is_empty() {
            process::run(program("rustup", &[kind, "add"]).args(absent))?;
        }
    }
    Ok([components, targets].concat().join(", "))
}

/// A toolchain from elsewhere either has the targets' libraries or cannot build them.
fn without_rustup(targets: &[String]) -> anyhow::Result<String> {
    for target in targets {
        let folder = process::output(&mut program(
            "rustc",
            &["--print", "target-libdir", "--target", target],
        ))?;
        if !std::path::Path::new(folder.trim()).is_dir() {
            return Err(Missing(format!(
                "the Rust target {target}: install rustup or the target's standard library"
            ))
            .into());
        }
    }
    Ok(targets.join(", "))
}

/// The strings of a one-line array such as `targets = ["a", "b"]`.
fn list(toml: &str, key: &str) -> Vec<String> {
    toml.lines()
        .find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='))
        .map(|array| array.split('"').skip(1).step_by(2).map(str::to_owned).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let toml =
            "[toolchain]\ncomponents = [\"clippy\", \"rustfmt\"]\ntargets = [\"wasm32-unknown-unknown\"]\n";
        assert_eq!(list(toml, "components"), ["clippy", "rustfmt"]);
        assert_eq!(list(toml, "targets"), ["wasm32-unknown-unknown"]);
        assert!(list(toml, "profile").is_empty());
    }
}
