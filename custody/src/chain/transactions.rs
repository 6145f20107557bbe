//! Transactions: simulate, ask the fee, send.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_core::solana::Transaction;
use serde::Deserialize;
use serde_json::{Value, json};
use solana_rpc_client_api::request::RpcRequest;

use super::accounts::RawData;
use super::error::clean;
use super::explain::explain;
use super::transport::{AtSlot, call};
use super::{AccountData, ChainError, Commitment, Simulation, SolanaNode, WatchedBalance, accounts};

const MAX_WATCHED: usize = 64;
const MAX_LOG_LINES: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSimulation {
    err: Option<Value>,
    logs: Option<Vec<String>>,
    accounts: Option<Vec<Option<RawData>>>,
    units_consumed: Option<u64>,
    /// One for each account of the message, in its order; only newer nodes say it.
    pre_balances: Option<Vec<u64>>,
}

pub(super) async fn simulate(
    node: &SolanaNode,
    bytes: &[u8],
    watch: &[Address],
) -> Result<Simulation, ChainError> {
    if watch.len() > MAX_WATCHED {
        return Err(ChainError::OutOfBounds {
            what: format!("more than {MAX_WATCHED} watched accounts"),
        });
    }
    let transaction = Transaction::decode(bytes).map_err(|error| ChainError::OutOfBounds {
        what: error.to_string(),
    })?;
    let options = json!({
        "commitment": Commitment::Confirmed.as_str(),
        "encoding": "base64",
        "sigVerify": false,
        "replaceRecentBlockhash": false,
        "accounts": { "encoding": "base64", "addresses": watch },
    });
    let params = json!([STANDARD.encode(bytes), options]);
    let answer: AtSlot<RawSimulation> = call(node, RpcRequest::SimulateTransaction, params).await?;
    let simulation = answer.value;
    if simulation.err.as_ref() == Some(&json!("BlockhashNotFound")) {
        return Err(ChainError::BlockhashUnknown);
    }
    let error = simulation.err.as_ref().map(explain);
    let after = match (&error, simulation.accounts) {
        (None, Some(accounts)) if accounts.len() == watch.len() => {
            let read = accounts
                .into_iter()
                .map(|account| account.map(RawData::read).transpose());
            read.collect::<Result<Vec<_>, _>>()?
        }
        (None, _) if !watch.is_empty() => {
            return Err(ChainError::nonsense(
                "a simulation without the accounts that were asked for",
            ));
        }
        _ => Vec::new(),
    };
    let before = match simulation.pre_balances {
        Some(pre) if pre.len() >= transaction.message.account_keys.len() => {
            balances_in(&transaction.message.account_keys, &pre, watch)
        }
        _ => vec![None; watch.len()],
    };
    let before = complete(node, watch, before).await?;
    let balance = |account: &Option<AccountData>| {
        // An account that is not there holds nothing.
        Some(
            account
                .as_ref()
                .map_or(Lamports::ZERO, |account| account.lamports),
        )
    };
    let balances_after = match error {
        None => after.iter().map(balance).collect(),
        Some(_) => vec![None; watch.len()],
    };
    let balances = watch.iter().zip(before).zip(balances_after);
    let balances = balances
        .map(|((address, before), after)| WatchedBalance {
            address: *address,
            before,
            after,
        })
        .collect();
    let logs = simulation
        .logs
        .unwrap_or_default()
        .iter()
        .take(MAX_LOG_LINES)
        .map(|line| clean(line))
        .collect();
    Ok(Simulation {
        slot: answer.context.slot,
        error,
        units: simulation.units_consumed,
        logs,
        balances,
        after: after
            .into_iter()
            .map(|account| account.filter(|account| account.lamports > Lamports::ZERO))
            .collect(),
    })
}

fn balances_in(keys: &[Address], balances: &[u64], watch: &[Address]) -> Vec<Option<Lamports>> {
    let find = |address: &Address| {
        keys.iter()
            .zip(balances)
            .find(|(key, _)| *key == address)
            .map(|(_, value)| Lamports::new(*value))
    };
    watch.iter().map(find).collect()
}

/// Reads what the simulation did not say from the accounts themselves.
async fn complete(
    node: &SolanaNode,
    watch: &[Address],
    known: Vec<Option<Lamports>>,
) -> Result<Vec<Option<Lamports>>, ChainError> {
    if known.iter().all(Option::is_some) {
        return Ok(known);
    }
    let (_, accounts) = accounts::infos(node, watch).await?;
    let read = |(known, account): (Option<Lamports>, Option<super::AccountInfo>)| {
        Some(known.unwrap_or_else(|| account.map_or(Lamports::new(0), |account| account.lamports)))
    };
    Ok(known.into_iter().zip(accounts).map(read).collect())
}

pub(super) async fn fee_for_message(node: &SolanaNode, message: &[u8]) -> Result<Lamports, ChainError> {
    let params = json!([STANDARD.encode(message), { "commitment": Commitment::Confirmed.as_str() }]);
    let answer: AtSlot<Option<u64>> = call(node, RpcRequest::GetFeeForMessage, params).await?;
    answer
        .value
        .map(Lamports::new)
        .ok_or(ChainError::BlockhashUnknown)
}

pub(super) async fn send(node: &SolanaNode, bytes: &[u8]) -> Result<Signature, ChainError> {
    let transaction = Transaction::decode(bytes).map_err(|error| ChainError::OutOfBounds {
        what: error.to_string(),
    })?;
    let own = *transaction
        .signatures
        .first()
        .ok_or_else(|| ChainError::OutOfBounds {
            what: "it has no signature".to_owned(),
        })?;
    let options = json!({ "encoding": "base64", "skipPreflight": true, "maxRetries": 0 });
    let params = json!([STANDARD.encode(bytes), options]);
    let answered: Signature = call(node, RpcRequest::SendTransaction, params).await?;
    if answered != own {
        return Err(ChainError::nonsense(
            "the node answered with the signature of another transaction",
        ));
    }
    Ok(answered)
}

pub(super) async fn airdrop(
    node: &SolanaNode,
    address: &Address,
    amount: Lamports,
) -> Result<Signature, ChainError> {
    call(node, RpcRequest::RequestAirdrop, json!([address, amount.get()])).await
}
