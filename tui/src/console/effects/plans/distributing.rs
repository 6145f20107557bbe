//! Plans of distributions, and of edits of them.

use std::collections::HashMap;

use keyward_core::address::Address;
use keyward_core::amount::{AmountError, Lamports, format_units, parse_units};
use keyward_custody::chain::SolanaNode;
use keyward_custody::distribution::csv::SecondColumn;
use keyward_custody::distribution::{
    self, Amounts, Asset, DistributionPlan, DistributionRequest, Division, Estimate, Finding, Gravity, Named,
    SplitSeed,
};
use keyward_custody::{Custody, CustodyError};

use super::names::{addresses, fee, only, rows};
use super::{AmountsAsk, DistributionAsk, Kept, PlanPage, Remark, Typed, UNNAMED, Weight, Who};
use crate::console::effect::Failure;
use crate::console::effects::Services;
use crate::console::text::count;

/// SOL's digits behind the point.
const SOL_DECIMALS: u8 = 9;
/// The most paying wallets that are told one by one.
const TOLD_PAYERS: usize = 5;
/// The most wallets whose labels are looked up one by one.
const NAMED_WALLETS: usize = 500;

pub(super) async fn plan(services: &Services, ask: DistributionAsk) -> Result<Box<PlanPage>, Failure> {
    let (custody, node) = (services.custody()?, services.node()?);
    let (request, decimals) = request(&custody, &node, &ask).await?;
    let names = request.recipients.iter();
    let names: HashMap<Address, String> = names.map(|one| (one.address, one.name.clone())).collect();
    let (kept, mut page) = match ask.edits {
        None => {
            let plan = distribution::prepare(&custody, &node, &request, ask.trial).await?;
            let page = page_of(&plan, decimals);
            (Kept::Distribution(Box::new(plan)), page)
        }
        Some(of) => {
            let edit = distribution::prepare_edit(&custody, &node, of, &request, ask.trial).await?;
            let mut page = page_of(&edit.plan, decimals);
            let paid = edit.paid.values().copied().fold(0, u64::saturating_add);
            let taken_off = format!("{}, which is taken off", format_units(paid, decimals));
            page.facts.insert(1, ("paid before", taken_off));
            page.facts
                .insert(2, ("in place of", format!("{of}, whose rest is given up")));
            // Nothing left to pay is an end too: the first one is cancelled, and no other stored.
            page.ready = edit.plan.refused().is_empty() && page.asked.is_empty();
            (Kept::Edit(Box::new(edit)), page)
        }
    };
    let items = kept.job().items.iter();
    let named = items.map(|item| names.get(&item.recipient).cloned().unwrap_or_default());
    page.names = named.collect();
    Ok(Box::new(page.with(kept)))
}

/// A page before it is known what is kept of it.
struct Draft {
    facts: Vec<(&'static str, String)>,
    remarks: Vec<Remark>,
    names: Vec<String>,
    expected: Vec<u64>,
    asked: Vec<distribution::FindingCode>,
    typed: Typed,
    ready: bool,
}

impl Draft {
    fn with(self, kept: Kept) -> PlanPage {
        PlanPage {
            kept,
            facts: self.facts,
            remarks: self.remarks,
            names: self.names,
            expected: self.expected,
            asked: self.asked,
            typed: self.typed,
            ready: self.ready,
        }
    }
}

async fn request(
    custody: &Custody,
    node: &SolanaNode,
    ask: &DistributionAsk,
) -> Result<(DistributionRequest, u8), Failure> {
    let paying = Who::Names(ask.sources.clone());
    let sources = addresses(custody, &paying, "the paying wallets").await?;
    let fee_payer = match (ask.fee_payer.trim(), sources.first()) {
        ("", Some(first)) => *first,
        ("", None) => return Err(Failure::new("no wallet pays", "name the wallets that pay")),
        (name, _) => only(custody, name, "the wallet that pays the fees").await?,
    };
    let (asset, decimals) = asset(node, &ask.mint).await?;
    let second = match (&ask.amounts, asset) {
        (AmountsAsk::InFile, Asset::Sol) => SecondColumn::Sol,
        (AmountsAsk::InFile, Asset::Token { .. }) => SecondColumn::Token { decimals },
        (AmountsAsk::Weighted(_), _) => SecondColumn::Weight,
        _ => SecondColumn::Nothing,
    };
    let rows = rows(custody, &ask.recipients, "the recipients", second).await?;
    let mut named = distribution::resolve(custody, &rows).await?;
    if let Who::These(_) = ask.recipients {
        label(custody, &mut named).await?;
    }
    if !matches!(ask.recipients, Who::File(_)) {
        // What was marked or typed has no lines.
        named.iter_mut().for_each(|(recipient, _)| recipient.line = None);
    }
    let memo = ask.memo.trim();
    if !memo.is_empty() {
        for (recipient, _) in &mut named {
            recipient.memo.get_or_insert_with(|| memo.to_owned());
        }
    }
    let amounts = amounts(&ask.amounts, &named, asset, decimals)?;
    let request = DistributionRequest {
        label: labelled(ask),
        sources,
        fee_payer,
        asset,
        recipients: named.into_iter().map(|(recipient, _)| recipient).collect(),
        amounts,
        transfer_fee: ask.bearer,
        format: ask.format,
        fee: fee(&ask.fee)?,
        accepted: ask.accepted.clone(),
    };
    Ok((request, decimals))
}

/// The label, or else the file's name, as the command line takes it.
fn labelled(ask: &DistributionAsk) -> String {
    let file = match &ask.recipients {
        Who::File(path) => std::path::Path::new(path.trim()).file_name(),
        _ => None,
    };
    match (ask.label.trim(), file) {
        ("", Some(name)) => name.to_string_lossy().into_owned(),
        ("", None) => UNNAMED.to_owned(),
        (label, _) => label.to_owned(),
    }
}

/// Puts the labels of marked wallets beside their addresses, where they are few enough to be looked up.
async fn label(custody: &Custody, named: &mut Named) -> Result<(), Failure> {
    for (recipient, _) in named.iter_mut().take(NAMED_WALLETS) {
        match custody.wallet(&recipient.address.to_string()).await {
            Ok(wallet) => recipient.name = wallet.label,
            Err(CustodyError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn asset(node: &SolanaNode, mint: &str) -> Result<(Asset, u8), Failure> {
    let mint = mint.trim();
    if mint.is_empty() || mint.eq_ignore_ascii_case("sol") {
        return Ok((Asset::Sol, SOL_DECIMALS));
    }
    let mint: Address = mint.parse().map_err(|error| {
        Failure::new(
            format!("the token: {error}"),
            "give its mint's whole address, or SOL",
        )
    })?;
    let (_, mut found) = node.mints(&[mint]).await?;
    match found.pop().flatten() {
        Some(read) => Ok((Asset::Token { mint }, read.mint.decimals)),
        None => Err(Failure::new(
            "the token: there is no mint of SPL Token or Token-2022 at this address",
            "give the address of the token's mint",
        )),
    }
}

fn amounts(ask: &AmountsAsk, named: &Named, asset: Asset, decimals: u8) -> Result<Amounts, Failure> {
    let read = |text: &str| {
        let parsed = match asset {
            Asset::Sol => Lamports::parse(text.trim()).map(Lamports::get),
            Asset::Token { .. } => parse_units(text.trim(), decimals),
        };
        parsed.map_err(|error: AmountError| {
            Failure::new(
                format!("the amount {:?}: {error}", text.trim()),
                "write it like 1.5",
            )
        })
    };
    let numbers = || named.iter().map(|(_, number)| *number).collect();
    let (total, division) = match ask {
        AmountsAsk::InFile => return Ok(Amounts::Explicit(numbers())),
        AmountsAsk::Each(text) => return Ok(Amounts::Explicit(vec![read(text)?; named.len()])),
        AmountsAsk::Even(total) => (total, Division::Even),
        AmountsAsk::Weighted(total) => (total, Division::Weighted(numbers())),
        AmountsAsk::Random { total, bounds, seed } => {
            let seed: SplitSeed = seed.trim().parse().map_err(|_| {
                Failure::new(
                    "the seed is not 32 hexadecimal digits",
                    "correct it, or take the one that was drawn",
                )
            })?;
            let (least, most) = bounds.split_once("..").unwrap_or((bounds, ""));
            if !bounds.trim().is_empty() && !bounds.contains("..") {
                return Err(Failure::new(
                    format!("{bounds:?} are no bounds"),
                    "write them like 0.1..2",
                ));
            }
            let bound = |text: &str, without: u64| match text.trim() {
                "" => Ok(without),
                text => read(text),
            };
            let (min, max) = (bound(least, 1)?, bound(most, u64::MAX)?);
            (total, Division::Random { seed, min, max })
        }
    };
    Ok(Amounts::Divided {
        total: read(total)?,
        division,
    })
}

fn page_of(plan: &DistributionPlan, decimals: u8) -> Draft {
    let paid = plan.estimate.paid;
    Draft {
        facts: facts(plan, decimals),
        remarks: remarks(plan),
        names: Vec::new(),
        expected: plan.job.items.iter().map(|item| item.amount).collect(),
        asked: plan.asked(),
        typed: Typed::Amount {
            units: paid,
            decimals,
        },
        ready: plan.is_ready(),
    }
}

fn facts(plan: &DistributionPlan, decimals: u8) -> Vec<(&'static str, String)> {
    let estimate = &plan.estimate;
    let unit = match plan.request.asset {
        Asset::Sol => " SOL",
        Asset::Token { .. } => "",
    };
    let mut facts = vec![(
        "pays",
        format!(
            "{}{unit} in {}",
            format_units(estimate.paid, decimals),
            count(plan.job.items.len() as u64, "payment", "payments")
        ),
    )];
    if let Asset::Token { mint } = plan.request.asset {
        facts.push(("token", mint.to_string()));
    }
    facts.push((
        "in",
        format!(
            "{} ({}), {} tried out",
            count(estimate.transactions, "transaction", "transactions"),
            plan.job.format.as_str(),
            plan.simulated
        ),
    ));
    facts.push((
        "fees",
        format!(
            "{} SOL + priority at most {} SOL",
            estimate.base_fees, estimate.priority_fees
        ),
    ));
    if estimate.accounts_created > 0 {
        let accounts = count(
            estimate.accounts_created,
            "new token account",
            "new token accounts",
        );
        facts.push(("rent", format!("{} SOL for {accounts}", estimate.rent)));
    }
    if estimate.withheld > 0 {
        facts.push((
            "withheld",
            format!(
                "{} by the token's own fee",
                format_units(estimate.withheld, decimals)
            ),
        ));
    }
    facts.push((
        "a failure",
        format!(
            "costs {} SOL; what it was to pay stays",
            estimate.failed_transaction
        ),
    ));
    if let Amounts::Divided {
        division: Division::Random { seed, min, max },
        ..
    } = plan.request.amounts
    {
        let most = match max {
            u64::MAX => "no bound".to_owned(),
            most => format_units(most, decimals),
        };
        facts.push(("each", format!("{} to {most}", format_units(min, decimals))));
        facts.push(("seed", seed.to_string()));
    }
    facts.extend(left(estimate, plan.request.fee_payer, decimals));
    facts
}

/// What each paying wallet is left with.
fn left(estimate: &Estimate, fee_payer: Address, decimals: u8) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    for payer in estimate.payers.iter().take(TOLD_PAYERS) {
        let after = match payer.lamports_after {
            Some(after) => format!("{after} SOL {}", payer.address),
            None => format!("too little SOL in {}", payer.address),
        };
        facts.push((
            if payer.address == fee_payer {
                "left, fees"
            } else {
                "left"
            },
            after,
        ));
        match (payer.tokens_before, payer.tokens_after) {
            (None, _) => {}
            (Some(_), Some(after)) => facts.push(("left of it", format_units(after, decimals))),
            (Some(_), None) => facts.push(("left of it", "too little of the token".into())),
        }
    }
    if estimate.payers.len() > TOLD_PAYERS {
        let more = (estimate.payers.len() - TOLD_PAYERS) as u64;
        facts.push((
            "and",
            format!("{} too", count(more, "wallet pays", "wallets pay")),
        ));
    }
    facts
}

fn remarks(plan: &DistributionPlan) -> Vec<Remark> {
    let mut remarks: Vec<Remark> = plan
        .findings
        .iter()
        .map(|finding| remark(plan, finding))
        .collect();
    for (code, all) in &plan.counts {
        let told = plan
            .findings
            .iter()
            .filter(|finding| finding.code == *code)
            .count();
        if *all > told as u64 {
            remarks.push(Remark::told(format!("{} more of {code}", all - told as u64)));
        }
    }
    remarks.sort_by_key(|remark| remark.weight);
    remarks
}

fn remark(plan: &DistributionPlan, finding: &Finding) -> Remark {
    let weight = match finding.code.gravity() {
        Gravity::Refused => Weight::Refused,
        Gravity::Asked if plan.request.accepted.contains(&finding.code) => Weight::Agreed,
        Gravity::Asked => Weight::Asked,
    };
    Remark {
        weight,
        words: match finding.line {
            Some(line) => format!("line {line}: {}", finding.text),
            None => finding.text.clone(),
        },
        address: finding.address,
        remedy: finding.remedy().to_owned(),
        code: (finding.code.gravity() == Gravity::Asked).then_some(finding.code),
    }
}
