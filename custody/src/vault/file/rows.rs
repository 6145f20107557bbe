//! What a vault file becomes in an empty store. No database here, and nothing secret is opened: records stay sealed.

use std::collections::BTreeMap;

use keyward_core::account::AccountAddress;
use keyward_core::address::{Address, Signature};
use keyward_core::path::{ChildIndex, DerivationPath, PathComponent, PathFamily};
use keyward_core::policy::{Policy, PolicyLimits};
use keyward_core::secp256k1::PublicKey;
use keyward_core::vault::{
    FileContents, FilePolicy, RecordId, RecordPublicKey, VaultHeader, wallet_password_kdf,
};

use super::PolicySource;
use crate::error::CustodyError;
use crate::store::{NewMaster, NewVaultRow, NewWallet, PolicyRow, Write};
use crate::vault::{Session, read_policy};

/// The file's policy, or, where it has none, that of a new vault with these limits.
pub(super) fn policy_row(
    session: &Session,
    policy: Option<&FilePolicy>,
    limits: Option<PolicyLimits>,
) -> Result<(PolicyRow, PolicySource), CustodyError> {
    let Some(policy) = policy else {
        let limits = limits.ok_or_else(|| {
            damaged("it holds no policy, as one from a web page; import it with the limits that it shall get")
        })?;
        let row = session.sign_policy(&Policy::default_for(limits))?;
        return Ok((row, PolicySource::Default));
    };
    let version = Policy::from_json(&policy.json)
        .map_err(|error| damaged(&format!("its policy does not read: {error}")))?
        .version;
    let mut row = PolicyRow {
        version,
        body: policy.json.clone(),
        signature: Signature::default(),
    };
    read_policy(&row)?;
    // The file's envelope vouches for it: only who knows its password could have written it.
    row.signature = session.resign_policy(&row);
    Ok((row, PolicySource::File))
}

fn damaged(what: &str) -> CustodyError {
    CustodyError::invalid("vault file", what.to_owned())
}

/// What a file becomes in the store, and the first phrase's family.
pub(super) fn rows(
    header: &VaultHeader,
    session: &Session,
    policy: PolicyRow,
    contents: FileContents,
) -> Result<(Vec<Write>, PathFamily), CustodyError> {
    // Phrases are numbered from 1 on in an empty store, in the order they are written.
    let ids: BTreeMap<RecordId, i64> = contents
        .masters
        .iter()
        .map(|master| master.record)
        .zip(1..)
        .collect();
    let mut groups: BTreeMap<Option<(i64, &'static str)>, Vec<NewWallet>> = BTreeMap::new();
    let mut tags = Vec::new();
    for wallet in contents.wallets {
        let (address, public_key) = match wallet.public_key {
            RecordPublicKey::Ed25519(bytes) => (AccountAddress::from(Address::new(bytes)), None),
            RecordPublicKey::Secp256k1(bytes) => {
                let key = PublicKey::from_bytes(&bytes).map_err(|_| damaged("a public key is none"))?;
                (key.address().into(), Some(bytes))
            }
            RecordPublicKey::None => return Err(damaged("a wallet has no public key")),
        };
        let path = wallet.path.as_ref().map(ToString::to_string).unwrap_or_default();
        let place = match wallet.master {
            None => None,
            Some(master) => {
                let id = *ids.get(&master).ok_or_else(|| damaged("a phrase is missing"))?;
                let family = known(&wallet.family)?;
                if family.chain() != address.chain() {
                    return Err(damaged("a path family is of another chain"));
                }
                let index = index_of(family, wallet.path.as_ref())
                    .ok_or_else(|| damaged("a path is not of its family"))?;
                Some((id, family, index))
            }
        };
        tags.extend(
            wallet
                .tags
                .into_iter()
                .map(|tag| Write::TagAddress { address, tag }),
        );
        let own_password = wallet_password_kdf(&wallet.sealed)
            .map_err(|_| damaged("a record does not read"))?
            .is_some();
        let group = place.map(|(id, family, _)| (id, family.id()));
        groups.entry(group).or_default().push(NewWallet {
            index: place.map(|(_, _, index)| index),
            path,
            address,
            public_key,
            label: wallet.label,
            own_password,
            record: *wallet.record.as_bytes(),
            epoch: header.epoch(),
            sealed: wallet.sealed,
        });
    }
    let masters: Vec<NewMaster> = contents
        .masters
        .into_iter()
        .map(|master| {
            Ok(NewMaster {
                record: *master.record.as_bytes(),
                epoch: header.epoch(),
                family: known(&master.family)?,
                label: master.label,
                sealed: master.sealed,
            })
        })
        .collect::<Result<_, CustodyError>>()?;
    let first = masters.first().map(|master| master.family).unwrap_or_default();
    let mut writes = vec![Write::Vault(Box::new(NewVaultRow {
        id: *header.vault_id().as_bytes(),
        header: header.to_bytes(),
        audit_key: session.signer().address().to_bytes(),
        masters,
        policies: vec![policy],
    }))];
    for (group, rows) in groups {
        let from = group
            .map(|(id, family)| Ok::<_, CustodyError>((id, known(family)?)))
            .transpose()?;
        if let Some((master, family)) = from {
            let last = rows.iter().filter_map(|row| row.index).max().unwrap_or(0);
            writes.push(Write::NextIndex {
                master,
                family,
                next_index: last.saturating_add(1),
            });
        }
        writes.push(Write::Wallets { from, rows });
    }
    writes.append(&mut tags);
    Ok((writes, first))
}

/// The family of this name in a file.
pub(in crate::vault) fn known(name: &str) -> Result<PathFamily, CustodyError> {
    let unknown = |_| format!("the path family {name:?} is unknown; install a newer Keyward");
    PathFamily::from_id(name).map_err(|error| CustodyError::invalid("vault file", unknown(error)))
}

/// The index at which the family makes this path, if at any.
pub(in crate::vault) fn index_of(family: PathFamily, path: Option<&DerivationPath>) -> Option<u32> {
    let Some(path) = path else {
        return (family == PathFamily::Raw).then_some(0);
    };
    let numbers = path.components().iter().map(|component| match component {
        PathComponent::Hardened(index) | PathComponent::Normal(index) => *index,
    });
    numbers
        .chain([ChildIndex::ZERO])
        .find(|index| family.path(*index).as_ref() == Some(path))
        .map(ChildIndex::get)
}
