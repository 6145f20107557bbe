//! What a transaction, message or typed data says, before anybody signs it. Nothing is signed here and nothing kept.

use std::fmt;

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use zeroize::Zeroizing;

use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::inspect::{InspectAnswer, InspectWork, Inspected};
use crate::console::effects::keys::{KeysAnswer, KeysWork};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::keymap::{Action, Context};
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::sheet::{self, Foot};
use crate::console::state::Shared;
use crate::console::text::{fitted, printable};
use crate::console::widget::{row, wrapped};

#[cfg(test)]
mod tests;

const TEXT: usize = 0;
const FILE: usize = 1;
/// The longest pasted text; a longer one comes in a file.
const TEXT_BYTES: usize = 64 * 1024;
const PATH_BYTES: usize = 1_024;

/// The screen.
pub struct InspectScreen {
    form: Form,
    reading: Pending,
    completing: Pending,
    shown: Option<Inspected>,
    scroll: usize,
    failure: Option<Failure>,
    problem: Option<String>,
}

impl fmt::Debug for InspectScreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InspectScreen").finish_non_exhaustive()
    }
}

impl Default for InspectScreen {
    fn default() -> Self {
        Self {
            form: Form::new(vec![
                // Masked, for the case that a key is pasted by mistake.
                Field::masked("paste it here", TEXT_BYTES)
                    .hint("a transaction or message in base64, base58 or hex; JSON or text"),
                Field::plain("or a file", PATH_BYTES).hint("Tab completes names; ~/ is your home folder"),
            ]),
            reading: Pending::default(),
            completing: Pending::default(),
            shown: None,
            scroll: 0,
            failure: None,
            problem: None,
        }
    }
}

impl InspectScreen {
    fn submit(&mut self, cx: &mut Cx<'_>) {
        let text = self.form.expose_text(TEXT).trim();
        let file = self.form.expose_text(FILE).trim();
        let work = match (text.is_empty(), file.is_empty()) {
            (true, true) => {
                self.problem = Some("paste something, or name a file".into());
                return;
            }
            (false, false) => {
                self.problem = Some("give one of the two, and clear the other".into());
                return;
            }
            (false, true) => InspectWork::Text(Zeroizing::new(text.to_owned())),
            (true, false) => InspectWork::File(file.to_owned()),
        };
        self.failure = None;
        cx.start_latest(&mut self.reading, Work::Inspect(work));
    }

    fn back(&mut self, cx: &mut Cx<'_>) {
        if self.shown.take().is_some() {
            self.scroll = 0;
        } else if self.form.is_empty() {
            cx.go(Nav::Back);
        } else {
            // Nothing that was pasted is a loss: it is there to be pasted again.
            self.form.clear(TEXT);
            self.form.clear(FILE);
            (self.failure, self.problem) = (None, None);
        }
    }

    fn edited(&mut self, edit: Edit) {
        match edit {
            Edit::Changed => (self.failure, self.problem) = (None, None),
            Edit::Full => self.problem = Some("that is too long to paste; name the file it is in".into()),
            Edit::Moved | Edit::Ignored => {}
        }
    }
}

/// Everything that is shown, broken into rows.
fn lines(shown: &Inspected, width: u16, shared: &Shared) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let mut lines = Vec::new();
    for (name, value) in &shown.facts {
        lines.push(Line::from(vec![
            Span::styled(format!("{name:<15}"), palette.muted),
            Span::styled(value.clone(), palette.text),
        ]));
    }
    lines.push(Line::default());
    for danger in &shown.dangers {
        lines.extend(wrapped(
            &format!("! {}", printable(danger)),
            width,
            palette.danger,
        ));
    }
    if !shown.dangers.is_empty() {
        lines.push(Line::default());
    }
    for sentence in &shown.sentences {
        lines.extend(wrapped(
            &format!("· {}", printable(sentence)),
            width,
            palette.text,
        ));
    }
    lines
}

impl Page for InspectScreen {
    fn contexts(&self) -> Vec<Context> {
        match &self.shown {
            Some(_) => vec![Context::Inspect, Context::List],
            None if self.form.focus() == FILE => vec![Context::File, Context::Form],
            None => vec![Context::Form],
        }
    }

    fn typing(&self) -> bool {
        self.shown.is_none()
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if action == Action::Back {
            self.back(cx);
            return Handled::Yes;
        }
        if let Some(shown) = &self.shown {
            let width = sheet::inner(Rect::new(0, 0, cx.shared.size.0, 1)).width;
            let last = lines(shown, width, cx.shared).len().saturating_sub(1);
            match action {
                Action::Up => self.scroll = self.scroll.saturating_sub(1),
                Action::Down => self.scroll = (self.scroll + 1).min(last),
                Action::PageUp => self.scroll = self.scroll.saturating_sub(10),
                Action::PageDown => self.scroll = (self.scroll + 10).min(last),
                Action::First => self.scroll = 0,
                Action::Last => self.scroll = last,
                _ => return Handled::No,
            }
            return Handled::Yes;
        }
        if action == Action::Complete {
            let text = self.form.expose_text(FILE).to_owned();
            cx.start_latest(&mut self.completing, Work::Keys(KeysWork::Complete(text)));
            return Handled::Yes;
        }
        if action == Action::Accept && !self.form.is_empty() {
            self.submit(cx);
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
        let edit = self.form.key(key);
        self.edited(edit);
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        if self.shown.is_none() {
            let is_path = ["/", "~/", "./", "../"]
                .iter()
                .any(|start| text.starts_with(start));
            // Base64 may begin with a slash; no path is that long without a dot.
            self.form
                .set_focus(if is_path && text.len() < 256 { FILE } else { TEXT });
            let edit = self.form.paste(text);
            self.edited(edit);
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Inspect(InspectAnswer::Read(result)) if self.reading.settle(id) => match result {
                Ok(shown) => (self.shown, self.scroll) = (Some(shown), 0),
                Err(failure) => self.failure = Some(failure),
            },
            Answer::Keys(KeysAnswer::Completed(found)) if self.completing.settle(id) => match found {
                Some(text) => self.form.set_text(FILE, &text),
                None => cx.notice("no file begins like this"),
            },
            Answer::Broken(failure) if self.reading.settle(id) => self.failure = Some(failure),
            other => return Some(other),
        }
        None
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let inner = sheet::inner(area);
        if let Some(shown) = &self.shown {
            let at = sheet::head("Inspect", shown.kind, Vec::new(), shared, frame, area);
            let lines = lines(shown, inner.width, shared);
            let more = lines.len().saturating_sub(self.scroll) > usize::from(area.height.saturating_sub(at));
            for (offset, line) in (at..area.height).zip(lines.into_iter().skip(self.scroll)) {
                row(frame, inner, offset, line);
            }
            if more {
                let note = Rect {
                    x: area.x + area.width.saturating_sub(10),
                    width: 9,
                    ..area
                };
                row(
                    frame,
                    note,
                    1,
                    Line::styled(fitted(" ↓ more ", 9), shared.palette.muted),
                );
            }
            return;
        }
        let words = wrapped(
            "Shows what it does in words, with what is dangerous about it, who has signed and who has not. Nothing is \
             signed here.",
            inner.width,
            shared.palette.muted,
        );
        let at = sheet::head("Inspect", "", words, shared, frame, area);
        let at = self.form.view(frame, area, at, &shared.palette);
        let foot = if self.reading.is_waiting() {
            Foot::Working("reading it")
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
