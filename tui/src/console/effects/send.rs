//! Work on a transfer: looking up the recipient, preparing, signing and sending, taking up unresolved ones.

use std::collections::HashSet;

use keyward_core::account::Chain;
use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_custody::chain::{Commitment, SolanaNode};
use keyward_custody::lookalike::Known;
use keyward_custody::transfer::nonce::{self, NonceAccount, NonceAction, NoncePlan};
use keyward_custody::transfer::{
    self, Repeat, TransferAmount, TransferError, TransferPlan, TransferProgress, TransferRequest,
};
use keyward_custody::{
    AttemptQuery, AttemptState, Contact, ContactQuery, Custody, CustodyError, FeePolicy, Wallet,
    WalletPasswords, WalletQuery,
};
use tokio::sync::watch;

use super::{Reporter, Services};
use crate::console::effect::{Failure, FailureKind, Progress};
use crate::console::transfers::Ending;

/// How many past attempts are looked through for earlier payments to the same recipient.
const LOOKED_THROUGH: u32 = 1_000;

/// How many contacts and wallets are suggested for a piece of a label.
const SUGGESTED_CONTACTS: usize = 2;
const SUGGESTED_WALLETS: u32 = 3;
/// Among how many contacts those are looked for: their addresses and notes are searched as well.
const CONTACTS_SEARCHED: u32 = 50;

/// What to do.
#[derive(Debug)]
pub enum SendWork {
    /// See whether an address is a wallet of ours, or in the address book.
    Lookup(Address),
    /// Find whom a piece of a label, or `#` and an index, may mean.
    Suggest(String),
    /// List the unresolved transfers of a wallet, or of all.
    Unresolved(Option<Address>),
    /// Build and simulate a transfer.
    Prepare(Box<Draft>),
    /// Ask for the block height, by which a prepared transfer grows old.
    Height,
    /// Sign, record, send and follow; with the wallet's password, if it has one of its own.
    Submit(Box<TransferPlan>, WalletPasswords),
    /// Follow every unresolved transfer to its end.
    Resume,
    /// Read a wallet's durable nonces.
    Nonces(Address),
    /// Build and simulate what is done with one.
    PrepareNonce(Address, NonceAction),
    /// Sign, record, send and follow that; with the wallet's password, if it has one of its own.
    SubmitNonce(Box<NoncePlan>, WalletPasswords),
}

/// A transfer as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The sending wallet.
    pub from: Address,
    /// The recipient.
    pub to: Address,
    /// How much.
    pub amount: Wish,
    /// What to offer above the cluster's own fee.
    pub fee: FeePolicy,
    /// A public text.
    pub memo: Option<String>,
    /// The durable nonce that it lives by, in place of a recent blockhash.
    pub nonce: Option<Address>,
    /// What to do about an equal unresolved transfer.
    pub repeat: Repeat,
}

/// How much to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// So much.
    Exactly(TransferAmount),
    /// All the SOL that is left after the fees.
    Everything,
}

/// What came of it.
#[derive(Debug)]
pub enum SendAnswer {
    /// Whose address it is, if we know.
    Known(Result<Option<Party>, Failure>),
    /// Whom the text may mean.
    Suggested(Result<Vec<Party>, Failure>),
    /// The signatures of unresolved transfers, the newest first.
    Unresolved(Result<Vec<Signature>, Failure>),
    /// A transfer ready for review.
    Prepared(Result<Box<Prepared>, Obstacle>),
    /// The confirmed block height.
    Height(Result<u64, Failure>),
    /// The end of a transfer.
    Submitted(Result<Ending, Failure>),
    /// The ends of unresolved transfers.
    Resumed(Result<Vec<Ending>, Failure>),
    /// A wallet's durable nonces.
    Nonces(Result<Vec<NonceAccount>, Failure>),
    /// What would be done with one.
    NoncePrepared(Result<Box<NoncePlan>, Failure>),
}

/// Somebody whom this vault knows by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// A wallet of ours.
    Wallet(Box<Wallet>),
    /// Somebody in the address book.
    Contact(Contact),
}

impl Party {
    /// What people call it.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Wallet(wallet) => &wallet.label,
            Self::Contact(contact) => &contact.label,
        }
    }

    /// Where payments go.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        match self {
            Self::Wallet(wallet) => wallet.solana().copied(),
            Self::Contact(contact) => Some(contact.address),
        }
    }
}

/// A transfer ready for review.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What is signed if the person says so.
    pub plan: TransferPlan,
    /// The recipient, if it is ours.
    pub recipient: Option<Wallet>,
    /// What is known of the recipient: that it is ours, in the address book, or was paid from this vault before.
    pub known: Option<Known>,
    /// How many confirmed payments went from this wallet to this recipient, as far as this vault remembers.
    pub paid_before: u64,
    /// The confirmed block height just after preparing; `None` when the node did not say.
    pub block_height: Option<u64>,
}

/// Why a transfer was not prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// Cause and remedy.
    pub failure: Failure,
    /// What has to change.
    pub about: About,
}

/// What stands in the way of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The recipient.
    Recipient,
    /// The amount.
    Amount,
    /// The memo.
    Memo,
    /// An equal transfer, not known to have landed or expired.
    Unresolved(Signature),
    /// No node, or no answer from it.
    Node,
    /// Something else.
    Other,
}

pub(super) async fn perform(services: &Services, work: SendWork, reporter: &Reporter) -> SendAnswer {
    match work {
        SendWork::Lookup(address) => SendAnswer::Known(lookup(services, &address).await),
        SendWork::Suggest(text) => SendAnswer::Suggested(suggest(services, text).await),
        SendWork::Unresolved(wallet) => SendAnswer::Unresolved(unresolved(services, wallet).await),
        SendWork::Prepare(draft) => SendAnswer::Prepared(prepare(services, &draft).await.map(Box::new)),
        SendWork::Height => SendAnswer::Height(height(services).await),
        SendWork::Submit(plan, passwords) => {
            SendAnswer::Submitted(submit(services, *plan, passwords, reporter).await)
        }
        SendWork::Resume => SendAnswer::Resumed(resume(services, reporter).await),
        SendWork::Nonces(wallet) => SendAnswer::Nonces(nonces(services, &wallet).await),
        SendWork::PrepareNonce(wallet, action) => {
            SendAnswer::NoncePrepared(prepare_nonce(services, wallet, action).await.map(Box::new))
        }
        SendWork::SubmitNonce(plan, passwords) => {
            SendAnswer::Submitted(submit_nonce(services, *plan, passwords, reporter).await)
        }
    }
}

async fn lookup(services: &Services, address: &Address) -> Result<Option<Party>, Failure> {
    let custody = services.custody()?;
    if let Some(wallet) = custody.wallet_by_address(address).await? {
        return Ok(Some(Party::Wallet(Box::new(wallet))));
    }
    match custody.contact(&address.to_string()).await {
        Ok(contact) => Ok(Some(Party::Contact(contact))),
        Err(CustodyError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Those whose whole label it is come first, then wallets, then contacts. `#` and an index is a wallet.
async fn suggest(services: &Services, text: String) -> Result<Vec<Party>, Failure> {
    let custody = services.custody()?;
    let wallets = WalletQuery {
        text: text.clone(),
        chain: Some(Chain::Solana),
        limit: SUGGESTED_WALLETS,
        ..WalletQuery::default()
    };
    let mut found = Vec::new();
    match custody.wallet(&text).await {
        Ok(wallet) => found.push(Party::Wallet(Box::new(wallet))),
        Err(CustodyError::NotFound { .. } | CustodyError::Ambiguous { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let rows = custody.wallets(&wallets).await?.rows;
    found.extend(rows.into_iter().map(|wallet| Party::Wallet(Box::new(wallet))));
    if !text.starts_with('#') {
        found.extend(contacts(&custody, &text).await?);
    }
    found.sort_by_key(|party| party.label() != text);
    let mut seen = HashSet::new();
    found.retain(|party| party.address().is_some_and(|address| seen.insert(address)));
    Ok(found)
}

async fn contacts(custody: &Custody, text: &str) -> Result<Vec<Party>, Failure> {
    let mut found = Vec::new();
    match custody.contact(text).await {
        Ok(contact) => found.push(contact),
        Err(CustodyError::NotFound { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let query = ContactQuery {
        text: text.to_owned(),
        limit: CONTACTS_SEARCHED,
        ..ContactQuery::default()
    };
    let piece = text.to_ascii_lowercase();
    let by_label = custody
        .contacts(&query)
        .await?
        .rows
        .into_iter()
        .filter(|contact| contact.label.to_ascii_lowercase().contains(&piece));
    found.extend(by_label.take(SUGGESTED_CONTACTS));
    Ok(found.into_iter().map(Party::Contact).collect())
}

async fn unresolved(services: &Services, wallet: Option<Address>) -> Result<Vec<Signature>, Failure> {
    let query = AttemptQuery {
        unresolved_only: true,
        wallet,
        limit: 100,
    };
    let attempts = services.custody()?.attempts(&query).await?;
    Ok(attempts.iter().map(|attempt| attempt.new.signature).collect())
}

async fn prepare(services: &Services, draft: &Draft) -> Result<Prepared, Obstacle> {
    let (custody, node) = both(services).map_err(|failure| Obstacle {
        about: if failure.kind == FailureKind::NoNode {
            About::Node
        } else {
            About::Other
        },
        failure,
    })?;
    let plan = match draft.amount {
        Wish::Exactly(amount) => transfer::prepare(&custody, &node, &request(draft, amount)).await,
        Wish::Everything => everything(&custody, &node, draft).await,
    };
    let plan = plan.map_err(obstacle)?;
    let recipient = custody
        .wallet_by_address(&draft.to)
        .await
        .map_err(|error| other(error.into()))?;
    let paid_before = paid_before(&custody, draft).await.map_err(other)?;
    let everybody = custody.lookalikes().await.map_err(|error| other(error.into()))?;
    // Only the countdown hangs on it, and that says "?" when the node does not answer.
    let block_height = node.block_height(Commitment::Confirmed).await.ok();
    Ok(Prepared {
        plan,
        recipient,
        known: everybody.known(&draft.to).cloned(),
        paid_before,
        block_height,
    })
}

/// Asks for the whole balance first: the refusal says what is left after the fees of exactly this transfer.
async fn everything(
    custody: &Custody,
    node: &SolanaNode,
    draft: &Draft,
) -> Result<TransferPlan, TransferError> {
    let balances = node.balances(&[draft.from]).await?;
    let Some(balance) = balances.values.first().copied().flatten() else {
        return Err(balances.failure.map_or(
            TransferError::Build {
                reason: "the node did not say what the wallet holds".into(),
            },
            TransferError::Chain,
        ));
    };
    match transfer::prepare(custody, node, &request(draft, balance.into())).await {
        Err(TransferError::InsufficientFunds { most, .. }) if most > Lamports::ZERO => {
            transfer::prepare(custody, node, &request(draft, most.into())).await
        }
        other => other,
    }
}

fn request(draft: &Draft, amount: TransferAmount) -> TransferRequest {
    let mut request = TransferRequest::new(draft.from, draft.to, amount);
    request.fee = draft.fee;
    request.memo.clone_from(&draft.memo);
    request.repeat = draft.repeat;
    request.nonce = draft.nonce;
    request
}

async fn paid_before(custody: &Custody, draft: &Draft) -> Result<u64, Failure> {
    let query = AttemptQuery {
        unresolved_only: false,
        wallet: Some(draft.from),
        limit: LOOKED_THROUGH,
    };
    let attempts = custody.attempts(&query).await?;
    let paid = attempts
        .iter()
        .filter(|attempt| attempt.new.recipient == draft.to)
        .filter(|attempt| matches!(attempt.state, AttemptState::Confirmed | AttemptState::Finalized));
    Ok(paid.count() as u64)
}

async fn height(services: &Services) -> Result<u64, Failure> {
    Ok(services.node()?.block_height(Commitment::Confirmed).await?)
}

async fn submit(
    services: &Services,
    plan: TransferPlan,
    passwords: WalletPasswords,
    reporter: &Reporter,
) -> Result<Ending, Failure> {
    let (custody, node) = both(services)?;
    let (progress, states) = watch::channel(TransferProgress::default());
    let work = transfer::submit_with(&custody, &node, plan, passwords, progress);
    Ok(reporter.follow(states, Progress::Transfer, work).await?.into())
}

async fn nonces(services: &Services, wallet: &Address) -> Result<Vec<NonceAccount>, Failure> {
    let node = services.node()?;
    Ok(nonce::nonces(&node, wallet).await?)
}

async fn prepare_nonce(
    services: &Services,
    wallet: Address,
    action: NonceAction,
) -> Result<NoncePlan, Failure> {
    let (custody, node) = both(services)?;
    Ok(nonce::prepare_nonce(&custody, &node, wallet, action).await?)
}

async fn submit_nonce(
    services: &Services,
    plan: NoncePlan,
    passwords: WalletPasswords,
    reporter: &Reporter,
) -> Result<Ending, Failure> {
    let (custody, node) = both(services)?;
    let (progress, states) = watch::channel(TransferProgress::default());
    let work = nonce::submit_nonce(&custody, &node, plan, passwords, progress);
    Ok(reporter.follow(states, Progress::Transfer, work).await?.into())
}

async fn resume(services: &Services, reporter: &Reporter) -> Result<Vec<Ending>, Failure> {
    let (custody, node) = both(services)?;
    let (progress, states) = watch::channel(TransferProgress::default());
    let work = transfer::resume(&custody, &node, progress);
    let outcomes = reporter.follow(states, Progress::Transfer, work).await?;
    Ok(outcomes.into_iter().map(Ending::from).collect())
}

fn both(services: &Services) -> Result<(Custody, SolanaNode), Failure> {
    Ok((services.custody()?, services.node()?))
}

fn other(failure: Failure) -> Obstacle {
    Obstacle {
        failure,
        about: About::Other,
    }
}

fn obstacle(error: TransferError) -> Obstacle {
    let about = match &error {
        TransferError::SameAccount => About::Recipient,
        TransferError::ZeroAmount
        | TransferError::InsufficientFunds { .. }
        | TransferError::InsufficientTokens { .. }
        | TransferError::RecipientBelowRent { .. }
        | TransferError::SenderBelowRent { .. } => About::Amount,
        TransferError::MemoTooLong { .. } => About::Memo,
        TransferError::Unresolved { signature } => About::Unresolved(*signature),
        TransferError::Chain(_) => About::Node,
        _ => About::Other,
    };
    Obstacle {
        failure: error.into(),
        about,
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        let remedy = error.remedy();
        match error {
            TransferError::Chain(error) => error.into(),
            TransferError::Custody(error) => error.into(),
            // Whether it landed is not known: the console must offer to follow it, not to pay again.
            TransferError::Unknown { .. } => Self {
                cause: error.to_string(),
                remedy,
                kind: FailureKind::NoNode,
            },
            error => Self::new(error.to_string(), remedy),
        }
    }
}
