"""What Anthropic's SDK alone can say and see."""

import anthropic
import pytest
from conftest import PROVIDER_KEY
from conversation import (
    HELLO,
    MANY_WORDS,
    TOO_LONG,
    TOOL_PARAMETERS,
    TWO_CALLS,
)

TOOLS = [
    {
        "name": name,
        "description": f"Tells the {name} somewhere",
        "input_schema": TOOL_PARAMETERS,
    }
    for name in ("weather", "time")
]


def answers_to(message) -> list[dict]:
    """The message and a result for each of its calls, as the next turns."""
    results = [
        {
            "type": "tool_result",
            "tool_use_id": block.id,
            "content": f"{block.name} in {block.input['city']}",
        }
        for block in message.content
        if block.type == "tool_use"
    ]
    turn = {"role": "assistant", "content": [block.to_dict() for block in message.content]}
    return [turn, {"role": "user", "content": results}]


def text_of(message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def test_the_events_of_a_stream_come_in_the_order_of_the_api(anthropic_client, model):
    stream = anthropic_client.messages.create(
        model=model, messages=HELLO, max_tokens=100, stream=True
    )
    kinds = [event.type for event in stream if event.type != "ping"]
    assert kinds == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 4,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_a_client_may_leave_a_stream(anthropic_client, model):
    with anthropic_client.messages.stream(
        model=model, messages=MANY_WORDS, max_tokens=9000
    ) as stream:
        next(iter(stream))
    message = anthropic_client.messages.create(model=model, messages=HELLO, max_tokens=100)
    assert text_of(message) == "You said: Hello there"


def test_inputs_of_tools_are_streamed(anthropic_client, model):
    with anthropic_client.messages.stream(
        model=model, messages=[TWO_CALLS], tools=TOOLS, max_tokens=100
    ) as stream:
        kinds = [event.type for event in stream]
        first = stream.get_final_message()
    assert kinds.count("input_json") >= 2
    second = anthropic_client.messages.create(
        model=model, messages=[TWO_CALLS, *answers_to(first)], tools=TOOLS, max_tokens=100
    )
    assert text_of(second).endswith("weather in Zürich | time in Oslo")


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ({"type": "none"}, []),
        ({"type": "any"}, ["weather"]),
        ({"type": "tool", "name": "time"}, ["time"]),
    ],
)
def test_the_choice_of_tools_is_kept(anthropic_client, model, choice, called):
    message = anthropic_client.messages.create(
        model=model, messages=HELLO, tools=TOOLS, tool_choice=choice, max_tokens=100
    )
    assert [block.name for block in message.content if block.type == "tool_use"] == called


def test_no_credential_of_the_provider_comes_back(anthropic_client, model):
    answer = anthropic_client.messages.with_raw_response.create(
        model=model, messages=HELLO, max_tokens=100
    )
    assert PROVIDER_KEY not in str(answer.headers) + answer.http_response.text


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
    ],
)
def test_an_error_is_named_as_the_api_names_it(anthropic_client, model, status, kind):
    with pytest.raises(anthropic.APIStatusError) as caught:
        anthropic_client.messages.create(
            model=f"{model}+status={status}", messages=HELLO, max_tokens=100
        )
    body = caught.value.body
    assert (body["type"], body["error"]["type"]) == ("error", kind)


def test_an_overloaded_provider_is_told_as_such(anthropic_client, model):
    status = 529 if model.startswith(("anthropic", "gcp-anthropic")) else 503
    with pytest.raises(anthropic.OverloadedError) as caught:
        anthropic_client.messages.create(
            model=f"{model}+status={status}", messages=HELLO, max_tokens=100
        )
    assert caught.value.body["error"]["type"] == "overloaded_error"


def test_a_body_above_the_limit_is_refused(anthropic_client, model):
    with pytest.raises(anthropic.ContentTooLargeError) as caught:
        anthropic_client.messages.create(model=model, messages=TOO_LONG, max_tokens=100)
    assert caught.value.body["error"]["type"] == "request_too_large"
