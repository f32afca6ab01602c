"""Programs that say in one line of their output when they are ready."""

import queue
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

READY_SECONDS = 60
STOP_SECONDS = 20


@contextmanager
def running(command: list[str | Path], env: Mapping[str, str], ready: str) -> Iterator[re.Match]:
    """Runs a program until the caller is done; yields how its output matched `ready`."""
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines: queue.Queue[str | None] = queue.Queue()
    pump = threading.Thread(target=_pump, args=(process.stdout, lines))
    pump.start()
    try:
        yield _await(lines, ready)
    finally:
        _stop(process)
        pump.join()


def _pump(output, lines: queue.Queue[str | None]) -> None:
    with output:
        for line in output:
            lines.put(line)
    lines.put(None)


def _await(lines: queue.Queue[str | None], ready: str) -> re.Match:
    seen = []
    try:
        while (line := lines.get(timeout=READY_SECONDS)) is not None:
            if found := re.search(ready, line):
                return found
            seen.append(line)
    except queue.Empty:
        seen.append(f"(no ready line in {READY_SECONDS} s)")
    raise RuntimeError("not started:\n" + "".join(seen))


def _stop(process: subprocess.Popen) -> None:
    """Ends it as Ctrl-C does."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
