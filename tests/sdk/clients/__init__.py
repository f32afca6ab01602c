"""The vendors' SDKs behind one face, so that one test asks the same of each.

A client keeps a conversation as its SDK keeps it: a list of turns in the SDK's own form, which the
tests pass along without looking into it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Tool:
    """A function that the model may call. Its parameters are a JSON Schema."""

    name: str
    description: str
    parameters: dict


@dataclass(frozen=True)
class Call:
    """A call as the client's SDK gives it: the arguments are parsed."""

    id: str | None
    name: str
    arguments: dict


@dataclass(frozen=True)
class Answer:
    """What the model said, whole or collected from a stream."""

    text: str
    thoughts: str
    calls: list[Call]
    # `end`, `tools` or `length`.
    stop: str
    # Inclusive counts, whatever the API's own convention.
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    # The pieces of text of a stream.
    pieces: list[str] = field(default_factory=list)
    # What the next request of the conversation repeats, in the SDK's form.
    turns: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Problem:
    """What a client learns from an exception of its SDK."""

    status: int
    # The SDK's class for it.
    kind: str
    message: str
    retry_after: str | None


class Client(Protocol):
    """An SDK, as the tests use it."""

    # What the SDK raises for an error's status, by status.
    kinds: dict[int, str]
    # What it raises for an error's status.
    error: type[Exception]
    # What it raises in the midst of a stream.
    stream_error: type[Exception]

    def __init__(self, gateway: str, key: str) -> None: ...

    def close(self) -> None: ...

    def user(self, text: str) -> Any:
        """A turn of the user."""

    def ask(
        self,
        model: str,
        turns: list,
        *,
        stream: bool = False,
        tools: list[Tool] | None = None,
        schema: dict | None = None,
        think: bool = False,
        system: str | None = None,
    ) -> Answer:
        """One request; raises what the SDK raises."""

    def results(self, answer: Answer, run: Callable[[Call], str]) -> list:
        """The turns that answer all calls."""

    def problem(self, error: Exception) -> Problem: ...

    def models(self) -> set[str]:
        """The names of all models."""


def read_problem(error: Any, message: str) -> Problem:
    """The problem in an exception that holds the HTTP response."""
    retry_after = error.response.headers.get("retry-after")
    return Problem(error.response.status_code, type(error).__name__, message, retry_after)


# The classes that OpenAI's and Anthropic's SDKs have in common.
STATUS_KINDS = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    429: "RateLimitError",
    500: "InternalServerError",
}
