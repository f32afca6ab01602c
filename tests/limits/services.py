"""The real services of these tests: Redis, Envoy's rate limit service, and gateways."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
# Long enough for Envoy to compile the filter on a machine that has much else to do.
PATIENCE_S = 60


def needed(name: str, *places: str | Path | None) -> Path:
    """A program that a test cannot do without: a skip on a laptop, a failure on CI."""
    for place in places:
        found = place and (shutil.which(place) or (place if Path(place).is_file() else None))
        if found:
            return Path(found)
    if os.environ.get("CI") == "true":
        pytest.fail(f"{name} is missing: run `make setup build`")
    pytest.skip(f"{name} is missing: run `make setup build`")


def sluice() -> Path:
    return needed("sluice", os.environ.get("SLUICE"), TARGET / "release" / "sluice")


def envoy() -> Path:
    return needed("Envoy", os.environ.get("ENVOY"), ROOT / ".venv/bin/envoy", "envoy")


def eventually(what: str, ask: Callable[[], object], patience_s: float = PATIENCE_S):
    """Asks until the answer is something; what is awaited tells nobody when it happens."""
    deadline = time.monotonic() + patience_s
    while True:
        with contextlib.suppress(OSError):
            if (answer := ask()) not in (None, False):
                return answer
        assert time.monotonic() < deadline, f"{what} did not happen in {patience_s} s"
        time.sleep(0.005)


def free_port() -> int:
    """A port for a server that has to be told one.

    A connection whose server's side has closed first keeps its port from being given to anybody who
    asks for any, for a minute; a server that names it gets it.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address):
            server.accept()[0].close()
        return address[1]


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


class Process:
    """A child process with its output in a file; it ends with the test."""

    def __init__(self, command: list, folder: Path, name: str, env: dict | None = None) -> None:
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [str(word) for word in command],
                env={**os.environ, **(env or {})},
                stdout=log,
                stderr=log,
            )

    def said(self, pattern: str) -> re.Match | None:
        assert self.child.poll() is None, f"it has ended:\n{self.log.read_text()}"
        return re.search(pattern, self.log.read_text())

    def kill(self) -> None:
        """As a machine dies: with no time for anything."""
        self.child.kill()
        self.child.wait()

    def end(self) -> None:
        self.child.terminate()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


class Redis:
    def __init__(self, folder: Path) -> None:
        self.program = needed("redis-server", ROOT / ".tools/bin/redis-server", "redis-server")
        self.folder, self.port = folder, free_port()
        self.start()

    def start(self) -> None:
        command = [self.program, "--port", self.port, "--bind", "127.0.0.1", "--save", ""]
        command += ["--dir", self.folder, "--appendonly", "yes", "--appendfsync", "always"]
        self.process = Process(command, self.folder, "redis")
        eventually("Redis' start", lambda: self.ask("PING") == "PONG")

    def kill(self) -> None:
        self.process.kill()

    def ask(self, *words: str) -> str | list[str]:
        """One command; what comes back is a line, a text, or a list of texts."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
            connection.sendall(f"*{len(parts)}\r\n{''.join(parts)}".encode())
            return _reply(connection.makefile("rb"))

    def used(self, limit: str) -> dict[str, int]:
        """What was used of each budget of a limit."""
        found = {}
        for key in self.ask("KEYS", f"sluice_{limit}_*"):
            budget = key.removeprefix(f"sluice_{limit}_").rsplit("_", 1)[0]
            found[budget] = found.get(budget, 0) + int(self.ask("GET", key))
        return found


def _reply(lines):
    line = lines.readline().decode().rstrip("\r\n")
    kind, rest = line[:1], line[1:]
    if kind == "$":
        return "" if rest == "-1" else lines.read(int(rest) + 2)[:-2].decode()
    if kind == "*":
        return [_reply(lines) for _ in range(int(rest))]
    return rest


class RateLimitService:
    """Envoy's own, with the settings of the generated compose file."""

    def __init__(self, folder: Path, generated: Path, port: int, redis: Redis) -> None:
        self.program = needed(
            "ratelimit", os.environ.get("RATELIMIT"), ROOT / ".tools/bin/ratelimit"
        )
        self.folder, self.redis, self.health = folder, redis, free_port()
        compose = (generated / "compose.yaml").read_text()
        settings = dict(re.findall(r'^ {6}([A-Z_]+): "?([^"\n]*)"?$', compose, re.MULTILINE))
        assert settings["GRPC_PORT"] == str(port), "the folder's files do not fit together"
        # Every machine has its own free ports.
        settings |= {"PORT": str(self.health), "DEBUG_PORT": str(free_port())}
        settings |= {"REDIS_URL": f"127.0.0.1:{redis.port}"}
        self.settings = settings
        self.start()

    def start(self) -> None:
        self.process = Process([self.program], self.folder, "ratelimit", self.settings)
        url = f"http://127.0.0.1:{self.health}/healthcheck"
        eventually("the rate limit service's start", lambda: fetch(url) == "OK")

    def kill(self) -> None:
        self.process.kill()


class Gateway:
    """A running gateway, and what it knows of its limits."""

    def __init__(self, process: Process, url: str, admin: str) -> None:
        self.process, self.url, self.admin = process, url, admin

    def stats(self, pattern: str) -> dict[str, int]:
        lines = fetch(f"{self.admin}/stats?filter={pattern}").splitlines()
        pairs = (line.rsplit(": ", 1) for line in lines)
        return {name: int(value) for name, value in pairs if value.isdigit()}

    def settle(self) -> None:
        """Waits until every request is over and everything is charged."""

        def is_settled() -> bool:
            busy = self.stats("sluice.downstream_rq_active|sluice-limits.upstream_rq_active")
            return not any(busy.values())

        eventually("the end of all requests", is_settled)

    def complaints(self) -> str:
        text = self.process.log.read_text()
        return "\n".join(line for line in text.splitlines() if "Invalid hits_addend" in line)


@contextlib.contextmanager
def run(config: str, folder: Path, host: str) -> Iterator[Gateway]:
    """`sluice run`, which keeps the limits itself."""
    file = folder / "sluice.yaml"
    file.write_text(config)
    command = [sluice(), "run", file, "--listen", "127.0.0.1:0", "--host", host]
    command += ["--envoy", envoy(), "--concurrency", "2", "--verbose", *filter_option(host)]
    process = Process(command, folder, "gateway")
    try:
        ready = r"ready on (http://[^\s,]+).*admin on (http://[^\s,]+)"
        started = eventually("the gateway's start", lambda: process.said(ready))
        yield Gateway(process, started[1], started[2])
    finally:
        process.end()


@contextlib.contextmanager
def generate(config: str, folder: Path, host: str, redis: Redis):
    """`sluice generate`, and what its folder is for: an Envoy and Envoy's rate limit service."""
    port, generated, address = free_port(), folder / "generated", folder / "admin"
    file = folder / "sluice.yaml"
    head = "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\n"
    file.write_text(f"{head}limits_backend: grpc://127.0.0.1:{port}\n{config}")
    command = [sluice(), "generate", file, "-o", generated, "--host", host]
    subprocess.run([str(word) for word in command + filter_option(host)], check=True)
    service = RateLimitService(folder, generated, port, redis)
    command = [envoy(), "-c", generated / "bootstrap.yaml", "--use-dynamic-base-id"]
    command += ["--concurrency", "2", "--log-level", "warning", "--drain-time-s", "1"]
    command += ["--admin-address-path", address]
    env = {"ENVOY_DYNAMIC_MODULES_SEARCH_PATH": str(generated)}
    process = Process(command, folder, "gateway", env)
    try:
        eventually("Envoy's start", lambda: process.said("") and address.read_text())
        admin = f"http://{address.read_text().strip()}"
        eventually("Envoy's readiness", lambda: fetch(f"{admin}/ready").strip() == "LIVE")
        # `sluice::127.0.0.1:1975`
        listener = fetch(f"{admin}/listeners").splitlines()[0].split("::")[1]
        yield Gateway(process, f"http://{listener}", admin), service
    finally:
        process.end()
        service.process.end()


def filter_option(host: str) -> list:
    """A filter that is not the one built into `sluice`."""
    path = os.environ.get({"wasm": "SLUICE_WASM", "module": "SLUICE_MODULE"}[host])
    return ["--filter", path] if path and Path(path).is_file() else []


def note(text: str) -> None:
    """A line of a table, for docs/limits.md."""
    print(text, file=sys.stderr)
