//! Leaving the console: at once, or after a question when something would be lost.

use crate::console::effect::Effect;
use crate::console::modal::{Confirm, Decision, Gravity, Modal};
use crate::console::state::State;

/// Leaves, or asks. Asked already, a second "leave" is a yes, but never where a recovery key is at stake: that takes
/// a yes of its own.
pub(super) fn quit(state: &mut State) -> Vec<Effect> {
    let at_stake = recovery_at_stake(state);
    if at_stake.is_none() && (is_asking(state.modal.as_ref()) || !has_something_to_lose(state)) {
        return vec![Effect::Leave];
    }
    let (title, lines, gravity) = match at_stake {
        Some(lines) => ("Leave without the recovery key?", lines, Gravity::Danger),
        None => ("Leave keyward?", losses(state), Gravity::Plain),
    };
    state.modal = Some(Modal::Confirm(Confirm {
        title: title.into(),
        lines,
        decision: Decision::Leave,
        gravity,
    }));
    Vec::new()
}

/// Whether it is being asked whether to leave.
pub(super) fn is_asking(modal: Option<&Modal>) -> bool {
    matches!(
        modal,
        Some(Modal::Confirm(Confirm {
            decision: Decision::Leave,
            ..
        }))
    )
}

/// What to say where leaving now could leave a recovery key in force that nobody has seen.
fn recovery_at_stake(state: &State) -> Option<Vec<String>> {
    let shown = std::iter::once(&state.screen)
        .chain(&state.below)
        .any(|screen| screen.page().lost_by_lock().is_some());
    let first = if state.shared.waiting.recovery.is_waiting() {
        "The vault's key or its recovery key is being changed. Wait until that has ended: a new recovery key is shown \
         then."
    } else if shown {
        "The new recovery key was not checked yet."
    } else {
        return None;
    };
    Some(vec![
        first.into(),
        "Left now, the new one may be in force without anybody knowing it, and an old one opens the vault no more.".into(),
    ])
}

fn has_unsaved(state: &State) -> bool {
    std::iter::once(&state.screen)
        .chain(&state.below)
        .any(|screen| screen.page().unsaved())
}

fn has_something_to_lose(state: &State) -> bool {
    state.shared.jobs.running() > 0 || has_unsaved(state)
}

fn losses(state: &State) -> Vec<String> {
    let running = state.shared.jobs.running();
    let mut lines = Vec::new();
    if running > 0 {
        lines.push(format!(
            "{running} {} under way.",
            if running == 1 { "job is" } else { "jobs are" }
        ));
        lines.push("A transfer that was signed is offered again at the next start.".into());
    }
    if has_unsaved(state) {
        lines.push("What you typed here is lost.".into());
    }
    lines
}
