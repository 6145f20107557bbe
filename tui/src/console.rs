//! The full-screen console.
//!
//! `update(&mut State, Msg) -> Vec<Effect>` and `view(&State, &mut Frame)` are pure: no clock, no input or output,
//! no async. [`runner`](self) feeds them events and does the effects as tasks. One table of keys ([`keymap`]) drives
//! the keys, the bottom bar, the help and the command palette.
//!
//! It decides nothing about keys, policy or audit: it shows what `keyward-custody` says and asks it to act.

use std::path::PathBuf;

use keyward_custody::StoreLocation;

use crate::config::Config;

pub mod bars;
pub mod effect;
pub mod effects;
pub mod form;
pub mod input;
pub mod jobs;
pub mod keymap;
pub mod layout;
pub mod list;
pub mod modal;
pub mod msg;
pub mod page;
pub mod picture;
mod runner;
pub mod screen;
pub mod sheet;
pub mod state;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod transfers;
pub mod update;
pub mod vault_key;
pub mod verification;
pub mod view;
pub mod widget;

/// What the console is opened with.
pub struct ConsoleArgs {
    /// Where the vault lives.
    pub location: StoreLocation,
    /// The settings in force: the file's, overridden by the environment and the command line.
    pub config: Config,
    /// Where changed settings are written.
    pub config_path: PathBuf,
    /// Whether colour is switched off (`NO_COLOR`).
    pub no_color: bool,
}

/// Opens the console and returns when it is left.
///
/// # Errors
///
/// When the terminal cannot be used, or when the vault's database did not open (after the screen has said so and
/// the person has left).
pub async fn run(args: ConsoleArgs) -> anyhow::Result<()> {
    runner::run(args).await
}
