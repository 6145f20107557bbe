//! Destroying the keys of deleted wallets whose time is over: what goes, typed out, and the vault's password.

use std::fmt;

use crossterm::event::KeyEvent;
use keyward_custody::password::MAX_PASSWORD_BYTES;
use keyward_custody::{Purged, Wallet, WalletStatus};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::wallet::facts::title;
use crate::console::effect::{Answer, Failure, Lifetime, Pending, RequestId, Work};
use crate::console::effects::upkeep::{UpkeepAnswer, UpkeepWork};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::keymap::{Action, Context};
use crate::console::modal::Decision;
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::sheet::{self, Foot, ask_to_discard};
use crate::console::state::Shared;
use crate::console::text::{count, fitted, span};
use crate::console::widget::{full_address, wrapped};

#[cfg(test)]
mod tests;

const TYPED: usize = 0;
const PASSWORD: usize = 1;
/// The most wallets that are named one by one.
const NAMED: usize = 5;

/// What is to be destroyed.
enum Target {
    /// The key of this one.
    One(Box<Wallet>),
    /// The keys of all whose time is over; not read yet if none.
    Due(Option<Vec<Wallet>>),
}

/// The screen.
pub struct PurgeScreen {
    target: Target,
    form: Form,
    reading: Pending,
    working: Pending,
    problem: Option<String>,
    failure: Option<Failure>,
    done: Option<Purged>,
}

impl fmt::Debug for PurgeScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PurgeScreen").finish_non_exhaustive()
    }
}

impl PurgeScreen {
    /// For this wallet if it is deleted, else for all whose time is over.
    #[must_use]
    pub fn new(wallet: Option<Wallet>) -> Self {
        let target = match wallet {
            Some(wallet) if wallet.status == WalletStatus::Deleted => Target::One(Box::new(wallet)),
            _ => Target::Due(None),
        };
        let what = match &target {
            Target::One(_) => "type its whole address",
            Target::Due(_) => "type how many there are",
        };
        Self {
            target,
            form: Form::new(vec![
                Field::plain("to confirm", 64).hint(what),
                Field::masked("vault password", MAX_PASSWORD_BYTES).hint("typed again"),
            ]),
            reading: Pending::default(),
            working: Pending::default(),
            problem: None,
            failure: None,
            done: None,
        }
    }

    fn read(&mut self, cx: &mut Cx<'_>) {
        if matches!(self.target, Target::Due(_)) {
            cx.start_latest(&mut self.reading, Work::Upkeep(UpkeepWork::DueToPurge));
        }
    }

    /// The work that the form asks for, or what is not right in it.
    fn work(&self, shared: &Shared) -> Result<UpkeepWork, (usize, String)> {
        let typed = self.form.expose_text(TYPED).trim();
        let work = match &self.target {
            Target::One(wallet) => {
                if let Some(left_ms) = wait_ms(wallet, shared.now_ms) {
                    let why = format!("it can be restored for another {}", span(left_ms.div_ceil(1_000)));
                    return Err((TYPED, why));
                }
                if typed != wallet.address.to_string() {
                    return Err((TYPED, "that is not its whole address".into()));
                }
                UpkeepWork::Purge {
                    address: wallet.address,
                    typed: typed.to_owned(),
                    password: self.form.expose_copy(PASSWORD),
                }
            }
            Target::Due(None) => return Err((TYPED, "they are still being looked for".into())),
            Target::Due(Some(due)) => match typed.parse::<usize>() {
                Ok(expected) if expected == due.len() && expected > 0 => UpkeepWork::PurgeDue {
                    expected,
                    password: self.form.expose_copy(PASSWORD),
                },
                _ if due.is_empty() => return Err((TYPED, "there is none whose time is over".into())),
                _ => return Err((TYPED, "that is not how many there are".into())),
            },
        };
        if self.form.expose_text(PASSWORD).is_empty() {
            return Err((PASSWORD, "type the vault's password".into()));
        }
        Ok(work)
    }

    fn submit(&mut self, cx: &mut Cx<'_>) {
        if self.working.is_waiting() {
            return;
        }
        (self.problem, self.failure) = (None, None);
        match self.work(cx.shared) {
            Err((field, problem)) => {
                self.form.set_focus(field);
                self.problem = Some(problem);
            }
            Ok(work) => {
                // What it destroyed by then stays destroyed, so a lock does not stop it in the middle.
                let id = cx.start_for(Work::Upkeep(work), Lifetime::Console);
                self.working.replace(id);
                self.form.clear(PASSWORD);
            }
        }
    }

    fn purged(&mut self, result: Result<Purged, Failure>, cx: &mut Cx<'_>) {
        match result {
            Ok(purged) => {
                self.form = Form::default();
                self.done = Some(purged);
                cx.go(Nav::Tell(Event::WalletsChanged));
            }
            Err(failure) => {
                self.form.set_focus(PASSWORD);
                self.failure = Some(failure);
                // Some may be gone already.
                self.read(cx);
            }
        }
    }
}

/// How long it still can be restored, in milliseconds; `None` once its time is over.
fn wait_ms(wallet: &Wallet, now_ms: u64) -> Option<u64> {
    let left_ms = wallet.purge_after_ms.unwrap_or(u64::MAX).saturating_sub(now_ms);
    (left_ms > 0).then_some(left_ms)
}

impl Page for PurgeScreen {
    fn contexts(&self) -> Vec<Context> {
        match &self.done {
            Some(_) => vec![Context::Done],
            None => vec![Context::Form],
        }
    }

    fn typing(&self) -> bool {
        self.done.is_none()
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.read(cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if action == Action::Back {
            if self.working.is_waiting() {
                // It is not called back: the answer says what became of it.
            } else if self.unsaved() {
                cx.modal(ask_to_discard("Leave without destroying anything?"));
            } else {
                cx.go(Nav::Back);
            }
            return Handled::Yes;
        }
        if self.done.is_some() {
            return Handled::No;
        }
        match self.form.act(action) {
            FormAct::Submit => self.submit(cx),
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

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Upkeep(UpkeepAnswer::DueToPurge(result)) if self.reading.settle(id) => match result {
                Ok(due) => self.target = Target::Due(Some(due)),
                Err(failure) => self.failure = Some(failure),
            },
            Answer::Upkeep(UpkeepAnswer::Purged(result)) if self.working.settle(id) => {
                self.purged(result, cx);
            }
            Answer::Broken(failure) if self.working.settle(id) => self.purged(Err(failure), cx),
            Answer::Broken(failure) if self.reading.settle(id) => self.failure = Some(failure),
            other => return Some(other),
        }
        None
    }

    fn unsaved(&self) -> bool {
        self.working.is_waiting() || !self.form.is_empty()
    }

    fn confirmed(&mut self, decision: &Decision, cx: &mut Cx<'_>) {
        if *decision == Decision::Discard {
            self.form = Form::default();
            cx.go(Nav::Back);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let width = sheet::inner(area).width;
        if let Some(done) = &self.done {
            let lines = done_lines(done, shared, width);
            sheet::head("Keys destroyed", "", lines, shared, frame, area);
            return;
        }
        let mut lines = self.what(shared, width);
        lines.push(Line::default());
        lines.extend(wrapped(
            "! For ever: no money of such an address moves any more, unless its phrase, a file of it or an older copy of the \
             database is still somewhere.",
            width,
            palette.danger,
        ));
        let heading = match self.target {
            Target::One(_) => "Destroy a wallet's key",
            Target::Due(_) => "Destroy the keys of deleted wallets",
        };
        let at = sheet::head(heading, "", lines, shared, frame, area);
        let at = self.form.view(frame, area, at, palette);
        let foot = if self.working.is_waiting() {
            Foot::Working("checking the password, then destroying")
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

impl PurgeScreen {
    fn what(&self, shared: &Shared, width: u16) -> Vec<Line<'static>> {
        let palette = &shared.palette;
        match &self.target {
            Target::One(wallet) => {
                let mut lines = vec![
                    Line::styled(title(wallet), palette.strong),
                    Line::from(full_address(&wallet.address.to_string(), palette)),
                ];
                if let Some(left_ms) = wait_ms(wallet, shared.now_ms) {
                    let words = format!(
                        "It can be restored for another {}, and its key is not destroyed before.",
                        span(left_ms.div_ceil(1_000))
                    );
                    lines.extend(wrapped(&words, width, palette.warning));
                }
                lines
            }
            Target::Due(None) => vec![Line::styled(
                "Looking for those whose time is over.",
                palette.muted,
            )],
            Target::Due(Some(due)) if due.is_empty() => wrapped(
                "There is none whose time is over. A deleted wallet (D) can be restored first, for as long as the vault's \
                 limits say (4 settings).",
                width,
                palette.muted,
            ),
            Target::Due(Some(due)) => {
                let words = count(
                    due.len() as u64,
                    "deleted wallet's time is over:",
                    "deleted wallets' time is over:",
                );
                let mut lines = vec![Line::styled(words, palette.strong)];
                for wallet in due.iter().take(NAMED) {
                    let mut spans = vec![Span::styled(
                        format!("  {:<24}", fitted(&title(wallet), 22)),
                        palette.text,
                    )];
                    spans.extend(full_address(&wallet.address.to_string(), palette));
                    lines.push(Line::from(spans));
                }
                if due.len() > NAMED {
                    let more = count((due.len() - NAMED) as u64, "more", "more");
                    lines.push(Line::styled(
                        format!("  and {more}; status:deleted lists them"),
                        palette.muted,
                    ));
                }
                lines
            }
        }
    }
}

fn done_lines(done: &Purged, shared: &Shared, width: u16) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let destroyed = count(done.wallets.len() as u64, "key is", "keys are");
    let mut lines = wrapped(
        &format!("✓ {destroyed} destroyed. Addresses and audit entries stay."),
        width,
        palette.good,
    );
    if done.scrubbed {
        lines.extend(wrapped(
            "Nothing of them is left in the database or its journal.",
            width,
            palette.text,
        ));
    } else {
        lines.extend(wrapped(
            "! The database may keep the overwritten rows for a while: PostgreSQL until it vacuums, SQLite until every \
             other program has let go of its journal.",
            width,
            palette.warning,
        ));
    }
    lines
}
