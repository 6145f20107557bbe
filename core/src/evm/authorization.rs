//! EIP-7702 authorisations: an account hands its code over to a contract.
//!
//! They are decoded and shown, and never made: whoever holds one may act for the account until it is
//! revoked by another. No function signs one, and policy refuses a transaction that carries one unless a
//! rule names the operation and the contracts. Source: EIP-7702, "Parameters" and "Behavior".

use alloc::string::String;
use alloc::vec::Vec;

use super::EvmAddress;
use super::keccak256;
use super::rlp::{Encoder, Fields, Item, RlpError};
use super::u256::U256;
use crate::secp256k1::{RecoverableSignature, recover};

/// The byte that the signed payload of an authorisation begins with.
pub const MAGIC: u8 = 0x05;

/// What an account signs to hand its code over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authorization {
    /// The chain; zero for every chain.
    pub chain_id: U256,
    /// The contract whose code the account gets; the zero address takes it away again.
    pub delegate: EvmAddress,
    /// The account's nonce.
    pub nonce: u64,
}

/// An authorisation with its signature, as a transaction of type 4 carries it. The signature may be
/// invalid: networks skip such a one and go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedAuthorization {
    /// What was signed.
    pub authorization: Authorization,
    /// The parity as written; 0 and 1 exist.
    pub y_parity: u8,
    /// First half.
    pub r: U256,
    /// Second half.
    pub s: U256,
}

impl Authorization {
    /// Reads the payload that an account signs: `0x05 || rlp([chain_id, address, nonce])`.
    ///
    /// # Errors
    /// See [`RlpError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RlpError> {
        let (magic, list) = bytes.split_first().ok_or(RlpError::Truncated)?;
        if *magic != MAGIC {
            return Err(RlpError::WrongKind);
        }
        let mut fields = Item::decode(list)?.list()?;
        let authorization = Self::from_fields(&mut fields)?;
        fields.finish()?;
        Ok(authorization)
    }

    fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RlpError> {
        Ok(Self {
            chain_id: fields.u256()?,
            delegate: fields.address()?,
            nonce: fields.u64()?,
        })
    }

    /// The payload that an account signs.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::default();
        encoder.list(|fields| self.write(fields));
        [&[MAGIC], encoder.finish().as_slice()].concat()
    }

    fn write(&self, fields: &mut Encoder) {
        fields.u256(&self.chain_id);
        fields.bytes(self.delegate.as_bytes());
        fields.u64(self.nonce);
    }

    /// One sentence that says what it does to `account`.
    #[must_use]
    pub fn sentence(&self, account: &str) -> String {
        let chain = if self.chain_id.is_zero() {
            String::from("on every chain")
        } else {
            alloc::format!("on chain {}", self.chain_id)
        };
        if self.delegate == EvmAddress::new([0; 20]) {
            alloc::format!("Take the delegated code of {account} away {chain}")
        } else {
            alloc::format!(
                "DANGER: hand full control of {account} to the code of {} {chain}",
                self.delegate
            )
        }
    }
}

impl SignedAuthorization {
    pub(super) fn from_fields(mut fields: Fields<'_>) -> Result<Self, RlpError> {
        let authorization = Authorization::from_fields(&mut fields)?;
        let y_parity = u8::try_from(fields.u64()?).map_err(|_| RlpError::NumberTooLarge)?;
        let signed = Self {
            authorization,
            y_parity,
            r: fields.u256()?,
            s: fields.u256()?,
        };
        fields.finish()?;
        Ok(signed)
    }

    pub(super) fn write(&self, list: &mut Encoder) {
        list.list(|fields| {
            self.authorization.write(fields);
            fields.u64(u64::from(self.y_parity));
            fields.u256(&self.r);
            fields.u256(&self.s);
        });
    }

    /// The account that signed it; `None` when the signature is invalid and so has no effect.
    #[must_use]
    pub fn authority(&self) -> Option<EvmAddress> {
        let signature = RecoverableSignature {
            r: *self.r.as_be_bytes(),
            s: *self.s.as_be_bytes(),
            y_odd: match self.y_parity {
                0 => false,
                1 => true,
                _ => return None,
            },
        };
        let digest = keccak256(&self.authorization.encode());
        let key = recover(&digest, &signature).ok()?;
        Some(key.address())
    }

    /// One sentence that says what it does, and to whom.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self.authority() {
            Some(account) => self.authorization.sentence(&alloc::format!("{account}")),
            None => String::from("Carry an authorisation with an invalid signature, which has no effect"),
        }
    }
}
