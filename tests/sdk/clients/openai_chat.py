"""OpenAI's SDK, Chat Completions."""

import json

import openai

from clients import STATUS_KINDS, Answer, Call, Problem, read_problem


class OpenAiChat:
    kinds = STATUS_KINDS
    error = openai.APIError
    stream_error = openai.APIError

    def __init__(self, gateway, key):
        self.sdk = openai.OpenAI(base_url=f"{gateway}/v1", api_key=key, max_retries=0, timeout=30)

    def close(self):
        self.sdk.close()

    def user(self, text):
        return {"role": "user", "content": text}

    def ask(self, model, turns, *, stream=False, tools=None, schema=None, think=False, system=None):
        settings = {}
        if system:
            turns = [{"role": "system", "content": system}, *turns]
        if tools:
            settings["tools"] = [_tool(tool) for tool in tools]
        if schema:
            shape = {"name": "answer", "schema": schema, "strict": True}
            settings["response_format"] = {"type": "json_schema", "json_schema": shape}
        if think:
            settings["reasoning_effort"] = "low"
        if stream:
            return self._stream(model=model, messages=turns, **settings)
        return _answer(
            self.sdk.chat.completions.create(model=model, messages=turns, **settings), []
        )

    def _stream(self, **request):
        pieces = []
        request["stream_options"] = {"include_usage": True}
        try:
            with self.sdk.chat.completions.stream(**request) as stream:
                for event in stream:
                    if event.type == "content.delta" and event.delta:
                        pieces.append(event.delta)
                return _answer(stream.get_final_completion(), pieces)
        except openai.LengthFinishReasonError as cut:
            return _answer(cut.completion, pieces)

    def results(self, answer, run):
        return [
            {"role": "tool", "tool_call_id": call.id, "content": run(call)} for call in answer.calls
        ]

    def problem(self, error) -> Problem:
        return read_problem(error, error.body["message"])

    def models(self):
        return {model.id for model in self.sdk.models.list()}


def _tool(tool):
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
    }
    return {"type": "function", "function": function}


def _answer(completion, pieces):
    choice = completion.choices[0]
    message, usage = choice.message, completion.usage
    calls = [
        Call(call.id, call.function.name, json.loads(call.function.arguments))
        for call in message.tool_calls or []
    ]
    details = usage.prompt_tokens_details
    return Answer(
        text=message.content or "",
        thoughts=getattr(message, "reasoning_content", None) or "",
        calls=calls,
        stop={"stop": "end", "tool_calls": "tools"}.get(choice.finish_reason, choice.finish_reason),
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        cached_tokens=details.cached_tokens if details else 0,
        pieces=pieces,
        turns=[message.model_dump(exclude_none=True, exclude={"parsed"})],
    )
