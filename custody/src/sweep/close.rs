//! Deciding which accounts a closing closes, and where excess rent is to be had. Pure.

use std::collections::BTreeMap;

use keyward_core::address::Address;

use super::build::Seen;
use super::collect::{Decided, Planned, closing, item, unclosable, worth};
use super::request::{CloseRequest, RentTo, WrappedSol};
use super::skip::SkipReason;
use super::survey::Survey;
use crate::chain::TokenAccountAt;
use crate::jobs::ItemAction;

/// Token accounts that stay for what they hold: whose excess rent is asked for.
pub(super) fn staying(request: &CloseRequest, survey: &Survey) -> Vec<Address> {
    let stays = |(wallet, at): &&(Address, TokenAccountAt)| kept(request, wallet, at).is_some();
    survey
        .accounts
        .iter()
        .filter(stays)
        .map(|(_, at)| at.address)
        .collect()
}

/// Why an account is not closed.
fn kept(request: &CloseRequest, wallet: &Address, at: &TokenAccountAt) -> Option<SkipReason> {
    if let Some(reason) = unclosable(wallet, at) {
        return Some(reason);
    }
    match (at.account.amount, at.account.native_reserve, request.wrapped) {
        (0, ..) | (_, Some(_), WrappedSol::Unwrap) => None,
        (_, Some(_), WrappedSol::Keep) => Some(SkipReason::Wrapped),
        (_, None, _) => Some(SkipReason::NotEmpty),
    }
}

/// What is closed, wallet by wallet, so that a wallet's signature serves for all of its accounts.
pub(super) fn decide(
    request: &CloseRequest,
    wallets: &[Address],
    fee_payer: Address,
    survey: &Survey,
) -> Decided {
    let mut decided = Decided::default();
    let mut accounts = BTreeMap::<Address, Vec<&TokenAccountAt>>::new();
    for (wallet, at) in &survey.accounts {
        accounts.entry(*wallet).or_default().push(at);
    }
    for wallet in wallets {
        let from = decided.items.len();
        let mut own = accounts.remove(wallet).unwrap_or_default();
        // Both programs of a wallet stand together, so that a transaction names few programs.
        own.sort_by_key(|at| (at.program, at.address));
        for at in own {
            one(&mut decided, request, *wallet, at, survey);
        }
        if *wallet != fee_payer {
            worth(&mut decided, from, survey.signature_fee);
        }
    }
    decided.skip_unreadable(survey);
    decided
}

fn one(decided: &mut Decided, request: &CloseRequest, wallet: Address, at: &TokenAccountAt, survey: &Survey) {
    let rent_to = match request.rent_to {
        RentTo::Owner => wallet,
        RentTo::Wallet(address) => address,
    };
    let (account, program) = (at.address, at.program.address());
    let Some(reason) = kept(request, &wallet, at) else {
        decided.items.push(closing(wallet, rent_to, at));
        return;
    };
    // The owner alone may take the excess; of wrapped SOL there is none, since all of it is the balance.
    let above = survey.excess.get(&account).copied().unwrap_or(0);
    if above > 0 && at.account.native_reserve.is_none() {
        decided.items.push(Planned {
            item: item(wallet, rent_to, ItemAction::WithdrawExcess { account, program }),
            seen: Seen::Lamports(above),
            lamports: above,
        });
    }
    decided.skip(wallet, at, reason);
}
