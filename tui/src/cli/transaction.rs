//! `keyward sign-transaction`: signs a transaction that somebody else made, if policy allows it.
//!
//! The input may be raw bytes, base64, base58, hex, or the file that `keyward send --offline-out` wrote. Which one it is, is found by looking; whatever it is, the signing
//! service decodes the bytes again and strictly. Nothing is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use keyward_core::address::Address;
use keyward_core::solana::{Transaction, parses_as_transaction};
use keyward_custody::chain::LookupTables;
use keyward_custody::{Custody, Password, SignRequest, WalletPasswords};
use serde_json::json;

use super::context::{Context, read_password, wallet_passwords};
use super::send::offline;
use crate::exit::Failure;
use crate::output::{Report, fields, printable};
use crate::secret_input::Source;

mod evm;

/// The network of what does not say for which one it is meant.
const UNSPECIFIED: &str = "unspecified";
/// More than any encoding of the longest transaction, so that "too long" is said by the decoder.
const MAX_INPUT_BYTES: usize = 16 * 1024;
/// The same for EVM transactions in hex.
const MAX_EVM_INPUT_BYTES: usize = 300_000;

/// Sign a transaction made elsewhere, if policy allows it
///
/// Every wallet of the vault among a Solana transaction's signers signs. The input is raw bytes, base64, base58, hex, or what
/// `keyward send --offline-out` wrote. Its
/// lookup tables are resolved with the node that --rpc names. The signed transaction is printed in base64; it is not sent.
///
/// With --evm-wallet, an EVM transaction is signed for the chain of --chain-id, and printed in hex.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  keyward sign-transaction unsigned.b64\n  keyward sign-transaction - --json < unsigned.bin\n  keyward sign-transaction payload.hex --evm-wallet 'evm-bip44#0' --chain-id 1"
)]
pub(crate) struct Args {
    /// A file, or standard input for `-`
    #[arg(value_name = "FILE|-")]
    file: Source,
    /// The network it is meant for, by its genesis hash, as the audit's intent hash covers it
    #[arg(long, value_name = "GENESIS_HASH", default_value = UNSPECIFIED)]
    network: String,
    /// Sign an EVM transaction with this wallet; the input is its unsigned payload, in hex or raw
    #[arg(
        long,
        value_name = "WALLET",
        requires = "chain_id",
        conflicts_with = "network"
    )]
    evm_wallet: Option<String>,
    /// The chain that the EVM transaction is meant for; one for another is refused
    #[arg(long, value_name = "ID", requires = "evm_wallet")]
    chain_id: Option<u64>,
    /// Read a wallet's own password, where it has one, from this file's only line, or from standard input for `-`
    #[arg(long, value_name = "FILE|-")]
    wallet_password_file: Option<Source>,
}

pub(crate) async fn run(context: &mut Context, args: Args) -> Result<Report, Failure> {
    let (custody, summary) = context.open().await?;
    // The password comes first where both are on standard input.
    context.unlock(&custody, &summary).await?;
    if let (Some(name), Some(chain_id)) = (&args.evm_wallet, args.chain_id) {
        let wallet = custody.wallet(name).await?;
        let address = super::wallets::evm(&wallet)?;
        let passwords = wallet_passwords(&wallet, args.wallet_password_file.as_ref())?;
        let input = args.file.read_all("transaction", MAX_EVM_INPUT_BYTES)?;
        return evm::sign(&custody, address, chain_id, &input, &passwords).await;
    }
    let own_password = match &args.wallet_password_file {
        Some(source) => Some(read_password(source, "wallet's password")?),
        None => None,
    };
    let input = args.file.read_all("transaction", MAX_INPUT_BYTES)?;
    let (transaction, network) = match offline::transaction_of(&input) {
        // The network that it was prepared for, unless another one is named.
        Some((bytes, told)) => (bytes, told.filter(|_| args.network == UNSPECIFIED)),
        None => (detect(&input), None),
    };
    let mut request = SignRequest::new(transaction, network.unwrap_or(args.network));
    request.lookup_tables = lookup_tables(context, &request.transaction).await?;
    let passwords = match own_password {
        Some(password) => signers_password(&custody, &request.transaction, password).await?,
        None => WalletPasswords::none(),
    };
    let signed = custody.sign_transaction_with(request, &passwords).await?;
    let complete = Transaction::decode(&signed.bytes).is_ok_and(|transaction| transaction.is_fully_signed());
    let encoded = BASE64.encode(&signed.bytes);
    let wallets: Vec<String> = signed.wallets.iter().map(ToString::to_string).collect();
    let actions = signed.intent.sentences();
    let mut text = fields(&[
        ("signature", signed.signature.to_string()),
        ("signed by", wallets.join(" ")),
        (
            "complete",
            if complete {
                "yes"
            } else {
                "no, other signers are missing"
            }
            .to_owned(),
        ),
    ]);
    for action in &actions {
        text.push_str(&format!("  {}\n", printable(action)));
    }
    text.push_str(&format!("{encoded}\n"));
    let json = json!({
        "signature": signed.signature.to_string(),
        "wallets": wallets,
        "complete": complete,
        "actions": actions,
        "transaction": encoded,
    });
    Ok(Report::new(text, json))
}

/// What the transaction's lookup tables hold, where the command names a node; without, policy refuses what needs them.
async fn lookup_tables(context: &mut Context, transaction: &[u8]) -> Result<LookupTables, Failure> {
    let wanted: Vec<Address> = Transaction::decode(transaction)
        .map(|transaction| {
            let lookups = transaction.message.lookups.iter();
            lookups.map(|lookup| lookup.table).collect()
        })
        .unwrap_or_default();
    if wanted.is_empty() {
        return Ok(LookupTables::none());
    }
    match context.named_node()? {
        Some(node) => Ok(node.lookup_tables(&wanted).await?),
        None => Ok(LookupTables::none()),
    }
}

/// The password for the one signer that has one of its own.
async fn signers_password(
    custody: &Custody,
    transaction: &[u8],
    password: Password,
) -> Result<WalletPasswords, Failure> {
    let Ok(transaction) = Transaction::decode(transaction) else {
        // The signing service says what is wrong with it.
        return Ok(WalletPasswords::none());
    };
    let mut guarded = Vec::new();
    for signer in transaction.message.required_signers() {
        guarded.extend(
            custody
                .wallet_by_address(*signer)
                .await?
                .filter(|wallet| wallet.own_password),
        );
    }
    match guarded.as_slice() {
        [] => Ok(WalletPasswords::none()),
        [one] => Ok(WalletPasswords::of_one(one.address, password)),
        _ => Err(Failure::invalid(
            "several_wallet_passwords",
            "several of the signers have passwords of their own",
            "sign in the console, or with one wallet after the other in vaults of their own",
        )),
    }
}

/// The transaction's bytes: the reading that is a transaction, else the likeliest one, for the decoder to refuse.
fn detect(input: &[u8]) -> Vec<u8> {
    if parses_as_transaction(input) {
        return input.to_vec();
    }
    let Some(text) = std::str::from_utf8(input)
        .ok()
        .map(str::trim)
        .filter(|text| is_one_word(text))
    else {
        return input.to_vec();
    };
    let readings = [
        hex::decode(text).ok(),
        BASE64.decode(text).ok(),
        bs58::decode(text).into_vec().ok(),
    ];
    let mut readings: Vec<Vec<u8>> = readings.into_iter().flatten().collect();
    match readings.iter().position(|bytes| parses_as_transaction(bytes)) {
        Some(found) => readings.swap_remove(found),
        None => readings.into_iter().next().unwrap_or_else(|| input.to_vec()),
    }
}

fn is_one_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use keyward_core::address::{Address, Blockhash};
    use keyward_core::amount::Lamports;
    use keyward_core::solana::{MessageVersion, compile_message, instructions};

    use super::*;

    fn transaction() -> Vec<u8> {
        let (from, to) = (Address::new([3; 32]), Address::new([7; 32]));
        let transfer = instructions::sol_transfer(from, to, Lamports::new(5));
        let message = compile_message(MessageVersion::Legacy, from, &[transfer], Blockhash::new([9; 32]));
        message
            .map(|message| Transaction::unsigned(message).encode())
            .unwrap_or_default()
    }

    #[test]
    fn every_encoding_is_found() {
        let bytes = transaction();
        assert!(parses_as_transaction(&bytes));
        let check = |input: &[u8]| assert_eq!(detect(input), bytes);
        check(&bytes);
        check(BASE64.encode(&bytes).as_bytes());
        check(format!("  {}\r\n", BASE64.encode(&bytes)).as_bytes());
        check(hex::encode(&bytes).as_bytes());
        check(hex::encode_upper(&bytes).as_bytes());
        check(bs58::encode(&bytes).into_string().as_bytes());
    }

    #[test]
    fn damaged_input_reaches_the_decoder_as_bytes() {
        let mut bytes = transaction();
        bytes.push(0);
        assert_eq!(detect(BASE64.encode(&bytes).as_bytes()), bytes);
        assert_eq!(detect(hex::encode(&bytes).as_bytes()), bytes);
        assert_eq!(detect(b"not a transaction"), b"not a transaction");
        assert_eq!(detect(b""), b"");
    }
}
