#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

#[test]
fn the_wallet_must_be_the_one_asked_for() {
    let intent = EvmIntent::from_transaction(&transaction(vec![], 1), OTHER);
    let wallet = wallet();
    let request = Request::EvmTransaction {
        wallet: &wallet,
        intent: &intent,
    };
    assert_eq!(
        codes(&evaluate(&default(), &request, &Facts::default())),
        ["not-a-signer"]
    );
}

#[test]
fn personal_messages_are_plain_texts() {
    let payload = transaction(vec![], 1).encode_unsigned();
    let approval = allowed(message(&Policy::default_for(solana_only()), b"hello"));
    assert_eq!(approval.rules(), ["text-messages"]);
    for (own, expected) in [
        (&b""[..], vec!["not-text"]),
        (&payload, vec!["looks-like-transaction", "not-text"]),
        (hex::encode(&payload).as_bytes(), vec!["looks-like-transaction"]),
        (&[0xab; 32], vec!["looks-like-hash", "not-text"]),
        ("ab".repeat(32).as_bytes(), vec!["looks-like-hash"]),
        (b"a\x1b[0m", vec!["not-text"]),
        ("a\u{202e}b".as_bytes(), vec!["not-text"]),
        (&personal::signing_payload(b"hello there"), vec!["not-text"]),
        (
            b"example.com wants you to sign in with your Ethereum account:\n0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n",
            vec!["sign-in-unchecked"],
        ),
        (
            hex::encode("a wants you to sign in with your Ethereum account:").as_bytes(),
            vec!["sign-in-unchecked"],
        ),
        (
            b"\n https://a wants you to sign in with your ethereum account: \n0x",
            vec!["sign-in-unchecked"],
        ),
        (b"Nobody wants you to sign in with your Ethereum account: relax", vec![]),
    ] {
        assert_eq!(codes(&message(&default(), own)), expected, "{own:02x?}");
    }
    let on_chain = rules(
        r#"{"name":"r","effect":"allow","match":{"operations":["text-message"],"chains":["eip155:56"]}}"#,
    );
    assert_eq!(codes(&message(&on_chain, b"hello")), ["not-allowed"]);
}

fn document(primary_type: &str, contract: &str) -> TypedData {
    TypedData::from_json(&format!(
        r#"{{"types":{{"EIP712Domain":[{{"name":"chainId","type":"uint256"}},{{"name":"verifyingContract","type":"address"}}],
        "{primary_type}":[{{"name":"value","type":"uint256"}}]}},"primaryType":"{primary_type}",
        "domain":{{"chainId":56,"verifyingContract":"{contract}"}},"message":{{"value":5}}}}"#
    ))
    .unwrap()
}

#[test]
fn typed_data_must_be_named_and_dangers_by_their_own_name() {
    let contract = "0x2222222222222222222222222222222222222222";
    let wallet = wallet();
    let decide = |policy: &Policy, typed_data: &TypedData| {
        let request = Request::TypedData {
            wallet: &wallet,
            typed_data,
        };
        evaluate(policy, &request, &Facts::default())
    };
    let (greeting, permit) = (document("Greeting", contract), document("Permit", contract));
    assert_eq!(codes(&decide(&default(), &greeting)), ["not-allowed"]);
    let harmless = rules(&format!(
        r#"{{"name":"r","effect":"allow","match":{{"operations":["typed-data"],"chains":["eip155:56"],"programs":["{contract}"]}}}}"#
    ));
    let approval = allowed(decide(&harmless, &greeting));
    assert_eq!(codes(&decide(&harmless, &permit)), ["not-allowed"]);
    let other = document("Greeting", "0x3333333333333333333333333333333333333333");
    assert_eq!(codes(&decide(&harmless, &other)), ["not-allowed"]);
    let grave = |more: &str| {
        rules(&format!(
            r#"{{"name":"r","effect":"allow","match":{{"operations":["evm-approval","typed-data-approval"],"programs":["{contract}"]}}{more}}}"#
        ))
    };
    let _ = allowed(decide(&grave(""), &permit));
    // The contract must be listed, and data that names none is for whoever asks.
    let anywhere =
        r#"{"version":1,"rules":[{"name":"r","effect":"allow","match":{"operations":["typed-data"]}}]}"#;
    assert!(matches!(
        Policy::from_json(anywhere),
        Err(PolicyError::AnyProgram(_))
    ));
    let nowhere = TypedData::from_json(
        r#"{"types":{"EIP712Domain":[{"name":"chainId","type":"uint256"}],"Greeting":[{"name":"value","type":"uint256"}]},
        "primaryType":"Greeting","domain":{"chainId":56},"message":{"value":5}}"#,
    )
    .unwrap();
    assert_eq!(codes(&decide(&harmless, &nowhere)), ["not-allowed"]);
    // No limit can be held.
    for limits in [
        r#""evm_units_per_transaction":"1000000000""#,
        r#""whole_tokens_per_transaction":5"#,
        r#""lamports_per_transaction":5"#,
        r#""windows":[{"asset":"eip155:1/native","duration_ms":1,"maximum_units":1}]"#,
    ] {
        let mut policy = grave(&format!(r#","limits":{{{limits}}}"#));
        assert_eq!(
            codes(&decide(&policy, &permit)),
            ["unlimitable-typed-data"],
            "{limits}"
        );
        // A rule without them is enough.
        let mut free = grave("").rules;
        free[0].name = "free".into();
        policy.rules.extend(free);
        assert_eq!(allowed(decide(&policy, &permit)).rules(), ["free"]);
    }
    // A token's rule is one for what its contract checks.
    let mut denied = grave("");
    let token =
        format!(r#"{{"name":"no","effect":"deny","match":{{"assets":["eip155:56/erc20:{contract}"]}}}}"#);
    denied.rules.extend(rules(&token).rules);
    assert_eq!(codes(&decide(&denied, &permit)), ["denied"]);

    let approved = ApprovedMessage::new(approval, greeting.signing_payload()).unwrap();
    let signature = *approved.sign(&key()).unwrap().as_secp256k1().unwrap();
    let signer = secp256k1::recover(&greeting.signing_hash(), &signature).unwrap();
    assert_eq!(signer.address(), wallet);
}

#[test]
fn an_approved_transaction_is_signed_and_no_other() {
    let own = transaction(vec![], 5);
    let approve = || allowed(decide(&default(), &own));
    let other = transaction(vec![], 6);
    assert_eq!(
        ApprovedMessage::new(approve(), other.encode_unsigned()).err(),
        Some(ApprovalMismatch)
    );
    // The hash of the payload is not the payload.
    assert_eq!(
        ApprovedMessage::new(approve(), own.signing_hash().to_vec()).err(),
        Some(ApprovalMismatch)
    );
    let approved = || ApprovedMessage::new(approve(), own.encode_unsigned()).unwrap();
    let signature = approved().sign(&key()).unwrap();
    assert_eq!(signature.to_string().parse(), Ok(signature));
    assert_eq!(signature.to_string().len(), 132);
    let signed = own
        .clone()
        .into_signed(*signature.as_secp256k1().unwrap(), &wallet())
        .unwrap();
    assert_eq!(signed.sender(), &wallet());

    let foreign = WalletKey::from(SecretKey::from_bytes(&[0x47; 32]).unwrap());
    let same_bytes = WalletKey::from(ed25519::SecretKey::from_seed(&[0x46; 32]));
    for wrong in [foreign, same_bytes] {
        assert!(matches!(approved().sign(&wrong), Err(SignError::WrongKey { .. })));
    }
}

#[test]
fn an_export_is_approved_for_itself_alone() {
    let wallet = AccountAddress::from(wallet());
    let request = Request::ExportKey { wallet: &wallet };
    let policy = Policy::default_for(solana_only());
    let approve = || allowed(evaluate(&policy, &request, &Facts::default()));
    assert_eq!(approve().rules(), ["the owner exports keys"]);
    assert_eq!(ApprovedExport::new(&approve()).unwrap().wallet(), &wallet);
    let subject = format!("keyward/export-key/v1 {wallet}");
    assert_eq!(
        ApprovedMessage::new(approve(), subject.into_bytes()).err(),
        Some(ApprovalMismatch)
    );
    let text = allowed(message(&default(), b"hello"));
    assert_eq!(ApprovedExport::new(&text).err(), Some(ApprovalMismatch));
    let mut strict = policy.clone();
    strict
        .rules
        .extend(rules(r#"{"name":"never","effect":"deny","match":{"operations":["export-key"]}}"#).rules);
    assert_eq!(codes(&evaluate(&strict, &request, &Facts::default())), ["denied"]);
}
