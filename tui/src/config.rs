//! Settings of the console and the subcommands: one small TOML file.
//!
//! `$XDG_CONFIG_HOME/keyward/config.toml` (or `~/.config/keyward/config.toml`). Unknown keys are refused, so that a typing
//! error is seen and not silently a default. The file holds no secret: passwords come from elsewhere (see
//! `docs/cli.md`). An endpoint's address may hold a provider's access token, so the file is written with mode 0600.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod endpoint;
mod node;

pub use endpoint::{EndpointPrivacy, check_rpc_url, check_ws_url, endpoint_host};

/// A settings file is never near this long; a longer one is not ours.
const MAX_FILE_BYTES: u64 = 64 * 1024;
/// Minutes without a key after which the console locks, unless chosen otherwise.
pub const DEFAULT_LOCK_AFTER_MINUTES: u32 = 10;
/// One day: the longest idle time that can be chosen.
pub const MAX_LOCK_AFTER_MINUTES: u32 = 24 * 60;

/// The colours of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// For dark terminals.
    Dark,
    /// For light terminals.
    Light,
    /// What the terminal says about itself, else dark.
    #[default]
    Auto,
}

impl Theme {
    /// Every theme, in the order in which settings offer them.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Dark, Self::Light];

    /// The name in the settings file.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Auto => "auto",
        }
    }
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Theme {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Self::ALL
            .into_iter()
            .find(|theme| theme.id() == text)
            .ok_or(ConfigError::Value {
                key: Key::Theme,
                reason: "not dark, light or auto",
            })
    }
}

/// The settings, each with its default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// JSON-RPC endpoint, `http` or `https`. None by default: nothing is contacted before an endpoint is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_url: Option<String>,
    /// WebSocket endpoint, `ws` or `wss`. By default worked out from `rpc_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ws_url: Option<String>,
    /// Further JSON-RPC endpoints of the same network, which stand in for the first in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more_rpc_urls: Vec<String>,
    /// The most requests in a second of each endpoint. None: as many as it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests_per_second: Option<u32>,
    /// Idle minutes after which the console locks: 1 to 1440.
    pub lock_after_minutes: u32,
    /// Colours.
    pub theme: Theme,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rpc_url: None,
            ws_url: None,
            more_rpc_urls: Vec::new(),
            max_requests_per_second: None,
            lock_after_minutes: DEFAULT_LOCK_AFTER_MINUTES,
            theme: Theme::default(),
        }
    }
}

/// The name of one setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// `rpc_url`
    RpcUrl,
    /// `ws_url`
    WsUrl,
    /// `more_rpc_urls`, written with spaces between
    MoreRpcUrls,
    /// `max_requests_per_second`
    MaxRequestsPerSecond,
    /// `lock_after_minutes`
    LockAfterMinutes,
    /// `theme`
    Theme,
}

impl Key {
    /// Every setting, in the order of the file.
    pub const ALL: [Self; 6] = [
        Self::RpcUrl,
        Self::WsUrl,
        Self::MoreRpcUrls,
        Self::MaxRequestsPerSecond,
        Self::LockAfterMinutes,
        Self::Theme,
    ];

    /// The name in the settings file and on the command line.
    pub const fn id(self) -> &'static str {
        match self {
            Self::RpcUrl => "rpc_url",
            Self::WsUrl => "ws_url",
            Self::MoreRpcUrls => "more_rpc_urls",
            Self::MaxRequestsPerSecond => "max_requests_per_second",
            Self::LockAfterMinutes => "lock_after_minutes",
            Self::Theme => "theme",
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl FromStr for Key {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Self::ALL
            .into_iter()
            .find(|key| key.id() == text)
            .ok_or(ConfigError::UnknownKey)
    }
}

/// Why settings could not be read, changed or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Neither `XDG_CONFIG_HOME` nor `HOME` is set.
    #[error("no folder for settings: neither XDG_CONFIG_HOME nor HOME is set")]
    NoHome,
    /// The file exists and cannot be read.
    #[error("cannot read the settings at {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the settings at {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what it should be. The text names line and key, never the offending value.
    #[error("the settings at {} are not valid{}: {reason}", path.display(), line.map(|n| format!(" (line {n})")).unwrap_or_default())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// 1-based line, when known.
        line: Option<usize>,
        /// What is wrong.
        reason: String,
    },
    /// No such setting.
    #[error(
        "there is no such setting; there are rpc_url, ws_url, more_rpc_urls, max_requests_per_second, lock_after_minutes and theme"
    )]
    UnknownKey,
    /// A value that the setting does not take.
    #[error("{key}: {reason}")]
    Value {
        /// The setting.
        key: Key,
        /// What is wrong with the value; never the value.
        reason: &'static str,
    },
}

impl ConfigError {
    /// What the person can do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::NoHome => "set XDG_CONFIG_HOME or HOME",
            Self::Read { .. } => "check the file's owner and permissions",
            Self::Write { .. } => "check the folder's permissions and the free space",
            Self::Syntax { .. } => "mend or remove the file; `keyward config path` names it",
            Self::UnknownKey => "see `keyward config list`",
            Self::Value { .. } => "see `keyward config --help` for what each setting takes",
        }
    }
}

impl Config {
    /// Where the settings live for this user.
    ///
    /// # Errors
    ///
    /// [`ConfigError::NoHome`] when the environment names no folder.
    pub fn default_path() -> Result<PathBuf, ConfigError> {
        path_from(std::env::var_os("XDG_CONFIG_HOME"), std::env::var_os("HOME"))
    }

    /// Reads the settings; a file that does not exist gives the defaults.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Read`], or [`ConfigError::Syntax`] and [`ConfigError::Value`] when the content is not valid.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let read = |source| ConfigError::Read {
            path: path.to_path_buf(),
            source,
        };
        let file = match fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(read(error)),
        };
        let mut text = String::new();
        file.take(MAX_FILE_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(read)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(syntax(path, None, "the file is longer than 64 KiB"));
        }
        let config: Self = toml::from_str(&text).map_err(|error| {
            let line = error
                .span()
                .and_then(|span| text.get(..span.start))
                .map(|before| before.matches('\n').count() + 1);
            syntax(path, line, error.message())
        })?;
        config.check()?;
        Ok(config)
    }

    /// Writes the settings with mode 0600: into a new file beside the old one, which it then replaces.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`] when a setting is out of its range, [`ConfigError::Write`] when the disk refuses.
    pub fn save(&self, path: &Path) -> Result<(), ConfigError> {
        self.check()?;
        let write = |source| ConfigError::Write {
            path: path.to_path_buf(),
            source,
        };
        let text = toml::to_string(self).map_err(|error| syntax(path, None, &error.to_string()))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(write)?;
        }
        let beside = path.with_extension(format!("toml.{}", std::process::id()));
        let written = write_private(&beside, text.as_bytes()).and_then(|()| fs::rename(&beside, path));
        if written.is_err() {
            // The half-written neighbour is of no use; that it cannot be removed changes nothing.
            let _ = fs::remove_file(&beside);
        }
        written.map_err(write)
    }

    /// One setting as text; `None` when it is not set and has no default.
    pub fn get(&self, key: Key) -> Option<String> {
        match key {
            Key::RpcUrl => self.rpc_url.clone(),
            Key::WsUrl => self.ws_url.clone(),
            Key::MoreRpcUrls => (!self.more_rpc_urls.is_empty()).then(|| self.more_rpc_urls.join(" ")),
            Key::MaxRequestsPerSecond => self.max_requests_per_second.map(|rate| rate.to_string()),
            Key::LockAfterMinutes => Some(self.lock_after_minutes.to_string()),
            Key::Theme => Some(self.theme.id().to_owned()),
        }
    }

    /// Changes one setting; an empty text puts it back to its default.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`] when the setting does not take this value; nothing is changed then.
    pub fn set(&mut self, key: Key, value: &str) -> Result<(), ConfigError> {
        let value = value.trim();
        let default = Self::default();
        match (key, value.is_empty()) {
            (Key::RpcUrl, true) => self.rpc_url = None,
            (Key::WsUrl, true) => self.ws_url = None,
            (Key::MoreRpcUrls, true) => self.more_rpc_urls = Vec::new(),
            (Key::MaxRequestsPerSecond, true) => self.max_requests_per_second = None,
            (Key::LockAfterMinutes, true) => self.lock_after_minutes = default.lock_after_minutes,
            (Key::Theme, true) => self.theme = default.theme,
            (Key::RpcUrl, false) => {
                check_rpc_url(value)?;
                self.rpc_url = Some(value.to_owned());
            }
            (Key::WsUrl, false) => {
                check_ws_url(value)?;
                self.ws_url = Some(value.to_owned());
            }
            (Key::MoreRpcUrls, false) => self.more_rpc_urls = node::parse_urls(value)?,
            (Key::MaxRequestsPerSecond, false) => {
                self.max_requests_per_second = Some(node::parse_rate(value)?);
            }
            (Key::LockAfterMinutes, false) => self.lock_after_minutes = parse_minutes(value)?,
            (Key::Theme, false) => self.theme = value.parse()?,
        }
        Ok(())
    }

    fn check(&self) -> Result<(), ConfigError> {
        if let Some(url) = &self.rpc_url {
            check_rpc_url(url)?;
        }
        if let Some(url) = &self.ws_url {
            check_ws_url(url)?;
        }
        node::check_urls(&self.more_rpc_urls)?;
        if let Some(rate) = self.max_requests_per_second {
            node::check_rate(rate)?;
        }
        check_minutes(self.lock_after_minutes).map(|_| ())
    }
}

fn parse_minutes(text: &str) -> Result<u32, ConfigError> {
    let minutes = text.parse().map_err(|_| ConfigError::Value {
        key: Key::LockAfterMinutes,
        reason: "not a whole number",
    })?;
    check_minutes(minutes)
}

fn check_minutes(minutes: u32) -> Result<u32, ConfigError> {
    if (1..=MAX_LOCK_AFTER_MINUTES).contains(&minutes) {
        Ok(minutes)
    } else {
        Err(ConfigError::Value {
            key: Key::LockAfterMinutes,
            reason: "must be 1 to 1440",
        })
    }
}

fn syntax(path: &Path, line: Option<usize>, reason: &str) -> ConfigError {
    ConfigError::Syntax {
        path: path.to_path_buf(),
        line,
        reason: reason.to_owned(),
    }
}

fn path_from(xdg: Option<OsString>, home: Option<OsString>) -> Result<PathBuf, ConfigError> {
    // The XDG specification says that relative paths are to be ignored.
    let absolute = |value: Option<OsString>| value.map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(xdg)
        .or_else(|| absolute(home).map(|home| home.join(".config")))
        .map(|folder| folder.join("keyward").join("config.toml"))
        .ok_or(ConfigError::NoHome)
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
