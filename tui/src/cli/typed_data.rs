//! `keyward sign-typed-data`: EIP-712 documents, signed by an EVM wallet if policy allows it.

use keyward_core::evm::typed_data::MAX_DOCUMENT_BYTES;
use serde_json::json;

use super::context::{Context, wallet_passwords};
use super::wallets::evm;
use crate::exit::Failure;
use crate::output::{Report, printable};
use crate::secret_input::{Source, text_of};

/// Sign typed data (EIP-712) with an EVM wallet, if policy allows it
///
/// The document is what eth_signTypedData_v4 takes, and must name its chain. `keyward inspect` shows it without signing.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  keyward sign-typed-data 'evm-bip44#0' permit.json\n  keyward sign-typed-data trader - --json < order.json"
)]
pub(crate) struct Args {
    /// The wallet
    wallet: String,
    /// A file, or standard input for `-`
    #[arg(value_name = "FILE|-")]
    file: Source,
    /// Read the wallet's own password, where it has one, from this file's only line, or from standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    wallet_password_file: Option<Source>,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let (custody, summary) = context.open().await?;
    let wallet = custody.wallet(&args.wallet).await?;
    let address = evm(&wallet)?;
    // Passwords come first where more is on standard input.
    context.unlock(&custody, &summary).await?;
    let passwords = wallet_passwords(&wallet, args.wallet_password_file.as_ref())?;
    let bytes = args.file.read_all("typed data", MAX_DOCUMENT_BYTES + 1)?;
    let document = text_of(&bytes, "typed data")?;
    let signed = custody
        .sign_typed_data(&address, document.trim(), &passwords)
        .await?;
    let signature = format!("0x{}", hex::encode(signed.signature.to_bytes()));
    let sentences = signed.typed_data.sentences();
    let mut text = String::new();
    for sentence in &sentences {
        text.push_str(&format!("  {}\n", printable(sentence)));
    }
    text.push_str(&format!("{signature}\n"));
    let json = json!({
        "address": address.to_string(),
        "signature": signature,
        "signing_hash": format!("0x{}", hex::encode(signed.typed_data.signing_hash())),
        "sentences": sentences,
    });
    Ok(Report::new(text, json))
}
