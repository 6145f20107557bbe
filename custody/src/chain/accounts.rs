//! Balances, the little of an account that a transfer needs, and its data.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{FutureExt, StreamExt};
use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use serde::Deserialize;
use serde_json::{Value, json};
use solana_rpc_client_api::request::RpcRequest;

use super::transport::{AtSlot, call};
use super::{AccountData, AccountInfo, Balances, ChainError, Commitment, SolanaNode};

/// What `getMultipleAccounts` takes at most.
pub(super) const BATCH: usize = 100;
/// How many requests are under way at once.
const PARALLEL: usize = 4;
pub(super) const MAX_ADDRESSES: usize = 100_000;

#[derive(Deserialize)]
pub(super) struct RawAccount {
    lamports: u64,
    owner: Address,
    executable: bool,
    /// The full length, whatever slice was asked for. Old nodes leave it out.
    space: Option<u64>,
}

pub(super) async fn balances(node: &SolanaNode, addresses: &[Address]) -> Result<Balances, ChainError> {
    if addresses.len() > MAX_ADDRESSES {
        return Err(ChainError::OutOfBounds {
            what: format!("balances of more than {MAX_ADDRESSES} addresses at once"),
        });
    }
    let mut requests = Vec::with_capacity(addresses.len().div_ceil(BATCH));
    for batch in addresses.chunks(BATCH) {
        requests.push(raw_accounts(node, batch).boxed());
    }
    let mut answers = futures_util::stream::iter(requests).buffered(PARALLEL);
    let mut values = Vec::with_capacity(addresses.len());
    let mut slot: Option<u64> = None;
    let mut failure = None;
    let mut batches = addresses.chunks(BATCH);
    while let (Some(batch), Some(answer)) = (batches.next(), answers.next().await) {
        match answer {
            Ok((at, accounts)) => {
                slot = Some(slot.map_or(at, |lowest| lowest.min(at)));
                values.extend(
                    accounts
                        .into_iter()
                        .map(|account| Some(Lamports::new(account.map_or(0, |account| account.lamports)))),
                );
            }
            Err(error) => {
                values.resize(values.len() + batch.len(), None);
                failure.get_or_insert(error);
            }
        }
    }
    match (slot, failure) {
        (None, Some(error)) => Err(error),
        (slot, failure) => Ok(Balances {
            slot: slot.unwrap_or(0),
            values,
            failure,
        }),
    }
}

pub(super) async fn infos(
    node: &SolanaNode,
    addresses: &[Address],
) -> Result<(u64, Vec<Option<AccountInfo>>), ChainError> {
    let (slot, accounts) = raw_accounts(node, addresses).await?;
    let read = |account: RawAccount| {
        let data_len = account
            .space
            .ok_or_else(|| ChainError::nonsense("an account without its length"))?;
        let lamports = Lamports::new(account.lamports);
        Ok(AccountInfo {
            lamports,
            owner: account.owner,
            data_len,
            executable: account.executable,
        })
    };
    let infos: Result<_, ChainError> = accounts
        .into_iter()
        .map(|account| account.map(read).transpose())
        .collect();
    Ok((slot, infos?))
}

async fn raw_accounts(
    node: &SolanaNode,
    addresses: &[Address],
) -> Result<(u64, Vec<Option<RawAccount>>), ChainError> {
    if addresses.len() > BATCH {
        return Err(ChainError::OutOfBounds {
            what: format!("more than {BATCH} accounts in one request"),
        });
    }
    let params = params(addresses, None);
    let answer: AtSlot<Vec<Option<RawAccount>>> = call(node, RpcRequest::GetMultipleAccounts, params).await?;
    check_count(answer.value.len(), addresses.len())?;
    Ok((answer.context.slot, answer.value))
}

/// The question for accounts without their data: the balance, the owner and the length alone.
pub(super) fn params(addresses: &[Address], no_earlier_than: Option<u64>) -> Value {
    let mut options = json!({
        "commitment": Commitment::Confirmed.as_str(),
        "encoding": "base64",
        "dataSlice": { "offset": 0, "length": 0 },
    });
    if let (Some(slot), Some(fields)) = (no_earlier_than, options.as_object_mut()) {
        fields.insert("minContextSlot".into(), json!(slot));
    }
    json!([addresses, options])
}

/// The balances of an answer. An account that is not there holds nothing.
pub(super) fn lamports_of(
    answer: AtSlot<Vec<Option<RawAccount>>>,
    asked: usize,
) -> Result<(u64, Vec<Lamports>), ChainError> {
    check_count(answer.value.len(), asked)?;
    let lamports = |account: Option<RawAccount>| Lamports::new(account.map_or(0, |account| account.lamports));
    let values = answer.value.into_iter().map(lamports).collect();
    Ok((answer.context.slot, values))
}

fn check_count(found: usize, asked: usize) -> Result<(), ChainError> {
    if found == asked {
        return Ok(());
    }
    Err(ChainError::nonsense(format!(
        "{found} accounts for {asked} addresses"
    )))
}

/// An account with all its data.
#[derive(Deserialize)]
pub(super) struct RawData {
    lamports: u64,
    pub(super) owner: Address,
    executable: bool,
    /// Base64, and the word that says so.
    data: (String, String),
}

impl RawData {
    pub(super) fn read(self) -> Result<AccountData, ChainError> {
        Ok(AccountData {
            lamports: Lamports::new(self.lamports),
            owner: self.owner,
            executable: self.executable,
            data: self.bytes()?,
        })
    }

    fn bytes(&self) -> Result<Vec<u8>, ChainError> {
        if self.data.1 != "base64" {
            return Err(ChainError::nonsense(
                "an account's data in another encoding than asked for",
            ));
        }
        STANDARD
            .decode(&self.data.0)
            .map_err(|_| ChainError::nonsense("an account's data that is not base64"))
    }
}

pub(super) async fn data(
    node: &SolanaNode,
    addresses: &[Address],
    commitment: Commitment,
) -> Result<(u64, Vec<Option<AccountData>>), ChainError> {
    if addresses.len() > BATCH {
        return Err(ChainError::OutOfBounds {
            what: format!("more than {BATCH} accounts in one request"),
        });
    }
    let options = json!({ "commitment": commitment.as_str(), "encoding": "base64" });
    let answer: AtSlot<Vec<Option<RawData>>> =
        call(node, RpcRequest::GetMultipleAccounts, json!([addresses, options])).await?;
    check_count(answer.value.len(), addresses.len())?;
    let accounts: Result<_, ChainError> = answer
        .value
        .into_iter()
        .map(|account| account.map(RawData::read).transpose())
        .collect();
    Ok((answer.context.slot, accounts?))
}

pub(super) async fn rent_minimum(node: &SolanaNode, data_len: u64) -> Result<Lamports, ChainError> {
    let params = json!([data_len, { "commitment": Commitment::Confirmed.as_str() }]);
    call::<u64>(node, RpcRequest::GetMinimumBalanceForRentExemption, params)
        .await
        .map(Lamports::new)
}
