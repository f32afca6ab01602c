//! Text of clients and providers in places where it could become something else.

use anyhow::{Result, ensure};

use crate::gate::Gate;
use crate::wire::{chat, chat_bytes, post, send};

pub(crate) async fn control_characters_in_a_models_name_are_refused(gate: &mut Gate) -> Result<()> {
    for model in [
        "a\r\nx-evil: 1",
        "a\nb",
        "a\0b",
        "azure-a\r\n\r\nGET / HTTP/1.1",
        "a\u{7f}",
    ] {
        let reply = chat(gate.address(), model).await?;
        ensure!(
            reply.status == 400 && reply.is_openai_error(),
            "{model:?}: {reply:?}"
        );
        ensure!(gate.upstream.requests().is_empty(), "{model:?}");
    }
    for path in [
        "/v1beta/models/a%0d%0ax:generateContent",
        "/v1beta/models/a%00:generateContent",
    ] {
        let reply = send(gate.address(), &post(path, "", b"{}")).await?;
        // A zero byte is refused by Envoy, before any filter.
        ensure!(matches!(reply.status, 400 | 404), "{path}: {reply:?}");
    }
    gate.is_well().await
}

pub(crate) async fn a_models_name_stays_one_segment_of_the_path(gate: &mut Gate) -> Result<()> {
    let names = [
        "azure-../../admin",
        "azure-?x=1#y",
        "azure- a",
        "azure-%2e%2e%2f",
        "azure-é;v=1",
    ];
    for model in names {
        let reply = chat(gate.address(), model).await?;
        let requests = gate.upstream.requests();
        if reply.status == 400 && requests.is_empty() {
            continue;
        }
        let line = requests
            .first()
            .and_then(|one| one.lines().next())
            .unwrap_or_default();
        let path = line.split(' ').nth(1).unwrap_or_default();
        let inner = path
            .strip_prefix("/openai/deployments/azure-")
            .and_then(|rest| rest.strip_suffix("/chat/completions?api-version=2024-10-21"));
        let is_one = inner.is_some_and(|name| !name.contains(['/', '?', '#', ' ']));
        ensure!(is_one && line.ends_with(" HTTP/1.1"), "{model:?}: {line:?}");
    }
    gate.is_well().await
}

pub(crate) async fn headers_that_are_not_utf8_do_no_harm(gate: &mut Gate) -> Result<()> {
    let places = [
        "user-agent",
        "authorization",
        "x-api-key",
        "anthropic-beta",
        "content-type",
    ];
    for name in places {
        let mut bytes = chat_bytes("plain", &format!("{name}: Bearer @@\r\n"));
        let at = bytes.windows(2).position(|part| part == b"@@").unwrap();
        bytes[at..at + 2].copy_from_slice(b"\xff\xfe");
        let reply = send(gate.address(), &bytes).await?;
        ensure!(matches!(reply.status, 200 | 400), "{name}: {reply:?}");
    }
    let reply = chat(gate.address(), "not-utf8").await?;
    ensure!(matches!(reply.status, 200 | 502), "{reply:?}");
    gate.is_well().await
}

pub(crate) async fn headers_that_command_envoy_do_nothing(gate: &mut Gate) -> Result<()> {
    let headers = "x-sluice-cluster: nowhere\r\nx-ai-eg-model: other\r\nx-envoy-max-retries: 9\r\n\
                   x-envoy-original-path: /evil\r\nx-envoy-upstream-rq-timeout-ms: 1\r\n\
                   x-sluice-token-issuer: me\r\nx-aigw-openai-key: mine\r\nx-forwarded-for: 9.9.9.9\r\n";
    let reply = send(gate.address(), &chat_bytes("plain", headers)).await?;
    ensure!(reply.status == 200, "{reply:?}");
    let requests = gate.upstream.requests();
    ensure!(requests.len() == 1, "{requests:?}");
    for own in [
        "x-sluice-",
        "x-ai-eg-",
        "x-envoy-",
        "x-aigw-",
        "x-forwarded-",
        "evil",
    ] {
        ensure!(!requests[0].contains(own), "{own} in {}", requests[0]);
    }
    gate.is_well().await
}
