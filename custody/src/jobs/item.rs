//! One thing that a job does.

use keyward_core::address::{Address, Signature};
use serde::{Deserialize, Serialize};

/// An item about to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewItem {
    /// Its number in the job: 0, 1, 2 and so on.
    pub number: u32,
    /// The wallet whose funds move; it signs.
    pub source: Address,
    /// The wallet that is paid; of tokens the owner of the account.
    pub recipient: Address,
    /// How much, in base units; 0 where it is decided when the transaction is built.
    pub amount: u64,
    /// What is done.
    pub action: ItemAction,
    /// A public text on chain, at most [`crate::transfer::MAX_MEMO_BYTES`].
    pub memo: Option<String>,
}

/// What an item does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum ItemAction {
    /// Pays SOL.
    PaySol,
    /// Pays a token.
    PayToken {
        /// The token.
        mint: Address,
        /// The token program.
        program: Address,
        /// The mint's decimals.
        decimals: u8,
        /// Where it comes from.
        source_account: Address,
        /// Where it goes.
        destination_account: Address,
        /// Whether that account is made if it is not there; its rent comes from the fee payer.
        create: bool,
        /// The transfer fee that the mint takes of the amount, in base units; 0 without one.
        fee: u64,
    },
    /// Moves all SOL away, to exactly zero; another wallet pays the fee.
    DrainSol,
    /// Moves all of a token away.
    DrainToken {
        /// The token.
        mint: Address,
        /// The token program.
        program: Address,
        /// The mint's decimals.
        decimals: u8,
        /// Where it comes from.
        source_account: Address,
        /// Where it goes.
        destination_account: Address,
        /// Whether that account is made if it is not there; its rent comes from the fee payer.
        create: bool,
        /// Whether the emptied account is closed, its rent going to the recipient.
        close: bool,
    },
    /// Closes an empty token account; its rent goes to the recipient.
    CloseAccount {
        /// The account.
        account: Address,
        /// The token program.
        program: Address,
        /// The mint to which withheld fees are harvested first; none where none are withheld.
        harvest_to: Option<Address>,
    },
    /// Withdraws what an account holds above its rent, where its program allows that.
    WithdrawExcess {
        /// The account.
        account: Address,
        /// The token program.
        program: Address,
    },
}

/// How far an item has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// To be done: nothing that could do it is under way.
    Planned,
    /// Its transaction is signed and recorded; perhaps not sent.
    Signed,
    /// Its transaction was sent at least once.
    Sent,
    /// Done: its transaction landed.
    Confirmed,
    /// It failed, and is not tried again by itself.
    Failed {
        /// Why.
        reason: String,
    },
    /// Given up before it was signed.
    Cancelled,
    /// There was nothing to do.
    Skipped {
        /// Why.
        reason: String,
    },
}

impl ItemState {
    /// A stable word: `planned`, `signed`, `sent`, `confirmed`, `failed`, `cancelled` or `skipped`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Signed => "signed",
            Self::Sent => "sent",
            Self::Confirmed => "confirmed",
            Self::Failed { .. } => "failed",
            Self::Cancelled => "cancelled",
            Self::Skipped { .. } => "skipped",
        }
    }

    /// Whether a transaction of it may still land.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::Signed | Self::Sent)
    }
}

/// A stored item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobItem {
    /// What was stored; its amount is the one decided last.
    pub new: NewItem,
    /// How it was packed: items of one group are in one transaction, unless that had to be split.
    pub group: u32,
    /// How far it has come.
    pub state: ItemState,
    /// The last transaction that it was in: its number in the job and its signature.
    pub batch: Option<(u32, Signature)>,
    /// The slot that this one landed in.
    pub slot: Option<u64>,
}

/// Which items of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ItemFilter {
    /// All.
    #[default]
    All,
    /// Those still to be done.
    Planned,
    /// Those whose transaction may still land.
    UnderWay,
    /// Those done.
    Done,
    /// Those that failed.
    Failed,
    /// Those given up or with nothing to do.
    LeftOut,
}

/// After which item a page begins; the first one without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemCursor {
    /// The number of the last item of the page before.
    pub after: Option<u32>,
}
