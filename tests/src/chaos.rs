//! Many processes on one vault.
//!
//! [`contend`] has several processes do at once what one vault must do one by one, and holds the database against what
//! each of them was told. It runs small in the tests and in full by its own program, `chaos`.
//! Whatever is random comes from a seed that is printed, so that a run can be had again, as far as the processes'
//! own order allows.

pub mod clock;
pub mod contend;
pub mod place;
pub mod process;
pub mod random;
pub mod scene;
