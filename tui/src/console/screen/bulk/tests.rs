#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_custody::FeePolicy;
use keyward_custody::jobs::{JobCounts, JobFormat, JobId};

use super::*;
use crate::console::effect::{Effect, Failure};
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

/// Job number `number` of a made-up vault.
pub(in crate::console::screen) fn job(number: u8, kind: JobKind, state: JobState, counts: JobCounts) -> Job {
    Job {
        id: JobId::new([number; 16]),
        kind,
        label: match number {
            1 => "payroll november".into(),
            2 => "sweep the bots\u{1b}[2J".into(),
            _ => String::new(),
        },
        network: "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG".into(),
        fee_payer: *wallet(0).solana().unwrap(),
        format: JobFormat::Legacy,
        fee: FeePolicy::None,
        options_json: "{}".into(),
        state,
        counts,
        created_ms: NOW_MS - u64::from(number) * 3_600_000,
    }
}

/// Counts: all, planned, in flight, done, failed; the rest is given up.
pub(in crate::console::screen) fn counts(
    total: u64,
    planned: u64,
    in_flight: u64,
    done: u64,
    failed: u64,
) -> JobCounts {
    JobCounts {
        total,
        planned,
        in_flight,
        done,
        failed,
        cancelled: total - planned - in_flight - done - failed,
        batches: done / 20 + 1,
        fees: 5_000 * u128::from(done / 20 + 1),
        ..JobCounts::default()
    }
}

fn list(result: Result<Vec<Job>, Failure>) -> (State, Vec<Effect>) {
    let mut state = opened(10);
    let effects = press(&mut state, KeyCode::Char('B'));
    let id = started(&effects, |work| matches!(work, Work::Bulk(BulkWork::Jobs(_))));
    let answer = Answer::Bulk(BulkAnswer::Jobs(result));
    let effects = update(&mut state, Msg::Answer { id, answer });
    (state, effects)
}

fn jobs() -> Vec<Job> {
    vec![
        job(
            1,
            JobKind::Distribution,
            JobState::Open,
            counts(1_000, 400, 60, 538, 2),
        ),
        job(
            2,
            JobKind::Consolidation,
            JobState::Paused,
            counts(500, 200, 0, 300, 0),
        ),
        job(3, JobKind::Closing, JobState::Open, counts(61, 0, 0, 61, 0)),
        job(
            4,
            JobKind::Distribution,
            JobState::Cancelled,
            counts(10, 0, 0, 4, 0),
        ),
        job(5, JobKind::Distribution, JobState::Open, counts(10, 0, 0, 9, 1)),
        job(6, JobKind::Distribution, JobState::Open, counts(10, 10, 0, 0, 0)),
    ]
}

#[test]
fn what_waits_for_somebody_is_told_apart() {
    let (mut state, _) = list(Ok(jobs()));
    snapshot("bulk_80x24", &screen(&mut state, 80, 24));
    snapshot("bulk_120x40", &screen(&mut state, 120, 40));
    let wants: Vec<Standing> = jobs().iter().map(|job| standing(job).1).collect();
    use Standing::{Ended, Runs, Wants};
    assert_eq!(wants, [Runs, Wants, Ended, Ended, Wants, Wants]);
}

#[test]
fn enter_opens_a_job() {
    let (mut state, _) = list(Ok(jobs()));
    press(&mut state, KeyCode::Down);
    let effects = press(&mut state, KeyCode::Enter);
    assert!(matches!(state.screen, Screen::BulkJob(_)));
    let asked = effects.iter().any(|effect| {
        matches!(effect, Effect::Start { work: Work::Bulk(BulkWork::Job { id, .. }), .. } if *id == JobId::new([2; 16]))
    });
    assert!(asked, "{effects:?}");
}

#[test]
fn none_and_trouble_say_what_to_do() {
    let (mut state, _) = list(Ok(Vec::new()));
    assert!(screen(&mut state, 80, 24).contains("was stored yet"));
    let (mut state, _) = list(Err(Failure::new("the database is gone", "start it")));
    assert!(screen(&mut state, 80, 24).contains("The database is gone"));
}
