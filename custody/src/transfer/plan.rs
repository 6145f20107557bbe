//! Building a transfer and showing what it does, before anything is signed.

use keyward_core::address::{Address, Signature};
use keyward_core::amount::Lamports;
use keyward_core::intent::Intent;
use keyward_core::solana::instructions::{compute_unit_limit, compute_unit_price, memo};
use keyward_core::solana::{Instruction, Message, MessageVersion, Transaction, compile_message};

use super::lifetime::Lifetime;
use super::payment::Payment;
use super::{MAX_MEMO_BYTES, PlanDetails, Repeat, TransferError, TransferPlan, TransferRequest};
use crate::chain::{AccountInfo, ChainError, SolanaNode};
use crate::changes::simulate_changes;
use crate::fees::{FeePrice, priority_fee};
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
    let lifetime = Lifetime::find(node, request.from, request.nonce).await?;
    let payment = Payment::find(node, request).await?;
    let funds = read_funds(node, request).await?;
    let draft = Draft {
        request,
        payment: &payment,
        lifetime: &lifetime,
    };

    // The price is left at zero here: a generous limit at the real price could ask for more than the sender has.
    let generous = draft.build(GENEROUS_UNITS, request.fee.offers().then_some(0))?;
    let fee = node.fee_for_message(&draft.recent(&generous).encode()).await?;
    check_funds(request, &payment, &funds, fee, Lamports::ZERO)?;
    let trial = node.simulate(&unsigned(generous), &[]).await?;
    if trial.error.is_none() && trial.units.is_none() {
        let what = "a simulation that does not say how many compute units it used".to_string();
        return Err(ChainError::Nonsense { what }.into());
    }
    // What fails used what it used until then: with a generous limit it is at least the same failure when it is sent.
    let limit = match (&trial.error, trial.units) {
        (None, Some(units)) => limit_for(units),
        (_, _) => GENEROUS_UNITS,
    };
    let price = fee_price(node, request, &draft.build(limit, Some(0))?).await?;
    let priority = priority_fee(price.micro_lamports, limit).ok_or_else(|| TransferError::Build {
        reason: "the priority fee exceeds 2^64 lamports".into(),
    })?;
    check_funds(request, &payment, &funds, fee, priority)?;

    let offered = (price.micro_lamports > 0).then_some(price.micro_lamports);
    let message = draft.build(limit, offered)?;
    let intent = Intent::from_message(&message);
    let transaction = unsigned(message);
    let changes = simulate_changes(node, &transaction).await?;
    let decision = custody.preview(&transaction, &network).await?;
    let lookalikes = custody.lookalikes().await?.check(&request.to);
    Ok(TransferPlan {
        request: request.clone(),
        transaction,
        intent,
        fee,
        priority_fee: priority,
        compute_unit_limit: limit,
        simulation_error: trial.error.or_else(|| changes.error.clone()),
        changes: changes.sol.clone(),
        warnings: warnings(request, &payment, &funds, price),
        decision,
        last_valid_block_height: lifetime.last_valid_block_height(),
        network,
        details: PlanDetails {
            price: Some(price),
            changes,
            lookalikes,
            nonce: lifetime.nonce(),
            creates_account: matches!(&payment, Payment::Token(route) if route.creates),
            despite_failure: false,
        },
    })
}

/// A transfer that is still to be given its limit and its price.
struct Draft<'a> {
    request: &'a TransferRequest,
    payment: &'a Payment,
    lifetime: &'a Lifetime,
}

impl Draft<'_> {
    fn build(&self, limit: u32, micro_lamports: Option<u64>) -> Result<Message, TransferError> {
        let request = self.request;
        // Advancing a nonce comes first, or it is no durable transaction.
        let mut instructions: Vec<Instruction> =
            self.lifetime.instruction(request.from).into_iter().collect();
        instructions.push(compute_unit_limit(limit));
        instructions.extend(micro_lamports.map(compute_unit_price));
        instructions.extend(self.payment.instructions(request));
        if let Some(text) = &request.memo {
            instructions.push(memo(text, &[request.from]));
        }
        let blockhash = self.lifetime.blockhash();
        compile_message(MessageVersion::Legacy, request.from, &instructions, blockhash).map_err(|error| {
            TransferError::Build {
                reason: error.to_string(),
            }
        })
    }

    /// The same with a recent blockhash: a node says the fee only for one that it knows.
    fn recent(&self, message: &Message) -> Message {
        Message {
            recent_blockhash: self.lifetime.recent_blockhash(),
            ..message.clone()
        }
    }
}

fn check_request(request: &TransferRequest) -> Result<(), TransferError> {
    if request.from == request.to {
        return Err(TransferError::SameAccount);
    }
    if request.amount.base_units() == 0 {
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
            && attempt.new.amount == request.amount
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
    payment: &Payment,
    funds: &Funds,
    fee: Lamports,
    priority: Lamports,
) -> Result<(), TransferError> {
    let too_much = || TransferError::Build {
        reason: "amount and fees exceed 2^64 lamports".into(),
    };
    let zero = Lamports::new(0);
    // Of tokens the fees are SOL alone; the rent of a new account is the simulation's to judge.
    let amount = request.amount.lamports().unwrap_or(zero);
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
    if matches!(payment, Payment::Token(_)) {
        return Ok(());
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

/// What the fee policy comes to for a transaction that changes these accounts.
async fn fee_price(
    node: &SolanaNode,
    request: &TransferRequest,
    message: &Message,
) -> Result<FeePrice, TransferError> {
    let recent: Vec<u64> = match request.fee.asks_the_market() {
        true => {
            let keys = message.account_keys.iter().enumerate();
            let writable = keys.filter(|(index, _)| message.is_writable(*index));
            let writable: Vec<Address> = writable.map(|(_, key)| *key).collect();
            let fees = node.recent_fees(&writable).await?;
            fees.into_iter().map(|fee| fee.micro_lamports).collect()
        }
        false => Vec::new(),
    };
    Ok(request.fee.price(&recent))
}

fn warnings(request: &TransferRequest, payment: &Payment, funds: &Funds, price: FeePrice) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Payment::Token(route) = payment {
        warnings.extend(route.warnings.iter().cloned());
        if route.creates {
            warnings.push(
                "the recipient has no account for this token yet: it is created, and the sender pays its rent".into(),
            );
        }
    }
    if price.capped {
        warnings.push(
            "others offer more than the cap of the priority fee allows: it may take long to land".into(),
        );
    }
    match &funds.recipient {
        Some(info) if info.executable => {
            warnings.push("the recipient is a program: what is sent there is most likely lost".into());
        }
        Some(info) if info.owner != SYSTEM_PROGRAM => {
            warnings.push(format!(
                "the recipient is an account of the program {}, not a plain wallet: what is sent there may be out of reach",
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
