//! Bringing a vault file into this vault: first what it would do, with everything that differs, then doing it.

use std::fmt;

use crossterm::event::KeyEvent;
use keyward_custody::password::MAX_PASSWORD_BYTES;
use keyward_custody::{MergeConflict, MergeField, MergeReport};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::keys::{KeysAnswer, KeysWork};
use crate::console::effects::upkeep::{Trial, UpkeepAnswer, UpkeepWork};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::keymap::{Action, Context};
use crate::console::list::{Listing, Words};
use crate::console::modal::Decision;
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::sheet::{self, Foot, ask_to_discard};
use crate::console::state::Shared;
use crate::console::text::{count, fitted, printable};
use crate::console::widget::{row, rows, rule, wrapped};

#[cfg(test)]
mod tests;

const FILE: usize = 0;
const PASSWORD: usize = 1;
const PATH_BYTES: usize = 1_024;
/// Rows below the differences: a line and what is brought in.
const FOOT_ROWS: u16 = 5;
/// The most lines of differences that are kept for the list; the count says how many wallets differ.
const MAX_LINES: usize = 10_000;

/// Where one is.
enum Step {
    /// Which file.
    Ask,
    /// What it would do.
    Plan(Box<Found>),
    /// What it did.
    Done(Box<Found>),
}

/// A report, and its differences a line each.
struct Found {
    report: MergeReport,
    list: Listing<Vec<Difference>>,
}

/// One line: a wallet, or what differs in it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Difference {
    Wallet(String),
    Field { name: &'static str, words: String },
}

/// The screen.
pub struct MergeScreen {
    step: Step,
    form: Form,
    completing: Pending,
    working: Pending,
    problem: Option<&'static str>,
    failure: Option<Failure>,
}

impl fmt::Debug for MergeScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MergeScreen").finish_non_exhaustive()
    }
}

impl Default for MergeScreen {
    fn default() -> Self {
        Self {
            step: Step::Ask,
            form: Form::new(vec![
                Field::plain("vault file", PATH_BYTES).hint("Tab completes names; ~/ is your home folder"),
                Field::masked("file's password", MAX_PASSWORD_BYTES)
                    .hint("what opens the file; this vault's own is not asked for"),
            ]),
            completing: Pending::default(),
            working: Pending::default(),
            problem: None,
            failure: None,
        }
    }
}

/// Everything that differs, a line each.
fn differences(conflicts: &[MergeConflict]) -> Vec<Difference> {
    let of = |conflict: &MergeConflict| {
        let fields: Vec<Difference> = conflict
            .differences
            .iter()
            .map(|difference| Difference::Field {
                name: difference.what.id(),
                words: match difference.what {
                    MergeField::Place => format!(
                        "left out: {} has its place here ({})",
                        printable(&difference.here),
                        printable(&difference.file)
                    ),
                    _ => format!(
                        "here {:?}, in the file {:?}",
                        printable(&difference.here),
                        printable(&difference.file)
                    ),
                },
            })
            .collect();
        std::iter::once(Difference::Wallet(conflict.address.to_string())).chain(fields)
    };
    conflicts.iter().flat_map(of).take(MAX_LINES).collect()
}

impl MergeScreen {
    fn start(&mut self, trial: Trial, cx: &mut Cx<'_>) {
        if self.working.is_waiting() {
            return;
        }
        let path = self.form.expose_text(FILE).trim().to_owned();
        if path.is_empty() {
            self.problem = Some("name the file");
            return self.form.set_focus(FILE);
        }
        if self.form.expose_text(PASSWORD).is_empty() {
            self.problem = Some("type the file's password");
            return self.form.set_focus(PASSWORD);
        }
        (self.problem, self.failure) = (None, None);
        let work = UpkeepWork::Merge {
            path,
            password: self.form.expose_copy(PASSWORD),
            trial,
        };
        cx.start_latest(&mut self.working, Work::Upkeep(work));
    }

    fn merged(&mut self, result: Result<Box<MergeReport>, Failure>, cx: &mut Cx<'_>) {
        match result {
            Err(failure) => {
                self.form.clear_secrets();
                self.form.set_focus(PASSWORD);
                self.step = Step::Ask;
                self.failure = Some(failure);
            }
            Ok(report) => {
                let mut list = Listing::above(FOOT_ROWS);
                list.take(Ok(differences(&report.conflicts)), cx.shared);
                let found = Box::new(Found {
                    report: *report,
                    list,
                });
                if matches!(self.step, Step::Plan(_)) {
                    self.form.clear_secrets();
                    cx.go(Nav::Tell(Event::WalletsChanged));
                    if let Some(session) = &mut cx.shared.session {
                        let added = found.report.added.len() as u64;
                        session.summary.wallet_count = session.summary.wallet_count.saturating_add(added);
                    }
                    self.step = Step::Done(found);
                } else {
                    self.step = Step::Plan(found);
                }
            }
        }
    }

    fn found_mut(&mut self) -> Option<&mut Found> {
        match &mut self.step {
            Step::Plan(found) | Step::Done(found) => Some(found),
            Step::Ask => None,
        }
    }

    fn back(&mut self, cx: &mut Cx<'_>) {
        match self.step {
            // It either happens or does not, and the answer says which.
            _ if self.working.is_waiting() => {}
            Step::Plan(_) => self.step = Step::Ask,
            Step::Ask if self.unsaved() => cx.modal(ask_to_discard("Leave the merge?")),
            Step::Ask | Step::Done(_) => cx.go(Nav::Back),
        }
    }
}

impl Page for MergeScreen {
    fn contexts(&self) -> Vec<Context> {
        match self.step {
            Step::Ask if self.form.focus() == FILE => vec![Context::File, Context::Form],
            Step::Ask => vec![Context::Form],
            Step::Plan(_) => vec![Context::Merge, Context::List],
            Step::Done(_) => vec![Context::Done, Context::List],
        }
    }

    fn typing(&self) -> bool {
        matches!(self.step, Step::Ask)
    }

    fn available(&self, action: Action, _shared: &Shared) -> bool {
        match (&self.step, action) {
            (Step::Plan(found), Action::Accept) => brings_anything(&found.report),
            _ => true,
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if action == Action::Back {
            self.back(cx);
            return Handled::Yes;
        }
        if action == Action::Accept
            && let Step::Plan(found) = &self.step
        {
            if brings_anything(&found.report) {
                self.start(Trial::Real, cx);
            } else {
                cx.notice("the file has nothing that is not here");
            }
            return Handled::Yes;
        }
        if let Some(found) = self.found_mut() {
            return found.list.act(action, cx.shared);
        }
        if action == Action::Complete {
            let text = self.form.expose_text(FILE).to_owned();
            cx.start_latest(&mut self.completing, Work::Keys(KeysWork::Complete(text)));
            return Handled::Yes;
        }
        match self.form.act(action) {
            FormAct::Submit => self.start(Trial::Dry, cx),
            FormAct::Other => return Handled::No,
            FormAct::Done | FormAct::Back => {}
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, _cx: &mut Cx<'_>) {
        if !self.working.is_waiting() && self.form.key(key) == Edit::Changed {
            (self.problem, self.failure) = (None, None);
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        if self.typing() && !self.working.is_waiting() {
            self.form.paste(text);
        }
    }

    fn click(&mut self, _column: u16, row: u16, cx: &mut Cx<'_>) {
        if let Some(found) = self.found_mut() {
            found.list.click(row, cx.shared);
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Upkeep(UpkeepAnswer::Merged(result)) if self.working.settle(id) => {
                self.merged(result, cx);
            }
            Answer::Keys(KeysAnswer::Completed(found)) if self.completing.settle(id) => match found {
                Some(name) => self.form.set_text(FILE, &name),
                None => cx.notice("no file begins like that"),
            },
            Answer::Broken(failure) if self.working.settle(id) => self.merged(Err(failure), cx),
            other => return Some(other),
        }
        None
    }

    fn unsaved(&self) -> bool {
        self.working.is_waiting() || (matches!(self.step, Step::Ask) && !self.form.is_empty())
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if *decision == Decision::Discard {
            self.form = Form::default();
            cx.go(Nav::Back);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        match &self.step {
            Step::Ask => self.view_form(shared, frame, area),
            Step::Plan(found) => {
                view_found(found, "What the file would bring", shared, frame, area);
                self.view_foot(found, shared, frame, area);
            }
            Step::Done(found) => {
                view_found(found, "What the file brought", shared, frame, area);
                self.view_foot(found, shared, frame, area);
            }
        }
    }
}

fn brings_anything(report: &MergeReport) -> bool {
    report.phrases_added > 0 || !report.added.is_empty()
}

impl MergeScreen {
    fn view_form(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let width = sheet::inner(area).width;
        let mut lines = wrapped(
            "Phrases and wallets of the file that are not here yet are added. What is here stays as it is; what differs is \
             listed before anything is changed. Doing it twice does nothing the second time.",
            width,
            palette.text,
        );
        lines.extend(wrapped(
            "The file's policy is left out: this vault's own stays in force.",
            width,
            palette.muted,
        ));
        let at = sheet::head("Bring another vault's file in", "", lines, shared, frame, area);
        let at = self.form.view(frame, area, at, palette);
        let foot = if self.working.is_waiting() {
            Foot::Working("opening the file and comparing it with this vault")
        } else if let Some(problem) = self.problem {
            Foot::Problem(problem)
        } else if let Some(failure) = &self.failure {
            Foot::Failed(failure)
        } else {
            Foot::Quiet
        };
        sheet::foot(foot, shared, frame, area, at + 1);
    }

    fn view_foot(&self, found: &Found, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let area = Rect {
            y: area.y + area.height.saturating_sub(FOOT_ROWS),
            height: FOOT_ROWS,
            ..area
        };
        row(frame, area, 0, rule(area.width, palette));
        let inner = sheet::inner(area);
        let report = &found.report;
        let done = matches!(self.step, Step::Done(_));
        let brought = format!(
            "{} and {} {}; {} alike here and there",
            count(report.phrases_added, "new phrase", "new phrases"),
            count(report.added.len() as u64, "new wallet", "new wallets"),
            if done { "brought in" } else { "to be brought in" },
            count(report.same.len() as u64, "wallet is", "wallets are"),
        );
        let style = if done { palette.good } else { palette.strong };
        let mut lines = wrapped(&brought, inner.width, style);
        if self.working.is_waiting() {
            let words = format!(
                "{} bringing it in",
                crate::console::widget::working(shared.now_ms)
            );
            lines.push(Line::styled(words, palette.accent));
        } else if report.has_policy {
            lines.push(Line::styled(
                "The file's policy is left out: this vault's own stays in force.",
                palette.muted,
            ));
        }
        rows(frame, inner, 1, lines);
    }
}

fn view_found(found: &Found, title: &str, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let conflicts = found.report.conflicts.len() as u64;
    let remark = match conflicts {
        0 => "nothing differs".to_owned(),
        some => format!(
            "{} and stay as they are here",
            count(some, "wallet differs", "wallets differ")
        ),
    };
    let words = Words {
        title,
        remark: &remark,
        names: "what differs",
        reading: "the report",
        empty: "Nothing that is here differs from the file.",
    };
    let room = usize::from(area.width).saturating_sub(18);
    let cells = |at: usize| match found.list.content().and_then(|lines| lines.get(at)) {
        Some(Difference::Wallet(address)) => vec![Span::styled(address.clone(), palette.strong)],
        Some(Difference::Field { name, words }) => vec![
            Span::styled(format!("  {name:<13}"), palette.muted),
            Span::styled(fitted(words, room), palette.text),
        ],
        None => Vec::new(),
    };
    found.list.view(&words, cells, shared, frame, area);
}
