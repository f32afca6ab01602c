"""Limits by who asks."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Setup, start

KEYS = {"ann-laptop": ("ann", "red"), "ann-server": ("ann", "red"), "bob": ("bob", "red")}
SECRET = b"0123456789abcdef0123456789abcdef"


def config(folder: Path) -> str:
    def line(name: str, user: str, team: str) -> str:
        digest = hashlib.sha256(f"sk-{name}".encode()).hexdigest()
        return f"  - {{name: {name}, hash: 'sha256:{digest}', user: {user}, team: {team}}}"

    keys = "\n".join(line(name, *whose) for name, whose in KEYS.items())
    jwks = folder / "jwks.json"
    secret = {"kty": "oct", "alg": "HS256", "kid": "1", "k": encoded(SECRET)}
    jwks.write_text(json.dumps({"keys": [secret]}))
    return f"""
providers: {{first: {{kind: openai, base_url: "URL/v1"}}}}
models: {{"*": first}}
keys:
{keys}
jwt: [{{issuer: "https://idp.example", audiences: [sluice], jwks: "{jwks}"}}]
limits:
  key: {{models: key, by: key, count: requests, max: 1, per: year}}
  user: {{models: user, by: user, count: requests, max: 1, per: year}}
  team: {{models: team, by: team, count: requests, max: 1, per: year}}
  plan: {{models: plan, by: "jwt:org.plan", count: total_tokens, max: 20, per: year}}
"""


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def token(**claims) -> str:
    """RFC 7515, appendix A.1."""
    claims = {"iss": "https://idp.example", "aud": "sluice", "exp": time.time() + 600, **claims}
    parts = [{"alg": "HS256", "kid": "1"}, claims]
    text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    return f"{text}.{encoded(hmac.digest(SECRET, text.encode(), 'sha256'))}"


@pytest.fixture(scope="module", params=["embedded-module", "redis-wasm", "service-module"])
def setup(request, tmp_path_factory: pytest.TempPathFactory, provider) -> Iterator[Setup]:
    folder = tmp_path_factory.mktemp("identity")
    yield from start(request.param, config(folder), folder, provider)


@pytest.mark.parametrize(
    ("model", "statuses"),
    [("key", [200, 200, 200]), ("user", [200, 429, 200]), ("team", [200, 429, 429])],
)
def test_each_has_its_own_budget(setup: Setup, model: str, statuses: list[int]) -> None:
    asks = [setup.ask(model, authorization=f"Bearer sk-{name}").status for name in KEYS]
    assert asks == statuses


def test_each_value_of_a_claim_has_its_own_budget(setup: Setup) -> None:
    def ask(plan: str | None, user: str, **headers) -> int:
        bearer = token(sub=user, org={"plan": plan} if plan else {})
        return setup.ask("plan", authorization=f"Bearer {bearer}", **headers).status

    assert [ask("free", "ann"), ask("free", "bob"), ask("free", "cid")] == [200, 200, 429]
    assert ask("paid", "ann") == 200
    header = "x_sluice_token_claim_0"
    forged = [ask("free", "ann", **{header: "paid"}), ask(None, "eve", **{header: "free"})]
    assert forged == [429, 200], "only the token says it"
    if setup.redis:
        assert setup.redis.used("plan") == {"free": 36, "paid": 18, "-": 18}
