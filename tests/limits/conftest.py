"""Gateways with each of the places where limits can be kept, in front of one provider."""

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from client import Answer, Client
from provider import Provider
from services import Gateway, RateLimitService, Redis, generate, run

CONFIG = (Path(__file__).parent / "limits.yaml").read_text()


@dataclass
class Setup:
    """A gateway with its limits kept somewhere."""

    gateway: Gateway
    provider: Provider
    redis: Redis | None = None
    service: RateLimitService | None = None

    def ask(self, model: str, text: str = "7 11", form: str = "chat", **more) -> Answer:
        """One request on a connection of its own, and all that comes of it."""

        async def once() -> Answer:
            async with Client(self.gateway.url) as client:
                return await getattr(client, form)(model, text, **more)

        answer = asyncio.run(once())
        self.gateway.settle()
        return answer

    def leave(self, model: str, text: str = "7 11 wait", **more) -> None:
        """One request whose client leaves as soon as the provider has it."""

        async def once() -> None:
            came = self.provider.requests[model] + 1
            async with Client(self.gateway.url) as client:
                asking = asyncio.create_task(client.chat(model, text, **more))
                while self.provider.requests[model] < came:
                    assert not asking.done(), asking
                    await asyncio.sleep(0.005)
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)

        asyncio.run(once())
        self.gateway.settle()


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.stop()


def start(kind: str, config: str, folder: Path, provider: Provider, redis) -> Iterator[Setup]:
    """`service-wasm`: who keeps the limits, and in which form the filter runs."""
    keeper, host = kind.split("-")
    config = config.replace("URL", provider.url)
    if keeper == "service":
        redis = redis()
        with generate(config, folder, host, redis) as (gateway, service):
            yield Setup(gateway, provider, redis, service)
        return
    redis = redis() if keeper == "redis" else None
    backend = f"redis://127.0.0.1:{redis.port}" if redis else "embedded"
    with run(f"limits_backend: {backend}\n{config}", folder, host) as gateway:
        yield Setup(gateway, provider, redis)


@pytest.fixture(
    scope="session", params=["service-wasm", "service-module", "redis-wasm", "embedded-module"]
)
def setup(request, tmp_path_factory, provider) -> Iterator[Setup]:
    folder = tmp_path_factory.mktemp(request.param)
    own_redis = []

    def redis() -> Redis:
        own_redis.append(Redis(folder))
        return own_redis[0]

    yield from start(request.param, CONFIG, folder, provider, redis)
    for one in own_redis:
        one.kill()


@pytest.fixture
def user() -> str:
    """Nobody else has this name."""
    return f"user-{uuid.uuid4().hex[:12]}"
