"""OpenAI Chat Completions: https://platform.openai.com/docs/api-reference/chat/create"""

from rich import CITY, PDF, PICTURE_URL, PIXEL, TOKEN, WAV

PATH = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "Hello"}]


def _tool(name, **more):
    return {
        "type": "function",
        "function": {"name": name, "description": "A tool", "parameters": CITY, **more},
    }


TOOLS = [
    _tool("weather", strict=True),
    _tool("time"),
    {"type": "function", "function": {"name": "now"}},
]


def _call(number, name="weather"):
    function = {"name": name, "arguments": '{"city": "Oslo", "days": 3}'}
    return {"id": f"call_{number}", "type": "function", "function": function}


def _user(*parts):
    return [{"role": "user", "content": [{"type": "text", "text": "Look"}, *parts]}]


def _choice(choice):
    return {"messages": HELLO, "tools": TOOLS, "tool_choice": choice}


CASES = {
    "settings": {
        "messages": HELLO,
        "temperature": 0.5,
        "top_p": 0.9,
        "max_completion_tokens": 500,
        "stop": ["END", "STOP"],
        "seed": 7,
        "frequency_penalty": 0.5,
        "presence_penalty": 0.25,
        "user": "user-1",
        "metadata": {"team": "a"},
    },
    "old limit, one stop": {"messages": HELLO, "max_tokens": 50, "stop": "END"},
    "roles and names": {
        "messages": [
            {"role": "system", "content": "Be brief", "name": "policy"},
            {"role": "developer", "content": [{"type": "text", "text": "Be kind"}]},
            {"role": "user", "content": "One", "name": "ada"},
            {"role": "user", "content": "Two"},
            {"role": "assistant", "content": "Three", "name": "bot"},
            {"role": "system", "content": "Now in Norwegian"},
            {"role": "user", "content": "Four"},
        ]
    },
    "image": {
        "messages": _user(
            {
                "type": "image_url",
                "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "low"},
            }
        )
    },
    "image by URL": {"messages": _user({"type": "image_url", "image_url": {"url": PICTURE_URL}})},
    "pdf": {
        "messages": _user(
            {
                "type": "file",
                "file": {
                    "filename": "a report.v1.pdf",
                    "file_data": f"data:application/pdf;base64,{PDF}",
                },
            }
        )
    },
    "audio": {
        "messages": _user({"type": "input_audio", "input_audio": {"data": WAV, "format": "wav"}})
    },
    "tools": {"messages": HELLO, "tools": TOOLS, "parallel_tool_calls": False},
    "tool choice none": _choice("none"),
    "tool choice auto": _choice("auto"),
    "tool choice required": _choice("required"),
    "tool choice named": _choice({"type": "function", "function": {"name": "time"}}),
    "tool choice allowed": _choice(
        {
            "type": "allowed_tools",
            "allowed_tools": {
                "mode": "required",
                "tools": [{"type": "function", "function": {"name": "time"}}],
            },
        }
    ),
    "custom tool": {
        "messages": HELLO,
        "tools": [
            {
                "type": "custom",
                "custom": {
                    "name": "sql",
                    "description": "Runs it",
                    "format": {
                        "type": "grammar",
                        "grammar": {"syntax": "regex", "definition": "SELECT .*"},
                    },
                },
            }
        ],
    },
    "parallel results": {
        "tools": TOOLS,
        "messages": [
            *HELLO,
            {
                "role": "assistant",
                "content": "Let me see",
                "tool_calls": [_call(1), _call(2, "now")],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
            {
                "role": "tool",
                "tool_call_id": "call_2",
                "content": [{"type": "text", "text": "no"}, {"type": "text", "text": "on"}],
            },
            {"role": "assistant", "content": None, "tool_calls": [_call(3)]},
            {"role": "tool", "tool_call_id": "call_3", "content": ""},
            {"role": "user", "content": "And?"},
        ],
    },
    "thoughts of other models": {
        "messages": [
            *HELLO,
            {
                "role": "assistant",
                "content": "Hi",
                "reasoning_content": "They greet",
                "thinking_blocks": [
                    {"type": "thinking", "thinking": "They greet", "signature": TOKEN}
                ],
                "tool_calls": [
                    {**_call(1), "extra_content": {"google": {"thought_signature": TOKEN}}}
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        ],
        "tools": TOOLS,
    },
    "refusal before": {
        "messages": [
            *HELLO,
            {"role": "assistant", "content": None, "refusal": "I can't"},
            {"role": "user", "content": "Why?"},
        ]
    },
    "effort": {"messages": HELLO, "reasoning_effort": "high", "verbosity": "low"},
    "no effort": {"messages": HELLO, "reasoning_effort": "none"},
    "schema": {
        "messages": HELLO,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "place", "schema": CITY, "strict": True},
        },
    },
    "json": {
        "messages": [{"role": "user", "content": "Say JSON"}],
        "response_format": {"type": "json_object"},
    },
    "logprobs": {"messages": HELLO, "logprobs": True, "top_logprobs": 3},
    "candidates": {"messages": HELLO, "n": 2},
    "cache and tier": {
        "messages": HELLO,
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "service_tier": "default",
        "store": False,
    },
    "stream": {
        "messages": HELLO,
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": TOOLS,
    },
}

# By case: the providers that cannot be told, so that the gateway refuses.
REFUSED = {
    "settings": ["responses"],
    "old limit, one stop": ["responses"],
    "image by URL": ["aws-bedrock"],
    "audio": ["responses", "anthropic", "aws-anthropic", "gcp-anthropic", "cohere"],
    "custom tool": [
        "anthropic",
        "aws-anthropic",
        "gcp-anthropic",
        "aws-bedrock",
        "gemini",
        "gcp-vertex-ai",
        "cohere",
    ],
    "json": ["anthropic", "aws-anthropic", "gcp-anthropic", "aws-bedrock"],
    "candidates": [
        "responses",
        "anthropic",
        "aws-anthropic",
        "gcp-anthropic",
        "aws-bedrock",
        "cohere",
    ],
    "pdf": ["cohere"],
}

# Cases with members that OpenAI-compatible servers have and the vendor has not, and who gets them.
OWN_WORDS: set[str] = {"thoughts of other models"}
SAME_FORMAT = {"openai", "azure"}
