//! How windows are drawn.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear};

use super::{Confirm, Gravity, Help, Menu, Modal, PaletteWindow, Prompt};
use crate::console::effect::Failure;
use crate::console::input::Echo;
use crate::console::keymap::{BINDINGS, key_label};
use crate::console::layout::centred;
use crate::console::state::Shared;
use crate::console::text::sentence;
use crate::console::theme::Palette;
use crate::console::widget::{Focus, field, row, rows, wrapped};

/// Draws the window over the body.
pub fn view(modal: &Modal, shared: &Shared, frame: &mut Frame<'_>, body: Rect) {
    let palette = &shared.palette;
    match modal {
        Modal::Help(help) => view_help(help, palette, frame, body),
        Modal::Palette(window) => view_palette(window, palette, frame, body),
        Modal::Error(failure) | Modal::ErrorAbove(failure, _) => view_error(failure, palette, frame, body),
        Modal::Confirm(confirm) => view_confirm(confirm, palette, frame, body),
        Modal::Prompt(prompt) => view_prompt(prompt, palette, frame, body),
        Modal::Menu(menu) => view_menu(menu, palette, frame, body),
    }
}

/// Clears a centred area, draws a border with the title and gives the inside, padded by one column.
fn window(
    title: &str,
    width: u16,
    rows: usize,
    palette: &Palette,
    frame: &mut Frame<'_>,
    body: Rect,
) -> Rect {
    let height = u16::try_from(rows).unwrap_or(u16::MAX).saturating_add(2);
    let area = centred(body, width, height);
    frame.render_widget(Clear, area);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(palette.accent)
        .style(palette.text)
        .title(Span::styled(format!(" {title} "), palette.strong));
    let inside = block.inner(area);
    frame.render_widget(block, area);
    Rect {
        x: inside.x + 1,
        width: inside.width.saturating_sub(2),
        ..inside
    }
}

fn view_help(help: &Help, palette: &Palette, frame: &mut Frame<'_>, body: Rect) {
    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut seen = Vec::new();
    for context in &help.contexts {
        let fresh: Vec<_> = BINDINGS
            .iter()
            .filter(|binding| binding.context == *context && !seen.contains(&binding.action))
            .collect();
        if fresh.is_empty() {
            continue;
        }
        lines.push(Line::styled(context.title(), palette.strong));
        for binding in fresh {
            seen.push(binding.action);
            let keys: Vec<String> = binding.keys.iter().map(|key| key.label()).collect();
            lines.push(Line::from(vec![
                Span::styled(format!("  {:<14}", keys.join(" ")), palette.accent),
                Span::styled(binding.name, palette.text),
            ]));
        }
    }
    let inside = window("Keys of this screen", 72, lines.len(), palette, frame, body);
    let hidden = lines.len().saturating_sub(usize::from(inside.height));
    let skipped = usize::from(help.scroll).min(hidden);
    if skipped < hidden {
        let more = Rect {
            y: inside.y + inside.height,
            height: 1,
            ..inside
        };
        frame.render_widget(Span::styled(" ↓ more ", palette.muted), more);
    }
    rows(frame, inside, 0, lines.into_iter().skip(skipped).collect());
}

fn view_palette(state: &PaletteWindow, palette: &Palette, frame: &mut Frame<'_>, body: Rect) {
    let inside = window("Commands", 64, 17, palette, frame, body);
    row(frame, inside, 0, Line::styled(":", palette.accent));
    let input = Rect {
        x: inside.x + 2,
        width: inside.width.saturating_sub(2),
        height: 1,
        ..inside
    };
    field(frame, input, &state.input, Echo::Plain, Focus::Here, palette);
    let found = state.matches();
    if found.is_empty() {
        row(
            frame,
            inside,
            2,
            Line::styled("no such command; Esc closes", palette.muted),
        );
    }
    let seen = usize::from(inside.height.saturating_sub(2));
    let first = (state.selected + 1).saturating_sub(seen);
    let width = usize::from(inside.width).saturating_sub(13);
    for (offset, (at, binding)) in (2_u16..).zip(found.iter().enumerate().skip(first).take(seen)) {
        let key = key_label(&[binding.context], binding.action, false).unwrap_or_default();
        let (mark, style) = marked(at == state.selected, palette);
        let line = Line::from(vec![
            Span::styled(format!("{mark}{:<width$}", binding.name), style),
            Span::styled(format!("{key:>11} "), style.patch(palette.accent)),
        ]);
        row(frame, inside, offset, line);
    }
}

fn view_error(failure: &Failure, palette: &Palette, frame: &mut Frame<'_>, body: Rect) {
    let mut lines = wrapped(&sentence(&failure.cause), 60, palette.text);
    if !failure.remedy.is_empty() {
        lines.push(Line::default());
        lines.extend(wrapped(&sentence(&failure.remedy), 60, palette.accent));
    }
    let inside = window("! That did not work", 66, lines.len() + 2, palette, frame, body);
    let next = rows(frame, inside, 0, lines);
    row(frame, inside, next + 1, keys(&[("Enter", "close")], palette));
}

fn view_confirm(confirm: &Confirm, palette: &Palette, frame: &mut Frame<'_>, body: Rect) {
    let style = if confirm.gravity == Gravity::Danger {
        palette.danger
    } else {
        palette.text
    };
    let lines: Vec<_> = confirm
        .lines
        .iter()
        .flat_map(|text| wrapped(text, 56, style))
        .collect();
    let inside = window(&confirm.title, 62, lines.len() + 2, palette, frame, body);
    let next = rows(frame, inside, 0, lines);
    row(
        frame,
        inside,
        next + 1,
        keys(&[("y", "yes"), ("n", "no")], palette),
    );
}

fn view_prompt(prompt: &Prompt, palette: &Palette, frame: &mut Frame<'_>, body: Rect) {
    let inside = window(&prompt.title, 64, 5, palette, frame, body);
    row(frame, inside, 0, Line::styled(prompt.hint.clone(), palette.muted));
    let input = Rect {
        y: inside.y + 2,
        height: 1,
        ..inside
    };
    field(frame, input, &prompt.input, Echo::Plain, Focus::Here, palette);
    match &prompt.problem {
        Some(problem) => row(
            frame,
            inside,
            4,
            Line::styled(format!("! {problem}"), palette.warning),
        ),
        None => row(
            frame,
            inside,
            4,
            keys(&[("Enter", prompt.purpose.verb()), ("Esc", "cancel")], palette),
        ),
    }
}

fn view_menu(menu: &Menu, palette: &Palette, frame: &mut Frame<'_>, body: Rect) {
    let inside = window(&menu.title, 54, menu.items.len(), palette, frame, body);
    let width = usize::from(inside.width).saturating_sub(1);
    for (offset, (at, (_, name))) in (0_u16..).zip(menu.items.iter().enumerate()) {
        let (mark, style) = marked(at == menu.selected, palette);
        row(
            frame,
            inside,
            offset,
            Line::styled(format!("{mark}{name:<width$}"), style),
        );
    }
}

/// The sign and style of a line in a choice.
fn marked(selected: bool, palette: &Palette) -> (&'static str, ratatui::style::Style) {
    if selected {
        ("▌", palette.selected)
    } else {
        (" ", palette.text)
    }
}

/// Keys with their words, as in the bottom bar.
fn keys(pairs: &[(&'static str, &'static str)], palette: &Palette) -> Line<'static> {
    let mut spans = Vec::new();
    for (key, word) in pairs {
        spans.push(Span::styled(*key, palette.accent));
        spans.push(Span::styled(format!(" {word}   "), palette.muted));
    }
    Line::from(spans)
}
