"""One gateway with its mock provider for all tests, and the vendors' SDKs pointed at it."""

import functools
import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import anthropic
import openai
import pytest
from clients import Client
from clients.anthropic_messages import AnthropicMessages
from clients.google_genai import GoogleGenAi
from clients.openai_chat import OpenAiChat
from clients.openai_responses import OpenAiResponses
from process import running
from providers import MODELS

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

# What the gateway shows the provider, and what clients show the gateway: neither may see the other.
PROVIDER_KEY = "sk-of-the-provider"
CLIENT_KEY = "sk-of-the-client"


@dataclass(frozen=True)
class Received:
    """A request as the provider got it."""

    path: str
    headers: dict[str, str]
    body: dict

    @property
    def credentials(self) -> set[str]:
        names = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
        found = (self.headers.get(name, "") for name in names)
        return {value.removeprefix("Bearer ") for value in found if value}


class Provider:
    """The mock, as tests look into it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def forget(self) -> None:
        self._ask("DELETE")

    def received(self) -> list[Received]:
        """All requests since `forget`, oldest first."""
        return [
            Received(one["path"], dict(one["headers"]), json.loads(one["body"]))
            for one in self._ask("GET")
        ]

    def only(self) -> Received:
        (one,) = self.received()
        return one

    def _ask(self, method: str):
        request = urllib.request.Request(f"{self.url}/_mock/requests", method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def sluice() -> Path:
    """The built command line tool."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    tool = Path(os.environ.get("SLUICE", target / "release" / "sluice"))
    if not tool.is_file():
        pytest.exit(f"{tool} is missing: run `make build`", returncode=1)
    return tool


@pytest.fixture(scope="session")
def mock(sluice: Path) -> Iterator[str]:
    command = [sluice, "mock", f"--require-key={PROVIDER_KEY}"]
    with running(command, os.environ, r"ready on (http://\S+)") as ready:
        yield ready[1]


@pytest.fixture(scope="session")
def gateways(sluice: Path, mock: str) -> Iterator[Callable[[str], str]]:
    """Starts a gateway in front of the mock, once for each form of the filter."""
    env = {**os.environ, "MOCK": mock, "PROVIDER_KEY": PROVIDER_KEY}
    command = [sluice, "run", HERE / "sluice.yaml", "--listen", "127.0.0.1:0", "--host"]
    with ExitStack() as stack:

        @functools.cache
        def start(host: str) -> str:
            program = running([*command, host], env, r"ready on (http://[^\s,]+)")
            return stack.enter_context(program)[1]

        yield start


@pytest.fixture(scope="session", params=["wasm", "module"])
def gateway(request: pytest.FixtureRequest, gateways: Callable[[str], str]) -> str:
    """The address of a gateway with the filter in either form."""
    return gateways(request.param)


@pytest.fixture
def provider(mock: str) -> Provider:
    provider = Provider(mock)
    provider.forget()
    return provider


@pytest.fixture(scope="session")
def openai_client(gateway: str) -> Iterator[openai.OpenAI]:
    url = f"{gateway}/v1"
    with openai.OpenAI(base_url=url, api_key=CLIENT_KEY, max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def anthropic_client(gateway: str) -> Iterator[anthropic.Anthropic]:
    url = f"{gateway}/anthropic"
    with anthropic.Anthropic(base_url=url, api_key=CLIENT_KEY, max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture(
    scope="session", params=[OpenAiChat, OpenAiResponses, AnthropicMessages, GoogleGenAi]
)
def client(request: pytest.FixtureRequest, gateway: str) -> Iterator[Client]:
    client = request.param(gateway, CLIENT_KEY)
    yield client
    client.close()


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    """A model of each provider format."""
    return MODELS[request.param]


@dataclass(frozen=True)
class Keys:
    """What the gateway shows the provider, and what clients show the gateway."""

    provider: str = PROVIDER_KEY
    client: str = CLIENT_KEY


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys()
