"""Anthropic's SDK, used as coding agents use it: a long system prompt with cache markers, many
tools, thinking, several calls at once, and reminders beside their results; all of it streamed."""

import anthropic
from conftest import Provider

SYSTEM = [
    {"type": "text", "text": "You are an agent that writes code."},
    {
        "type": "text",
        "text": "Follow the rules of the project.\n" * 300,
        "cache_control": {"type": "ephemeral"},
    },
]


def tool(name: str) -> dict:
    schema = {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Where"},
            "limit": {"type": "integer", "minimum": 1},
        },
        "required": ["path"],
        "additionalProperties": False,
    }
    return {
        "name": name,
        "description": f"Use it to {name} something. " * 20,
        "input_schema": schema,
    }


NAMES = ["read", "write", "search", "run", *(f"mcp__server__tool_{number}" for number in range(26))]
TOOLS = [tool(name) for name in NAMES]
TOOLS[-1]["cache_control"] = {"type": "ephemeral"}

TASK = (
    'think: call:read {"path": "a"} call:search {"path": "b", "limit": 3}'
    ' then: think: call:write {"path": "c"} then: say:All done.'
)


def test_an_agent_finishes_its_task(
    anthropic_client: anthropic.Anthropic, provider: Provider, model: str
):
    turns = [{"role": "user", "content": [{"type": "text", "text": TASK}]}]
    called = []
    while True:
        mark_last(turns)
        with anthropic_client.messages.stream(
            model=model,
            max_tokens=32_000,
            system=SYSTEM,
            tools=TOOLS,
            thinking={"type": "enabled", "budget_tokens": 4096},
            metadata={"user_id": "user_1"},
            messages=turns,
        ) as stream:
            message = stream.get_final_message()
        turns.append({"role": "assistant", "content": [b.to_dict() for b in message.content]})
        calls = [block for block in message.content if block.type == "tool_use"]
        if not calls:
            break
        assert message.stop_reason == "tool_use"
        assert message.content[0].type == "thinking"
        called.append([call.name for call in calls])
        turns.append({"role": "user", "content": [*map(result, calls), REMINDER]})
    assert called == [["read", "search"], ["write"]]
    assert message.content[-1].text == "All done."
    assert len(provider.received()) == 3


REMINDER = {"type": "text", "text": "<reminder>Keep to the plan.</reminder>"}


def result(call) -> dict:
    """The second of parallel ones fails."""
    content = [{"type": "text", "text": f"{call.name}: {call.input['path']}"}]
    failed = call.name == "search"
    return {
        "type": "tool_result",
        "tool_use_id": call.id,
        "content": content,
        "is_error": failed,
    }


def mark_last(turns: list) -> None:
    """Marks the end of the conversation for the cache, and only that."""
    for turn in turns:
        for block in turn["content"]:
            block.pop("cache_control", None)
    turns[-1]["content"][-1] = {**turns[-1]["content"][-1], "cache_control": {"type": "ephemeral"}}
