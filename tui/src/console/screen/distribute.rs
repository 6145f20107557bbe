//! The form of a distribution: who pays, who is paid, how much, at what fee. It leads to a plan.

use crossterm::event::KeyEvent;
use keyward_core::address::Address;
use keyward_custody::distribution::{FeeBearer, MAX_MEMO_BYTES, SplitSeed, Trial};
use keyward_custody::jobs::{Job, JobFormat, JobId, MAX_JOB_LABEL_CHARS};
use ratatui::Frame;
use ratatui::layout::Rect;

use super::Screen;
use super::plan::PlanScreen;
use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::keys::{KeysAnswer, KeysWork};
use crate::console::effects::plans::{AmountsAsk, Ask, DistributionAsk, PlanAnswer, PlanWork, Who};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::keymap::{Action, Context};
use crate::console::modal::Decision;
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::sheet::{self, Foot, ask_to_discard};
use crate::console::state::{Node, Shared};
use crate::console::text::count;
use crate::console::widget::wrapped;

#[cfg(test)]
mod tests;

const FROM: usize = 0;
const TOKEN: usize = 1;
const WHO: usize = 2;
const FILE: usize = 3;
const NAMES: usize = 4;
const HOW: usize = 5;
const AMOUNT: usize = 6;
const BOUNDS: usize = 7;
const SEED: usize = 8;
const MEMO: usize = 9;
const BEARER: usize = 10;
const LABEL: usize = 11;
const PAYER: usize = 12;
const FEE: usize = 13;
const FORMAT: usize = 14;
/// The longest list of names, in bytes.
pub(super) const NAMES_BYTES: usize = 16 * 1024;

// What the choice of the amounts stands at.
const EACH: usize = 0;
const EVEN: usize = 1;
const RANDOM: usize = 2;
const WEIGHTED: usize = 3;
const IN_FILE: usize = 4;

pub(super) const NAMES_HINT: &str = "labels, #places, addresses, tag:name or owner:name, with commas between";
pub(super) const FEE_HINT: &str =
    "none, micro-lamports a unit (5000), or a percentile with its cap (p75:20000)";

/// The form.
#[derive(Debug)]
pub struct DistributeScreen {
    form: Form,
    /// The marked wallets, which are offered as recipients.
    marked: Vec<Address>,
    /// The distribution that it takes the place of.
    edits: Option<JobId>,
    completing: Pending,
    making: Pending,
    asked: Option<Ask>,
    touched: bool,
    problem: Option<String>,
    failure: Option<Failure>,
}

pub(super) fn choices(all: &[&str]) -> Vec<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

impl DistributeScreen {
    /// Paid by this wallet, to these, as far as that is known yet.
    #[must_use]
    pub fn new(from: &str, marked: Vec<Address>) -> Self {
        let mut who = choices(&["in a CSV file", "named here"]);
        if !marked.is_empty() {
            let words = count(marked.len() as u64, "marked wallet", "marked wallets");
            who.insert(0, format!("the {words}"));
        }
        let seed = SplitSeed::draw().map(|seed| seed.to_string()).unwrap_or_default();
        let form = Form::new(vec![
            Field::plain("paid by", NAMES_BYTES)
                .with_text(from)
                .hint(NAMES_HINT),
            Field::plain("token", 64)
                .with_text("SOL")
                .hint("SOL, or the address of a token's mint"),
            Field::choice("recipients", who).hint("← → choose"),
            Field::plain("file", 4_096).hint("lines of recipient,amount[,memo]; Tab completes the name"),
            Field::plain("names", NAMES_BYTES).hint(NAMES_HINT),
            Field::choice(
                "amounts",
                choices(&[
                    "so much each",
                    "a total, divided evenly",
                    "a total, divided at random",
                    "a total, by the file's weights",
                    "as the file says",
                ]),
            )
            .hint("← → choose"),
            Field::plain("amount", 40).hint("like 1.5: each, or the total"),
            Field::plain("bounds", 60).hint("of a random part, like 0.1..2; empty for none"),
            Field::plain("seed", 32)
                .with_text(&seed)
                .hint("the same seed makes the same parts again; it is kept with the plan and is no secret"),
            Field::plain("memo", MAX_MEMO_BYTES)
                .hint("a public text for every payment without one; may be empty"),
            Field::choice(
                "the token's own fee",
                choices(&["the recipient bears it", "it is paid on top"]),
            )
            .hint("where the mint withholds a part of each transfer"),
            Field::plain("label", MAX_JOB_LABEL_CHARS * 4)
                .hint("the same list under the same label is paid once; empty: the file's name"),
            Field::plain("fees paid by", 64).hint("a wallet of this vault; empty: the first that pays"),
            Field::plain("priority fee", 40).with_text("none").hint(FEE_HINT),
            Field::choice("transactions", choices(&["legacy", "version 1"]))
                .hint("version 1 takes about three times as many payments, where the cluster takes it"),
        ]);
        let mut screen = Self {
            form,
            marked,
            edits: None,
            completing: Pending::default(),
            making: Pending::default(),
            asked: None,
            touched: false,
            problem: None,
            failure: None,
        };
        if screen.recipients() == Recipients::File {
            screen.form.choose(HOW, IN_FILE);
        }
        screen.arrange();
        // What is not known yet comes first.
        screen.form.set_focus(match (from, screen.recipients()) {
            ("", _) => FROM,
            (_, Recipients::File) => FILE,
            _ => AMOUNT,
        });
        screen
    }

    /// For a list in place of the one of this distribution: only the difference is paid.
    #[must_use]
    pub fn edit(job: &Job) -> Self {
        let mut screen = Self::new(&job.fee_payer.to_string(), Vec::new());
        screen.edits = Some(job.id);
        let options: serde_json::Value = serde_json::from_str(&job.options_json).unwrap_or_default();
        if let Some(mint) = options.get("mint").and_then(serde_json::Value::as_str) {
            screen.form.set_text(TOKEN, mint);
        }
        screen.form.set_text(LABEL, &job.label);
        screen.form.set_text(FEE, &job.fee.to_string());
        screen
            .form
            .choose(FORMAT, usize::from(job.format == JobFormat::V1));
        screen.form.set_focus(FILE);
        screen.arrange();
        screen
    }

    fn recipients(&self) -> Recipients {
        match (self.form.chosen(WHO), self.marked.is_empty()) {
            (0, false) => Recipients::Marked,
            (0, true) | (1, false) => Recipients::File,
            _ => Recipients::Names,
        }
    }

    /// Shows the fields that mean something beside what is chosen.
    fn arrange(&mut self) {
        let mut hidden = Vec::new();
        match self.recipients() {
            Recipients::Marked => hidden.extend([FILE, NAMES]),
            Recipients::File => hidden.push(NAMES),
            Recipients::Names => hidden.push(FILE),
        }
        let how = self.form.chosen(HOW);
        if how == IN_FILE {
            hidden.push(AMOUNT);
        }
        if how != RANDOM {
            hidden.extend([BOUNDS, SEED]);
        }
        if is_sol(self.form.expose_text(TOKEN)) {
            hidden.push(BEARER);
        }
        self.form.hide(&hidden);
    }

    fn ask(&self) -> Result<Ask, (usize, String)> {
        let text = |at: usize| self.form.expose_text(at).trim().to_owned();
        let needed = |at: usize, missing: &str| match text(at) {
            found if found.is_empty() => Err((at, missing.to_owned())),
            found => Ok(found),
        };
        let sources = needed(FROM, "say who pays")?;
        let recipients = match self.recipients() {
            Recipients::Marked => Who::These(self.marked.clone()),
            Recipients::File => Who::File(needed(FILE, "name the file")?),
            Recipients::Names => Who::Names(needed(NAMES, "say who is paid")?),
        };
        let amount = || needed(AMOUNT, "say how much");
        let in_file = matches!(recipients, Who::File(_));
        let amounts = match self.form.chosen(HOW) {
            IN_FILE | WEIGHTED if !in_file => return Err((HOW, "only a file says that".into())),
            EACH => AmountsAsk::Each(amount()?),
            EVEN => AmountsAsk::Even(amount()?),
            RANDOM => AmountsAsk::Random {
                total: amount()?,
                bounds: text(BOUNDS),
                seed: needed(SEED, "give a seed of 32 hexadecimal digits")?,
            },
            WEIGHTED => AmountsAsk::Weighted(amount()?),
            _ => AmountsAsk::InFile,
        };
        Ok(Ask::Distribution(DistributionAsk {
            label: text(LABEL),
            sources,
            fee_payer: text(PAYER),
            mint: text(TOKEN),
            recipients,
            amounts,
            memo: text(MEMO),
            bearer: match self.form.chosen(BEARER) {
                0 => FeeBearer::Recipient,
                _ => FeeBearer::Sender,
            },
            fee: text(FEE),
            format: match self.form.chosen(FORMAT) {
                0 => JobFormat::Legacy,
                _ => JobFormat::V1,
            },
            accepted: Vec::new(),
            trial: Trial::Sample,
            edits: self.edits,
        }))
    }

    fn submit(&mut self, cx: &mut Cx<'_>) {
        if self.making.is_waiting() {
            return;
        }
        (self.problem, self.failure) = (None, None);
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

/// Whose names stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recipients {
    Marked,
    File,
    Names,
}

fn is_sol(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.eq_ignore_ascii_case("sol")
}

impl Page for DistributeScreen {
    fn contexts(&self) -> Vec<Context> {
        let mut contexts = vec![Context::Planning, Context::Form];
        if self.form.focus() == FILE {
            contexts.insert(0, Context::File);
        }
        contexts
    }

    fn typing(&self) -> bool {
        true
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Sign => self.submit(cx),
            Action::GoSettings => return Handled::No,
            Action::Complete => {
                let text = self.form.expose_text(FILE).to_owned();
                cx.start_latest(&mut self.completing, Work::Keys(KeysWork::Complete(text)));
            }
            Action::Back if self.making.is_waiting() => cx.cancel(&mut self.making),
            _ => match self.form.act(action) {
                FormAct::Submit => self.submit(cx),
                FormAct::Back if self.unsaved() => cx.modal(ask_to_discard("Leave the distribution?")),
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
            self.arrange();
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
            Answer::Keys(KeysAnswer::Completed(found)) if self.completing.settle(id) => match found {
                Some(name) => self.form.set_text(FILE, &name),
                None => cx.notice("no file begins like that"),
            },
            Answer::Broken(failure) if self.making.settle(id) => self.failure = Some(failure),
            other => return Some(other),
        }
        None
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
        let (title, words) = match self.edits {
            None => (
                "Distribute",
                "Pays many, each exactly once; nothing is signed before you confirm the plan.",
            ),
            Some(_) => (
                "Edit a distribution",
                "Give the whole list as it is to be: what was paid is taken off, the rest given up.",
            ),
        };
        let lines = wrapped(words, sheet::inner(area).width, palette.text);
        let at = sheet::head(title, "", lines, shared, frame, area);
        let at = self.form.view(frame, area, at.saturating_sub(1), palette);
        let foot = if self.making.is_waiting() {
            Foot::Working("asking the chain about everybody, and trying transactions; Esc stops it")
        } else if let Some(problem) = &self.problem {
            Foot::Problem(problem)
        } else if let Some(failure) = &self.failure {
            Foot::Failed(failure)
        } else {
            Foot::Quiet
        };
        sheet::foot(foot, shared, frame, area, at);
    }
}
