//! Whether bytes make one payment and do nothing else.
//!
//! Looking for what must not be there would miss what nobody thought of: an approval, a new owner, a second payment, a setting
//! that raises the fee. So the transaction is built again from what it says that it pays, by the builders that make every
//! transfer here, and compared whole. Whatever a plain transfer would not have makes it another transaction.

use keyward_core::address::Address;
use keyward_core::intent::{Action, ComputeBudgetSetting, Intent, programs};
use keyward_core::solana::associated_token_account;
use keyward_core::solana::instructions::{
    TokenPayment, advance_nonce, compute_unit_limit, compute_unit_price, create_associated_account, memo,
    sol_transfer, token_transfer, token_transfer_with_fee,
};
use keyward_core::solana::token::TokenProgram;
use keyward_core::solana::{Instruction, Message, MessageVersion, compile_message};

use super::offline::durable_nonce;
use super::{TransferAmount, TransferRequest};

/// Whether a message makes this payment, once, in the way that a transfer is built here, and does nothing else.
///
/// The compute-unit limit and price, the memo, and which of the sender's token accounts is debited are taken as they are: a
/// request does not tell them all. What they cost is policy's to judge.
pub(super) fn makes(message: &Message, request: &TransferRequest) -> bool {
    let intent = Intent::from_message(message);
    let Some(instructions) = built_again(message, &intent, request) else {
        return false;
    };
    let version = MessageVersion::Legacy;
    compile_message(version, request.from, &instructions, message.recent_blockhash)
        .is_ok_and(|expected| expected == *message)
}

/// The instructions of the payment, with what the request leaves open taken from the message.
fn built_again(message: &Message, intent: &Intent, request: &TransferRequest) -> Option<Vec<Instruction>> {
    let mut instructions = Vec::new();
    if let Some(nonce) = durable_nonce(message) {
        instructions.push(advance_nonce(nonce.account, request.from));
    }
    let setting = |wanted: fn(ComputeBudgetSetting) -> Option<Instruction>| {
        intent.actions.iter().find_map(|action| match action {
            Action::ComputeBudget { setting } => wanted(*setting),
            _ => None,
        })
    };
    instructions.push(setting(|setting| match setting {
        ComputeBudgetSetting::UnitLimit(units) => Some(compute_unit_limit(units)),
        _ => None,
    })?);
    instructions.extend(setting(|setting| match setting {
        ComputeBudgetSetting::UnitPrice(micro_lamports) => Some(compute_unit_price(micro_lamports)),
        _ => None,
    }));
    match request.amount {
        TransferAmount::Sol(lamports) => {
            instructions.push(sol_transfer(request.from, request.to, lamports));
        }
        TransferAmount::Token { mint, units } => {
            let (source, program, fee) = debited(intent)?;
            let creates = |action: &Action| matches!(action, Action::Decoded { program, .. } if *program == programs::ASSOCIATED_TOKEN);
            if intent.actions.iter().any(creates) {
                instructions.push(create_associated_account(request.from, request.to, program, mint));
            }
            let payment = TokenPayment {
                program,
                source,
                mint,
                destination: associated_token_account(&request.to, &program, &mint),
                authority: request.from,
                amount: units.amount,
                decimals: units.decimals,
            };
            instructions.push(match fee {
                Some(fee) => token_transfer_with_fee(&payment, fee),
                None => token_transfer(&payment),
            });
        }
    }
    if let Some(text) = intent.actions.iter().find_map(memo_text) {
        instructions.push(memo(text, &[request.from]));
    }
    Some(instructions)
}

/// The debited token account, its program, and the transfer fee that is agreed to.
fn debited(intent: &Intent) -> Option<(Address, Address, Option<u64>)> {
    intent.actions.iter().find_map(|action| match action {
        Action::TokenTransfer {
            source, program, fee, ..
        } => {
            TokenProgram::of(program)?;
            Some((*source, *program, *fee))
        }
        _ => None,
    })
}

fn memo_text(action: &Action) -> Option<&str> {
    match action {
        Action::Memo { text, .. } => text.as_deref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
