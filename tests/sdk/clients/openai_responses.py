"""OpenAI's SDK, Responses."""

import json

import openai

from clients import STATUS_KINDS, Answer, Call, Problem, read_problem


class StreamError(Exception):
    """The SDK gives errors inside of streams as events."""


class OpenAiResponses:
    kinds = STATUS_KINDS
    error = openai.APIError
    stream_error = StreamError

    def __init__(self, gateway, key):
        self.sdk = openai.OpenAI(base_url=f"{gateway}/v1", api_key=key, max_retries=0, timeout=30)

    def close(self):
        self.sdk.close()

    def user(self, text):
        return {"role": "user", "content": text}

    def ask(self, model, turns, *, stream=False, tools=None, schema=None, think=False, system=None):
        settings = {}
        if system:
            settings["instructions"] = system
        if tools:
            settings["tools"] = [_tool(tool) for tool in tools]
        if schema:
            shape = {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}
            settings["text"] = {"format": shape}
        if think:
            settings["reasoning"] = {"effort": "low", "summary": "auto"}
            settings["include"] = ["reasoning.encrypted_content"]
        request = {"model": model, "input": turns, "store": False, **settings}
        if not stream:
            return _answer(self.sdk.responses.create(**request), [])
        # The SDK's own helper, `responses.stream`, takes an incomplete answer for a broken one.
        seen = list(self.sdk.responses.create(**request, stream=True))
        pieces = [e.delta for e in seen if e.type == "response.output_text.delta"]
        return _answer(_last(seen), pieces)

    def results(self, answer, run):
        return [
            {"type": "function_call_output", "call_id": call.id, "output": run(call)}
            for call in answer.calls
        ]

    def problem(self, error) -> Problem:
        return read_problem(error, error.body["message"])

    def models(self):
        return {model.id for model in self.sdk.models.list()}


# What the SDK adds to items of its own accord.
PARSED = {"parsed_arguments": True, "content": {"__all__": {"parsed"}}}


def _tool(tool):
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": False,
    }


def _last(events):
    last = events[-1]
    if last.type == "error":
        raise StreamError(last.message)
    if last.type == "response.failed":
        raise StreamError(last.response.error.message)
    return last.response


def _answer(response, pieces):
    calls, thoughts, turns = [], [], []
    for item in response.output:
        turns.append(item.model_dump(exclude=PARSED, exclude_none=True))
        if item.type == "function_call":
            calls.append(Call(item.call_id, item.name, json.loads(item.arguments)))
        elif item.type == "reasoning":
            thoughts += [part.text for part in [*item.summary, *(item.content or [])]]
    usage = response.usage
    return Answer(
        text=response.output_text,
        thoughts="".join(thoughts),
        calls=calls,
        stop=_stop(response, calls),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.input_tokens_details.cached_tokens,
        pieces=pieces,
        turns=turns,
    )


def _stop(response, calls):
    if response.status == "incomplete":
        reason = response.incomplete_details.reason
        return {"max_output_tokens": "length"}.get(reason, reason)
    return "tools" if calls else "end"
