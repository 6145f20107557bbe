//! Builds the npm package: the module, its glue and the compiled TypeScript.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{PACKAGE, tool, typescript};
use crate::process::{self, cargo, program};
use crate::setup::Tool;
use crate::workspace;

/// What wasm-bindgen makes lies here while TypeScript is compiled against it, and beside the result after.
const GLUE: [&str; 2] = ["wasm/js/src/glue", "wasm/js/dist/glue"];
/// Files of the repository that the package carries.
const CARRIED: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "wasm/README.md"];

/// What wasm-opt may use beyond the first version of WebAssembly: what rustc uses for this target, and the vector
/// instructions of `.cargo/config.toml`.
const INSTRUCTIONS: [&str; 8] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-simd",
];

/// A module that the package carries.
pub(super) struct Module<'a> {
    /// Without `_bg.wasm`.
    pub(super) name: &'a str,
    /// What is in it and what is not, as arguments for cargo.
    pub(super) features: &'a [&'a str],
}

/// What pages load unless they ask for less.
const FULL: Module<'_> = Module {
    name: "keyward",
    features: &[],
};
/// For pages that open a vault and sign on Solana: the same classes, and the rest of them says that it is not built in.
const SIGNER: Module<'_> = Module {
    name: "signer",
    features: &["--no-default-features"],
};

/// Builds the package into `wasm/js/dist` and says how much a page loads.
pub(super) fn package() -> anyhow::Result<String> {
    let full = built(&FULL)?;
    let signer = built(&SIGNER)?;
    let package = workspace::path(PACKAGE);
    let [glue, carried_glue] = GLUE.map(workspace::path);
    for folder in [&glue, &package.join("dist")] {
        if folder.exists() {
            std::fs::remove_dir_all(folder)
                .with_context(|| format!("could not empty {}", folder.display()))?;
        }
    }
    copy_all(&full, &glue)?;
    typescript(&package, &[])?;
    process::run(program("node", &["build.mjs"]).current_dir(&package))?;
    copy_all(&glue, &carried_glue)?;
    // It runs below the other's glue, which has all that it imports.
    let file = |module: &Module<'_>| carried_glue.join(format!("{}_bg.wasm", module.name));
    copy(&signer.join("keyward_bg.wasm"), &file(&SIGNER))?;
    for name in CARRIED {
        let from = workspace::path(name);
        copy(&from, &package.join(from.file_name().context("it is a file")?))?;
    }
    let mut sizes = Vec::new();
    for module in [&FULL, &SIGNER] {
        let bytes = std::fs::metadata(file(module))?.len();
        sizes.push(format!("{} {} KiB", module.name, bytes.div_ceil(1024)));
    }
    Ok(sizes.join(", "))
}

/// Compiles a module, binds it and optimises it; gives the folder with the module and its glue.
pub(super) fn built(module: &Module<'_>) -> anyhow::Result<PathBuf> {
    // As a module alone: beside a library for Rust there would be no optimisation across crates.
    let arguments = [
        "rustc",
        "--package",
        "keyward-wasm",
        "--lib",
        "--crate-type",
        "cdylib",
        "--target",
        "wasm32-unknown-unknown",
        "--profile",
        "wasm",
        "--message-format",
        "json-render-diagnostics",
    ];
    let mut build = cargo(&arguments);
    build.args(module.features).arg("--config").arg(without_paths()?);
    let messages = process::output(&mut build)?;
    let compiled = artifact(&messages).context("cargo did not say where the module is")?;
    let folder = Path::new(&compiled).with_file_name(format!("keyward-{}", module.name));
    let arguments = ["--target", "web", "--out-name", "keyward", "--out-dir"];
    process::run(
        program(tool(Tool::WasmBindgen)?, &arguments)
            .arg(&folder)
            .arg(&compiled),
    )?;
    optimise(&folder.join("keyward_bg.wasm"))?;
    Ok(folder)
}

/// Settings for cargo by which no folder of this machine gets into the module: places of panics name files.
fn without_paths() -> anyhow::Result<String> {
    let mut folders = vec![(workspace::path(""), "keyward")];
    let sources = workspace::cargo_home()?.join("registry/src");
    // One folder for each registry, named after its host.
    for registry in std::fs::read_dir(&sources).with_context(|| format!("no {}", sources.display()))? {
        folders.push((registry?.path(), "crates"));
    }
    let flags: Vec<String> = folders
        .iter()
        .map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display()))
        .collect();
    // Rust's own quoting is TOML's for paths without control characters.
    Ok(format!("target.wasm32-unknown-unknown.rustflags={flags:?}"))
}

/// Lets binaryen make the module quicker and smaller, in place.
fn optimise(module: &Path) -> anyhow::Result<()> {
    let optimiser = workspace::path(PACKAGE).join("node_modules/binaryen/bin/wasm-opt");
    let mut command = program("node", &[]);
    command
        .arg(optimiser)
        .args(INSTRUCTIONS)
        .args(["-O3", "--strip-debug", "--strip-producers"]);
    process::run(command.arg(module).arg("--output").arg(module))
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
