//! The database, the audit log and what each process was told, held against each other.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use keyward_core::audit::{AuditEntry, Operation, Outcome};
use keyward_core::policy::WindowLimit;
use keyward_custody::Custody;
use keyward_custody::signing::RATE_WINDOW_MS;

use super::log::{self, Entry};
use super::replay::Sliding;
use super::{MAX_LAMPORTS, SIGNATURES_PER_MINUTE};
use crate::chaos::owners::Owners;
use crate::chaos::place::Place;
use crate::chaos::scene;

/// The most signatures of a wallet within a minute.
const RATE: usize = SIGNATURES_PER_MINUTE as usize; // 20

/// The most violations that are named.
const MOST_NAMED: usize = 20;

/// How often what happened, by name.
pub type Findings = BTreeMap<String, u64>;

/// What is judged, and by what.
pub(super) struct Judge<'a> {
    pub(super) place: &'a Place,
    pub(super) custody: &'a Custody,
    pub(super) windows: &'a [WindowLimit],
    /// The audit log's size before the processes began.
    pub(super) first_entry: u64,
    /// The first index that they could be given.
    pub(super) first_index: u32,
}

/// What all processes were told.
#[derive(Default)]
struct Told {
    findings: Findings,
    /// First index and count.
    ranges: Vec<(u32, u32)>,
    /// Of signatures that one process alone asked for.
    own: Vec<String>,
    /// Of signatures that several asked for.
    common: BTreeSet<String>,
    /// By reason.
    refused: BTreeMap<String, u64>,
    /// Wallets that got another owner or none, and wallets that became primary.
    assigned: u64,
    led: u64,
    violations: Vec<String>,
}

/// What the audit log says.
#[derive(Default)]
struct Recorded {
    ranges: Vec<(u32, u32)>,
    /// By intent.
    authorised: HashMap<String, u64>,
    /// By intent.
    signed: HashMap<String, u64>,
    refused: BTreeMap<String, u64>,
    /// Signatures, as their entries name them.
    signatures: BTreeSet<String>,
}

impl Judge<'_> {
    pub(super) async fn judge(&self, logs: &[PathBuf]) -> anyhow::Result<Findings> {
        let mut told = told(logs)?;
        let size = scene::intact(self.custody).await?;
        let entries = scene::entries(self.custody, self.first_entry, size).await?;
        let amounts = self.amounts().await?;
        let mut recorded = Recorded::default();
        let mut replay = Replay::new(self.windows, &amounts);
        let mut owners = Owners::default();
        for entry in &entries {
            recorded.take(entry)?;
            owners.take(entry, &mut told.violations);
            replay.take(entry, &mut told.violations);
        }
        self.indices(&mut told, &recorded).await?;
        self.signatures(&mut told, &recorded).await?;
        self.reservations(&mut told.violations).await?;
        self.usage(&mut told.violations).await?;
        owners.compare(self.place, &mut told.violations).await?;
        if owners.recorded() != (told.assigned, told.led) {
            told.violations.push(format!(
                "changes of owners told {:?}, recorded {:?}",
                (told.assigned, told.led),
                owners.recorded()
            ));
        }
        if told.refused != recorded.refused {
            told.violations.push(format!(
                "refusals told {:?}, recorded {:?}",
                told.refused, recorded.refused
            ));
        }
        let count = told.violations.len();
        told.violations.truncate(MOST_NAMED);
        ensure!(count == 0, "{count} violations:\n{}", told.violations.join("\n"));
        told.findings.insert("audit entries, verified".to_owned(), size);
        Ok(told.findings)
    }

    /// What each intent reserves.
    async fn amounts(&self) -> anyhow::Result<HashMap<String, u128>> {
        let rows = self
            .place
            .rows(
                &[&self.place.hex("intent_hash"), self.place.amount()],
                "spend_reservations",
            )
            .await?;
        let count = rows.len();
        let amounts = rows
            .into_iter()
            .map(|row| {
                let [intent, amount] = <[String; 2]>::try_from(row).ok().context("two columns")?;
                Ok((intent, amount.parse()?))
            })
            .collect::<anyhow::Result<HashMap<_, _>>>()?;
        ensure!(amounts.len() == count, "an intent has two reservations");
        Ok(amounts)
    }

    /// No index twice, none lost, and the counter where it should be.
    async fn indices(&self, told: &mut Told, recorded: &Recorded) -> anyhow::Result<()> {
        let mut ranges = told.ranges.clone();
        ranges.sort_unstable();
        let mut logged = recorded.ranges.clone();
        logged.sort_unstable();
        if ranges != logged {
            told.violations
                .push("the derivations told are not those recorded".to_owned());
        }
        let mut next = self.first_index;
        for (first, count) in ranges {
            if first != next {
                told.violations
                    .push(format!("index {next} is followed by a range from {first}"));
            }
            next = first + count;
        }
        let place = self.place;
        for (what, query) in [
            ("MAX(next_index)", "derivations"),
            ("COUNT(*)", "wallets"),
            ("COUNT(DISTINCT derivation_index)", "wallets"),
            ("COUNT(DISTINCT address)", "wallets"),
            ("MAX(derivation_index) + 1", "wallets"),
        ] {
            let found = place.number(what, query).await?;
            if found != u64::from(next) {
                told.violations.push(format!(
                    "{what} of {query} is {found}, and {next} were handed out"
                ));
            }
        }
        Ok(())
    }

    /// Every signature told is stored, once, and nothing else is.
    async fn signatures(&self, told: &mut Told, recorded: &Recorded) -> anyhow::Result<()> {
        let own: BTreeSet<String> = told.own.iter().cloned().collect();
        let violations = &mut told.violations;
        if own.len() != told.own.len() {
            violations.push("one signature was told twice".to_owned());
        }
        let all: BTreeSet<String> = own.union(&told.common).cloned().collect();
        let rows = self
            .place
            .rows(&["signature", &self.place.hex("intent_hash"), "state"], "intents")
            .await?;
        let mut stored = BTreeSet::new();
        for row in &rows {
            let [signature, intent, state] = row.as_slice() else {
                anyhow::bail!("three columns")
            };
            stored.insert(signature.clone());
            let (authorised, signed) = (
                recorded.authorised.get(intent).copied().unwrap_or(0),
                recorded.signed.get(intent).copied().unwrap_or(0),
            );
            let is_common = told.common.contains(signature);
            if state != "signed" || authorised != signed || authorised == 0 || (!is_common && authorised != 1)
            {
                violations.push(format!(
                    "intent {intent} is {state}, authorised {authorised} times and signed {signed} times"
                ));
            }
        }
        if rows.len() != recorded.authorised.len() {
            violations.push(format!(
                "{} intents are stored, and {} recorded",
                rows.len(),
                recorded.authorised.len()
            ));
        }
        for (what, found) in [("stored", &stored), ("recorded", &recorded.signatures)] {
            for missing in all.difference(found) {
                violations.push(format!("signature {missing} was told and is not {what}"));
            }
            for extra in found.difference(&all) {
                violations.push(format!("signature {extra} is {what} and was told to nobody"));
            }
        }
        Ok(())
    }

    /// What wallets count of themselves: a lost update would be one signature too few.
    async fn usage(&self, violations: &mut Vec<String>) -> anyhow::Result<()> {
        let place = self.place;
        let counted = place
            .rows(
                &["wallet_id", "total_trades"],
                "wallets WHERE total_trades > 0 ORDER BY wallet_id",
            )
            .await?;
        let signed = place
            .rows(
                &["wallet_id", "COUNT(*)"],
                "intents WHERE state = 'signed' GROUP BY wallet_id ORDER BY wallet_id",
            )
            .await?;
        if counted != signed {
            violations.push(format!("wallets count {counted:?}, and {signed:?} were signed"));
        }
        Ok(())
    }

    /// Every window over what is reserved, and every minute of every wallet, from the tables alone.
    async fn reservations(&self, violations: &mut Vec<String>) -> anyhow::Result<()> {
        let place = self.place;
        let rows = place
            .rows(
                &[
                    &place.ms("reserved_at"),
                    &place.hex("intent_hash"),
                    place.amount(),
                ],
                "spend_reservations ORDER BY reserved_at",
            )
            .await?;
        for limit in self.windows {
            let mut window = Sliding::default();
            for row in &rows {
                let [at, intent, amount] = row.as_slice() else {
                    anyhow::bail!("three columns")
                };
                let now_ms = at.parse()?;
                window.slide(now_ms, limit.duration_ms);
                window.add(now_ms, intent, amount.parse()?);
                if window.sum() > limit.maximum {
                    violations.push(format!(
                        "{} lamports are reserved within {} ms until {at}",
                        window.sum(),
                        limit.duration_ms
                    ));
                }
            }
        }
        let rows = place
            .rows(
                &["wallet_id", &place.ms("authorised_at"), &place.hex("intent_hash")],
                "intents ORDER BY authorised_at",
            )
            .await?;
        let mut wallets: HashMap<&str, Sliding> = HashMap::new();
        for row in &rows {
            let [wallet, at, intent] = row.as_slice() else {
                anyhow::bail!("three columns")
            };
            let window = wallets.entry(wallet).or_default();
            let now_ms = at.parse()?;
            window.slide(now_ms, RATE_WINDOW_MS);
            window.add(now_ms, intent, 0);
            if window.count() > RATE {
                violations.push(format!(
                    "wallet {wallet} has {} signatures in the minute until {at}",
                    window.count()
                ));
            }
        }
        Ok(())
    }
}

fn told(logs: &[PathBuf]) -> anyhow::Result<Told> {
    let mut told = Told::default();
    for path in logs {
        for entry in log::read(path)? {
            let name = match entry {
                Entry::Derived { first, count, added } => {
                    if added != count {
                        told.violations
                            .push(format!("of {count} wallets from {first} on, {added} were new"));
                    }
                    told.ranges.push((first, count));
                    "indices: ranges taken".to_owned()
                }
                Entry::Signed {
                    signature, is_common, ..
                } => {
                    if is_common {
                        told.common.insert(signature);
                        "payments asked for by all: signed".to_owned()
                    } else {
                        told.own.push(signature);
                        "payments: signed".to_owned()
                    }
                }
                Entry::Refused { code } => {
                    *told.refused.entry(code.clone()).or_default() += 1;
                    format!("refused: {code}")
                }
                Entry::Assigned => {
                    told.assigned += 1;
                    "owners: wallets given or taken".to_owned()
                }
                Entry::Led => {
                    told.led += 1;
                    "owners: primary wallets switched".to_owned()
                }
                Entry::Turned { code } => format!("refused: {code}"),
                Entry::Busy => "told to try again, and tried again".to_owned(),
                Entry::BegunAnew { times } => {
                    *told
                        .findings
                        .entry("begun anew within a store".to_owned())
                        .or_default() += times;
                    continue;
                }
                Entry::Failed { what, error } => {
                    told.violations.push(format!("{what}: {error}"));
                    continue;
                }
            };
            *told.findings.entry(name).or_default() += 1;
        }
    }
    Ok(told)
}

impl Recorded {
    fn take(&mut self, entry: &AuditEntry) -> anyhow::Result<()> {
        match (entry.operation, entry.outcome) {
            (Operation::DeriveWallets, Outcome::Done) => {
                let (_, range) = entry
                    .details
                    .split_once("indices ")
                    .context("a derivation without indices")?;
                let (first, last) = range.split_once(" to ").context("indices without an end")?;
                let (first, last): (u32, u32) = (first.parse()?, last.parse()?);
                self.ranges.push((first, last + 1 - first));
            }
            (Operation::SignTransaction, outcome) => {
                let intent = hex::encode(entry.subject.context("a signature of nothing")?);
                match outcome {
                    Outcome::Authorised => *self.authorised.entry(intent).or_default() += 1,
                    Outcome::Signed => {
                        *self.signed.entry(intent).or_default() += 1;
                        let signature = entry.details.trim_start_matches("signature ");
                        self.signatures.insert(signature.to_owned());
                    }
                    Outcome::Refused => *self.refused.entry(entry.reason.clone()).or_default() += 1,
                    other => anyhow::bail!("entry {} says {other:?}", entry.sequence),
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The limits, along the audit log.
struct Replay<'a> {
    windows: Vec<(&'a WindowLimit, Sliding)>,
    wallets: HashMap<String, Sliding>,
    amounts: &'a HashMap<String, u128>,
    last_ms: u64,
}

impl<'a> Replay<'a> {
    fn new(windows: &'a [WindowLimit], amounts: &'a HashMap<String, u128>) -> Self {
        Self {
            windows: windows.iter().map(|limit| (limit, Sliding::default())).collect(),
            wallets: HashMap::new(),
            amounts,
            last_ms: 0,
        }
    }

    fn take(&mut self, entry: &AuditEntry, violations: &mut Vec<String>) {
        let (now_ms, sequence) = (entry.time_ms, entry.sequence);
        if now_ms < self.last_ms {
            violations.push(format!("entry {sequence} is of before the last"));
        }
        self.last_ms = now_ms;
        let (Operation::SignTransaction, Some(wallet), Some(subject)) =
            (entry.operation, entry.wallet, entry.subject)
        else {
            return;
        };
        let rate = self.wallets.entry(wallet.to_string()).or_default();
        rate.slide(now_ms, RATE_WINDOW_MS);
        for (limit, window) in &mut self.windows {
            window.slide(now_ms, limit.duration_ms);
        }
        let limit = RATE;
        match (entry.outcome, entry.reason.as_str()) {
            (Outcome::Authorised, _) => {
                let intent = hex::encode(subject);
                let Some(amount) = self.amounts.get(&intent).copied() else {
                    violations.push(format!("entry {sequence} authorised what reserves nothing"));
                    return;
                };
                rate.add(now_ms, &intent, 0);
                if rate.count() > limit {
                    violations.push(format!("entry {sequence} is one too many of its wallet's minute"));
                }
                for (limit, window) in &mut self.windows {
                    window.add(now_ms, &intent, amount);
                    if window.sum() > limit.maximum {
                        violations.push(format!(
                            "entry {sequence} is over the window of {} ms",
                            limit.duration_ms
                        ));
                    }
                }
            }
            // Nothing is refused that there is room for, either: no place in a limit is lost.
            (Outcome::Refused, "rate-limited") if rate.count() < limit => {
                violations.push(format!(
                    "entry {sequence} was refused when its wallet had {} of its minute",
                    rate.count()
                ));
            }
            (Outcome::Refused, "over-window")
                if self
                    .windows
                    .iter()
                    .all(|(limit, window)| window.sum() + u128::from(MAX_LAMPORTS) <= limit.maximum) =>
            {
                violations.push(format!("entry {sequence} was refused with room in every window"));
            }
            _ => {}
        }
    }
}
