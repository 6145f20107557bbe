//! What the console's tests share: states, keys, answers, and drawing into text for snapshots.
#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use keyward_core::address::Address;
use keyward_core::path::PathFamily;
use keyward_core::vault::{KdfParams, VaultId};
use keyward_custody::chain::NodeStatus;
use keyward_custody::{MasterId, VaultStatus, VaultSummary, Wallet, WalletPage, WalletStatus};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::view;
use crate::config::Config;
use crate::console::effect::{Answer, Effect, RequestId, Work};
use crate::console::effects::vault::{VaultAnswer, VaultWork};
use crate::console::effects::wallets::{WalletsAnswer, WalletsWork};
use crate::console::msg::Msg;
use crate::console::state::{Node, SecondFactorHint, Start, State};
use crate::console::theme::TerminalHints;
use crate::console::update::{start, update};

/// Draws the state at this size.
pub(in crate::console) fn buffer(state: &mut State, columns: u16, rows: u16) -> Buffer {
    state.shared.size = (columns, rows);
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a test terminal never fails");
    terminal
        .draw(|frame| view(state, frame))
        .expect("a test terminal never fails");
    terminal.backend().buffer().clone()
}

/// Draws the state at this size, as text without trailing spaces.
pub(in crate::console) fn screen(state: &mut State, columns: u16, rows: u16) -> String {
    let buffer = buffer(state, columns, rows);
    let mut text = String::new();
    for y in 0..rows {
        let mut line = String::new();
        for x in 0..columns {
            line.push_str(buffer[(x, y)].symbol());
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Compares with the snapshot of this name.
pub(in crate::console) fn snapshot(name: &str, text: &str) {
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(name, text);
    });
}

/// A fixed moment: 2026-11-21 14:05:09 UTC.
pub(in crate::console) const NOW_MS: u64 = 1_795_269_909_000;

/// The console as it starts, without colour, on an 80x24 terminal, before anything was answered.
pub(in crate::console) fn fresh() -> State {
    State::new(Start {
        config: Config::default(),
        config_path: "/tmp/config.toml".into(),
        location: "~/.local/share/keyward/keyward.db".into(),
        hints: TerminalHints {
            no_color: true,
            ..TerminalHints::default()
        },
        second_factor: SecondFactorHint::Absent,
        size: (80, 24),
        now_ms: NOW_MS,
    })
}

/// A vault's summary.
pub(in crate::console) fn summary(wallet_count: u64) -> VaultSummary {
    VaultSummary {
        id: VaultId::from_bytes([7; 16]),
        created_ms: NOW_MS,
        wallet_count,
        kdf: KdfParams::DEFAULT,
        needs_second_factor: false,
        family: PathFamily::Bip44Change,
        has_recovery: false,
        epoch: 1,
    }
}

/// Wallet number `index` of a made-up vault of 10,000.
pub(in crate::console) fn wallet(index: u32) -> Wallet {
    let mut bytes = [0x5a; 32];
    bytes[..4].copy_from_slice(&index.wrapping_mul(2_654_435_761).to_be_bytes());
    bytes[28..].copy_from_slice(&index.wrapping_mul(2_246_822_519).to_be_bytes());
    Wallet {
        master: Some(MasterId::FIRST),
        family: Some(PathFamily::Bip44Change),
        index: Some(index),
        address: Address::new(bytes).into(),
        own_password: false,
        path: format!("m/44'/501'/{index}'/0'"),
        label: match index {
            0 => "treasury".into(),
            1..=99 => format!("bot-{index:04}"),
            _ => String::new(),
        },
        tags: if (1..=99).contains(&index) {
            vec!["bots".into()]
        } else {
            Vec::new()
        },
        created_ms: NOW_MS - 86_400_000,
        last_used_ms: (index < 2).then_some(NOW_MS - 130_000),
        owner: None,
        is_primary: false,
        role: String::new(),
        status: WalletStatus::Active,
        status_ms: 0,
        grace_until_ms: None,
        purge_after_ms: None,
        previous: None,
        rotate_every_ms: None,
        rotate_at_ms: None,
        rotation_count: 0,
        total_trades: 0,
        total_volume: 0,
    }
}

/// Answers what the list of wallets asks in `effects`, as a store of `total` wallets would, until it asks no more.
pub(in crate::console) fn answer_pages(state: &mut State, effects: Vec<Effect>, total: u32) -> Vec<Effect> {
    let mut rest = Vec::new();
    for effect in effects {
        match effect {
            Effect::Start {
                id,
                work: Work::Wallets(WalletsWork::Page(query)),
                ..
            } => {
                let first = u32::try_from(query.offset).unwrap();
                let rows = (first..total.min(first.saturating_add(query.limit)))
                    .map(wallet)
                    .collect();
                let page = WalletPage {
                    total: u64::from(total),
                    rows,
                    next: None,
                };
                let answer = Answer::Wallets(WalletsAnswer::Page(Ok(page)));
                let more = update(state, Msg::Answer { id, answer });
                rest.extend(answer_pages(state, more, total));
            }
            other => rest.push(other),
        }
    }
    rest
}

/// The console with an open vault of so many wallets, at the list.
pub(in crate::console) fn opened(wallets: u32) -> State {
    let mut state = fresh();
    let effects = start(&mut state);
    let effects = open_with(
        &mut state,
        &effects,
        VaultStatus::Unlocked(summary(u64::from(wallets))),
    );
    answer_pages(&mut state, effects, wallets);
    state
}

/// Answers the opening of the store.
pub(in crate::console) fn open_with(
    state: &mut State,
    effects: &[Effect],
    status: VaultStatus,
) -> Vec<Effect> {
    let id = started(effects, |work| matches!(work, Work::Vault(VaultWork::Open)));
    let answer = Answer::Vault(VaultAnswer::Opened(Ok(status)));
    update(state, Msg::Answer { id, answer })
}

/// The id of the one piece of work in `effects` that is `wanted`.
pub(in crate::console) fn started(effects: &[Effect], wanted: fn(&Work) -> bool) -> RequestId {
    effects
        .iter()
        .find_map(|effect| match effect {
            Effect::Start { id, work, .. } if wanted(work) => Some(*id),
            _ => None,
        })
        .expect("the work was started")
}

/// A node that answers.
pub(in crate::console) fn online(state: &mut State) {
    state.shared.config.rpc_url = Some("http://127.0.0.1:8899".into());
    state.shared.node = Node::Online {
        status: NodeStatus {
            version: "4.2.2".into(),
            slot: 1_234,
            block_height: 1_200,
            latency_ms: 3,
            network: "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG".into(),
            cluster_name: None,
        },
        at_ms: state.shared.now_ms,
    };
}

/// Presses one key.
pub(in crate::console) fn press(state: &mut State, code: KeyCode) -> Vec<Effect> {
    update(state, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)))
}

/// Presses a character with Control.
pub(in crate::console) fn control(state: &mut State, ch: char) -> Vec<Effect> {
    update(
        state,
        Msg::Key(KeyEvent::new(KeyCode::Char(ch), KeyModifiers::CONTROL)),
    )
}

/// Types text, a key for each character.
pub(in crate::console) fn type_text(state: &mut State, text: &str) -> Vec<Effect> {
    text.chars()
        .flat_map(|ch| press(state, KeyCode::Char(ch)))
        .collect()
}

/// Lets time pass.
pub(in crate::console) fn wait(state: &mut State, ms: u64) -> Vec<Effect> {
    let now_ms = state.shared.now_ms + ms;
    update(state, Msg::Tick { now_ms })
}
