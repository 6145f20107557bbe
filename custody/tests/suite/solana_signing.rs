//! Messages, sign-ins, lookup tables, version 1 and signatures of others.

use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::Lamports;
use keyward_core::audit::{AuditEntry, Operation, Outcome};
use keyward_core::ed25519::{SecretKey, verify};
use keyward_core::intent::Action;
use keyward_core::offchain::OffChainMessage;
use keyward_core::siws::{SignIn, SignInFields};
use keyward_core::solana::{
    AccountMeta, AddressTableLookup, Instruction, Message, MessageVersion, Transaction, TransactionConfig,
    compile_message, instructions,
};
use keyward_custody::chain::LookupTables;
use keyward_custody::{AuditQuery, Custody, PreviewDecision, SignError, SignRequest, WalletPasswords};

use crate::fixture::{Fixture, NETWORK, START_MS, first, recipient};

const TABLE: Address = Address::new([0x7a; 32]);

async fn newest(custody: &Custody) -> AuditEntry {
    let query = AuditQuery {
        limit: 1,
        ..AuditQuery::default()
    };
    custody.audit_entries(&query).await.unwrap().rows.remove(0)
}

/// The refusal is in the log, by its code.
async fn refused(custody: &Custody, error: SignError, operation: Operation, code: &str) {
    assert_eq!(error.code(), code, "{error}");
    assert!(!error.to_string().is_empty() && !error.remedy().is_empty());
    let entry = newest(custody).await;
    assert_eq!(
        (entry.operation, entry.outcome, entry.reason.as_str()),
        (operation, Outcome::Refused, code)
    );
    assert!(entry.subject.is_some());
}

#[tokio::test]
async fn text_of_every_script_is_signed_as_it_is() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    for text in ["Подтвердите вход", "你好", "👋 hello", "é"] {
        let signature = custody.sign_message(first(), text.as_bytes()).await.unwrap();
        verify(&first(), text.as_bytes(), signature.as_ed25519().unwrap()).unwrap();
    }
    // A version that may come, in bytes that are no text.
    let error = custody
        .sign_message(first(), b"\xc3\xa9\x01\x00\x01 and so on")
        .await
        .unwrap_err();
    refused(&custody, error, Operation::SignMessage, "looks-like-transaction").await;
}

#[tokio::test]
async fn off_chain_messages_are_signed_by_those_whom_they_name() {
    let fixture = Fixture::new();
    let custody = fixture.vault(2).await;
    let text = "I own this wallet";
    let stranger = Address::new([9; 32]);
    let named = [
        OffChainMessage::v0([4; 32], [stranger, first()], text).unwrap(),
        OffChainMessage::v1([first()], text).unwrap(),
        OffChainMessage::short(text).unwrap(),
    ];
    for message in named {
        let signature = custody.sign_message(first(), &message.encode()).await.unwrap();
        message.verify(&first(), signature.as_ed25519().unwrap()).unwrap();
        let preview = custody.preview_message(first(), &message.encode()).await.unwrap();
        assert_eq!(preview.sentences.last().map(String::as_str), Some(text));
        assert!(matches!(preview.decision, PreviewDecision::Allowed { .. }));
    }
    let kinds = "SELECT COUNT(*) FROM intents WHERE kind = 'off-chain-message'";
    assert_eq!(fixture.number(kinds).await, 3);

    let others = OffChainMessage::v1([stranger], text).unwrap().encode();
    let error = custody.sign_message(first(), &others).await.unwrap_err();
    refused(&custody, error, Operation::SignMessage, "not-invited").await;
    assert!(custody.preview_message(first(), &others).await.is_err());
    // Cut short it is neither an off-chain message nor a text.
    let error = custody
        .sign_message(first(), &others[..others.len() - text.len()])
        .await
        .unwrap_err();
    assert_eq!(error.code(), "malformed-message", "{error}");
    assert_eq!(fixture.number("SELECT COUNT(*) FROM intents").await, 3);
}

fn sign_in(domain: &str, issued_at: &str) -> SignIn {
    let mut fields = SignInFields::new(domain, first());
    fields.uri = Some(format!("https://{domain}/login"));
    fields.nonce = Some("8f3kq92m".to_owned());
    fields.issued_at = Some(issued_at.parse().unwrap());
    fields.expiration_time = Some("2027-01-15T08:30:00Z".parse().unwrap());
    SignIn::new(fields).unwrap()
}

#[tokio::test]
async fn sign_ins_are_signed_for_the_page_that_asks_while_they_hold() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let none = WalletPasswords::none();
    // The fixture's clock begins at 2027-01-15 08:00:00 UTC.
    assert_eq!(START_MS, 1_800_000_000_000);
    let good = sign_in("example.com", "2027-01-15T07:59:30Z");
    let signature = custody
        .sign_in(&good, "https://example.com", &none)
        .await
        .unwrap();
    verify(&first(), good.to_text().as_bytes(), &signature).unwrap();
    let again = custody
        .sign_in(&good, "https://example.com", &none)
        .await
        .unwrap();
    assert_eq!(again, signature);
    let kinds = "SELECT COUNT(*) FROM intents WHERE kind = 'sign-in'";
    assert_eq!(fixture.number(kinds).await, 1);
    let preview = custody
        .preview_sign_in(&good, "https://example.com")
        .await
        .unwrap();
    assert!(matches!(preview.decision, PreviewDecision::Allowed { .. }));

    for origin in [
        "https://examp1e.com",
        "https://example.com.evil.org",
        "http://evil.org",
        "",
    ] {
        let error = custody.sign_in(&good, origin, &none).await.unwrap_err();
        refused(&custody, error, Operation::SignMessage, "sign-in-refused").await;
        assert!(custody.preview_sign_in(&good, origin).await.is_err());
    }
    for other_time in ["2027-01-15T07:40:00Z", "2027-01-15T08:20:00Z"] {
        let early_or_late = sign_in("example.com", other_time);
        let error = custody
            .sign_in(&early_or_late, "example.com", &none)
            .await
            .unwrap_err();
        refused(&custody, error, Operation::SignMessage, "sign-in-refused").await;
        let preview = custody
            .preview_sign_in(&early_or_late, "example.com")
            .await
            .unwrap();
        assert!(matches!(preview.decision, PreviewDecision::Refused { .. }));
    }
    // As a plain text nobody would look at the page.
    let error = custody
        .sign_message(first(), good.to_text().as_bytes())
        .await
        .unwrap_err();
    refused(&custody, error, Operation::SignMessage, "sign-in-unchecked").await;
    // Nor in a wrapper, which some pages take.
    let wrapped = OffChainMessage::v1([first()], &good.to_text()).unwrap().encode();
    let error = custody.sign_message(first(), &wrapped).await.unwrap_err();
    refused(&custody, error, Operation::SignMessage, "sign-in-unchecked").await;
    // What was signed is not handed out any more once it has expired.
    fixture.clock.advance(30 * 60 * 1_000);
    let error = custody.sign_in(&good, "example.com", &none).await.unwrap_err();
    refused(&custody, error, Operation::SignMessage, "sign-in-refused").await;
    assert_eq!(fixture.number("SELECT COUNT(*) FROM intents").await, 1);
}

/// A payment whose recipient is entry 1 of a lookup table.
fn looked_up_payment(lamports: u64) -> Vec<u8> {
    let pay = instructions::sol_transfer(first(), recipient(), Lamports::new(lamports));
    let listed = compile_message(MessageVersion::V0, first(), &[pay], Blockhash::new([3; 32])).unwrap();
    let keys: Vec<Address> = listed
        .account_keys
        .iter()
        .copied()
        .filter(|key| *key != recipient())
        .collect();
    let mut message = Message {
        account_keys: keys,
        lookups: vec![AddressTableLookup {
            table: TABLE,
            writable: vec![1],
            readonly: Vec::new(),
        }],
        ..listed
    };
    // The payer, the program, then what is looked up.
    message.instructions[0].program_index = 1;
    message.instructions[0].accounts = vec![0, 2];
    Transaction::unsigned(message).encode()
}

fn with_tables(transaction: Vec<u8>, tables: LookupTables) -> SignRequest {
    SignRequest {
        lookup_tables: tables,
        ..SignRequest::new(transaction, NETWORK)
    }
}

#[tokio::test]
async fn lookup_tables_are_signed_with_their_contents_and_refused_without() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let bytes = looked_up_payment(5);
    let other = Address::new([8; 32]);
    let table = |held: &[Address]| LookupTables::new([(TABLE, held.to_vec())]);

    let unresolved = SignRequest::new(bytes.clone(), NETWORK);
    let error = custody.sign_transaction(unresolved.clone()).await.unwrap_err();
    let SignError::Refused { reasons } = &error else {
        panic!("{error}")
    };
    assert!(
        reasons.iter().any(|reason| reason.code() == "unresolved-lookup"),
        "{error}"
    );
    assert!(newest(&custody).await.reason.contains("unresolved-lookup"));
    for tables in [
        LookupTables::new([(other, vec![other, recipient()])]),
        table(&[]),
        table(&[other]),
        table(&[other, first()]),
    ] {
        let request = with_tables(bytes.clone(), tables);
        assert!(custody.preview_request(&request).await.is_err());
        let error = custody.sign_transaction(request).await.unwrap_err();
        refused(&custody, error, Operation::SignTransaction, "lookup-tables").await;
    }
    assert_eq!(fixture.number("SELECT COUNT(*) FROM intents").await, 0);

    let request = with_tables(bytes.clone(), table(&[other, recipient()]));
    let preview = custody.preview_request(&request).await.unwrap();
    assert!(matches!(preview.decision, PreviewDecision::Allowed { .. }));
    let signed = custody.sign_transaction(request.clone()).await.unwrap();
    let decoded = Transaction::decode(&signed.bytes).unwrap();
    verify(&first(), &decoded.message_bytes(), &signed.signature).unwrap();
    let expected = Action::SolTransfer {
        from: first(),
        to: recipient(),
        lamports: Lamports::new(5),
    };
    assert_eq!(signed.intent.actions, [expected]);
    assert!(
        newest(&custody).await.subject.is_some() && fixture.number("SELECT COUNT(*) FROM intents").await == 1
    );
    let again = custody.sign_transaction(request).await.unwrap();
    assert_eq!(again.bytes, signed.bytes);
    assert_eq!(fixture.number("SELECT COUNT(*) FROM intents").await, 1);
    // The same bytes over other contents are another intent, reserved by itself.
    let elsewhere = with_tables(bytes, table(&[recipient(), other]));
    custody.sign_transaction(elsewhere).await.unwrap();
    assert_eq!(fixture.number("SELECT COUNT(*) FROM spend_reservations").await, 2);
    // It is over the limit wherever the recipient stands.
    let large = with_tables(looked_up_payment(1_000_000_001), table(&[other, recipient()]));
    let error = custody.sign_transaction(large).await.unwrap_err();
    assert_eq!(error.code(), "over-limit");
}

#[tokio::test]
async fn version_1_is_signed_and_its_fee_is_held_to_the_limit() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let version_1 = |fee: u64| {
        let config = TransactionConfig {
            priority_fee: Some(Lamports::new(fee)),
            compute_unit_limit: Some(10_000),
            ..TransactionConfig::default()
        };
        let pay = instructions::sol_transfer(first(), recipient(), Lamports::new(5));
        let hash = Blockhash::new([3; 32]);
        let message = compile_message(MessageVersion::V1(config), first(), &[pay], hash).unwrap();
        SignRequest::new(Transaction::unsigned(message).encode(), NETWORK)
    };
    let signed = custody.sign_transaction(version_1(10_000_000)).await.unwrap();
    let decoded = Transaction::decode(&signed.bytes).unwrap();
    verify(&first(), &decoded.message_bytes(), &signed.signature).unwrap();
    assert!(decoded.is_fully_signed());
    let error = custody.sign_transaction(version_1(10_000_001)).await.unwrap_err();
    assert_eq!(error.code(), "fee-cap", "{error}");
}

#[tokio::test]
async fn durable_nonces_are_named_in_the_log() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let nonce = Address::new([0x6e; 32]);
    let meta = |address, is_signer, is_writable| AccountMeta {
        address,
        is_signer,
        is_writable,
    };
    let sysvar: Address = "SysvarRecentB1ockHashes11111111111111111111".parse().unwrap();
    let by = |authority| {
        let advance = Instruction {
            program: keyward_core::intent::programs::SYSTEM,
            accounts: vec![
                meta(nonce, false, true),
                meta(sysvar, false, false),
                meta(authority, true, false),
            ],
            data: 4_u32.to_le_bytes().to_vec(),
        };
        let pay = instructions::sol_transfer(first(), recipient(), Lamports::new(5));
        SignRequest::new(crate::fixture::transaction(first(), &[advance, pay], 1), NETWORK)
    };
    let own = custody.sign_transaction(by(first())).await.unwrap();
    assert!(own.intent.durable_nonce.is_some());
    let request = by(recipient());
    let preview = custody.preview_request(&request).await.unwrap();
    let account = preview.intent.durable_nonce.and_then(|nonce| nonce.account);
    assert_eq!(account, Some(nonce));
    // A new vault's policy allows nonces of its own wallets alone; the log says what it was.
    let error = custody.sign_transaction(request).await.unwrap_err();
    assert_eq!(error.code(), "outside-rule", "{error}");
    let details = newest(&custody).await.details;
    assert!(
        details.contains("Never expire") && details.contains(&nonce.to_string()),
        "{details}"
    );
}

/// A payment that a stranger pays the fee of, with what stands in the stranger's place.
fn with_foreign(stranger: &SecretKey, place: impl Fn(&[u8]) -> Signature) -> SignRequest {
    let pay = instructions::sol_transfer(first(), recipient(), Lamports::new(5));
    let bytes = crate::fixture::transaction(stranger.address(), &[pay], 1);
    let transaction = Transaction::decode(&bytes).unwrap();
    let signature = place(&transaction.message_bytes());
    let transaction = transaction
        .with_signature(&stranger.address(), signature)
        .unwrap();
    SignRequest::new(transaction.encode(), NETWORK)
}

#[tokio::test]
async fn signatures_of_others_are_kept_and_invalid_ones_refused() {
    let fixture = Fixture::new();
    let custody = fixture.vault(1).await;
    let stranger = SecretKey::from_seed(&[0x51; 32]);
    let invalid = |_: &[u8]| stranger.sign(b"another message");
    let bad = with_foreign(&stranger, invalid);
    let preview = custody.preview_request(&bad).await.unwrap();
    let PreviewDecision::Refused { reasons } = preview.decision else {
        panic!("allowed")
    };
    assert_eq!(reasons[0].code, "invalid-signature");
    let error = custody.sign_transaction(bad).await.unwrap_err();
    assert!(
        matches!(&error, SignError::InvalidSignature { signer } if *signer == stranger.address()),
        "{error}"
    );
    refused(&custody, error, Operation::SignTransaction, "invalid-signature").await;
    assert_eq!(fixture.number("SELECT COUNT(*) FROM intents").await, 0);

    let good = with_foreign(&stranger, |message| stranger.sign(message));
    let signed = custody.sign_transaction(good.clone()).await.unwrap();
    let before = Transaction::decode(&good.transaction).unwrap();
    let after = Transaction::decode(&signed.bytes).unwrap();
    assert_eq!(after.signatures[0], before.signatures[0]);
    assert_eq!(signed.signature, before.signatures[0]);
    assert!(after.is_fully_signed() && !before.is_fully_signed());

    // What stands in an own wallet's place, left from another blockhash, is signed anew.
    let stale = Transaction::decode(&crate::fixture::transfer(6, 1).transaction)
        .unwrap()
        .with_signature(&first(), Signature::new([7; 64]))
        .unwrap();
    let signed = custody
        .sign_transaction(SignRequest::new(stale.encode(), NETWORK))
        .await
        .unwrap();
    verify(&first(), &stale.message_bytes(), &signed.signature).unwrap();
}
