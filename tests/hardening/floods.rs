//! More than anybody should send.

use anyhow::{Result, ensure};

use crate::gate::Gate;
use crate::wire::{chat, post, send};

/// What Envoy's memory may grow by under a flood of 256 MiB.
const MAX_GROWTH_BYTES: u64 = 96 << 20;

pub(crate) async fn megabytes_of_headers_of_a_provider_are_an_error(gate: &mut Gate) -> Result<()> {
    let reply = chat(gate.address(), "headers").await?;
    ensure!(reply.status == 502 && reply.is_openai_error(), "{reply:?}");
    gate.is_well().await
}

pub(crate) async fn an_endless_line_of_a_stream_ends_within_bounds(gate: &mut Gate) -> Result<()> {
    gate.is_well().await?;
    let before = gate.real.process().resident_bytes()?;
    let reply = chat(gate.address(), "stream-line").await?;
    let after = gate.real.process().resident_bytes()?;
    ensure!(
        reply.text.contains("error"),
        "no error in {} bytes",
        reply.text.len()
    );
    ensure!(
        reply.text.len() < 32 << 20,
        "{} bytes went on",
        reply.text.len()
    );
    ensure!(
        after < before + MAX_GROWTH_BYTES,
        "memory went from {before} to {after}"
    );
    gate.is_well().await
}

pub(crate) async fn a_compressed_bomb_is_not_unpacked(gate: &mut Gate) -> Result<()> {
    let reply = chat(gate.address(), "bomb").await?;
    ensure!(reply.status == 502 && reply.is_openai_error(), "{reply:?}");
    gate.is_well().await
}

pub(crate) async fn an_answer_beyond_the_limit_is_an_error(gate: &mut Gate) -> Result<()> {
    gate.is_well().await?;
    let before = gate.real.process().resident_bytes()?;
    // Another format at the client, so that the answer has to be held.
    let body = br#"{"model":"endless","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}"#;
    let reply = send(gate.address(), &post("/v1/messages", "", body)).await?;
    let after = gate.real.process().resident_bytes()?;
    // Without a length, Envoy ends it in its own words: no filter is asked about that answer.
    ensure!(
        matches!(reply.status, 500 | 502),
        "{} bytes",
        reply.text.len()
    );
    ensure!(
        after < before + MAX_GROWTH_BYTES,
        "memory went from {before} to {after}"
    );
    gate.is_well().await
}

pub(crate) async fn a_body_nested_a_hundred_thousand_times_is_refused(
    gate: &mut Gate,
) -> Result<()> {
    let deep = format!("{{\"model\":\"plain\",\"a\":{}", "[".repeat(100_000));
    let objects = format!("{{\"model\":\"plain\",\"a\":{}", "{\"a\":".repeat(100_000));
    for body in [deep, objects] {
        let bytes = post("/v1/chat/completions", "", body.as_bytes());
        let reply = send(gate.address(), &bytes).await?;
        ensure!(reply.status == 400 && reply.is_openai_error(), "{reply:?}");
    }
    ensure!(gate.upstream.requests().is_empty());
    gate.is_well().await
}

pub(crate) async fn a_body_beyond_the_limit_is_refused_before_it_is_held(
    gate: &mut Gate,
) -> Result<()> {
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
                content-type: application/json\r\ncontent-length: 1099511627776\r\n\r\n{";
    let reply = send(gate.address(), head.as_bytes()).await?;
    ensure!(reply.status == 413 && reply.is_openai_error(), "{reply:?}");
    gate.is_well().await
}
