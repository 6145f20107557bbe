//! What is particular to tokens: their mints, the accounts on both sides, and fees of transfers.

use std::collections::BTreeSet;

use keyward_core::address::Address;
use keyward_core::amount::format_units_short;
use keyward_core::solana::associated_token_account;
use keyward_core::solana::token::{Mint, MintExtension, TokenProgram, TransferFee};

use super::{Findings, Judged, Purse, assign, items};
use crate::distribution::finding::FindingCode;
use crate::distribution::request::{DistributionRequest, FeeBearer, Recipient};
use crate::distribution::survey::{Destination, TokenSurvey};
use crate::jobs::ItemAction;

pub(super) fn wrong_mint(mint: Address, findings: &mut Findings) {
    let text = "there is no mint of SPL Token or Token-2022 at this address".to_owned();
    findings.plan(FindingCode::WrongMint, Some(mint), text);
}

pub(super) fn tokens(
    request: &DistributionRequest,
    (address, token): (&Address, &TokenSurvey),
    amounts: &[u64],
    judged: &mut Judged,
) {
    let Some((program, mint)) = &token.mint else {
        return wrong_mint(*address, &mut judged.findings);
    };
    mint_findings(*address, mint, &mut judged.findings);
    let fee = mint.transfer_fee().map(|config| *config.at(token.epoch));
    let fee = fee.filter(|fee| fee.basis_points > 0 && fee.maximum > 0);
    let sent = sent_amounts(request, fee.as_ref(), amounts, judged);
    destinations(request, (address, *program, mint), token, judged);
    let mut purses = purses(request, token, &mut judged.findings);
    let available: u128 = purses.iter().map(|purse| u128::from(purse.left)).sum();
    let (payers, unpaid) = assign(&mut purses, &sent);
    if !unpaid.is_empty() {
        let total: u128 = sent.iter().map(|amount| u128::from(*amount)).sum();
        let units = |amount: u128| match u64::try_from(amount) {
            Ok(amount) => format_units_short(amount, mint.decimals),
            Err(_) => format!("{amount} base units"),
        };
        let text = match total.checked_sub(available) {
            Some(short @ 1..) => format!(
                "{} is to be paid, and {} of it is missing",
                units(total),
                units(short)
            ),
            _ => format!(
                "{} payments are each more than any one wallet has left",
                unpaid.len()
            ),
        };
        judged.findings.plan(FindingCode::OverBalance, None, text);
    }
    let missing = |recipient: &Recipient| {
        let account = associated_token_account(&recipient.address, &program.address(), address);
        let there = matches!(token.destinations.get(&account), Some(Destination::Account(_)));
        (account, !there)
    };
    let mut created = BTreeSet::new();
    created.extend(
        request
            .recipients
            .iter()
            .filter(|one| missing(one).1)
            .map(|one| one.address),
    );
    judged.accounts_created = created.len() as u64;
    judged.items = items(request, &sent, &payers, |recipient, source| {
        let (destination_account, create) = missing(recipient);
        let source_account = token.sources.get(&source).map(|account| account.address);
        ItemAction::PayToken {
            mint: *address,
            program: program.address(),
            decimals: mint.decimals,
            source_account: source_account
                .unwrap_or_else(|| associated_token_account(&source, &program.address(), address)),
            destination_account,
            create,
            fee: 0,
        }
    });
    for item in &mut judged.items {
        if let (ItemAction::PayToken { fee: expected, .. }, Some(fee)) = (&mut item.action, fee.as_ref()) {
            *expected = fee.of(item.amount).unwrap_or(0);
            judged.withheld = judged.withheld.saturating_add(*expected);
        }
    }
}

fn mint_findings(address: Address, mint: &Mint, findings: &mut Findings) {
    let mut tell = |code, text: String| findings.plan(code, Some(address), text);
    if mint.transfers_are_stopped() {
        tell(
            FindingCode::NotTransferable,
            "transfers of this token are stopped".to_owned(),
        );
    }
    if let Some(program) = mint.transfer_hook() {
        tell(
            FindingCode::TransferHook,
            format!("its transfers run the program {program}"),
        );
    }
    if let Some(delegate) = mint.permanent_delegate() {
        tell(
            FindingCode::PermanentDelegate,
            format!("{delegate} may move or burn everybody's tokens"),
        );
    }
    for extension in &mint.extensions {
        if let MintExtension::Unknown { kind } = extension {
            tell(
                FindingCode::UnknownExtension,
                format!("it has an extension of kind {kind}, which is not known"),
            );
        }
    }
}

/// What leaves the sources for each payment.
fn sent_amounts(
    request: &DistributionRequest,
    fee: Option<&TransferFee>,
    amounts: &[u64],
    judged: &mut Judged,
) -> Vec<u64> {
    let Some(fee) = fee else {
        return amounts.to_vec();
    };
    let percent = format_units_short(fee.basis_points.into(), 2);
    match request.transfer_fee {
        FeeBearer::Recipient => {
            let text =
                format!("the token's mint withholds {percent} % of each payment, so that less arrives");
            judged.findings.plan(FindingCode::TransferFee, None, text);
            amounts.to_vec()
        }
        FeeBearer::Sender => amounts
            .iter()
            .zip(&request.recipients)
            .enumerate()
            .map(|(at, (amount, recipient))| {
                // What withholds everything delivers nothing, however much is sent.
                fee.amount_to_send(*amount).unwrap_or_else(|| {
                    let text = "with the transfer fee no amount delivers this one".to_owned();
                    judged
                        .findings
                        .item(FindingCode::TotalOverflow, at, recipient, text);
                    *amount
                })
            })
            .collect(),
    }
}

fn destinations(
    request: &DistributionRequest,
    (address, program, mint): (&Address, TokenProgram, &Mint),
    token: &TokenSurvey,
    judged: &mut Judged,
) {
    for (at, recipient) in request.recipients.iter().enumerate() {
        let mut tell = |code, text: &str| judged.findings.item(code, at, recipient, text.to_owned());
        let account = associated_token_account(&recipient.address, &program.address(), address);
        match token.destinations.get(&account) {
            None | Some(Destination::Prefunded) if mint.freezes_new_accounts() => {
                tell(
                    FindingCode::NewAccountsFrozen,
                    "its account would be made frozen, and take nothing",
                );
            }
            None | Some(Destination::Prefunded) => {}
            Some(Destination::Account(found)) => {
                if found.mint != *address || found.owner != recipient.address {
                    tell(
                        FindingCode::DestinationForeign,
                        "its associated account belongs to somebody else",
                    );
                } else if found.is_frozen() {
                    tell(
                        FindingCode::DestinationFrozen,
                        "its account of the token is frozen",
                    );
                } else if found.requires_memo() && recipient.memo.is_none() {
                    tell(
                        FindingCode::MemoRequired,
                        "its account takes transfers with a memo only",
                    );
                }
            }
            Some(Destination::Other) => {
                tell(
                    FindingCode::DestinationForeign,
                    "what is at its associated account's address is no account of this token",
                );
            }
        }
    }
}

fn purses(request: &DistributionRequest, token: &TokenSurvey, findings: &mut Findings) -> Vec<Purse> {
    let mut purses = Vec::new();
    for source in &request.sources {
        match token.sources.get(source) {
            None => findings.plan(
                FindingCode::NoTokens,
                Some(*source),
                "it has no account of the token".to_owned(),
            ),
            Some(at) if at.account.is_frozen() => {
                findings.plan(
                    FindingCode::SourceFrozen,
                    Some(*source),
                    "its account of the token is frozen".to_owned(),
                );
            }
            Some(at) => purses.push(Purse {
                address: *source,
                left: at.account.amount,
                minimum: 0,
            }),
        }
    }
    purses
}
