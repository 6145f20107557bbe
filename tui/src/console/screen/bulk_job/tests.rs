#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;
use keyward_core::address::Signature;
use keyward_custody::jobs::{JobKind, NewItem};

use super::*;
use crate::console::effect::{Effect, Lifetime};
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::screen::bulk::tests::{counts, job};
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn job_id() -> JobId {
    JobId::new([1; 16])
}

fn item(number: u32) -> JobItem {
    let state = match number % 7 {
        0 => ItemState::Confirmed,
        1 => ItemState::Sent,
        2 => ItemState::Signed,
        3 => ItemState::Failed {
            reason: "the account is frozen\u{1b}[2J".into(),
        },
        4 => ItemState::Skipped {
            reason: "it holds nothing".into(),
        },
        5 => ItemState::Cancelled,
        _ => ItemState::Planned,
    };
    JobItem {
        new: NewItem {
            number,
            source: *wallet(0).solana().unwrap(),
            recipient: *wallet(number + 1).solana().unwrap(),
            amount: 1_500_000_000 + u64::from(number),
            action: ItemAction::PaySol,
            memo: (number == 0).then(|| "invoice 4711".into()),
        },
        group: number / 20,
        batch: state.is_under_way().then(|| (3, Signature::new([7; 64]))),
        slot: None,
        state,
    }
}

fn asked(effects: &[Effect]) -> Option<(RequestId, ItemFilter, Option<u32>)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Bulk(BulkWork::Job { filter, cursor, .. }),
            ..
        } => Some((*id, *filter, cursor.after)),
        _ => None,
    })
}

fn answer(state: &mut State, id: RequestId, job: Job, items: Vec<JobItem>) {
    let answer = Answer::Bulk(BulkAnswer::Job(Ok(Box::new(JobPage { job, items }))));
    update(state, Msg::Answer { id, answer });
}

fn distribution() -> Job {
    job(
        1,
        JobKind::Distribution,
        JobState::Open,
        counts(1_000, 400, 0, 598, 2),
    )
}

/// The page of a job, with so many items.
fn page(job: Job, items: u32) -> State {
    let mut state = opened(10);
    online(&mut state);
    let mut screen = BulkJobScreen::new(job_id());
    let mut cx = Cx::new(&mut state.shared);
    screen.open(&mut cx);
    let effects = cx.effects;
    state.below.push(std::mem::replace(
        &mut state.screen,
        Screen::BulkJob(Box::new(screen)),
    ));
    let (id, ..) = asked(&effects).unwrap();
    answer(&mut state, id, job, (0..items).map(item).collect());
    state
}

pub(in crate::console::screen) fn run_started(effects: &[Effect]) -> RequestId {
    started(
        effects,
        |work| matches!(work, Work::Bulk(BulkWork::Run(id, _)) if *id == job_id()),
    )
}

/// It is run, and these wallets turn out to sign with passwords of their own.
pub(in crate::console::screen) fn locked_by(wallets: Vec<Wallet>) -> State {
    let (mut state, id) = running();
    let answer = Answer::Bulk(BulkAnswer::Locked(wallets));
    update(&mut state, Msg::Answer { id, answer });
    assert_eq!(state.shared.jobs.running(), 0);
    state
}

/// A run of it under way.
fn running() -> (State, RequestId) {
    let mut state = page(distribution(), 12);
    press(&mut state, KeyCode::Char('r'));
    type_text(&mut state, "400");
    let effects = press(&mut state, KeyCode::Enter);
    let id = run_started(&effects);
    let stops_at_a_lock = effects.iter().any(
        |effect| matches!(effect, Effect::Start { id: started, lifetime: Lifetime::Session, .. } if *started == id),
    );
    assert!(stops_at_a_lock, "it needs a key");
    (state, id)
}

#[test]
fn running_it_takes_the_number_of_what_is_to_be_done() {
    let mut state = page(distribution(), 12);
    snapshot("bulk_job_80x24", &screen(&mut state, 80, 24));
    snapshot("bulk_job_120x40", &screen(&mut state, 120, 40));
    press(&mut state, KeyCode::Char('r'));
    snapshot("bulk_job_run_80x24", &screen(&mut state, 80, 24));
    type_text(&mut state, "40");
    assert!(press(&mut state, KeyCode::Enter).is_empty());
    assert!(screen(&mut state, 80, 24).contains("not how many"));
}

#[test]
fn a_run_shows_done_in_flight_failed_unknown_rate_and_time_left() {
    let (mut state, id) = running();
    let progress = Progress::Bulk(JobProgress {
        total: 1_000,
        done: 640,
        in_flight: 60,
        unknown: 20,
        failed: 2,
        left_out: 0,
        rate_per_minute: 1_200,
        left_ms: Some(17_000),
        waiting: "the node asks for patience".into(),
    });
    update(&mut state, Msg::Progress { id, progress });
    snapshot("bulk_job_running_80x24", &screen(&mut state, 80, 24));
    // It goes on when the screen is left, and shows among the jobs.
    press(&mut state, KeyCode::Char('3'));
    let text = screen(&mut state, 80, 24);
    assert!(
        text.contains("642 of 1,000") && text.contains("running it again goes on"),
        "{text}"
    );
}

#[test]
fn how_a_run_ended_is_said() {
    let ends = [
        (Ok(JobOutcome::Done), "Every item has its end"),
        (
            Ok(JobOutcome::Held {
                reason: "policy refuses".into(),
            }),
            "Held: policy refuses",
        ),
        (
            Ok(JobOutcome::Unknown {
                cause: "no answer".into(),
            }),
            "not known yet",
        ),
        (
            Err(Failure::new("the vault is locked", "unlock it")),
            "The vault is locked",
        ),
    ];
    for (result, words) in ends {
        let (mut state, id) = running();
        let answer_of_run = Answer::Bulk(BulkAnswer::Ran(result));
        let effects = update(
            &mut state,
            Msg::Answer {
                id,
                answer: answer_of_run,
            },
        );
        let (id, ..) = asked(&effects).unwrap();
        answer(&mut state, id, distribution(), (0..12).map(item).collect());
        assert_eq!(state.shared.jobs.running(), 0);
        let text = screen(&mut state, 80, 24);
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn it_is_paused_gone_on_with_retried_and_given_up() {
    let steered = |effects: &[Effect], wanted: Steer| {
        effects.iter().any(|effect| {
            matches!(effect, Effect::Start { work: Work::Bulk(BulkWork::Steer { steer, .. }), .. } if *steer == wanted)
        })
    };
    let mut state = page(distribution(), 12);
    assert!(steered(&press(&mut state, KeyCode::Char('p')), Steer::Pause));
    assert!(steered(&press(&mut state, KeyCode::Char('t')), Steer::Retry));
    press(&mut state, KeyCode::Char('X'));
    snapshot("bulk_job_give_up_80x24", &screen(&mut state, 80, 24));
    assert!(steered(&press(&mut state, KeyCode::Char('y')), Steer::Cancel));
    let paused = job(1, JobKind::Distribution, JobState::Paused, counts(10, 4, 0, 6, 0));
    let mut state = page(paused, 3);
    assert!(steered(&press(&mut state, KeyCode::Char('p')), Steer::Resume));
    // What is paused is not run, and what has its end is left alone.
    press(&mut state, KeyCode::Char('r'));
    assert!(state.modal.is_none() && state.shared.jobs.running() == 0);
    let done = job(1, JobKind::Distribution, JobState::Open, counts(10, 0, 0, 10, 0));
    let mut state = page(done, 3);
    for key in ['r', 'p', 't', 'X'] {
        assert!(
            press(&mut state, KeyCode::Char(key)).is_empty() && state.modal.is_none(),
            "{key}"
        );
    }
}

#[test]
fn states_are_stepped_through_and_pages_follow_each_other() {
    let mut state = page(distribution(), PAGE);
    let effects = press(&mut state, KeyCode::End);
    let (id, _, after) = asked(&effects).unwrap();
    assert_eq!(after, Some(PAGE - 1));
    answer(
        &mut state,
        id,
        distribution(),
        (PAGE..PAGE + 5).map(item).collect(),
    );
    assert!(asked(&press(&mut state, KeyCode::End)).is_none());
    let effects = press(&mut state, KeyCode::Char('f'));
    let (_, filter, after) = asked(&effects).unwrap();
    assert_eq!((filter, after), (ItemFilter::Planned, None));
}

#[test]
fn one_that_others_run_is_looked_at_again() {
    let under_way = job(1, JobKind::Distribution, JobState::Open, counts(10, 4, 3, 3, 0));
    let mut state = page(under_way, 3);
    assert!(asked(&wait(&mut state, LOOK_MS)).is_some());
    let mut state = page(distribution(), 3);
    assert!(asked(&wait(&mut state, LOOK_MS)).is_none());
}

#[test]
fn its_report_and_another_list_are_reached_from_its_page() {
    let mut done = job(1, JobKind::Distribution, JobState::Open, counts(10, 0, 0, 10, 0));
    let mut state = page(done.clone(), 3);
    press(&mut state, KeyCode::Char('v'));
    assert!(matches!(state.screen, Screen::Report(_)));
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Char('e'));
    assert!(matches!(state.screen, Screen::Distribute(_)));
    // What is under way, or collects, is not edited; of what sent nothing there is no report.
    done.counts.settling = 1;
    let mut state = page(done, 3);
    press(&mut state, KeyCode::Char('e'));
    assert!(matches!(state.screen, Screen::BulkJob(_)));
    let mut closing = job(1, JobKind::Closing, JobState::Open, counts(10, 10, 0, 0, 0));
    closing.counts.batches = 0;
    let mut state = page(closing, 3);
    for key in ['e', 'v'] {
        press(&mut state, KeyCode::Char(key));
        assert!(matches!(state.screen, Screen::BulkJob(_)), "{key}");
    }
}

#[test]
fn a_run_that_was_left_is_found_again_with_its_progress() {
    let (mut state, id) = running();
    // From the jobs under way.
    press(&mut state, KeyCode::Char('3'));
    press(&mut state, KeyCode::Enter);
    let Screen::BulkJob(page) = &state.screen else {
        panic!("not the job's page")
    };
    assert_eq!((page.id, page.running), (job_id(), Some(id)));
    // What runs is not run a second time, not even from a page of its own.
    let mut page = BulkJobScreen::new(job_id());
    page.job = Some(distribution());
    let mut cx = Cx::new(&mut state.shared);
    page.open(&mut cx);
    assert!(!page.can_run(&state.shared));
    state.shared.jobs.end(id, Ok("done".into()), 0);
    assert_eq!(state.shared.jobs.run_of(job_id()), None);
    assert!(page.can_run(&state.shared));
}
