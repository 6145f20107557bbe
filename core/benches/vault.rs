//! Unlocking, sealing, opening and signing, each on one core.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]
#![allow(missing_docs, reason = "a program, not a library")]

use divan::{Bencher, black_box};
use keyward_core::ed25519::{SecretKey, verify};
use keyward_core::vault::{
    CreateVault, KdfParams, RecordContext, RecordId, RecordKind, RecordPublicKey, VaultHeader, VaultId,
    VaultKey, open_record, open_solana_key, seal_record,
};

fn main() {
    divan::main();
}

const PASSWORD: &[u8] = b"correct horse battery staple";
const SEED: [u8; 32] = [0x42; 32];

/// One scrypt, whatever the number of wallets.
#[divan::bench(args = ["scrypt-16384", "scrypt-131072"], sample_count = 10, sample_size = 1)]
fn unlock(bencher: Bencher, kdf: &str) {
    let (header, _) = VaultHeader::create(CreateVault {
        vault: VaultId::from_bytes([1; 16]),
        kdf: kdf.parse::<KdfParams>().unwrap(),
        password: PASSWORD,
        second_factor: None,
        key: [2; 32],
        slot_salt: [3; 32],
        wrap_salt: [4; 32],
    })
    .unwrap();
    bencher.bench_local(|| header.open(black_box(PASSWORD), None).unwrap());
}

fn record() -> (VaultKey, RecordContext, Vec<u8>) {
    let key = VaultKey::from_bytes([2; 32]);
    let context = RecordContext {
        vault: VaultId::from_bytes([1; 16]),
        record: RecordId::from_bytes([5; 16]),
        kind: RecordKind::SolanaKey,
        epoch: 1,
        public_key: RecordPublicKey::Ed25519(SecretKey::from_seed(&SEED).address().to_bytes()),
    };
    let sealed = seal_record(&key, &context, &SEED, [6; 32]).unwrap();
    (key, context, sealed)
}

#[divan::bench]
fn seal_wallet_key(bencher: Bencher) {
    let (key, context, _) = record();
    bencher.bench_local(|| seal_record(&key, black_box(&context), &SEED, [7; 32]).unwrap());
}

#[divan::bench]
fn seal_and_open_record(bencher: Bencher) {
    let (key, context, _) = record();
    bencher.bench_local(|| {
        let sealed = seal_record(&key, black_box(&context), &SEED, [7; 32]).unwrap();
        open_record(&key, &context, &sealed).unwrap()
    });
}

/// With the public key derived again and compared.
#[divan::bench]
fn open_wallet_key(bencher: Bencher) {
    let (key, context, sealed) = record();
    bencher.bench_local(|| open_solana_key(&key, &context, black_box(&sealed)).unwrap());
}

#[divan::bench]
fn sign_and_verify_250_bytes(bencher: Bencher) {
    let secret = SecretKey::from_seed(&SEED);
    let message = [8; 250];
    bencher.bench_local(|| {
        let signature = secret.sign(black_box(&message));
        verify(&secret.address(), &message, &signature).unwrap();
        signature
    });
}
