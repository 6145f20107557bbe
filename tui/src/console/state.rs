//! The whole state of the console.
//!
//! [`State`] is what is open (a stack of screens, perhaps a window above it) and [`Shared`], what every
//! screen may read. Everything that belongs to an unlocked vault lives in [`Session`] or in a screen
//! and is dropped at a lock.

use std::collections::HashMap;
use std::path::PathBuf;

use keyward_core::account::AccountAddress;
use keyward_core::amount::Lamports;
use keyward_custody::VaultSummary;
use keyward_custody::chain::NodeStatus;

use super::effect::{Failure, Pending, RequestId};
use super::jobs::Jobs;
use super::modal::{Modal, Purpose};
use super::screen::Screen;
use super::screen::opening::Starting;
use super::theme::{Background, Palette, TerminalHints};
use super::transfers::Transfers;
use super::vault_key::VaultKey;
use super::verification::Verification;
use crate::config::{Config, Theme};

/// The console cannot be used below this size.
pub const SMALLEST: (u16, u16) = (80, 24);

/// How many balances are remembered at most.
const MAX_BALANCES: usize = 20_000;

/// Everything.
#[derive(Debug)]
pub struct State {
    /// What every screen may read.
    pub shared: Shared,
    /// What is shown.
    pub screen: Screen,
    /// What waits below it, the nearest last.
    pub below: Vec<Screen>,
    /// The window above it.
    pub modal: Option<Modal>,
}

/// What every screen may read.
#[derive(Debug)]
pub struct Shared {
    /// The time, in milliseconds since the Unix epoch, as of the last tick.
    pub now_ms: u64,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The styles in force.
    pub palette: Palette,
    /// What the environment says about the terminal.
    pub hints: TerminalHints,
    /// The settings in force.
    pub config: Config,
    /// Where changed settings are written.
    pub config_path: PathBuf,
    /// Where the vault lives, for people.
    pub location: String,
    /// Whether a second factor is in the environment.
    pub second_factor: SecondFactorHint,
    /// The node.
    pub node: Node,
    /// Long work.
    pub jobs: Jobs,
    /// The transfers among it.
    pub transfers: Transfers,
    /// Whether the audit log was verified, and what came of it.
    pub verification: Verification,
    /// The vault's next key, while it is being made.
    pub vault_key: VaultKey,
    /// A short word on what just happened.
    pub notice: Option<Notice>,
    /// What a lock left undone; said until the vault is open again.
    pub left_undone: Option<&'static str>,
    /// When a key was last pressed.
    pub last_input_ms: u64,
    /// The open vault; `None` while it is locked.
    pub session: Option<Session>,
    /// Requests that the console itself waits for.
    pub waiting: Waiting,
    pub(super) next_request: u64,
}

/// What the console itself, not a screen, has asked for.
#[derive(Debug, Default)]
pub struct Waiting {
    /// What was heard from the node before this time is asked for again.
    pub anew_since_ms: u64,
    /// The node's status.
    pub node: Pending,
    /// Balances.
    pub balances: Pending,
    /// Changes of the balances on the screen.
    pub following: Pending,
    /// Whose those are.
    pub followed: Vec<keyward_core::address::Address>,
    /// How many transfers are unresolved.
    pub unresolved: Pending,
    /// A new recovery key, or a new vault key that brings one. It goes on when its screen is left or locked away.
    pub recovery: Pending,
    /// Changes to labels and tags.
    pub changes: Vec<Change>,
}

/// A change to a label or to tags that is under way.
#[derive(Debug)]
pub struct Change {
    /// Its request.
    pub id: RequestId,
    /// What to say when it is done.
    pub done: String,
    /// What the prompt was for, to open it again when the change fails.
    pub purpose: Purpose,
    /// What was typed.
    pub text: String,
}

/// What belongs to an unlocked vault.
#[derive(Debug)]
pub struct Session {
    /// When it was unlocked.
    pub since_ms: u64,
    /// The vault.
    pub summary: VaultSummary,
    /// Balances as last heard.
    pub balances: Balances,
    /// How many transfers of earlier times are neither confirmed nor proven expired.
    pub unresolved: usize,
}

/// The environment's `KEYWARD_ENCRYPTION_KEY`, without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecondFactorHint {
    /// Not set.
    Absent,
    /// Set and well formed.
    Present,
    /// Set, but not 32 bytes in base64 or hex.
    Malformed,
}

/// What is known of the node.
#[derive(Debug, Clone)]
pub enum Node {
    /// No endpoint was chosen: nothing is contacted.
    NotChosen,
    /// Asked for the first time.
    Asking,
    /// It answers.
    Online {
        /// What it said.
        status: NodeStatus,
        /// When.
        at_ms: u64,
    },
    /// It does not answer.
    Offline {
        /// Why.
        failure: Failure,
        /// Since when.
        at_ms: u64,
    },
}

impl Node {
    /// Whether it answered last time.
    #[must_use]
    pub fn is_online(&self) -> bool {
        matches!(self, Self::Online { .. })
    }

    /// The name of its network for people.
    #[must_use]
    pub fn network_name(&self) -> Option<String> {
        match self {
            Self::Online { status, .. } => Some(match status.cluster_name {
                Some(name) => name.to_owned(),
                None => {
                    let genesis: String = status.network.chars().take(8).collect();
                    format!("local {genesis}…")
                }
            }),
            _ => None,
        }
    }
}

/// A short word on what just happened.
#[derive(Debug, Clone)]
pub struct Notice {
    /// What.
    pub text: String,
    /// When it disappears.
    pub until_ms: u64,
}

/// A balance and when it was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// The amount; `None` when the node was asked and did not say.
    pub lamports: Option<Lamports>,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// When it was last asked for, in milliseconds since the Unix epoch.
    pub asked_ms: u64,
}

/// Balances as last heard; bounded.
#[derive(Debug, Default)]
pub struct Balances {
    known: HashMap<AccountAddress, Balance>,
}

impl Balances {
    /// What is known of this address.
    #[must_use]
    pub fn get(&self, address: impl Into<AccountAddress>) -> Option<Balance> {
        self.known.get(&address.into()).copied()
    }

    /// Takes note of an answer. An unknown one does not overwrite an older known one.
    pub fn learn(&mut self, address: impl Into<AccountAddress>, lamports: Option<Lamports>, at_ms: u64) {
        let address = address.into();
        if self.known.len() >= MAX_BALANCES && !self.known.contains_key(&address) {
            self.known.clear();
        }
        let old = self.known.get(&address).copied();
        let heard = match (lamports, old) {
            (None, Some(old)) => Balance {
                asked_ms: at_ms,
                ..old
            },
            _ => Balance {
                lamports,
                at_ms,
                asked_ms: at_ms,
            },
        };
        self.known.insert(address, heard);
    }
}

/// What the console starts with.
#[derive(Debug)]
pub struct Start {
    /// The settings in force.
    pub config: Config,
    /// Where changed settings are written.
    pub config_path: PathBuf,
    /// Where the vault lives.
    pub location: String,
    /// What the environment says about the terminal.
    pub hints: TerminalHints,
    /// Whether a second factor is in the environment.
    pub second_factor: SecondFactorHint,
    /// Columns and rows.
    pub size: (u16, u16),
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
}

impl State {
    /// The state before anything was asked.
    #[must_use]
    pub fn new(start: Start) -> Self {
        let node = if start.config.rpc_url.is_some() {
            Node::Asking
        } else {
            Node::NotChosen
        };
        let mut shared = Shared {
            now_ms: start.now_ms,
            size: start.size,
            palette: Palette::new(start.hints.depth(), Background::Dark),
            hints: start.hints,
            config: start.config,
            config_path: start.config_path,
            location: start.location,
            second_factor: start.second_factor,
            node,
            jobs: Jobs::default(),
            transfers: Transfers::default(),
            verification: Verification::default(),
            vault_key: VaultKey::default(),
            notice: None,
            left_undone: None,
            last_input_ms: start.now_ms,
            session: None,
            waiting: Waiting::default(),
            next_request: 1,
        };
        shared.choose_palette();
        Self {
            shared,
            screen: Screen::Starting(Starting),
            below: Vec::new(),
            modal: None,
        }
    }
}

impl Shared {
    /// Chooses the styles again, after the theme was changed.
    pub fn choose_palette(&mut self) {
        let background = match self.config.theme {
            Theme::Dark => Background::Dark,
            Theme::Light => Background::Light,
            Theme::Auto => self.hints.background(),
        };
        self.palette = Palette::new(self.hints.depth(), background);
    }

    /// Asks the node for everything again at the next tick, however fresh it is.
    pub fn ask_again(&mut self) {
        self.waiting.anew_since_ms = self.now_ms;
    }

    /// Whether something heard at this time is to be asked for again.
    #[must_use]
    pub fn is_due(&self, heard_ms: u64, age_ms: u64) -> bool {
        heard_ms < self.waiting.anew_since_ms || self.now_ms.saturating_sub(heard_ms) >= age_ms
    }

    /// Whether the terminal is too small for anything to be shown.
    #[must_use]
    pub fn is_too_small(&self) -> bool {
        self.size.0 < SMALLEST.0 || self.size.1 < SMALLEST.1
    }

    /// How many transfers of earlier times wait to be followed to their end; none while one is under way, since that
    /// counts as unresolved too.
    #[must_use]
    pub fn unresolved(&self) -> usize {
        match &self.session {
            Some(session) if !self.transfers.is_running() => session.unresolved,
            _ => 0,
        }
    }

    /// Whether the vault is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.session.is_some()
    }

    /// How long until the idle lock, in milliseconds; `None` while locked.
    #[must_use]
    pub fn idle_left_ms(&self) -> Option<u64> {
        self.session.as_ref()?;
        let limit = u64::from(self.config.lock_after_minutes) * 60_000;
        Some(limit.saturating_sub(self.now_ms.saturating_sub(self.last_input_ms)))
    }

    /// The balance of an address as last heard.
    #[must_use]
    pub fn balance(&self, address: impl Into<AccountAddress>) -> Option<Balance> {
        self.session.as_ref()?.balances.get(address)
    }
}
