#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

const ORIGIN: &str = "keyward/0123456789abcdef";

fn key() -> SecretKey {
    SecretKey::from_seed(&[7; 32])
}

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: ORIGIN.to_string(),
        size: 42,
        root: [0xab; 32],
    }
}

#[test]
fn the_text_is_pinned() {
    let text = checkpoint().sign(&key()).to_string();
    insta::assert_snapshot!(text, @r"
    keyward/0123456789abcdef
    42
    q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=

    — keyward/0123456789abcdef 16JgdiRN9TH+UI0slR8P4mwl15LlftiB5YbNw7nZ0EDvCOMupoYxvxyMSsrUTCSuTqNk9X2HsaV+ENIQdazT/oWcsA0=
    ");
    let read: SignedCheckpoint = text.parse().unwrap();
    assert_eq!(read.to_string(), text);
    assert_eq!(read.unverified(), &checkpoint());
    assert_eq!(read.verify(&key().address(), ORIGIN), Ok(checkpoint()));
}

/// Key and signed note from the documentation of Go's golang.org/x/mod/sumdb/note.
#[test]
fn key_ids_and_signatures_are_those_of_signed_notes() {
    let skey = STANDARD
        .decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
        .unwrap();
    let key = SecretKey::from_seed(skey[1..].try_into().unwrap());
    assert_eq!(
        verifier_key("PeterNeumann", &key.address()),
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    );
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let signature = key.sign(text.as_bytes());
    let blob = [&key_id("PeterNeumann", &key.address())[..], signature.as_bytes()].concat();
    assert_eq!(
        STANDARD.encode(blob),
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    );
}

#[test]
fn only_the_logs_own_signature_counts() {
    let signed = checkpoint().sign(&key());
    let stranger = SecretKey::from_seed(&[8; 32]);
    let verify = |signed: &SignedCheckpoint, key: &SecretKey, origin| signed.verify(&key.address(), origin);
    assert_eq!(
        verify(&signed, &key(), "keyward/other"),
        Err(CheckpointError::WrongOrigin)
    );
    assert_eq!(
        verify(&signed, &stranger, ORIGIN),
        Err(CheckpointError::UnknownKey)
    );

    // The right key's name and id with a wrong signature.
    let mut forged = signed.clone();
    forged.checkpoint.size = 43;
    assert_eq!(
        verify(&forged, &key(), ORIGIN),
        Err(CheckpointError::BadSignature)
    );
    let mut short = signed.clone();
    short.signatures[0].signature.pop();
    assert_eq!(verify(&short, &key(), ORIGIN), Err(CheckpointError::BadSignature));

    // A witness beside it changes nothing, before or after.
    let mut witnessed = checkpoint().sign(&stranger);
    witnessed.signatures[0].name = "witness.example".to_string();
    witnessed.signatures.extend(signed.signatures);
    let read: SignedCheckpoint = witnessed.to_string().parse().unwrap();
    assert_eq!(verify(&read, &key(), ORIGIN), Ok(checkpoint()));
}

#[test]
fn refuses_other_texts() {
    let good = checkpoint().sign(&key()).to_string();
    let line = |line| CheckpointError::Line { line };
    let replaced = |from: &str, to: &str| {
        assert!(good.contains(from));
        good.replacen(from, to, 1)
    };
    let root = STANDARD.encode([0xab; 32]);
    let unpadded = root.trim_end_matches('=');
    for (text, error) in [
        (String::new(), line(1)),
        ("\n".to_string(), line(1)),
        (replaced(ORIGIN, "key ward"), line(1)),
        (replaced(ORIGIN, "key+ward"), line(1)),
        (replaced(ORIGIN, "key\tward"), line(1)),
        (replaced("\n42\n", "\n042\n"), line(2)),
        (replaced("\n42\n", "\n+42\n"), line(2)),
        (replaced("\n42\n", "\n-1\n"), line(2)),
        (replaced("\n42\n", "\n\n"), line(2)),
        (replaced("\n42\n", "\n18446744073709551616\n"), line(2)),
        (replaced(&root, unpadded), line(3)),
        (replaced(&root, "q6s="), line(3)),
        (replaced(&root, ""), line(3)),
        (replaced("\n\n", "\nextension\n\n"), line(4)),
        (replaced("\n\n", "\n"), line(4)),
        (replaced("\n", "\r\n"), line(1)),
        (replaced("— ", "- "), line(5)),
        (replaced("— ", "—  "), line(5)),
        (good.trim_end().to_string(), line(6)),
        (good.clone() + "\n", line(7)),
        (good.clone() + "more\n", line(6)),
        (good.split_inclusive('\n').take(4).collect(), line(5)),
        (
            good.clone() + &"x".repeat(MAX_CHECKPOINT_BYTES),
            CheckpointError::TooLong,
        ),
    ] {
        assert_eq!(text.parse::<SignedCheckpoint>(), Err(error), "{text:?}");
    }
    let signature = good.lines().last().unwrap().to_string() + "\n";
    let many = good.clone() + &signature.repeat(40);
    assert!(many.parse::<SignedCheckpoint>().is_err());
    assert!((good + &signature).parse::<SignedCheckpoint>().is_ok());
}

proptest! {
    #[test]
    fn no_changed_byte_verifies(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let text = checkpoint().sign(&key()).to_string();
        let mut bytes = text.clone().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        if let Ok(changed) = String::from_utf8(bytes) {
            let verdict = changed
                .parse::<SignedCheckpoint>()
                .and_then(|signed| signed.verify(&key().address(), ORIGIN));
            prop_assert!(verdict.is_err());
        }
    }

    #[test]
    fn never_panics(text in "\\PC{0,80}(\n\\PC{0,60}){0,6}") {
        if let Ok(signed) = text.parse::<SignedCheckpoint>() {
            prop_assert_eq!(signed.to_string(), text);
        }
    }
}

#[test]
fn verifier_keys_read_back_and_other_texts_do_not() {
    let key = SecretKey::from_seed(&[3; 32]).address();
    let text = verifier_key("keyward/1", &key);
    assert_eq!(parse_verifier_key(&text), Ok(("keyward/1".to_string(), key)));
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(
            parse_verifier_key(&changed),
            Err(CheckpointError::VerifierKey),
            "{changed}"
        );
        assert_eq!(parse_verifier_key(&text[..at]), Err(CheckpointError::VerifierKey));
    }
}
