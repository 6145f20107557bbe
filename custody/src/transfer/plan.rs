//! Building a transfer and showing what it does, before anything is signed.

use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::Lamports;
use keyward_core::intent::Intent;
use keyward_core::solana::instructions::{compute_unit_limit, compute_unit_price, memo, sol_transfer};
use keyward_core::solana::{Instruction, Message, MessageVersion, Transaction, compile_message};

use super::{BalanceChange, MAX_MEMO_BYTES, Repeat, TransferError, TransferPlan, TransferRequest};
use crate::chain::{AccountInfo, SolanaNode};
use crate::{AttemptQuery, AttemptState, Custody};

/// The limit of the first simulation: the most that a transaction may ask for.
const GENEROUS_UNITS: u32 = 1_400_000;
/// Room above what the simulation used: a tenth, and a little for tiny transactions.
const MARGIN_UNITS: u32 = 100;
const SYSTEM_PROGRAM: Address = Address::new([0; 32]);
/// How many unresolved attempts of one wallet are looked through.
const MAX_UNRESOLVED: u32 = 1_000;

/// What the cluster knows that decides whether a transfer is possible.
struct Funds {
    sender: Option<AccountInfo>,
    recipient: Option<AccountInfo>,
    sender_minimum: Lamports,
    recipient_minimum: Lamports,
}

pub(super) async fn prepare(
    custody: &Custody,
    node: &SolanaNode,
    request: &TransferRequest,
) -> Result<TransferPlan, TransferError> {
    check_request(request)?;
    let network = node.verify_network().await?;
    refuse_repeat(custody, request, &network).await?;
    let latest = node.latest_blockhash().await?;
    let funds = read_funds(node, request).await?;

    // The price is left at zero here: a generous limit at the real price could ask for more than the sender has.
    let draft = build(request, GENEROUS_UNITS, Price::Zero, latest.blockhash)?;
    let fee = node.fee_for_message(&draft.encode()).await?;
    check_funds(request, &funds, fee, Lamports::new(0))?;
    let trial = node.simulate(&unsigned(draft), &[]).await?;
    if trial.error.is_none() && trial.units.is_none() {
        let what = "a simulation that does not say how many compute units it used".to_string();
        return Err(crate::chain::ChainError::Nonsense { what }.into());
    }
    let limit = limit_for(trial.units.unwrap_or(0));
    let priority_fee = priority_fee(request.priority_fee_micro_lamports.unwrap_or(0), limit)?;
    check_funds(request, &funds, fee, priority_fee)?;

    let message = build(request, limit, Price::AsAsked, latest.blockhash)?;
    let intent = Intent::from_message(&message);
    let transaction = unsigned(message);
    let simulation = node.simulate(&transaction, &[request.from, request.to]).await?;
    let decision = custody.preview(&transaction, &network).await?;
    let change = |watched: &crate::chain::WatchedBalance| {
        Some(BalanceChange {
            address: watched.address,
            before: watched.before?,
            after: watched.after?,
        })
    };
    Ok(TransferPlan {
        request: request.clone(),
        transaction,
        intent,
        fee,
        priority_fee,
        compute_unit_limit: limit,
        changes: simulation.balances.iter().filter_map(change).collect(),
        simulation_error: trial.error.or(simulation.error),
        warnings: warnings(request, &funds),
        decision,
        last_valid_block_height: latest.last_valid_block_height,
        network,
    })
}

fn check_request(request: &TransferRequest) -> Result<(), TransferError> {
    if request.from == request.to {
        return Err(TransferError::SameAccount);
    }
    if request.lamports.get() == 0 {
        return Err(TransferError::ZeroAmount);
    }
    match &request.memo {
        Some(text) if text.len() > MAX_MEMO_BYTES => Err(TransferError::MemoTooLong {
            found: text.len(),
            limit: MAX_MEMO_BYTES,
        }),
        _ => Ok(()),
    }
}

/// Refuses what would pay the same thing twice while the first payment may still land.
pub(super) async fn refuse_repeat(
    custody: &Custody,
    request: &TransferRequest,
    network: &str,
) -> Result<(), TransferError> {
    match (request.repeat, unresolved_equal(custody, request, network).await?) {
        (Repeat::Refuse, Some(signature)) => Err(TransferError::Unresolved { signature }),
        _ => Ok(()),
    }
}

/// Finds an unresolved attempt of the same transfer.
async fn unresolved_equal(
    custody: &Custody,
    request: &TransferRequest,
    network: &str,
) -> Result<Option<Signature>, TransferError> {
    let query = AttemptQuery {
        unresolved_only: true,
        wallet: Some(request.from),
        limit: MAX_UNRESOLVED,
    };
    let attempts = custody.attempts(&query).await?;
    let equal = attempts.into_iter().find(|attempt| {
        matches!(attempt.state, AttemptState::Signed | AttemptState::Sent)
            && attempt.new.recipient == request.to
            && attempt.new.lamports == request.lamports
            && attempt.new.network == network
    });
    Ok(equal.map(|attempt| attempt.new.signature))
}

async fn read_funds(node: &SolanaNode, request: &TransferRequest) -> Result<Funds, TransferError> {
    let (_, infos) = node.accounts(&[request.from, request.to]).await?;
    let mut infos = infos.into_iter();
    let (sender, recipient) = (infos.next().flatten(), infos.next().flatten());
    let length = |info: &Option<AccountInfo>| info.as_ref().map_or(0, |info| info.data_len);
    let sender_minimum = node.rent_minimum(length(&sender)).await?;
    let recipient_minimum = match length(&recipient) == length(&sender) {
        true => sender_minimum,
        false => node.rent_minimum(length(&recipient)).await?,
    };
    Ok(Funds {
        sender,
        recipient,
        sender_minimum,
        recipient_minimum,
    })
}

fn balance(info: Option<&AccountInfo>) -> Lamports {
    info.map_or(Lamports::new(0), |info| info.lamports)
}

/// Explains the refusals that a person can mend by another amount. The cluster's own rules are stricter and more: the
/// simulation has the last word.
fn check_funds(
    request: &TransferRequest,
    funds: &Funds,
    fee: Lamports,
    priority: Lamports,
) -> Result<(), TransferError> {
    let too_much = || TransferError::Build {
        reason: "amount and fees exceed 2^64 lamports".into(),
    };
    let zero = Lamports::new(0);
    let amount = request.lamports;
    let fees = fee.checked_add(priority).ok_or_else(too_much)?;
    let needed = amount.checked_add(fees).ok_or_else(too_much)?;
    let available = balance(funds.sender.as_ref());
    let most = available.checked_sub(fees).unwrap_or(zero);
    let Some(remaining) = available.checked_sub(needed) else {
        let short = needed.checked_sub(available).unwrap_or(zero);
        return Err(TransferError::InsufficientFunds {
            available,
            needed,
            amount,
            fees,
            short,
            most,
        });
    };
    // An account that is below the minimum already may go lower, but not come to be there.
    let minimum = funds.sender_minimum;
    if remaining > zero && remaining < minimum && available >= minimum {
        return Err(TransferError::SenderBelowRent {
            remaining,
            minimum,
            most,
        });
    }
    let after = balance(funds.recipient.as_ref())
        .checked_add(amount)
        .ok_or_else(too_much)?;
    if after < funds.recipient_minimum {
        return Err(TransferError::RecipientBelowRent {
            after,
            minimum: funds.recipient_minimum,
        });
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Price {
    /// The instruction is there, so that it is counted, but costs nothing.
    Zero,
    AsAsked,
}

fn build(
    request: &TransferRequest,
    limit: u32,
    price: Price,
    blockhash: Blockhash,
) -> Result<Message, TransferError> {
    let mut instructions: Vec<Instruction> = vec![compute_unit_limit(limit)];
    if let Some(asked) = request.priority_fee_micro_lamports.filter(|asked| *asked > 0) {
        instructions.push(compute_unit_price(match price {
            Price::Zero => 0,
            Price::AsAsked => asked,
        }));
    }
    instructions.push(sol_transfer(request.from, request.to, request.lamports));
    if let Some(text) = &request.memo {
        instructions.push(memo(text, &[request.from]));
    }
    compile_message(MessageVersion::Legacy, request.from, &instructions, blockhash).map_err(|error| {
        TransferError::Build {
            reason: error.to_string(),
        }
    })
}

fn unsigned(message: Message) -> Vec<u8> {
    let signatures = vec![Signature::default(); usize::from(message.header.num_required_signatures)];
    Transaction { signatures, message }.encode()
}

fn limit_for(used: u64) -> u32 {
    let used = u32::try_from(used).unwrap_or(GENEROUS_UNITS);
    used.saturating_add(used / 10)
        .saturating_add(MARGIN_UNITS)
        .min(GENEROUS_UNITS)
}

/// Price times limit, rounded up to whole lamports, as the runtime charges it.
fn priority_fee(micro_lamports: u64, limit: u32) -> Result<Lamports, TransferError> {
    let micro = u128::from(micro_lamports) * u128::from(limit);
    let lamports = u64::try_from(micro.div_ceil(1_000_000));
    lamports.map(Lamports::new).map_err(|_| TransferError::Build {
        reason: "the priority fee exceeds 2^64 lamports".into(),
    })
}

fn warnings(request: &TransferRequest, funds: &Funds) -> Vec<String> {
    let mut warnings = Vec::new();
    match &funds.recipient {
        Some(info) if info.executable => {
            warnings.push("the recipient is a program: what is sent there is most likely lost".into());
        }
        Some(info) if info.owner != SYSTEM_PROGRAM => {
            warnings.push(format!(
                "the recipient is an account of the program {}, not a plain wallet: SOL sent there may be out of reach",
                info.owner
            ));
        }
        Some(_) => {}
        None if !request.to.is_on_curve() => {
            warnings.push(
                "the recipient is no key's address: only a program could move what is sent there".into(),
            );
        }
        None => warnings.push("the recipient has no account yet: compare the address with care".into()),
    }
    warnings
}

#[cfg(test)]
mod tests;
