//! A look at what is to be signed before anyone signs: decoded, judged, nothing reserved and nothing written.

use std::collections::BTreeSet;
use std::sync::Arc;

use keyward_core::account::AccountAddress;
use keyward_core::evm::EvmAddress;
use keyward_core::evm::intent::EvmIntent;
use keyward_core::evm::typed_data::TypedData;
use keyward_core::policy::text::plain_text;
use keyward_core::policy::{Decision, Policy, evaluate};
use keyward_core::siws::SignIn;

use super::authorise::{check_request, policy_facts};
use super::message::{Message, check_sign_in};
use super::subject::Subject;
use super::{EvmSignRequest, PreviewDecision, RefusalText, SignRequest, SigningPreview, invalid_signatures};
use crate::error::{CustodyError, SignError};
use crate::store::{Ask, Facts, SpendWindow};
use crate::vault::Custody;

/// A look at an EVM transaction.
#[derive(Clone, Debug)]
pub struct EvmPreview {
    /// What the bytes do.
    pub intent: EvmIntent,
    /// What policy says now; it is asked again when signing.
    pub decision: PreviewDecision,
    /// The wallet, if it is of this vault.
    pub signer: Option<EvmAddress>,
}

/// A look at a message or typed data.
#[derive(Clone, Debug)]
pub struct MessagePreview {
    /// What would be signed, in lines that can be shown as they are.
    pub sentences: Vec<String>,
    /// What policy says now; it is asked again when signing.
    pub decision: PreviewDecision,
    /// The wallet, if it is of this vault.
    pub signer: Option<AccountAddress>,
}

impl Custody {
    /// Decodes a transaction and asks policy about it, without reserving, signing or auditing anything.
    ///
    /// It works while the vault is locked, on the policy as it is stored. A transaction that no wallet of this vault
    /// would sign is shown as refused.
    ///
    /// # Errors
    /// [`SignError::Undecodable`], or the store's.
    pub async fn preview(&self, transaction: &[u8], network: &str) -> Result<SigningPreview, SignError> {
        self.preview_request(&SignRequest::new(transaction.to_vec(), network))
            .await
    }

    /// As [`Self::preview`], with lookup tables.
    ///
    /// # Errors
    /// As [`Self::preview`], and [`SignError::LookupTables`].
    pub async fn preview_request(&self, request: &SignRequest) -> Result<SigningPreview, SignError> {
        let (transaction, intent) = request.read()?;
        let signers = transaction.message.required_signers();
        let signers = signers.iter().map(Into::into).collect();
        let invalid = invalid_signatures(&transaction);
        let (signers, decision) = self
            .look_at(Subject::Transaction(&intent), signers, &invalid)
            .await?;
        Ok(SigningPreview {
            intent,
            decision,
            signers: signers
                .iter()
                .filter_map(|one| one.as_solana().copied())
                .collect(),
        })
    }

    /// As [`Self::preview`], of an EVM transaction.
    ///
    /// # Errors
    /// [`SignError::Evm`], [`SignError::WrongChain`], or the store's.
    pub async fn preview_evm_transaction(&self, request: &EvmSignRequest) -> Result<EvmPreview, SignError> {
        let (_, intent) = request.read()?;
        let signers = vec![request.wallet.into()];
        let (signers, decision) = self
            .look_at(Subject::EvmTransaction(&intent), signers, &[])
            .await?;
        Ok(EvmPreview {
            intent,
            decision,
            signer: signers.first().and_then(|signer| signer.as_evm().copied()),
        })
    }

    /// As [`Self::preview`], of a message for one wallet.
    ///
    /// # Errors
    /// What [`Self::sign_message`] refuses before policy is asked, or the store's.
    pub async fn preview_message(
        &self,
        wallet: impl Into<AccountAddress>,
        message: &[u8],
    ) -> Result<MessagePreview, SignError> {
        let wallet = wallet.into();
        let message = Message::read(&wallet, message).map_err(|(_, error)| error)?;
        self.preview_one(message.subject(), wallet, message_sentences(&message))
            .await
    }

    /// As [`Self::preview`], of a sign-in on the page that asks for it.
    ///
    /// # Errors
    /// [`SignError::SignIn`] for another page or another time, or the store's.
    pub async fn preview_sign_in(&self, sign_in: &SignIn, origin: &str) -> Result<MessagePreview, SignError> {
        check_sign_in(sign_in, origin)?;
        let text = sign_in.to_text().into_bytes();
        let wallet = sign_in.fields().address.into();
        self.preview_one(Subject::SignIn(sign_in, &text), wallet, sign_in.summary())
            .await
    }

    /// As [`Self::preview`], of typed data (EIP-712).
    ///
    /// # Errors
    /// [`SignError::TypedData`], or the store's.
    pub async fn preview_typed_data(
        &self,
        wallet: &EvmAddress,
        document: &str,
    ) -> Result<MessagePreview, SignError> {
        let typed_data = TypedData::from_json(document).map_err(SignError::TypedData)?;
        let sentences = typed_data.sentences();
        self.preview_one(Subject::TypedData(&typed_data), (*wallet).into(), sentences)
            .await
    }

    async fn preview_one(
        &self,
        subject: Subject<'_>,
        wallet: AccountAddress,
        sentences: Vec<String>,
    ) -> Result<MessagePreview, SignError> {
        let (signers, decision) = self.look_at(subject, vec![wallet], &[]).await?;
        Ok(MessagePreview {
            sentences,
            decision,
            signer: signers.first().copied(),
        })
    }

    /// Which of the signers are wallets of this vault, and what would come of it.
    async fn look_at(
        &self,
        subject: Subject<'_>,
        signers: Vec<AccountAddress>,
        invalid: &[AccountAddress],
    ) -> Result<(Vec<AccountAddress>, PreviewDecision), SignError> {
        let policy = match self.session() {
            Some(session) => self.policy_in_force(&session).await?,
            None => Arc::new(self.policy().await?),
        };
        let ask = Ask {
            wallets: signers,
            windows: policy.windows().iter().map(SpendWindow::of).collect(),
            own: subject.parties(&policy),
            ..Ask::default()
        };
        let facts = self.store().look(ask).await?;
        if facts.vault.is_none() {
            return Err(CustodyError::NotInitialised.into());
        }
        let decision = judge(&policy, subject, invalid, &facts);
        let signers = facts.wallets.iter().map(|wallet| wallet.address).collect();
        Ok((signers, decision))
    }
}

fn judge(
    policy: &Policy,
    subject: Subject<'_>,
    invalid: &[AccountAddress],
    facts: &Facts,
) -> PreviewDecision {
    let (mut rules, mut reasons) = (BTreeSet::new(), Vec::new());
    if facts.wallets.is_empty() {
        reasons.push(refusal(&SignError::NoSigner));
    }
    if let Err(error) = check_request(subject, invalid, &facts.wallets, facts.now_ms) {
        reasons.push(refusal(&error));
    }
    let counted = policy_facts(policy, facts);
    for wallet in &facts.wallets {
        let Some(request) = subject.request(&wallet.address) else {
            continue;
        };
        match evaluate(policy, &request, &counted) {
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

fn refusal(error: &SignError) -> RefusalText {
    RefusalText {
        code: error.code().to_owned(),
        text: format!("{error}; {}", error.remedy()),
    }
}

fn message_sentences(message: &Message<'_>) -> Vec<String> {
    let (mut lines, text) = match message {
        Message::Text(bytes) => (
            vec!["Sign this text, without any transaction:".to_owned()],
            *bytes,
        ),
        Message::Personal(bytes) => (
            vec!["Sign this personal message (EIP-191), valid on every EVM chain:".to_owned()],
            *bytes,
        ),
        Message::OffChain(message, _) => {
            let mut lines = Vec::new();
            if let Some(domain) = message.application_domain() {
                lines.push(format!("An off-chain message of the application {domain}"));
            }
            lines.extend(
                message
                    .signers()
                    .iter()
                    .map(|signer| format!("Signed by {signer}")),
            );
            lines.push("Sign this off-chain message:".to_owned());
            (lines, message.text().as_bytes())
        }
    };
    match plain_text(text) {
        Ok(text) => lines.extend(text.lines().map(str::to_owned)),
        Err(error) => lines.push(error.to_string()),
    }
    lines
}
