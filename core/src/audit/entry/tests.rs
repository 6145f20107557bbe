#![allow(clippy::unwrap_used, reason = "tests")]

use alloc::string::ToString;

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

fn full() -> AuditEntry {
    AuditEntry {
        sequence: 7,
        time_ms: 1_795_000_000_123,
        actor: "local".to_string(),
        operation: Operation::SignTransaction,
        wallet: Some(Address::new([0xab; 32]).into()),
        outcome: Outcome::Refused,
        reason: "over-limit".to_string(),
        subject: Some([0xcd; 32]),
        details: "rule=sol-transfers".to_string(),
        client_address: None,
        client_fingerprint: None,
    }
}

fn bare() -> AuditEntry {
    AuditEntry {
        sequence: 0,
        time_ms: 0,
        actor: String::new(),
        operation: Operation::Lock,
        wallet: None,
        outcome: Outcome::Done,
        reason: String::new(),
        subject: None,
        details: String::new(),
        client_address: None,
        client_fingerprint: None,
    }
}

fn with_client() -> AuditEntry {
    AuditEntry {
        client_address: Some([0x11; 32]),
        client_fingerprint: Some([0x22; 32]),
        ..full()
    }
}

#[test]
fn the_format_is_pinned() {
    insta::assert_snapshot!(hex::encode(full().to_bytes()), @"4b5741010000000000000007000001a1ee565e7b000000056c6f63616c000000107369676e2d7472616e73616374696f6e01abababababababababababababababababababababababababababababababab030000000a6f7665722d6c696d697401cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd0000001272756c653d736f6c2d7472616e7366657273");
    insta::assert_snapshot!(hex::encode(bare().to_bytes()), @"4b5741010000000000000000000000000000000000000000000000046c6f636b0005000000000000000000");
    let second = with_client().to_bytes();
    assert_eq!(
        (&second[..4], &second[4..full().to_bytes().len()]),
        (&b"KWA\x02"[..], &full().to_bytes()[4..])
    );
    insta::assert_snapshot!(hex::encode(&second[full().to_bytes().len()..]), @"011111111111111111111111111111111111111111111111111111111111111111012222222222222222222222222222222222222222222222222222222222222222");
    insta::assert_snapshot!(hex::encode(with_client().leaf_hash()), @"65aa6a459a1447cf5c0d0f6554b4cb1ab8811c580f836b50f357330e19c12d14");
    insta::assert_snapshot!(hex::encode(full().leaf_hash()), @"5a4d78d590c96e2c97ae933acf40f37dd0af02219f5427b763375b96325ca69b");
}

#[test]
fn reads_back() {
    let one = |entry: AuditEntry| AuditEntry {
        client_address: None,
        ..entry
    };
    for entry in [full(), bare(), with_client(), one(with_client())] {
        assert_eq!(AuditEntry::from_bytes(&entry.to_bytes()), Ok(entry));
    }
}

#[test]
fn refuses_damaged_bytes() {
    let bytes = full().to_bytes();
    for len in 0..bytes.len() {
        assert!(AuditEntry::from_bytes(&bytes[..len]).is_err());
    }
    assert_eq!(
        AuditEntry::from_bytes(&[bytes.as_slice(), &[0]].concat()),
        Err(EntryError::Damaged)
    );
    let change = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        AuditEntry::from_bytes(&bytes)
    };
    assert_eq!(change(0, b'X'), Err(EntryError::Damaged));
    // Of version 2, it ends too early; and there is no version 3.
    assert_eq!(change(3, 2), Err(EntryError::Damaged));
    assert_eq!(change(3, 3), Err(EntryError::Version));
    // The length of the actor's name, its first byte, the operation's first byte.
    assert_eq!(change(20, 0xff), Err(EntryError::Damaged));
    assert_eq!(change(24, 0xff), Err(EntryError::Damaged));
    assert_eq!(change(33, b'S'), Err(EntryError::Operation));
    // The wallet's chain (another one's address has another length), and the outcome.
    assert!(change(49, 2).is_err());
    assert_eq!(change(49, 3), Err(EntryError::Damaged));
    assert_eq!(change(82, 0), Err(EntryError::Outcome));
    assert_eq!(change(82, 6), Err(EntryError::Outcome));
    let huge = alloc::vec![0; MAX_ENTRY_BYTES + 1];
    assert_eq!(AuditEntry::from_bytes(&huge), Err(EntryError::Damaged));
}

#[test]
fn an_entry_without_client_has_one_spelling() {
    let mut second = [full().to_bytes().as_slice(), &[0, 0]].concat();
    second[3] = 2;
    assert_eq!(AuditEntry::from_bytes(&second), Err(EntryError::Damaged));
    let bytes = with_client().to_bytes();
    for len in 0..bytes.len() {
        assert!(AuditEntry::from_bytes(&bytes[..len]).is_err(), "{len}");
    }
    let mut first = bytes;
    first[3] = 1;
    assert_eq!(AuditEntry::from_bytes(&first), Err(EntryError::Damaged));
}

#[test]
fn outcomes_read_back() {
    for outcome in Outcome::ALL {
        assert_eq!(outcome.as_str().parse(), Ok(*outcome));
    }
    assert_eq!("Done".parse::<Outcome>(), Err(EntryError::Outcome));
}

#[test]
fn wallets_of_either_chain_read_back_and_are_not_confused() {
    let of = |wallet: AccountAddress| AuditEntry {
        wallet: Some(wallet),
        ..full()
    };
    let evm = of(EvmAddress::new([0xab; 20]).into());
    assert_eq!(AuditEntry::from_bytes(&evm.to_bytes()), Ok(evm.clone()));
    assert_eq!(
        evm.to_bytes().len() + 12,
        of(Address::new([0xab; 32]).into()).to_bytes().len()
    );
    let bytes = evm.to_bytes();
    for len in 0..bytes.len() {
        assert!(AuditEntry::from_bytes(&bytes[..len]).is_err(), "{len}");
    }
    let mut other = bytes;
    other[49] = 1;
    assert!(AuditEntry::from_bytes(&other).is_err());
}

fn any_entry() -> impl Strategy<Value = AuditEntry> {
    let operation = proptest::sample::select(Operation::ALL);
    let outcome = proptest::sample::select(Outcome::ALL);
    (
        (any::<u64>(), any::<u64>(), ".{0,20}", operation),
        any::<Option<[u8; 32]>>(),
        (outcome, ".{0,20}", any::<Option<[u8; 32]>>(), ".{0,60}"),
        (any::<Option<[u8; 32]>>(), any::<Option<[u8; 32]>>()),
    )
        .prop_map(
            |((sequence, time_ms, actor, operation), wallet, end, client)| AuditEntry {
                sequence,
                time_ms,
                actor,
                operation,
                wallet: wallet.map(|bytes| Address::new(bytes).into()),
                outcome: end.0,
                reason: end.1,
                subject: end.2,
                details: end.3,
                client_address: client.0,
                client_fingerprint: client.1,
            },
        )
}

proptest! {
    #[test]
    fn every_entry_has_bytes_of_its_own(a in any_entry(), b in any_entry()) {
        prop_assert_eq!(AuditEntry::from_bytes(&a.to_bytes()), Ok(a.clone()));
        prop_assert_eq!(a.to_bytes() == b.to_bytes(), a == b);
    }

    #[test]
    fn what_is_accepted_encodes_to_the_same_bytes(
        entry in any_entry(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = entry.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = AuditEntry::from_bytes(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }
}
