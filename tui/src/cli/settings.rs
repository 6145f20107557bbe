//! `keyward config`: read and change the settings file.

use serde_json::{Map, Value, json};

use super::context::{Context, plain_text_warning};
use crate::config::{self, Config, EndpointPrivacy, Key};
use crate::exit::Failure;
use crate::output::{Report, fields};

/// Read and change the settings
///
/// rpc_url: the node's JSON-RPC address, http or https; none by default. ws_url: its WebSocket address, ws or wss, where it
/// is not the customary one. more_rpc_urls: further nodes of the same network that stand in for the first, with spaces between.
/// max_requests_per_second: how fast each node is asked at most, 1 to 10000. lock_after_minutes: idle minutes after which the console locks, 1 to 1440, by default 10.
/// theme: dark, light or auto.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print one setting
    #[command(after_help = "Example:\n  keyward config get rpc_url")]
    Get {
        /// The setting
        key: String,
    },
    /// Change one setting; an empty value puts it back to its default
    #[command(
        after_help = "Examples:\n  keyward config set rpc_url http://127.0.0.1:8899\n  keyward config set theme light"
    )]
    Set {
        /// The setting
        key: String,
        /// Its new value
        value: String,
    },
    /// Print the settings file's path
    #[command(after_help = "Example:\n  keyward config path")]
    Path,
    /// Print every setting
    #[command(after_help = "Example:\n  keyward config list --json")]
    List,
}

pub(crate) fn run(context: &mut Context, command: Command) -> Result<Report, Failure> {
    let path = context.config_path()?;
    match command {
        Command::Path => {
            let path = path.display().to_string();
            Ok(Report::new(format!("{path}\n"), json!({ "path": path })))
        }
        Command::Get { key } => {
            let key: Key = key.parse()?;
            let value = Config::load(&path)?.get(key);
            let text = value
                .clone()
                .map(|value| format!("{value}\n"))
                .unwrap_or_default();
            Ok(Report::new(text, json!({ "key": key.id(), "value": value })))
        }
        Command::Set { key, value } => {
            let key: Key = key.parse()?;
            let mut config = Config::load(&path)?;
            config.set(key, &value)?;
            config.save(&path)?;
            if let (Key::RpcUrl, Some(url)) = (key, &config.rpc_url)
                && config::check_rpc_url(url)? == EndpointPrivacy::PlainText
            {
                context.warn(&plain_text_warning(url));
            }
            if let (Key::WsUrl, Some(url)) = (key, &config.ws_url)
                && config::check_ws_url(url)? == EndpointPrivacy::PlainText
            {
                context.warn(&plain_text_warning(url));
            }
            let value = config.get(key);
            let text = fields(&[(key.id(), value.clone().unwrap_or_else(|| "not set".to_owned()))]);
            Ok(Report::new(text, json!({ "key": key.id(), "value": value })))
        }
        Command::List => {
            let config = Config::load(&path)?;
            let shown = |key: Key| config.get(key).unwrap_or_else(|| "not set".to_owned());
            let pairs: Vec<(&str, String)> = Key::ALL.into_iter().map(|key| (key.id(), shown(key))).collect();
            let values: Map<String, Value> = Key::ALL
                .into_iter()
                .map(|key| (key.id().to_owned(), json!(config.get(key))))
                .collect();
            Ok(Report::new(
                fields(&pairs),
                json!({ "path": path.display().to_string(), "settings": values }),
            ))
        }
    }
}
