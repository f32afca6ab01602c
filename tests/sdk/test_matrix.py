"""Each SDK against each provider format: what every pair has to do.

What one SDK alone can say stands in the file of that SDK.
"""

import json

import pytest
from clients import Client, Tool

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
TOOLS = [Tool(name, f"Tells the {name} somewhere", CITY) for name in ("weather", "time")]
TWO_CALLS = 'call:weather {"city": "Zürich"} call:time {"city": "Oslo"}'

whole_or_stream = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


def run(call) -> str:
    return f"{call.name} in {call.arguments['city']}"


def test_an_answer_arrives_whole(client: Client, model):
    answer = client.ask(model, [client.user("Hello there")])
    assert answer.text == "You said: Hello there"
    assert answer.stop == "end"


def test_a_stream_arrives_in_pieces(client: Client, model):
    answer = client.ask(model, [client.user("Hello there")], stream=True)
    assert answer.pieces == ["You ", "said: ", "Hello ", "there"]
    assert answer.text == "You said: Hello there"
    assert answer.stop == "end"


@whole_or_stream
def test_tokens_are_counted(client: Client, model, stream):
    answer = client.ask(f"{model}+usage=90.50.40.10", [client.user("Hello")], stream=stream)
    assert (answer.input_tokens, answer.output_tokens) == (90, 50)
    assert answer.cached_tokens == 40


@whole_or_stream
def test_the_length_limit_is_told(client: Client, model, stream):
    answer = client.ask(f"{model}+stop=length", [client.user("Hello")], stream=stream)
    assert answer.stop == "length"


@whole_or_stream
def test_tools_are_called_in_parallel_and_answered(client: Client, model, stream):
    turns = [client.user(TWO_CALLS)]
    first = client.ask(model, turns, tools=TOOLS, stream=stream)
    assert first.stop == "tools"
    assert [(call.name, call.arguments) for call in first.calls] == [
        ("weather", {"city": "Zürich"}),
        ("time", {"city": "Oslo"}),
    ]
    turns += [*first.turns, *client.results(first, run)]
    second = client.ask(model, turns, tools=TOOLS, stream=stream)
    assert second.text == "The tools answered: weather in Zürich | time in Oslo"
    assert second.stop == "end"


@whole_or_stream
def test_a_task_takes_several_steps(client: Client, model, stream):
    """Thoughts go back with their signatures, as the vendors demand it between calls."""
    task = f"think: {TWO_CALLS} then: think: call:time {{'city'}} then: say:Done."
    turns = [client.user(task.replace("{'city'}", '{"city": "Rome"}'))]
    settings = {"tools": TOOLS, "stream": stream, "think": True, "system": "Be brief."}
    seen = []
    for _ in range(2):
        answer = client.ask(model, turns, **settings)
        seen.append([call.name for call in answer.calls])
        turns += [*answer.turns, *client.results(answer, run)]
    assert seen == [["weather", "time"], ["time"]]
    assert client.ask(model, turns, **settings).text == "Done."


@whole_or_stream
def test_thoughts_are_apart_from_the_text(client: Client, model, stream):
    turns = [client.user("think: of two")]
    answer = client.ask(model, turns, think=True, stream=stream)
    assert answer.thoughts == "Thinking about: of two"
    assert answer.text == "You said: of two"


@whole_or_stream
def test_an_answer_follows_a_schema(client: Client, provider, model, stream):
    turns = [client.user('say:{"city": "Oslo"}')]
    answer = client.ask(model, turns, schema=CITY, stream=stream)
    assert json.loads(answer.text) == {"city": "Oslo"}
    assert "additionalProperties" in json.dumps(provider.only().body)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_a_providers_error_is_typed(client: Client, model, status):
    # Whether a stream was asked for makes no difference to an error before it.
    stream = status in (401, 404)
    with pytest.raises(client.error) as caught:
        client.ask(f"{model}+status={status}", [client.user("Hello")], stream=stream)
    problem = client.problem(caught.value)
    assert problem.status == status
    assert problem.kind == client.kinds[status]
    assert problem.message == f"sluice mock: status {status} as asked"


@whole_or_stream
def test_a_rate_limit_tells_when_to_come_back(client: Client, model, stream):
    with pytest.raises(client.error) as caught:
        client.ask(f"{model}+status=429+retry-after=7", [client.user("Hello")], stream=stream)
    problem = client.problem(caught.value)
    assert (problem.status, problem.kind) == (429, client.kinds[429])
    assert problem.retry_after == "7"


def test_an_error_inside_a_stream_is_raised(client: Client, model):
    with pytest.raises(client.stream_error, match="as asked"):
        client.ask(f"{model}+error-after=4", [client.user("Hello there you")], stream=True)


def test_a_stream_that_lacks_its_end_is_an_error(client: Client, model):
    with pytest.raises(client.stream_error):
        client.ask(f"{model}+truncated", [client.user("Hello there")], stream=True)


def test_each_side_sees_its_own_credential_only(client: Client, provider, model, keys):
    client.ask(model, [client.user("Hello")])
    received = provider.only()
    assert received.credentials == {keys.provider}
    assert keys.client not in str(received)


@whole_or_stream
@pytest.mark.parametrize("model", ["fallback-openai-anthropic", "fallback-anthropic-openai"])
def test_a_failing_provider_is_followed_by_one_of_another_format(
    client: Client, provider, model, stream
):
    answer = client.ask(model, [client.user("Hello there")], stream=stream)
    assert answer.text == "You said: Hello there"
    first, second = provider.received()
    assert first.path != second.path


def test_an_unknown_model_is_not_found(client: Client):
    with pytest.raises(client.error) as caught:
        client.ask('no "such" model', [client.user("Hello")])
    problem = client.problem(caught.value)
    assert (problem.status, problem.kind) == (404, client.kinds[404])
    assert "such" in problem.message


def test_a_provider_that_is_down_is_an_error_of_the_server(client: Client):
    with pytest.raises(client.error) as caught:
        client.ask("down", [client.user("Hello")])
    problem = client.problem(caught.value)
    assert problem.status in (502, 503)
    assert problem.kind in (client.kinds[500], "ServiceUnavailableError")


def test_a_body_above_the_limit_is_refused(client: Client, model):
    with pytest.raises(client.error) as caught:
        client.ask(model, [client.user("x" * 600_000)])
    assert client.problem(caught.value).status == 413


def test_models_are_listed(client: Client):
    assert {"fallback-openai-anthropic", "down"} <= client.models()
