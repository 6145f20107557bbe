//! Many processes on one vault, and processes, servers and networks that end at any moment.
//!
//! [`contend`] has several processes do at once what one vault must do one by one, and holds the database against what
//! each of them was told. [`crash`] kills a process at a random moment, again and again, and looks at what is left. Both run
//! small in the tests and in full by `cargo xtask contend` and `cargo xtask crash`; see docs/testing.md. [`pay`] kills
//! processes that pay on a real node, also over [`rpc`], a bad road to it: `cargo xtask pay`. [`round`] pays many and collects
//! it all again: `cargo xtask round`. [`proxy`] is a bad
//! network between a store and its server.
//! Whatever is random comes from a seed that is printed, so that a run can be had again, as far as the processes'
//! own order allows.

pub mod clock;
pub mod contend;
pub mod crash;
mod owners;
pub mod pay;
pub mod place;
pub mod process;
pub mod proxy;
pub mod random;
pub mod round;
pub mod rpc;
pub mod scene;
