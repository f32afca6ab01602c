"""Limits by who asks."""

import hashlib
from collections.abc import Iterator

import pytest
from conftest import Setup, start

KEYS = {"ann-laptop": ("ann", "red"), "ann-server": ("ann", "red"), "bob": ("bob", "red")}


def config() -> str:
    def line(name: str, user: str, team: str) -> str:
        digest = hashlib.sha256(f"sk-{name}".encode()).hexdigest()
        return f"  - {{name: {name}, hash: 'sha256:{digest}', user: {user}, team: {team}}}"

    keys = "\n".join(line(name, *whose) for name, whose in KEYS.items())
    return f"""
providers: {{first: {{kind: openai, base_url: "URL/v1"}}}}
models: {{"*": first}}
keys:
{keys}
limits:
  key: {{models: key, by: key, count: requests, max: 1, per: year}}
  user: {{models: user, by: user, count: requests, max: 1, per: year}}
  team: {{models: team, by: team, count: requests, max: 1, per: year}}
"""


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory, provider) -> Iterator[Setup]:
    folder = tmp_path_factory.mktemp("identity")
    yield from start("embedded-module", config(), folder, provider, None)


@pytest.mark.parametrize(
    ("model", "statuses"),
    [("key", [200, 200, 200]), ("user", [200, 429, 200]), ("team", [200, 429, 429])],
)
def test_each_has_its_own_budget(setup: Setup, model: str, statuses: list[int]) -> None:
    asks = [setup.ask(model, authorization=f"Bearer sk-{name}").status for name in KEYS]
    assert asks == statuses
