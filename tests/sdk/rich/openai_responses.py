"""OpenAI Responses: https://platform.openai.com/docs/api-reference/responses/create"""

from rich import CITY, PDF, PICTURE_URL, PIXEL, TOKEN

PATH = "/v1/responses"
HELLO = [{"role": "user", "content": "Hello"}]


def _tool(name, **more):
    return {"type": "function", "name": name, "description": "A tool", "parameters": CITY, **more}


TOOLS = [_tool("weather", strict=True), _tool("time", strict=False)]


def _call(number, name="weather"):
    return {
        "type": "function_call",
        "id": f"fc_{number}",
        "call_id": f"call_{number}",
        "name": name,
        "arguments": '{"city": "Oslo"}',
        "status": "completed",
    }


def _output(number, output):
    return {"type": "function_call_output", "call_id": f"call_{number}", "output": output}


def _user(*parts):
    return [{"role": "user", "content": [{"type": "input_text", "text": "Look"}, *parts]}]


IMAGE = {
    "type": "input_image",
    "image_url": f"data:image/png;base64,{PIXEL}",
    "detail": "low",
}

CASES = {
    "settings": {
        "input": "Hello",
        "instructions": "Be brief",
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 500,
        "metadata": {"team": "a"},
        "user": "user-1",
        "parallel_tool_calls": True,
        "store": False,
        "truncation": "disabled",
        "service_tier": "default",
        "prompt_cache_key": "k",
        "safety_identifier": "s",
    },
    "roles": {
        "input": [
            {"role": "developer", "content": "Be kind"},
            {"role": "system", "content": [{"type": "input_text", "text": "Be brief"}]},
            *HELLO,
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "content": [
                    {"type": "output_text", "text": "Hi", "annotations": []},
                    {"type": "refusal", "refusal": "No more"},
                ],
            },
            {"role": "user", "content": "Go on"},
        ],
        "store": False,
    },
    "image": {"input": _user(IMAGE), "store": False},
    "image by URL": {
        "input": _user({"type": "input_image", "image_url": PICTURE_URL, "detail": "auto"}),
        "store": False,
    },
    "pdf": {
        "input": _user(
            {
                "type": "input_file",
                "filename": "a report.v1.pdf",
                "file_data": f"data:application/pdf;base64,{PDF}",
            }
        ),
        "store": False,
    },
    "tools": {"input": HELLO, "tools": TOOLS, "tool_choice": "required", "store": False},
    "tool choice named": {
        "input": HELLO,
        "tools": TOOLS,
        "tool_choice": {"type": "function", "name": "time"},
        "store": False,
    },
    "tool choice allowed": {
        "input": HELLO,
        "tools": TOOLS,
        "tool_choice": {
            "type": "allowed_tools",
            "mode": "auto",
            "tools": [{"type": "function", "name": "time"}],
        },
        "store": False,
    },
    "custom tool": {
        "tools": [
            {
                "type": "custom",
                "name": "apply_patch",
                "description": "Takes a patch",
                "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"},
            }
        ],
        "input": [
            *HELLO,
            {
                "type": "custom_tool_call",
                "call_id": "call_1",
                "name": "apply_patch",
                "input": "*** Begin Patch",
            },
            {"type": "custom_tool_call_output", "call_id": "call_1", "output": "Done"},
        ],
        "store": False,
    },
    "parallel results": {
        "tools": TOOLS,
        "input": [
            *HELLO,
            _call(1),
            _call(2, "time"),
            _output(1, "rain"),
            _output(2, [{"type": "input_text", "text": "noon"}]),
        ],
        "store": False,
    },
    "result with an image": {
        "tools": TOOLS,
        "input": [*HELLO, _call(1), _output(1, [{"type": "input_text", "text": "See"}, IMAGE])],
        "store": False,
    },
    "thoughts before": {
        "tools": TOOLS,
        "reasoning": {"effort": "high", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "input": [
            *HELLO,
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "They greet"}],
                "encrypted_content": TOKEN,
            },
            _call(1),
            _output(1, "rain"),
        ],
        "store": False,
    },
    "schema": {
        "input": HELLO,
        "text": {
            "format": {"type": "json_schema", "name": "place", "schema": CITY, "strict": True},
            "verbosity": "low",
        },
        "store": False,
    },
    "logprobs": {
        "input": HELLO,
        "top_logprobs": 3,
        "include": ["message.output_text.logprobs"],
        "store": False,
    },
    "stream": {"input": HELLO, "stream": True, "tools": TOOLS, "store": False},
}

# By case: the providers that cannot be told, so that the gateway refuses.
REFUSED = {
    "image by URL": ["aws-bedrock"],
    "custom tool": [
        "anthropic",
        "aws-anthropic",
        "gcp-anthropic",
        "aws-bedrock",
        "gemini",
        "gcp-vertex-ai",
        "cohere",
    ],
    "pdf": ["cohere"],
}

# Cases with members that OpenAI-compatible servers have and the vendor has not, and who gets them.
OWN_WORDS: set[str] = set()
SAME_FORMAT = {"responses"}
