//! `update`: what every event does to the state, and what it asks the outside world for. Pure.
//!
//! This file deals with what concerns the console as a whole (time, keys that hold everywhere, locking,
//! the node, jobs, where to go); what a key means on a screen is that screen's business.

use crossterm::event::{KeyEvent, KeyEventKind};

use super::effect::{Effect, Failure, FailureKind, Lifetime, Progress, RequestId, Work};
use super::effects::vault::VaultWork;
use super::keymap::{Action, Context, active, lookup};
use super::modal::{Decision, Followup, Help, Menu, Modal};
use super::msg::Msg;
use super::page::{Cx, Event, Handled, Nav};
use super::screen::Screen;
use super::screen::send::start_resuming;
use super::state::{Shared, State};

mod answers;
mod clock;
mod leave;
mod mouse;
mod prompts;

pub use answers::begin_session;
pub use prompts::{start_derivation, start_derivation_of, tags};

/// The most steps that one event may lead to; more is a defect, and stops there.
const MAX_STEPS: usize = 32;

/// The first effects, before any event.
pub fn start(state: &mut State) -> Vec<Effect> {
    with_cx(state, |_, cx| {
        cx.start_for(Work::Vault(VaultWork::Open), Lifetime::Console);
        clock::ask_node(cx);
    })
}

/// Applies one event.
pub fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Key(key) => {
            if key.kind == KeyEventKind::Release {
                return Vec::new();
            }
            state.shared.last_input_ms = state.shared.now_ms;
            on_key(state, key)
        }
        Msg::Paste(_) | Msg::Mouse(_) if state.shared.is_too_small() => Vec::new(),
        Msg::Paste(text) => {
            state.shared.last_input_ms = state.shared.now_ms;
            with_cx(state, |state, cx| match &mut state.modal {
                Some(modal) => modal.paste(&text),
                None => state.screen.page_mut().paste(&text, cx),
            })
        }
        Msg::Mouse(mouse) => {
            state.shared.last_input_ms = state.shared.now_ms;
            mouse::on_mouse(state, mouse)
        }
        Msg::Resize { columns, rows } => {
            state.shared.size = (columns, rows);
            vec![Effect::Redraw]
        }
        Msg::Tick { now_ms } => {
            state.shared.now_ms = now_ms;
            clock::on_tick(state)
        }
        Msg::Answer { id, answer } => answers::on_answer(state, id, answer),
        Msg::Progress { id, progress } => on_progress(state, id, &progress),
        Msg::Terminate => vec![Effect::Leave],
    }
}

/// The contexts of the keys at the moment, and whether characters are text.
#[must_use]
pub fn contexts(state: &State) -> (Vec<Context>, bool) {
    let (mut contexts, typing) = match &state.modal {
        Some(modal) => (modal.contexts(), modal.typing()),
        None => screen_contexts(state),
    };
    contexts.push(Context::Global);
    (contexts, typing)
}

fn screen_contexts(state: &State) -> (Vec<Context>, bool) {
    let page = state.screen.page();
    let mut contexts = page.contexts();
    if state.shared.is_open() {
        contexts.push(Context::Open);
    }
    (contexts, page.typing())
}

/// What the screens see of the state while one of them handles something.
pub(super) struct Parts<'a> {
    pub(super) screen: &'a mut Screen,
    pub(super) below: &'a mut Vec<Screen>,
    pub(super) modal: &'a mut Option<Modal>,
}

/// Runs `body` over the state and then follows where it wants to go.
pub(super) fn with_cx(state: &mut State, body: impl FnOnce(&mut Parts<'_>, &mut Cx<'_>)) -> Vec<Effect> {
    let State {
        shared,
        screen,
        below,
        modal,
    } = state;
    let mut cx = Cx::new(shared);
    body(&mut Parts { screen, below, modal }, &mut cx);
    let Cx {
        mut effects, navs, ..
    } = cx;
    follow(state, navs, &mut effects, 0);
    effects
}

fn follow(state: &mut State, navs: Vec<Nav>, effects: &mut Vec<Effect>, depth: usize) {
    if depth > MAX_STEPS {
        return;
    }
    for nav in navs {
        let State {
            shared,
            screen,
            below,
            modal,
        } = state;
        let mut cx = Cx::new(shared);
        match nav {
            Nav::Push(next) => {
                *modal = None;
                below.push(std::mem::replace(screen, next));
                screen.page_mut().open(&mut cx);
            }
            Nav::Back => {
                *modal = None;
                if let Some(previous) = below.pop() {
                    *screen = previous;
                    screen.page_mut().event(&Event::Shown, &mut cx);
                }
            }
            Nav::Home => {
                *modal = None;
                // Nothing typed is lost: a form that holds something is as far as it goes.
                while !screen.page().unsaved()
                    && let Some(previous) = below.pop()
                {
                    *screen = previous;
                }
                screen.page_mut().event(&Event::Shown, &mut cx);
            }
            Nav::Switch(next) => {
                *modal = None;
                while screen.is_side_screen()
                    && !screen.page().unsaved()
                    && let Some(previous) = below.pop()
                {
                    *screen = previous;
                }
                if std::mem::discriminant(screen) == std::mem::discriminant(&next) {
                    // The one with something typed in it is the one that is meant.
                    screen.page_mut().event(&Event::Shown, &mut cx);
                } else {
                    below.push(std::mem::replace(screen, next));
                    screen.page_mut().open(&mut cx);
                }
            }
            Nav::Reset(next) => {
                *modal = None;
                below.clear();
                *screen = next;
                screen.page_mut().open(&mut cx);
            }
            Nav::Reopen(next) => {
                modal.get_or_insert(*next);
            }
            Nav::Modal(next) => *modal = Some(next.above(modal.take())),
            Nav::Act(action) => {
                let more = act(state, action);
                effects.extend(more);
                continue;
            }
            Nav::Tell(event) => {
                screen.page_mut().event(&event, &mut cx);
                let wishes = cx.navs.len();
                for waiting in below.iter_mut() {
                    waiting.page_mut().event(&event, &mut cx);
                }
                // Only the screen that is seen may go elsewhere; the others hear `Shown` when it is their turn.
                cx.navs.truncate(wishes);
            }
        }
        let Cx {
            effects: more, navs, ..
        } = cx;
        effects.extend(more);
        follow(state, navs, effects, depth + 1);
    }
}

fn on_key(state: &mut State, key: KeyEvent) -> Vec<Effect> {
    if state.shared.is_too_small() {
        // Nobody can see what a key would do, so only those that do no harm are taken.
        return match lookup(&[Context::Global], key, true) {
            Some(action @ (Action::Lock | Action::Quit | Action::Redraw)) => act(state, action),
            _ => Vec::new(),
        };
    }
    let (contexts, typing) = contexts(state);
    if let Some(action) = lookup(&contexts, key, typing) {
        return act(state, action);
    }
    with_cx(state, |parts, cx| match parts.modal {
        Some(modal) => modal.text(key),
        None if parts.screen.page().typing() => parts.screen.page_mut().text(key, cx),
        None => {}
    })
}

/// Does what a key asks for, whoever asks.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        // Locking comes before everything else, whatever window is open.
        Action::Lock if state.shared.is_open() => return lock(state, None),
        Action::Redraw => return vec![Effect::Redraw],
        Action::Quit => return leave::quit(state),
        _ => {}
    }
    if let Some(modal) = &mut state.modal {
        let followup = modal.act(action);
        return follow_modal(state, followup);
    }
    let mut handled = Handled::No;
    let effects = with_cx(state, |parts, cx| {
        handled = parts.screen.page_mut().act(action, cx)
    });
    if handled == Handled::Yes {
        effects
    } else {
        act_everywhere(state, action)
    }
}

fn act_everywhere(state: &mut State, action: Action) -> Vec<Effect> {
    let (contexts, _) = screen_contexts(state);
    with_cx(state, |parts, cx| match action {
        Action::Help => {
            let mut contexts = contexts;
            contexts.push(Context::Global);
            cx.modal(Modal::Help(Help { contexts, scroll: 0 }));
        }
        Action::Palette => {
            let mut contexts = contexts;
            contexts.push(Context::Global);
            let page = parts.screen.page();
            let bindings = active(&contexts)
                .into_iter()
                .filter(|binding| in_palette(binding.action, cx.shared))
                .filter(|binding| page.available(binding.action, cx.shared))
                .collect();
            cx.modal(Modal::palette(bindings));
        }
        Action::Back => cx.go(Nav::Back),
        Action::Resume if cx.shared.unresolved() > 0 => start_resuming(cx),
        _ if cx.shared.is_open() => {
            if let Some(nav) = destination(action, parts) {
                cx.go(nav);
            }
        }
        _ => {}
    })
}

/// Moving about is not something to choose by name, nor is what there is nothing to do for.
fn in_palette(action: Action, shared: &Shared) -> bool {
    if action == Action::Resume {
        return shared.unresolved() > 0;
    }
    !matches!(
        action,
        Action::Up
            | Action::Down
            | Action::Left
            | Action::Right
            | Action::PageUp
            | Action::PageDown
            | Action::Palette
            | Action::Yes
            | Action::No
    )
}

/// Where a "go to" leads. Going to a screen that is open already goes back to it.
fn destination(action: Action, parts: &Parts<'_>) -> Option<Nav> {
    match action {
        Action::GoWallets if matches!(parts.screen, Screen::Wallets(_)) => None,
        Action::GoWallets => Some(Nav::Home),
        Action::GoJobs if matches!(parts.screen, Screen::Jobs(_)) => None,
        Action::GoJobs => Some(Nav::Switch(Screen::Jobs(Box::default()))),
        Action::GoAudit if matches!(parts.screen, Screen::Audit(_)) => None,
        Action::GoAudit => Some(Nav::Switch(Screen::Audit(Box::default()))),
        Action::GoSettings if matches!(parts.screen, Screen::Settings(_)) => None,
        Action::GoSettings => Some(Nav::Switch(Screen::Settings(Box::default()))),
        Action::GoBackup if matches!(parts.screen, Screen::Backup(_)) => None,
        Action::GoBackup => Some(Nav::Switch(Screen::Backup(Box::default()))),
        Action::Inspect if matches!(parts.screen, Screen::Inspect(_)) => None,
        Action::Inspect => Some(Nav::Switch(Screen::Inspect(Box::default()))),
        Action::FindPath if matches!(parts.screen, Screen::Find(_)) => None,
        Action::FindPath => Some(Nav::Switch(Screen::Find(Box::default()))),
        Action::GoOwners if matches!(parts.screen, Screen::Owners(_)) => None,
        Action::GoOwners => Some(Nav::Switch(Screen::Owners(Box::default()))),
        Action::GoRotations if matches!(parts.screen, Screen::Rotations(_)) => None,
        Action::GoRotations => Some(Nav::Switch(Screen::Rotations(Box::default()))),
        Action::GoPortfolio if matches!(parts.screen, Screen::Portfolio(_)) => None,
        Action::GoPortfolio => Some(Nav::Switch(Screen::Portfolio(Box::default()))),
        Action::GoBulk if matches!(parts.screen, Screen::Bulk(_)) => None,
        Action::GoBulk => Some(Nav::Switch(Screen::Bulk(Box::default()))),
        Action::GoBook if matches!(parts.screen, Screen::Book(_)) => None,
        Action::GoBook => Some(Nav::Switch(Screen::Book(Box::default()))),
        Action::Import => Some(Nav::Push(Screen::Import(Box::default()))),
        _ => None,
    }
}

fn follow_modal(state: &mut State, followup: Followup) -> Vec<Effect> {
    match followup {
        Followup::Stay => Vec::new(),
        Followup::Close => {
            // What a message covered, a prompt being typed perhaps, is there again.
            state.modal = state.modal.take().and_then(Modal::uncovered);
            Vec::new()
        }
        Followup::Act(action) => {
            state.modal = None;
            act(state, action)
        }
        Followup::Decided(decision) => {
            state.modal = None;
            with_cx(state, |parts, cx| match &decision {
                Decision::Leave => cx.effect(Effect::Leave),
                Decision::CancelJob(id) => cx.cancel_job(*id),
                _ if prompts::decided(&decision, cx) => {}
                _ => parts.screen.page_mut().confirmed(&decision, cx),
            })
        }
        Followup::Filled(purpose, text) => {
            state.modal = None;
            with_cx(state, |parts, cx| {
                if !prompts::filled(&purpose, &text, cx) {
                    parts.screen.page_mut().prompted(&purpose, &text, cx);
                }
            })
        }
    }
}

/// Locks: everything of the session is dropped before anything else happens.
pub(super) fn lock(state: &mut State, reason: Option<&str>) -> Vec<Effect> {
    let summary = state.shared.session.take().map(|session| session.summary);
    let lost = std::iter::once(&state.screen)
        .chain(&state.below)
        .find_map(|screen| screen.page().lost_by_lock());
    if lost.is_some() {
        state.shared.left_undone = lost;
    }
    state.modal = None;
    state.below.clear();
    state.shared.waiting.changes.clear();
    state.shared.notice = None;
    state.shared.waiting.balances.take();
    state.shared.waiting.following.take();
    state.shared.waiting.followed.clear();
    let now_ms = state.shared.now_ms;
    state.shared.jobs.lock(now_ms);
    let screen = Screen::unlock(summary, reason.map(str::to_owned));
    let mut effects = vec![Effect::EndSession];
    effects.extend(with_cx(state, |_, cx| {
        cx.start_for(Work::Vault(VaultWork::Lock), Lifetime::Console);
        cx.go(Nav::Reset(screen));
    }));
    // What was on the screen is wiped from the buffers too.
    effects.push(Effect::Redraw);
    effects
}

fn on_progress(state: &mut State, id: RequestId, progress: &Progress) -> Vec<Effect> {
    state.shared.jobs.progress(id, progress);
    if let Progress::Transfer(step) = progress {
        state.shared.transfers.progress(id, step);
    }
    with_cx(state, |parts, cx| {
        parts.screen.page_mut().progress(id, progress, cx);
        for waiting in parts.below.iter_mut() {
            waiting.page_mut().progress(id, progress, cx);
        }
    })
}

/// Opens the menu of what can be done with the marked.
#[must_use]
pub fn menu(title: impl Into<String>, items: Vec<(Action, &'static str)>) -> Modal {
    Modal::Menu(Menu {
        title: title.into(),
        items,
        selected: 0,
    })
}

/// Shows a failure, unless it was the person who stopped the work.
pub(super) fn show_failure(failure: Failure, cx: &mut Cx<'_>) {
    if failure.kind != FailureKind::Cancelled {
        cx.modal(Modal::Error(failure));
    }
}

#[cfg(test)]
mod tests;
