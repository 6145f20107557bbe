//! `keyward sign-message` and `keyward verify-message`: texts signed outside any transaction.

use keyward_core::address::{Address, Signature};
use keyward_core::ed25519;
use keyward_core::policy::text::MAX_MESSAGE_BYTES;
use serde_json::json;

use super::context::Context;
use super::wallets::solana;
use crate::exit::{Exit, Failure};
use crate::output::Report;
use crate::secret_input::Source;

/// Where the message is.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Message {
    /// The text
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// A file with the text, every byte of it, or standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    file: Option<Source>,
}

/// Sign a text with a wallet, if policy allows it
///
/// Only readable text is signed, and nothing that could be read as a transaction.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  keyward sign-message treasury --message 'I own this wallet'\n  keyward sign-message '#0' --file statement.txt --json"
)]
pub(crate) struct SignArgs {
    /// The wallet: address, label or #index
    wallet: String,
    #[command(flatten)]
    message: Message,
}

/// Verify a text's signature; no vault is involved
///
/// Ends with 0 when the signature is valid and with 7 when it is not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  keyward verify-message ADDRESS SIGNATURE --message 'I own this wallet'")]
pub(crate) struct VerifyArgs {
    /// The signer's address
    address: String,
    /// The signature, in base58
    signature: String,
    #[command(flatten)]
    message: Message,
}

impl Message {
    /// The exact bytes. One byte more than policy signs is read, so that policy says that it is too long.
    fn read(&self) -> Result<Vec<u8>, Failure> {
        match (&self.message, &self.file) {
            (Some(text), _) => Ok(text.clone().into_bytes()),
            (None, Some(source)) => Ok(source.read_all("message", MAX_MESSAGE_BYTES + 1)?.to_vec()),
            // The argument group requires one of them.
            (None, None) => Ok(Vec::new()),
        }
    }
}

pub(crate) async fn sign(context: &mut Context, args: SignArgs) -> Result<Report, Failure> {
    let (custody, summary) = context.open().await?;
    let address = solana(&custody.wallet(&args.wallet).await?)?;
    // The password comes first where both are on standard input.
    context.unlock(&custody, &summary).await?;
    let message = args.message.read()?;
    let signature = custody.sign_message(&address, &message).await?;
    let json = json!({ "address": address.to_string(), "signature": signature.to_string(), "length": message.len() });
    Ok(Report::new(format!("{signature}\n"), json))
}

pub(crate) fn verify(args: &VerifyArgs) -> Result<Report, Failure> {
    let address: Address = args
        .address
        .parse()
        .map_err(|error| Failure::invalid("address_invalid", format!("{error}"), "check the address"))?;
    let signature: Signature = args
        .signature
        .parse()
        .map_err(|error| Failure::invalid("signature_invalid", format!("{error}"), "check the signature"))?;
    let message = args.message.read()?;
    let valid = ed25519::verify(&address, &message, &signature).is_ok();
    let (text, exit) = if valid {
        ("valid\n", Exit::Ok)
    } else {
        ("not valid\n", Exit::Unverified)
    };
    let json = json!({ "valid": valid, "address": address.to_string(), "signature": signature.to_string() });
    Ok(Report::new(text, json).with_exit(exit))
}
