//! The suites that run in a browser's own engine, each in a page and in a dedicated worker: every test of core, and the
//! tests of the exports.

use anyhow::ensure;

use super::tool;
use crate::process::{self, TestCounts, program};
use crate::setup::{self, Tool};
use crate::stages::Stages;
use crate::workspace;

/// A page is busy for as long as core's tests take; under load that is longer than the tools' own bounds.
const BOUNDS: [(&str, &str); 2] = [
    ("WASM_BINDGEN_TEST_TIMEOUT", "600"),
    ("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60"),
];

/// A browser and the program that drives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Browser {
    Chromium,
    Firefox,
}

/// What runs together in one place.
struct Suite {
    names: [&'static str; 2],
    folder: &'static str,
    /// The test programs. Without a choice cargo would try the examples in texts, too, and count a runner for them.
    programs: &'static [&'static str],
    /// Tells wasm-bindgen's runner where, for tests that do not say it themselves.
    place: Option<&'static str>,
    /// How many of its programs have tests for browsers: one that has lost them says nothing and passes.
    runners: u32,
}

/// The vectors of RFC 7914 that take 1 GiB run here too; what needs C libraries (`core/tests/evm_keys.rs`) does not.
const CORE: [&str; 5] = ["--lib", "--test", "wycheproof", "--test", "scrypt_largest"];

const SUITES: [Suite; 3] = [
    Suite {
        names: ["core in Chromium, page", "core in Firefox, page"],
        folder: "core",
        programs: &CORE,
        place: Some("WASM_BINDGEN_USE_BROWSER"),
        runners: 3,
    },
    Suite {
        names: ["core in Chromium, worker", "core in Firefox, worker"],
        folder: "core",
        programs: &CORE,
        place: Some("WASM_BINDGEN_USE_DEDICATED_WORKER"),
        runners: 3,
    },
    // One of its programs says that it is for a page, the other that it is for a worker.
    Suite {
        names: ["exports in Chromium", "exports in Firefox"],
        folder: "wasm",
        programs: &["--test", "page", "--test", "worker"],
        place: None,
        runners: 2,
    },
];

/// Every suite as a stage of its own.
pub(super) fn run_in(stages: &mut Stages, browser: Browser) {
    for suite in &SUITES {
        let name = suite.names[usize::from(browser == Browser::Firefox)];
        stages.run(name, || Ok(run(suite, browser)?.to_string()));
    }
}

fn run(suite: &Suite, browser: Browser) -> anyhow::Result<TestCounts> {
    let (flag, driver, path, capabilities) = match browser {
        Browser::Chromium => (
            "--chrome",
            "CHROMEDRIVER",
            setup::chromedriver()?,
            "wasm/webdriver.json",
        ),
        Browser::Firefox => (
            "--firefox",
            "GECKODRIVER",
            tool(Tool::Geckodriver)?,
            "wasm/webdriver-firefox.json",
        ),
    };
    let arguments = ["test", "--headless", flag, "--mode", "no-install", "."];
    let mut command = program(tool(Tool::WasmPack)?, &arguments);
    command
        .args(suite.programs)
        .current_dir(workspace::path(suite.folder))
        .env("PATH", setup::search_path()?)
        .env(driver, path)
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", workspace::path(capabilities))
        .envs(BOUNDS)
        // Modules of half the size: they are written, rewritten, read and compiled for every run.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .envs(suite.place.map(|place| (place, "1")));
    let counts = process::run_tests(&mut command)?;
    ensure!(
        counts.runners == suite.runners,
        "{} of {} test programs ran: {counts}",
        counts.runners,
        suite.runners
    );
    Ok(counts)
}
