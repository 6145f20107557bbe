//! The Keyward core: keys, vault envelopes, Solana messages, policy and audit tree.
//!
//! `no_std` + `alloc`, sans-I/O. It has no clock, no source of randomness, no file, no network, no
//! async and no logging: time and randomness are parameters.
#![forbid(unsafe_code)]
#![no_std]

extern crate alloc;

pub mod account;
pub mod address;
pub mod amount;
pub mod audit;
pub mod bip32;
pub mod derive;
pub mod discovery;
pub mod ed25519;
pub mod evm;
pub mod intent;
pub mod key;
pub mod keyfile;
pub mod mnemonic;
pub mod offchain;
pub mod path;
pub mod policy;
pub mod secp256k1;
pub mod siws;
pub mod slip10;
pub mod solana;
pub mod solana_pay;
pub mod vault;
