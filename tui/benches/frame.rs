//! One whole frame of each screen that has most to draw, over an empty terminal: every cell is laid out and sent.
//!
//! What the terminal itself takes to show it is not in the figure. The states are made as the console makes them:
//! by `update`, from keys and answers.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]
#![allow(missing_docs, reason = "a program, not a library")]

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use divan::Bencher;
use keyward::config::Config;
use keyward::console::effect::{Answer, Effect, Work};
use keyward::console::effects::audit::{AuditAnswer, AuditWork};
use keyward::console::effects::node::NodeAnswer;
use keyward::console::effects::node::NodeWork;
use keyward::console::effects::send::Prepared;
use keyward::console::effects::vault::{VaultAnswer, VaultWork};
use keyward::console::effects::wallets::{WalletsAnswer, WalletsWork};
use keyward::console::msg::Msg;
use keyward::console::screen::Screen;
use keyward::console::screen::review::Review;
use keyward::console::state::{SecondFactorHint, Start, State};
use keyward::console::theme::TerminalHints;
use keyward::console::update::{start, update};
use keyward::console::view::view;
use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::Lamports;
use keyward_core::audit::{AuditEntry, Operation, Outcome};
use keyward_core::intent::Intent;
use keyward_core::path::PathFamily;
use keyward_core::solana::{MessageVersion, Transaction, compile_message, instructions};
use keyward_core::vault::{KdfParams, VaultId};
use keyward_custody::chain::{HistoryItem, NodeStatus};
use keyward_custody::transfer::{BalanceChange, TransferPlan, TransferRequest};
use keyward_custody::{
    AuditRow, AuditRows, MasterId, PreviewDecision, SigningPreview, VaultStatus, VaultSummary, Wallet,
    WalletPage, WalletStatus,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const WALLETS: u32 = 10_000;
const ENTRIES: u64 = 10_000;
const NOW_MS: u64 = 1_795_269_909_000;

/// The smallest terminal that the console promises to work in, and a large one.
const SIZES: [Size; 2] = [Size(80, 24), Size(200, 60)];

#[derive(Clone, Copy)]
struct Size(u16, u16);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.0, self.1)
    }
}

fn main() {
    divan::main();
}

#[divan::bench(args = SIZES)]
fn wallets(bencher: Bencher, size: Size) {
    frames(bencher, size, &opened(size));
}

#[divan::bench(args = SIZES)]
fn wallet_with_qr(bencher: Bencher, size: Size) {
    let mut state = opened(size);
    press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::Wallet(_)));
    frames(bencher, size, &state);
}

#[divan::bench(args = SIZES)]
fn send_review(bencher: Bencher, size: Size) {
    let mut state = opened(size);
    state.screen = Screen::Review(Box::new(Review::new(wallet(0), prepared(), NOW_MS)));
    frames(bencher, size, &state);
}

#[divan::bench(args = SIZES)]
fn audit(bencher: Bencher, size: Size) {
    let mut state = opened(size);
    press(&mut state, KeyCode::Char('2'));
    assert!(matches!(state.screen, Screen::Audit(_)));
    frames(bencher, size, &state);
}

/// A key that moves the cursor, and the frame after it, over what stood there before.
#[divan::bench(args = SIZES)]
fn a_key_and_its_frame(bencher: Bencher, size: Size) {
    let mut state = opened(size);
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
    let mut keys = [KeyCode::Down, KeyCode::Up].into_iter().cycle();
    bencher.bench_local(|| {
        press(&mut state, keys.next().unwrap());
        terminal.draw(|frame| view(&state, frame)).unwrap();
    });
}

/// Draws each frame over an empty terminal, so that nothing is saved by what stood there before.
fn frames(bencher: Bencher, size: Size, state: &State) {
    bencher
        .with_inputs(|| Terminal::new(TestBackend::new(size.0, size.1)).unwrap())
        .bench_local_refs(|terminal| {
            terminal.draw(|frame| view(state, frame)).unwrap();
        });
}

/// The console at the list of 10,000 wallets, every balance known, a node answering.
fn opened(size: Size) -> State {
    let mut state = State::new(Start {
        config: Config {
            rpc_url: Some("http://127.0.0.1:8899".to_owned()),
            ..Config::default()
        },
        config_path: "config.toml".into(),
        location: "~/.local/share/keyward/keyward.db".to_owned(),
        hints: TerminalHints::default(),
        second_factor: SecondFactorHint::Absent,
        size: (size.0, size.1),
        now_ms: NOW_MS,
    });
    let effects = start(&mut state);
    answer(&mut state, effects);
    assert!(matches!(state.screen, Screen::Wallets(_)));
    let session = state.shared.session.as_mut().unwrap();
    for index in 0..WALLETS {
        let lamports = Lamports::new(u64::from(index) * 1_234_567_891);
        session
            .balances
            .learn(wallet(index).address, Some(lamports), NOW_MS - 1_000);
    }
    state
}

fn press(state: &mut State, code: KeyCode) {
    let effects = update(state, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    answer(state, effects);
}

/// Answers what the console asks, as a vault of 10,000 wallets and a quick node would, until it asks no more.
fn answer(state: &mut State, effects: Vec<Effect>) {
    for effect in effects {
        let Effect::Start { id, work, .. } = effect else {
            continue;
        };
        let answer = match work {
            Work::Vault(VaultWork::Open) => {
                Answer::Vault(VaultAnswer::Opened(Ok(VaultStatus::Unlocked(summary()))))
            }
            Work::Wallets(WalletsWork::Page(query)) => {
                let first = u32::try_from(query.offset).unwrap();
                let rows = (first..WALLETS.min(first + query.limit)).map(wallet).collect();
                let total = u64::from(WALLETS);
                Answer::Wallets(WalletsAnswer::Page(Ok(WalletPage {
                    total,
                    rows,
                    next: None,
                })))
            }
            Work::Node(NodeWork::Status) => Answer::Node(NodeAnswer::Status(Ok(node()))),
            Work::Node(NodeWork::History(_)) => Answer::Node(NodeAnswer::History(Ok(history()))),
            Work::Audit(AuditWork::Open(query) | AuditWork::Page(query)) => {
                let last = query.before_sequence.unwrap_or(ENTRIES);
                let rows = (0..last)
                    .rev()
                    .take(query.limit as usize)
                    .map(|at| AuditRow::Entry(Box::new(entry(at))))
                    .collect();
                let total = ENTRIES;
                Answer::Audit(AuditAnswer::Page(Ok(AuditRows { total, rows })))
            }
            _ => continue,
        };
        let more = update(state, Msg::Answer { id, answer });
        self::answer(state, more);
    }
}

fn summary() -> VaultSummary {
    VaultSummary {
        id: VaultId::from_bytes([7; 16]),
        created_ms: NOW_MS,
        wallet_count: u64::from(WALLETS),
        kdf: KdfParams::DEFAULT,
        needs_second_factor: false,
        family: PathFamily::Bip44Change,
        has_recovery: false,
        epoch: 1,
    }
}

fn wallet(index: u32) -> Wallet {
    let mut bytes = [0x5a; 32];
    bytes[..4].copy_from_slice(&index.wrapping_mul(2_654_435_761).to_be_bytes());
    Wallet {
        master: Some(MasterId::FIRST),
        family: Some(PathFamily::Bip44Change),
        index: Some(index),
        address: Address::new(bytes).into(),
        own_password: false,
        path: format!("m/44'/501'/{index}'/0'"),
        label: format!("bot-{index:05}"),
        tags: vec!["bots".to_owned(), "europe".to_owned()],
        created_ms: NOW_MS - 86_400_000,
        last_used_ms: Some(NOW_MS - 130_000),
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

fn node() -> NodeStatus {
    NodeStatus {
        version: "4.2.2".to_owned(),
        slot: 1_234,
        block_height: 1_200,
        latency_ms: 3,
        network: "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG".to_owned(),
        cluster_name: None,
    }
}

fn history() -> Vec<HistoryItem> {
    (0..20)
        .map(|at| HistoryItem {
            signature: Signature::new([at; 64]),
            slot: 1_000 + u64::from(at),
            time_ms: Some(NOW_MS - u64::from(at) * 60_000),
            error: None,
            memo: Some("rent for May".to_owned()),
            commitment: None,
        })
        .collect()
}

fn entry(sequence: u64) -> AuditEntry {
    AuditEntry {
        sequence,
        time_ms: NOW_MS - (ENTRIES - sequence) * 1_000,
        actor: "console".to_owned(),
        operation: Operation::SignTransaction,
        wallet: Some(wallet(u32::try_from(sequence).unwrap()).address),
        outcome: Outcome::Authorised,
        reason: String::new(),
        subject: Some([9; 32]),
        details: "sends 1.500000000 SOL; network EtWTRABZ; rules sol-transfers".to_owned(),
        client_address: None,
        client_fingerprint: None,
    }
}

fn prepared() -> Prepared {
    let [from, to] = [0, 1].map(|index| *wallet(index).solana().unwrap());
    let lamports = Lamports::new(1_500_000_000);
    let actions = [
        instructions::compute_unit_limit(600),
        instructions::sol_transfer(from, to, lamports),
    ];
    let message = compile_message(MessageVersion::V0, from, &actions, Blockhash::new([3; 32])).unwrap();
    let intent = Intent::from_message(&message);
    let change = |address, before: u64, after: u64| BalanceChange {
        address,
        before: Lamports::new(before),
        after: Lamports::new(after),
    };
    let plan = TransferPlan {
        request: TransferRequest::new(from, to, lamports),
        transaction: Transaction::unsigned(message).encode(),
        intent: intent.clone(),
        fee: Lamports::new(5_000),
        priority_fee: Lamports::ZERO,
        compute_unit_limit: 600,
        changes: vec![
            change(from, 5_000_000_000, 3_499_995_000),
            change(to, 0, 1_500_000_000),
        ],
        simulation_error: None,
        warnings: vec!["the recipient has never been used".to_owned()],
        decision: SigningPreview {
            intent,
            decision: PreviewDecision::Allowed {
                rules: vec!["sol-transfers".to_owned(), "compute-budget".to_owned()],
            },
            signers: vec![from],
        },
        last_valid_block_height: 1_350,
        network: node().network,
        details: keyward_custody::transfer::PlanDetails::default(),
    };
    Prepared {
        plan,
        recipient: Some(wallet(1)),
        known: None,
        paid_before: 0,
        block_height: Some(1_200),
    }
}
