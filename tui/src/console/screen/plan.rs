//! A plan of a distribution, a consolidation or a closing: what it comes to, what is wrong or odd, who gets what. It is agreed
//! to, tried out, stored as a job, and run. Nothing is signed before what moves was typed.

use keyward_custody::distribution::{FindingCode, Trial};
use keyward_custody::jobs::{JobId, NewItem};
use ratatui::Frame;
use ratatui::layout::Rect;

use super::Screen;
use super::bulk::kind_name;
use super::bulk_job::BulkJobScreen;
use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::bulk::BulkWork;
use crate::console::effects::plans::{Ask, PlanAnswer, PlanPage, PlanWork, Remark, Typed, UNNAMED, Weight};
use crate::console::jobs::Stop;
use crate::console::keymap::{Action, Context};
use crate::console::list::{Listing, Rows};
use crate::console::modal::{Modal, Purpose};
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::state::Shared;
use crate::console::text::printable;

#[cfg(test)]
pub(super) mod tests;
mod view;

/// A line, and what is under the cursor in full.
const FOOT_ROWS: u16 = 6;

/// The facts, the remarks below them, and the items below those.
impl Rows for Box<PlanPage> {
    fn count(&self) -> usize {
        self.facts.len() + self.remarks.len() + self.kept.job().items.len()
    }
}

/// What becomes of a plan once it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// It is run at once.
    Run,
    /// It waits.
    Wait,
}

/// Which ends of a payment differ from line to line, and are shown on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// One wallet pays all.
    Recipients,
    /// One wallet gets all.
    Sources,
    Both,
}

impl Ends {
    fn of(items: &[NewItem]) -> Self {
        let first = items.first();
        let all = |same: fn(&NewItem, &NewItem) -> bool| {
            items
                .iter()
                .all(|item| first.is_some_and(|first| same(first, item)))
        };
        if all(|first, item| first.source == item.source) {
            Self::Recipients
        } else if all(|first, item| first.recipient == item.recipient) {
            Self::Sources
        } else {
            Self::Both
        }
    }
}

/// What is under the cursor.
enum Here<'a> {
    Fact(&'static str, &'a str),
    Remark(&'a Remark),
    /// The place of an item.
    Item(usize),
    Nothing,
}

/// The page.
#[derive(Debug)]
pub struct PlanScreen {
    ask: Ask,
    list: Listing<Box<PlanPage>>,
    ends: Ends,
    /// What a person agreed to since the plan was made.
    agreed: Vec<FindingCode>,
    /// Making it anew after a person agreed to something, or to try all of it.
    making: Pending,
    storing: Pending,
    then: Then,
    failure: Option<Failure>,
}

impl PlanScreen {
    /// This plan, of what was asked.
    #[must_use]
    pub fn new(ask: Ask, plan: Box<PlanPage>, shared: &Shared) -> Self {
        let mut screen = Self {
            ask,
            list: Listing::above(FOOT_ROWS),
            ends: Ends::Both,
            agreed: Vec::new(),
            making: Pending::default(),
            storing: Pending::default(),
            then: Then::Wait,
            failure: None,
        };
        screen.take(plan, shared);
        screen
    }

    /// Takes a plan and stands at the first thing that is to be seen to.
    fn take(&mut self, plan: Box<PlanPage>, shared: &Shared) {
        let facts = plan.facts.len();
        let grave = plan.remarks.iter().position(|one| one.weight <= Weight::Asked);
        self.agreed.clear();
        self.ends = Ends::of(&plan.kept.job().items);
        self.list.take(Ok(plan), shared);
        self.list.put(grave.map_or(0, |at| facts + at), shared);
    }

    fn plan(&self) -> Option<&PlanPage> {
        self.list.content().map(|plan| &**plan)
    }

    fn here(&self, at: usize) -> Here<'_> {
        let Some(plan) = self.plan() else {
            return Here::Nothing;
        };
        if let Some((name, words)) = plan.facts.get(at) {
            return Here::Fact(name, words);
        }
        let at = at - plan.facts.len();
        match plan.remarks.get(at) {
            Some(remark) => Here::Remark(remark),
            None => Here::Item(at - plan.remarks.len()),
        }
    }

    /// What is asked and not agreed to yet.
    fn open_questions(&self) -> Vec<FindingCode> {
        let mut asked = self.plan().map(|plan| plan.asked.clone()).unwrap_or_default();
        asked.retain(|code| !self.agreed.contains(code));
        asked
    }

    /// Agrees to the question under the cursor, or goes to the next one. The last answer makes the plan anew.
    fn agree(&mut self, cx: &mut Cx<'_>) {
        let open = self.open_questions();
        let here = match self.here(self.list.selected()) {
            Here::Remark(remark) => remark.code.filter(|code| open.contains(code)),
            _ => None,
        };
        let Some(code) = here else {
            let facts = self.plan().map_or(0, |plan| plan.facts.len());
            if let Some(at) = self.question(&open) {
                self.list.put(facts + at, cx.shared);
                cx.notice("read it; a agrees to it and to all of its kind");
            }
            return;
        };
        self.agreed.push(code);
        let open = self.open_questions();
        match self.question(&open) {
            Some(at) => {
                let facts = self.plan().map_or(0, |plan| plan.facts.len());
                self.list.put(facts + at, cx.shared);
            }
            None => {
                if let Ask::Distribution(ask) = &mut self.ask {
                    ask.accepted.append(&mut self.agreed);
                }
                self.make(cx);
            }
        }
    }

    /// The place among the remarks of the first of these questions.
    fn question(&self, open: &[FindingCode]) -> Option<usize> {
        let remarks = &self.plan()?.remarks;
        remarks
            .iter()
            .position(|one| one.code.is_some_and(|code| open.contains(&code)))
    }

    fn make(&mut self, cx: &mut Cx<'_>) {
        self.failure = None;
        let work = PlanWork::Make(Box::new(self.ask.clone()));
        cx.start_latest(&mut self.making, Work::Plan(work));
    }

    /// Tries every transaction on the node.
    fn try_all(&mut self, cx: &mut Cx<'_>) {
        if let Ask::Distribution(ask) = &mut self.ask {
            ask.trial = Trial::All;
            self.make(cx);
        }
    }

    /// Whether it may be stored now.
    fn is_ready(&self) -> bool {
        self.plan().is_some_and(|plan| plan.ready) && !self.making.is_waiting()
    }

    fn ask_to_run(&self, cx: &mut Cx<'_>) {
        let Some(plan) = self.plan() else { return };
        let (title, hint) = match plan.typed {
            Typed::Amount { .. } => (
                "Type the amount to sign and send",
                "it cannot be undone; the amount is",
            ),
            Typed::Count(_) => (
                "Type how many there are to sign and send",
                "it cannot be undone; there are",
            ),
        };
        let hint = format!("{hint} {}", plan.typed.words());
        cx.modal(Modal::prompt(title, hint, "", Purpose::RunPlan(plan.typed)));
    }

    fn store(&mut self, then: Then, cx: &mut Cx<'_>) {
        let Some(plan) = self.plan().filter(|_| self.is_ready()) else {
            return;
        };
        let work = PlanWork::Store(Box::new(plan.kept.clone()));
        self.then = then;
        self.failure = None;
        cx.start_latest(&mut self.storing, Work::Plan(work));
    }

    fn stored(&mut self, result: Result<Option<JobId>, Failure>, cx: &mut Cx<'_>) {
        let page = match (result, self.then) {
            (Err(failure), _) => return self.failure = Some(failure),
            (Ok(None), _) => {
                cx.notice("the first one is cancelled; nothing is left to pay");
                None
            }
            (Ok(Some(id)), Then::Wait) => {
                cx.notice("stored; nothing is signed yet: r runs it");
                Some(BulkJobScreen::new(id))
            }
            (Ok(Some(id)), Then::Run) => {
                let run = cx.start_job(self.title(), Work::Bulk(BulkWork::Run(id, None)), Stop::Resumable);
                cx.shared.jobs.runs(run, id);
                Some(BulkJobScreen::new(id))
            }
        };
        // Out of the plan and its form: neither may be gone back to.
        cx.go(Nav::Back);
        cx.go(Nav::Back);
        if let Some(page) = page {
            cx.go(Nav::Push(Screen::BulkJob(Box::new(page))));
        }
    }

    fn title(&self) -> String {
        let Some(job) = self.plan().map(|plan| plan.kept.job()) else {
            return "Plan".into();
        };
        match job.label.as_str() {
            "" | UNNAMED => kind_name(job.kind).to_owned(),
            label => format!("{} {}", kind_name(job.kind), printable(label)),
        }
    }
}

impl Page for PlanScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Plan, Context::List]
    }

    fn available(&self, action: Action, _shared: &Shared) -> bool {
        match action {
            Action::Sign => {
                self.is_ready() && self.plan().is_some_and(|plan| !plan.kept.job().items.is_empty())
            }
            Action::Keep => self.is_ready(),
            Action::Act => !self.making.is_waiting() && !self.open_questions().is_empty(),
            Action::Try => {
                let all = matches!(&self.ask, Ask::Distribution(ask) if ask.trial != Trial::All);
                all && self.is_ready()
            }
            _ => true,
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if self.storing.is_waiting() {
            // What is being stored either is or is not, and the answer says which.
            return Handled::Yes;
        }
        match action {
            Action::Sign | Action::Keep | Action::Try if self.making.is_waiting() => {
                cx.notice("wait until the chain was asked again");
            }
            Action::Sign | Action::Keep | Action::Act | Action::Try if !self.available(action, cx.shared) => {
            }
            Action::Sign => self.ask_to_run(cx),
            Action::Keep => self.store(Then::Wait, cx),
            Action::Act => self.agree(cx),
            Action::Try => self.try_all(cx),
            Action::Back if self.making.is_waiting() => cx.cancel(&mut self.making),
            Action::Back | Action::Edit => {
                cx.cancel(&mut self.making);
                cx.go(Nav::Back);
            }
            _ => return self.list.act(action, cx.shared),
        }
        Handled::Yes
    }

    fn click(&mut self, _column: u16, row: u16, cx: &mut Cx<'_>) {
        self.list.click(row, cx.shared);
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Plan(PlanAnswer::Made(result)) if self.making.settle(id) => match result {
                Ok(plan) => self.take(plan, cx.shared),
                Err(failure) => self.failure = Some(failure),
            },
            Answer::Plan(PlanAnswer::Stored(result)) if self.storing.settle(id) => self.stored(result, cx),
            Answer::Broken(failure) if self.making.settle(id) || self.storing.settle(id) => {
                self.failure = Some(failure);
            }
            other => return Some(other),
        }
        None
    }

    fn prompted(&mut self, purpose: &Purpose, _text: &str, cx: &mut Cx<'_>) {
        // What was typed is held against the plan that is here now.
        let is_this = |plan: &PlanPage| *purpose == Purpose::RunPlan(plan.typed);
        if self.plan().is_some_and(is_this) {
            self.store(Then::Run, cx);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        view::view(self, shared, frame, area);
    }
}
