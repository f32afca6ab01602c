"""What is told of limits: by `sluice top` and in the metrics."""

import asyncio
import re
import subprocess
from collections.abc import Iterator

import pytest
from client import Client
from provider import Provider
from services import Gateway, Redis, fetch, run, sluice

CONFIG = """
limits_backend: BACKEND
providers: {one: {kind: openai, base_url: "URL/v1"}}
models: {small: one, other: one}
limits:
  tokens: {by: [header:x-user, model], count: total_tokens, max: 100, per: year}
  rate: {models: other, count: requests, max: 1, per: year}
"""


@pytest.fixture(scope="module", params=["embedded-wasm", "redis-module"])
def gateway(request, tmp_path_factory, provider: Provider) -> Iterator[Gateway]:
    keeper, host = request.param.split("-")
    folder = tmp_path_factory.mktemp(request.param)
    redis = Redis(folder) if keeper == "redis" else None
    backend = f"redis://127.0.0.1:{redis.port}" if redis else keeper
    config = CONFIG.replace("BACKEND", backend).replace("URL", provider.url)
    with run(config, folder, host) as gateway:
        yield gateway
    if redis:
        redis.kill()


def ask(gateway: Gateway, model: str, user: str) -> int:
    async def once() -> int:
        async with Client(gateway.url) as client:
            return (await client.chat(model, "7 11", x_user=user)).status

    status = asyncio.run(once())
    gateway.settle()
    return status


def test_top_shows_models_and_what_is_left_of_budgets(gateway: Gateway) -> None:
    assert [ask(gateway, "small", user) for user in ("ann", "ann", "bob")] == [200] * 3
    command = [sluice(), "top", "--once", "--admin", gateway.admin.removeprefix("http://")]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [re.split(r"\s{2,}", line)[:4] for line in shown.splitlines()]
    assert ["small", "one", "3", "0%"] in rows
    budgets = rows[rows.index(["LIMIT", "OF", "LEFT", "MAX"]) + 1 :]
    assert [row for row in budgets if row[0] == "tokens" and row[1].endswith("small")] == [
        ["tokens", "ann|small", "64", "100"],
        ["tokens", "bob|small", "82", "100"],
    ]


def test_a_refusal_is_counted_by_its_limit(gateway: Gateway) -> None:
    assert [ask(gateway, "other", "eve") for _ in range(2)] == [200, 429]
    metrics = fetch(f"{gateway.admin}/stats/prometheus?usedonly").splitlines()
    counted = [line for line in metrics if line.startswith("sluice_limit_refusals_total")]
    labels, value = counted[0].rsplit(" ", 1)
    assert 'sluice_limit="rate"' in labels
    assert 'reason="used_up"' in labels
    assert (len(counted), value) == (1, "1")
