//! Every chore of the project, in Rust: `cargo xtask <chore>`.
//!
//! One file a chore. It starts programs and reads files; it holds no logic of the wallet and nothing depends on it.
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the person who runs it"
)]

mod bench;
mod chaos;
mod ci;
mod demo;
mod fuzz;
mod pictures;
mod process;
mod release;
mod setup;
mod stages;
mod test;
mod tidy;
mod wasm;
mod workspace;

use std::process::ExitCode;

use anyhow::bail;

const HELP: &str = "\
Chores of the project. Usage: cargo xtask <chore>

  ci        what CI runs: tidy, fmt, clippy, docs, deny, no_std, pictures, then the tests
  test      installs or finds what the tests need and runs every test; with --all-browsers in Firefox too
  setup     only installs or finds what the tests need
  tidy      checks layering, names, texts, lock files and migrations; a second or two
  wasm      builds the browser package and its page and tests them in a headless browser, bundlers and Node
  bench     every benchmark, the console's start included; arguments after it go to the benchmarks
  contend   eight processes on one vault, 100,000 contended operations a store; --operations N, --processes N,
            --store sqlite|postgres|both and --seed N choose others
  crash     a process killed at work, 1,000 times a store; --kills N, --store and --seed N choose others
  pay       a process killed while it pays many on the test node; --kills N, --store, --road fair|bad|both, --seed N
  round     SOL and a token to many on the test node and all of it back; --wallets N, --tokens N, --format legacy|v1|both,
            --store and --seed N
  fuzz      every fuzz target for a minute; --seconds N and names of targets choose others
  page      builds the page that embeds the browser package and serves it on loopback
  demo      starts a node on loopback, funds a wallet and opens the console against it
  pictures  draws the screens into docs/pictures; with --check it only compares
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> anyhow::Result<()> {
    let Some((chore, rest)) = arguments.split_first() else {
        print!("{HELP}");
        return Ok(());
    };
    let takes_none = |rest: &[String]| match rest.first() {
        Some(argument) => bail!("`{chore}` takes no `{argument}`; see `cargo xtask help`"),
        None => Ok(()),
    };
    match chore.as_str() {
        "ci" => takes_none(rest).and_then(|()| ci::run()),
        "test" => test::run(rest),
        "setup" => takes_none(rest).and_then(|()| setup::run()),
        "tidy" => takes_none(rest).and_then(|()| tidy::run()),
        "wasm" => wasm::run(rest),
        "page" => takes_none(rest).and_then(|()| wasm::serve_page()),
        "demo" => takes_none(rest).and_then(|()| demo::run()),
        "bench" => bench::run(rest),
        "contend" | "crash" | "pay" | "round" => chaos::run(chore, rest),
        "fuzz" => fuzz::run(rest),
        "pictures" => pictures::run(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => bail!("there is no chore `{other}`; see `cargo xtask help`"),
    }
}
