//! The audit log: a virtual list with a filter, an entry in full, verifying, checkpoints.
//!
//! Only a bounded window of the log is in memory. It changes nothing in the log but by what it asks custody to do.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;

use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::audit::{AuditAnswer, AuditWork};
use crate::console::input::{Edit, TextInput};
use crate::console::jobs::Stop;
use crate::console::keymap::{Action, Context};
use crate::console::layout;
use crate::console::modal::{Confirm, Decision, Gravity, Modal, Purpose};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::screen::Screen;
use crate::console::screen::audit_counts::AuditCountsScreen;
use crate::console::screen::proof::ProofScreen;
use crate::console::state::Shared;
use crate::console::text::{count, grouped};

mod filter;
#[cfg(test)]
mod tests;
mod view;
mod window;

use filter::Filter;
use window::{Load, Order, Window};

/// The audit log.
#[derive(Debug)]
pub struct AuditScreen {
    window: Window,
    loading: Pending,
    load: Load,
    input: TextInput,
    filter: Filter,
    mode: Mode,
    failure: Option<Failure>,
    writing: Pending,
    /// Whether nothing was read yet: the first page is a look at the log of its own.
    opening: bool,
}

/// What the keys do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// They move in the list.
    List,
    /// They type the filter.
    Filter,
    /// One entry is shown in full, where there is no room for a pane.
    Entry,
}

impl Default for AuditScreen {
    fn default() -> Self {
        Self {
            window: Window::new(Order::NewestFirst),
            loading: Pending::default(),
            load: Load::Start,
            input: TextInput::plain(256),
            filter: filter::parse("", 0),
            mode: Mode::List,
            failure: None,
            writing: Pending::default(),
            opening: true,
        }
    }
}

impl AuditScreen {
    fn read(&mut self, load: Load, cx: &mut Cx<'_>) {
        let query = self.window.query(load, self.filter.query.clone());
        self.load = load;
        let work = if std::mem::take(&mut self.opening) {
            AuditWork::Open(query)
        } else {
            AuditWork::Page(query)
        };
        cx.start_latest(&mut self.loading, Work::Audit(work));
    }

    fn read_if_wanted(&mut self, cx: &mut Cx<'_>) {
        if !self.loading.is_waiting()
            && let Some(load) = self.window.wants()
        {
            self.read(load, cx);
        }
    }

    fn step(&mut self, by: i64, cx: &mut Cx<'_>) {
        self.window.step(by, seen(cx.shared));
        self.read_if_wanted(cx);
    }

    fn filter_changed(&mut self, cx: &mut Cx<'_>) {
        self.filter = filter::parse(self.input.expose_text(), cx.shared.now_ms);
        self.read(Load::Start, cx);
    }

    fn clear_filter(&mut self, cx: &mut Cx<'_>) {
        self.mode = Mode::List;
        if !self.input.is_empty() {
            self.input.clear();
            self.filter_changed(cx);
        }
    }

    fn back(&mut self, cx: &mut Cx<'_>) {
        if self.mode == Mode::Entry {
            self.mode = Mode::List;
        } else if !self.input.is_empty() {
            self.clear_filter(cx);
        } else {
            cx.go(Nav::Back);
        }
    }

    fn verify(&mut self, cx: &mut Cx<'_>) {
        if cx.shared.verification.running_since(&cx.shared.jobs).is_some() {
            return;
        }
        let id = cx.start_job(
            "verify the audit log",
            Work::Audit(AuditWork::Verify),
            Stop::Clean,
        );
        cx.shared.verification.begin(id);
    }

    fn ask_for_file(&self, cx: &mut Cx<'_>) {
        let name = format!("keyward-checkpoint-{}.txt", self.window.total());
        cx.modal(Modal::prompt(
            "Write a checkpoint to which new file?",
            "Kept elsewhere, it proves that nothing before it changed.",
            &name,
            Purpose::CheckpointFile,
        ));
    }

    fn ask_for_export(&self, cx: &mut Cx<'_>) {
        let what = if self.input.is_empty() {
            "Every entry, a line of JSON each, with a checkpoint at the end."
        } else {
            "What the filter shows, a line of JSON each, with a checkpoint at the end."
        };
        let name = format!("keyward-audit-{}.jsonl", self.window.total());
        cx.modal(Modal::prompt(
            "Export to which new file?",
            what,
            &name,
            Purpose::AuditFile,
        ));
    }

    fn ask_to_redact(cx: &mut Cx<'_>) {
        cx.modal(Modal::Confirm(Confirm {
            title: "Redact what is old enough?".into(),
            lines: vec![
                "Entries whose time is over are emptied to their hashes, for ever. The log still verifies, and says which."
                    .into(),
                "How long is a limit of the vault (4 settings). What was signed and sent is kept for ever.".into(),
            ],
            decision: Decision::Redact,
            gravity: Gravity::Danger,
        }));
    }

    /// Shows the failures of the last day, or everything again.
    fn toggle_failures(&mut self, cx: &mut Cx<'_>) {
        let shown = self.input.expose_text().trim() == filter::FAILURES;
        self.input.clear();
        if !shown {
            self.input.insert(filter::FAILURES);
        }
        self.mode = Mode::List;
        self.filter_changed(cx);
    }

    fn prove(&self, cx: &mut Cx<'_>) {
        let entry = self.window.selected().map(keyward_custody::AuditRow::sequence);
        cx.go(Nav::Push(Screen::Proof(Box::new(ProofScreen::new(entry)))));
    }

    fn page_read(&mut self, result: Result<keyward_custody::AuditRows, Failure>, cx: &mut Cx<'_>) {
        match result {
            Ok(page) => {
                self.failure = None;
                self.window.take(self.load, page);
                self.window.step(0, seen(cx.shared));
                self.read_if_wanted(cx);
            }
            Err(failure) => self.failure = Some(failure),
        }
    }

    fn written(&mut self, result: Result<(u64, std::path::PathBuf), Failure>, cx: &mut Cx<'_>) {
        match result {
            Ok((size, path)) => {
                let entries = count(size, "entry", "entries");
                cx.notice(format!("checkpoint of {entries} written to {}", path.display()));
                self.read(Load::Start, cx);
            }
            Err(failure) => cx.modal(Modal::Error(failure)),
        }
    }
}

/// How many rows of the list are seen.
fn seen(shared: &Shared) -> u64 {
    u64::from(layout::areas(shared.size).body.height.saturating_sub(view::HEAD)).max(1)
}

impl Page for AuditScreen {
    fn contexts(&self) -> Vec<Context> {
        match self.mode {
            Mode::Filter => vec![Context::Filter],
            Mode::List | Mode::Entry => vec![Context::Audit, Context::List],
        }
    }

    fn typing(&self) -> bool {
        self.mode == Mode::Filter
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        match action {
            Action::Accept => {
                self.mode == Mode::Filter || (self.mode == Mode::List && shared.size.0 < layout::WIDE)
            }
            Action::Verify => shared.verification.running_since(&shared.jobs).is_none(),
            _ => true,
        }
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.read(Load::Start, cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        let rows = i64::try_from(seen(cx.shared)).unwrap_or(1);
        match action {
            Action::Up => self.step(-1, cx),
            Action::Down => self.step(1, cx),
            Action::PageUp => self.step(-rows, cx),
            Action::PageDown => self.step(rows, cx),
            Action::First => self.read(Load::Start, cx),
            Action::Last => self.read(Load::End, cx),
            Action::Accept => match self.mode {
                Mode::Filter => self.mode = Mode::List,
                Mode::List if self.window.selected().is_some() => self.mode = Mode::Entry,
                Mode::List | Mode::Entry => {}
            },
            Action::Filter => self.mode = Mode::Filter,
            Action::ClearFilter => self.clear_filter(cx),
            Action::Reverse => {
                self.window = Window::new(self.window.order().turned());
                self.read(Load::Start, cx);
            }
            Action::Refresh => self.read(Load::Start, cx),
            Action::Verify => self.verify(cx),
            Action::Checkpoint => self.ask_for_file(cx),
            Action::Failures => self.toggle_failures(cx),
            Action::Counts => {
                let counts = AuditCountsScreen::new(self.filter.query.clone(), self.input.expose_text());
                cx.go(Nav::Push(Screen::AuditCounts(Box::new(counts))));
            }
            Action::Prove => self.prove(cx),
            Action::Export => self.ask_for_export(cx),
            Action::Redact => Self::ask_to_redact(cx),
            Action::Back => self.back(cx),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, cx: &mut Cx<'_>) {
        if self.input.key(key) == Edit::Changed {
            self.filter_changed(cx);
        }
    }

    fn paste(&mut self, text: &str, cx: &mut Cx<'_>) {
        if self.mode == Mode::Filter && self.input.insert(text.trim()) != Edit::Ignored {
            self.filter_changed(cx);
        }
    }

    fn click(&mut self, _column: u16, row: u16, cx: &mut Cx<'_>) {
        let Some(row) = row.checked_sub(view::HEAD) else {
            return;
        };
        if self.mode != Mode::Entry {
            let seen = seen(cx.shared);
            let place = self.window.top(seen) + u64::from(row);
            if self.window.at(place).is_some() {
                self.window.put(place, seen);
            }
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Audit(AuditAnswer::Page(result)) if self.loading.settle(id) => self.page_read(result, cx),
            Answer::Audit(AuditAnswer::Checkpoint(result)) if self.writing.settle(id) => {
                self.written(result, cx)
            }
            Answer::Audit(AuditAnswer::Exported(result)) if self.writing.settle(id) => match result {
                Ok((entries, path)) => {
                    let entries = count(entries, "entry", "entries");
                    cx.notice(format!("{entries} written to {}", path.display()));
                    self.read(Load::Start, cx);
                }
                Err(failure) => cx.modal(Modal::Error(failure)),
            },
            Answer::Broken(failure) if self.loading.settle(id) || self.writing.settle(id) => {
                self.failure = Some(failure);
            }
            other => return Some(other),
        }
        None
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        if let Event::ShowAudit(words) = event {
            let others = filter::without_operation(self.input.expose_text());
            self.input.clear();
            self.input.insert(format!("{others} {words}").trim());
            self.filter_changed(cx);
            return;
        }
        // Coming back to the screen is a look of its own; the list's following is not.
        self.opening |= matches!(event, Event::Shown);
        // What happened elsewhere wrote entries; the list follows as long as its top is shown.
        if matches!(event, Event::Shown | Event::JobEnded(_))
            && self.window.cursor() == 0
            && self.mode == Mode::List
        {
            self.read(Load::Start, cx);
        }
    }

    fn prompted(&mut self, purpose: &Purpose, text: &str, cx: &mut Cx<'_>) {
        if *purpose == Purpose::CheckpointFile && !text.is_empty() {
            let work = AuditWork::Checkpoint {
                path: text.to_owned(),
            };
            cx.start_latest(&mut self.writing, Work::Audit(work));
        }
        if *purpose == Purpose::AuditFile && !text.is_empty() {
            let work = AuditWork::Export {
                query: self.filter.query.clone(),
                path: text.to_owned(),
            };
            cx.start_latest(&mut self.writing, Work::Audit(work));
        }
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if *decision == Decision::Redact {
            // Each of its steps is whole, so it may be stopped; a lock stops it.
            cx.start_job(
                "redact the audit log",
                Work::Audit(AuditWork::Redact),
                Stop::Clean,
            );
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        view::view(self, shared, frame, area);
    }
}

/// The place of the cursor, for the heading.
fn place(window: &Window) -> String {
    if window.is_empty() {
        return String::new();
    }
    format!("{} of {}", grouped(window.cursor() + 1), grouped(window.total()))
}
