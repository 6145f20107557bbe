//! One stored job: how far it is, its items by their state, running it and steering it.

use keyward_core::amount::{Lamports, format_units};
use keyward_custody::Wallet;
use keyward_custody::jobs::{
    ItemAction, ItemCursor, ItemFilter, ItemState, Job, JobId, JobItem, JobKind, JobOutcome, JobProgress,
    JobState,
};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Screen;
use super::bulk::{job_title, kind_name, standing};
use super::distribute::DistributeScreen;
use super::own_passwords::{Asking, OwnPasswordsScreen, OwnWork};
use super::report::ReportScreen;
use crate::console::effect::{Answer, Failure, Pending, Progress, RequestId, Work};
use crate::console::effects::bulk::{BulkAnswer, BulkWork, JobPage, Steer};
use crate::console::jobs::Stop;
use crate::console::keymap::{Action, Context};
use crate::console::list::{Listing, Rows, Words};
use crate::console::modal::{Confirm, Decision, Gravity, Modal, Purpose};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::state::{Node, Shared};
use crate::console::text::{count, fitted, grouped, printable, sentence, span};
use crate::console::widget::{full_address, progress_bar, row, rows, rule, short_address, wrapped};

#[cfg(test)]
pub(in crate::console::screen) mod tests;

/// A line, the bar, counts, rate, what it waits for, the item.
const FOOT_ROWS: u16 = 9;
/// Items of one page.
const PAGE: u32 = 200;
/// The most items that are kept in memory.
const MAX_ROWS: usize = 5_000;
/// How often a job that runs elsewhere is looked at, in milliseconds.
const LOOK_MS: u64 = 3_000;

/// The filters, in the order in which the key steps through them.
const FILTERS: [(ItemFilter, &str); 6] = [
    (ItemFilter::All, "all"),
    (ItemFilter::Planned, "still to be done"),
    (ItemFilter::UnderWay, "under way"),
    (ItemFilter::Done, "done"),
    (ItemFilter::Failed, "failed"),
    (ItemFilter::LeftOut, "left out"),
];

/// The items read so far.
#[derive(Debug)]
struct Items {
    rows: Vec<JobItem>,
    more: bool,
}

impl Rows for Items {
    fn count(&self) -> usize {
        self.rows.len()
    }
}

/// The page.
#[derive(Debug)]
pub struct BulkJobScreen {
    id: JobId,
    job: Option<Job>,
    list: Listing<Items>,
    filter: usize,
    cursor: ItemCursor,
    looked_ms: u64,
    /// The run under way here.
    running: Option<RequestId>,
    progress: Option<JobProgress>,
    steering: Pending,
    /// Who signs with a password of its own: to be asked for as soon as this is what is seen.
    locked: Vec<Wallet>,
    /// How the last run here ended.
    ended: Option<Result<JobOutcome, Failure>>,
}

impl BulkJobScreen {
    /// This job.
    #[must_use]
    pub fn new(id: JobId) -> Self {
        Self {
            id,
            job: None,
            list: Listing::above(FOOT_ROWS),
            filter: 0,
            cursor: ItemCursor::default(),
            looked_ms: 0,
            running: None,
            progress: None,
            steering: Pending::default(),
            locked: Vec::new(),
            ended: None,
        }
    }

    /// Whether another list may take its place: nothing of it is under way.
    fn can_be_edited(&self) -> bool {
        self.job.as_ref().is_some_and(|job| {
            job.kind == JobKind::Distribution && job.counts.in_flight + job.counts.settling == 0
        })
    }

    fn read(&mut self, cursor: ItemCursor, cx: &mut Cx<'_>) {
        self.cursor = cursor;
        self.looked_ms = cx.shared.now_ms;
        let (filter, _) = FILTERS.get(self.filter).copied().unwrap_or(FILTERS[0]);
        let work = BulkWork::Job {
            id: self.id,
            filter,
            cursor,
            limit: PAGE,
        };
        self.list.read(Work::Bulk(work), cx);
    }

    fn taken(&mut self, result: Result<Box<JobPage>, Failure>, cx: &Cx<'_>) {
        let after = self.cursor.after;
        let result = result.map(|page| {
            let more = page.items.len() == PAGE as usize;
            self.job = Some(page.job);
            let mut rows = match (after, self.list.content()) {
                (Some(after), Some(there))
                    if there.rows.last().is_some_and(|last| last.new.number == after) =>
                {
                    there.rows.clone()
                }
                _ => Vec::new(),
            };
            rows.extend(page.items);
            Items {
                more: more && rows.len() < MAX_ROWS,
                rows,
            }
        });
        self.list.take(result, cx.shared);
    }

    /// The next page, once the last row is reached.
    fn read_on(&mut self, cx: &mut Cx<'_>) {
        let Some(items) = self.list.content() else { return };
        if items.more && !self.list.is_reading() && self.list.selected() + 1 >= items.rows.len() {
            let after = items.rows.last().map(|item| item.new.number);
            self.read(ItemCursor { after }, cx);
        }
    }

    fn item(&self) -> Option<&JobItem> {
        self.list.content()?.rows.get(self.list.selected())
    }

    fn is_running(&self, shared: &Shared) -> bool {
        self.running
            .and_then(|id| shared.jobs.get(id))
            .is_some_and(|job| job.is_running())
    }

    /// What can be gone on with: something is to be done or followed, and it is not given up altogether.
    fn can_run(&self, shared: &Shared) -> bool {
        let goes_on = self.job.as_ref().is_some_and(|job| {
            job.counts.in_flight + job.counts.settling > 0 || (job.state == JobState::Open && !job.is_done())
        });
        goes_on && !self.is_running(shared)
    }

    fn run(&mut self, cx: &mut Cx<'_>) {
        let Some(job) = &self.job else { return };
        if self.is_running(cx.shared) {
            return;
        }
        if matches!(cx.shared.node, Node::NotChosen) {
            return cx.notice("choose a node first (4 settings)");
        }
        let work = Work::Bulk(BulkWork::Run(self.id, None));
        let run = cx.start_job(run_title(job), work, Stop::Resumable);
        cx.shared.jobs.runs(run, self.id);
        self.take_up(cx);
    }

    /// Asks for the passwords without which nothing was run.
    fn ask_for_passwords(&mut self, cx: &mut Cx<'_>) {
        let Some(job) = &self.job else { return };
        let run = OwnWork::Run {
            job: self.id,
            title: run_title(job),
        };
        match OwnPasswordsScreen::asking(std::mem::take(&mut self.locked), run) {
            Asking::Screen(screen) => cx.go(Nav::Push(Screen::OwnPasswords(screen))),
            Asking::TooMany(failure) => cx.modal(Modal::Error(failure)),
            Asking::Nobody(_) => {}
        }
    }

    /// The run that is under way, wherever it was started.
    fn take_up(&mut self, cx: &Cx<'_>) {
        let run = cx.shared.jobs.run_of(self.id);
        if run.is_some() && run != self.running {
            (self.ended, self.progress) = (None, None);
        }
        self.running = run;
    }

    fn steer(&mut self, steer: Steer, cx: &mut Cx<'_>) {
        let work = BulkWork::Steer { id: self.id, steer };
        cx.start_latest(&mut self.steering, Work::Bulk(work));
    }

    fn ask_to_cancel(&self, cx: &mut Cx<'_>) {
        let Some(job) = &self.job else { return };
        cx.modal(Modal::Confirm(Confirm {
            title: format!("Give up the rest of {}?", job_title(job)),
            lines: vec![
                format!(
                    "{} that nothing was signed for {} given up, for good.",
                    count(job.counts.planned, "item", "items"),
                    if job.counts.planned == 1 { "is" } else { "are" }
                ),
                "What was signed may still land, and is followed to its end.".into(),
            ],
            decision: Decision::CancelBulk(self.id),
            gravity: Gravity::Danger,
        }));
    }

    /// Money moves: how many there are is typed. What is only followed needs no asking.
    fn ask_to_run(&mut self, cx: &mut Cx<'_>) {
        let Some(job) = &self.job else { return };
        if job.counts.planned == 0 || job.state != JobState::Open {
            return self.run(cx);
        }
        let title = format!(
            "Sign and send for {} of {}?",
            count(job.counts.planned, "item", "items"),
            fitted(&job_title(job), 24)
        );
        let hint = format!(
            "fees from {}; type {} to confirm",
            job.fee_payer.abbreviated(),
            job.counts.planned
        );
        cx.modal(Modal::prompt(
            title,
            hint,
            "",
            Purpose::RunBulk(self.id, job.counts.planned),
        ));
    }

    fn steered(&mut self, result: Result<Steer, Failure>, cx: &mut Cx<'_>) {
        match result {
            Ok(Steer::Pause) => cx.notice("paused: nothing new is signed; what was sent is followed"),
            Ok(Steer::Resume) => cx.notice("it may go on: r runs it"),
            Ok(Steer::Cancel) => cx.notice("the rest is given up"),
            Ok(Steer::Retry) => cx.notice("what failed is to be done again: r runs it"),
            Err(failure) => cx.modal(Modal::Error(failure)),
        }
        self.read(ItemCursor::default(), cx);
    }
}

/// What a run is called in the list of what goes on.
fn run_title(job: &Job) -> String {
    format!("{} {}", kind_name(job.kind), job_title(job))
}

/// How a run ended, in words, and whether well.
#[must_use]
pub fn outcome_words(outcome: &JobOutcome) -> (String, bool) {
    match outcome {
        JobOutcome::Done => ("every item has its end".into(), true),
        JobOutcome::Stopped => ("stopped; everything that was sent has its end".into(), true),
        JobOutcome::Held { reason } => (format!("held: {reason}"), false),
        JobOutcome::Unknown { cause } => (
            format!("the end of some transactions is not known yet: {cause}; run it again to follow them"),
            false,
        ),
    }
}

impl Page for BulkJobScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::BulkJob, Context::List]
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        let state = self.job.as_ref().map(|job| (job.state, job.counts));
        match (action, state) {
            (Action::Run, _) => self.can_run(shared),
            (Action::Cancel, Some((state, counts))) => state != JobState::Cancelled && counts.planned > 0,
            (Action::Pause, Some((state, counts))) => match state {
                JobState::Open => counts.planned + counts.in_flight > 0,
                JobState::Paused => true,
                JobState::Cancelled => false,
            },
            (Action::Retry, Some((state, counts))) => state != JobState::Cancelled && counts.failed > 0,
            (Action::Edit, _) => self.can_be_edited() && !self.is_running(shared),
            (Action::Report, Some((_, counts))) => {
                counts.batches > 0 && !matches!(shared.node, Node::NotChosen)
            }
            (Action::Cancel | Action::Pause | Action::Retry | Action::Report, None) => false,
            _ => true,
        }
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.take_up(cx);
        self.read(ItemCursor::default(), cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Run | Action::Cancel | Action::Pause | Action::Retry | Action::Report | Action::Edit
                if !self.available(action, cx.shared) => {}
            Action::Run => self.ask_to_run(cx),
            Action::Cancel => self.ask_to_cancel(cx),
            Action::Pause => {
                let paused = self.job.as_ref().is_some_and(|job| job.state == JobState::Paused);
                self.steer(if paused { Steer::Resume } else { Steer::Pause }, cx);
            }
            Action::Retry => self.steer(Steer::Retry, cx),
            Action::Report => {
                if let Some(job) = &self.job {
                    let title = format!("{} {}", kind_name(job.kind), job_title(job));
                    let screen = ReportScreen::new(job.id, title);
                    cx.go(Nav::Push(Screen::Report(Box::new(screen))));
                }
            }
            Action::Edit => {
                if let Some(job) = &self.job {
                    cx.go(Nav::Push(Screen::Distribute(Box::new(DistributeScreen::edit(
                        job,
                    )))));
                }
            }
            Action::Change => {
                self.filter = (self.filter + 1) % FILTERS.len();
                self.read(ItemCursor::default(), cx);
            }
            Action::Refresh => self.read(ItemCursor::default(), cx),
            Action::Copy => {
                if let Some((_, signature)) = self.item().and_then(|item| item.batch) {
                    cx.copy(signature.to_string(), "the signature");
                }
            }
            Action::Back => cx.go(Nav::Back),
            _ => {
                let handled = self.list.act(action, cx.shared);
                if handled == Handled::Yes && action != Action::Up {
                    self.read_on(cx);
                }
                return handled;
            }
        }
        Handled::Yes
    }

    fn click(&mut self, _column: u16, row: u16, cx: &mut Cx<'_>) {
        self.list.click(row, cx.shared);
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Bulk(BulkAnswer::Job(result)) if self.list.awaits(id) => self.taken(result, cx),
            Answer::Bulk(BulkAnswer::Locked(wallets)) if self.running == Some(id) => {
                self.running = None;
                self.locked = wallets;
            }
            Answer::Bulk(BulkAnswer::Ran(result)) if self.running == Some(id) => {
                self.running = None;
                self.ended = Some(result);
                self.read(ItemCursor::default(), cx);
            }
            Answer::Bulk(BulkAnswer::Steered(result)) if self.steering.settle(id) => self.steered(result, cx),
            Answer::Broken(failure) if self.list.awaits(id) => self.taken(Err(failure), cx),
            Answer::Broken(failure) if self.steering.settle(id) => self.steered(Err(failure), cx),
            other => return Some(other),
        }
        None
    }

    fn progress(&mut self, id: RequestId, progress: &Progress, _cx: &mut Cx<'_>) {
        if let Progress::Bulk(progress) = progress
            && self.running == Some(id)
        {
            self.progress = Some(progress.clone());
        }
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        if let Event::JobEnded(id) = event
            && self.running == Some(*id)
        {
            self.running = None;
        }
        if matches!(event, Event::Shown) {
            self.take_up(cx);
        }
        if matches!(event, Event::Shown | Event::JobEnded(_)) {
            self.read(ItemCursor::default(), cx);
        }
    }

    fn tick_in_front(&mut self, cx: &mut Cx<'_>) {
        if !self.locked.is_empty() {
            self.ask_for_passwords(cx);
        }
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        // Other programs run jobs too.
        let moves = self.running.is_some()
            || self
                .job
                .as_ref()
                .is_some_and(|job| job.counts.in_flight + job.counts.settling > 0);
        let at_top = self.cursor.after.is_none();
        if moves
            && at_top
            && !self.list.is_reading()
            && cx.shared.now_ms.saturating_sub(self.looked_ms) >= LOOK_MS
        {
            self.read(ItemCursor::default(), cx);
        }
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if let Decision::CancelBulk(id) = decision
            && *id == self.id
        {
            self.steer(Steer::Cancel, cx);
        }
    }

    fn prompted(&mut self, purpose: &Purpose, _text: &str, cx: &mut Cx<'_>) {
        if let Purpose::RunBulk(id, _) = purpose
            && *id == self.id
        {
            self.run(cx);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let title = match &self.job {
            Some(job) => format!("{}: {}", kind_name(job.kind), job_title(job)),
            None => "Job".into(),
        };
        let (_, shown) = FILTERS.get(self.filter).copied().unwrap_or(FILTERS[0]);
        let remark = match &self.job {
            Some(job) => format!("{} · showing {shown}", standing(job).0),
            None => String::new(),
        };
        let whom = match self.job.as_ref().map(|job| job.kind) {
            Some(JobKind::Consolidation | JobKind::Closing) => "wallet",
            _ => "recipient",
        };
        let names = format!("{:>6}  {whom:<15}  {:>24}  {}", "#", "amount", "state");
        let words = Words {
            title: &title,
            remark: &remark,
            names: &names,
            reading: "the job",
            empty: "No item is of this kind. f shows the next.",
        };
        self.list
            .view(&words, |at| self.cells(at, shared), shared, frame, area);
        self.foot(shared, frame, area);
    }
}

impl BulkJobScreen {
    fn cells(&self, at: usize, shared: &Shared) -> Vec<Span<'static>> {
        let palette = &shared.palette;
        let Some(item) = self.list.content().and_then(|items| items.rows.get(at)) else {
            return Vec::new();
        };
        let (words, style) = match &item.state {
            ItemState::Planned => ("  to be done".to_owned(), palette.muted),
            ItemState::Signed => ("▸ signed".to_owned(), palette.accent),
            ItemState::Sent => ("▸ sent".to_owned(), palette.accent),
            ItemState::Confirmed => ("✓ done".to_owned(), palette.good),
            ItemState::Failed { reason } => (format!("✗ {}", printable(reason)), palette.warning),
            ItemState::Cancelled => ("– given up".to_owned(), palette.muted),
            ItemState::Skipped { reason } => (format!("– {}", printable(reason)), palette.muted),
        };
        let room = usize::from(shared.size.0).saturating_sub(54);
        let mut cells = vec![Span::styled(format!("{:>6}  ", item.new.number), palette.muted)];
        // What differs from line to line: whoever is paid, or whoever is emptied.
        let whom = match self.job.as_ref().map(|job| job.kind) {
            Some(JobKind::Consolidation | JobKind::Closing) => item.new.source,
            _ => item.new.recipient,
        };
        cells.extend(short_address(&whom.to_string(), palette));
        cells.push(Span::styled(
            format!("  {:>24}  ", amount_of(item.new.amount, &item.new.action)),
            palette.strong,
        ));
        cells.push(Span::styled(fitted(&words, room), style));
        cells
    }

    fn foot(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let Some(job) = &self.job else { return };
        let palette = &shared.palette;
        let area = Rect {
            y: area.y + area.height.saturating_sub(FOOT_ROWS),
            height: FOOT_ROWS,
            ..area
        };
        row(frame, area, 0, rule(area.width, palette));
        let inner = Rect {
            x: area.x + 2,
            width: area.width.saturating_sub(4),
            ..area
        };
        let live = self.progress.as_ref().filter(|_| self.is_running(shared));
        let (ended, total) = match live {
            Some(live) => (live.done + live.failed + live.left_out, live.total),
            None => (
                job.counts.done + job.counts.failed + job.counts.cancelled + job.counts.skipped,
                job.counts.total,
            ),
        };
        row(frame, inner, 1, progress_bar(ended, total, inner.width, palette));
        let mut lines = vec![Line::styled(self.counts_words(job, live), palette.text)];
        lines.push(self.run_line(job, live, shared));
        if let Some(item) = self.item() {
            lines.push(Line::from(full_address(&item.new.recipient.to_string(), palette)));
            lines.extend(item_lines(item, shared, inner.width));
        }
        rows(frame, inner, 2, lines);
    }

    fn counts_words(&self, job: &Job, live: Option<&JobProgress>) -> String {
        match live {
            Some(live) => format!(
                "{} of {} done · {} in flight · {} unknown · {} failed · {} left out",
                grouped(live.done),
                grouped(live.total),
                grouped(live.in_flight),
                grouped(live.unknown),
                grouped(live.failed),
                grouped(live.left_out)
            ),
            None => format!(
                "{} of {} done · {} in flight · {} to do · {} failed · {} left out",
                grouped(job.counts.done),
                grouped(job.counts.total),
                grouped(job.counts.in_flight),
                grouped(job.counts.planned),
                grouped(job.counts.failed),
                grouped(job.counts.cancelled + job.counts.skipped)
            ),
        }
    }

    /// What goes on, or what came of the last run.
    fn run_line(&self, job: &Job, live: Option<&JobProgress>, shared: &Shared) -> Line<'static> {
        let palette = &shared.palette;
        if let Some(live) = live {
            let left = live.left_ms.map_or_else(
                || "time left unknown".to_owned(),
                |ms| format!("about {} left", span(ms / 1_000)),
            );
            let waiting = if live.waiting.is_empty() {
                String::new()
            } else {
                format!(" · {}", live.waiting)
            };
            let words = format!("{} a minute · {left}{waiting}", grouped(live.rate_per_minute));
            return Line::styled(words, palette.accent);
        }
        match &self.ended {
            Some(Ok(outcome)) => {
                let (words, well) = outcome_words(outcome);
                let style = if well { palette.good } else { palette.warning };
                Line::styled(sentence(&words), style)
            }
            Some(Err(failure)) => Line::styled(format!("! {}", sentence(&failure.cause)), palette.warning),
            None => {
                let fees = u64::try_from(job.counts.fees).map(Lamports::new);
                let fees = fees.map_or_else(|_| "?".to_owned(), |fees| fees.to_string());
                let words = format!(
                    "{} · fees {fees} SOL",
                    count(job.counts.batches, "transaction", "transactions")
                );
                Line::styled(words, palette.muted)
            }
        }
    }
}

/// The amount with its unit's digits; what is decided later says so.
#[must_use]
pub fn amount_of(amount: u64, action: &ItemAction) -> String {
    let all = amount == 0;
    match action {
        ItemAction::PaySol => format!("{} SOL", Lamports::new(amount)),
        ItemAction::DrainSol if all => "all its SOL".into(),
        ItemAction::DrainSol => format!("{} SOL", Lamports::new(amount)),
        ItemAction::DrainToken { .. } if all => "all of a token".into(),
        ItemAction::PayToken { decimals, .. } | ItemAction::DrainToken { decimals, .. } => {
            format_units(amount, *decimals)
        }
        ItemAction::CloseAccount { .. } if all => "its rent".into(),
        ItemAction::WithdrawExcess { .. } if all => "its excess".into(),
        ItemAction::CloseAccount { .. } | ItemAction::WithdrawExcess { .. } => {
            format!("{} SOL", Lamports::new(amount))
        }
        _ => amount.to_string(),
    }
}

fn item_lines(item: &JobItem, shared: &Shared, width: u16) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let mut lines = vec![Line::styled(format!("from {}", item.new.source), palette.muted)];
    match (&item.state, &item.batch) {
        (ItemState::Failed { reason } | ItemState::Skipped { reason }, _) => {
            lines.extend(wrapped(&sentence(&printable(reason)), width, palette.warning));
        }
        (_, Some((number, signature))) => {
            let slot = item
                .slot
                .map_or_else(String::new, |slot| format!(", slot {slot}"));
            let words = format!("transaction {number}{slot}: {signature}");
            lines.push(Line::styled(fitted(&words, usize::from(width)), palette.muted));
        }
        (_, None) => {}
    }
    if let Some(memo) = &item.new.memo {
        lines.push(Line::styled(format!("memo {}", printable(memo)), palette.muted));
    }
    lines
}
