//! Requests and answers whose lengths lie.

use anyhow::{Result, ensure};

use crate::gate::Gate;
use crate::wire::{chat, chat_bytes, send};

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nhost: gateway.test\r\n\r\n";

pub(crate) async fn a_request_with_two_lengths_reaches_no_provider(gate: &mut Gate) -> Result<()> {
    for lengths in ["content-length: 5\r\n", "content-length: 5, 6\r\n"] {
        let reply = send(gate.address(), &chat_bytes("plain", lengths)).await?;
        ensure!(reply.status == 400, "{reply:?}");
        ensure!(gate.upstream.requests().is_empty());
    }
    gate.is_well().await
}

pub(crate) async fn a_request_with_length_and_chunks_reaches_no_provider(
    gate: &mut Gate,
) -> Result<()> {
    for coding in ["chunked", "chunked, identity", "xchunked", "\tchunked"] {
        let headers = format!("transfer-encoding: {coding}\r\n");
        let mut bytes = chat_bytes("plain", &headers);
        bytes.extend_from_slice(format!("0\r\n\r\n{SMUGGLED}").as_bytes());
        let reply = send(gate.address(), &bytes).await?;
        ensure!(matches!(reply.status, 400 | 501), "{coding}: {reply:?}");
        ensure!(gate.upstream.requests().is_empty(), "{coding}");
    }
    gate.is_well().await
}

pub(crate) async fn what_follows_a_request_is_no_request_to_a_provider(
    gate: &mut Gate,
) -> Result<()> {
    let text = String::from_utf8(chat_bytes("plain", ""))?.replace("connection: close\r\n", "");
    let last = SMUGGLED.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
    let reply = send(gate.address(), format!("{text}{last}").as_bytes()).await?;
    ensure!(reply.text.matches("HTTP/1.1 200").count() == 1, "{reply:?}");
    ensure!(reply.text.matches("HTTP/1.1 404").count() == 1, "{reply:?}");
    let requests = gate.upstream.requests();
    ensure!(
        requests.len() == 1 && !requests[0].contains("smuggled"),
        "{requests:?}"
    );
    gate.is_well().await
}

/// What the provider's next answer is, only it decides: it could answer that request wrongly anyway.
pub(crate) async fn what_follows_an_answer_does_not_reach_its_client(
    gate: &mut Gate,
) -> Result<()> {
    for _ in 0..5 {
        let reply = chat(gate.address(), "followed").await?;
        ensure!(reply.status == 200, "{reply:?}");
        ensure!(reply.text.matches("HTTP/1.1").count() == 1, "{reply:?}");
        ensure!(
            reply.text.matches("chat.completion").count() == 1,
            "{reply:?}"
        );
    }
    gate.is_well().await
}

pub(crate) async fn an_answer_with_two_lengths_is_an_error(gate: &mut Gate) -> Result<()> {
    let reply = chat(gate.address(), "two-lengths").await?;
    ensure!(reply.status == 502 && reply.is_openai_error(), "{reply:?}");
    gate.is_well().await
}
