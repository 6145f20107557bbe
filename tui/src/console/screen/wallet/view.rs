//! How a wallet's page is drawn.

use keyward_core::account::Chain;
use keyward_core::solana_pay::PaymentRequest;
use keyward_custody::chain::HistoryItem;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::facts::{
    belongs, chain_name, fate, last_used, origin, password, path, rotation, signed, title, wrong_passwords,
};
use super::{History, WalletScreen, qr};
use crate::console::state::{Node, Shared};
use crate::console::text::{ago, fitted, printable, sentence, utc};
use crate::console::widget::{self, full_address, heading, row, rows, rule, wrapped};

/// The columns that the QR code and its margin take.
const QR_WIDTH: u16 = 35;
pub(super) fn view(page: &WalletScreen, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let wallet = page.wallet();
    let title = title(wallet);
    let tags: Vec<String> = wallet
        .tags
        .iter()
        .map(|tag| format!("#{}", printable(tag)))
        .collect();
    row(
        frame,
        area,
        0,
        heading(&fitted(&title, 40), &tags.join(" "), area.width, palette),
    );
    row(frame, area, 1, rule(area.width, palette));
    let code = Rect {
        x: area.x + area.width.saturating_sub(QR_WIDTH) + 1,
        y: area.y + 2,
        width: QR_WIDTH - 2,
        height: area.height.saturating_sub(2),
    };
    let uri = wallet.solana().map_or_else(
        || wallet.address.to_string(),
        |address| PaymentRequest::to(*address).to_uri(),
    );
    let coloured = palette.bar.bg.is_some() || palette.accent.fg.is_some();
    let next = rows(frame, code, 0, qr::lines(&uri, coloured));
    row(
        frame,
        code,
        next,
        Line::styled("scan to pay into this wallet", palette.muted),
    );
    let left = Rect {
        x: area.x + 1,
        y: area.y + 2,
        width: area.width.saturating_sub(QR_WIDTH + 1),
        height: area.height.saturating_sub(2),
    };
    let below = facts(page, shared, frame, left) + 1;
    let left = Rect {
        y: left.y + below,
        height: left.height.saturating_sub(below),
        ..left
    };
    history(page, shared, frame, left);
}

/// What there is to say; gives the first row below it.
fn facts(page: &WalletScreen, shared: &Shared, frame: &mut Frame<'_>, area: Rect) -> u16 {
    let palette = &shared.palette;
    let wallet = page.wallet();
    let room = usize::from(area.width).saturating_sub(10);
    let fact = |name: &str, value: String| {
        Line::from(vec![
            Span::styled(format!("{name:<10}"), palette.muted),
            Span::styled(fitted(&value, room), palette.text),
        ])
    };
    let balance = shared.balance(wallet.address);
    let (amount, age) = widget::balance(balance, shared);
    let remark = match (&shared.node, age) {
        (_, Some(age)) => age,
        (Node::NotChosen, None) => "no node chosen (4 settings)".into(),
        (Node::Offline { .. }, None) => "offline".into(),
        (Node::Asking, None) => "asking".into(),
        (Node::Online { .. }, None) => balance.map(|b| ago(shared.now_ms, b.at_ms)).unwrap_or_default(),
    };
    let (amount, remark) = match wallet.address.chain() {
        Chain::Solana => (format!("{amount} SOL"), remark),
        Chain::Evm => ("?".into(), "not read on EVM chains".into()),
    };
    let tries = page
        .lockout
        .and_then(|(lockout, at_ms)| wrong_passwords(lockout, at_ms, shared.now_ms));
    let mut lines = vec![
        Line::from(full_address(&wallet.address.to_string(), palette)),
        Line::default(),
        fact("chain", chain_name(wallet.address.chain()).into()),
        Line::from(vec![
            Span::styled(format!("{:<10}", "balance"), palette.muted),
            Span::styled(amount, palette.strong),
        ]),
        fact("", remark),
        fact("origin", origin(wallet)),
        fact("path", path(wallet)),
        fact("password", password(wallet).into()),
        fact("stored", format!("{} UTC", utc(wallet.created_ms))),
        fact("last used", last_used(wallet, shared.now_ms)),
    ];
    lines.extend(tries.map(|text| {
        Line::from(vec![
            Span::styled(format!("{:<10}", ""), palette.muted),
            Span::styled(fitted(&format!("! {text}"), room), palette.warning),
        ])
    }));
    lines.extend(signed(wallet).map(|text| fact("signed", text)));
    lines.extend(belongs(wallet).map(|text| fact("owner", text)));
    lines.extend(rotation(wallet, shared.now_ms).map(|text| fact("rotation", text)));
    if let Some(text) = fate(wallet, shared.now_ms) {
        lines.push(Line::from(vec![
            Span::styled(format!("{:<10}", "status"), palette.muted),
            Span::styled(fitted(&format!("! {text}"), room), palette.warning),
        ]));
    }
    rows(frame, area, 0, lines)
}

fn history(page: &WalletScreen, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    let width = usize::from(area.width);
    let title = match &page.history {
        History::Known { at_ms, .. } => format!("History · as of {}", ago(shared.now_ms, *at_ms)),
        _ => "History".into(),
    };
    row(
        frame,
        area,
        0,
        Line::styled(fitted(&title, width), palette.strong),
    );
    let body = Rect {
        y: area.y + 1,
        height: area.height.saturating_sub(1),
        ..area
    };
    match &page.history {
        History::Known { items, .. } if items.is_empty() => {
            row(
                frame,
                body,
                0,
                Line::styled("No transaction so far.", palette.muted),
            );
        }
        History::Known { items, .. } => {
            for (offset, item) in (0_u16..body.height).zip(items.iter().skip(page.scroll)) {
                row(frame, body, offset, history_line(item, shared, width));
            }
        }
        History::Failed(failure) => {
            rows(
                frame,
                body,
                0,
                wrapped(
                    &format!("? {}", sentence(&failure.cause)),
                    body.width,
                    palette.warning,
                ),
            );
        }
        History::Unknown => {
            let text = match &shared.node {
                _ if page.wallet().solana().is_none() => "Not read on EVM chains.",
                Node::NotChosen => "Unknown: no node was chosen. 4 opens the settings.",
                Node::Offline { .. } => "Unknown: the node does not answer.",
                Node::Asking | Node::Online { .. } => "Asking the node …",
            };
            rows(frame, body, 0, wrapped(text, body.width, palette.muted));
        }
    }
}

fn history_line(item: &HistoryItem, shared: &Shared, width: usize) -> Line<'static> {
    let palette = &shared.palette;
    let when = item.time_ms.map_or_else(
        || format!("slot {}", item.slot),
        |time_ms| ago(shared.now_ms, time_ms),
    );
    let (sign, style) = if item.error.is_some() {
        ("✗", palette.warning)
    } else {
        ("✓", palette.good)
    };
    let remark = match (&item.error, &item.memo) {
        (Some(error), _) => format!("failed: {}", printable(error)),
        (None, Some(memo)) => printable(memo),
        (None, None) => String::new(),
    };
    let room = width.saturating_sub(31);
    Line::from(vec![
        Span::styled(format!("{sign} "), style),
        Span::styled(item.signature.abbreviated(), palette.text),
        Span::styled(format!("  {when:<12}"), palette.muted),
        Span::styled(fitted(&remark, room), palette.muted),
    ])
}
