//! Node and the Node packages of a folder, exactly as its lock file names them.

use std::path::Path;

use anyhow::Context as _;

use super::debian;
use crate::process::{self, program};
use crate::stages::Missing;
use crate::workspace::{self, which};

/// The oldest Node where a folder's manifest names none.
const OLDEST_NODE: (u32, u32) = (18, 0);

/// Installs the packages of `folder` (below the root) unless they are there already; says the version of Node.
pub(crate) fn install(folder: &str) -> anyhow::Result<String> {
    if which("node").is_none() || which("npm").is_none() {
        debian::install("Node and npm", &["nodejs", "npm"])?;
    }
    let version = process::output(&mut program("node", &["--version"]))?;
    let version = version.trim();
    let found = numbers(version, "v").with_context(|| format!("node says its version is {version:?}"))?;
    let folder = workspace::path(folder);
    let oldest = oldest_node(&folder)?;
    if found < oldest {
        let (major, minor) = oldest;
        return Err(Missing(format!("Node {major}.{minor} or later: {version} is too old")).into());
    }

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

/// What `engines.node` of the folder's manifest says, such as `>=20.19`.
fn oldest_node(folder: &Path) -> anyhow::Result<(u32, u32)> {
    let path = folder.join("package.json");
    let manifest =
        std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest)?;
    match manifest["engines"]["node"].as_str() {
        None => Ok(OLDEST_NODE),
        Some(range) => numbers(range, ">=").with_context(|| format!("cannot read node {range:?}")),
    }
}

/// Major and minor number of `v20.20.2` or `>=20.19`.
fn numbers(version: &str, prefix: &str) -> Option<(u32, u32)> {
    let mut parts = version.strip_prefix(prefix)?.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next().unwrap_or(Ok(0)).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_read() {
        assert_eq!(numbers("v20.20.2", "v"), Some((20, 20)));
        assert_eq!(numbers("20", "v"), None);
        assert_eq!(numbers(">=20.19", ">="), Some((20, 19)));
        assert_eq!(numbers(">=18", ">="), Some((18, 0)));
        assert_eq!(numbers(">=20 <22", ">="), None);
    }
}
