"""Anthropic's SDK, Messages."""

import anthropic

from clients import STATUS_KINDS, Answer, Call, Problem, read_problem


class AnthropicMessages:
    kinds = STATUS_KINDS
    error = anthropic.APIError
    stream_error = anthropic.APIError

    def __init__(self, gateway, key):
        self.sdk = anthropic.Anthropic(
            base_url=f"{gateway}/anthropic", api_key=key, max_retries=0, timeout=30
        )

    def close(self):
        self.sdk.close()

    def user(self, text):
        return {"role": "user", "content": text}

    def ask(self, model, turns, *, stream=False, tools=None, schema=None, think=False, system=None):
        settings = {}
        if system:
            settings["system"] = system
        if tools:
            settings["tools"] = [_tool(tool) for tool in tools]
        if schema:
            settings["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        if think:
            settings["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        request = {"model": model, "messages": turns, "max_tokens": 4096, **settings}
        if not stream:
            return _answer(self.sdk.messages.create(**request), [])
        with self.sdk.messages.stream(**request) as events:
            pieces = list(events.text_stream)
            return _answer(events.get_final_message(), pieces)

    def results(self, answer, run):
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": run(call)}
            for call in answer.calls
        ]
        return [{"role": "user", "content": results}]

    def problem(self, error) -> Problem:
        return read_problem(error, error.body["error"]["message"])

    def models(self):
        return {model.id for model in self.sdk.models.list()}


def _tool(tool):
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": tool.parameters,
    }


def _answer(message, pieces):
    usage = message.usage
    cached = usage.cache_read_input_tokens or 0
    written = usage.cache_creation_input_tokens or 0
    blocks = [block.to_dict() for block in message.content]
    calls = [Call(b.id, b.name, b.input) for b in message.content if b.type == "tool_use"]
    return Answer(
        text="".join(block.text for block in message.content if block.type == "text"),
        thoughts="".join(b.thinking for b in message.content if b.type == "thinking"),
        calls=calls,
        stop={"end_turn": "end", "tool_use": "tools", "max_tokens": "length"}.get(
            message.stop_reason, message.stop_reason
        ),
        input_tokens=usage.input_tokens + cached + written,
        output_tokens=usage.output_tokens,
        cached_tokens=cached,
        pieces=pieces,
        turns=[{"role": "assistant", "content": blocks}],
    )
