//! Builds the browser package's crate and tests it in a headless Chromium.

use crate::process::{self, TestCounts, cargo, program};
use crate::setup::{self, Tool};
use crate::stages::Stages;
use crate::workspace;

/// `cargo xtask wasm`.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut stages = Stages::default();
    stages.run("setup: Rust", setup::rust);
    setup::for_tests(&mut stages);
    stages.run("wasm build", || {
        let arguments = [
            "build",
            "--package",
            "keyward-wasm",
            "--target",
            "wasm32-unknown-unknown",
        ];
        process::run(&mut cargo(&arguments)).map(|()| String::new())
    });
    stages.run("browser tests", || Ok(test_in_browser()?.to_string()));
    stages.finish()
}

/// Runs the tests of wasm/ in a page.
///
/// # Errors
/// When a tool is missing, or a test fails.
pub(crate) fn test_in_browser() -> anyhow::Result<TestCounts> {
    let arguments = ["test", "--headless", "--chrome", "--mode", "no-install"];
    let mut command = program(
        workspace::tools()?.join("bin").join(Tool::WasmPack.program()),
        &arguments,
    );
    if !workspace::tools()?
        .join("bin")
        .join(Tool::WasmPack.program())
        .is_file()
    {
        command = program(Tool::WasmPack.program(), &arguments);
    }
    command
        .current_dir(workspace::path("wasm"))
        .env("PATH", setup::search_path()?)
        .env("CHROMEDRIVER", setup::chromedriver()?);
    process::run_tests(&mut command)
}
