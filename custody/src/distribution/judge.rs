//! Whether a distribution can be carried out, and what a person must agree to first. Pure: it decides on a [`Survey`].

mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use keyward_core::intent::programs;
use keyward_core::solana::token::TokenProgram;

use super::finding::{Finding, FindingCode};
use super::request::{Asset, DistributionRequest, Recipient};
use super::split::SplitError;
use super::survey::Survey;
use crate::chain::AccountInfo;
use crate::jobs::{ItemAction, NewItem};
use tokens::{tokens, wrong_mint};

/// How many findings are told one by one; all are counted.
pub(super) const MAX_FINDINGS: usize = 1_000;

/// What burns whatever it is paid: <https://solana.com/docs/core/fees>.
const INCINERATOR: &str = "1nc1nerator11111111111111111111111111111111";
/// Who owns the network's own accounts.
const SYSVAR: &str = "Sysvar1111111111111111111111111111111111111";

/// Findings as they are gathered.
#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    pub(super) list: Vec<Finding>,
    pub(super) counts: BTreeMap<FindingCode, u64>,
}

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        *self.counts.entry(finding.code).or_default() += 1;
        if self.list.len() < MAX_FINDINGS {
            self.list.push(finding);
        }
    }

    pub(super) fn plan(&mut self, code: FindingCode, address: Option<Address>, text: String) {
        self.add(Finding {
            code,
            item: None,
            line: None,
            address,
            text,
        });
    }

    pub(super) fn item(&mut self, code: FindingCode, at: usize, recipient: &Recipient, text: String) {
        self.add(Finding {
            code,
            item: u32::try_from(at).ok(),
            line: recipient.line,
            address: Some(recipient.address),
            text,
        });
    }
}

/// A judged request.
#[derive(Clone, Debug, Default)]
pub(super) struct Judged {
    /// The payments; none when the amounts could not be told.
    pub(super) items: Vec<NewItem>,
    /// The sum of what was asked for, in base units.
    pub(super) total: u64,
    /// What the mint withholds of it, in base units.
    pub(super) withheld: u64,
    /// How many accounts are made.
    pub(super) accounts_created: u64,
    /// What was asked for, by recipient, in base units.
    pub(super) asked: Vec<u64>,
    /// What is wrong or odd.
    pub(super) findings: Findings,
}

/// Judges a request. `reserve` is what the fee payer must keep for fees and rent, in lamports.
pub(super) fn judge(request: &DistributionRequest, survey: &Survey, reserve: u64) -> Judged {
    let mut judged = Judged::default();
    let findings = &mut judged.findings;
    for payer in request
        .sources
        .iter()
        .chain([&request.fee_payer])
        .collect::<BTreeSet<_>>()
    {
        if !survey.ours.contains(payer) {
            let text = "it pays, and is no wallet of this vault that may sign".to_owned();
            findings.plan(FindingCode::NotOurs, Some(*payer), text);
        }
    }
    recipients(request, survey, findings);
    let least: Vec<u64> = request
        .recipients
        .iter()
        .map(|one| least(request, survey, one))
        .collect();
    let amounts = match request.amounts.resolve(&least) {
        Ok(amounts) => amounts,
        Err(error) => {
            division(request, error, findings);
            return judged;
        }
    };
    let Some(total) = amounts
        .iter()
        .try_fold(0_u64, |sum, amount| sum.checked_add(*amount))
    else {
        let text = "the amounts come to more than 2^64 base units".to_owned();
        findings.plan(FindingCode::TotalOverflow, None, text);
        return judged;
    };
    judged.total = total;
    judged.asked.clone_from(&amounts);
    for ((at, recipient), amount) in request.recipients.iter().enumerate().zip(&amounts) {
        if *amount == 0 {
            findings.item(
                FindingCode::ZeroAmount,
                at,
                recipient,
                "it would be paid nothing".to_owned(),
            );
        }
    }
    match (&request.asset, &survey.token) {
        (Asset::Sol, _) => sol(request, survey, &amounts, reserve, &mut judged),
        (Asset::Token { mint }, Some(token)) => tokens(request, (mint, token), &amounts, &mut judged),
        (Asset::Token { mint }, None) => wrong_mint(*mint, &mut judged.findings),
    }
    judged
}

fn recipients(request: &DistributionRequest, survey: &Survey, findings: &mut Findings) {
    let sources: BTreeSet<&Address> = request.sources.iter().collect();
    let mut seen = BTreeMap::<Address, usize>::new();
    for (at, recipient) in request.recipients.iter().enumerate() {
        let address = recipient.address;
        let mut tell = |code, text: String| findings.item(code, at, recipient, text);
        match seen.entry(address) {
            std::collections::btree_map::Entry::Occupied(first) => {
                let earlier = request.recipients.get(*first.get());
                let place = match earlier.and_then(|earlier| earlier.line) {
                    Some(line) => format!("on line {line}"),
                    None => format!("as payment {}", first.get() + 1),
                };
                tell(
                    FindingCode::DuplicateRecipient,
                    format!("it is paid {place} already"),
                );
            }
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(at);
            }
        }
        if sources.contains(&address) {
            tell(
                FindingCode::OwnSource,
                "it is one of the wallets that pay".to_owned(),
            );
        } else if address == request.fee_payer {
            tell(
                FindingCode::FeePayerPaid,
                "it pays the fees of this distribution".to_owned(),
            );
        }
        if let Some(text) = survey.lookalikes.get(&address) {
            tell(FindingCode::Lookalike, text.clone());
        }
        if let Some((code, text)) = address_finding(request, &address, survey.wallets.get(&address)) {
            tell(code, text);
        }
    }
}

/// What an address is, if that is no wallet.
fn address_finding(
    request: &DistributionRequest,
    address: &Address,
    account: Option<&AccountInfo>,
) -> Option<(FindingCode, String)> {
    let text = address.to_string();
    if let Some(name) = programs::name(address) {
        return Some((FindingCode::ProgramAddress, format!("it is the program {name}")));
    }
    if matches!(request.asset, Asset::Token { mint } if mint == *address) {
        return Some((FindingCode::MintAddress, "it is the token's own mint".to_owned()));
    }
    let owner = account.map(|account| account.owner.to_string());
    if text == INCINERATOR || text.starts_with("Sysvar") || owner.as_deref() == Some(SYSVAR) {
        return Some((
            FindingCode::ProgramAddress,
            "it is one of the network's own accounts".to_owned(),
        ));
    }
    if let Some(account) = account {
        if account.executable {
            return Some((FindingCode::ProgramAddress, "it is a program".to_owned()));
        }
        if let Some(program) = TokenProgram::of(&account.owner) {
            let (code, kind) = match account.data_len {
                82 => (FindingCode::MintAddress, "a mint"),
                355 => (FindingCode::ProgramOwned, "a multisignature account"),
                _ => (FindingCode::TokenAccount, "an account"),
            };
            return Some((code, format!("it is {kind} of {}, not a wallet", program.name())));
        }
        if account.owner != programs::SYSTEM {
            let text = format!("it is an account that the program {} keeps", account.owner);
            return Some((FindingCode::ProgramOwned, text));
        }
    }
    let text = "no key belongs to it: it is derived by some program".to_owned();
    (!address.is_on_curve()).then_some((FindingCode::OffCurve, text))
}

/// What a recipient must at least be paid, in base units.
fn least(request: &DistributionRequest, survey: &Survey, recipient: &Recipient) -> u64 {
    match (request.asset, survey.wallets.get(&recipient.address)) {
        (Asset::Token { .. }, _) => 1,
        (Asset::Sol, Some(account)) if account.data_len > 0 => 1,
        (Asset::Sol, _) => {
            let has = survey.balance(&recipient.address);
            survey.wallet_rent.get().saturating_sub(has).max(1)
        }
    }
}

fn division(request: &DistributionRequest, error: SplitError, findings: &mut Findings) {
    let position = match error {
        SplitError::PartTooSmall { position, .. } | SplitError::ZeroWeight { position } => Some(position),
        _ => None,
    };
    let text = format!("{error}; {}", error.remedy());
    match position.and_then(|at| Some((at, request.recipients.get(at)?))) {
        Some((at, recipient)) => {
            let part = matches!(error, SplitError::PartTooSmall { part: 1.., .. });
            let code = match part && request.asset == Asset::Sol {
                true => FindingCode::BelowRent,
                false => FindingCode::Division,
            };
            findings.item(code, at, recipient, text);
        }
        None => findings.plan(FindingCode::Division, None, text),
    }
}

/// A paying wallet while payments are laid upon it.
struct Purse {
    address: Address,
    left: u64,
    /// It must keep so much, or exactly nothing.
    minimum: u64,
}

impl Purse {
    fn takes(&self, amount: u64) -> bool {
        self.left
            .checked_sub(amount)
            .is_some_and(|rest| rest == 0 || rest >= self.minimum)
    }
}

/// Gives each payment the first wallet that can make it. Gives what could not be paid, by their places.
fn assign(purses: &mut [Purse], amounts: &[u64]) -> (Vec<Option<Address>>, Vec<usize>) {
    let mut payers = Vec::with_capacity(amounts.len());
    let mut unpaid = Vec::new();
    for (at, amount) in amounts.iter().enumerate() {
        let purse = purses.iter_mut().find(|purse| purse.takes(*amount));
        match purse {
            Some(purse) => {
                purse.left -= amount;
                payers.push(Some(purse.address));
            }
            None => {
                unpaid.push(at);
                payers.push(None);
            }
        }
    }
    (payers, unpaid)
}

fn sol(request: &DistributionRequest, survey: &Survey, amounts: &[u64], reserve: u64, judged: &mut Judged) {
    let rent = survey.wallet_rent.get();
    for ((at, recipient), amount) in request.recipients.iter().enumerate().zip(amounts) {
        let needed = least(request, survey, recipient);
        if *amount > 0 && *amount < needed {
            let text = format!(
                "{} SOL would leave it below the {} SOL that the cluster demands of an account; pay at least {} SOL",
                Lamports::new(*amount),
                survey.wallet_rent,
                Lamports::new(needed)
            );
            judged.findings.item(FindingCode::BelowRent, at, recipient, text);
        }
    }
    let mut purses: Vec<Purse> = request
        .sources
        .iter()
        .map(|source| {
            let kept = if *source == request.fee_payer { reserve } else { 0 };
            Purse {
                address: *source,
                left: survey.balance(source).saturating_sub(kept),
                minimum: rent,
            }
        })
        .collect();
    let available: u128 = purses.iter().map(|purse| u128::from(purse.left)).sum();
    let (payers, unpaid) = assign(&mut purses, amounts);
    if !unpaid.is_empty() {
        let total = Lamports::new(judged.total);
        let short = u128::from(judged.total).saturating_sub(available);
        match u64::try_from(short) {
            Ok(0) => {
                let text = format!(
                    "{} payments cannot be made: what a wallet pays must leave it with nothing or with {} SOL",
                    unpaid.len(),
                    survey.wallet_rent
                );
                judged.findings.plan(FindingCode::SourceBelowRent, None, text);
            }
            short => {
                let short = Lamports::new(short.unwrap_or(u64::MAX));
                let text = format!("{total} SOL is to be paid, and {short} SOL of it is missing");
                judged.findings.plan(FindingCode::OverBalance, None, text);
            }
        }
    }
    judged.items = items(request, amounts, &payers, |_, _| ItemAction::PaySol);
}

fn items(
    request: &DistributionRequest,
    amounts: &[u64],
    payers: &[Option<Address>],
    action: impl Fn(&Recipient, Address) -> ItemAction,
) -> Vec<NewItem> {
    let first = request.sources.first().copied().unwrap_or(request.fee_payer);
    let all = request.recipients.iter().zip(amounts).zip(payers);
    all.zip(0_u32..)
        .map(|(((recipient, amount), payer), number)| {
            let source = payer.unwrap_or(first);
            NewItem {
                number,
                source,
                recipient: recipient.address,
                amount: *amount,
                action: action(recipient, source),
                memo: recipient.memo.clone(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
