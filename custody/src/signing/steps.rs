//! The five steps, in their order. Between the third and the fourth lies a durable commit: from there on the
//! reservation counts as spent, whatever happens.

use std::sync::Arc;

use keyward_core::account::AccountAddress;
use keyward_core::audit::Outcome;
use keyward_core::policy::{ApprovedMessage, Policy, Refusal, WalletSignature};
use tokio::sync::OwnedMutexGuard;

use super::authorise::{Authorised, Case, Grant, Verdict};
use super::stopwatch::Stopwatch;
use super::subject::{Job, operation};
use super::{RATE_WINDOW_MS, SigningStep};
use crate::audit::ledger::Draft;
use crate::error::{CustodyError, SignError};
use crate::memory::clearing_stack;
use crate::password::Password;
use crate::store::{Ask, Commit, IntentKind, SpendWindow, Trade, Write, transact, transact_as};
use crate::vault::{Custody, Session, blocking};
use crate::wallets::secrets::{open_key, whole_again};

/// How often a decision is taken anew because the policy changed at the same moment.
const TRIES: u32 = 3;

impl Custody {
    /// The signatures of this vault's wallets, in the order of the job's signers.
    pub(super) async fn sign(
        &self,
        job: Job<'_>,
    ) -> Result<Vec<(AccountAddress, WalletSignature)>, SignError> {
        let watch = Stopwatch::start(self.options(), job.subject.kind());
        let answer = self.sign_watched(&watch, job).await;
        watch.finish(answer.as_ref());
        answer
    }

    async fn sign_watched(
        &self,
        watch: &Stopwatch<'_>,
        job: Job<'_>,
    ) -> Result<Vec<(AccountAddress, WalletSignature)>, SignError> {
        let kind = job.subject.kind();
        let Some(session) = self.session() else {
            let wallet = job.signers.first().copied();
            return Err(self
                .write_refusal(kind, wallet, job.sha256, CustodyError::Locked.into())
                .await);
        };
        let _turns = self.turns_of(&job).await;
        if let Some(wallet) = job.signers.iter().find(|wallet| job.passwords.was_wrong(wallet)) {
            let error = CustodyError::WrongWalletPassword { wallet: *wallet };
            return Err(self
                .write_refusal(kind, Some(*wallet), job.sha256, error.into())
                .await);
        }
        let authorised = self.authorise(watch, &session, &job).await?;
        let Authorised {
            mut signatures,
            grants,
        } = authorised;
        if !grants.is_empty() {
            watch.step(SigningStep::Authorised);
            let used = self.use_keys(&session, &job, grants).await?;
            watch.step(SigningStep::KeyUsed);
            for wrong in used
                .iter()
                .filter(|one| one.outcome.as_ref().is_err_and(|unused| unused.wrong_password))
            {
                job.passwords.found_wrong(&wrong.address);
            }
            let made = self.record(&session, kind, used).await?;
            watch.step(SigningStep::Recorded);
            watch.signed(made.len());
            signatures.extend(made);
        }
        signatures.sort_by_key(|(wallet, _)| job.signers.iter().position(|signer| signer == wallet));
        Ok(signatures)
    }

    async fn turns_of(&self, job: &Job<'_>) -> Vec<OwnedMutexGuard<()>> {
        let wallets = job.signers.iter().copied();
        let with_own = wallets.filter(|wallet| job.passwords.of(wallet).is_some());
        self.turns().take(with_own.collect()).await
    }

    /// As [`Self::sign`], for what one wallet alone signs.
    pub(super) async fn sign_one(&self, job: Job<'_>) -> Result<WalletSignature, SignError> {
        let signed = self.sign(job).await?;
        signed
            .first()
            .map(|(_, signature)| *signature)
            .ok_or(SignError::NoSigner)
    }

    /// Steps 1 to 3, in one database transaction: checks, policy, reservation with its audit entries.
    async fn authorise(
        &self,
        watch: &Stopwatch<'_>,
        session: &Arc<Session>,
        job: &Job<'_>,
    ) -> Result<Authorised, SignError> {
        for _ in 0..TRIES {
            let policy = self.policy_in_force(session).await?;
            let ask = self.question(session, job, &policy);
            let observe = |step| watch.step(step);
            let case = Case {
                session,
                scribe: self.scribe(Some(session)),
                job,
                policy: &policy,
                observe: &observe,
            };
            let mut refusing = false;
            let decided = transact(self.store(), ask, |ledger, facts| {
                let (writes, verdict) = case.decide(ledger, facts)?;
                refusing = matches!(verdict, Verdict::Refused(_));
                Ok((writes, verdict))
            })
            .await;
            match decided {
                Ok((Verdict::Authorised(authorised), _)) => return Ok(authorised),
                Ok((Verdict::Refused(error), _)) => return Err(error),
                Ok((Verdict::PolicyChanged, _)) => session.cache_policy(None),
                Err(error) if refusing => return Err(CustodyError::AuditUnwritable(Box::new(error)).into()),
                Err(error) => return Err(error.into()),
            }
        }
        Err(CustodyError::Busy.into())
    }

    fn question(&self, session: &Session, job: &Job<'_>, policy: &Policy) -> Ask {
        let windows = policy.windows();
        Ask {
            wallets: job.signers.clone(),
            rate_window_ms: RATE_WINDOW_MS,
            intents: job
                .signers
                .iter()
                .map(|wallet| *job.hash(session, wallet, policy).as_bytes())
                .collect(),
            windows: windows.iter().map(SpendWindow::of).collect(),
            own: job.subject.parties(policy),
            unsigned_tail: true,
            ..Ask::default()
        }
    }

    /// The policy in force, its signature verified; from memory while its version stands.
    pub(crate) async fn policy_in_force(&self, session: &Session) -> Result<Arc<Policy>, CustodyError> {
        if let Some(policy) = session.cached_policy() {
            return Ok(policy);
        }
        let overview = self
            .store()
            .overview()
            .await?
            .ok_or(CustodyError::NotInitialised)?;
        session.expect_current(&overview.vault)?;
        let row = overview
            .policy
            .ok_or_else(|| CustodyError::damaged("the vault has no policy"))?;
        let policy = Arc::new(session.verified_policy(&row)?);
        session.cache_policy(Some(Arc::clone(&policy)));
        Ok(policy)
    }

    /// Step 4: each key is opened, used once, and wiped before the next. One with a password of its own is opened on
    /// another thread, since stretching the password takes long.
    async fn use_keys(
        &self,
        session: &Arc<Session>,
        job: &Job<'_>,
        grants: Vec<Grant>,
    ) -> Result<Vec<Used>, SignError> {
        // Locked in between: the reservation stays, and the same request signs under it after the next unlock.
        if !session.is_open() {
            return Err(CustodyError::Locked.into());
        }
        let mut all = Vec::with_capacity(grants.len());
        for grant in grants {
            let (wallet, address, hash) = (grant.wallet.id, grant.wallet.address, grant.hash);
            let own_password = grant.wallet.own_password;
            let trade = job.subject.volume(&address).map(|volume| Trade {
                volume,
                before: grant.wallet.total_volume,
            });
            let password = job.passwords.of(&address);
            let outcome = if own_password {
                let (session, bytes) = (Arc::clone(session), job.bytes.clone());
                let password = password.map(Password::copy);
                blocking(move || use_key(&session, bytes, grant, password.as_ref())).await?
            } else {
                clearing_stack(|| use_key(session, job.bytes.clone(), grant, password))
            };
            all.push(Used {
                wallet,
                address,
                hash,
                own_password,
                trade,
                outcome,
            });
        }
        Ok(all)
    }

    /// Step 5: what became of it, committed before any signature leaves. A power cut may take this entry back, and
    /// leaves what a crash before it leaves: the authorisation of step 3, which is durable, and its reservation spent.
    async fn record(
        &self,
        session: &Session,
        kind: IntentKind,
        used: Vec<Used>,
    ) -> Result<Vec<(AccountAddress, WalletSignature)>, SignError> {
        let ask = Ask {
            unsigned_tail: true,
            ending: used.iter().map(|one| one.hash).collect(),
            ..Ask::default()
        };
        transact_as(self.store(), Commit::Ordered, ask, |ledger, facts| {
            let mut writes = Vec::with_capacity(used.len());
            for one in &used {
                let draft = |outcome| {
                    Draft::new(operation(kind), outcome)
                        .wallet(one.address)
                        .subject(one.hash)
                };
                let draft = match &one.outcome {
                    Ok(signature) => {
                        writes.push(Write::IntentSigned {
                            hash: one.hash,
                            wallet: one.wallet,
                            signature: *signature,
                            trade: one.trade,
                        });
                        if one.own_password {
                            writes.push(whole_again(one.wallet));
                        }
                        draft(Outcome::Signed).details(format!("signature {signature}"))
                    }
                    Err(unused) => {
                        writes.push(Write::IntentFailed { hash: one.hash });
                        draft(Outcome::Failed)
                            .reason("signing-failed")
                            .details(unused.reason.clone())
                    }
                };
                ledger.append(facts.now_ms, self.scribe(Some(session)), draft)?;
            }
            Ok((writes, ()))
        })
        .await
        // Signed, and not recorded: the signature stays here. Asked again, the same one is made and recorded.
        .map_err(|error| CustodyError::AuditUnwritable(Box::new(error)))?;
        used.into_iter()
            .map(|one| match one.outcome {
                Ok(signature) => Ok((one.address, signature)),
                Err(unused) if unused.wrong_password => {
                    Err(CustodyError::WrongWalletPassword { wallet: one.address }.into())
                }
                Err(unused) => Err(SignError::Failed {
                    reason: unused.reason,
                }),
            })
            .collect()
    }

    /// Refuses a request that does not even read: counts it, and writes it as [`Self::write_refusal`] does.
    pub(super) async fn refuse(
        &self,
        kind: IntentKind,
        wallet: Option<AccountAddress>,
        sha256: [u8; 32],
        error: SignError,
    ) -> SignError {
        let watch = Stopwatch::start(self.options(), kind);
        let error = self.write_refusal(kind, wallet, sha256, error).await;
        watch.finish::<()>(Err(&error));
        error
    }

    /// Writes a refusal to the audit log and gives it back; if it cannot be written, the error says that instead.
    async fn write_refusal(
        &self,
        kind: IntentKind,
        wallet: Option<AccountAddress>,
        sha256: [u8; 32],
        error: SignError,
    ) -> SignError {
        let session = self.session();
        // Without a session there is one reason that may be written without a signature.
        let error = if session.is_some() {
            error
        } else {
            CustodyError::Locked.into()
        };
        let ask = Ask {
            unsigned_tail: session.is_some(),
            ..Ask::default()
        };
        let written = transact(self.store(), ask, |ledger, facts| {
            if facts.vault.is_none() {
                return Err(CustodyError::NotInitialised);
            }
            let mut draft = refusal_draft(kind, &error).subject(sha256);
            draft.wallet = wallet;
            ledger.append(facts.now_ms, self.scribe(session.as_deref()), draft)?;
            Ok((Vec::new(), ()))
        })
        .await;
        match written {
            Ok(_) => error,
            Err(CustodyError::NotInitialised) => CustodyError::NotInitialised.into(),
            Err(unwritable) => CustodyError::AuditUnwritable(Box::new(unwritable)).into(),
        }
    }
}

/// The audit entry of a refusal.
pub(super) fn refusal_draft(kind: IntentKind, error: &SignError) -> Draft {
    let reason = match error {
        SignError::Refused { reasons } => {
            let mut codes: Vec<&str> = reasons.iter().map(Refusal::code).collect();
            codes.dedup();
            codes.join(",")
        }
        other => other.code().to_owned(),
    };
    Draft::new(operation(kind), Outcome::Refused)
        .reason(reason)
        .details(error.to_string())
}

/// What became of one wallet's grant.
struct Used {
    wallet: i64,
    address: AccountAddress,
    hash: [u8; 32],
    own_password: bool,
    /// What it counts for, if it is a transaction.
    trade: Option<Trade>,
    outcome: Result<WalletSignature, Unused>,
}

/// Why a key made no signature.
struct Unused {
    reason: String,
    /// Whether it was the wallet's own password that was wrong, which is the person's to mend.
    wrong_password: bool,
}

impl From<String> for Unused {
    fn from(reason: String) -> Self {
        Self {
            reason,
            wrong_password: false,
        }
    }
}

fn use_key(
    session: &Session,
    bytes: Vec<u8>,
    grant: Grant,
    password: Option<&Password>,
) -> Result<WalletSignature, Unused> {
    let message = ApprovedMessage::new(grant.approval, bytes).map_err(|error| error.to_string())?;
    let key = open_key(session, &grant.wallet, password).map_err(|error| match error {
        CustodyError::Damaged { .. } => {
            Unused::from("the wallet's sealed key does not open: its row is damaged".to_owned())
        }
        other => Unused {
            reason: other.to_string(),
            wrong_password: matches!(other, CustodyError::WrongWalletPassword { .. }),
        },
    })?;
    Ok(message.sign(&key).map_err(|error| error.to_string())?)
}
