//! Attempts to send a transaction: stored durably before anything is sent, then followed to their end.
//!
//! It sends nothing and knows no node: what became of an attempt is said by the caller.

use keyward_core::address::{Address, Signature};
use keyward_core::audit::{Operation, Outcome};

use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::store::{Ask, AttemptLookup, Payment, Write, transact};
use crate::transfer::{NonceUse, Repeat, TransferAmount};
use crate::vault::Custody;

/// The most attempts of one page.
pub const MAX_ATTEMPTS: u32 = 1_000;

/// The longest transaction, in bytes: version 1's limit.
const MAX_TRANSACTION_BYTES: usize = 4_096;

/// The longest name of a network, in bytes.
pub(crate) const MAX_NETWORK_BYTES: usize = 128;

/// The longest error kept with an attempt, in characters.
const MAX_ERROR_CHARS: usize = 1_000;

/// The id of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(pub(crate) i64);

impl std::fmt::Display for AttemptId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// Signed and stored; perhaps not sent.
    Signed,
    /// Sent at least once.
    Sent,
    /// Confirmed by the cluster.
    Confirmed,
    /// Finalized: the end.
    Finalized,
    /// Failed on chain: the end.
    Failed,
    /// Provably expired: the end.
    Expired,
}

impl AttemptState {
    /// Whether nothing can follow.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Finalized | Self::Failed | Self::Expired)
    }

    /// The word stored for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Sent => "sent",
            Self::Confirmed => "confirmed",
            Self::Finalized => "finalized",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    pub(crate) fn from_stored(text: &str) -> Option<Self> {
        [
            Self::Signed,
            Self::Sent,
            Self::Confirmed,
            Self::Finalized,
            Self::Failed,
            Self::Expired,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
    }
}

/// What a signature that is recorded already means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// It is the same attempt, recorded again.
    Same,
    /// It is another one.
    Other,
}

/// A signed transaction about to be sent.
#[derive(Clone, Debug)]
pub struct NewAttempt {
    /// The paying wallet.
    pub wallet: Address,
    /// Who is paid.
    pub recipient: Address,
    /// How much of what.
    pub amount: TransferAmount,
    /// The transaction's signature.
    pub signature: Signature,
    /// Its wire bytes, at most 4096.
    pub transaction: Vec<u8>,
    /// The last block height at which it can still land. With a durable nonce it is the height at which it was prepared:
    /// it cannot have landed before.
    pub last_valid_block_height: u64,
    /// The durable nonce that it lives by, if it has one.
    pub nonce: Option<NonceUse>,
    /// The network, as the node names it.
    pub network: String,
}

/// A stored attempt.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its id.
    pub id: AttemptId,
    /// What was recorded before sending.
    pub new: NewAttempt,
    /// How far it has come.
    pub state: AttemptState,
    /// The slot it landed in.
    pub slot: Option<u64>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was recorded, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it last changed, in milliseconds since the Unix epoch.
    pub updated_ms: u64,
}

/// Which attempts.
#[derive(Clone, Debug)]
pub struct AttemptQuery {
    /// Only those that have not ended.
    pub unresolved_only: bool,
    /// Only this wallet's.
    pub wallet: Option<Address>,
    /// How many, at most 1000; the newest first.
    pub limit: u32,
}

impl Default for AttemptQuery {
    fn default() -> Self {
        Self {
            unresolved_only: false,
            wallet: None,
            limit: 100,
        }
    }
}

impl Custody {
    /// Stores an attempt durably, before anything of it is sent.
    ///
    /// # Errors
    /// [`CustodyError::Locked`], [`CustodyError::NotFound`], [`CustodyError::Invalid`], or the store's. The same
    /// signature recorded again is the same attempt.
    pub async fn record_attempt(
        &self,
        attempt: NewAttempt,
        repeat: Repeat,
    ) -> Result<AttemptId, CustodyError> {
        self.record_as(attempt, repeat, Known::Same).await
    }

    /// As [`Self::record_attempt`], of what was signed just now: the same bytes recorded before are another payment's, whose
    /// one transaction must not count for two.
    ///
    /// # Errors
    /// As [`Self::record_attempt`]; [`CustodyError::SamePayment`] where the signature is recorded already.
    pub(crate) async fn record_new_attempt(
        &self,
        attempt: NewAttempt,
        repeat: Repeat,
    ) -> Result<AttemptId, CustodyError> {
        self.record_as(attempt, repeat, Known::Other).await
    }

    async fn record_as(
        &self,
        attempt: NewAttempt,
        repeat: Repeat,
        if_known: Known,
    ) -> Result<AttemptId, CustodyError> {
        let session = self.session().ok_or(CustodyError::Locked)?;
        if attempt.transaction.is_empty() || attempt.transaction.len() > MAX_TRANSACTION_BYTES {
            return Err(CustodyError::invalid(
                "transaction",
                format!("1 to {MAX_TRANSACTION_BYTES} bytes"),
            ));
        }
        if attempt.network.len() > MAX_NETWORK_BYTES {
            return Err(CustodyError::invalid(
                "network",
                format!("at most {MAX_NETWORK_BYTES} bytes"),
            ));
        }
        let ask = Ask {
            wallets: vec![attempt.wallet.into()],
            attempt: Some(AttemptLookup::Signature(attempt.signature)),
            same_payment: (repeat == Repeat::Refuse).then(|| Payment {
                wallet: attempt.wallet,
                recipient: attempt.recipient,
                amount: attempt.amount,
                network: attempt.network.clone(),
            }),
            unsigned_tail: true,
            ..Ask::default()
        };
        let (known, applied) = transact(self.store(), ask, |ledger, facts| {
            if let Some(known) = facts.attempt {
                if if_known == Known::Other {
                    return Err(CustodyError::SamePayment {
                        signature: known.new.signature,
                    });
                }
                return if known.new.transaction == attempt.transaction {
                    Ok((Vec::new(), Some(known.id)))
                } else {
                    Err(CustodyError::invalid(
                        "attempt",
                        "its signature is recorded for other bytes",
                    ))
                };
            }
            // Looked for and recorded under one write lock: of two processes that make the same payment, one is refused.
            if let Some(signature) = facts.same_payment {
                return Err(CustodyError::SamePayment { signature });
            }
            let wallet = facts.wallets.first().ok_or_else(|| CustodyError::NotFound {
                what: format!("wallet: {}", attempt.wallet),
            })?;
            let draft = Draft::new(Operation::Send, Outcome::Authorised)
                .wallet(attempt.wallet)
                .details(format!(
                    "{} to {}, transaction {}",
                    attempt.amount, attempt.recipient, attempt.signature
                ));
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            Ok((
                vec![Write::Attempt {
                    wallet: wallet.id,
                    new: Box::new(attempt),
                }],
                None,
            ))
        })
        .await?;
        known
            .or(applied.attempt.map(AttemptId))
            .ok_or_else(|| CustodyError::damaged("the store gave the attempt no id"))
    }

    /// Moves an attempt on. An attempt that has ended does not change again; told the same end twice, it stays as
    /// it is. The end is written to the audit log when the vault is unlocked; following a transaction to its end
    /// does not need the key.
    ///
    /// # Errors
    /// [`CustodyError::NotFound`], [`CustodyError::Invalid`] when it has ended otherwise or a landed one has no slot,
    /// or the store's.
    pub async fn update_attempt(
        &self,
        id: AttemptId,
        state: AttemptState,
        slot: Option<u64>,
        error: Option<String>,
    ) -> Result<(), CustodyError> {
        let session = self.session();
        let ask = Ask {
            attempt: Some(AttemptLookup::Id(id)),
            unsigned_tail: true,
            ..Ask::default()
        };
        transact(self.store(), ask, |ledger, facts| {
            let attempt = facts.attempt.ok_or_else(|| CustodyError::NotFound {
                what: format!("attempt: {id}"),
            })?;
            let next = next_state(&attempt, state, slot, error)?;
            let Some(Landing { slot, error }) = next else {
                return Ok((Vec::new(), ()));
            };
            // A transfer is followed to its confirmation, so that is its end in the log; becoming final adds nothing.
            let ends = state.is_final() || state == AttemptState::Confirmed;
            let was_confirmed = attempt.state == AttemptState::Confirmed;
            let told = was_confirmed && matches!(state, AttemptState::Confirmed | AttemptState::Finalized);
            if let Some(session) = session.as_deref().filter(|_| ends && !told) {
                let outcome = match state {
                    AttemptState::Confirmed | AttemptState::Finalized => Outcome::Done,
                    _ => Outcome::Failed,
                };
                let draft = Draft::new(Operation::Send, outcome)
                    .wallet(attempt.new.wallet)
                    .reason(if outcome == Outcome::Done {
                        ""
                    } else {
                        state.as_str()
                    })
                    .details(format!(
                        "transaction {}{}",
                        attempt.new.signature,
                        ending(slot, error.as_deref())
                    ));
                ledger.append(facts.now_ms, self.scribe(Some(session)), draft)?;
            }
            Ok((
                vec![Write::AttemptState {
                    id,
                    state,
                    slot,
                    error,
                }],
                (),
            ))
        })
        .await
        .map(|_| ())
    }

    /// Attempts, the newest first.
    ///
    /// # Errors
    /// [`CustodyError::Invalid`] for a limit over [`MAX_ATTEMPTS`], or the store's.
    pub async fn attempts(&self, query: &AttemptQuery) -> Result<Vec<Attempt>, CustodyError> {
        if query.limit > MAX_ATTEMPTS {
            return Err(CustodyError::invalid(
                "page",
                format!("at most {MAX_ATTEMPTS} attempts"),
            ));
        }
        self.store().attempts(query).await
    }
}

/// What is stored with a state.
struct Landing {
    slot: Option<u64>,
    error: Option<String>,
}

/// What to store with the next state, or `None` when nothing changes.
fn next_state(
    attempt: &Attempt,
    state: AttemptState,
    slot: Option<u64>,
    error: Option<String>,
) -> Result<Option<Landing>, CustodyError> {
    if attempt.state.is_final() {
        if attempt.state == state {
            return Ok(None);
        }
        let reason = format!(
            "it ended as {} and cannot become {}",
            attempt.state.as_str(),
            state.as_str()
        );
        return Err(CustodyError::invalid("attempt", reason));
    }
    let error = error.map(|text| {
        text.chars()
            .filter(|c| !c.is_control())
            .take(MAX_ERROR_CHARS)
            .collect()
    });
    match state {
        // What has not landed has no slot, also when a fork took the landing back.
        AttemptState::Signed | AttemptState::Sent | AttemptState::Expired => {
            Ok(Some(Landing { slot: None, error }))
        }
        AttemptState::Confirmed | AttemptState::Finalized => match slot.or(attempt.slot) {
            Some(slot) => Ok(Some(Landing {
                slot: Some(slot),
                error: None,
            })),
            None => Err(CustodyError::invalid("attempt", "one that landed needs its slot")),
        },
        AttemptState::Failed => Ok(Some(Landing {
            slot: slot.or(attempt.slot),
            error,
        })),
    }
}

fn ending(slot: Option<u64>, error: Option<&str>) -> String {
    let slot = slot.map_or_else(String::new, |slot| format!(" in slot {slot}"));
    let error = error.map_or_else(String::new, |error| format!(": {error}"));
    format!("{slot}{error}")
}
