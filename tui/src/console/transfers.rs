//! The transfers of this run, as far as a screen shows them: they go on when their screen is left.
//!
//! Addresses, amounts and signatures are public, so this outlives a lock, as the transfers themselves do. The durable
//! record is the vault's; this one is forgotten when the console ends.

use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_custody::Wallet;
use keyward_custody::transfer::nonce::NonceAction;
use keyward_custody::transfer::{
    TransferAmount, TransferOutcome, TransferProgress, TransferRequest, TransferResult,
};

use super::effect::{Failure, RequestId};

/// How many are remembered.
const KEPT: usize = 50;

/// One transfer, or the taking up of unresolved ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its job.
    pub id: RequestId,
    /// What it is.
    pub subject: Subject,
    /// The last step heard of.
    pub latest: TransferProgress,
    /// Its signature, once there is one.
    pub signature: Option<Signature>,
    /// How many times the bytes were handed to the node.
    pub sent: u32,
    /// How it ended.
    pub end: Option<Result<Vec<Ending>, Failure>>,
}

/// What a transfer is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// One payment.
    Payment(Box<Payment>),
    /// Everything unresolved.
    Resumption,
    /// A durable nonce is made, advanced or closed.
    Nonce(Box<NonceStep>),
}

/// What is done with a durable nonce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NonceStep {
    /// Whose it is.
    pub wallet: Wallet,
    /// Where it is.
    pub account: Address,
    /// What is done.
    pub action: NonceAction,
}

impl NonceStep {
    /// What is done, in a few words.
    #[must_use]
    pub fn words(&self) -> &'static str {
        match self.action {
            NonceAction::Create => "make a durable nonce",
            NonceAction::Advance(_) => "advance a durable nonce",
            NonceAction::Close(_) => "close a durable nonce",
        }
    }
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Who pays.
    pub sender: Wallet,
    /// Who is paid, if it is one of ours.
    pub recipient: Option<Wallet>,
    /// What was asked for.
    pub request: TransferRequest,
    /// All fees as prepared; `None` beyond what can exist.
    pub fee: Option<Lamports>,
}

impl Payment {
    /// The recipient in short.
    #[must_use]
    pub fn to_whom(&self) -> String {
        self.recipient
            .as_ref()
            .map_or_else(|| self.request.to.abbreviated(), wallet_name)
    }
}

/// How one transfer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Its signature.
    pub signature: Signature,
    /// Who was to be paid.
    pub to: Address,
    /// How much.
    pub amount: TransferAmount,
    /// The proven end.
    pub result: TransferResult,
}

impl From<TransferOutcome> for Ending {
    fn from(outcome: TransferOutcome) -> Self {
        Self {
            signature: outcome.signature,
            to: outcome.to,
            amount: outcome.amount,
            result: outcome.result,
        }
    }
}

/// An amount with its unit, a token's mint in short: `1.500000000 SOL`, or `2.50 of 9n8nR1dS…gXqyvJ`.
#[must_use]
pub fn amount_in_short(amount: &TransferAmount) -> String {
    match amount {
        TransferAmount::Sol(_) => amount.to_string(),
        TransferAmount::Token { mint, units } => format!("{units} of {}", mint.abbreviated()),
    }
}

/// What a wallet is called: its label and number, or its number alone.
#[must_use]
pub fn wallet_name(wallet: &Wallet) -> String {
    if wallet.label.is_empty() {
        format!("#{}", wallet.number())
    } else {
        format!("{} #{}", wallet.label, wallet.number())
    }
}

/// All transfers of this run, newest first.
#[derive(Debug, Default)]
pub struct Transfers {
    list: Vec<Transfer>,
}

impl Transfers {
    /// Takes note of one that starts.
    pub fn add(&mut self, id: RequestId, subject: Subject) {
        let latest = TransferProgress::default();
        self.list.insert(
            0,
            Transfer {
                id,
                subject,
                latest,
                signature: None,
                sent: 0,
                end: None,
            },
        );
        let mut ended = 0;
        self.list.retain(|transfer| {
            ended += usize::from(transfer.end.is_some());
            transfer.end.is_none() || ended <= KEPT
        });
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: RequestId) -> Option<&Transfer> {
        self.list.iter().find(|transfer| transfer.id == id)
    }

    /// Whether one is under way.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.list.iter().any(|transfer| transfer.end.is_none())
    }

    /// Takes note of progress.
    pub fn progress(&mut self, id: RequestId, progress: &TransferProgress) {
        let Some(transfer) = self
            .list
            .iter_mut()
            .find(|transfer| transfer.id == id && transfer.end.is_none())
        else {
            return;
        };
        match progress {
            TransferProgress::Recorded { signature } => transfer.signature = Some(*signature),
            TransferProgress::Sent { signature, times } => {
                transfer.signature = Some(*signature);
                transfer.sent = *times;
            }
            _ => {}
        }
        transfer.latest = progress.clone();
    }

    /// Takes note of the end.
    pub fn end(&mut self, id: RequestId, end: Result<Vec<Ending>, Failure>) {
        if let Some(transfer) = self.list.iter_mut().find(|transfer| transfer.id == id) {
            if let (Subject::Payment(_) | Subject::Nonce(_), Ok([outcome])) =
                (&transfer.subject, end.as_deref())
            {
                transfer.signature = Some(outcome.signature);
            }
            transfer.end = Some(end);
        }
    }
}

/// How something done with a durable nonce ended, in a few words.
#[must_use]
pub fn step_summary(step: &NonceStep, outcomes: &[Ending]) -> String {
    match outcomes {
        [
            Ending {
                result: TransferResult::Confirmed { slot },
                ..
            },
        ] => format!("{}: confirmed in slot {slot}", step.words()),
        other => summary(other),
    }
}

/// How transfers ended, in a few words.
#[must_use]
pub fn summary(outcomes: &[Ending]) -> String {
    if let [outcome] = outcomes {
        return match &outcome.result {
            TransferResult::Confirmed { slot } => {
                format!(
                    "{} sent, confirmed in slot {slot}",
                    amount_in_short(&outcome.amount)
                )
            }
            TransferResult::Failed { error, .. } => {
                format!("failed on chain, only the fee is spent: {error}")
            }
            TransferResult::Expired => "expired: it did not land and no longer can".into(),
        };
    }
    let count =
        |wanted: fn(&TransferResult) -> bool| outcomes.iter().filter(|one| wanted(&one.result)).count();
    let confirmed = count(|result| matches!(result, TransferResult::Confirmed { .. }));
    let failed = count(|result| matches!(result, TransferResult::Failed { .. }));
    let expired = count(|result| matches!(result, TransferResult::Expired));
    match outcomes.len() {
        0 => "nothing is unresolved on this network".into(),
        _ => format!("{confirmed} confirmed, {failed} failed, {expired} expired"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn progress_is_kept_and_stops_at_the_end() {
        let mut transfers = Transfers::default();
        let id = RequestId::new(1);
        let signature = Signature::new([7; 64]);
        transfers.add(id, Subject::Resumption);
        transfers.progress(id, &TransferProgress::Sent { signature, times: 3 });
        transfers.progress(id, &TransferProgress::Confirmed { slot: 9 });
        let seen = transfers.get(id).unwrap();
        assert_eq!((seen.signature, seen.sent), (Some(signature), 3));
        transfers.end(id, Ok(Vec::new()));
        transfers.progress(id, &TransferProgress::Expired);
        assert_eq!(
            transfers.get(id).unwrap().latest,
            TransferProgress::Confirmed { slot: 9 }
        );
        assert!(!transfers.is_running());
    }

    #[test]
    fn running_transfers_are_never_forgotten() {
        let mut transfers = Transfers::default();
        transfers.add(RequestId::new(0), Subject::Resumption);
        for number in 1..200 {
            transfers.add(RequestId::new(number), Subject::Resumption);
            transfers.end(RequestId::new(number), Ok(Vec::new()));
        }
        assert!(transfers.get(RequestId::new(0)).is_some());
        assert!(transfers.list.len() <= KEPT + 2);
    }
}
