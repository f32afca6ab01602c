"""Google's SDK, Gemini API."""

from google import genai
from google.genai import errors, types

from clients import Answer, Call, Problem


class GoogleGenAi:
    kinds = {
        400: "ClientError",
        401: "ClientError",
        403: "ClientError",
        404: "ClientError",
        429: "ClientError",
        500: "ServerError",
    }
    error = errors.APIError
    stream_error = errors.APIError

    def __init__(self, gateway, key):
        options = types.HttpOptions(
            base_url=gateway,
            timeout=30_000,
            retry_options=types.HttpRetryOptions(attempts=1),
        )
        self.sdk = genai.Client(api_key=key, http_options=options)

    def close(self):
        self.sdk.close()

    def user(self, text):
        return types.UserContent(text)

    def ask(self, model, turns, *, stream=False, tools=None, schema=None, think=False, system=None):
        config = types.GenerateContentConfig(system_instruction=system)
        if tools:
            config.tools = [types.Tool(function_declarations=[_tool(tool) for tool in tools])]
        if schema:
            config.response_mime_type = "application/json"
            config.response_json_schema = schema
        if think:
            config.thinking_config = types.ThinkingConfig(
                thinking_budget=1024, include_thoughts=True
            )
        models = self.sdk.models
        request = {"model": model, "contents": turns, "config": config}
        if not stream:
            whole = models.generate_content(**request)
            return _answer([whole])
        return _answer(list(models.generate_content_stream(**request)))

    def results(self, answer, run):
        parts = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=call.id, name=call.name, response={"output": run(call)}
                )
            )
            for call in answer.calls
        ]
        return [types.UserContent(parts)]

    def problem(self, error) -> Problem:
        retry_after = error.response.headers.get("retry-after")
        return Problem(error.code, type(error).__name__, error.message, retry_after)

    def models(self):
        return {model.name.removeprefix("models/") for model in self.sdk.models.list()}


def _tool(tool):
    return types.FunctionDeclaration(
        name=tool.name,
        description=tool.description,
        parameters_json_schema=tool.parameters,
    )


def _answer(chunks):
    parts = [part for chunk in chunks for part in _parts(chunk)]
    texts = [p.text for p in parts if p.text and not p.thought]
    calls = [
        Call(p.function_call.id, p.function_call.name, p.function_call.args)
        for p in parts
        if p.function_call
    ]
    last = chunks[-1]
    usage = last.usage_metadata
    reason = last.candidates[0].finish_reason.value
    return Answer(
        text="".join(texts),
        thoughts="".join(p.text for p in parts if p.text and p.thought),
        calls=calls,
        stop="tools" if calls else {"STOP": "end", "MAX_TOKENS": "length"}.get(reason, reason),
        input_tokens=usage.prompt_token_count,
        output_tokens=(usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
        cached_tokens=usage.cached_content_token_count or 0,
        pieces=texts,
        turns=[types.ModelContent(parts)],
    )


def _parts(chunk):
    content = chunk.candidates[0].content if chunk.candidates else None
    return content.parts or [] if content else []
