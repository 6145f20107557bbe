//! Showing something of the audit log: that it agrees with a kept checkpoint, that it only grew, that an entry is in it.
//!
//! A proof goes into a new file; it is checked elsewhere, without the vault, by `keyward audit check-proof`.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::audit::{AuditAnswer, AuditWork, Claim, Shown};
use crate::console::effects::keys::{KeysAnswer, KeysWork};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::keymap::{Action, Context};
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::sheet::{self, Foot};
use crate::console::state::Shared;
use crate::console::text::{printable, sentence};
use crate::console::widget::wrapped;

#[cfg(test)]
mod tests;

const WHAT: usize = 0;
const PATH_BYTES: usize = 1_024;

/// What is to be shown; in the order of the choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Agrees,
    Grew,
    Holds,
}

impl What {
    const ALL: [Self; 3] = [Self::Agrees, Self::Grew, Self::Holds];

    fn name(self) -> &'static str {
        match self {
            Self::Agrees => "it agrees with a checkpoint",
            Self::Grew => "it only grew between two",
            Self::Holds => "an entry is in it",
        }
    }
}

/// The screen.
#[derive(Debug)]
pub struct ProofScreen {
    what: What,
    form: Form,
    entry: Option<u64>,
    completing: Pending,
    working: Pending,
    problem: Option<String>,
    failure: Option<Failure>,
    shown: Option<Shown>,
}

fn file(name: &'static str, hint: &'static str) -> Field {
    Field::plain(name, PATH_BYTES).hint(hint)
}

fn form(what: What, entry: Option<u64>) -> Form {
    let names = What::ALL.iter().map(|one| one.name().to_owned()).collect();
    let mut fields = vec![Field::choice("show that", names).hint("← → choose")];
    let kept = "a file that c in the audit log wrote; Tab completes names";
    let out = "the proof goes there; no file is ever written over";
    match what {
        What::Agrees => fields.push(file("checkpoint", kept)),
        What::Grew => {
            fields.push(file("earlier checkpoint", kept));
            fields.push(file("later checkpoint", kept));
            fields.push(file("new file", out));
        }
        What::Holds => {
            let number = entry.map(|entry| entry.to_string()).unwrap_or_default();
            fields.push(
                Field::plain("entry", 20)
                    .with_text(&number)
                    .hint("its number in the log"),
            );
            fields.push(file(
                "checkpoint",
                "one that is newer than the entry; Tab completes names",
            ));
            fields.push(file("new file", out));
        }
    }
    let mut form = Form::new(fields);
    let at = What::ALL.iter().position(|one| *one == what).unwrap_or(0);
    form.choose(WHAT, at);
    form
}

impl ProofScreen {
    /// Something of the log; `entry` is the one under its cursor.
    #[must_use]
    pub fn new(entry: Option<u64>) -> Self {
        Self {
            what: What::Agrees,
            form: form(What::Agrees, entry),
            entry,
            completing: Pending::default(),
            working: Pending::default(),
            problem: None,
            failure: None,
            shown: None,
        }
    }

    /// Whether the field in focus names a file that is there.
    fn on_file(&self) -> bool {
        match self.what {
            What::Agrees => self.form.focus() == 1,
            What::Grew => (1..=2).contains(&self.form.focus()),
            What::Holds => self.form.focus() == 2,
        }
    }

    fn claim(&self) -> Result<Claim, (usize, String)> {
        let text = |at: usize, missing: &str| match self.form.expose_text(at).trim() {
            "" => Err((at, missing.to_owned())),
            text => Ok(text.to_owned()),
        };
        Ok(match self.what {
            What::Agrees => Claim::Agrees {
                checkpoint: text(1, "name the checkpoint's file")?,
            },
            What::Grew => Claim::Grew {
                from: text(1, "name the earlier checkpoint's file")?,
                to: text(2, "name the later checkpoint's file")?,
                out: text(3, "name the new file")?,
            },
            What::Holds => Claim::Holds {
                sequence: text(1, "say which entry")?
                    .parse()
                    .map_err(|_| (1, "a whole number, please".to_owned()))?,
                checkpoint: text(2, "name the checkpoint's file")?,
                out: text(3, "name the new file")?,
            },
        })
    }

    fn submit(&mut self, cx: &mut Cx<'_>) {
        if self.working.is_waiting() {
            return;
        }
        (self.problem, self.failure) = (None, None);
        match self.claim() {
            Ok(claim) => cx.start_latest(&mut self.working, Work::Audit(AuditWork::Prove(claim))),
            Err((field, problem)) => {
                self.form.set_focus(field);
                self.problem = Some(problem);
            }
        }
    }

    fn changed(&mut self) {
        (self.problem, self.failure) = (None, None);
        let what = What::ALL.get(self.form.chosen(WHAT)).copied();
        if let Some(what) = what.filter(|what| *what != self.what) {
            self.what = what;
            self.form = form(what, self.entry);
        }
    }
}

impl Page for ProofScreen {
    fn contexts(&self) -> Vec<Context> {
        match &self.shown {
            Some(_) => vec![Context::Proof],
            None if self.on_file() => vec![Context::File, Context::Form],
            None => vec![Context::Form],
        }
    }

    fn typing(&self) -> bool {
        self.shown.is_none()
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if action == Action::Back {
            cx.cancel(&mut self.working);
            cx.go(Nav::Back);
            return Handled::Yes;
        }
        if let Some(shown) = &self.shown {
            if action != Action::Copy {
                return Handled::No;
            }
            cx.copy(shown.keys.join("\n"), "the log's keys");
            return Handled::Yes;
        }
        if action == Action::Complete {
            let text = self.form.expose_text(self.form.focus()).to_owned();
            cx.start_latest(&mut self.completing, Work::Keys(KeysWork::Complete(text)));
            return Handled::Yes;
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
            self.changed();
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        if self.typing() && !self.working.is_waiting() {
            self.form.paste(text);
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Audit(AuditAnswer::Proved(result)) if self.working.settle(id) => match result {
                Ok(shown) => self.shown = Some(shown),
                Err(failure) => self.failure = Some(failure),
            },
            Answer::Keys(KeysAnswer::Completed(found)) if self.completing.settle(id) => match found {
                Some(name) => self.form.set_text(self.form.focus(), &name),
                None => cx.notice("no file begins like that"),
            },
            Answer::Broken(failure) if self.working.settle(id) => self.failure = Some(failure),
            other => return Some(other),
        }
        None
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let width = sheet::inner(area).width;
        if let Some(shown) = &self.shown {
            let lines = shown_lines(shown, shared, width);
            sheet::head("The audit log, shown", "", lines, shared, frame, area);
            return;
        }
        let words = match self.what {
            What::Agrees => {
                "The whole log is computed anew and compared with a checkpoint that was kept elsewhere."
            }
            What::Grew => {
                "Nothing before the earlier checkpoint was changed or left out: anyone who has both can check the proof, \
                 without the vault."
            }
            What::Holds => {
                "The entry was in the log when the checkpoint was signed: anyone who has the entry and the checkpoint can \
                 check the proof, without the vault."
            }
        };
        let lines = wrapped(words, width, palette.text);
        let at = sheet::head("Show something of the audit log", "", lines, shared, frame, area);
        let at = self.form.view(frame, area, at, palette);
        let foot = if self.working.is_waiting() {
            Foot::Working("reading the log")
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

fn shown_lines(shown: &Shown, shared: &Shared, width: u16) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let mut lines = match &shown.verdict {
        Ok(words) => wrapped(&format!("✓ {}", sentence(words)), width, palette.good),
        Err(words) => {
            let mut lines = wrapped(
                &format!("✗ {}", sentence(&printable(words))),
                width,
                palette.danger,
            );
            lines.extend(wrapped(
                "Stop signing, keep the file, compare with a backup.",
                width,
                palette.danger,
            ));
            lines
        }
    };
    if let Some(file) = &shown.file {
        let words = format!("The proof is in {}.", file.display());
        lines.extend(wrapped(&words, width, palette.text));
        lines.extend(wrapped(
            "`keyward audit check-proof` checks it with the checkpoints and the keys below.",
            width,
            palette.muted,
        ));
    }
    lines.push(Line::default());
    lines.push(Line::styled(
        "Keys that sign this log's checkpoints:",
        palette.muted,
    ));
    for key in &shown.keys {
        lines.extend(wrapped(key, width, palette.strong));
    }
    lines
}
