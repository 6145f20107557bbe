//! A stored job held against the chain: of a distribution what was paid, of a sweep what is left.

use keyward_core::address::Address;
use keyward_core::amount::format_units;
use keyward_custody::Custody;
use keyward_custody::chain::SolanaNode;
use keyward_custody::distribution::{self, DistributionReport, ReportLine, Verdict};
use keyward_custody::jobs::{ItemAction, ItemCursor, ItemFilter, JobId, JobItem, JobKind, MAX_JOB_PAGE};
use keyward_custody::sweep::{self, SweepLeft};

use super::super::Services;
use crate::console::effect::Failure;
use crate::console::text::count;

const SOL_DECIMALS: u8 = 9;

/// How a line of a report stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stands {
    /// Plan, record and chain do not agree, or something is left.
    Odd,
    /// It is not done yet.
    Open,
    /// As it should be.
    Well,
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// Whom it is about.
    pub address: Address,
    /// The amount, with its unit where it has one.
    pub amount: String,
    /// How it stands, in a word.
    pub word: &'static str,
    /// How it stands.
    pub stands: Stands,
    /// All that is known of it.
    pub details: Vec<String>,
}

/// A report, for reading.
#[derive(Debug, Clone)]
pub struct ReportPage {
    /// Whether everything that is done is as it should be.
    pub agrees: bool,
    /// What follows from that.
    pub words: &'static str,
    /// What it comes to, by name.
    pub facts: Vec<(&'static str, String)>,
    /// Its lines, what is odd first.
    pub rows: Vec<ReportRow>,
}

pub(super) async fn read(services: &Services, id: JobId) -> Result<Box<ReportPage>, Failure> {
    let (custody, node) = (services.custody()?, services.node()?);
    let job = custody.job(id).await?;
    let mut page = match job.kind {
        JobKind::Distribution => paid(&custody, &node, id).await?,
        JobKind::Consolidation | JobKind::Closing => left(&custody, &node, id).await?,
    };
    page.rows.sort_by_key(|row| row.stands);
    Ok(Box::new(page))
}

async fn paid(custody: &Custody, node: &SolanaNode, id: JobId) -> Result<ReportPage, Failure> {
    let report = distribution::report(custody, node, id).await?;
    let first = custody
        .job_items(id, ItemFilter::All, ItemCursor::default(), 1)
        .await?;
    let decimals = first.first().and_then(|item| match item.new.action {
        ItemAction::PayToken { decimals, .. } => Some(decimals),
        _ => None,
    });
    let amount = |units: u64| match decimals {
        Some(decimals) => format_units(units, decimals),
        None => format!("{} SOL", format_units(units, SOL_DECIMALS)),
    };
    Ok(ReportPage {
        agrees: report.agrees(),
        words: match report.agrees() {
            true => "Plan, record and chain agree on everything that is done.",
            false => {
                "Record and chain differ where there is a !: run the job again where something is unrecorded; ask a node with \
                 the whole history where something is missing."
            }
        },
        facts: totals(&report, &amount),
        rows: report.lines.iter().map(|line| paid_row(line, &amount)).collect(),
    })
}

fn totals(report: &DistributionReport, amount: &dyn Fn(u64) -> String) -> Vec<(&'static str, String)> {
    let totals = &report.totals;
    let of = |verdict| report.lines.iter().filter(|line| line.verdict == verdict).count();
    vec![
        (
            "recipients",
            format!(
                "{} paid, {} open, {} unrecorded, {} missing, {} over",
                of(Verdict::Paid),
                of(Verdict::Open),
                of(Verdict::Unrecorded),
                of(Verdict::Missing),
                of(Verdict::Over)
            ),
        ),
        ("planned", amount(totals.planned)),
        ("recorded", amount(totals.recorded)),
        (
            "on chain",
            format!(
                "{} paid, {} received",
                amount(totals.paid),
                amount(totals.received)
            ),
        ),
        (
            "in",
            format!(
                "{}, {} of them failed",
                count(totals.transactions, "transaction", "transactions"),
                totals.failed_transactions
            ),
        ),
        (
            "fees, rent",
            format!(
                "{} SOL, {} SOL for {}",
                totals.fees,
                totals.rent,
                count(totals.accounts_created, "new account", "new accounts")
            ),
        ),
        (
            "spent",
            format!("{} SOL in all by those who signed", totals.spent),
        ),
        ("unexplained", format!("{} SOL", totals.unexplained)),
    ]
}

fn paid_row(line: &ReportLine, amount: &dyn Fn(u64) -> String) -> ReportRow {
    let mut details = vec![format!(
        "planned {}, recorded {}, paid {}, received {}",
        amount(line.planned),
        amount(line.recorded),
        amount(line.paid),
        amount(line.received)
    )];
    details.extend(
        line.transactions
            .iter()
            .map(|signature| format!("in {signature}")),
    );
    ReportRow {
        address: line.recipient,
        amount: amount(line.paid),
        word: line.verdict.as_str(),
        stands: match line.verdict {
            Verdict::Paid => Stands::Well,
            Verdict::Open => Stands::Open,
            Verdict::Unrecorded | Verdict::Missing | Verdict::Over => Stands::Odd,
        },
        details,
    }
}

async fn left(custody: &Custody, node: &SolanaNode, id: JobId) -> Result<ReportPage, Failure> {
    let done = done(custody, id).await?;
    let found = sweep::left(node, &done).await?;
    let SweepLeft {
        zero,
        remaining,
        closed,
        open,
    } = &found;
    let facts = vec![
        ("done", count(done.len() as u64, "item", "items")),
        (
            "at zero",
            format!("{} exactly", count(*zero, "wallet", "wallets")),
        ),
        ("closed", count(*closed, "account is gone", "accounts are gone")),
        (
            "left",
            format!(
                "{} again, {} still there",
                count(
                    remaining.len() as u64,
                    "wallet holds something",
                    "wallets hold something"
                ),
                count(open.len() as u64, "account is", "accounts are")
            ),
        ),
    ];
    let mut rows: Vec<ReportRow> = remaining
        .iter()
        .map(|(address, lamports)| ReportRow {
            address: *address,
            amount: format!("{lamports} SOL"),
            word: "holds it",
            stands: Stands::Odd,
            details: vec!["It came in after the transaction was built; collect it again.".into()],
        })
        .collect();
    rows.extend(open.iter().map(|address| ReportRow {
        address: *address,
        amount: String::new(),
        word: "is there",
        stands: Stands::Odd,
        details: vec!["It was closed, and is there again; close it once more.".into()],
    }));
    Ok(ReportPage {
        agrees: found.is_nothing(),
        words: match found.is_nothing() {
            true => "Nothing is left of what it moved or closed.",
            false => {
                "Something is there of what was emptied or closed: the lines with ! say what, and what to do."
            }
        },
        facts,
        rows,
    })
}

/// Every item of a job that is done.
async fn done(custody: &Custody, id: JobId) -> Result<Vec<JobItem>, Failure> {
    let (mut all, mut cursor) = (Vec::new(), ItemCursor::default());
    loop {
        let page = custody
            .job_items(id, ItemFilter::Done, cursor, MAX_JOB_PAGE)
            .await?;
        let Some(last) = page.last() else {
            return Ok(all);
        };
        cursor.after = Some(last.new.number);
        all.extend(page);
    }
}
