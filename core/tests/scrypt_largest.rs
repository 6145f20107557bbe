//! The fourth vector of RFC 7914, section 12: N = 2^20, r = 8, p = 1, which is also the dearest key stretching that a vault
//! may ask for. Takes 1 GiB and some seconds, so it is a test program of its own.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests")]

use keyward_core::vault::KdfParams;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn scrypt_holds_the_largest_vector_of_rfc_7914() {
    let accepted = KdfParams::new(20, 8, 1).unwrap();
    assert_eq!(accepted.memory_bytes(), 1 << 30);
    let params = scrypt::Params::new(accepted.log_n(), accepted.r(), accepted.p()).unwrap();
    let mut out = [0; 64];
    scrypt::scrypt(b"pleaseletmein", b"SodiumChloride", &params, &mut out).unwrap();
    assert_eq!(
        hex::encode(out),
        "2101cb9b6a511aaeaddbbe09cf70f881ec568d574a2ffd4dabe5ee9820adaa478e56fd8f4ba5d09ffa1c6d927c40f4c3373040\
         49e8a952fbcbf45c6fa77a41a4"
    );
}
