//! Where things are: the work tree, the folder of tools outside it, and versions named in the lock file.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::Context as _;

/// The root of the work tree.
///
/// As cargo says when it runs this, not when it built it: clones that share a target folder share the program too.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        manifest.parent().map(Path::to_owned).unwrap_or(manifest)
    });
    &ROOT
}

/// A path in the work tree.
pub(crate) fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

/// Where command line tools are installed once for all clones: `$XDG_CACHE_HOME/keyward/tools` or
/// `~/.cache/keyward/tools`.
///
/// # Errors
/// When neither variable is set.
pub(crate) fn tools() -> anyhow::Result<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(cache) => PathBuf::from(cache),
        None => PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?)
            .join(".cache"),
    };
    Ok(cache.join("keyward").join("tools"))
}

/// Where cargo keeps the sources of packages: `$CARGO_HOME`, else `~/.cargo`.
///
/// # Errors
/// When neither variable is set.
pub(crate) fn cargo_home() -> anyhow::Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME").filter(|value| !value.is_empty()) {
        return Ok(PathBuf::from(home));
    }
    let home = std::env::var_os("HOME").context("neither CARGO_HOME nor HOME is set")?;
    Ok(PathBuf::from(home).join(".cargo"))
}

/// The version of `package` in the workspace's lock file.
///
/// # Errors
/// When the lock file cannot be read or has no such package.
pub(crate) fn locked_version(package: &str) -> anyhow::Result<String> {
    let lock = std::fs::read_to_string(path("Cargo.lock")).context("could not read Cargo.lock")?;
    version_in(&lock, package).with_context(|| format!("{package} is not in Cargo.lock"))
}

fn version_in(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.next()?;
    let version = lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')?;
    Some(version.to_owned())
}

/// The file name of a program on this system.
pub(crate) fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// Finds a program on the search path.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(executable(name)))
        .find(|candidate| candidate.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_its_own_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.2\"\n";
        assert_eq!(version_in(lock, "wasm-bindgen").as_deref(), Some("0.2.1"));
        assert_eq!(version_in(lock, "wasm-bindgen-futures").as_deref(), Some("0.4.2"));
        assert_eq!(version_in(lock, "wasm"), None);
    }

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(path("Cargo.lock").is_file());
        assert!(path("xtask/Cargo.toml").is_file());
    }
}
