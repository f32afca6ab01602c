"""Sluice beside plain Envoy, in one run on one machine: `make bench`.

All contestants stand ready at once, and each round goes through all of them, so that a machine
whose speed drifts drifts for all; many short rounds do that better than a few long ones. Figures
are medians over the rounds, with the spread; ratios are taken within a round and then their median.
One Envoy worker each, on a processor of its own where there are two; upstream and load share the
rest.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import contestants
import load
import peers
import picture
import processes
import report
import stream

ROOT = Path(__file__).resolve().parent.parent
CHAT = "/v1/chat/completions"
# Contestants that take no part in what is about large bodies.
SMALL_ONLY = (peers.LITELLM, f"sluice module{contestants.WITHOUT_METRICS}")


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        results = run(options, Path(folder))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (options.output / "results.md").write_text(report.markdown(results))
    (options.output / "results.svg").write_text(picture.svg(results))
    sys.stdout.write(report.markdown(results))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=11, help="rounds per case (11)")
    parser.add_argument("--seconds", type=int, default=1, help="seconds of load per figure (1)")
    parser.add_argument("--envoy", default=find_envoy(), help="Envoy (ENVOY, .venv, PATH)")
    parser.add_argument("--sluice", default=str(ROOT / "target/release/sluice"))
    parser.add_argument(
        "--output", type=Path, default=ROOT / "target/bench", help="where results go"
    )
    parser.add_argument("--only", help="only cases whose name holds this")
    parser.add_argument("--litellm", help="LiteLLM's command, to have it among the contestants")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        parser.error("wrk is not installed: apt-get install wrk")
    return options


def find_envoy() -> str:
    """As the tests find it."""
    local = ROOT / ".venv/bin/envoy"
    return os.environ.get("ENVOY") or (str(local) if local.exists() else "envoy")


def run(options: argparse.Namespace, folder: Path) -> dict:
    """Every case, every round, every contestant."""
    upstream, port = contestants.upstream(options.envoy, folder)
    setting = contestants.Setting(options.envoy, options.sluice, port, folder)
    with upstream, contextlib.ExitStack() as stack:
        field = start(setting, stack, options.litellm)
        results = {
            "machine": machine(options),
            "start_seconds": {c.name: c.process.ready_seconds for c in field},
            "cases": [],
            "memory_mib": {"at the start": memory(field)},
        }
        for size, group in itertools.groupby(cases(options), lambda case: case.size):
            results["cases"] += [measure(case, field, options) for case in group]
            results["memory_mib"][f"after bodies of {size:,} bytes"] = memory(field)
        large_bodies(field)
        results["memory_mib"]["after 100 bodies of 10 MB"] = memory(field)
        stack.close()
        results["models"] = many_models(setting, options)
    results["streams"] = paced_streams(options, folder)
    return results


def start(
    setting: contestants.Setting, stack: contextlib.ExitStack, litellm: str | None
) -> list[contestants.Contestant]:
    """All contestants, plain Envoy first."""
    field = [
        contestants.plain(setting),
        contestants.held(setting),
        contestants.sluice(setting, "wasm"),
        contestants.sluice(setting, "module"),
        contestants.sluice(setting, "module", metrics=False),
        contestants.own_filter(setting),
    ]
    if litellm:
        field.append(peers.litellm(setting, litellm))
    for contestant in field:
        stack.enter_context(contestant.process)
    return field


def cases(options: argparse.Namespace) -> list[report.Case]:
    """What is sent. The large bodies come last: memory remembers them."""
    all_cases = [
        report.Case("OpenAI → OpenAI, 1 KB, 8 connections", "gpt-bench", 1_000, 8),
        report.Case("OpenAI → Anthropic, 1 KB, 8 connections", "claude-bench", 1_000, 8),
        report.Case("OpenAI → OpenAI, 1 KB, 1 connection", "gpt-bench", 1_000, 1),
        report.Case("OpenAI → Anthropic, 1 KB, 1 connection", "claude-bench", 1_000, 1),
        report.Case("OpenAI → OpenAI, 1 KB, 64 connections", "gpt-bench", 1_000, 64),
        report.Case("OpenAI → OpenAI, stream of 64 deltas", "gpt-bench", 1_000, 8, True),
        report.Case("OpenAI → Anthropic, stream of 64 deltas", "claude-bench", 1_000, 8, True),
        report.Case("OpenAI → OpenAI, 100 KB, 8 connections", "gpt-bench", 100_000, 8),
        report.Case("OpenAI → Anthropic, 100 KB, 8 connections", "claude-bench", 100_000, 8),
        report.Case("OpenAI → OpenAI, 1 MB, 8 connections", "gpt-bench", 1_000_000, 8),
        report.Case("OpenAI → Anthropic, 1 MB, 8 connections", "claude-bench", 1_000_000, 8),
    ]
    return [case for case in all_cases if not options.only or options.only in case.name]


def measure(
    case: report.Case, field: list[contestants.Contestant], options: argparse.Namespace
) -> dict:
    """One case: rounds through all contestants that can do it."""
    rounds: dict[str, list[dict]] = {}
    for contestant in takes_part(case, field):
        warm_up(case, contestant)
    for _ in range(options.rounds):
        for contestant in takes_part(case, field):
            try:
                figures = one_load(case, contestant, options.seconds)
            except load.LoadError as error:
                raise load.LoadError(f"{contestant.name}, {case.name}: {error}") from error
            rounds.setdefault(contestant.name, []).append(figures)
    return {"case": case.name, "rounds": rounds}


def takes_part(
    case: report.Case, field: list[contestants.Contestant]
) -> Iterator[contestants.Contestant]:
    """Envoy's own filter is set up for one format and for whole answers; LiteLLM for small ones.

    What the metrics cost is the same in every case, so one size shows it.
    """
    whole = not case.streamed
    for contestant in field:
        if contestant.name == "ai_protocol_manager":
            can = case.model == "gpt-bench" and whole
        elif contestant.name.endswith(contestants.WITHOUT_METRICS):
            can = case.size <= 1_000 and case.connections == 8 and whole
        elif contestant.name == peers.LITELLM:
            can = case.size <= 1_000 and whole
        else:
            can = True
        if can:
            yield contestant


def warm_up(case: report.Case, contestant: contestants.Contestant) -> None:
    """One request: what is made at the first belongs to no load."""
    load.one_request(contestant.url(path_of(case, contestant)), body_of(case), accept_of(case))


def one_load(case: report.Case, contestant: contestants.Contestant, seconds: int) -> dict:
    """One contestant's part of a round."""
    result = load.run_wrk(
        contestant.url(path_of(case, contestant)),
        body_of(case),
        case.connections,
        seconds,
        contestant.pid,
        accept_of(case),
    )
    return {
        "rate": result.rate,
        "p50_ms": result.p50_ms,
        "p99_ms": result.p99_ms,
        "cpu_us": result.cpu_us_per_request,
    }


def path_of(case: report.Case, contestant: contestants.Contestant) -> str:
    """Plain Envoy passes bytes on: for it, the path says which provider answers."""
    is_plain = contestant.name in (report.BASE, report.HELD) and case.model == "claude-bench"
    return "/v1/messages" if is_plain else CHAT


def body_of(case: report.Case) -> bytes:
    return json.dumps(case.body()).encode()


def accept_of(case: report.Case) -> str:
    return "text/event-stream" if case.streamed else "application/json"


def memory(field: list[contestants.Contestant]) -> dict:
    """What each has in memory, and what of it Envoy's allocator has given out."""
    return {c.name: [load.resident_mib(c.pid), processes.allocated_mib(c.admin)] for c in field}


def large_bodies(field: list[contestants.Contestant]) -> None:
    """100 bodies of 10 MB."""
    body = json.dumps(report.Case("", "gpt-bench", 10_000_000, 1).body()).encode()
    for contestant in (c for c in field if c.name not in SMALL_ONLY):
        sent = 0
        while sent < 100:
            result = load.run_wrk(
                contestant.url(CHAT), body, 1, 5, contestant.pid, "application/json"
            )
            sent += result.requests


def many_models(setting: contestants.Setting, options: argparse.Namespace) -> dict:
    """CPU time per request with 1 and with 1,000 configured models."""
    case = report.Case("models", "gpt-bench", 1_000, 8)
    figures: dict[str, dict[str, list[float]]] = {}
    for host in ("wasm", "module"):
        with contextlib.ExitStack() as stack:
            pair = {}
            for models in (1, 1_000):
                pair[models] = contestants.sluice(
                    contestants.Setting(
                        setting.envoy, setting.sluice, setting.upstream, setting.folder, models
                    ),
                    host,
                )
                stack.enter_context(pair[models].process)
            for _ in range(options.rounds):
                for models, contestant in pair.items():
                    cpu = one_load(case, contestant, options.seconds)["cpu_us"]
                    figures.setdefault(host, {}).setdefault(str(models), []).append(cpu)
    return figures


def paced_streams(options: argparse.Namespace, folder: Path) -> dict:
    """Streams of a provider that takes its time: first event, and gaps between the others."""
    port = processes.free_port()
    pace = ["--tokens-per-second", "200"]
    figures: dict[str, list[dict]] = {}
    with contextlib.ExitStack() as stack:
        stack.enter_context(processes.mock(options.sluice, port, pace, folder / "mock.log"))
        setting = contestants.Setting(options.envoy, options.sluice, port, folder, 2)
        field = [
            contestants.plain(setting),
            contestants.sluice(setting, "wasm"),
            contestants.sluice(setting, "module"),
        ]
        for contestant in field:
            stack.enter_context(contestant.process)
        words = " ".join(["word"] * contestants.DELTAS)
        body = {"model": "gpt-bench", "stream": True}
        body["messages"] = [{"role": "user", "content": words}]
        data = json.dumps(body).encode()
        for _ in range(options.rounds * 4):
            for contestant in field:
                seen = stream.request(contestant.port, CHAT, data)
                figures.setdefault(contestant.name, []).append(
                    {"first_ms": seen.first_ms, "gap_ms": seen.median_gap_ms}
                )
    return figures


def machine(options: argparse.Namespace) -> dict:
    """Where this ran."""
    version = subprocess.run(
        [options.envoy, "--version"], capture_output=True, text=True, check=True
    )
    return {
        "processors": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        # …/1.40.0/Clean/RELEASE/BoringSSL
        "envoy": version.stdout.strip().split("/")[-4],
        "rounds": options.rounds,
        "seconds": options.seconds,
    }


if __name__ == "__main__":
    main()
