//! Tests written for Node's own runner.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::process::{self, TestCounts, cargo, program};
use crate::{setup, workspace};

/// How a file of tests ends.
const ENDING: &str = ".test.mjs";

/// A file that takes longer hangs; it is ended and fails.
const BOUND: &str = "--test-timeout=600000";

/// Runs every test of `tests`, a folder inside `folder`, there. Tests find the console and the browser that were set up
/// for them by `KEYWARD_TEST_BINARY` and `KEYWARD_TEST_CHROMIUM`.
///
/// # Errors
/// When there is no test, one fails or one is left out.
pub(super) fn test(folder: &str, tests: &str) -> anyhow::Result<TestCounts> {
    let folder = workspace::path(folder);
    let files = files(&folder.join(tests))?;
    ensure!(
        !files.is_empty(),
        "{} has no tests (*{ENDING})",
        folder.join(tests).display()
    );
    let names = files.iter().filter_map(|file| file.strip_prefix(&folder).ok());
    // Each file is named: what a folder means to the runner differs between versions of Node.
    let mut command = program("node", &["--test", "--test-reporter=tap", BOUND]);
    command
        .args(names)
        .current_dir(&folder)
        .env("KEYWARD_TEST_BINARY", console()?)
        .env("KEYWARD_TEST_CHROMIUM", setup::chromium()?);
    process::run_tests(&mut command)
}

/// Builds the console that the tests exchange vaults with.
pub(super) fn build_console() -> anyhow::Result<String> {
    // An example takes the features of the tests: after the build for those, this one has nothing to do.
    let arguments = [
        "build",
        "--workspace",
        "--bin",
        "keyward",
        "--example",
        "pictures",
    ];
    process::run(&mut cargo(&arguments)).map(|()| String::new())
}

/// Beside this program, where cargo puts both.
fn console() -> anyhow::Result<PathBuf> {
    let folder = std::env::current_exe()?;
    let folder = folder.parent().context("this program has no folder")?;
    let console = folder.join(workspace::executable("keyward"));
    ensure!(
        console.is_file(),
        "{} was not built: cargo build --workspace --bins",
        console.display()
    );
    Ok(console)
}

/// The files of tests in a folder and below it, in order; packages and what was built are not searched.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            if name != "node_modules" && name != "dist" {
                found.extend(files(&entry.path())?);
            }
        } else if name.to_string_lossy().ends_with(ENDING) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn tests_are_found_in_folders_and_below_them() {
        let root = std::env::temp_dir().join(format!("keyward-xtask-tests-{}", std::process::id()));
        for name in [
            "b.test.mjs",
            "a/c.test.mjs",
            "a/support.mjs",
            "node_modules/x/d.test.mjs",
            "dist/e.test.mjs",
        ] {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let found = files(&root);
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(
            found.unwrap(),
            [root.join("a/c.test.mjs"), root.join("b.test.mjs")]
        );
        assert!(files(&root).is_err());
    }
}
