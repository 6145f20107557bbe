//! `keyward vault settings`: the limits and intervals that hold for every process on a vault.

use keyward_custody::{SettingKey, SettingKind, VaultSettings};
use serde_json::{Map, Value, json};

use crate::cli::context::{Context, ask_password, second_factor_for};
use crate::duration;
use crate::exit::Failure;
use crate::output::{Align, Report, Table};

/// Show and change the limits that hold for every process on this vault
///
/// They are signed: who edits them in the database is refused. What may be signed is policy, and what this machine prefers is
/// `keyward config`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show every setting with its range
    #[command(after_help = "Example:\n  keyward vault settings show --json")]
    Show,
    /// Change settings, all that are named or none; the password is asked for
    #[command(
        after_help = "Examples:\n  keyward vault settings set max_wallets_per_owner=5\n  keyward vault settings set lockout_first_ms=1m lockout_max_ms=1d"
    )]
    Set {
        /// The setting and its new value: a number, or a time such as 30d, 12h, 15m, 90s or 250ms
        #[arg(required = true, value_name = "NAME=VALUE", value_parser = assignment)]
        changes: Vec<(SettingKey, u64)>,
    },
}

pub(crate) async fn run(context: &Context, command: Command) -> Result<Report, Failure> {
    let settings = match command {
        Command::Show => context.open().await?.0.settings().await?,
        Command::Set { changes } => {
            let (custody, summary) = context.open().await?;
            let factor = second_factor_for(&summary)?;
            let password = match context.given_password()? {
                Some(password) => password,
                None => ask_password("Password: ")?,
            };
            custody.unlock(&password, factor.as_ref()).await?;
            custody
                .change_settings(&changes, &password, factor.as_ref())
                .await?
        }
    };
    Ok(report(&settings))
}

fn report(settings: &VaultSettings) -> Report {
    let mut table = Table::new(&[
        ("setting", Align::Left),
        ("value", Align::Right),
        ("least", Align::Right),
        ("most", Align::Right),
    ]);
    let mut values = Map::new();
    for key in SettingKey::ALL {
        let shown = |value: u64| match key.kind() {
            SettingKind::Count => value.to_string(),
            SettingKind::DurationMs => duration::show(value),
        };
        let (least, most) = key.range();
        table.row([
            key.id().to_owned(),
            shown(key.get(settings)),
            shown(least),
            shown(most),
        ]);
        values.insert(key.id().to_owned(), Value::from(key.get(settings)));
    }
    Report::new(table.render(), json!({ "settings": values }))
}

fn assignment(text: &str) -> Result<(SettingKey, u64), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("a setting and its value, as in max_wallets_per_owner=5")?;
    let key: SettingKey = name.parse().map_err(|error| format!("{error}"))?;
    let value = match key.kind() {
        SettingKind::Count => value.parse().map_err(|_| format!("{key} takes a whole number"))?,
        SettingKind::DurationMs => duration::parse(value).map_err(|error| format!("{key} takes {error}"))?,
    };
    Ok((key, value))
}
