//! The generated configuration and a real Envoy.
//!
//! Some need the built filter and an Envoy, as `make setup build` leaves them. Without them they are
//! skipped, and fail where `CI=true`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use sluice::artifact::Artifact;
use sluice::generate::Host;
use support::{envoy, needed, sluice};

#[test]
fn the_checked_in_bootstrap_is_what_the_generator_writes() {
    let generated = sluice(&["generate", "--ca-file", DEBIAN_CA_FILE])
        .arg(envoy_folder().join("sluice.yaml"))
        .stdout();
    let path = envoy_folder().join("bootstrap.yaml");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, generated).unwrap();
        return;
    }
    let checked_in = std::fs::read_to_string(path).unwrap();
    assert_eq!(
        checked_in, generated,
        "write it again: UPDATE=1 cargo test -p sluice --test envoy"
    );
}

#[test]
fn every_example_is_a_good_configuration() {
    for file in examples() {
        sluice(&["check"]).arg(file).stdout();
    }
}

#[test]
fn envoy_accepts_every_example_with_the_wasm() {
    envoy_accepts_every_example(Host::Wasm, "wasm");
}

#[test]
fn envoy_accepts_every_example_with_the_module() {
    envoy_accepts_every_example(Host::Module, "module");
}

fn envoy_accepts_every_example(host: Host, name: &str) {
    let Some(envoy) = needed(envoy(), "Envoy") else {
        return;
    };
    if needed(Artifact::of(host).ok(), "the built filter").is_none() {
        return;
    }
    for file in examples() {
        let directory = tempfile::tempdir().unwrap();
        sluice(&["generate", "--host", name, "-o"])
            .arg(directory.path())
            .arg(&file)
            .stdout();
        let output = validate(&envoy, directory.path());
        assert!(output.ends_with("OK\n"), "{}: {output}", file.display());
        let mut warnings = output.lines().filter(|line| is_warning(line));
        assert_eq!(warnings.next(), None, "{}: {output}", file.display());
    }
}

/// Key sets are fetched as soon as the listener is there, and no cluster is while Envoy validates.
fn is_warning(line: &str) -> bool {
    line.contains("[warning]") && !line.contains("Jwks async fetching")
}

/// What Envoy says to the configuration in this directory, run from another one.
fn validate(envoy: &Path, directory: &Path) -> String {
    let output = Command::new(envoy)
        .args(["--mode", "validate", "--log-level", "warning", "-c"])
        .arg(directory.join("bootstrap.yaml"))
        .current_dir("/")
        .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", directory)
        .envs(SECRETS.iter().map(|name| (name, "secret")))
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

fn envoy_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../envoy")
}

fn examples() -> Vec<PathBuf> {
    let files = std::fs::read_dir(envoy_folder().join("examples")).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.push(envoy_folder().join("sluice.yaml"));
    files
}

const DEBIAN_CA_FILE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The variables that the examples name.
const SECRETS: &[&str] = &[
    "ANTHROPIC_API_KEY",
    "AZURE_OPENAI_API_KEY",
    "OPENAI_API_KEY",
    "OPENAI_ORGANIZATION",
];
