//! Planted secrets, and all the places where they must not show.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use sluice_tests::real::{Host, Settings};

use crate::gate::{Gate, PROVIDER_SECRET, SESSION_SECRET, SIGNING_SECRET};
use crate::wire::{chat_bytes, send};

/// What the client sends, and its virtual key.
const CLIENT_SECRET: &str = "planted-client-secret";
const UNKNOWN_KEY: &str = "planted-unknown-key";
/// The client's own credential for a provider.
const OWN_KEY: &str = "planted-own-key";
/// `printf planted-client-secret | sha256sum`
const HASH: &str = "9e214e0d94049661fdf21561663511c15817fb46cad422030873a442f98e5a65";

/// Envoy's own loggers that write all headers of a message, below the level `info`: what is between
/// HTTP and them is not ours to hide.
const LOGS_HEADERS: &[&str] = &[
    "http",
    "router",
    "http2",
    "client",
    "filter",
    "jwt",
    "pool",
    "connection",
    "misc",
    "main",
    "conn_handler",
];

pub(crate) async fn no_secret_shows_where_it_does_not_belong(host: &Host) -> Result<()> {
    let settings = Settings {
        log_level: "trace",
        ..Settings::default()
    };
    let more = format!("keys: [{{name: laptop, hash: \"sha256:{HASH}\"}}]\n");
    let mut gate = Gate::open_with(host, &more, &settings).await?;
    let mut told = String::new();
    for (model, key) in [
        ("plain", CLIENT_SECRET),
        ("refused", CLIENT_SECRET),
        ("two-lengths", CLIENT_SECRET),
        ("stream-silent", CLIENT_SECRET),
        ("azure-a", CLIENT_SECRET),
        ("a\nb", CLIENT_SECRET),
        ("aws-a", CLIENT_SECRET),
        ("plain", UNKNOWN_KEY),
    ] {
        let headers = format!(
            "authorization: Bearer {key}\r\nx-api-key: {key}\r\nx-aigw-azure-api-key: {OWN_KEY}\r\n"
        );
        let reply = send(gate.address(), &chat_bytes(model, &headers)).await?;
        told.push_str(&reply.text);
    }
    let query = format!(
        "GET /v1beta/models?key={CLIENT_SECRET} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    );
    told.push_str(&send(gate.address(), query.as_bytes()).await?.text);
    clean("an answer", &told)?;
    for path in [
        "/config_dump?include_eds",
        "/stats",
        "/stats/prometheus",
        "/clusters",
        "/listeners",
        "/server_info",
        "/init_dump",
    ] {
        clean(path, &gate.real.ask_admin(path).await?)?;
    }
    clean("the generated file", &read(&gate, "bootstrap.yaml")?)?;
    clean("the access log", &read(&gate, "bootstrap.out")?)?;
    let id = gate.real.process().id();
    clean(
        "argv",
        &String::from_utf8_lossy(&std::fs::read(format!("/proc/{id}/cmdline"))?),
    )?;
    let upstream = gate.upstream.requests().concat();
    ensure!(
        upstream.contains(PROVIDER_SECRET),
        "the provider got no key"
    );
    ensure!(
        !upstream.contains(CLIENT_SECRET),
        "the client's key reached a provider"
    );
    ensure!(
        upstream.contains(OWN_KEY) && upstream.contains(SESSION_SECRET),
        "the client's own key, or AWS's token, reached no provider"
    );
    ensure!(
        !upstream.contains(SIGNING_SECRET),
        "the key of AWS went out"
    );
    let log = gate.real.process().log();
    ensure!(!log.contains(SIGNING_SECRET), "the key of AWS is logged");
    log_is_clean(&log)
}

/// No secret in what the gateway logs at any level, and none at all from `info` on.
fn log_is_clean(log: &str) -> Result<()> {
    let mut loggers = BTreeSet::new();
    let (mut level, mut logger) = (String::new(), String::new());
    for line in log.lines() {
        // `[time][thread][level][logger] [file:line] text`; a message may have more lines.
        let parts: Vec<&str> = line
            .split(['[', ']'])
            .filter(|part| !part.is_empty())
            .collect();
        if line.starts_with('[') && parts.len() > 3 {
            (level, logger) = (parts[2].to_owned(), parts[3].to_owned());
        }
        if SECRETS.iter().any(|secret| line.contains(secret)) {
            ensure!(
                matches!(level.as_str(), "trace" | "debug"),
                "logged: {line}"
            );
            loggers.insert(logger.clone());
        }
    }
    let others: Vec<_> = loggers
        .iter()
        .filter(|one| !LOGS_HEADERS.contains(&one.as_str()))
        .collect();
    ensure!(
        others.is_empty(),
        "loggers with secrets: {others:?} of {loggers:?}"
    );
    Ok(())
}

fn clean(place: &str, text: &str) -> Result<()> {
    for secret in SECRETS {
        ensure!(!text.contains(secret), "{secret} shows in {place}");
    }
    ensure!(!text.is_empty(), "nothing to look at in {place}");
    Ok(())
}

fn read(gate: &Gate, name: &str) -> Result<String> {
    Ok(std::fs::read_to_string(gate.real.folder().join(name))?)
}

const SECRETS: [&str; 6] = [
    PROVIDER_SECRET,
    SIGNING_SECRET,
    SESSION_SECRET,
    CLIENT_SECRET,
    UNKNOWN_KEY,
    OWN_KEY,
];
