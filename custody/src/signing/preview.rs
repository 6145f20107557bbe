//! A look at a transaction before anyone signs: decoded, judged, nothing reserved and nothing written.

use std::collections::BTreeSet;
use std::sync::Arc;

use keyward_core::account::AccountAddress;
use keyward_core::address::Address;
use keyward_core::intent::Intent;
use keyward_core::policy::{Decision, Policy, Request, evaluate};
use keyward_core::solana::Transaction;

use super::authorise::policy_facts;
use super::{PreviewDecision, RefusalText, SigningPreview};
use crate::error::{CustodyError, SignError};
use crate::store::{Ask, SpendWindow};
use crate::vault::Custody;

impl Custody {
    /// Decodes a transaction and asks policy about it, without reserving, signing or auditing anything.
    ///
    /// It works while the vault is locked, on the policy as it is stored. A transaction that no wallet of this vault
    /// would sign is shown as refused.
    ///
    /// # Errors
    /// [`SignError::Undecodable`], or the store's.
    pub async fn preview(&self, transaction: &[u8], network: &str) -> Result<SigningPreview, SignError> {
        let _ = network;
        let transaction = Transaction::decode(transaction).map_err(SignError::Undecodable)?;
        let intent = Intent::from_message(&transaction.message);
        let policy = match self.session() {
            Some(session) => self.policy_in_force(&session).await?,
            None => Arc::new(self.policy().await?),
        };
        let windows = policy.windows();
        let ask = Ask {
            wallets: transaction
                .message
                .required_signers()
                .iter()
                .map(AccountAddress::from)
                .collect(),
            windows: windows
                .iter()
                .map(|window| SpendWindow {
                    asset: window.asset.to_string(),
                    duration_ms: window.duration_ms,
                })
                .collect(),
            ..Ask::default()
        };
        let facts = self.store().look(ask).await?;
        if facts.vault.is_none() {
            return Err(CustodyError::NotInitialised.into());
        }
        let signers: Vec<Address> = facts
            .wallets
            .iter()
            .filter_map(|wallet| wallet.address.as_solana().copied())
            .collect();
        let decision = judge(&policy, &intent, &signers, &policy_facts(&policy, &facts));
        Ok(SigningPreview {
            intent,
            decision,
            signers,
        })
    }
}

fn judge(
    policy: &Policy,
    intent: &Intent,
    signers: &[Address],
    facts: &keyward_core::policy::Facts,
) -> PreviewDecision {
    let (mut rules, mut reasons) = (BTreeSet::new(), Vec::new());
    if signers.is_empty() {
        let error = SignError::NoSigner;
        reasons.push(RefusalText {
            code: error.code().to_owned(),
            text: format!("{error}; {}", error.remedy()),
        });
    }
    for wallet in signers {
        match evaluate(policy, &Request::Transaction { wallet, intent }, facts) {
            Decision::Allowed(approval) => rules.extend(approval.rules().iter().cloned()),
            Decision::Refused(refusals) => {
                for refusal in refusals {
                    let reason = RefusalText {
                        code: refusal.code().to_owned(),
                        text: refusal.to_string(),
                    };
                    if !reasons.contains(&reason) {
                        reasons.push(reason);
                    }
                }
            }
        }
    }
    if reasons.is_empty() {
        PreviewDecision::Allowed {
            rules: rules.into_iter().collect(),
        }
    } else {
        PreviewDecision::Refused { reasons }
    }
}
