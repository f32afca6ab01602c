"""What the SDKs' own tests say to the mock: see `sluice mock --help` for how it answers."""

HELLO = [{"role": "user", "content": "Hello there"}]
TWO_CALLS = {
    "role": "user",
    "content": 'call:weather {"city": "Zürich"} call:time {"city": "Oslo"}',
}
# Enough that a client can leave in the middle, below the gateway's limit.
MANY_WORDS = [{"role": "user", "content": "word " * 2000}]
TOO_LONG = [{"role": "user", "content": "x" * 600_000}]

TOOL_PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
