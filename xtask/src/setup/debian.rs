//! Debian's packages, for those who may install them.

use std::path::Path;
use std::sync::OnceLock;

use crate::process::{self, program};
use crate::stages::Missing;

/// Installs packages where it is root on Debian or a system made from it.
///
/// # Errors
/// [`Missing`] with what to install where it may not; else when the installation fails.
pub(super) fn install(what: &str, packages: &[&str]) -> anyhow::Result<()> {
    if !Path::new("/etc/debian_version").is_file() || !is_root() {
        return Err(Missing(format!(
            "{what}: install it (on Debian, as root: apt-get install {})",
            packages.join(" ")
        ))
        .into());
    }
    // The lists of a new machine may be empty or old; once is enough for all that follows.
    static UPDATED: OnceLock<bool> = OnceLock::new();
    if !UPDATED.get_or_init(|| process::run(&mut apt(&["update"])).is_ok()) {
        println!("the package lists could not be updated; trying with those that are there");
    }
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(packages);
    process::run(&mut apt(&arguments))
}

fn apt(arguments: &[&str]) -> std::process::Command {
    let mut command = program("apt-get", &["--quiet"]);
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root() -> bool {
    process::output(&mut program("id", &["-u"])).is_ok_and(|id| id.trim() == "0")
}
