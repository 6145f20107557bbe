//! Builds the browser package and tests it: its crate in a headless Chromium, the whole of it in Node.

mod build;

use std::path::Path;

use crate::process::{self, TestCounts, program};
use crate::setup::{self, Tool};
use crate::stages::Stages;
use crate::workspace;

/// The npm package.
const PACKAGE: &str = "wasm/js";

/// `cargo xtask wasm`.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut stages = Stages::default();
    stages.run("setup: Rust", setup::rust);
    setup::for_tests(&mut stages);
    run_in(&mut stages);
    stages.finish()
}

/// Builds and tests as stages of a longer row, in which the tools were set up before.
pub(crate) fn run_in(stages: &mut Stages) {
    stages.run("browser tests", || Ok(test_in_browser()?.to_string()));
    stages.run("setup: TypeScript", || setup::install_node_packages(PACKAGE));
    let built = stages.run("browser package", build::package);
    stages.run("browser package's types", || {
        anyhow::ensure!(built, "no package was built to test");
        check_types().map(|()| "node16 and bundler".to_owned())
    });
    stages.run("browser package in Node", || {
        anyhow::ensure!(built, "no package was built to test");
        Ok(test_in_node()?.to_string())
    });
}

/// Compiles a program against the package's types, as both ways of resolving modules see them.
fn check_types() -> anyhow::Result<()> {
    let program = workspace::path(PACKAGE).join("test/types");
    typescript(&program, &[])?;
    typescript(&program, &["--module", "esnext", "--moduleResolution", "bundler"])
}

fn typescript(project: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let compiler = workspace::path(PACKAGE).join("node_modules/typescript/bin/tsc");
    let mut command = program("node", &[]);
    process::run(command.arg(compiler).arg("-p").arg(project).args(arguments))
}

/// Tests the built package in Node.
fn test_in_node() -> anyhow::Result<TestCounts> {
    let arguments = ["--test", "--test-reporter=tap", "test/"];
    process::run_tests(program("node", &arguments).current_dir(workspace::path(PACKAGE)))
}

/// Runs the tests of wasm/ in a page and in a dedicated worker.
fn test_in_browser() -> anyhow::Result<TestCounts> {
    let arguments = ["test", "--headless", "--chrome", "--mode", "no-install"];
    let mut command = program(tool(Tool::WasmPack)?, &arguments);
    command
        .current_dir(workspace::path("wasm"))
        .env("PATH", setup::search_path()?)
        .env("CHROMEDRIVER", setup::chromedriver()?);
    process::run_tests(&mut command)
}

/// A tool from the tools folder, else by name from the search path.
fn tool(tool: Tool) -> anyhow::Result<std::path::PathBuf> {
    let installed = workspace::tools()?
        .join("bin")
        .join(workspace::executable(tool.program()));
    Ok(if installed.is_file() {
        installed
    } else {
        tool.program().into()
    })
}
