//! What is said of a wallet wherever it is shown: its chain, where its key comes from, what it asks for.

use keyward_core::account::Chain;
use keyward_custody::{MasterId, Wallet};

use crate::console::text::printable;

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
