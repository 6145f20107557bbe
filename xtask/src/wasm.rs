//! Builds the browser package and tests it: its crate in a headless Chromium, the whole of it in Node.

use std::path::Path;

use anyhow::Context as _;

use crate::process::{self, TestCounts, cargo, program};
use crate::setup::{self, Tool};
use crate::stages::Stages;
use crate::workspace;

/// The npm package.
const PACKAGE: &str = "wasm/js";
/// What wasm-bindgen makes lies here while TypeScript is compiled against it, and beside the result after.
const GLUE: [&str; 2] = ["wasm/js/src/glue", "wasm/js/dist/glue"];
/// Files of the repository that the package carries.
const CARRIED: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "wasm/README.md"];

/// Vector instructions, which every browser has had for years: a vault opens in half the time.
const VECTORS: &str = "target.wasm32-unknown-unknown.rustflags=['-Ctarget-feature=+simd128']";

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
    let built = stages.run("browser package", build_package);
    stages.run("browser package's types", || {
        anyhow::ensure!(built, "no package was built to test");
        check_types().map(|()| "node16 and bundler".to_owned())
    });
    stages.run("browser package in Node", || {
        anyhow::ensure!(built, "no package was built to test");
        Ok(test_in_node()?.to_string())
    });
}

/// Builds the package into `wasm/js/dist` and says how much a page loads.
fn build_package() -> anyhow::Result<String> {
    let arguments = [
        "build",
        "--package",
        "keyward-wasm",
        "--target",
        "wasm32-unknown-unknown",
        "--profile",
        "wasm",
        "--config",
        VECTORS,
        "--message-format",
        "json-render-diagnostics",
    ];
    let messages = process::output(&mut cargo(&arguments))?;
    let module = artifact(&messages).context("cargo did not say where the module is")?;

    let package = workspace::path(PACKAGE);
    for folder in GLUE.map(workspace::path).iter().chain([&package.join("dist")]) {
        if folder.exists() {
            std::fs::remove_dir_all(folder)
                .with_context(|| format!("could not empty {}", folder.display()))?;
        }
    }
    let [glue, carried_glue] = GLUE.map(workspace::path);
    let arguments = ["--target", "web", "--out-name", "keyward", "--out-dir"];
    process::run(
        program(tool(Tool::WasmBindgen)?, &arguments)
            .arg(&glue)
            .arg(&module),
    )?;
    typescript(&package, &[])?;
    copy_all(&glue, &carried_glue)?;
    for name in CARRIED {
        let from = workspace::path(name);
        copy(&from, &package.join(from.file_name().context("it is a file")?))?;
    }
    let module_bytes = std::fs::metadata(carried_glue.join("keyward_bg.wasm"))?.len();
    Ok(format!("a module of {} KiB", module_bytes.div_ceil(1024)))
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

/// Where the module lies, from cargo's messages.
fn artifact(messages: &str) -> Option<String> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
        .filter_map(|name| name.as_str().map(str::to_owned))
        .find(|name| name.ends_with("keyward_wasm.wasm"))
}

fn copy_all(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("could not make {}", to.display()))?;
    for entry in std::fs::read_dir(from).with_context(|| format!("could not list {}", from.display()))? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::copy(from, to)
        .map(|_| ())
        .with_context(|| format!("could not copy {}", from.display()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_found_among_cargos_messages() {
        let messages = "no json\n{\"reason\":\"compiler-artifact\",\"filenames\":[\"/t/libx.rlib\"]}\n\
                        {\"reason\":\"compiler-artifact\",\"filenames\":[\"/t/deps/a.rlib\",\"/t/keyward_wasm.wasm\"]}\n";
        assert_eq!(artifact(messages).as_deref(), Some("/t/keyward_wasm.wasm"));
        assert_eq!(artifact(""), None);
    }
}
