//! One wallet derived, beside plain ed25519-dalek with a cached parent in the same run. Every figure is
//! per wallet and on one core.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]
#![allow(missing_docs, reason = "a program, not a library")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use ed25519_dalek::SigningKey;
use keyward_core::derive::{BatchTable, Blinding, SolanaDeriver};
use keyward_core::evm::EvmDeriver;
use keyward_core::mnemonic::{Mnemonic, Seed};
use keyward_core::path::{ChildIndex, PathFamily};
use keyward_core::slip10::ExtendedKey;

fn main() {
    divan::main();
}

fn seed() -> Seed {
    Mnemonic::from_entropy(&[0x42; 32]).unwrap().to_seed("")
}

fn index(number: u32) -> ChildIndex {
    ChildIndex::new(number).unwrap()
}

/// What a wallet program does that keeps `m/44'/501'` and uses ed25519-dalek as it comes: two HMACs and
/// a public key. No path text, no key of its own to keep.
#[divan::bench(sample_size = 16)]
fn plain_ed25519_dalek_with_cached_parent(bencher: Bencher) {
    let parent = ExtendedKey::from_seed(&seed()).child(index(44)).child(index(501));
    let mut number = 0;
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        number = (number + 1) % 1_000_000;
        let node = parent.child(index(number)).child(ChildIndex::ZERO);
        SigningKey::from_bytes(black_box(node.expose_secret()))
            .verifying_key()
            .to_bytes()
    });
}

/// The same wallet by the crate slip10_ed25519, which walks the whole path each time, and ed25519-dalek.
#[divan::bench(sample_size = 16)]
fn slip10_ed25519_and_ed25519_dalek(bencher: Bencher) {
    let seed = seed();
    let mut number = 0;
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        number = (number + 1) % 1_000_000;
        let secret = slip10_ed25519::derive_ed25519_private_key(seed.expose_bytes(), &[44, 501, number, 0]);
        SigningKey::from_bytes(black_box(&secret))
            .verifying_key()
            .to_bytes()
    });
}

#[divan::bench(sample_size = 16)]
fn one_by_one(bencher: Bencher) {
    let deriver = SolanaDeriver::new(&seed(), PathFamily::Bip44Change).unwrap();
    let mut number = 0;
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        number = (number + 1) % 1_000_000;
        deriver.derive(index(number)).unwrap()
    });
}

#[divan::bench(args = [16, 256, 1024])]
fn by_the_chunk(bencher: Bencher, count: u32) {
    let deriver = SolanaDeriver::new(&seed(), PathFamily::Bip44Change).unwrap();
    bencher
        .counter(ItemsCount::new(count))
        .bench_local(|| deriver.derive_chunk(black_box(7), count).unwrap());
}

#[divan::bench(args = [64, 128, 1024])]
fn by_the_chunk_with_a_table(bencher: Bencher, count: u32) {
    let deriver = SolanaDeriver::new(&seed(), PathFamily::Bip44Change).unwrap();
    let table = BatchTable::new();
    bencher.counter(ItemsCount::new(count)).bench_local(|| {
        deriver
            .derive_chunk_with(&table, &Blinding::new([7; 32]), black_box(7), count)
            .unwrap()
    });
}

#[divan::bench]
fn making_the_table(bencher: Bencher) {
    bencher.bench_local(BatchTable::new);
}

#[divan::bench]
fn sollet_by_the_chunk_of_64(bencher: Bencher) {
    let deriver = SolanaDeriver::new(&seed(), PathFamily::Sollet).unwrap();
    bencher
        .counter(ItemsCount::new(64_usize))
        .bench_local(|| deriver.derive_chunk(black_box(7), 64).unwrap());
}

#[divan::bench]
fn evm_by_the_chunk_of_64(bencher: Bencher) {
    let deriver = EvmDeriver::new(&seed(), PathFamily::EvmBip44).unwrap();
    bencher
        .counter(ItemsCount::new(64_usize))
        .bench_local(|| deriver.derive_chunk(black_box(7), 64).unwrap());
}

#[divan::bench]
fn evm_signature(bencher: Bencher) {
    let key = EvmDeriver::new(&seed(), PathFamily::EvmBip44)
        .unwrap()
        .derive(index(0))
        .unwrap();
    bencher.bench_local(|| key.secret.sign_prehash(black_box(&[7; 32])).unwrap());
}

#[divan::bench]
fn phrase_to_seed(bencher: Bencher) {
    let phrase = Mnemonic::from_entropy(&[0x42; 32]).unwrap();
    bencher.bench_local(|| phrase.to_seed(black_box("passphrase")));
}
