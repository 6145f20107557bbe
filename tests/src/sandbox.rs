//! A home folder of its own for each test, and the environment that goes with it.
//!
//! A program started in a [`Sandbox`] sees no variable of the person who runs the tests, so that a developer's own
//! vault, endpoint or database can be neither read nor changed. It does not confine the file system or the network.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;

/// Variables that a started program inherits; everything else is dropped.
const INHERITED: [&str; 3] = ["PATH", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE"];

/// A temporary home, removed when dropped.
#[derive(Debug)]
pub struct Sandbox {
    root: TempDir,
}

impl Sandbox {
    /// Makes the folders of a new home.
    ///
    /// # Errors
    /// When the temporary folder cannot be written.
    pub fn new() -> anyhow::Result<Self> {
        let root = tempfile::Builder::new()
            .prefix("keyward-test-")
            .tempdir()
            .context("could not make a temporary folder for the test")?;
        let sandbox = Self { root };
        for (_, folder) in sandbox.folders() {
            fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
        }
        Ok(sandbox)
    }

    /// The folder that holds everything of this sandbox.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// `$HOME` of the programs started here.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// `$XDG_DATA_HOME`.
    #[must_use]
    pub fn data_home(&self) -> PathBuf {
        self.root().join("data")
    }

    /// `$XDG_CONFIG_HOME`.
    #[must_use]
    pub fn config_home(&self) -> PathBuf {
        self.root().join("config")
    }

    /// Where a program started here keeps its vault unless told otherwise.
    #[must_use]
    pub fn vault(&self) -> PathBuf {
        self.data_home().join("keyward").join("keyward.db")
    }

    /// A path below the sandbox; nothing is made there.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// Writes a new file that only this user can read, as a password file should be, and returns its path.
    ///
    /// # Errors
    /// When the file exists already or cannot be written.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> anyhow::Result<PathBuf> {
        let path = self.path(name);
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(contents.as_ref()))
            .with_context(|| format!("could not write {}", path.display()))?;
        Ok(path)
    }

    /// The whole environment of a program started here.
    #[must_use]
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let inherited = INHERITED
            .iter()
            .filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)));
        let fixed = [
            ("TERM", "xterm-256color"),
            ("LANG", "C.UTF-8"),
            ("LC_ALL", "C.UTF-8"),
            ("TZ", "UTC"),
            ("RUST_BACKTRACE", "0"),
        ]
        .map(|(name, value)| (OsString::from(name), OsStr::new(value).to_owned()));
        let folders = self
            .folders()
            .map(|(name, path)| (OsString::from(name), path.into_os_string()));
        inherited.chain(fixed).chain(folders).collect()
    }

    fn folders(&self) -> [(&'static str, PathBuf); 7] {
        [
            ("HOME", self.home()),
            ("XDG_DATA_HOME", self.data_home()),
            ("XDG_CONFIG_HOME", self.config_home()),
            ("XDG_STATE_HOME", self.path("state")),
            ("XDG_CACHE_HOME", self.path("cache")),
            ("XDG_RUNTIME_DIR", self.path("run")),
            ("TMPDIR", self.path("tmp")),
        ]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn nothing_of_keyward_is_inherited_and_every_folder_is_below_the_root() {
        let sandbox = Sandbox::new().unwrap();
        let environment = sandbox.environment();
        assert!(!environment.iter().any(|(name, _)| {
            let name = name.to_string_lossy();
            name.starts_with("KEYWARD_") || name == "DATABASE_URL"
        }));
        for (name, folder) in sandbox.folders() {
            assert!(folder.starts_with(sandbox.root()), "{name}");
            assert!(folder.is_dir(), "{name}");
        }
    }

    #[test]
    fn files_are_private_and_never_overwritten() {
        let sandbox = Sandbox::new().unwrap();
        let path = sandbox.write("password", "one").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(sandbox.write("password", "two").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }

    #[test]
    fn the_root_goes_with_the_sandbox() {
        let sandbox = Sandbox::new().unwrap();
        let root = sandbox.root().to_owned();
        drop(sandbox);
        assert!(!root.exists());
    }
}
