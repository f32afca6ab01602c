"""A provider that remembers, to the token, what it has told that it used."""

import asyncio
import json
import threading
from collections import Counter


class Provider:
    """Serves OpenAI's chat and Anthropic's messages, on a thread of its own.

    A request says in its last message what is to come of it: `7 11` is an answer that used 7 tokens
    of input and 11 of output; `7 11 hold` a stream that stops after its beginning and waits for
    the client to leave; `7 11 die` one that breaks off there; `7 11 wait` no answer at all
    until the client leaves; `503` a failure.
    """

    def __init__(self) -> None:
        # What was told, by model, and how many requests came.
        self.input: Counter[str] = Counter()
        self.output: Counter[str] = Counter()
        self.requests: Counter[str] = Counter()
        # The headers of the last one, by model.
        self.heads: dict[str, str] = {}
        self.port = 0
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def told(self, model: str) -> int:
        return self.input[model] + self.output[model]

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        start = asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        server = self._loop.run_until_complete(start)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._leave())
        self._loop.close()

    async def _leave(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Connections close in the loop's next rounds.
        await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        request = json.loads(await reader.readexactly(length))
        model, text = request["model"], request["messages"][-1]["content"]
        if isinstance(text, list):
            text = text[0]["text"]
        self.requests[model] += 1
        self.heads[model] = head
        if text == "503" or model == "broken":
            writer.write(_whole(503, {"error": {"message": "overloaded", "type": "server_error"}}))
            return True
        if text.endswith("wait"):
            await reader.read(1)
            return False
        used = [int(number) for number in text.split()[:2]]
        form = _Anthropic if "/messages" in head.split("\r\n")[0] else _OpenAi
        form = form(model, *used)
        self.input[model] += form.input
        if not request.get("stream"):
            self.output[model] += form.output
            writer.write(_whole(200, form.whole()))
            return True
        writer.write(STREAM_HEAD + _chunk(form.begin()))
        if text.endswith(("hold", "die")):
            # Nothing of the output is told; Anthropic's beginning tells the input.
            if type(form) is _OpenAi:
                self.input[model] -= form.input
            if text.endswith("hold"):
                await reader.read(1)
            else:
                await writer.drain()
            return False
        self.output[model] += form.output
        writer.write(_chunk(form.end()) + b"0\r\n\r\n")
        return True


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)


def _whole(status: int, body: dict) -> bytes:
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(data)}\r\n\r\n".encode() + data


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class _OpenAi:
    def __init__(self, model: str, read: int, written: int) -> None:
        self.model, self.input, self.output = model, read, written

    def _usage(self) -> dict:
        total = self.input + self.output
        return {
            "prompt_tokens": self.input,
            "completion_tokens": self.output,
            "total_tokens": total,
        }

    def whole(self) -> dict:
        message = {"role": "assistant", "content": "Hi"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return self._object("chat.completion", [choice], usage=self._usage())

    def begin(self) -> bytes:
        delta = {"role": "assistant", "content": "Hi"}
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        return self._event([choice])

    def end(self) -> bytes:
        last = {"index": 0, "delta": {}, "finish_reason": "stop"}
        return self._event([last]) + self._event([], usage=self._usage()) + b"data: [DONE]\n\n"

    def _event(self, choices: list, **more) -> bytes:
        chunk = self._object("chat.completion.chunk", choices, **more)
        return f"data: {json.dumps(chunk)}\n\n".encode()

    def _object(self, kind: str, choices: list, **more) -> dict:
        head = {"id": "x", "object": kind, "created": 1, "model": self.model}
        return {**head, "choices": choices, **more}


class _Anthropic(_OpenAi):
    def whole(self) -> dict:
        usage = {"input_tokens": self.input, "output_tokens": self.output}
        return self._message([{"type": "text", "text": "Hi"}], "end_turn", usage)

    def begin(self) -> bytes:
        usage = {"input_tokens": self.input, "output_tokens": 0}
        message = self._message([], None, usage)
        return self._named("message_start", message=message)

    def end(self) -> bytes:
        delta = {"stop_reason": "end_turn", "stop_sequence": None}
        usage = {"output_tokens": self.output}
        block = {"type": "text", "text": ""}
        text = {"type": "text_delta", "text": "Hi"}
        return b"".join(
            [
                self._named("content_block_start", index=0, content_block=block),
                self._named("content_block_delta", index=0, delta=text),
                self._named("content_block_stop", index=0),
                self._named("message_delta", delta=delta, usage=usage),
                self._named("message_stop"),
            ]
        )

    def _named(self, name: str, **fields) -> bytes:
        return f"event: {name}\ndata: {json.dumps({'type': name, **fields})}\n\n".encode()

    def _message(self, content: list, stop: str | None, usage: dict) -> dict:
        return {
            "id": "msg_x",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": usage,
        }
