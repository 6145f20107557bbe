//! Answers to work: those the console itself waits for, then those of the screens. Any other is stale.

use super::{leave, show_failure, with_cx};
use crate::console::effect::{Answer, Effect, Failure, FailureKind, Lifetime, RequestId, Work};
use crate::console::effects::audit::AuditAnswer;
use crate::console::effects::backup::BackupAnswer;
use crate::console::effects::bulk::BulkAnswer;
use crate::console::effects::find::{self, FindAnswer};
use crate::console::effects::holdings::HoldingsAnswer;
use crate::console::effects::node::{NodeAnswer, NodeWork};
use crate::console::effects::rotation::RotationAnswer;
use crate::console::effects::send::{SendAnswer, SendWork};
use crate::console::effects::upkeep::UpkeepAnswer;
use crate::console::effects::vault::VaultAnswer;
use crate::console::effects::wallets::WalletsAnswer;
use crate::console::modal::{Modal, Purpose};
use crate::console::page::{Cx, Event, Nav};
use crate::console::screen::Screen;
use crate::console::screen::backup::UNCHECKED;
use crate::console::screen::bulk_job::outcome_words;
use crate::console::state::{Node, Session, State};
use crate::console::text::{count, grouped};
use crate::console::transfers::{self, Ending};
use keyward_core::discovery::SearchReport;
use keyward_custody::jobs::JobOutcome;
use keyward_custody::relocate::CopyReport;
use keyward_custody::transfer::TransferResult;
use keyward_custody::{AuditReport, RedactReport, Rotation, VaultStatus, VaultSummary};

pub(super) fn on_answer(state: &mut State, id: RequestId, answer: Answer) -> Vec<Effect> {
    with_cx(state, |parts, cx| {
        if cx.shared.waiting.recovery.settle(id) && leave::is_asking(parts.modal.as_ref()) {
            // What was asked is no longer so: there is a key to be seen, or nothing has changed.
            *parts.modal = None;
        }
        let mut rest = central(id, answer, cx);
        if let Some(answer) = rest.take() {
            rest = parts.screen.page_mut().answer(id, answer, cx);
        }
        for waiting in parts.below.iter_mut().rev() {
            let Some(answer) = rest.take() else { break };
            rest = waiting.page_mut().answer(id, answer, cx);
        }
        if rest.is_some_and(|answer| holds_new_recovery(&answer)) {
            unseen_recovery(cx);
        }
    })
}

/// A recovery key that comes when the screen that asked for it is gone.
fn holds_new_recovery(answer: &Answer) -> bool {
    match answer {
        Answer::Backup(BackupAnswer::Added(result)) => result.is_ok(),
        Answer::Backup(BackupAnswer::Rotated(Ok(rotation))) => rotation.recovery.is_some(),
        _ => false,
    }
}

/// The key is not kept for later: a locked console holds no secret. That it is lost must be said.
fn unseen_recovery(cx: &mut Cx<'_>) {
    match &mut cx.shared.session {
        Some(session) => {
            session.summary.has_recovery = true;
            let failure = Failure::new(
                "the new recovery key came too late to be shown",
                "make another one in Backup",
            );
            show_failure(failure, cx);
        }
        None => cx.shared.left_undone = Some(UNCHECKED),
    }
}

/// Takes what the console itself waits for; gives back the rest.
fn central(id: RequestId, answer: Answer, cx: &mut Cx<'_>) -> Option<Answer> {
    match answer {
        Answer::Vault(VaultAnswer::Opened(result)) => {
            opened(result, cx);
            None
        }
        Answer::Vault(VaultAnswer::Locked) => None,
        Answer::Node(NodeAnswer::Status(result)) => {
            if cx.shared.waiting.node.settle(id) {
                node_status(result, cx);
            }
            None
        }
        Answer::Node(NodeAnswer::Balances { addresses, result }) => {
            if cx.shared.waiting.balances.settle(id) {
                balances(&addresses, result, cx);
            }
            None
        }
        Answer::Node(NodeAnswer::Followed(result)) => {
            if cx.shared.waiting.following.settle(id) {
                followed(result, cx);
            }
            None
        }
        Answer::Wallets(WalletsAnswer::Derived(result)) => {
            derived(id, result, cx);
            None
        }
        Answer::Wallets(WalletsAnswer::Changed(result)) => {
            changed(id, result, cx);
            None
        }
        Answer::Send(SendAnswer::Unresolved(result)) if cx.shared.waiting.unresolved.settle(id) => {
            // Not knowing is no reason to stop: the send form asks again and says why.
            let found = result.map_or(0, |signatures| signatures.len());
            if let Some(session) = &mut cx.shared.session {
                session.unresolved = found;
            }
            None
        }
        Answer::Send(SendAnswer::Submitted(result)) => {
            transferred(id, result.map(|outcome| vec![outcome]), cx);
            None
        }
        Answer::Send(SendAnswer::Resumed(result)) => {
            transferred(id, result, cx);
            None
        }
        Answer::Audit(AuditAnswer::Verified(result)) => {
            verified(id, result, cx);
            None
        }
        Answer::Find(FindAnswer::Searched(result)) => {
            searched(id, &result, cx);
            // The screen shows it whole, if it is still there.
            Some(Answer::Find(FindAnswer::Searched(result)))
        }
        Answer::Backup(BackupAnswer::Rotated(result)) => {
            vault_key_made(id, &result, cx);
            // The screen shows the recovery key that comes with it.
            Some(Answer::Backup(BackupAnswer::Rotated(result)))
        }
        Answer::Upkeep(UpkeepAnswer::RotationStatus(result)) => {
            if cx.shared.vault_key.awaits(id) {
                cx.shared.vault_key.learn(result, cx.shared.now_ms);
            }
            None
        }
        Answer::Upkeep(UpkeepAnswer::Stopping) => None,
        Answer::Bulk(BulkAnswer::Ran(result)) => {
            bulk_ran(id, &result, cx);
            Some(Answer::Bulk(BulkAnswer::Ran(result)))
        }
        Answer::Bulk(BulkAnswer::Locked(wallets)) => {
            let failure = Failure::new(
                format!(
                    "not run: {} that signs has a password of its own",
                    count(wallets.len() as u64, "wallet", "wallets")
                ),
                "run it from its own page (B), where each is asked for",
            );
            cx.shared.jobs.end(id, Err(failure), cx.shared.now_ms);
            cx.go(Nav::Tell(Event::JobEnded(id)));
            Some(Answer::Bulk(BulkAnswer::Locked(wallets)))
        }
        Answer::Holdings(HoldingsAnswer::Refreshed(result)) => {
            rotated(id, result, cx);
            None
        }
        Answer::Upkeep(UpkeepAnswer::Copied(result)) => {
            copied(id, &result, cx);
            Some(Answer::Upkeep(UpkeepAnswer::Copied(result)))
        }
        Answer::Audit(AuditAnswer::Redacted(result)) => {
            redacted(id, result, cx);
            None
        }
        Answer::Rotation(RotationAnswer::Ran(result)) => {
            rotated(id, result, cx);
            None
        }
        Answer::Broken(failure) => broken(id, failure, cx),
        other => Some(other),
    }
}

fn opened(result: Result<VaultStatus, Failure>, cx: &mut Cx<'_>) {
    let next = match result {
        Err(failure) => Screen::Trouble(failure),
        Ok(VaultStatus::Empty) => Screen::first_run(),
        Ok(VaultStatus::Locked(summary)) => Screen::unlock(Some(summary), None),
        Ok(VaultStatus::Unlocked(summary)) => {
            begin_session(summary, cx);
            Screen::wallets()
        }
    };
    cx.go(Nav::Reset(next));
}

/// The vault is open from here on.
pub fn begin_session(summary: VaultSummary, cx: &mut Cx<'_>) {
    let since_ms = cx.shared.now_ms;
    cx.shared.last_input_ms = since_ms;
    cx.shared.session = Some(Session {
        since_ms,
        summary,
        balances: Default::default(),
        unresolved: 0,
    });
    if let Some(words) = cx.shared.left_undone.take() {
        cx.notice(words);
    }
    ask_unresolved(cx);
}

/// Transfers that a crash left behind are of the console's own interest: someone may be waiting for the money.
fn ask_unresolved(cx: &mut Cx<'_>) {
    let id = cx.start(Work::Send(SendWork::Unresolved(None)));
    cx.shared.waiting.unresolved.replace(id);
}

fn node_status(result: Result<keyward_custody::chain::NodeStatus, Failure>, cx: &mut Cx<'_>) {
    let was_online = cx.shared.node.is_online();
    let at_ms = cx.shared.now_ms;
    cx.shared.node = match result {
        Ok(status) => Node::Online { status, at_ms },
        Err(failure) => Node::Offline { failure, at_ms },
    };
    if was_online != cx.shared.node.is_online() {
        cx.go(Nav::Tell(Event::NodeChanged));
    }
}

fn balances(
    addresses: &[keyward_core::address::Address],
    result: Result<Vec<Option<keyward_core::amount::Lamports>>, Failure>,
    cx: &mut Cx<'_>,
) {
    let at_ms = cx.shared.now_ms;
    match result {
        Ok(values) => {
            if let Some(session) = &mut cx.shared.session {
                for (address, lamports) in addresses.iter().zip(values) {
                    session.balances.learn(*address, lamports, at_ms);
                }
            }
            cx.go(Nav::Tell(Event::BalancesChanged));
        }
        // The status is asked at once: it decides whether the node counts as offline.
        Err(_) => {
            let id = cx.start_for(Work::Node(NodeWork::Status), Lifetime::Console);
            cx.shared.waiting.node.replace(id);
        }
    }
}

/// What changed on the screen. The next tick follows on.
fn followed(
    result: Result<Vec<(keyward_core::address::Address, keyward_core::amount::Lamports)>, Failure>,
    cx: &mut Cx<'_>,
) {
    let at_ms = cx.shared.now_ms;
    // What was asked for before may be older than this; it is asked for again.
    let mut asked = cx.shared.waiting.balances;
    cx.cancel(&mut asked);
    cx.shared.waiting.balances = asked;
    if let (Ok(news), Some(session)) = (result, &mut cx.shared.session) {
        for (address, lamports) in news {
            session.balances.learn(address, Some(lamports), at_ms);
        }
        cx.go(Nav::Tell(Event::BalancesChanged));
    }
}

fn derived(id: RequestId, result: Result<keyward_custody::DerivedRange, Failure>, cx: &mut Cx<'_>) {
    let now_ms = cx.shared.now_ms;
    match result {
        Ok(range) => {
            let words = format!(
                "{} derived from #{}",
                count(u64::from(range.added), "wallet", "wallets"),
                grouped(u64::from(range.first))
            );
            if let Some(session) = &mut cx.shared.session {
                session.summary.wallet_count = session
                    .summary
                    .wallet_count
                    .saturating_add(u64::from(range.added));
            }
            cx.shared.jobs.end(id, Ok(words.clone()), now_ms);
            cx.notice(words);
            cx.go(Nav::Tell(Event::WalletsChanged));
        }
        Err(failure) if failure.kind == FailureKind::Cancelled => cx.shared.jobs.cancelled(id, now_ms),
        Err(failure) => {
            cx.shared.jobs.end(id, Err(failure.clone()), now_ms);
            show_failure(failure, cx);
        }
    }
    cx.go(Nav::Tell(Event::JobEnded(id)));
}

/// A transfer, or the following of unresolved ones, has ended.
fn transferred(id: RequestId, result: Result<Vec<Ending>, Failure>, cx: &mut Cx<'_>) {
    let now_ms = cx.shared.now_ms;
    match &result {
        Ok(outcomes) => {
            let words = match cx.shared.transfers.get(id).map(|transfer| &transfer.subject) {
                Some(transfers::Subject::Nonce(step)) => transfers::step_summary(step, outcomes),
                _ => transfers::summary(outcomes),
            };
            let bad = |outcome: &Ending| !matches!(outcome.result, TransferResult::Confirmed { .. });
            if outcomes.iter().any(bad) {
                let remedy = "open it for what to do next";
                cx.shared
                    .jobs
                    .end(id, Err(Failure::new(words.clone(), remedy)), now_ms);
            } else {
                cx.shared.jobs.end(id, Ok(words.clone()), now_ms);
            }
            cx.notice(words);
        }
        Err(failure) => {
            cx.shared.jobs.end(id, Err(failure.clone()), now_ms);
            cx.notice("a transfer did not go through; the jobs say why");
        }
    }
    cx.shared.ask_again();
    cx.shared.transfers.end(id, result);
    if cx.shared.is_open() {
        ask_unresolved(cx);
    }
    // The last use of a wallet changed.
    cx.go(Nav::Tell(Event::WalletsChanged));
    cx.go(Nav::Tell(Event::JobEnded(id)));
}

fn verified(id: RequestId, result: Result<AuditReport, Failure>, cx: &mut Cx<'_>) {
    let now_ms = cx.shared.now_ms;
    let verdict = match &result {
        Ok(AuditReport::Intact { entries, .. }) => Ok(format!(
            "the audit log is intact: {}",
            count(*entries, "entry", "entries")
        )),
        Ok(AuditReport::Broken { sequence, reason }) => Err(Failure::new(
            format!("the audit log is broken at entry {sequence}: {reason}"),
            "stop signing, keep the file, compare with a backup and with kept checkpoints",
        )),
        Err(failure) => Err(failure.clone()),
    };
    cx.shared.verification.end(result, now_ms);
    match &verdict {
        Ok(words) => cx.notice(words.clone()),
        Err(failure) => show_failure(failure.clone(), cx),
    }
    cx.shared.jobs.end(id, verdict, now_ms);
    cx.go(Nav::Tell(Event::JobEnded(id)));
}

/// A search for a path has ended.
fn searched(id: RequestId, result: &Result<SearchReport, Failure>, cx: &mut Cx<'_>) {
    let now_ms = cx.shared.now_ms;
    match result {
        Ok(report) => {
            let words = find::summary(report);
            cx.shared.jobs.end(id, Ok(words.clone()), now_ms);
            cx.notice(words);
        }
        Err(failure) if failure.kind == FailureKind::Cancelled => cx.shared.jobs.cancelled(id, now_ms),
        Err(failure) => cx.shared.jobs.end(id, Err(failure.clone()), now_ms),
    }
    cx.go(Nav::Tell(Event::JobEnded(id)));
}

fn changed(id: RequestId, result: Result<(), Failure>, cx: &mut Cx<'_>) {
    let changes = &mut cx.shared.waiting.changes;
    let Some(at) = changes.iter().position(|change| change.id == id) else {
        return;
    };
    let change = changes.remove(at);
    match result {
        Ok(()) => {
            cx.notice(change.done);
            cx.go(Nav::Tell(Event::WalletsChanged));
        }
        Err(failure) => {
            // The prompt is there again with its text, below the message.
            if change.purpose != Purpose::Decided {
                let prompt = Modal::for_purpose(change.purpose, &change.text);
                cx.go(Nav::Reopen(Box::new(prompt)));
            }
            show_failure(failure, cx);
        }
    }
}

/// The run over all due keys has ended; what it did before a failure stays done.
fn rotated(id: RequestId, result: Result<String, Failure>, cx: &mut Cx<'_>) {
    let now_ms = cx.shared.now_ms;
    match result {
        Ok(words) => {
            cx.shared.jobs.end(id, Ok(words.clone()), now_ms);
            cx.notice(words);
        }
        Err(failure) if failure.kind == FailureKind::Cancelled => cx.shared.jobs.cancelled(id, now_ms),
        Err(failure) => {
            cx.shared.jobs.end(id, Err(failure.clone()), now_ms);
            show_failure(failure, cx);
        }
    }
    cx.go(Nav::Tell(Event::WalletsChanged));
    cx.go(Nav::Tell(Event::JobEnded(id)));
}

/// The vault has a new key, or the making of it ended before.
fn vault_key_made(id: RequestId, result: &Result<Rotation, Failure>, cx: &mut Cx<'_>) {
    let words = match result {
        Ok(rotation) => {
            let seen = match rotation.recovery {
                Some(_) => "; its new recovery key is shown in Backup",
                None => "",
            };
            Ok(format!("the vault has key number {}{seen}", rotation.epoch))
        }
        Err(failure) => Err(failure.clone()),
    };
    let now_ms = cx.shared.now_ms;
    if words.is_ok() {
        // What was seen of it on its way is past.
        cx.shared.vault_key.learn(Ok(None), now_ms);
    }
    cx.shared.jobs.end(id, words, now_ms);
    cx.shared.vault_key.look_again();
    cx.go(Nav::Tell(Event::JobEnded(id)));
}

/// A stored job's run has ended; the job itself may go on later.
fn bulk_ran(id: RequestId, result: &Result<JobOutcome, Failure>, cx: &mut Cx<'_>) {
    let now_ms = cx.shared.now_ms;
    let words = match result {
        Ok(outcome) => {
            let (words, well) = outcome_words(outcome);
            cx.notice(words.clone());
            if well {
                Ok(words)
            } else {
                Err(Failure::new(words, "open it (B) for what to do next"))
            }
        }
        Err(failure) => Err(failure.clone()),
    };
    match words {
        Err(failure) if failure.kind == FailureKind::Cancelled => cx.shared.jobs.cancelled(id, now_ms),
        words => cx.shared.jobs.end(id, words, now_ms),
    }
    cx.shared.ask_again();
    cx.go(Nav::Tell(Event::JobEnded(id)));
}

/// The vault was copied, or not.
fn copied(id: RequestId, result: &Result<Box<CopyReport>, Failure>, cx: &mut Cx<'_>) {
    let now_ms = cx.shared.now_ms;
    match result {
        Ok(report) => {
            let words = format!("{} copied and compared", count(report.rows(), "row", "rows"));
            cx.shared.jobs.end(id, Ok(words.clone()), now_ms);
            cx.notice(words);
        }
        Err(failure) if failure.kind == FailureKind::Cancelled => cx.shared.jobs.cancelled(id, now_ms),
        Err(failure) => cx.shared.jobs.end(id, Err(failure.clone()), now_ms),
    }
    cx.go(Nav::Tell(Event::JobEnded(id)));
}

/// Entries whose time is over were emptied, or not.
fn redacted(id: RequestId, result: Result<RedactReport, Failure>, cx: &mut Cx<'_>) {
    let now_ms = cx.shared.now_ms;
    match result {
        Ok(RedactReport { redacted: 0, .. }) => {
            let words = "no entry is old enough to be redacted";
            cx.shared.jobs.end(id, Ok(words.into()), now_ms);
            cx.notice(words);
        }
        Ok(report) => {
            let words = format!(
                "{} redacted to their hashes; {} so",
                count(report.redacted, "entry", "entries"),
                count(report.steps, "entry says", "entries say")
            );
            cx.shared.jobs.end(id, Ok(words.clone()), now_ms);
            cx.notice(words);
        }
        Err(failure) => {
            cx.shared.jobs.end(id, Err(failure.clone()), now_ms);
            show_failure(failure, cx);
        }
    }
    cx.go(Nav::Tell(Event::JobEnded(id)));
}

/// A task that panicked: whoever waited for it must not wait for ever.
fn broken(id: RequestId, failure: Failure, cx: &mut Cx<'_>) -> Option<Answer> {
    let now_ms = cx.shared.now_ms;
    if cx.shared.waiting.node.settle(id) {
        cx.shared.node = Node::Offline {
            failure,
            at_ms: now_ms,
        };
        return None;
    }
    if cx.shared.waiting.balances.settle(id) || cx.shared.waiting.following.settle(id) {
        return None;
    }
    if cx.shared.jobs.get(id).is_some() {
        cx.shared.jobs.end(id, Err(failure.clone()), now_ms);
        cx.shared.transfers.end(id, Err(failure.clone()));
        cx.go(Nav::Tell(Event::JobEnded(id)));
        show_failure(failure, cx);
        return None;
    }
    if cx.shared.waiting.changes.iter().any(|change| change.id == id) {
        changed(id, Err(failure), cx);
        return None;
    }
    Some(Answer::Broken(failure))
}
