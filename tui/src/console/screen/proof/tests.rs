#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn proofs() -> State {
    let mut state = opened(10);
    press(&mut state, KeyCode::Char('2'));
    press(&mut state, KeyCode::Char('p'));
    state
}

fn claim(effects: &[Effect]) -> Option<(RequestId, Claim)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Audit(AuditWork::Prove(claim)),
            ..
        } => Some((*id, claim.clone())),
        _ => None,
    })
}

fn shown(verdict: Result<String, String>, file: bool) -> Shown {
    Shown {
        verdict,
        file: file.then(|| "/tmp/proof.txt".into()),
        keys: vec!["keyward/07070707+3fa1b2c4+AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=".into()],
    }
}

#[test]
fn a_checkpoint_is_compared() {
    let mut state = proofs();
    snapshot("proof_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::Enter);
    assert!(claim(&press(&mut state, KeyCode::Enter)).is_none());
    type_text(&mut state, "kept.txt");
    let (id, asked) = claim(&press(&mut state, KeyCode::Enter)).unwrap();
    assert_eq!(
        asked,
        Claim::Agrees {
            checkpoint: "kept.txt".into()
        }
    );
    let verdict = Err("the log was changed: entry 7: its leaf is another".to_owned());
    let answer = Answer::Audit(AuditAnswer::Proved(Ok(shown(verdict, false))));
    update(&mut state, Msg::Answer { id, answer });
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("✗ The log was changed") && text.contains("Stop signing"),
        "{text}"
    );
}

#[test]
fn growth_is_proven_into_a_file() {
    let mut state = proofs();
    press(&mut state, KeyCode::Right);
    press(&mut state, KeyCode::Enter);
    for name in ["old.txt", "new.txt", "proof.txt"] {
        type_text(&mut state, name);
        if name != "proof.txt" {
            press(&mut state, KeyCode::Enter);
        }
    }
    let (id, asked) = claim(&press(&mut state, KeyCode::Enter)).unwrap();
    assert_eq!(
        asked,
        Claim::Grew {
            from: "old.txt".into(),
            to: "new.txt".into(),
            out: "proof.txt".into()
        }
    );
    let verdict = Ok("the log only grew, from 120 to 340 entries".to_owned());
    let answer = Answer::Audit(AuditAnswer::Proved(Ok(shown(verdict, true))));
    update(&mut state, Msg::Answer { id, answer });
    snapshot("proof_shown_80x24", &screen(&mut state, 80, 24));
    let effects = press(&mut state, KeyCode::Char('y'));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Copy(text) if text.starts_with("keyward/")))
    );
}

#[test]
fn an_entry_takes_a_number() {
    let mut state = proofs();
    press(&mut state, KeyCode::Right);
    press(&mut state, KeyCode::Right);
    press(&mut state, KeyCode::Enter);
    for text in ["seven", "kept.txt", "proof.txt"] {
        type_text(&mut state, text);
        press(&mut state, KeyCode::Enter);
    }
    assert!(screen(&mut state, 80, 24).contains("a whole number"));
    control(&mut state, 'u');
    type_text(&mut state, "7");
    press(&mut state, KeyCode::Enter);
    press(&mut state, KeyCode::Enter);
    let (_, asked) = claim(&press(&mut state, KeyCode::Enter)).unwrap();
    assert!(matches!(asked, Claim::Holds { sequence: 7, .. }));
}
