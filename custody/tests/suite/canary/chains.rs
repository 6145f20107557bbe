//! A further phrase, keys that were imported, passwords of wallets' own, the recovery key, the second factor, a vault file
//! under a password of its own: used in every way, well and badly.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use keyward_core::derive::SolanaDeriver;
use keyward_core::ed25519;
use keyward_core::evm::EvmDeriver;
use keyward_core::key::WalletKey;
use keyward_core::mnemonic::Mnemonic;
use keyward_core::path::{ChildIndex, PathFamily};
use keyward_core::secp256k1;
use keyward_core::vault::{RecoveryKey, SecondFactor};
use keyward_custody::{Custody, DeriveRequest, KeyImport, Password, Progress, WalletPasswords, WalletQuery};

use super::spell;
use crate::fixture::Fixture;

/// BIP-39's vector for 7f7f…7f.
const SECOND: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const SECOND_PASSPHRASE: &str = "canary-passphrase-of-the-second-5b20";
const OWN: &str = "canary ember wicker 31e8";
const OWN_NEXT: &str = "canary amber wicker 88c6";
const OWN_WRONG: &str = "canary umber wicker 4f09";
const FILE: &str = "canary tidal ferry 60ab";
const RECOVERED: &str = "canary lantern ferry 95d2";
const FACTOR: [u8; 32] = *b"\xc0\xff\xee\x00canary\x01factor\x02of\x03the\x04vaul\x05\xaa\xbb";

type Errors = Vec<Box<dyn std::error::Error>>;
type Canaries = Vec<(String, Vec<u8>)>;

fn password(text: &str) -> Password {
    Password::new(text.to_owned())
}

fn factor() -> SecondFactor {
    SecondFactor::parse(&hex::encode(FACTOR)).unwrap()
}

/// Bytes of no pattern that a file might have.
fn secret(seed: u8) -> [u8; 32] {
    std::array::from_fn(|i| u8::try_from(i).unwrap().wrapping_mul(59) ^ seed)
}

fn solana_key() -> WalletKey {
    ed25519::SecretKey::from_seed(&secret(0xa5)).into()
}

fn evm_key() -> WalletKey {
    secp256k1::SecretKey::from_bytes(&secret(0x5a)).unwrap().into()
}

fn recovery_canaries(canaries: &mut Canaries, name: &str, recovery: &RecoveryKey) {
    spell(canaries, name, recovery.expose_bytes());
    let text = recovery.expose_text();
    let joined = text.replace('-', "");
    for form in [
        text.to_string(),
        text.to_lowercase(),
        text.replace('-', " "),
        // Any eight characters of it in a row are no accident.
        joined[..16].to_owned(),
        joined[16..32].to_owned(),
        joined[..16].to_lowercase(),
        joined,
        text[..19].to_owned(),
    ] {
        canaries.push((format!("{name}, as text"), form.into_bytes()));
    }
}

fn fixed_canaries(canaries: &mut Canaries) {
    for text in [
        SECOND,
        "legal winner",
        SECOND_PASSPHRASE,
        OWN,
        OWN_NEXT,
        OWN_WRONG,
        FILE,
        RECOVERED,
    ] {
        canaries.push((text.to_owned(), text.as_bytes().to_vec()));
    }
    let mnemonic = Mnemonic::parse(SECOND).unwrap();
    let seed = mnemonic.to_seed(SECOND_PASSPHRASE);
    spell(canaries, "the second seed", seed.expose_bytes());
    let solana = SolanaDeriver::new(&seed, PathFamily::Bip44).unwrap();
    let evm = EvmDeriver::new(&seed, PathFamily::EvmLedgerLive).unwrap();
    for number in 0..3 {
        let index = ChildIndex::new(number).unwrap();
        let key = solana.derive(index).unwrap().secret;
        spell(canaries, "a key of the second phrase", key.expose_seed());
        let key = evm.derive(index).unwrap().secret;
        spell(canaries, "an EVM key of the second phrase", key.expose_bytes());
    }
    for (name, key) in [
        ("the imported ed25519 key", solana_key()),
        ("the imported EVM key", evm_key()),
    ] {
        spell(canaries, name, key.expose_secret());
        for engine in [STANDARD, URL_SAFE] {
            // All but the padding.
            let text = engine.encode(key.expose_secret())[..40].to_owned();
            canaries.push((format!("{name}, base64"), text.into_bytes()));
        }
    }
    let pair = [
        secret(0xa5).as_slice(),
        ed25519::SecretKey::from_seed(&secret(0xa5)).address().as_bytes(),
    ]
    .concat();
    canaries.push(("the imported pair".to_owned(), pair.clone()));
    let base58 = keyward_core::address::Signature::new(pair.try_into().unwrap()).to_string();
    canaries.push(("the imported pair, base58".to_owned(), base58.into_bytes()));
    spell(canaries, "the second factor", &FACTOR);
    canaries.push((
        "the second factor, base64".to_owned(),
        STANDARD.encode(FACTOR).into_bytes(),
    ));
}

/// Imports, signs, exports, restores, rotates. Gives the vault file.
pub(super) async fn live(
    custody: &Custody,
    vault: &Password,
    restored: &Fixture,
    (said, errors, canaries): (&mut Vec<String>, &mut Errors, &mut Canaries),
) -> Vec<u8> {
    fixed_canaries(canaries);
    import(custody, said).await;
    protect(custody, said, errors).await;

    // Taken out, wrongly and rightly.
    let address = evm_key().address();
    let wrong = password(OWN_WRONG);
    let taken = custody.export_key(address, vault, None, Some(&wrong)).await;
    errors.push(Box::new(taken.map(|_| ()).unwrap_err()));
    let taken = custody.export_key(address, &wrong, None, None).await;
    errors.push(Box::new(taken.map(|_| ()).unwrap_err()));
    let key = custody
        .export_key(address, vault, None, Some(&password(OWN)))
        .await
        .unwrap();
    assert!(key.is_same_as(&evm_key()));
    said.push(format!("{key:?}"));

    // The recovery key, and with it another password and a second factor.
    let first = custody.add_recovery(vault, None).await.unwrap();
    recovery_canaries(canaries, "the recovery key", &first);
    said.push(format!("{first:?} {:?}", factor()));
    let stranger = RecoveryKey::from_bytes(secret(0x33));
    recovery_canaries(canaries, "a wrong recovery key", &stranger);
    errors.push(Box::new(
        custody.unlock_with_recovery(&stranger).await.unwrap_err(),
    ));
    let mistyped = first.expose_text().replacen(|c: char| c != '-', "U", 1);
    errors.push(Box::new(RecoveryKey::parse(&mistyped).unwrap_err()));
    let half = hex::encode(&FACTOR[..31]);
    errors.push(Box::new(SecondFactor::parse(&half).unwrap_err()));
    custody.lock().await;
    custody.unlock_with_recovery(&first).await.unwrap();
    let recovered = password(RECOVERED);
    custody
        .set_password_with_recovery(&first, &recovered, Some(&factor()))
        .await
        .unwrap();
    custody.lock().await;
    errors.push(Box::new(custody.unlock(&recovered, None).await.unwrap_err()));
    errors.push(Box::new(
        custody.unlock(&wrong, Some(&factor())).await.unwrap_err(),
    ));
    custody.unlock(&recovered, Some(&factor())).await.unwrap();

    // Another vault key, another recovery key.
    let rotation = custody
        .rotate_vault_key(&recovered, Some(&factor()))
        .await
        .unwrap();
    said.push(format!("{rotation:?}"));
    recovery_canaries(canaries, "the next recovery key", &rotation.recovery.unwrap());

    // The vault as a file under a password of its own, and back.
    let file = custody
        .export_vault_file(&recovered, Some(&factor()), Some(&password(FILE)))
        .await
        .unwrap();
    let elsewhere = restored.open().await;
    errors.push(Box::new(
        elsewhere
            .import_vault_file(file.clone(), &wrong, None)
            .await
            .unwrap_err(),
    ));
    let summary = elsewhere
        .import_vault_file(file.clone(), &password(FILE), None)
        .await
        .unwrap();
    said.push(format!("{summary:?} {elsewhere:?}"));
    elsewhere
        .sign_message_with(
            address,
            b"hello",
            &WalletPasswords::of_one(address, password(OWN)),
        )
        .await
        .unwrap();
    said.push(format!(
        "{:?}",
        elsewhere.wallets(&WalletQuery::default()).await.unwrap()
    ));
    elsewhere.close().await.unwrap();
    file
}

async fn import(custody: &Custody, said: &mut Vec<String>) {
    let mnemonic = Mnemonic::parse(SECOND).unwrap();
    let phrase = custody
        .import_phrase(&mnemonic, SECOND_PASSPHRASE, "second", PathFamily::Bip44)
        .await
        .unwrap();
    said.push(format!("{mnemonic:?} {phrase:?}"));
    for family in [PathFamily::Bip44, PathFamily::EvmLedgerLive] {
        let request = DeriveRequest {
            master: Some(phrase.id),
            family: Some(family),
            start: None,
            count: 3,
        };
        custody.derive_wallets(request, &Progress::new()).await.unwrap();
    }
    let import = |key: WalletKey, label: &str, own: Option<Password>| KeyImport {
        key,
        label: label.to_owned(),
        tags: vec!["imported".to_owned()],
        password: own,
    };
    let keys = vec![
        import(solana_key(), "plain", None),
        import(evm_key(), "protected", Some(password(OWN))),
    ];
    said.push(format!("{keys:?}"));
    said.push(format!("{:?}", custody.import_keys(keys).await.unwrap()));
    said.push(format!("{:?}", custody.masters().await.unwrap()));
}

/// Passwords of wallets' own: asked for, mistaken, changed, taken away, put back.
async fn protect(custody: &Custody, said: &mut Vec<String>, errors: &mut Errors) {
    let wallets = custody.wallets(&WalletQuery::default()).await.unwrap().rows;
    for wallet in wallets.iter().filter(|wallet| !wallet.own_password) {
        custody.sign_message(wallet.address, b"hello").await.unwrap();
    }
    let address = evm_key().address();
    let (old, new, wrong) = (password(OWN), password(OWN_NEXT), password(OWN_WRONG));
    errors.push(Box::new(
        custody.sign_message(address, b"hello").await.unwrap_err(),
    ));
    let guess = WalletPasswords::of_one(address, password(OWN_WRONG));
    let guessed = custody.sign_message_with(address, b"hello", &guess).await;
    errors.push(Box::new(guessed.unwrap_err()));
    let changed = custody.set_wallet_password(address, Some(&wrong), &new).await;
    errors.push(Box::new(changed.unwrap_err()));
    let weak = password("canary-weak");
    let changed = custody.set_wallet_password(address, Some(&old), &weak).await;
    errors.push(Box::new(changed.unwrap_err()));
    custody
        .set_wallet_password(address, Some(&old), &new)
        .await
        .unwrap();
    let passwords = WalletPasswords::of_one(address, password(OWN_NEXT));
    said.push(format!("{passwords:?} {new:?}"));
    custody
        .sign_message_with(address, b"again", &passwords)
        .await
        .unwrap();
    custody.remove_wallet_password(address, &new).await.unwrap();
    custody.set_wallet_password(address, None, &old).await.unwrap();
}
