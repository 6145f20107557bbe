//! Vault files and signatures made natively, for the tests in pages and in Node: what this test computes with the core
//! alone must be what lies in `fixtures/`. With `KEYWARD_WRITE_FIXTURES=1` it writes them anew.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "tests")]

use keyward_core::address::{Address, Blockhash};
use keyward_core::amount::Lamports;
use keyward_core::derive::derive_path;
use keyward_core::evm::transaction::Transaction as EvmTransaction;
use keyward_core::evm::typed_data::TypedData;
use keyward_core::evm::{self, keccak256, personal};
use keyward_core::key::WalletKey;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::{DerivationPath, PathFamily};
use keyward_core::policy::{Policy, PolicyLimits};
use keyward_core::solana::{MessageVersion, Transaction, TransactionConfig, compile_message, instructions};
use keyward_core::vault::{
    CreateVault, FileContents, FileMaster, FilePolicy, FileWallet, KdfParams, MasterSecret, RecordId,
    RecordPublicKey, VaultFile, VaultHeader, VaultId, VaultKey, seal_record,
};
use keyward_core::{ed25519, secp256k1};
use serde_json::json;

const PASSWORD: &str = "correct horse battery staple";
/// The phrase of many development chains.
const PHRASE: &str = "test test test test test test test test test test test junk";
const SOLANA_PATH: &str = "m/44'/501'/0'/0'";
const EVM_PATH: &str = "m/44'/60'/0'/0/0";
/// EIP-155's example: one ether on chain 1.
const EVM_PAYLOAD: &str =
    "ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080";
const MAIL: &str = include_str!("fixtures/mail.json");

struct Keys {
    solana: ed25519::SecretKey,
    evm: secp256k1::SecretKey,
    imported: ed25519::SecretKey,
}

fn keys(mnemonic: &Mnemonic) -> Keys {
    let seed = mnemonic.to_seed("");
    Keys {
        solana: derive_path(&seed, &SOLANA_PATH.parse().unwrap()).unwrap(),
        evm: evm::derive_path(&seed, &EVM_PATH.parse().unwrap()).unwrap(),
        imported: ed25519::SecretKey::from_seed(&[7; 32]),
    }
}

fn wallet(
    (header, key): (&VaultHeader, &VaultKey),
    number: u8,
    secret: &WalletKey,
    derived: Option<(&str, PathFamily)>,
) -> FileWallet {
    let mut wallet = FileWallet {
        record: RecordId::from_bytes([number; 16]),
        created_at_ms: 1_700_000_000_000,
        master: derived.map(|_| RecordId::from_bytes([10; 16])),
        path: derived.map(|(path, _)| path.parse::<DerivationPath>().unwrap()),
        family: derived.map_or("", |(_, family)| family.id()).into(),
        public_key: RecordPublicKey::of(secret),
        label: format!("wallet {number}"),
        tags: vec!["test".into()],
        sealed: Vec::new(),
    };
    let context = wallet.context(header);
    wallet.sealed = seal_record(key, &context, secret.expose_secret(), [number; 32]).unwrap();
    wallet
}

fn vault_file(policy: Option<FilePolicy>) -> Vec<u8> {
    let (header, key) = VaultHeader::create(CreateVault {
        vault: VaultId::from_bytes([1; 16]),
        kdf: KdfParams::MINIMUM,
        password: PASSWORD.as_bytes(),
        second_factor: None,
        key: [2; 32],
        slot_salt: [3; 32],
        wrap_salt: [4; 32],
    })
    .unwrap();
    let mnemonic = Mnemonic::parse(PHRASE).unwrap();
    let own = keys(&mnemonic);
    let mut master = FileMaster {
        record: RecordId::from_bytes([10; 16]),
        created_at_ms: 1_700_000_000_000,
        label: "phrase".into(),
        family: PathFamily::Bip44Change.id().into(),
        sealed: Vec::new(),
    };
    let secret = MasterSecret::new(&mnemonic, "").unwrap().encode();
    master.sealed = seal_record(&key, &master.context(&header), &secret, [10; 32]).unwrap();
    let place = (&header, &key);
    let contents = FileContents {
        created_at_ms: 1_700_000_000_000,
        wallets: vec![
            wallet(
                place,
                11,
                &own.solana.into(),
                Some((SOLANA_PATH, PathFamily::Bip44Change)),
            ),
            wallet(place, 12, &own.evm.into(), Some((EVM_PATH, PathFamily::EvmBip44))),
            wallet(place, 13, &own.imported.into(), None),
        ],
        masters: vec![master],
        policy,
    };
    VaultFile::seal(&header, &key, &contents, [5; 32]).unwrap()
}

/// One SOL and a hundred whole tokens in a transaction; nothing on EVM chains but messages.
fn policy() -> FilePolicy {
    let policy = Policy::default_for(PolicyLimits {
        sol_per_transaction: Lamports::ONE_SOL,
        tokens_per_transaction: 100,
        max_priority_fee: Lamports::new(1_000_000),
        evm: None,
    });
    FilePolicy {
        json: policy.to_json().unwrap(),
        signature: vec![0; 64],
    }
}

fn transfer(from: Address, version: MessageVersion, lamports: u64) -> Transaction {
    let instruction = instructions::sol_transfer(from, Address::new([9; 32]), Lamports::new(lamports));
    let blockhash = Blockhash::new([8; 32]);
    Transaction::unsigned(compile_message(version, from, &[instruction], blockhash).unwrap())
}

fn signatures() -> String {
    let own = keys(&Mnemonic::parse(PHRASE).unwrap());
    let text = "Keyward signs this alike in every place";
    let address = own.solana.address();
    let version_1 = MessageVersion::V1(TransactionConfig {
        priority_fee: Some(Lamports::new(5_000)),
        ..TransactionConfig::default()
    });
    let sample = |(name, version, lamports): (&str, MessageVersion, u64)| {
        let unsigned = transfer(address, version, lamports);
        let message = unsigned.message_bytes();
        let signature = own.solana.sign(&message);
        let signed = unsigned.clone().with_signature(&address, signature).unwrap();
        json!({
            "name": name,
            "message": hex::encode(&message),
            "unsigned": hex::encode(unsigned.encode()),
            "signature": hex::encode(signature.as_bytes()),
            "signed": hex::encode(signed.encode()),
        })
    };
    let transactions: Vec<_> = [
        ("legacy", MessageVersion::Legacy, 5),
        ("v0", MessageVersion::V0, 5),
        ("two SOL", MessageVersion::V0, 2_000_000_000),
    ]
    .map(sample)
    .into();
    let evm_address = own.evm.address();
    let evm_signature = |hash: &[u8; 32]| {
        format!(
            "0x{}",
            hex::encode(own.evm.sign_prehash(hash).unwrap().to_bytes())
        )
    };
    let payload = hex::decode(EVM_PAYLOAD).unwrap();
    let signed = EvmTransaction::decode_unsigned(&payload)
        .unwrap()
        .into_signed(own.evm.sign_prehash(&keccak256(&payload)).unwrap(), &evm_address)
        .unwrap();
    let all = json!({
        "password": PASSWORD,
        "phrase": PHRASE,
        "text": text,
        "vault": VaultId::from_bytes([1; 16]).to_string(),
        "imported": own.imported.address().to_string(),
        "solana": {
            "address": address.to_string(),
            "path": SOLANA_PATH,
            "signature": hex::encode(own.solana.sign(text.as_bytes()).as_bytes()),
            "transactions": transactions,
            "version1": sample(("v1", version_1, 5)),
        },
        "evm": {
            "address": evm_address.to_string(),
            "path": EVM_PATH,
            "signature": evm_signature(&personal::signing_hash(text.as_bytes())),
            "typedData": evm_signature(&TypedData::from_json(MAIL).unwrap().signing_hash()),
            "unsigned": format!("0x{EVM_PAYLOAD}"),
            "signed": format!("0x{}", hex::encode(signed.encode())),
        },
    });
    format!("{}\n", serde_json::to_string_pretty(&all).unwrap())
}

fn check(name: &str, expected: &[u8]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    if std::env::var_os("KEYWARD_WRITE_FIXTURES").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    assert!(
        std::fs::read(&path).unwrap() == expected,
        "{name} is not what the core makes; see this file's header"
    );
}

#[test]
fn the_fixtures_are_what_the_core_makes() {
    check("native.keyward", &vault_file(None));
    check("policy.keyward", &vault_file(Some(policy())));
    check("native.json", signatures().as_bytes());
}
