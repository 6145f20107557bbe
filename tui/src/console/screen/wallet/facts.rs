//! What is said of a wallet wherever it is shown: its chain, where its key comes from, what it asks for.

use keyward_core::account::Chain;
use keyward_core::amount::format_units_short;
use keyward_custody::{Lockout, MasterId, Wallet, WalletStatus};

use crate::console::text::{ago, count, countdown, printable, span, utc};
use crate::duration;

/// Decimals of SOL.
const SOL_DECIMALS: u8 = 9;

/// The name of a family of chains.
#[must_use]
pub const fn chain_name(chain: Chain) -> &'static str {
    match chain {
        Chain::Solana => "Solana",
        Chain::Evm => "EVM (Ethereum and its like)",
    }
}

/// The label, or else the index, or that it was imported.
#[must_use]
pub fn title(wallet: &Wallet) -> String {
    match (wallet.label.is_empty(), wallet.index) {
        (false, _) => printable(&wallet.label),
        (true, Some(index)) => format!("Wallet #{index}"),
        (true, None) => "Imported wallet".into(),
    }
}

/// Where the key comes from.
#[must_use]
pub fn origin(wallet: &Wallet) -> String {
    match (wallet.master, wallet.family, wallet.index) {
        (Some(master), Some(family), Some(index)) => {
            let phrase = if master == MasterId::FIRST {
                String::new()
            } else {
                format!(" of phrase {master}")
            };
            format!("{} #{index}{phrase}", family.id())
        }
        _ => "imported key, in no phrase".into(),
    }
}

/// The derivation path.
#[must_use]
pub fn path(wallet: &Wallet) -> String {
    match (wallet.path.is_empty(), wallet.index) {
        (false, _) => wallet.path.clone(),
        (true, Some(_)) => "none (raw seed)".into(),
        (true, None) => "none".into(),
    }
}

/// What signing asks for.
#[must_use]
pub const fn password(wallet: &Wallet) -> &'static str {
    if wallet.own_password {
        "its own, asked for to sign"
    } else {
        "the vault's"
    }
}

/// What there is to say of wrong passwords of its own, read at a time; `None` where there were none.
#[must_use]
pub fn wrong_passwords(lockout: Lockout, at_ms: u64, now_ms: u64) -> Option<String> {
    if lockout.failures == 0 {
        return None;
    }
    let so_far = lockout.failures;
    let passed_ms = now_ms.saturating_sub(at_ms);
    Some(match lockout.retry_after_ms.saturating_sub(passed_ms) {
        0 => match lockout.left() {
            0 => format!("{so_far} wrong; one more begins a wait"),
            left => format!("{so_far} wrong; {left} more till a wait"),
        },
        left_ms => format!("{so_far} wrong; next try in {}", countdown(left_ms)),
    })
}

/// Whose it is and what for; `None` when nobody said.
#[must_use]
pub fn belongs(wallet: &Wallet) -> Option<String> {
    let owner = wallet.owner.as_ref().map(|owner| {
        let primary = if wallet.is_primary { ", primary" } else { "" };
        format!("{}{primary}", printable(owner))
    });
    let role = (!wallet.role.is_empty()).then(|| format!("role {}", printable(&wallet.role)));
    let parts: Vec<String> = owner.into_iter().chain(role).collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// What became of it; `None` while it is in use.
#[must_use]
pub fn fate(wallet: &Wallet, now_ms: u64) -> Option<String> {
    let left = |until_ms: u64| match until_ms.checked_sub(now_ms) {
        Some(left) if left > 0 => format!("for another {}", span(left / 1_000)),
        _ => "no longer".to_owned(),
    };
    Some(match wallet.status {
        WalletStatus::Rotated => match wallet.grace_until_ms {
            Some(until_ms) => format!("replaced; looked after {}", left(until_ms)),
            None => "replaced by a newer key".to_owned(),
        },
        WalletStatus::Retired => "replaced and retired: it does not sign".to_owned(),
        WalletStatus::Deleted => match wallet.purge_after_ms {
            Some(until_ms) => format!("deleted; restorable {}", left(until_ms)),
            None => "deleted".to_owned(),
        },
        WalletStatus::Purged => format!("its key was destroyed {} UTC", utc(wallet.status_ms)),
        WalletStatus::Active => return None,
    })
}

/// When its key changes; `None` without a schedule and without keys before this one.
#[must_use]
pub fn rotation(wallet: &Wallet, now_ms: u64) -> Option<String> {
    let schedule = wallet.rotate_every_ms.map(|every_ms| {
        let next = match wallet.rotate_at_ms {
            Some(at_ms) if at_ms > now_ms => format!("next in {}", span((at_ms - now_ms) / 1_000)),
            Some(_) => "due now".to_owned(),
            None => "not scheduled".to_owned(),
        };
        format!("every {}, {next}", duration::show(every_ms))
    });
    let before = (wallet.rotation_count > 0)
        .then(|| format!("key {}", u64::from(wallet.rotation_count).saturating_add(1)));
    let parts: Vec<String> = schedule.into_iter().chain(before).collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// What it signed, and what left it by that; `None` when it signed no transaction.
#[must_use]
pub fn signed(wallet: &Wallet) -> Option<String> {
    let volume = match (wallet.address.chain(), u64::try_from(wallet.total_volume)) {
        (_, Ok(0)) => String::new(),
        (Chain::Solana, Ok(lamports)) => format!(", {} SOL out", format_units_short(lamports, SOL_DECIMALS)),
        (Chain::Solana, Err(_)) => format!(", {} lamports out", wallet.total_volume),
        (Chain::Evm, _) => format!(", {} wei out", wallet.total_volume),
    };
    let signed = count(wallet.total_trades, "transaction", "transactions");
    (wallet.total_trades > 0).then(|| format!("{signed}{volume}"))
}

/// When it was used last.
#[must_use]
pub fn last_used(wallet: &Wallet, now_ms: u64) -> String {
    wallet
        .last_used_ms
        .map_or_else(|| "never".to_owned(), |then| ago(now_ms, then))
}
