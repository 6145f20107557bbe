//! A new vault key as long work: its progress, stopping it, going on with it, and throwing an unfinished one away.

use keyward_custody::ProgressState;
use zeroize::Zeroizing;

use super::{BackupScreen, Choice, Step};
use crate::console::effect::{Failure, Lifetime, Work};
use crate::console::effects::backup::BackupWork;
use crate::console::effects::upkeep::UpkeepWork;
use crate::console::jobs::{JobState, Stop};
use crate::console::keymap::Action;
use crate::console::page::{Cx, Handled};
use crate::console::state::Shared;

impl BackupScreen {
    /// Whether the new key is being made, by this screen's asking.
    pub(super) fn is_rotating(&self) -> bool {
        matches!(self.step, Step::Ask(Choice::Rotate)) && self.working.is_waiting()
    }

    pub(super) fn start_rotating(&mut self, password: Zeroizing<String>, cx: &mut Cx<'_>) {
        let title = match cx.shared.vault_key.elsewhere(&cx.shared.jobs) {
            Some(seen) => format!("go on with vault key {}", seen.status.epoch),
            None => "a new vault key".to_owned(),
        };
        // A lock must not stop it: the old recovery key may be dead by then, and the new one unseen.
        let work = Work::Backup(BackupWork::Rotate(password));
        let id = cx.start_job(title, work, Stop::Impossible);
        self.working.replace(id);
        cx.shared.waiting.recovery.replace(id);
        cx.shared.vault_key.begin(id);
    }

    pub(super) fn start_abandoning(&mut self, password: Zeroizing<String>, cx: &mut Cx<'_>) {
        let work = Work::Upkeep(UpkeepWork::AbandonRotation(password));
        cx.start_latest(&mut self.working, work);
    }

    pub(super) fn abandoned(&mut self, result: Result<bool, Failure>, cx: &mut Cx<'_>) {
        match result {
            Ok(was_there) => {
                cx.shared.vault_key.look_again();
                cx.shared.vault_key.learn(Ok(None), cx.shared.now_ms);
                self.selected = 0;
                self.finish(
                    if was_there {
                        "the unfinished vault key is gone; the one in force stays"
                    } else {
                        "there was none any more; the vault key in force stays"
                    },
                    cx,
                );
            }
            Err(failure) => self.failed(failure),
        }
    }

    pub(super) fn act_while_rotating(&mut self, action: Action, cx: &mut Cx<'_>) -> Handled {
        if action != Action::Cancel {
            return Handled::No;
        }
        cx.start_for(Work::Upkeep(UpkeepWork::StopRotation), Lifetime::Console);
        cx.notice("stopping after the records under way; it can be gone on with later");
        Handled::Yes
    }
}

/// How far the new key is that is being made here; nothing yet while the password is stretched.
pub(super) fn progress(shared: &Shared) -> Option<ProgressState> {
    let job = shared.jobs.get(shared.vault_key.job(&shared.jobs)?)?;
    match job.state {
        JobState::Running { done, total, .. } if total > 0 => Some(ProgressState { done, total }),
        _ => None,
    }
}
