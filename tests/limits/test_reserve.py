"""Limits that reserve what a request is expected to cost, through a real Envoy."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from client import Client
from conftest import Setup, start
from services import note

CONFIG = """
providers: {first: {kind: openai, base_url: "URL/v1"}}
models: {"*": first}
limits:
  plain: {models: "plain*", by: model, count: total_tokens, max: 1k, per: year}
  reserved: {models: "reserved*", by: model, count: total_tokens, max: 1k, per: year, reserve: true}
  expected: {models: "expected*", by: model, count: output_tokens, max: 1k, per: year, reserve: 600}
"""
# What a request of these tests costs.
INPUT = OUTPUT = 25


@pytest.fixture(scope="module", params=["embedded-module", "redis-wasm"])
def setup(request, tmp_path_factory: pytest.TempPathFactory, provider) -> Iterator[Setup]:
    folder = tmp_path_factory.mktemp("reserve")
    yield from start(request.param, CONFIG, folder, provider)


def left(setup: Setup, model: str) -> int:
    """What is left before a look, which reserves a token for each four bytes, and one of output."""
    look = {"model": model, "messages": [{"role": "user", "content": "0 0"}]}
    look |= {"max_completion_tokens": 1}
    answer = setup.ask(model, "0 0", max_tokens=1)
    reserved = -(-len(json.dumps(look)) // 4) + 1
    return int(answer.headers["x-ratelimit-remaining-tokens"]) + reserved


@pytest.mark.parametrize("stream", [False, True])
def test_what_was_reserved_is_set_against_what_was_used(setup: Setup, stream: bool) -> None:
    model = f"reserved-{stream}"
    assert setup.ask(model, "7 11", stream=stream, max_tokens=900).status == 200
    assert left(setup, model) == 1_000 - 18


def test_what_was_used_beyond_what_was_reserved_is_charged_too(setup: Setup) -> None:
    assert setup.ask("reserved-more", "200 300", max_tokens=1).status == 200
    assert left(setup, "reserved-more") == 500


def test_what_could_go_past_the_end_is_refused_and_costs_nothing(setup: Setup) -> None:
    assert setup.ask("reserved-large", max_tokens=1_000).status == 429
    assert left(setup, "reserved-large") == 1_000
    assert setup.ask("reserved-large", max_tokens=900).status == 200


def test_a_failure_of_the_provider_gives_back_what_was_reserved(setup: Setup) -> None:
    assert setup.ask("reserved-failed", "503", max_tokens=900).status == 503
    assert left(setup, "reserved-failed") == 1_000


def test_a_client_that_leaves_before_the_answer_pays_what_was_reserved(setup: Setup) -> None:
    setup.leave("reserved-left", max_tokens=900)
    assert setup.ask("reserved-left", max_tokens=100).status == 429


def test_a_stream_that_is_left_gives_back_what_was_not_used(setup: Setup) -> None:
    more = {"stream": True, "until": b"Hi", "max_tokens": 900}
    setup.ask("reserved-stream", "7 11 hold", **more)
    assert 900 < left(setup, "reserved-stream") < 990


def test_output_is_expected_where_the_request_does_not_limit_it(setup: Setup) -> None:
    async def two() -> list[int]:
        came = setup.provider.requests["expected"] + 1
        async with Client(setup.gateway.url) as one, Client(setup.gateway.url) as other:
            waiting = asyncio.create_task(one.chat("expected", "7 11 wait"))
            while setup.provider.requests["expected"] < came:
                await asyncio.sleep(0.005)
            statuses = [
                (await other.chat("expected", "7 11", max_tokens=some)).status
                for some in (None, 300)
            ]
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            return statuses

    assert asyncio.run(two()) == [429, 200], "of 1000, 600 are reserved"
    setup.gateway.settle()


@pytest.mark.parametrize("clients", [1, 8, 32])
@pytest.mark.parametrize("limit", ["plain", "reserved"])
@pytest.mark.parametrize("said", [True, False])
def test_the_overrun_is_bounded_by_the_error_of_the_estimate(
    setup: Setup, user: str, clients: int, limit: str, said: bool
) -> None:
    model = f"{limit}-{user}"

    async def work() -> None:
        async with Client(setup.gateway.url) as client:
            max_tokens = OUTPUT if said else None
            while (
                await client.chat(model, f"{INPUT} {OUTPUT}", max_tokens=max_tokens)
            ).status == 200:
                pass

    async def all_at_once() -> None:
        await asyncio.gather(*(work() for _ in range(clients)))

    asyncio.run(all_at_once())
    setup.gateway.settle()
    charged = setup.provider.told(model)
    note(f"| {clients} | {limit} | {said} | {charged} | {charged - 1_000} |")
    if setup.redis:
        assert setup.redis.used(limit)[model] == charged
    if limit == "plain":
        assert charged <= 1_000 + (clients + 1) * (INPUT + OUTPUT)
    elif said:
        # The estimate of the input is a little too high.
        assert charged <= 1_000
    else:
        # Output is what the estimate knows nothing of.
        assert charged <= 1_000 + clients * OUTPUT
