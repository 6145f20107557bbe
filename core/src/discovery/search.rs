//! The search for paths and passphrases, in chunks.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::{Addresses, Scheme};
use crate::account::{AccountAddress, Chain};
use crate::derive::DeriveError;
use crate::mnemonic::{Mnemonic, Seed};
use crate::path::ChildIndex;

/// Most addresses that one step derives: a few milliseconds.
pub const SEARCH_CHUNK: u32 = 64;
/// Most candidate passphrases.
const MAX_PASSPHRASES: usize = 1_000_000;
/// Most addresses looked for at once.
const MAX_TARGETS: usize = 10_000;

/// Why a search cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// There is no address to look for, or more than 10,000.
    #[error("a search looks for 1 to 10000 addresses and this has {found}; correct the list")]
    Targets {
        /// How many there are.
        found: usize,
    },
    /// There is no passphrase, not even the empty one, or more than a million.
    #[error(
        "a search tries 1 to 1000000 passphrases and this has {found}; give fewer, the empty one at least"
    )]
    Passphrases {
        /// How many there are.
        found: usize,
    },
    /// No scheme is left that gives addresses of the targets' chains.
    #[error("none of the path schemes gives addresses of this chain; choose others or all")]
    NoScheme,
    /// A range is empty or runs past the last index.
    #[error("the index range is empty or runs past 2147483647; write it like 0..1000")]
    Range,
    /// The part is not one of the parts.
    #[error("there is no such part of the search; number parts from 0")]
    Part,
}

/// Indices from a first one on, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexRange {
    start: u32,
    count: u32,
}

impl IndexRange {
    /// `count` indices from `start` on.
    ///
    /// # Errors
    /// [`SearchError::Range`] for none, or past 2^31-1.
    pub const fn new(start: u32, count: u32) -> Result<Self, SearchError> {
        match start.checked_add(count) {
            Some(end) if count > 0 && end <= ChildIndex::MAX.get() + 1 => Ok(Self { start, count }),
            _ => Err(SearchError::Range),
        }
    }

    /// The first index.
    #[must_use]
    pub const fn start(self) -> u32 {
        self.start
    }

    /// How many indices, at least 1.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.count
    }

    /// The first index beyond.
    #[must_use]
    pub const fn end(self) -> u32 {
        self.start + self.count
    }
}

impl fmt::Display for IndexRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end())
    }
}

/// What to look for, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPlan {
    /// The addresses looked for; of both chains if need be.
    pub targets: Vec<AccountAddress>,
    /// The schemes searched; those of chains without a target are left out.
    pub schemes: Vec<Scheme>,
    /// The indices searched; a scheme with one address has index 0 only.
    pub indices: IndexRange,
    /// The accounts searched in grids.
    pub accounts: IndexRange,
}

impl SearchPlan {
    /// Every scheme of the targets' chains, the first 100 indices, and the first 10 accounts of grids.
    #[must_use]
    pub fn everything(targets: Vec<AccountAddress>) -> Self {
        Self {
            targets,
            schemes: Chain::ALL.into_iter().flat_map(Scheme::of).collect(),
            indices: IndexRange { start: 0, count: 100 },
            accounts: IndexRange { start: 0, count: 10 },
        }
    }
}

/// Where an address was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The address looked for.
    pub target: AccountAddress,
    /// The scheme it is of.
    pub scheme: Scheme,
    /// The account, 0 outside grids.
    pub account: ChildIndex,
    /// The index.
    pub index: ChildIndex,
    /// The path, or `none`.
    pub path: String,
    /// Which of the candidate passphrases, counted from 0.
    pub passphrase: usize,
}

/// What one step of a search did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What the step found.
    pub found: Vec<Match>,
    /// Addresses that the step derived.
    pub derived: u64,
}

/// One scheme and how much of it a search covers, for each passphrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Searched {
    /// The scheme.
    pub scheme: Scheme,
    /// The accounts, in grids.
    pub accounts: Option<IndexRange>,
    /// The indices.
    pub indices: IndexRange,
}

impl Searched {
    /// Addresses of the scheme that are derived for each passphrase.
    #[must_use]
    pub fn addresses(&self) -> u64 {
        u64::from(self.accounts.map_or(1, IndexRange::count)) * u64::from(self.indices.count())
    }

    /// Steps that this takes for each passphrase.
    fn steps(&self) -> u64 {
        let chunks = self.indices.count().div_ceil(SEARCH_CHUNK);
        u64::from(self.accounts.map_or(1, IndexRange::count)) * u64::from(chunks)
    }
}

/// What was searched and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchReport {
    /// Every scheme of the search with its ranges.
    pub searched: Vec<Searched>,
    /// How many passphrases were tried with each of them.
    pub passphrases: usize,
    /// Addresses derived.
    pub derived: u64,
    /// Addresses that the whole search has.
    pub total: u64,
    /// Everything found.
    pub matches: Vec<Match>,
    /// The addresses that were not found.
    pub missing: Vec<AccountAddress>,
}

impl SearchReport {
    /// Whether everything was searched. Otherwise what is missing may still be there.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.derived == self.total
    }

    /// Puts two parts of one search together.
    #[must_use]
    pub fn merged(mut self, other: Self) -> Self {
        self.derived += other.derived;
        self.matches.extend(other.matches);
        self.missing
            .retain(|target| self.matches.iter().all(|found| found.target != *target));
        self
    }
}

/// A search, or one of the parts that several threads do. Holds a phrase and passphrases, wiped when dropped.
///
/// Steps are numbered over the whole search; a part does every `parts`th of them, so that parts take equally long.
pub struct PathSearch<'a> {
    mnemonic: &'a Mnemonic,
    passphrases: &'a [Zeroizing<String>],
    targets: BTreeSet<AccountAddress>,
    order: Vec<AccountAddress>,
    searched: Vec<Searched>,
    /// The next step's number.
    next: u64,
    parts: u64,
    derived: u64,
    matches: Vec<Match>,
    seed: Option<(usize, Seed)>,
}

impl fmt::Debug for PathSearch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PathSearch")
            .field("searched", &self.searched)
            .field("next", &self.next)
            .field("derived", &self.derived)
            .finish_non_exhaustive()
    }
}

impl<'a> PathSearch<'a> {
    /// A search that one caller does alone. `passphrases` are the candidates, the empty one included where it
    /// is to be tried.
    ///
    /// # Errors
    /// [`SearchError`].
    pub fn new(
        mnemonic: &'a Mnemonic,
        passphrases: &'a [Zeroizing<String>],
        plan: &SearchPlan,
    ) -> Result<Self, SearchError> {
        Self::part(mnemonic, passphrases, plan, 0, 1)
    }

    /// Part number `part` of `parts`, counted from 0. All parts together do the whole search.
    ///
    /// # Errors
    /// [`SearchError`].
    pub fn part(
        mnemonic: &'a Mnemonic,
        passphrases: &'a [Zeroizing<String>],
        plan: &SearchPlan,
        part: u32,
        parts: u32,
    ) -> Result<Self, SearchError> {
        if part >= parts {
            return Err(SearchError::Part);
        }
        let found = plan.targets.len();
        if !(1..=MAX_TARGETS).contains(&found) {
            return Err(SearchError::Targets { found });
        }
        let found = passphrases.len();
        if !(1..=MAX_PASSPHRASES).contains(&found) {
            return Err(SearchError::Passphrases { found });
        }
        let searched = covered(plan)?;
        Ok(Self {
            mnemonic,
            passphrases,
            targets: plan.targets.iter().copied().collect(),
            order: plan.targets.clone(),
            searched,
            next: u64::from(part),
            parts: u64::from(parts),
            derived: 0,
            matches: Vec::new(),
            seed: None,
        })
    }

    /// The number of the next step, to be given to [`PathSearch::resume_at`] another time.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.next
    }

    /// Goes on at a position that [`PathSearch::position`] gave for the same plan and passphrases. What was
    /// derived and found before then is the caller's to remember.
    #[must_use]
    pub fn resume_at(mut self, position: u64) -> Self {
        self.next = position;
        self
    }

    /// Addresses that the whole search has, over all parts.
    #[must_use]
    pub fn total(&self) -> u64 {
        let each: u64 = self.searched.iter().map(Searched::addresses).sum();
        each.saturating_mul(self.passphrases.len() as u64) // at most a million
    }

    /// Derives the next at most [`SEARCH_CHUNK`] addresses; nothing once the search is through.
    ///
    /// # Errors
    /// [`DeriveError::NoKey`], which happens once in 2^127 times.
    pub fn next_chunk(&mut self) -> Result<Option<Step>, DeriveError> {
        let Some((passphrase, searched, account, start)) = self.place() else {
            return Ok(None);
        };
        let (scheme, end) = (searched.scheme, searched.indices.end());
        self.prepare(passphrase);
        let Some((_, seed)) = &self.seed else {
            return Ok(None);
        };
        let addresses = Addresses::new(seed, scheme, account)?;
        let mut step = Step {
            found: Vec::new(),
            derived: 0,
        };
        for number in start..end.min(start.saturating_add(SEARCH_CHUNK)) {
            let index = ChildIndex::new(number).map_err(|_| DeriveError::RangeEnd)?;
            let target = addresses.at(index)?;
            step.derived += 1;
            if self.targets.contains(&target) {
                step.found.push(Match {
                    target,
                    scheme,
                    account,
                    index,
                    path: scheme.path_text(account, index),
                    passphrase,
                });
            }
        }
        self.derived += step.derived;
        self.matches.extend(step.found.iter().cloned());
        self.next = self.next.saturating_add(self.parts);
        Ok(Some(step))
    }

    /// What was searched and found so far, by this part.
    #[must_use]
    pub fn report(&self) -> SearchReport {
        let missing = |target: &&AccountAddress| self.matches.iter().all(|found| found.target != **target);
        SearchReport {
            searched: self.searched.clone(),
            passphrases: self.passphrases.len(),
            derived: self.derived,
            total: self.total(),
            matches: self.matches.clone(),
            missing: self.order.iter().filter(missing).copied().collect(),
        }
    }

    /// Passphrase, scheme, account and first index of the next step.
    fn place(&self) -> Option<(usize, &Searched, ChildIndex, u32)> {
        let each: u64 = self.searched.iter().map(Searched::steps).sum();
        let passphrase = usize::try_from(self.next.checked_div(each)?).ok()?;
        if passphrase >= self.passphrases.len() {
            return None;
        }
        let mut step = self.next.checked_rem(each)?;
        for searched in &self.searched {
            if step < searched.steps() {
                let chunks = u64::from(searched.indices.count().div_ceil(SEARCH_CHUNK));
                let (account, chunk) = (step / chunks, step % chunks);
                // Both are below a range's count, which is 31 bits.
                let (account, chunk) = (u32::try_from(account).ok()?, u32::try_from(chunk).ok()?);
                let first = searched.accounts.map_or(0, IndexRange::start);
                let account = ChildIndex::new(first.checked_add(account)?).ok()?;
                let start = searched.indices.start().checked_add(chunk * SEARCH_CHUNK)?;
                return Some((passphrase, searched, account, start));
            }
            step -= searched.steps();
        }
        None
    }

    /// Makes the seed of a passphrase, unless it is at hand.
    fn prepare(&mut self, passphrase: usize) {
        if matches!(&self.seed, Some((at, _)) if *at == passphrase) {
            return;
        }
        self.seed = self
            .passphrases
            .get(passphrase)
            .map(|text| (passphrase, self.mnemonic.to_seed(text)));
    }
}

/// The schemes that can give a target, with their ranges.
fn covered(plan: &SearchPlan) -> Result<Vec<Searched>, SearchError> {
    let mut searched: Vec<Searched> = Vec::new();
    for scheme in &plan.schemes {
        let wanted = plan.targets.iter().any(|target| target.chain() == scheme.chain());
        let repeated = searched.iter().any(|earlier| earlier.scheme == *scheme);
        if !wanted || repeated {
            continue;
        }
        let indices = if scheme.is_single() {
            IndexRange { start: 0, count: 1 }
        } else {
            plan.indices
        };
        searched.push(Searched {
            scheme: *scheme,
            accounts: scheme.is_grid().then_some(plan.accounts),
            indices,
        });
    }
    if searched.is_empty() {
        return Err(SearchError::NoScheme);
    }
    Ok(searched)
}
