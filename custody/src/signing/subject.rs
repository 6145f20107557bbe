//! What is to be signed, as the five steps see it: the same for every chain and kind.

use keyward_core::account::AccountAddress;
use keyward_core::address::Address;
use keyward_core::audit::Operation;
use keyward_core::evm::intent::EvmIntent;
use keyward_core::evm::typed_data::TypedData;
use keyward_core::intent::{Intent, IntentHash, intent_hash};
use keyward_core::policy::{Policy, Request};
use keyward_core::siws::SignIn;

use super::WalletPasswords;
use crate::store::IntentKind;
use crate::vault::Session;

/// The network of a message that belongs to none.
pub(super) const OFF_CHAIN: &str = "off-chain";

/// One thing to sign, decoded.
pub(super) struct Job<'a> {
    /// Whoever must sign it, all of one chain; those that are wallets of this vault will.
    pub(super) signers: Vec<AccountAddress>,
    /// Whose signature is there already and is none: unless it is a wallet of this vault, which signs anew, the
    /// network would refuse the whole.
    pub(super) invalid: Vec<AccountAddress>,
    /// The exact bytes to sign; of EVM requests the payload before it is hashed.
    pub(super) bytes: Vec<u8>,
    /// Their SHA-256.
    pub(super) sha256: [u8; 32],
    pub(super) network: String,
    pub(super) subject: Subject<'a>,
    /// Passwords of wallets' own.
    pub(super) passwords: &'a WalletPasswords,
    /// For the audit log.
    pub(super) details: String,
}

/// What policy judges.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    Transaction(&'a Intent),
    Text(&'a [u8]),
    OffChain(&'a [u8]),
    /// Its times are held against the clock of the decision.
    SignIn(&'a SignIn, &'a [u8]),
    EvmTransaction(&'a EvmIntent),
    EvmMessage(&'a [u8]),
    TypedData(&'a TypedData),
}

impl<'a> Subject<'a> {
    /// What policy is asked for a wallet; nothing for a wallet of another chain.
    pub(super) fn request<'b>(&self, wallet: &'b AccountAddress) -> Option<Request<'b>>
    where
        'a: 'b,
    {
        match (*self, wallet) {
            (Self::Transaction(intent), AccountAddress::Solana(wallet)) => {
                Some(Request::Transaction { wallet, intent })
            }
            (
                Self::Text(message) | Self::OffChain(message) | Self::SignIn(_, message),
                AccountAddress::Solana(wallet),
            ) => Some(Request::Message { wallet, message }),
            (Self::EvmTransaction(intent), AccountAddress::Evm(wallet)) => {
                Some(Request::EvmTransaction { wallet, intent })
            }
            (Self::EvmMessage(message), AccountAddress::Evm(wallet)) => {
                Some(Request::EvmMessage { wallet, message })
            }
            (Self::TypedData(typed_data), AccountAddress::Evm(wallet)) => {
                Some(Request::TypedData { wallet, typed_data })
            }
            (_, AccountAddress::Solana(_) | AccountAddress::Evm(_)) => None,
        }
    }

    /// Whom policy wants to know of whether they are wallets of this vault.
    pub(super) fn parties(&self, policy: &Policy) -> Vec<Address> {
        match *self {
            Self::Transaction(intent) => policy.parties(intent),
            _ => Vec::new(),
        }
    }

    /// The native coin that a transaction moves away from the wallet, in base units; nothing for what is none. What
    /// exceeds 128 bits is the most that they hold.
    pub(super) fn volume(&self, wallet: &AccountAddress) -> Option<u128> {
        match (*self, wallet) {
            (Self::Transaction(intent), AccountAddress::Solana(wallet)) => Some(intent.outflow(wallet)),
            (Self::EvmTransaction(intent), AccountAddress::Evm(wallet)) => Some(intent.outflow(wallet)),
            _ => None,
        }
    }

    pub(super) fn kind(&self) -> IntentKind {
        match self {
            Self::Transaction(_) => IntentKind::Transaction,
            Self::Text(_) => IntentKind::Message,
            Self::OffChain(_) => IntentKind::OffChainMessage,
            Self::SignIn(..) => IntentKind::SignIn,
            Self::EvmTransaction(_) => IntentKind::EvmTransaction,
            Self::EvmMessage(_) => IntentKind::EvmMessage,
            Self::TypedData(_) => IntentKind::TypedData,
        }
    }
}

/// The operation that the audit log names.
pub(super) fn operation(kind: IntentKind) -> Operation {
    match kind {
        IntentKind::Transaction | IntentKind::EvmTransaction => Operation::SignTransaction,
        IntentKind::Message
        | IntentKind::OffChainMessage
        | IntentKind::SignIn
        | IntentKind::EvmMessage
        | IntentKind::TypedData => Operation::SignMessage,
    }
}

impl Job<'_> {
    /// The hash that makes asking twice the same thing.
    pub(super) fn hash(&self, session: &Session, wallet: &AccountAddress, policy: &Policy) -> IntentHash {
        let vault = session.vault();
        match (self.subject, wallet) {
            (Subject::Transaction(intent), AccountAddress::Solana(wallet)) => {
                intent.hash(&vault, wallet, &self.network, policy.version)
            }
            _ => intent_hash(&vault, wallet, &self.network, policy.version, &self.sha256),
        }
    }
}
