//! Where a vault's database lives.
//!
//! It only names a place; nothing is opened or created here.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::error::CustodyError;

/// The place of a vault's database: a SQLite file, or a database of a PostgreSQL server.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreLocation {
    place: Place,
}

/// Which kind of store, and where it is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    File(PathBuf),
    Postgres(PostgresUrl),
}

/// The address of a PostgreSQL database. It may hold a password: wiped when dropped, never printed, compared in constant
/// time.
#[derive(Clone)]
pub(crate) struct PostgresUrl(Arc<Zeroizing<String>>);

impl PostgresUrl {
    /// The whole address, for the driver alone.
    pub(crate) fn expose_url(&self) -> &str {
        &self.0
    }
}

impl PartialEq for PostgresUrl {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for PostgresUrl {}

/// Host, port and database: what a person knows the vault by. No user, no password, no options.
impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        // A password that was not encoded may hold any of these signs, and then its pieces stand where host and
        // database would: an @ after them is no address to be shown.
        if tail.contains('@') {
            return f.write_str("postgres://…");
        }
        let host = authority.rsplit('@').next().unwrap_or("");
        let database = tail.split(['?', '#']).next().unwrap_or("");
        write!(f, "postgres://{host}{database}")
    }
}

impl StoreLocation {
    /// Reads a file path, a `sqlite:` URL (`sqlite:relative.db`, `sqlite:///absolute.db`) or a PostgreSQL URL
    /// (`postgres://user@host:port/database`).
    ///
    /// # Errors
    /// [`CustodyError::UnsupportedStore`] for other URLs, [`CustodyError::Invalid`] for an empty one. The text of the
    /// URL is not repeated, since it may carry a password.
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
        if let Some((scheme, rest)) = text.split_once("://") {
            if matches!(scheme, "postgres" | "postgresql") {
                if rest.is_empty() {
                    return Err(invalid("it names no server: postgres://user@host:port/database"));
                }
                let url = PostgresUrl(Arc::new(Zeroizing::new(text.to_owned())));
                return Ok(Self {
                    place: Place::Postgres(url),
                });
            }
            let scheme: String = scheme
                .chars()
                .take(20)
                .filter(|c| c.is_ascii_alphanumeric())
                .collect();
            return Err(CustodyError::UnsupportedStore { scheme });
        }
        Self::from_nonempty(text).ok_or_else(|| invalid("the path is empty"))
    }

    /// A SQLite file at this path.
    #[must_use]
    pub fn from_path(path: impl Into<PathBuf>) -> Self {
        Self {
            place: Place::File(path.into()),
        }
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

    /// The database file; `None` for a database of a server.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Postgres(_) => None,
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    fn from_nonempty(path: &str) -> Option<Self> {
        (!path.is_empty()).then(|| Self::from_path(path))
    }
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File(path) => path.display().fmt(f),
            Place::Postgres(url) => url.fmt(f),
        }
    }
}

impl fmt::Debug for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreLocation({self})")
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
                StoreLocation::parse(text).unwrap().file(),
                Some(Path::new(path)),
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
        for url in ["mysql://hunter2-canary", "postgres+x://u:hunter2-canary@h/d"] {
            let error = StoreLocation::parse(url).unwrap_err();
            assert!(
                matches!(error, CustodyError::UnsupportedStore { .. }),
                "{error:?}"
            );
            assert!(!format!("{error} {error:?} {}", error.remedy()).contains("hunter2"));
        }
        for bad in [
            "",
            "sqlite:",
            "sqlite://",
            "a\0b",
            "sqlite:a.db?mode=ro",
            "postgres://",
        ] {
            assert!(StoreLocation::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_address_is_shown_without_user_password_and_options() {
        let check = |url: &str, shown: &str| {
            let location = StoreLocation::parse(url).unwrap();
            assert_eq!(location.to_string(), shown);
            assert_eq!(format!("{location:?}"), format!("StoreLocation({shown})"));
            assert!(location.file().is_none());
        };
        check("postgres://host/db", "postgres://host/db");
        check(
            "postgresql://user:hunter2@host:5433/db?sslmode=require",
            "postgres://host:5433/db",
        );
        check("postgres://user:hun/ter2@host/db", "postgres://…");
        check("postgres://user:hun?ter2@host/db", "postgres://…");
        check("postgres://user:hun#ter2@host/db", "postgres://…");
        check("postgres://user:a@hun?ter2@host/db", "postgres://…");
        check("postgres://user:hun@ter2@host/db", "postgres://host/db");
        check("postgres://user@host/db?password=hunter2@x", "postgres://…");
        check("postgres://user@host/db?password=hunter2", "postgres://host/db");
    }

    #[test]
    fn addresses_are_told_apart() {
        let of = |text: &str| StoreLocation::parse(text).unwrap();
        assert!(of("postgres://a:b@h/d") == of("postgres://a:b@h/d"));
        assert!(of("postgres://a:b@h/d") != of("postgres://a:c@h/d"));
        assert!(of("postgres://a:b@h/d") != of("d"));
    }
}
