//! Published vectors: signed transactions, and what MetaMask's eth-sig-util hashes or takes by mistake.

use keyward_core::evm::transaction::{AccessListEntry, SignedTransaction, Transaction, TransactionKind};
use keyward_core::evm::typed_data::TypedData;
use keyward_core::evm::{EvmAddress, U256};
use keyward_core::secp256k1::SecretKey;
use serde_json::{Value, json};

fn key(digits: &str) -> SecretKey {
    SecretKey::from_bytes(&hex::decode(digits).unwrap().try_into().unwrap()).unwrap()
}

/// Signs again what is in a signed transaction.
fn signed_again(own: &SignedTransaction, key: &SecretKey) -> Vec<u8> {
    let transaction = own.transaction().clone();
    let signature = key.sign_prehash(&transaction.signing_hash()).unwrap();
    transaction
        .into_signed(signature, &key.address())
        .unwrap()
        .encode()
}

#[test]
fn senders_and_hashes_are_found() {
    let mut count = 0;
    for line in include_str!("transactions.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let [hash, sender, bytes] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let bytes = hex::decode(bytes).unwrap();
        let signed = SignedTransaction::decode(&bytes).unwrap();
        // What is published with EIP-155's are the hashes that were signed.
        let signing_hash = signed.transaction().signing_hash();
        assert!(
            [signed.hash(), signing_hash]
                .map(hex::encode)
                .contains(&hash.into()),
            "{line}"
        );
        assert_eq!(hex::encode(signed.sender().as_bytes()), sender);
        assert_eq!(signed.encode(), bytes);
        count += 1;
    }
    assert_eq!(count, 8);
}

/// The ten vectors of EIP-1559, as ethereumjs has them in `packages/tx/test/json/eip1559.json`: key, and
/// what it signs, without the outer string of devp2p.
#[test]
fn eip_1559_is_signed_as_published() {
    let key = key("8f2a55949038a9610f50fb23b5883af3b4ecb3c3bb792cbcefbd1542c692be63");
    for bytes in [
        "02f870821e8e8203338301284d8301d97c828ae094000000000000000000000000000000000000aaaa8402933bc980c080a0d067f2167008c59219652f91cbf8788dbca5f771f6e91e2b7657e85b78b472e0a01d305af9fe81fdba43f0dfcd400ed24dcace0a7e30d4e85701dcaaf484cd079e",
        "02f86f821e8e8201618297c283021467827f5194000000000000000000000000000000000000aaaa8403b08b3380c001a004205678f13fc1d7b10feea6513dfa76e24418b6e08097d95c6f93a3b64e536da01d45ad61bfece43862de2cce7d2575a8c1d08c26c87f3cb5f26d7b0be54a91b2",
        "02f871821e8e8203d983010349830213a183010bbd94000000000000000000000000000000000000aaaa8401f0657180c001a0e6d23c5ecc0f388a4d41a9523c3ad171e98083a61288c340b968dfe0903a6741a07319e8d54a4fd8f0c081d3ce093d869f9df598481991c8534bfd8f2c163884b4",
        "02f870821e8e82026f8301219c83013d1582e17d94000000000000000000000000000000000000aaaa84014a598780c080a0b107893e4590e177e244493a3f2b59d63619ddd82772105d8c96b7fc85ff683da07dc9b9dc054d2f69f9cc540688f6c0da3b54dd8bd8323f06d0ca26b546a480f1",
        "02f86f821e8e8203cc82a72e8301942a82fee694000000000000000000000000000000000000aaaa8405a2ec3780c080a02596bfedd3101f7e3c881eec060f83c60617fb21173ff41a560e02c9c23f02f4a01ef1f7930d31081c06dfd2176046a99442a88678638a33eb80afa8d2d3389ee0",
        "02f870821e8e82024c830157528301fce182919a94000000000000000000000000000000000000aaaa8405ec1b9f80c001a0404a06f2a9ba9d444e59f03e1b4ce46c4d7127342aa287a6e9a910b26ff6cc89a04af28549efdfb3e746938d01c92785e9852eb58c48d6f35cc99961e88f56603a",
        "02f870821e8e82038482220a8301b8418301291594000000000000000000000000000000000000aaaa8401cfe6d180c080a06e1bc9e4645de8bdad2c60424539c2dd93aacbc06ae94e440629b133a99e9ba7a03d23fdfdd9934c77fe5385a6b4b6c69e84cdec7814a19d81e648b5852ee5f7eb",
        "02f86f821e8e8202c5830150ec830171ac826eaf94000000000000000000000000000000000000aaaa8362d8db80c001a09880d133cd636f8c8dce32e2c43494b9f2dc000eee8dc61931e09f866ed04b46a00e44d5c503c7f08b36c8b062c32a963f3dd20a71e95e3d903bfbe7f4da47cd47",
        "02f86e821e8e8203ab82b0a08301660082aff794000000000000000000000000000000000000aaaa832a76b980c001a0a0e7d9b07c7ec68f24788a554f993b99d59a3f08439cc6c942f62ea0341f2aeba078122b9957c146f7c87811bd58a7e9916ca8c07dabcf875b97bbdef79cb9c197",
        "02f86d821e8e778260918301a4d182f38594000000000000000000000000000000000000aaaa8403e6c7f380c001a0e38e239770801eb995498c821e55ac9c19ae09184bb27b34be105e02fe3b7615a067c64ca6bd6d9107e85fd581ab2e70a14b637eb36505bb40861ef9d6e800cab6",
    ] {
        let signed = SignedTransaction::decode(&hex::decode(bytes).unwrap()).unwrap();
        assert_eq!(signed.sender(), &key.address());
        assert_eq!(hex::encode(signed_again(&signed, &key)), bytes);
    }
}

/// ethereumjs, `packages/tx/test/json/eip2930txs.json`: fields and signature. The signer is the account of
/// go-ethereum's tests, not the key that stands in the file.
#[test]
fn eip_2930_is_signed_as_published() {
    let key = key("45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8");
    assert_eq!(
        key.address().to_string(),
        "0xa94f5374Fce5edBC8E2a8697C15331677e6EbF0B"
    );
    let last = |bytes: &[u8]| {
        let mut address = [0; 20];
        address[20 - bytes.len()..].copy_from_slice(bytes);
        EvmAddress::new(address)
    };
    let mut second_key = [0; 32];
    second_key[30..].copy_from_slice(&[0x60, 0xa7]);
    let mut data = hex::decode("1a8451e6").unwrap();
    data.resize(68, 0);
    let transaction = Transaction {
        chain_id: 1,
        nonce: 0,
        gas_limit: 0x0262_5a00,
        to: Some(EvmAddress::new([0xcc; 20])),
        value: U256::from(0x01_86a0_u64),
        data,
        kind: TransactionKind::AccessList {
            gas_price: U256::from(1_u64),
            access_list: vec![AccessListEntry {
                address: last(&[1, 1]),
                storage_keys: vec![[0; 32], second_key],
            }],
        },
    };
    let signature = key.sign_prehash(&transaction.signing_hash()).unwrap();
    assert_eq!(
        hex::encode(signature.to_bytes()),
        "afb6e247b1c490e284053c87ab5f6b59e219d51f743f7a4d83e400782bc7e4b9\
         479a268e0e0acd4de3f1e28e4fac2a6b32a4195e8dfa9d19147abe8807aa6f641c"
    );
    let signed = transaction.into_signed(signature, &key.address()).unwrap();
    assert_eq!(SignedTransaction::decode(&signed.encode()), Ok(signed));
}

/// go-ethereum, `core/types/transaction_test.go`: a signed EIP-2930 transaction and what was signed.
#[test]
fn eip_2930_is_hashed_as_go_ethereum_does() {
    let bytes = hex::decode(
        "01f8630103018261a894b94f5374fce5edbc8e2a8697c15331677e6ebf0b0a825544c001a0c9519f4f2b30335884581971573f\
         adf60c6204f59a911df35ee8a540456b2660a032f1e8e2c5dd761f9e4f88f41c8310aeaba26a8bfcdacfedfa12ec3862d37521",
    )
    .unwrap();
    let signed = SignedTransaction::decode(&bytes).unwrap();
    assert_eq!(
        hex::encode(signed.transaction().signing_hash()),
        "49b486f0ec0a60dfbbca2d30cb07c9e8ffb2a2ff41f29a1ab6737475f6ff69f3"
    );
    assert_eq!(signed.encode(), bytes);
}

/// A document of the type `Message` with the field `data`.
fn message(kind: &str, data: &Value) -> String {
    json!({
        "types": {
            "EIP712Domain": [{"name": "chainId", "type": "uint256"}],
            "Message": [{"name": "data", "type": kind}],
        },
        "primaryType": "Message",
        "domain": {"chainId": 1},
        "message": {"data": data},
    })
    .to_string()
}

/// eth-sig-util, `src/__snapshots__/sign-typed-data.test.ts.snap`, "hashStruct V4 example data".
#[test]
fn values_are_hashed_as_eth_sig_util_does() {
    let max = 9_007_199_254_740_991_i64;
    let padded = format!("0x10{}", "00".repeat(31));
    let call = "0xa22cb465000000000000000000000000a9079d872d10185b54c5db2c36cc978cbd3f72b7000000000000000000000000\
                0000000000000000000000000000000000000001";
    let bobs = "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB";
    for (kind, data, expected) in [
        (
            "string",
            json!("Hello!"),
            "15d2c54cdaa22a6a3a8dbd89086b2ffcf0853857db9bcf1541765a8f769a63ba",
        ),
        (
            "string",
            json!("😁"),
            "ca0bd988509ebbefdabd88aba786ff9825dbdaf2532339957ca3ea4e44fc183a",
        ),
        (
            "string",
            json!("0xabcd"),
            "4560af2575aabbf895509b931fce6f2d9699df2aff56c44f768cd887c755a826",
        ),
        (
            "string",
            json!("0xabcde"),
            "22e06ed78df41415b1e92f43745402333a817415e34013beca15a80219936a3d",
        ),
        (
            "string",
            json!(bobs),
            "214632528de591d75e17abdeb0ccae3dab34a3be73b696af781a227af8070309",
        ),
        (
            "bytes",
            json!("0x"),
            "84b16210669f991d43a594d6851da4c5d1b77604564452ba4fff8d8e30b215b3",
        ),
        (
            "bytes",
            json!("0x10"),
            "724dca4470f2d466424cc9f6ee09f55034659518ef5426fde3af846aa6fefcd6",
        ),
        (
            "bytes",
            json!("0x1fffffffffffff"),
            "be212bfc47a5e65c8c62da853610adabd6aee8a456f44d8bcdb8a73bc616fcd1",
        ),
        (
            "bytes",
            json!(call),
            "262fae6268b3ee84a3870ced869fddd7b881ea50983994601c1dfdb2f61d9dce",
        ),
        (
            "address",
            json!(bobs),
            "ab14541443c6f456616e472ecca6d4fc887f862760d3a056b348441a9e0fd1c6",
        ),
        (
            "bool",
            json!(true),
            "df410941012cfe7070ec9abfdb367531856dda97faaa5134e46c313058e8415e",
        ),
        (
            "bool",
            json!(false),
            "8015e06ae558f4ef85aa3a10a88e0530c81d4c6437ea005773d0ae01fa87e98f",
        ),
        (
            "bytes1",
            json!("0x10"),
            "e900d48fde06ac14ab54c8c9246180736dffaafbd702b4448d95266e515c698f",
        ),
        (
            "bytes32",
            json!(padded),
            "e12c668b2a048da24f2cbefcaebf992a22406fc4fb16e93881c41ec30760077a",
        ),
        (
            "int8",
            json!(0),
            "7e41c54c3c21ff362622f9159b9b1566b4d9d883fe397da923f8415f1f2d1b89",
        ),
        (
            "int8",
            json!("0x0"),
            "7e41c54c3c21ff362622f9159b9b1566b4d9d883fe397da923f8415f1f2d1b89",
        ),
        (
            "int256",
            json!(-max),
            "ca8549280a9bd8667b6bdbf0d0eba01c9088d221db3836601e47d90351cba5ec",
        ),
        (
            "int256",
            json!(max),
            "bab9169a0079a42c1cd2d180095cf08a1dd0429496b1aeb69fced72472812876",
        ),
        (
            "uint8",
            json!("255"),
            "30b2c001d2daa96e91576d1019a1842f75d983de5f89934671dc02074971b850",
        ),
        (
            "uint256",
            json!("0"),
            "c4adc42f66c4586eb979042b897a75bc2bd4c8fb866531c44100a22168cdcdbc",
        ),
        (
            "uint256",
            json!(max),
            "3cfc99947ae18942816da1e3a94b479043b95f4de5851660ce9d53fe5f29b686",
        ),
        (
            "int256[]",
            json!([0, "0", "0x0", max, -max]),
            "85f9609b0fa0359c908f0d1effd2ca69a1bd1a983f473c142e26acdef6eb7ff1",
        ),
        (
            "uint8[]",
            json!([0, "0", "0x0", 255]),
            "66db87ae5c12bcea050f54891a0ceb924753764a4b1ead83ae8692d752a2a26a",
        ),
        (
            "uint256[]",
            json!([0, "0", "0x0", max]),
            "f44a78e7f58e62916b00244626970fb046c4e6495bd453c83298686c00d8e9f0",
        ),
    ] {
        let read = TypedData::from_json(&message(kind, &data)).unwrap();
        assert_eq!(hex::encode(read.struct_hash()), expected, "{kind} {data}");
    }
}

/// The same file: what it hashes, though the value does not fit its type, or does not say what is signed.
#[test]
fn values_that_eth_sig_util_bends_are_refused() {
    let max = 9_007_199_254_740_991_i64;
    for (kind, data) in [
        ("int8", json!(255)),
        ("int8", json!(-255)),
        ("int8", json!("256")),
        ("uint8", json!(-1)),
        ("uint256", json!(-1)),
        ("bytes", json!(10)),
        ("bytes", json!("10")),
        ("bytes", json!("0x0")),
        ("bytes", json!("0x101")),
        ("bytes", json!("0x1fffffffffffff1")),
        ("bytes1", json!("0x101")),
        ("bytes1", json!(max)),
        ("bytes1", json!(-1)),
        ("bytes1", json!(0)),
        ("bytes1", json!("a")),
        ("bytes1", json!("test")),
        ("bytes1", json!("0x1fffffffffffff")),
        ("bytes32", json!("0x10")),
        ("bytes32", json!(1)),
        ("bytes32", json!("test")),
        ("string", json!(10)),
        ("address", json!("0x0")),
        ("address", json!("0x10")),
        ("address", json!(10)),
        ("address", json!(max)),
        ("address", json!("bBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB")),
        ("address", json!("0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB0")),
        ("bool", json!("true")),
        ("bool", json!("false")),
        ("bool", json!(0)),
        ("bool", json!(1)),
        ("bool", json!(-1)),
        ("int", json!(0)),
        ("uint", json!(0)),
        ("string", json!(null)),
        ("bytes", json!(null)),
        ("int256", json!(null)),
        ("Message", json!(null)),
        ("function", json!("test")),
        ("foo", json!("test")),
        ("Person", json!({})),
    ] {
        assert!(
            TypedData::from_json(&message(kind, &data)).is_err(),
            "{kind} {data}"
        );
    }
}

/// eth-sig-util, "eip712Hash V4 should hash a typed message with data" and "hashStruct V4 should hash data
/// with a custom data type array".
#[test]
fn documents_are_hashed_as_eth_sig_util_does() {
    let mut document: Value = serde_json::from_str(&message("string", &json!("Hello!"))).unwrap();
    document["types"]["EIP712Domain"] = json!([
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
        {"name": "salt", "type": "bytes32"},
    ]);
    document["domain"] = json!({
        "name": "example.metamask.io",
        "version": "1",
        "chainId": 1,
        "verifyingContract": "0x0000000000000000000000000000000000000000",
        "salt": format!("0x010203{}", "00".repeat(29)),
    });
    let read = TypedData::from_json(&document.to_string()).unwrap();
    assert_eq!(
        hex::encode(read.signing_hash()),
        "d2669f23b7849020ad41bcbff5b51372793f91320e0f901641945568ed7322be"
    );

    let mut document: Value = serde_json::from_str(&message("string", &json!(""))).unwrap();
    document["types"]["Person"] =
        json!([{"name": "name", "type": "string"}, {"name": "wallet", "type": "address[]"}]);
    document["types"]["Mail"] = json!([
        {"name": "from", "type": "Person"},
        {"name": "to", "type": "Person[]"},
        {"name": "contents", "type": "string"},
    ]);
    document["primaryType"] = json!("Mail");
    let cow = "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826";
    document["message"] = json!({
        // The second address is in lower case here: its published case is no checksum.
        "from": {"name": "Cow", "wallet": [cow, "0xdd2a3d9f938e13cd947ec05abc7fe734df8dd826"]},
        "to": [{"name": "Bob", "wallet": ["0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"]}],
        "contents": "Hello, Bob!",
    });
    let read = TypedData::from_json(&document.to_string()).unwrap();
    assert_eq!(
        hex::encode(read.struct_hash()),
        "ac26cc7aa2cb9a8a445fae4e48b33f978b558da9b16e26381c53814d3317f541"
    );
}
