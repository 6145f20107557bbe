//! How the wizard is drawn.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{FirstRun, LENGTHS, Route, Step};
use crate::console::state::Shared;
use crate::console::text::sentence;
use crate::console::widget::{heading, row, rows, rule, wrapped};

pub(super) fn view(wizard: &FirstRun, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let (title, remark) = headline(wizard);
    row(frame, area, 0, heading(title, &remark, area.width, palette));
    row(frame, area, 1, rule(area.width, palette));
    let width = area.width.saturating_sub(4).min(100);
    let body = Rect {
        x: area.x + 2,
        y: area.y + 3,
        width,
        height: area.height.saturating_sub(3),
    };
    match wizard.step {
        Step::Welcome => welcome(wizard, shared, frame, body),
        Step::Length => length(wizard, shared, frame, body),
        Step::Phrase => {
            wizard.phrase.view(shared, frame, body);
            failure(wizard, shared, frame, body);
        }
        Step::Quiz => wizard.phrase.view_quiz(shared, frame, body),
        Step::Import => wizard.import.view(shared, frame, body),
        Step::Paths => wizard.paths.view(shared, frame, body),
        Step::Limits => wizard.limits.view(shared, frame, body),
        Step::Password => {
            wizard
                .password
                .view(wizard.creating, wizard.failure.as_ref(), shared, frame, body);
        }
        Step::Many => wizard.many.view(shared, frame, body),
        Step::Deriving => wizard.many.view_deriving(shared, frame, body),
    }
}

fn headline(wizard: &FirstRun) -> (&'static str, String) {
    let (number, title) = match wizard.step {
        Step::Welcome => return ("Welcome to keyward", String::new()),
        Step::Length => (1, "How long is the phrase?"),
        Step::Phrase => (2, "Your phrase"),
        Step::Quiz => (3, "Can you read it?"),
        Step::Import => (1, "Your phrase"),
        Step::Paths => (2, "Passphrase and path"),
        Step::Limits => (3, "Limits"),
        Step::Password => (4, "Password"),
        Step::Many => (5, "Wallets"),
        Step::Deriving => (5, "Wallets"),
    };
    // Creating has one step more, before the limits.
    let later = matches!(
        wizard.step,
        Step::Limits | Step::Password | Step::Many | Step::Deriving
    );
    let (number, total) = match wizard.route {
        Route::Create => (number + u32::from(later), 6),
        Route::Import => (number, 5),
    };
    (title, format!("step {number} of {total}"))
}

fn welcome(wizard: &FirstRun, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let intro = "There is no vault here yet. A vault keeps one phrase and every wallet derived from it, encrypted, in";
    let mut at = rows(frame, area, 0, wrapped(intro, area.width, palette.text));
    at = rows(
        frame,
        area,
        at,
        vec![
            Line::styled(format!("  {}", shared.location), palette.muted),
            Line::default(),
        ],
    );
    let choices = [
        ("Create a new phrase", "for a new start; you write it down"),
        ("Import a phrase", "12 to 24 words from another wallet"),
    ];
    at = list(&choices, wizard.welcome.at(), shared, frame, area, at);
    let offline = match &shared.config.rpc_url {
        None => "Nothing here needs the network. No node is contacted until you choose one in the settings.",
        Some(_) => "Nothing here needs the network; the node you chose is asked for balances only later.",
    };
    rows(frame, area, at + 1, wrapped(offline, area.width, palette.muted));
}

fn length(wizard: &FirstRun, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let intro = "12 words cannot be guessed. 24 are the habit of hardware wallets.";
    let at = rows(frame, area, 0, wrapped(intro, area.width, palette.text)) + 1;
    let choices: Vec<(String, String)> = LENGTHS
        .iter()
        .map(|length| {
            (
                format!("{} words", length.words()),
                format!("{} bits", length.entropy_len() * 8),
            )
        })
        .collect();
    let choices: Vec<(&str, &str)> = choices.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    list(&choices, wizard.length.at(), shared, frame, area, at);
}

fn list(
    choices: &[(&str, &str)],
    chosen: usize,
    shared: &Shared,
    frame: &mut Frame<'_>,
    area: Rect,
    from: u16,
) -> u16 {
    let palette = &shared.palette;
    let mut at = from;
    for (number, (name, remark)) in choices.iter().enumerate() {
        let here = number == chosen;
        let style = if here { palette.selected } else { Style::new() };
        let line = Line::from(vec![
            Span::styled(if here { "▌ " } else { "  " }, palette.accent),
            Span::styled(
                format!("{name:<24}"),
                if here { palette.strong } else { palette.text },
            ),
            Span::styled(format!("{remark:<40}"), palette.muted),
        ]);
        row(frame, area, at, line.style(style));
        at += 1;
    }
    at
}

fn failure(wizard: &FirstRun, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    if let Some(failure) = &wizard.failure {
        let mut lines = wrapped(
            &format!("! {}", sentence(&failure.cause)),
            area.width,
            shared.palette.warning,
        );
        lines.extend(wrapped(
            &sentence(&failure.remedy),
            area.width,
            shared.palette.accent,
        ));
        rows(frame, area, 2, lines);
    }
}
