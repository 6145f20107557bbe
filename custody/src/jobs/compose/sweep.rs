//! Draining and closing. What the chain says when the transaction is built decides the amounts: a drain takes the whole
//! balance, whatever the plan expected.

use std::collections::BTreeMap;

use async_trait::async_trait;
use keyward_core::address::Address;
use keyward_core::intent::programs;
use keyward_core::solana::token::TokenProgram;

use super::{Built, Compose, ComposeError};
use crate::chain::{Commitment, SolanaNode, TokenAccountAt, TokenMint};
use crate::jobs::{ItemAction, Job, JobItem};
use crate::sweep::{
    Piece, Seen, SkipReason, SweepOptions, pieces, target_of, transfer_fee, transferable, unclosable,
};

/// What is seen of each item, or why it is left out.
type Sight = Result<Seen, Left>;

/// How an item is left out.
enum Left {
    /// It cannot be done as planned.
    Fails(String),
    /// There is nothing to do.
    Nothing(String),
}

impl From<SkipReason> for Left {
    fn from(reason: SkipReason) -> Self {
        Self::Fails(reason.to_string())
    }
}

/// A wallet's whole SOL, to exactly zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct DrainSol;

/// A token account's whole balance, and the account closed where that was planned.
#[derive(Clone, Copy, Debug)]
pub(super) struct DrainToken;

/// A token account closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct CloseAccount;

/// What a token account holds above its rent.
#[derive(Clone, Copy, Debug)]
pub(super) struct WithdrawExcess;

#[async_trait]
impl Compose for DrainSol {
    async fn build(
        &self,
        node: &SolanaNode,
        job: &Job,
        items: &[&JobItem],
    ) -> Result<Vec<Built>, ComposeError> {
        let sources: Vec<Address> = items.iter().map(|item| item.new.source).collect();
        let (_, infos) = node.accounts(&sources).await?;
        let sights = items.iter().zip(infos).map(|(item, info)| {
            let Some(info) = info.filter(|info| info.lamports.get() > 0) else {
                return Err(Left::Nothing("the wallet holds no SOL any more".to_owned()));
            };
            if info.owner != programs::SYSTEM || info.data_len > 0 {
                return Err(SkipReason::NotPlain { owner: info.owner }.into());
            }
            if item.new.source == job.fee_payer {
                return Err(SkipReason::PaysTheFees.into());
            }
            Ok(Seen::Sol(info.lamports.get()))
        });
        build(job, items, sights.collect())
    }
}

#[async_trait]
impl Compose for DrainToken {
    async fn build(
        &self,
        node: &SolanaNode,
        job: &Job,
        items: &[&JobItem],
    ) -> Result<Vec<Built>, ComposeError> {
        let (mut sources, mut targets, mut mints) = (Vec::new(), Vec::new(), Vec::new());
        for item in items {
            if let ItemAction::DrainToken {
                mint,
                source_account,
                destination_account,
                ..
            } = &item.new.action
            {
                sources.push(*source_account);
                targets.push(*destination_account);
                mints.push(*mint);
            }
        }
        let (_, accounts) = node.token_accounts(&sources).await?;
        let (_, targets) = node.account_data(&targets, Commitment::Confirmed).await?;
        let (_, mints) = node.mints(&mints).await?;
        let takes_fee = mints
            .iter()
            .flatten()
            .any(|mint| mint.mint.transfer_fee().is_some());
        let epoch = if takes_fee { node.epoch().await? } else { 0 };
        let sights = items.iter().zip(accounts).zip(targets.iter().zip(mints)).map(
            |((item, account), (target, mint))| {
                let state = |program, mint: &TokenMint| {
                    let recipient = &item.new.recipient;
                    target_of(program, (&mint.address, &mint.mint), recipient, target.as_ref())
                };
                drain(item, account, mint.as_ref(), epoch, &state)
            },
        );
        build(job, items, sights.collect())
    }
}

fn drain(
    item: &JobItem,
    account: Option<TokenAccountAt>,
    mint: Option<&TokenMint>,
    epoch: u64,
    target: &dyn Fn(TokenProgram, &TokenMint) -> crate::sweep::Target,
) -> Sight {
    let ItemAction::DrainToken {
        mint: wanted,
        program,
        create,
        close,
        ..
    } = &item.new.action
    else {
        return Err(Left::Fails("it is no drain of a token".to_owned()));
    };
    let Some(at) = account else {
        return Err(Left::Nothing("the account is not there any more".to_owned()));
    };
    let foreign =
        at.account.mint != *wanted || at.account.owner != item.new.source || at.program.address() != *program;
    if foreign {
        return Err(Left::Fails(
            "the account is not the wallet's account of this token any more".to_owned(),
        ));
    }
    let closes = *close && unclosable(&item.new.source, &at).is_none();
    if at.account.amount == 0 && !closes {
        return Err(Left::Nothing("the account is empty already".to_owned()));
    }
    let mint = mint.ok_or(SkipReason::UnknownMint)?;
    transferable(&mint.mint, &at)?;
    let fee = match at.account.amount {
        0 => None,
        amount => transfer_fee(&mint.mint, epoch, amount)?,
    };
    let target = target(at.program, mint);
    let state = target.state().ok_or(SkipReason::RecipientUnfit)?;
    if state == crate::sweep::TargetState::Missing && !create && at.account.amount > 0 {
        return Err(Left::Fails(
            "the recipient's account was there when this was planned, and is gone; plan again".to_owned(),
        ));
    }
    Ok(Seen::Token {
        amount: at.account.amount,
        fee,
        target: state,
        closes,
    })
}

#[async_trait]
impl Compose for CloseAccount {
    async fn build(
        &self,
        node: &SolanaNode,
        job: &Job,
        items: &[&JobItem],
    ) -> Result<Vec<Built>, ComposeError> {
        let accounts = accounts_of(items);
        let (_, found) = node.token_accounts(&accounts).await?;
        let sights = items.iter().zip(found).map(|(item, found)| {
            let Some(at) = found else {
                return Err(Left::Nothing("the account is closed already".to_owned()));
            };
            if let Some(reason) = unclosable(&item.new.source, &at) {
                return Err(reason.into());
            }
            match (at.account.amount, at.account.native_reserve) {
                (0, _) => {}
                // Planned with its balance: a closing leaves wrapped SOL out unless it is to be unwrapped.
                (_, Some(_)) if unwraps(job) => {}
                (_, Some(_)) => return Err(SkipReason::Wrapped.into()),
                (_, None) => return Err(SkipReason::NotEmpty.into()),
            }
            Ok(Seen::Lamports(at.lamports.get()))
        });
        build(job, items, sights.collect())
    }
}

#[async_trait]
impl Compose for WithdrawExcess {
    async fn build(
        &self,
        node: &SolanaNode,
        job: &Job,
        items: &[&JobItem],
    ) -> Result<Vec<Built>, ComposeError> {
        let accounts = accounts_of(items);
        let (_, infos) = node.accounts(&accounts).await?;
        let mut minima = BTreeMap::new();
        let mut sights = Vec::with_capacity(items.len());
        for info in infos {
            let Some(info) = info else {
                sights.push(Err(Left::Nothing("the account is closed already".to_owned())));
                continue;
            };
            let minimum = match minima.get(&info.data_len) {
                Some(minimum) => *minimum,
                None => node.rent_minimum(info.data_len).await?.get(),
            };
            minima.insert(info.data_len, minimum);
            sights.push(match info.lamports.get().checked_sub(minimum) {
                None | Some(0) => Err(Left::Nothing(
                    "the account holds nothing above its rent any more".to_owned(),
                )),
                Some(above) => Ok(Seen::Lamports(above)),
            });
        }
        build(job, items, sights)
    }
}

fn accounts_of(items: &[&JobItem]) -> Vec<Address> {
    items
        .iter()
        .filter_map(|item| match &item.new.action {
            ItemAction::CloseAccount { account, .. } | ItemAction::WithdrawExcess { account, .. } => {
                Some(*account)
            }
            _ => None,
        })
        .collect()
}

fn options(job: &Job) -> Result<SweepOptions, String> {
    serde_json::from_str(&job.options_json)
        .map_err(|error| format!("the job's options cannot be read: {error}"))
}

fn unwraps(job: &Job) -> bool {
    options(job).is_ok_and(|options| options.unwraps)
}

/// The instructions of all items, or who has to be left out first.
fn build(job: &Job, items: &[&JobItem], sights: Vec<Sight>) -> Result<Vec<Built>, ComposeError> {
    let all = |reason: &str| -> Vec<(u32, String)> {
        items
            .iter()
            .map(|item| (item.new.number, reason.to_owned()))
            .collect()
    };
    let options = options(job).map_err(|reason| ComposeError::Items(all(&reason)))?;
    if sights.len() != items.len() {
        return Err(ComposeError::Items(all("it is planned as something else")));
    }
    let (mut seen, mut failing, mut nothing) = (Vec::new(), Vec::new(), Vec::new());
    for (item, sight) in items.iter().zip(sights) {
        match sight {
            Ok(sight) => seen.push(Piece {
                item: &item.new,
                seen: sight,
            }),
            Err(Left::Fails(reason)) => failing.push((item.new.number, reason)),
            Err(Left::Nothing(reason)) => nothing.push((item.new.number, reason)),
        }
    }
    if !failing.is_empty() {
        return Err(ComposeError::Items(failing));
    }
    if !nothing.is_empty() {
        return Err(ComposeError::Nothing(nothing));
    }
    Ok(pieces(job.fee_payer, options.rent_to, seen))
}
