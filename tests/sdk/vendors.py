"""The vendors' own schemas, as far as their SDKs have them, for what a provider has received.

Each check takes the body, and the model that the path names, and raises when the vendor's types do
not hold it: a member too many is as wrong as one that lacks.
"""

import functools
import operator
import os
import re
import types
import typing
from collections.abc import Callable, Iterable

import anthropic.types.message_create_params as anthropic_messages
import botocore.session
import openai.types.chat.completion_create_params as openai_chat
import openai.types.responses.response_create_params as openai_responses
from botocore.validate import ParamValidator
from cohere.v2.client import V2Client
from google.genai import _common
from google.genai import types as google
from pydantic import BaseModel, ConfigDict, TypeAdapter
from typing_extensions import NotRequired, Required, TypedDict, get_type_hints, is_typeddict

Check = Callable[[dict, str], None]


def check_openai_chat(body: dict, _: str) -> None:
    name = "Streaming" if body.get("stream") else "NonStreaming"
    _validate(getattr(openai_chat, f"CompletionCreateParams{name}"), body)


def check_azure(body: dict, model: str) -> None:
    """The deployment stands in the path."""
    check_openai_chat({"model": model, **body}, model)


def check_openai_responses(body: dict, _: str) -> None:
    name = "Streaming" if body.get("stream") else "NonStreaming"
    _validate(getattr(openai_responses, f"ResponseCreateParams{name}"), body)


# The SDK's types are of an API version that has them no more; the gateway asks for 2023-06-01.
SAMPLING = ("temperature", "top_p", "top_k")


def check_anthropic(body: dict, _: str) -> None:
    name = "Streaming" if body.get("stream") else "NonStreaming"
    told = {key: value for key, value in body.items() if key not in SAMPLING}
    _validate(getattr(anthropic_messages, f"MessageCreateParams{name}"), told)


def check_anthropic_in_cloud(body: dict, model: str) -> None:
    """The version takes the place of a header, the path that of the model."""
    assert "model" not in body
    inner = {key: value for key, value in body.items() if key != "anthropic_version"}
    assert body["anthropic_version"] in ("bedrock-2023-05-31", "vertex-2023-10-16")
    check_anthropic({"model": model, **inner}, model)


def check_converse(body: dict, model: str) -> None:
    shape = _bedrock().operation_model("ConverseStream").input_shape
    params = {"modelId": model, **body}
    report = ParamValidator().validate(params, shape)
    assert not report.has_errors(), report.generate_report()
    problems = list(_constraints(params, shape, ""))
    assert not problems, problems


class _GenerateContentRequest(_common.BaseModel):
    """The body of `generateContent`, of the SDK's own types. Unknown members are forbidden."""

    contents: list[google.Content]
    system_instruction: google.Content | None = None
    tools: list[google.Tool] | None = None
    tool_config: google.ToolConfig | None = None
    safety_settings: list[google.SafetySetting] | None = None
    generation_config: google.GenerationConfig | None = None
    cached_content: str | None = None
    labels: dict[str, str] | None = None
    service_tier: str | None = None


def check_gemini(body: dict, _: str) -> None:
    assert _common.BaseModel.model_config["extra"] == "forbid"
    _GenerateContentRequest.model_validate(body)


def check_cohere(body: dict, _: str) -> None:
    """The SDK's types take members that they do not know: they are looked for afterwards."""
    hints = get_type_hints(V2Client.chat_stream if body.get("stream") else V2Client.chat)
    for name, value in body.items():
        if name != "stream":
            assert name in hints, f"{name} is unknown"
            checked = TypeAdapter(hints[name]).validate_python(value)
            unknown = list(_unknown_members(checked))
            assert not unknown, unknown


def _unknown_members(value: typing.Any) -> Iterable[str]:
    if isinstance(value, BaseModel):
        yield from value.model_extra or {}
        for name in type(value).model_fields:
            yield from _unknown_members(getattr(value, name))
    elif isinstance(value, list):
        for item in value:
            yield from _unknown_members(item)


def _validate(params: type, body: dict) -> None:
    TypeAdapter(_strict(params)).validate_python(body)


# A type of an SDK and the same with unknown members forbidden. `None` while it is being made.
_made: dict[type, type | None] = {}


def _strict(kind: typing.Any) -> typing.Any:
    """The SDKs' `TypedDict`s allow other members; pydantic does not look into `Iterable`s."""
    if is_typeddict(kind):
        return _strict_dict(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is None or origin is typing.Literal:
        return kind
    if origin in (typing.Union, types.UnionType):
        told = [argument for argument in arguments if not _is_file(argument)]
        return functools.reduce(operator.or_, map(_strict, told))
    if origin is typing.Annotated:
        return _strict(arguments[0])
    if isinstance(origin, type) and issubclass(origin, Iterable) and len(arguments) == 1:
        return list[_strict(arguments[0])]
    if origin is dict:
        return dict[arguments[0], _strict(arguments[1])]
    return kind


def _is_file(kind: typing.Any) -> bool:
    """What the SDKs read and encode themselves: JSON has no such thing."""
    return typing.get_origin(kind) in (typing.IO, os.PathLike)


def _strict_dict(kind: typing.Any) -> typing.Any:
    if kind in _made:
        # Within itself, a type that nests is taken as anything.
        return _made[kind] or typing.Any
    _made[kind] = None
    members = {}
    for name, hint in get_type_hints(kind).items():
        need = Required if name in kind.__required_keys__ else NotRequired
        members[name] = need[_strict(hint)]
    strict = TypedDict(kind.__name__, members)
    strict.__pydantic_config__ = ConfigDict(extra="forbid")
    _made[kind] = strict
    return strict


def _bedrock():
    return botocore.session.get_session().get_service_model("bedrock-runtime")


def _constraints(value, shape, path: str) -> Iterable[str]:
    """What botocore leaves to the service: enumerations, patterns, lengths."""
    if shape.type_name == "structure" and not getattr(shape, "is_document_type", False):
        for name, member in shape.members.items():
            if name in value:
                yield from _constraints(value[name], member, f"{path}.{name}")
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from _constraints(item, shape.member, f"{path}[{index}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _constraints(key, shape.key, f"{path} key")
            yield from _constraints(item, shape.value, f"{path}.{key}")
    elif shape.type_name == "string":
        enum, metadata = getattr(shape, "enum", None), shape.metadata
        if enum and value not in enum:
            yield f"{path}: {value!r} is none of {enum}"
        if "pattern" in metadata and not re.fullmatch(metadata["pattern"], value):
            yield f"{path}: {value!r} does not match {metadata['pattern']}"
        if len(value) > metadata.get("max", len(value)):
            yield f"{path}: is longer than {metadata['max']}"


# The check of each provider of `sluice.yaml`.
CHECKS: dict[str, Check] = {
    "openai": check_openai_chat,
    "responses": check_openai_responses,
    "azure": check_azure,
    "anthropic": check_anthropic,
    "aws-anthropic": check_anthropic_in_cloud,
    "gcp-anthropic": check_anthropic_in_cloud,
    "aws-bedrock": check_converse,
    "gemini": check_gemini,
    "gcp-vertex-ai": check_gemini,
    "cohere": check_cohere,
}
