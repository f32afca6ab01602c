"""What a host of another language gets of the translations."""

import json

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "logit_bias": {"1": 5}}
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "Hello."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 3},
}
EVENTS = [
    {"type": "message_start", "message": ANSWER | {"content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "Grüße, 世界"},
    },
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 3},
    },
    {"type": "message_stop"},
]
STREAM = "".join(
    f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n" for event in EVENTS
).encode()


def body(**members) -> bytes:
    return json.dumps(CHAT | members).encode()


def test_a_request_is_translated_for_the_provider(translation):
    result = translation.request("anthropic", body(), model="claude-sonnet-4-5")
    assert result.tag == "ok"
    sent = result.payload.request
    assert (sent.method, sent.path) == ("POST", "/v1/messages")
    told = json.loads(sent.body)
    assert told["model"] == "claude-sonnet-4-5"
    assert told["messages"][0]["role"] == "user"
    assert sent.dropped == ["logit_bias"]
    headers = dict(sent.headers)
    assert headers["anthropic-version"] == "2023-06-01"
    assert int(headers["content-length"]) == len(sent.body)


def test_the_api_of_openai_can_be_chosen(translation):
    sent = translation.request("openai", body(), api="responses").payload.request
    assert sent.path == "/v1/responses"
    assert json.loads(sent.body)["input"]


def test_a_refusal_is_an_answer_in_the_clients_form(translation):
    result = translation.request("anthropic", body(n=2))
    assert result.tag == "err"
    assert result.payload.status == 422
    assert "n is not supported" in json.loads(result.payload.body)["error"]["message"]
    assert dict(result.payload.headers)["content-type"] == "application/json"


def test_a_kind_that_is_not_there_is_told(translation):
    result = translation.request("nobody", body())
    assert (result.tag, result.payload.status) == ("err", 400)
    assert result.payload.body == b"there is no kind `nobody`"


def test_a_whole_answer_is_there_at_its_end(translation):
    exchange = translation.request("anthropic", body()).payload.exchange
    response = translation.response(exchange, "application/json")
    assert response.head is None
    assert response.push(json.dumps(ANSWER).encode()) == b""
    end = response.finish()
    assert end.head.status == 200
    told = json.loads(end.body)
    assert told["choices"][0]["message"]["content"] == "Hello."
    assert told["usage"]["prompt_tokens"] == 15
    usage = dict(end.usage)
    assert (usage["input_tokens"], usage["output_tokens"]) == (15, 3)


def test_an_error_of_the_provider_is_the_clients(translation):
    exchange = translation.request("anthropic", body()).payload.exchange
    response = translation.response(exchange, "application/json", status=529)
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    assert response.push(json.dumps(error).encode()) == b""
    end = response.finish()
    assert end.head.status == 503
    assert json.loads(end.body)["error"]["message"] == "Overloaded"


def test_a_stream_flows_and_any_cut_gives_the_same(translation):
    def translated(size: int) -> bytes:
        asked = body(stream=True, stream_options={"include_usage": True})
        exchange = translation.request("anthropic", asked).payload.exchange
        response = translation.response(exchange, "text/event-stream")
        pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
        told = [response.push(piece) for piece in pieces]
        assert any(told[:-1]) or len(told) == 1, "what is whole is passed on at once"
        assert dict(response.head.headers)["content-type"].startswith("text/event-stream")
        end = response.finish()
        assert dict(end.usage)["output_tokens"] == 3
        return b"".join([*told, end.body])

    whole = translated(len(STREAM))
    assert "Grüße, 世界".encode() in whole
    assert whole.endswith(b"data: [DONE]\n\n")
    for size in (1, 7, 64):
        assert translated(size) == whole
