"""Redis, or the service that keeps the limits, dies under load and comes back."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from client import Client
from conftest import Setup, start
from services import eventually, note

CONFIG = """
providers: {first: {kind: openai, base_url: "URL/v1"}}
models: {"*": first}
limits:
  deny: {models: deny, count: total_tokens, max: 4G, per: year}
  allow: {models: allow, count: total_tokens, max: 4G, per: year, on_failure: allow}
"""
CLIENTS = 8
# Requests of each phase that the verdict is about.
ENOUGH = 16


@pytest.fixture(params=["service-module", "redis-module"])
def setup(request, tmp_path, provider) -> Iterator[Setup]:
    yield from start(request.param, CONFIG, tmp_path, provider)


class Load:
    """Requests on both limits, without a pause; their statuses are counted by phase."""

    def __init__(self, setup: Setup) -> None:
        self.url, self.seen = setup.gateway.url, {"deny": Counter(), "allow": Counter()}
        self.over = False

    async def run(self, model: str) -> None:
        async with Client(self.url) as client:
            while not self.over:
                answer = await client.chat(model, "7 11")
                self.seen[model][answer.status] += 1

    async def until(self, reached: Callable[[], bool]) -> None:
        deadline = asyncio.get_running_loop().time() + 30
        while not reached():
            assert asyncio.get_running_loop().time() < deadline, self.seen
            await asyncio.sleep(0.01)

    async def phase(self, wanted: dict[str, int]) -> dict[str, Counter]:
        """Until each limit has answered so often as it must; what else was seen is in the table."""
        for seen in self.seen.values():
            seen.clear()
        await self.until(
            lambda: all(self.seen[model][status] >= ENOUGH for model, status in wanted.items())
        )
        return {model: Counter(seen) for model, seen in self.seen.items()}


def break_and_mend(setup: Setup, what: str, kill: Callable, mend: Callable) -> None:
    async def play() -> None:
        load = Load(setup)
        tasks = [
            asyncio.create_task(load.run(m)) for m in ("deny", "allow") for _ in range(CLIENTS)
        ]
        good = {"deny": 200, "allow": 200}
        before = await load.phase(good)
        kill()
        during = await load.phase({"deny": 503, "allow": 200})
        # Wait for the last of those that were still under way when it died.
        during = await load.phase({"deny": 503, "allow": 200})
        await asyncio.to_thread(mend)
        await load.phase(good)
        after = await load.phase(good)
        load.over = True
        await asyncio.gather(*tasks)
        for name, seen in (("before", before), ("down", during), ("again", after)):
            note(f"| {what} | {name} | {dict(seen['deny'])} | {dict(seen['allow'])} |")
        assert set(before["deny"]) == set(before["allow"]) == {200}
        assert set(during["deny"]) == {503}, "nothing passes uncounted"
        assert set(during["allow"]) == {200}, "nobody is refused"
        assert set(after["deny"]) == set(after["allow"]) == {200}

    asyncio.run(play())
    setup.gateway.settle()
    failures = setup.gateway.stats("ratelimit.(allow|deny)")
    assert failures["cluster.first.ratelimit.deny.error"] >= ENOUGH
    assert failures["cluster.first.ratelimit.allow.failure_mode_allowed"] >= ENOUGH


def test_redis_dies_and_comes_back(setup: Setup) -> None:
    redis = setup.redis
    break_and_mend(setup, "Redis", redis.kill, redis.start)
    # It counts again, on top of what it had.
    used = redis.used("deny")["all"]
    setup.ask("deny")
    eventually("the charge", lambda: redis.used("deny")["all"] == used + 18)


def test_the_service_dies_and_comes_back(setup: Setup) -> None:
    if not setup.service:
        pytest.skip("it is the gateway's own")
    break_and_mend(setup, "the service", setup.service.kill, setup.service.start)


def test_a_failure_is_told_in_the_form_of_the_clients_api(setup: Setup) -> None:
    setup.redis.kill()
    answer = setup.ask("deny", form="messages")
    assert answer.status == 529, "what Anthropic's SDK takes for a reason to try again"
    assert answer.json()["type"] == "error"
    assert "limits" in answer.json()["error"]["message"]
