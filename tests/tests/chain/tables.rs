//! Version 0 transactions over lookup tables that are on a chain.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::Lamports;
use keyward_core::ed25519::SecretKey;
use keyward_core::intent::Action;
use keyward_core::solana::{
    AccountMeta, AddressTableLookup, Instruction, Message, MessageVersion, Transaction, compile_message,
    instructions,
};
use keyward_custody::chain::{ChainError, Commitment, LookupTables, NodeConfig, SearchScope, SolanaNode};
use keyward_custody::{SignError, SignRequest};
use keyward_tests::wait;
use serde_json::json;
use solana_address_lookup_table_interface::instruction as table_program;
use solana_pubkey::Pubkey;

use crate::faults::{FaultServer, Reply};
use crate::scene::{SOL, Scene, fresh_address};

const LIMIT: Duration = Duration::from_secs(60);

fn key(address: &Address) -> Pubkey {
    Pubkey::new_from_array(*address.as_bytes())
}

fn address(key: &Pubkey) -> Address {
    Address::new(key.to_bytes())
}

fn converted(instruction: &solana_instruction::Instruction) -> Instruction {
    Instruction {
        program: address(&instruction.program_id),
        accounts: instruction
            .accounts
            .iter()
            .map(|meta| AccountMeta {
                address: address(&meta.pubkey),
                is_signer: meta.is_signer,
                is_writable: meta.is_writable,
            })
            .collect(),
        data: instruction.data.clone(),
    }
}

async fn landed(node: &SolanaNode, signature: &Signature) {
    let status = wait::until("the transaction's landing", LIMIT, async || {
        let search = node
            .signature_status(signature, SearchScope::History)
            .await
            .unwrap();
        search
            .status
            .filter(|own| own.commitment >= Commitment::Confirmed)
    })
    .await
    .unwrap();
    assert_eq!(status.error, None);
}

/// Sends an instruction signed by somebody who is no wallet of the vault.
async fn send_by(node: &SolanaNode, owner: &SecretKey, instruction: &solana_instruction::Instruction) {
    let hash = node.latest_blockhash().await.unwrap().blockhash;
    let own = [converted(instruction)];
    let message = compile_message(MessageVersion::Legacy, owner.address(), &own, hash).unwrap();
    let transaction = Transaction::unsigned(message);
    let signature = owner.sign(&transaction.message_bytes());
    let signed = transaction.with_signature(&owner.address(), signature).unwrap();
    node.send_raw(&signed.encode()).await.unwrap();
    landed(node, &signature).await;
}

/// A table on the chain that holds these addresses, final.
async fn table(node: &SolanaNode, owner: &SecretKey, held: &[Address]) -> (Address, LookupTables) {
    let slot = node.tip(Commitment::Finalized).await.unwrap().slot;
    let (create, table) =
        table_program::create_lookup_table(key(&owner.address()), key(&owner.address()), slot);
    send_by(node, owner, &create).await;
    let authority = key(&owner.address());
    let extend =
        table_program::extend_lookup_table(table, authority, Some(authority), held.iter().map(key).collect());
    send_by(node, owner, &extend).await;
    let table = address(&table);
    let tables = wait::until("the final table", LIMIT, async || {
        match node.lookup_tables(&[table]).await {
            Ok(tables) => (tables.contents(&table) == Some(held)).then_some(tables),
            Err(ChainError::LookupTable { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    });
    (table, tables.await.unwrap())
}

/// A payment to entry `index` of a table.
fn payment(from: Address, lamports: u64, table: Address, index: u8, hash: Blockhash) -> Vec<u8> {
    let to = Address::new([0xfe; 32]);
    let pay = instructions::sol_transfer(from, to, Lamports::new(lamports));
    let listed = compile_message(MessageVersion::V0, from, &[pay], hash).unwrap();
    let mut message = Message {
        account_keys: listed
            .account_keys
            .iter()
            .copied()
            .filter(|key| *key != to)
            .collect(),
        lookups: vec![AddressTableLookup {
            table,
            writable: vec![index],
            readonly: Vec::new(),
        }],
        ..listed
    };
    message.instructions[0].program_index = 1;
    message.instructions[0].accounts = vec![0, 2];
    Transaction::unsigned(message).encode()
}

#[tokio::test]
async fn a_payment_to_an_account_in_a_table_lands_and_a_deactivated_table_is_refused() {
    let scene = Scene::with_quick_slots().await;
    let node = &scene.node;
    let owner = SecretKey::from_seed(fresh_address().as_bytes());
    scene.fund(&owner.address(), SOL).await;
    scene.fund(&scene.wallets[0], SOL).await;
    let (other, recipient) = (fresh_address(), fresh_address());
    let (table, tables) = table(node, &owner, &[other, recipient]).await;

    let hash = node.latest_blockhash().await.unwrap().blockhash;
    let bytes = payment(scene.wallets[0], 5_000_000, table, 1, hash);
    let network = node.network().await.unwrap();
    let unresolved = SignRequest::new(bytes.clone(), network.clone());
    let error = scene
        .custody
        .sign_transaction(unresolved.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, SignError::Refused { .. }), "{error}");
    let request = SignRequest {
        lookup_tables: tables,
        ..unresolved
    };
    let signed = scene.custody.sign_transaction(request).await.unwrap();
    let expected = Action::SolTransfer {
        from: scene.wallets[0],
        to: recipient,
        lamports: Lamports::new(5_000_000),
    };
    assert_eq!(signed.intent.actions, [expected]);
    assert_eq!(node.send_raw(&signed.bytes).await.unwrap(), signed.signature);
    landed(node, &signed.signature).await;
    // It went where the intent said, and nowhere else.
    assert_eq!(scene.balance(&recipient).await, 5_000_000);
    assert_eq!(scene.balance(&other).await, 0);

    for not_a_table in [scene.wallets[0], fresh_address()] {
        let error = node.lookup_tables(&[table, not_a_table]).await.unwrap_err();
        assert!(
            matches!(error, ChainError::LookupTable { table, .. } if table == not_a_table),
            "{error}"
        );
    }
    assert!(node.lookup_tables(&[]).await.unwrap().is_empty());
    let deactivate = table_program::deactivate_lookup_table(key(&table), key(&owner.address()));
    send_by(node, &owner, &deactivate).await;
    let error = wait::until("the deactivated table's refusal", LIMIT, async || {
        match node.lookup_tables(&[table]).await {
            Ok(tables) => {
                assert!(tables.contents(&table).is_some());
                None
            }
            Err(error) => Some(error),
        }
    })
    .await
    .unwrap();
    assert!(error.to_string().contains("deactivated"), "{error}");
}

/// The data of a table, as the program lays it out.
fn table_data(deactivation: u64, held: &[Address]) -> Vec<u8> {
    let mut data = 1_u32.to_le_bytes().to_vec();
    data.extend_from_slice(&deactivation.to_le_bytes());
    data.resize(56, 0);
    held.iter()
        .for_each(|address| data.extend_from_slice(address.as_bytes()));
    data
}

#[tokio::test]
async fn what_a_node_says_of_a_table_is_held_to_its_form() {
    let owner = "AddressLookupTab1e1111111111111111111111111";
    let held = [fresh_address(), fresh_address()];
    let good = STANDARD.encode(table_data(u64::MAX, &held));
    let cut = STANDARD.encode(&table_data(u64::MAX, &held)[..57]);
    let leaving = STANDARD.encode(table_data(9, &held));
    let account = |owner: &str, data: serde_json::Value| json!({ "lamports": 1, "owner": owner, "executable": false, "data": data });
    let system = "11111111111111111111111111111111";
    let table = fresh_address();
    for (expected, value) in [
        ("ok", json!([account(owner, json!([good, "base64"]))])),
        ("lookup-table", json!([null])),
        ("lookup-table", json!([account(system, json!([good, "base64"]))])),
        (
            "lookup-table",
            json!([account(owner, json!([leaving, "base64"]))]),
        ),
        ("lookup-table", json!([account(owner, json!([cut, "base64"]))])),
        ("lookup-table", json!([account(owner, json!(["", "base64"]))])),
        (
            "node-answer-nonsense",
            json!([account(owner, json!([good, "base58"]))]),
        ),
        (
            "node-answer-nonsense",
            json!([account(owner, json!(["!!", "base64"]))]),
        ),
        ("node-answer-nonsense", json!([account(owner, json!(good))])),
        ("node-answer-nonsense", json!([])),
        (
            "node-answer-nonsense",
            json!([account(owner, json!([good, "base64"])), null]),
        ),
        ("node-answer-nonsense", json!(null)),
    ] {
        let answer = json!({ "context": { "slot": 5 }, "value": value });
        let server = FaultServer::start(None, move |_| Reply::Result(answer.clone()))
            .await
            .unwrap();
        let node = SolanaNode::connect(&NodeConfig::new(&server.url)).unwrap();
        match node.lookup_tables(&[table]).await {
            Ok(tables) => {
                assert_eq!(expected, "ok", "{value}");
                assert_eq!(tables.contents(&table), Some(&held[..]));
            }
            Err(error) => assert_eq!(error.code(), expected, "{value}: {error}"),
        }
    }
    let node = SolanaNode::connect(&NodeConfig::new("http://127.0.0.1:9")).unwrap();
    let error = node.lookup_tables(&[table; 33]).await.unwrap_err();
    assert_eq!(error.code(), "out-of-bounds");
}
