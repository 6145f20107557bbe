//! Paying tokens of either program.

use async_trait::async_trait;
use keyward_core::address::Address;
use keyward_core::intent::programs;
use keyward_core::solana::instructions::{
    TokenPayment, create_associated_account, memo, token_transfer, token_transfer_with_fee,
};

use super::{Built, Compose, ComposeError};
use crate::chain::SolanaNode;
use crate::jobs::{ItemAction, Job, JobItem, NewItem};

/// A transfer for each item, after the recipient's account where that is to be made and after a memo: accounts that take
/// transfers with a memo only want it right before.
#[derive(Clone, Copy, Debug)]
pub(super) struct PayToken;

#[async_trait]
impl Compose for PayToken {
    async fn build(
        &self,
        _node: &SolanaNode,
        job: &Job,
        items: &[&JobItem],
    ) -> Result<Vec<Built>, ComposeError> {
        let mut built = Vec::with_capacity(items.len());
        for item in items {
            built.push(pay(&item.new, job.fee_payer).ok_or_else(|| {
                ComposeError::Items(vec![(item.new.number, "it pays no token".to_owned())])
            })?);
        }
        Ok(built)
    }
}

/// What one payment comes to; none if it pays no token.
pub(super) fn pay(item: &NewItem, fee_payer: Address) -> Option<Built> {
    let ItemAction::PayToken {
        mint,
        program,
        decimals,
        source_account,
        destination_account,
        create,
        fee,
    } = item.action
    else {
        return None;
    };
    let payment = TokenPayment {
        program,
        source: source_account,
        mint,
        destination: destination_account,
        authority: item.source,
        amount: item.amount,
        decimals,
    };
    let mut instructions = Vec::with_capacity(3);
    if create {
        instructions.push(create_associated_account(
            fee_payer,
            item.recipient,
            program,
            mint,
        ));
    }
    instructions.extend(item.memo.iter().map(|text| memo(text, &[item.source])));
    instructions.push(match fee {
        0 => token_transfer(&payment),
        fee => token_transfer_with_fee(&payment, fee),
    });
    // Token-2022 takes further accounts for those of a transfer hook, and policy refuses them.
    let referable = (program == programs::TOKEN).then_some(instructions.len() - 1);
    Some(Built {
        instructions,
        amount: item.amount,
        referable,
    })
}
