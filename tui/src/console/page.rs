//! What a screen is to the rest of the console, and what it may ask of it.

use crossterm::event::KeyEvent;
use keyward_core::address::Address;
use ratatui::Frame;
use ratatui::layout::Rect;

use super::effect::{Answer, Effect, Lifetime, Pending, Progress, RequestId, Work};
use super::jobs::Stop;
use super::keymap::{Action, Context};
use super::modal::{Decision, Modal, Purpose};
use super::screen::Screen;
use super::state::{Notice, Shared};

/// How long a notice stays.
const NOTICE_MS: u64 = 5_000;

/// Whether a screen knew what to do with an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// It did it.
    Yes,
    /// It means nothing here.
    No,
}

/// Something that several screens want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Wallets or owners changed, or wallets were derived.
    WalletsChanged,
    /// The list of wallets is to show those of this owner.
    ShowOwner(String),
    /// The list of wallets is to show those with this tag.
    ShowTag(String),
    /// The audit log is to show what this filter finds.
    ShowAudit(String),
    /// New balances came in.
    BalancesChanged,
    /// The node came or went, or another one was chosen.
    NodeChanged,
    /// A job ended, well or badly.
    JobEnded(RequestId),
    /// The screen is shown again after the one above it was left.
    Shown,
}

/// One screen. All of it is pure: what it wants done it asks of [`Cx`].
pub trait Page {
    /// The contexts of its keys, nearest first, without the global ones.
    fn contexts(&self) -> Vec<Context>;

    /// Whether characters are text at the moment, not keys.
    fn typing(&self) -> bool {
        false
    }

    /// Whether an action makes sense now; if not, the bottom bar and the palette leave it out.
    fn available(&self, _action: Action, _shared: &Shared) -> bool {
        true
    }

    /// Called once when it is opened.
    fn open(&mut self, _cx: &mut Cx<'_>) {}

    /// Does what a key asks for.
    fn act(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled;

    /// Takes a key that is text or edits text.
    fn text(&mut self, _key: KeyEvent, _cx: &mut Cx<'_>) {}

    /// Takes pasted text. It may be a secret.
    fn paste(&mut self, _text: &str, _cx: &mut Cx<'_>) {}

    /// Takes a click at a place within the body.
    fn click(&mut self, _column: u16, _row: u16, _cx: &mut Cx<'_>) {}

    /// Takes an answer that it waits for; gives back any other.
    fn answer(&mut self, _id: RequestId, answer: Answer, _cx: &mut Cx<'_>) -> Option<Answer> {
        Some(answer)
    }

    /// Takes the progress of work that it waits for.
    fn progress(&mut self, _id: RequestId, _progress: &Progress, _cx: &mut Cx<'_>) {}

    /// Hears what happened elsewhere.
    fn event(&mut self, _event: &Event, _cx: &mut Cx<'_>) {}

    /// Time has passed.
    fn tick(&mut self, _cx: &mut Cx<'_>) {}

    /// As [`Self::tick`], while no window is open above it.
    fn tick_in_front(&mut self, _cx: &mut Cx<'_>) {}

    /// A question it asked was answered with yes.
    fn confirmed(&mut self, _decision: &Decision, _cx: &mut Cx<'_>) {}

    /// A prompt it opened was filled in. Labels, tags and counts are dealt with centrally.
    fn prompted(&mut self, _purpose: &Purpose, _text: &str, _cx: &mut Cx<'_>) {}

    /// The addresses whose balances it shows.
    fn shown_addresses(&self, _shared: &Shared) -> Vec<Address> {
        Vec::new()
    }

    /// Whether leaving it now would lose something typed.
    fn unsaved(&self) -> bool {
        false
    }

    /// What must be said, until the vault is open again, when a lock takes this screen away.
    fn lost_by_lock(&self) -> Option<&'static str> {
        None
    }

    /// Draws it into the body.
    fn view(&self, shared: &Shared, frame: &mut Frame<'_>, area: Rect);
}

/// Where to go.
#[derive(Debug)]
pub enum Nav {
    /// Opens a screen above this one.
    Push(Screen),
    /// Back to the screen below.
    Back,
    /// Back to the lowest screen, or to the nearest one that holds something typed.
    Home,
    /// Opens one of the screens that are gone to from everywhere, in place of another such one.
    Switch(Screen),
    /// Leaves everything and opens this one.
    Reset(Screen),
    /// Opens a window.
    Modal(Box<Modal>),
    /// Opens a window again that had closed, unless another one is open by now.
    Reopen(Box<Modal>),
    /// Does what a key would do.
    Act(Action),
    /// Lets every screen know.
    Tell(Event),
}

/// What a screen may read and ask for while it handles something.
pub struct Cx<'a> {
    /// The shared state.
    pub shared: &'a mut Shared,
    pub(super) effects: Vec<Effect>,
    pub(super) navs: Vec<Nav>,
}

impl std::fmt::Debug for Cx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cx").finish_non_exhaustive()
    }
}

impl<'a> Cx<'a> {
    /// A fresh one over the shared state.
    pub fn new(shared: &'a mut Shared) -> Self {
        Self {
            shared,
            effects: Vec::new(),
            navs: Vec::new(),
        }
    }

    /// Starts work that a lock stops.
    pub fn start(&mut self, work: Work) -> RequestId {
        self.start_for(work, Lifetime::Session)
    }

    /// Starts work of a given lifetime.
    pub fn start_for(&mut self, work: Work, lifetime: Lifetime) -> RequestId {
        let id = RequestId::new(self.shared.next_request);
        self.shared.next_request += 1;
        self.effects.push(Effect::Start { id, work, lifetime });
        id
    }

    /// Starts work in place of the one that `pending` waits for.
    pub fn start_latest(&mut self, pending: &mut Pending, work: Work) {
        let id = self.start(work);
        if let Some(old) = pending.replace(id) {
            self.effects.push(Effect::Cancel(old));
        }
    }

    /// Stops what `pending` waits for.
    pub fn cancel(&mut self, pending: &mut Pending) {
        if let Some(old) = pending.take() {
            self.effects.push(Effect::Cancel(old));
        }
    }

    /// Starts work that goes on when the screen is left and shows among the jobs. The console itself
    /// takes note of its end and tells the screens by [`Event::JobEnded`].
    pub fn start_job(&mut self, title: impl Into<String>, work: Work, stop: Stop) -> RequestId {
        let lifetime = match stop {
            Stop::Clean | Stop::Resumable => Lifetime::Session,
            Stop::Impossible => Lifetime::Console,
        };
        let id = self.start_for(work, lifetime);
        self.shared.jobs.add(id, title.into(), stop, self.shared.now_ms);
        id
    }

    /// Stops a job, if it can be stopped.
    pub fn cancel_job(&mut self, id: RequestId) {
        let stoppable = self
            .shared
            .jobs
            .get(id)
            .is_some_and(|job| job.is_running() && job.stop != Stop::Impossible);
        if stoppable {
            self.effects.push(Effect::Cancel(id));
            self.shared.jobs.cancelled(id, self.shared.now_ms);
            self.navs.push(Nav::Tell(Event::JobEnded(id)));
        }
    }

    /// Goes somewhere once this is handled.
    pub fn go(&mut self, nav: Nav) {
        self.navs.push(nav);
    }

    /// Opens a window once this is handled.
    pub fn modal(&mut self, modal: Modal) {
        self.navs.push(Nav::Modal(Box::new(modal)));
    }

    /// Any other effect.
    pub fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Says a short word on what just happened.
    pub fn notice(&mut self, text: impl Into<String>) {
        let until_ms = self.shared.now_ms.saturating_add(NOTICE_MS);
        self.shared.notice = Some(Notice {
            text: text.into(),
            until_ms,
        });
    }

    /// Copies public text and says so.
    pub fn copy(&mut self, text: String, what: &str) {
        self.effects.push(Effect::Copy(text));
        self.notice(format!("{what} copied"));
    }
}
