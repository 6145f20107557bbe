#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::audit::{AuditEntry, Operation, Outcome};
use keyward_custody::{AuditQuery, AuditReport, AuditRow, AuditRows};

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

/// Entry number `sequence` of a made-up log.
fn entry(sequence: u64) -> AuditRow {
    let (operation, outcome, reason) = match sequence % 5 {
        0 => (Operation::Unlock, Outcome::Done, ""),
        1 => (Operation::SignTransaction, Outcome::Authorised, ""),
        2 => (Operation::SignTransaction, Outcome::Signed, ""),
        3 => (Operation::SignTransaction, Outcome::Refused, "over-limit"),
        _ => (Operation::UnlockFailed, Outcome::Failed, "wrong_password"),
    };
    let signing = operation == Operation::SignTransaction;
    AuditRow::Entry(Box::new(AuditEntry {
        sequence,
        time_ms: NOW_MS - 1_000_000 + sequence * 60_000,
        actor: "console".into(),
        operation,
        wallet: signing.then(|| wallet(1).address),
        outcome,
        reason: reason.into(),
        subject: signing.then_some([0xab; 32]),
        details: if signing {
            "transfer 1.500000000 SOL\u{1b}[2J".into()
        } else {
            String::new()
        },
        client_address: None,
        client_fingerprint: None,
    }))
}

/// Answers what the screen asks, as a log of `count` entries would, until it asks no more.
fn serve(state: &mut State, effects: Vec<Effect>, count: u64) -> Vec<AuditQuery> {
    let mut asked = Vec::new();
    for effect in effects {
        let Effect::Start {
            id,
            work: Work::Audit(AuditWork::Open(query) | AuditWork::Page(query)),
            ..
        } = effect
        else {
            continue;
        };
        let mut all: Vec<u64> = (0..count).collect();
        if query.newest_first {
            all.reverse();
        }
        let fits = |sequence: &u64| {
            query.before_sequence.is_none_or(|before| *sequence < before)
                && query.after_sequence.is_none_or(|after| *sequence > after)
        };
        let rows = all
            .into_iter()
            .filter(fits)
            .take(query.limit as usize)
            .map(entry)
            .collect();
        asked.push(query);
        let answer = Answer::Audit(AuditAnswer::Page(Ok(AuditRows { total: count, rows })));
        let more = update(state, Msg::Answer { id, answer });
        asked.extend(serve(state, more, count));
    }
    asked
}

fn log(count: u64) -> State {
    let mut state = opened(10);
    let effects = press(&mut state, KeyCode::Char('2'));
    serve(&mut state, effects, count);
    state
}

fn of(state: &State) -> &AuditScreen {
    match &state.screen {
        Screen::Audit(screen) => screen,
        other => panic!("not the log but {other:?}"),
    }
}

fn key(state: &mut State, code: KeyCode, count: u64) -> Vec<AuditQuery> {
    let effects = press(state, code);
    serve(state, effects, count)
}

#[test]
fn only_a_window_of_a_long_log_is_read() {
    let mut state = log(100_000);
    assert!(of(&state).window.at(400).is_none());
    key(&mut state, KeyCode::End, 100_000);
    assert_eq!(of(&state).window.selected().unwrap().sequence(), 0);
    key(&mut state, KeyCode::Home, 100_000);
    assert_eq!(of(&state).window.selected().unwrap().sequence(), 99_999);
    for _ in 0..100 {
        key(&mut state, KeyCode::PageDown, 100_000);
    }
    assert_eq!(of(&state).window.cursor(), 100 * seen(&state.shared));
    assert_eq!(
        of(&state).window.selected().unwrap().sequence(),
        99_999 - 100 * seen(&state.shared)
    );
}

#[test]
fn typing_filters_and_older_answers_are_stale() {
    let mut state = log(100);
    press(&mut state, KeyCode::Char('/'));
    let first = press(&mut state, KeyCode::Char('r'));
    let second = press(&mut state, KeyCode::Char('e'));
    serve(&mut state, first, 7);
    assert_eq!(of(&state).window.total(), 100, "the first answer came too late");
    let asked = serve(&mut state, second, 9);
    assert_eq!(asked[0].text, "re");
    assert_eq!(of(&state).window.total(), 9);
    key(&mut state, KeyCode::Enter, 9);
    assert!(!of(&state).typing());
    let asked = key(&mut state, KeyCode::Esc, 100);
    assert_eq!(asked[0].text, "", "the first step back clears the filter");
    press(&mut state, KeyCode::Esc);
    assert!(matches!(state.screen, Screen::Wallets(_)));
}

fn verified(state: &mut State, report: AuditReport) {
    let effects = press(state, KeyCode::Char('v'));
    let id = started(&effects, |work| matches!(work, Work::Audit(AuditWork::Verify)));
    assert!(press(state, KeyCode::Char('v')).is_empty(), "one at a time");
    let answer = Answer::Audit(AuditAnswer::Verified(Ok(report)));
    update(state, Msg::Answer { id, answer });
}

#[test]
fn a_broken_log_is_named_wherever_one_is() {
    let mut state = log(60);
    let effects = press(&mut state, KeyCode::Char('v'));
    let id = started(&effects, |work| matches!(work, Work::Audit(AuditWork::Verify)));
    wait(&mut state, 3_000);
    assert!(screen(&mut state, 80, 24).contains("recomputing every entry · 3 s"));
    press(&mut state, KeyCode::Char('1'));
    let report = AuditReport::Broken {
        sequence: 57,
        reason: "its bytes do not hash to its leaf".into(),
    };
    let answer = Answer::Audit(AuditAnswer::Verified(Ok(report)));
    update(&mut state, Msg::Answer { id, answer });
    assert!(screen(&mut state, 80, 24).contains("broken at entry 57"));
    press(&mut state, KeyCode::Esc);
    let effects = press(&mut state, KeyCode::Char('2'));
    serve(&mut state, effects, 60);
    snapshot("audit_broken_80x24", &screen(&mut state, 80, 24));
}

#[test]
fn a_checkpoint_goes_to_the_file_one_types() {
    let mut state = log(60);
    press(&mut state, KeyCode::Char('c'));
    snapshot("audit_checkpoint_80x24", &screen(&mut state, 80, 24));
    control(&mut state, 'u');
    press(&mut state, KeyCode::Enter);
    assert!(state.modal.is_some(), "a name is needed");
    type_text(&mut state, "~/keep.txt");
    let effects = press(&mut state, KeyCode::Enter);
    let id = started(
        &effects,
        |work| matches!(work, Work::Audit(AuditWork::Checkpoint { path }) if path == "~/keep.txt"),
    );
    let answer = Answer::Audit(AuditAnswer::Checkpoint(Ok((61, "/srv/keep.txt".into()))));
    update(&mut state, Msg::Answer { id, answer });
    assert!(screen(&mut state, 80, 24).contains("checkpoint of 61 entries written to /srv/keep.txt"));
}

#[test]
fn the_log_as_it_looks() {
    let mut state = log(1_234);
    snapshot("audit_80x24", &screen(&mut state, 80, 24));
    for _ in 0..2 {
        key(&mut state, KeyCode::Down, 1_234);
    }
    let report = AuditReport::Intact {
        entries: 1_234,
        root: [0x1f; 32],
        checkpoints: 3,
        redacted: 0,
    };
    verified(&mut state, report);
    // The end of a job reads the log's top again only while it is shown.
    snapshot("audit_140x40", &screen(&mut state, 140, 40));
    key(&mut state, KeyCode::Enter, 1_234);
    let text = screen(&mut state, 80, 24);
    assert!(!text.contains('\u{1b}'));
    snapshot("audit_entry_80x24", &text);
}

#[test]
fn no_match_says_what_a_filter_takes() {
    let mut state = log(10);
    press(&mut state, KeyCode::Char('/'));
    let effects = type_text(&mut state, "outcome:xyz");
    serve(&mut state, effects, 0);
    snapshot("audit_no_match_80x24", &screen(&mut state, 80, 24));
}

#[test]
fn what_was_redacted_is_listed_as_such() {
    let mut state = opened(10);
    let effects = press(&mut state, KeyCode::Char('2'));
    let id = started(&effects, |work| matches!(work, Work::Audit(AuditWork::Open(_))));
    let mut rows: Vec<AuditRow> = (0..4).rev().map(entry).collect();
    rows.push(AuditRow::Redacted {
        sequence: 99,
        leaf_hash: [0xab; 32],
        redacted_by: 3,
    });
    let answer = Answer::Audit(AuditAnswer::Page(Ok(AuditRows { total: 5, rows })));
    update(&mut state, Msg::Answer { id, answer });
    press(&mut state, KeyCode::End);
    for _ in 0..4 {
        press(&mut state, KeyCode::Down);
    }
    snapshot("audit_redacted_140x40", &screen(&mut state, 140, 40));
    assert!(screen(&mut state, 80, 24).contains("redacted: its time was over; entry 3 says so"));
}

#[test]
fn failures_of_the_last_day_are_one_key_away_and_back() {
    let mut state = log(100);
    let asked = key(&mut state, KeyCode::Char('f'), 10);
    assert!(asked[0].failures && asked[0].from_ms == Some(NOW_MS - 86_400_000));
    let asked = key(&mut state, KeyCode::Char('f'), 100);
    assert!(!asked[0].failures && asked[0].from_ms.is_none());
}

#[test]
fn an_export_takes_the_filter_and_a_file() {
    let mut state = log(100);
    key(&mut state, KeyCode::Char('f'), 10);
    press(&mut state, KeyCode::Char('x'));
    control(&mut state, 'u');
    type_text(&mut state, "out.jsonl");
    let effects = press(&mut state, KeyCode::Enter);
    let Some(Effect::Start {
        id,
        work: Work::Audit(AuditWork::Export { query, path }),
        ..
    }) = effects.first()
    else {
        panic!("{effects:?}")
    };
    assert!(query.failures && path == "out.jsonl");
    let answer = Answer::Audit(AuditAnswer::Exported(Ok((10, "/tmp/out.jsonl".into()))));
    update(&mut state, Msg::Answer { id: *id, answer });
    assert!(screen(&mut state, 80, 24).contains("10 entries written to /tmp/out.jsonl"));
}

#[test]
fn redacting_is_asked_for_and_what_it_did_is_said() {
    let mut state = log(100);
    press(&mut state, KeyCode::Char('D'));
    snapshot("audit_redact_80x24", &screen(&mut state, 80, 24));
    let effects = press(&mut state, KeyCode::Char('y'));
    let id = started(&effects, |work| matches!(work, Work::Audit(AuditWork::Redact)));
    assert_eq!(state.shared.jobs.running(), 1);
    let report = keyward_custody::RedactReport {
        redacted: 1_200,
        steps: 2,
    };
    let answer = Answer::Audit(AuditAnswer::Redacted(Ok(report)));
    update(&mut state, Msg::Answer { id, answer });
    assert_eq!(state.shared.jobs.running(), 0);
    let text = screen(&mut state, 80, 24);
    assert!(text.contains("1,200 entries redacted"), "{text}");
}
