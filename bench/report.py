"""Tables and a picture from the figures of a run."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

FILLER = "Please summarise the following text for me, and keep the names as they are. "
BASE = "plain"
# Whoever decides by the body has at least this cost.
HELD = "plain, body held"


@dataclass(frozen=True)
class Case:
    """What is sent."""

    name: str
    model: str
    size: int
    connections: int
    streamed: bool = False

    def body(self) -> dict:
        """A chat of about `size` bytes."""
        text = (FILLER * (self.size // len(FILLER) + 1))[: max(self.size - 150, 10)]
        messages = [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": text},
        ]
        body = {"model": self.model, "messages": messages, "max_tokens": 256, "temperature": 0.7}
        return {**body, "stream": True} if self.streamed else body


def markdown(results: dict) -> str:
    """The figures as tables."""
    machine = results["machine"]
    lines = [
        f"Envoy {machine['envoy']}, one worker, {machine['processors']} processors, "
        f"{machine['rounds']} rounds of {machine['seconds']} s per figure. "
        "Medians over the rounds, in brackets the spread; ratios to plain Envoy within each round.",
        "",
        "| case | who | requests/s | ratio | CPU per request, µs | added CPU, µs "
        "| p50, ms | added p50 | p99, ms | added p99 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for case in results["cases"]:
        for who, rounds in case["rounds"].items():
            lines.append(_case_row(case["case"], who, rounds, case["rounds"][BASE]))
    lines += ["", *_memory(results), "", *_models(results), "", *_streams(results), ""]
    return "\n".join(lines)


def _case_row(case: str, who: str, rounds: list[dict], base: list[dict]) -> str:
    pairs = list(zip(rounds, base, strict=True))

    def added(key: str) -> float:
        return statistics.median(own[key] - plain[key] for own, plain in pairs)

    ratio = statistics.median(own["rate"] / plain["rate"] for own, plain in pairs)
    cells = [
        case,
        who,
        _spread([r["rate"] for r in rounds], 0),
        f"{ratio:.2f}",
        _spread([r["cpu_us"] for r in rounds], 0),
        f"{added('cpu_us'):.0f}",
        _spread([r["p50_ms"] for r in rounds], 3),
        f"{added('p50_ms'):.3f}",
        _spread([r["p99_ms"] for r in rounds], 2),
        f"{added('p99_ms'):.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _memory(results: dict) -> list[str]:
    """Resident memory; in brackets what of it Envoy's allocator has given out."""
    points = results["memory_mib"]
    lines = [
        f"| who | start, s | resident {', MiB | '.join(points)}, MiB |",
        f"| --- | --- |{' --- |' * len(points)}",
    ]
    for who, start in results["start_seconds"].items():
        cells = [who, f"{start:.2f}"]
        for resident, allocated in (point[who] for point in points.values()):
            given_out = "" if allocated is None else f" ({allocated:.0f})"
            cells.append(f"{resident:.0f}{given_out}")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _models(results: dict) -> list[str]:
    lines = [
        "| who | CPU per request with 1 model, µs | with 1,000 models |",
        "| --- | --- | --- |",
    ]
    for host, figures in results["models"].items():
        one, many = (_spread(figures[count], 0) for count in ("1", "1000"))
        lines.append(f"| sluice {host} | {one} | {many} |")
    return lines


def _streams(results: dict) -> list[str]:
    lines = [
        "| paced stream | first event, ms | added | median gap between events, ms | added |",
        "| --- | --- | --- | --- | --- |",
    ]
    base = results["streams"][BASE]
    for who, seen in results["streams"].items():
        cells = [who]
        for key in ("first_ms", "gap_ms"):
            pairs = zip(seen, base, strict=True)
            added = statistics.median(own[key] - plain[key] for own, plain in pairs)
            cells += [_spread([s[key] for s in seen], 3), f"{added:.3f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _spread(values: list[float], digits: int) -> str:
    low, high = min(values), max(values)
    return f"{statistics.median(values):,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"
