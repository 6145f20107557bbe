//! A payment link that is accepted reads back from the link that it makes.
#![no_main]

use keyward_core::solana_pay::PaymentRequest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(request) = PaymentRequest::parse(text) {
        assert_eq!(PaymentRequest::parse(&request.to_uri()), Ok(request));
    }
});
