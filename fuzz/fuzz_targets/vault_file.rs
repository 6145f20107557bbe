//! Vault files with a body of any bytes: what is opened could have been written, and nothing else is opened.
#![no_main]

use keyward_core::vault::{FileContents, VaultFile, VaultHeader, seal_record};
use keyward_fuzz::vault;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // As a whole file.
    for file in [bytes, &[&b"KEYWARD\0\0\x01"[..], bytes].concat()] {
        if let Ok(header) = VaultFile::inspect(file) {
            assert!(contains(file, &header));
        }
        if let Ok(opened) = VaultFile::open_with_key(file, vault::key()) {
            rewrite(opened.contents);
        }
    }
    // As a body that somebody sealed who has the key.
    let file = vault::file_of(bytes);
    let header = VaultFile::inspect(&file).expect("the header is sound");
    assert_eq!(header.to_bytes(), vault::HEADER.to_bytes());
    match VaultFile::open_with_key(&file, vault::key()) {
        Ok(opened) => rewrite(opened.contents),
        Err(_) => {
            // Only the body is wrong: an empty one in its place opens.
            let empty = vault::file_of(&[0; 8 + 4 + 4 + 1]);
            assert!(VaultFile::open_with_key(&empty, vault::key()).is_ok());
        }
    }
});

fn contains(file: &[u8], header: &VaultHeader) -> bool {
    file.get(12..)
        .is_some_and(|rest| rest.starts_with(&header.to_bytes()))
}

/// Contents that were accepted can be sealed again, once their records are records, and read as they are.
fn rewrite(mut contents: FileContents) {
    let header = &*vault::HEADER;
    let key = vault::key();
    for master in &mut contents.masters {
        let context = master.context(header);
        master.sealed = seal_record(&key, &context, &[1], [1; 32]).expect("a byte can be sealed");
    }
    for wallet in &mut contents.wallets {
        let context = wallet.context(header);
        wallet.sealed = seal_record(&key, &context, &[1], [1; 32]).expect("a byte can be sealed");
    }
    let file = VaultFile::seal(header, &key, &contents, [2; 32]).expect("it was read from a file");
    let again = VaultFile::open_with_key(&file, vault::key()).expect("it was just written");
    let twice = VaultFile::seal(header, &key, &again.contents, [2; 32]).expect("it was read from a file");
    assert_eq!(file, twice);
}
