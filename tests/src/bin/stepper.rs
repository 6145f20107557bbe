//! Signs one transaction and stops for ever after a named step, so that a test can kill it there.
//!
//! Reads three lines: the vault's path, its password, the transaction in hex. The argument names the step. Prints
//! `reached <step>` when it stands there, or `signed <signature>` when it was asked to stop nowhere.
#![expect(
    clippy::print_stdout,
    reason = "it talks to the test through its standard output"
)]

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;

use anyhow::Context as _;
use keyward_custody::{
    Custody, OpenOptions, Password, SignRequest, SigningObserver, SigningStep, StoreLocation,
};

struct StopAfter(Option<SigningStep>);

impl SigningObserver for StopAfter {
    fn step(&self, step: SigningStep) {
        if self.0 == Some(step) {
            println!("reached {step:?}");
            std::io::stdout().flush().ok();
            loop {
                std::thread::park();
            }
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let step = match std::env::args().nth(1).as_deref() {
        Some("checked") => Some(SigningStep::Checked),
        Some("evaluated") => Some(SigningStep::Evaluated),
        Some("authorised") => Some(SigningStep::Authorised),
        Some("key-used") => Some(SigningStep::KeyUsed),
        Some("recorded") => Some(SigningStep::Recorded),
        Some("nowhere") => None,
        other => anyhow::bail!("unknown step {other:?}"),
    };
    let mut lines = std::io::stdin().lock().lines();
    let mut line = || {
        lines
            .next()
            .context("a line is missing")?
            .context("standard input")
    };
    let location = StoreLocation::parse(&line()?)?;
    let password = Password::new(line()?);
    let transaction = hex::decode(line()?)?;
    let options = OpenOptions {
        observer: Arc::new(StopAfter(step)),
        ..OpenOptions::default()
    };
    let custody = Custody::open(&location, options).await?;
    custody.unlock(&password, None).await?;
    let request = SignRequest::new(transaction, "test");
    let signed = custody.sign_transaction(request).await?;
    println!("signed {}", signed.signature);
    Ok(())
}
