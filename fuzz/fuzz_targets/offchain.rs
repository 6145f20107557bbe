//! An off-chain message that is accepted encodes to the same bytes, and so does an envelope.
#![no_main]

use keyward_core::address::Signature;
use keyward_core::offchain::{
    Envelope, EnvelopeError, Layout, MessageKind, OffChainError, OffChainMessage, SIGNING_DOMAIN, classify,
};
use keyward_core::solana::parses_as_transaction;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Every layout, and an envelope of one signature, without having to guess 16 bytes.
    check(bytes);
    check(&[SIGNING_DOMAIN, bytes].concat());
    check_envelope(bytes);
    if let Some((signature, rest)) = bytes.split_first_chunk::<64>() {
        check_envelope(&[&[1][..], signature, SIGNING_DOMAIN, rest].concat());
    }
    check_envelope(&[&[1][..], &[0; 64], SIGNING_DOMAIN, bytes].concat());
    if let Ok(text) = core::str::from_utf8(bytes) {
        write(text);
    }
});

fn check(bytes: &[u8]) {
    let kind = classify(bytes);
    if bytes.starts_with(SIGNING_DOMAIN) {
        assert!(matches!(
            kind,
            MessageKind::OffChain | MessageKind::Transaction | MessageKind::Binary
        ));
    }
    assert!(!parses_as_transaction(bytes) || kind == MessageKind::Transaction);
    let Ok(message) = OffChainMessage::decode(bytes) else {
        assert!(kind != MessageKind::OffChain);
        return;
    };
    assert_eq!(kind, MessageKind::OffChain);
    assert_eq!(message.encode(), bytes);
    assert_eq!(message.signers().is_empty(), message.layout() == Layout::Short);
    assert!(bytes.ends_with(message.text().as_bytes()));
    for signer in message.signers() {
        assert!(message.may_be_signed_by(signer));
        assert!(message.verify(signer, &Signature::default()).is_err());
    }
}

fn check_envelope(bytes: &[u8]) {
    if let Ok(envelope) = Envelope::decode(bytes) {
        assert_eq!(envelope.encode(), bytes);
        let missing = envelope.signatures().any(|(_, signature)| signature.is_default());
        assert_eq!(
            matches!(envelope.check_complete(), Err(EnvelopeError::Missing { .. })),
            missing
        );
        for (signer, signature) in envelope.signatures().filter(|(_, own)| !own.is_default()) {
            assert_eq!(envelope.message().verify(signer, signature), Ok(()));
        }
    }
}

/// A text that can be written can be read again, or both layouts of version 0 would say something.
fn write(text: &str) {
    let signer = keyward_core::address::Address::new([9; 32]);
    for message in [
        OffChainMessage::short(text),
        OffChainMessage::v0([8; 32], [signer], text),
        OffChainMessage::v1([signer], text),
    ]
    .into_iter()
    .flatten()
    {
        match OffChainMessage::decode(&message.encode()) {
            Ok(read) => assert_eq!(read, message),
            Err(error) => assert_eq!(error, OffChainError::Ambiguous),
        }
    }
}
