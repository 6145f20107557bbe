//! What is done with a filled-in prompt that means the same on every screen.

use keyward_core::path::PathFamily;
use keyward_custody::MasterId;

use crate::console::effect::{RequestId, Work};
use crate::console::effects::wallets::WalletsWork;
use crate::console::jobs::Stop;
use crate::console::modal::{Decision, Purpose};
use crate::console::page::Cx;
use crate::console::state::Change;
use crate::console::text::{count, grouped};

/// Starts what the prompt was for. False when it is the screen's own business.
pub(super) fn filled(purpose: &Purpose, text: &str, cx: &mut Cx<'_>) -> bool {
    let (work, done) = match purpose {
        Purpose::Label(address) => {
            let done = if text.is_empty() {
                "label removed"
            } else {
                "label saved"
            };
            (
                WalletsWork::SetLabel {
                    address: *address,
                    label: text.to_owned(),
                },
                done.to_owned(),
            )
        }
        Purpose::AddTags(addresses) => {
            let done = format!("tagged {}", count(addresses.len() as u64, "wallet", "wallets"));
            (
                WalletsWork::AddTags {
                    addresses: addresses.clone(),
                    tags: tags(text),
                },
                done,
            )
        }
        Purpose::RemoveTags(addresses) => {
            let done = format!(
                "tags taken off {}",
                count(addresses.len() as u64, "wallet", "wallets")
            );
            (
                WalletsWork::RemoveTags {
                    addresses: addresses.clone(),
                    tags: tags(text),
                },
                done,
            )
        }
        Purpose::Owner(addresses) => {
            let wallets = count(addresses.len() as u64, "wallet", "wallets");
            let done = if text.is_empty() {
                format!("{wallets} without an owner now")
            } else {
                format!("{wallets} given to {text}")
            };
            let (addresses, owner) = (addresses.clone(), text.to_owned());
            (WalletsWork::Assign { addresses, owner }, done)
        }
        Purpose::Role(addresses) => {
            let done = format!(
                "role of {} changed",
                count(addresses.len() as u64, "wallet", "wallets")
            );
            let (addresses, role) = (addresses.clone(), text.to_owned());
            (WalletsWork::SetRole { addresses, role }, done)
        }
        Purpose::NewOwner => (WalletsWork::CreateOwner(text.to_owned()), format!("{text} added")),
        Purpose::RenameOwner(name) => {
            let (name, new) = (name.clone(), text.to_owned());
            (
                WalletsWork::RenameOwner { name, new },
                format!("now called {text}"),
            )
        }
        Purpose::Setting(_)
        | Purpose::CheckpointFile
        | Purpose::AuditFile
        | Purpose::RunBulk(..)
        | Purpose::RunPlan(_)
        | Purpose::ContactLabel(_)
        | Purpose::Decided => {
            return false;
        }
    };
    start_change(work, done, purpose.clone(), text, cx);
    true
}

/// Starts what a yes decided about a wallet or an owner. False when it is something else.
pub(super) fn decided(decision: &Decision, cx: &mut Cx<'_>) -> bool {
    let (work, done) = match decision {
        Decision::Delete(address) => (WalletsWork::Delete(*address), "deleted; it can be restored (D)"),
        Decision::Restore(address) => (WalletsWork::Restore(*address), "restored"),
        Decision::Primary(address) => (WalletsWork::SetPrimary(*address), "primary from now on"),
        Decision::RemoveOwner(name) => (WalletsWork::RemoveOwner(name.clone()), "owner removed"),
        _ => return false,
    };
    start_change(work, done.to_owned(), Purpose::Decided, "", cx);
    true
}

fn start_change(work: WalletsWork, done: String, purpose: Purpose, text: &str, cx: &mut Cx<'_>) {
    let id = cx.start(Work::Wallets(work));
    cx.shared.waiting.changes.push(Change {
        id,
        done,
        purpose,
        text: text.to_owned(),
    });
}

/// Starts a derivation from the vault's first phrase by its own path as a job.
pub fn start_derivation(number: u32, cx: &mut Cx<'_>) -> RequestId {
    start_derivation_of(None, None, number, cx)
}

/// Starts a derivation as a job.
pub fn start_derivation_of(
    master: Option<MasterId>,
    family: Option<PathFamily>,
    number: u32,
    cx: &mut Cx<'_>,
) -> RequestId {
    let noun = if number == 1 { "wallet" } else { "wallets" };
    let title = format!("derive {} {noun}", grouped(u64::from(number)));
    let work = WalletsWork::Derive {
        master,
        family,
        count: number,
    };
    cx.start_job(title, Work::Wallets(work), Stop::Clean)
}

/// Tags as typed: separated by commas or spaces.
#[must_use]
pub fn tags(text: &str) -> Vec<String> {
    text.split([',', ' '])
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect()
}
