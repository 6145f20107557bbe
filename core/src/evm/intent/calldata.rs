//! Decoding of calls, strictly: the data must be exactly what an ABI encoder writes.
//!
//! Source: the Solidity contract ABI specification, "Formal Specification of the Encoding". Solidity
//! itself reads laxer (unusual offsets, bytes at the end); what is not in the usual form is shown as an
//! undecoded call, which no policy allows.

use alloc::vec::Vec;

use super::super::EvmAddress;
use super::super::transaction::Transaction;
use super::super::u256::U256;
use super::{AllowanceChange, EvmAction, Grant, NftItem};

/// Bytes of a word.
const WORD: usize = 32;

/// The most tokens of one transfer that are decoded.
const MAX_ITEMS: usize = 1_000;

/// Selectors: the first four bytes of Keccak-256 of the signatures beside them.
pub(super) mod selector {
    /// `transfer(address,uint256)`
    pub(in super::super) const TRANSFER: [u8; 4] = [0xa9, 0x05, 0x9c, 0xbb];
    /// `transferFrom(address,address,uint256)`
    pub(in super::super) const TRANSFER_FROM: [u8; 4] = [0x23, 0xb8, 0x72, 0xdd];
    /// `approve(address,uint256)`
    pub(in super::super) const APPROVE: [u8; 4] = [0x09, 0x5e, 0xa7, 0xb3];
    /// `increaseAllowance(address,uint256)`
    pub(in super::super) const INCREASE_ALLOWANCE: [u8; 4] = [0x39, 0x50, 0x93, 0x51];
    /// `decreaseAllowance(address,uint256)`
    pub(in super::super) const DECREASE_ALLOWANCE: [u8; 4] = [0xa4, 0x57, 0xc2, 0xd7];
    /// `permit(address,address,uint256,uint256,uint8,bytes32,bytes32)`
    pub(in super::super) const PERMIT: [u8; 4] = [0xd5, 0x05, 0xac, 0xcf];
    /// `permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)`
    pub(in super::super) const PERMIT_DAI: [u8; 4] = [0x8f, 0xcb, 0xaf, 0x0c];
    /// `safeTransferFrom(address,address,uint256)`
    pub(in super::super) const SAFE_TRANSFER_721: [u8; 4] = [0x42, 0x84, 0x2e, 0x0e];
    /// `safeTransferFrom(address,address,uint256,bytes)`
    pub(in super::super) const SAFE_TRANSFER_721_DATA: [u8; 4] = [0xb8, 0x8d, 0x4f, 0xde];
    /// `safeTransferFrom(address,address,uint256,uint256,bytes)`
    pub(in super::super) const SAFE_TRANSFER_1155: [u8; 4] = [0xf2, 0x42, 0x43, 0x2a];
    /// `safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)`
    pub(in super::super) const SAFE_BATCH_TRANSFER: [u8; 4] = [0x2e, 0xb2, 0xc2, 0xd6];
    /// `setApprovalForAll(address,bool)`
    pub(in super::super) const SET_APPROVAL_FOR_ALL: [u8; 4] = [0xa2, 0x2c, 0xb4, 0x65];
}

/// Whether calls of this selector are decoded when they are in the usual form.
pub(crate) const fn decodes(call: [u8; 4]) -> bool {
    matches!(
        call,
        selector::TRANSFER
            | selector::TRANSFER_FROM
            | selector::APPROVE
            | selector::INCREASE_ALLOWANCE
            | selector::DECREASE_ALLOWANCE
            | selector::PERMIT
            | selector::PERMIT_DAI
            | selector::SAFE_TRANSFER_721
            | selector::SAFE_TRANSFER_721_DATA
            | selector::SAFE_TRANSFER_1155
            | selector::SAFE_BATCH_TRANSFER
            | selector::SET_APPROVAL_FOR_ALL
    )
}

pub(super) fn action(transaction: &Transaction) -> EvmAction {
    let data = transaction.data.as_slice();
    let Some(to) = transaction.to else {
        return EvmAction::Create { code_len: data.len() };
    };
    if data.is_empty() {
        return EvmAction::NativeTransfer { to };
    }
    let split = data.split_first_chunk::<4>();
    split
        .and_then(|(selector, arguments)| known(to, *selector, Words::new(arguments)?))
        .unwrap_or_else(|| EvmAction::Call {
            contract: to,
            selector: split.map(|(selector, _)| *selector),
            data_len: data.len(),
        })
}

/// The call, if it is known and its arguments are exactly right.
fn known(contract: EvmAddress, call: [u8; 4], words: Words<'_>) -> Option<EvmAction> {
    let mut head = words;
    let action = match call {
        selector::TRANSFER => EvmAction::Erc20Transfer {
            token: contract,
            to: head.address()?,
            amount: head.number()?,
        },
        selector::TRANSFER_FROM => EvmAction::TransferFrom {
            token: contract,
            from: head.address()?,
            to: head.address()?,
            amount_or_id: head.number()?,
        },
        selector::APPROVE | selector::INCREASE_ALLOWANCE | selector::DECREASE_ALLOWANCE => {
            EvmAction::Approve {
                token: contract,
                spender: head.address()?,
                amount: head.number()?,
                change: match call {
                    selector::APPROVE => AllowanceChange::Set,
                    selector::INCREASE_ALLOWANCE => AllowanceChange::Increase,
                    _ => AllowanceChange::Decrease,
                },
            }
        }
        selector::PERMIT => {
            let permit = EvmAction::Permit {
                token: contract,
                owner: head.address()?,
                spender: head.address()?,
                amount: head.number()?,
            };
            // Deadline, v, r, s.
            head.skip(4)?;
            permit
        }
        selector::PERMIT_DAI => {
            let (owner, spender) = (head.address()?, head.address()?);
            // Nonce, expiry.
            head.skip(2)?;
            let amount = if head.flag()? { U256::MAX } else { U256::ZERO };
            // v, r, s.
            head.skip(3)?;
            EvmAction::Permit {
                token: contract,
                owner,
                spender,
                amount,
            }
        }
        selector::SET_APPROVAL_FOR_ALL => EvmAction::ApprovalForAll {
            collection: contract,
            operator: head.address()?,
            grant: if head.flag()? {
                Grant::Given
            } else {
                Grant::Revoked
            },
        },
        selector::SAFE_TRANSFER_721
        | selector::SAFE_TRANSFER_721_DATA
        | selector::SAFE_TRANSFER_1155
        | selector::SAFE_BATCH_TRANSFER => return nft(contract, call, head),
        _ => return None,
    };
    head.finish()?;
    Some(action)
}

fn nft(collection: EvmAddress, call: [u8; 4], mut words: Words<'_>) -> Option<EvmAction> {
    let one = U256::from(1_u64);
    let (from, to) = (words.address()?, words.address()?);
    let mut data_len = 0;
    let items = match call {
        selector::SAFE_TRANSFER_721 => alloc::vec![NftItem {
            id: words.number()?,
            amount: one,
        }],
        selector::SAFE_TRANSFER_721_DATA => {
            let id = words.number()?;
            words.offset(4)?;
            data_len = words.bytes()?;
            alloc::vec![NftItem { id, amount: one }]
        }
        selector::SAFE_TRANSFER_1155 => {
            let item = NftItem {
                id: words.number()?,
                amount: words.number()?,
            };
            words.offset(5)?;
            data_len = words.bytes()?;
            alloc::vec![item]
        }
        _ => {
            // Five words of head, then each array with its length.
            words.offset(5)?;
            let (second, third) = (words.small()?, words.small()?);
            let ids = words.numbers()?;
            let amounts = words.numbers()?;
            let lengths_fit = second == (6 + ids.len()) * WORD
                && third == (7 + ids.len() + amounts.len()) * WORD
                && ids.len() == amounts.len();
            if !lengths_fit {
                return None;
            }
            data_len = words.bytes()?;
            let pairs = ids.into_iter().zip(amounts);
            pairs.map(|(id, amount)| NftItem { id, amount }).collect()
        }
    };
    words.finish()?;
    Some(EvmAction::NftTransfer {
        collection,
        from,
        to,
        items,
        data_len,
    })
}

/// Arguments, word by word. `None` is "not in the usual form".
#[derive(Clone, Copy)]
struct Words<'a>(&'a [[u8; WORD]]);

impl<'a> Words<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<WORD>();
        rest.is_empty().then_some(Self(words))
    }

    fn word(&mut self) -> Option<&'a [u8; WORD]> {
        let (word, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(word)
    }

    fn number(&mut self) -> Option<U256> {
        self.word().copied().map(U256::from_be_bytes)
    }

    fn address(&mut self) -> Option<EvmAddress> {
        let (zeros, address) = self.word()?.split_first_chunk::<12>()?;
        let address = <[u8; 20]>::try_from(address).ok()?;
        (*zeros == [0; 12]).then(|| EvmAddress::new(address))
    }

    fn small(&mut self) -> Option<usize> {
        usize::try_from(self.number()?.to_u64()?).ok()
    }

    fn flag(&mut self) -> Option<bool> {
        match self.small()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn skip(&mut self, words: usize) -> Option<()> {
        self.0 = self.0.get(words..)?;
        Some(())
    }

    /// An offset that must point behind `words` words of head.
    fn offset(&mut self, words: usize) -> Option<()> {
        (self.small()? == words * WORD).then_some(())
    }

    /// The length of a byte string, padded with zeros.
    fn bytes(&mut self) -> Option<usize> {
        let len = self.small()?;
        let words = len.div_ceil(WORD);
        let own = self.0.get(..words)?;
        let padding = own.as_flattened().get(len..)?;
        self.skip(words)?;
        padding.iter().all(|byte| *byte == 0).then_some(len)
    }

    fn numbers(&mut self) -> Option<Vec<U256>> {
        let len = self.small().filter(|len| *len <= MAX_ITEMS)?;
        let own = self.0.get(..len)?;
        self.skip(len)?;
        Some(own.iter().copied().map(U256::from_be_bytes).collect())
    }

    fn finish(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}
