"""The record of a request, as a line of JSON and as OTLP, through a real Envoy."""

import asyncio
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from client import Client
from collector import Collector
from provider import Provider
from services import Gateway, eventually, run

KEY = "sk-sluice-test"
CONFIG = """
access_log: [json, "grpc://127.0.0.1:COLLECTOR"]
providers:
  primary: {kind: openai, base_url: "URL/v1"}
  spare: {kind: openai, base_url: "URL/v1"}
models:
  small: primary
  both: [{provider: primary, model: broken}, {provider: spare, model: small, priority: 1}]
keys: [{name: laptop, hash: "HASH", user: alice, team: red}]
costs: {weighted: "input_tokens + output_tokens * 5u"}
prices: {"*": {input: 1, output: 2}}
"""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.server.stop(None).wait()


@pytest.fixture(scope="module", params=["wasm", "module"])
def gateway(request, tmp_path_factory, provider, collector) -> Iterator[Gateway]:
    config = CONFIG.replace("URL", provider.url).replace("COLLECTOR", str(collector.port))
    config = config.replace("HASH", f"sha256:{sha256(KEY.encode()).hexdigest()}")
    with run(config, tmp_path_factory.mktemp(request.param), request.param) as gateway:
        yield gateway


def ask(gateway: Gateway, model: str, text: str, **more) -> None:
    async def once() -> None:
        async with Client(gateway.url) as client:
            answer = await client.chat(model, text, authorization=f"Bearer {KEY}", **more)
            assert answer.status == 200, answer.body

    asyncio.run(once())


def lines(gateway: Gateway) -> list[dict]:
    text = gateway.process.log.read_text().splitlines()
    return [json.loads(line) for line in text if line.startswith("{")]


def record_of(gateway: Gateway, model: str, text: str, **more) -> dict:
    before = len(lines(gateway))
    ask(gateway, model, text, **more)
    return eventually("the record", lambda: lines(gateway)[before:] or None)[0]


def test_a_line_says_who_asked_whom_for_what_and_what_it_cost(gateway: Gateway) -> None:
    record = record_of(gateway, "small", "7 11")
    said = {
        "user.id": "alice",
        "sluice.team": "red",
        "sluice.key": "laptop",
        "gen_ai.request.model": "small",
        "gen_ai.response.model": "small",
        "gen_ai.provider.name": "primary",
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 11,
        "gen_ai.usage.total_tokens": 18,
        "sluice.usage_status": "complete",
        "sluice.cost.weighted": 62,
        "sluice.cost.usd": 29,
        "sluice.tried": "primary",
        "attempts": 1,
        "status": 200,
    }
    assert {name: record[name] for name in said} == said, "numbers are numbers"
    assert record["gen_ai.usage.cache_creation.input_tokens"] is None, "absent is not 0"


def test_a_line_names_everyone_who_was_tried(gateway: Gateway) -> None:
    record = record_of(gateway, "both", "7 11")
    assert record["sluice.tried"] == "primary,spare"
    assert (record["gen_ai.provider.name"], record["attempts"]) == ("spare", 2)


def test_a_stream_s_times_are_numbers(gateway: Gateway) -> None:
    record = record_of(gateway, "small", "7 11", stream=True)
    assert isinstance(record["sluice.time_to_first_token_ms"], int)


def test_the_collector_gets_the_same_fields_as_texts(
    gateway: Gateway, collector: Collector
) -> None:
    seen = len(collector.records())
    line = record_of(gateway, "small", "13 17")
    eventually("the record at the collector", lambda: len(collector.records()) > seen)
    attributes = next(one for one in collector.records() if one["request_id"] == line["request_id"])
    assert set(attributes) == set(line)
    as_text = {name: "-" if value is None else str(value) for name, value in line.items()}
    assert attributes == as_text
    assert collector.bodies()[-1] == "POST /v1/chat/completions 200"
    assert collector.resources()[-1] == {"service.name": "sluice"}


def test_the_log_survives_a_collector_that_is_away(tmp_path: Path, provider: Provider) -> None:
    config = f"""
access_log: [json, "grpc://127.0.0.1:1"]
providers: {{primary: {{kind: openai, base_url: "{provider.url}/v1"}}}}
models: {{small: primary}}
"""
    with run(config, tmp_path, "wasm") as gateway:
        assert record_of(gateway, "small", "1 1")["status"] == 200
