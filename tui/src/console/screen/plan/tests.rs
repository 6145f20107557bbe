#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use crossterm::event::KeyCode;
use keyward_custody::FeePolicy;
use keyward_custody::distribution::{
    Amounts, Asset, DistributionPlan, DistributionRequest, Estimate, FeeBearer, FindingCode,
};
use keyward_custody::jobs::{ItemAction, JobFormat, JobKind, NewJob};

use super::*;
use crate::console::effect::Effect;
use crate::console::effects::plans::{AmountsAsk, DistributionAsk, Kept, Who};
use crate::console::msg::Msg;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

const PAID: u64 = 30_000_000_190;

fn ask() -> Ask {
    Ask::Distribution(DistributionAsk {
        label: "payroll".into(),
        sources: "treasury".into(),
        fee_payer: String::new(),
        mint: "SOL".into(),
        recipients: Who::File("payroll.csv".into()),
        amounts: AmountsAsk::InFile,
        memo: String::new(),
        bearer: FeeBearer::Recipient,
        fee: "none".into(),
        format: JobFormat::Legacy,
        accepted: Vec::new(),
        trial: Trial::Sample,
        edits: None,
    })
}

fn job() -> NewJob {
    let item = |number: u32| NewItem {
        number,
        source: *wallet(0).solana().unwrap(),
        recipient: *wallet(number + 1).solana().unwrap(),
        amount: 1_500_000_000 + u64::from(number),
        action: ItemAction::PaySol,
        memo: (number == 0).then(|| "invoice 4711".into()),
    };
    NewJob {
        id: JobId::new([1; 16]),
        kind: JobKind::Distribution,
        label: "payroll".into(),
        network: "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG".into(),
        fee_payer: *wallet(0).solana().unwrap(),
        format: JobFormat::Legacy,
        fee: FeePolicy::None,
        options_json: "{}".into(),
        items: (0..20).map(item).collect(),
        groups: vec![(0..20).collect()],
    }
}

/// A plan of 20 payments with these remarks.
pub(in crate::console::screen) fn made(remarks: Vec<Remark>, asked: Vec<FindingCode>) -> Box<PlanPage> {
    let refused = remarks.iter().any(|remark| remark.weight == Weight::Refused);
    let ready = !refused && asked.is_empty();
    let job = job();
    let treasury = wallet(0).address;
    let plan = DistributionPlan {
        request: DistributionRequest {
            label: "payroll".into(),
            sources: vec![job.fee_payer],
            fee_payer: job.fee_payer,
            asset: Asset::Sol,
            recipients: Vec::new(),
            amounts: Amounts::Explicit(Vec::new()),
            transfer_fee: FeeBearer::Recipient,
            format: JobFormat::Legacy,
            fee: FeePolicy::None,
            accepted: Vec::new(),
        },
        findings: Vec::new(),
        counts: BTreeMap::new(),
        estimate: Estimate::default(),
        simulated: 1,
        job,
    };
    Box::new(PlanPage {
        names: (1..=20).map(|number| wallet(number).label).collect(),
        expected: plan.job.items.iter().map(|item| item.amount).collect(),
        kept: Kept::Distribution(Box::new(plan)),
        facts: vec![
            ("pays", "30.000000190 SOL in 20 payments".into()),
            ("in", "1 transaction (legacy), 1 tried out".into()),
            (
                "fees",
                "0.000005000 SOL + priority at most 0.000000000 SOL".into(),
            ),
            (
                "a failure",
                "costs 0.000005000 SOL; what it was to pay stays".into(),
            ),
            ("left, fees", format!("969.999994810 SOL {treasury}")),
        ],
        remarks,
        asked,
        typed: Typed::Amount {
            units: PAID,
            decimals: 9,
        },
        ready,
    })
}

fn twice() -> Remark {
    Remark {
        weight: Weight::Asked,
        words: "line 7: it is paid in line 3 already\u{1b}[2J".into(),
        address: Some(*wallet(3).solana().unwrap()),
        remedy: "merge the lines, or agree to pay it more than once".into(),
        code: Some(FindingCode::DuplicateRecipient),
    }
}

fn resembles() -> Remark {
    Remark {
        words: "line 9: it looks like bot-0004, and is another address".into(),
        code: Some(FindingCode::Lookalike),
        ..twice()
    }
}

fn refused() -> Remark {
    Remark {
        weight: Weight::Refused,
        words: "line 12: it is a program".into(),
        address: Some(*wallet(11).solana().unwrap()),
        remedy: "name the wallet that is meant; what a program is paid is lost".into(),
        code: None,
    }
}

/// The page of a plan, above a form above the list.
fn page(plan: Box<PlanPage>) -> State {
    let mut state = opened(10);
    online(&mut state);
    press(&mut state, KeyCode::Char('S'));
    let screen = PlanScreen::new(ask(), plan, &state.shared);
    state.below.push(std::mem::replace(
        &mut state.screen,
        Screen::Plan(Box::new(screen)),
    ));
    state
}

fn work(effects: &[Effect], wanted: fn(&Work) -> bool) -> Option<RequestId> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start { id, work, .. } if wanted(work) => Some(*id),
        _ => None,
    })
}

fn stores(effects: &[Effect]) -> Option<RequestId> {
    work(effects, |work| matches!(work, Work::Plan(PlanWork::Store(_))))
}

fn runs(effects: &[Effect]) -> Option<RequestId> {
    work(effects, |work| matches!(work, Work::Bulk(BulkWork::Run(..))))
}

fn made_again(effects: &[Effect]) -> Option<(RequestId, DistributionAsk)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Start {
            id,
            work: Work::Plan(PlanWork::Make(ask)),
            ..
        } => match &**ask {
            Ask::Distribution(ask) => Some((*id, ask.clone())),
            Ask::Sweep(_) => None,
        },
        _ => None,
    })
}

fn is_stored(state: &mut State, id: RequestId, result: Result<Option<JobId>, Failure>) -> Vec<Effect> {
    let answer = Answer::Plan(PlanAnswer::Stored(result));
    update(state, Msg::Answer { id, answer })
}

#[test]
fn what_is_refused_is_neither_stored_nor_run() {
    let mut state = page(made(
        vec![refused(), twice()],
        vec![FindingCode::DuplicateRecipient],
    ));
    snapshot("plan_refused_80x24", &screen(&mut state, 80, 24));
    for key in ['y', 'w', 't'] {
        assert!(press(&mut state, KeyCode::Char(key)).is_empty());
        assert!(state.modal.is_none(), "{key}");
    }
}

#[test]
fn every_question_is_read_before_it_is_agreed_to_and_the_plan_is_made_anew() {
    let asked = vec![FindingCode::DuplicateRecipient, FindingCode::Lookalike];
    let mut state = page(made(vec![twice(), resembles()], asked));
    snapshot("plan_asked_120x40", &screen(&mut state, 120, 40));
    // Away from the questions `a` only goes to the first one.
    press(&mut state, KeyCode::Home);
    assert!(press(&mut state, KeyCode::Char('a')).is_empty());
    assert!(press(&mut state, KeyCode::Char('a')).is_empty());
    snapshot("plan_one_answered_80x24", &screen(&mut state, 80, 24));
    assert!(stores(&press(&mut state, KeyCode::Char('w'))).is_none());
    let (id, ask) = made_again(&press(&mut state, KeyCode::Char('a'))).unwrap();
    assert_eq!(
        ask.accepted,
        [FindingCode::DuplicateRecipient, FindingCode::Lookalike]
    );
    // Nothing is stored of a plan that is being made anew.
    assert!(stores(&press(&mut state, KeyCode::Char('w'))).is_none());
    let answer = Answer::Plan(PlanAnswer::Made(Ok(made(vec![twice()], Vec::new()))));
    update(&mut state, Msg::Answer { id, answer });
    assert!(stores(&press(&mut state, KeyCode::Char('w'))).is_some());
}

#[test]
fn nothing_is_signed_before_the_very_amount_was_typed() {
    let mut state = page(made(Vec::new(), Vec::new()));
    snapshot("plan_80x24", &screen(&mut state, 80, 24));
    snapshot("plan_120x40", &screen(&mut state, 120, 40));
    assert!(
        press(&mut state, KeyCode::Enter).is_empty(),
        "Enter signs nothing"
    );
    press(&mut state, KeyCode::Char('y'));
    snapshot("plan_type_amount_80x24", &screen(&mut state, 80, 24));
    assert!(press(&mut state, KeyCode::Enter).is_empty());
    update(&mut state, Msg::Paste("30.00000019".to_owned().into()));
    assert!(
        press(&mut state, KeyCode::Enter).is_empty(),
        "it is typed, not pasted"
    );
    type_text(&mut state, "30");
    assert!(press(&mut state, KeyCode::Enter).is_empty());
    assert!(screen(&mut state, 80, 24).contains("that is not the amount"));
    type_text(&mut state, ".00000019");
    let effects = press(&mut state, KeyCode::Enter);
    let id = stores(&effects).unwrap();
    assert!(runs(&effects).is_none(), "it is stored before it is run");
    assert!(press(&mut state, KeyCode::Char('y')).is_empty(), "once");
    assert!(press(&mut state, KeyCode::Esc).is_empty() && matches!(state.screen, Screen::Plan(_)));
    let effects = is_stored(&mut state, id, Ok(Some(JobId::new([1; 16]))));
    assert!(runs(&effects).is_some());
    assert!(matches!(state.screen, Screen::BulkJob(_)));
    assert_eq!(state.shared.jobs.running(), 1);
    // Neither the plan nor its form is behind it.
    press(&mut state, KeyCode::Esc);
    assert!(matches!(state.screen, Screen::Wallets(_)));
}

#[test]
fn what_is_stored_to_be_run_later_signs_nothing() {
    let mut state = page(made(Vec::new(), Vec::new()));
    let id = stores(&press(&mut state, KeyCode::Char('w'))).unwrap();
    let effects = is_stored(&mut state, id, Ok(Some(JobId::new([1; 16]))));
    assert!(runs(&effects).is_none() && state.shared.jobs.running() == 0);
    assert!(matches!(state.screen, Screen::BulkJob(_)));
    assert!(screen(&mut state, 80, 24).contains("nothing is signed yet"));
}

#[test]
fn what_was_stored_before_is_said_and_not_run() {
    let mut state = page(made(Vec::new(), Vec::new()));
    press(&mut state, KeyCode::Char('y'));
    type_text(&mut state, "30.00000019");
    let id = stores(&press(&mut state, KeyCode::Enter)).unwrap();
    let failure = Failure::new("this distribution exists already", "run that one");
    let effects = is_stored(&mut state, id, Err(failure));
    assert!(runs(&effects).is_none());
    assert!(screen(&mut state, 80, 24).contains("exists already"));
}

#[test]
fn a_dry_run_tries_all_of_it_and_stores_nothing() {
    let mut state = page(made(Vec::new(), Vec::new()));
    let (id, ask) = made_again(&press(&mut state, KeyCode::Char('t'))).unwrap();
    assert_eq!(ask.trial, Trial::All);
    assert!(screen(&mut state, 80, 24).contains("asking the chain again"));
    // Esc stops it and stays.
    press(&mut state, KeyCode::Esc);
    assert!(matches!(state.screen, Screen::Plan(_)));
    let answer = Answer::Plan(PlanAnswer::Made(Ok(made(vec![refused()], Vec::new()))));
    update(&mut state, Msg::Answer { id, answer });
    assert!(
        !screen(&mut state, 80, 24).contains("a program"),
        "a stale answer"
    );
}

#[test]
fn an_item_is_shown_whole() {
    let mut state = page(made(Vec::new(), Vec::new()));
    for _ in 0..5 {
        press(&mut state, KeyCode::Down);
    }
    let text = screen(&mut state, 80, 24);
    for shown in [wallet(0), wallet(1)] {
        assert!(text.contains(&shown.address.to_string()), "{text}");
    }
    assert!(
        text.contains("bot-0001") && text.contains("memo  invoice 4711"),
        "{text}"
    );
}
