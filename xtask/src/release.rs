//! The binary as people use it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

use crate::process::{self, cargo};
use crate::workspace;

/// Builds `keyward` with its release profile and says where it is.
///
/// # Errors
/// When it does not build.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    process::run(&mut cargo(&["build", "--release", "--package", "keyward"]))?;
    // Cargo is asked, since the target folder may be anywhere.
    let metadata = process::output(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let target = metadata["target_directory"]
        .as_str()
        .context("cargo metadata names no target folder")?;
    Ok(Path::new(target)
        .join("release")
        .join(workspace::executable("keyward")))
}
