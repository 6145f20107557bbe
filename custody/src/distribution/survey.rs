//! What a plan has to know of the chain and of the vault, read once. It judges nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{FutureExt, StreamExt};
use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::solana::associated_token_account;
use keyward_core::solana::token::{ACCOUNT_LEN, Mint, MintExtension, TokenAccount, TokenProgram};

use super::DistributionError;
use super::request::{Asset, DistributionRequest};
use crate::chain::{AccountData, AccountInfo, ChainError, Commitment, SolanaNode, TokenAccountAt};
use crate::{Custody, WalletStatus};

/// What one request reads at most.
const BATCH: usize = 100;
/// How many requests are under way at once.
const PARALLEL: usize = 4;

/// The facts of a plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Survey {
    /// The genesis hash.
    pub(super) network: String,
    /// The accounts of recipients, sources and the fee payer; those without one are left out.
    pub(super) wallets: BTreeMap<Address, AccountInfo>,
    /// Which of the sources and the fee payer are wallets of this vault that may sign.
    pub(super) ours: BTreeSet<Address>,
    /// What recipients look like and are not, in words, one for each that resembles anything.
    pub(super) lookalikes: BTreeMap<Address, String>,
    /// What an account without data must hold.
    pub(super) wallet_rent: Lamports,
    /// The token, where one is distributed.
    pub(super) token: Option<TokenSurvey>,
}

/// What is known of a token.
#[derive(Clone, Debug)]
pub(super) struct TokenSurvey {
    /// Its mint; none if there is none at the address.
    pub(super) mint: Option<(TokenProgram, Mint)>,
    /// The epoch, by which transfer fees change.
    pub(super) epoch: u64,
    /// What a new account of it must hold.
    pub(super) account_rent: Lamports,
    /// Recipients' associated accounts; those that are not there are left out.
    pub(super) destinations: BTreeMap<Address, Destination>,
    /// For each source the account that it pays from.
    pub(super) sources: BTreeMap<Address, TokenAccountAt>,
}

/// What is at an associated account's address.
#[derive(Clone, Debug)]
pub(super) enum Destination {
    /// Lamports alone: the account can still be made there.
    Prefunded,
    /// A token account.
    Account(Box<TokenAccount>),
    /// Something else.
    Other,
}

impl Survey {
    /// The balance of a wallet in lamports.
    pub(super) fn balance(&self, address: &Address) -> u64 {
        self.wallets
            .get(address)
            .map_or(0, |account| account.lamports.get())
    }
}

pub(super) async fn read(
    custody: &Custody,
    node: &SolanaNode,
    request: &DistributionRequest,
) -> Result<Survey, DistributionError> {
    let network = node.verify_network().await?;
    let mut payers: BTreeSet<Address> = request.sources.iter().copied().collect();
    payers.insert(request.fee_payer);
    let mut ours = BTreeSet::new();
    for payer in &payers {
        if let Some(wallet) = custody.wallet_by_address(*payer).await?
            && matches!(wallet.status, WalletStatus::Active | WalletStatus::Rotated)
        {
            ours.insert(*payer);
        }
    }
    let known = custody.lookalikes().await?;
    let recipients: BTreeSet<Address> = request.recipients.iter().map(|one| one.address).collect();
    let addresses: Vec<Address> = recipients.union(&payers).copied().collect();
    let wallets = infos(node, &addresses).await?;
    let wallet_rent = node.rent_minimum(0).await?;
    let token = match request.asset {
        Asset::Sol => None,
        Asset::Token { mint } => Some(read_token(node, &mint, &recipients, &request.sources).await?),
    };
    let resembles = |address: &Address| {
        let known = &known.check(address).into_iter().next()?.known;
        let text = format!(
            "it looks like {} {} and is another address",
            known.address, known.label
        );
        Some((*address, text))
    };
    Ok(Survey {
        network,
        wallets,
        ours,
        lookalikes: recipients.iter().filter_map(resembles).collect(),
        wallet_rent,
        token,
    })
}

async fn read_token(
    node: &SolanaNode,
    address: &Address,
    recipients: &BTreeSet<Address>,
    sources: &[Address],
) -> Result<TokenSurvey, DistributionError> {
    let (_, mut found) = node.mints(&[*address]).await?;
    let epoch = node.epoch().await?;
    let mut survey = TokenSurvey {
        mint: None,
        epoch,
        account_rent: Lamports::new(0),
        destinations: BTreeMap::new(),
        sources: BTreeMap::new(),
    };
    let Some(mint) = found.pop().flatten() else {
        return Ok(survey);
    };
    let program = mint.program;
    survey.account_rent = node.rent_minimum(account_len(program, &mint.mint)).await?;
    let at = |owner: &Address| associated_token_account(owner, &program.address(), address);
    let addresses: Vec<Address> = recipients.iter().map(at).collect();
    for (address, account) in addresses.iter().zip(data(node, &addresses).await?) {
        if let Some(account) = account {
            survey
                .destinations
                .insert(*address, destination(program, &account));
        }
    }
    for source in sources {
        if let Some(account) = source_account(node, source, address, program).await? {
            survey.sources.insert(*source, account);
        }
    }
    survey.mint = Some((program, mint.mint));
    Ok(survey)
}

fn destination(program: TokenProgram, account: &AccountData) -> Destination {
    if account.owner == Address::new([0; 32]) && account.data.is_empty() {
        return Destination::Prefunded;
    }
    if account.owner != program.address() {
        return Destination::Other;
    }
    match TokenAccount::decode(program, &account.data) {
        Ok(account) => Destination::Account(Box::new(account)),
        Err(_) => Destination::Other,
    }
}

/// The account that a wallet pays a token from: the associated one if it holds any, else the fullest.
async fn source_account(
    node: &SolanaNode,
    owner: &Address,
    mint: &Address,
    program: TokenProgram,
) -> Result<Option<TokenAccountAt>, ChainError> {
    let associated = associated_token_account(owner, &program.address(), mint);
    let accounts = node.token_accounts_of(owner, program).await?.accounts;
    let own = accounts.into_iter().filter(|one| one.account.mint == *mint);
    Ok(own.max_by_key(|one| {
        let is_usual = one.address == associated && one.account.amount > 0;
        (
            !one.account.is_frozen(),
            is_usual,
            one.account.amount,
            one.address,
        )
    }))
}

/// How long an associated account of this mint is, in bytes: what the token program asks for, and that its owner never
/// changes.
fn account_len(program: TokenProgram, mint: &Mint) -> u64 {
    let base = ACCOUNT_LEN as u64;
    match program {
        TokenProgram::Token => base,
        // A byte tells the kind of account; each extension has four bytes before its value.
        TokenProgram::Token2022 => {
            let wanted: u64 = mint.extensions.iter().map(extension_len).sum();
            base + 1 + 4 + wanted
        }
    }
}

/// What an extension of the mint adds to each account.
fn extension_len(extension: &MintExtension) -> u64 {
    match extension {
        MintExtension::TransferFee(_) => 4 + 8,
        MintExtension::TransferHook { .. } => 4 + 1,
        MintExtension::NonTransferable | MintExtension::Pausable { .. } => 4,
        MintExtension::ConfidentialTransferFee => 4 + 64,
        _ => 0,
    }
}

async fn infos(
    node: &SolanaNode,
    addresses: &[Address],
) -> Result<BTreeMap<Address, AccountInfo>, ChainError> {
    let requests = addresses
        .chunks(BATCH)
        .map(|batch| async move { Ok((batch, node.accounts(batch).await?.1)) }.boxed())
        .collect::<Vec<_>>();
    let mut answers = futures_util::stream::iter(requests).buffered(PARALLEL);
    let mut found = BTreeMap::new();
    while let Some(answer) = answers.next().await {
        let (batch, accounts): (&[Address], Vec<Option<AccountInfo>>) = answer?;
        let pairs = batch.iter().copied().zip(accounts);
        found.extend(pairs.filter_map(|(address, account)| Some((address, account?))));
    }
    Ok(found)
}

async fn data(node: &SolanaNode, addresses: &[Address]) -> Result<Vec<Option<AccountData>>, ChainError> {
    let requests = addresses
        .chunks(BATCH)
        .map(|batch| node.account_data(batch, Commitment::Confirmed).boxed())
        .collect::<Vec<_>>();
    let mut answers = futures_util::stream::iter(requests).buffered(PARALLEL);
    let mut found = Vec::with_capacity(addresses.len());
    while let Some(answer) = answers.next().await {
        found.extend(answer?.1);
    }
    Ok(found)
}
