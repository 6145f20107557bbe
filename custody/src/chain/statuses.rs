//! What became of many signatures, asked at once.

use keyward_core::address::Signature;
use serde::Deserialize;
use serde_json::{Value, json};
use solana_rpc_client_api::request::RpcRequest;

use super::explain::explain;
use super::transport::{AtSlot, call, call_all};
use super::{ChainError, Commitment, SearchScope, SignatureSearch, SignatureStatus, SolanaNode};

/// What `getSignatureStatuses` takes at most.
pub(super) const MAX_SIGNATURES: usize = 256;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawStatus {
    slot: u64,
    err: Option<Value>,
    confirmations: Option<u64>,
    confirmation_status: Option<String>,
}

/// One answer for each signature, in their order, all at the slot that the answering node had reached.
pub(super) async fn search(
    node: &SolanaNode,
    signatures: &[Signature],
    scope: SearchScope,
) -> Result<Vec<SignatureSearch>, ChainError> {
    if signatures.is_empty() {
        return Ok(Vec::new());
    }
    if signatures.len() > MAX_SIGNATURES {
        return Err(ChainError::OutOfBounds {
            what: format!("more than {MAX_SIGNATURES} signatures in one request"),
        });
    }
    match scope {
        SearchScope::Recent => {
            let answer = call(node, RpcRequest::GetSignatureStatuses, params(signatures, false)).await?;
            read(signatures, answer)
        }
        SearchScope::History => {
            let answers = call_all(node, RpcRequest::GetSignatureStatuses, params(signatures, true)).await;
            let answers = answers
                .into_iter()
                .map(|answer| read(signatures, answer?))
                .collect();
            join(signatures.len(), answers)
        }
    }
}

type Answer = AtSlot<Vec<Option<RawStatus>>>;

fn params(signatures: &[Signature], history: bool) -> Value {
    json!([signatures, { "searchTransactionHistory": history }])
}

fn read(signatures: &[Signature], answer: Answer) -> Result<Vec<SignatureSearch>, ChainError> {
    if answer.value.len() != signatures.len() {
        let (found, asked) = (answer.value.len(), signatures.len());
        return Err(ChainError::nonsense(format!(
            "{found} statuses for {asked} signatures"
        )));
    }
    let context_slot = answer.context.slot;
    let read = |status: Option<RawStatus>| {
        Ok(SignatureSearch {
            context_slot,
            status: status.map(read_status).transpose()?,
        })
    };
    answer.value.into_iter().map(read).collect()
}

/// Joins what the endpoints found in their history. What one of them found, there is: the most settled counts. That there
/// is nothing is only proved when all of them say so, and no further than the one that has come least far; one that did not
/// answer has come nowhere. Two that are sure and contradict each other leave it unknown.
fn join(
    count: usize,
    answers: Vec<Result<Vec<SignatureSearch>, ChainError>>,
) -> Result<Vec<SignatureSearch>, ChainError> {
    let mut joined: Option<Vec<SignatureSearch>> = None;
    let mut failure = None;
    for answer in answers {
        match (answer, &mut joined) {
            (Err(error), _) => {
                failure.get_or_insert(error);
            }
            (Ok(found), None) => joined = Some(found),
            (Ok(found), Some(joined)) => {
                for (known, more) in joined.iter_mut().zip(found) {
                    merge(known, more)?;
                }
            }
        }
    }
    match (joined, failure) {
        (Some(mut joined), failure) => {
            debug_assert_eq!(joined.len(), count, "each answer was checked");
            if failure.is_some() {
                for search in joined.iter_mut().filter(|search| search.status.is_none()) {
                    search.context_slot = 0;
                }
            }
            Ok(joined)
        }
        (None, Some(error)) => Err(error),
        (None, None) => Err(ChainError::nonsense("there is no endpoint to ask")),
    }
}

fn merge(known: &mut SignatureSearch, more: SignatureSearch) -> Result<(), ChainError> {
    match (&known.status, &more.status) {
        (None, None) => known.context_slot = known.context_slot.min(more.context_slot),
        (None, Some(_)) => *known = more,
        (Some(_), None) => {}
        (Some(one), Some(other)) => {
            let sure = Commitment::Finalized;
            let differ = one.error != other.error || one.slot != other.slot;
            if differ && one.commitment == sure && other.commitment == sure {
                return Err(ChainError::nonsense(
                    "two endpoints are sure of different outcomes of one transaction",
                ));
            }
            if other.commitment > one.commitment {
                *known = more;
            }
        }
    }
    Ok(())
}

fn read_status(status: RawStatus) -> Result<SignatureStatus, ChainError> {
    let commitment = match (&status.confirmation_status, status.confirmations) {
        (Some(text), _) => {
            Commitment::parse(text).ok_or_else(|| ChainError::nonsense("an unknown level of commitment"))?
        }
        // Old nodes: no confirmations left to count means rooted.
        (None, None) => Commitment::Finalized,
        (None, Some(_)) => Commitment::Processed,
    };
    Ok(SignatureStatus {
        slot: status.slot,
        commitment,
        error: status.err.as_ref().map(explain),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn search(context_slot: u64, status: Option<(u64, Commitment, Option<&str>)>) -> SignatureSearch {
        SignatureSearch {
            context_slot,
            status: status.map(|(slot, commitment, error)| SignatureStatus {
                slot,
                commitment,
                error: error.map(str::to_owned),
            }),
        }
    }

    fn joined(answers: Vec<Result<SignatureSearch, ChainError>>) -> Result<SignatureSearch, ChainError> {
        let answers = answers.into_iter().map(|answer| answer.map(|one| vec![one]));
        join(1, answers.collect()).map(|mut found| found.remove(0))
    }

    #[test]
    fn nothing_is_proved_only_by_all_and_as_far_as_the_last() {
        let down = || Err(ChainError::HistoryUnavailable);
        let both = joined(vec![Ok(search(90, None)), Ok(search(70, None))]).unwrap();
        assert_eq!(both, search(70, None));
        for answers in [
            vec![Ok(search(90, None)), down()],
            vec![down(), Ok(search(90, None))],
        ] {
            assert_eq!(joined(answers).unwrap(), search(0, None));
        }
        assert_eq!(joined(vec![down(), down()]), Err(ChainError::HistoryUnavailable));
    }

    #[test]
    fn what_one_found_counts_and_the_most_settled_wins() {
        use Commitment::{Confirmed, Finalized};
        let found = search(80, Some((50, Confirmed, None)));
        for answers in [
            vec![Ok(found.clone()), Ok(search(99, None))],
            vec![Ok(search(99, None)), Ok(found.clone())],
            vec![Ok(found.clone()), Err(ChainError::HistoryUnavailable)],
        ] {
            assert_eq!(joined(answers).unwrap(), found);
        }
        let sure = search(81, Some((51, Finalized, Some("failed"))));
        assert_eq!(joined(vec![Ok(found), Ok(sure.clone())]).unwrap(), sure);
        let other = search(82, Some((51, Finalized, None)));
        assert!(joined(vec![Ok(sure), Ok(other)]).is_err());
    }
}
