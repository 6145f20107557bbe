#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::address::Signature;
use keyward_core::amount::Lamports;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn item(number: u8, error: Option<&str>, memo: Option<&str>) -> HistoryItem {
    HistoryItem {
        signature: Signature::new([number; 64]),
        slot: 1_000 + u64::from(number),
        time_ms: (number < 3).then(|| NOW_MS - 60_000 * u64::from(number)),
        error: error.map(str::to_owned),
        memo: memo.map(str::to_owned),
        commitment: None,
    }
}

fn page_of_first() -> (State, Vec<Effect>) {
    let mut state = opened(10);
    online(&mut state);
    let address = wallet(0).address;
    let now_ms = state.shared.now_ms;
    let session = state.shared.session.as_mut().unwrap();
    session
        .balances
        .learn(address, Some(Lamports::new(1_000_000_000_000)), now_ms - 2_000);
    let effects = press(&mut state, KeyCode::Enter);
    (state, effects)
}

#[test]
fn opening_asks_for_the_history_and_shows_the_whole_address() {
    let (mut state, effects) = page_of_first();
    let id = started(&effects, |work| matches!(work, Work::Node(NodeWork::History(_))));
    let items = vec![
        item(1, None, Some("rent \u{202e}")),
        item(2, Some("insufficient funds"), None),
        item(3, None, None),
    ];
    update(
        &mut state,
        Msg::Answer {
            id,
            answer: Answer::Node(NodeAnswer::History(Ok(items))),
        },
    );
    let text = screen(&mut state, 80, 24);
    assert!(text.contains(&wallet(0).address.to_string()));
    assert!(
        !text.contains('\u{202e}'),
        "marks that reorder text are not drawn"
    );
    snapshot("wallet_80x24", &text);
    snapshot("wallet_140x40", &screen(&mut state, 140, 40));
}

#[test]
fn without_a_node_the_past_is_unknown_not_empty() {
    let mut state = opened(10);
    press(&mut state, KeyCode::Enter);
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("Unknown: no node was chosen") && text.contains("? SOL"),
        "{text}"
    );
}

#[test]
fn the_address_is_copied_only_when_asked() {
    let (mut state, effects) = page_of_first();
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Copy(_))));
    let effects = press(&mut state, KeyCode::Char('y'));
    let [Effect::Copy(text)] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(*text, wallet(0).address.to_string());
}

#[test]
fn going_back_keeps_the_list_as_it_was() {
    let mut state = opened(100);
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Char(' '));
    press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::Wallet(_)));
    press(&mut state, KeyCode::Esc);
    let Screen::Wallets(list) = &state.screen else {
        panic!("the list")
    };
    assert_eq!(list.selected().unwrap().index, Some(2));
}

#[test]
fn owner_rotation_use_and_status_are_on_the_page() {
    let mut wallet = wallet(1);
    wallet.owner = Some("alice".into());
    wallet.is_primary = true;
    wallet.role = "trading".into();
    wallet.rotate_every_ms = Some(86_400_000);
    wallet.rotate_at_ms = Some(NOW_MS + 7_200_000);
    wallet.rotation_count = 2;
    (wallet.total_trades, wallet.total_volume) = (1_204, 1_500_000_000);
    let expected = [
        (facts::belongs(&wallet).unwrap(), "alice, primary · role trading"),
        (
            facts::rotation(&wallet, NOW_MS).unwrap(),
            "every 1d, next in 2 h · key 3",
        ),
        (facts::signed(&wallet).unwrap(), "1,204 transactions, 1.5 SOL out"),
    ];
    for (found, expected) in expected {
        assert_eq!(found, expected);
    }
    assert_eq!(facts::fate(&wallet, NOW_MS), None);
    let mut state = opened(200);
    state.screen = Screen::Wallet(Box::new(WalletScreen::new(wallet.clone())));
    snapshot("wallet_owned_80x24", &screen(&mut state, 80, 24));
    wallet.rotate_at_ms = Some(NOW_MS);
    assert!(facts::rotation(&wallet, NOW_MS).unwrap().contains("due now"));
    wallet.status = keyward_custody::WalletStatus::Rotated;
    wallet.grace_until_ms = Some(NOW_MS + 86_400_000);
    let fate = facts::fate(&wallet, NOW_MS).unwrap();
    assert_eq!(fate, "replaced; looked after for another 1 d");
    assert!(
        facts::fate(&wallet, NOW_MS + 86_400_000)
            .unwrap()
            .ends_with("no longer")
    );
}

#[test]
fn wrong_passwords_of_its_own_are_told_with_the_wait() {
    let own = Wallet {
        own_password: true,
        ..wallet(1)
    };
    let mut state = opened(10);
    let mut page = WalletScreen::new(own);
    let mut cx = Cx::new(&mut state.shared);
    page.open(&mut cx);
    let effects = cx.effects;
    let id = started(&effects, |work| {
        matches!(work, Work::Upkeep(UpkeepWork::WalletLockout(_)))
    });
    state.screen = Screen::Wallet(Box::new(page));
    let lockout = Lockout {
        failures: 5,
        allowed: 5,
        retry_after_ms: 90_000,
    };
    let answer = Answer::Upkeep(UpkeepAnswer::WalletLockout(Ok(Some(lockout))));
    update(&mut state, Msg::Answer { id, answer });
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("5 wrong; next try in 1:30"), "{text}");
    wait(&mut state, 90_000);
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("one more begins a wait"), "{text}");
}
