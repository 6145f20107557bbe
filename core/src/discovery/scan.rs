//! Account discovery with a gap limit, after BIP-44's section "Account discovery".
//!
//! The caller looks addresses up and answers. Only an address that is *known* to be unused counts towards the
//! gap: an answer that failed leaves the family undetermined until it is asked again.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::{Addresses, Scheme};
use crate::account::AccountAddress;
use crate::derive::DeriveError;
use crate::mnemonic::Seed;
use crate::path::{ChildIndex, PathFamily};

/// Largest gap.
const MAX_GAP: u32 = 1000;
/// Most addresses of one family; a family that is still in use there is reported as cut off.
const MAX_ADDRESSES: u32 = 100_000;

/// Why a scan cannot be made or answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The gap limit is out of its range.
    #[error("the gap limit is 1 to 1000 and this is {found}; 20 is usual")]
    Gap {
        /// The limit given.
        found: u32,
    },
    /// No family was named.
    #[error("no path family was named; name one or take all")]
    NoFamily,
    /// An address could not be derived.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// The answer is for an address that was not asked about.
    #[error("this address was not asked about; answer the queries that were given")]
    NotAsked,
}

/// What the caller found out about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Activity {
    /// It has or had something: a balance or a transaction.
    Used,
    /// It is known to have never been used.
    Unused,
    /// The look-up failed or its answer is not certain.
    Unknown,
}

/// An address to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Its family.
    pub family: PathFamily,
    /// Its index.
    pub index: ChildIndex,
    /// Its path, or `none`.
    pub path: String,
    /// The address.
    pub address: AccountAddress,
}

/// How far a family's scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FamilyStatus {
    /// Every address up to the gap was answered for certain.
    Complete,
    /// Some answers are unknown: an account may have been missed.
    Undetermined,
    /// There are addresses that were not answered yet.
    Pending,
    /// The family is in use up to the most addresses that are scanned; there may be more.
    CutOff,
}

/// What was found in one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FamilyFindings {
    /// The family.
    pub family: PathFamily,
    /// How far its scan is.
    pub status: FamilyStatus,
    /// Addresses answered, whatever the answer.
    pub answered: u32,
    /// The addresses in use.
    pub used: Vec<Query>,
    /// The addresses whose look-up failed.
    pub unknown: Vec<Query>,
}

/// Every family that was searched, found something or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanReport {
    /// The families, in the order given.
    pub families: Vec<FamilyFindings>,
    /// The gap limit that the scan used.
    pub gap: u32,
}

impl ScanReport {
    /// Whether nothing can have been missed, within the gap limit.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.families
            .iter()
            .all(|findings| findings.status == FamilyStatus::Complete)
    }
}

/// A scan of several families of one seed. Holds keys' parents, wiped when dropped.
pub struct AccountScan {
    families: Vec<FamilyScan>,
    gap: u32,
}

struct FamilyScan {
    family: PathFamily,
    addresses: Addresses,
    /// Index by index: the query, and its answer once there is one.
    asked: Vec<(Query, Option<Activity>)>,
}

impl fmt::Debug for AccountScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountScan")
            .field("gap", &self.gap)
            .finish_non_exhaustive()
    }
}

impl AccountScan {
    /// Begins a scan. `gap` is how many unused addresses in a row end a family, 1 to 1000; BIP-44 says 20.
    ///
    /// # Errors
    /// [`ScanError::Gap`], [`ScanError::NoFamily`], [`ScanError::Derive`].
    pub fn new(seed: &Seed, families: &[PathFamily], gap: u32) -> Result<Self, ScanError> {
        if !(1..=MAX_GAP).contains(&gap) {
            return Err(ScanError::Gap { found: gap });
        }
        if families.is_empty() {
            return Err(ScanError::NoFamily);
        }
        let mut scans: Vec<FamilyScan> = Vec::new();
        for family in families {
            if scans.iter().all(|scan| scan.family != *family) {
                scans.push(FamilyScan {
                    family: *family,
                    addresses: Addresses::new(seed, Scheme::Family(*family), ChildIndex::ZERO)?,
                    asked: Vec::new(),
                });
            }
        }
        Ok(Self { families: scans, gap })
    }

    /// The addresses to look up next, of all families; none once every family is answered up to its gap.
    /// Addresses that are not answered yet are given again, those answered [`Activity::Unknown`] are not: see
    /// [`AccountScan::ask_again`].
    ///
    /// # Errors
    /// [`ScanError::Derive`].
    pub fn queries(&mut self) -> Result<Vec<Query>, ScanError> {
        let mut queries = Vec::new();
        for scan in &mut self.families {
            scan.extend(self.gap)?;
            let open = scan.asked.iter().filter(|(_, answer)| answer.is_none());
            queries.extend(open.map(|(query, _)| query.clone()));
        }
        Ok(queries)
    }

    /// Takes an answer. A later certain answer replaces an unknown one.
    ///
    /// # Errors
    /// [`ScanError::NotAsked`].
    pub fn answer(
        &mut self,
        family: PathFamily,
        index: ChildIndex,
        activity: Activity,
    ) -> Result<(), ScanError> {
        let asked = self
            .families
            .iter_mut()
            .find(|scan| scan.family == family)
            .and_then(|scan| scan.asked.iter_mut().find(|(query, _)| query.index == index))
            .ok_or(ScanError::NotAsked)?;
        asked.1 = Some(activity);
        Ok(())
    }

    /// Makes the addresses whose look-up failed be asked about again.
    pub fn ask_again(&mut self) {
        let answers = self.families.iter_mut().flat_map(|scan| &mut scan.asked);
        for (_, answer) in answers.filter(|(_, answer)| *answer == Some(Activity::Unknown)) {
            *answer = None;
        }
    }

    /// What was searched and found so far.
    #[must_use]
    pub fn report(&self) -> ScanReport {
        ScanReport {
            families: self.families.iter().map(|scan| scan.findings(self.gap)).collect(),
            gap: self.gap,
        }
    }
}

impl FamilyScan {
    /// How many addresses are to be answered: a gap beyond the last one in use.
    fn wanted(&self, gap: u32) -> u32 {
        if self.family.is_single() {
            return 1;
        }
        let used = self
            .asked
            .iter()
            .rev()
            .find(|(_, answer)| *answer == Some(Activity::Used))
            .map_or(0, |(query, _)| query.index.get().saturating_add(1));
        used.saturating_add(gap).min(MAX_ADDRESSES)
    }

    fn extend(&mut self, gap: u32) -> Result<(), ScanError> {
        let have = u32::try_from(self.asked.len()).unwrap_or(MAX_ADDRESSES);
        for number in have..self.wanted(gap) {
            let index = ChildIndex::new(number).map_err(|_| DeriveError::RangeEnd)?;
            let query = Query {
                family: self.family,
                index,
                path: Scheme::Family(self.family).path_text(ChildIndex::ZERO, index),
                address: self.addresses.at(index)?,
            };
            self.asked.push((query, None));
        }
        Ok(())
    }

    fn findings(&self, gap: u32) -> FamilyFindings {
        let answered_as = |activity| {
            self.asked
                .iter()
                .filter(move |(_, answer)| *answer == Some(activity))
                .map(|(query, _)| query.clone())
                .collect::<Vec<_>>()
        };
        let (used, unknown) = (answered_as(Activity::Used), answered_as(Activity::Unknown));
        let answered = self.asked.iter().filter(|(_, answer)| answer.is_some()).count();
        let answered = u32::try_from(answered).unwrap_or(MAX_ADDRESSES);
        let cut_off = used
            .last()
            .is_some_and(|last| last.index.get().saturating_add(gap) >= MAX_ADDRESSES);
        let status = if answered < self.wanted(gap) {
            FamilyStatus::Pending
        } else if !unknown.is_empty() {
            FamilyStatus::Undetermined
        } else if cut_off {
            FamilyStatus::CutOff
        } else {
            FamilyStatus::Complete
        };
        FamilyFindings {
            family: self.family,
            status,
            answered,
            used,
            unknown,
        }
    }
}
