//! The audit log as a Merkle tree: entries, tree, signed checkpoints.
//!
//! Whoever keeps a checkpoint (origin, size and root, signed) can later prove that nothing before it
//! was changed, dropped or reordered. This module does not store anything and does not decide what is
//! logged; nothing secret may be put into an entry.
//!
//! Specifications: RFC 6962 section 2.1 (RFC 9162 section 2.1) for the tree, and
//! <https://c2sp.org/tlog-checkpoint> with <https://c2sp.org/signed-note> for checkpoints.

mod checkpoint;
mod client;
mod entry;
mod operation;
mod proof;
mod tree;

pub use checkpoint::{
    Checkpoint, CheckpointError, MAX_CHECKPOINT_BYTES, SignedCheckpoint, parse_verifier_key, verifier_key,
};
pub use client::{ClientField, client_hash};
pub use entry::{AuditEntry, EntryError, Outcome};
pub use operation::{Operation, UnknownOperation};
pub use proof::{
    AuditProof, AuditProofError, MAX_PROOF_BYTES, ProofBuilder, ProofError, consistency_proof,
    inclusion_proof, verify_consistency, verify_inclusion,
};
pub use tree::{Frontier, FrontierError, Hash, leaf_hash, node_hash, root_of};
