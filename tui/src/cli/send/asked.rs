//! What `keyward send` was asked for: whom, how much, by which nonce.

use keyward_core::address::Address;
use keyward_core::amount::{Lamports, TokenUnits, parse_units};
use keyward_core::solana_pay::PaymentRequest;
use keyward_custody::chain::SolanaNode;
use keyward_custody::transfer::{Repeat, TransferAmount, TransferRequest};
use keyward_custody::{Custody, CustodyError};

use super::Args;
use super::preview::Parties;
use crate::cli::nonce::account as nonce_account;
use crate::cli::wallets::solana;
use crate::exit::{Exit, Failure};

/// What is asked for, and the names of both sides.
pub(super) async fn request(
    custody: &Custody,
    node: &SolanaNode,
    args: &Args,
) -> Result<(TransferRequest, Parties), Failure> {
    // Both are there unless something signed is sent: clap sees to that.
    let (from, to) = (
        args.from.as_deref().unwrap_or_default(),
        args.to.as_deref().unwrap_or_default(),
    );
    let (from, from_label) = sender(custody, args, from).await?;
    let payment = to
        .get(..7)
        .filter(|scheme| scheme.eq_ignore_ascii_case("solana:"))
        .map(|_| payment(to));
    let payment = payment.transpose()?;
    let (to, to_label) = match &payment {
        Some(payment) => (payment.recipient, label_of(custody, &payment.recipient).await?),
        None => recipient(custody, to).await?,
    };
    let amount = match &args.token {
        Some(mint) => token_amount(node, mint, args, payment.is_some()).await?,
        None => sol_amount(args, payment.as_ref())?,
    };
    let notes = payment.as_ref().map(payment_notes).unwrap_or_default();
    let memo = agreeing(
        "memo",
        args.memo.clone(),
        payment.and_then(|payment| payment.memo),
    )?;
    let request = TransferRequest {
        fee: args.priority_fee.unwrap_or_default(),
        memo,
        nonce: args
            .nonce
            .as_deref()
            .map(|nonce| nonce_account(&from, nonce))
            .transpose()?,
        repeat: repeat(args),
        ..TransferRequest::new(from, to, amount)
    };
    Ok((
        request,
        Parties {
            from: from_label,
            to: to_label,
            notes,
        },
    ))
}

pub(super) fn repeat(args: &Args) -> Repeat {
    match args.separate {
        true => Repeat::Separate,
        false => Repeat::Refuse,
    }
}

/// A wallet of this vault; where it is signed elsewhere, any address.
async fn sender(custody: &Custody, args: &Args, name: &str) -> Result<(Address, String), Failure> {
    match custody.wallet(name).await {
        Ok(wallet) => Ok((solana(&wallet)?, wallet.label)),
        Err(error @ CustodyError::NotFound { .. }) => match name.parse::<Address>() {
            Ok(address) if args.offline_out.is_some() => Ok((address, String::new())),
            _ => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}

fn sol_amount(args: &Args, payment: Option<&PaymentRequest>) -> Result<TransferAmount, Failure> {
    let asked = args.amount.as_deref().map(parse_amount).transpose()?;
    let amount = agreeing("amount", asked, payment.and_then(|payment| payment.amount))?;
    amount.map(TransferAmount::Sol).ok_or_else(amount_missing)
}

fn amount_missing() -> Failure {
    Failure::new(
        Exit::Usage,
        "amount_missing",
        "no amount was given",
        "give --amount, such as --amount 1.5",
    )
}

async fn token_amount(
    node: &SolanaNode,
    mint: &str,
    args: &Args,
    is_payment_request: bool,
) -> Result<TransferAmount, Failure> {
    if is_payment_request {
        let message = "the payment request asks for SOL, and --token for a token";
        return Err(Failure::invalid(
            "payment_request_differs",
            message,
            "leave --token out, or pay by address",
        ));
    }
    let mint: Address = mint.parse().map_err(|error| {
        Failure::invalid(
            "token_invalid",
            format!("--token: {error}"),
            "give the address of the token's mint",
        )
    })?;
    let (_, found) = node.mints(&[mint]).await?;
    let Some(found) = found.into_iter().next().flatten() else {
        return Err(Failure::new(
            Exit::NotFound,
            "token_unknown",
            format!("there is no token of the mint {mint} on this network"),
            "check the mint's address and the network",
        ));
    };
    let decimals = found.mint.decimals;
    let text = args.amount.as_deref().ok_or_else(amount_missing)?;
    let amount = parse_units(text, decimals).map_err(|error| {
        Failure::invalid(
            "amount_invalid",
            format!("--amount: {error}"),
            "write it like 1.5",
        )
    })?;
    Ok(TransferAmount::Token {
        mint,
        units: TokenUnits { amount, decimals },
    })
}

fn payment(text: &str) -> Result<PaymentRequest, Failure> {
    let payment = PaymentRequest::parse(text).map_err(|error| {
        Failure::invalid(
            "payment_request_invalid",
            format!("--to: {error}"),
            "ask for the request again",
        )
    })?;
    if payment.spl_token.is_some() {
        let message = "the payment request asks for a token, and this version sends SOL";
        return Err(Failure::invalid(
            "payment_request_token",
            message,
            "ask for a request in SOL",
        ));
    }
    Ok(payment)
}

/// What else a payment request says, in its maker's words, and what of it is not done.
fn payment_notes(payment: &PaymentRequest) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(label) = &payment.label {
        notes.push(format!("the payment request calls its maker: {label}"));
    }
    if let Some(message) = &payment.message {
        notes.push(format!("the payment request says: {message}"));
    }
    if !payment.references.is_empty() {
        notes.push(
            "the payment request asks for references, which this version does not add: tell the payee"
                .to_owned(),
        );
    }
    notes
}

/// The command line may repeat what the payment request says, but not contradict it.
fn agreeing<T: PartialEq>(what: &str, asked: Option<T>, requested: Option<T>) -> Result<Option<T>, Failure> {
    match (asked, requested) {
        (Some(asked), Some(requested)) if asked != requested => {
            let message = format!("the {what} differs from the payment request's");
            Err(Failure::invalid(
                "payment_request_differs",
                message,
                format!("leave --{what} out, or pay by address"),
            ))
        }
        (asked, requested) => Ok(asked.or(requested)),
    }
}

fn parse_amount(text: &str) -> Result<Lamports, Failure> {
    Lamports::parse(text).map_err(|error| {
        Failure::invalid(
            "amount_invalid",
            format!("--amount: {error}"),
            "write it like 1.5",
        )
    })
}

async fn recipient(custody: &Custody, name: &str) -> Result<(Address, String), Failure> {
    if let Ok(address) = name.parse::<Address>() {
        return Ok((address, label_of(custody, &address).await?));
    }
    let wallet = match custody.wallet(name).await {
        Ok(wallet) => Some((solana(&wallet)?, wallet.label)),
        Err(CustodyError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let contact = match custody.contact(name).await {
        Ok(contact) => Some((contact.address, contact.label)),
        Err(CustodyError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    match (wallet, contact) {
        (Some((wallet, _)), Some((contact, _))) if wallet != contact => Err(Failure::invalid(
            "ambiguous",
            format!("{name:?} is the wallet {wallet} and the contact {contact}"),
            "give the address",
        )),
        (Some(found), _) | (None, Some(found)) => Ok(found),
        (None, None) => Err(Failure::new(
            Exit::NotFound,
            "recipient_unknown",
            "the recipient is neither an address nor a wallet of this vault nor a contact",
            "check the spelling; an address is 32 to 44 characters",
        )),
    }
}

async fn label_of(custody: &Custody, address: &Address) -> Result<String, Failure> {
    if let Some(wallet) = custody.wallet_by_address(address).await? {
        return Ok(wallet.label);
    }
    match custody.contact(&address.to_string()).await {
        Ok(contact) => Ok(contact.label),
        Err(CustodyError::NotFound { .. }) => Ok(String::new()),
        Err(error) => Err(error.into()),
    }
}
