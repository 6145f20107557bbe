//! The wizard for a new vault: create a phrase or import one, limits, a password, the first wallets.
//!
//! Every step keeps what was typed in it, so going back loses nothing. Phrases and passwords live in wiped
//! buffers and are dropped as soon as the vault exists.

use std::fmt;

use crossterm::event::KeyEvent;
use keyward_core::mnemonic::WordCount;
use keyward_core::path::PathFamily;
use keyward_custody::VaultSummary;
use ratatui::Frame;
use ratatui::layout::Rect;
use zeroize::Zeroizing;

use super::Screen;
use crate::console::effect::{Answer, Failure, Pending, RequestId, Work};
use crate::console::effects::vault::{NewVaultRequest, VaultAnswer, VaultWork};
use crate::console::keymap::{Action, Context};
use crate::console::modal::{Confirm, Decision, Gravity, Modal};
use crate::console::page::{Cx, Event, Handled, Nav, Page};
use crate::console::state::Shared;
use crate::console::update::begin_session;

mod choice;
mod import;
mod limits;
mod many;
mod password;
mod paths;
mod phrase;
mod step;
mod view;

use choice::Choice;
use import::Import;
use limits::LimitsForm;
use many::Many;
use password::PasswordForm;
use paths::Paths;
use phrase::PhraseStep;
use step::{Reveal, Route, Step};

/// The wizard.
#[derive(Default)]
pub struct FirstRun {
    step: Step,
    route: Route,
    welcome: Choice,
    length: Choice,
    phrase: PhraseStep,
    import: Import,
    paths: Paths,
    limits: LimitsForm,
    password: PasswordForm,
    creating: Pending,
    failure: Option<Failure>,
    many: Many,
    done: bool,
}

impl fmt::Debug for FirstRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirstRun")
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

/// The lengths offered, the usual ones first.
const LENGTHS: [WordCount; 5] = [
    WordCount::Words12,
    WordCount::Words24,
    WordCount::Words15,
    WordCount::Words18,
    WordCount::Words21,
];

impl FirstRun {
    fn previous(&self) -> Option<Step> {
        Some(match self.step {
            Step::Welcome | Step::Many | Step::Deriving => return None,
            Step::Length | Step::Import => Step::Welcome,
            Step::Phrase => Step::Length,
            Step::Quiz => Step::Phrase,
            Step::Paths => Step::Import,
            Step::Limits if self.route == Route::Create => Step::Quiz,
            Step::Limits => Step::Paths,
            Step::Password => Step::Limits,
        })
    }

    fn hide_secrets(&mut self) {
        self.phrase.reveal.hide();
        self.import.reveal.hide();
        self.paths.reveal.hide();
    }

    fn enter(&mut self, step: Step, cx: &mut Cx<'_>) {
        self.hide_secrets();
        self.step = step;
        if step == Step::Paths {
            self.paths.preview(self.import.phrase(), cx);
        }
    }

    fn back(&mut self, cx: &mut Cx<'_>) {
        match self.previous() {
            Some(_) if self.creating.is_waiting() => {}
            Some(step) => self.enter(step, cx),
            None if self.step == Step::Many => cx.go(Nav::Reset(Screen::wallets())),
            None if self.step == Step::Deriving => {}
            None => cx.go(Nav::Act(Action::Quit)),
        }
    }

    fn accept(&mut self, cx: &mut Cx<'_>) {
        match self.step {
            Step::Welcome => {
                self.route = if self.welcome.at() == 0 {
                    Route::Create
                } else {
                    Route::Import
                };
                let next = if self.route == Route::Create {
                    Step::Length
                } else {
                    Step::Import
                };
                self.enter(next, cx);
            }
            Step::Length => self.choose_length(cx),
            Step::Phrase if self.phrase.is_made() => self.enter(Step::Quiz, cx),
            Step::Phrase => {}
            Step::Quiz => {
                if self.phrase.check_answers() {
                    self.enter(Step::Limits, cx);
                }
            }
            Step::Import => {
                if self.import.check() {
                    self.enter(Step::Paths, cx);
                }
            }
            Step::Paths => self.enter(Step::Limits, cx),
            Step::Limits => {
                if self.limits.accept() {
                    self.enter(Step::Password, cx);
                }
            }
            Step::Password => {
                if self.password.accept() {
                    self.create(cx);
                }
            }
            Step::Many => {
                if self.many.start(cx) {
                    self.enter(Step::Deriving, cx);
                }
            }
            Step::Deriving => cx.go(Nav::Reset(Screen::wallets())),
        }
    }

    fn choose_length(&mut self, cx: &mut Cx<'_>) {
        let Some(length) = LENGTHS.get(self.length.at()).copied() else {
            return;
        };
        match self.phrase.length() {
            Some(made) if made == length => self.enter(Step::Phrase, cx),
            // The phrase may have been written down already.
            Some(_) => cx.modal(Modal::Confirm(Confirm {
                title: "Make another phrase?".into(),
                lines: vec![
                    "The phrase made before is forgotten. If you wrote it down, strike it out.".into(),
                ],
                decision: Decision::Discard,
                gravity: Gravity::Plain,
            })),
            None => self.make_phrase(length, cx),
        }
    }

    fn make_phrase(&mut self, length: WordCount, cx: &mut Cx<'_>) {
        self.phrase.make(length, cx);
        self.enter(Step::Phrase, cx);
    }

    fn create(&mut self, cx: &mut Cx<'_>) {
        if self.creating.is_waiting() {
            return;
        }
        let (phrase, passphrase, family) = match self.route {
            Route::Create => {
                let Some(phrase) = self.phrase.expose_phrase() else {
                    return;
                };
                (phrase, Zeroizing::new(String::new()), PathFamily::Bip44Change)
            }
            Route::Import => {
                let phrase = Zeroizing::new(self.import.phrase().to_owned());
                (phrase, self.paths.expose_passphrase(), self.paths.family())
            }
        };
        let Some(limits) = self.limits.limits() else {
            return self.enter(Step::Limits, cx);
        };
        self.failure = None;
        let request = NewVaultRequest {
            phrase,
            passphrase,
            family,
            password: self.password.expose_password(),
            limits,
        };
        cx.start_latest(
            &mut self.creating,
            Work::Vault(VaultWork::Create(Box::new(request))),
        );
    }

    fn created(&mut self, result: Result<VaultSummary, Failure>, cx: &mut Cx<'_>) {
        match result {
            Ok(summary) => {
                let single = summary.family.is_single();
                begin_session(summary, cx);
                self.done = true;
                // The phrase, the passphrase and the password are in the vault now, and nowhere else.
                self.phrase = PhraseStep::default();
                self.import = Import::default();
                self.paths = Paths::default();
                self.password = PasswordForm::default();
                self.enter(Step::Many, cx);
                if single {
                    self.many.only_one();
                    self.accept(cx);
                }
            }
            Err(failure) => self.failure = Some(failure),
        }
    }

    fn choose(&mut self, action: Action) -> Handled {
        let choice = match self.step {
            Step::Welcome => (&mut self.welcome, 2),
            Step::Length => (&mut self.length, LENGTHS.len()),
            _ => return Handled::No,
        };
        match action {
            Action::Up => choice.0.up(),
            Action::Down => choice.0.down(choice.1),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn move_in_step(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match (self.step, action) {
            (Step::Welcome | Step::Length, _) => return self.choose(action),
            (Step::Phrase, Action::Reveal) => self.phrase.reveal.toggle(cx.shared.now_ms),
            (Step::Import, Action::Reveal) => self.import.reveal.toggle(cx.shared.now_ms),
            (Step::Paths, Action::Reveal) => self.paths.reveal.toggle(cx.shared.now_ms),
            (Step::Import, Action::Complete) => self.import.complete(),
            (Step::Paths, Action::Up) => self.paths.up(),
            (Step::Paths, Action::Down) => self.paths.down(),
            (Step::Quiz, Action::Next) => self.phrase.next(),
            (Step::Quiz, Action::Previous) => self.phrase.previous(),
            (Step::Limits, Action::Next) => self.limits.next(),
            (Step::Limits, Action::Previous) => self.limits.previous(),
            (Step::Password, Action::Next | Action::Previous) => self.password.other(),
            (Step::Deriving, Action::Cancel) => self.many.cancel(cx),
            _ => return Handled::No,
        }
        Handled::Yes
    }
}

impl Page for FirstRun {
    fn contexts(&self) -> Vec<Context> {
        vec![match self.step {
            Step::Welcome | Step::Length => Context::Choice,
            Step::Phrase => Context::Phrase,
            Step::Import => Context::Import,
            Step::Paths => Context::Paths,
            Step::Quiz | Step::Limits | Step::Password => Context::Form,
            Step::Many => Context::Many,
            Step::Deriving => Context::Deriving,
        }]
    }

    fn typing(&self) -> bool {
        matches!(
            self.step,
            Step::Quiz | Step::Import | Step::Paths | Step::Limits | Step::Password | Step::Many
        )
    }

    fn available(&self, action: Action, shared: &Shared) -> bool {
        match (self.step, action) {
            (Step::Welcome, Action::Back) => false,
            (Step::Deriving, Action::Cancel) => self.many.is_running(shared),
            (Step::Phrase, Action::Accept | Action::Reveal) => self.phrase.is_made(),
            _ => true,
        }
    }

    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        match action {
            Action::Accept => self.accept(cx),
            Action::Back => self.back(cx),
            // Before there is a vault to lock, the key that locks hides what is shown.
            Action::Lock => self.hide_secrets(),
            _ => return self.move_in_step(action, cx),
        }
        Handled::Yes
    }

    fn text(&mut self, key: KeyEvent, cx: &mut Cx<'_>) {
        match self.step {
            Step::Quiz => self.phrase.text(key),
            Step::Import => self.import.text(key),
            Step::Paths if self.paths.text(key) => self.paths.preview(self.import.phrase(), cx),
            Step::Limits => self.limits.text(key),
            Step::Password => self.password.text(key, cx),
            Step::Many => self.many.text(key),
            _ => {}
        }
    }

    fn paste(&mut self, text: &str, cx: &mut Cx<'_>) {
        match self.step {
            Step::Quiz => self.phrase.paste(text),
            Step::Import => self.import.paste(text),
            Step::Paths => {
                self.paths.paste(text);
                self.paths.preview(self.import.phrase(), cx);
            }
            Step::Limits => self.limits.paste(text),
            Step::Password => self.password.paste(text, cx),
            Step::Many => self.many.paste(text),
            _ => {}
        }
    }

    fn answer(&mut self, id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
        match answer {
            Answer::Vault(VaultAnswer::NewPhrase(result)) => {
                if self.phrase.making.settle(id) {
                    self.failure = self.phrase.made(result).err();
                }
            }
            Answer::Vault(VaultAnswer::Preview(result)) => self.paths.previewed(id, result),
            Answer::Vault(VaultAnswer::Judged(result)) => {
                if self.password.judged(id, result) {
                    self.create(cx);
                }
            }
            Answer::Vault(VaultAnswer::Created(result)) => {
                if self.creating.settle(id) {
                    self.created(result, cx);
                }
            }
            Answer::Broken(failure) if self.creating.settle(id) || self.phrase.making.settle(id) => {
                self.failure = Some(failure);
            }
            other => return Some(other),
        }
        None
    }

    fn event(&mut self, event: &Event, cx: &mut Cx<'_>) {
        let derived = match event {
            Event::JobEnded(id) => self.many.is_job(*id) && self.many.ended_well(cx.shared),
            Event::Shown => self.many.ended_well(cx.shared),
            _ => false,
        };
        if derived {
            cx.go(Nav::Reset(Screen::wallets()));
        }
    }

    fn confirmed(&mut self, _decision: &Decision, cx: &mut Cx<'_>) {
        if let Some(length) = LENGTHS.get(self.length.at()).copied() {
            self.make_phrase(length, cx);
        }
    }

    fn unsaved(&self) -> bool {
        !self.done && (self.phrase.is_made() || !self.import.is_empty())
    }

    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect) {
        view::view(self, shared, frame, area);
    }
}

#[cfg(test)]
mod tests;
