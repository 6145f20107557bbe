//! `keyward sign-message` and `keyward verify-message`: texts signed outside any transaction.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use keyward_core::account::AccountAddress;
use keyward_core::address::Address;
use keyward_core::ed25519;
use keyward_core::evm::personal;
use keyward_core::offchain::OffChainMessage;
use keyward_core::policy::WalletSignature;
use keyward_core::policy::text::MAX_MESSAGE_BYTES;
use keyward_core::secp256k1::recover;
use keyward_core::siws::SignIn;
use serde_json::json;

use super::context::{Context, wallet_passwords};
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
    /// The wallet
    wallet: String,
    #[command(flatten)]
    message: Message,
    /// Sign it as an off-chain message of Solana: as its command line writes it (short), or by the proposal
    #[arg(long, value_enum, value_name = "LAYOUT", num_args = 0..=1, require_equals = true, default_missing_value = "short")]
    offchain: Option<Layout>,
    /// The page that asks, where the text is a sign-in, such as `https://example.com`
    #[arg(long, value_name = "ORIGIN", conflicts_with = "offchain")]
    origin: Option<String>,
    /// Read the wallet's own password, where it has one, from this file's only line, or from standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    wallet_password_file: Option<Source>,
}

/// The layouts of Solana's off-chain messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Layout {
    Short,
    V0,
    V1,
}

impl Layout {
    /// The bytes that are signed: the text with its wrapper.
    fn wrap(self, signer: Address, text: &[u8]) -> Result<Vec<u8>, Failure> {
        let text = crate::secret_input::text_of(text, "message")?;
        let message = match self {
            Self::Short => OffChainMessage::short(&text),
            // No application asks: its domain is all zeros.
            Self::V0 => OffChainMessage::v0([0; 32], [signer], &text),
            Self::V1 => OffChainMessage::v1([signer], &text),
        };
        message.map(|message| message.encode()).map_err(|error| {
            Failure::invalid(
                "offchain_message_invalid",
                error.to_string(),
                "change the text or the layout",
            )
        })
    }
}

/// Verify a text's signature; no vault is involved
///
/// Ends with 0 when the signature is valid and with 7 when it is not.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  keyward verify-message ADDRESS SIGNATURE --message 'I own this wallet'")]
pub(crate) struct VerifyArgs {
    /// The signer's address
    address: String,
    /// The signature: base58, or 0x and 130 hexadecimal digits
    signature: String,
    #[command(flatten)]
    message: Message,
    /// The text was signed as an off-chain message of Solana
    #[arg(long, value_enum, value_name = "LAYOUT", num_args = 0..=1, require_equals = true, default_missing_value = "short")]
    offchain: Option<Layout>,
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
    let wallet = custody.wallet(&args.wallet).await?;
    // The passwords come first where all is on standard input.
    context.unlock(&custody, &summary).await?;
    let passwords = wallet_passwords(&wallet, args.wallet_password_file.as_ref())?;
    let mut message = args.message.read()?;
    let length = message.len();
    if let Some(layout) = args.offchain {
        message = layout.wrap(solana(&wallet)?, &message)?;
    }
    let signature = match &args.origin {
        Some(origin) => {
            let sign_in = read_sign_in(&message)?;
            if wallet.solana() != Some(&sign_in.fields().address) {
                return Err(Failure::invalid(
                    "sign_in_of_another",
                    "the sign-in names another wallet",
                    "name the wallet that it is for",
                ));
            }
            custody.sign_in(&sign_in, origin, &passwords).await?.to_string()
        }
        None => custody
            .sign_message_with(wallet.address, &message, &passwords)
            .await?
            .to_string(),
    };
    let json = json!({
        "address": wallet.address.to_string(),
        "chain": wallet.address.chain().id(),
        "signature": signature,
        "length": length,
        "signed_bytes": args.offchain.map(|_| BASE64.encode(&message)),
    });
    Ok(Report::new(format!("{signature}\n"), json))
}

/// The sign-in that a file holds; the newline that editors add is not signed.
fn read_sign_in(message: &[u8]) -> Result<SignIn, Failure> {
    let text = crate::secret_input::text_of(message, "sign-in")?;
    SignIn::parse(text.strip_suffix('\n').unwrap_or(&text)).map_err(|error| {
        Failure::invalid(
            "sign_in_invalid",
            format!("this is no sign-in: {error}"),
            "leave --origin out for other texts",
        )
    })
}

pub(crate) fn verify(args: &VerifyArgs) -> Result<Report, Failure> {
    let address: AccountAddress = args
        .address
        .parse()
        .map_err(|error| Failure::invalid("address_invalid", format!("{error}"), "check the address"))?;
    let signature: WalletSignature = args
        .signature
        .parse()
        .map_err(|error| Failure::invalid("signature_invalid", format!("{error}"), "check the signature"))?;
    let message = args.message.read()?;
    let valid = match (&address, &signature) {
        (AccountAddress::Solana(address), WalletSignature::Ed25519(signature)) => {
            let signed = match args.offchain {
                Some(layout) => layout.wrap(*address, &message)?,
                None => message,
            };
            ed25519::verify(address, &signed, signature).is_ok()
        }
        (AccountAddress::Evm(address), WalletSignature::Secp256k1(signature)) => {
            recover(&personal::signing_hash(&message), signature)
                .is_ok_and(|signer| signer.address() == *address)
        }
        _ => {
            return Err(Failure::invalid(
                "signature_invalid",
                "the signature is of another chain than the address",
                "check both",
            ));
        }
    };
    let (text, exit) = if valid {
        ("valid\n", Exit::Ok)
    } else {
        ("not valid\n", Exit::Unverified)
    };
    let json = json!({ "valid": valid, "address": address.to_string(), "signature": signature.to_string() });
    Ok(Report::new(text, json).with_exit(exit))
}
