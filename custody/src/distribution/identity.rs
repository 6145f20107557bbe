//! The id of a distribution follows from what it pays to whom.
//!
//! So the same list under the same label is the same distribution, wherever and whenever it is planned: storing it twice is
//! refused, and when the database was lost the list alone leads back to the reference that its transactions carry on chain.
//! Which of our wallets pay, and the fees, are not part of it.

use keyward_core::address::Address;
use sha2::{Digest, Sha256};

use super::request::Asset;
use crate::jobs::JobId;

const DOMAIN: &[u8] = b"keyward distribution v1";
const EDIT_DOMAIN: &[u8] = b"keyward edit v1";

/// One payment as far as it decides the id.
pub(super) struct Payment<'a> {
    pub(super) recipient: &'a Address,
    pub(super) amount: u64,
    pub(super) memo: Option<&'a str>,
}

/// The id of a distribution; amounts are those asked for, before any transfer fee.
pub(super) fn id<'a>(
    network: &str,
    label: &str,
    asset: Asset,
    payments: impl ExactSizeIterator<Item = Payment<'a>>,
) -> JobId {
    let mut hash = Sha256::new().chain_update(DOMAIN);
    let text = |hash: &mut Sha256, text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    text(&mut hash, network);
    text(&mut hash, label);
    match asset {
        Asset::Sol => hash.update([0]),
        Asset::Token { mint } => {
            hash.update([1]);
            hash.update(mint.as_bytes());
        }
    }
    hash.update((payments.len() as u64).to_le_bytes());
    for payment in payments {
        hash.update(payment.recipient.as_bytes());
        hash.update(payment.amount.to_le_bytes());
        match payment.memo {
            None => hash.update([0]),
            Some(memo) => {
                hash.update([1]);
                text(&mut hash, memo);
            }
        }
    }
    first_half(hash)
}

/// The id of the one distribution that may come in place of this one.
#[must_use]
pub fn successor(of: JobId) -> JobId {
    first_half(
        Sha256::new()
            .chain_update(EDIT_DOMAIN)
            .chain_update(of.as_bytes()),
    )
}

fn first_half(hash: Sha256) -> JobId {
    let digest: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    id.copy_from_slice(digest.get(..16).unwrap_or(&[0; 16]));
    JobId::new(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(label: &str, asset: Asset, payments: &[(u8, u64, Option<&str>)]) -> JobId {
        let addresses: Vec<Address> = payments
            .iter()
            .map(|(byte, ..)| Address::new([*byte; 32]))
            .collect();
        let payments = addresses
            .iter()
            .zip(payments)
            .map(|(recipient, (_, amount, memo))| Payment {
                recipient,
                amount: *amount,
                memo: *memo,
            });
        id("network", label, asset, payments)
    }

    #[test]
    fn the_id_follows_from_whatever_is_paid() {
        let sol = Asset::Sol;
        let payments = [(1, 5, None), (2, 6, Some("memo"))];
        let first = of("march", sol, &payments);
        assert_eq!(of("march", sol, &payments), first);
        // Pinned: what was planned by an earlier version is found again.
        assert_eq!(first.to_string(), PINNED);
        let mint = Address::new([0; 32]);
        let others = [
            of("april", sol, &payments),
            of("march", Asset::Token { mint }, &payments),
            of("march", sol, &payments[..1]),
            of("march", sol, &[(2, 6, Some("memo")), (1, 5, None)]),
            of("march", sol, &[(1, 6, None), (2, 6, Some("memo"))]),
            of("march", sol, &[(1, 5, Some("")), (2, 6, Some("memo"))]),
            successor(first),
        ];
        for (at, other) in others.iter().enumerate() {
            assert_ne!(*other, first, "{at}");
            assert!(!others[..at].contains(other), "{at}");
        }
    }

    /// Computed apart, in Python.
    const PINNED: &str = "e8f94e4291ff9d9ac50177bf33371990";
}
