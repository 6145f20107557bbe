//! What is wrong or odd about a plan.

use std::fmt;
use std::str::FromStr;

use keyward_core::address::Address;

use crate::error::CustodyError;

/// Something about a plan that a person must know before it is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub code: FindingCode,
    /// The payment that it is about, from 0; none if it is about the whole plan.
    pub item: Option<u32>,
    /// The line of the list that the payment came from, from 1.
    pub line: Option<u32>,
    /// The address that it is about.
    pub address: Option<Address>,
    /// What is the matter, in words for the person.
    pub text: String,
}

impl Finding {
    /// Returns what a person can do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        self.code.remedy()
    }
}

/// What follows from a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gravity {
    /// The plan cannot be carried out.
    Refused,
    /// It can, if a person agrees to this kind of finding.
    Asked,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $gravity:ident, $remedy:literal;)*) => {
        /// A kind of finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum FindingCode {
            $($(#[$doc])* $name,)*
        }

        impl FindingCode {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its stable word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// What follows from it.
            #[must_use]
            pub const fn gravity(self) -> Gravity {
                match self {
                    $(Self::$name => Gravity::$gravity,)*
                }
            }

            const fn remedy(self) -> &'static str {
                match self {
                    $(Self::$name => $remedy,)*
                }
            }
        }
    };
}

codes! {
    /// A recipient is there more than once.
    DuplicateRecipient = "duplicate-recipient", Asked, "merge the lines, or agree to pay it more than once";
    /// A recipient is one of the paying wallets.
    OwnSource = "own-source", Refused, "leave it out: it would pay itself";
    /// The wallet that pays the fees is paid.
    FeePayerPaid = "fee-payer-paid", Asked, "leave it out, or agree to it";
    /// No key can be known for a recipient: it belongs to a program.
    OffCurve = "off-curve", Asked, "ask whether the program gives it out again; agree only if you know that it does";
    /// A recipient is a program or one of the network's own accounts.
    ProgramAddress = "program-address", Refused, "name the wallet that is meant; what a program is paid is lost";
    /// A recipient is a token account.
    TokenAccount = "token-account", Refused, "name the wallet that owns the account";
    /// A recipient is a mint.
    MintAddress = "mint-address", Refused, "name a wallet; what a mint is paid is lost";
    /// A recipient is an account that some program keeps.
    ProgramOwned = "program-owned", Asked, "ask whether its program gives the funds out again; agree only if you know that it does";
    /// An amount is zero.
    ZeroAmount = "zero-amount", Refused, "give an amount above zero, or leave the line out";
    /// A recipient would hold less than the cluster demands of an account.
    BelowRent = "below-rent", Refused, "raise the amount to the named minimum, or leave the line out";
    /// The total cannot be divided so.
    Division = "division", Refused, "change the total, the bounds or the recipients as named";
    /// Everything together is more than can exist.
    TotalOverflow = "total-overflow", Refused, "check the amounts";
    /// The token's address is no mint.
    WrongMint = "wrong-mint", Refused, "give the address of the token's mint";
    /// The token cannot be transferred now or ever.
    NotTransferable = "not-transferable", Refused, "distribute another token, or wait until it is no longer paused";
    /// Transfers of the token run a program.
    TransferHook = "transfer-hook", Refused, "distribute another token; what such a program does is not decoded";
    /// New accounts of the token begin frozen.
    NewAccountsFrozen = "new-accounts-frozen", Refused, "pay only recipients whose accounts are there and thawed";
    /// The token has an extension that this version does not know.
    UnknownExtension = "unknown-extension", Asked, "update Keyward, or agree if you know what it does";
    /// Somebody may move everybody's tokens of this mint.
    PermanentDelegate = "permanent-delegate", Asked, "agree only if you trust whoever that is";
    /// The mint withholds a part of each transfer.
    TransferFee = "transfer-fee", Asked, "agree to it, or let the sender bear it";
    /// A recipient's account of the token is frozen.
    DestinationFrozen = "destination-frozen", Refused, "have the account thawed, or leave the line out";
    /// A recipient's associated account is no longer the recipient's, or no account of this token.
    DestinationForeign = "destination-foreign", Refused, "ask the recipient for another wallet";
    /// A recipient's account takes transfers with a memo only.
    MemoRequired = "memo-required", Refused, "give the line a memo";
    /// A paying wallet is not one of this vault that may sign.
    NotOurs = "not-ours", Refused, "pay from a wallet of this vault that is in use";
    /// A paying wallet has no account of the token.
    NoTokens = "no-tokens", Refused, "fund the wallet, or pay from another";
    /// A paying wallet's account of the token is frozen.
    SourceFrozen = "source-frozen", Refused, "have the account thawed, or pay from another wallet";
    /// The paying wallets have less than is to be paid.
    OverBalance = "over-balance", Refused, "fund the wallets, pay from more of them, or pay less";
    /// The wallet that pays fees and rent has too little for them.
    FeePayerShort = "fee-payer-short", Refused, "fund it with what is missing";
    /// A paying wallet would be left with something, but less than the cluster demands of an account.
    SourceBelowRent = "source-below-rent", Refused, "leave more, or have another wallet pay";
    /// A payment does not fit a transaction.
    TooLarge = "too-large", Refused, "shorten its memo";
    /// A transaction of the plan would fail.
    WouldFail = "would-fail", Refused, "read the reason, correct the plan and make it again";
    /// Policy refuses a transaction of the plan.
    PolicyRefuses = "policy-refuses", Refused, "change the plan or the policy";
    /// A recipient looks like an address that is known, and is another.
    Lookalike = "lookalike", Asked, "compare the whole addresses; agree only if this very one is meant";
    /// An edited plan gives a recipient less than it was paid already.
    PaidMore = "paid-more", Asked, "agree: what was paid cannot be taken back";
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for FindingCode {
    type Err = CustodyError;

    fn from_str(text: &str) -> Result<Self, CustodyError> {
        let found = Self::ALL.iter().copied().find(|code| code.as_str() == text);
        found.ok_or_else(|| CustodyError::invalid("finding", "it is not one of those that a plan names"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn codes_are_words_of_their_own() {
        for (at, code) in FindingCode::ALL.iter().enumerate() {
            assert_eq!(code.to_string().parse::<FindingCode>().unwrap(), *code);
            assert!(
                FindingCode::ALL[..at]
                    .iter()
                    .all(|other| other.as_str() != code.as_str())
            );
            assert!(
                code.as_str()
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            );
            assert!(!code.remedy().is_empty());
        }
        assert!("".parse::<FindingCode>().is_err());
    }
}
