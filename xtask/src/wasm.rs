//! Builds the browser package and tests it: core and the exports in browsers, the package in Node and in bundlers, and
//! the page that is made with it.

mod browsers;
mod build;
mod node;
mod page;
mod sizes;

use std::path::Path;

use crate::process::{self, program};
use crate::setup::{self, Tool};
use crate::stages::Stages;
use crate::{test, workspace};

pub(crate) use page::run as serve_page;

use browsers::Browser;

/// The npm package.
const PACKAGE: &str = "wasm/js";

/// `cargo xtask wasm [--all-browsers]`, or `--sizes` for what each feature costs.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    if matches!(arguments, [only] if only == "--sizes") {
        return sizes::run();
    }
    let all_browsers = test::takes_all_browsers(arguments)?;
    let mut stages = Stages::default();
    stages.run("setup: Rust", setup::rust);
    setup::for_browsers(&mut stages);
    // The chains' nodes that the package's tests send to.
    stages.run("setup: Node packages", || {
        setup::install_node_packages("tests/node")
    });
    run_in(&mut stages);
    if all_browsers {
        run_in_firefox(&mut stages);
    }
    stages.finish()
}

/// Builds and tests as stages of a longer row, in which the tools were set up before.
pub(crate) fn run_in(stages: &mut Stages) {
    browsers::run_in(stages, Browser::Chromium);
    stages.run("setup: TypeScript", || setup::install_node_packages(PACKAGE));
    let built = stages.run("browser package", build::package);
    stages.run("browser package's types", || {
        anyhow::ensure!(built, "no package was built to test");
        check_types().map(|()| "node16 and bundler".to_owned())
    });
    stages.run("console for the package's tests", node::build_console);
    stages.run("browser package in Node", || {
        anyhow::ensure!(built, "no package was built to test");
        Ok(node::test(PACKAGE, "test")?.to_string())
    });
    page::run_in(stages, built);
}

/// Builds the package without testing it.
pub(crate) fn build() -> anyhow::Result<()> {
    let mut stages = Stages::default();
    stages.run("setup: Rust", setup::rust);
    setup::for_browsers(&mut stages);
    stages.run("setup: TypeScript", || setup::install_node_packages(PACKAGE));
    stages.run("browser package", build::package);
    stages.finish()
}

/// The suites that Chromium ran, in Firefox; sets it up first.
pub(crate) fn run_in_firefox(stages: &mut Stages) {
    setup::for_firefox(stages);
    browsers::run_in(stages, Browser::Firefox);
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
