"""Who runs: plain Envoy, Sluice in both forms, and Envoy's own filter for the same job.

Each contestant is an Envoy with one worker in front of the same upstream; the filter differs.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import load
import processes
import report

HCM = (
    "type.googleapis.com/envoy.extensions.filters.network"
    ".http_connection_manager.v3.HttpConnectionManager"
)
ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
}
# Of the contestant that shows what the metrics cost: plain Envoy counts no tokens.
WITHOUT_METRICS = ", no metrics"
# Room for the bodies of 10 MB, the same for all.
BUFFER_BYTES = 64 * 1024 * 1024
BUFFER = {
    "name": "envoy.filters.http.buffer",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer",
        "max_request_bytes": BUFFER_BYTES,
    },
}


@dataclass
class Contestant:
    """A running gateway."""

    name: str
    port: int
    admin: int
    process: processes.Process

    @property
    def pid(self) -> int:
        return self.process.pid

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@dataclass(frozen=True)
class Setting:
    """What all contestants of a run share."""

    envoy: str
    sluice: str
    upstream: int
    folder: Path
    models: int = 1


def plain(setting: Setting) -> Contestant:
    """Envoy without a filter: what all ratios are to."""
    return _envoy_contestant(setting, "plain", [ROUTER], {})


def held(setting: Setting) -> Contestant:
    """Envoy that holds each request until it is whole, and reads nothing of it."""
    return _envoy_contestant(setting, report.HELD, [BUFFER, ROUTER], {})


def own_filter(setting: Setting) -> Contestant:
    """Envoy's `ai_protocol_manager` (alpha): parses, transcodes to its IR and back."""
    name = "envoy.filters.http.ai_protocol_manager"
    package = "type.googleapis.com/envoy.extensions.filters.http.ai_protocol_manager.v3"
    transcoder = {
        "@type": "type.googleapis.com/envoy.extensions.http.ai_filters.transcoder.v3.Transcoder",
        "request_handling": "TO_IR",
        "response_handling": "FROM_IR",
    }
    manager = {
        "name": name,
        "typed_config": {
            "@type": f"{package}.AiProtocolManager",
            "request_handling": {},
            "response_handling": {"token_usage": {}},
            "filters": [{"name": "envoy.http.ai_filters.transcoder", "typed_config": transcoder}],
        },
    }
    per_route = {
        name: {
            "@type": f"{package}.AiProtocolManagerPerRoute",
            "request": {"llm_protocol": "OPENAI_CHAT_COMPLETIONS"},
            "response": {"llm_protocol": "OPENAI_CHAT_COMPLETIONS"},
        }
    }
    return _envoy_contestant(setting, "ai_protocol_manager", [manager, ROUTER], per_route)


def sluice(setting: Setting, host: str, metrics: bool = True) -> Contestant:
    """Sluice, as `sluice generate` sets it up."""
    name = f"sluice {host}" if metrics else f"sluice {host}{WITHOUT_METRICS}"
    folder = setting.folder / f"{name}-{setting.models}".replace(" ", "-").replace(",", "")
    port, admin = processes.free_port(), processes.free_port()
    config = folder.with_suffix(".yaml")
    config.write_text(_sluice_yaml(setting, port, admin, metrics))
    subprocess.run(
        [setting.sluice, "generate", str(config), "-o", str(folder), "--host", host],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    env = {**os.environ, "ENVOY_DYNAMIC_MODULES_SEARCH_PATH": str(folder)}
    process = processes.envoy(
        setting.envoy, folder / "bootstrap.yaml", admin, load.pin_gateway, env
    )
    return Contestant(name, port, admin, process)


def _sluice_yaml(setting: Setting, port: int, admin: int, metrics: bool) -> str:
    base_url = f"http://127.0.0.1:{setting.upstream}"
    lines = [
        f"listen: 127.0.0.1:{port}",
        f"admin: 127.0.0.1:{admin}",
        "max_request_bytes: 67108864",
        *([] if metrics else ["metrics: none"]),
        "providers:",
        f"  openai: {{kind: openai, base_url: '{base_url}/v1', api_key: none}}",
        f"  anthropic: {{kind: anthropic, base_url: '{base_url}/v1', api_key: none}}",
        "models:",
        "  gpt-bench: openai",
        "  claude-bench: anthropic",
        *(f"  model-{index}: openai" for index in range(setting.models - 1)),
    ]
    return "\n".join(lines) + "\n"


def upstream(envoy: str, folder: Path) -> tuple[processes.Process, int]:
    """A provider that answers at once: Envoy's direct responses."""
    port, admin = processes.free_port(), processes.free_port()
    routes = [
        _direct("/v1/messages", ANTHROPIC_BODY, "application/json"),
        _direct("/", OPENAI_BODY, "application/json"),
    ]
    # An answer before the end of the request would cost its connection: read it whole first.
    config = _bootstrap(port, admin, [BUFFER, ROUTER], routes, [])
    path = processes.write_config(folder / "upstream.yaml", config)
    return processes.envoy(envoy, path, admin, load.pin_load), port


def _envoy_contestant(
    setting: Setting, name: str, filters: list[dict], per_route: dict
) -> Contestant:
    port, admin = processes.free_port(), processes.free_port()
    route = {"match": {"prefix": "/"}, "route": {"cluster": "provider", "timeout": "0s"}}
    route["request_body_buffer_limit"] = BUFFER_BYTES
    if per_route:
        route["typed_per_filter_config"] = per_route
    config = _bootstrap(port, admin, filters, [route], [_cluster(setting.upstream)])
    path = processes.write_config(setting.folder / f"{name}.yaml", config)
    return Contestant(
        name, port, admin, processes.envoy(setting.envoy, path, admin, load.pin_gateway)
    )


def _bootstrap(
    port: int, admin: int, filters: list[dict], routes: list[dict], clusters: list[dict]
) -> dict:
    manager = {
        "@type": HCM,
        "stat_prefix": "bench",
        "http_filters": filters,
        "route_config": {
            "name": "bench",
            "max_direct_response_body_size_bytes": 1 << 20,
            "virtual_hosts": [{"name": "bench", "domains": ["*"], "routes": routes}],
        },
    }
    chain = {
        "filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
        ]
    }
    listener = {
        "name": "bench",
        "address": _address(port),
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "filter_chains": [chain],
    }
    return {
        "admin": {"address": _address(admin)},
        "static_resources": {"listeners": [listener], "clusters": clusters},
    }


def _cluster(port: int) -> dict:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": "provider",
        "per_connection_buffer_limit_bytes": BUFFER_BYTES,
        "load_assignment": {
            "cluster_name": "provider",
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }


def _direct(prefix: str, body: str, content_type: str) -> dict:
    header = {"header": {"key": "content-type", "value": content_type}}
    header["append_action"] = "OVERWRITE_IF_EXISTS_OR_ADD"
    match: dict = {"prefix": prefix}
    if content_type == "text/event-stream":
        match["headers"] = [{"name": "accept", "string_match": {"contains": content_type}}]
    return {
        "match": match,
        "direct_response": {"status": 200, "body": {"inline_string": body}},
        "response_headers_to_add": [header],
    }


def _address(port: int) -> dict:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


TEXT = "The quick brown fox jumps over the lazy dog, and the dog does not mind. "
OPENAI_BODY = (
    '{"id":"chatcmpl-bench","object":"chat.completion","created":1767225600,"model":"gpt-bench",'
    '"choices":[{"index":0,"message":{"role":"assistant","content":"' + TEXT * 3 + '"},'
    '"logprobs":null,"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":200,"completion_tokens":48,"total_tokens":248}}'
)
ANTHROPIC_BODY = (
    '{"id":"msg_bench","type":"message","role":"assistant","model":"claude-bench",'
    '"content":[{"type":"text","text":"' + TEXT * 3 + '"}],"stop_reason":"end_turn",'
    '"stop_sequence":null,"usage":{"input_tokens":200,"output_tokens":48}}'
)
# Deltas of a streamed answer.
DELTAS = 64


def openai_stream() -> str:
    """A whole stream of OpenAI's, in one piece."""
    chunk = (
        'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1767225600,'
        '"model":"gpt-bench","choices":[{"index":0,"delta":%s,"finish_reason":%s}]}\n\n'
    )
    first = chunk % ('{"role":"assistant","content":""}', "null")
    deltas = chunk % ('{"content":" word"}', "null") * DELTAS
    return first + deltas + chunk % ("{}", '"stop"') + "data: [DONE]\n\n"


def anthropic_stream() -> str:
    """A whole stream of Anthropic's, in one piece."""

    def event(name: str, rest: str) -> str:
        return f'event: {name}\ndata: {{"type":"{name}"{rest}}}\n\n'

    message = (
        '{"id":"msg_bench","type":"message","role":"assistant","model":"claude-bench",'
        '"content":[],"stop_reason":null,"stop_sequence":null,'
        '"usage":{"input_tokens":200,"output_tokens":1}}'
    )
    delta = ',"index":0,"delta":{"type":"text_delta","text":" word"}'
    end = ',"delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":64}'
    return "".join(
        [
            event("message_start", f',"message":{message}'),
            event("content_block_start", ',"index":0,"content_block":{"type":"text","text":""}'),
            event("content_block_delta", delta) * DELTAS,
            event("content_block_stop", ',"index":0'),
            event("message_delta", end),
            event("message_stop", ""),
        ]
    )
