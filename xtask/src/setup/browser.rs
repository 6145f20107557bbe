//! A Chromium and the driver that belongs to it; a Firefox, whose driver cargo builds.

use std::path::PathBuf;

use anyhow::Context as _;

use super::debian;
use crate::process::{self, program};
use crate::stages::Missing;
use crate::workspace::which;

const CHROMIUM: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];
const FIREFOX: [&str; 2] = ["firefox-esr", "firefox"];

/// Finds or installs both and says their versions.
pub(super) fn install() -> anyhow::Result<String> {
    if found(&CHROMIUM).is_none() || chromedriver().is_err() {
        debian::install("Chromium and its driver", &["chromium", "chromium-driver"])?;
    }
    let browser = found(&CHROMIUM).context("no Chromium after its installation")?;
    let versions = [
        process::output(&mut program(browser, &["--version"]))?,
        process::output(&mut program(chromedriver()?, &["--version"]))?,
    ];
    let [browser, driver] = versions.each_ref().map(|said| major(said));
    if browser.is_none() || browser != driver {
        return Err(Missing(format!(
            "a driver that fits the browser: {} and {}",
            versions[0].trim(),
            versions[1].trim()
        ))
        .into());
    }
    Ok(versions[0].trim().to_owned())
}

/// The driver: `CHROMEDRIVER`, else the one on the search path.
///
/// # Errors
/// [`Missing`] when there is none.
pub(crate) fn chromedriver() -> anyhow::Result<PathBuf> {
    std::env::var_os("CHROMEDRIVER")
        .map(PathBuf::from)
        .or_else(|| which("chromedriver"))
        .ok_or_else(|| Missing("chromedriver is not on the search path".into()).into())
}

/// The Chromium that the driver belongs to.
///
/// # Errors
/// [`Missing`] when there is none.
pub(crate) fn chromium() -> anyhow::Result<PathBuf> {
    found(&CHROMIUM).ok_or_else(|| Missing("Chromium is not on the search path".into()).into())
}

/// Finds or installs a Firefox and says its version.
pub(super) fn install_firefox() -> anyhow::Result<String> {
    if found(&FIREFOX).is_none() {
        debian::install("Firefox", &["firefox-esr"])?;
    }
    let firefox = found(&FIREFOX).context("no Firefox after its installation")?;
    let version = process::output(&mut program(firefox, &["--version"]))?;
    Ok(version.trim().to_owned())
}

fn found(names: &[&str]) -> Option<PathBuf> {
    names.iter().find_map(|name| which(name))
}

/// `Chromium 156.0.8078.73 built on …` and `ChromeDriver 156.0.8078.73 (…)` both give 156.
fn major(said: &str) -> Option<u32> {
    said.split_whitespace()
        .find_map(|word| word.split_once('.')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn major_versions_are_read() {
        assert_eq!(major("Chromium 156.0.8078.73 built on Debian 12.2\n"), Some(156));
        assert_eq!(major("ChromeDriver 156.0.1.2 (abc-refs/heads)"), Some(156));
        assert_eq!(major("Chromium"), None);
    }
}
