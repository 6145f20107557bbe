//! The phrases that a vault derives wallets from: the one that it was made with, and those imported later.

use std::fmt;
use std::str::FromStr;

use keyward_core::audit::{Operation, Outcome};
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::PathFamily;
use keyward_core::vault::{MasterSecret, RecordId, open_record, seal_record};
use subtle::ConstantTimeEq;

use super::check_label;
use crate::audit::ledger::Draft;
use crate::error::CustodyError;
use crate::store::{Ask, MasterRow, NewMaster, Write, transact};
use crate::vault::{Custody, Session, blocking, master_context, random};

/// The most phrases of one vault: importing one opens all others, to notice one that is there.
pub(crate) const MAX_MASTERS: usize = 256;

/// How often an import is taken anew when another process imported a phrase at the same moment.
const TRIES: u32 = 3;

/// Names a phrase within its vault, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MasterId(pub(crate) i64);

impl MasterId {
    /// The phrase that the vault was made with.
    pub const FIRST: Self = Self(1);

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for MasterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for MasterId {
    type Err = CustodyError;

    /// Reads a number from 1 on.
    fn from_str(text: &str) -> Result<Self, CustodyError> {
        text.parse()
            .ok()
            .filter(|id| *id > 0)
            .map(Self)
            .ok_or_else(|| CustodyError::invalid("phrase", "a phrase is named by its number, from 1 on"))
    }
}

/// A phrase, without its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterSummary {
    /// Its name in the vault.
    pub id: MasterId,
    /// Its label, empty for none.
    pub label: String,
    /// The path family that wallets are derived by where none is named.
    pub family: PathFamily,
    /// When it was stored, in milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// How many wallets were derived from it.
    pub wallets: u64,
    /// The families that were used, each with the index that comes next.
    pub derivations: Vec<(PathFamily, u32)>,
}

/// What importing a phrase came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportedPhrase {
    /// The phrase.
    pub id: MasterId,
    /// Whether it was there already; then nothing was changed, its label neither.
    pub known: bool,
}

impl Custody {
    /// The vault's phrases, the one that it was made with first.
    ///
    /// # Errors
    /// [`CustodyError::Damaged`], or the store's.
    pub async fn masters(&self) -> Result<Vec<MasterSummary>, CustodyError> {
        let rows = self.store().masters().await?;
        rows.into_iter()
            .map(|row| {
                Ok(MasterSummary {
                    id: MasterId(row.id),
                    label: row.label,
                    family: family(&row.family)?,
                    created_ms: row.created_ms,
                    wallets: row.wallets,
                    derivations: row
                        .derivations
                        .iter()
                        .map(|(name, next)| Ok((family(name)?, *next)))
                        .collect::<Result<_, CustodyError>>()?,
                })
            })
            .collect()
    }

    /// Keeps a further phrase with its BIP-39 passphrase (empty for none). The same two together are kept once. No
    /// wallet is derived; `family` is meant where later none is named.
    ///
    /// # Errors
    /// [`CustodyError::Locked`], [`CustodyError::Invalid`] for a bad label or a passphrase over 1024 bytes,
    /// [`CustodyError::Busy`], or the store's.
    pub async fn import_phrase(
        &self,
        mnemonic: &Mnemonic,
        passphrase: &str,
        label: &str,
        family: PathFamily,
    ) -> Result<ImportedPhrase, CustodyError> {
        let session = self.current_session().await?;
        let label = check_label(label)?.to_owned();
        let secret = MasterSecret::new(mnemonic, passphrase)
            .map_err(|error| CustodyError::invalid("passphrase", error.to_string()))?;
        let encoded = secret.encode();
        for _ in 0..TRIES {
            let there = self.all_masters().await?;
            if there.len() >= MAX_MASTERS {
                return Err(CustodyError::invalid(
                    "phrase",
                    format!("a vault keeps at most {MAX_MASTERS}"),
                ));
            }
            let record = RecordId::from_bytes(random()?);
            let (shared, encoded) = (std::sync::Arc::clone(&session), encoded.clone());
            let (there, known, sealed) = blocking(move || -> Result<_, CustodyError> {
                let mut known = None;
                for row in &there {
                    let opened = open_master(&shared, row)?.encode();
                    if bool::from(opened.as_slice().ct_eq(encoded.as_slice())) {
                        known = Some(row.id);
                    }
                }
                let context = master_context(shared.vault(), record, shared.epoch());
                let sealed = seal_record(shared.expose_key(), &context, &encoded, random()?)
                    .map_err(|error| CustodyError::invalid("phrase", error.to_string()))?;
                Ok((there, known, sealed))
            })
            .await??;
            if let Some(id) = known {
                return Ok(ImportedPhrase {
                    id: MasterId(id),
                    known: true,
                });
            }
            let new = NewMaster {
                record: *record.as_bytes(),
                epoch: session.epoch(),
                label: label.clone(),
                family,
                sealed,
            };
            let ask = Ask {
                masters: true,
                unsigned_tail: true,
                ..Ask::default()
            };
            let (stored, applied) = transact(self.store(), ask, |ledger, facts| {
                if !session.is_open() {
                    return Err(CustodyError::Locked);
                }
                // Somebody else may have brought the same one in between.
                if facts.masters != there {
                    return Ok((Vec::new(), false));
                }
                let draft = Draft::new(Operation::ImportPhrase, Outcome::Done)
                    .details(format!("label {label:?}, path family {family}"));
                ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
                Ok((vec![Write::Master(Box::new(new))], true))
            })
            .await?;
            if let (true, Some(id)) = (stored, applied.master) {
                return Ok(ImportedPhrase {
                    id: MasterId(id),
                    known: false,
                });
            }
        }
        Err(CustodyError::Busy)
    }

    async fn all_masters(&self) -> Result<Vec<MasterRow>, CustodyError> {
        let ask = Ask {
            masters: true,
            ..Ask::default()
        };
        let facts = self.store().look(ask).await?;
        if facts.vault.is_none() {
            return Err(CustodyError::NotInitialised);
        }
        Ok(facts.masters)
    }
}

fn family(name: &str) -> Result<PathFamily, CustodyError> {
    PathFamily::from_id(name).map_err(|_| CustodyError::damaged("the path family is unknown"))
}

/// Opens a phrase.
pub(crate) fn open_master(session: &Session, row: &MasterRow) -> Result<MasterSecret, CustodyError> {
    let damaged = || CustodyError::damaged("the sealed phrase does not open");
    let context = master_context(session.vault(), RecordId::from_bytes(row.record), row.epoch);
    let encoded = open_record(session.expose_key(), &context, &row.sealed).map_err(|_| damaged())?;
    MasterSecret::decode(&encoded).map_err(|_| damaged())
}
