//! The token accounts of a wallet: what they hold, whether that can move, and what their mints may do to it.

use keyward_core::amount::format_units;
use keyward_core::solana::token::{AccountExtension, MintExtension};
use keyward_custody::Wallet;
use keyward_custody::portfolio::TokenHolding;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Screen;
use super::send::{SendForm, SentToken};
use super::wallet::facts::title;
use crate::console::effect::{Answer, RequestId, Work};
use crate::console::effects::holdings::{HoldingsAnswer, HoldingsWork, Source, TokensRead};
use crate::console::keymap::{Action, Context};
use crate::console::list::{Listing, Rows, Words};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::state::{Node, Shared};
use crate::console::text::{ago, count, fitted, printable, sentence};
use crate::console::widget::{full_address, row, rows, rule, short_address, wrapped};

#[cfg(test)]
mod tests;

const SYMBOL: usize = 11;
const AMOUNT: usize = 22;
/// A line, account, mint, owner's facts, what the mint may do.
const FOOT_ROWS: u16 = 7;

impl Rows for Box<TokensRead> {
    fn count(&self) -> usize {
        self.accounts.len()
    }
}

/// The list.
#[derive(Debug)]
pub struct TokensScreen {
    wallet: Wallet,
    list: Listing<Box<TokensRead>>,
    source: Source,
}

impl TokensScreen {
    /// Those of this wallet.
    #[must_use]
    pub fn new(wallet: Wallet) -> Self {
        Self {
            wallet,
            list: Listing::above(FOOT_ROWS),
            source: Source::Kept,
        }
    }

    fn read(&mut self, source: Source, cx: &mut Cx<'_>) {
        let Some(address) = self.wallet.solana().copied() else {
            return;
        };
        self.source = source;
        let work = HoldingsWork::Tokens { address, source };
        self.list.read(Work::Holdings(work), cx);
    }

    fn at(&self, at: usize) -> Option<&TokenHolding> {
        self.list.content()?.accounts.get(at)
    }

    fn account(&self) -> Option<&TokenHolding> {
        self.at(self.list.selected())
    }

    /// Opens the form for the token of this line.
    fn send(&self, cx: &mut Cx<'_>) {
        let Some(holding) = self.account() else { return };
        match SentToken::of(holding) {
            Ok(token) => {
                let form = SendForm::of_token(self.wallet.clone(), token);
                cx.go(Nav::Push(Screen::Send(Box::new(form))));
            }
            Err(reason) => cx.notice(reason),
        }
    }

    fn remark(&self, shared: &Shared) -> String {
        let mut parts = Vec::new();
        if let Some(read) = self.list.content() {
            parts.push(count(read.accounts.len() as u64, "account", "accounts"));
            parts.push(match read.holding.and_then(|holding| holding.tokens) {
                Some(at) => format!("read {}", ago(shared.now_ms, at.read_ms)),
                None => "never read".into(),
            });
            if read.failure.is_some() {
                parts.push("the node did not answer".into());
            }
        }
        if self.list.is_reading() && self.source == Source::Node {
            parts.push("asking the node".into());
        }
        parts.join(" · ")
    }

    fn cells(&self, at: usize, shared: &Shared) -> Vec<Span<'static>> {
        let palette = &shared.palette;
        let Some(token) = self.at(at) else {
            return Vec::new();
        };
        let mut cells = vec![
            Span::styled(
                format!("{:<SYMBOL$}", fitted(&symbol(token), SYMBOL - 1)),
                palette.text,
            ),
            Span::styled(format!("{:>AMOUNT$}  ", amount(token)), palette.strong),
        ];
        match token.mint_address() {
            Some(mint) => cells.extend(short_address(&mint.to_string(), palette)),
            None => cells.push(Span::styled(format!("{:<15}", "?"), palette.muted)),
        }
        let (words, style) = match &token.state {
            Err(_) => ("! unreadable", palette.warning),
            Ok(state) if state.is_frozen() => ("! frozen", palette.warning),
            Ok(state) if state.delegate.is_some() => ("! delegated", palette.warning),
            Ok(_) => ("", palette.muted),
        };
        cells.push(Span::styled(format!("  {words:<14}"), style));
        cells.push(Span::styled(token.program.name().to_owned(), palette.muted));
        cells
    }

    fn foot(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
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
        let failure = self.list.content().and_then(|read| read.failure.as_ref());
        let lines = match (self.account(), failure) {
            (Some(token), _) => facts(token, shared, inner.width),
            (None, Some(failure)) => {
                let mut lines = wrapped(
                    &format!("? {}", sentence(&failure.cause)),
                    inner.width,
                    palette.warning,
                );
                lines.extend(wrapped(&sentence(&failure.remedy), inner.width, palette.text));
                lines
            }
            (None, None) => Vec::new(),
        };
        rows(frame, inner, 1, lines);
    }
}

/// What a mint says of itself: anybody can mint a token of any name.
fn symbol(token: &TokenHolding) -> String {
    let metadata = token.mint.as_ref().and_then(|mint| mint.metadata());
    match (metadata, &token.state) {
        (Some(metadata), _) => format!("\"{}\"", printable(&metadata.symbol)),
        (None, Ok(state)) if state.native_reserve.is_some() => "wrapped SOL".into(),
        (None, _) => "-".into(),
    }
}

/// Exact, with the mint's decimals; base units where they are not known.
fn amount(token: &TokenHolding) -> String {
    match (&token.state, token.decimals()) {
        (Ok(state), Some(decimals)) => format_units(state.amount, decimals),
        (Ok(state), None) => format!("{} base units", state.amount),
        (Err(_), _) => "?".into(),
    }
}

/// What there is to know of one account.
fn facts(token: &TokenHolding, shared: &Shared, width: u16) -> Vec<Line<'static>> {
    let palette = &shared.palette;
    let room = usize::from(width).saturating_sub(10);
    let named = |name: &str, spans: Vec<Span<'static>>| {
        let mut all = vec![Span::styled(format!("{name:<10}"), palette.muted)];
        all.extend(spans);
        Line::from(all)
    };
    let text = |words: String, style| vec![Span::styled(fitted(&words, room), style)];
    let mut lines = vec![named(
        "account",
        full_address(&token.account.to_string(), palette),
    )];
    let state = match &token.state {
        Ok(state) => state,
        Err(error) => {
            lines.push(named("why", text(error.to_string(), palette.warning)));
            return lines;
        }
    };
    lines.push(named("mint", full_address(&state.mint.to_string(), palette)));
    lines.push(named(
        "rent",
        text(
            format!("{} SOL come back when it is closed", token.lamports),
            palette.text,
        ),
    ));
    if let Some(delegate) = &state.delegate {
        let decimals = token.decimals().unwrap_or(0);
        let words = format!(
            "! {delegate} may take {}",
            format_units(state.delegated_amount, decimals)
        );
        lines.push(named("delegate", text(words, palette.warning)));
    }
    if let Some(closer) = state.close_authority.filter(|closer| *closer != token.owner) {
        lines.push(named("closed by", text(format!("! {closer}"), palette.warning)));
    }
    let mut names: Vec<&str> = state.extensions.iter().map(AccountExtension::name).collect();
    if let Some(mint) = &token.mint {
        names.extend(mint.extensions.iter().map(MintExtension::name));
    }
    if !names.is_empty() {
        lines.push(named("has", text(names.join(", "), palette.text)));
    }
    lines
}

impl Page for TokensScreen {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Tokens, Context::List]
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        match action {
            Action::Refresh => !matches!(shared.node, Node::NotChosen),
            Action::Copy | Action::Send => self.account().is_some(),
            _ => true,
        }
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        let source = match cx.shared.node {
            Node::NotChosen | Node::Offline { .. } => Source::Kept,
            Node::Asking | Node::Online { .. } => Source::Node,
        };
        self.read(source, cx);
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Refresh => self.read(Source::Node, cx),
            Action::Copy => {
                if let Some(mint) = self.account().and_then(TokenHolding::mint_address) {
                    cx.copy(mint.to_string(), "the mint's address");
                }
            }
            Action::Send => self.send(cx),
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
            Answer::Holdings(HoldingsAnswer::Tokens(result)) if self.list.awaits(id) => {
                self.list.take(result, cx.shared);
            }
            Answer::Broken(failure) if self.list.awaits(id) => self.list.take(Err(failure), cx.shared),
            other => return Some(other),
        }
        None
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        if matches!(event, Event::NodeChanged | Event::JobEnded(_)) && cx.shared.node.is_online() {
            self.read(Source::Node, cx);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let title = format!("Tokens of {}", title(&self.wallet));
        let remark = self.remark(shared);
        let names = format!(
            "{:<SYMBOL$}{:>AMOUNT$}  {:<15}  {:<14}{}",
            "says it is", "amount", "mint", "", "program"
        );
        let never = self.list.content().is_some_and(|read| read.holding.is_none());
        let words = Words {
            title: &title,
            remark: &remark,
            names: &names,
            reading: "the token accounts",
            empty: if never {
                "Unknown: they were never read. r asks the node."
            } else {
                "It has no token accounts."
            },
        };
        self.list
            .view(&words, |at| self.cells(at, shared), shared, frame, area);
        self.foot(shared, frame, area);
    }
}
