"""What is charged is what providers have told, to the token, however requests end."""

import asyncio
import contextlib
import json
import os
import random

import pytest
from client import Client
from conftest import Setup
from services import note

REQUESTS = int(os.environ.get("LIMITS_REQUESTS", "600"))
CLIENTS = 24
# How a request goes, and how many of twenty do so.
MIX = {
    "unary": 6,
    "stream": 5,
    "messages": 3,
    "left early": 2,
    "left at once": 1,
    "broken off": 1,
    "failed over": 2,
}
# The piece of text that those who leave have got: no provider has counted it, so it is one token.
LEFT_AFTER = 1


def estimate(model: str, text: str) -> int:
    """What stands until somebody has counted: a token for each four bytes of the body."""
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    body |= {"stream": True, "stream_options": {"include_usage": True}}
    return -(-len(json.dumps(body)) // 4)


async def one(client: Client, kind: str, numbers: random.Random) -> int:
    """One request; returns what of its charge no provider has told."""
    text = f"{numbers.randint(1, 500)} {numbers.randint(1, 500)}"
    match kind:
        case "unary":
            answer = await client.chat("exact", text)
        case "stream":
            # SDKs leave here, before the provider's end of the stream.
            answer = await client.chat("exact", text, stream=True, until=b"[DONE]")
        case "messages":
            answer = await client.messages("claude-exact", text, stream=numbers.random() < 0.5)
        case "left early":
            start = b"message_start"
            answer = await client.messages("claude-exact", f"{text} hold", stream=True, until=start)
        case "left at once":
            answer = await client.chat("exact", f"{text} hold", stream=True, until=b"Hi")
        case "broken off":
            # Its beginning has told tokens, whether or not the client still gets it.
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await client.messages("claude-exact", f"{text} die", stream=True)
            client.leave()
            return LEFT_AFTER
        case _:
            answer = await client.chat("exact-over", text)
    assert answer.status == 200, answer.body
    if kind == "left at once":
        return estimate("exact", f"{text} hold") + LEFT_AFTER
    return LEFT_AFTER if kind == "left early" else 0


async def crowd(url: str, seed: int) -> int:
    kinds = [kind for kind, share in MIX.items() for _ in range(share)]
    todo = iter(range(REQUESTS))

    async def work(numbers: random.Random) -> int:
        unknown = 0
        async with Client(url) as client:
            for _ in todo:
                unknown += await one(client, numbers.choice(kinds), numbers)
        return unknown

    return sum(await asyncio.gather(*(work(random.Random(seed + n)) for n in range(CLIENTS))))


def test_the_sum_charged_is_the_sum_told(setup: Setup) -> None:
    models = ["exact", "exact-second", "claude-exact"]
    before = sum(setup.provider.told(model) for model in models)
    estimated = asyncio.run(crowd(setup.gateway.url, seed=7))
    setup.gateway.settle()
    told = sum(setup.provider.told(model) for model in models) - before
    charged = used(setup)
    note(f"| {REQUESTS} | {told} | {estimated} | {charged} | {charged - told - estimated} |")
    assert charged == told + estimated
    assert setup.gateway.complaints() == ""


def used(setup: Setup) -> int:
    if setup.redis:
        return setup.redis.used("exact")["all"]
    # A look costs nothing.
    answer = setup.ask("exact", "0 0")
    return 4_000_000_000 - int(answer.headers["x-ratelimit-remaining-tokens"])


@pytest.mark.parametrize("clients", [1, 8, 32])
def test_the_overrun_is_at_most_what_was_under_way(setup: Setup, clients: int) -> None:
    model, cost, limit = f"overrun-{clients}-x", 50, 1_000

    async def work() -> None:
        async with Client(setup.gateway.url) as client:
            while (await client.chat(model, "25 25")).status == 200:
                pass

    async def all_at_once() -> None:
        await asyncio.gather(*(work() for _ in range(clients)))

    asyncio.run(all_at_once())
    setup.gateway.settle()
    charged = setup.provider.told(model)
    if setup.redis:
        assert setup.redis.used("overrun")[model] == charged
    overrun = charged - limit
    note(f"| {clients} | {limit} | {charged} | {overrun} | {clients * cost} |")
    # One more: what is exactly used up still lets one pass.
    assert 0 < overrun <= (clients + 1) * cost
    setup.provider.input[model] = setup.provider.output[model] = 0
