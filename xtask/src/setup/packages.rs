//! Node and the Node packages of a folder, exactly as its lock file names them.

use std::path::Path;

use anyhow::{Context as _, ensure};

use super::debian;
use crate::process::{self, program};
use crate::workspace::{self, which};

/// The oldest Node that the test node's package runs on.
const OLDEST_NODE: u32 = 18;

/// Installs the packages of `folder` (below the root) unless they are there already; says the version of Node.
pub(crate) fn install(folder: &str) -> anyhow::Result<String> {
    if which("node").is_none() || which("npm").is_none() {
        debian::install("Node and npm", &["nodejs", "npm"])?;
    }
    let version = process::output(&mut program("node", &["--version"]))?;
    let version = version.trim();
    let found = major(version).with_context(|| format!("node says its version is {version:?}"))?;
    ensure!(
        found >= OLDEST_NODE,
        "Node {version} is too old: {OLDEST_NODE} or later is needed"
    );

    let folder = workspace::path(folder);
    let lock = std::fs::read(folder.join("package-lock.json"))
        .with_context(|| format!("{} has no lock file", folder.display()))?;
    let stamp = folder.join("node_modules").join(".keyward-lock");
    if is_installed(&stamp, &lock) {
        return Ok(format!("Node {version}, packages found"));
    }
    // No package may run code of its own while it is installed.
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    process::run(program("npm", &arguments).current_dir(&folder))?;
    std::fs::write(&stamp, &lock).with_context(|| format!("could not write {}", stamp.display()))?;
    Ok(format!("Node {version}, packages installed"))
}

/// Whether the packages were installed from exactly this lock file.
fn is_installed(stamp: &Path, lock: &[u8]) -> bool {
    std::fs::read(stamp).is_ok_and(|installed| installed == lock)
}

fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_read() {
        assert_eq!(major("v20.20.2"), Some(20));
        assert_eq!(major("20"), None);
    }
}
