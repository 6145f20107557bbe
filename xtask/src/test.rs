//! Sets up what the tests need, runs every test, and says at the end what ran and what could not.

use anyhow::bail;

use crate::process::{self, cargo};
use crate::setup;
use crate::stages::Stages;
use crate::wasm;

/// `cargo xtask test [--all-browsers]`: the whole set-up and every test. A missing part is a failure, not a skip.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let all_browsers = takes_all_browsers(arguments)?;
    let mut stages = Stages::default();
    stages.run("setup: Rust", setup::rust);
    run_in(&mut stages);
    if all_browsers {
        wasm::run_in_firefox(&mut stages);
    }
    stages.finish()
}

/// Whether the one flag that `test` and `wasm` take was given.
pub(crate) fn takes_all_browsers(arguments: &[String]) -> anyhow::Result<bool> {
    match arguments {
        [] => Ok(false),
        [flag] if flag == "--all-browsers" => Ok(true),
        _ => bail!("`test` and `wasm` take only `--all-browsers`"),
    }
}

/// The same as stages of a longer row, in which Rust was set up before.
pub(crate) fn run_in(stages: &mut Stages) {
    setup::for_tests(stages);
    // The same selection of targets as the tests': another one would resolve features anew and build twice.
    let built = stages.run("build", || {
        process::run(&mut cargo(&["build", "--workspace", "--bins", "--tests"])).map(|()| String::new())
    });
    // Without the binary the end-to-end tests would all fail for a reason that was said already.
    stages.run("cargo test", || {
        anyhow::ensure!(built, "nothing was built to test");
        let counts = process::run_tests(&mut cargo(&["test", "--workspace", "--no-fail-fast"]))?;
        Ok(format!("{counts}{}", memory_remark()))
    });
    wasm::run_in(stages);
}

/// The tests that read another process's memory need root; without it they say so and pass. Then the table says it too.
fn memory_remark() -> &'static str {
    let is_root =
        std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if is_root {
        ""
    } else {
        "; NOT CHECKED: what a process keeps in its memory, which takes root (sudo cargo xtask test)"
    }
}
