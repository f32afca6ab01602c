//! Many streams at once, on one worker.
//!
//! Clients come over HTTP/2, so that a stream costs them no connection of its own: the files of a
//! process are then enough for ten thousand.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use sluice_tests::real::Host;
use sluice_tests::report::note;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::gate::Gate;

/// Held at once where nobody says more with `STREAMS`.
const STREAMS: usize = 500;

pub(crate) async fn many_streams_are_held_at_once(host: &Host) -> Result<()> {
    let wanted = std::env::var("STREAMS")
        .ok()
        .and_then(|text| text.parse().ok());
    let count = wanted.unwrap_or(STREAMS).min(possible());
    let settings = sluice_tests::real::Settings {
        edit: &patient,
        ..Default::default()
    };
    let mut gate = Gate::open_with(host, "", &settings).await?;
    gate.is_well().await?;
    let before = gate.real.process().resident_bytes()?;
    let mut clients = JoinSet::new();
    let since = Instant::now();
    for first in (0..count).step_by(STREAMS_PER_CONNECTION) {
        let sender = connect(gate.address()).await?;
        for _ in first..count.min(first + STREAMS_PER_CONNECTION) {
            clients.spawn(stream(sender.clone(), gate.address()));
        }
    }
    while gate.upstream.open_streams() < count && since.elapsed() < MAX_OPEN {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (open, time) = (gate.upstream.open_streams(), since.elapsed());
    let held = gate.real.process().resident_bytes()?;
    gate.upstream.end_streams();
    let mut good = 0;
    while let Some(whole) = clients.join_next().await {
        good += usize::from(whole?.unwrap_or(false));
    }
    note(&format!(
        "{open} streams held after {:.1} s, {} without error, memory {} MiB before, {} MiB with them ({} KiB a stream)",
        time.as_secs_f32(),
        good,
        before >> 20,
        held >> 20,
        (held.saturating_sub(before) >> 10) / open.max(1) as u64,
    ));
    ensure!(
        open == count && good == count,
        "{open} open, {good} good of {count}"
    );
    gate.is_well().await
}

type Client = SendRequest<Full<Bytes>>;

async fn connect(address: SocketAddr) -> Result<Client> {
    let stream = TokioIo::new(TcpStream::connect(address).await?);
    let (sender, connection) = handshake(TokioExecutor::new(), stream).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Whether a stream comes whole.
async fn stream(mut client: Client, address: SocketAddr) -> Result<bool> {
    let request = Request::post(format!("http://{address}/v1/chat/completions"))
        .header("content-type", "application/json")
        .body(Full::from(ASKED))?;
    let answer = client.send_request(request).await?;
    let status = answer.status();
    let body = answer.into_body().collect().await?.to_bytes();
    let text = String::from_utf8_lossy(&body);
    Ok(status == 200 && text.contains("Hello") && text.contains("[DONE]"))
}

const ASKED: &str =
    r#"{"model":"stream-held","stream":true,"messages":[{"role":"user","content":"Hi"}]}"#;

/// What the generated listener allows.
const STREAMS_PER_CONNECTION: usize = 100;

/// A silent stream stays open for as long as the others take to open.
fn patient(bootstrap: String) -> String {
    let patient = |line: &str| match line.split_once("timeout: ") {
        Some((before, time)) if time != "0s" => format!("{before}timeout: 600s\n"),
        _ => format!("{line}\n"),
    };
    bootstrap.lines().map(patient).collect()
}

/// Each stream is one connection of the provider here, and one in Envoy.
fn possible() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse::<usize>().ok());
    soft.unwrap_or(1024).saturating_sub(500)
}

const MAX_OPEN: Duration = Duration::from_secs(300);
