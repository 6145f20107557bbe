//! The forms of a consolidation and of a closing: which wallets, where to, who pays the fees. They lead to a plan.

use crossterm::event::KeyEvent;
use keyward_core::address::Address;
use keyward_custody::jobs::{JobFormat, MAX_JOB_LABEL_CHARS};
use keyward_custody::sweep::Collect;
use ratatui::Frame;
use ratatui::layout::Rect;

use super::Screen;
use super::distribute::{FEE_HINT, NAMES_BYTES, NAMES_HINT, choices};
use super::plan::PlanScreen;
use crate::console::effect::{Answer, Failure, Pending, Progress, RequestId, Work};
use crate::console::effects::plans::{Ask, Closing, PlanAnswer, PlanWork, SweepAsk, SweepKind, Who};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::keymap::{Action, Context};
use crate::console::modal::Decision;
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::sheet::{self, Foot, ask_to_discard};
use crate::console::state::{Node, Shared};
use crate::console::text::{count, grouped};
use crate::console::widget::wrapped;

#[cfg(test)]
mod tests;

const WHOSE: usize = 0;
const NAMES: usize = 1;
const TO: usize = 2;
const WHAT: usize = 3;
const MINTS: usize = 4;
const CLOSING: usize = 5;
const SPONSOR: usize = 6;
const LABEL: usize = 7;
const FEE: usize = 8;
const FORMAT: usize = 9;
/// The choice of tokens by their mints.
const BY_MINT: usize = 3;

/// The form.
#[derive(Debug)]
pub struct SweepScreen {
    kind: SweepKind,
    form: Form,
    /// The marked wallets, which are offered.
    marked: Vec<Address>,
    making: Pending,
    far: Option<(u64, u64)>,
    asked: Option<Ask>,
    touched: bool,
    problem: Option<String>,
    failure: Option<Failure>,
}

impl SweepScreen {
    /// Of the marked wallets, or of this one.
    #[must_use]
    pub fn new(kind: SweepKind, here: &str, marked: Vec<Address>) -> Self {
        let mut whose = choices(&["named here", "all that are in use"]);
        if !marked.is_empty() {
            let words = count(marked.len() as u64, "marked wallet", "marked wallets");
            whose.insert(0, format!("the {words}"));
        }
        let (to, to_hint) = match kind {
            SweepKind::Consolidate => (
                "to",
                "a wallet of this vault, somebody of the address book, or any address",
            ),
            SweepKind::Close => (
                "rent to",
                "a wallet of this vault; empty: each account's own wallet",
            ),
        };
        let what = match kind {
            SweepKind::Consolidate => choices(&[
                "SOL and every token",
                "SOL alone",
                "every token",
                "tokens by mint",
            ]),
            SweepKind::Close => choices(&["empty token accounts"]),
        };
        let closing = match kind {
            SweepKind::Consolidate => Field::choice(
                "emptied accounts",
                choices(&["closed, for their rent", "left as they are"]),
            ),
            SweepKind::Close => Field::choice(
                "wrapped SOL",
                choices(&["left as it is", "unwrapped, with all of its SOL"]),
            ),
        };
        let sponsor = match kind {
            SweepKind::Consolidate => {
                "a wallet of this vault that stays, so that the others end at zero; empty: where it goes"
            }
            SweepKind::Close => "a wallet of this vault; empty: who gets the rent, or the only wallet",
        };
        let form = Form::new(vec![
            Field::choice("whose", whose).hint("← → choose"),
            Field::plain("wallets", NAMES_BYTES)
                .with_text(here)
                .hint(NAMES_HINT),
            Field::plain(to, 64).hint(to_hint),
            Field::choice("what", what).hint("← → choose"),
            Field::plain("mints", NAMES_BYTES).hint("the tokens' mints, with commas between"),
            closing.hint("← → choose"),
            Field::plain("fees paid by", 64).hint(sponsor),
            Field::plain("label", MAX_JOB_LABEL_CHARS * 4).hint("a name for people; may be empty"),
            Field::plain("priority fee", 40).with_text("none").hint(FEE_HINT),
            Field::choice("transactions", choices(&["legacy", "version 1"]))
                .hint("version 1 takes more at once, where the cluster takes it"),
        ]);
        let mut screen = Self {
            kind,
            form,
            marked,
            making: Pending::default(),
            far: None,
            asked: None,
            touched: false,
            problem: None,
            failure: None,
        };
        screen.arrange();
        // What is not known yet comes first.
        let is_known = !here.is_empty() || !screen.marked.is_empty();
        screen.form.set_focus(if is_known { TO } else { WHOSE });
        screen
    }

    fn whose(&self) -> Whose {
        match (self.form.chosen(WHOSE), self.marked.is_empty()) {
            (0, false) => Whose::Marked,
            (0, true) | (1, false) => Whose::Named,
            _ => Whose::All,
        }
    }

    /// Shows the fields that mean something beside what is chosen.
    fn arrange(&mut self) {
        let mut hidden = Vec::new();
        if self.whose() != Whose::Named {
            hidden.push(NAMES);
        }
        if self.form.chosen(WHAT) != BY_MINT {
            hidden.push(MINTS);
        }
        if self.kind == SweepKind::Close {
            hidden.push(WHAT);
        }
        self.form.hide(&hidden);
    }

    fn ask(&self) -> Result<Ask, (usize, String)> {
        let text = |at: usize| self.form.expose_text(at).trim().to_owned();
        let needed = |at: usize, missing: &str| match text(at) {
            found if found.is_empty() => Err((at, missing.to_owned())),
            found => Ok(found),
        };
        let wallets = match self.whose() {
            Whose::Marked => Who::These(self.marked.clone()),
            Whose::Named => Who::Names(needed(NAMES, "name the wallets")?),
            Whose::All => Who::All,
        };
        let to = match self.kind {
            SweepKind::Consolidate => needed(TO, "say where it goes")?,
            SweepKind::Close => text(TO),
        };
        let closing = match (self.kind, self.form.chosen(CLOSING)) {
            (SweepKind::Consolidate, 0) | (SweepKind::Close, 1) => Closing::Yes,
            _ => Closing::No,
        };
        let collect = match self.form.chosen(WHAT) {
            0 => Collect::Everything,
            1 => Collect::Sol,
            2 => Collect::Tokens,
            _ => Collect::Mints(mints(&needed(MINTS, "name the tokens by their mints")?)?),
        };
        Ok(Ask::Sweep(SweepAsk {
            what: self.kind,
            label: text(LABEL),
            wallets,
            to,
            sponsor: text(SPONSOR),
            collect,
            closing,
            fee: text(FEE),
            format: match self.form.chosen(FORMAT) {
                0 => JobFormat::Legacy,
                _ => JobFormat::V1,
            },
        }))
    }

    fn submit(&mut self, cx: &mut Cx<'_>) {
        if self.making.is_waiting() {
            return;
        }
        (self.problem, self.failure, self.far) = (None, None, None);
        if matches!(cx.shared.node, Node::NotChosen) {
            self.problem = Some("choose a node first (Ctrl-O opens the settings)".into());
            return;
        }
        match self.ask() {
            Ok(ask) => {
                self.asked = Some(ask.clone());
                let work = PlanWork::Make(Box::new(ask));
                cx.start_latest(&mut self.making, Work::Plan(work));
            }
            Err((field, problem)) => {
                self.form.set_focus(field);
                self.problem = Some(problem);
            }
        }
    }
}

/// Whose wallets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Marked,
    Named,
    All,
}

fn mints(text: &str) -> Result<Vec<Address>, (usize, String)> {
    let mints = text.split(',').map(str::trim).filter(|mint| !mint.is_empty());
    mints
        .map(|mint| mint.parse().map_err(|error| (MINTS, format!("{mint}: {error}"))))
        .collect()
}

impl Page for SweepScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Planning, Context::Form]
    }

    fn typing(&self) -> bool {
        true
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Sign => self.submit(cx),
            Action::GoSettings => return Handled::No,
            Action::Back if self.making.is_waiting() => cx.cancel(&mut self.making),
            _ => match self.form.act(action) {
                FormAct::Submit => self.submit(cx),
                FormAct::Back if self.unsaved() => cx.modal(ask_to_discard("Leave without a plan?")),
                FormAct::Back => cx.go(Nav::Back),
                FormAct::Other => return Handled::No,
                FormAct::Done => {}
            },
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, _cx: &mut Cx<'_>) {
        if !self.making.is_waiting() && self.form.key(key) == Edit::Changed {
            (self.problem, self.failure) = (None, None);
            self.touched = true;
            self.arrange();
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        if !self.making.is_waiting() && self.form.paste(text.trim()) == Edit::Changed {
            (self.problem, self.failure) = (None, None);
            self.touched = true;
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Plan(PlanAnswer::Made(result)) if self.making.settle(id) => {
                match (result, self.asked.take()) {
                    (Ok(plan), Some(ask)) => {
                        let screen = PlanScreen::new(ask, plan, cx.shared);
                        cx.go(Nav::Push(Screen::Plan(Box::new(screen))));
                    }
                    (Ok(_), None) => {}
                    (Err(failure), _) => self.failure = Some(failure),
                }
            }
            Answer::Broken(failure) if self.making.settle(id) => self.failure = Some(failure),
            other => return Some(other),
        }
        None
    }

    fn progress(&mut self, id: RequestId, progress: &Progress, _cx: &mut Cx<'_>) {
        if let Progress::Count(far) = progress
            && self.making.awaits(id)
        {
            self.far = Some((far.done, far.total));
        }
    }

    fn unsaved(&self) -> bool {
        self.touched
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if *decision == Decision::Discard {
            self.touched = false;
            cx.go(Nav::Back);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let (title, words) = match self.kind {
            SweepKind::Consolidate => (
                "Consolidate",
                "Collects what many wallets have into one, each to exactly zero. What is frozen, or not worth its fee, stays \
                 and is told. Nothing is signed before you confirm the plan.",
            ),
            SweepKind::Close => (
                "Close empty token accounts",
                "Gives back the rent of token accounts that hold nothing. What cannot be closed stays and is told. Nothing is \
                 signed before you confirm the plan.",
            ),
        };
        let lines = wrapped(words, sheet::inner(area).width, palette.text);
        let at = sheet::head(title, "", lines, shared, frame, area);
        let at = self.form.view(frame, area, at, palette);
        let working = match self.far {
            Some((done, total)) if total > 0 => format!(
                "looked at {} of {} lists of token accounts; Esc stops it",
                grouped(done),
                grouped(total)
            ),
            _ => "asking the chain about everything they have; Esc stops it".to_owned(),
        };
        let foot = if self.making.is_waiting() {
            Foot::Working(&working)
        } else if let Some(problem) = &self.problem {
            Foot::Problem(problem)
        } else if let Some(failure) = &self.failure {
            Foot::Failed(failure)
        } else {
            Foot::Quiet
        };
        sheet::foot(foot, shared, frame, area, at + 1);
    }
}
