//! Contents of any kind are refused when written or read back as they were, and no changed byte goes unnoticed.
#![no_main]

use keyward_core::vault::{
    FileContents, FileMaster, FilePolicy, FileWallet, RecordId, RecordPublicKey, VaultFile, VaultKey,
    seal_record,
};
use keyward_fuzz::vault;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = check(&mut Unstructured::new(bytes));
});

fn check(input: &mut Unstructured<'_>) -> Result<()> {
    let header = &*vault::HEADER;
    let key = vault::key();
    let (at, by): (u32, u8) = input.arbitrary()?;
    let contents = contents(input, &key)?;
    let Ok(mut file) = VaultFile::seal(header, &key, &contents, [2; 32]) else {
        return Ok(());
    };
    let opened = VaultFile::open_with_key(&file, vault::key()).expect("it was just written");
    assert_eq!(opened.header.to_bytes(), header.to_bytes());
    let again = VaultFile::seal(header, &key, &opened.contents, [2; 32]);
    assert_eq!(again.as_deref(), Ok(file.as_slice()));
    assert_eq!(opened.contents.created_at_ms, contents.created_at_ms);
    assert_eq!(opened.contents.masters.len(), contents.masters.len());
    for (read, master) in opened.contents.masters.iter().zip(&contents.masters) {
        assert_eq!((&read.label, &read.family), (&master.label, &master.family));
    }
    for (read, wallet) in opened.contents.wallets.iter().zip(&contents.wallets) {
        assert_eq!(
            (
                &read.label,
                &read.tags,
                &read.path,
                &read.family,
                &read.public_key,
                &read.sealed
            ),
            (
                &wallet.label,
                &wallet.tags,
                &wallet.path,
                &wallet.family,
                &wallet.public_key,
                &wallet.sealed
            )
        );
    }
    // Another key, a shorter file, a changed byte.
    assert!(VaultFile::open_with_key(&file, VaultKey::from_bytes([8; 32])).is_err());
    let at = usize::try_from(at).unwrap_or_default() % file.len();
    let cut = file.get(..at).unwrap_or_default();
    assert!(VaultFile::open_with_key(cut, vault::key()).is_err());
    file[at] ^= by.max(1);
    assert!(VaultFile::open_with_key(&file, vault::key()).is_err());
    Ok(())
}

/// Mostly a name that a file holds.
fn family(input: &mut Unstructured<'_>) -> Result<String> {
    Ok(match input.int_in_range(0..=9_u8)? {
        0 => input.arbitrary()?,
        1..=5 => "sollet".to_owned(),
        _ => "evm-ledger-live".to_owned(),
    })
}

fn contents(input: &mut Unstructured<'_>, key: &VaultKey) -> Result<FileContents> {
    let header = &*vault::HEADER;
    let mut contents = FileContents {
        created_at_ms: input.arbitrary()?,
        ..FileContents::default()
    };
    for _ in 0..input.int_in_range(0..=3_u8)? {
        let mut master = FileMaster {
            record: RecordId::from_bytes([input.arbitrary()?; 16]),
            created_at_ms: input.arbitrary()?,
            label: input.arbitrary()?,
            family: family(input)?,
            sealed: Vec::new(),
        };
        let secret = [input.arbitrary::<u8>()?; 40];
        master.sealed = seal_record(key, &master.context(header), &secret, [1; 32]).expect("40 bytes");
        contents.masters.push(master);
    }
    for _ in 0..input.int_in_range(0..=4_u8)? {
        let master = input
            .arbitrary::<Option<u8>>()?
            .map(|byte| RecordId::from_bytes([byte; 16]));
        let byte: u8 = input.arbitrary()?;
        let public_key = match input.int_in_range(0..=9_u8)? {
            0 => RecordPublicKey::None,
            1..=5 => RecordPublicKey::Ed25519([byte; 32]),
            _ => RecordPublicKey::Secp256k1([byte; 33]),
        };
        let mut wallet = FileWallet {
            record: RecordId::from_bytes([input.arbitrary()?; 16]),
            created_at_ms: input.arbitrary()?,
            master,
            path: match input.arbitrary::<Option<u32>>()? {
                Some(index) => format!("m/44'/501'/{index}'/0").parse().ok(),
                None => None,
            },
            family: match master {
                Some(_) => family(input)?,
                None => String::new(),
            },
            public_key,
            label: input.arbitrary()?,
            tags: input.arbitrary()?,
            sealed: Vec::new(),
        };
        wallet.sealed = seal_record(key, &wallet.context(header), &[byte; 32], [1; 32]).expect("32 bytes");
        contents.wallets.push(wallet);
    }
    contents.policy = input
        .arbitrary::<Option<(String, Vec<u8>)>>()?
        .map(|(json, signature)| FilePolicy { json, signature });
    Ok(contents)
}
