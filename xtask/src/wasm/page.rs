//! The page of web-demo: built, tested, and served with its headers for a person to look at.

use anyhow::Context as _;

use super::{build, node};
use crate::process::{self, program};
use crate::setup::{self, Tool};
use crate::stages::Stages;
use crate::workspace;

const FOLDER: &str = "web-demo";
const TYPESCRIPT: &str = "node_modules/typescript/bin/tsc";
const VITE: &str = "node_modules/vite/bin/vite.js";

/// Its stages, after the package was built.
pub(super) fn run_in(stages: &mut Stages, package_built: bool) {
    stages.run("setup: page", || setup::install_node_packages(FOLDER));
    let built = stages.run("page", || {
        anyhow::ensure!(package_built, "there is no package to build it with");
        build_page()
    });
    for (name, folder) in [("package in loaders", "loaders"), ("page in Chromium", "tests")] {
        stages.run(name, || {
            anyhow::ensure!(built, "the page was not built");
            Ok(node::test(FOLDER, folder)?.to_string())
        });
    }
}

/// `cargo xtask page`: builds what it shows and serves it until it is interrupted.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut stages = Stages::default();
    stages.run("setup: Rust", setup::rust);
    stages.run("setup: wasm-bindgen", || setup::tool(Tool::WasmBindgen));
    stages.run("setup: TypeScript", || {
        setup::install_node_packages(super::PACKAGE)
    });
    let package_built = stages.run("browser package", build::package);
    stages.run("setup: page", || setup::install_node_packages(FOLDER));
    stages.run("page", || {
        anyhow::ensure!(package_built, "there is no package to build it with");
        build_page()
    });
    stages.finish()?;
    println!("\nThe page is served with its headers, on this machine alone. Ctrl-C ends it.");
    script(VITE, &["preview", "--host", "127.0.0.1"])
}

/// Checks its types and builds its files into `web-demo/dist`; says how much they are.
fn build_page() -> anyhow::Result<String> {
    script(TYPESCRIPT, &[])?;
    script(VITE, &["build"])?;
    let assets = workspace::path(FOLDER).join("dist").join("assets");
    let mut bytes = 0;
    for entry in std::fs::read_dir(&assets).with_context(|| format!("could not list {}", assets.display()))? {
        bytes += entry?.metadata()?.len();
    }
    Ok(format!("{} KiB with its module", bytes.div_ceil(1024)))
}

/// Runs a program of the folder's Node packages there.
fn script(path: &str, arguments: &[&str]) -> anyhow::Result<()> {
    process::run(
        program("node", &[path])
            .args(arguments)
            .current_dir(workspace::path(FOLDER)),
    )
}
