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


def start(kind: str, config: str, folder: Path, provider: Provider) -> Iterator[Setup]:
    """`service-wasm`: who keeps the limits, and in which form the filter runs."""
    keeper, host = kind.split("-")
    config = config.replace("URL", provider.url)
    if keeper == "embedded":
        with run(f"limits_backend: embedded\n{config}", folder, host) as gateway:
            yield Setup(gateway, provider)
        return
    redis = Redis(folder)
    try:
        if keeper == "service":
            with generate(config, folder, host, redis) as (gateway, service):
                yield Setup(gateway, provider, redis, service)
        else:
            backend = f"limits_backend: redis://127.0.0.1:{redis.port}"
            with run(f"{backend}\n{config}", folder, host) as gateway:
                yield Setup(gateway, provider, redis)
    finally:
        redis.kill()


@pytest.fixture(
    scope="session", params=["service-wasm", "service-module", "redis-wasm", "embedded-module"]
)
def setup(request, tmp_path_factory, provider) -> Iterator[Setup]:
    yield from start(request.param, CONFIG, tmp_path_factory.mktemp(request.param), provider)


@pytest.fixture
def user() -> str:
    """Nobody else has this name."""
    return f"user-{uuid.uuid4().hex[:12]}"
