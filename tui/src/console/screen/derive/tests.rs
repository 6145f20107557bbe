#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_custody::MasterId;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn master(id: &str, family: PathFamily) -> MasterSummary {
    MasterSummary {
        id: id.parse().unwrap(),
        label: if id == "2" { "cold".into() } else { String::new() },
        family,
        created_ms: NOW_MS,
        wallets: 10,
        derivations: vec![(PathFamily::Bip44Change, 10), (PathFamily::EvmBip44, 3)],
    }
}

fn dialog() -> State {
    let mut state = opened(10);
    let effects = press(&mut state, KeyCode::Char('d'));
    let id = started(&effects, |work| {
        matches!(work, Work::Wallets(WalletsWork::Masters))
    });
    let masters = vec![
        master("1", PathFamily::Bip44Change),
        master("2", PathFamily::EvmBip44),
    ];
    let answer = Answer::Wallets(WalletsAnswer::Masters(Ok(masters)));
    update(&mut state, Msg::Answer { id, answer });
    state
}

fn derived(effects: &[Effect]) -> Option<(Option<MasterId>, Option<PathFamily>, u32)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            work:
                Work::Wallets(WalletsWork::Derive {
                    master,
                    family,
                    count,
                }),
            ..
        } => Some((*master, *family, *count)),
        _ => None,
    })
}

#[test]
fn the_vaults_own_path_is_chosen_to_begin_with() {
    let mut state = dialog();
    type_text(&mut state, "1,000");
    let effects = press(&mut state, KeyCode::Enter);
    assert_eq!(
        derived(&effects),
        Some((Some(MasterId::FIRST), Some(PathFamily::Bip44Change), 1_000))
    );
    assert!(matches!(state.screen, Screen::Wallets(_)));
}

#[test]
fn another_phrase_brings_its_own_path() {
    let mut state = dialog();
    type_text(&mut state, "5");
    press(&mut state, KeyCode::Tab);
    press(&mut state, KeyCode::Right);
    assert!(screen(&mut state, 80, 24).contains("next index on this path is #3"));
    let effects = press(&mut state, KeyCode::Enter);
    assert_eq!(
        derived(&effects),
        Some((Some("2".parse().unwrap()), Some(PathFamily::EvmBip44), 5))
    );
}

#[test]
fn a_path_of_one_address_gives_one() {
    let mut state = dialog();
    type_text(&mut state, "2");
    press(&mut state, KeyCode::Tab);
    press(&mut state, KeyCode::Tab);
    while !screen(&mut state, 80, 24).contains("raw  ") {
        press(&mut state, KeyCode::Right);
    }
    assert_eq!(derived(&press(&mut state, KeyCode::Enter)), None);
    assert!(screen(&mut state, 80, 24).contains("one address only"));
}

#[test]
fn nonsense_derives_nothing() {
    for wrong in ["", "0", "ten", "100001"] {
        let mut state = dialog();
        type_text(&mut state, wrong);
        assert_eq!(derived(&press(&mut state, KeyCode::Enter)), None, "{wrong}");
        assert!(screen(&mut state, 80, 24).contains(" ! "), "{wrong}");
    }
}

#[test]
fn the_form_as_it_looks() {
    let mut state = dialog();
    type_text(&mut state, "100");
    snapshot("derive_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Tab);
    press(&mut state, KeyCode::Right);
    snapshot("derive_120x40", &screen(&mut state, 120, 40));
}
