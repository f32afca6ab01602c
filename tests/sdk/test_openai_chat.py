"""What OpenAI's SDK alone can say and see, by Chat Completions."""

import asyncio
import json

import openai
import pytest
from conftest import CLIENT_KEY, PROVIDER_KEY
from conversation import (
    HELLO,
    MANY_WORDS,
    TOOL_PARAMETERS,
    TWO_CALLS,
)
from providers import MODELS

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


def test_usage_counts_reasoning_tokens_as_a_part_where_they_are_told(openai_client, model):
    completion = openai_client.chat.completions.create(
        model=f"{model}+usage=90.50.40.10", messages=HELLO
    )
    usage = completion.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (90, 50, 140)
    assert usage.prompt_tokens_details.cached_tokens == 40
    # Converse and Cohere have no number for it.
    if not model.startswith(("aws-bedrock", "cohere")):
        assert usage.completion_tokens_details.reasoning_tokens == 10


def test_a_stream_has_no_usage_unasked(openai_client, model):
    stream = openai_client.chat.completions.create(model=model, messages=HELLO, stream=True)
    assert all(chunk.usage is None for chunk in stream)


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


def test_arguments_of_tools_are_streamed(openai_client, model):
    with openai_client.chat.completions.stream(
        model=model, messages=[TWO_CALLS], tools=TOOLS
    ) as stream:
        kinds = [event.type for event in stream]
        first = stream.get_final_completion()
    assert kinds.count("tool_calls.function.arguments.delta") >= 2
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


def test_no_credential_of_the_provider_comes_back(openai_client, model):
    answer = openai_client.chat.completions.with_raw_response.create(model=model, messages=HELLO)
    assert PROVIDER_KEY not in str(answer.headers) + answer.http_response.text


@pytest.mark.parametrize("status", [401, 422, 503])
def test_an_error_has_a_type_and_a_message(openai_client, model, status):
    with pytest.raises(openai.APIStatusError) as caught:
        openai_client.chat.completions.create(model=f"{model}+status={status}", messages=HELLO)
    assert caught.value.status_code == status
    assert caught.value.type
    assert caught.value.body["message"]


def test_an_unknown_model_has_a_code(openai_client):
    with pytest.raises(openai.NotFoundError) as caught:
        openai_client.chat.completions.create(model='no "such" model', messages=HELLO)
    assert caught.value.code == "model_not_found"


def test_an_unknown_path_is_not_found(openai_client):
    with pytest.raises(openai.NotFoundError):
        openai_client.post("/no/such/endpoint", cast_to=object, body={"model": "openai-gpt-5"})


def test_requests_are_shared_by_weight(openai_client, provider):
    """That all of 40 go to the same one of two happens once in 2^39 runs."""
    for _ in range(40):
        openai_client.chat.completions.create(model="shared", messages=HELLO)
    assert {one.body["model"] for one in provider.received()} == {"gpt-mock", "claude-mock"}


def test_many_streams_at_once_do_not_mix(gateway):
    async def talk(client: openai.AsyncOpenAI, model: str, number: int) -> str:
        stream = await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": f"n {number}"}], stream=True
        )
        return "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])

    async def all_at_once() -> list[str]:
        url = f"{gateway}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key=CLIENT_KEY, max_retries=0) as client:
            models = list(MODELS.values())
            talks = [talk(client, models[number % len(models)], number) for number in range(90)]
            return await asyncio.gather(*talks)

    assert asyncio.run(all_at_once()) == [f"You said: n {number}" for number in range(90)]
