//! What must be in the vault after a kill, by what its processes said.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail, ensure};
use keyward_core::address::Address;
use keyward_core::audit::{Operation, Outcome};
use keyward_custody::{AuditQuery, Custody, CustodyError, VaultStatus, WalletQuery};

use super::worker::{self, BATCH, Kind, Work, brings_phrase, key, lamports};
use super::{Findings, Told, count};
use crate::chaos::owners::Owners;
use crate::chaos::place::Place;
use crate::chaos::scene;

/// What is known so far.
#[derive(Debug)]
pub struct Model {
    kind: Kind,
    hot: Vec<Address>,
    /// The number of the password in force.
    password: u64,
    /// The number of the next operation.
    next: u64,
    /// The next index of the phrase.
    next_index: u32,
    /// The vault key's epoch.
    epoch: u32,
    /// Signatures by the payments' numbers.
    signatures: BTreeMap<u64, String>,
    /// Imports that are there.
    imports: BTreeSet<u64>,
    /// Changes of owners.
    changes: u64,
}

impl Model {
    pub(super) async fn begin(kind: Kind, custody: &Custody, wallets: u32) -> anyhow::Result<Self> {
        if kind == Kind::Owners {
            for number in 0..worker::OWNERS {
                custody.create_owner(&worker::owner(number)).await?;
            }
        }
        Ok(Self {
            kind,
            hot: scene::wallets(custody, wallets).await?,
            password: 0,
            next: 1,
            next_index: wallets,
            epoch: epoch(custody).await?,
            signatures: BTreeMap::new(),
            imports: BTreeSet::new(),
            changes: 0,
        })
    }

    pub(super) fn password(&self) -> u64 {
        self.password
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn hot(&self) -> Vec<String> {
        self.hot.iter().map(ToString::to_string).collect()
    }

    /// With the password that was said to be in force, or with the one that was being put in its place; with exactly one
    /// of them.
    pub(super) async fn unlock(&mut self, custody: &Custody, told: &Told) -> anyhow::Result<()> {
        for work in &told.done {
            if let Work::ChangePassword { number } = work {
                self.password = *number;
            }
        }
        match custody.unlock(&worker::password(self.password), None).await {
            Ok(()) => Ok(()),
            Err(CustodyError::WrongPassword) => {
                let Some(Work::ChangePassword { number }) = told.begun else {
                    bail!("password {} was in force and does not open", self.password);
                };
                custody.unlock(&worker::password(number), None).await?;
                self.password = number;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes in what was said, and holds the vault against it.
    pub(super) async fn check(
        &mut self,
        place: &Place,
        custody: &Custody,
        told: Told,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        self.next += told.done.len() as u64 + u64::from(told.begun.is_some());
        match self.kind {
            Kind::Derive => self.derived(place, custody, &told, findings).await?,
            Kind::Sign => self.signed(place, custody, &told, findings).await?,
            Kind::RotateVault => self.rotated(custody, &told, findings).await?,
            Kind::ChangePassword => {
                // Unlocking has said which of the two it is.
                let was_done =
                    matches!(told.begun, Some(Work::ChangePassword { number }) if number == self.password);
                begun(findings, &told, was_done);
                self.expect_signing(custody).await?;
            }
            Kind::Import | Kind::Merge => self.imported(custody, &told, findings).await?,
            Kind::Owners => self.owned(place, custody, &told, findings).await?,
            Kind::RotateWallet => self.replaced(place, custody, &told, findings).await?,
        }
        self.nothing_twice(place).await
    }

    async fn derived(
        &mut self,
        place: &Place,
        custody: &Custody,
        told: &Told,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        for work in &told.done {
            let Work::Derive { first, count } = work else {
                bail!("it did {work:?}")
            };
            ensure!(
                *first == self.next_index,
                "{} was next, and it took {first}",
                self.next_index
            );
            self.next_index += count;
        }
        let found = u32::try_from(place.number("MAX(next_index)", "derivations").await?)?;
        let was_done = found != self.next_index;
        if was_done {
            let Some(Work::Derive { count, .. }) = told.begun else {
                bail!(
                    "{found} is next, and nothing else was begun at {}",
                    self.next_index
                );
            };
            ensure!(
                found == self.next_index + count,
                "a part of {:?} is there",
                told.begun
            );
            self.next_index = found;
        }
        begun(findings, told, was_done);
        // The last of them opens and signs.
        let last = custody.wallet(&format!("#{}", found - 1)).await?;
        custody.sign_message(last.address, b"after the kill").await?;
        Ok(())
    }

    async fn signed(
        &mut self,
        place: &Place,
        custody: &Custody,
        told: &Told,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        for work in &told.done {
            let Work::Sign { number, signature } = work else {
                bail!("it did {work:?}")
            };
            self.signatures.insert(*number, signature.clone());
        }
        let columns = ["state", "COALESCE(signature, '')"];
        let rows = place.rows(&columns, "intents WHERE kind = 'transaction'").await?;
        let mut stored = BTreeSet::new();
        let mut open = 0;
        for row in rows {
            match <[String; 2]>::try_from(row).ok().context("two columns")? {
                [state, signature] if state == "signed" => {
                    ensure!(stored.insert(signature), "one signature is stored twice");
                }
                [state, _] => {
                    ensure!(state == "authorised", "an intent is {state}");
                    open += 1;
                }
            }
        }
        for (number, signature) in &self.signatures {
            ensure!(
                stored.remove(signature),
                "payment {number} was signed and is not recorded"
            );
        }
        ensure!(
            stored.len() + open <= 1,
            "{} signatures and {open} intents are there that nobody asked for",
            stored.len()
        );
        if let Some(Work::Sign { number, .. }) = &told.begun {
            begun(findings, told, !stored.is_empty());
            count(findings, "authorised, not signed", open as u64);
            // Asked for again, it is signed, and reserved once.
            let signature = worker::sign(custody, &self.hot, *number).await?;
            ensure!(
                stored.iter().all(|other| *other == signature),
                "one intent has two signatures"
            );
            self.signatures.insert(*number, signature);
        } else {
            ensure!(
                stored.is_empty() && open == 0,
                "nothing was begun, and something is there"
            );
            begun(findings, told, false);
        }
        let reserved = place
            .number(
                &format!("COALESCE(SUM({}), 0)", place.amount()),
                "spend_reservations",
            )
            .await?;
        let expected: u64 = self.signatures.keys().map(|number| lamports(*number)).sum();
        ensure!(
            reserved == expected,
            "{reserved} lamports are reserved, not {expected}"
        );
        let recorded = audited(custody, Operation::SignTransaction, Outcome::Signed).await?;
        let authorised = audited(custody, Operation::SignTransaction, Outcome::Authorised).await?;
        let signed = self.signatures.len() as u64;
        ensure!(
            recorded == signed && authorised >= signed,
            "{signed} payments are signed; the log has {recorded}, and {authorised} authorised"
        );
        Ok(())
    }

    async fn rotated(
        &mut self,
        custody: &Custody,
        told: &Told,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        for work in &told.done {
            let Work::RotateVault { epoch } = work else {
                bail!("it did {work:?}")
            };
            ensure!(
                *epoch == self.epoch + 1,
                "epoch {} was followed by {epoch}",
                self.epoch
            );
            self.epoch = *epoch;
        }
        let found = epoch(custody).await?;
        let was_done = found != self.epoch;
        if was_done {
            ensure!(
                told.begun.is_some() && found == self.epoch + 1,
                "epoch {} is {found}",
                self.epoch
            );
            self.epoch = found;
        }
        begun(findings, told, was_done);
        if custody.rotation_status().await?.is_some() {
            ensure!(
                told.begun.is_some() && !was_done,
                "a rotation that ended is still there"
            );
            count(findings, "left between two stages, and resumed", 1);
        }
        self.expect_signing(custody).await
    }

    async fn imported(
        &mut self,
        custody: &Custody,
        told: &Told,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        for work in &told.done {
            let (Work::Import { number } | Work::Merge { number }) = work else {
                bail!("it did {work:?}")
            };
            self.imports.insert(*number);
        }
        let labels: BTreeSet<String> = custody
            .masters()
            .await?
            .into_iter()
            .map(|phrase| phrase.label)
            .collect();
        let mut was_done = false;
        if let Some(Work::Import { number } | Work::Merge { number }) = told.begun {
            was_done = if self.brings_phrase(number) {
                labels.contains(&worker::label(number))
            } else {
                custody
                    .wallet_by_address(key(number * BATCH).address())
                    .await?
                    .is_some()
            };
            if was_done {
                self.imports.insert(number);
            }
        }
        begun(findings, told, was_done);
        let (phrases, batches): (Vec<u64>, Vec<u64>) = self
            .imports
            .iter()
            .partition(|number| self.brings_phrase(**number));
        for number in &phrases {
            ensure!(
                labels.contains(&worker::label(*number)),
                "phrase {number} was imported and is gone"
            );
        }
        // The vault's own phrase has none.
        ensure!(labels.len() == phrases.len() + 1, "{} phrases", labels.len());
        let query = WalletQuery {
            tag: Some("imported".to_owned()),
            limit: 1,
            ..WalletQuery::default()
        };
        let tagged = custody.wallets(&query).await?.total;
        ensure!(
            tagged == batches.len() as u64 * BATCH,
            "{tagged} imported keys of {} imports",
            batches.len()
        );
        // Of the last ones each is there, with what it came with, and signs.
        for number in batches.iter().rev().take(2) {
            for at in 0..BATCH {
                let address = key(number * BATCH + at).address();
                let wallet = custody
                    .wallet_by_address(address)
                    .await?
                    .with_context(|| format!("a key of import {number} is gone"))?;
                ensure!(wallet.label == worker::label(*number), "{wallet:?}");
                if let Some(address) = wallet.solana() {
                    custody.sign_message(*address, b"after the kill").await?;
                }
            }
        }
        Ok(())
    }

    /// The table is what the log says in its order, and the log has what was told and at most what was under way.
    async fn owned(
        &mut self,
        place: &Place,
        custody: &Custody,
        told: &Told,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        for work in &told.done {
            let Work::Owners { changed, .. } = work else {
                bail!("it did {work:?}")
            };
            self.changes += u64::from(*changed);
        }
        let size = scene::intact(custody).await?;
        let (mut owners, mut violations) = (Owners::default(), Vec::new());
        for entry in scene::entries(custody, 0, size).await? {
            owners.take(&entry, &mut violations);
        }
        owners.compare(place, &mut violations).await?;
        ensure!(violations.is_empty(), "{}", violations.join("\n"));
        let (assigned, led) = owners.recorded();
        let beyond = (assigned + led).checked_sub(self.changes);
        let was_done = beyond == Some(1) && told.begun.is_some();
        ensure!(
            was_done || beyond == Some(0),
            "{} changes were told, and {assigned} and {led} are recorded",
            self.changes
        );
        self.changes += u64::from(was_done);
        begun(findings, told, was_done);
        Ok(())
    }

    async fn replaced(
        &mut self,
        place: &Place,
        custody: &Custody,
        told: &Told,
        findings: &mut Findings,
    ) -> anyhow::Result<()> {
        for work in &told.done {
            let Work::RotateWallet { from, to } = work else {
                bail!("it did {work:?}")
            };
            self.replace(from.parse()?, to.parse()?);
        }
        let mut was_done = false;
        if let Some(Work::RotateWallet { from, .. }) = &told.begun {
            let address: Address = from.parse()?;
            let chain = custody.rotation_chain(address).await?;
            let newest = chain.first().and_then(|wallet| wallet.solana().copied());
            let newest = newest.context("a chain without a newest key")?;
            was_done = newest != address;
            if was_done {
                ensure!(
                    chain.get(1).and_then(|wallet| wallet.solana()) == Some(&address),
                    "{from} was replaced twice"
                );
                self.replace(address, newest);
            }
        }
        begun(findings, told, was_done);
        let active = place
            .number("COUNT(*)", "wallets WHERE status = 'active'")
            .await?;
        ensure!(active == self.hot.len() as u64, "{active} wallets are active");
        // Each follows another, and none is followed by two.
        let linked = place
            .number("COUNT(DISTINCT previous_wallet_id)", "wallets")
            .await?;
        ensure!(
            linked + active == u64::from(self.next_index),
            "{linked} of {} keys are followed by another",
            self.next_index
        );
        self.expect_signing(custody).await
    }

    /// Files that are merged bring keys alone.
    fn brings_phrase(&self, number: u64) -> bool {
        self.kind == Kind::Import && brings_phrase(number)
    }

    fn replace(&mut self, from: Address, to: Address) {
        for hot in self.hot.iter_mut().filter(|hot| **hot == from) {
            *hot = to;
            // The new key has the next free index.
            self.next_index += 1;
        }
    }

    /// Every wallet that is in use.
    async fn expect_signing(&self, custody: &Custody) -> anyhow::Result<()> {
        for wallet in &self.hot {
            custody
                .sign_message(*wallet, b"after the kill")
                .await
                .with_context(|| format!("{wallet} does not sign"))?;
        }
        Ok(())
    }

    /// What every kind of work leaves alone.
    async fn nothing_twice(&self, place: &Place) -> anyhow::Result<()> {
        let imported = self
            .imports
            .iter()
            .filter(|number| !self.brings_phrase(**number))
            .count() as u64
            * BATCH;
        let expected = u64::from(self.next_index) + imported;
        for (what, from, expected) in [
            ("COUNT(*)", "wallets", expected),
            ("COUNT(DISTINCT address)", "wallets", expected),
            ("COUNT(DISTINCT record_id)", "wallets", expected),
            (
                "COUNT(DISTINCT derivation_index)",
                "wallets",
                u64::from(self.next_index),
            ),
            ("MAX(next_index)", "derivations", u64::from(self.next_index)),
        ] {
            let found = place.number(what, from).await?;
            ensure!(found == expected, "{what} of {from} is {found}, not {expected}");
        }
        Ok(())
    }
}

/// Notes what became of what was under way.
fn begun(findings: &mut Findings, told: &Told, was_done: bool) {
    let what = match (&told.begun, was_done) {
        (None, _) => "killed between two operations",
        (Some(_), true) => "under way, and done",
        (Some(_), false) => "under way, and not done",
    };
    count(findings, what, 1);
}

async fn epoch(custody: &Custody) -> anyhow::Result<u32> {
    match custody.status().await? {
        VaultStatus::Unlocked(summary) => Ok(summary.epoch),
        other => bail!("the vault is {other:?}"),
    }
}

async fn audited(custody: &Custody, operation: Operation, outcome: Outcome) -> anyhow::Result<u64> {
    let query = AuditQuery {
        operation: Some(operation),
        outcome: Some(outcome),
        limit: 1,
        ..AuditQuery::default()
    };
    Ok(custody.audit_entries(&query).await?.total)
}
