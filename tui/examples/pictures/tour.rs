//! The way to each screen: keys in, questions answered, until nothing more is asked.

use anyhow::Context as _;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use keyward::config::{Config, Theme};
use keyward::console::effect::{Answer, Effect, Progress, RequestId, Work};
use keyward::console::effects::audit::{AuditAnswer, AuditWork};
use keyward::console::effects::node::{NodeAnswer, NodeWork};
use keyward::console::effects::send::{Party, SendAnswer, SendWork};
use keyward::console::effects::vault::{VaultAnswer, VaultWork};
use keyward::console::effects::wallets::{WalletsAnswer, WalletsWork};
use keyward::console::msg::Msg;
use keyward::console::state::{SecondFactorHint, Start, State};
use keyward::console::theme::TerminalHints;
use keyward::console::update::{start, update};
use keyward_custody::chain::HistoryItem;
use keyward_custody::transfer::TransferProgress;
use keyward_custody::{AuditReport, VaultStatus};

use crate::made_up::{ENTRIES, NOW_MS, World};

/// What the store says of itself when it is opened.
#[derive(Clone, Copy)]
enum Vault {
    Empty,
    Locked,
    Open,
}

/// A console under way.
struct Tour {
    state: State,
    world: World,
    vault: Vault,
    /// The transfer that was handed over, which the tour ends itself.
    transfer: Option<RequestId>,
}

impl Tour {
    fn begin(size: (u16, u16), vault: Vault) -> anyhow::Result<Self> {
        let config = Config {
            rpc_url: (!matches!(vault, Vault::Empty)).then(|| "https://api.devnet.example".to_owned()),
            theme: Theme::Dark,
            ..Config::default()
        };
        let mut state = State::new(Start {
            config,
            config_path: "~/.config/keyward/config.toml".into(),
            location: "~/.local/share/keyward/keyward.db".into(),
            hints: TerminalHints {
                colorterm: Some("truecolor".into()),
                ..TerminalHints::default()
            },
            second_factor: SecondFactorHint::Absent,
            size,
            now_ms: NOW_MS,
        });
        let effects = start(&mut state);
        let mut tour = Self {
            state,
            world: World::new()?,
            vault,
            transfer: None,
        };
        tour.settle(effects)?;
        tour.settle_tick()?;
        Ok(tour)
    }

    /// Answers questions until no more are asked.
    fn settle(&mut self, effects: Vec<Effect>) -> anyhow::Result<()> {
        for effect in effects {
            if let Effect::Start { id, work, .. } = effect
                && let Some(answer) = self.answer(id, work)?
            {
                let more = update(&mut self.state, Msg::Answer { id, answer });
                self.settle(more)?;
            }
        }
        Ok(())
    }

    fn answer(&mut self, id: RequestId, work: Work) -> anyhow::Result<Option<Answer>> {
        let world = &self.world;
        Ok(Some(match work {
            Work::Vault(VaultWork::Open) => Answer::Vault(VaultAnswer::Opened(Ok(match self.vault {
                Vault::Empty => VaultStatus::Empty,
                Vault::Locked => VaultStatus::Locked(World::summary()),
                Vault::Open => VaultStatus::Unlocked(World::summary()),
            }))),
            Work::Wallets(WalletsWork::Page(query)) => {
                Answer::Wallets(WalletsAnswer::Page(Ok(world.page(&query)?)))
            }
            Work::Node(NodeWork::Status) => Answer::Node(NodeAnswer::Status(Ok(World::node()))),
            Work::Node(NodeWork::Balances(addresses)) => {
                let values = addresses.iter().map(|address| world.balance(address)).collect();
                Answer::Node(NodeAnswer::Balances {
                    addresses,
                    result: Ok(values),
                })
            }
            Work::Node(NodeWork::History(_)) => Answer::Node(NodeAnswer::History(Ok(history()))),
            Work::Send(SendWork::Lookup(_)) => Answer::Send(SendAnswer::Known(Ok(Some(Party::Wallet(
                Box::new(world.wallet(1)?),
            ))))),
            Work::Send(SendWork::Unresolved(_)) => Answer::Send(SendAnswer::Unresolved(Ok(Vec::new()))),
            Work::Send(SendWork::Prepare(draft)) => {
                Answer::Send(SendAnswer::Prepared(Ok(Box::new(world.prepare(&draft)?))))
            }
            Work::Send(SendWork::Submit(..)) => {
                self.transfer = Some(id);
                return Ok(None);
            }
            Work::Audit(AuditWork::Open(query) | AuditWork::Page(query)) => {
                Answer::Audit(AuditAnswer::Page(Ok(world.entries(&query)?)))
            }
            Work::Audit(AuditWork::Verify) => Answer::Audit(AuditAnswer::Verified(Ok(AuditReport::Intact {
                entries: ENTRIES,
                root: [0x6e; 32],
                checkpoints: 3,
                redacted: 0,
            }))),
            _ => return Ok(None),
        }))
    }

    fn settle_tick(&mut self) -> anyhow::Result<()> {
        let now_ms = self.state.shared.now_ms;
        let effects = update(&mut self.state, Msg::Tick { now_ms });
        self.settle(effects)
    }

    fn wait(&mut self, ms: u64) -> anyhow::Result<()> {
        let now_ms = self.state.shared.now_ms + ms;
        let effects = update(&mut self.state, Msg::Tick { now_ms });
        self.settle(effects)
    }

    fn press(&mut self, code: KeyCode) -> anyhow::Result<()> {
        let key = KeyEvent::new(code, KeyModifiers::NONE);
        let effects = update(&mut self.state, Msg::Key(key));
        self.settle(effects)
    }

    fn type_text(&mut self, text: &str) -> anyhow::Result<()> {
        text.chars().try_for_each(|ch| self.press(KeyCode::Char(ch)))
    }

    /// The form filled in: 1.5 SOL from the first wallet to the second.
    fn form(size: (u16, u16)) -> anyhow::Result<Self> {
        let mut tour = Self::begin(size, Vault::Open)?;
        tour.type_text("s")?;
        let to = tour.world.wallet(1)?.address.to_string();
        tour.type_text(&to)?;
        tour.press(KeyCode::Enter)?;
        tour.type_text("1.5")?;
        tour.press(KeyCode::Tab)?;
        tour.type_text("44000")?;
        tour.settle_tick()?;
        Ok(tour)
    }

    fn end(self) -> anyhow::Result<State> {
        Ok(self.state)
    }
}

fn history() -> Vec<HistoryItem> {
    let item = |seed: u8, back: u64, memo: Option<&str>| HistoryItem {
        signature: World::signature(seed),
        slot: World::node().slot - back * 400,
        time_ms: Some(NOW_MS - back * 160_000),
        error: None,
        memo: memo.map(str::to_owned),
        commitment: None,
    };
    vec![
        item(3, 1, None),
        item(7, 9, Some("[4] rent")),
        item(11, 60, None),
        item(13, 2_000, None),
    ]
}

pub(crate) fn first_run(size: (u16, u16)) -> anyhow::Result<State> {
    Tour::begin(size, Vault::Empty)?.end()
}

pub(crate) fn unlock(size: (u16, u16)) -> anyhow::Result<State> {
    let mut tour = Tour::begin(size, Vault::Locked)?;
    tour.type_text("tidal-Wicker-9041-omen")?;
    tour.end()
}

pub(crate) fn wallets(size: (u16, u16)) -> anyhow::Result<State> {
    let mut tour = Tour::begin(size, Vault::Open)?;
    for key in [
        KeyCode::Down,
        KeyCode::Char(' '),
        KeyCode::Char(' '),
        KeyCode::Up,
        KeyCode::Up,
    ] {
        tour.press(key)?;
    }
    tour.settle_tick()?;
    tour.end()
}

pub(crate) fn wallet(size: (u16, u16)) -> anyhow::Result<State> {
    let mut tour = Tour::begin(size, Vault::Open)?;
    tour.press(KeyCode::Enter)?;
    tour.settle_tick()?;
    tour.end()
}

pub(crate) fn send(size: (u16, u16)) -> anyhow::Result<State> {
    Tour::form(size)?.end()
}

pub(crate) fn review(size: (u16, u16)) -> anyhow::Result<State> {
    let mut tour = Tour::form(size)?;
    tour.press(KeyCode::Enter)?;
    tour.end()
}

pub(crate) fn transfer(size: (u16, u16)) -> anyhow::Result<State> {
    let mut tour = Tour::form(size)?;
    tour.press(KeyCode::Enter)?;
    tour.type_text("y")?;
    let id = tour.transfer.context("the transfer was handed over")?;
    let step = TransferProgress::Sent {
        signature: World::signature(5),
        times: 2,
    };
    let progress = Progress::Transfer(step);
    let effects = update(&mut tour.state, Msg::Progress { id, progress });
    tour.settle(effects)?;
    tour.wait(3_000)?;
    tour.end()
}

pub(crate) fn audit(size: (u16, u16)) -> anyhow::Result<State> {
    let mut tour = Tour::begin(size, Vault::Open)?;
    tour.type_text("2v")?;
    for _ in 0..5 {
        tour.press(KeyCode::Down)?;
    }
    tour.wait(12_000)?;
    tour.end()
}

pub(crate) fn settings(size: (u16, u16)) -> anyhow::Result<State> {
    let mut tour = Tour::begin(size, Vault::Open)?;
    tour.type_text("4")?;
    tour.end()
}

pub(crate) fn help(size: (u16, u16)) -> anyhow::Result<State> {
    let mut tour = Tour::begin(size, Vault::Open)?;
    tour.type_text("?")?;
    tour.end()
}
