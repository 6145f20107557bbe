//! Deriving more wallets: how many, from which of the vault's phrases, by which path of either chain.

use crossterm::event::KeyEvent;
use keyward_core::path::PathFamily;
use keyward_custody::MasterSummary;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::wallet::facts::chain_name;
use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::wallets::{WalletsAnswer, WalletsWork};
use crate::console::form::{Field, Form, FormAct};
use crate::console::input::Edit;
use crate::console::keymap::{Action, Context};
use crate::console::modal::parse_count;
use crate::console::page::{Cx, Handled, Nav, Page};
use crate::console::state::Shared;
use crate::console::text::{count, grouped, printable, sentence};
use crate::console::update::start_derivation_of;
use crate::console::widget::{heading, row, rows, rule, wrapped};

#[cfg(test)]
mod tests;

const COUNT: usize = 0;
const PHRASE: usize = 1;
const FAMILY: usize = 2;

/// The form.
#[derive(Debug, Default)]
pub struct DeriveScreen {
    form: Form,
    reading: Pending,
    masters: Vec<MasterSummary>,
    failure: Option<Failure>,
    problem: Option<String>,
}

impl DeriveScreen {
    fn fill(&mut self, shared: &Shared) {
        let typed = self.form.expose_copy(COUNT);
        let family = |family: PathFamily| format!("{}  {}", family.id(), family.template());
        let phrase = |master: &MasterSummary| match master.label.as_str() {
            "" => format!("phrase {}", master.id),
            label => format!("phrase {} · {}", master.id, printable(label)),
        };
        let mut phrases: Vec<String> = self.masters.iter().map(phrase).collect();
        if phrases.is_empty() {
            phrases.push("the vault's phrase".into());
        }
        self.form = Form::new(vec![
            Field::plain("how many", 16)
                .with_text(&typed)
                .hint("1 to 100,000; they continue after the highest index of their path"),
            Field::choice("phrase", phrases).hint("← → choose; further phrases come in by import"),
            Field::choice("path", PathFamily::ALL.into_iter().map(family).collect())
                .hint("← → choose; families of both chains"),
        ]);
        let own = shared.session.as_ref().map(|session| session.summary.family);
        self.choose_family(own);
    }

    fn choose_family(&mut self, family: Option<PathFamily>) {
        if let Some(at) = family.and_then(|own| PathFamily::ALL.into_iter().position(|family| family == own))
        {
            self.form.choose(FAMILY, at);
        }
    }

    fn master(&self) -> Option<&MasterSummary> {
        self.masters.get(self.form.chosen(PHRASE))
    }

    fn family(&self) -> PathFamily {
        let at = self.form.chosen(FAMILY);
        PathFamily::ALL.into_iter().nth(at).unwrap_or_default()
    }

    /// The index that comes next on the chosen path.
    fn next(&self) -> Option<u32> {
        let master = self.master()?;
        let family = self.family();
        let used = master.derivations.iter().find(|(used, _)| *used == family);
        Some(used.map_or(0, |(_, next)| *next))
    }

    fn submit(&mut self, cx: &mut Cx<'_>) {
        let family = self.family();
        match parse_count(self.form.expose_text(COUNT).trim()) {
            Err(problem) => {
                self.problem = Some(problem);
                self.form.set_focus(COUNT);
            }
            Ok(number) if family.is_single() && (number > 1 || self.next().is_some_and(|next| next > 0)) => {
                self.problem = Some("this path has one address only".into());
            }
            Ok(number) => {
                let master = self.master().map(|master| master.id);
                start_derivation_of(master, Some(family), number, cx);
                cx.go(Nav::Back);
            }
        }
    }
}

impl Page for DeriveScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Derive, Context::Form]
    }

    fn typing(&self) -> bool {
        true
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.fill(cx.shared);
        cx.start_latest(&mut self.reading, Work::Wallets(WalletsWork::Masters));
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if action == Action::Accept {
            self.submit(cx);
            return Handled::Yes;
        }
        match self.form.act(action) {
            FormAct::Back => cx.go(Nav::Back),
            FormAct::Other => return Handled::No,
            FormAct::Submit | FormAct::Done => {}
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, _cx: &mut Cx<'_>) {
        let before = self.form.chosen(PHRASE);
        if self.form.key(key) == Edit::Changed {
            self.problem = None;
            if self.form.chosen(PHRASE) != before {
                let own = self.master().map(|master| master.family);
                self.choose_family(own);
            }
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        self.form.paste(text);
        self.problem = None;
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Wallets(WalletsAnswer::Masters(result)) if self.reading.settle(id) => match result {
                Ok(masters) => {
                    let (focus, family) = (self.form.focus(), self.family());
                    self.masters = masters;
                    self.fill(cx.shared);
                    self.form.set_focus(focus);
                    self.choose_family(Some(family));
                }
                Err(failure) => self.failure = Some(failure),
            },
            Answer::Broken(failure) if self.reading.settle(id) => self.failure = Some(failure),
            other => return Some(other),
        }
        None
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        row(frame, area, 0, heading("Derive wallets", "", area.width, palette));
        row(frame, area, 1, rule(area.width, palette));
        let at = self.form.view(frame, area, 3, palette);
        let inner = Rect {
            x: area.x + 2,
            width: area.width.saturating_sub(4),
            ..area
        };
        let family = self.family();
        let mut lines = wrapped(family.description(), inner.width, palette.text);
        lines.push(Line::styled(
            format!("chain: {}", chain_name(family.chain())),
            palette.muted,
        ));
        if let (Some(master), Some(next)) = (self.master(), self.next()) {
            let text = format!(
                "phrase {} holds {}; the next index on this path is #{}",
                master.id,
                count(master.wallets, "wallet", "wallets"),
                grouped(u64::from(next))
            );
            lines.push(Line::styled(text, palette.muted));
        }
        lines.push(Line::default());
        if let Some(problem) = &self.problem {
            lines.push(Line::styled(format!("! {problem}"), palette.warning));
        } else if let Some(failure) = &self.failure {
            lines.extend(wrapped(
                &format!("! {}", sentence(&failure.cause)),
                inner.width,
                palette.warning,
            ));
        }
        rows(frame, inner, at + 1, lines);
    }
}
