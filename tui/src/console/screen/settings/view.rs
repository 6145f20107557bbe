//! Draws the settings.

use keyward_core::path::PathFamily;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{ROWS, Row, SettingsScreen, plain_text};
use crate::config::{Config, Key, endpoint_host};
use crate::console::state::{SecondFactorHint, Shared};
use crate::console::text::{count, fitted, printable, sentence, utc};
use crate::console::widget;

/// The first setting's row, and how many rows each takes.
const FIRST: u16 = 2;
const NAMES: usize = 20;

/// The setting at a row of the body.
pub(super) fn row_at(row: u16) -> Option<usize> {
    let at = usize::from(row.checked_sub(FIRST)?);
    (at < ROWS.len()).then_some(at)
}

pub(super) fn view(screen: &SettingsScreen, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
    let palette = &shared.palette;
    widget::row(
        frame,
        area,
        0,
        widget::heading("Settings", "", area.width, palette),
    );
    for (at, offset) in (0..ROWS.len()).zip(FIRST..) {
        widget::row(frame, area, offset, setting(at, screen, shared, area.width));
    }
    let mut offset = FIRST + u16::try_from(ROWS.len()).unwrap_or(0) + 1;
    let width = area.width.saturating_sub(4);
    for line in about_node(screen, shared, width) {
        widget::row(frame, area, offset, line);
        offset += 1;
    }
    offset = offset.max(area.height.saturating_sub(9));
    widget::row(frame, area, offset, widget::rule(area.width, palette));
    let room = usize::from(area.width).saturating_sub(NAMES + 4);
    for (name, text) in facts(shared) {
        offset += 1;
        let line = Line::from(vec![
            Span::styled(format!("  {name:<NAMES$}"), palette.muted),
            Span::styled(fitted(&text, room), palette.text),
        ]);
        widget::row(frame, area, offset, line);
    }
}

fn setting(at: usize, screen: &SettingsScreen, shared: &Shared, width: u16) -> Line<'static> {
    let palette = &shared.palette;
    let selected = at == screen.selected;
    let row = ROWS.get(at).copied().unwrap_or(Row::Password);
    let base = if selected {
        palette.selected
    } else {
        ratatui::style::Style::new()
    };
    let (name, value, muted) = worded(row, &shared.config);
    let style = if muted { palette.muted } else { palette.text };
    let room = usize::from(width).saturating_sub(NAMES + 3);
    let mark = if selected { "▌" } else { " " };
    Line::from(vec![
        Span::styled(mark, base.patch(palette.accent)),
        Span::styled(format!(" {name:<NAMES$}"), base.patch(palette.text)),
        Span::styled(format!("{:<room$} ", fitted(&value, room)), base.patch(style)),
    ])
}

/// Name and value of a line, and whether the value is a default or a hint.
fn worded(row: Row, config: &Config) -> (&'static str, String, bool) {
    // Paths of endpoints hold access keys: only the host is shown.
    let host = |url: &String| {
        if endpoint_host(url) == *url {
            url.clone()
        } else {
            format!("{}/…", endpoint_host(url))
        }
    };
    match row {
        Row::Setting(Key::RpcUrl) => match &config.rpc_url {
            Some(url) => ("RPC endpoint", host(url), false),
            None => ("RPC endpoint", "none: nothing is contacted".into(), true),
        },
        Row::Setting(Key::WsUrl) => match &config.ws_url {
            Some(url) => ("WebSocket endpoint", host(url), false),
            None => (
                "WebSocket endpoint",
                "worked out from the RPC endpoint".into(),
                true,
            ),
        },
        Row::Setting(Key::MoreRpcUrls) => match config.more_rpc_urls.len() {
            0 => ("further endpoints", "none".into(), true),
            more => ("further endpoints", more.to_string(), false),
        },
        Row::Setting(Key::MaxRequestsPerSecond) => match config.max_requests_per_second {
            Some(rate) => ("requests a second", rate.to_string(), false),
            None => ("requests a second", "as many as the endpoint takes".into(), true),
        },
        Row::Setting(Key::LockAfterMinutes) => {
            let minutes = count(
                u64::from(config.lock_after_minutes),
                "idle minute",
                "idle minutes",
            );
            ("lock after", minutes, false)
        }
        Row::Setting(Key::Theme) => ("colours", config.theme.id().to_owned(), false),
        Row::Limits => (
            "vault limits",
            "owners, lockout, rates, rotation, retention".into(),
            true,
        ),
        Row::Password => ("vault password", "change".into(), true),
    }
}

/// The endpoint's privacy and what the last try said.
fn about_node(screen: &SettingsScreen, shared: &Shared, width: u16) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let mut lines = Vec::new();
    let config = &shared.config;
    let open = [(Key::RpcUrl, &config.rpc_url), (Key::WsUrl, &config.ws_url)]
        .into_iter()
        .any(|(key, url)| url.as_ref().is_some_and(|url| plain_text(key, url)));
    if open {
        let text = "! This endpoint is not encrypted and not on this machine: what it says can be read and \
                    changed on the way. Use https:// or wss://.";
        lines.extend(indented(text, palette.warning, width));
    }
    if screen.trying.is_waiting() {
        let sign = widget::working(shared.now_ms);
        lines.push(Line::styled(
            format!("  {sign} trying the endpoint"),
            palette.accent,
        ));
    }
    match &screen.tried {
        None => {}
        Some(Ok(status)) => {
            let network = status
                .cluster_name
                .map_or_else(|| status.network.clone(), str::to_owned);
            let text = format!(
                "✓ it answers in {} ms: version {}",
                status.latency_ms,
                printable(&status.version)
            );
            lines.extend(indented(&text, palette.good, width));
            let text = format!("slot {}, network {}", status.slot, printable(&network));
            lines.extend(indented(&text, palette.text, width));
        }
        Some(Err(failure)) => {
            let text = format!("! {}", sentence(&printable(&failure.cause)));
            lines.extend(indented(&text, palette.warning, width));
            lines.extend(indented(&sentence(&failure.remedy), palette.text, width));
        }
    }
    lines
}

fn indented(text: &str, style: ratatui::style::Style, width: u16) -> Vec<Line<'static>> {
    widget::wrapped(text, width, style)
        .into_iter()
        .map(|line| {
            let mut spans = vec![Span::raw("  ")];
            spans.extend(line.spans.into_iter().map(|span| span.style(style)));
            Line::from(spans)
        })
        .collect()
}

/// What there is to know, for reading only.
fn facts(shared: &Shared) -> Vec<(&'static str, String)> {
    let mut facts = vec![("vault", shared.location.clone())];
    if let Some(session) = &shared.session {
        let summary = &session.summary;
        facts.push(("vault id", summary.id.to_string()));
        facts.push(("created", format!("{} UTC", utc(summary.created_ms))));
        facts.push(("wallets", count(summary.wallet_count, "wallet", "wallets")));
        facts.push(("path", path_words(summary.family)));
        facts.push((
            "key derivation",
            kdf_words(&summary.kdf.to_string(), summary.needs_second_factor, shared),
        ));
    }
    facts.push(("settings file", shared.config_path.display().to_string()));
    facts.push(("version", env!("CARGO_PKG_VERSION").to_owned()));
    facts
}

fn path_words(family: PathFamily) -> String {
    format!("{} ({})", family.template(), family.id())
}

fn kdf_words(kdf: &str, needs_factor: bool, shared: &Shared) -> String {
    let factor = match (needs_factor, shared.second_factor) {
        (false, _) => "password alone",
        (true, SecondFactorHint::Present) => "password and second factor",
        (true, _) => "password and second factor (not in the environment)",
    };
    format!("{kdf}, {factor}")
}
