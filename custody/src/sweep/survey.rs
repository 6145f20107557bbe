//! What a plan has to know of the chain and of the vault, read once. It judges nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{FutureExt, StreamExt, TryStreamExt};
use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::instructions::sol_transfer;
use keyward_core::solana::token::{Mint, TokenAccount, TokenProgram};
use keyward_core::solana::{MessageVersion, associated_token_account, compile_message};

use super::build::TargetState;
use super::{MAX_WALLETS, SweepError};
use crate::chain::{AccountData, AccountInfo, ChainError, Commitment, SolanaNode, TokenAccountAt, TokenMint};
use crate::{Custody, Progress, WalletStatus};

/// What one request reads at most.
pub(super) const BATCH: usize = 100;
/// How many requests are under way at once.
const PARALLEL: usize = 4;

/// The facts of a plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Survey {
    /// The genesis hash.
    pub(super) network: String,
    /// The epoch, by which the fees of tokens change.
    pub(super) epoch: u64,
    /// What the cluster charges for a signature, in lamports.
    pub(super) signature_fee: u64,
    /// The wallets' own accounts; those without one are left out.
    pub(super) wallets: BTreeMap<Address, AccountInfo>,
    /// Token accounts with the wallet that owns each.
    pub(super) accounts: Vec<(Address, TokenAccountAt)>,
    /// Token accounts that could not be read, with the wallet and the cause.
    pub(super) unreadable: Vec<(Address, Address, String)>,
    /// Mints; those that are none are left out.
    pub(super) mints: BTreeMap<Address, TokenMint>,
    /// The recipient's account for each mint.
    pub(super) targets: BTreeMap<Address, Target>,
    /// What new accounts of a mint must hold, for those where one has to be made.
    pub(super) rents: BTreeMap<Address, u64>,
    /// What accounts hold above their rent; those that hold none are left out.
    pub(super) excess: BTreeMap<Address, u64>,
}

/// What is at the recipient's associated account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Nothing, or lamports alone: it can be made.
    Missing,
    /// An account that takes transfers.
    Ready,
    /// One that is frozen.
    Frozen,
    /// One that takes transfers with a memo only.
    WantsMemo,
    /// Something else.
    Unfit,
}

impl Target {
    /// Whether it has to be made; none where it takes nothing.
    pub(crate) const fn state(self) -> Option<TargetState> {
        match self {
            Self::Missing => Some(TargetState::Missing),
            Self::Ready => Some(TargetState::There),
            Self::Frozen | Self::WantsMemo | Self::Unfit => None,
        }
    }
}

/// What an account at the recipient's address is, for transfers of this mint to this owner.
pub(crate) fn target_of(
    program: TokenProgram,
    mint: (&Address, &Mint),
    owner: &Address,
    account: Option<&AccountData>,
) -> Target {
    let Some(account) = account else {
        return if mint.1.freezes_new_accounts() {
            Target::Frozen
        } else {
            Target::Missing
        };
    };
    if account.owner == Address::new([0; 32]) && account.data.is_empty() {
        return target_of(program, mint, owner, None);
    }
    if account.owner != program.address() {
        return Target::Unfit;
    }
    match TokenAccount::decode(program, &account.data) {
        Ok(found) if found.mint != *mint.0 || found.owner != *owner => Target::Unfit,
        Ok(found) if found.is_frozen() => Target::Frozen,
        Ok(found) if found.requires_memo() => Target::WantsMemo,
        Ok(_) => Target::Ready,
        Err(_) => Target::Unfit,
    }
}

/// Refuses addresses that are no wallets of this vault in use.
pub(super) async fn expect_ours(
    custody: &Custody,
    wallets: impl IntoIterator<Item = Address>,
    role: &'static str,
) -> Result<(), SweepError> {
    for address in wallets {
        if !is_ours(custody, &address).await? {
            return Err(SweepError::NotOurs { address, role });
        }
    }
    Ok(())
}

/// Whether an address is a wallet of this vault that may sign.
pub(super) async fn is_ours(custody: &Custody, address: &Address) -> Result<bool, SweepError> {
    let wallet = custody.wallet_by_address(*address).await?;
    Ok(wallet.is_some_and(|wallet| matches!(wallet.status, WalletStatus::Active | WalletStatus::Rotated)))
}

/// Each wallet once, in the order named.
pub(super) fn distinct(wallets: &[Address]) -> Result<Vec<Address>, SweepError> {
    let mut seen = BTreeSet::new();
    let distinct: Vec<Address> = wallets
        .iter()
        .copied()
        .filter(|wallet| seen.insert(*wallet))
        .collect();
    match distinct.len() {
        0 => Err(SweepError::NoWallets),
        found if found > MAX_WALLETS => Err(SweepError::TooManyWallets { found }),
        _ => Ok(distinct),
    }
}

/// The network, the epoch, what a signature costs, and the wallets' own accounts.
pub(super) async fn basics(
    node: &SolanaNode,
    fee_payer: Address,
    wallets: &[Address],
) -> Result<Survey, SweepError> {
    let network = node.verify_network().await?;
    let epoch = node.epoch().await?;
    let blockhash = node.latest_blockhash().await?.blockhash;
    let nothing = [sol_transfer(fee_payer, fee_payer, Lamports::ZERO)];
    let message =
        compile_message(MessageVersion::Legacy, fee_payer, &nothing, blockhash).map_err(|error| {
            SweepError::Pack {
                cause: error.to_string(),
            }
        })?;
    let signature_fee = node.fee_for_message(&message.encode()).await?.get();
    let mut addresses = wallets.to_vec();
    if !wallets.contains(&fee_payer) {
        addresses.push(fee_payer);
    }
    let infos = in_batches(&addresses, |batch| {
        async move { Ok(node.accounts(batch).await?.1) }.boxed()
    })
    .await?;
    let wallets = addresses
        .into_iter()
        .zip(infos)
        .filter_map(|(address, info)| Some((address, info?)))
        .collect();
    Ok(Survey {
        network,
        epoch,
        signature_fee,
        wallets,
        ..Survey::default()
    })
}

/// The token accounts of wallets, of both programs, and their mints.
pub(super) async fn tokens(
    survey: &mut Survey,
    node: &SolanaNode,
    wallets: &[Address],
    progress: &Progress,
) -> Result<(), SweepError> {
    let mut requests = Vec::with_capacity(wallets.len() * 2);
    for wallet in wallets {
        for program in TokenProgram::ALL {
            let read = async move {
                let owned = node.token_accounts_of(wallet, program).await;
                owned.map(|owned| (*wallet, owned))
            };
            requests.push(read.boxed());
        }
    }
    let total = requests.len() as u64;
    let mut answers = futures_util::stream::iter(requests).buffered(PARALLEL);
    let mut done = 0;
    while let Some(answer) = answers.next().await {
        let (wallet, owned) = answer?;
        survey
            .accounts
            .extend(owned.accounts.into_iter().map(|account| (wallet, account)));
        let unreadable = owned.unreadable.into_iter();
        survey
            .unreadable
            .extend(unreadable.map(|(account, cause)| (wallet, account, cause.to_string())));
        done += 1;
        progress.report(done, total);
        if progress.is_cancelled() {
            return Err(crate::CustodyError::Cancelled.into());
        }
    }
    drop(answers);
    let mints: BTreeSet<Address> = survey.accounts.iter().map(|(_, at)| at.account.mint).collect();
    let mints: Vec<Address> = mints.into_iter().collect();
    let found = in_batches(&mints, |batch| {
        async move { Ok(node.mints(batch).await?.1) }.boxed()
    })
    .await?;
    survey.mints = mints
        .into_iter()
        .zip(found)
        .filter_map(|(address, mint)| Some((address, mint?)))
        .collect();
    Ok(())
}

/// The recipient's accounts for all mints of the survey, and the rent of those that are missing.
pub(super) async fn targets(
    survey: &mut Survey,
    node: &SolanaNode,
    owner: &Address,
) -> Result<(), SweepError> {
    let mints: Vec<TokenMint> = survey.mints.values().cloned().collect();
    let at = |mint: &TokenMint| associated_token_account(owner, &mint.program.address(), &mint.address);
    let addresses: Vec<Address> = mints.iter().map(at).collect();
    let accounts = in_batches(&addresses, |batch| {
        async move { Ok(node.account_data(batch, Commitment::Confirmed).await?.1) }.boxed()
    })
    .await?;
    let mut rents = BTreeMap::new();
    for (mint, account) in mints.iter().zip(accounts) {
        let target = target_of(mint.program, (&mint.address, &mint.mint), owner, account.as_ref());
        if target == Target::Missing {
            let len = mint.mint.account_len(mint.program);
            let rent = match rents.get(&len) {
                Some(rent) => *rent,
                None => node.rent_minimum(len).await?.get(),
            };
            rents.insert(len, rent);
            survey.rents.insert(mint.address, rent);
        }
        survey.targets.insert(mint.address, target);
    }
    Ok(())
}

/// What token accounts hold above the rent that the cluster asks of their length.
pub(super) async fn excess(
    survey: &mut Survey,
    node: &SolanaNode,
    accounts: &[Address],
) -> Result<(), SweepError> {
    let infos = in_batches(accounts, |batch| {
        async move { Ok(node.accounts(batch).await?.1) }.boxed()
    })
    .await?;
    let mut minima = BTreeMap::new();
    for (address, info) in accounts.iter().zip(infos) {
        let Some(info) = info else {
            continue;
        };
        let minimum = match minima.get(&info.data_len) {
            Some(minimum) => *minimum,
            None => node.rent_minimum(info.data_len).await?.get(),
        };
        minima.insert(info.data_len, minimum);
        match info.lamports.get().checked_sub(minimum) {
            None | Some(0) => {}
            Some(above) => {
                survey.excess.insert(*address, above);
            }
        }
    }
    Ok(())
}

/// Asks about many addresses, so many as one request takes at a time.
pub(super) async fn in_batches<'a, T, F>(addresses: &'a [Address], ask: F) -> Result<Vec<T>, ChainError>
where
    F: Fn(&'a [Address]) -> futures_util::future::BoxFuture<'a, Result<Vec<T>, ChainError>>,
{
    let requests: Vec<_> = addresses.chunks(BATCH).map(ask).collect();
    let answers: Vec<Vec<T>> = futures_util::stream::iter(requests)
        .buffered(PARALLEL)
        .try_collect()
        .await?;
    Ok(answers.into_iter().flatten().collect())
}
