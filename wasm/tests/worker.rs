//! The exports in a dedicated worker, where no page's script reaches their memory.

#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "tests")]

use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

#[path = "exports/suite.rs"]
mod suite;

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test]
fn it_runs_in_a_worker() {
    let global = js_sys::global();
    let has = |name| js_sys::Reflect::has(&global, &JsValue::from_str(name)).unwrap();
    assert!(has("DedicatedWorkerGlobalScope") && !has("document"));
}
