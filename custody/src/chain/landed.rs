//! A transaction that landed: what it was, what it cost, and what it changed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_core::solana::Transaction;
use serde::Deserialize;
use serde_json::{Value, json};
use solana_rpc_client_api::request::RpcRequest;

use super::error::clean;
use super::explain::explain;
use super::transport::call;
use super::{ChainError, Commitment, Fault, LandedTransaction, SolChange, SolanaNode, TokenChange};

const MAX_LOG_LINES: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    slot: u64,
    block_time: Option<i64>,
    /// Base64, and the word that says so.
    transaction: (String, String),
    meta: Option<Meta>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    err: Option<Value>,
    fee: u64,
    pre_balances: Vec<u64>,
    post_balances: Vec<u64>,
    pre_token_balances: Option<Vec<TokenBalance>>,
    post_token_balances: Option<Vec<TokenBalance>>,
    loaded_addresses: Option<Loaded>,
    log_messages: Option<Vec<String>>,
    compute_units_consumed: Option<u64>,
}

#[derive(Deserialize)]
struct Loaded {
    writable: Vec<Address>,
    readonly: Vec<Address>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenBalance {
    account_index: u8,
    mint: Address,
    owner: Option<Address>,
    ui_token_amount: TokenAmount,
}

#[derive(Deserialize)]
struct TokenAmount {
    amount: String,
    decimals: u8,
}

pub(super) async fn read(
    node: &SolanaNode,
    signature: &Signature,
    commitment: Commitment,
) -> Result<Option<LandedTransaction>, ChainError> {
    let options = json!({
        "commitment": commitment.as_str(),
        "encoding": "base64",
        "maxSupportedTransactionVersion": 1,
    });
    let raw: Option<Raw> = call(node, RpcRequest::GetTransaction, json!([signature, options])).await?;
    raw.map(|raw| landed(signature, raw)).transpose()
}

fn landed(signature: &Signature, raw: Raw) -> Result<LandedTransaction, ChainError> {
    if raw.transaction.1 != "base64" {
        return Err(ChainError::nonsense(
            "a transaction in another encoding than asked for",
        ));
    }
    let bytes = STANDARD
        .decode(&raw.transaction.0)
        .map_err(|_| ChainError::nonsense("a transaction that is not base64"))?;
    let transaction = Transaction::decode(&bytes)
        .map_err(|error| ChainError::nonsense(format!("a transaction that does not decode: {error}")))?;
    if transaction.signatures.first() != Some(signature) {
        return Err(ChainError::nonsense("another transaction than asked for"));
    }
    let meta = raw.meta.ok_or(ChainError::HistoryUnavailable)?;
    let mut accounts = transaction.message.account_keys.clone();
    if let Some(loaded) = meta.loaded_addresses {
        accounts.extend(loaded.writable);
        accounts.extend(loaded.readonly);
    }
    if meta.pre_balances.len() != accounts.len() || meta.post_balances.len() != accounts.len() {
        return Err(ChainError::nonsense(
            "a transaction whose balances do not fit its accounts",
        ));
    }
    let tokens = tokens(
        &accounts,
        meta.pre_token_balances.unwrap_or_default(),
        meta.post_token_balances.unwrap_or_default(),
    )?;
    let balances = meta.pre_balances.iter().zip(&meta.post_balances);
    let sol = accounts
        .iter()
        .zip(balances)
        .map(|(address, (before, after))| SolChange {
            address: *address,
            before: Lamports::new(*before),
            after: Lamports::new(*after),
        });
    let logs = meta.log_messages.unwrap_or_default();
    Ok(LandedTransaction {
        signature: *signature,
        slot: raw.slot,
        time_ms: raw
            .block_time
            .and_then(|seconds| u64::try_from(seconds).ok()?.checked_mul(1_000)),
        error: meta.err.as_ref().map(explain),
        fault: meta.err.as_ref().map(Fault::read),
        fee: Lamports::new(meta.fee),
        sol: sol.collect(),
        tokens,
        logs: logs.iter().take(MAX_LOG_LINES).map(|line| clean(line)).collect(),
        units: meta.compute_units_consumed,
        bytes,
        transaction,
    })
}

/// Joins what token accounts held before with what they held after: one that is missing on a side held nothing there.
fn tokens(
    accounts: &[Address],
    before: Vec<TokenBalance>,
    after: Vec<TokenBalance>,
) -> Result<Vec<TokenChange>, ChainError> {
    let mut changes: Vec<TokenChange> = Vec::new();
    let sides = before.into_iter().map(|it| (false, it));
    for (is_after, balance) in sides.chain(after.into_iter().map(|it| (true, it))) {
        let account = accounts
            .get(usize::from(balance.account_index))
            .ok_or_else(|| ChainError::nonsense("a token balance of an account that is not there"))?;
        let amount: u64 = balance
            .ui_token_amount
            .amount
            .parse()
            .map_err(|_| ChainError::nonsense("a token balance that is no number"))?;
        let known = changes
            .iter_mut()
            .find(|change| change.account == *account && change.mint == balance.mint);
        match known {
            Some(change) if is_after => {
                change.after = amount;
                change.owner = balance.owner.or(change.owner);
            }
            Some(_) => return Err(ChainError::nonsense("two balances of one token account")),
            None => changes.push(TokenChange {
                account: *account,
                mint: balance.mint,
                owner: balance.owner,
                decimals: balance.ui_token_amount.decimals,
                before: if is_after { 0 } else { amount },
                after: if is_after { amount } else { 0 },
            }),
        }
    }
    Ok(changes)
}
