"""Load and figures: wrk for throughput and latency, /proc for CPU time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
# A gateway in Python loads half of itself at the first request.
FIRST_ANSWER_SECONDS = 60

# wrk runs this after a load; latencies are in microseconds.
LUA = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.headers["accept"] = "%s"
local file = io.open("%s", "rb")
wrk.body = file:read("*a")
file:close()
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%%d,"duration_us":%%d,"p50_us":%%d,"p99_us":%%d,"failed":%%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What wrk saw, and what the gateway's process spent on it."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_us_per_request: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


class LoadError(RuntimeError):
    """A load in which requests failed says nothing about speed."""


def run_wrk(url: str, body: bytes, connections: int, seconds: int, pid: int, accept: str) -> Load:
    """Sends `body` to `url` for some seconds; `pid` is the process whose CPU time counts."""
    with tempfile.TemporaryDirectory() as folder:
        body_file = Path(folder, "body.json")
        body_file.write_bytes(body)
        script = Path(folder, "load.lua")
        script.write_text(LUA % (accept, body_file))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
        before = cpu_seconds(pid)
        result = subprocess.run(
            [*command, "-s", str(script), url],
            capture_output=True,
            text=True,
            check=True,
            preexec_fn=pin_load,
        )
        spent = cpu_seconds(pid) - before
    figures = json.loads(result.stdout.strip().splitlines()[-1])
    if not figures["requests"]:
        raise LoadError(f"no request to {url} was answered within {seconds} s")
    if figures["failed"]:
        raise LoadError(f"{figures['failed']} of {figures['requests']} requests to {url} failed")
    return Load(
        requests=figures["requests"],
        seconds=figures["duration_us"] / 1e6,
        p50_ms=figures["p50_us"] / 1e3,
        p99_ms=figures["p99_us"] / 1e3,
        cpu_us_per_request=spent * 1e6 / figures["requests"],
    )


def one_request(url: str, body: bytes, accept: str) -> None:
    """Sends `body` once, and reads the answer to its end."""
    headers = {"content-type": "application/json", "accept": accept}
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=FIRST_ANSWER_SECONDS) as answer:
            answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise LoadError(f"the first request to {url} failed: {error}") from error


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def resident_mib(pid: int) -> float:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} tells no resident memory")


def pin_gateway() -> None:
    """Gives the gateway under test the first processor for itself."""
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) > 1:
        os.sched_setaffinity(0, {processors[0]})


def pin_load() -> None:
    """Keeps load and upstream off the gateway's processor."""
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) > 1:
        os.sched_setaffinity(0, set(processors[1:]))
