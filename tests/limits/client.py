"""A client that can leave whenever it wants to."""

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        return json.loads(self.body)


class Client:
    """One connection, kept as long as both sides want it."""

    def __init__(self, url: str) -> None:
        self._address = (urlsplit(url).hostname, urlsplit(url).port)
        self._stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_) -> None:
        self.leave()

    def leave(self) -> None:
        if self._stream:
            self._stream[1].close()
            self._stream = None

    async def chat(
        self, model: str, text: str, *, stream=False, until=None, max_tokens=None, **headers
    ) -> Answer:
        """Asks in OpenAI's form. `until`: leaves as soon as the answer holds these bytes."""
        body = {"model": model, "messages": [{"role": "user", "content": text}]}
        if max_tokens:
            body |= {"max_completion_tokens": max_tokens}
        if stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return await self._post("/v1/chat/completions", body, until, headers)

    async def messages(
        self, model: str, text: str, *, stream=False, until=None, **headers
    ) -> Answer:
        """Asks in Anthropic's form."""
        body = {"model": model, "max_tokens": 99, "messages": [{"role": "user", "content": text}]}
        return await self._post(
            "/v1/messages", body | ({"stream": True} if stream else {}), until, headers
        )

    async def _post(self, path: str, body: dict, until: bytes | None, headers: dict) -> Answer:
        data = json.dumps(body).encode()
        lines = [f"POST {path} HTTP/1.1", "host: gateway", "content-type: application/json"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines += [f"content-length: {len(data)}", "", ""]
        if not self._stream:
            self._stream = await asyncio.open_connection(*self._address, limit=1 << 20)
        reader, writer = self._stream
        writer.write("\r\n".join(lines).encode() + data)
        try:
            return await asyncio.wait_for(self._read(reader, until), 30)
        except BaseException:
            self.leave()
            raise

    async def _read(self, reader: asyncio.StreamReader, until: bytes | None) -> Answer:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = b""
        async for piece in _pieces(reader, headers):
            body += piece
            if until and until in body:
                self.leave()
                break
        if headers.get("connection") == "close":
            self.leave()
        return Answer(int(head[0].split()[1]), headers, body)


async def _pieces(reader: asyncio.StreamReader, headers: dict[str, str]):
    if "content-length" in headers:
        yield await reader.readexactly(int(headers["content-length"]))
        return
    while size := int((await reader.readuntil(b"\n")).strip(), 16):
        yield (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
