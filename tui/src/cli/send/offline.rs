//! What goes to the machine that signs, and what comes back: a JSON file or a QR code out, a signature in.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use keyward_core::address::Signature;
use keyward_core::solana::parses_as_transaction;
use keyward_custody::transfer::TransferPlan;
use keyward_custody::transfer::offline::OfflineTransfer;
use qrcode::{Color, EcLevel, QrCode};
use serde_json::{Value, json};

use super::with_fields;
use crate::cli::context::create_private;
use crate::exit::{Exit, Failure};
use crate::output::Report;
use crate::secret_input::Source;

/// What the file calls itself; another version is another name.
const FORMAT: &str = "keyward-unsigned-transaction-1";
const MAX_BYTES: usize = 64 * 1024;

/// Writes the plan's bytes where they are wanted. Nothing is signed.
pub(super) fn write(plan: &TransferPlan, out: &str, preview: Value) -> Result<Report, Failure> {
    let transfer = OfflineTransfer::of(plan);
    let transaction = BASE64.encode(&transfer.transaction);
    let mut text = String::new();
    if out.eq_ignore_ascii_case("qr") {
        text.push_str(&qr(&transaction).ok_or_else(|| {
            Failure::invalid(
                "qr_too_long",
                "the transaction is too long for a QR code",
                "write it to a file",
            )
        })?);
    } else {
        let mut content = file(&transfer).to_string();
        content.push('\n');
        create_private(Path::new(out), content.as_bytes()).map_err(|error| {
            Failure::new(
                Exit::Storage,
                "file_unwritable",
                format!("{out} cannot be written: {error}"),
                "name a file that is not there yet, in a folder that is",
            )
        })?;
        text.push_str(&format!("{out} is to be signed\n"));
    }
    match plan.details.nonce {
        Some(nonce) => text.push_str(&format!(
            "it can land until the nonce {} is advanced\n",
            nonce.account
        )),
        None => text.push_str(&format!(
            "it can land up to block height {} only, most likely under a minute from now: --nonce gives it time\n",
            plan.last_valid_block_height
        )),
    }
    text.push_str(&format!(
        "network {}\nsign it with `keyward sign-transaction`, then send it with `keyward send --unsigned FILE --signed FILE`\n",
        plan.network
    ));
    let json = with_fields(
        preview,
        &[
            ("dry_run", json!(false)),
            ("transaction", json!(transaction)),
            ("unsigned", file(&transfer)),
        ],
    );
    Ok(Report::new(text, json))
}

fn file(transfer: &OfflineTransfer) -> Value {
    let amount = &transfer.amount;
    json!({
        "format": FORMAT,
        "network": transfer.network,
        "from": transfer.from.to_string(),
        "to": transfer.to.to_string(),
        "units": amount.base_units().to_string(),
        "mint": amount.mint().map(|mint| mint.to_string()),
        "decimals": match amount {
            keyward_custody::transfer::TransferAmount::Token { units, .. } => Some(units.decimals),
            keyward_custody::transfer::TransferAmount::Sol(_) => None,
        },
        "last_valid_block_height": transfer.last_valid_block_height,
        "transaction": BASE64.encode(&transfer.transaction),
    })
}

/// Two modules a character, the light ones drawn: it reads on a dark terminal.
fn qr(text: &str) -> Option<String> {
    const QUIET: usize = 2;
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (width, modules) = (code.width(), code.to_colors());
    let side = width + 2 * QUIET;
    let light = |x: usize, y: usize| {
        let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < width);
        let module = inside(x)
            .zip(inside(y))
            .and_then(|(x, y)| modules.get(y * width + x));
        y < side && module != Some(&Color::Dark)
    };
    let mut drawn = String::new();
    for pair in 0..side.div_ceil(2) {
        for x in 0..side {
            drawn.push(match (light(x, pair * 2), light(x, pair * 2 + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        }
        drawn.push('\n');
    }
    Some(drawn)
}

/// Reads what [`write`] wrote.
pub(super) fn read(source: &Source) -> Result<OfflineTransfer, Failure> {
    let bytes = source.read_all("unsigned transaction", MAX_BYTES)?;
    parse(&bytes).ok_or_else(|| {
        Failure::invalid(
            "unsigned_invalid",
            "this is no file that --offline-out of this version wrote",
            "give the file as it was written",
        )
    })?
}

/// None: it is no such file. An error: it is one that contradicts itself.
fn parse(bytes: &[u8]) -> Option<Result<OfflineTransfer, Failure>> {
    let json: Value = serde_json::from_slice(bytes).ok()?;
    let text = |name: &str| json.get(name).and_then(Value::as_str);
    if text("format") != Some(FORMAT) {
        return None;
    }
    let token = match (json.get("mint")?, json.get("decimals")?) {
        (Value::Null, Value::Null) => None,
        (mint, decimals) => Some((
            mint.as_str()?.parse().ok()?,
            u8::try_from(decimals.as_u64()?).ok()?,
        )),
    };
    let parts = (text("from")?.parse().ok()?, text("to")?.parse().ok()?);
    let transaction = BASE64.decode(text("transaction")?).ok()?;
    let height = json.get("last_valid_block_height")?.as_u64()?;
    let units = text("units")?.parse().ok()?;
    let network = text("network")?.to_owned();
    Some(OfflineTransfer::from_parts(parts, (units, token), transaction, height, network).map_err(Into::into))
}

/// Reads what came back: the transaction in any encoding that `sign-transaction` prints, or the signature alone.
pub(super) fn read_signed(source: &Source, transfer: &OfflineTransfer) -> Result<Vec<u8>, Failure> {
    let input = source.read_all("signed transaction", MAX_BYTES)?;
    if parses_as_transaction(&input) {
        return Ok(input.to_vec());
    }
    let text = String::from_utf8_lossy(&input);
    if let Ok(signature) = text.trim().parse::<Signature>() {
        return Ok(transfer.with_signature(signature)?);
    }
    let of_json = transaction_of(&input).map(|(bytes, _)| bytes);
    // What is printed for people ends with the transaction.
    let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty());
    let found = of_json.or_else(|| BASE64.decode(last?).ok());
    found.filter(|bytes| parses_as_transaction(bytes)).ok_or_else(|| {
        Failure::invalid(
            "signed_invalid",
            "this is neither a signed transaction nor a signature",
            "give what `keyward sign-transaction` printed",
        )
    })
}

/// The transaction of a JSON object, ours or `sign-transaction`'s, and the network where it is told.
pub(crate) fn transaction_of(input: &[u8]) -> Option<(Vec<u8>, Option<String>)> {
    let json: Value = serde_json::from_slice(input).ok()?;
    let bytes = BASE64.decode(json.get("transaction")?.as_str()?).ok()?;
    let network = json.get("network").and_then(Value::as_str).map(str::to_owned);
    Some((bytes, network))
}
