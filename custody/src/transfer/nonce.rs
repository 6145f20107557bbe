//! Durable nonces of a wallet: make one, see them, advance one, close one.
//!
//! A wallet's nonce accounts are at addresses that follow from the wallet's own and a number, so none needs a key of its own,
//! and they are found again on the chain alone. Advancing one ends whatever was prepared with it and has not landed.
//!
//! These transactions are not recorded as attempts: making one twice fails, advancing one twice does no more, and closing one
//! twice fails. They go through the same signing service, policy and audit as every other. How nonces work:
//! <https://solana.com/docs/core/transactions>.

use std::time::Duration;

use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::Lamports;
use keyward_core::intent::{Intent, programs};
use keyward_core::solana::instructions::{
    NONCE_ACCOUNT_BYTES, advance_nonce, create_account_with_seed, initialize_nonce, withdraw_nonce,
};
use keyward_core::solana::seeded_address;
use keyward_core::solana::{Instruction, MessageVersion, Transaction, compile_message};
use tokio::sync::watch;

use super::driver::Run;
use super::lifetime::{Lifetime, read_nonce};
use super::tracker::{Pace, Tracker};
use super::{TransferError, TransferOutcome, TransferProgress, TransferRequest};
use crate::chain::{ChainError, Commitment, SolanaNode};
use crate::changes::{Nonce, SimulatedChanges, simulate_changes};
use crate::signing::WalletPasswords;
use crate::{AttemptState, Custody, SignRequest, SigningPreview};

/// How many nonce accounts of a wallet are looked for: numbers 0 to 19.
pub const MAX_NONCES: u32 = 20;

/// How often something is tried again that a nonce of the present block may stand in the way of, and after how long.
pub(super) const MOMENTS: u32 = 10;
pub(super) const MOMENT: Duration = Duration::from_millis(300);

/// A durable nonce on the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NonceAccount {
    /// Where it is.
    pub address: Address,
    /// Its number among the wallet's.
    pub number: u32,
    /// Who may advance and close it.
    pub authority: Address,
    /// What a transaction names in a blockhash's place.
    pub value: Blockhash,
    /// What it holds, for its rent.
    pub lamports: Lamports,
}

/// What to do with a durable nonce of a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NonceAction {
    /// Make the wallet's first one that is not there yet; the wallet pays its rent.
    Create,
    /// Give it its next value: what was prepared with the present one can no longer land.
    Advance(Address),
    /// Give all that it holds back to the wallet.
    Close(Address),
}

/// A transaction about a nonce, ready to be signed.
#[derive(Debug, Clone)]
pub struct NoncePlan {
    /// The wallet that signs and pays.
    pub wallet: Address,
    /// The nonce account.
    pub account: Address,
    /// The unsigned transaction in wire form.
    pub transaction: Vec<u8>,
    /// What the bytes do, read from the bytes.
    pub intent: Intent,
    /// What the cluster charges.
    pub fee: Lamports,
    /// What goes to the account, or comes from it.
    pub lamports: Lamports,
    /// What would change, as simulated: an estimate.
    pub changes: SimulatedChanges,
    /// What the policy in force says.
    pub decision: SigningPreview,
    /// How long it can land.
    lifetime: Lifetime,
    /// The genesis hash of the network.
    pub network: String,
}

/// Where a wallet's nonce account of this number is.
///
/// # Errors
/// [`TransferError::Nonce`] in the case, which nobody has met, that there is no such address.
pub fn nonce_address(wallet: &Address, number: u32) -> Result<Address, TransferError> {
    seeded_address(wallet, &seed(number), &programs::SYSTEM).ok_or_else(|| TransferError::Nonce {
        account: *wallet,
        reason: "no address follows from it".into(),
    })
}

fn seed(number: u32) -> String {
    format!("keyward nonce {number}")
}

/// Reads the durable nonces of a wallet from the chain.
///
/// # Errors
/// The node's.
pub async fn nonces(node: &SolanaNode, wallet: &Address) -> Result<Vec<NonceAccount>, TransferError> {
    let addresses: Vec<Address> = (0..MAX_NONCES)
        .map(|number| nonce_address(wallet, number))
        .collect::<Result<_, _>>()?;
    let (_, found) = node.account_data(&addresses, Commitment::Confirmed).await?;
    let numbered = (0..MAX_NONCES).zip(addresses).zip(found);
    Ok(numbered
        .filter_map(|((number, address), account)| {
            let account = account?;
            let nonce = Nonce::of(&account)?;
            Some(NonceAccount {
                address,
                number,
                authority: nonce.authority,
                value: nonce.value,
                lamports: account.lamports,
            })
        })
        .collect())
}

/// Builds and previews a transaction about a nonce. Signs nothing.
///
/// # Errors
/// [`TransferError::Nonce`] where there is no such nonce, none is free, or the wallet has no authority over it;
/// [`TransferError::WouldFail`]; the node's.
pub async fn prepare_nonce(
    custody: &Custody,
    node: &SolanaNode,
    wallet: Address,
    action: NonceAction,
) -> Result<NoncePlan, TransferError> {
    let mut moments = 0;
    loop {
        match prepare_once(custody, node, wallet, action).await {
            Err(error) if moments < MOMENTS && is_of_this_block(&error) => {
                moments += 1;
                tokio::time::sleep(MOMENT).await;
            }
            other => return other,
        }
    }
}

/// Whether it may be because a nonce was made or advanced in the present block: none may be used, advanced or closed before the
/// next. The System program's error 7 is `NonceBlockhashNotExpired`; what uses such a nonce has a blockhash that is not known.
pub(super) fn is_of_this_block(error: &TransferError) -> bool {
    match error {
        TransferError::Chain(ChainError::BlockhashUnknown) => true,
        TransferError::WouldFail { reason } => reason.ends_with("error 7"),
        _ => false,
    }
}

async fn prepare_once(
    custody: &Custody,
    node: &SolanaNode,
    wallet: Address,
    action: NonceAction,
) -> Result<NoncePlan, TransferError> {
    let network = node.verify_network().await?;
    // What begins with an advance lives by that nonce, on clusters as in the engines that tests run.
    let by_nonce = match action {
        NonceAction::Advance(account) => Some(account),
        NonceAction::Create | NonceAction::Close(_) => None,
    };
    let lifetime = Lifetime::find(node, wallet, by_nonce).await?;
    let (account, instructions, lamports) = match action {
        NonceAction::Create => create(node, wallet).await?,
        NonceAction::Advance(account) => (account, vec![advance_nonce(account, wallet)], Lamports::ZERO),
        NonceAction::Close(account) => {
            let lamports = owned(node, wallet, account).await?;
            let all = withdraw_nonce(account, wallet, wallet, lamports);
            (account, vec![all], lamports)
        }
    };
    let compile = |blockhash| {
        let message = compile_message(MessageVersion::Legacy, wallet, &instructions, blockhash);
        message.map_err(|error| TransferError::Build {
            reason: error.to_string(),
        })
    };
    let priced = compile(lifetime.recent_blockhash())?;
    let fee = node.fee_for_message(&priced.encode()).await?;
    let message = compile(lifetime.blockhash())?;
    let intent = Intent::from_message(&message);
    let transaction = Transaction::unsigned(message).encode();
    let changes = simulate_changes(node, &transaction).await?;
    if let Some(reason) = changes.error {
        return Err(TransferError::WouldFail { reason });
    }
    let decision = custody.preview(&transaction, &network).await?;
    Ok(NoncePlan {
        wallet,
        account,
        transaction,
        intent,
        fee,
        lamports,
        changes,
        decision,
        lifetime,
        network,
    })
}

async fn create(
    node: &SolanaNode,
    wallet: Address,
) -> Result<(Address, Vec<Instruction>, Lamports), TransferError> {
    let addresses: Vec<Address> = (0..MAX_NONCES)
        .map(|number| nonce_address(&wallet, number))
        .collect::<Result<_, _>>()?;
    let (_, found) = node.account_data(&addresses, Commitment::Confirmed).await?;
    let free = (0..MAX_NONCES)
        .zip(&addresses)
        .zip(&found)
        .find(|(_, account)| account.is_none());
    let Some(((number, account), _)) = free else {
        return Err(TransferError::Nonce {
            account: wallet,
            reason: format!("it has all {MAX_NONCES} that a wallet may have; close one first"),
        });
    };
    let rent = node.rent_minimum(NONCE_ACCOUNT_BYTES).await?;
    let base = (wallet, seed(number));
    let make = create_account_with_seed(
        wallet,
        (base.0, base.1.as_str()),
        rent,
        NONCE_ACCOUNT_BYTES,
        programs::SYSTEM,
    );
    let make = make.ok_or_else(|| TransferError::Nonce {
        account: *account,
        reason: "no address follows from the wallet".into(),
    })?;
    Ok((*account, vec![make, initialize_nonce(*account, wallet)], rent))
}

/// What a nonce holds over which the wallet has authority.
async fn owned(node: &SolanaNode, wallet: Address, account: Address) -> Result<Lamports, TransferError> {
    let nonce = read_nonce(node, account).await?;
    if nonce.authority != wallet {
        return Err(TransferError::Nonce {
            account,
            reason: format!("its authority is {}, not {wallet}", nonce.authority),
        });
    }
    let (_, infos) = node.accounts(&[account]).await?;
    let info = infos.into_iter().next().flatten();
    Ok(info.map_or(Lamports::ZERO, |info| info.lamports))
}

/// Signs a prepared transaction about a nonce, sends it and follows it to its end.
///
/// # Errors
/// [`TransferError`]. Only [`TransferError::Unknown`] comes after something was sent; [`nonces`] tells what became of it.
pub async fn submit_nonce(
    custody: &Custody,
    node: &SolanaNode,
    plan: NoncePlan,
    passwords: WalletPasswords,
    progress: watch::Sender<TransferProgress>,
) -> Result<TransferOutcome, TransferError> {
    if node.verify_network().await? != plan.network {
        let found = node.network().await?;
        return Err(TransferError::OtherNetwork {
            expected: plan.network,
            found,
        });
    }
    let request = SignRequest::new(plan.transaction, plan.network);
    let signed = custody.sign_transaction_with(request, &passwords).await?;
    let tracker = Tracker::resume(
        signed.signature,
        AttemptState::Signed,
        plan.lifetime.last_valid_block_height(),
        Pace::default(),
    );
    let nonce = plan.lifetime.nonce();
    let tracker = match nonce {
        Some(_) => tracker.durable(),
        None => tracker,
    };
    let request = TransferRequest::new(plan.wallet, plan.account, plan.lamports);
    let signature: Signature = signed.signature;
    let run = Run::of_signed(
        (custody, node),
        &progress,
        request,
        (None, signature),
        (signed.bytes, nonce),
    );
    run.follow(tracker).await
}
