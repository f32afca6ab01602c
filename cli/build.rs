//! Finds the built filter, so that the one file `sluice` is all that a user needs.
//!
//! Takes it from the environment variables `SLUICE_WASM` and `SLUICE_MODULE`, as `make build` sets
//! them, else from where cargo leaves it. Without it the tool is built all the same, and says how to
//! build the filter when it is asked for it.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = target_directory();
    let wasm = target.join("wasm32-wasip1/wasm/sluice_filter.wasm");
    let module = target.join("module/libsluice.so");
    embed("SLUICE_WASM", "embedded_wasm", &wasm);
    embed("SLUICE_MODULE", "embedded_module", &module);
}

/// Tells the code where the file is, if it is anywhere.
fn embed(variable: &str, cfg: &str, default: &Path) {
    println!("cargo::rustc-check-cfg=cfg({cfg})");
    println!("cargo::rerun-if-env-changed={variable}");
    let named = env::var_os(variable)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let file = named.as_deref().unwrap_or(default);
    // A file that is not there makes cargo build the tool again each time, until it is: right when
    // someone has named it.
    if named.is_some() || file.is_file() {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    if !file.is_file() {
        return;
    }
    println!("cargo::rustc-cfg={cfg}");
    println!("cargo::rustc-env={}={}", cfg.to_uppercase(), file.display());
}

/// `target/PROFILE/build/PACKAGE/out` is where cargo lets this program write.
fn target_directory() -> PathBuf {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    out.ancestors()
        .nth(4)
        .map(Path::to_owned)
        .unwrap_or_default()
}
