//! The address that every transaction of a job carries, so that the chain itself lists them.
//!
//! It is a hash and nobody's key: nothing can be sent from it, and no transaction but a job's has a reason to name it.
//! Transfer requests mark payments alike: <https://docs.solanapay.com/spec#reference>.

use keyward_core::address::Address;
use keyward_core::solana::{AccountMeta, Instruction};
use sha2::{Digest, Sha256};

use super::JobId;

const DOMAIN: &[u8] = b"keyward job v1";

/// The reference address of a job: SHA-256 of a fixed text and its id.
#[must_use]
pub fn reference(job: JobId) -> Address {
    let hash = Sha256::new().chain_update(DOMAIN).chain_update(job.0).finalize();
    Address::new(hash.into())
}

/// The account as an instruction carries it: neither signing nor writable.
#[must_use]
pub fn meta(job: JobId) -> AccountMeta {
    AccountMeta {
        address: reference(job),
        is_signer: false,
        is_writable: false,
    }
}

/// Whether an instruction is this job's: its last account is the job's reference.
#[must_use]
pub fn carries(instruction: &Instruction, job: JobId) -> bool {
    instruction.accounts.last() == Some(&meta(job))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_jobs_reference_follows_from_its_id_alone() {
        let id: JobId = "000102030405060708090a0b0c0d0e0f".parse().unwrap();
        // SHA-256 of "keyward job v1" and those 16 bytes, by coreutils.
        assert_eq!(
            hex::encode(reference(id).as_bytes()),
            "bb21ff9d251317dbbdd3d62b845b2f9ba7890ee8fbf7fcab987acfab27e611a2"
        );
        assert_ne!(reference(id), reference(JobId::new([1; 16])));
        assert_eq!(id.to_string(), "000102030405060708090a0b0c0d0e0f");
        assert!("00".parse::<JobId>().is_err());
    }
}
