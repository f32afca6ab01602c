//! `#[test]` for crates whose tests run compiled to WebAssembly.
//!
//! Owns: the name. wasm-bindgen's runner finds only tests with its own attribute. A crate that says
//! `#[macro_use(test)] extern crate sluice_wasm_test;` has that attribute in place of the standard
//! one in all its modules, so that its tests need not be written for two hosts.

pub use wasm_bindgen_test::wasm_bindgen_test as test;
