//! Installs or finds what building and testing need, on a machine with Rust alone.
//!
//! Command line tools go into a folder outside the clone and are reused; system packages are installed only as root
//! on Debian, elsewhere the chore says what to install. It downloads nothing but packages of the ordinary registries
//! and changes nothing that is already there.

mod browser;
mod debian;
mod packages;
mod postgres;
mod rust;
mod tools;

use std::path::PathBuf;

use anyhow::Context as _;

pub(crate) use browser::{chromedriver, chromium};
pub(crate) use packages::install as install_node_packages;
pub(crate) use tools::Tool;

use crate::stages::Stages;

/// Sets up everything and says what it found.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut stages = Stages::default();
    stages.run("setup: Rust", rust);
    for_tests(&mut stages);
    stages.run("setup: cargo-deny", || tools::install(Tool::Deny));
    stages.finish()
}

/// What the tests need beyond Rust, one stage each, so that one missing part does not hide another.
pub(crate) fn for_tests(stages: &mut Stages) {
    for_browsers(stages);
    stages.run("setup: PostgreSQL", postgres::install);
    stages.run("setup: Node packages", || packages::install("tests/node"));
}

/// What building and testing the browser package needs.
pub(crate) fn for_browsers(stages: &mut Stages) {
    stages.run("setup: wasm-bindgen", || tools::install(Tool::WasmBindgen));
    stages.run("setup: wasm-pack", || tools::install(Tool::WasmPack));
    stages.run("setup: browser and driver", browser::install);
}

/// What the same tests need in Firefox.
pub(crate) fn for_firefox(stages: &mut Stages) {
    stages.run("setup: Firefox", browser::install_firefox);
    stages.run("setup: geckodriver", || tools::install(Tool::Geckodriver));
}

/// Adds the targets and components of the pinned toolchain.
pub(crate) fn rust() -> anyhow::Result<String> {
    rust::install()
}

/// Installs one command line tool if it is not there.
pub(crate) fn tool(tool: Tool) -> anyhow::Result<String> {
    tools::install(tool)
}

/// The search path with the tools folder in front.
///
/// # Errors
/// When there is no home folder or the path cannot be written down.
pub(crate) fn search_path() -> anyhow::Result<std::ffi::OsString> {
    let mut folders: Vec<PathBuf> = vec![crate::workspace::tools()?.join("bin")];
    if let Some(path) = std::env::var_os("PATH") {
        folders.extend(std::env::split_paths(&path));
    }
    std::env::join_paths(folders).context("a folder of the search path has a separator in its name")
}
