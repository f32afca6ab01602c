//! `sluice run` with a real Envoy: what it serves, what it hides, what it leaves behind.
//!
//! Needs the built filter and an Envoy, as `make setup build` leaves them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

use std::path::Path;
use std::time::Duration;

use sluice::artifact::Artifact;
use sluice::generate::Host;
use sluice::mock::{self, MockServer};
use support::{Running, envoy, needed, sluice};

/// A gateway on a free port, with a folder of its own for temporary files.
struct Gateway {
    process: Running,
    url: String,
    admin: String,
    folder: tempfile::TempDir,
}

impl Gateway {
    /// `None` where something that it needs is missing.
    fn start(variables: &[(&str, &str)]) -> Option<Self> {
        let envoy = needed(envoy(), "Envoy")?;
        needed(Artifact::of(Host::Wasm).ok(), "the built filter")?;
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["run", "--listen", "127.0.0.1:0", "--concurrency", "1"];
        let command = sluice(&arguments)
            .env("ENVOY", envoy)
            .env("TMPDIR", folder.path());
        let command = variables
            .iter()
            .fold(command, |command, (name, value)| command.env(name, value));
        let mut process = command.start();
        let ready = process.until("sluice: ready on ");
        let [url, admin] = ["ready on ", "admin on "].map(|before| after(&ready, before));
        Some(Self {
            process,
            url,
            admin,
            folder,
        })
    }

    fn chat(&self, model: &str) -> String {
        let body =
            format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Hi"}}]}}"#);
        let url = format!("{}/v1/chat/completions", self.url);
        ureq::post(url)
            .send(body)
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap()
    }
}

/// The word that follows.
fn after(text: &str, before: &str) -> String {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split([' ', ',']).next().unwrap().to_owned()
}

#[test]
fn without_keys_the_mocks_answer_and_one_falls_over_to_another_format() {
    let Some(gateway) = Gateway::start(&[]) else {
        return;
    };
    for model in ["gpt-4o-mini", "claude-haiku-4-5", "fallback"] {
        let answer = gateway.chat(model);
        assert!(answer.contains("You said: Hi"), "{model}: {answer}");
    }
}

#[test]
fn a_signal_ends_everything_and_leaves_nothing() {
    let Some(mut gateway) = Gateway::start(&[]) else {
        return;
    };
    assert!(entries(gateway.folder.path()) > 0);
    assert_eq!(gateway.process.terminate(), Some(0));
    assert_eq!(entries(gateway.folder.path()), 0);
    let gone = ureq::get(format!("{}/ready", gateway.admin)).call();
    assert!(gone.is_err(), "Envoy still runs");
}

#[test]
fn keys_of_the_environment_reach_the_provider_and_nothing_else() {
    let provider = MockServer::start(mock::Options::default()).unwrap();
    let url = format!("{}/some/prefix/v1", provider.url());
    let variables = [("OPENAI_API_KEY", "sk-planted"), ("OPENAI_BASE_URL", &*url)];
    let Some(gateway) = Gateway::start(&variables) else {
        return;
    };

    gateway.chat("any-model");
    let received = provider.received();
    assert_eq!(
        received.first().unwrap().path,
        "/some/prefix/v1/chat/completions"
    );
    assert!(format!("{received:?}").contains("Bearer sk-planted"));

    let dump = ureq::get(format!("{}/config_dump", gateway.admin))
        .call()
        .unwrap();
    assert!(
        !dump
            .into_body()
            .read_to_string()
            .unwrap()
            .contains("planted")
    );
    assert!(!gateway.process.children().contains("planted"));
    assert!(!texts(gateway.folder.path()).contains("planted"));
}

#[test]
fn a_provider_that_hangs_is_given_up() {
    let provider = MockServer::start(mock::Options::default()).unwrap();
    let Some(envoy) = needed(envoy(), "Envoy") else {
        return;
    };
    if needed(Artifact::of(Host::Wasm).ok(), "the built filter").is_none() {
        return;
    }
    let mut process = sluice(&["run", "timeout.yaml", "--concurrency", "1"])
        .env("ENVOY", envoy)
        .env("MOCK", provider.url())
        .start();
    let url = after(&process.until("sluice: ready on "), "ready on ");
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(20)))
        .build()
        .new_agent();
    let body = r#"{"model":"hang","messages":[{"role":"user","content":"Hi"}]}"#;
    let mut answer = agent
        .post(format!("{url}/v1/chat/completions"))
        .send(body)
        .unwrap();
    assert_eq!(answer.status(), 504);
    assert!(
        answer
            .body_mut()
            .read_to_string()
            .unwrap()
            .contains("\"error\"")
    );
}

fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// Everything below a folder that is text.
fn texts(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let text = |path: std::path::PathBuf| match path.is_dir() {
        true => texts(&path),
        false => std::fs::read_to_string(path).unwrap_or_default(),
    };
    entries.map(text).collect()
}
