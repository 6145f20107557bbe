//! A form: text fields, masked ones and choices, one row each, with the keys that every form has.
//!
//! It knows nothing of what the fields mean; screens read them by their place.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use zeroize::Zeroizing;

use super::input::{Edit, TextInput};
use super::keymap::Action;
use super::text::fitted;
use super::theme::Palette;
use super::widget::{self, Focus};

/// The column that the fields begin in.
const NAME_COLUMNS: u16 = 22;

/// One field.
#[derive(Debug)]
pub struct Field {
    name: &'static str,
    hint: String,
    value: Value,
    hidden: bool,
}

#[derive(Debug)]
enum Value {
    Text(TextInput),
    Choice { options: Vec<String>, chosen: usize },
}

impl Field {
    fn new(name: &'static str, value: Value) -> Self {
        Self {
            name,
            hint: String::new(),
            value,
            hidden: false,
        }
    }

    /// A field that shows its text, at most so many bytes.
    #[must_use]
    pub fn plain(name: &'static str, limit_bytes: usize) -> Self {
        Self::new(name, Value::Text(TextInput::plain(limit_bytes)))
    }

    /// A field for a secret, at most so many bytes.
    #[must_use]
    pub fn masked(name: &'static str, limit_bytes: usize) -> Self {
        Self::new(name, Value::Text(TextInput::masked(limit_bytes)))
    }

    /// A choice among these, the first one chosen.
    #[must_use]
    pub fn choice(name: &'static str, options: Vec<String>) -> Self {
        Self::new(name, Value::Choice { options, chosen: 0 })
    }

    /// What is said below the form while the field has the focus.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Filled with `text`.
    #[must_use]
    pub fn with_text(mut self, text: &str) -> Self {
        if let Value::Text(input) = &mut self.value {
            input.insert(text);
        }
        self
    }
}

/// What a key asked of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormAct {
    /// Enter on the last field.
    Submit,
    /// One step back.
    Back,
    /// The form did it.
    Done,
    /// Nothing of a form's.
    Other,
}

/// Fields, one of which has the focus.
#[derive(Debug, Default)]
pub struct Form {
    fields: Vec<Field>,
    focus: usize,
}

impl Form {
    /// A form of these fields, the first one in focus.
    #[must_use]
    pub fn new(fields: Vec<Field>) -> Self {
        Self { fields, focus: 0 }
    }

    /// Hides these fields and shows all others. What a hidden one holds stays.
    pub fn hide(&mut self, hidden: &[usize]) {
        for (at, field) in self.fields.iter_mut().enumerate() {
            field.hidden = hidden.contains(&at);
        }
        if self.is_hidden(self.focus) {
            self.focus = self
                .after(self.focus)
                .or_else(|| self.before(self.focus))
                .unwrap_or(0);
        }
    }

    fn is_hidden(&self, at: usize) -> bool {
        self.fields.get(at).is_some_and(|field| field.hidden)
    }

    /// The nearest field below this one that is seen.
    fn after(&self, at: usize) -> Option<usize> {
        (at + 1..self.fields.len()).find(|next| !self.is_hidden(*next))
    }

    /// The first field that is seen.
    fn first(&self) -> Option<usize> {
        (0..self.fields.len()).find(|at| !self.is_hidden(*at))
    }

    /// The nearest field above this one that is seen.
    fn before(&self, at: usize) -> Option<usize> {
        (0..at).rev().find(|next| !self.is_hidden(*next))
    }

    /// The field in focus.
    #[must_use]
    pub fn focus(&self) -> usize {
        self.focus
    }

    /// Puts the focus on a field.
    pub fn set_focus(&mut self, at: usize) {
        self.focus = at.min(self.fields.len().saturating_sub(1));
    }

    /// A field's text; empty for a choice. For a masked field this is the secret.
    #[must_use]
    pub fn expose_text(&self, at: usize) -> &str {
        match self.fields.get(at).map(|field| &field.value) {
            Some(Value::Text(input)) => input.expose_text(),
            _ => "",
        }
    }

    /// A wiped copy of a field's text.
    #[must_use]
    pub fn expose_copy(&self, at: usize) -> Zeroizing<String> {
        Zeroizing::new(self.expose_text(at).to_owned())
    }

    /// What a choice stands at; 0 for a text.
    #[must_use]
    pub fn chosen(&self, at: usize) -> usize {
        match self.fields.get(at).map(|field| &field.value) {
            Some(Value::Choice { chosen, .. }) => *chosen,
            _ => 0,
        }
    }

    /// Puts a choice at one of its options.
    pub fn choose(&mut self, at: usize, option: usize) {
        if let Some(Value::Choice { options, chosen }) = self.fields.get_mut(at).map(|field| &mut field.value)
        {
            *chosen = option.min(options.len().saturating_sub(1));
        }
    }

    /// Replaces a field's text.
    pub fn set_text(&mut self, at: usize, text: &str) {
        if let Some(Value::Text(input)) = self.fields.get_mut(at).map(|field| &mut field.value) {
            input.clear();
            input.insert(text);
        }
    }

    /// Replaces what is said of a field.
    pub fn set_hint(&mut self, at: usize, hint: impl Into<String>) {
        if let Some(field) = self.fields.get_mut(at) {
            field.hint = hint.into();
        }
    }

    /// Wipes one field.
    pub fn clear(&mut self, at: usize) {
        if let Some(Value::Text(input)) = self.fields.get_mut(at).map(|field| &mut field.value) {
            input.clear();
        }
    }

    /// Wipes every masked field.
    pub fn clear_secrets(&mut self) {
        for field in &mut self.fields {
            if let Value::Text(input) = &mut field.value
                && input.echo() == super::input::Echo::Masked
            {
                input.clear();
            }
        }
    }

    /// Whether nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.iter().all(|field| match &field.value {
            Value::Text(input) => input.is_empty(),
            Value::Choice { .. } => true,
        })
    }

    /// Does what a key of the form context asks for.
    pub fn act(&mut self, action: Action) -> FormAct {
        let below = self.after(self.focus);
        match action {
            Action::Accept => match below {
                Some(next) => self.focus = next,
                None => return FormAct::Submit,
            },
            Action::Next => {
                self.focus = below.or_else(|| self.first()).unwrap_or(self.focus);
            }
            Action::Previous => {
                let last = self.before(self.fields.len());
                self.focus = self.before(self.focus).or(last).unwrap_or(self.focus);
            }
            Action::Back => return FormAct::Back,
            _ => return FormAct::Other,
        }
        FormAct::Done
    }

    /// Takes a key that is text or edits text; arrows, space and letters step through a choice.
    pub fn key(&mut self, key: KeyEvent) -> Edit {
        match self.fields.get_mut(self.focus).map(|field| &mut field.value) {
            Some(Value::Text(input)) => input.key(key),
            Some(Value::Choice { options, chosen }) => {
                let count = options.len().max(1);
                match key.code {
                    KeyCode::Right | KeyCode::Char(' ') => *chosen = (*chosen + 1) % count,
                    KeyCode::Left => *chosen = (*chosen + count - 1) % count,
                    _ => return Edit::Ignored,
                }
                Edit::Changed
            }
            None => Edit::Ignored,
        }
    }

    /// Takes pasted text into the field in focus.
    pub fn paste(&mut self, text: &str) -> Edit {
        match self.fields.get_mut(self.focus).map(|field| &mut field.value) {
            Some(Value::Text(input)) => input.insert(text.trim_end_matches(['\n', '\r'])),
            _ => Edit::Ignored,
        }
    }

    /// Draws it from a row on; gives the first free row, below what is said of the field in focus.
    pub fn view(&self, frame: &mut Frame<'_>, area: Rect, offset: u16, palette: &Palette) -> u16 {
        let mut at = offset;
        for (number, field) in self.fields.iter().enumerate().filter(|(_, field)| !field.hidden) {
            let here = number == self.focus;
            let sign = if here { "▌" } else { " " };
            let style = if here { palette.accent } else { palette.muted };
            widget::row(
                frame,
                area,
                at,
                Line::styled(format!("{sign} {}", field.name), style),
            );
            let target = Rect {
                x: area.x + NAME_COLUMNS,
                y: area.y + at,
                width: area.width.saturating_sub(NAME_COLUMNS + 2).min(56),
                height: 1,
            };
            match &field.value {
                _ if at >= area.height => {}
                Value::Text(input) => widget::field(
                    frame,
                    target.intersection(area),
                    input,
                    input.echo(),
                    Focus::when(here),
                    palette,
                ),
                Value::Choice { options, chosen } => {
                    let text = options.get(*chosen).map(String::as_str).unwrap_or_default();
                    let text = fitted(text, usize::from(target.width).saturating_sub(4));
                    let (style, arrows) = if here {
                        (palette.selected, palette.accent)
                    } else {
                        (palette.text, palette.muted)
                    };
                    let line = if options.len() > 1 {
                        Line::from(vec![
                            Span::styled("◂ ", arrows),
                            Span::styled(text, style),
                            Span::styled(" ▸", arrows),
                        ])
                    } else {
                        Line::styled(text, palette.text)
                    };
                    widget::row(frame, target.intersection(area), 0, line);
                }
            }
            at = at.saturating_add(1);
        }
        let hint = self
            .fields
            .get(self.focus)
            .map(|field| field.hint.as_str())
            .unwrap_or_default();
        if !hint.is_empty() {
            let below = Rect {
                x: area.x + NAME_COLUMNS,
                width: area.width.saturating_sub(NAME_COLUMNS + 2),
                ..area
            };
            at = widget::rows(
                frame,
                below,
                at,
                widget::wrapped(hint, below.width, palette.muted),
            );
        }
        at
    }
}

#[cfg(test)]
mod tests;
