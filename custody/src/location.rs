//! Where a vault's database lives.
//!
//! It only names a place; nothing is opened or created here.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::CustodyError;

/// The place of a vault's database: for now a SQLite file.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreLocation {
    path: PathBuf,
}

impl StoreLocation {
    /// Reads a file path or a `sqlite:` URL (`sqlite:relative.db`, `sqlite:///absolute.db`).
    ///
    /// # Errors
    /// [`CustodyError::UnsupportedStore`] for PostgreSQL and other URLs, [`CustodyError::Invalid`] for an empty one.
    /// The text of the URL is not repeated, since it may carry a password.
    pub fn parse(text: &str) -> Result<Self, CustodyError> {
        let invalid = |reason: &str| CustodyError::Invalid {
            what: "vault location",
            reason: reason.to_owned(),
        };
        if text.contains('\0') {
            return Err(invalid("it holds a NUL character"));
        }
        if let Some(rest) = text.strip_prefix("sqlite:") {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.contains('?') {
                return Err(invalid("options after `?` are not read; give the path alone"));
            }
            return Self::from_nonempty(path).ok_or_else(|| invalid("the path is empty"));
        }
        if let Some((scheme, _)) = text.split_once("://") {
            let scheme: String = scheme
                .chars()
                .take(20)
                .filter(|c| c.is_ascii_alphanumeric())
                .collect();
            return Err(CustodyError::UnsupportedStore { scheme });
        }
        Self::from_nonempty(text).ok_or_else(|| invalid("the path is empty"))
    }

    /// A location at this path.
    #[must_use]
    pub fn from_path(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// `$XDG_DATA_HOME/keyward/keyward.db`, with `~/.local/share` when the variable is not set to an absolute path.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] when neither it nor `HOME` is set.
    pub fn default_path() -> Result<Self, CustodyError> {
        let absolute = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        absolute("XDG_DATA_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/share")))
            .map(|data| Self::from_path(data.join("keyward/keyward.db")))
            .ok_or_else(|| CustodyError::Invalid {
                what: "vault location",
                reason: "neither XDG_DATA_HOME nor HOME is set; name the vault with --vault".to_owned(),
            })
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn from_nonempty(path: &str) -> Option<Self> {
        (!path.is_empty()).then(|| Self::from_path(path))
    }
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

impl fmt::Debug for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreLocation({})", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn paths_and_sqlite_urls_are_read() {
        let check = |text: &str, path: &str| {
            assert_eq!(
                StoreLocation::parse(text).unwrap().path(),
                Path::new(path),
                "{text}"
            );
        };
        check("vault.db", "vault.db");
        check("/srv/a vault.db", "/srv/a vault.db");
        check("sqlite:vault.db", "vault.db");
        check("sqlite://vault.db", "vault.db");
        check("sqlite:///srv/vault.db", "/srv/vault.db");
    }

    #[test]
    fn other_stores_are_refused_without_repeating_the_url() {
        for url in [
            "postgres://user:hunter2-canary@host/db",
            "postgresql://hunter2-canary@h/d",
            "mysql://hunter2-canary",
        ] {
            let error = StoreLocation::parse(url).unwrap_err();
            assert!(
                matches!(error, CustodyError::UnsupportedStore { .. }),
                "{error:?}"
            );
            assert!(!format!("{error} {error:?} {}", error.remedy()).contains("hunter2"));
        }
        for bad in ["", "sqlite:", "sqlite://", "a\0b", "sqlite:a.db?mode=ro"] {
            assert!(StoreLocation::parse(bad).is_err(), "{bad:?}");
        }
    }
}
