//! Writes the seeds: one small, sound input or a few for each target that would not get there by itself.
//!
//! `cargo run --manifest-path fuzz/Cargo.toml --example seeds` writes `fuzz/seeds/` anew. Keys and phrases in them are
//! test vectors or one byte repeated; the key files are those of core's tests.

use std::path::Path;
use std::{fs, io};

use keyward_core::account::AccountAddress;
use keyward_core::address::{Address, Blockhash, Signature};
use keyward_core::amount::Lamports;
use keyward_core::audit::{AuditEntry, AuditProof, Checkpoint, Frontier, Operation, Outcome, verifier_key};
use keyward_core::bip32::PrivateNode;
use keyward_core::evm::authorization::{Authorization, SignedAuthorization};
use keyward_core::evm::transaction::{AccessListEntry, Transaction as EvmTransaction, TransactionKind};
use keyward_core::evm::{EvmAddress, U256, keccak256};
use keyward_core::intent::programs;
use keyward_core::keyfile::{to_base58, to_hex, to_solana_keygen};
use keyward_core::mnemonic::{Mnemonic, Seed, Wordlist};
use keyward_core::offchain::{Envelope, OffChainMessage, SIGNING_DOMAIN};
use keyward_core::policy::{EvmLimits, Policy, PolicyLimits};
use keyward_core::solana::{
    AccountMeta, AddressTableLookup, Instruction, Message, MessageVersion, Transaction, TransactionConfig,
    compile_message, instructions,
};
use keyward_core::vault::{
    KdfParams, MasterSecret, NewPassword, NewRecovery, RecoveryKey, RotateVault, VaultHeader,
};
use keyward_core::{ed25519, secp256k1};
use keyward_fuzz::vault;

type Outcomes = Result<(), Box<dyn std::error::Error>>;

fn main() -> Outcomes {
    solana()?;
    tokens()?;
    evm()?;
    typed_data()?;
    messages()?;
    rules_and_log()?;
    vaults()?;
    keys()?;
    texts()
}

fn write(target: &str, name: &str, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}

const BLOCKHASH: Blockhash = Blockhash::new([9; 32]);

fn solana() -> Outcomes {
    let key = ed25519::SecretKey::from_seed(&[1; 32]);
    let payer = key.address();
    let config = TransactionConfig {
        priority_fee: Some(Lamports::new(5_000)),
        compute_unit_limit: Some(200_000),
        ..TransactionConfig::default()
    };
    let pay = [
        instructions::compute_unit_limit(200_000),
        instructions::compute_unit_price(1_000),
        instructions::sol_transfer(payer, Address::new([2; 32]), Lamports::new(1_500)),
        instructions::memo("July", &[payer]),
    ];
    let mut looked_up = compile_message(MessageVersion::V0, payer, &pay, BLOCKHASH)?;
    looked_up.lookups.push(AddressTableLookup {
        table: Address::new([3; 32]),
        writable: vec![5, 7],
        readonly: vec![6],
    });
    let messages = [
        (
            "legacy",
            compile_message(MessageVersion::Legacy, payer, &pay, BLOCKHASH)?,
        ),
        ("v0", looked_up),
        (
            "v1",
            compile_message(MessageVersion::V1(config), payer, &pay[2..], BLOCKHASH)?,
        ),
        ("calls", calls(payer)?),
    ];
    for (name, message) in messages {
        write("message", name, message.encode())?;
        write("intent", name, message.encode())?;
        let signature = key.sign(&message.encode());
        let unsigned = Transaction::unsigned(message);
        write("transaction", name, unsigned.encode())?;
        let signed = unsigned.with_signature(&payer, signature)?;
        write("transaction", &format!("{name}-signed"), signed.encode())?;
    }
    let link =
        format!("solana:{payer}?amount=0.01&reference={BLOCKHASH}&label=A%20shop&message=Thanks&memo=7");
    write("solana_pay", "sol", link)?;
    write(
        "solana_pay",
        "token",
        format!("solana:{payer}?amount=1.5&spl-token={BLOCKHASH}"),
    )?;
    Ok(())
}

/// Token accounts and mints, plain and with extensions.
fn tokens() -> Outcomes {
    let mut account = [[1; 32], [2; 32]].concat();
    account.extend(7_u64.to_le_bytes());
    account.extend([0; 36]);
    account.push(2);
    account.extend([1, 0, 0, 0]);
    account.extend(2_039_280_u64.to_le_bytes());
    account.extend([0; 8]);
    account.extend([&[1, 0, 0, 0][..], &[5; 32]].concat());
    let mut mint = [&[1, 0, 0, 0][..], &[3; 32], &1_000_000_u64.to_le_bytes(), &[6, 1]].concat();
    mint.extend([0; 36]);
    let mut fee = vec![4; 64];
    fee.extend(11_u64.to_le_bytes());
    for points in [100_u16, 250] {
        fee.extend(
            [
                &9_u64.to_le_bytes()[..],
                &5_000_u64.to_le_bytes(),
                &points.to_le_bytes(),
            ]
            .concat(),
        );
    }
    let text = [
        &[0; 64][..],
        &[4, 0, 0, 0],
        b"Name",
        &[3, 0, 0, 0],
        b"SYM",
        &[0; 8],
    ]
    .concat();
    let of_account: [(u16, &[u8]); 5] = [(7, &[]), (2, &[9; 8]), (5, &[1; 295]), (8, &[1]), (17, &[0; 64])];
    let of_mint: [(u16, &[u8]); 6] = [
        (1, &fee),
        (3, &[8; 32]),
        (6, &[2]),
        (14, &[7; 64]),
        (19, &text),
        (26, &[1; 33]),
    ];
    for (name, base, kind, extensions) in [
        ("account", &account, 2, &of_account[..]),
        ("mint", &mint, 1, &of_mint[..]),
    ] {
        write("token_account", name, base)?;
        let mut data = base.clone();
        data.resize(165, 0);
        data.push(kind);
        for (kind, value) in extensions {
            data.extend(kind.to_le_bytes());
            data.extend(u16::try_from(value.len())?.to_le_bytes());
            data.extend(*value);
        }
        write("token_account", &format!("{name}-extended"), data)?;
    }
    Ok(())
}

/// One call of each decoded program.
fn calls(payer: Address) -> Result<Message, Box<dyn std::error::Error>> {
    let checked = [&[12][..], &1_000_u64.to_le_bytes(), &[6]].concat();
    let calls = [
        (programs::TOKEN, checked.clone()),
        (programs::TOKEN_2022, checked),
        (programs::ASSOCIATED_TOKEN, vec![1]),
        (programs::STAKE, vec![5, 0, 0, 0]),
        (programs::LOOKUP_TABLE, vec![1, 0, 0, 0]),
        (programs::UPGRADEABLE_LOADER, vec![5, 0, 0, 0]),
        (programs::LOADER_V4, vec![6, 0, 0, 0]),
        (programs::SYSTEM, vec![4, 0, 0, 0]),
    ];
    let calls: Vec<Instruction> = calls
        .into_iter()
        .map(|(program, data)| Instruction {
            program,
            accounts: [4, 5, 6, 7]
                .map(|byte| AccountMeta {
                    address: Address::new([byte; 32]),
                    is_signer: false,
                    is_writable: byte < 6,
                })
                .into_iter()
                .chain([AccountMeta {
                    address: payer,
                    is_signer: true,
                    is_writable: true,
                }])
                .collect(),
            data,
        })
        .collect();
    Ok(compile_message(MessageVersion::Legacy, payer, &calls, BLOCKHASH)?)
}

fn evm() -> Outcomes {
    let key = secp256k1::SecretKey::from_bytes(&[0x46; 32])?;
    let price = U256::from(20_000_000_000_u64);
    let access_list = vec![AccessListEntry {
        address: EvmAddress::new([8; 20]),
        storage_keys: vec![[1; 32]],
    }];
    let authorization = Authorization {
        chain_id: U256::from(1_u64),
        delegate: EvmAddress::new([7; 20]),
        nonce: 3,
    };
    write("authorization", "one", authorization.encode())?;
    let signature = key.sign_prehash(&keccak256(&authorization.encode()))?;
    let authorizations = vec![SignedAuthorization {
        authorization,
        y_parity: u8::from(signature.y_odd),
        r: U256::from_be_bytes(signature.r),
        s: U256::from_be_bytes(signature.s),
    }];
    let (max_priority_fee_per_gas, max_fee_per_gas) = (U256::from(1_u64), price);
    let kinds = [
        ("legacy", TransactionKind::Legacy { gas_price: price }),
        (
            "access-list",
            TransactionKind::AccessList {
                gas_price: price,
                access_list: access_list.clone(),
            },
        ),
        (
            "dynamic-fee",
            TransactionKind::DynamicFee {
                max_priority_fee_per_gas,
                max_fee_per_gas,
                access_list: vec![],
            },
        ),
        (
            "set-code",
            TransactionKind::SetCode {
                max_priority_fee_per_gas,
                max_fee_per_gas,
                access_list,
                authorizations,
            },
        ),
    ];
    for (name, kind) in kinds {
        let transaction = EvmTransaction {
            chain_id: 1,
            nonce: 9,
            gas_limit: 21_000,
            to: Some(EvmAddress::new([0x35; 20])),
            value: U256::from(1_000_000_u64),
            data: vec![0xa9, 0x05, 0x9c, 0xbb],
            kind,
        };
        let unsigned = transaction.encode_unsigned();
        write("evm_transaction", name, &unsigned)?;
        write("evm_message", name, &unsigned)?;
        write(
            "rlp",
            name,
            unsigned.get(usize::from(name != "legacy")..).unwrap_or_default(),
        )?;
        let signature = key.sign_prehash(&transaction.signing_hash())?;
        let signed = transaction.into_signed(signature, &key.address())?.encode();
        write("evm_transaction", &format!("{name}-signed"), signed)?;
    }
    write("evm_message", "text", "hello\nworld")?;
    Ok(())
}

const MAIL: &str = r#"{"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],"Person":[{"name":"name","type":"string"},{"name":"wallet","type":"address"}],"Mail":[{"name":"from","type":"Person"},{"name":"to","type":"Person[]"},{"name":"contents","type":"string"}]},"primaryType":"Mail","domain":{"name":"Ether Mail","version":"1","chainId":1,"verifyingContract":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"},"message":{"from":{"name":"Cow","wallet":"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},"to":[],"contents":"Hello, \"Bob\"!"}}"#;
const PERMIT: &str = r#"{"types":{"EIP712Domain":[{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"},{"name":"salt","type":"bytes32"}],"Permit":[{"name":"owner","type":"address"},{"name":"spender","type":"address"},{"name":"value","type":"uint256"},{"name":"nonce","type":"uint256"},{"name":"deadline","type":"uint256"}]},"primaryType":"Permit","domain":{"chainId":"0x1","verifyingContract":"0x0101010101010101010101010101010101010101","salt":"0x0202020202020202020202020202020202020202020202020202020202020202"},"message":{"owner":"0x0303030303030303030303030303030303030303","spender":"0x0404040404040404040404040404040404040404","value":"115792089237316195423570985008687907853269984665640564039457584007913129639935","nonce":0,"deadline":1893456000}}"#;
const KINDS: &str = r#"{"types":{"EIP712Domain":[{"name":"chainId","type":"uint256"}],"T":[{"name":"a","type":"int8"},{"name":"b","type":"bool[2][]"},{"name":"c","type":"bytes"},{"name":"d","type":"bytes4"},{"name":"e","type":"T[]"}]},"primaryType":"T","domain":{"chainId":56},"message":{"a":-128,"b":[[true,false]],"c":"0x","d":"0x01020304","e":[]}}"#;

fn typed_data() -> Outcomes {
    write("typed_data", "mail", MAIL)?;
    write("typed_data", "permit", PERMIT)?;
    write("typed_data", "kinds", KINDS)?;
    Ok(())
}

fn messages() -> Outcomes {
    let key = ed25519::SecretKey::from_seed(&[1; 32]);
    let others = [key.address(), Address::new([3; 32])];
    let layouts = [
        ("short", OffChainMessage::short("hello")?),
        ("v0", OffChainMessage::v0([5; 32], others, "hello, wörld")?),
        ("v1", OffChainMessage::v1([key.address()], "hello")?),
    ];
    for (name, message) in layouts {
        let bytes = message.encode();
        write("text_message", name, &bytes)?;
        // The target puts the domain in front.
        write(
            "offchain",
            name,
            bytes.strip_prefix(SIGNING_DOMAIN).unwrap_or_default(),
        )?;
        if let Ok(envelope) = Envelope::unsigned(message) {
            let envelope = envelope.with_signature(&key.address(), key.sign(&bytes))?;
            write("offchain", &format!("{name}-envelope"), envelope.encode())?;
        }
    }
    let address = key.address();
    let sign_in = format!(
        "example.com wants you to sign in with your Solana account:\n{address}\n\nHello.\n\n\
         URI: https://example.com/login\nVersion: 1\nChain ID: mainnet\nNonce: 12345678\n\
         Issued At: 2026-01-02T03:04:05Z\nExpiration Time: 2026-01-02T04:04:05.5+01:00\n\
         Not Before: 2026-01-02T03:04:05Z\nRequest ID: 7\nResources:\n- https://example.com/\n- urn:a:b"
    );
    write("siws", "full", &sign_in)?;
    write("text_message", "sign-in", &sign_in)?;
    let least = format!("example.com wants you to sign in with your Solana account:\n{address}");
    write("siws", "least", least)?;
    write("text_message", "text", "hello")?;
    Ok(())
}

fn rules_and_log() -> Outcomes {
    let policy = Policy::default_for(PolicyLimits {
        sol_per_transaction: Lamports::ONE_SOL,
        tokens_per_transaction: 100,
        max_priority_fee: Lamports::new(1_000_000),
        evm: Some(EvmLimits {
            wei_per_transaction: U256::from(1_000_u64),
            max_fee_wei: U256::from(2_000_u64),
        }),
    });
    write("policy", "default", policy.to_json()?)?;
    write("policy", "windows", Policy::from_json(WINDOWS)?.to_json()?)?;
    let key = ed25519::SecretKey::from_seed(&[1; 32]);
    let checkpoint = Checkpoint {
        origin: "keyward/1".into(),
        size: 3,
        root: [4; 32],
    };
    write("checkpoint", "one", checkpoint.sign(&key).to_string())?;
    let proof = AuditProof::Consistency {
        old_size: 3,
        new_size: 7,
        hashes: vec![[4; 32]; 3],
    };
    write("audit_proof", "growth", proof.to_string())?;
    write("audit_proof", "key", verifier_key("keyward/1", &key.address()))?;
    for (name, wallet) in [
        ("none", None),
        ("solana", Some(AccountAddress::from(key.address()))),
        ("evm", Some(AccountAddress::from(EvmAddress::new([2; 20])))),
    ] {
        let entry = AuditEntry {
            sequence: 7,
            time_ms: 1_700_000_000_000,
            actor: "owner".into(),
            operation: *Operation::ALL.first().ok_or("an operation")?,
            wallet,
            outcome: Outcome::Done,
            reason: "rent".into(),
            subject: wallet.map(|_| [6; 32]),
            details: "d".into(),
            client_address: wallet.map(|_| [7; 32]),
            client_fingerprint: None,
        };
        write("audit_entry", name, entry.to_bytes())?;
    }
    let mut frontier = Frontier::new();
    (0..3).for_each(|byte| frontier.push([byte; 32]));
    write("audit_entry", "frontier", frontier.to_bytes())?;
    Ok(())
}

const WINDOWS: &str = r#"{"version":2,"rules":[{"name":"daily","effect":"allow","match":{"wallets":["0x0404040404040404040404040404040404040404"],"chains":["solana:*","eip155:*","eip155:56"],"operations":["sol-transfer"],"assets":["sol","token:*","eip155:*/native","eip155:1/erc20:*"],"destinations":[],"programs":[]},"limits":{"lamports_per_transaction":1,"windows":[{"asset":"eip155:56/native","duration_ms":86400000,"maximum_units":"340282366920938463463374607431768211455"}]}}]}"#;

fn vaults() -> Outcomes {
    let header = &*vault::HEADER;
    let key = vault::key();
    write("vault_header", "password", header.to_bytes())?;
    let recovery = RecoveryKey::from_bytes([5; 32]);
    let slot = || NewRecovery {
        key: &recovery,
        slot_salt: [5; 32],
        wrap_salt: [6; 32],
    };
    write(
        "vault_header",
        "recoverable",
        header.with_recovery_slot(&key, slot())?.to_bytes(),
    )?;
    let (rotated, _) = header.rotated(
        &key,
        RotateVault {
            key: [8; 32],
            password: NewPassword {
                kdf: KdfParams::MINIMUM,
                password: vault::PASSWORD,
                second_factor: None,
                slot_salt: [7; 32],
                wrap_salt: [8; 32],
            },
            recovery: None,
            previous_salt: [9; 32],
        },
    )?;
    write("vault_header", "rotating", VaultHeader::to_bytes(&rotated))?;
    let mnemonic = Mnemonic::from_entropy(&[0; 16])?;
    for (name, passphrase) in [("plain", ""), ("passphrase", "TREZOR")] {
        let encoded = MasterSecret::new(&mnemonic, passphrase)?.encode();
        // The target pads.
        let len = encoded
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        write(
            "vault_master",
            name,
            encoded.get(..len.max(21)).unwrap_or_default(),
        )?;
    }
    write("vault_file", "empty", [0; 17])?;
    write("vault_file", "full", body())?;
    let file = vault::file_of(&[0; 17]);
    write("vault_file", "whole", file)?;
    write("secret_texts", "recovery", recovery.expose_text().as_bytes())?;
    write(
        "secret_texts",
        "base64",
        "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU=",
    )?;
    write("secret_texts", "hex", "05".repeat(32))?;
    Ok(())
}

/// A body with a phrase, a wallet of either curve and a policy, as `VaultFile::seal` documents it.
fn body() -> Vec<u8> {
    let text = |text: &str| [&[0, text.len() as u8][..], text.as_bytes()].concat(); // short ones
    [
        &1_u64.to_be_bytes()[..],
        &1_u32.to_be_bytes(),
        &[
            &[1; 16][..],
            &2_u64.to_be_bytes(),
            &text("phrase"),
            &text("sollet"),
            &text("sealed"),
        ]
        .concat(),
        &2_u32.to_be_bytes(),
        &[
            &[2; 16][..],
            &3_u64.to_be_bytes(),
            &[1],
            &[1; 16],
            &text("m/44'/501'/0'/0'"),
            &text("bip44-change"),
        ]
        .concat(),
        &[
            &[1][..],
            &[4; 32],
            &text("label"),
            &[2],
            &text("tag"),
            &text("b"),
            &text("sealed"),
        ]
        .concat(),
        &[&[3; 16][..], &4_u64.to_be_bytes(), &[0], &text(""), &text("")].concat(),
        &[&[2][..], &[5; 33], &text(""), &[0], &text("sealed")].concat(),
        &[&[1][..], &2_u32.to_be_bytes(), b"{}", &text("signature")].concat(),
    ]
    .concat()
}

fn keys() -> Outcomes {
    macro_rules! fixture {
        ($target:literal, $name:literal) => {
            let bytes = include_bytes!(concat!("../../core/src/keyfile/fixtures/", $name));
            write($target, $name, bytes)?;
        };
    }
    fixture!("keyfile", "ethers-cheap.keystore.json");
    fixture!("keyfile", "numbers.encrypted.json");
    fixture!("keyfile_wallet", "cheap.wallet");
    fixture!("keyfile_wallet", "hex.wallet");
    let key = ed25519::SecretKey::from_seed(&[1; 32]);
    let texts = [
        ("base58", to_base58(&key)),
        ("array", to_solana_keygen(&key)),
        ("hex", to_hex(&key.into())),
    ];
    for (name, text) in texts {
        write("keyfile", name, text.as_bytes())?;
        write("keyfile_sealed", name, text.as_bytes())?;
    }
    write("keyfile", "raw", [1; 32])?;
    write("keyfile", "evm", format!("0x{}", "46".repeat(32)))?;
    for wordlist in Wordlist::ALL {
        let mnemonic = Mnemonic::from_entropy_in(wordlist, &[0x7f; 16])?;
        write("mnemonic", wordlist.id(), mnemonic.expose_phrase().as_bytes())?;
    }
    let longest = Mnemonic::from_entropy(&[0x80; 32])?;
    write("mnemonic", "24-words", longest.expose_phrase().as_bytes())?;
    write("keyfile", "phrase", longest.expose_phrase().as_bytes())?;
    write("keyfile_sealed", "phrase", longest.expose_phrase().as_bytes())?;
    write("keyfile_sealed", "address", Address::new([4; 32]).to_string())?;
    // BIP-32, test vector 1.
    let seed: Vec<u8> = (0..16).collect();
    let root = PrivateNode::from_seed(&Seed::from_bytes(&seed)?)?;
    write("extended_key", "xprv", root.expose_text().as_bytes())?;
    write("extended_key", "xpub", root.to_public()?.to_string())?;
    Ok(())
}

fn texts() -> Outcomes {
    let all = [
        ("solana", Address::new([4; 32]).to_string()),
        ("evm", EvmAddress::new([0xab; 20]).to_string()),
        ("signature", Signature::new([4; 64]).to_string()),
        ("evm-signature", format!("0x{}1b", "04".repeat(64))),
        ("path", "m/44'/501'/0'/0h".into()),
        ("amount", "1234.56789".into()),
        ("number", U256::MAX.to_string()),
        ("time", "2026-01-02T03:04:05.678+09:30".into()),
        ("scheme", "solana-grid".into()),
        ("family", "evm-ledger-live".into()),
        ("token", format!("token:{}", Address::new([4; 32]))),
        (
            "erc20",
            format!("eip155:56/erc20:{}", EvmAddress::new([0xab; 20])),
        ),
        ("chain", "eip155:*".into()),
        ("kdf", KdfParams::DEFAULT.to_string()),
        ("id", "01".repeat(16)),
    ];
    for (name, text) in all {
        write("texts", name, text)?;
    }
    Ok(())
}
