//! The exports in a page.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "tests")]

use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

#[path = "exports/suite.rs"]
mod suite;

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn it_runs_in_a_page() {
    let document = js_sys::Reflect::get(&js_sys::global(), &JsValue::from_str("document")).unwrap();
    assert!(document.is_object());
}
