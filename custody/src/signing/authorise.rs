//! The decision of steps 1 to 3: pure, on facts read under the write lock.

use keyward_core::account::AccountAddress;
use keyward_core::audit::Outcome;
use keyward_core::policy::{
    Approval, Decision, Facts as PolicyFacts, Policy, Refusal, WalletSignature, WindowSpend, evaluate,
};

use super::steps::refusal_draft;
use super::subject::{Job, Subject, operation};
use super::{RATE_WINDOW_MS, SigningStep};
use crate::audit::ledger::{Draft, Ledger, Scribe};
use crate::error::{CustodyError, SignError};
use crate::settings::VaultSettings;
use crate::store::{Facts, IntentRow, NewIntent, SealedWallet, Write};
use crate::vault::Session;
use crate::wallets::secrets::try_of;

/// A wallet that may sign, with the approval to sign by.
pub(super) struct Grant {
    pub(super) wallet: SealedWallet,
    pub(super) approval: Approval,
    /// The intent's hash.
    pub(super) hash: [u8; 32],
    /// Whether an earlier request authorised it, and no signature came of it.
    resumed: bool,
}

/// What steps 1 to 3 lead to.
pub(super) struct Authorised {
    /// Signatures that an earlier request made.
    pub(super) signatures: Vec<(AccountAddress, WalletSignature)>,
    /// Wallets that are yet to sign.
    pub(super) grants: Vec<Grant>,
}

/// How the decision ends.
pub(super) enum Verdict {
    Authorised(Authorised),
    /// Refused; the audit entry is among what the transaction commits.
    Refused(SignError),
    /// The policy in force is no longer the one that was asked about.
    PolicyChanged,
}

/// A job before its judge. Errors change nothing; refusals are decisions, with their audit entry.
pub(super) struct Case<'a> {
    pub(super) session: &'a Session,
    pub(super) scribe: Scribe<'a>,
    pub(super) job: &'a Job<'a>,
    pub(super) policy: &'a Policy,
    pub(super) observe: &'a (dyn Fn(SigningStep) + Send + Sync),
}

/// A wallet without a signature yet.
struct Open {
    wallet: SealedWallet,
    hash: [u8; 32],
    resumed: bool,
}

/// What step 1 leaves to do.
struct Checked {
    signatures: Vec<(AccountAddress, WalletSignature)>,
    open: Vec<Open>,
}

impl Case<'_> {
    /// Steps 1 to 3, up to the commit.
    pub(super) fn decide(
        &self,
        ledger: &mut Ledger,
        mut facts: Facts,
    ) -> Result<(Vec<Write>, Verdict), CustodyError> {
        if facts.vault.is_none() {
            return Err(CustodyError::NotInitialised);
        }
        if !self.session.is_open() {
            return Err(CustodyError::Locked);
        }
        if facts.policy_version != self.policy.version {
            return Ok((Vec::new(), Verdict::PolicyChanged));
        }
        let signer = self.session.signer();
        ledger.verify_edge(signer)?;
        let wallets = std::mem::take(&mut facts.wallets);
        let about = wallets.first().map(|wallet| wallet.address);
        let settings = facts.settings()?;
        let decided = self
            .check(ledger, wallets, &facts, &settings)
            .and_then(|checked| {
                if checked.open.is_empty() {
                    return Ok(Authorised {
                        signatures: checked.signatures,
                        grants: Vec::new(),
                    });
                }
                (self.observe)(SigningStep::Checked);
                let grants = self.judge(&facts, checked.open)?;
                (self.observe)(SigningStep::Evaluated);
                Ok(Authorised {
                    signatures: checked.signatures,
                    grants,
                })
            });
        match decided {
            Ok(authorised) => {
                let writes = self.reserve(ledger, &facts, &authorised, &settings)?;
                Ok((writes, Verdict::Authorised(authorised)))
            }
            Err(error) => {
                self.write_refusal(ledger, facts.now_ms, about, &error)?;
                Ok((Vec::new(), Verdict::Refused(error)))
            }
        }
    }

    /// Step 1: the lockout, whose it is, the clock, the rate.
    fn check(
        &self,
        ledger: &Ledger,
        wallets: Vec<SealedWallet>,
        facts: &Facts,
        settings: &VaultSettings,
    ) -> Result<Checked, SignError> {
        if wallets.is_empty() {
            return Err(SignError::NoSigner);
        }
        // Somebody is guessing the password: until that is over, an unlocked console does not sign either.
        let locked_until_ms = facts.vault.as_ref().map_or(0, |vault| vault.locked_until_ms);
        if locked_until_ms > facts.now_ms {
            return Err(CustodyError::LockedOut {
                retry_after_ms: locked_until_ms - facts.now_ms,
            }
            .into());
        }
        if facts.now_ms < ledger.last_ms() {
            return Err(CustodyError::ClockBehind {
                behind_ms: ledger.last_ms() - facts.now_ms,
            }
            .into());
        }
        check_request(self.job.subject, &self.job.invalid, &wallets, facts.now_ms)?;
        let mut checked = Checked {
            signatures: Vec::new(),
            open: Vec::new(),
        };
        for wallet in wallets {
            let address = wallet.address;
            let hash = self.hash(&address);
            let known = facts.intents.iter().find(|intent| intent.hash == hash);
            if let Some(signature) = known.and_then(|intent| intent.signature) {
                checked.signatures.push((address, signature));
                continue;
            }
            check_rate(&wallet, known, facts.now_ms, settings)?;
            // Whether its own password may be tried; the try itself is counted with the reservation.
            try_of(
                &wallet,
                self.job.passwords.of(&wallet.address).is_some(),
                facts.now_ms,
                settings,
            )?;
            checked.open.push(Open {
                wallet,
                hash,
                resumed: known.is_some(),
            });
        }
        Ok(checked)
    }

    /// Step 2: policy judges for every wallet; one refusal refuses all.
    fn judge(&self, facts: &Facts, open: Vec<Open>) -> Result<Vec<Grant>, SignError> {
        let facts = policy_facts(self.policy, facts);
        let (mut grants, mut reasons) = (Vec::with_capacity(open.len()), Vec::<Refusal>::new());
        for Open {
            wallet,
            hash,
            resumed,
        } in open
        {
            let request = self.job.subject.request(&wallet.address);
            let request = request.ok_or(SignError::NoSigner)?;
            match evaluate(self.policy, &request, &facts) {
                Decision::Allowed(approval) => grants.push(Grant {
                    wallet,
                    approval,
                    hash,
                    resumed,
                }),
                Decision::Refused(refusals) => {
                    for refusal in refusals {
                        if !reasons.contains(&refusal) {
                            reasons.push(refusal);
                        }
                    }
                }
            }
        }
        if reasons.is_empty() {
            Ok(grants)
        } else {
            Err(SignError::Refused { reasons })
        }
    }

    /// Step 3: the reservation and the `authorised` entries, to be committed together.
    ///
    /// What was authorised before and has no signature yet is authorised anew: its reservation may have left every
    /// window since, and from now on there may be a signature that spends it.
    fn reserve(
        &self,
        ledger: &mut Ledger,
        facts: &Facts,
        authorised: &Authorised,
        settings: &VaultSettings,
    ) -> Result<Vec<Write>, CustodyError> {
        let (kind, now_ms) = (self.job.subject.kind(), facts.now_ms);
        let mut writes = Vec::new();
        for (at, grant) in authorised.grants.iter().enumerate() {
            writes.extend(try_of(&grant.wallet, true, now_ms, settings)?);
            writes.push(if grant.resumed {
                Write::IntentRenewed { hash: grant.hash }
            } else {
                Write::Intent(NewIntent {
                    hash: grant.hash,
                    wallet: grant.wallet.id,
                    kind,
                    network: self.job.network.clone(),
                    policy_version: self.policy.version,
                    message_sha256: self.job.sha256,
                })
            });
            // A transaction spends once, however many of our wallets sign it, and is not spent before the last has:
            // what any of them reserved for it, signed or not, is reserved by the first that is yet to sign.
            if at == 0 {
                let earlier: Vec<_> = facts
                    .intents
                    .iter()
                    .map(|intent| (intent.hash, intent.authorised_ms))
                    .collect();
                writes.extend(grant.approval.spends().iter().map(|spend| Write::Reservation {
                    intent: grant.hash,
                    wallet: grant.wallet.id,
                    asset: spend.asset.to_string(),
                    amount: spend.amount,
                    earlier: earlier.clone(),
                }));
            }
            let draft = Draft::new(operation(kind), Outcome::Authorised)
                .wallet(grant.wallet.address)
                .subject(grant.hash)
                .details(format!(
                    "{}; rules {}",
                    self.job.details,
                    grant.approval.rules().join(", ")
                ));
            ledger.append(now_ms, self.scribe, draft)?;
        }
        Ok(writes)
    }

    fn write_refusal(
        &self,
        ledger: &mut Ledger,
        now_ms: u64,
        wallet: Option<AccountAddress>,
        error: &SignError,
    ) -> Result<(), CustodyError> {
        let mut draft = refusal_draft(self.job.subject.kind(), error);
        draft.details = format!("{}; {}", draft.details, self.job.details);
        draft.subject = Some(wallet.map_or(self.job.sha256, |wallet| self.hash(&wallet)));
        draft.wallet = wallet;
        ledger.append(now_ms, self.scribe, draft).map(|_| ())
    }

    fn hash(&self, wallet: &AccountAddress) -> [u8; 32] {
        *self.job.hash(self.session, wallet, self.policy).as_bytes()
    }
}

/// Whether the wallet may be authorised once more now. A request that is known already is held against nothing but the
/// authorisations of others: it takes no place of its own twice.
fn check_rate(
    wallet: &SealedWallet,
    known: Option<&IntentRow>,
    now_ms: u64,
    settings: &VaultSettings,
) -> Result<(), SignError> {
    let counted = known.is_some_and(|intent| intent.authorised_ms.saturating_add(RATE_WINDOW_MS) > now_ms);
    let limit = settings.signatures_per_minute;
    if u64::from(wallet.recent.saturating_sub(counted.into())) >= limit {
        let free_ms = wallet.oldest_recent_ms.saturating_add(RATE_WINDOW_MS);
        return Err(SignError::RateLimited {
            wallet: wallet.address,
            limit,
            retry_after_ms: free_ms.saturating_sub(now_ms),
        });
    }
    let own = known.map(|intent| intent.authorised_ms);
    if let Some(last_ms) = wallet.last_authorised_ms.filter(|last| Some(*last) != own) {
        let retry_after_ms = last_ms
            .saturating_add(settings.min_signature_interval_ms)
            .saturating_sub(now_ms);
        if settings.min_signature_interval_ms > 0 && retry_after_ms > 0 {
            return Err(SignError::TooSoon {
                wallet: wallet.address,
                interval_ms: settings.min_signature_interval_ms,
                retry_after_ms,
            });
        }
    }
    Ok(())
}

/// What is wrong with a request itself, whatever policy says.
pub(super) fn check_request(
    subject: Subject<'_>,
    invalid: &[AccountAddress],
    wallets: &[SealedWallet],
    now_ms: u64,
) -> Result<(), SignError> {
    for wallet in wallets {
        wallet.state.status.expect_signing(wallet.address)?;
    }
    let own = |signer: &AccountAddress| wallets.iter().any(|wallet| wallet.address == *signer);
    if let Some(signer) = invalid.iter().find(|signer| !own(signer)) {
        return Err(SignError::InvalidSignature { signer: *signer });
    }
    if let Subject::SignIn(sign_in, _) = subject {
        // A clock beyond the range is beyond every time that a sign-in can name.
        let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
        sign_in.check_time(now_ms).map_err(SignError::SignIn)?;
    }
    Ok(())
}

/// The facts that policy wants: the counted windows, in the order that they were asked for, and whose wallets are ours.
pub(crate) fn policy_facts(policy: &Policy, facts: &Facts) -> PolicyFacts {
    let spent = policy.windows().into_iter().zip(&facts.spent);
    PolicyFacts {
        now_ms: facts.now_ms,
        spent: spent
            .map(|(window, amount)| WindowSpend {
                window,
                amount: *amount,
            })
            .collect(),
        own_wallets: facts.own.clone(),
    }
}
