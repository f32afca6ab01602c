"""What providers receive is what their vendors' own types hold, whichever API the client speaks."""

import json
import urllib.error
import urllib.parse
import urllib.request

import pytest
from conftest import CLIENT_KEY, Provider
from providers import MODELS
from rich import anthropic_messages, gemini, openai_chat, openai_responses
from vendors import CHECKS

CLIENTS = [openai_chat, openai_responses, anthropic_messages, gemini]
CASES = [
    pytest.param(client, name, id=f"{client.__name__.removeprefix('rich.')}-{name}")
    for client in CLIENTS
    for name in client.CASES
]


def post(gateway: str, client, model: str, body: dict) -> tuple[int, dict]:
    path = client.PATH.replace("{model}", urllib.parse.quote(model, safe=""))
    if "{model}" not in client.PATH:
        body = {"model": model, **body}
    request = urllib.request.Request(gateway + path, json.dumps(body).encode(), method="POST")
    request.add_header("content-type", "application/json")
    request.add_header("authorization", f"Bearer {CLIENT_KEY}")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return answer.status, {} if body.get("stream") else json.loads(text)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture(scope="module")
def gateway(gateways) -> str:
    """Both forms of the filter write the same bodies: one is asked."""
    return gateways("module")


@pytest.mark.parametrize("provider_name", MODELS)
@pytest.mark.parametrize(("client", "name"), CASES)
def test_a_request_is_valid_at_its_vendor(
    gateway: str, provider: Provider, client, name, provider_name
):
    model = MODELS[provider_name]
    status, answer = post(gateway, client, model, client.CASES[name])
    if provider_name in client.REFUSED.get(name, ()):
        assert status == 422, answer
        assert provider.received() == []
        return
    assert status == 200, answer
    # Members of other vendors pass where the body is in the provider's own format.
    if name in client.OWN_WORDS and provider_name in client.SAME_FORMAT:
        assert provider.only().body == {"model": model, **client.CASES[name]}
        return
    CHECKS[provider_name](provider.only().body, model)
