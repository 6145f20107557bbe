//! What wallets hold together, by tag or by owner: sums of kept readings, with the age of the oldest.

use keyward_core::amount::format_units;
use keyward_custody::portfolio::{Grouping, PortfolioGroup, TokenSum};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::console::effect::{Answer, RequestId, Work};
use crate::console::effects::holdings::{HoldingsAnswer, HoldingsWork, PortfolioRead};
use crate::console::jobs::{JobState, Stop};
use crate::console::keymap::{Action, Context};
use crate::console::list::{Listing, Rows, Words};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::state::{Node, Shared};
use crate::console::text::{ago, count, fitted, grouped, printable};
use crate::console::widget::{row, rows, rule};

#[cfg(test)]
mod tests;

/// SOL's digits behind the point.
const SOL_DECIMALS: u8 = 9;
const NAME: usize = 22;
/// What is read at most so long ago is not asked for again: ten minutes.
const MAX_AGE_MS: u64 = 600_000;
/// A line, and the tokens of a group.
const FOOT_ROWS: u16 = 7;

impl Rows for Box<PortfolioRead> {
    /// The groups, and the total below them.
    fn count(&self) -> usize {
        self.portfolio.groups.len() + 1
    }
}

/// The list.
#[derive(Debug)]
pub struct PortfolioScreen {
    list: Listing<Box<PortfolioRead>>,
    grouping: Grouping,
    job: Option<RequestId>,
}

impl Default for PortfolioScreen {
    fn default() -> Self {
        Self {
            list: Listing::above(FOOT_ROWS),
            grouping: Grouping::Tag,
            job: None,
        }
    }
}

impl PortfolioScreen {
    fn read(&mut self, cx: &mut Cx<'_>) {
        let network = match &cx.shared.node {
            Node::Online { status, .. } => Some(status.network.clone()),
            _ => None,
        };
        let work = HoldingsWork::Portfolio {
            grouping: self.grouping,
            network,
        };
        self.list.read(Work::Holdings(work), cx);
    }

    fn at(&self, at: usize) -> Option<&PortfolioGroup> {
        let portfolio = &self.list.content()?.portfolio;
        match portfolio.groups.get(at) {
            Some(group) => Some(group),
            None if at == portfolio.groups.len() => Some(&portfolio.total),
            None => None,
        }
    }

    fn is_total(&self, at: usize) -> bool {
        self.list
            .content()
            .is_some_and(|read| at == read.portfolio.groups.len())
    }

    fn refresh(&mut self, cx: &mut Cx<'_>) {
        if self.is_refreshing(cx.shared) {
            return cx.notice("the wallets are being read already (3 jobs)");
        }
        let work = Work::Holdings(HoldingsWork::Refresh {
            max_age_ms: MAX_AGE_MS,
        });
        self.job = Some(cx.start_job("read balances and tokens", work, Stop::Clean));
    }

    fn is_refreshing(&self, shared: &Shared) -> bool {
        self.job
            .and_then(|id| shared.jobs.get(id))
            .is_some_and(|job| job.is_running())
    }

    /// Shows the wallets of the group.
    fn open_group(&self, cx: &mut Cx<'_>) {
        if self.is_total(self.list.selected()) {
            return cx.go(Nav::Home);
        }
        let Some(name) = self.at(self.list.selected()).map(|group| group.name.clone()) else {
            return;
        };
        match (name, self.grouping) {
            (None, _) => cx.notice("there is no filter for those without one"),
            (Some(name), Grouping::Owner) => {
                cx.go(Nav::Tell(Event::ShowOwner(name)));
                cx.go(Nav::Home);
            }
            (Some(name), Grouping::Tag) => {
                cx.go(Nav::Tell(Event::ShowTag(name)));
                cx.go(Nav::Home);
            }
        }
    }

    fn remark(&self, shared: &Shared) -> String {
        if let Some(job) = self.job.and_then(|id| shared.jobs.get(id))
            && let JobState::Running { done, total, .. } = &job.state
        {
            return format!("reading: {} of {}", grouped(*done), grouped(*total));
        }
        let Some(read) = self.list.content() else {
            return String::new();
        };
        let total = &read.portfolio.total;
        let mut parts = vec![count(total.wallets, "wallet", "wallets")];
        if total.unknown > 0 {
            parts.push(format!("{} never read", grouped(total.unknown)));
        }
        if let Some(oldest_ms) = total.oldest_ms {
            parts.push(format!("oldest {}", ago(shared.now_ms, oldest_ms)));
        }
        parts.join(" · ")
    }

    fn cells(&self, at: usize, shared: &Shared) -> Vec<Span<'static>> {
        let palette = &shared.palette;
        let Some(group) = self.at(at) else {
            return Vec::new();
        };
        let name = match (&group.name, self.is_total(at), self.grouping) {
            (_, true, _) => "all wallets".to_owned(),
            (Some(name), ..) => printable(name),
            (None, _, Grouping::Tag) => "(no tag)".to_owned(),
            (None, _, Grouping::Owner) => "(no owner)".to_owned(),
        };
        let style = if self.is_total(at) {
            palette.strong
        } else {
            palette.text
        };
        // What was never read may hold anything: the sum is a lower bound then.
        let bound = if group.unknown > 0 { "≥" } else { " " };
        let sol = if group.unknown == group.wallets && group.wallets > 0 {
            "?".to_owned()
        } else {
            format!("{bound}{}", units(group.lamports, Some(SOL_DECIMALS)))
        };
        let held = group.tokens.iter().filter(|token| token.amount > 0).count();
        let tokens = match (held, group.tokens_unknown) {
            (0, unknown) if unknown > 0 => "?".to_owned(),
            (held, 0) => grouped(held as u64),
            (held, _) => format!("≥{}", grouped(held as u64)),
        };
        let age = group
            .oldest_ms
            .map_or_else(|| "never".to_owned(), |oldest| ago(shared.now_ms, oldest));
        vec![
            Span::styled(format!("{:<NAME$}", fitted(&name, NAME - 1)), style),
            Span::styled(format!("{:>8}", grouped(group.wallets)), palette.text),
            Span::styled(format!("{sol:>24}"), palette.strong),
            Span::styled(format!("{tokens:>8}"), palette.text),
            Span::styled(format!("   {age}"), palette.muted),
        ]
    }

    fn foot(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let Some(group) = self.at(self.list.selected()) else {
            return;
        };
        let palette = &shared.palette;
        let area = Rect {
            y: area.y + area.height.saturating_sub(FOOT_ROWS),
            height: FOOT_ROWS,
            ..area
        };
        row(frame, area, 0, rule(area.width, palette));
        let mut held: Vec<&TokenSum> = group.tokens.iter().filter(|token| token.amount > 0).collect();
        held.sort_by_key(|token| (token.symbol.is_none(), token.mint));
        let seen = usize::from(FOOT_ROWS).saturating_sub(2);
        let mut lines: Vec<Line<'static>> = held
            .iter()
            .take(seen)
            .map(|token| token_line(token, shared))
            .collect();
        if held.is_empty() {
            let words = if group.tokens_unknown > 0 {
                "  Tokens unknown: never read. r asks the node."
            } else {
                "  No tokens."
            };
            lines.push(Line::styled(words, palette.muted));
        } else if held.len() > seen {
            let more = format!("  and {} more", grouped((held.len() - seen) as u64));
            lines.push(Line::styled(more, palette.muted));
        }
        rows(frame, area, 1, lines);
    }
}

fn token_line(token: &TokenSum, shared: &Shared) -> Line<'static> {
    let palette = &shared.palette;
    let symbol = token
        .symbol
        .as_ref()
        .map_or_else(|| "-".to_owned(), |symbol| format!("\"{}\"", printable(symbol)));
    let frozen = if token.frozen > 0 {
        format!("  ! {} frozen", units(token.frozen, token.decimals))
    } else {
        String::new()
    };
    Line::from(vec![
        Span::styled(
            format!("  {:>24}  ", units(token.amount, token.decimals)),
            palette.strong,
        ),
        Span::styled(format!("{:<14}", fitted(&symbol, 13)), palette.text),
        Span::styled(token.mint.abbreviated(), palette.muted),
        Span::styled(frozen, palette.warning),
    ])
}

/// Exact; base units where the decimals are not known or the amount is beyond 64 bits.
fn units(amount: u128, decimals: Option<u8>) -> String {
    match (u64::try_from(amount), decimals) {
        (Ok(amount), Some(decimals)) => format_units(amount, decimals),
        _ => format!("{amount} base units"),
    }
}

impl Page for PortfolioScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Portfolio, Context::List]
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        match action {
            Action::Refresh => !matches!(shared.node, Node::NotChosen) && !self.is_refreshing(shared),
            _ => true,
        }
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.read(cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Accept => self.open_group(cx),
            Action::Change => {
                self.grouping = match self.grouping {
                    Grouping::Tag => Grouping::Owner,
                    Grouping::Owner => Grouping::Tag,
                };
                self.read(cx);
            }
            Action::Refresh => self.refresh(cx),
            Action::Back => cx.go(Nav::Back),
            _ => return self.list.act(action, cx.shared),
        }
        Handled::Yes
    }

    fn click(&mut self, _column: u16, row: u16, cx: &mut Cx<'_>) {
        self.list.click(row, cx.shared);
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Holdings(HoldingsAnswer::Portfolio(result)) if self.list.awaits(id) => {
                self.list.take(result, cx.shared);
            }
            Answer::Broken(failure) if self.list.awaits(id) => self.list.take(Err(failure), cx.shared),
            other => return Some(other),
        }
        None
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        if matches!(
            event,
            Event::Shown | Event::JobEnded(_) | Event::NodeChanged | Event::WalletsChanged
        ) {
            self.read(cx);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let (title, first) = match self.grouping {
            Grouping::Tag => ("Portfolio by tag", "tag"),
            Grouping::Owner => ("Portfolio by owner", "owner"),
        };
        let remark = self.remark(shared);
        let names = format!(
            "{first:<NAME$}{:>8}{:>24}{:>8}   {}",
            "wallets", "SOL", "tokens", "oldest"
        );
        let words = Words {
            title,
            remark: &remark,
            names: &names,
            reading: "what is kept of balances",
            empty: "There are no wallets yet.",
        };
        self.list
            .view(&words, |at| self.cells(at, shared), shared, frame, area);
        self.foot(shared, frame, area);
    }
}
