//! What is left out of a sweep, and why.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;

/// Something that stays where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The wallet that it belongs to.
    pub wallet: Address,
    /// The token account; none for the wallet's own SOL.
    pub account: Option<Address>,
    /// The token.
    pub mint: Option<Address>,
    /// How much stays there, in base units of the token, or in lamports where there is none.
    pub amount: u64,
    /// The SOL that stays there.
    pub lamports: Lamports,
    /// Why.
    pub reason: SkipReason,
}

/// Why something stays where it is. Each text says what can be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SkipReason {
    /// The token account is frozen.
    #[error("it is frozen; ask whoever may thaw it")]
    Frozen,
    /// Somebody else may close it.
    #[error("only {authority} may close it; ask whoever that is")]
    ForeignCloseAuthority {
        /// Who may.
        authority: Address,
    },
    /// It withholds transfer fees of the token's maker.
    #[error("it withholds {amount} units of transfer fees, and cannot be closed until they are harvested")]
    WithheldFees {
        /// Smallest units.
        amount: u64,
    },
    /// It holds confidential amounts.
    #[error("it holds confidential amounts, which this release cannot move; move them first")]
    Confidential,
    /// It is not empty.
    #[error("it is not empty; collect its tokens first, by `keyward consolidate`")]
    NotEmpty,
    /// It holds wrapped SOL.
    #[error("it holds wrapped SOL; say --unwrap to close it with all of its SOL")]
    Wrapped,
    /// The token cannot be moved.
    #[error("this token cannot be transferred, ever")]
    NonTransferable,
    /// The token's maker stopped it.
    #[error("transfers of this token are paused; try again later")]
    Paused,
    /// Another program is called with every transfer.
    #[error("transfers of this token call another program, which no policy allows unread")]
    TransferHook,
    /// The account that it would go to takes nothing.
    #[error("the recipient's account for it is frozen, or would be from the start; have it thawed first")]
    RecipientFrozen,
    /// The account that it would go to wants a memo.
    #[error(
        "the recipient's account for it takes transfers with a memo only; turn that off, or send it by itself"
    )]
    RecipientWantsMemo,
    /// Something else is at the address of the recipient's account.
    #[error(
        "the recipient's account for it cannot be used: it belongs to somebody else, or is no account of this token"
    )]
    RecipientUnfit,
    /// Too small an amount: all of it would be kept as the token's fee.
    #[error("the token's own transfer fee would take all of it")]
    EatenByFee,
    /// The mint cannot be read.
    #[error("its mint cannot be read, so that nothing is known about the token")]
    UnknownMint,
    /// The account cannot be read.
    #[error("it cannot be read: {cause}")]
    Unreadable {
        /// Why not.
        cause: String,
    },
    /// It has an extension that this release does not know.
    #[error("it has an extension (number {kind}) that this release does not know; update Keyward")]
    UnknownExtension {
        /// The number.
        kind: u16,
    },
    /// It is worth less than what moving it costs.
    #[error("it is worth {gain} SOL and would cost {cost} SOL; leave it")]
    NotWorthIt {
        /// What would come in.
        gain: Lamports,
        /// What would be paid.
        cost: Lamports,
    },
    /// The wallet's account is not a plain one.
    #[error("the wallet's account belongs to program {owner} or holds data, so that it cannot be drained")]
    NotPlain {
        /// Which program.
        owner: Address,
    },
    /// It pays the fees.
    #[error("it pays the fees of the others; name another sponsor to collect it too")]
    PaysTheFees,
    /// It is where everything goes.
    #[error("it is where everything goes")]
    IsTheRecipient,
    /// Policy refuses it even by itself.
    #[error("{text}")]
    Policy {
        /// What policy says.
        text: String,
    },
}

impl SkipReason {
    /// A stable word.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::ForeignCloseAuthority { .. } => "foreign-close-authority",
            Self::WithheldFees { .. } => "withheld-fees",
            Self::Confidential => "confidential",
            Self::NotEmpty => "not-empty",
            Self::Wrapped => "wrapped-sol",
            Self::NonTransferable => "non-transferable",
            Self::Paused => "paused",
            Self::TransferHook => "transfer-hook",
            Self::RecipientFrozen => "recipient-frozen",
            Self::RecipientWantsMemo => "recipient-wants-memo",
            Self::RecipientUnfit => "recipient-unfit",
            Self::EatenByFee => "eaten-by-fee",
            Self::UnknownMint => "unknown-mint",
            Self::Unreadable { .. } => "unreadable",
            Self::UnknownExtension { .. } => "unknown-extension",
            Self::NotWorthIt { .. } => "not-worth-it",
            Self::NotPlain { .. } => "not-plain",
            Self::PaysTheFees => "pays-the-fees",
            Self::IsTheRecipient => "is-the-recipient",
            Self::Policy { .. } => "policy",
        }
    }
}
