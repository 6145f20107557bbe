//! What several fuzz targets need: a vault with a fixed key, and JSON looked at from outside.

pub mod json;
pub mod vault;
