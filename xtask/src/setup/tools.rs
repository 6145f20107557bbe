//! Command line tools built by cargo, at fixed versions, in a folder outside the clone.

use std::path::{Path, PathBuf};

use crate::process::{self, cargo, program};
use crate::workspace;

/// A tool that is not part of Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// Makes JavaScript for a module, and runs its tests; must be the version of the library in Cargo.lock.
    WasmBindgen,
    /// Builds and tests a crate for the browser.
    WasmPack,
    /// Drives Firefox.
    Geckodriver,
    /// Checks licences, sources and advisories of dependencies.
    Deny,
}

impl Tool {
    fn package(self) -> &'static str {
        match self {
            Self::WasmBindgen => "wasm-bindgen-cli",
            Self::WasmPack => "wasm-pack",
            Self::Geckodriver => "geckodriver",
            Self::Deny => "cargo-deny",
        }
    }

    /// The program to run.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::WasmBindgen => "wasm-bindgen",
            Self::WasmPack => "wasm-pack",
            Self::Geckodriver => "geckodriver",
            Self::Deny => "cargo-deny",
        }
    }

    fn version(self) -> anyhow::Result<String> {
        match self {
            Self::WasmBindgen => workspace::locked_version("wasm-bindgen"),
            Self::WasmPack => Ok("0.15.1".into()),
            Self::Geckodriver => Ok("0.37.1".into()),
            Self::Deny => Ok("0.20.2".into()),
        }
    }

    /// Every program that the package brings and the chores use.
    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::WasmBindgen => &["wasm-bindgen", "wasm-bindgen-test-runner"],
            Self::WasmPack => &["wasm-pack"],
            Self::Geckodriver => &["geckodriver"],
            Self::Deny => &["cargo-deny"],
        }
    }
}

/// Installs the tool unless its version is in the tools folder or on the search path; says which it found.
pub(super) fn install(tool: Tool) -> anyhow::Result<String> {
    let version = tool.version()?;
    let tools = workspace::tools()?;
    let in_tools = tools.join("bin").join(workspace::executable(tool.program()));
    let candidates: Vec<PathBuf> = [Some(in_tools), workspace::which(tool.program())]
        .into_iter()
        .flatten()
        .collect();
    if candidates
        .iter()
        .any(|candidate| is_version(candidate, tool, &version))
    {
        return Ok(format!("{} {version}, found", tool.package()));
    }
    build(tool, &version, &tools)?;
    Ok(format!("{} {version}, installed", tool.package()))
}

fn build(tool: Tool, version: &str, tools: &Path) -> anyhow::Result<()> {
    let package = format!("{}@{version}", tool.package());
    let command = |locked: &[&str]| {
        let mut command = cargo(&["install", "--force", "--root"]);
        command
            .arg(tools)
            .args(locked)
            .arg(&package)
            .current_dir(tools)
            .env("CARGO_TARGET_DIR", tools.join("build"))
            // They run for seconds: a quicker build is worth more than a quicker tool.
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        command
    };
    std::fs::create_dir_all(tools)?;
    if let Err(error) = process::run(&mut command(&["--locked"])) {
        // A registry may lack one version that the tool's own lock file names; a tool that ships nothing to
        // anybody may then be built with the versions that are there.
        println!("{error:#}; trying without the tool's own lock file");
        process::run(&mut command(&[]))?;
    }
    std::fs::remove_dir_all(tools.join("build")).ok();
    Ok(())
}

fn is_version(path: &Path, tool: Tool, version: &str) -> bool {
    let Some(folder) = path.parent() else {
        return false;
    };
    tool.programs()
        .iter()
        .all(|name| folder.join(workspace::executable(name)).is_file())
        && process::output(&mut program(path, &["--version"])).is_ok_and(|said| says_version(&said, version))
}

/// `wasm-pack 0.15.1` says 0.15.1; so does `wasm-bindgen 0.15.1 (abcdef)`, but not `wasm-pack 0.15.10`.
fn says_version(said: &str, version: &str) -> bool {
    said.split_whitespace().nth(1) == Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_version_counts() {
        assert!(says_version("wasm-pack 0.15.1\n", "0.15.1"));
        assert!(says_version("wasm-bindgen 0.2.130 (abc)", "0.2.130"));
        assert!(!says_version("wasm-pack 0.15.10", "0.15.1"));
        assert!(!says_version("", "0.15.1"));
    }
}
