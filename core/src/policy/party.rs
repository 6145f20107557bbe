//! Calls that policy tells apart by name, and who is the better off for them.
//!
//! They are calls of decoded programs, and rules that name those programs (`program-call`) match them as ever. Beside
//! that, rules may name the operation itself, and hold it to what stays with wallets of the vault. Who those are only the
//! caller knows: see [`Policy::parties`] and [`super::Facts::own_wallets`]. It does not look at the chain: whether an account is
//! the wallet's own is for its program to say, which asks for the wallet's signature.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::Policy;
use super::asset::{Asset, Place};
use super::evaluate::Subject;
use super::rule::OperationKind;
use crate::account::AccountAddress;
use crate::address::Address;
use crate::intent::{Action, Field, FieldValue, Intent, field, programs};
use crate::solana::instructions::NONCE_ACCOUNT_BYTES;

impl Policy {
    /// Whom the caller must look up before asking for a decision, for [`super::Facts::own_wallets`]: of actions that a rule
    /// allows for beneficiaries of the vault, whoever receives SOL, keeps what is created or signs for what is closed, and
    /// whoever holds the authority over a nonce.
    #[must_use]
    pub fn parties(&self, intent: &Intent) -> Vec<Address> {
        let asks = |operation: OperationKind| {
            self.rules.iter().any(|rule| {
                let operations = &rule.matches.operations;
                rule.matches.beneficiary.is_some()
                    && (operations.is_empty() || operations.contains(&operation))
            })
        };
        let mut all = BTreeSet::new();
        for action in &intent.actions {
            match action {
                Action::SolTransfer { to, .. } if asks(OperationKind::SolTransfer) => {
                    all.insert(*to);
                }
                _ => all.extend(
                    special(action)
                        .filter(|own| asks(own.operation))
                        .into_iter()
                        .flat_map(|own| own.parties),
                ),
            }
        }
        all.into_iter().collect()
    }
}

/// An action under a name of its own beside `program-call`.
pub(super) struct Special {
    pub(super) operation: OperationKind,
    /// Everyone whose it must be to stay in the vault; with nobody, it never does.
    parties: Vec<Address>,
    asset: Option<Asset>,
    destination: Option<Address>,
    program: Address,
}

impl Special {
    /// The subject that rules naming the operation are matched against.
    pub(super) fn subject(&self, own_wallets: &[Address]) -> Subject {
        Subject {
            operation: self.operation,
            place: Place::Solana,
            asset: self.asset,
            destination: self.destination.map(AccountAddress::Solana),
            program: Some(AccountAddress::Solana(self.program)),
            stays: stays(&self.parties, own_wallets),
        }
    }
}

/// Whether everyone is a wallet of this vault. Of nobody that cannot be said.
pub(super) fn stays(parties: &[Address], own_wallets: &[Address]) -> bool {
    !parties.is_empty() && parties.iter().all(|party| own_wallets.contains(party))
}

/// The operation of its own that an action is, if it is one.
pub(super) fn special(action: &Action) -> Option<Special> {
    let Action::Decoded {
        program,
        instruction,
        fields,
        ..
    } = action
    else {
        return None;
    };
    let is_token = *program == programs::TOKEN || *program == programs::TOKEN_2022;
    if *program == programs::ASSOCIATED_TOKEN {
        creation(instruction, fields)
    } else if is_token {
        closing(*program, instruction, fields)
    } else if *program == programs::SYSTEM {
        nonce(instruction, fields)
    } else {
        None
    }
}

/// An associated account created for a wallet, at the fee payer's expense.
fn creation(instruction: &str, fields: &[Field]) -> Option<Special> {
    let usual = matches!(instruction, "Create" | "CreateIdempotent")
        && account(fields, "system program")? == programs::SYSTEM
        && [programs::TOKEN, programs::TOKEN_2022].contains(&account(fields, "token program")?);
    let wallet = account(fields, "wallet")?;
    usual.then(|| Special {
        operation: OperationKind::CreateTokenAccount,
        parties: alloc::vec![wallet],
        asset: Some(Asset::Sol),
        destination: Some(wallet),
        program: programs::ASSOCIATED_TOKEN,
    })
}

/// A token account closed, or relieved of excess lamports. Who signs for it and who is paid must both be the vault's.
fn closing(program: Address, instruction: &str, fields: &[Field]) -> Option<Special> {
    let (operation, signer) = match instruction {
        "CloseAccount" => (OperationKind::CloseTokenAccount, "owner"),
        "WithdrawExcessLamports" => (OperationKind::WithdrawExcessLamports, "authority"),
        _ => return None,
    };
    let destination = account(fields, "destination")?;
    Some(Special {
        operation,
        parties: alloc::vec![destination, account(fields, signer)?],
        asset: None,
        destination: Some(destination),
        program,
    })
}

/// A nonce account created, initialised, advanced, or emptied.
fn nonce(instruction: &str, fields: &[Field]) -> Option<Special> {
    let special = |operation, asset, destination, parties| {
        Some(Special {
            operation,
            parties,
            asset,
            destination,
            program: programs::SYSTEM,
        })
    };
    match instruction {
        // The authority follows in another instruction, so that it cannot be said whose it will be. With a seed alone: the
        // account of a plain creation signs for itself, so it could be an empty wallet of the vault that is given away.
        "CreateAccountWithSeed"
            if field(fields, "space") == Some(&FieldValue::Number(NONCE_ACCOUNT_BYTES))
                && field(fields, "owner") == Some(&FieldValue::Address(programs::SYSTEM)) =>
        {
            let created = account(fields, "new account");
            special(
                OperationKind::CreateNonceAccount,
                Some(Asset::Sol),
                created,
                Vec::new(),
            )
        }
        "InitializeNonceAccount" => {
            let FieldValue::Address(authority) = *field(fields, "authority")? else {
                return None;
            };
            let nonce = account(fields, "nonce account");
            special(
                OperationKind::CreateNonceAccount,
                None,
                nonce,
                alloc::vec![authority],
            )
        }
        "AdvanceNonceAccount" => {
            let authority = account(fields, "nonce authority")?;
            special(OperationKind::AdvanceNonce, None, None, alloc::vec![authority])
        }
        "WithdrawNonceAccount" => {
            let recipient = account(fields, "recipient")?;
            let parties = alloc::vec![recipient, account(fields, "nonce authority")?];
            special(
                OperationKind::WithdrawNonce,
                Some(Asset::Sol),
                Some(recipient),
                parties,
            )
        }
        _ => None,
    }
}

fn account(fields: &[Field], label: &str) -> Option<Address> {
    match field(fields, label)? {
        FieldValue::Account(address) => Some(*address),
        _ => None,
    }
}
