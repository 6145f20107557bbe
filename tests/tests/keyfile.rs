//! Key files beside other programs: what they write Keyward reads, and what Keyward writes they read.
//!
//! The other programs are Solana's own crate for keypairs, Node's crypto (OpenSSL) and ethers, the latter two in
//! `tests/node`.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use keyward_core::account::Chain;
use keyward_core::ed25519::SecretKey;
use keyward_core::key::WalletKey;
use keyward_core::keyfile::{
    ImportOptions, Imported, KeystoreRandom, import, to_base58, to_keystore, to_solana_keygen,
};
use keyward_core::secp256k1;
use keyward_core::vault::KdfParams;
use proptest::prelude::*;
use solana_keypair::Keypair;
use solana_signer::Signer as _;

const PASSWORD: &str = "correct horse battery staple";

fn script() -> Command {
    let mut command = Command::new("node");
    command
        .arg("keyfiles.cjs")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("node"));
    command
}

/// The fixtures of the core's tests are what the other programs write, to the byte.
#[test]
fn the_fixtures_are_what_other_programs_write() {
    let made = tempfile::tempdir().unwrap();
    let status = script().arg("make").arg(made.path()).status().unwrap();
    assert!(
        status.success(),
        "{status}; run npm ci --ignore-scripts in tests/node"
    );
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/keyfile/fixtures");
    let mut count = 0;
    for file in made.path().read_dir().unwrap() {
        let file = file.unwrap();
        let expected = std::fs::read(committed.join(file.file_name())).unwrap();
        assert_eq!(
            std::fs::read(file.path()).unwrap(),
            expected,
            "{:?}",
            file.file_name()
        );
        count += 1;
    }
    assert_eq!(count, committed.read_dir().unwrap().count());
}

#[test]
fn ethers_reads_our_keystores() {
    // Hardhat's first account.
    let text = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    let key = secp256k1::SecretKey::from_bytes(&hex::decode(text).unwrap().try_into().unwrap()).unwrap();
    let random = KeystoreRandom {
        salt: [1; 32],
        iv: [2; 16],
        id: [3; 16],
    };
    for password in [PASSWORD, "pässwörd 密码"] {
        let keystore = to_keystore(&key, password.as_bytes(), KdfParams::MINIMUM, &random).unwrap();
        let mut reader = script()
            .args(["read", password])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        reader
            .stdin
            .take()
            .unwrap()
            .write_all(keystore.as_bytes())
            .unwrap();
        let answer = reader.wait_with_output().unwrap();
        assert!(answer.status.success());
        assert_eq!(
            String::from_utf8(answer.stdout).unwrap(),
            format!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 0x{text}\n")
        );
    }
}

proptest! {
    #[test]
    fn solana_reads_what_keyward_writes(seed in any::<[u8; 32]>()) {
        let key = SecretKey::from_seed(&seed);
        let written = to_solana_keygen(&key);
        let read = solana_keypair::read_keypair(&mut written.as_bytes()).unwrap();
        prop_assert_eq!(read.pubkey().to_bytes(), *key.address().as_bytes());
        let written = to_base58(&key);
        let read = Keypair::try_from_base58_string(&written).unwrap();
        prop_assert_eq!(read.pubkey().to_bytes(), *key.address().as_bytes());
    }

    #[test]
    fn keyward_reads_what_solana_writes(seed in any::<[u8; 32]>().prop_filter("a key", |seed| *seed != [0; 32])) {
        let theirs = Keypair::new_from_array(seed);
        let mut file = Vec::new();
        solana_keypair::write_keypair(&theirs, &mut file).unwrap();
        let base58 = theirs.to_base58_string().into_bytes();
        for bytes in [file, base58, theirs.to_bytes().to_vec()] {
            let Imported::Key(WalletKey::Ed25519(key)) = import(&bytes, &ImportOptions::default()).unwrap() else {
                panic!("a Solana key");
            };
            prop_assert_eq!(key.expose_seed(), &seed);
        }
    }

    /// Whatever array Keyward takes as a key file Solana's crate takes too, as the same key, and the other way round.
    #[test]
    fn damaged_arrays_are_read_alike(seed in any::<[u8; 32]>(), at in 0..260_usize, with in "[0-9\\[\\], .\"a-]") {
        let mut text = to_solana_keygen(&SecretKey::from_seed(&seed)).to_string();
        let at = at % text.len();
        text.replace_range(at..=at, &with);
        let options = ImportOptions { chain: Some(Chain::Solana), ..ImportOptions::default() };
        let theirs = solana_keypair::read_keypair(&mut text.as_bytes()).ok();
        match import(text.as_bytes(), &options) {
            Ok(Imported::Key(key)) => {
                prop_assert_eq!(theirs.map(|key| *key.secret_bytes()), Some(*key.expose_secret()));
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => prop_assert!(theirs.is_none(), "refused alone: {error}"),
        }
    }
}
