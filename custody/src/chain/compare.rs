//! What several endpoints say of the same accounts.
//!
//! Nodes are at different slots, so answers differ for a moment all the time. What differs is asked again of all of them,
//! no earlier than the latest slot that any of them had reached; only what differs still is a disagreement. Of one that
//! does not answer the second time its first answer stands: an endpoint that claims to be far ahead of all others would
//! silence them else. Each endpoint's answer is shown. Nothing is averaged and no majority decides.

use keyward_core::address::Address;
use keyward_core::amount::Lamports;
use solana_rpc_client_api::request::RpcRequest;

use super::accounts::{BATCH, MAX_ADDRESSES, RawAccount, lamports_of, params};
use super::transport::{AtSlot, call_all};
use super::{BalanceDisagreement, ChainError, Comparison, SolanaNode};

type Answer = AtSlot<Vec<Option<RawAccount>>>;

pub(super) async fn balances(node: &SolanaNode, addresses: &[Address]) -> Result<Comparison, ChainError> {
    if addresses.len() > MAX_ADDRESSES {
        return Err(ChainError::OutOfBounds {
            what: format!("balances of more than {MAX_ADDRESSES} addresses at once"),
        });
    }
    let names: Vec<String> = node
        .inner
        .endpoints
        .iter()
        .map(|endpoint| endpoint.name.clone())
        .collect();
    let mut comparison = Comparison {
        endpoints: names,
        failures: Vec::new(),
        disagreements: Vec::new(),
    };
    for batch in addresses.chunks(BATCH) {
        let first = ask(node, batch, None, &mut comparison).await;
        let latest = first.iter().flatten().map(|(slot, _)| *slot).max();
        let differing: Vec<Address> = batch
            .iter()
            .enumerate()
            .filter(|(at, _)| differs(&first, *at))
            .map(|(_, address)| *address)
            .collect();
        if differing.is_empty() {
            continue;
        }
        // Why one does not answer the second time is no news: it did the first time.
        let again = ask(node, &differing, latest, &mut comparison.clone()).await;
        for (at, address) in differing.iter().enumerate() {
            let Some(before) = batch.iter().position(|one| one == address) else {
                continue;
            };
            let answers: Vec<_> = first
                .iter()
                .zip(&again)
                .map(|(first, again)| value(again.as_ref(), at).or_else(|| value(first.as_ref(), before)))
                .collect();
            let mut said = answers.iter().flatten().map(|(_, lamports)| lamports);
            let one = said.next();
            if said.any(|other| Some(other) != one) {
                comparison.disagreements.push(BalanceDisagreement {
                    address: *address,
                    answers,
                });
            }
        }
    }
    Ok(comparison)
}

fn value(answer: Option<&(u64, Vec<Lamports>)>, at: usize) -> Option<(u64, Lamports)> {
    let (slot, values) = answer?;
    Some((*slot, *values.get(at)?))
}

/// Whether two endpoints that answered said different things of the account at this place.
fn differs(answers: &[Option<(u64, Vec<Lamports>)>], at: usize) -> bool {
    let mut values = answers.iter().flatten().filter_map(|(_, values)| values.get(at));
    let first = values.next();
    values.any(|value| Some(value) != first)
}

/// One answer for each endpoint, in their order. Why one gave none is noted once.
async fn ask(
    node: &SolanaNode,
    batch: &[Address],
    no_earlier_than: Option<u64>,
    comparison: &mut Comparison,
) -> Vec<Option<(u64, Vec<Lamports>)>> {
    let params = params(batch, no_earlier_than);
    let answers = call_all::<Answer>(node, RpcRequest::GetMultipleAccounts, params).await;
    let names = comparison.endpoints.clone();
    let read = |(answer, name): (Result<Answer, ChainError>, String)| {
        let answer = answer.and_then(|answer| lamports_of(answer, batch.len()));
        match answer {
            Ok(read) => Some(read),
            Err(error) => {
                if !comparison.failures.iter().any(|(known, _)| *known == name) {
                    comparison.failures.push((name, error));
                }
                None
            }
        }
    };
    answers.into_iter().zip(names).map(read).collect()
}
