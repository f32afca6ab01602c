"""Anthropic's SDK as the client, in front of providers of either format."""

import anthropic
import pytest
from conftest import CLIENT_KEY, PROVIDER_KEY
from conversation import (
    HELLO,
    MANY_WORDS,
    PICTURE_URL,
    PIXEL,
    THINK,
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


def test_an_answer_arrives_whole(anthropic_client, model):
    message = anthropic_client.messages.create(model=model, messages=HELLO, max_tokens=100)
    assert (message.type, message.role) == ("message", "assistant")
    assert [(block.type, block.text) for block in message.content] == [
        ("text", "You said: Hello there")
    ]
    assert message.stop_reason == "end_turn"


def test_usage_counts_cached_tokens_apart(anthropic_client, model):
    message = anthropic_client.messages.create(
        model=f"{model}+usage=90.50.40.10", messages=HELLO, max_tokens=100
    )
    usage = message.usage
    assert (usage.input_tokens, usage.output_tokens) == (50, 50)
    assert usage.cache_read_input_tokens == 40


def test_the_length_limit_is_told(anthropic_client, model):
    message = anthropic_client.messages.create(
        model=f"{model}+stop=length", messages=HELLO, max_tokens=3
    )
    assert message.stop_reason == "max_tokens"


def test_a_stream_arrives_in_pieces(anthropic_client, model):
    with anthropic_client.messages.stream(
        model=f"{model}+usage=9.5.4.1", messages=HELLO, max_tokens=100
    ) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()
    assert pieces == ["You ", "said: ", "Hello ", "there"]
    assert message.stop_reason == "end_turn"
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (5, 4, 5)


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


def test_tools_are_called_in_parallel_and_answered(anthropic_client, model):
    ask = anthropic_client.messages.create
    first = ask(model=model, messages=[TWO_CALLS], tools=TOOLS, max_tokens=100)
    assert first.stop_reason == "tool_use"
    calls = [block for block in first.content if block.type == "tool_use"]
    assert [(call.name, call.input) for call in calls] == [
        ("weather", {"city": "Zürich"}),
        ("time", {"city": "Oslo"}),
    ]
    turns = [TWO_CALLS, *answers_to(first)]
    second = ask(model=model, messages=turns, tools=TOOLS, max_tokens=100)
    assert text_of(second) == "The tools answered: weather in Zürich | time in Oslo"


def test_inputs_of_tools_are_streamed(anthropic_client, model):
    with anthropic_client.messages.stream(
        model=model, messages=[TWO_CALLS], tools=TOOLS, max_tokens=100
    ) as stream:
        kinds = [event.type for event in stream]
        first = stream.get_final_message()
    assert kinds.count("input_json") > 2
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


def test_thoughts_are_blocks_of_their_own(anthropic_client, model):
    message = anthropic_client.messages.create(
        model=model,
        messages=[THINK],
        thinking={"type": "enabled", "budget_tokens": 1024},
        max_tokens=4096,
    )
    thoughts = [block.thinking for block in message.content if block.type == "thinking"]
    assert thoughts == ["Thinking about: of two"]
    assert message.content[0].type == "thinking"
    assert text_of(message) == "You said: of two"


def test_thoughts_can_be_sent_back(anthropic_client, model):
    """A signature that the gateway made up would be refused by the vendor, and by the mock."""
    settings = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 4096}
    first = anthropic_client.messages.create(model=model, messages=[THINK], **settings)
    turn = {"role": "assistant", "content": [block.to_dict() for block in first.content]}
    second = anthropic_client.messages.create(
        model=model, messages=[THINK, turn, *HELLO], **settings
    )
    assert text_of(second) == "You said: Hello there"


def test_images_reach_the_provider(anthropic_client, provider, model):
    sources = [
        {"type": "base64", "media_type": "image/png", "data": PIXEL},
        {"type": "url", "url": PICTURE_URL},
    ]
    content = [{"type": "image", "source": source} for source in sources]
    content.append({"type": "text", "text": "What is it?"})
    anthropic_client.messages.create(
        model=model, messages=[{"role": "user", "content": content}], max_tokens=100
    )
    parts = provider.only().body["messages"][-1]["content"]
    if model.startswith("claude"):
        assert parts == content
    else:
        assert [part["image_url"]["url"] for part in parts if part["type"] == "image_url"] == [
            f"data:image/png;base64,{PIXEL}",
            PICTURE_URL,
        ]


def test_instructions_reach_the_provider(anthropic_client, provider, model):
    anthropic_client.messages.create(model=model, system="Be brief", messages=HELLO, max_tokens=100)
    body = provider.only().body
    if model.startswith("claude"):
        assert body["system"] == "Be brief"
    else:
        first = body["messages"][0]
        assert first["role"] in ("system", "developer")
        assert first["content"] == "Be brief"


def test_each_side_sees_its_own_credential_only(anthropic_client, provider, model):
    answer = anthropic_client.messages.with_raw_response.create(
        model=model, messages=HELLO, max_tokens=100
    )
    received = provider.only()
    assert received.credentials == {PROVIDER_KEY}
    assert CLIENT_KEY not in str(received)
    assert PROVIDER_KEY not in str(answer.headers) + answer.http_response.text


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (403, anthropic.PermissionDeniedError, "permission_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (500, anthropic.InternalServerError, "api_error"),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_providers_error_is_typed(anthropic_client, model, status, error, kind, stream):
    with pytest.raises(error) as caught:
        anthropic_client.messages.create(
            model=f"{model}+status={status}", messages=HELLO, max_tokens=100, stream=stream
        )
    assert caught.value.status_code == status
    body = caught.value.body
    assert body["type"] == "error"
    assert body["error"]["message"]
    assert body["error"]["type"] == kind


def test_an_overloaded_provider_is_told_as_such(anthropic_client, model):
    status = 529 if model.startswith("claude") else 503
    with pytest.raises(anthropic.OverloadedError) as caught:
        anthropic_client.messages.create(
            model=f"{model}+status={status}", messages=HELLO, max_tokens=100
        )
    assert caught.value.body["error"]["type"] == "overloaded_error"


def test_a_rate_limit_tells_when_to_come_back(anthropic_client, model):
    with pytest.raises(anthropic.RateLimitError) as caught:
        anthropic_client.messages.create(
            model=f"{model}+status=429+retry-after=7", messages=HELLO, max_tokens=100
        )
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.body["error"]["type"] == "rate_limit_error"


def test_an_error_inside_a_stream_is_raised(anthropic_client, model):
    stream = anthropic_client.messages.create(
        model=f"{model}+error-after=4", messages=HELLO, max_tokens=100, stream=True
    )
    with pytest.raises(anthropic.APIError) as caught:
        list(stream)
    assert caught.value.body["type"] == "error"


def test_an_unknown_model_is_not_found(anthropic_client):
    with pytest.raises(anthropic.NotFoundError) as caught:
        anthropic_client.messages.create(model='no "such" model', messages=HELLO, max_tokens=100)
    assert caught.value.body["error"]["type"] == "not_found_error"
    assert "such" in caught.value.body["error"]["message"]


def test_a_provider_that_is_down_is_an_error_of_the_server(anthropic_client):
    with pytest.raises(anthropic.InternalServerError) as caught:
        anthropic_client.messages.create(model="down", messages=HELLO, max_tokens=100)
    assert caught.value.status_code in (502, 503)
    assert caught.value.body["type"] == "error"


def test_a_body_above_the_limit_is_refused(anthropic_client, model):
    with pytest.raises(anthropic.ContentTooLargeError) as caught:
        anthropic_client.messages.create(model=model, messages=TOO_LONG, max_tokens=100)
    assert caught.value.body["error"]["type"] == "request_too_large"


@pytest.mark.parametrize("model", ["openai-then-anthropic", "anthropic-then-openai"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_failing_provider_is_followed_by_one_of_another_format(
    anthropic_client, provider, model, stream
):
    question = {"model": model, "messages": HELLO, "max_tokens": 100}
    if stream:
        with anthropic_client.messages.stream(**question) as events:
            message = events.get_final_message()
    else:
        message = anthropic_client.messages.create(**question)
    assert text_of(message) == "You said: Hello there"
    first, second = provider.received()
    assert first.path != second.path
    assert first.credentials == second.credentials == {PROVIDER_KEY}


def test_models_are_listed(anthropic_client):
    listed = list(anthropic_client.models.list())
    assert {"openai-then-anthropic", "down"} <= {model.id for model in listed}
    assert {model.type for model in listed} == {"model"}
