//! Plans of consolidations and of closings.

use keyward_core::address::Address;
use keyward_core::amount::format_units;
use keyward_custody::Progress;
use keyward_custody::jobs::NewJob;
use keyward_custody::sweep::{
    CloseRequest, ConsolidateRequest, Emptied, RentTo, SkipReason, Skipped, SweepPlan, TokenTotal, WrappedSol,
};

use super::names::{addresses, fee, only};
use super::{Closing, Kept, PlanPage, Remark, SweepAsk, SweepKind, Typed, Weight};
use crate::console::effect::Failure;
use crate::console::effects::wallets::CancelOnDrop;
use crate::console::effects::{Reporter, Services};
use crate::console::text::count;

const SOL_DECIMALS: u8 = 9;
/// The most tokens that are told one by one.
const TOLD_TOKENS: usize = 50;

pub(super) async fn plan(
    services: &Services,
    ask: SweepAsk,
    reporter: &Reporter,
) -> Result<Box<PlanPage>, Failure> {
    let (custody, node) = (services.custody()?, services.node()?);
    let wallets = addresses(&custody, &ask.wallets, "the wallets").await?;
    let named = async |name: &str, what: &str| match name.trim() {
        "" => Ok(None),
        name => only(&custody, name, what).await.map(Some),
    };
    let sponsor = named(&ask.sponsor, "the wallet that pays the fees").await?;
    let to = named(&ask.to, "where it goes").await?;
    let progress = Progress::new();
    let _stop = CancelOnDrop(progress.clone());
    let states = progress.subscribe();
    let (label, format, fee) = (ask.label.trim().to_owned(), ask.format, fee(&ask.fee)?);
    let plan = match ask.what {
        SweepKind::Consolidate => {
            let to = to.ok_or_else(|| Failure::new("it is not said where it goes", "name a wallet"))?;
            let request = ConsolidateRequest {
                label,
                sources: wallets,
                to,
                sponsor,
                collect: ask.collect,
                emptied: match ask.closing {
                    Closing::Yes => Emptied::Close,
                    Closing::No => Emptied::Keep,
                },
                format,
                fee,
            };
            let planning = custody.plan_consolidation(&node, &request, &progress);
            reporter.count(states, planning).await?
        }
        SweepKind::Close => {
            let request = CloseRequest {
                label,
                wallets,
                rent_to: to.map_or(RentTo::Owner, RentTo::Wallet),
                sponsor,
                wrapped: match ask.closing {
                    Closing::Yes => WrappedSol::Unwrap,
                    Closing::No => WrappedSol::Keep,
                },
                format,
                fee,
            };
            let planning = custody.plan_closing(&node, &request, &progress);
            reporter.count(states, planning).await?
        }
    };
    Ok(Box::new(page(plan, ask.what, to)))
}

/// Whether it can be stored and carried out.
pub(super) fn is_ready(plan: &SweepPlan) -> bool {
    plan.refusals.is_empty() && !plan.job.items.is_empty()
}

fn page(plan: SweepPlan, what: SweepKind, to: Option<Address>) -> PlanPage {
    let drained = plan.estimate.drained.get();
    // What goes to another wallet is typed as it is; rent that comes home is counted.
    let typed = match what {
        SweepKind::Consolidate if drained > 0 => Typed::Amount {
            units: drained,
            decimals: SOL_DECIMALS,
        },
        _ => Typed::Count(plan.job.items.len() as u64),
    };
    PlanPage {
        facts: facts(&plan, what, to),
        remarks: remarks(&plan),
        names: vec![String::new(); plan.job.items.len()],
        expected: plan.expected.clone(),
        asked: Vec::new(),
        typed,
        ready: is_ready(&plan),
        kept: Kept::Sweep(Box::new(plan)),
    }
}

fn facts(plan: &SweepPlan, what: SweepKind, to: Option<Address>) -> Vec<(&'static str, String)> {
    let estimate = &plan.estimate;
    let mut facts = Vec::new();
    if what == SweepKind::Consolidate {
        let wallets = count(estimate.wallets_drained, "wallet", "wallets");
        facts.push((
            "collects",
            format!("{} SOL of {wallets}, to exactly zero", estimate.drained),
        ));
        facts.extend(to.map(|to| ("to", to.to_string())));
    }
    if what == SweepKind::Close || estimate.accounts_closed > 0 || estimate.released.get() > 0 {
        let accounts = count(estimate.accounts_closed, "token account", "token accounts");
        facts.push(("closes", accounts));
        let released = match estimate.released_to {
            Some(to) => format!("{} SOL to {to}", estimate.released),
            None => format!("{} SOL, to each account's owner", estimate.released),
        };
        facts.push(("comes back", released));
    }
    facts.extend(
        estimate
            .tokens
            .iter()
            .take(TOLD_TOKENS)
            .map(|token| ("token", token_words(token))),
    );
    if estimate.tokens.len() > TOLD_TOKENS {
        let more = (estimate.tokens.len() - TOLD_TOKENS) as u64;
        facts.push(("and", count(more, "token more", "tokens more")));
    }
    facts.push(("in", in_words(plan, &plan.job)));
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
    facts.push((
        "paid from",
        format!("{} SOL {}", estimate.payer_before, plan.job.fee_payer),
    ));
    let left = match plan.skipped.len() {
        0 => "nothing stays behind".to_owned(),
        1 => "one thing stays where it is, and is told below with its reason".to_owned(),
        more => format!("{more} things stay where they are, each told below with its reason"),
    };
    facts.push(("left", left));
    facts
}

fn in_words(plan: &SweepPlan, job: &NewJob) -> String {
    format!(
        "{} ({}) with {}",
        count(plan.estimate.transactions, "transaction", "transactions"),
        job.format.as_str(),
        count(plan.estimate.signatures, "signature", "signatures")
    )
}

fn token_words(token: &TokenTotal) -> String {
    let units = |amount: u128| match u64::try_from(amount) {
        Ok(amount) => format_units(amount, token.decimals),
        Err(_) => format!("{amount} smallest units"),
    };
    let accounts = count(token.accounts, "account", "accounts");
    let mut words = format!("{} of {} from {accounts}", units(token.amount), token.mint);
    if token.fee > 0 {
        words.push_str(&format!(", its own fee {}", units(token.fee)));
    }
    words
}

fn remarks(plan: &SweepPlan) -> Vec<Remark> {
    let mut remarks: Vec<Remark> = Vec::new();
    remarks.extend(plan.refusals.iter().map(|refusal| Remark {
        weight: Weight::Refused,
        ..Remark::told(refusal.text.clone())
    }));
    remarks.extend(plan.failures.iter().map(|failure| Remark {
        remedy: "what fails is told when it is run, and the rest is done without it".into(),
        ..Remark::told(format!("would fail now: {failure}"))
    }));
    remarks.extend(plan.skipped.iter().map(stays));
    remarks
}

/// What stays where it is, and why, in the words of the console.
fn stays(skipped: &Skipped) -> Remark {
    let reason = match &skipped.reason {
        SkipReason::Wrapped => {
            "it holds wrapped SOL; e goes back to the form, which can unwrap it".to_owned()
        }
        SkipReason::NotEmpty => "it is not empty; collect its tokens first (C on the wallets)".to_owned(),
        other => other.to_string(),
    };
    let (what, address) = match skipped.account {
        Some(account) => (format!("an account of {}", skipped.wallet.abbreviated()), account),
        None => (
            format!("the SOL of {}", skipped.wallet.abbreviated()),
            skipped.wallet,
        ),
    };
    Remark {
        address: Some(address),
        remedy: match skipped.lamports.get() {
            0 => String::new(),
            _ => format!("{} SOL stay there", skipped.lamports),
        },
        ..Remark::told(format!("{what} stays: {reason}"))
    }
}
