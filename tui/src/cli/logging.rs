//! The log: none, unless `KEYWARD_LOG` names a file.
//!
//! Only this project's own crates log below warnings: what libraries say at finer levels (requests, statements) is not ours
//! to vouch for. `KEYWARD_LOG_LEVEL` is `error`, `warn`, `info` (the default), `debug` or `trace`.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::sync::Mutex;

use tracing::Level;
use tracing_subscriber::filter::EnvFilter;

use crate::exit::{Exit, Failure};

/// Starts to log when the environment asks for it.
pub(crate) fn start() -> Result<(), Failure> {
    let Some(path) = std::env::var_os("KEYWARD_LOG")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
    else {
        return Ok(());
    };
    let level = std::env::var("KEYWARD_LOG_LEVEL").unwrap_or_else(|_| "info".to_owned());
    let level: Level = level.parse().map_err(|_| {
        let remedy = "set KEYWARD_LOG_LEVEL to error, warn, info, debug or trace";
        Failure::invalid("log_level", "KEYWARD_LOG_LEVEL names no level", remedy)
    })?;
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(|error| {
        let message = format!("cannot write the log to {}: {error}", path.display());
        Failure::new(
            Exit::Storage,
            "log_unwritable",
            message,
            "name another file with KEYWARD_LOG, or unset it",
        )
    })?;
    let filter = EnvFilter::new(format!(
        "warn,keyward={level},keyward_core={level},keyward_custody={level}"
    ));
    // Only a second subscriber in the same process could make this fail, and there is none.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Mutex::new(file))
        .with_ansi(false)
        .try_init();
    Ok(())
}
