//! What the built wasm filter asks of its host, and how large it is.
//!
//! The filter is meant to be pure but for what the host trait offers. A clock, a file or a hash map of
//! the standard library that slips in shows up as an import. Needs the wasm: `SLUICE_WASM`, else where
//! cargo leaves it. Without it the tests say so and pass, unless `CI=true`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]

use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;

use wasmparser::{Parser, Payload};

#[test]
fn the_filter_imports_what_is_on_the_list_and_nothing_else() {
    let Some(wasm) = built_filter() else { return };
    let listed: BTreeSet<String> = IMPORTS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    let imported = imports(&wasm);
    let new: Vec<_> = imported.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&imported).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "not on the list: {new:?}; on the list, but not imported: {gone:?}"
    );
}

#[test]
fn the_filter_is_small() {
    let Some(wasm) = built_filter() else { return };
    assert!(wasm.len() <= MAX_WASM_BYTES, "{} bytes", wasm.len());
}

/// The feature `test-panic` is for tests of the filter's faults.
#[test]
fn no_request_can_ask_the_shipped_filter_to_panic() {
    let Some(wasm) = built_filter() else { return };
    let has = |text: &[u8]| wasm.windows(text.len()).any(|part| part == text);
    assert!(
        has(b"x-sluice-cluster"),
        "names of headers can be found at all"
    );
    assert!(!has(b"x-sluice-test-panic"));
}

fn imports(wasm: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ImportSection(section) = payload.unwrap() {
            let imports = section.into_imports().map(Result::unwrap);
            found.extend(imports.map(|import| format!("{}.{}", import.module, import.name)));
        }
    }
    found
}

fn built_filter() -> Option<Vec<u8>> {
    let path = env::var_os("SLUICE_WASM").map_or_else(default_path, |path| Some(path.into()));
    let wasm = path.and_then(|path| std::fs::read(path).ok());
    if wasm.is_none() {
        assert!(env::var_os("CI").is_none(), "{MISSING}");
        eprintln!("SKIPPED: {MISSING}");
    }
    wasm
}

/// In the target directory, wherever below it this test was built.
fn default_path() -> Option<PathBuf> {
    let test = env::current_exe().ok()?;
    let candidates = test.ancestors().map(|folder| folder.join(IN_TARGET));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

const IMPORTS: &str = include_str!("wasm-imports.txt");
const IN_TARGET: &str = "wasm32-wasip1/wasm/sluice_filter.wasm";
const MISSING: &str = "the wasm filter is not built: `make build`";

/// Envoy compiles the whole file in each worker's start: what a gateway's size costs is start time.
const MAX_WASM_BYTES: usize = 1_750_000;
