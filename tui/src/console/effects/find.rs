//! The search for the path and passphrase that give an address.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use keyward_core::account::AccountAddress;
use keyward_core::discovery::{IndexRange, PathSearch, SearchPlan, SearchReport};
use keyward_core::mnemonic::{Mnemonic, MnemonicError, Wordlist};
use keyward_custody::Progress;
use keyward_custody::memory::clearing_stack;
use zeroize::Zeroizing;

use super::Reporter;
use super::vault::blocking;
use super::wallets::CancelOnDrop;
use crate::console::effect::{Failure, FailureKind};

/// What to search.
pub struct FindWork {
    /// The address looked for.
    pub target: AccountAddress,
    /// The phrase.
    pub phrase: Zeroizing<String>,
    /// A passphrase tried beside none.
    pub passphrase: Zeroizing<String>,
    /// How many indices of each path.
    pub indices: u32,
}

impl fmt::Debug for FindWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FindWork(<redacted>)")
    }
}

/// What came of it. It names no phrase and no passphrase.
#[derive(Debug, Clone)]
pub enum FindAnswer {
    /// What was searched and found.
    Searched(Result<SearchReport, Failure>),
}

/// The result in one line.
#[must_use]
pub fn summary(report: &SearchReport) -> String {
    match report.matches.first() {
        Some(found) => {
            let passphrase = if found.passphrase == 0 {
                "no passphrase"
            } else {
                "the passphrase given"
            };
            format!(
                "found at {} ({}), with {passphrase}",
                found.path,
                found.scheme.id()
            )
        }
        None => format!("not found among {} addresses", report.derived),
    }
}

pub(super) async fn perform(work: FindWork, reporter: &Reporter) -> FindAnswer {
    let progress = Progress::new();
    let _stop = CancelOnDrop(progress.clone());
    let states = progress.subscribe();
    let searching = blocking(move || search(&work, &progress));
    FindAnswer::Searched(reporter.count(states, searching).await)
}

/// A phrase of several languages gives one seed in all of them, so that any will do here.
fn read_phrase(text: &str) -> Result<Mnemonic, Failure> {
    let refused = |error: MnemonicError| Failure::new(error.to_string(), "go back and correct the phrase");
    match Mnemonic::parse(text) {
        Err(MnemonicError::Ambiguous { wordlists }) => {
            let list = wordlists.first().copied().unwrap_or(Wordlist::English);
            Mnemonic::parse_in(list, text).map_err(refused)
        }
        other => other.map_err(refused),
    }
}

fn search(work: &FindWork, progress: &Progress) -> Result<SearchReport, Failure> {
    let mnemonic = read_phrase(&work.phrase)?;
    let mut passphrases = vec![Zeroizing::new(String::new())];
    if !work.passphrase.is_empty() {
        passphrases.push(Zeroizing::new(work.passphrase.to_string()));
    }
    let invalid =
        |error: &dyn fmt::Display| Failure::new(error.to_string(), "correct the form and search again");
    let mut plan = SearchPlan::everything(vec![work.target]);
    plan.indices = IndexRange::new(0, work.indices).map_err(|error| invalid(&error))?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let parts = u32::try_from(cores).unwrap_or(1);
    let searches = (0..parts)
        .map(|part| PathSearch::part(&mnemonic, &passphrases, &plan, part, parts))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| invalid(&error))?;
    let total = searches.first().map_or(0, PathSearch::total);
    let derived = AtomicU64::new(0);
    let found = Mutex::new(false);
    let is_found = || found.lock().map_or(true, |found| *found);
    let reports: Vec<_> = thread::scope(|scope| {
        let (derived, found, is_found) = (&derived, &found, &is_found);
        let threads: Vec<_> = searches
            .into_iter()
            .map(|mut search| {
                scope.spawn(move || {
                    clearing_stack(|| {
                        while !progress.is_cancelled() && !is_found() {
                            let Some(step) = search.next_chunk()? else { break };
                            let done = derived.fetch_add(step.derived, Ordering::Relaxed) + step.derived;
                            progress.report(done, total);
                            if !step.found.is_empty()
                                && let Ok(mut found) = found.lock()
                            {
                                *found = true;
                            }
                        }
                        Ok(search.report())
                    })
                })
            })
            .collect();
        threads.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    if progress.is_cancelled() {
        return Err(Failure {
            cause: "the search was stopped".into(),
            remedy: String::new(),
            kind: FailureKind::Cancelled,
        });
    }
    let broke = || Failure::new("the search broke off", "search again");
    let mut merged: Option<SearchReport> = None;
    for report in reports {
        let report: Result<SearchReport, keyward_core::derive::DeriveError> = report.map_err(|_| broke())?;
        let report = report.map_err(|error| invalid(&error))?;
        merged = Some(match merged {
            Some(other) => other.merged(report),
            None => report,
        });
    }
    merged.ok_or_else(broke)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// BIP-39's first test vector.
    const PHRASE: &str =
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

    fn work(target: &str, indices: u32) -> FindWork {
        FindWork {
            target: target.parse().unwrap(),
            phrase: Zeroizing::new(PHRASE.into()),
            passphrase: Zeroizing::default(),
            indices,
        }
    }

    #[test]
    fn a_known_address_is_found_with_its_path() {
        let work = work("0x9858EfFD232B4033E47d90003D41EC34EcaEda94", 3);
        let report = search(&work, &Progress::new()).unwrap();
        assert!(
            summary(&report).starts_with("found at m/44'/60'/0'/0/0"),
            "{report:?}"
        );
    }

    #[test]
    fn what_is_not_there_is_said_with_how_much_was_searched() {
        let work = work("0x70997970C51812dc3A010C7d01b50e0d17dc79C8", 2);
        let report = search(&work, &Progress::new()).unwrap();
        assert!(report.is_complete() && summary(&report).starts_with("not found among"));
        assert!(!format!("{work:?}").contains("abandon"));
    }

    #[test]
    fn a_stopped_search_and_a_wrong_phrase_end() {
        let stopped = Progress::new();
        stopped.cancel();
        let mut work = work("0x70997970C51812dc3A010C7d01b50e0d17dc79C8", 2);
        assert_eq!(search(&work, &stopped).unwrap_err().kind, FailureKind::Cancelled);
        work.phrase = Zeroizing::new("abandon abandon".into());
        search(&work, &Progress::new()).unwrap_err();
        work.phrase = Zeroizing::new(PHRASE.into());
        work.indices = 0;
        search(&work, &Progress::new()).unwrap_err();
    }
}
