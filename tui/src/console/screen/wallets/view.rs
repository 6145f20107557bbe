//! How the list of wallets is drawn.

use keyward_core::account::Chain;
use keyward_core::amount::Lamports;
use keyward_custody::{Wallet, WalletSort};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::{HEAD_ROWS, Mode, Wallets};
use crate::console::input::Echo;
use crate::console::layout::panes;
use crate::console::screen::wallet::facts::{
    belongs, chain_name, fate, last_used, origin, password, path, rotation, signed, title,
};
use crate::console::state::{Node, Shared};
use crate::console::text::{ago, count, fitted, grouped, printable, sentence, utc};
use crate::console::widget::{self, FRESH_MS, Focus, field, full_address, row, rows, short_address, wrapped};

/// The widest label column; it takes what the other columns leave.
const MAX_LABEL: usize = 48;
/// Everything of a row but its label.
const FIXED: usize = 3 + 7 + 2 + 2 + 15 + 2 + 19 + 2 + 10;

pub(super) fn view(list: &Wallets, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let (left, right) = panes(area);
    head(list, shared, frame, Rect { height: 1, ..area });
    let left = Rect {
        y: left.y + 1,
        height: left.height.saturating_sub(1),
        ..left
    };
    let label = usize::from(left.width).saturating_sub(FIXED).min(MAX_LABEL);
    let seen = u64::from(left.height.saturating_sub(HEAD_ROWS - 1));
    row(frame, left, 0, columns(list, shared, seen, label));
    if list.window.total() == Some(0) || list.window.total().is_none() {
        empty(list, shared, frame, left);
    }
    for (offset, at) in (1_u16..).zip(list.top..list.top.saturating_add(seen)) {
        if at >= list.window.total().unwrap_or(0) {
            break;
        }
        let line = match list.window.row(at) {
            Some(wallet) => wallet_line(list, shared, wallet, at, label),
            None => Line::styled(format!("{:>10}", "…"), shared.palette.muted),
        };
        row(frame, left, offset, line);
    }
    if let Some(right) = right {
        let right = Rect {
            y: right.y + 1,
            height: right.height.saturating_sub(1),
            ..right
        };
        detail(list.selected(), shared, frame, right);
    }
}

fn head(list: &Wallets, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let all = shared
        .session
        .as_ref()
        .map_or(0, |session| session.summary.wallet_count);
    let mut parts = vec![grouped(all)];
    if !list.filter.is_empty() {
        parts.push(format!("{} match", grouped(list.window.total().unwrap_or(0))));
    }
    if !list.marks.is_empty() {
        parts.push(format!("{} marked", grouped(list.marks.len() as u64)));
        parts.extend(marked_sum(list, shared).map(|sum| format!("{sum} SOL")));
    }
    let left = format!(" {}", parts.join(" · "));
    let order = match list.sort {
        WalletSort::Index => "by index",
        WalletSort::Label => "by label",
        WalletSort::LastUsed => "by last use",
        WalletSort::Created => "as stored",
        WalletSort::Trades => "by trades",
        WalletSort::Volume => "by volume",
        WalletSort::Owner => "by owner",
    };
    let order = format!("{order} {}", if list.descending { "↓" } else { "↑" });
    let filter_shown = list.mode == Mode::Filter || !list.filter.is_empty();
    let filter_width = if filter_shown { 26 } else { 0 };
    let used = " Wallets".width() + left.width() + order.width() + 2 + filter_width;
    let gap = usize::from(area.width).saturating_sub(used);
    row(
        frame,
        area,
        0,
        Line::from(vec![
            Span::styled(" Wallets", palette.strong),
            Span::styled(left, palette.text),
            Span::raw(" ".repeat(gap)),
            Span::styled(order, palette.muted),
        ]),
    );
    if filter_shown {
        let width = 24_u16.min(area.width);
        let place = Rect {
            x: area.x + area.width - width,
            width,
            height: 1,
            ..area
        };
        row(frame, place, 0, Line::styled("/ ", palette.accent));
        let input = Rect {
            x: place.x + 2,
            width: place.width.saturating_sub(3),
            ..place
        };
        field(
            frame,
            input,
            &list.filter,
            Echo::Plain,
            Focus::when(list.mode == Mode::Filter),
            palette,
        );
    }
}

/// What the marked wallets hold together, when all of it is known.
fn marked_sum(list: &Wallets, shared: &Shared) -> Option<Lamports> {
    list.marks.iter().try_fold(Lamports::new(0), |sum, address| {
        sum.checked_add(shared.balance(address)?.lamports?)
    })
}

fn columns(list: &Wallets, shared: &Shared, seen: u64, label: usize) -> Line<'static> {
    let oldest = list
        .window
        .rows(list.top, seen)
        .filter_map(|(_, wallet)| shared.balance(wallet.address))
        .filter(|balance| balance.lamports.is_some())
        .map(|balance| balance.at_ms)
        .min()
        .filter(|at_ms| shared.now_ms.saturating_sub(*at_ms) > FRESH_MS);
    let sol = match (&shared.node, oldest) {
        (_, Some(at_ms)) => format!("SOL, {}", ago(shared.now_ms, at_ms)),
        (Node::NotChosen, None) => "SOL (no node)".into(),
        (Node::Offline { .. }, None) => "SOL (offline)".into(),
        (Node::Asking | Node::Online { .. }, None) => "SOL".into(),
    };
    let text = format!(
        "   {:>7}  {:<label$}  {:<15}  {:>19}  {}",
        "#", "label", "address", sol, "last used"
    );
    Line::styled(text, shared.palette.muted)
}

fn wallet_line(list: &Wallets, shared: &Shared, wallet: &Wallet, at: u64, label: usize) -> Line<'static> {
    let palette = &shared.palette;
    let under_cursor = at == list.cursor;
    let marked = list.marks.contains(&wallet.address);
    let base = if under_cursor {
        palette.selected
    } else {
        Style::new()
    };
    let mut spans = vec![
        Span::styled(if under_cursor { "▌" } else { " " }, palette.accent),
        Span::styled(if marked { "✓ " } else { "  " }, palette.accent),
        Span::styled(format!("{:<9}", number(wallet)), palette.muted),
    ];
    spans.extend(name(wallet, label, shared));
    spans.push(Span::raw("  "));
    spans.extend(short_address(&wallet.address.to_string(), palette));
    let (amount, age) = match wallet.address.chain() {
        Chain::Solana => widget::balance(shared.balance(wallet.address), shared),
        // The column is of SOL; an amount of another chain would be read as one.
        Chain::Evm => ("EVM".into(), Some(String::new())),
    };
    let style = if age.is_some() || amount == "?" {
        palette.muted
    } else {
        palette.text
    };
    spans.push(Span::styled(format!("  {amount:>19}  "), style));
    let used = wallet
        .last_used_ms
        .map_or_else(|| "never".into(), |then| ago(shared.now_ms, then));
    spans.push(Span::styled(format!("{used:<10}"), palette.muted));
    Line::from(spans).style(base)
}

/// The index, or that there is none.
fn number(wallet: &Wallet) -> String {
    wallet
        .index
        .map_or_else(|| "imported".to_owned(), |index| format!("{index:>7}"))
}

/// The label, then the tags, in the room of the label column.
fn name(wallet: &Wallet, room: usize, shared: &Shared) -> Vec<Span<'static>> {
    let palette = &shared.palette;
    let label = fitted(&printable(&wallet.label), room);
    let left = room.saturating_sub(label.width());
    let tags: Vec<String> = wallet
        .tags
        .iter()
        .map(|tag| format!("#{}", printable(tag)))
        .collect();
    let gap = usize::from(!label.is_empty() && left > 0 && !tags.is_empty());
    let tags = fitted(&tags.join(" "), left.saturating_sub(gap));
    let padding = left.saturating_sub(gap + tags.width());
    vec![
        Span::styled(label, palette.text),
        Span::raw(" ".repeat(gap)),
        Span::styled(tags, palette.muted),
        Span::raw(" ".repeat(padding)),
    ]
}

fn empty(list: &Wallets, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let lines = if let Some(failure) = &list.failure {
        let mut lines = wrapped(&format!("! {}", sentence(&failure.cause)), 70, palette.warning);
        lines.extend(wrapped(&sentence(&failure.remedy), 70, palette.accent));
        lines.push(Line::styled("r reads again", palette.muted));
        lines
    } else if list.window.total().is_none() {
        vec![Line::styled("Reading the wallets …", palette.muted)]
    } else if list.filter.is_empty() {
        vec![
            Line::styled("No wallets yet.", palette.text),
            Line::from(vec![
                Span::styled("d", palette.accent),
                Span::styled(" derives some from the vault's phrase, ", palette.muted),
                Span::styled("i", palette.accent),
                Span::styled(" imports a key.", palette.muted),
            ]),
        ]
    } else {
        let filter = printable(list.filter.expose_text());
        vec![
            Line::styled(format!("No wallet matches “{filter}”."), palette.text),
            Line::from(vec![
                Span::styled("Esc", palette.accent),
                Span::styled(
                    " clears the filter; tag:name, chain:evm or #7 narrow it.",
                    palette.muted,
                ),
            ]),
        ]
    };
    let inner = Rect {
        x: area.x + 3,
        width: area.width.saturating_sub(6),
        ..area
    };
    rows(frame, inner, 2, lines);
}

/// The pane at the right.
fn detail(wallet: Option<&Wallet>, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    for offset in 0..area.height {
        row(
            frame,
            Rect { width: 1, ..area },
            offset,
            Line::styled("│", palette.line),
        );
    }
    let inner = Rect {
        x: area.x + 2,
        width: area.width.saturating_sub(3),
        ..area
    };
    let Some(wallet) = wallet else { return };
    let title = title(wallet);
    let fact = |name: &str, value: String| {
        Line::from(vec![
            Span::styled(format!("{name:<10}"), palette.muted),
            Span::styled(value, palette.text),
        ])
    };
    let (amount, age) = widget::balance(shared.balance(wallet.address), shared);
    let balance = match wallet.address.chain() {
        Chain::Solana => format!(
            "{amount} SOL{}",
            age.map(|age| format!("  ({age})")).unwrap_or_default()
        ),
        Chain::Evm => "not read on EVM chains".into(),
    };
    let mut lines = vec![
        Line::styled(fitted(&title, usize::from(inner.width)), palette.strong),
        Line::default(),
        Line::from(full_address(&wallet.address.to_string(), palette)),
        Line::default(),
        fact("balance", balance),
        fact("chain", chain_name(wallet.address.chain()).into()),
        fact("origin", origin(wallet)),
        fact("path", path(wallet)),
        fact("password", password(wallet).into()),
        fact("stored", format!("{} UTC", utc(wallet.created_ms))),
        fact("last used", last_used(wallet, shared.now_ms)),
    ];
    lines.extend(signed(wallet).map(|text| fact("signed", text)));
    lines.extend(belongs(wallet).map(|text| fact("owner", text)));
    lines.extend(rotation(wallet, shared.now_ms).map(|text| fact("rotation", text)));
    lines.extend(fate(wallet, shared.now_ms).map(|text| {
        Line::from(vec![
            Span::styled(format!("{:<10}", "status"), palette.muted),
            Span::styled(format!("! {text}"), palette.warning),
        ])
    }));
    if !wallet.tags.is_empty() {
        let tags: Vec<String> = wallet
            .tags
            .iter()
            .map(|tag| format!("#{}", printable(tag)))
            .collect();
        lines.push(Line::default());
        lines.push(Line::styled(
            count(wallet.tags.len() as u64, "tag", "tags"),
            palette.muted,
        ));
        lines.extend(wrapped(&tags.join(" "), inner.width, palette.text));
    }
    rows(frame, inner, 0, lines);
}
