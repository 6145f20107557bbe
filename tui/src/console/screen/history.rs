//! What happened to a wallet: each transaction read by itself, so that its outcome is its own, and decoded.

use keyward_core::address::Signature;
use keyward_core::amount::format_units;
use keyward_custody::Wallet;
use keyward_custody::portfolio::{HistoryDetail, HistoryEntry};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::wallet::facts::title;
use crate::console::effect::{Answer, Failure, RequestId, Work};
use crate::console::effects::holdings::{HISTORY_PAGE, HoldingsAnswer, HoldingsWork};
use crate::console::keymap::{Action, Context};
use crate::console::list::{Listing, Rows, Words};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::state::{Node, Shared};
use crate::console::text::{ago, fitted, printable, sentence, utc};
use crate::console::widget::{row, rows, rule, wrapped};

#[cfg(test)]
mod tests;

/// SOL's digits behind the point.
const SOL_DECIMALS: u8 = 9;
/// A line, the signature, when, and what it did.
const FOOT_ROWS: u16 = 9;
/// The most entries that are kept in memory.
const MAX_ENTRIES: usize = 1_000;

/// The entries read so far, newest first.
#[derive(Debug)]
struct Entries {
    rows: Vec<HistoryEntry>,
    /// Whether older ones may be there.
    more: bool,
}

impl Rows for Entries {
    fn count(&self) -> usize {
        self.rows.len()
    }
}

/// The list.
#[derive(Debug)]
pub struct HistoryScreen {
    wallet: Wallet,
    list: Listing<Entries>,
    /// After which entry the page asked for begins.
    before: Option<Signature>,
}

impl HistoryScreen {
    /// That of this wallet.
    #[must_use]
    pub fn new(wallet: Wallet) -> Self {
        Self {
            wallet,
            list: Listing::above(FOOT_ROWS),
            before: None,
        }
    }

    fn read(&mut self, before: Option<Signature>, cx: &mut Cx<'_>) {
        if let Some(address) = self.wallet.solana().copied() {
            self.before = before;
            let work = HoldingsWork::History { address, before };
            self.list.read(Work::Holdings(work), cx);
        }
    }

    fn entry(&self) -> Option<&HistoryEntry> {
        self.list.content()?.rows.get(self.list.selected())
    }

    fn taken(&mut self, result: Result<Vec<HistoryEntry>, Failure>, cx: &Cx<'_>) {
        let before = self.before;
        let result = result.map(|page| {
            let more = page.len() == HISTORY_PAGE;
            let mut rows = match (before, self.list.content()) {
                (Some(before), Some(there))
                    if there
                        .rows
                        .last()
                        .is_some_and(|last| last.item.signature == before) =>
                {
                    there.rows.clone()
                }
                _ => Vec::new(),
            };
            rows.extend(page);
            Entries {
                more: more && rows.len() < MAX_ENTRIES,
                rows,
            }
        });
        self.list.take(result, cx.shared);
    }

    /// The next page, once the last row is reached.
    fn read_on(&mut self, cx: &mut Cx<'_>) {
        let Some(entries) = self.list.content() else {
            return;
        };
        if entries.more && !self.list.is_reading() && self.list.selected() + 1 >= entries.rows.len() {
            let last = entries.rows.last().map(|entry| entry.item.signature);
            self.read(last, cx);
        }
    }

    fn cells(&self, at: usize, shared: &Shared) -> Vec<Span<'static>> {
        let palette = &shared.palette;
        let Some(entry) = self.list.content().and_then(|entries| entries.rows.get(at)) else {
            return Vec::new();
        };
        let (sign, style) = match &entry.detail {
            Ok(detail) if detail.error.is_none() => ("✓", palette.good),
            Ok(_) => ("✗", palette.warning),
            Err(_) => ("?", palette.warning),
        };
        let when = entry.item.time_ms.map_or_else(
            || format!("slot {}", entry.item.slot),
            |ms| ago(shared.now_ms, ms),
        );
        let (sol, what) = match &entry.detail {
            Ok(detail) => (signed(detail.sol, SOL_DECIMALS), what(detail)),
            Err(_) => ("?".into(), "what it did could not be read".into()),
        };
        let room = usize::from(shared.size.0).saturating_sub(42);
        vec![
            Span::styled(format!("{sign} "), style),
            Span::styled(format!("{when:<12}"), palette.muted),
            Span::styled(format!("{sol:>22}  "), palette.strong),
            Span::styled(fitted(&printable(&what), room), palette.text),
        ]
    }

    fn foot(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let Some(entry) = self.entry() else { return };
        let palette = &shared.palette;
        let area = Rect {
            y: area.y + area.height.saturating_sub(FOOT_ROWS),
            height: FOOT_ROWS,
            ..area
        };
        row(frame, area, 0, rule(area.width, palette));
        let inner = Rect {
            x: area.x + 2,
            width: area.width.saturating_sub(4),
            ..area
        };
        let mut lines = wrapped(&entry.item.signature.to_string(), inner.width, palette.strong);
        let when = entry
            .item
            .time_ms
            .map_or_else(String::new, |ms| format!("{} UTC, ", utc(ms)));
        match &entry.detail {
            Ok(detail) => {
                let payer = if detail.paid_fee {
                    "paid by this wallet"
                } else {
                    "paid by another"
                };
                let words = format!("{when}slot {} · fee {} SOL, {payer}", entry.item.slot, detail.fee);
                lines.extend(wrapped(&words, inner.width, palette.muted));
                if let Some(error) = &detail.error {
                    let words = format!("✗ failed: {}; only the fee was paid", printable(error));
                    lines.extend(wrapped(&words, inner.width, palette.warning));
                }
                let flows = detail.tokens.iter().map(|flow| {
                    let words = format!("{} of {}", signed(flow.amount, flow.decimals), flow.mint);
                    Line::styled(words, palette.text)
                });
                lines.extend(flows);
                let actions = detail.actions.iter();
                lines.extend(actions.flat_map(|words| wrapped(&printable(words), inner.width, palette.text)));
            }
            Err(error) => {
                lines.push(Line::styled(
                    format!("{when}slot {}", entry.item.slot),
                    palette.muted,
                ));
                let words = format!("? {}", sentence(&error.to_string()));
                lines.extend(wrapped(&words, inner.width, palette.warning));
            }
        }
        if let Some(memo) = &entry.item.memo {
            lines.push(Line::styled(format!("memo {}", printable(memo)), palette.muted));
        }
        rows(frame, inner, 1, lines);
    }
}

/// What it did to the wallet, first the tokens that moved, else its first instruction.
fn what(detail: &HistoryDetail) -> String {
    if let Some(error) = &detail.error {
        return format!("failed: {error}");
    }
    match detail.tokens.first() {
        Some(flow) => format!(
            "{} of {}",
            signed(flow.amount, flow.decimals),
            flow.mint.abbreviated()
        ),
        None => detail.actions.first().cloned().unwrap_or_default(),
    }
}

/// A change with its sign, exact.
fn signed(change: i128, decimals: u8) -> String {
    let sign = if change < 0 { '-' } else { '+' };
    match u64::try_from(change.unsigned_abs()) {
        Ok(amount) => format!("{sign}{}", format_units(amount, decimals)),
        Err(_) => format!("{change} base units"),
    }
}

impl Page for HistoryScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::History, Context::List]
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        match action {
            Action::Refresh => !matches!(shared.node, Node::NotChosen),
            Action::Copy => self.entry().is_some(),
            _ => true,
        }
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.read(None, cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Refresh => self.read(None, cx),
            Action::Copy => {
                if let Some(entry) = self.entry() {
                    cx.copy(entry.item.signature.to_string(), "the signature");
                }
            }
            Action::Back => cx.go(Nav::Back),
            _ => {
                let handled = self.list.act(action, cx.shared);
                if handled == Handled::Yes && action != Action::Up {
                    self.read_on(cx);
                }
                return handled;
            }
        }
        Handled::Yes
    }

    fn click(&mut self, _column: u16, row: u16, cx: &mut Cx<'_>) {
        self.list.click(row, cx.shared);
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Holdings(HoldingsAnswer::History(result)) if self.list.awaits(id) => {
                self.taken(result, cx)
            }
            Answer::Broken(failure) if self.list.awaits(id) => self.taken(Err(failure), cx),
            other => return Some(other),
        }
        None
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        if matches!(event, Event::NodeChanged) && cx.shared.node.is_online() {
            self.read(None, cx);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let title = format!("History of {}", title(&self.wallet));
        let remark = match self.list.content() {
            _ if self.list.is_reading() => "asking the node".to_owned(),
            Some(entries) if entries.more => {
                format!("the newest {}; older ones follow at the end", entries.rows.len())
            }
            Some(entries) => format!("{} in all that the node knows", entries.rows.len()),
            None => String::new(),
        };
        let names = format!("  {:<12}{:>22}  {}", "when", "SOL", "what");
        let words = Words {
            title: &title,
            remark: &remark,
            names: &names,
            reading: "the transactions, each by itself",
            empty: "The node knows of none. Nodes forget: that proves nothing.",
        };
        self.list
            .view(&words, |at| self.cells(at, shared), shared, frame, area);
        self.foot(shared, frame, area);
    }
}
