"""The processes of a run: Envoy in its roles, and the paced mock."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import load

READY_SECONDS = 30


def free_port() -> int:
    """A port that, for a minute, nobody gets who asks for any: its last connection still counts."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with socket.create_connection(address):
            server.accept()[0].close()
        return address[1]


class Process:
    """A child process that ends with its `with` block."""

    def __init__(
        self, command: list[str], pin: Callable[[], None], log: Path, env: dict | None = None
    ):
        self.log = log
        self.started = time.monotonic()
        with log.open("wb") as out:
            self.child = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, preexec_fn=pin, env=env
            )

    @property
    def pid(self) -> int:
        return self.child.pid

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.terminate()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def wait_until(self, check: Callable[[], bool]) -> float:
        """Waits for `check`; the seconds since the start."""
        while True:
            if self.child.poll() is not None:
                raise RuntimeError(f"{self.child.args[0]} ended:\n{self.log.read_text()[-4000:]}")
            if check():
                return time.monotonic() - self.started
            if time.monotonic() - self.started > READY_SECONDS:
                raise RuntimeError(f"{self.child.args[0]} is not ready after {READY_SECONDS} s")
            time.sleep(0.005)


def envoy(
    binary: str, config: Path, admin: int, pin: Callable[[], None], env: dict | None = None
) -> Process:
    """Starts Envoy with one worker and waits until it is ready."""
    command = [
        binary,
        "-c",
        str(config),
        "--concurrency",
        "1",
        "-l",
        "error",
        "--use-dynamic-base-id",
    ]
    process = Process(command, pin, config.with_suffix(".log"), env)
    process.ready_seconds = process.wait_until(lambda: is_ready(admin))
    return process


def is_ready(admin: int) -> bool:
    """Whether Envoy's admin endpoint says that it is live."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/ready", timeout=1) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def allocated_mib(admin: int) -> float | None:
    """What Envoy's allocator has given out, without what it keeps for itself."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/memory", timeout=5) as answer:
            return int(json.load(answer)["allocated"]) / 2**20
    except urllib.error.URLError:
        return None


def accepts(port: int) -> bool:
    """Whether somebody listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def mock(binary: str, port: int, options: list[str], log: Path) -> Process:
    """Starts `sluice mock`."""
    command = [binary, "mock", "--listen", f"127.0.0.1:{port}", *options]
    process = Process(command, load.pin_load, log)
    process.wait_until(lambda: accepts(port))
    return process


def write_config(path: Path, config: dict) -> Path:
    """Envoy reads YAML, and JSON is YAML."""
    path.write_text(json.dumps(config, indent=1))
    return path
