"""Anthropic Messages: https://docs.claude.com/en/api/messages"""

from rich import CITY, PDF, PICTURE_URL, PIXEL, TOKEN

PATH = "/anthropic/v1/messages"
HELLO = [{"role": "user", "content": "Hello"}]
CACHED = {"cache_control": {"type": "ephemeral"}}
CACHED_LONG = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
TOOLS = [
    {"name": "weather", "description": "Tells it", "input_schema": CITY},
    {"name": "time", "description": "Tells it", "input_schema": CITY, **CACHED_LONG},
]
THINKING = {"type": "enabled", "budget_tokens": 2048}


def _request(messages=HELLO, **settings):
    return {"max_tokens": 4096, "messages": messages, **settings}


def _user(*blocks):
    return [{"role": "user", "content": [*blocks, {"type": "text", "text": "Look"}]}]


def _call(number, name="weather"):
    return {
        "type": "tool_use",
        "id": f"toolu_{number}",
        "name": name,
        "input": {"city": "Oslo", "days": 3},
    }


def _result(number, **members):
    return {"type": "tool_result", "tool_use_id": f"toolu_{number}", **members}


def _choice(**choice):
    return _request(tools=TOOLS, tool_choice=choice)


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}
DOCUMENT = {
    "type": "document",
    "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
    "title": "A report (v1.0)",
}

CASES = {
    "settings": _request(
        system="Be brief",
        temperature=0.5,
        top_k=40,
        stop_sequences=["END"],
        metadata={"user_id": "user-1"},
    ),
    "cache markers": _request(
        system=[
            {"type": "text", "text": "Be brief"},
            {"type": "text", "text": "Be kind", **CACHED_LONG},
        ],
        tools=TOOLS,
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "One", **CACHED}]},
            {"role": "assistant", "content": [{"type": "text", "text": "Two", **CACHED}]},
            {"role": "user", "content": [{"type": "text", "text": "Three"}]},
        ],
    ),
    "image": _request(_user(IMAGE)),
    "image by URL": _request(
        _user({"type": "image", "source": {"type": "url", "url": PICTURE_URL}})
    ),
    "pdf": _request(_user(DOCUMENT)),
    "pdf to cite": _request(
        _user({**DOCUMENT, "context": "Of last year", "citations": {"enabled": True}})
    ),
    "text document": _request(
        _user(
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "Facts"},
            }
        )
    ),
    "tool choice any": _choice(type="any", disable_parallel_tool_use=True),
    "tool choice named": _choice(type="tool", name="time"),
    "tool choice auto": _choice(type="auto", disable_parallel_tool_use=True),
    "tool choice none": _choice(type="none"),
    "strict tool": _request(tools=[{**TOOLS[0], "strict": True}]),
    "parallel results": _request(
        tools=TOOLS,
        messages=[
            *HELLO,
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "Let me see"}, _call(1), _call(2, "time")],
            },
            {
                "role": "user",
                "content": [
                    _result(1, content="rain"),
                    _result(2, content=[{"type": "text", "text": "late"}], is_error=True, **CACHED),
                    {"type": "text", "text": "A reminder"},
                ],
            },
            {"role": "assistant", "content": [_call(3)]},
            {"role": "user", "content": [_result(3)]},
        ],
    ),
    "result with an image": _request(
        tools=TOOLS,
        messages=[
            *HELLO,
            {"role": "assistant", "content": [_call(1)]},
            {
                "role": "user",
                "content": [_result(1, content=[{"type": "text", "text": "See"}, IMAGE])],
            },
        ],
    ),
    "thinking with signatures": _request(
        tools=TOOLS,
        thinking=THINKING,
        messages=[
            *HELLO,
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "They greet", "signature": TOKEN},
                    {"type": "redacted_thinking", "data": TOKEN},
                    _call(1),
                ],
            },
            {"role": "user", "content": [_result(1, content="rain")]},
        ],
    ),
    "thinking": _request(thinking=THINKING),
    "no thinking": _request(thinking={"type": "disabled"}),
    "schema": _request(output_config={"format": {"type": "json_schema", "schema": CITY}}),
    "web search": _request(
        tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}]
    ),
    "search results": _request(
        _user(
            {
                "type": "search_result",
                "source": "https://example.com",
                "title": "A page",
                "content": [{"type": "text", "text": "Facts"}],
                "citations": {"enabled": True},
            }
        )
    ),
    "stream": _request(stream=True, tools=TOOLS),
}

# By case: the providers that cannot be told, so that the gateway refuses.
REFUSED = {
    "settings": ["responses"],
    "image by URL": ["aws-bedrock"],
    "web search": ["aws-bedrock", "cohere"],
    "pdf": ["cohere"],
    "pdf to cite": ["cohere"],
}

# Cases with members that OpenAI-compatible servers have and the vendor has not, and who gets them.
OWN_WORDS: set[str] = set()
SAME_FORMAT = {"anthropic"}
