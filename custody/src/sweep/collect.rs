//! Deciding what a consolidation moves. Pure.

use std::collections::{BTreeMap, BTreeSet};

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::intent::programs;
use keyward_core::solana::associated_token_account;
use keyward_core::solana::token::{AccountExtension, Mint};

use super::build::Seen;
use super::request::{ConsolidateRequest, Emptied};
use super::skip::{SkipReason, Skipped};
use super::survey::{Survey, Target};
use crate::chain::TokenAccountAt;
use crate::jobs::{ItemAction, NewItem};

/// An item that is planned, with what it was planned from.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) item: NewItem,
    pub(super) seen: Seen,
    /// The SOL that it brings: the balance, or the rent of what it closes.
    pub(super) lamports: u64,
}

/// What was decided.
#[derive(Clone, Debug, Default)]
pub(super) struct Decided {
    pub(super) items: Vec<Planned>,
    pub(super) skipped: Vec<Skipped>,
}

impl Decided {
    pub(super) fn skip(&mut self, wallet: Address, at: &TokenAccountAt, reason: SkipReason) {
        self.skipped.push(Skipped {
            wallet,
            account: Some(at.address),
            mint: Some(at.account.mint),
            amount: at.account.amount,
            lamports: at.lamports,
            reason,
        });
    }

    pub(super) fn skip_unreadable(&mut self, survey: &Survey) {
        for (wallet, account, cause) in &survey.unreadable {
            self.skipped.push(Skipped {
                wallet: *wallet,
                account: Some(*account),
                mint: None,
                amount: 0,
                lamports: Lamports::ZERO,
                reason: SkipReason::Unreadable { cause: cause.clone() },
            });
        }
    }
}

/// An item without its number, which follows from its place.
pub(super) fn item(source: Address, recipient: Address, action: ItemAction) -> NewItem {
    NewItem {
        number: 0,
        source,
        recipient,
        amount: 0,
        action,
        memo: None,
    }
}

/// What every wallet gives, wallet by wallet, so that its signature serves for all of it.
pub(super) fn decide(
    request: &ConsolidateRequest,
    sources: &[Address],
    (fee_payer, rent_to): (Address, Address),
    survey: &Survey,
) -> Decided {
    let mut decided = Decided::default();
    let mut accounts = BTreeMap::<Address, Vec<&TokenAccountAt>>::new();
    for (wallet, at) in &survey.accounts {
        accounts.entry(*wallet).or_default().push(at);
    }
    for source in sources {
        let own = accounts.remove(source).unwrap_or_default();
        let before = decided.items.len();
        if *source == request.to {
            recipient(&mut decided, *source, &own, survey);
            continue;
        }
        let mut tokens = 0_u64;
        for at in own {
            if request.collect.takes(&at.account.mint) {
                tokens = tokens.saturating_add(token(&mut decided, (request, rent_to), *source, at, survey));
            }
        }
        if request.collect.takes_sol() {
            sol(&mut decided, request.to, *source, fee_payer, survey);
        }
        if tokens == 0 && *source != fee_payer {
            worth(&mut decided, before, survey.signature_fee);
        }
    }
    decided.skip_unreadable(survey);
    decided
}

/// What the recipient has stays there, and is told.
fn recipient(decided: &mut Decided, wallet: Address, own: &[&TokenAccountAt], survey: &Survey) {
    let lamports = survey
        .wallets
        .get(&wallet)
        .map_or(Lamports::ZERO, |info| info.lamports);
    decided.skipped.push(Skipped {
        wallet,
        account: None,
        mint: None,
        amount: lamports.get(),
        lamports,
        reason: SkipReason::IsTheRecipient,
    });
    for at in own {
        decided.skip(wallet, at, SkipReason::IsTheRecipient);
    }
}

/// Plans one token account, and gives how much of the token it moves.
fn token(
    decided: &mut Decided,
    (request, rent_to): (&ConsolidateRequest, Address),
    source: Address,
    at: &TokenAccountAt,
    survey: &Survey,
) -> u64 {
    let account = &at.account;
    let unclosable = unclosable(&source, at);
    if account.native_reserve.is_some() {
        unwrap(decided, (request, rent_to), source, at, unclosable);
        return 0;
    }
    if account.is_frozen() {
        decided.skip(source, at, SkipReason::Frozen);
        return 0;
    }
    let closes = request.emptied == Emptied::Close && unclosable.is_none();
    if account.amount == 0 {
        match unclosable {
            _ if request.emptied == Emptied::Keep => {}
            Some(reason) => decided.skip(source, at, reason),
            None => decided.items.push(closing(source, rent_to, at)),
        }
        return 0;
    }
    let moved = match movable(at, survey) {
        Ok(moved) => moved,
        Err(reason) => {
            decided.skip(source, at, reason);
            return 0;
        }
    };
    decided
        .items
        .push(drain(request.to, source, at, survey, (moved.0, moved.1, closes)));
    if let (Some(reason), Emptied::Close) = (unclosable, request.emptied) {
        // Its tokens move, and the account stays.
        decided.skip(source, at, reason);
        if let Some(last) = decided.skipped.last_mut() {
            last.amount = 0;
        }
    }
    account.amount
}

/// Wrapped SOL is not moved but unwrapped: closing the account gives all of it.
fn unwrap(
    decided: &mut Decided,
    (request, rent_to): (&ConsolidateRequest, Address),
    source: Address,
    at: &TokenAccountAt,
    unclosable: Option<SkipReason>,
) {
    match (request.emptied, unclosable) {
        (Emptied::Keep, _) => decided.skip(source, at, SkipReason::Wrapped),
        (Emptied::Close, Some(reason)) => decided.skip(source, at, reason),
        (Emptied::Close, None) => decided.items.push(closing(source, rent_to, at)),
    }
}

/// An account closed as it is.
pub(super) fn closing(wallet: Address, rent_to: Address, at: &TokenAccountAt) -> Planned {
    let action = ItemAction::CloseAccount {
        account: at.address,
        program: at.program.address(),
        harvest_to: None,
    };
    Planned {
        item: item(wallet, rent_to, action),
        seen: Seen::Lamports(at.lamports.get()),
        lamports: at.lamports.get(),
    }
}

fn drain(
    to: Address,
    source: Address,
    at: &TokenAccountAt,
    survey: &Survey,
    (fee, target, closes): (Option<u64>, Target, bool),
) -> Planned {
    let (mint, program) = (at.account.mint, at.program.address());
    let action = ItemAction::DrainToken {
        mint,
        program,
        decimals: survey.mints.get(&mint).map_or(0, |mint| mint.mint.decimals),
        source_account: at.address,
        destination_account: associated_token_account(&to, &program, &mint),
        create: target == Target::Missing,
        close: closes,
    };
    Planned {
        item: item(source, to, action),
        seen: Seen::Token {
            amount: at.account.amount,
            fee,
            target: target.state().unwrap_or(super::build::TargetState::There),
            closes,
        },
        lamports: if closes { at.lamports.get() } else { 0 },
    }
}

/// The token's own fee for all of an account, and the account it goes to; or why it does not move.
fn movable(at: &TokenAccountAt, survey: &Survey) -> Result<(Option<u64>, Target), SkipReason> {
    let mint = survey
        .mints
        .get(&at.account.mint)
        .ok_or(SkipReason::UnknownMint)?;
    let fee = transfer_fee(&mint.mint, survey.epoch, at.account.amount)?;
    transferable(&mint.mint, at)?;
    let target = survey
        .targets
        .get(&at.account.mint)
        .copied()
        .unwrap_or(Target::Unfit);
    match target {
        Target::Missing | Target::Ready => Ok((fee, target)),
        Target::Frozen => Err(SkipReason::RecipientFrozen),
        Target::WantsMemo => Err(SkipReason::RecipientWantsMemo),
        Target::Unfit => Err(SkipReason::RecipientUnfit),
    }
}

/// Whether transfers of a token work at all.
pub(crate) fn transferable(mint: &Mint, at: &TokenAccountAt) -> Result<(), SkipReason> {
    if at.account.is_frozen() {
        return Err(SkipReason::Frozen);
    }
    let fixed = |extension: &AccountExtension| *extension == AccountExtension::NonTransferable;
    if at.account.extensions.iter().any(fixed) {
        return Err(SkipReason::NonTransferable);
    }
    if mint.transfer_hook().is_some() {
        return Err(SkipReason::TransferHook);
    }
    if mint.transfers_are_stopped() {
        return Err(SkipReason::Paused);
    }
    Ok(())
}

/// What the token itself takes of a transfer in an epoch; none for a token without a fee.
pub(crate) fn transfer_fee(mint: &Mint, epoch: u64, amount: u64) -> Result<Option<u64>, SkipReason> {
    let Some(config) = mint.transfer_fee() else {
        return Ok(None);
    };
    match config.at(epoch).of(amount) {
        None => Err(SkipReason::UnknownMint),
        Some(fee) if fee >= amount => Err(SkipReason::EatenByFee),
        Some(fee) => Ok(Some(fee)),
    }
}

/// What keeps an account open once it is empty.
pub(crate) fn unclosable(wallet: &Address, at: &TokenAccountAt) -> Option<SkipReason> {
    let account = &at.account;
    if account.is_frozen() {
        return Some(SkipReason::Frozen);
    }
    if account.closer() != wallet {
        return Some(SkipReason::ForeignCloseAuthority {
            authority: *account.closer(),
        });
    }
    if account.withheld() > 0 {
        return Some(SkipReason::WithheldFees {
            amount: account.withheld(),
        });
    }
    if account.has_confidential_amounts() {
        return Some(SkipReason::Confidential);
    }
    account.extensions.iter().find_map(|extension| match extension {
        AccountExtension::Unknown { kind } => Some(SkipReason::UnknownExtension { kind: *kind }),
        _ => None,
    })
}

/// A wallet's own SOL.
fn sol(decided: &mut Decided, to: Address, source: Address, fee_payer: Address, survey: &Survey) {
    let Some(info) = survey.wallets.get(&source) else {
        return;
    };
    let lamports = info.lamports;
    let reason = if lamports == Lamports::ZERO {
        return;
    } else if info.owner != programs::SYSTEM || info.data_len > 0 || info.executable {
        Some(SkipReason::NotPlain { owner: info.owner })
    } else if source == fee_payer {
        Some(SkipReason::PaysTheFees)
    } else {
        None
    };
    if let Some(reason) = reason {
        decided.skipped.push(Skipped {
            wallet: source,
            account: None,
            mint: None,
            amount: lamports.get(),
            lamports,
            reason,
        });
        return;
    }
    decided.items.push(Planned {
        item: item(source, to, ItemAction::DrainSol),
        seen: Seen::Sol(lamports.get()),
        lamports: lamports.get(),
    });
}

/// Leaves out all that a wallet gives when it is worth less than the wallet's signature, which is what it adds to the fees.
pub(super) fn worth(decided: &mut Decided, from: usize, cost: u64) {
    let own = decided.items.get(from..).unwrap_or_default();
    let gain = own
        .iter()
        .fold(0_u64, |gain, planned| gain.saturating_add(planned.lamports));
    if own.is_empty() || gain > cost {
        return;
    }
    let reason = SkipReason::NotWorthIt {
        gain: Lamports::new(gain),
        cost: Lamports::new(cost),
    };
    for planned in decided.items.drain(from..).collect::<Vec<_>>() {
        decided.skipped.push(skipped(&planned, reason.clone()));
    }
}

/// An item that is left out after all.
pub(super) fn skipped(planned: &Planned, reason: SkipReason) -> Skipped {
    let (account, mint) = match &planned.item.action {
        ItemAction::DrainToken {
            source_account, mint, ..
        } => (Some(*source_account), Some(*mint)),
        ItemAction::CloseAccount { account, .. } | ItemAction::WithdrawExcess { account, .. } => {
            (Some(*account), None)
        }
        _ => (None, None),
    };
    let amount = match planned.seen {
        Seen::Sol(lamports) => lamports,
        Seen::Token { amount, .. } => amount,
        Seen::Lamports(_) => 0,
    };
    Skipped {
        wallet: planned.item.source,
        account,
        mint,
        amount,
        lamports: Lamports::new(planned.lamports),
        reason,
    }
}

/// The wallets that items are signed by.
pub(super) fn signers<'a>(items: impl IntoIterator<Item = &'a Planned>) -> BTreeSet<Address> {
    items.into_iter().map(|planned| planned.item.source).collect()
}
