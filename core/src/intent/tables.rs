//! The instructions of the programs that are decoded, a table for each.

pub(super) mod loader;
pub(super) mod lookup_table;
pub(super) mod stake;
pub(super) mod system;
pub(super) mod token;
pub(super) mod token_2022;
