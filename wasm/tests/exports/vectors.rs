//! Published vectors, in the browser's engine.

use keyward_core::derive::SolanaDeriver;
use keyward_core::ed25519::SecretKey;
use keyward_core::evm::EvmDeriver;
use keyward_core::mnemonic::{Mnemonic, Seed};
use keyward_core::path::{ChildIndex, PathFamily};
use keyward_core::slip10;
use wasm_bindgen_test::wasm_bindgen_test;

/// <https://github.com/trezor/python-mnemonic/blob/master/vectors.json>, with the passphrase TREZOR.
#[wasm_bindgen_test]
fn bip39_entropy_gives_phrase_and_seed() {
    for (entropy, phrase, seed) in [
        (
            "00000000000000000000000000000000",
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
            "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e53495531f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04",
        ),
        (
            "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
            "legal winner thank year wave sausage worth useful legal winner thank yellow",
            "2e8905819b8723fe2c1d161860e5ee1830318dbf49a83bd451cfb8440c28bd6fa457fe1296106559a3c80937a1c1069be3a3a5bd381ee6260e8d9739fce1f607",
        ),
        (
            "80808080808080808080808080808080",
            "letter advice cage absurd amount doctor acoustic avoid letter advice cage above",
            "d71de856f81a8acc65e6fc851a38d4d7ec216fd0796d0a6827a3ad6ed5511a30fa280f12eb2e47ed2ac03b5c462a0358d18d69fe4f985ec81778c1b370b652a8",
        ),
    ] {
        let mnemonic = Mnemonic::from_entropy(&hex::decode(entropy).unwrap()).unwrap();
        assert_eq!(*mnemonic.expose_phrase(), phrase);
        assert_eq!(hex::encode(mnemonic.to_seed("TREZOR").expose_bytes()), seed);
    }
}

/// SLIP-0010, test vector 1 for ed25519.
#[wasm_bindgen_test]
fn slip10_seed_gives_its_keys() {
    let seed = Seed::from_bytes(&hex::decode("000102030405060708090a0b0c0d0e0f").unwrap()).unwrap();
    let mut node = slip10::ExtendedKey::from_seed(&seed);
    assert_eq!(
        hex::encode(node.expose_secret()),
        "2b4be7f19ee27bbf30c667b642d5f4aa69fd169872f8fc3059c08ebae2eb19e7"
    );
    for (index, key) in [
        (
            0,
            "68e0fe46dfb67e368c75379acec591dad19df3cde26e63b93a8e704f1dade7a3",
        ),
        (
            1,
            "b1d0bad404bf35da785a64ca1ac54b2617211d2777696fbffaf208f746ae84f2",
        ),
        (
            2,
            "92a5b23c0b8a99e37d07df3fb9966917f5d06e02ddbd909c7e184371463e9fc9",
        ),
    ] {
        node = node.child(ChildIndex::new(index).unwrap());
        assert_eq!(hex::encode(node.expose_secret()), key);
    }
}

/// RFC 8032, section 7.1, tests 1 to 3.
#[wasm_bindgen_test]
fn rfc8032_keys_sign() {
    for (seed, public, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ] {
        let seed: [u8; 32] = hex::decode(seed).unwrap().try_into().unwrap();
        let key = SecretKey::from_seed(&seed);
        assert_eq!(hex::encode(key.address().as_bytes()), public);
        let signed = key.sign(&hex::decode(message).unwrap());
        assert_eq!(hex::encode(signed.as_bytes()), signature);
    }
}

/// The addresses that Phantom, Solflare and Anvil show for these well-known phrases.
#[wasm_bindgen_test]
fn wallets_of_published_phrases() {
    let about =
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";
    let seed = Mnemonic::parse(about).unwrap().to_seed("");
    let solana = SolanaDeriver::new(&seed, PathFamily::Bip44Change).unwrap();
    assert_eq!(
        solana.derive(ChildIndex::ZERO).unwrap().address.to_string(),
        "HAgk14JpMQLgt6rVgv7cBQFJWFto5Dqxi472uT3DKpqk"
    );
    let junk = "test test test test test test test test test test test junk";
    let seed = Mnemonic::parse(junk).unwrap().to_seed("");
    let evm = EvmDeriver::new(&seed, PathFamily::EvmBip44).unwrap();
    let addresses: Vec<String> = (0..2)
        .map(|index| {
            evm.derive(ChildIndex::new(index).unwrap())
                .unwrap()
                .address
                .to_string()
        })
        .collect();
    assert_eq!(
        addresses,
        [
            "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
            "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
        ]
    );
}
