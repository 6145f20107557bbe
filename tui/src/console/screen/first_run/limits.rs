//! The limits of the default policy.

use crossterm::event::KeyEvent;
use keyward_core::amount::Lamports;
use keyward_core::policy::PolicyLimits;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::console::input::{Echo, Edit, TextInput};
use crate::console::state::Shared;
use crate::console::widget::{Focus, field, row, rows, wrapped};

const FIELDS: usize = 3;
const LABELS: [(&str, &str); FIELDS] = [
    ("SOL in one transaction", "SOL"),
    ("tokens in one transaction", "whole tokens of any kind"),
    ("priority fee", "SOL at most"),
];

/// The limits as they are typed.
pub(super) struct LimitsForm {
    fields: [TextInput; FIELDS],
    at: usize,
    problem: Option<String>,
}

impl Default for LimitsForm {
    fn default() -> Self {
        let field = |text| TextInput::plain(32).with_text(text);
        Self {
            fields: [field("1"), field("1000"), field("0.001")],
            at: 0,
            problem: None,
        }
    }
}

impl LimitsForm {
    pub(super) fn next(&mut self) {
        self.at = (self.at + 1) % FIELDS;
    }

    pub(super) fn previous(&mut self) {
        self.at = (self.at + FIELDS - 1) % FIELDS;
    }

    pub(super) fn text(&mut self, key: KeyEvent) {
        if self
            .fields
            .get_mut(self.at)
            .is_some_and(|field| field.key(key) == Edit::Changed)
        {
            self.problem = None;
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        if let Some(field) = self.fields.get_mut(self.at) {
            field.insert(text.trim());
        }
        self.problem = None;
    }

    fn field_text(&self, at: usize) -> &str {
        self.fields.get(at).map_or("", |field| field.expose_text().trim())
    }

    /// The limits, if all of them can be read.
    pub(super) fn limits(&self) -> Option<PolicyLimits> {
        self.read().ok()
    }

    fn read(&self) -> Result<PolicyLimits, (usize, String)> {
        let sol = |at| Lamports::parse(self.field_text(at)).map_err(|error| (at, error.to_string()));
        let sol_per_transaction = sol(0)?;
        let digits: String = self.field_text(1).chars().filter(|ch| *ch != '_').collect();
        let tokens_per_transaction = digits
            .parse()
            .map_err(|_| (1, "a whole number of tokens, please".to_owned()))?;
        Ok(PolicyLimits {
            sol_per_transaction,
            tokens_per_transaction,
            max_priority_fee: sol(2)?,
            evm: None,
        })
    }

    /// Goes to the next field; on the last one says whether all can be read.
    pub(super) fn accept(&mut self) -> bool {
        let read = self.read();
        match read {
            Err((at, problem)) if at <= self.at => {
                self.at = at;
                self.problem = Some(problem);
                false
            }
            _ if self.at + 1 < FIELDS => {
                self.at += 1;
                false
            }
            Err((at, problem)) => {
                self.at = at;
                self.problem = Some(problem);
                false
            }
            Ok(_) => true,
        }
    }

    pub(super) fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let intro = "The vault signs transfers of SOL and tokens up to these limits, and nothing else, until \
                     you name more in its policy. A thief with this screen unlocked is held to them too.";
        let mut at = rows(frame, area, 0, wrapped(intro, area.width, palette.text)) + 1;
        for (number, ((label, unit), input)) in LABELS.iter().zip(&self.fields).enumerate() {
            row(
                frame,
                area,
                at,
                Line::styled(format!("{label:>25}"), palette.muted),
            );
            let place = Rect {
                x: area.x + 27,
                y: area.y + at,
                width: 16,
                height: 1,
            };
            field(
                frame,
                place,
                input,
                Echo::Plain,
                Focus::when(number == self.at),
                palette,
            );
            let unit_place = Rect {
                x: area.x + 45,
                width: area.width.saturating_sub(45),
                ..area
            };
            row(frame, unit_place, at, Line::styled(*unit, palette.muted));
            at += 2;
        }
        if let Some(problem) = &self.problem {
            rows(
                frame,
                area,
                at,
                wrapped(&format!("! {problem}"), area.width, palette.warning),
            );
        }
    }
}
