//! What touches a wallet's key outside of signing: its own password, and taking it out.
//!
//! Every try of a wallet's own password is counted before it is made, as the vault's are.

use std::sync::Arc;

use keyward_core::account::AccountAddress;
use keyward_core::audit::{Operation, Outcome};
use keyward_core::key::WalletKey;
use keyward_core::policy::{ApprovedExport, Decision, Policy, Refusal, Request, evaluate};
use keyward_core::vault::{OpenError, SecondFactor, WalletPassword, open_wallet_key};

use super::derive::wallet_context;
use super::import::seal_key;
use super::not_found;
use crate::audit::ledger::{Draft, Ledger};
use crate::error::CustodyError;
use crate::password::Password;
use crate::settings::VaultSettings;
use crate::signing::policy_facts;
use crate::store::{Ask, Facts, SealedWallet, SpendWindow, Write, transact};
use crate::vault::{Custody, Session, blocking};

impl Custody {
    /// Puts a password of its own on a wallet, or changes it; `old` is the one that it has. From then on it signs only
    /// with it. Lost, the key can be had again from its phrase alone.
    ///
    /// # Errors
    /// [`CustodyError::WeakPassword`] for the new one, [`CustodyError::WalletPasswordNeeded`],
    /// [`CustodyError::WrongWalletPassword`], [`CustodyError::WalletLockedOut`], [`CustodyError::Locked`],
    /// [`CustodyError::NotFound`], or the store's.
    pub async fn set_wallet_password(
        &self,
        address: impl Into<AccountAddress>,
        old: Option<&Password>,
        new: &Password,
    ) -> Result<(), CustodyError> {
        new.check_strength()?;
        let new = Password::copy(new);
        self.reseal_wallet(address.into(), old, Some(new)).await
    }

    /// Takes a wallet's own password away; the vault's is enough from then on.
    ///
    /// # Errors
    /// As [`Self::set_wallet_password`].
    pub async fn remove_wallet_password(
        &self,
        address: impl Into<AccountAddress>,
        old: &Password,
    ) -> Result<(), CustodyError> {
        self.reseal_wallet(address.into(), Some(old), None).await
    }

    async fn reseal_wallet(
        &self,
        address: AccountAddress,
        old: Option<&Password>,
        new: Option<Password>,
    ) -> Result<(), CustodyError> {
        const OPERATION: Operation = Operation::SetWalletPassword;
        let session = self.current_session().await?;
        let kdf = session.kdf();
        let wallet = self.count_wallet_try(&session, address, old, OPERATION).await?;
        let before = wallet.sealed.clone();
        let own_password = new.is_some();
        let sealed = {
            let (session, wallet, old) = (Arc::clone(&session), wallet.clone(), old.map(Password::copy));
            blocking(move || -> Result<_, CustodyError> {
                let key = open_key(&session, &wallet, old.as_ref())?;
                seal_key(
                    &session,
                    &wallet_context(&session, &wallet),
                    &key,
                    new.as_ref(),
                    kdf,
                )
            })
            .await?
        };
        let sealed = self.judged(&session, address, OPERATION, sealed).await?;
        let details = if !own_password {
            "taken away"
        } else if wallet.own_password {
            "changed"
        } else {
            "set"
        };
        let ask = Ask {
            wallets: vec![address],
            unsigned_tail: true,
            ..Ask::default()
        };
        transact(self.store(), ask, |ledger, facts| {
            if !session.is_open() {
                return Err(CustodyError::Locked);
            }
            let now = facts
                .wallets
                .first()
                .ok_or_else(|| not_found(&address.to_string()))?;
            // Somebody else changed it in between.
            now.state.status.expect_signing(address)?;
            if now.sealed != before {
                return Err(CustodyError::Busy);
            }
            let draft = Draft::new(OPERATION, Outcome::Done)
                .wallet(address)
                .details(details);
            ledger.append(facts.now_ms, self.scribe(Some(&session)), draft)?;
            let sealed = Write::WalletSealed {
                wallet: now.id,
                epoch: now.epoch,
                own_password,
                sealed,
            };
            Ok((vec![sealed, whole_again(now.id)], ()))
        })
        .await
        .map(|_| ())
    }

    /// Takes a wallet's key out, in plain text. The vault's password is asked for again, policy must allow it, and the
    /// audit entry is durable before the key is opened: where it cannot be written, nothing leaves.
    ///
    /// # Errors
    /// As [`Self::unlock`] for the vault's password and [`Self::set_wallet_password`] for the wallet's own;
    /// [`CustodyError::ExportRefused`] by policy.
    pub async fn export_key(
        &self,
        address: impl Into<AccountAddress>,
        password: &Password,
        factor: Option<&SecondFactor>,
        wallet_password: Option<&Password>,
    ) -> Result<WalletKey, CustodyError> {
        let address = address.into();
        let session = self.current_session().await?;
        self.confirm_password(&session, password, factor, "when exporting a key")
            .await?;
        let wallet = self
            .allow_export(&session, address, wallet_password.is_some())
            .await?;
        let key = {
            let (session, wallet) = (Arc::clone(&session), wallet.clone());
            let own = wallet_password.map(Password::copy);
            blocking(move || open_key(&session, &wallet, own.as_ref())).await?
        };
        let key = self.judged(&session, address, Operation::Export, key).await?;
        if wallet.own_password {
            let ask = Ask {
                unsigned_tail: true,
                ..Ask::default()
            };
            transact(self.store(), ask, |ledger, _| {
                // Nothing to be told, but the counter is under the seal.
                ledger.verify_edge(session.signer())?;
                Ok((vec![whole_again(wallet.id)], ()))
            })
            .await?;
        }
        Ok(key)
    }

    /// Policy, the try of the wallet's own password and the audit entry, in one transaction.
    async fn allow_export(
        &self,
        session: &Session,
        address: AccountAddress,
        given: bool,
    ) -> Result<SealedWallet, CustodyError> {
        let policy = self.policy_in_force(session).await?;
        let windows = policy.windows();
        let ask = Ask {
            wallets: vec![address],
            windows: windows
                .iter()
                .map(|window| SpendWindow {
                    asset: window.asset.to_string(),
                    duration_ms: window.duration_ms,
                })
                .collect(),
            unsigned_tail: true,
            ..Ask::default()
        };
        let (judged, _) = transact(self.store(), ask, |ledger, facts| {
            let (details, judged) = match judge_export(session, &policy, ledger, &facts, address, given)? {
                Ok(export) => (export.rules, Ok((export.wallet, export.counted))),
                Err(error) => (String::new(), Err(error)),
            };
            let draft = |outcome| Draft::new(Operation::Export, outcome).wallet(address);
            let draft = match &judged {
                Ok(_) => draft(Outcome::Authorised).details(format!("private key; rules {details}")),
                Err(CustodyError::ExportRefused { reasons }) => {
                    let codes: Vec<&str> = reasons.iter().map(Refusal::code).collect();
                    draft(Outcome::Refused).reason(codes.join(","))
                }
                Err(error) => draft(Outcome::Refused).reason(error.code()),
            };
            ledger.append(facts.now_ms, self.scribe(Some(session)), draft)?;
            Ok(match judged {
                Ok((wallet, counted)) => (counted.into_iter().collect(), Ok(wallet)),
                Err(error) => (Vec::new(), Err(error)),
            })
        })
        .await
        .map_err(|error| match error {
            CustodyError::KeyRotated
            | CustodyError::AuditBroken { .. }
            | CustodyError::Busy
            | CustodyError::Locked
            | CustodyError::NotFound { .. }
            | CustodyError::Damaged { .. } => error,
            other => CustodyError::AuditUnwritable(Box::new(other)),
        })?;
        judged
    }

    /// The wallet, with one try taken off its budget if it has a password of its own: durably, before the password is
    /// looked at.
    pub(crate) async fn count_wallet_try(
        &self,
        session: &Session,
        address: AccountAddress,
        password: Option<&Password>,
        operation: Operation,
    ) -> Result<SealedWallet, CustodyError> {
        let ask = Ask {
            wallets: vec![address],
            unsigned_tail: true,
            ..Ask::default()
        };
        let (counted, _) = transact(self.store(), ask, |ledger, facts| {
            let settings = facts.settings()?;
            let mut wallets = facts.wallets.into_iter();
            let wallet = wallets.next().ok_or_else(|| not_found(&address.to_string()))?;
            let allowed = wallet.state.status.expect_signing(address);
            match allowed.and_then(|()| try_of(&wallet, password.is_some(), facts.now_ms, &settings)) {
                Ok(write) => {
                    ledger.verify_edge(session.signer())?;
                    Ok((write.into_iter().collect(), Ok(wallet)))
                }
                Err(error) => {
                    let draft = Draft::new(operation, Outcome::Refused)
                        .wallet(address)
                        .reason(error.code());
                    ledger.append(facts.now_ms, self.scribe(Some(session)), draft)?;
                    Ok((Vec::new(), Err(error)))
                }
            }
        })
        .await?;
        counted
    }

    /// Passes on what came of opening a key; a wrong password is written to the audit log first.
    pub(crate) async fn judged<T: Send>(
        &self,
        session: &Session,
        address: AccountAddress,
        operation: Operation,
        outcome: Result<T, CustodyError>,
    ) -> Result<T, CustodyError> {
        let error = match outcome {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        let ask = Ask {
            unsigned_tail: true,
            ..Ask::default()
        };
        transact(self.store(), ask, |ledger, facts| {
            let draft = Draft::new(operation, Outcome::Failed)
                .wallet(address)
                .reason(error.code());
            ledger.append(facts.now_ms, self.scribe(Some(session)), draft)?;
            Ok((Vec::new(), ()))
        })
        .await
        .map_err(|error| CustodyError::AuditUnwritable(Box::new(error)))?;
        Err(error)
    }
}

/// An export that is allowed.
struct Export {
    wallet: SealedWallet,
    /// The counter with this try of the wallet's own password in it.
    counted: Option<Write>,
    /// The rules that allow it.
    rules: String,
}

/// What comes of asking for an export. A try counts only where policy allows one: else refusals would lock the wallet.
///
/// The outer error changes nothing; the inner one is a refusal, and written to the audit log.
fn judge_export(
    session: &Session,
    policy: &Policy,
    ledger: &Ledger,
    facts: &Facts,
    address: AccountAddress,
    given: bool,
) -> Result<Result<Export, CustodyError>, CustodyError> {
    if !session.is_open() {
        return Err(CustodyError::Locked);
    }
    if facts.policy_version != policy.version {
        session.cache_policy(None);
        return Err(CustodyError::Busy);
    }
    let Some(wallet) = facts.wallets.first() else {
        return Err(not_found(&address.to_string()));
    };
    if facts.now_ms < ledger.last_ms() {
        let behind_ms = ledger.last_ms() - facts.now_ms;
        return Ok(Err(CustodyError::ClockBehind { behind_ms }));
    }
    let settings = facts.settings()?;
    if let Err(error) = wallet.state.status.expect_exportable(address) {
        return Ok(Err(error));
    }
    let request = Request::ExportKey { wallet: &address };
    let reasons = match evaluate(policy, &request, &policy_facts(policy, facts)) {
        Decision::Allowed(approval) if ApprovedExport::new(&approval).is_ok() => {
            return Ok(
                try_of(wallet, given, facts.now_ms, &settings).map(|counted| Export {
                    wallet: wallet.clone(),
                    counted,
                    rules: approval.rules().join(", "),
                }),
            );
        }
        Decision::Allowed(_) => Vec::new(),
        Decision::Refused(reasons) => reasons,
    };
    Ok(Err(CustodyError::ExportRefused { reasons }))
}

/// Whether a wallet's own password may be tried now, and the counter with this try in it.
pub(crate) fn try_of(
    wallet: &SealedWallet,
    given: bool,
    now_ms: u64,
    settings: &VaultSettings,
) -> Result<Option<Write>, CustodyError> {
    if !wallet.own_password {
        return Ok(None);
    }
    let retry_after_ms = wallet.locked_until_ms.saturating_sub(now_ms);
    if retry_after_ms > 0 {
        return Err(CustodyError::WalletLockedOut {
            wallet: wallet.address,
            retry_after_ms,
        });
    }
    if !given {
        return Err(CustodyError::WalletPasswordNeeded {
            wallet: wallet.address,
        });
    }
    let failed_passwords = wallet.failed_passwords.saturating_add(1);
    let locked_until_ms = match settings.lockout_ms(failed_passwords) {
        0 => 0,
        delay => now_ms.saturating_add(delay),
    };
    Ok(Some(Write::WalletLockout {
        wallet: wallet.id,
        failed_passwords,
        locked_until_ms,
    }))
}

/// The budget of tries is whole again.
pub(crate) fn whole_again(wallet: i64) -> Write {
    Write::WalletLockout {
        wallet,
        failed_passwords: 0,
        locked_until_ms: 0,
    }
}

/// Opens a wallet's key. Takes as long as the stretching of its own password, if it has one.
pub(crate) fn open_key(
    session: &Session,
    wallet: &SealedWallet,
    password: Option<&Password>,
) -> Result<WalletKey, CustodyError> {
    let own = match password {
        Some(password) => Some(WalletPassword::new(password.expose_bytes()).map_err(|_| {
            CustodyError::WrongWalletPassword {
                wallet: wallet.address,
            }
        })?),
        None => None,
    };
    #[cfg(test)]
    session
        .opened
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .push(wallet.address);
    let context = wallet_context(session, wallet);
    open_wallet_key(session.expose_key(), &context, &wallet.sealed, own.as_ref()).map_err(|error| match error
    {
        OpenError::WalletPasswordMissing => CustodyError::WalletPasswordNeeded {
            wallet: wallet.address,
        },
        _ if own.is_some() && wallet.own_password => CustodyError::WrongWalletPassword {
            wallet: wallet.address,
        },
        _ => CustodyError::damaged("the wallet's sealed key does not open"),
    })
}
