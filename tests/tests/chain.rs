//! Chain access and transfers against a real node on loopback, and against servers that answer wrongly.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "chain/distribution.rs"]
mod distribution;
#[path = "chain/endpoints.rs"]
mod endpoints;
#[path = "chain/faults.rs"]
mod faults;
#[path = "chain/holdings.rs"]
mod holdings;
#[path = "chain/jobs.rs"]
mod jobs;
#[path = "chain/minting.rs"]
mod minting;
#[path = "chain/nonsense.rs"]
mod nonsense;
#[path = "chain/offline.rs"]
mod offline;
#[path = "chain/reads.rs"]
mod reads;
#[path = "chain/recipients.rs"]
mod recipients;
#[path = "chain/scene.rs"]
mod scene;
#[path = "chain/sending.rs"]
mod sending;
#[path = "chain/sweep.rs"]
mod sweep;
#[path = "chain/tables.rs"]
mod tables;
#[path = "chain/transfers.rs"]
mod transfers;
#[path = "chain/unresolved.rs"]
mod unresolved;
