//! The locked vault: one field, and what stands in the way of opening it.

use std::fmt;

use crossterm::event::KeyEvent;
use keyward_custody::{Lockout, VaultSummary};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use zeroize::Zeroizing;

use crate::console::effect::{Answer, Failure, FailureKind, Lifetime, Pending, RequestId, Work};
use crate::console::effects::upkeep::{UpkeepAnswer, UpkeepWork};
use crate::console::effects::vault::{VaultAnswer, VaultWork};
use crate::console::input::{Echo, Edit, TextInput};
use crate::console::keymap::{Action, Context};
use crate::console::layout::centred;
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::screen::Screen;
use crate::console::state::{SecondFactorHint, Shared};
use crate::console::text::{count, countdown, sentence};
use crate::console::update::begin_session;
use crate::console::widget::{Focus, field, row, rows, working, wrapped};

/// How long between two looks at what others have tried, in milliseconds.
const LOOK_MS: u64 = 10_000;

/// The locked vault.
pub struct Unlock {
    summary: Option<VaultSummary>,
    reason: Option<String>,
    password: TextInput,
    unlocking: Pending,
    failure: Option<Failure>,
    locked_out_until_ms: Option<u64>,
    lockout: Option<Lockout>,
    looking: Pending,
    looked_ms: u64,
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unlock").finish_non_exhaustive()
    }
}

impl Unlock {
    /// Asks for the password of this vault; `reason` says why it was locked.
    #[must_use]
    pub fn new(summary: Option<VaultSummary>, reason: Option<String>) -> Self {
        Self {
            summary,
            reason,
            password: TextInput::masked(keyward_custody::password::MAX_PASSWORD_BYTES),
            unlocking: Pending::default(),
            failure: None,
            locked_out_until_ms: None,
            lockout: None,
            looking: Pending::default(),
            looked_ms: 0,
        }
    }

    fn locked_out_ms(&self, shared: &Shared) -> Option<u64> {
        self.locked_out_until_ms
            .map(|until_ms| until_ms.saturating_sub(shared.now_ms))
            .filter(|left_ms| *left_ms > 0)
    }

    /// Wrong passwords are counted in the database, those of other programs too.
    fn look(&mut self, cx: &mut Cx<'_>) {
        let id = cx.start_for(Work::Upkeep(UpkeepWork::Lockout), Lifetime::Console);
        self.looking.replace(id);
        self.looked_ms = cx.shared.now_ms;
    }

    fn looked(&mut self, result: Result<Lockout, Failure>, cx: &Cx<'_>) {
        // A look that failed says nothing: the try itself will.
        let Ok(lockout) = result else { return };
        self.lockout = Some(lockout);
        if lockout.retry_after_ms > 0 {
            self.locked_out_until_ms = Some(cx.shared.now_ms.saturating_add(lockout.retry_after_ms));
        }
    }

    fn try_unlock(&mut self, cx: &mut Cx<'_>) {
        let blocked = self.unlocking.is_waiting() || self.locked_out_ms(cx.shared).is_some();
        if self.password.is_empty() || blocked {
            return;
        }
        self.failure = None;
        let password = Zeroizing::new(self.password.expose_text().to_owned());
        self.password.clear();
        cx.start_latest(&mut self.unlocking, Work::Vault(VaultWork::Unlock(password)));
    }

    fn unlocked(&mut self, result: Result<VaultSummary, Failure>, cx: &mut Cx<'_>) {
        match result {
            Ok(summary) => {
                begin_session(summary, cx);
                cx.go(Nav::Reset(Screen::wallets()));
            }
            Err(failure) => {
                if let FailureKind::LockedOut { retry_after_ms } = failure.kind {
                    self.locked_out_until_ms = Some(cx.shared.now_ms.saturating_add(retry_after_ms));
                }
                self.failure = Some(failure);
                self.look(cx);
            }
        }
    }

    fn missing_factor(&self, shared: &Shared) -> Option<&'static str> {
        let needed = self
            .summary
            .as_ref()
            .is_some_and(|summary| summary.needs_second_factor);
        match (needed, shared.second_factor) {
            (true, SecondFactorHint::Absent) => Some(
                "This vault also needs its second factor: leave (Ctrl-C), set KEYWARD_ENCRYPTION_KEY, start again.",
            ),
            (_, SecondFactorHint::Malformed) => Some(
                "KEYWARD_ENCRYPTION_KEY is not 32 bytes in base64 or hex: correct or unset it, start again.",
            ),
            _ => None,
        }
    }
}

impl Page for Unlock {
    fn contexts(&self) -> Vec<Context> {
        vec![Context::Unlock]
    }

    fn typing(&self) -> bool {
        true
    }

    fn available(&self, action: Action, _shared: &Shared) -> bool {
        let has_recovery = self.summary.as_ref().is_some_and(|summary| summary.has_recovery);
        action != Action::Recover || (has_recovery && !self.unlocking.is_waiting())
    }

    fn open(&mut self, cx: &mut Cx<'_>) {
        self.look(cx);
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        if *event == Event::Shown {
            self.look(cx);
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Accept => self.try_unlock(cx),
            Action::Back => self.password.clear(),
            Action::Recover if self.available(action, cx.shared) => {
                self.password.clear();
                cx.go(Nav::Push(Screen::Recover(Box::default())));
            }
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, _cx: &mut Cx<'_>) {
        if self.password.key(key) == Edit::Changed {
            self.failure = self.failure.take().filter(|failure| !is_wrong_password(failure));
            self.reason = None;
        }
    }

    fn paste(&mut self, text: &str, _cx: &mut Cx<'_>) {
        self.password.insert(text.trim_end_matches(['\r', '\n']));
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Vault(VaultAnswer::Unlocked(result)) => {
                if self.unlocking.settle(id) {
                    self.unlocked(result, cx);
                }
                None
            }
            Answer::Upkeep(UpkeepAnswer::Lockout(result)) if self.looking.settle(id) => {
                self.looked(result, cx);
                None
            }
            Answer::Broken(_) if self.looking.settle(id) => None,
            Answer::Broken(failure) if self.unlocking.settle(id) => {
                self.failure = Some(failure);
                None
            }
            other => Some(other),
        }
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        if self.locked_out_until_ms.is_some() && self.locked_out_ms(cx.shared).is_none() {
            self.locked_out_until_ms = None;
            self.failure = None;
            self.look(cx);
        }
        if cx.shared.now_ms.saturating_sub(self.looked_ms) >= LOOK_MS && !self.looking.is_waiting() {
            self.look(cx);
        }
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        let palette = &shared.palette;
        let inner = centred(area, 64, 15);
        let mut lines = vec![Line::styled("The vault is locked", palette.strong)];
        let mut about = shared.location.clone();
        if let Some(summary) = &self.summary {
            about = format!("{about} · {}", count(summary.wallet_count, "wallet", "wallets"));
        }
        lines.extend(wrapped(&about, inner.width, palette.muted));
        lines.push(Line::default());
        if let Some(reason) = &self.reason {
            lines.push(Line::styled(reason.clone(), palette.text));
            lines.push(Line::default());
        }
        if let Some(undone) = shared.left_undone {
            lines.extend(wrapped(
                &format!("! {}", sentence(undone)),
                inner.width,
                palette.warning,
            ));
            lines.push(Line::default());
        }
        let at = rows(frame, inner, 0, lines);
        row(frame, inner, at, Line::styled("Password", palette.muted));
        let input = Rect {
            x: inner.x + 10,
            y: inner.y + at,
            width: inner.width.saturating_sub(10),
            height: 1,
        };
        field(frame, input, &self.password, Echo::Masked, Focus::Here, palette);
        let mut below = Vec::new();
        if self.unlocking.is_waiting() {
            below.push(Line::styled(
                format!("{} Unlocking …", working(shared.now_ms)),
                palette.accent,
            ));
        } else if let Some(left_ms) = self.locked_out_ms(shared) {
            below.push(Line::from(vec![
                Span::styled("! Too many wrong passwords. Next try in ", palette.warning),
                Span::styled(countdown(left_ms), palette.strong),
            ]));
            below.push(Line::styled(
                "The wait grows with every wrong password and survives a restart.",
                palette.muted,
            ));
        } else if let Some(failure) = &self.failure {
            below.extend(wrapped(
                &format!("! {}", sentence(&failure.cause)),
                inner.width,
                palette.warning,
            ));
            below.extend(wrapped(&sentence(&failure.remedy), inner.width, palette.muted));
        }
        if !self.unlocking.is_waiting()
            && let Some(text) = tries(self.lockout, self.locked_out_ms(shared))
        {
            below.extend(wrapped(&text, inner.width, palette.muted));
        }
        if let Some(seen) = shared.vault_key.elsewhere(&shared.jobs) {
            let text = format!("! {}", sentence(&seen.words(shared.now_ms)));
            below.extend(wrapped(&text, inner.width, palette.warning));
        }
        if let Some(text) = self.missing_factor(shared) {
            below.push(Line::default());
            below.extend(wrapped(&format!("! {text}"), inner.width, palette.warning));
        }
        rows(frame, inner, at + 2, below);
    }
}

/// What is said of wrong passwords so far; nothing where there were none.
fn tries(lockout: Option<Lockout>, locked_out_ms: Option<u64>) -> Option<String> {
    let lockout = lockout.filter(|lockout| lockout.failures > 0)?;
    let so_far = count(
        u64::from(lockout.failures),
        "wrong password so far",
        "wrong passwords so far",
    );
    Some(match (locked_out_ms, lockout.left()) {
        (Some(_), _) => format!("{so_far}."),
        (None, 0) => format!("{so_far}. Another one begins a wait."),
        (None, left) => format!(
            "{so_far}; {} before each begins a wait.",
            count(u64::from(left), "more", "more")
        ),
    })
}

fn is_wrong_password(failure: &Failure) -> bool {
    failure.kind == FailureKind::WrongPassword
}

#[cfg(test)]
mod tests;
