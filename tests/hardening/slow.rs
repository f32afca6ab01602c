//! Clients and providers that hold what they use.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use sluice_tests::real::{Host, Settings};

use crate::gate::Gate;
use crate::wire::{chat, chat_bytes, send_slowly};

/// An Envoy that waits for clients no longer than a second.
fn hasty(text: String) -> String {
    let hasty = text
        .replace(
            "request_headers_timeout: 10s",
            "request_headers_timeout: 1s",
        )
        .replace("request_timeout: 300s", "request_timeout: 1s");
    assert_ne!(hasty, text, "the generator does not say these times");
    hasty
}

pub(crate) async fn open(host: &Host) -> Result<Gate> {
    let settings = Settings {
        edit: &hasty,
        ..Settings::default()
    };
    Gate::open_with(host, "", &settings).await
}

pub(crate) async fn headers_that_drip_end_the_connection(gate: &mut Gate) -> Result<()> {
    let since = Instant::now();
    let drops: Vec<&[u8]> = vec![
        b"POST / HTTP/1.1\r\n",
        b"host: a\r\n",
        b"x: 1\r\n",
        b"y: 2\r\n",
        b"z: 3\r\n",
        b"a: 3\r\n",
    ];
    let reply = send_slowly(gate.address(), &drops, Duration::from_millis(700)).await?;
    ensure!(since.elapsed() < Duration::from_secs(10), "{reply:?}");
    ensure!(matches!(reply.status, 0 | 408), "{reply:?}");
    gate.is_well().await
}

pub(crate) async fn a_body_that_drips_is_a_timeout_in_the_clients_format(
    gate: &mut Gate,
) -> Result<()> {
    let bytes = chat_bytes("plain", "");
    let (head, body) = bytes.split_at(bytes.len() - 20);
    let mut pieces = vec![head];
    pieces.extend(body.chunks(1));
    let reply = send_slowly(gate.address(), &pieces, Duration::from_millis(300)).await?;
    ensure!(reply.status == 408 && reply.is_openai_error(), "{reply:?}");
    ensure!(gate.upstream.requests().is_empty());
    gate.is_well().await
}

pub(crate) async fn a_stream_that_falls_silent_ends(gate: &mut Gate) -> Result<()> {
    let since = Instant::now();
    let reply = chat(gate.address(), "stream-silent").await?;
    ensure!(reply.text.contains("Hello"), "{reply:?}");
    ensure!(!reply.text.contains("[DONE]"), "{reply:?}");
    ensure!(
        since.elapsed() < Duration::from_secs(20),
        "after {:?}",
        since.elapsed()
    );
    gate.is_well().await
}
