//! What the passing of time does: the idle lock, notices, asking the node about itself and for balances.

use super::{Parts, lock, with_cx};
use crate::console::effect::{Effect, Lifetime, Work};
use crate::console::effects::node::NodeWork;
use crate::console::effects::upkeep::UpkeepWork;
use crate::console::page::Cx;
use crate::console::screen::Screen;
use crate::console::state::{Node, State};

/// How old a balance may be before it is asked for again, in milliseconds.
const BALANCE_AGE_MS: u64 = 20_000;
/// How long between two questions to the node about itself, in milliseconds.
const NODE_AGE_MS: u64 = 10_000;
/// The most balances asked for at once.
const BALANCES_AT_ONCE: usize = 200;
/// The most balances that are followed.
const FOLLOWED: usize = 100;

pub(super) fn on_tick(state: &mut State) -> Vec<Effect> {
    if state.shared.idle_left_ms() == Some(0) {
        let minutes = state.shared.config.lock_after_minutes;
        let plural = if minutes == 1 { "minute" } else { "minutes" };
        return lock(state, Some(&format!("Locked after {minutes} idle {plural}.")));
    }
    with_cx(state, |parts, cx| {
        let now_ms = cx.shared.now_ms;
        if cx
            .shared
            .notice
            .as_ref()
            .is_some_and(|notice| notice.until_ms <= now_ms)
        {
            cx.shared.notice = None;
        }
        parts.screen.page_mut().tick(cx);
        if parts.modal.is_none() {
            parts.screen.page_mut().tick_in_front(cx);
        }
        let due = match &cx.shared.node {
            Node::NotChosen => false,
            Node::Asking => true,
            Node::Online { at_ms, .. } | Node::Offline { at_ms, .. } => cx.shared.is_due(*at_ms, NODE_AGE_MS),
        };
        if due {
            ask_node(cx);
        }
        ask_balances(parts, cx);
        follow_balances(parts, cx);
        look_at_vault_key(parts, cx);
    })
}

/// Other programs give the vault a new key too, and lock this one out by it.
fn look_at_vault_key(parts: &Parts<'_>, cx: &mut Cx<'_>) {
    let has_vault = cx.shared.is_open() || matches!(parts.screen, Screen::Unlock(_));
    if has_vault && cx.shared.vault_key.is_due(cx.shared.now_ms) {
        let id = cx.start_for(Work::Upkeep(UpkeepWork::RotationStatus), Lifetime::Console);
        cx.shared.vault_key.ask(id, cx.shared.now_ms);
    }
}

pub(super) fn ask_node(cx: &mut Cx<'_>) {
    if matches!(cx.shared.node, Node::NotChosen) || cx.shared.waiting.node.is_waiting() {
        return;
    }
    let id = cx.start_for(Work::Node(NodeWork::Status), Lifetime::Console);
    cx.shared.waiting.node.replace(id);
}

/// Asks for the balances of what is shown, if they are old and nothing is under way.
fn ask_balances(parts: &Parts<'_>, cx: &mut Cx<'_>) {
    if !cx.shared.node.is_online() || cx.shared.waiting.balances.is_waiting() {
        return;
    }
    let mut wanted = parts.screen.page().shown_addresses(cx.shared);
    wanted.retain(|address| {
        cx.shared
            .balance(address)
            .is_none_or(|balance| cx.shared.is_due(balance.asked_ms, BALANCE_AGE_MS))
    });
    wanted.truncate(BALANCES_AT_ONCE);
    if !wanted.is_empty() && cx.shared.is_open() {
        let id = cx.start(Work::Node(NodeWork::Balances(wanted)));
        cx.shared.waiting.balances.replace(id);
    }
}

/// Follows the balances of what is shown, as long as it is shown. Asking now and then goes on beside it: a subscription that
/// is silent says nothing.
fn follow_balances(parts: &Parts<'_>, cx: &mut Cx<'_>) {
    let can = cx.shared.is_open() && cx.shared.node.is_online();
    let mut wanted = match can {
        true => parts.screen.page().shown_addresses(cx.shared),
        false => Vec::new(),
    };
    wanted.truncate(FOLLOWED);
    let mut pending = cx.shared.waiting.following;
    if wanted.is_empty() {
        // Nothing on the screen: the subscription ends, too.
        if !cx.shared.waiting.followed.is_empty() {
            cx.start_latest(&mut pending, Work::Node(NodeWork::Follow(Vec::new())));
        }
    } else if !pending.is_waiting() || cx.shared.waiting.followed != wanted {
        cx.start_latest(&mut pending, Work::Node(NodeWork::Follow(wanted.clone())));
    }
    cx.shared.waiting.following = pending;
    cx.shared.waiting.followed = wanted;
}
