"""OpenAI's SDK as the client, in front of providers of either format."""

import asyncio
import json

import openai
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
        "type": "function",
        "function": {
            "name": name,
            "description": f"Tells the {name} somewhere",
            "parameters": TOOL_PARAMETERS,
        },
    }
    for name in ("weather", "time")
]


def answers_to(completion) -> list[dict]:
    """The completion's message and a result for each of its calls, as the next turns."""
    message = completion.choices[0].message
    results = [
        {
            "role": "tool",
            "tool_call_id": call.id,
            "content": f"{call.function.name} in {json.loads(call.function.arguments)['city']}",
        }
        for call in message.tool_calls
    ]
    return [message.model_dump(exclude_none=True), *results]


def test_an_answer_arrives_whole(openai_client, model):
    completion = openai_client.chat.completions.create(model=model, messages=HELLO)
    choice = completion.choices[0]
    assert completion.object == "chat.completion"
    assert choice.message.role == "assistant"
    assert choice.message.content == "You said: Hello there"
    assert choice.finish_reason == "stop"


def test_usage_counts_cached_and_reasoning_tokens_as_parts(openai_client, model):
    completion = openai_client.chat.completions.create(
        model=f"{model}+usage=90.50.40.10", messages=HELLO
    )
    usage = completion.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (90, 50, 140)
    assert usage.prompt_tokens_details.cached_tokens == 40
    assert usage.completion_tokens_details.reasoning_tokens == 10


def test_the_length_limit_is_told(openai_client, model):
    completion = openai_client.chat.completions.create(
        model=f"{model}+stop=length", messages=HELLO, max_tokens=3
    )
    assert completion.choices[0].finish_reason == "length"


def test_a_stream_arrives_in_pieces(openai_client, model):
    stream = openai_client.chat.completions.create(model=model, messages=HELLO, stream=True)
    chunks = list(stream)
    pieces = [
        c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content
    ]
    assert pieces == ["You ", "said: ", "Hello ", "there"]
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert all(chunk.usage is None for chunk in chunks), "nobody asked for usage"


def test_a_stream_ends_with_usage_where_asked(openai_client, model):
    stream = openai_client.chat.completions.create(
        model=f"{model}+usage=9.5.4.1",
        messages=HELLO,
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last = stream
    assert all(chunk.usage is None for chunk in chunks)
    assert last.choices == []
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (9, 5)
    assert last.usage.prompt_tokens_details.cached_tokens == 4


def test_a_client_may_leave_a_stream(openai_client, model):
    stream = openai_client.chat.completions.create(model=model, messages=MANY_WORDS, stream=True)
    next(stream)
    stream.close()
    completion = openai_client.chat.completions.create(model=model, messages=HELLO)
    assert completion.choices[0].message.content == "You said: Hello there"


def test_tools_are_called_in_parallel_and_answered(openai_client, model):
    ask = openai_client.chat.completions.create
    first = ask(model=model, messages=[TWO_CALLS], tools=TOOLS)
    assert first.choices[0].finish_reason == "tool_calls"
    calls = first.choices[0].message.tool_calls
    assert [(call.type, call.function.name) for call in calls] == [
        ("function", "weather"),
        ("function", "time"),
    ]
    assert [json.loads(call.function.arguments) for call in calls] == [
        {"city": "Zürich"},
        {"city": "Oslo"},
    ]
    second = ask(model=model, messages=[TWO_CALLS, *answers_to(first)], tools=TOOLS)
    assert second.choices[0].message.content == (
        "The tools answered: weather in Zürich | time in Oslo"
    )


def test_arguments_of_tools_are_streamed(openai_client, model):
    with openai_client.chat.completions.stream(
        model=model, messages=[TWO_CALLS], tools=TOOLS
    ) as stream:
        kinds = [event.type for event in stream]
        first = stream.get_final_completion()
    assert kinds.count("tool_calls.function.arguments.delta") > 2
    second = openai_client.chat.completions.create(
        model=model, messages=[TWO_CALLS, *answers_to(first)], tools=TOOLS
    )
    assert second.choices[0].message.content.endswith("weather in Zürich | time in Oslo")


@pytest.mark.parametrize(
    ("choice", "called"),
    [
        ("none", []),
        ("required", ["weather"]),
        ({"type": "function", "function": {"name": "time"}}, ["time"]),
    ],
)
def test_the_choice_of_tools_is_kept(openai_client, model, choice, called):
    completion = openai_client.chat.completions.create(
        model=model, messages=HELLO, tools=TOOLS, tool_choice=choice
    )
    calls = completion.choices[0].message.tool_calls or []
    assert [call.function.name for call in calls] == called


def test_thoughts_come_beside_the_text(openai_client, model):
    completion = openai_client.chat.completions.create(
        model=model,
        messages=[THINK],
        reasoning_effort="low",
        max_completion_tokens=4096,
    )
    message = completion.choices[0].message
    assert message.reasoning_content == "Thinking about: of two"
    assert message.content == "You said: of two"


def test_images_reach_the_provider(openai_client, provider, model):
    urls = [f"data:image/png;base64,{PIXEL}", PICTURE_URL]
    images = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    openai_client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": [{"type": "text", "text": "What is it?"}, *images]}],
    )
    parts = provider.only().body["messages"][-1]["content"]
    if model.startswith("claude"):
        assert [part["source"] for part in parts if part["type"] == "image"] == [
            {"type": "base64", "media_type": "image/png", "data": PIXEL},
            {"type": "url", "url": urls[1]},
        ]
    else:
        assert [part["image_url"]["url"] for part in parts if part["type"] == "image_url"] == urls


def test_instructions_reach_the_provider(openai_client, provider, model):
    openai_client.chat.completions.create(
        model=model, messages=[{"role": "system", "content": "Be brief"}, *HELLO]
    )
    body = provider.only().body
    if model.startswith("claude"):
        system = body["system"]
        assert system == "Be brief" or [part["text"] for part in system] == ["Be brief"]
        assert [message["role"] for message in body["messages"]] == ["user"]
    else:
        assert body["messages"][0] == {"role": "system", "content": "Be brief"}


def test_each_side_sees_its_own_credential_only(openai_client, provider, model):
    answer = openai_client.chat.completions.with_raw_response.create(model=model, messages=HELLO)
    received = provider.only()
    assert received.credentials == {PROVIDER_KEY}
    assert CLIENT_KEY not in str(received)
    assert PROVIDER_KEY not in str(answer.headers) + answer.http_response.text


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (422, openai.UnprocessableEntityError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_providers_error_is_typed(openai_client, model, status, error, stream):
    with pytest.raises(error) as caught:
        openai_client.chat.completions.create(
            model=f"{model}+status={status}", messages=HELLO, stream=stream
        )
    assert caught.value.status_code == status
    assert caught.value.type
    assert caught.value.body["message"]


def test_a_rate_limit_tells_when_to_come_back(openai_client, model):
    with pytest.raises(openai.RateLimitError) as caught:
        openai_client.chat.completions.create(
            model=f"{model}+status=429+retry-after=7", messages=HELLO
        )
    assert caught.value.response.headers["retry-after"] == "7"


def test_an_error_inside_a_stream_is_raised(openai_client, model):
    stream = openai_client.chat.completions.create(
        model=f"{model}+error-after=3", messages=HELLO, stream=True
    )
    with pytest.raises(openai.APIError) as caught:
        list(stream)
    assert caught.value.message


def test_an_unknown_model_is_not_found(openai_client):
    with pytest.raises(openai.NotFoundError) as caught:
        openai_client.chat.completions.create(model='no "such" model', messages=HELLO)
    assert caught.value.code == "model_not_found"
    assert "such" in caught.value.body["message"]


def test_an_unknown_path_is_not_found(openai_client):
    with pytest.raises(openai.NotFoundError):
        openai_client.post("/no/such/endpoint", cast_to=object, body={"model": "gpt-mock"})


def test_a_provider_that_is_down_is_an_error_of_the_server(openai_client):
    with pytest.raises(openai.InternalServerError) as caught:
        openai_client.chat.completions.create(model="down", messages=HELLO)
    assert caught.value.status_code in (502, 503)
    assert caught.value.body["message"]


def test_a_body_above_the_limit_is_refused(openai_client, model):
    with pytest.raises(openai.APIStatusError) as caught:
        openai_client.chat.completions.create(model=model, messages=TOO_LONG)
    assert caught.value.status_code == 413


@pytest.mark.parametrize("model", ["openai-then-anthropic", "anthropic-then-openai"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_failing_provider_is_followed_by_one_of_another_format(
    openai_client, provider, model, stream
):
    answer = openai_client.chat.completions.create(model=model, messages=HELLO, stream=stream)
    if stream:
        deltas = [choice.delta for chunk in answer for choice in chunk.choices]
        text = "".join(delta.content or "" for delta in deltas)
    else:
        text = answer.choices[0].message.content
    assert text == "You said: Hello there"
    first, second = provider.received()
    assert first.path != second.path
    assert first.credentials == second.credentials == {PROVIDER_KEY}


def test_requests_are_shared_by_weight(openai_client, provider):
    """That all of 40 go to the same one of two happens once in 2^39 runs."""
    for _ in range(40):
        openai_client.chat.completions.create(model="shared", messages=HELLO)
    assert {one.body["model"] for one in provider.received()} == {"gpt-mock", "claude-mock"}


def test_models_are_listed(openai_client):
    listed = openai_client.models.list()
    assert {"openai-then-anthropic", "down"} <= {model.id for model in listed}
    assert {model.object for model in listed} == {"model"}


def test_many_streams_at_once_do_not_mix(gateway):
    async def talk(client: openai.AsyncOpenAI, model: str, number: int) -> str:
        stream = await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": f"n {number}"}], stream=True
        )
        return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

    async def all_at_once() -> list[str]:
        url = f"{gateway}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key=CLIENT_KEY, max_retries=0) as client:
            models = ["gpt-mock", "claude-mock", "azure-mock"]
            talks = [talk(client, models[number % 3], number) for number in range(60)]
            return await asyncio.gather(*talks)

    assert asyncio.run(all_at_once()) == [f"You said: n {number}" for number in range(60)]
