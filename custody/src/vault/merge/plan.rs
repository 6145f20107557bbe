//! What a file changes in a vault, worked out without a database.

use std::collections::{BTreeMap, BTreeSet};

use keyward_core::account::AccountAddress;
use keyward_core::address::Address;
use keyward_core::path::PathFamily;
use keyward_core::secp256k1::PublicKey;
use keyward_core::vault::{
    FileWallet, MasterSecret, RecordContext, RecordId, RecordPublicKey, VaultFile, open_record,
    reseal_record, wallet_password_kdf,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{MergeConflict, MergeDifference, MergeField, MergeReport, Wallet, Write};
use crate::error::CustodyError;
use crate::store::{MasterRow, NewMaster, NewWallet};
use crate::vault::file::rows::{index_of, known};
use crate::vault::{Session, random};
use crate::wallets::derive::stored_public_key;
use crate::wallets::masters::{MAX_MASTERS, open_master};
use crate::wallets::{WalletStatus, check_label, check_tags};

/// Where a wallet is: phrase, family, index.
type Place = (i64, PathFamily, u32);

/// What is here.
#[derive(Debug, Default)]
pub(super) struct Here {
    /// The file's wallets that are here.
    pub(super) wallets: BTreeMap<AccountAddress, Wallet>,
    /// Of the others, those whose place another wallet has: which one.
    pub(super) taken: BTreeMap<AccountAddress, AccountAddress>,
    /// How far families are used, by phrase and name.
    pub(super) next: BTreeMap<(i64, String), u32>,
}

/// The file's phrases, each with its id here.
#[derive(Debug)]
pub(super) struct Phrases {
    ids: BTreeMap<RecordId, i64>,
    new: Vec<NewMaster>,
    known: u64,
    /// Where the file's derived wallets are.
    pub(super) places: BTreeMap<AccountAddress, Place>,
}

/// What is to be done.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) report: MergeReport,
    pub(super) writes: Vec<Write>,
}

fn bad(what: &str) -> CustodyError {
    CustodyError::invalid("vault file", what.to_owned())
}

/// The address of a public key.
pub(super) fn address_of(key: &RecordPublicKey) -> Result<AccountAddress, CustodyError> {
    match key {
        RecordPublicKey::Ed25519(bytes) => Ok(Address::new(*bytes).into()),
        RecordPublicKey::Secp256k1(bytes) => {
            let key = PublicKey::from_bytes(bytes).map_err(|_| bad("a public key is none"))?;
            Ok(key.address().into())
        }
        RecordPublicKey::None => Err(bad("a wallet has no public key")),
    }
}

/// Finds each of the file's phrases among those here, by opening them all, and seals what is new for this vault.
pub(super) fn phrases(
    session: &Session,
    file: &VaultFile,
    here: &[MasterRow],
) -> Result<Phrases, CustodyError> {
    let mut opened: Vec<(i64, Zeroizing<Vec<u8>>)> = here
        .iter()
        .map(|row| Ok((row.id, open_master(session, row)?.encode())))
        .collect::<Result<_, CustodyError>>()?;
    // Ids are the highest one and one more, under the lock that holds when they are given.
    let mut next = here.iter().map(|row| row.id).max().unwrap_or(0);
    let mut phrases = Phrases {
        ids: BTreeMap::new(),
        new: Vec::new(),
        known: 0,
        places: BTreeMap::new(),
    };
    for master in &file.contents.masters {
        let from = master.context(&file.header);
        let damaged = |_| bad("one of its phrases does not open");
        let encoded = open_record(&file.key, &from, &master.sealed).map_err(damaged)?;
        MasterSecret::decode(&encoded).map_err(|_| bad("one of its phrases does not read"))?;
        let same = opened
            .iter()
            .find(|(_, other)| bool::from(other.as_slice().ct_eq(encoded.as_slice())));
        if let Some((id, _)) = same {
            phrases.known += 1;
            phrases.ids.insert(master.record, *id);
            continue;
        }
        if opened.len() >= MAX_MASTERS {
            return Err(CustodyError::invalid(
                "phrase",
                format!("a vault keeps at most {MAX_MASTERS}"),
            ));
        }
        next += 1;
        let record = RecordId::from_bytes(random()?);
        phrases.new.push(NewMaster {
            record: *record.as_bytes(),
            epoch: session.epoch(),
            label: check_label(&master.label)?.to_owned(),
            family: known(&master.family)?,
            sealed: resealed(session, file, from, record, &master.sealed)?,
        });
        phrases.ids.insert(master.record, next);
        opened.push((next, encoded));
    }
    for wallet in &file.contents.wallets {
        if let Some(place) = place_of(wallet, &phrases.ids)?
            && phrases
                .places
                .insert(address_of(&wallet.public_key)?, place)
                .is_some()
        {
            return Err(bad("it names a wallet twice"));
        }
    }
    Ok(phrases)
}

/// Seals a record for this vault, under another name. Its own password stays and is not needed.
fn resealed(
    session: &Session,
    file: &VaultFile,
    from: RecordContext,
    record: RecordId,
    sealed: &[u8],
) -> Result<Vec<u8>, CustodyError> {
    let to = RecordContext {
        vault: session.vault(),
        record,
        epoch: session.epoch(),
        ..from
    };
    reseal_record((&file.key, &from), (session.expose_key(), &to), sealed, random()?)
        .map_err(|_| bad("one of its records does not open"))
}

fn place_of(wallet: &FileWallet, ids: &BTreeMap<RecordId, i64>) -> Result<Option<Place>, CustodyError> {
    let Some(master) = &wallet.master else {
        return Ok(None);
    };
    let id = *ids.get(master).ok_or_else(|| bad("a phrase is missing"))?;
    let family = known(&wallet.family)?;
    if family.chain() != address_of(&wallet.public_key)?.chain() {
        return Err(bad("a path family is of another chain"));
    }
    let index = index_of(family, wallet.path.as_ref()).ok_or_else(|| bad("a path is not of its family"))?;
    Ok(Some((id, family, index)))
}

impl Plan {
    /// Works out what is added, what is the same, and what differs.
    pub(super) fn new(
        session: &Session,
        file: &VaultFile,
        phrases: Phrases,
        here: &Here,
    ) -> Result<Self, CustodyError> {
        let mut report = MergeReport {
            phrases_added: phrases.new.len() as u64, // usize has at most 64 bits
            phrases_known: phrases.known,
            has_policy: file.contents.policy.is_some(),
            ..MergeReport::default()
        };
        let mut writes: Vec<Write> = Vec::new();
        let mut groups: BTreeMap<Option<(i64, &'static str)>, Vec<NewWallet>> = BTreeMap::new();
        let (mut tags, mut seen) = (Vec::new(), BTreeSet::new());
        for wallet in &file.contents.wallets {
            let address = address_of(&wallet.public_key)?;
            if !seen.insert(address) {
                return Err(bad("it names a wallet twice"));
            }
            let place = phrases.places.get(&address).copied();
            let differences = match (here.wallets.get(&address), here.taken.get(&address)) {
                (Some(there), _) => differences(there, wallet, place)?,
                (None, Some(other)) => vec![MergeDifference {
                    what: MergeField::Place,
                    here: other.to_string(),
                    file: place_text(place.map(|(id, family, _)| (id, family)), &path_text(wallet)),
                }],
                (None, None) => {
                    report.added.push(address);
                    tags.extend(
                        tags_of(wallet)?
                            .into_iter()
                            .map(|tag| Write::TagAddress { address, tag }),
                    );
                    let group = place.map(|(id, family, _)| (id, family.id()));
                    let row = new_wallet(session, file, wallet, address, place)?;
                    groups.entry(group).or_default().push(row);
                    continue;
                }
            };
            if differences.is_empty() {
                report.same.push(address);
            } else {
                report.conflicts.push(MergeConflict { address, differences });
            }
        }
        let new = phrases.new.into_iter().map(|new| Write::Master(Box::new(new)));
        writes.extend(new);
        for (group, rows) in groups {
            let from = group
                .map(|(id, family)| Ok::<_, CustodyError>((id, known(family)?)))
                .transpose()?;
            writes.push(Write::Wallets { from, rows });
        }
        writes.extend(counters(&phrases.places, here)?);
        writes.append(&mut tags);
        Ok(Self { report, writes })
    }
}

/// Where the file used more of a phrase than this vault did, as much counts as used.
fn counters(places: &BTreeMap<AccountAddress, Place>, here: &Here) -> Result<Vec<Write>, CustodyError> {
    let mut used: BTreeMap<(i64, &'static str), u32> = BTreeMap::new();
    for (id, family, index) in places.values() {
        let next = used.entry((*id, family.id())).or_default();
        *next = (*next).max(index.saturating_add(1));
    }
    let higher = used.into_iter().filter(|((id, family), next)| {
        here.next
            .get(&(*id, (*family).to_owned()))
            .is_none_or(|here| here < next)
    });
    higher
        .map(|((master, family), next_index)| {
            Ok(Write::NextIndex {
                master,
                family: known(family)?,
                next_index,
            })
        })
        .collect()
}

fn new_wallet(
    session: &Session,
    file: &VaultFile,
    wallet: &FileWallet,
    address: AccountAddress,
    place: Option<Place>,
) -> Result<NewWallet, CustodyError> {
    let record = RecordId::from_bytes(random()?);
    Ok(NewWallet {
        index: place.map(|(_, _, index)| index),
        path: path_text(wallet),
        address,
        public_key: stored_public_key(&wallet.public_key),
        label: check_label(&wallet.label)?.to_owned(),
        own_password: has_own_password(wallet)?,
        record: *record.as_bytes(),
        epoch: session.epoch(),
        sealed: resealed(
            session,
            file,
            wallet.context(&file.header),
            record,
            &wallet.sealed,
        )?,
    })
}

fn tags_of(wallet: &FileWallet) -> Result<Vec<String>, CustodyError> {
    if wallet.tags.is_empty() {
        return Ok(Vec::new());
    }
    check_tags(&wallet.tags)
}

fn has_own_password(wallet: &FileWallet) -> Result<bool, CustodyError> {
    let kdf = wallet_password_kdf(&wallet.sealed).map_err(|_| bad("a record does not read"))?;
    Ok(kdf.is_some())
}

fn path_text(wallet: &FileWallet) -> String {
    wallet.path.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// Where a key came from, for people.
fn place_text(place: Option<(i64, PathFamily)>, path: &str) -> String {
    match place {
        None => "imported".to_owned(),
        Some((id, family)) if path.is_empty() => format!("phrase {id}, {family}"),
        Some((id, _)) => format!("phrase {id}, {path}"),
    }
}

/// What of a wallet that is here is otherwise in the file.
fn differences(
    here: &Wallet,
    wallet: &FileWallet,
    place: Option<Place>,
) -> Result<Vec<MergeDifference>, CustodyError> {
    let list = |tags: &[String]| {
        let set: BTreeSet<&str> = tags.iter().map(|tag| tag.trim()).collect();
        set.into_iter().collect::<Vec<_>>().join(", ")
    };
    let own = |own: bool| if own { "yes" } else { "no" }.to_owned();
    let from = here.master.map(|id| id.get()).zip(here.family);
    let pairs = [
        (
            MergeField::Label,
            here.label.clone(),
            check_label(&wallet.label)?.to_owned(),
        ),
        (MergeField::Tags, list(&here.tags), list(&tags_of(wallet)?)),
        (
            MergeField::OwnPassword,
            own(here.own_password),
            own(has_own_password(wallet)?),
        ),
        (
            MergeField::Path,
            place_text(from, &here.path),
            place_text(place.map(|(id, family, _)| (id, family)), &path_text(wallet)),
        ),
        // A file holds none that were taken away.
        (
            MergeField::Status,
            here.status.as_str().to_owned(),
            match here.status {
                WalletStatus::Deleted | WalletStatus::Purged => WalletStatus::Active,
                status => status,
            }
            .as_str()
            .to_owned(),
        ),
    ];
    let differ = pairs.into_iter().filter(|(_, here, file)| here != file);
    Ok(differ
        .map(|(what, here, file)| MergeDifference { what, here, file })
        .collect())
}
