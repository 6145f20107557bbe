//! What a request does, as JSON for the page that asks its person: core's own reading, and what the authority says.

use keyward_core::account::AccountAddress;
use keyward_core::evm::personal;
use keyward_core::intent::{Action, Danger, Field, FieldValue, Intent};
use keyward_core::offchain::{SignableMessage, read};
use keyward_core::policy::{Refusal, Request};
use keyward_core::solana::{SignatureState, Transaction};

use crate::authority::Authority;
use crate::json::{Object, list};

/// Puts the decision, as the page sees it before asking, beside what was read.
pub(crate) fn with_verdict(review: &mut Object, authority: &Authority, request: &Request<'_>) -> String {
    let refusals = authority.judge(request).err().unwrap_or_default();
    let reasons: Vec<String> = refusals.iter().map(refusal).collect();
    let verdict = Object::new()
        .text("authority", authority.id())
        .flag("allowed", refusals.is_empty())
        .raw("refusals", &list(&reasons))
        .end();
    review.raw("verdict", &verdict).end()
}

/// A Solana transaction.
pub(crate) fn transaction(intent: &Intent, signed: Option<&Transaction>) -> Object {
    let signatures: Vec<String> = signed
        .map(Transaction::verify_signatures)
        .unwrap_or_default()
        .into_iter()
        .map(|(signer, state)| {
            let state = match state {
                SignatureState::Valid => "valid",
                SignatureState::Invalid => "invalid",
                SignatureState::Missing => "missing",
            };
            Object::new().shown("address", &signer).text("state", state).end()
        })
        .collect();
    let nonce = intent.durable_nonce.map(|nonce| {
        let account = nonce.account.map(|address| address.to_string());
        let authority = nonce.authority.map(|address| address.to_string());
        Object::new()
            .text_or_null("account", account.as_deref())
            .text_or_null("authority", authority.as_deref())
            .end()
    });
    let actions: Vec<String> = intent.actions.iter().map(action).collect();
    let mut review = Object::of_kind("transaction");
    review
        .text("messageSha256", &hex::encode(intent.message_sha256))
        .shown("feePayer", &intent.fee_payer)
        .texts("signers", &texts(&intent.signers))
        .raw("signatures", &list(&signatures))
        .texts("sentences", &intent.sentences())
        .raw("actions", &list(&actions))
        .shown("maxPriorityFeeLamports", &intent.max_priority_fee().get())
        .shown_number("unresolvedLookupTables", &intent.unresolved_lookups)
        .raw("durableNonce", nonce.as_deref().unwrap_or("null"));
    review
}

/// A Solana message; what is none has no kind but `refused`, and the verdict says why.
pub(crate) fn message(bytes: &[u8]) -> Object {
    let mut review;
    match read(bytes) {
        Ok(SignableMessage::OffChain(message)) => {
            review = Object::of_kind("off-chain-message");
            review
                .text("text", message.text())
                .texts("signers", &texts(message.signers()));
        }
        Ok(SignableMessage::SignIn(sign_in)) => {
            review = Object::of_kind("sign-in");
            review
                .text("text", &sign_in.to_text())
                .text("domain", &sign_in.fields().domain)
                .texts("sentences", &sign_in.summary());
        }
        Ok(SignableMessage::Text(text)) => {
            review = Object::of_kind("text");
            review.text("text", &text);
        }
        Ok(SignableMessage::Binary) => {
            review = Object::of_kind("binary");
            review.text("hex", &hex::encode(bytes));
        }
        Err(_) => review = Object::of_kind("refused"),
    }
    review
}

/// A personal message of EIP-191; what nobody could read has no kind but `refused`, and the verdict says why.
pub(crate) fn personal_message(bytes: &[u8]) -> Object {
    match (personal::check(bytes), str::from_utf8(bytes)) {
        (Ok(()), Ok(text)) => {
            let mut review = Object::of_kind("text");
            review.text("text", text);
            review
        }
        _ => Object::of_kind("refused"),
    }
}

fn refusal(refusal: &Refusal) -> String {
    Object::new()
        .text("code", refusal.code())
        .shown("message", refusal)
        .end()
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

fn of_type(name: &str) -> Object {
    let mut object = Object::new();
    object.text("type", name);
    object
}

fn action(action: &Action) -> String {
    match action {
        Action::SolTransfer { from, to, lamports } => of_type("sol-transfer")
            .shown("from", from)
            .shown("to", to)
            .shown("lamports", &lamports.get())
            .end(),
        Action::TokenTransfer {
            program,
            source,
            destination,
            authority,
            mint,
            amount,
            decimals,
            ..
        } => {
            let mint = mint.map(|mint| mint.to_string());
            let mut object = of_type("token-transfer");
            object
                .shown("program", program)
                .shown("source", source)
                .shown("destination", destination)
                .shown("authority", authority)
                .text_or_null("mint", mint.as_deref())
                .shown("amount", amount);
            match decimals {
                Some(decimals) => object.shown_number("decimals", decimals),
                None => object.raw("decimals", "null"),
            };
            object.end()
        }
        Action::Memo { text, bytes_len, .. } => of_type("memo")
            .text_or_null("text", text.as_deref())
            .shown_number("length", bytes_len)
            .end(),
        Action::ComputeBudget { setting } => of_type("compute-budget")
            .text("setting", &format!("{setting:?}"))
            .end(),
        Action::Decoded {
            program,
            program_name,
            instruction,
            fields,
            dangers,
        } => {
            let fields: Vec<String> = fields.iter().map(field).collect();
            let dangers: Vec<String> = dangers.iter().map(Danger::to_string).collect();
            of_type("decoded")
                .shown("program", program)
                .text("programName", program_name)
                .text("instruction", instruction)
                .raw("fields", &list(&fields))
                .texts("dangers", &dangers)
                .end()
        }
        Action::Unknown {
            program,
            program_name,
            accounts,
            data_len,
            data_start,
            reason,
        } => of_type("unknown")
            .shown("program", program)
            .text_or_null("programName", *program_name)
            .texts("accounts", &texts(accounts))
            .shown_number("dataLength", data_len)
            .text("dataStart", &hex::encode(data_start))
            .shown("reason", reason)
            .end(),
        _ => of_type("unknown").end(),
    }
}

fn field(field: &Field) -> String {
    let mut object = Object::new();
    object.text("label", field.label);
    let text = match &field.value {
        FieldValue::Accounts(addresses) => {
            return object
                .text("kind", "accounts")
                .texts("value", &texts(addresses))
                .end();
        }
        FieldValue::Addresses(addresses) => {
            return object
                .text("kind", "addresses")
                .texts("value", &texts(addresses))
                .end();
        }
        FieldValue::Account(address) => ("account", address.to_string()),
        FieldValue::Address(address) => ("address", address.to_string()),
        FieldValue::Lamports(lamports) => ("lamports", lamports.get().to_string()),
        FieldValue::Number(number) => ("number", number.to_string()),
        FieldValue::Signed(number) => ("number", number.to_string()),
        FieldValue::Word(word) => ("word", (*word).to_string()),
        FieldValue::Text(text) => ("text", text.clone()),
        FieldValue::Bytes(bytes) => ("bytes", hex::encode(bytes)),
        _ => return object.text("kind", "nothing").raw("value", "null").end(),
    };
    let (kind, value) = text;
    object.text("kind", kind).text("value", &value).end()
}

/// An account as JSON.
pub(crate) fn account(address: &AccountAddress, path: Option<&str>, label: &str) -> String {
    Object::new()
        .text("chain", address.chain().id())
        .shown("address", address)
        .text_or_null("path", path)
        .text("label", label)
        .end()
}
