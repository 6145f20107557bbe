#![allow(clippy::unwrap_used, reason = "tests")]

use crossterm::event::KeyCode;

use super::*;
use crate::console::effect::Effect;
use crate::console::msg::Msg;
use crate::console::screen::Screen;
use crate::console::state::State;
use crate::console::update::update;
use crate::console::view::testing::*;

fn line(number: u32, word: &'static str, stands: Stands) -> ReportRow {
    ReportRow {
        address: *wallet(number).solana().unwrap(),
        amount: "1.500000000 SOL".into(),
        word,
        stands,
        details: vec!["planned 1.500000000 SOL, recorded 1.500000000 SOL, paid 0.000000000 SOL".into()],
    }
}

fn report(rows: Vec<ReportRow>) -> Box<ReportPage> {
    let agrees = rows.iter().all(|row| row.stands != Stands::Odd);
    Box::new(ReportPage {
        agrees,
        words: if agrees {
            "Plan, record and chain agree."
        } else {
            "Record and chain differ."
        },
        facts: vec![
            (
                "recipients",
                "2 paid, 0 open, 0 unrecorded, 0 missing, 0 over".into(),
            ),
            ("planned", "3.000000000 SOL".into()),
            ("unexplained", "0.000000000 SOL".into()),
        ],
        rows,
    })
}

fn page(rows: Vec<ReportRow>) -> State {
    let mut state = opened(10);
    online(&mut state);
    let mut screen = ReportScreen::new(JobId::new([1; 16]), "distribute payroll".into());
    let mut cx = Cx::new(&mut state.shared);
    screen.open(&mut cx);
    let effects = cx.effects;
    state.below.push(std::mem::replace(
        &mut state.screen,
        Screen::Report(Box::new(screen)),
    ));
    let id = started(&effects, |work| matches!(work, Work::Bulk(BulkWork::Report(_))));
    let answer = Answer::Bulk(BulkAnswer::Reported(Ok(report(rows))));
    update(&mut state, Msg::Answer { id, answer });
    state
}

#[test]
fn what_was_paid_is_shown_line_by_line() {
    let rows = vec![line(1, "paid", Stands::Well), line(2, "paid", Stands::Well)];
    let mut state = page(rows);
    snapshot("report_80x24", &screen(&mut state, 80, 24));
    press(&mut state, KeyCode::End);
    let text = screen(&mut state, 80, 24);
    assert!(text.contains(&wallet(2).address.to_string()), "{text}");
    let effects = press(&mut state, KeyCode::Char('y'));
    let copied = wallet(2).address.to_string();
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Copy(text) if *text == copied))
    );
}

#[test]
fn what_does_not_agree_is_said_at_once() {
    let rows = vec![line(1, "missing", Stands::Odd), line(2, "paid", Stands::Well)];
    let mut state = page(rows);
    let text = screen(&mut state, 120, 40);
    assert!(
        text.contains("it does not agree") && text.contains("differ"),
        "{text}"
    );
    snapshot("report_odd_120x40", &text);
}
